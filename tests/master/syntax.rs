//! Files that one line or a few make awkward, as `rows` has them.

use super::bind::{difference, ours, theirs};
use super::rows::ROWS;
use super::tools;
use Verdict::{Differs, Refused, Same};
use std::collections::BTreeMap;

/// What comes of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Both take it as the same.
    Same,
    /// Both refuse it.
    Refused,
    /// A difference that `differences.md` explains under this number, "Master files".
    Differs(u8),
}

pub struct Row {
    clause: &'static str,
    verdict: Verdict,
    lines: &'static str,
}

pub const fn row(clause: &'static str, verdict: Verdict, lines: &'static str) -> Row {
    Row { clause, verdict, lines }
}

const HEAD: &str = "$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\n";

/// Files that rows include.
const INCLUDED: &[(&str, &str)] = &[
    ("plain.inc", "one A 192.0.2.11\ntwo TXT plain\n"),
    ("origin.inc", "$ORIGIN deep.example.test.\none A 192.0.2.12\n"),
    ("with space.inc", "spaced A 192.0.2.13\n"),
];

fn tree(lines: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("zone"), format!("{HEAD}{lines}")).expect("a file");
    for (name, text) in INCLUDED {
        std::fs::write(dir.path().join(name), text).expect("a file");
    }
    dir
}

#[test]
fn every_row_of_the_table_is_read_as_bind_reads_it() {
    if !tools::has("named-compilezone") {
        return;
    }
    let mut wrong = Vec::new();
    let mut clauses: BTreeMap<&str, usize> = BTreeMap::new();
    for Row { clause, verdict, lines } in ROWS {
        *clauses.entry(clause).or_default() += 1;
        let dir = tree(lines);
        let different = difference(dir.path());
        let taken = (ours(dir.path()).is_ok(), theirs(dir.path(), "zone").is_ok());
        let held = match verdict {
            Same => different.is_none() && taken == (true, true),
            Refused => taken == (false, false),
            Differs(_) => different.is_some(),
        };
        if !held {
            let said = different.unwrap_or_else(|| format!("taken by us and by BIND: {taken:?}"));
            wrong.push(format!("{clause} {verdict:?}: {lines}{said}"));
        }
    }
    println!("{clauses:#?}");
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), ROWS.len(), wrong.join("\n"));
}
