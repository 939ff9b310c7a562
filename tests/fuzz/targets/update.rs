//! Ordered requests against a small zone: any octets, and updates built from them.
//!
//! The first octet chooses the rules. Each request begins with an octet: whether it is octets as they are, a signed
//! message of such octets, or a signed message whose records are built from what follows; whether a batch ends before
//! it; how much agreed time passes. The same batches on two machines give the same digest, every version passes the
//! check before it is published, and what is published is a zone.

use super::bytes::{Bytes, counted};
use super::keys::{self, NOW, name};
use super::signed::Key;
use conclave::codec::{ClusterId, Digest, Epoch, JobId, encode};
use conclave::dns::dnssec::parse_nsec;
use conclave::dns::message::{Header, Question, Section, Writer};
use conclave::dns::nsec3::{NameHash, parse_nsec3};
use conclave::dns::rrset::serial_gt;
use conclave::dns::{Class, Name, Opcode, Rcode, Rdata, Record, RrType, master, tsig};
use conclave::time::{AgreedTime, HOUR, SECOND};
use conclave::zone::{
    Batch, Denial, Genesis, Job, Machine, Outcome, Reads, Request, RequestId, SerialRule, UpdatePolicy,
    Validity, View, ZoneRules,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Requests of one run.
const MAX_REQUESTS: usize = 24;
/// Signatures remembered from run to run: most are made again and again.
const MAX_REMEMBERED: usize = 4_096;

const ORIGIN: &str = "z.";
const ZONE: &str = "\
$TTL 60
@ SOA ns h 4294967290 1 1 1 1
@ NS ns
ns A 192.0.2.1
a A 192.0.2.2
a TXT one
b CNAME a
*.w TXT wild
d NS ns.d
ns.d A 192.0.2.3
";
const OWNERS: [&str; 16] = [
    "z.",
    "a.z.",
    "A.Z.",
    "b.z.",
    "c.z.",
    "ns.z.",
    "d.z.",
    "ns.d.z.",
    "x.d.z.",
    "*.w.z.",
    "w.z.",
    "x.w.z.",
    "y.x.c.z.",
    "\\000.z.",
    "\\255.a.z.",
    "y.",
];
const DATA: [(RrType, &str); 16] = [
    (RrType::A, "192.0.2.9"),
    (RrType::A, "192.0.2.2"),
    (RrType::TXT, "one"),
    (RrType::TXT, "\"two words\" \\000"),
    (RrType::CNAME, "a.z."),
    (RrType::CNAME, "c.z."),
    (RrType::NS, "ns.z."),
    (RrType::NS, "ns.d.z."),
    (RrType::SOA, "ns.z. h.z. 4294967295 1 1 1 1"),
    (RrType::SOA, "ns.z. h.z. 7 1 1 1 1"),
    (RrType::DNAME, "a.z."),
    (RrType::DS, "1 8 2 0000000000000000000000000000000000000000000000000000000000000000"),
    (RrType::NSEC, "a.z. A"),
    (RrType::CDS, "1 8 2 0000000000000000000000000000000000000000000000000000000000000000"),
    (RrType::MX, "1 A.z."),
    (RrType::ANY, ""),
];

pub(super) fn zone_keys() -> &'static [Key; 2] {
    static KEYS: OnceLock<[Key; 2]> = OnceLock::new();
    KEYS.get_or_init(Key::pair)
}

fn machine(rules: u8) -> Machine {
    Machine::new(genesis(rules)).expect("a zone")
}

/// The small zone as dealt, under one of some rules.
pub(super) fn genesis(rules: u8) -> Genesis {
    let [zsk, ksk] = zone_keys();
    let policies: [&[&str]; 3] = [
        &["grant updater. zonesub ANY"],
        &["deny updater. name a.z. TXT", "grant updater. zonesub"],
        &["grant * wildcard *.w.z. TXT A"],
    ];
    let rules = ZoneRules {
        origin: name(ORIGIN),
        policy: UpdatePolicy::parse(policies[usize::from(rules) % 3]).expect("a policy"),
        reads: Reads::Ordered,
        serial: [SerialRule::Increment, SerialRule::UnixTime, SerialRule::Date][usize::from(rules / 3) % 3],
        validity: Validity::default(),
        dnskey_ttl: 60,
        denial: [Denial::Nsec, Denial::Nsec3][usize::from(rules / 9) % 2],
        ksk: ksk.info.clone(),
        zsk: zsk.info.clone(),
    };
    let records = master::read_str(ZONE, &name(ORIGIN)).expect("a zone");
    let keys = Arc::new(keys::keyring());
    let (cluster, epoch) = (ClusterId(Digest([7; 32])), Epoch(0));
    Genesis {
        cluster,
        epoch,
        members: Vec::new(),
        operators: Vec::new(),
        operators_needed: 0,
        zones: vec![(rules, records)],
        keys,
    }
}

struct Play {
    one: Machine,
    other: Machine,
    now: AgreedTime,
    batch: Vec<Vec<u8>>,
    last: Option<Arc<View>>,
}

pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let rules = bytes.u8();
    let now = AgreedTime(NOW * SECOND);
    let mut play = Play { one: machine(rules), other: machine(rules), now, batch: Vec::new(), last: None };
    if rules < 200 {
        play.batch.push(encode(&Request::Genesis { zone: name(ORIGIN) }));
        play.close(0);
    }
    for _ in 0..MAX_REQUESTS {
        if bytes.is_empty() {
            break;
        }
        let how = bytes.u8();
        if how & 4 != 0 {
            play.close(if how & 8 == 0 { SECOND } else { u64::from(bytes.u8()) * HOUR });
        }
        let request = play.request(how, &mut bytes);
        // Some twice in a row: a repeat changes nothing.
        play.batch.extend((how & 16 != 0).then(|| request.clone()));
        play.batch.push(request);
    }
    play.close(SECOND);
}

impl Play {
    fn request(&self, how: u8, bytes: &mut Bytes<'_>) -> Vec<u8> {
        let mut wire = match how & 3 {
            0 => return bytes.counted().to_vec(),
            1 => bytes.counted().to_vec(),
            _ => update(bytes),
        };
        if (12..60_000).contains(&wire.len()) && how & 32 == 0 {
            tsig::sign_request(&mut wire, &keys::updater(), self.now.secs());
        }
        let nonce = [how; 16];
        encode(&if how & 3 == 1 && how & 64 != 0 {
            Request::Query { wire, nonce }
        } else {
            Request::Update { wire }
        })
    }

    /// Executes what has gathered, on both machines, and signs it on one.
    fn close(&mut self, later: u64) {
        let batch = std::mem::take(&mut self.batch);
        let requests: Vec<(RequestId, &[u8])> =
            batch.iter().zip(0..).map(|(bytes, tag)| (RequestId(tag), bytes.as_slice())).collect();
        let batch = Batch { time: self.now, requests: &requests };
        let done = self.one.execute(&batch);
        let other = self.other.execute(&batch);
        assert_eq!(self.one.digest(), self.other.digest(), "two machines, one state");
        assert_eq!(done.jobs, other.jobs);
        assert_eq!(done.outcomes.len(), requests.len(), "an outcome for each request");
        for (outcome, (id, _)) in done.outcomes.iter().zip(&requests) {
            assert_eq!(outcome.request, *id);
            check_outcome(outcome);
        }
        for job in self.one.pending_jobs() {
            let signed = self.one.signed(job.id, &signature(&job));
            assert!(signed.failures.is_empty(), "{:?}", signed.failures);
            for published in signed.published {
                check_zone(self.last.as_deref(), &published.view);
                self.last = Some(published.view);
            }
        }
        self.now.0 += later;
    }
}

fn check_outcome(outcome: &Outcome) {
    let known = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 17, 18, 22];
    assert!(known.contains(&outcome.rcode.0), "{}", outcome.rcode);
    assert!(outcome.after.as_ref().is_none_or(|(_, version)| *version > 0));
    assert!(outcome.failure.is_none() || outcome.rcode != Rcode::NOERROR);
}

/// RFC 1034, RFC 2136 and RFC 4034 say what a zone is.
fn check_zone(before: Option<&View>, view: &View) {
    let origin = view.origin();
    assert_eq!(view.soa().rrset.len(), 1);
    let apex = view.apex();
    assert!(apex.get(RrType::NS).is_some_and(|set| !set.rrset.is_empty()), "an apex without NS");
    if let Some(before) = before {
        assert!(serial_gt(view.serial(), before.serial()), "{} after {}", view.serial(), before.serial());
    }
    let mut chain = BTreeMap::new();
    for node in view.iter() {
        assert!(node.name().is_subdomain_of(origin));
        let types: Vec<RrType> = node.iter().map(|(rtype, _)| rtype).collect();
        let data = types.iter().filter(|rtype| !matches!(**rtype, RrType::NSEC | RrType::NSEC3)).count();
        assert!(
            !types.contains(&RrType::CNAME) || data == 1,
            "{} has a CNAME and more: {types:?}",
            node.name()
        );
        for (rtype, set) in node.iter() {
            assert!(!set.rrset.is_empty() && set.rrset.rtype == rtype);
            let single =
                matches!(rtype, RrType::SOA | RrType::CNAME | RrType::DNAME | RrType::NSEC | RrType::NSEC3);
            assert!(!single || set.rrset.len() == 1, "{} {rtype} twice", node.name());
        }
        if let Some(set) = node.get(RrType::NSEC) {
            let (next, _) = set.rrset.iter().find_map(parse_nsec).expect("NSEC data");
            chain.insert(node.name().clone(), next);
        }
        if let Some(set) = node.get(RrType::NSEC3) {
            let (next, _) = set.rrset.iter().find_map(parse_nsec3).expect("NSEC3 data");
            chain.insert(node.name().clone(), next.owner(origin).expect("room for hashes"));
        }
    }
    let first = match view.denial() {
        Denial::Nsec => origin.clone(),
        Denial::Nsec3 => NameHash::of(origin).owner(origin).expect("room for hashes"),
    };
    let mut at = first.clone();
    for _ in 0..chain.len() {
        at = chain.get(&at).unwrap_or_else(|| panic!("the chain leads to {at}")).clone();
    }
    assert_eq!(at, first, "the chain is one circle");
}

pub(super) fn signature(job: &Job) -> Vec<u8> {
    static MADE: Mutex<BTreeMap<JobId, Vec<u8>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if made.len() >= MAX_REMEMBERED {
        made.clear();
    }
    let key = zone_keys().iter().find(|key| key.info.id == job.key).expect("a key of the zone");
    made.entry(job.id).or_insert_with(|| key.sign(&job.hash)).clone()
}

/// An update message built from octets.
pub(super) fn update(bytes: &mut Bytes<'_>) -> Vec<u8> {
    let mut writer = Writer::new(60_000);
    let (prerequisites, updates) = (bytes.u8() % 4, bytes.u8() % 8);
    writer.header(&Header::request(u16::from(prerequisites), Opcode::UPDATE));
    let zone = Question { name: name(ORIGIN), rtype: RrType::SOA, class: Class::IN };
    writer.question(&zone).expect("room");
    for (section, count) in [(Section::Answer, prerequisites), (Section::Authority, updates)] {
        for _ in 0..count {
            writer.record(section, &record(bytes)).expect("room");
        }
    }
    writer.finish()
}

pub(super) fn record(bytes: &mut Bytes<'_>) -> Record {
    let (owner, what, class) = (bytes.u8(), bytes.u8(), bytes.u8());
    let owner = Name::parse(OWNERS[usize::from(owner) % OWNERS.len()]).expect("a name");
    let (rtype, text) = DATA[usize::from(what) % DATA.len()];
    let ttl = if class & 8 == 0 { 0 } else { u32::from(bytes.u16()) << 16 | 60 };
    let class_of = [Class::IN, Class::ANY, Class::NONE, Class::CH][usize::from(class) % 4];
    let rdata = match class >> 4 & 3 {
        0 if class_of == Class::ANY => Rdata::new(&[]),
        1 => Rdata::new(&[]),
        2 => Rdata::new(bytes.counted()),
        _ => master::read_str(&format!("x. 1 IN {rtype} {text}"), &Name::root())
            .ok()
            .and_then(|mut records| records.pop())
            .map_or(Rdata::new(&[]), |record| record.rdata),
    };
    let rtype = if what >= 240 { RrType(bytes.u16()) } else { rtype };
    Record { name: owner, rtype, class: class_of, ttl, rdata }
}

pub fn seeds() -> Vec<Vec<u8>> {
    // One update of one record; each owner, each type, each class.
    let one = |owner: u8, what: u8, class: u8| vec![6, 0, 1, owner, what, class];
    let adds: Vec<Vec<u8>> = (0..16).map(|what| [&[0], &one(4, what, 0)[..]].concat()).collect();
    let all_owners: Vec<u8> = [0].into_iter().chain((0..16).flat_map(|owner| one(owner, 2, 0))).collect();
    let deletes: Vec<u8> = [0].into_iter().chain((0..16).flat_map(|owner| one(owner, 15, 1))).collect();
    let one_of_each: Vec<u8> = [0].into_iter().chain((0..16).flat_map(|what| one(1, what, 2))).collect();
    let prerequisites = vec![3, 2, 3, 1, 1, 0, 1, 3, 15, 2, 4, 15, 1, 4, 0, 0];
    let later = vec![0, 14, 200, 0, 1, 4, 0, 0, 14, 200, 0, 1, 4, 1, 0, 14, 250, 0, 0];
    let raw = [&[0, 4][..], &counted(&encode(&Request::Refresh { zone: name(ORIGIN), serial: 1 }))].concat();
    let captured = [&[0, 5][..], &counted(&keys::nsupdate())].concat();
    // The same in a zone with NSEC3.
    let hashed = [&all_owners, &deletes, &one_of_each].map(|seed| [&[9], &seed[1..]].concat());
    let mut seeds = adds;
    seeds.extend(hashed);
    seeds.extend([all_owners, deletes, one_of_each, prerequisites, later, raw, captured]);
    seeds
}
