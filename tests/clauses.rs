//! Which test states which clause of which RFC. The README's section *Standards* claims RFCs; `clauses.txt` lists the
//! clauses of each that bind an authoritative primary that takes updates; the tests of the crate say in their words or
//! names which of them they state. A clause that nothing tests, or a test of a clause that is not listed, fails here.
//!
//! A test states the clauses that stand in its comments, its strings and its code as `RFC 2136 §3.2.1`, several as
//! `RFC 2136 §3.2.1, §3.2.2 and RFC 2181 §8`, or in its name as `rfc2136_3_2_1_…`, several as `…_and_3_2_2_…`. What a
//! helper or a table of the same file says counts for the tests that name it, directly or through others. An RFC named
//! without a section is a mere mention, but for those listed without one (their text has no numbered sections).
//!
//! Likewise the pitfalls that the list ends with: `pitfall 7`, `pitfalls 13 and 14`, or `pitfall_7_…` in a name.
//!
//! `tests/run clauses` prints clause → tests.

#[path = "clauses/tags.rs"]
mod tags;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use tags::{Clause, Test};

/// What the list says of a clause.
struct Entry {
    words: String,
    /// Why nothing tests it.
    is_left_out: bool,
}

type List = BTreeMap<Clause, Entry>;

const LEFT_OUT: &str = "not implemented: ";

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect(file)
}

/// One clause a line: the clause, two spaces, its words; `#` begins a comment.
fn list(text: &str, wrong: &mut Vec<String>) -> List {
    let mut list = List::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (tag, words) = line.split_once("  ").unwrap_or((line, ""));
        let clauses = tags::in_text(tag);
        let [clause] = clauses.as_slice() else {
            wrong.push(format!("the list: no clause begins {line:?}"));
            continue;
        };
        if clause.to_string() != tag || words.trim_end_matches(LEFT_OUT.trim_end()).trim().is_empty() {
            wrong.push(format!("the list: not `RFC n §n.n  words`: {line:?}"));
        }
        let entry = Entry { words: words.trim().into(), is_left_out: words.starts_with(LEFT_OUT) };
        if list.insert(clause.clone(), entry).is_some() {
            wrong.push(format!("{clause}: listed twice"));
        }
    }
    list
}

/// The RFCs in the last column of the table of the section *Standards*.
fn claimed(readme: &str) -> BTreeSet<u32> {
    let section =
        readme.split("\n## ").find(|section| section.starts_with("Standards\n")).unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    let cells = rows.filter_map(|row| row.rsplit('|').next());
    cells
        .flat_map(|cell| cell.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()))
        .collect()
}

/// What each clause's tests are.
fn stated(tests: &[Test]) -> BTreeMap<&Clause, Vec<&str>> {
    let mut stated: BTreeMap<&Clause, Vec<&str>> = BTreeMap::new();
    for test in tests {
        for clause in &test.clauses {
            stated.entry(clause).or_default().push(&test.name);
        }
    }
    stated
}

/// Where README, list and tests do not agree.
fn gaps(claimed: &BTreeSet<u32>, list: &List, tests: &[Test]) -> Vec<String> {
    let mut wrong = Vec::new();
    let listed: BTreeSet<u32> = list.keys().map(|clause| clause.rfc).collect();
    for rfc in claimed.difference(&listed) {
        wrong.push(format!("RFC {rfc}: the README claims it and the list has no clause of it"));
    }
    for rfc in listed.difference(claimed).filter(|rfc| **rfc != 0) {
        wrong.push(format!("RFC {rfc}: the list has it and the README does not claim it"));
    }
    let stated = stated(tests);
    for (clause, entry) in list {
        match (entry.is_left_out, stated.get(clause)) {
            (false, None) => wrong.push(format!("{clause}: no test ({})", entry.words)),
            (true, Some(tests)) => wrong
                .push(format!("{clause}: listed as not implemented, and yet tested by {}", tests.join(", "))),
            _ => {}
        }
    }
    for (clause, tests) in stated {
        let is_mention = clause.section.is_empty();
        let is_claimed = clause.rfc == 0 || claimed.contains(&clause.rfc);
        if is_claimed && !is_mention && !list.contains_key(clause) {
            wrong.push(format!("{clause}: not in the list, and yet a clause of {}", tests.join(", ")));
        }
    }
    wrong
}

/// Clause → tests, in order, with counts for each RFC.
fn report(list: &List, tests: &[Test]) -> String {
    let stated = stated(tests);
    let mut text = String::new();
    let mut last = None;
    for (clause, entry) in list {
        let rfc = clause.rfc;
        if last.replace(rfc) != Some(rfc) {
            let of_it = || list.iter().filter(|(clause, _)| clause.rfc == rfc);
            let left_out = of_it().filter(|(_, entry)| entry.is_left_out).count();
            let tests: BTreeSet<_> = of_it().filter_map(|(clause, _)| stated.get(clause)).flatten().collect();
            let clauses = of_it().count() - left_out;
            writeln!(
                text,
                "\n{}: {clauses} clauses, {} tests; {left_out} not implemented",
                if rfc == 0 { "Pitfalls".into() } else { format!("RFC {rfc}") },
                tests.len()
            )
            .expect("a string");
        }
        writeln!(text, "  {clause}  {}", entry.words).expect("a string");
        for test in stated.get(clause).into_iter().flatten() {
            writeln!(text, "      {test}").expect("a string");
        }
    }
    text
}

#[test]
fn each_clause_of_the_rfcs_that_the_readme_claims_has_a_test() {
    let mut wrong = Vec::new();
    let list = list(&read("tests/clauses.txt"), &mut wrong);
    let tests = tags::tests(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(tests.len() > 500, "only {} tests found", tests.len());
    println!("{}", report(&list, &tests));
    wrong.extend(gaps(&claimed(&read("README.md")), &list, &tests));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn each_kind_of_gap_is_noticed() {
    let readme = "# x\n\n## Standards\n\nIn 1999:\n\n| what | RFC |\n|---|---|\n| updates 77 | 2136, 2137 |\n\n## Then\n\n| x | 1 |\n";
    let claimed = claimed(readme);
    assert_eq!(claimed, BTreeSet::from([2136, 2137]));
    let mut wrong = Vec::new();
    let text = "# a comment\nRFC 2136 §1  tested\nRFC 2136 §2  not tested\nRFC 2136 §3  not implemented: why\nRFC 1 §1  claimed by nobody\npitfall 1  x\npitfall 2  y\n";
    let list = list(text, &mut wrong);
    assert_eq!(wrong, [""; 0]);
    let test =
        |clauses: &str| Test { name: "t".into(), clauses: tags::in_text(clauses).into_iter().collect() };
    let gaps =
        gaps(&claimed, &list, &[test("RFC 2136 §1, §3 and §4; RFC 9999 §1, RFC 2136; pitfalls 2 and 3")])
            .join("\n");
    for (gap, count) in [
        ("RFC 2137: the README claims it", 1),
        ("RFC 1: the list has it", 1),
        ("RFC 1 §1: no test", 1),
        ("RFC 2136 §2: no test (not tested)", 1),
        ("RFC 2136 §3: listed as not implemented, and yet tested by t", 1),
        ("RFC 2136 §4: not in the list, and yet a clause of t", 1),
        ("RFC 9999", 0),
        ("pitfall 1: no test (x)", 1),
        ("pitfall 2", 0),
        ("pitfall 3: not in the list", 1),
    ] {
        assert_eq!(gaps.matches(gap).count(), count, "{gap}\n{gaps}");
    }
    assert_eq!(gaps.lines().count(), 8, "{gaps}");
}

#[test]
fn a_list_that_cannot_be_read_is_said_so() {
    for line in [
        "2136 §1  words",
        "RFC 2136 §1",
        "RFC 2136 §1 words",
        "RFC 2136 §1  not implemented:",
        "RFC 2136 §1, §2  x",
    ] {
        let mut wrong = Vec::new();
        list(line, &mut wrong);
        assert!(!wrong.is_empty(), "{line}");
    }
    let mut wrong = Vec::new();
    list("RFC 2782  it has no sections\nRFC 2782  it has no sections\n", &mut wrong);
    assert_eq!(wrong, ["RFC 2782: listed twice"]);
}
