//! The answers of `answer::respond` against those of NSD and BIND, which serve the same signed zones: the same rcode, AA
//! and records in answer and authority for thousands of random queries over a hand-made zone and random ones.
//!
//! Accepted differences stand in `differences.md` and, by the same numbers, in [`comparable`].

#[path = "support/daemons.rs"]
mod daemons;
#[path = "support/signed.rs"]
mod signed;

use conclave::answer::{Catalog, Client, Reply, Request, Settings, Transport, respond};
use conclave::dns::message::Message;
use conclave::dns::{Class, Name, RrType, master};
use conclave::zone::View;
use daemons::{Daemon, Kind};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

const RANDOM_ZONES: u64 = 24;
const QUERIES: u64 = 12_000;

/// xorshift64*: all that the choices need.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    fn of<'t, T>(&mut self, choices: &'t [T]) -> &'t T {
        &choices[self.below(choices.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

const LABELS: [&str; 6] = ["a", "b", "c", "d", "ab", "*"];

/// A zone of few labels, so that names enclose, cover and hide one another.
fn random_zone(origin: &str, random: &mut Random) -> String {
    let mut text = format!(
        "$ORIGIN {origin}\n$TTL {}\n@ SOA ns hostmaster 7 7200 3600 1209600 {}\n@ NS ns\nns A 192.0.2.53\n",
        300 + random.below(4000),
        60 + random.below(4000)
    );
    let mut used = BTreeSet::new();
    for _ in 0..10 + random.below(25) {
        let mut owner = *random.of(&LABELS[..]);
        let mut name = owner.to_string();
        for _ in 0..random.below(4) {
            owner = *random.of(&LABELS[..]);
            name = format!("{name}.{owner}");
        }
        if !used.insert(name.clone()) {
            continue;
        }
        let target = format!("{}.{}", random.of(&LABELS[..5]), random.of(&LABELS[..5]));
        let wild = name.starts_with("*");
        match random.below(if wild { 7 } else { 11 }) {
            0 | 1 => _ = writeln!(text, "{name} A 192.0.2.{}", random.below(250)),
            2 => _ = write!(text, "{name} TXT \"one\" \"two\"\n{name} AAAA 2001:db8::{}\n", random.below(99)),
            3 | 4 => _ = writeln!(text, "{name} CNAME {target}"),
            5 => _ = write!(text, "{name} MX 10 {target}\n{name} A 192.0.2.1\n"),
            6 => _ = writeln!(text, "{name} SRV 1 2 3 {target}"),
            7 => {
                _ = writeln!(text, "{name} DNAME {target}");
            }
            8 => {
                _ = write!(
                    text,
                    "{name} NS ns.{name}\nns.{name} A 192.0.2.{}\n{name} NS other.test.\n",
                    random.below(250)
                )
            }
            9 => {
                let digest = "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF";
                _ = write!(text, "{name} NS ns.elsewhere.test.\n{name} DS 4711 8 2 {digest}\n");
            }
            _ => _ = writeln!(text, "{name} DNAME dn.elsewhere.test."),
        }
    }
    text
}

/// A question near the zone's names.
fn random_question(view: &View, names: &[Name], random: &mut Random) -> (Name, RrType) {
    let mut name = random.of(names).clone();
    for _ in 0..random.below(3) {
        let up = name.label_count().saturating_sub(1).max(view.origin().label_count());
        match random.below(4) {
            0 => name = name.ancestor(up),
            1 => name = name.ancestor(up).child(random.of(&LABELS[..]).as_bytes()).unwrap_or(name),
            2 => name = name.child(random.of(&LABELS[..]).as_bytes()).unwrap_or(name),
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
        RrType::SOA,
        RrType::MX,
        RrType::SRV,
        RrType::DNAME,
        RrType::NSEC,
        RrType::DNSKEY,
        RrType::ANY,
        RrType::RRSIG,
        RrType(65_400),
    ];
    (name, *random.of(&types))
}

fn query(id: u16, name: &Name, rtype: RrType, edns: bool, dnssec: bool) -> Vec<u8> {
    let mut wire = vec![(id >> 8) as u8, id as u8, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(edns)];
    wire.extend_from_slice(name.wire());
    wire.extend_from_slice(&rtype.0.to_be_bytes());
    wire.extend_from_slice(&Class::IN.0.to_be_bytes());
    if edns {
        wire.extend_from_slice(&[0, 0, 41, 0x04, 0xD0, 0, 0, if dnssec { 0x80 } else { 0 }, 0, 0, 0]);
    }
    wire
}

/// What is compared of a response.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Seen {
    rcode: u16,
    aa: bool,
    tc: bool,
    answer: BTreeSet<String>,
    authority: BTreeSet<String>,
    /// In referrals only: elsewhere it is a courtesy.
    glue: BTreeSet<String>,
}

impl Seen {
    /// What is here and not there, and the other way round.
    fn against(&self, other: &Self) -> String {
        let flags = |seen: &Self| format!("rcode {} aa {} tc {}", seen.rcode, seen.aa, seen.tc);
        let mut text = format!("\n  ours {}, theirs {}", flags(self), flags(other));
        for (section, ours, theirs) in [
            ("answer", &self.answer, &other.answer),
            ("authority", &self.authority, &other.authority),
            ("glue", &self.glue, &other.glue),
        ] {
            for (sign, line) in ours
                .difference(theirs)
                .map(|line| ('+', line))
                .chain(theirs.difference(ours).map(|line| ('-', line)))
            {
                _ = write!(text, "\n  {section} {sign} {line:.100}");
            }
        }
        text
    }
}

fn see(wire: &[u8]) -> Seen {
    let message = Message::parse(wire).expect("a response that parses");
    let lines = |records: &[conclave::dns::Record]| -> BTreeSet<String> {
        records.iter().map(|record| master::write_record(record).to_lowercase()).collect()
    };
    let referral = !message.header.aa && message.answers.is_empty();
    Seen {
        rcode: u16::from(message.header.rcode),
        aa: message.header.aa,
        tc: message.header.tc,
        answer: lines(&message.answers),
        authority: lines(&message.authorities),
        glue: if referral { lines(&message.additionals) } else { BTreeSet::new() },
    }
}

fn ours(catalog: &Catalog, wire: &[u8], transport: Transport) -> Vec<u8> {
    let mut out = Vec::new();
    let request = Request { wire, client: Client::over(transport), now_secs: 0 };
    assert!(matches!(respond(catalog, &Settings::default(), request, &mut out), Reply::Send(_)));
    out
}

/// Removes from both what `differences.md` accepts.
fn comparable(kind: Kind, view: &View, qname: &Name, qtype: RrType, ours: &mut Seen, theirs: &mut Seen) {
    // 1. RFC 8482: of ANY and RRSIG everybody answers what he likes.
    if qtype == RrType::ANY || qtype == RrType::RRSIG {
        if !ours.answer.is_empty() {
            (ours.rcode, theirs.rcode) = (0, 0);
        }
        for seen in [&mut *ours, &mut *theirs] {
            seen.answer.clear();
            seen.authority.clear();
        }
    }
    // 2. Aliases without end.
    let aliases = ours.answer.iter().filter(|line| line.contains("\tcname\t")).count();
    if ours.rcode == 0 && (aliases > 10 || (kind == Kind::Bind && theirs.rcode == 2 && aliases > 0)) {
        *theirs = ours.clone();
    }
    // 3. The two NSECs of an empty asterisk: each server leaves out another one.
    if ours.authority.is_superset(&theirs.authority) && through_empty_asterisk(view, qname, ours) {
        theirs.authority = ours.authority.clone();
    }
    // 4. Denials behind a DNAME.
    if kind == Kind::Nsd && ours.answer.iter().any(|line| line.contains("\tdname\t")) {
        theirs.authority = ours.authority.clone();
    }
    // 5. NSEC at a cut.
    if kind == Kind::Bind && qtype == RrType::NSEC && !ours.aa && theirs.aa {
        *theirs = ours.clone();
    }
}

/// Whether the answer is the NODATA of a wildcard that owns nothing itself.
fn through_empty_asterisk(view: &View, qname: &Name, seen: &Seen) -> bool {
    let mut name = qname.clone();
    for _ in 0..seen.answer.len() {
        let target = seen.answer.iter().find_map(|line| {
            let mut words = line.split('\t');
            let owner = Name::parse(words.next()?).ok()?;
            (owner == name && words.nth(2)? == "cname").then(|| Name::parse(words.next()?).ok())?
        });
        name = target.unwrap_or(name);
    }
    let asterisk = view.closest_encloser(&name).wildcard_child().expect("a short name");
    let empty = |name: &Name| view.node(name).is_none();
    seen.rcode == 0 && empty(&name) && !view.has_below(&name) && empty(&asterisk) && view.has_below(&asterisk)
}

fn compare(kind: Kind) {
    let Some(program) = kind.find() else {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIPPED: {} is not installed; run tests/run packages\n", kind.program()),
        );
        return;
    };
    let seed = std::env::var("CONCLAVE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_121);
    let mut random = Random(seed);
    let mut texts = vec![("example.test.".to_string(), signed::EXAMPLE.to_string())];
    for index in 0..RANDOM_ZONES {
        let origin = format!("z{index}.test.");
        texts.push((origin.clone(), random_zone(&origin, &mut random)));
    }
    let views: Vec<Arc<View>> = texts.iter().map(|(origin, text)| signed::view(origin, text)).collect();
    let exported: Vec<(String, String)> =
        views.iter().map(|view| (view.origin().to_string(), signed::export(view))).collect();
    let daemon = Daemon::start(kind, &program, &exported);
    for view in &views {
        let loaded = || {
            let response =
                daemon.ask(&query(0, view.origin(), RrType::SOA, false, false)).unwrap_or_default();
            Message::parse(&response).is_ok_and(|message| message.header.rcode == 0)
        };
        let mut tries = (0..100).inspect(|_| std::thread::sleep(Duration::from_millis(20)));
        assert!(
            loaded() || tries.any(|_| loaded()),
            "{kind:?} has not taken {}: {}",
            view.origin(),
            daemon.log()
        );
    }
    let catalog = views.iter().fold(Catalog::new(), |catalog, view| catalog.with(view.clone(), false));

    let names: Vec<Vec<Name>> =
        views.iter().map(|view| view.iter().map(|node| node.name().clone()).collect()).collect();
    let mut differences = Vec::new();
    for count in 0..QUERIES {
        let zone = if random.chance(25) { 0 } else { random.below(views.len()) };
        let (name, rtype) = random_question(&views[zone], &names[zone], &mut random);
        let (edns, dnssec) = (random.chance(90), random.chance(70));
        let wire = query(count as u16, &name, rtype, edns, dnssec);
        let mut mine = see(&ours(&catalog, &wire, Transport::Udp));
        let mut yours = see(&daemon.ask(&wire).unwrap_or_else(|| {
            panic!("{kind:?} gives no answer to {name} {rtype} {wire:02x?} (CONCLAVE_SEED={seed})")
        }));
        if mine.tc || yours.tc {
            mine = see(&ours(&catalog, &wire, Transport::Tcp));
            yours = see(&daemon.ask_tcp(&wire));
        }
        comparable(kind, &views[zone], &name, rtype, &mut mine, &mut yours);
        if mine != yours {
            differences.push(format!("{name} {rtype} do={}{}", edns && dnssec, mine.against(&yours)));
        }
    }
    let shown = differences.iter().take(12).cloned().collect::<Vec<_>>().join("\n");
    assert!(
        differences.is_empty(),
        "{} of {QUERIES} answers differ from {kind:?}'s (CONCLAVE_SEED={seed}):\n{shown}",
        differences.len()
    );
}

#[test]
fn answers_are_those_of_nsd() {
    compare(Kind::Nsd);
}

#[test]
fn answers_are_those_of_bind() {
    compare(Kind::Bind);
}
