//! Random zones as awkward as zones get, and questions near their names.

#[path = "random.rs"]
mod random;

use conclave::dns::{Name, RrType};
use conclave::zone::View;
pub use random::Random;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Few, so that names enclose, cover and hide one another.
const LABELS: [&str; 6] = ["a", "b", "c", "d", "ab", "*"];

/// 63 octets.
const LONG: &str = "a-label-that-is-as-long-as-any-label-can-be-so-that-it-overflow";

/// Labels that are escaped in text, sort oddly, look like asterisks, or are long.
const ODD: [&str; 9] = ["\\000", "\\255", "a\\.b", "\\042x", "x*", "**", "A", "-", LONG];

fn label(random: &mut Random) -> &'static str {
    let labels: &'static [&'static str] = if random.chance(6) { &ODD } else { &LABELS };
    random.of(labels)
}

fn owner(random: &mut Random) -> String {
    if random.chance(2) {
        // 63 + 63 + 63 octets, and what the zone's name leaves.
        return format!("{}.{LONG}.{LONG}.{LONG}", &LONG[..random.below(36) + 1]);
    }
    let mut name = label(random).to_string();
    for _ in 0..random.below(4) {
        name = format!("{name}.{}", label(random));
    }
    name
}

/// Where aliases and services lead: mostly into the zone, else to another, or nowhere.
fn target(random: &mut Random) -> String {
    match random.below(20) {
        0 => format!("{}.z{}.test.", label(random), random.below(24)),
        1 => format!("{}.elsewhere.example.", label(random)),
        2 => format!("{LONG}.{LONG}.{}", label(random)),
        _ => format!("{}.{}", random.of(&LABELS[..5]), random.of(&LABELS[..5])),
    }
}

/// The text of a zone.
pub fn random_zone(origin: &str, random: &mut Random) -> String {
    let mut text = format!(
        "$ORIGIN {origin}\n$TTL {}\n@ SOA ns hostmaster 7 7200 3600 1209600 {}\n",
        300 + random.below(4000),
        60 + random.below(4000)
    );
    text += &match random.below(10) {
        0 => format!("@ DNAME {}\n@ NS ns.elsewhere.example.\n", target(random)),
        _ => "@ NS ns\nns A 192.0.2.53\n".to_string(),
    };
    let mut used = BTreeSet::from(["ns".to_string()]);
    for _ in 0..10 + random.below(25) {
        let name = owner(random);
        if used.insert(name.to_lowercase()) {
            records(&name, &mut text, random);
        }
    }
    text
}

fn records(name: &str, text: &mut String, random: &mut Random) {
    let (target, number) = (target(random), random.below(250));
    let wild = name.starts_with("*.") || name == "*";
    _ = match random.below(if wild { 10 } else { 15 }) {
        0 | 1 => writeln!(text, "{name} A 192.0.2.{number}"),
        2 => write!(text, "{name} TXT \"one\" \"two\"\n{name} AAAA 2001:db8::{number}\n"),
        3 | 4 => writeln!(text, "{name} CNAME {target}"),
        5 => write!(text, "{name} MX 10 {target}\n{name} A 192.0.2.1\n"),
        6 => writeln!(text, "{name} SRV 1 2 3 {target}"),
        7 => write!(
            text,
            "{name} HTTPS 1 . alpn=h2\n{name} A 192.0.2.{number}\n{name} CAA 0 issue \"ca.test\"\n"
        ),
        8 => writeln!(text, "{name} SVCB 0 {target}"),
        9 => {
            write!(text, "{name} TYPE65400 \\# 3 010203\n{name} PTR {target}\n{name} RP {target} {target}\n")
        }
        10 => writeln!(text, "{name} DNAME {target}"),
        11 => write!(
            text,
            "{name} NS ns.{name}\nns.{name} A 192.0.2.{number}\n{name} NS other.test.\n{name} NS ns.d\n*.{name} A 192.0.2.9\n"
        ),
        12 => {
            let digest = "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF";
            write!(text, "{name} NS ns.elsewhere.test.\n{name} DS 4711 8 2 {digest}\n{name} TXT hidden\n")
        }
        13 => write!(text, "{name} DNAME {target}\n{name} TXT beside\n{name} AAAA 2001:db8::{number}\n"),
        _ => writeln!(text, "{name} DNAME dn.elsewhere.test."),
    };
}

/// A question near the zone's names.
pub fn random_question(view: &View, names: &[Name], random: &mut Random) -> (Name, RrType) {
    let mut name = random.of(names);
    let near = |label: &str| Name::parse(label).ok();
    for _ in 0..random.below(3) {
        let up = name.label_count().saturating_sub(1).max(view.origin().label_count());
        let parsed = near(label(random));
        let first = parsed.as_ref().and_then(|label| label.labels().next()).unwrap_or(b"a");
        match random.below(4) {
            0 => name = name.ancestor(up),
            1 => name = name.ancestor(up).child(first).unwrap_or(name),
            2 => name = name.child(first).unwrap_or(name),
            _ => {}
        }
    }
    let types = [
        RrType::A,
        RrType::A,
        RrType::AAAA,
        RrType::TXT,
        RrType::CNAME,
        RrType::NS,
        RrType::DS,
        RrType::DS,
        RrType::SOA,
        RrType::MX,
        RrType::SRV,
        RrType::HTTPS,
        RrType::SVCB,
        RrType::RP,
        RrType::DNAME,
        RrType::NSEC,
        RrType::DNSKEY,
        RrType::ANY,
        RrType::RRSIG,
        RrType(65_400),
    ];
    (name, random.of(&types))
}
