//! The end of an epoch: what t+1 of its replicas say it came to, and which cluster goes on from there.
//!
//! The command that ends an epoch is a request like any other; execution finds it, at one place in the order, alike on all
//! correct replicas. Each then signs an [`Ending`]: the state after that batch, and the successor that the command names. t+1
//! equal ones are a [`Finale`]: at least one is of a correct replica, so there is one finale an epoch. It verifies with the
//! public keys of the epoch alone: whoever holds its cluster file can follow the chain into the next.
//!
//! **Leaving.** A replica that has executed the end proposes nothing more, and goes on making vertices so that the others get
//! there. Once it has its state and a finale it takes no further part in the order: who is behind takes the last state
//! instead. Its vote, and the finale, are sent to all once and to each peer whose link is new; so a replica that has not
//! heard of the end lacks at most a link.
//!
//! A vote does not say that its signer has anything on disk, or knows what the others have signed: a crash forgets both. So
//! a replica whose machine goes on says, apart from that, that the state with which the epoch ended is durable there
//! ([`Message::Kept`]), to all once and to each peer whose link is new. Only that releases those that do not go on.
//!
//! Of each replica one vote is kept.

use super::checkpoint::Judge;
use super::identity::{IdentityKey, Signature};
use super::vertex::Domain;
use super::{Config, Consensus, Message, Step};
use crate::codec::{ClusterId, Digest, Epoch, encode};
use crate::protocol::{Fault, Misbehaviour, To};
use crate::quorum::{Committee, ReplicaId};
use crate::time::UnixMillis;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};

/// How an epoch ended.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Ending {
    /// The round of the batch that ended it.
    pub round: u64,
    /// The digest of the state after it.
    pub state: Digest,
    /// The digest of all batches up to it.
    pub history: Digest,
    /// The cluster that goes on.
    pub successor: ClusterId,
    /// Its t.
    pub faults: u8,
    /// The replicas of this epoch that are in it, ascending.
    pub continuing: Vec<ReplicaId>,
}

impl Ending {
    pub(super) fn digest(&self, domain: &Domain) -> Digest {
        domain.digest("conclave/ending", &[&encode(self)])
    }
}

/// An ending with the signatures of t+1 replicas of its epoch, ascending.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Finale {
    /// How the epoch ended.
    pub ending: Ending,
    pub(super) signatures: Vec<(ReplicaId, Signature)>,
}

/// Who may end an epoch: its replicas.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Authority {
    /// The replicas.
    pub committee: Committee,
    /// The cluster.
    pub cluster: ClusterId,
    /// The epoch.
    pub epoch: Epoch,
    /// Ed25519 public keys, by slot.
    pub identities: Vec<[u8; 32]>,
}

impl Config {
    /// Who may end this epoch.
    pub fn authority(&self) -> Authority {
        let Self { committee, cluster, epoch, identities, .. } = self;
        Authority { committee: *committee, cluster: *cluster, epoch: *epoch, identities: identities.clone() }
    }
}

impl Finale {
    /// Whether it is signed by t+1 of these.
    pub fn verifies(&self, authority: &Authority) -> bool {
        let domain = Domain { cluster: authority.cluster, epoch: authority.epoch };
        let Authority { committee, identities, .. } = authority;
        self.is_valid(&Judge { committee: *committee, domain: &domain, identities })
    }

    fn is_valid(&self, judge: &Judge<'_>) -> bool {
        let digest = self.ending.digest(judge.domain);
        judge.are_signatures(judge.committee.one_correct(), &self.signatures, &digest)
    }
}

/// What is known of the end.
#[derive(Default)]
pub(super) struct End {
    own: Option<Ending>,
    votes: BTreeMap<ReplicaId, (Ending, Signature)>,
    finale: Option<Finale>,
    /// Who has said that the last state is durable there.
    kept: BTreeSet<ReplicaId>,
}

impl End {
    /// Whether this replica has executed the end: it proposes nothing more.
    pub fn is_near(&self) -> bool {
        self.own.is_some()
    }

    /// Whether it takes no further part in the order.
    pub fn is_over(&self) -> bool {
        self.own.is_some() && self.finale.is_some()
    }

    fn voted(&mut self, who: ReplicaId, ending: &Ending, signature: Signature, committee: Committee) {
        self.votes.entry(who).or_insert_with(|| (ending.clone(), signature));
        let equal = self.votes.iter().filter(|(_, (other, _))| other == ending);
        let signatures: Vec<_> =
            equal.map(|(who, (_, signature))| (*who, *signature)).take(committee.one_correct()).collect();
        if signatures.len() == committee.one_correct() && self.finale.is_none() {
            self.finale = Some(Finale { ending: ending.clone(), signatures });
        }
    }
}

impl Consensus {
    /// This replica has come to the end of its epoch, by its own execution or by taking over the last state.
    pub fn ended(&mut self, now: UnixMillis, ending: Ending) -> Step {
        let mut step = Step::default();
        let (me, key) = (self.config.me, &self.secrets.identity);
        let signature = sign(key, &ending, &self.domain);
        self.end.own = Some(ending.clone());
        self.creation.pending = Default::default();
        if self.config.committee.n() > 1 {
            step.send.push((To::Others, Message::Ended(ending.clone(), signature)));
        }
        let knew = self.end.finale.is_some();
        self.end.voted(me, &ending, signature, self.config.committee);
        self.tell_finale(knew, &mut step);
        self.finish(now, step)
    }

    /// The end of the epoch is known to be certified: from the own disk, which verified it before.
    pub fn know_finale(&mut self, finale: Finale) {
        self.end.finale = Some(finale);
    }

    /// The end of the epoch, once it is certified.
    pub fn finale(&self) -> Option<&Finale> {
        self.end.finale.as_ref()
    }

    /// The state with which the epoch ended is durable at this machine, which goes on: the others are told.
    pub fn keep(&mut self, now: UnixMillis) -> Step {
        let mut step = Step::default();
        if self.end.kept.insert(self.config.me) && self.config.committee.n() > 1 {
            step.send.push((To::Others, Message::Kept));
        }
        self.finish(now, step)
    }

    /// Where the last state is durable, this replica among them: there, or somebody lies.
    pub fn keepers(&self) -> impl Iterator<Item = ReplicaId> {
        self.end.kept.iter().copied()
    }

    /// Whether the own ending contradicts the certified one: this replica must not go on.
    pub fn ended_otherwise(&self) -> bool {
        let finale = self.end.finale.as_ref().map(|finale| &finale.ending);
        self.end.own.as_ref().zip(finale).is_some_and(|(own, certified)| own != certified)
    }

    pub(super) fn take_ended(
        &mut self,
        from: ReplicaId,
        ending: Ending,
        signature: Signature,
        step: &mut Step,
    ) {
        if self.end.votes.contains_key(&from) {
            return;
        }
        if !self.judge().is_signature(from, &signature, &ending.digest(&self.domain)) {
            return step.faults.push(Fault { who: from, what: Misbehaviour::BadSignature });
        }
        let knew = self.end.finale.is_some();
        self.end.voted(from, &ending, signature, self.config.committee);
        self.tell_finale(knew, step);
    }

    pub(super) fn take_kept(&mut self, from: ReplicaId) {
        self.end.kept.insert(from);
    }

    pub(super) fn take_finale(&mut self, from: ReplicaId, finale: Finale, step: &mut Step) {
        if self.end.finale.is_some() {
            return;
        }
        if !finale.is_valid(&self.judge()) {
            return step.faults.push(Fault { who: from, what: Misbehaviour::BadCertificate });
        }
        self.end.finale = Some(finale);
        self.tell_finale(false, step);
    }

    /// What a peer whose link is new must hear of the end.
    pub(super) fn tell_end(&self, peer: ReplicaId, step: &mut Step) {
        let own = self.end.votes.get(&self.config.me);
        let own = own.map(|(ending, signature)| Message::Ended(ending.clone(), *signature));
        let finale = self.end.finale.clone().map(Message::Finale);
        let kept = self.end.kept.contains(&self.config.me).then_some(Message::Kept);
        let all = own.into_iter().chain(finale).chain(kept);
        step.send.extend(all.map(|message| (To::One(peer), message)));
    }

    /// t corrupt replicas could vote to this one only: what it goes by, the others must know.
    fn tell_finale(&self, knew: bool, step: &mut Step) {
        if let Some(finale) = self.end.finale.clone().filter(|_| !knew && self.config.committee.n() > 1) {
            step.send.push((To::Others, Message::Finale(finale)));
        }
    }
}

fn sign(key: &IdentityKey, ending: &Ending, domain: &Domain) -> Signature {
    key.sign(&ending.digest(domain))
}
