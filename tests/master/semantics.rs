//! What is a zone: `zone::check` against named-checkzone with the checks that need no other server.

use super::bind::{ORIGIN, origin};
use super::files::tries;
use super::random::Random;
use super::tools;
use conclave::dns::{Name, RrType};
use conclave::zone::check::{Finding, check};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

/// Behind `$TTL 60`; whether it is a zone; and a part of what is said of it, if anything is.
struct Row {
    clause: &'static str,
    zone: bool,
    said: &'static str,
    lines: &'static str,
}

const fn row(clause: &'static str, zone: bool, said: &'static str, lines: &'static str) -> Row {
    Row { clause, zone, said, lines }
}

const ROWS: &[Row] = &[
    row("RFC 1035 §5.2", true, "", "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\n"),
    row("RFC 1035 §5.2", false, "SOA: there is none", "@ NS a\na A 192.0.2.1\n"),
    row("RFC 1034 §4.2.1", false, "NS: there is none", "@ SOA a b 1 2 3 4 5\n"),
    row(
        "RFC 1035 §5.2",
        false,
        "more than one",
        "@ SOA a b 1 2 3 4 5\n@ SOA a b 2 2 3 4 5\n@ NS a\na A 192.0.2.1\n",
    ),
    row("RFC 1035 §5.2", true, "", "@ SOA a b 1 2 3 4 5\n@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\n"),
    row(
        "RFC 1035 §5.2",
        false,
        "not at the apex",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nx SOA a b 1 2 3 4 5\n",
    ),
    row(
        "RFC 1034 §3.6.2",
        false,
        "beside other",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nx CNAME a\nx TXT t\n",
    ),
    row(
        "RFC 2181 §10.1",
        false,
        "more than one",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nx CNAME a\nx CNAME b\n",
    ),
    row("RFC 2181 §10.1", true, "", "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nx CNAME a\nx CNAME A\n"),
    row(
        "RFC 6672 §2.4",
        false,
        "more than one",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nx DNAME c.\nx DNAME d.\n",
    ),
    row(
        "RFC 6672 §2.4",
        true,
        "hides it",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nx DNAME c.\ny.x A 192.0.2.3\n",
    ),
    row(
        "RFC 6672 §2.4",
        false,
        "beside other",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nx DNAME c.\nx CNAME c.\n",
    ),
    row("RFC 2181 §10.3", false, "is an alias", "@ SOA a b 1 2 3 4 5\n@ NS a\na CNAME b\nb A 192.0.2.1\n"),
    row(
        "RFC 2181 §10.3",
        false,
        "below a DNAME",
        "@ SOA a b 1 2 3 4 5\n@ NS a.x\nx DNAME y\na.y A 192.0.2.1\n",
    ),
    row(
        "RFC 2181 §10.3",
        true,
        "is an alias",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nx MX 1 y\ny CNAME a\n",
    ),
    row("RFC 1912 §2.8", false, "no address", "@ SOA a b 1 2 3 4 5\n@ NS a\n"),
    row("RFC 1912 §2.8", false, "no address", "@ SOA a b 1 2 3 4 5\n@ NS a\na TXT x\n"),
    row("RFC 1912 §2.8", true, "", "@ SOA a b 1 2 3 4 5\n@ NS a\na AAAA 2001:db8::1\n"),
    row("RFC 1912 §2.8", true, "", "@ SOA a b 1 2 3 4 5\n@ NS a.elsewhere.test.\n"),
    row("RFC 4592 §4.3", true, "", "@ SOA a b 1 2 3 4 5\n@ NS a\n* A 192.0.2.1\n"),
    row("RFC 1912 §2.3", true, "this glue", "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nsub NS ns.sub\n"),
    row(
        "RFC 1912 §2.3",
        true,
        "",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nsub NS ns.sub\nns.sub A 192.0.2.2\n",
    ),
    row(
        "RFC 9471 §3.2",
        true,
        "of a sibling",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nsub NS ns.other\nother NS a\n",
    ),
    row(
        "RFC 1034 §4.2.1",
        true,
        "is delegated",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nsub NS a\nx.sub TXT t\n",
    ),
    row("RFC 1912 §2.5", true, "no address", "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nx MX 1 nowhere\n"),
    row(
        "RFC 7505 §3",
        true,
        "",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nx MX 0 .\n_y._tcp SRV 0 0 0 .\n",
    ),
    row(
        "RFC 2181 §5.2",
        true,
        "TTLs differ",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na 5 A 192.0.2.1\na 6 A 192.0.2.2\n",
    ),
    row("RFC 4592 §2.1.1", true, "no wildcard", "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nx.*.y TXT t\n"),
    row(
        "RFC 7208 §3.1",
        true,
        "obsolete",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\n@ SPF \"v=spf1 -all\"\n",
    ),
    row(
        "RFC 1912 §2.2",
        true,
        "final dot",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nx.example.test A 192.0.2.2\n",
    ),
    row(
        "RFC 1123 §2.1",
        true,
        "name of a host",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nx_y A 192.0.2.2\n",
    ),
    row(
        "RFC 4035 §2.4",
        false,
        "at the apex",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\n@ DS 1 8 1 26584835CA80C81C91999F31CFAF2A0E89D4FF1C\n",
    ),
    row(
        "RFC 4035 §2.4",
        true,
        "nothing is delegated",
        "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nx DS 1 8 1 26584835CA80C81C91999F31CFAF2A0E89D4FF1C\n",
    ),
];

/// What of a zone is compared: whether it is one, and of which NS, MX and SRV sets it is said that they lead nowhere.
#[derive(PartialEq, Eq, Debug)]
struct Judgement {
    zone: bool,
    astray: BTreeSet<(Name, RrType)>,
}

/// What named-checkzone says; of names of hosts it is stricter by default, and RFC 2181 §11 is not.
fn bind(dir: &Path) -> (Judgement, String) {
    let path = dir.join("zone");
    let path = path.to_str().expect("a path of text");
    let output = tools::run("named-checkzone", &["-i", "local", "-k", "ignore", ORIGIN, path]);
    let said = tools::all_output(&output);
    let mut astray = BTreeSet::new();
    for line in
        said.lines().filter(|line| ["address records", "(illegal)"].iter().any(|end| line.contains(end)))
    {
        // `zone O/IN: OWNER/NS 'TARGET' …`; of the apex it says only `NS 'TARGET' …`.
        let words = line.split_once(": ").and_then(|(_, rest)| rest.split(' ').next()).expect("a word");
        let (owner, rtype) = words.rsplit_once('/').unwrap_or((ORIGIN, words));
        astray.insert((Name::parse(owner).expect("a name"), RrType::parse(rtype).expect("a type")));
    }
    (Judgement { zone: output.status.success(), astray }, said)
}

fn ours(dir: &Path) -> (Judgement, Vec<Finding>) {
    let (_, findings) = check(&origin(), &super::bind::ours_as_written(dir).expect("records"));
    let leads = ["alias: name", "is below a DNAME", "has no address"];
    let astray = findings.iter().filter(|finding| leads.iter().any(|lead| finding.what.contains(lead)));
    let astray = astray.filter_map(|finding| Some((finding.owner.clone(), finding.rtype?))).collect();
    (Judgement { zone: findings.iter().all(|finding| !finding.error), astray }, findings)
}

fn directory(text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("zone"), text).expect("a file");
    dir
}

#[test]
fn what_is_a_zone_for_bind_is_one_for_us() {
    if !tools::has("named-compilezone") {
        return;
    }
    let mut wrong = Vec::new();
    for Row { clause, zone, said, lines } in ROWS {
        let dir = directory(&format!("$TTL 60\n{lines}"));
        let ((mine, findings), (theirs, bind_said)) = (ours(dir.path()), bind(dir.path()));
        let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let fits =
            if said.is_empty() { told.is_empty() } else { told.iter().any(|line| line.contains(said)) };
        let same = mine.zone == theirs.zone && (!mine.zone || mine == theirs);
        if mine.zone != *zone || !same || !fits {
            wrong.push(format!("{clause} {zone} {said}\n{lines}ours: {told:#?}\nBIND: {bind_said}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), ROWS.len(), wrong.join("\n"));
}

/// A zone of few labels, so that names enclose, cover and hide one another.
fn zone(random: &mut Random) -> String {
    const LABELS: [&str; 5] = ["a", "b", "c", "*", "d"];
    let mut text = "$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a.b\na.b A 192.0.2.1\n".to_owned();
    let name = |random: &mut Random| {
        let labels: Vec<&str> = (0..1 + random.below(3)).map(|_| random.of(&LABELS)).collect();
        labels.join(".")
    };
    for _ in 0..1 + random.below(7) {
        let (owner, other) = (name(random), name(random));
        match random.below(10) {
            0..=3 => _ = writeln!(text, "{owner} A 192.0.2.{}", random.below(250)),
            4 => _ = writeln!(text, "{owner} CNAME {other}"),
            5 => _ = writeln!(text, "{owner} DNAME {other}"),
            6 => _ = writeln!(text, "{owner} MX 1 {other}"),
            7 => _ = writeln!(text, "{owner} NS ns.{owner}\nns.{owner} AAAA 2001:db8::1"),
            _ if owner.contains('*') => {}
            _ => _ = writeln!(text, "{owner} NS {other}"),
        }
    }
    text
}

/// RFC 1034 §4.2.1: random zones are zones for us if they are for BIND.
#[test]
fn random_zones_are_zones_for_both_or_for_none() {
    if !tools::has("named-compilezone") {
        return;
    }
    let count = tries(300);
    let seed = Random::seed();
    let mut random = Random(seed);
    let (mut zones, mut wrong) = (0, Vec::new());
    for index in 0..count {
        let text = zone(&mut random);
        let dir = directory(&text);
        let ((mine, findings), (theirs, said)) = (ours(dir.path()), bind(dir.path()));
        zones += u64::from(mine.zone);
        // What is said of a zone that is none depends on where one stops.
        if mine.zone != theirs.zone || (mine.zone && mine != theirs) {
            let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
            wrong.push(format!("zone {index}:\n{text}ours: {told:#?}\nBIND: {said}"));
        }
    }
    let shown = wrong.iter().take(4).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {count} zones (CONCLAVE_SEED={seed}):\n{shown}", wrong.len());
    assert!((1..count).contains(&zones), "{zones} zones of {count} (CONCLAVE_SEED={seed})");
}
