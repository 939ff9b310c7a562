//! Thousands of random updates: the machine and the [`super::oracle`] must agree on every rcode, record, NSEC, NSEC3 and on
//! what is signed, while votes turn the chain from one to the other.
//!
//! Names come from a small pool, so that deep names, empty non-terminals, wildcards, delegations, DNAMEs and CNAMEs meet
//! one another all the time. `CONCLAVE_SEED` runs one seed again, as printed by a failure.

use super::oracle::{self, Oracle};
use super::testing::*;
use super::{Command, Denial};
use crate::dns::{Class, Name, Rdata, Record, RrType, Soa};
use crate::plant::{Plant, Whose, sown};
use std::collections::{BTreeMap, BTreeSet};

/// xorshift64*.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
}

const TYPES: [&str; 9] = ["A", "A", "TXT", "NS", "CNAME", "DNAME", "DS", "MX", "SOA"];
const LABELS: [&[u8]; 6] = [b"a", b"b", b"B", b"*", b"\0", b"zz"];

fn random_name(random: &mut Random, origin: &Name) -> Name {
    if random.below(60) == 0 {
        return name("elsewhere.test.");
    }
    let depth = *random.pick(&[0, 1, 1, 1, 2, 2, 2, 3, 3, 4]);
    (0..depth).fold(origin.clone(), |name, _| name.child(random.pick::<&[u8]>(&LABELS)).unwrap())
}

fn random_record(random: &mut Random, origin: &Name, serial: u32) -> Record {
    let owner = random_name(random, origin);
    let rtype = random.pick(&TYPES);
    let ttl = random.pick(&["60", "60", "60", "300"]);
    let target = ["x.", "X.", "y.x."][random.below(3) as usize];
    let rdata = match *rtype {
        "A" => format!("192.0.2.{}", random.below(3)),
        "TXT" => random.pick(&["one", "two"]).to_string(),
        "MX" => format!("10 {target}"),
        "DS" => format!("{} 8 2 {}", random.below(2), "ab".repeat(32)),
        "SOA" => {
            let serial = serial.wrapping_add(random.below(4) as u32).wrapping_sub(1);
            format!("ns. admin. {serial} 1 1 1 {}", random.pick(&["50", "100", "400"]))
        }
        _ => target.to_string(),
    };
    let mut record = record(&format!("o. {ttl} {rtype} {rdata}"));
    record.name = owner;
    record
}

fn bare(record: Record, class: Class, any: bool) -> Record {
    let rtype = if any { RrType::ANY } else { record.rtype };
    Record { class, ttl: 0, rtype, rdata: Rdata::new(&[]), ..record }
}

pub(super) fn random_prerequisites(random: &mut Random, oracle: &Oracle) -> Vec<Record> {
    if random.below(3) > 0 {
        return Vec::new();
    }
    let count = 1 + random.below(2);
    (0..count)
        .flat_map(|_| {
            let made = random_record(random, &oracle.origin, oracle.serial());
            let held = random.pick(&oracle.records).clone();
            // What the zone has, or what chance makes; the whole set of it, or one.
            let subject = if random.below(2) == 0 { held } else { made };
            let any = random.below(2) == 0;
            match random.below(4) {
                0 => vec![bare(subject, Class::ANY, any)],
                1 => vec![bare(subject, Class::NONE, any)],
                2 => vec![Record { ttl: 0, ..subject }],
                _ => {
                    let set = oracle.records.iter();
                    let set = set.filter(|r| r.name == subject.name && r.rtype == subject.rtype);
                    set.map(|r| Record { ttl: 0, ..r.clone() }).collect()
                }
            }
        })
        .collect()
}

pub(super) fn random_updates(random: &mut Random, oracle: &Oracle) -> Vec<Record> {
    let count = random.below(5);
    let mut updates: Vec<Record> = Vec::new();
    for _ in 0..count {
        let made = random_record(random, &oracle.origin, oracle.serial());
        let held = random.pick(&oracle.records).clone();
        let earlier = if updates.is_empty() { made.clone() } else { random.pick(&updates).clone() };
        let subject = [&held, &held, &made, &earlier][random.below(4) as usize];
        let is_ours = matches!(subject.rtype, RrType::DNSKEY | RrType::NSEC3PARAM | RrType::ANY);
        updates.push(match random.below(10) {
            0..=5 => made,
            6 => bare(made, Class::ANY, true),
            7 => bare(Record::clone(subject), Class::ANY, is_ours),
            _ if is_ours || subject.class != Class::IN => made,
            _ => Record { class: Class::NONE, ttl: 0, ..Record::clone(subject) },
        });
    }
    updates
}

fn data_of(view: &super::View) -> BTreeSet<(Name, RrType, u32, Rdata)> {
    let sets = view.iter().flat_map(|node| node.data().map(move |(rtype, set)| (node.name(), rtype, set)));
    sets.flat_map(|(name, rtype, set)| {
        set.rrset.iter().map(move |rdata| (name.to_lowercase(), rtype, set.rrset.ttl, rdata.clone()))
    })
    .collect()
}

fn chain_of(view: &super::View) -> BTreeMap<Name, oracle::Link> {
    let links = view.iter().flat_map(|node| {
        let sets = [RrType::NSEC, RrType::NSEC3].into_iter().filter_map(|rtype| node.get(rtype));
        sets.map(move |set| (node.name().to_lowercase(), oracle::link(view.origin(), &set.rrset)))
    });
    links.collect()
}

fn planned_of(view: &super::View) -> BTreeSet<(Name, RrType)> {
    let sets = view.iter().flat_map(|node| node.iter().map(move |(rtype, set)| (node.name(), rtype, set)));
    sets.filter(|(.., set)| !set.signatures.plans().is_empty())
        .map(|(name, rtype, _)| (name.to_lowercase(), rtype))
        .collect()
}

/// `turns`: of how many batches one is followed by a vote that turns the chain; 0: none.
fn run(seed: u64, batches: u32, turns: u64, sign: bool) {
    const ZONE: &str = "example. 300 SOA ns. admin. 4294967293 1 1 1 100
        example. 300 NS ns.
        example. 300 NS ns2.";
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut bench = Bench::new("example.", ZONE);
    let mut all = records(ZONE);
    all.extend(bench.view().dnskeys().unwrap().rrset.records(&bench.origin));
    let mut oracle = Oracle::new(bench.origin.clone(), all);
    let mut turned = 0;
    for batch in 0..batches {
        let at = format!("CONCLAVE_SEED={seed}, batch {batch}");
        let count = *random.pick(&[1, 1, 1, 2, 3]);
        let messages: Vec<_> = (0..count)
            .map(|_| (random_prerequisites(&mut random, &oracle), random_updates(&mut random, &oracle)))
            .collect();
        let requests: Vec<_> = messages.iter().map(|(p, u)| bench.signed_records(p, u)).collect();
        let before = (oracle.sorted(), bench.machine.head(&bench.origin).serial());
        let executed = bench.execute(&requests);
        let got: Vec<_> = executed.outcomes.iter().map(|outcome| outcome.rcode).collect();
        assert_eq!(got, oracle.batch(&messages), "{at}: {messages:?}");
        let head = bench.machine.head(&bench.origin);
        assert_eq!(data_of(head), oracle.sorted(), "{at}: {messages:?}");
        assert_eq!(chain_of(head), oracle.chain(), "{at}: {messages:?}");
        assert_eq!(planned_of(head), oracle.signed(), "{at}: {messages:?}");
        let idle = before.1 == oracle.serial() && before.0 == oracle.sorted();
        assert_eq!(idle, executed.jobs.is_empty(), "{at}: jobs if and only if something changed");
        if turns > 0 && random.below(turns) == 0 {
            let by = if head.denial() == Denial::Nsec { Denial::Nsec3 } else { Denial::Nsec };
            turned += 1;
            let command = Command::Denial { zone: bench.origin.clone(), by };
            let votes: Vec<_> = (1..=3).map(|index| bench.vote(index, turned, &command)).collect();
            let _ = bench.execute(&votes);
            oracle.turn();
            let head = bench.machine.head(&bench.origin);
            assert_eq!(head.denial(), by, "{at}");
            assert_eq!(data_of(head), oracle.sorted(), "{at}, turned");
            assert_eq!(chain_of(head), oracle.chain(), "{at}, turned");
            assert_eq!(planned_of(head), oracle.signed(), "{at}, turned");
        }
        if batch % 16 == 0 {
            assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest(), "{at}");
        }
        if sign && random.below(3) == 0 {
            assert_eq!(bench.sign_all().failures, [], "{at}");
            assert_eq!(data_of(&bench.view()), oracle.sorted(), "{at}");
            check_lookups(&bench.view(), &mut random, &at);
        }
    }
}

/// The view's searches against ones by brute force.
fn check_lookups(view: &super::View, random: &mut Random, at: &str) {
    let names: Vec<Name> =
        view.iter().filter(|node| node.has_data()).map(|node| node.name().clone()).collect();
    let exists = |name: &Name| names.iter().any(|held| held.is_subdomain_of(name));
    for _ in 0..20 {
        let wanted = random_name(random, view.origin());
        if !wanted.is_subdomain_of(view.origin()) {
            continue;
        }
        let above = || (view.origin().label_count()..=wanted.label_count()).map(|n| wanted.ancestor(n));
        let below = names.iter().any(|held| held != &wanted && held.is_subdomain_of(&wanted));
        assert_eq!(view.has_below(&wanted), below, "{at}: {wanted}");
        let encloser = above().rev().find(&exists).unwrap();
        assert_eq!(view.closest_encloser(&wanted), encloser, "{at}: {wanted}");
        let holds = |name: &Name, rtype| view.node(name).is_some_and(|node| node.get(rtype).is_some());
        let cut = above().skip(1).find(|name| holds(name, RrType::NS));
        assert_eq!(view.cut_above(&wanted).map(|(name, _)| name.clone()), cut, "{at}: {wanted}");
        let dname = above().find(|name| *name != wanted && holds(name, RrType::DNAME));
        assert_eq!(view.dname_above(&wanted).map(|(name, _)| name.clone()), dname, "{at}: {wanted}");
        check_proofs(view, &wanted, at);
    }
}

fn check_proofs(view: &super::View, wanted: &Name, at: &str) {
    let owners = |rtype| view.iter().filter(move |node| node.get(rtype).is_some()).map(|node| node.name());
    if view.denial() == Denial::Nsec {
        let covering = view.nsec_covering(wanted).map(|(owner, _)| owner);
        assert_eq!(covering, owners(RrType::NSEC).filter(|name| *name <= wanted).max(), "{at}: {wanted}");
        return;
    }
    let hash = crate::dns::nsec3::NameHash::of(wanted).owner(view.origin()).unwrap();
    let matching = owners(RrType::NSEC3).find(|name| **name == hash);
    assert_eq!(view.nsec3_matching(wanted).map(|(owner, _)| owner), matching, "{at}: {wanted}");
    let before = owners(RrType::NSEC3).filter(|name| **name < hash).max().or(owners(RrType::NSEC3).max());
    let covering = before.filter(|_| matching.is_none());
    assert_eq!(view.nsec3_covering(wanted).map(|(owner, _)| owner), covering, "{at}: {wanted}");
}

pub(super) fn seeds(default: std::ops::Range<u64>) -> Vec<u64> {
    let one = std::env::var("CONCLAVE_SEED").ok().and_then(|seed| seed.parse().ok());
    one.map_or_else(|| default.collect(), |seed| vec![seed])
}

#[test]
fn random_updates_give_what_the_plain_model_gives() {
    for seed in seeds(0..30) {
        run(seed, 150, if seed % 3 == 0 { 0 } else { 12 }, false);
    }
}

#[test]
fn planted_prerequisites_of_some_records_are_found() {
    let found = |seed| sown(&[Plant::PrerequisiteSubset], Whose::All, || run(seed, 150, 0, false)).is_err();
    assert!((0..6).any(found), "not with six seeds");
}

#[test]
fn random_updates_signed_with_real_keys_pass_the_publish_check() {
    for seed in seeds(1000..1006) {
        run(seed, 60, if seed % 2 == 0 { 0 } else { 12 }, true);
    }
}

#[test]
fn the_pool_of_names_reaches_every_kind_of_node() {
    // The oracle's own sanity: the random zones are not all alike.
    let mut random = Random(5);
    let origin = name("example.");
    let made: Vec<Record> = (0..500).map(|_| random_record(&mut random, &origin, 1)).collect();
    for rtype in TYPES {
        let rtype = RrType::parse(rtype).unwrap();
        assert!(made.iter().any(|r| r.rtype == rtype && r.name.label_count() > 3), "{rtype}");
    }
    assert!(made.iter().any(|r| r.rtype == RrType::SOA && Soa::parse(&r.rdata).is_some()));
}
