//! A random life of a zone with one rollover: clients change records and TTLs, time passes by hours and weeks, signing is as
//! late as the pipeline lets it be, secondaries are as late as the allowance, and operators take each step at the
//! earliest moment that is allowed.

use super::caches::{Caches, keys_in};
use super::*;
use crate::dns::dnssec::verify_rrsig;
use crate::limits::PIPELINE_BATCHES;
use crate::time::{DAY, HOUR, UnixMillis};
use crate::zone::differential::Random;
use crate::zone::{Job, Validity};
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Zsk,
    Ksk,
    Algorithm,
}

const TTLS: [u32; 7] = [0, 1, 60, 3_600, 86_400, 604_800, 2_000_000];
const ALLOWANCES: [u32; 4] = [0, 600, 86_400, 400_000];

/// A DS RRset: keys, TTL, since when.
type Ds = (BTreeSet<(u16, u8)>, u32, u64);

pub(super) struct History {
    seed: u64,
    kind: Kind,
    random: Random,
    bench: Bench,
    is_real: bool,
    allowance: u32,
    /// Jobs that are not signed, by batch.
    open: Vec<(u64, Vec<Job>)>,
    /// When each version was served first.
    served: Vec<(u64, Arc<View>)>,
    parent: Vec<Ds>,
}

impl History {
    pub(super) fn new(seed: u64, kind: Kind, is_real: bool) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let ttl = *random.pick(&[60, 3_600, 172_800]);
        let minimum = *random.pick(&TTLS);
        let soa = *random.pick(&TTLS);
        let zone = format!(
            "example. {soa} SOA ns.example. admin.example. 5 1 1 1 {minimum}
            example. 86400 NS ns.example.
            ns.example. 600 A 192.0.2.1
            a.example. 60 TXT a
            sub.example. 60 NS ns.example."
        );
        let days = |n: u64| (n * DAY / SECOND) as u32;
        let hour = (HOUR / SECOND) as u32;
        let validity = Validity { lifetime: days(60), refresh: days(30), jitter: days(2), backdate: hour };
        let adapt = |rules: &mut crate::zone::ZoneRules| {
            rules.dnskey_ttl = ttl;
            rules.validity = validity;
        };
        let bench = Bench::of("example.", &zone, &["grant updater. zonesub ANY"], adapt).unwrap();
        let allowance = *random.pick(&ALLOWANCES);
        let (open, served, parent) = (Vec::new(), Vec::new(), Vec::new());
        Self { seed, kind, random, bench, is_real, allowance, open, served, parent }
    }

    pub(super) fn run(mut self) {
        self.execute(vec![Request::Genesis { zone: name("example.") }]);
        self.settle();
        let ttl = *self.random.pick(&TTLS);
        let ksk = self.keys_with(|key| key.role == Role::Ksk);
        self.parent.push((ksk, ttl, 0));
        let allowance = format!("keys example. allowance {}", self.allowance);
        assert_eq!(self.command(&allowance), None);
        for _ in 0..self.random.below(6) {
            self.life();
        }
        let begin = match self.kind {
            Kind::Zsk => self.bench.complete(Role::Zsk, 8, 0),
            Kind::Ksk => self.bench.complete(Role::Ksk, 8, 1),
            Kind::Algorithm => {
                [self.bench.complete(Role::Zsk, 10, 0), self.bench.complete(Role::Ksk, 10, 1)].join(" ")
            }
        };
        assert_eq!(self.command(&format!("keys example. begin {begin}")), None);
        let mut steps = 0;
        while let Some((step, tag, safe)) = self.bench.machine.keys()[0].next {
            for _ in 0..self.random.below(3) {
                self.life();
            }
            steps += usize::from(self.advance(step, tag, safe));
        }
        assert_eq!(steps, [2, 4, 8][self.kind as usize]);
        for _ in 0..4 {
            self.life();
        }
        self.settle();
        self.check();
    }

    /// Tries the next step, early or at the first moment that is allowed. Whether it was done.
    fn advance(&mut self, step: Step, tag: u16, safe: Result<u64, &'static str>) -> bool {
        let step = match step {
            Step::DsSeen(_) => match self.parent_changes(true) {
                Some(ttl) => Step::DsSeen(ttl),
                None => return false,
            },
            Step::DsGone(_) => match self.parent_changes(false) {
                Some(ttl) => Step::DsGone(ttl),
                None => return false,
            },
            other => other,
        };
        let zone = name("example.");
        let command = crate::zone::Command::Keys { zone, act: crate::zone::Act::Step(step, tag) }.to_string();
        let Ok(safe) = safe else {
            if self.random.below(3) == 0 {
                // What is said to be unknown may be known by the time the votes are there.
                return self.command(&command).is_none();
            }
            let due = self.bench.machine.due(UnixMillis(self.bench.now.0));
            self.execute(due);
            return false;
        };
        if self.bench.now.secs() + 2 < safe && self.random.below(3) == 0 {
            let refused = self.command(&command).expect("it is too early");
            assert!(refused.contains("UTC"), "{refused}");
            return false;
        }
        self.bench.now.0 = self.bench.now.0.max(safe.saturating_sub(1) * SECOND);
        self.command(&command).is_none()
    }

    /// The parent does as the CDS that is served says; a while later operators have seen it. The greatest TTL that they have
    /// seen; none while nothing is served that asks for the change.
    fn parent_changes(&mut self, comes: bool) -> Option<u32> {
        let view = Arc::clone(&self.served.last().unwrap().1);
        let wanted = view.apex().get(RrType::CDNSKEY).map(keys_in).unwrap_or_default();
        let (held, ttl, _) = self.parent.last().unwrap().clone();
        let new = *self.random.pick(&TTLS);
        if wanted.len() != 1 + usize::from(comes) {
            self.execute(Vec::new());
            return None;
        }
        if wanted != held {
            self.parent.push((wanted, new, self.bench.now.secs()));
            self.bench.now.0 += self.random.below(3) * HOUR;
        }
        let before = self.parent.iter().rev().nth(1).map_or(0, |(_, ttl, _)| *ttl);
        Some(before.max(self.parent.last().map_or(ttl, |(_, ttl, _)| *ttl)))
    }

    /// Something happens.
    fn life(&mut self) {
        let random = &mut self.random;
        let (owner, ttl) = (random.below(4), *random.pick(&TTLS));
        let request = match random.below(8) {
            0 | 1 => self.bench.signed(&format!("add n{owner}.example. {ttl} A 192.0.2.7")),
            2 => self.bench.signed(&format!("add a.example. {ttl} TXT b{owner}")),
            3 => self.bench.signed(&format!("del n{owner}.example.")),
            4 => {
                self.bench.now.0 += random.below(12) * HOUR;
                return;
            }
            5 => {
                self.bench.now.0 += random.below(9) * DAY;
                return;
            }
            _ => {
                let due = self.bench.machine.due(UnixMillis(self.bench.now.0));
                return self.execute(due);
            }
        };
        self.execute(vec![request]);
    }

    fn command(&mut self, text: &str) -> Option<String> {
        let votes = self.bench.votes_for(text);
        self.execute(votes);
        self.bench.decision(text)
    }

    /// One batch, as late as signing may be: what is P batches old is signed now, the rest by chance.
    fn execute(&mut self, requests: Vec<Request>) {
        let next = self.bench.machine.batches() + 1;
        let now = self.bench.now.secs() + 1;
        while self
            .open
            .first()
            .is_some_and(|(batch, _)| batch + PIPELINE_BATCHES <= next || self.random.below(4) == 0)
        {
            let (_, jobs) = self.open.remove(0);
            self.sign(jobs, now);
        }
        let executed = self.bench.execute(&requests);
        self.open.push((next, executed.jobs));
    }

    fn sign(&mut self, jobs: Vec<Job>, now: u64) {
        for job in jobs {
            let signature = if self.is_real { self.bench.signature(&job) } else { vec![1; 128] };
            let signed = self.bench.machine.signed(job.id, &signature);
            assert_eq!(signed.failures, []);
            for published in signed.published {
                if self.is_real {
                    verify(&published.view);
                }
                self.served.push((now, published.view));
            }
        }
    }

    fn settle(&mut self) {
        for _ in 0..PIPELINE_BATCHES {
            self.execute(Vec::new());
        }
    }

    fn keys_with(&self, of: impl Fn(&crate::zone::ShownKey) -> bool) -> BTreeSet<(u16, u8)> {
        let keys = &self.bench.machine.keys()[0].keys;
        keys.iter().filter(|key| of(key)).map(|key| (key.tag, key.algorithm)).collect()
    }

    fn check(&self) {
        let mut caches = Caches::default();
        for (at, (from, view)) in self.served.iter().enumerate() {
            // Secondaries, and replicas that are behind, serve it for as long as the allowance.
            let until =
                self.served.get(at + 1).map_or(u64::MAX, |(next, _)| next + u64::from(self.allowance));
            caches.served(view, *from, until);
        }
        for (at, (keys, ttl, from)) in self.parent.iter().enumerate() {
            let until = self.parent.get(at + 1).map_or(u64::MAX, |(.., next)| *next);
            caches.parent(keys.clone(), *ttl, *from, until);
        }
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| caches.check()));
        assert!(
            checked.is_ok(),
            "CONCLAVE_SEED={}: {:?} with real signatures: {}",
            self.seed,
            self.kind,
            self.is_real
        );
        let machine = &self.bench.machine;
        assert_eq!(machine.digest(), machine.recomputed_digest(), "CONCLAVE_SEED={}", self.seed);
    }
}

/// Each RRSIG is right, and each RRset has one by a key that is published.
fn verify(view: &View) {
    let dnskeys = view.dnskeys().unwrap().rrset.clone();
    for node in view.iter() {
        for (rtype, set) in node.iter().filter(|(_, set)| !set.rrsigs().is_empty()) {
            let right =
                |rrsig| dnskeys.iter().any(|key| verify_rrsig(node.name(), &set.rrset, rrsig, key).is_ok());
            assert!(set.rrsigs().iter().any(right), "{} {rtype}", node.name());
        }
    }
}
