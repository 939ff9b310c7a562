//! Checkpoints: what t+1 replicas say the order has come to.
//!
//! After a batch that holds a [`Mark`] each replica executes it and signs a [`Statement`] over the resulting state (its
//! vote). t+1 equal votes of distinct replicas are a [`Certificate`]: at least one of them is correct, so the state is what
//! the order determines. The newest certificate of a checkpoint that was executed here, too, is *stable*: from it follow the
//! collection line (its round - 64; vertices from `previous` - 64 on are kept for those that are just fetching the checkpoint
//! before), and what a replica that is behind may take over instead of the history.
//!
//! Votes are few and small: sent once to all, and again to a peer whose link is new. So are certificates, by whoever moves its
//! line: t corrupt replicas could vote to it only. Of each peer those of the
//! [`MAX_VOTES`] highest rounds are kept, so that one that votes for made-up rounds crowds out its own only. A replica
//! whose own statement differs from a certified one has *diverged*: more than t others are corrupt, or this one is.

use super::Consensus;
use super::identity::{IdentityKey, Signature};
use super::vertex::{Domain, VertexRef};
use crate::codec::{Digest, encode};
use crate::limits::HISTORY_ROUNDS;
use crate::quorum::{Committee, ReplicaId};
use crate::time::AgreedTime;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;

/// Votes of one replica, and own statements that are not certified, that are kept: those of the highest rounds. More
/// than a replica is behind with signing while others go on, or it takes the next checkpoint instead.
const MAX_VOTES: usize = 8;

/// From where ordering goes on after a checkpoint; determined by the order alone.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Mark {
    /// C: the round of the batch that holds it; the next slots are those of round C + 1.
    pub round: u64,
    /// The round of the mark before, 0 if there is none.
    pub previous: u64,
    /// Agreed time.
    pub time: AgreedTime,
    /// The vertices of rounds ≥ C - 64 that are delivered, ascending.
    pub delivered: Vec<VertexRef>,
}

impl Mark {
    /// Below it nothing can matter to who goes on from here: a leader of round C + 1 delivers from C - 63 on.
    pub fn line(&self) -> u64 {
        self.round.saturating_sub(HISTORY_ROUNDS)
    }

    /// What a statement's state digest binds.
    pub fn digest(&self) -> Digest {
        crate::codec::digest("conclave/mark", &[&encode(self)])
    }
}

/// What a replica signs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Statement {
    /// C.
    pub round: u64,
    /// The round of the checkpoint before, 0 if there is none.
    pub previous: u64,
    /// The digest of mark and executed state.
    pub state: Digest,
    /// The digest of all batches up to this one.
    pub history: Digest,
}

impl Statement {
    pub(super) fn digest(&self, domain: &Domain) -> Digest {
        domain.digest("conclave/checkpoint", &[&encode(self)])
    }

    /// The collection line of those that have executed it or taken it over: they accept vertices without ancestors below.
    pub fn line(&self) -> u64 {
        self.round.saturating_sub(HISTORY_ROUNDS)
    }

    /// Below this round those that have executed it may hold nothing any more.
    pub fn collected(&self) -> u64 {
        self.previous.saturating_sub(HISTORY_ROUNDS)
    }
}

/// A statement with the signatures of t+1 replicas, ascending.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Certificate {
    /// What is certified.
    pub statement: Statement,
    pub(super) signatures: Vec<(ReplicaId, Signature)>,
}

/// What verifies votes and certificates.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub committee: Committee,
    pub domain: &'a Domain,
    pub identities: &'a [[u8; 32]],
}

impl Judge<'_> {
    pub fn is_vote(&self, who: ReplicaId, statement: &Statement, signature: &Signature) -> bool {
        self.is_signature(who, signature, &statement.digest(self.domain))
    }

    pub fn is_signature(&self, who: ReplicaId, signature: &Signature, digest: &Digest) -> bool {
        self.identities.get(who.slot()).is_some_and(|public| signature.verifies(public, digest))
    }

    /// Whether these are the signatures of so many replicas over this digest, ascending.
    pub fn are_signatures(
        &self,
        count: usize,
        signatures: &[(ReplicaId, Signature)],
        digest: &Digest,
    ) -> bool {
        signatures.len() == count
            && signatures.windows(2).all(|pair| pair[0].0 < pair[1].0)
            && signatures.iter().all(|(who, signature)| self.is_signature(*who, signature, digest))
    }

    pub fn is_certificate(&self, certificate: &Certificate) -> bool {
        let digest = certificate.statement.digest(self.domain);
        self.are_signatures(self.committee.one_correct(), &certificate.signatures, &digest)
    }
}

/// A signed statement.
pub(super) type Vote = (Statement, Signature);

/// What is known of checkpoints.
///
/// Invariant: whatever is below the stable checkpoint is forgotten.
#[derive(Default)]
pub(super) struct Checkpoints {
    /// Executed here.
    own: BTreeMap<u64, Statement>,
    votes: BTreeMap<ReplicaId, BTreeMap<u64, Vote>>,
    certified: BTreeMap<u64, Certificate>,
    stable: Option<Certificate>,
    diverged: Option<Certificate>,
}

impl Checkpoints {
    /// The newest certificate.
    pub fn newest(&self) -> Option<&Certificate> {
        self.certified.last_key_value().map(|(_, certificate)| certificate).or(self.stable.as_ref())
    }

    /// The newest certificate of a checkpoint that was executed here.
    pub fn stable(&self) -> Option<&Certificate> {
        self.stable.as_ref()
    }

    /// A certificate that contradicts what was executed here.
    pub fn diverged(&self) -> Option<&Certificate> {
        self.diverged.as_ref()
    }

    /// Goes on from a certificate that was taken over.
    pub fn resume(&mut self, certificate: Certificate) {
        self.own.insert(certificate.statement.round, certificate.statement);
        self.settle(certificate);
    }

    /// This replica has executed a checkpoint; its vote, to be sent to all.
    pub fn executed(
        &mut self,
        me: ReplicaId,
        statement: Statement,
        domain: &Domain,
        key: &IdentityKey,
    ) -> Vote {
        let vote = (statement, key.sign(&statement.digest(domain)));
        keep(&mut self.own, statement.round, statement);
        keep(self.votes.entry(me).or_default(), statement.round, vote);
        vote
    }

    /// Whether a vote of this replica, or a certificate (nobody's vote), could count still.
    pub fn wants(&self, who: Option<ReplicaId>, round: u64) -> bool {
        let old = self.stable.as_ref().is_some_and(|stable| round <= stable.statement.round);
        let voted =
            who.is_some_and(|who| self.votes.get(&who).is_some_and(|votes| votes.contains_key(&round)));
        !old && !voted && !self.certified.contains_key(&round)
    }

    /// Takes a verified vote; if it makes a certificate, that too.
    pub fn voted(&mut self, who: ReplicaId, vote: Vote, committee: Committee) {
        let (statement, _) = vote;
        keep(self.votes.entry(who).or_default(), statement.round, vote);
        let equal = |(who, votes): (&ReplicaId, &BTreeMap<u64, Vote>)| {
            let (other, signature) = votes.get(&statement.round)?;
            (*other == statement).then_some((*who, *signature))
        };
        let signatures: Vec<_> = self.votes.iter().filter_map(equal).take(committee.one_correct()).collect();
        if signatures.len() == committee.one_correct() {
            self.take(Certificate { statement, signatures });
        }
    }

    /// Takes a verified certificate.
    pub fn take(&mut self, certificate: Certificate) {
        keep(&mut self.certified, certificate.statement.round, certificate);
    }

    /// Whether a newer checkpoint has become stable.
    pub fn advance(&mut self) -> bool {
        let executed = self.certified.values().rev().find_map(|certificate| {
            let own = self.own.get(&certificate.statement.round)?;
            Some((certificate.clone(), *own == certificate.statement))
        });
        match executed {
            None => false,
            Some((certificate, false)) => {
                self.diverged = Some(certificate);
                false
            }
            Some((certificate, true)) => {
                self.settle(certificate);
                true
            }
        }
    }

    /// The own votes that no certificate has made needless, for a peer whose link is new.
    pub fn own_votes(&self, me: ReplicaId) -> impl Iterator<Item = Vote> {
        self.votes.get(&me).into_iter().flatten().map(|(_, vote)| *vote)
    }

    fn settle(&mut self, certificate: Certificate) {
        let after = certificate.statement.round + 1;
        self.own = self.own.split_off(&after);
        self.certified = self.certified.split_off(&after);
        for votes in self.votes.values_mut() {
            *votes = votes.split_off(&after);
        }
        self.stable = Some(certificate);
    }
}

impl Consensus {
    /// The newest certified checkpoint that was executed here.
    pub fn stable(&self) -> Option<&Certificate> {
        self.checkpoints.stable()
    }

    /// A certificate that contradicts what was executed here: this replica must not go on.
    pub fn diverged(&self) -> Option<&Certificate> {
        self.checkpoints.diverged()
    }

    /// The newest certified checkpoint.
    pub fn certified(&self) -> Option<&Certificate> {
        self.checkpoints.newest()
    }
}

/// Keeps an entry, and of all those of the highest rounds.
fn keep<V>(entries: &mut BTreeMap<u64, V>, round: u64, value: V) {
    entries.insert(round, value);
    while entries.len() > MAX_VOTES {
        entries.pop_first();
    }
}
