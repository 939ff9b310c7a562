//! What is known about one job that is not finished.

use super::subsets::Mask;
use super::task::{Attempt, Spec};
use crate::codec::{JobId, KeyId};
use crate::quorum::ReplicaId;
use crate::threshold::{Proof, PublicKey, SignatureShare};
use crate::time::UnixMillis;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How far the own share is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Own {
    /// In the queue, or given out.
    Queued,
    /// Put off, because an attempt to combine others' shares was under way: likely it will not be needed.
    PutOff,
    /// Cannot be made: the replica has no share of this sharing, or not yet.
    Lacking,
    /// Made and sent.
    Sent,
}

pub(super) struct Session {
    /// The job that it is for.
    pub(super) job: JobId,
    /// The key that the job names: as dealt.
    pub(super) named: KeyId,
    /// That key, as it is shared.
    public: Arc<PublicKey>,
    hash: Vec<u8>,
    pub(super) own: Own,
    /// The first share of each replica, or the one that it proved.
    shares: BTreeMap<ReplicaId, SignatureShare>,
    /// Replicas whose shares here are proven, or the own.
    proven: BTreeSet<ReplicaId>,
    /// Replicas whose bare shares are no longer considered.
    wrong: BTreeSet<ReplicaId>,
    /// k-subsets of bare shares that failed.
    tried: BTreeSet<Mask>,
    /// Counts the shares' changes; `attempted` is its value at the last attempt.
    changes: u32,
    attempted: u32,
    /// An attempt is queued or given out.
    pub(super) combining: bool,
    /// The others have been asked for proofs: only proven shares count.
    pub(super) proofs_asked: bool,
    /// Replicas that sent a proof, once each: pending, good or bad.
    pub(super) proof_taken: BTreeSet<ReplicaId>,
    /// The own proof, once made; and who waits for it.
    pub(super) own_proof: Option<Proof>,
    pub(super) proof_wanted_by: BTreeSet<ReplicaId>,
    /// Replicas that claimed to have the signature, once each: pending or false.
    pub(super) claimed: BTreeSet<ReplicaId>,
    /// When to ask next, and after how many milliseconds again.
    pub(super) ask_at: Option<UnixMillis>,
    pub(super) ask_interval: u64,
}

impl Session {
    pub(super) fn new(named: KeyId, job: JobId, spec: Spec, ask_interval: u64) -> Self {
        Self {
            job,
            named,
            public: spec.public,
            hash: spec.hash,
            own: Own::Queued,
            shares: BTreeMap::new(),
            proven: BTreeSet::new(),
            wrong: BTreeSet::new(),
            tried: BTreeSet::new(),
            changes: 0,
            attempted: 0,
            combining: false,
            proofs_asked: false,
            proof_taken: BTreeSet::new(),
            own_proof: None,
            proof_wanted_by: BTreeSet::new(),
            claimed: BTreeSet::new(),
            ask_at: None,
            ask_interval,
        }
    }

    pub(super) fn spec(&self, job: JobId) -> Spec {
        Spec { job, public: self.public.clone(), hash: self.hash.clone() }
    }

    pub(super) fn key(&self) -> &PublicKey {
        &self.public
    }

    pub(super) fn share_of(&self, who: ReplicaId) -> Option<&SignatureShare> {
        self.shares.get(&who)
    }

    /// Whether there is nothing more to hope for from `who`: its share is proven, or taken while bare shares count.
    pub(super) fn has_of(&self, who: ReplicaId) -> bool {
        self.proven.contains(&who) || (!self.proofs_asked && self.shares.contains_key(&who))
    }

    /// A bare share of a peer: the first counts.
    pub(super) fn add_bare(&mut self, who: ReplicaId, share: SignatureShare) {
        if let Entry::Vacant(place) = self.shares.entry(who) {
            place.insert(share);
            self.changes += 1;
        }
    }

    /// The own share, or one whose proof holds.
    pub(super) fn add_proven(&mut self, who: ReplicaId, share: SignatureShare) {
        self.shares.insert(who, share);
        self.proven.insert(who);
        self.wrong.remove(&who);
        self.changes += 1;
    }

    /// The bare share of this replica is wrong.
    pub(super) fn discard(&mut self, who: ReplicaId) {
        self.wrong.insert(who);
        self.changes += 1;
    }

    /// Whether something has changed since the last attempt, and k shares count.
    pub(super) fn ready(&self, k: usize) -> bool {
        !self.combining && self.attempted != self.changes && self.counting().count() >= k
    }

    fn counting(&self) -> impl Iterator<Item = ReplicaId> {
        let counts = |who: &ReplicaId| match self.proofs_asked {
            true => self.proven.contains(who),
            false => !self.wrong.contains(who),
        };
        self.shares.keys().copied().filter(counts)
    }

    /// The shares that count, the most trusted first, what has been tried of them, and the shares that do not count.
    pub(super) fn attempt(&mut self, job: JobId, me: ReplicaId, culprits: &BTreeSet<ReplicaId>) -> Attempt {
        self.attempted = self.changes;
        let mut order: Vec<ReplicaId> = self.counting().collect();
        order.sort_by_key(|who| (*who != me, !self.proven.contains(who), culprits.contains(who), *who));
        let shares = order.iter().map(|who| (*who, self.shares[who].clone())).collect();
        // With proofs a fresh count: k proven shares combine, whatever failed in other company.
        let tried = if self.proofs_asked { BTreeSet::new() } else { self.tried.clone() };
        let unproven = self.shares.iter().filter(|(who, _)| self.proofs_asked && !self.proven.contains(who));
        let suspects = unproven.map(|(who, share)| (*who, share.clone())).collect();
        Attempt { spec: self.spec(job), shares, tried, suspects }
    }

    /// An attempt has failed; whether bare shares are to be given up for proofs.
    pub(super) fn failed(&mut self, tried: BTreeSet<Mask>, max_tries: usize, n: usize) -> bool {
        self.combining = false;
        self.tried.extend(tried);
        let exhausted = self.tried.len() >= max_tries || self.shares.len() == n;
        !self.proofs_asked && exhausted
    }
}
