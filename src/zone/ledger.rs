//! One zone: its newest state, which execution works on, and the versions that were cut from it.
//!
//! Within a batch the data of `head` change message by message. Closing the batch mends the chain, plans the signatures that
//! are lacking, and cuts a version; a batch that changed nothing cuts none.

use super::chain;
use super::digest::Tally;
use super::draft::Draft;
use super::element;
use super::hashed::{self, Hashes};
use super::rules::ZoneRules;
use super::signature::{Realm, Signature};
use super::versions::{Pending, Versions};
use super::view::{Denial, Key, Node, SignedRrset, View};
use crate::dns::{Name, Rcode, RrType, Rrset};
use crate::limits::MAX_REFRESHED_PER_VERSION;
use crate::time::{AgreedTime, HOUR, SECOND};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Seconds of due times that one refresh takes together: the jitter spreads over a day, and not every second of it is to
/// bump the serial.
const REFRESH_SLICE_SECS: u64 = HOUR / SECOND;

pub(super) struct Ledger {
    pub(super) rules: ZoneRules,
    pub(super) head: View,
    /// Whether genesis is done.
    pub(super) started: bool,
    /// The number of the newest version, 0 before the first.
    pub(super) version: u64,
    pub(super) versions: Versions,
    /// When each signature of `head` is to be made anew.
    schedule: BTreeSet<(u64, Key, RrType)>,
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
}

impl Ledger {
    pub(super) fn new(rules: ZoneRules, head: View) -> Self {
        Self {
            rules,
            head,
            started: false,
            version: 0,
            versions: Versions::default(),
            schedule: BTreeSet::new(),
        }
    }

    /// The zone as it was at its version `version`, after genesis. Where a signature is lacking, so is the version.
    pub(super) fn restored(rules: ZoneRules, head: View, version: u64) -> Self {
        let mut ledger = Self { started: true, version, ..Self::new(rules, head) };
        chain::rebuild(&mut ledger.head);
        let view = Arc::new(ledger.head.clone());
        for (key, node) in &ledger.head.nodes {
            ledger.schedule.extend(refreshes(node).map(|(at, rtype)| (at, key.clone(), rtype)));
        }
        let plans = ledger.plans().cloned().collect();
        // The whole chain is checked: no version before was checked here.
        let affected = ledger.head.nodes.keys().cloned().collect();
        ledger.versions.pending.push_back(Pending::new(version, view, plans, affected));
        ledger
    }

    /// The plans of the newest state.
    pub(super) fn plans(&self) -> impl Iterator<Item = &Arc<Signature>> {
        self.head.iter().flat_map(|node| node.iter().filter_map(|(_, set)| set.signature.as_ref()))
    }

    /// Begins a batch.
    pub(super) fn open(&self) -> Open {
        Open {
            base: self.head.clone(),
            touched: BTreeSet::new(),
            bumped: false,
            refresh: BTreeSet::new(),
            hashes: Hashes::default(),
        }
    }

    /// Adds the DNSKEYs; every name gets its place in the chain and its signatures. The serial stays.
    pub(super) fn start(&mut self, open: &mut Open) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let keys = [&self.rules.ksk, &self.rules.zsk].map(|key| key.dnskey.clone());
        let mut draft = Draft::new(self.head.clone());
        let put = draft.put(&self.rules.origin, Rrset::of(RrType::DNSKEY, self.rules.dnskey_ttl, keys));
        assert!(put.is_ok(), "two keys break no limit");
        if self.rules.denial == Denial::Nsec3 {
            draft.put_nsec3param();
        }
        self.head = draft.view;
        open.touched.extend(self.head.nodes.keys().cloned());
        // So that the first chain and the first signatures are not compared with an unsigned past.
        open.base = View::empty(self.rules.origin.clone());
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

    /// Whether a message's names can be in the chain: REFUSED if one has the hash of another.
    pub(super) fn admit(&self, open: &mut Open, draft: &Draft) -> Result<(), Rcode> {
        match self.head.denial() {
            Denial::Nsec => Ok(()),
            Denial::Nsec3 => {
                let added = open.hashes.add(&self.head, draft.touched.iter(), &hashed::hash_of);
                added.map_err(|_| Rcode::REFUSED)
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

    /// Ends the batch: mends the chain, plans signatures, cuts a version. Gives the new plans.
    pub(super) fn close(
        &mut self,
        open: Open,
        time: AgreedTime,
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
            self.account(&open.base, key, tally);
        }
        self.version += 1;
        let view = Arc::new(self.head.clone());
        self.versions.pending.push_back(Pending::new(self.version, view, planned.clone(), affected));
        planned
    }

    /// Gives each RRset at `key` the signature it is to have: that of the same RRset before, or a new plan.
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
        let before = open.base.nodes.get(key);
        let mut node = node.clone();
        let name = node.name().clone();
        for (rtype, set) in &mut node.rrsets {
            set.signature = None;
            if !chain::is_signed(standing, *rtype) {
                continue;
            }
            let same =
                before.and_then(|before| before.get(*rtype)).filter(|before| before.rrset == set.rrset);
            let kept = same.and_then(|before| before.signature.clone());
            set.signature = kept.filter(|_| !open.refresh.contains(&(key.clone(), *rtype))).or_else(|| {
                let plan = Signature::plan(realm, &self.rules, &name, &set.rrset, time);
                planned.push(Arc::clone(&plan));
                Some(plan)
            });
        }
        self.head.nodes.insert_mut(key.clone(), node);
    }

    /// Brings schedule and tally from the name as it was to the name as it is.
    fn account(&mut self, base: &View, key: &Key, tally: &mut Tally) {
        let (before, after) = (base.nodes.get(key), self.head.nodes.get(key));
        for (at, rtype) in before.into_iter().flat_map(refreshes) {
            self.schedule.remove(&(at, key.clone(), rtype));
        }
        for (at, rtype) in after.into_iter().flat_map(refreshes) {
            self.schedule.insert((at, key.clone(), rtype));
        }
        let origin = self.rules.origin.to_lowercase();
        let tally = tally.bucket(element::bucket_of_owner(&origin, key));
        let types: BTreeSet<RrType> =
            before.into_iter().chain(after).flat_map(|node| node.iter().map(|(rtype, _)| rtype)).collect();
        for rtype in types {
            let (before, after) = (Held::of(before, rtype), Held::of(after, rtype));
            if before.zip(after).is_some_and(|(before, after)| before.is_same(&after)) {
                continue;
            }
            before.iter().for_each(|held| tally.remove(&element::rrset(&origin, held.owner, held.set)));
            after.iter().for_each(|held| tally.insert(&element::rrset(&origin, held.owner, held.set)));
        }
    }
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
        let plan = |held: &Self| held.set.signature.as_ref().map(|plan| (plan.job, plan.planned_at));
        self.owner.wire() == other.owner.wire()
            && self.set.rrset == other.set.rrset
            && plan(self) == plan(other)
    }
}

fn refreshes(node: &Node) -> impl Iterator<Item = (u64, RrType)> {
    node.iter().filter_map(|(rtype, set)| Some((set.signature.as_ref()?.refresh_at, rtype)))
}
