//! A random life of a zone with two rollovers: clients change records and TTLs, the SOA's too; time passes by hours and weeks;
//! signing is as late as the pipeline lets it be, and that may be a day after what was signed was ordered; secondaries are as late
//! as the allowance; the parent asks whom it likes; and operators take each step at the earliest moment that is
//! allowed, or turn back.

use super::caches::{Caches, keys_in};
use super::*;
use crate::dns::dnssec::{RrsigFields, verify_rrsig};
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
/// Those of clients' records: some outlast every signature.
const LIFE_TTLS: [u32; 8] = [0, 1, 60, 3_600, 86_400, 604_800, 2_000_000, 0x7fff_ffff];
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
    /// The TTL of DNSKEY, CDS and CDNSKEY.
    ttl: u32,
    /// The greatest TTL of a DS RRset of this rollover.
    seen: u32,
    /// Seconds, on everybody's clock; agreed time is that at which what comes next is ordered.
    real: u64,
}

/// When the parent takes no notice of what a version asks for any more; none if it asks for nothing.
fn expires(view: &View) -> Option<u64> {
    let set = view.apex().get(RrType::CDNSKEY)?;
    let all = set.rrsigs().iter().filter_map(|rrsig| Some(RrsigFields::parse(rrsig)?.0.expiration));
    all.max().map(u64::from)
}

/// The keys that a version asks the parent for.
fn announced(view: &View) -> BTreeSet<(u16, u8)> {
    view.apex().get(RrType::CDNSKEY).map(keys_in).unwrap_or_default()
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
        let (seen, real) = (0, bench.now.secs());
        Self { seed, kind, random, bench, is_real, allowance, open, served, parent, ttl, seen, real }
    }

    pub(super) fn run(mut self) {
        self.execute(vec![Request::Genesis { zone: name("example.") }]);
        self.settle();
        let ttl = *self.random.pick(&TTLS);
        let ksk = self.keys_with(|key| key.role == Role::Ksk);
        self.parent.push((ksk, ttl, 0));
        let allowance = format!("keys example. allowance {}", self.allowance);
        assert_eq!(self.command(&allowance), None);
        let second = *self.random.pick(&[Kind::Zsk, Kind::Ksk, Kind::Algorithm]);
        for (round, kind) in [self.kind, second].into_iter().enumerate() {
            for _ in 0..self.random.below(6) {
                self.life();
            }
            self.roll(kind, 2 * round);
        }
        for _ in 0..4 {
            self.life();
        }
        self.settle();
        self.check();
    }

    /// A rollover to its end, or back again, to keys of which the first is the `which`th.
    fn roll(&mut self, kind: Kind, which: usize) {
        let here = self.bench.machine.keys()[0].keys[0].algorithm;
        let begin = match kind {
            Kind::Zsk => self.bench.complete(Role::Zsk, here, which),
            Kind::Ksk => self.bench.complete(Role::Ksk, here, which + 1),
            Kind::Algorithm => [
                self.bench.complete(Role::Zsk, 18 - here, which),
                self.bench.complete(Role::Ksk, 18 - here, which + 1),
            ]
            .join(" "),
        };
        self.seen = self.parent.last().map_or(0, |(_, ttl, _)| *ttl);
        assert_eq!(self.command(&format!("keys example. begin {begin}")), None);
        let (mut steps, mut turns) = (0, 0);
        while let Some((step, tag, safe)) = self.bench.machine.keys()[0].next {
            for _ in 0..self.random.below(3) {
                self.life();
            }
            if self.random.below(16) == 0 && turns < 3 {
                turns += usize::from(self.command(&format!("keys example. abort {tag}")).is_none());
            } else {
                steps += usize::from(self.advance(step, tag, safe));
            }
        }
        assert!(turns > 0 || steps == [2, 4, 8][kind as usize], "{steps} steps");
        self.settle();
    }

    /// Tries the next step, early or at the first moment that is allowed. Whether it was done.
    fn advance(&mut self, step: Step, tag: u16, safe: Result<u64, &'static str>) -> bool {
        let step = match step {
            Step::DsSeen(_) if self.parent_is(2) => Step::DsSeen(self.seen),
            Step::DsGone(_) if self.parent_is(1) => Step::DsGone(self.seen),
            Step::DsSeen(_) | Step::DsGone(_) => {
                self.poll();
                self.go_on();
                return false;
            }
            other => other,
        };
        let zone = name("example.");
        let command = crate::zone::Command::Keys { zone, act: crate::zone::Act::Step(step, tag) }.to_string();
        let Ok(safe) = safe else {
            if self.random.below(3) == 0 {
                // What is said to be unknown may be known by the time the votes are there.
                return self.command(&command).is_none();
            }
            self.go_on();
            return false;
        };
        if self.real.max(self.bench.now.secs()) + 2 < safe && self.random.below(3) == 0 {
            let refused = self.command(&command).expect("it is too early");
            assert!(refused.contains("UTC"), "{refused}");
            return false;
        }
        self.bench.now.0 = self.bench.now.0.max(safe.saturating_sub(1) * SECOND);
        self.command(&command).is_none()
    }

    /// Whether the parent has DS records as the CDS RRset asks that is served, and they are of so many keys.
    fn parent_is(&self, keys: usize) -> bool {
        let wanted = self.served.last().map_or_else(BTreeSet::new, |(_, view)| announced(view));
        wanted.len() == keys && self.parent.last().is_some_and(|(held, ..)| *held == wanted)
    }

    /// The parent looks for a CDS RRset, at a server that may be late or in a cache, and does as it says.
    fn poll(&mut self) {
        let held_until = |at: usize| {
            let (next, ttl) = (self.served.get(at + 1)?.0, self.ttl);
            Some(next + u64::from(self.allowance) + u64::from(ttl))
        };
        let is_held = |at: &usize| held_until(*at).is_none_or(|end| self.real <= end);
        let lasts = |at: &usize| expires(&self.served[*at].1).is_none_or(|end| self.real <= end);
        let offered = (0..self.served.len()).filter(|at| is_held(at) && lasts(at));
        let offered: Vec<usize> = offered.collect();
        let Some(newest) = offered.last() else { return self.go_on() };
        let at = if self.random.below(2) == 0 { *self.random.pick(&offered) } else { *newest };
        let (wanted, held) = (announced(&self.served[at].1), &self.parent.last().expect("a parent").0);
        if !wanted.is_empty() && wanted != *held {
            let ttl = *self.random.pick(&TTLS);
            self.seen = self.seen.max(ttl);
            self.parent.push((wanted, ttl, self.real));
        }
        let hours = self.random_hours(3);
        self.pass(hours);
    }

    fn random_hours(&mut self, most: u64) -> u64 {
        self.random.below(most) * HOUR
    }

    /// Time passes: what is ordered next is ordered after it.
    fn pass(&mut self, millis: u64) {
        self.catch_up();
        self.bench.now.0 += millis;
        self.real = self.real.max(self.bench.now.secs());
    }

    /// What comes from outside is ordered at a time not before that at which it came.
    fn catch_up(&mut self) {
        self.bench.now.0 = self.bench.now.0.max(self.real.saturating_sub(1) * SECOND);
    }

    /// What replicas propose by themselves.
    fn go_on(&mut self) {
        let said = self.bench.progress();
        if !said.is_empty() && self.random.below(4) > 0 {
            self.catch_up();
            return self.execute(said);
        }
        let due = self.bench.machine.due(UnixMillis(self.bench.now.0));
        self.execute(due);
    }

    /// Something happens.
    fn life(&mut self) {
        let random = &mut self.random;
        let (owner, ttl, minimum) = (random.below(4), *random.pick(&LIFE_TTLS), *random.pick(&TTLS));
        let request = match random.below(12) {
            0 | 1 => format!("add n{owner}.example. {ttl} A 192.0.2.7"),
            2 => format!("add a.example. {ttl} TXT b{owner}"),
            3 => format!("del n{owner}.example."),
            4 => {
                let hours = self.random_hours(12);
                return self.pass(hours);
            }
            5 => {
                let days = self.random.below(9) * DAY;
                return self.pass(days);
            }
            6 => {
                // Every NSEC is another, and is signed anew.
                let serial = self.bench.machine.head(&name("example.")).serial().wrapping_add(1);
                format!("add example. {ttl} SOA ns.example. admin.example. {serial} 1 1 1 {minimum}")
            }
            7 => format!("add n{owner}.example. {ttl} CDS 1 8 2 {}", "ab".repeat(32)),
            8 => return self.poll(),
            _ => return self.go_on(),
        };
        let request = self.bench.signed(&request);
        self.execute(vec![request]);
    }

    fn command(&mut self, text: &str) -> Option<String> {
        self.catch_up();
        let votes = self.bench.votes_for(text);
        self.execute(votes);
        self.bench.decision(text)
    }

    /// One batch, as late as signing may be: what is P batches old is signed now, the rest by chance; and that may be long after
    /// the batch was ordered.
    fn execute(&mut self, requests: Vec<Request>) {
        let next = self.bench.machine.batches() + 1;
        self.real = self.real.max(self.bench.now.secs() + 1);
        while let Some((batch, _)) = self.open.first() {
            let is_wanted = batch + PIPELINE_BATCHES <= next;
            if !is_wanted && self.random.below(4) > 0 {
                break;
            }
            // Outside rollovers that is the allowance's.
            if is_wanted && self.random.below(12) == 0 && self.bench.machine.keys()[0].next.is_some() {
                self.real += self.random.below(30) * HOUR / SECOND;
            }
            let (_, jobs) = self.open.remove(0);
            self.sign(jobs, self.real);
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
