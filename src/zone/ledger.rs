//! One zone: its newest state, which execution works on, and the versions that were cut from it.
//!
//! Within a batch the data of `head` change message by message. Closing the batch mends the chain, plans the signatures that
//! are lacking, and cuts a version; a batch that changed nothing cuts none.

use super::chain;
use super::digest::SetDigest;
use super::draft::Draft;
use super::rules::ZoneRules;
use super::signature::{Realm, Signature};
use super::versions::{Pending, Versions};
use super::view::{Key, Node, View};
use crate::codec;
use crate::dns::{RrType, Rrset};
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
    digest: SetDigest,
}

/// What a batch has done to a zone so far.
pub(super) struct Open {
    base: View,
    touched: BTreeSet<Key>,
    /// Whether the serial has moved.
    bumped: bool,
    /// What is to be signed anew though unchanged.
    refresh: BTreeSet<(Key, RrType)>,
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
            digest: SetDigest::default(),
        }
    }

    /// Begins a batch.
    pub(super) fn open(&self) -> Open {
        Open { base: self.head.clone(), touched: BTreeSet::new(), bumped: false, refresh: BTreeSet::new() }
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
        if !open.bumped && draft.view.serial() == serial {
            draft.set_serial(self.rules.serial.next(serial, time));
        }
        open.bumped = true;
        open.touched.extend(draft.touched);
        self.head = draft.view;
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
    pub(super) fn close(&mut self, open: Open, time: AgreedTime, realm: Realm) -> Vec<Arc<Signature>> {
        if open.touched.is_empty() {
            return Vec::new();
        }
        let affected = chain::mend(&open.base, &mut self.head, &open.touched);
        let mut planned = Vec::new();
        for key in &affected {
            self.plan(&open, key, time, realm, &mut planned);
            self.account(&open.base, key);
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

    /// Brings schedule and digest from the name as it was to the name as it is.
    fn account(&mut self, base: &View, key: &Key) {
        let (before, after) = (base.nodes.get(key), self.head.nodes.get(key));
        for (at, rtype) in before.into_iter().flat_map(refreshes) {
            self.schedule.remove(&(at, key.clone(), rtype));
        }
        for (at, rtype) in after.into_iter().flat_map(refreshes) {
            self.schedule.insert((at, key.clone(), rtype));
        }
        // The apex of the empty zone before genesis is in no digest.
        let live = |node: Option<&Node>| node.filter(|node| !node.rrsets.is_empty()).map(element);
        let (before, after) = (live(before), live(after));
        if before != after {
            let origin = self.rules.origin.wire();
            before.iter().for_each(|before| self.digest.remove(&[b"node", origin, before]));
            after.iter().for_each(|after| self.digest.insert(&[b"node", origin, after]));
        }
    }

    /// The digest of the newest state.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest.bytes()
    }

    #[cfg(test)]
    pub(super) fn recomputed_digest(&self) -> [u8; 32] {
        let mut digest = SetDigest::default();
        if self.started {
            for node in self.head.iter() {
                digest.insert(&[b"node", self.rules.origin.wire(), &element(node)]);
            }
        }
        digest.bytes()
    }
}

fn refreshes(node: &Node) -> impl Iterator<Item = (u64, RrType)> {
    node.iter().filter_map(|(rtype, set)| Some((set.signature.as_ref()?.refresh_at, rtype)))
}

/// All of a node that replicas must agree on. Signatures follow from what is planned.
fn element(node: &Node) -> Vec<u8> {
    let mut bytes = codec::encode(node.name());
    for (_, set) in node.iter() {
        bytes.extend(codec::encode(&*set.rrset));
        let planned = set.signature.as_ref().map(|signature| (signature.job, signature.refresh_at));
        bytes.extend(codec::encode(&planned));
    }
    bytes
}
