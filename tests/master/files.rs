//! Random files: the same few records, written in every way that the format has.

use super::bind::{difference, ours};
use super::random::Random;
use super::tools;
use std::fmt::Write;

/// How many of so many are tried: `tests/run quick` asks for less.
pub fn tries(all: u64) -> u64 {
    if std::env::var("CONCLAVE_TESTS").is_ok_and(|tests| tests == "quick") { all / 5 } else { all }
}

/// A label with escapes, and octets that need them.
fn label(random: &mut Random) -> String {
    if random.chance(60) {
        return random.of(&["a", "B", "www", "x1", "_tcp", "*", "ab-c"]).to_owned();
    }
    (0..1 + random.below(6))
        .map(|_| match random.below(5) {
            0 => format!("\\{:03}", random.below(256)),
            1 => format!("\\{}", random.of(&[".", "\\", "\"", ";", "(", "@", "$", "q"])),
            _ => random.of(&["a", "Z", "7", "-", "_", "+", "=", "!"]).to_owned(),
        })
        .collect()
}

fn name(random: &mut Random) -> String {
    let labels: Vec<String> = (0..1 + random.below(3)).map(|_| label(random)).collect();
    match random.below(8) {
        0 => "@".to_owned(),
        1 => labels.join(".") + ".example.test.",
        _ => labels.join("."),
    }
}

/// A character-string, quoted or not.
fn string(random: &mut Random) -> String {
    let quoted = random.chance(60);
    let octets: String = (0..usize::from(!quoted) + random.below(12))
        .map(|_| match random.below(6) {
            0 => format!("\\{:03}", random.below(256)),
            1 => format!("\\{}", random.of(&["\"", "\\", ";", " ", "(", "x"])),
            2 if quoted => random.of(&[" ", ";", "(", ")", "\t", "\u{e9}", "@", "$"]).to_owned(),
            _ => random.of(&["a", "Z", "7", "-", ",", "=", "/", "."]).to_owned(),
        })
        .collect();
    if quoted { format!("\"{octets}\"") } else { octets }
}

fn hex(random: &mut Random, octets: usize) -> String {
    (0..octets).map(|_| format!("{:02x}", random.below(256))).collect()
}

/// Type and data.
fn data(random: &mut Random) -> (&'static str, String) {
    let number = |random: &mut Random| random.below(65_536);
    match random.below(17) {
        0 | 1 => ("A", format!("192.0.2.{}", random.below(256))),
        2 => ("AAAA", format!("2001:db8::{:x}:{:x}", number(random), number(random))),
        3 => ("TXT", (0..1 + random.below(4)).map(|_| string(random)).collect::<Vec<_>>().join(" ")),
        4 => ("MX", format!("{} {}", number(random), name(random))),
        5 => ("SRV", format!("{} {} {} {}", number(random), number(random), number(random), name(random))),
        6 => ("PTR", name(random)),
        7 => ("HINFO", format!("{} {}", string(random), string(random))),
        8 => ("CAA", format!("{} issue {}", random.below(256), string(random))),
        9 => ("TYPE65300", format!("\\# 5 {} {}", hex(random, 2), hex(random, 3))),
        10 => ("TLSA", format!("3 1 {} {}", random.below(3), hex(random, 32))),
        11 => ("NAPTR", format!("{} 10 \"u\" {} \"\" {}", number(random), "\"E2U+sip\"", name(random))),
        12 => {
            let families = ["1:192.0.2.0/24", "!1:10.0.0.0/8", "2:2001:db8::/32", "!2:::/0"];
            ("APL", (0..random.below(4)).map(|_| random.of(&families)).collect::<Vec<_>>().join(" "))
        }
        13 => ("WKS", format!("192.0.2.7 6 {} {}", number(random), random.below(100))),
        14 => ("HTTPS", format!("{} {} port={} alpn=h2", 1 + random.below(9), name(random), number(random))),
        15 => {
            let (degrees, minutes) = (random.below(90), random.below(60));
            (
                "LOC",
                format!(
                    "{degrees} {minutes} {}.{:03} N 1 E -{}m 1m",
                    random.below(60),
                    random.below(1000),
                    random.below(999)
                ),
            )
        }
        _ => ("RP", format!("{} {}", name(random), name(random))),
    }
}

/// Words, with white space of any kind, comments, and parentheses around some.
fn line(random: &mut Random, owner: &str, words: &[String]) -> String {
    let mut text = owner.to_owned();
    let mut open = false;
    for word in words {
        text.push_str(random.of(&[" ", "\t", "  "]));
        if !open && random.chance(15) {
            text.push_str(random.of(&["(", "( ", "(\n\t", "( ; comment (\n"]));
            open = true;
        }
        text.push_str(word);
        if open && random.chance(25) {
            text.push_str(random.of(&["\n", " ; it's \"\n ", "\n\n  "]));
        }
    }
    if open {
        text.push_str(random.of(&[")", " )", "\n)", " ; c\n )"]));
    }
    text + random.of(&["\n", " \n", " ; comment\n", "\r\n"])
}

/// A file; all records of one RRset have the default TTL or that of their type, so that no TTLs differ.
fn file(random: &mut Random) -> String {
    let mut text =
        "$TTL 300\n@ IN SOA ns host ( 7 2h 15m ; three\n 1w 1d )\n@ NS ns.elsewhere.test.\n".to_owned();
    let mut owned = true;
    for _ in 0..3 + random.below(25) {
        match random.below(12) {
            0 => {
                _ = writeln!(text, "$ORIGIN {}", random.of(&["sub", "example.test.", "x.example.test.", "@"]))
            }
            1 => {
                let modifier =
                    random.of(&["$", "${3}", "${-1,3}", "${0,2,x}", "${1,4,X}", "${0,2,o}", "${2,5,n}x"]);
                let (from, step) = (random.below(5) + 1, random.below(3) + 1);
                _ = writeln!(text, "$GENERATE {from}-{}/{step} g{modifier} PTR h$", from + random.below(9));
                owned = false;
                continue;
            }
            2 => text.push_str(random.of(&["\n", "   \n", "; comment\n", "\t; comment ( \"\n"])),
            _ => {}
        }
        let (rtype, data) = data(random);
        let rtype = if random.chance(20) { rtype.to_lowercase() } else { rtype.to_owned() };
        let mut head = Vec::new();
        if random.chance(40) {
            head.push(random.of(&["300", "5m", "0h5M", "300s"]).to_owned());
        }
        if random.chance(50) {
            head.insert(random.below(head.len() + 1), random.of(&["IN", "in", "CLASS1"]).to_owned());
        }
        let words: Vec<String> = head.into_iter().chain([rtype, data]).collect();
        let owner = if owned && random.chance(30) { " ".to_owned() } else { name(random) };
        // An owner that begins with a digit or a directive's sign is written as one; ours never do.
        text.push_str(&line(random, &owner, &words));
        owned = true;
    }
    text
}

/// RFC 1035 §5.1: random files are read as BIND reads them.
#[test]
fn random_files_are_read_as_bind_reads_them() {
    if !tools::has("named-compilezone") {
        return;
    }
    let seed = Random::seed();
    let mut random = Random(seed);
    let (files, mut taken, mut wrong) = (tries(300), 0, Vec::new());
    for index in 0..files {
        let text = file(&mut random);
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("zone"), &text).expect("a file");
        taken += u64::from(ours(dir.path()).is_ok());
        if let Some(what) = difference(dir.path()) {
            wrong.push(format!("file {index}: {what}\n{text}"));
        }
    }
    let shown = wrong.iter().take(3).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {files} files (CONCLAVE_SEED={seed}):\n{shown}", wrong.len());
    assert!(taken * 3 > files, "only {taken} of {files} files are files (CONCLAVE_SEED={seed})");
    println!("{taken} of {files} files were taken by both (CONCLAVE_SEED={seed})");
}
