//! The answers of `answer::respond` against those of NSD, BIND and Knot, which serve the same signed zones: the same rcode, AA
//! and records in answer and authority for thousands of random queries over a hand-made zone and random ones.
//!
//! Accepted differences stand in `differences.md` and, by the same numbers, in [`comparable`].

#[path = "support/awkward.rs"]
mod awkward;
#[path = "support/daemons.rs"]
mod daemons;
#[path = "support/signed.rs"]
mod signed;

use awkward::{Random, random_question, random_zone};
use conclave::answer::{Catalog, Client, Reply, Request, Settings, Transport, respond, respond_from};
use conclave::dns::message::Message;
use conclave::dns::{Class, Name, RrType, master};
use conclave::zone::{Denial, Node, View};
use daemons::{Daemon, Kind};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const RANDOM_ZONES: usize = 24;
const QUERIES: u64 = 12_000;

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

/// The answer from one zone alone.
fn ours_alone(view: &Arc<View>, wire: &[u8], transport: Transport) -> Vec<u8> {
    let mut out = Vec::new();
    let request = Request { wire, client: Client::over(transport), now_secs: 0 };
    assert!(matches!(respond_from(view, &Settings::default(), request, &mut out), Reply::Send(_)));
    out
}

/// A catalog in which no chain leads to another zone than `one`.
fn only(views: &[Arc<View>], one: &View) -> Catalog {
    let put = |catalog: Catalog, view: &Arc<View>| catalog.with(view.clone(), view.origin() != one.origin());
    views.iter().fold(Catalog::new(), put)
}

/// The zone that answers first: the deepest, of a DS the one above its apex.
fn chosen<'v>(views: &'v [Arc<View>], name: &Name, rtype: RrType) -> &'v Arc<View> {
    let encloses = |view: &&Arc<View>| {
        name.is_subdomain_of(view.origin()) && (rtype != RrType::DS || view.origin() != name)
    };
    let deepest = |encloses: &dyn Fn(&&Arc<View>) -> bool| {
        views.iter().filter(encloses).max_by_key(|view| view.origin().label_count())
    };
    deepest(&encloses)
        .or_else(|| deepest(&|view| name.is_subdomain_of(view.origin())))
        .expect("one is above all")
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
    let endless = aliases > 10 || (kind != Kind::Bind && ours.rcode == 6 && theirs.rcode == 0 && aliases > 0);
    if matches!(ours.rcode, 0 | 6) && (endless || (kind == Kind::Bind && theirs.rcode == 2 && aliases > 0)) {
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
    // 7. Glue from wildcards.
    if kind != Kind::Bind {
        theirs.glue.retain(|line| view.node(&owner(line)).is_some());
    }
    // 14. NSEC asked for at an alias.
    let is_followed = ours.answer.iter().any(|line| line.contains("\tcname\t"));
    if kind != Kind::Nsd && view.denial() == Denial::Nsec3 && qtype == RrType::NSEC && is_followed {
        *theirs = ours.clone();
    }
    // 18. Denials below an asterisk.
    if kind == Kind::Bind && denied_below_empty_asterisk(view, qname, ours, theirs) {
        theirs.authority = ours.authority.clone();
    }
    if kind == Kind::Nsd && view.denial() == Denial::Nsec3 {
        // 15. An asterisk without the type.
        let asterisk = qname.is_wildcard() || ours.answer.iter().any(|line| line.contains("\tcname\t*."));
        if asterisk && theirs.authority.is_superset(&ours.authority) {
            theirs.authority = ours.authority.clone();
        }
        // 16. The closest encloser of a wildcard without the type.
        let missing = ours.authority.difference(&theirs.authority).count();
        if ours.rcode == 0 && ours.authority.is_superset(&theirs.authority) && missing <= 2 {
            theirs.authority = ours.authority.clone();
        }
    }
    // 10. An asterisk asked for that a wildcard matches.
    if kind != Kind::Bind && qname.is_wildcard() && ours.authority.is_superset(&theirs.authority) {
        theirs.authority = ours.authority.clone();
    }
    // 9. In NSD nothing sorts before an asterisk.
    let odd = |seen: &Seen| seen.authority.iter().any(|line| line.contains("\\000"));
    if kind == Kind::Nsd && odd(ours) {
        theirs.authority = ours.authority.clone();
    }
    if kind == Kind::Knot {
        // 8. NSEC from a wildcard, whose own NSEC is the proof too.
        if qtype == RrType::NSEC && ours.answer == theirs.answer && !ours.answer.is_empty() {
            theirs.authority = ours.authority.clone();
        }
    }
    // 5. NSEC at a cut.
    if kind == Kind::Bind && qtype == RrType::NSEC && !ours.aa && theirs.aa {
        *theirs = ours.clone();
    }
}

/// The owner of a record's line.
fn owner(line: &str) -> Name {
    line.split('\t').next().and_then(|owner| Name::parse(owner).ok()).expect("a line begins with its owner")
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

/// Whether both deny what is at an asterisk that owns nothing, or below one.
fn denied_below_empty_asterisk(view: &View, qname: &Name, ours: &Seen, theirs: &Seen) -> bool {
    let mut names = std::iter::successors(Some(qname.clone()), Name::parent);
    let is_below = names.any(|name| name.is_wildcard() && view.node(&name).is_none());
    is_below && ours.answer.is_empty() && ours.rcode == theirs.rcode
}

/// The origins and texts of the zones: the hand-made one and random ones, each second of which has another at some name
/// under it, delegated there or not, and one above them all.
fn zones(random: &mut Random) -> Vec<(String, String)> {
    let mut texts = vec![("example.test.".to_string(), signed::EXAMPLE.to_string())];
    let mut origins = vec!["test.".to_string(), "secure.example.test.".to_string()];
    for index in 0..RANDOM_ZONES {
        let origin = format!("z{index}.test.");
        if index % 2 == 0 {
            origins.push(format!("{}.{origin}", random.of(&["a", "b", "c.a", "ab.d.b"])));
        }
        origins.push(origin);
    }
    texts.extend(origins.into_iter().map(|origin| {
        let text = random_zone(&origin, random);
        (origin, text)
    }));
    texts
}

/// The signed zones, those that the server can serve.
fn views(kind: Kind, texts: &[(String, String)], denial: Denial) -> Vec<Arc<View>> {
    let mut views: Vec<Arc<View>> =
        texts.iter().map(|(origin, text)| signed::view_with(origin, text, denial)).collect();
    if kind == Kind::Nsd {
        // 11. It has one tree of names for all zones.
        let all = views.clone();
        let nested = |view: &View| {
            let around = |other: &&Arc<View>| view.origin().is_subdomain_of(other.origin());
            view.origin().label_count() == 1
                || (all.iter().filter(around).count() > 2
                    && *view.origin() != all[0].origin().child(b"secure").unwrap())
        };
        views.retain(|view| !nested(view));
    }
    views
}

/// The server, with all zones loaded.
fn serve(kind: Kind, program: &Path, views: &[Arc<View>]) -> Daemon {
    let exported: Vec<(String, String)> =
        views.iter().map(|view| (view.origin().to_string(), signed::export(view))).collect();
    let daemon = Daemon::start(kind, program, &exported);
    for view in views {
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
    daemon
}

fn compare(kind: Kind, denial: Denial) {
    let Some(program) = kind.find() else {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIPPED: {} is not installed; run tests/run packages\n", kind.program()),
        );
        return;
    };
    let seed = Random::seed();
    let mut random = Random(seed);
    let views = views(kind, &zones(&mut random), denial);
    let daemon = serve(kind, &program, &views);
    let catalog = views.iter().fold(Catalog::new(), |catalog, view| catalog.with(view.clone(), false));

    // 13. To NSD names that are hashes exist.
    let exists = |node: &&Node| kind != Kind::Nsd || node.iter().any(|(rtype, _)| rtype != RrType::NSEC3);
    let names = |view: &View| view.iter().filter(exists).map(|node| node.name().clone()).collect();
    let names: Vec<Vec<Name>> = views.iter().map(|view| names(view)).collect();
    let mut differences = Vec::new();
    for count in 0..QUERIES {
        let zone = if random.chance(15) { 0 } else { random.below(views.len()) };
        let (name, rtype) = random_question(&views[zone], &names[zone], &mut random);
        let (edns, dnssec) = (random.chance(90), random.chance(70));
        let wire = query(count as u16, &name, rtype, edns, dnssec);
        let ours = |transport| match kind {
            // 6. Chains end with the zone.
            Kind::Knot => ours_alone(chosen(&views, &name, rtype), &wire, transport),
            Kind::Bind => ours(&only(&views, chosen(&views, &name, rtype)), &wire, transport),
            Kind::Nsd => ours(&catalog, &wire, transport),
        };
        let sent = ours(Transport::Udp);
        let mut mine = see(&sent);
        let mut yours = see(&daemon.ask(&wire).unwrap_or_else(|| {
            panic!("{kind:?} gives no answer to {name} {rtype} {wire:02x?} (CONCLAVE_SEED={seed})")
        }));
        if mine.tc || yours.tc {
            mine = see(&ours(Transport::Tcp));
            yours = see(&daemon.ask_tcp(&wire));
        }
        comparable(kind, chosen(&views, &name, rtype), &name, rtype, &mut mine, &mut yours);
        // 17. Glue for which there is hardly room.
        let is_narrow = !edns && sent.len() + name.wire().len() > NARROW;
        if kind == Kind::Bind && is_narrow && mine.glue.is_superset(&yours.glue) {
            yours.glue = mine.glue.clone();
        }
        if mine != yours {
            let (size, dnssec) = (sent.len(), edns && dnssec);
            differences.push(format!(
                "{name} {rtype} edns={edns} do={dnssec}, {size} octets{}",
                mine.against(&yours)
            ));
        }
    }
    let shown = differences.iter().take(12).cloned().collect::<Vec<_>>().join("\n");
    assert!(
        differences.is_empty(),
        "{} of {QUERIES} answers differ from {kind:?}'s (CONCLAVE_SEED={seed}):\n{shown}",
        differences.len()
    );
}

/// Octets of a response of at most 512, with one name more in full, into which not every address fits any more.
const NARROW: usize = 512 - 64;

const KINDS: [Kind; 3] = [Kind::Nsd, Kind::Bind, Kind::Knot];

#[test]
fn answers_are_those_of_others() {
    KINDS.into_iter().for_each(|kind| compare(kind, Denial::Nsec));
}

/// RFC 5155 §7.2.2, §7.2.3, §7.2.4, §7.2.5, §7.2.6, §7.2.7: the same proofs as theirs, of the same NSEC3s.
#[test]
fn answers_with_nsec3_are_those_of_others() {
    KINDS.into_iter().for_each(|kind| compare(kind, Denial::Nsec3));
}
