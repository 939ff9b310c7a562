//! One zone: its newest state, which execution works on, and the versions that were cut from it.
//!
//! Within a batch the data of `head` change message by message. Closing the batch mends the chain, plans the signatures that
//! are lacking, and cuts a version; a batch that changed nothing cuts none.

use super::chain;
use super::charter::Charter;
use super::digest::Tally;
use super::draft::Draft;
use super::element;
use super::guard::{self, Guard};
use super::hashed::{self, Hashes};
use super::keys::{Class, KeySet, Layout, ZoneKey};
use super::policy::UpdatePolicy;
use super::refusal::Refusal;
use super::rules::ZoneRules;
use super::signature::{Realm, Signature};
use super::signatures::Signatures;
use super::versions::{Pending, Versions};
use super::view::{Denial, Key, Node, SignedRrset, View};
use crate::dns::{Name, RrType};
use crate::limits::MAX_REFRESHED_PER_VERSION;
use crate::time::{AgreedTime, HOUR, SECOND};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Seconds of due times that one refresh takes together: the jitter spreads over a day, and not every second of it is to
/// bump the serial.
const REFRESH_SLICE_SECS: u64 = HOUR / SECOND;

pub(super) struct Ledger {
    pub(super) rules: ZoneRules,
    apex: Key,
    pub(super) keys: KeySet,
    pub(super) head: View,
    /// Whether genesis is done.
    pub(super) started: bool,
    /// The number of the batch that added the zone, 0 if it was there in the beginning.
    pub(super) born: u64,
    /// Whether updates are refused.
    pub(super) frozen: bool,
    /// The number of the newest version, 0 before the first.
    pub(super) version: u64,
    pub(super) versions: Versions,
    /// When each signature of `head` is to be made anew.
    schedule: BTreeSet<(u64, Key, RrType)>,
    /// Records of `head` that a floor counts; kept only where there is one.
    pub(super) records: u64,
}

/// What a batch has done to a zone so far.
pub(super) struct Open {
    base: View,
    touched: BTreeSet<Key>,
    /// Whether the serial has moved.
    bumped: bool,
    /// What is to be signed anew though unchanged.
    refresh: BTreeSet<(Key, RrType)>,
    /// The hashes of the names that are new, if the zone has NSEC3.
    hashes: Hashes,
    /// Whether the keys do other things than before.
    is_relaid: bool,
}

impl Ledger {
    pub(super) fn new(rules: ZoneRules, head: View) -> Self {
        Self {
            apex: Key::of(&rules.origin),
            keys: KeySet::new(&rules),
            records: counted(&rules.policy, &head),
            rules,
            head,
            started: false,
            born: 0,
            frozen: false,
            version: 0,
            versions: Versions::default(),
            schedule: BTreeSet::new(),
        }
    }

    /// The zone as it was at its version `version`, after genesis. Where a signature is lacking, so is the version.
    pub(super) fn restored(
        rules: ZoneRules,
        keys: KeySet,
        head: View,
        version: u64,
        charter: &Charter,
    ) -> Self {
        let Charter { born, frozen, .. } = *charter;
        let mut ledger = Self { started: true, version, keys, born, frozen, ..Self::new(rules, head) };
        chain::rebuild(&mut ledger.head);
        let view = Arc::new(ledger.head.clone());
        ledger.reschedule();
        let plans = ledger.plans().cloned().collect();
        // The whole chain is checked: no version before was checked here.
        let affected = ledger.head.nodes.keys().cloned().collect();
        ledger.versions.pending.push_back(Pending::new(version, view, plans, affected));
        ledger
    }

    /// Updates are judged by this policy from now on.
    pub(super) fn set_policy(&mut self, policy: UpdatePolicy) {
        self.records = counted(&policy, &self.head);
        self.rules.policy = policy;
    }

    /// The plans of the newest state.
    pub(super) fn plans(&self) -> impl Iterator<Item = &Arc<Signature>> {
        self.head.iter().flat_map(|node| node.iter().flat_map(|(_, set)| set.signatures.plans()))
    }

    /// Begins a batch.
    pub(super) fn open(&self) -> Open {
        Open {
            base: self.head.clone(),
            touched: BTreeSet::new(),
            bumped: false,
            refresh: BTreeSet::new(),
            hashes: Hashes::default(),
            is_relaid: false,
        }
    }

    /// Adds the DNSKEYs; every name gets its place in the chain and its signatures. The serial stays.
    pub(super) fn start(&mut self, open: &mut Open) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let dnskey = self.keys.layout().dnskey(self.rules.dnskey_ttl);
        let mut draft = Draft::new(self.head.clone());
        let put = draft.put(&self.rules.origin, dnskey);
        assert!(put.is_ok(), "two keys break no limit");
        if self.rules.denial == Denial::Nsec3 {
            draft.put_nsec3param();
        }
        self.head = draft.view;
        open.touched.extend(self.head.nodes.keys().cloned());
        // So that the first chain and the first signatures are not compared with an unsigned past.
        open.base = View::empty(self.rules.origin.clone());
    }

    /// Publishes the keys as their set now has them, and what the parent is told of them; what they are to sign otherwise
    /// is due.
    pub(super) fn relay(&mut self, open: &mut Open, had_cds: bool, time: AgreedTime) {
        let layout = self.keys.layout();
        let mut sets = vec![layout.dnskey(self.rules.dnskey_ttl)];
        let [cds, cdnskey] = layout.cds(&self.rules);
        if !cds.is_empty() || had_cds {
            sets.extend([cds, cdnskey]);
        }
        let mut draft = Draft::new(self.head.clone());
        for set in sets {
            let put = draft.put(&self.rules.origin, set);
            assert!(put.is_ok(), "four keys break no limit");
        }
        if !std::mem::replace(&mut open.bumped, true) {
            draft.set_serial(self.rules.serial.next(self.head.serial(), time));
        }
        open.touched.extend(draft.touched);
        open.is_relaid = true;
        self.head = draft.view;
    }

    /// Takes a message's result; if it changes something, the serial moves, once a batch.
    pub(super) fn take(&mut self, open: &mut Open, mut draft: Draft, time: AgreedTime) {
        if !draft.differs_from(&self.head) {
            return;
        }
        let serial = self.head.serial();
        if (!open.bumped || planted!(SerialPerMessage)) && draft.view.serial() == serial {
            draft.set_serial(self.rules.serial.next(serial, time));
        }
        open.bumped = true;
        open.touched.extend(draft.touched);
        self.head = draft.view;
    }

    /// Whether a message's names can be in the chain: none has the hash of another.
    pub(super) fn admit(&self, open: &mut Open, draft: &Draft) -> Result<(), Box<Refusal>> {
        match self.head.denial() {
            Denial::Nsec => Ok(()),
            Denial::Nsec3 => {
                let added = open.hashes.add(&self.head, draft.touched.iter(), &hashed::hash_of);
                added.map_err(|_| Box::new(Refusal::Collision))
            }
        }
    }

    /// Has existence denied otherwise from the end of this batch on: the whole chain in one version.
    pub(super) fn deny_by(
        &mut self,
        open: &mut Open,
        denial: Denial,
        time: AgreedTime,
    ) -> Result<(), String> {
        if !self.started {
            return Err("the zone has no version yet".into());
        }
        if self.head.denial() == denial {
            return Err(format!("the zone has {} already", denial.word().to_uppercase()));
        }
        let mut draft = Draft::new(self.head.clone());
        match denial {
            Denial::Nsec => draft.remove(&self.rules.origin, RrType::NSEC3PARAM),
            Denial::Nsec3 => {
                open.hashes = Hashes::of(&self.head)?;
                draft.put_nsec3param();
            }
        }
        self.take(open, draft, time);
        Ok(())
    }

    /// Marks for signing what is due by agreed time, and what will be soon after it.
    pub(super) fn refresh(&mut self, open: &mut Open, time: AgreedTime) {
        if !self.is_due(time.secs()) || !open.refresh.is_empty() {
            return;
        }
        let slice = self.schedule.iter().take_while(|(at, ..)| *at <= time.secs() + REFRESH_SLICE_SECS);
        let slice = slice.take(MAX_REFRESHED_PER_VERSION);
        open.refresh = slice.map(|(_, key, rtype)| (key.clone(), *rtype)).collect();
        open.touched.extend(open.refresh.iter().map(|(key, _)| key.clone()));
        // Pitfall: secondaries would keep the dying signatures if the serial stood still.
        let mut draft = Draft::new(self.head.clone());
        if !std::mem::replace(&mut open.bumped, true) {
            draft.set_serial(self.rules.serial.next(self.head.serial(), time));
        }
        open.touched.extend(draft.touched);
        self.head = draft.view;
    }

    /// Whether a signature is due to be made anew.
    pub(super) fn is_due(&self, now_secs: u64) -> bool {
        self.schedule.first().is_some_and(|(at, ..)| *at <= now_secs)
    }

    /// Whether an RRset is signed otherwise than the keys are to sign.
    pub(super) fn is_stale(&self) -> bool {
        self.schedule.first().is_some_and(|(at, ..)| *at == 0)
    }

    /// Ends batch `batch`: mends the chain, plans signatures, cuts a version. Gives the new plans.
    pub(super) fn close(
        &mut self,
        open: Open,
        (batch, time): (u64, AgreedTime),
        realm: Realm,
        tally: &mut Tally,
    ) -> Vec<Arc<Signature>> {
        if open.touched.is_empty() {
            return Vec::new();
        }
        let affected = chain::mend(&open.base, &mut self.head, &open.touched);
        let mut planned = Vec::new();
        for key in &affected {
            self.plan(&open, key, time, realm, &mut planned);
            self.account(&open.base, key, (batch, time), tally);
        }
        if open.is_relaid {
            self.reschedule();
        }
        self.version += 1;
        let view = Arc::new(self.head.clone());
        self.versions.pending.push_back(Pending::new(self.version, view, planned.clone(), affected));
        planned
    }

    /// Gives each RRset at `key` the signatures it is to have: those of the same RRset before, or new plans.
    fn plan(
        &mut self,
        open: &Open,
        key: &Key,
        time: AgreedTime,
        realm: Realm,
        planned: &mut Vec<Arc<Signature>>,
    ) {
        let Some(node) = self.head.nodes.get(key) else { return };
        let standing = self.head.standing(key);
        let layout = self.keys.layout();
        let (before, at_apex) = (open.base.nodes.get(key), *key == self.apex);
        let mut node = node.clone();
        let name = node.name().clone();
        for (rtype, set) in &mut node.rrsets {
            set.signatures = Signatures::None;
            if !chain::is_signed(standing, *rtype) {
                continue;
            }
            let same =
                before.and_then(|before| before.get(*rtype)).filter(|before| before.rrset == set.rrset);
            let kept: &[_] = same.map_or(&[], |before| before.signatures.plans());
            let is_due = open.refresh.contains(&(key.clone(), *rtype));
            let lasts =
                |plan: &&Arc<Signature>| !is_due || plan.refresh_at > time.secs() + REFRESH_SLICE_SECS;
            let signatures = layout.signers(*rtype, at_apex).into_iter().map(|signer| {
                let held = kept.iter().filter(lasts).find(|plan| plan.key == signer.id).cloned();
                held.unwrap_or_else(|| {
                    let plan = Signature::plan(realm, &self.rules, signer, &name, &set.rrset, time);
                    planned.push(Arc::clone(&plan));
                    plan
                })
            });
            set.signatures = Signatures::of(signatures.collect());
        }
        self.head.nodes.insert_mut(key.clone(), node);
    }

    fn reschedule(&mut self) {
        let (layout, nodes, apex) = (self.keys.layout(), self.head.nodes.iter(), &self.apex);
        let due = nodes.flat_map(|(key, node)| {
            refreshes(node, &layout, key == apex)
                .map(|(at, rtype)| (at, key.clone(), rtype))
                .collect::<Vec<_>>()
        });
        self.schedule = due.collect();
    }

    /// Brings schedule and tally from the name as it was to the name as it is.
    fn account(&mut self, base: &View, key: &Key, at: (u64, AgreedTime), tally: &mut Tally) {
        let (before, after) = (base.nodes.get(key), self.head.nodes.get(key));
        let (layout, at_apex) = (self.keys.layout(), *key == self.apex);
        for (at, rtype) in before.into_iter().flat_map(|node| refreshes(node, &layout, at_apex)) {
            self.schedule.remove(&(at, key.clone(), rtype));
        }
        for (at, rtype) in after.into_iter().flat_map(|node| refreshes(node, &layout, at_apex)) {
            self.schedule.insert((at, key.clone(), rtype));
        }
        let mut left = Vec::new();
        let origin = self.rules.origin.to_lowercase();
        let tally = tally.bucket(element::bucket_of_owner(&origin, key));
        let types: BTreeSet<RrType> =
            before.into_iter().chain(after).flat_map(|node| node.iter().map(|(rtype, _)| rtype)).collect();
        for rtype in types {
            let (before, after) = (Held::of(before, rtype), Held::of(after, rtype));
            if before.zip(after).is_some_and(|(before, after)| before.is_same(&after)) {
                continue;
            }
            if let Some(before) = before.filter(|before| before.is_replaced_by(after)) {
                let class = match rtype {
                    RrType::DNSKEY => Class::Dnskey,
                    _ if is_signed_by(before.set, &layout.signers(rtype, at_apex)) => Class::Fresh,
                    _ => Class::Data,
                };
                let tells = at_apex && matches!(rtype, RrType::CDS | RrType::CDNSKEY);
                let classes = [Some(class), tells.then_some(Class::Cds)];
                left.extend(classes.into_iter().flatten().map(|class| (class, before.lasts(at.1))));
            }
            before.iter().for_each(|held| tally.remove(&element::rrset(&origin, held.owner, held.set)));
            after.iter().for_each(|held| tally.insert(&element::rrset(&origin, held.owner, held.set)));
        }
        for (class, secs) in left {
            self.keys.left(at.0, class, secs);
        }
    }
}

impl Open {
    /// The zone as the batch found it.
    pub(super) fn base_serial(&self) -> u32 {
        self.base.serial()
    }

    pub(super) fn into_base(self) -> View {
        self.base
    }
}

/// The records that a floor counts, where there is one.
fn counted(policy: &UpdatePolicy, head: &View) -> u64 {
    let is_counted = policy.guards.iter().any(Guard::is_floor);
    let sets = head.iter().filter(|_| is_counted).flat_map(Node::data);
    sets.filter(|(rtype, _)| guard::counts(*rtype)).map(|(_, set)| set.rrset.len() as u64).sum()
}

/// An RRset at its owner.
#[derive(Clone, Copy)]
struct Held<'a> {
    owner: &'a Name,
    set: &'a SignedRrset,
}

impl<'a> Held<'a> {
    fn of(node: Option<&'a Node>, rtype: RrType) -> Option<Self> {
        node.and_then(|node| Some(Self { owner: node.name(), set: node.get(rtype)? }))
    }

    /// Whether both are one element.
    fn is_same(&self, other: &Self) -> bool {
        let plan = |plan: &Arc<Signature>| (plan.job, plan.planned_at);
        let plans = |held: &Self| held.set.signatures.plans().iter().map(plan).collect::<Vec<_>>();
        self.owner.wire() == other.owner.wire()
            && self.set.rrset == other.set.rrset
            && plans(self) == plans(other)
    }

    /// Whether caches may hold this, signed, and what is served now is something else, or signed by other keys.
    fn is_replaced_by(&self, after: Option<Self>) -> bool {
        let signers =
            |held: &Self| held.set.signatures.plans().iter().map(|plan| plan.key).collect::<Vec<_>>();
        let stays = |after: Self| self.set.rrset == after.set.rrset && signers(self) == signers(&after);
        !signers(self).is_empty() && !after.is_some_and(stays)
    }

    /// Seconds from `time` for which a validator that fetches it now may keep it: its TTL, but no longer than its signatures last
    /// (RFC 4035 §5.3.3). So no client holds up a rollover by a TTL of years.
    fn lasts(&self, time: AgreedTime) -> u32 {
        let expires = self.set.signatures.plans().iter().map(|plan| plan.expires_at()).max();
        let left = expires.unwrap_or_default().saturating_sub(time.secs());
        self.set.rrset.ttl.min(u32::try_from(left).unwrap_or(u32::MAX))
    }
}

fn is_signed_by(set: &SignedRrset, signers: &[&ZoneKey]) -> bool {
    set.signatures.plans().iter().map(|plan| plan.key).eq(signers.iter().map(|signer| signer.id))
}

/// When the RRsets of a node are to be signed anew: at once (0) if others than these have signed.
fn refreshes<'a>(
    node: &'a Node,
    layout: &'a Layout<'_>,
    at_apex: bool,
) -> impl Iterator<Item = (u64, RrType)> + 'a {
    node.iter().filter_map(move |(rtype, set)| {
        let first = set.signatures.plans().iter().map(|plan| plan.refresh_at).min()?;
        Some((if is_signed_by(set, &layout.signers(rtype, at_apex)) { first } else { 0 }, rtype))
    })
}
