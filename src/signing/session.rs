//! What is known about one job that is not finished.

use super::culprits::Culprits;
use super::protocol::Protocol;
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

/// Which shares count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Bare ones, but not those of culprits; and proven ones.
    Bare,
    /// Proven ones only.
    Proven,
}

/// Invariants: (1) `proven` is a part of `shares`' keys; (2) a replica's proof is in `waiting`, or counted in `checking`,
/// or decided, and `proof_taken` says that it came.
pub(super) struct Session {
    /// The job that it is for.
    pub(super) job: JobId,
    /// The key that the job names: as dealt.
    pub(super) named: KeyId,
    /// That key, as it is shared.
    public: Arc<PublicKey>,
    hash: Vec<u8>,
    phase: Phase,
    pub(super) own: Own,
    /// The first share of each replica, or the one that it proved.
    shares: BTreeMap<ReplicaId, SignatureShare>,
    /// Replicas whose shares here are proven, or the own.
    proven: BTreeSet<ReplicaId>,
    /// Replicas whose bare shares or proofs are known to be wrong: told once, and no longer considered.
    wrong: BTreeSet<ReplicaId>,
    /// Replicas that sent a proof, once each.
    proof_taken: BTreeSet<ReplicaId>,
    /// Proofs that need not be verified yet; and how many are being verified.
    waiting: BTreeMap<ReplicaId, (SignatureShare, Proof)>,
    checking: usize,
    /// k-subsets of bare shares that failed.
    tried: BTreeSet<Mask>,
    /// Counts the shares' changes; `attempted` is its value at the last attempt.
    changes: u32,
    attempted: u32,
    /// An attempt is queued or given out.
    pub(super) combining: bool,
    /// The own proof, once made; and who waits for it.
    pub(super) own_proof: Option<Proof>,
    pub(super) proof_wanted_by: BTreeSet<ReplicaId>,
    /// Replicas that claimed to have the signature, once each: pending or false.
    pub(super) claimed: BTreeSet<ReplicaId>,
    /// When to ask next, and after how many milliseconds again.
    pub(super) ask_at: Option<UnixMillis>,
    pub(super) ask_interval: u64,
    /// It has taken so long that culprits' proofs are welcome.
    pub(super) late: bool,
}

impl Session {
    pub(super) fn new(named: KeyId, job: JobId, spec: Spec, protocol: Protocol, ask_interval: u64) -> Self {
        Self {
            job,
            named,
            public: spec.public,
            hash: spec.hash,
            phase: if protocol.trusts() { Phase::Bare } else { Phase::Proven },
            own: Own::Queued,
            shares: BTreeMap::new(),
            proven: BTreeSet::new(),
            wrong: BTreeSet::new(),
            proof_taken: BTreeSet::new(),
            waiting: BTreeMap::new(),
            checking: 0,
            tried: BTreeSet::new(),
            changes: 0,
            attempted: 0,
            combining: false,
            own_proof: None,
            proof_wanted_by: BTreeSet::new(),
            claimed: BTreeSet::new(),
            ask_at: None,
            ask_interval,
            late: false,
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

    /// Whether a share of `who` can only count with its proof.
    pub(super) fn wants_proof_of(&self, who: ReplicaId, culprits: &Culprits) -> bool {
        self.phase == Phase::Proven || (self.late && culprits.has(who))
    }

    /// Whether there is nothing more to hope for from `who` but a finished signature.
    pub(super) fn has_of(&self, who: ReplicaId, culprits: &Culprits) -> bool {
        let bare = self.shares.contains_key(&who) && !self.wants_proof_of(who, culprits);
        bare || self.proven.contains(&who) || self.waiting.contains_key(&who)
    }

    /// A bare share of a peer: the first counts.
    pub(super) fn add_bare(&mut self, who: ReplicaId, share: SignatureShare) {
        if let Entry::Vacant(place) = self.shares.entry(who) {
            place.insert(share);
            self.changes += 1;
        }
    }

    /// A share with its proof: the first of a replica, whatever becomes of it.
    pub(super) fn add_proof(&mut self, who: ReplicaId, share: SignatureShare, proof: Proof) {
        if self.proof_taken.insert(who) {
            self.waiting.insert(who, (share, proof));
        }
    }

    /// The own share.
    pub(super) fn add_own(&mut self, me: ReplicaId, share: SignatureShare, proof: Option<Proof>) {
        self.own = Own::Sent;
        self.own_proof = proof;
        self.shares.insert(me, share);
        self.proven.insert(me);
        self.changes += 1;
    }

    /// What verifying a proof said. Whether it shows that `who` had sent something else before.
    pub(super) fn verified(&mut self, who: ReplicaId, share: SignatureShare, holds: bool) -> bool {
        self.checking = self.checking.saturating_sub(1);
        if !holds {
            self.discard(who);
            return false;
        }
        let earlier = self.shares.insert(who, share.clone());
        let contradicts = earlier.is_some_and(|earlier| earlier != share) && !self.wrong.contains(&who);
        self.proven.insert(who);
        self.changes += 1;
        contradicts
    }

    /// What this replica sent is wrong; false if that is known.
    pub(super) fn discard(&mut self, who: ReplicaId) -> bool {
        self.changes += 1;
        self.wrong.insert(who)
    }

    /// Proofs to verify now: as many as are lacking, culprits' last.
    pub(super) fn next_proofs(
        &mut self,
        k: usize,
        culprits: &Culprits,
    ) -> Vec<(ReplicaId, SignatureShare, Proof)> {
        // The own share will be there before another is verified.
        let coming = self.checking + usize::from(self.own == Own::Queued);
        let lacking = k.saturating_sub(self.proven.len() + coming);
        let mut order: Vec<ReplicaId> = self.waiting.keys().copied().collect();
        order.sort_by_key(|who| culprits.has(*who));
        order.truncate(lacking);
        self.checking += order.len();
        let taken = order.into_iter().filter_map(|who| {
            let (share, proof) = self.waiting.remove(&who)?;
            Some((who, share, proof))
        });
        taken.collect()
    }

    /// Whether something has changed since the last attempt, and k shares count.
    pub(super) fn ready(&self, k: usize, culprits: &Culprits) -> bool {
        !self.combining && self.attempted != self.changes && self.counting(culprits).count() >= k
    }

    fn counting<'a>(&'a self, culprits: &'a Culprits) -> impl Iterator<Item = ReplicaId> + 'a {
        let counts = |who: &ReplicaId| match self.phase {
            Phase::Bare => self.proven.contains(who) || !(self.wrong.contains(who) || culprits.has(*who)),
            Phase::Proven => self.proven.contains(who),
        };
        self.shares.keys().copied().filter(counts)
    }

    /// The shares that count, the own first, then the proven; what has been tried of them; and the others, to be tested when
    /// the signature is known.
    pub(super) fn attempt(
        &mut self,
        job: JobId,
        me: ReplicaId,
        culprits: &Culprits,
        protocol: Protocol,
    ) -> Attempt {
        self.attempted = self.changes;
        let mut order: Vec<ReplicaId> = self.counting(culprits).collect();
        order.sort_by_key(|who| (*who != me, !self.proven.contains(who), *who));
        let idle = |who: &ReplicaId| !order.contains(who) && !self.wrong.contains(who);
        let suspects = self.shares.keys().copied().filter(idle).collect();
        let with_shares =
            |whose: Vec<ReplicaId>| whose.into_iter().map(|who| (who, self.shares[&who].clone())).collect();
        // k proven shares combine, whatever failed in other company; if not, see `failed`.
        let (tried, most) = match self.phase {
            Phase::Bare => (self.tried.clone(), protocol.bare_tries()),
            Phase::Proven => (BTreeSet::new(), 1),
        };
        let (suspects, shares) = (with_shares(suspects), with_shares(order));
        Attempt { spec: self.spec(job), shares, tried, most, suspects }
    }

    /// An attempt has failed; whether the others' proofs are needed from now on.
    pub(super) fn failed(
        &mut self,
        tried: BTreeSet<Mask>,
        me: ReplicaId,
        n: usize,
        protocol: Protocol,
    ) -> bool {
        self.combining = false;
        match self.phase {
            Phase::Bare => {
                self.tried.extend(tried);
                let exhausted = self.tried.len() >= protocol.bare_tries() || self.shares.len() == n;
                if exhausted && !planted!(NoFallBack) {
                    self.phase = Phase::Proven;
                }
                self.phase == Phase::Proven
            }
            // All were proven but the own: this machine has miscalculated.
            Phase::Proven => {
                if self.proven.remove(&me) {
                    self.discard(me);
                }
                false
            }
        }
    }
}
