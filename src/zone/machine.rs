//! The machine: batches in, outcomes and signing jobs out; signatures in, versions out.

use super::account::Account;
use super::digest::Tally;
use super::hashed::Hashes;
use super::ledger::{Ledger, Open};
use super::load;
use super::planned::{BatchJobs, LastBatches};
use super::refusal::Refusal;
use super::register::Register;
use super::replay::{Answer, Replay};
use super::request::{
    Batch, Executed, Job, Kind, Outcome, Published, Request, RequestId, Signed, Vouched, ZoneNews,
};
use super::rules::{Genesis, ZoneRules};
use super::signature::{Realm, Signature};
use super::succession::{Succession, keys_digest};
use super::view::{Denial, View};
use super::votes::{self, Operators};
use super::vouch;
use crate::codec::{self, Digest, JobId, KeyId};
use crate::dns::tsig::{AuthFailure, Keyring};
use crate::dns::{Name, Rcode, RrType, query};
use crate::limits::{MAX_REQUEST_BYTES, MAX_ZONES};
use crate::threshold::PublicKey;
use crate::time::{AgreedTime, UnixMillis};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// Signatures that may be lacking when a slice of old ones is made anew: less than a second's work.
const MAX_JOBS_BEFORE_REFRESH: usize = 512;

/// The state machine of all zones.
///
/// Invariants: 1. what [`Machine::digest`] covers depends on nothing but the genesis and the batches; 2. versions of a zone
/// become visible in order; 3. a visible version passed the publish check.
pub struct Machine {
    pub(super) realm: Realm,
    pub(super) keys: Arc<Keyring>,
    pub(super) zones: BTreeMap<Name, Ledger>,
    pub(super) replay: Replay,
    pub(super) register: Register,
    /// Public parts of keys that are refreshed, by the key as dealt: what was parsed last, and no part of the state.
    pub(super) parsed_keys: BTreeMap<KeyId, PublicKey>,
    /// Public keys, by slot.
    pub(super) members: Vec<[u8; 32]>,
    pub(super) operators: Operators,
    /// The keys that were dealt with the cluster.
    pub(super) dealt: BTreeSet<KeyId>,
    /// Every element of zones, replay table and register.
    pub(super) tally: Tally,
    pub(super) time: AgreedTime,
    /// Batches executed so far.
    pub(super) batches: u64,
    pub(super) last_batches: LastBatches,
    /// What the batch in hand has decided: it is the last of the epoch.
    ends: Option<Succession>,
    /// What the batch in hand has done to the set of zones, and whether the catalog is to show it.
    pub(super) news: Vec<ZoneNews>,
    pub(super) lists_anew: bool,
    /// As the state has it.
    pub(super) catalog: Option<Published>,
    /// The plans that wait for each job's signature.
    pub(super) waiting: BTreeMap<JobId, Vec<(Name, Arc<Signature>)>>,
    /// Finished jobs that could be wanted again, as their inception is now.
    recent: BTreeMap<JobId, Arc<Signature>>,
    publish_failures: u64,
}

/// Why the machine cannot start from what it is given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MachineError {
    /// The zone.
    pub zone: Name,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for MachineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "zone {}: {}", self.zone, self.reason)
    }
}

impl std::error::Error for MachineError {}

/// What one request came to, before its batch is closed.
pub(super) struct Verdict {
    pub(super) rcode: Rcode,
    pub(super) failure: Option<AuthFailure>,
    /// The zone whose state the answer speaks of.
    pub(super) zone: Option<Name>,
    /// The answer to the first of this and equal requests.
    pub(super) repeat: Option<Answer>,
    /// To be remembered: the octets covered, and until when.
    pub(super) remember: Option<(Digest, u64)>,
    pub(super) kind: Kind,
    /// Of an update.
    pub(super) account: Option<Box<Account>>,
    pub(super) vouch: Option<Vouched>,
}

impl Verdict {
    pub(super) fn plain(kind: Kind, rcode: Rcode) -> Self {
        Self {
            rcode,
            failure: None,
            zone: None,
            repeat: None,
            remember: None,
            kind,
            account: None,
            vouch: None,
        }
    }
}

impl Machine {
    /// Takes the zones as they are before genesis; refuses what is not a zone.
    pub fn new(genesis: Genesis) -> Result<Self, MachineError> {
        let mut zones = BTreeMap::new();
        for (rules, records) in &genesis.zones {
            let zone = rules.origin.clone();
            let wrong = |reason| MachineError { zone: zone.clone(), reason };
            if zones.len() >= MAX_ZONES {
                return Err(wrong(format!("a cluster has at most {MAX_ZONES} zones")));
            }
            load::check_rules(rules).map_err(wrong)?;
            let head = load::unsigned(&rules.origin, records).map_err(wrong)?;
            if rules.denial == Denial::Nsec3 {
                Hashes::of(&head).map_err(wrong)?;
            }
            if zones.insert(zone.clone(), Ledger::new(rules.clone(), head)).is_some() {
                return Err(wrong("it is there twice".into()));
            }
        }
        Ok(Self::of(&genesis, zones))
    }

    /// Zones of which nothing is known yet: a state must be restored before anything is executed.
    pub fn awaiting(genesis: Genesis) -> Self {
        let empty = |rules: &ZoneRules| {
            let view = View::empty(rules.origin.clone());
            (rules.origin.clone(), Ledger::new(rules.clone(), view))
        };
        Self::of(&genesis, genesis.zones.iter().map(|(rules, _)| empty(rules)).collect())
    }

    /// These zones, before the first batch.
    pub(super) fn of(genesis: &Genesis, zones: BTreeMap<Name, Ledger>) -> Self {
        let listed = genesis.operators.clone();
        let dealt = genesis.zones.iter().flat_map(|(rules, _)| [rules.ksk.id, rules.zsk.id]);
        Self {
            realm: Realm { cluster: genesis.cluster, epoch: genesis.epoch },
            keys: Arc::clone(&genesis.keys),
            zones,
            replay: Replay::default(),
            register: Register::default(),
            parsed_keys: BTreeMap::new(),
            members: genesis.members.clone(),
            operators: Operators { listed, needed: genesis.operators_needed },
            dealt: dealt.collect(),
            tally: Tally::default(),
            time: AgreedTime::default(),
            batches: 0,
            last_batches: LastBatches::default(),
            ends: None,
            news: Vec::new(),
            lists_anew: false,
            catalog: None,
            waiting: BTreeMap::new(),
            recent: BTreeMap::new(),
            publish_failures: 0,
        }
    }

    /// Enlists what the newest versions lack, and publishes those that lack nothing: for zones that were not built here.
    pub(super) fn resume(&mut self) -> Signed {
        let mut signed = Signed::default();
        for (zone, ledger) in &mut self.zones {
            for plan in ledger.plans().filter(|plan| !plan.is_complete()) {
                self.waiting.entry(plan.job).or_default().push((zone.clone(), Arc::clone(plan)));
            }
            ledger.versions.advance(zone, &mut signed);
        }
        self.publish_failures += signed.failures.len() as u64;
        signed.published.extend(self.catalog.clone());
        signed
    }

    /// Executes one batch: each request in order, then the close of every zone that changed.
    pub fn execute(&mut self, batch: &Batch<'_>) -> Executed {
        assert!(batch.time >= self.time, "agreed time went back");
        if batch.time.secs() > self.time.secs() {
            self.recent.clear();
        }
        self.time = batch.time;
        self.batches += 1;
        self.replay.forget(self.time, &mut self.tally);
        self.settle();
        votes::lapse(&mut self.register, &mut self.tally, self.time);
        vouch::lapse(&mut self.register, &mut self.tally, self.time);
        self.lapse_awaited();
        let mut open = BTreeMap::new();
        // The digests of this batch's own requests: those remembered are not until it is closed.
        let mut fresh: BTreeMap<Digest, usize> = BTreeMap::new();
        let mut verdicts: Vec<(RequestId, Verdict)> = Vec::with_capacity(batch.requests.len());
        for (id, bytes) in batch.requests {
            let mut verdict = self.request(bytes, &mut open, &fresh);
            if let Some((covered, _)) = verdict.remember {
                if let Some(first) = fresh.get(&covered) {
                    let (_, first) = &verdicts[*first];
                    (verdict.rcode, verdict.zone) = (first.rcode, first.zone.clone());
                    if let Some(account) = &mut verdict.account {
                        account.refusal = Some(Box::new(Refusal::Repeat(first.rcode)));
                    }
                    verdict.remember = None;
                } else {
                    fresh.insert(covered, verdicts.len());
                }
            }
            verdicts.push((*id, verdict));
        }
        let mut planned = Vec::new();
        for (zone, open) in open {
            if let Some(ledger) = self.zones.get_mut(&zone) {
                let plans = ledger.close(open, (self.batches, self.time), self.realm, &mut self.tally);
                planned.extend(plans.into_iter().map(|plan| (zone.clone(), plan)));
            }
        }
        self.last_batches.push(BatchJobs::planned(planned.iter().map(|(_, plan)| plan)));
        let jobs = self.enlist(planned);
        let published = self.follow_catalog();
        let outcomes = verdicts.into_iter().map(|(id, verdict)| self.conclude(id, verdict)).collect();
        let zones = std::mem::take(&mut self.news);
        Executed { outcomes, jobs, ends: self.ends.clone(), zones, published }
    }

    /// Whether the epoch ends with the batch in hand.
    pub(super) fn has_ended(&self) -> bool {
        self.ends.is_some()
    }

    /// What is known by now to be served no more is past.
    pub(super) fn settle(&mut self) {
        let (executed, said, mut are_gone) = (self.batches, self.progress_of_quorum(), false);
        for ledger in self.zones.values_mut().filter(|ledger| ledger.started) {
            let before = ledger.keys.wanted().count();
            ledger.keys.settle(executed, said, self.time);
            are_gone |= ledger.keys.wanted().count() < before;
        }
        are_gone |= self.settle_removed();
        if are_gone {
            self.forget_sharings();
        }
    }

    /// The epoch ends with the batch in hand, if this cluster can follow here. An error says why not.
    pub(super) fn end_epoch(&mut self, succession: &Succession) -> Result<(), String> {
        if self.realm.epoch.0.checked_add(1) != Some(succession.epoch.0) {
            return Err(format!("epoch {} does not follow {}", succession.epoch.0, self.realm.epoch.0));
        }
        if let Some(zone) = self.zones.values().find(|ledger| !ledger.started) {
            return Err(format!("zone {} has not begun", zone.rules.origin));
        }
        succession.check(self.members.len())?;
        if let Some(zone) = self.zones.values().find(|ledger| !ledger.keys.is_at_rest()) {
            return Err(format!(
                "a rollover of zone {} is under way, or was ended just now",
                zone.rules.origin
            ));
        }
        if self.has_leaving_zones() {
            return Err("a zone was removed just now: some batches more".into());
        }
        let zones = self.zones.values();
        let keys = zones.flat_map(|zone| zone.keys.wanted().map(|key| (&zone.rules.origin, &key.dnskey)));
        if keys_digest(keys) != succession.keys {
            return Err("the zones' keys are not those that the new cluster has shares of".into());
        }
        self.ends = Some(succession.clone());
        Ok(())
    }

    fn request(
        &mut self,
        bytes: &[u8],
        open: &mut BTreeMap<Name, Open>,
        fresh: &BTreeMap<Digest, usize>,
    ) -> Verdict {
        // The envelope of a message has a few octets more.
        match codec::decode::<Request>(bytes, MAX_REQUEST_BYTES) {
            Err(_) => Verdict::plain(Kind::Internal, Rcode::FORMERR),
            Ok(Request::Genesis { zone }) => self.internal(&zone, open, |ledger, open, _| ledger.start(open)),
            Ok(Request::Refresh { zone, .. }) => self.internal(&zone, open, Ledger::refresh),
            Ok(Request::Settle { .. }) => Verdict::plain(Kind::Internal, Rcode::NOERROR),
            Ok(Request::Receipt(receipt)) => self.receipt(&receipt),
            Ok(Request::Query { wire, .. }) => self.query(&wire),
            Ok(Request::Update { wire }) => self.update(&wire, open, fresh),
            Ok(Request::Said(said)) => self.said(&said, open, fresh),
            Ok(Request::Operator(vote)) => self.operator_vote(&vote, open),
            Ok(Request::Parcel(piece)) => self.parcel(piece, open),
        }
    }

    fn internal(
        &mut self,
        zone: &Name,
        open: &mut BTreeMap<Name, Open>,
        act: impl FnOnce(&mut Ledger, &mut Open, AgreedTime),
    ) -> Verdict {
        let Some(ledger) = self.zones.get_mut(zone) else {
            return Verdict::plain(Kind::Internal, Rcode::NOTAUTH);
        };
        let origin = ledger.rules.origin.clone();
        let open = open.entry(origin.clone()).or_insert_with(|| ledger.open());
        act(ledger, open, self.time);
        Verdict { zone: Some(origin), ..Verdict::plain(Kind::Internal, Rcode::NOERROR) }
    }

    fn query(&self, wire: &[u8]) -> Verdict {
        let plain = |rcode| Verdict::plain(Kind::Query, rcode);
        let Ok(query) = query::parse(wire) else { return plain(Rcode::FORMERR) };
        let mut ledger = self.ledger_of(&query.qname);
        // RFC 4035 §3.1.4.1: a DS is the parent side's, if that is ours too.
        if query.qtype == RrType::DS && ledger.is_some_and(|child| child.rules.origin == query.qname) {
            let parent = query.qname.parent().and_then(|parent| self.ledger_of(&parent));
            ledger = parent.or(ledger);
        }
        match ledger {
            None => plain(Rcode::REFUSED),
            Some(ledger) if !ledger.started => plain(Rcode::SERVFAIL),
            Some(ledger) => Verdict { zone: Some(ledger.rules.origin.clone()), ..plain(Rcode::NOERROR) },
        }
    }

    /// Enlists plans with the jobs they wait for. Gives the jobs that are new.
    fn enlist(&mut self, planned: Vec<(Name, Arc<Signature>)>) -> Vec<Job> {
        let mut jobs = Vec::new();
        for (zone, plan) in planned {
            // The same RRset, planned before in this second, changed, and changed back.
            if let Some(made) = self.recent.get(&plan.job) {
                plan.adopt(made);
                continue;
            }
            let waiting = self.waiting.entry(plan.job).or_default();
            if waiting.is_empty() {
                jobs.push(plan.job());
            }
            waiting.push((zone, plan));
        }
        jobs
    }

    fn conclude(&mut self, request: RequestId, verdict: Verdict) -> Outcome {
        let Verdict { rcode, failure, zone, repeat, remember, kind, account, vouch } = verdict;
        let newest = zone.and_then(|zone| self.zones.get(&zone).map(|ledger| (zone, ledger.version)));
        let after = match repeat {
            // Of a zone that went no version comes any more.
            Some(first) => first.after.filter(|(zone, _)| self.zones.contains_key(zone)),
            None => newest.filter(|(_, version)| *version > 0),
        };
        if let Some((covered, end)) = remember {
            let answer = Answer { rcode, after: after.clone() };
            self.replay.remember(covered, answer, end, &mut self.tally);
        }
        Outcome { request, rcode, failure, after, kind, account, vouch }
    }

    /// Takes a finished signature. One that nothing waits for is ignored; one that does not verify is reported, and the
    /// versions that need it stay back until a good one comes or a later version needs it no more.
    pub fn signed(&mut self, job: JobId, signature: &[u8]) -> Signed {
        let mut signed = Signed::default();
        let Some(waiting) = self.waiting.remove(&job) else { return signed };
        for (zone, plan) in &waiting {
            let Some(ledger) = self.zones.get_mut(zone) else { continue };
            match plan.complete(signature) {
                Ok(()) => {
                    self.recent.insert(job, Arc::clone(plan));
                    ledger.versions.accept(job);
                }
                Err(reason) => {
                    self.waiting.entry(job).or_default().push((zone.clone(), Arc::clone(plan)));
                    ledger.versions.refuse(job, reason);
                }
            }
            ledger.versions.advance(zone, &mut signed);
        }
        self.publish_failures += signed.failures.len() as u64;
        signed
    }

    /// The jobs whose signatures are lacking.
    pub fn pending_jobs(&self) -> Vec<Job> {
        self.waiting.values().filter_map(|waiting| Some(waiting.first()?.1.job())).collect()
    }

    /// The newest published version of the zone with this origin.
    pub fn view(&self, origin: &Name) -> Option<Arc<View>> {
        Some(Arc::clone(&self.zones.get(origin)?.versions.published.as_ref()?.view))
    }

    /// The agreed time of the last batch.
    pub fn time(&self) -> AgreedTime {
        self.time
    }

    /// The number of the newest published version, 0 before the first.
    pub fn version(&self, origin: &Name) -> u64 {
        let published = self.zones.get(origin).and_then(|ledger| ledger.versions.published.as_ref());
        published.map_or(0, |published| published.version)
    }

    /// The rules of the deepest zone that encloses `name`.
    pub fn zone_of(&self, name: &Name) -> Option<&ZoneRules> {
        self.ledger_of(name).map(|ledger| &ledger.rules)
    }

    /// The rules of all zones, in canonical order.
    pub fn zones(&self) -> impl Iterator<Item = &ZoneRules> {
        self.zones.values().map(|ledger| &ledger.rules)
    }

    /// The newest executed state of a zone, published or not.
    #[cfg(test)]
    pub(super) fn head(&self, origin: &Name) -> &View {
        &self.zones[origin].head
    }

    /// What is to be proposed to the order, by the local clock; the same again until it is executed. Old signatures wait while many
    /// new ones are lacking here: what clients change meanwhile must not stand behind thousands of them.
    pub fn due(&self, now: UnixMillis) -> Vec<Request> {
        let due = self.zones.iter().filter_map(|(origin, ledger)| {
            let zone = origin.clone();
            if !ledger.started {
                return Some(Request::Genesis { zone });
            }
            if ledger.is_due(now.secs()) && self.waiting.len() < MAX_JOBS_BEFORE_REFRESH {
                return Some(Request::Refresh { zone, serial: ledger.head.serial() });
            }
            ledger.keys.is_settling(self.batches).then_some(Request::Settle { batches: self.batches })
        });
        let settle = self.has_leaving_zones().then_some(Request::Settle { batches: self.batches });
        due.chain(settle).collect()
    }

    /// How many versions failed their check since the start.
    pub fn publish_failures(&self) -> u64 {
        self.publish_failures
    }

    fn ledger_of(&self, name: &Name) -> Option<&Ledger> {
        (0..=name.label_count()).rev().find_map(|labels| self.zones.get(&name.ancestor(labels)))
    }
}
