//! What corrupt replicas do, one adversary a file.
//!
//! Each runs the shipped code on its own machine, and changes what leaves it, speaks of its own accord, or puts into the
//! order what no ingress would take. It has the keys of its replica and nothing else that is secret, and knows all that
//! its replica hears. What it did is counted by kind, for an adversary that does nothing tests nothing.

mod bad_coin;
mod bad_parents;
mod belated;
mod corrupt_state;
mod equivocate;
mod false_end;
mod false_voter;
mod far_future;
mod flood;
mod forge;
mod forged_checkpoint;
mod impostor;
mod mute;
mod old_epoch;
mod opportunist;
mod other_names;
mod replay;
mod selective;
mod time_liar;
mod variants;

use super::chance::Chance;
use crate::codec;
use crate::consensus::forge::Forge;
use crate::consensus::{self, Body, Vertex};
use crate::limits::MAX_FRAME_BYTES;
use crate::quorum::{Committee, ReplicaId};
use crate::replica::PeerMessage;
use std::collections::{BTreeMap, BTreeSet};

/// How often each kind of misdeed was done.
pub type Deeds = BTreeMap<&'static str, u64>;

/// What an adversary has at hand.
pub struct Scene<'a> {
    /// Its chance.
    pub chance: &'a mut Chance,
    /// The true time in milliseconds from the start.
    pub now: u64,
    /// Its replica's keys.
    pub forge: &'a Forge,
    /// All replicas' keys, for what they have signed in another cluster.
    pub elsewhere: &'a [Forge],
    /// What it has done.
    pub deeds: &'a mut Deeds,
}

/// What an adversary does beside what its replica does.
pub enum Act {
    /// Says this to a peer.
    Send(ReplicaId, Vec<u8>),
    /// Has its replica propose this to the order, whatever it is.
    Propose(Vec<u8>),
}

/// A corrupt replica's will.
pub trait Adversary {
    /// What goes to `to` in place of `bytes`.
    fn outgoing(&mut self, _scene: &mut Scene<'_>, _to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        vec![bytes.to_vec()]
    }

    /// What it does upon what its replica hears.
    fn incoming(&mut self, _scene: &mut Scene<'_>, _from: ReplicaId, _bytes: &[u8]) -> Vec<Act> {
        Vec::new()
    }

    /// What it does of its own accord, each [`pace_ms`](Self::pace_ms).
    fn spontaneous(&mut self, _scene: &mut Scene<'_>) -> Vec<Act> {
        Vec::new()
    }

    /// Milliseconds from one [`spontaneous`](Self::spontaneous) to the next; none: never.
    fn pace_ms(&self) -> Option<u64> {
        None
    }

    /// Milliseconds by which its replica's clock is wrong, if it is not the usual.
    fn skew_ms(&self) -> Option<i64> {
        None
    }
}

/// The adversaries there are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, clap::ValueEnum)]
pub enum AdversaryKind {
    /// Shares of the coin that are wrong, in vertices that are signed.
    BadCoin,
    /// Signed vertices that break a rule of validity, or link what does not exist.
    BadParents,
    /// States for others that are not what is certified, less than could be, or none.
    CorruptState,
    /// Two copies with one identity, each talking to a part of the others.
    Equivocate,
    /// Votes of its own for many commands, again and again, and votes in others' names.
    FalseVoter,
    /// Signed vertices of far rounds with ancestors made up, and questions about them.
    FarFuture,
    /// Everything that costs others something, as fast as it can.
    Flood,
    /// Signature shares and proofs that are wrong.
    Forge,
    /// Votes for false states, and certificates that are none.
    ForgedCheckpoint,
    /// Clients' requests altered, invented and repeated, in valid vertices.
    Impostor,
    /// Says nothing from some moment on.
    Mute,
    /// What is signed for another epoch or another cluster.
    OldEpoch,
    /// Vertices in others' names, some of which they signed in another cluster.
    OtherNames,
    /// Says again what it said before, to whomever.
    Replay,
    /// Tells some and not others, and of the others some late.
    Selective,
    /// A clock that is wrong by years.
    TimeLiar,
    /// A vertex of its own for each peer, in every round.
    Variants,
    /// Vertices that nobody sees before age is about to exclude them.
    Belated,
    /// Two vertices in one round, once, where it may decide about a leader.
    Opportunist,
    /// Ends of the epoch that are none.
    FalseEnd,
}

impl AdversaryKind {
    /// Whether it is aimed at one promise, and of use in runs of its own only: no seed chooses it.
    pub fn is_aimed(self) -> bool {
        matches!(self, Self::Belated | Self::Opportunist | Self::FalseEnd)
    }

    /// The audiences of the copies that run under one identity.
    pub fn audiences(self, committee: Committee, me: ReplicaId) -> Vec<BTreeSet<ReplicaId>> {
        match self {
            Self::Equivocate => equivocate::audiences(committee, me),
            _ => vec![committee.others(me).collect()],
        }
    }

    /// What stands between a copy and the network.
    pub fn make(self, chance: &mut Chance) -> Box<dyn Adversary> {
        match self {
            Self::BadCoin => Box::new(bad_coin::BadCoin),
            Self::BadParents => Box::new(bad_parents::BadParents::default()),
            Self::CorruptState => Box::new(corrupt_state::CorruptState::new(chance)),
            Self::Equivocate => Box::new(equivocate::Faithful),
            Self::FalseVoter => Box::new(false_voter::FalseVoter::default()),
            Self::FarFuture => Box::new(far_future::FarFuture),
            Self::Flood => Box::new(flood::Flood::default()),
            Self::Forge => Box::new(forge::Forger),
            Self::ForgedCheckpoint => Box::new(forged_checkpoint::ForgedCheckpoint::default()),
            Self::Impostor => Box::new(impostor::Impostor::new(chance)),
            Self::Mute => Box::new(mute::Mute::new(chance)),
            Self::OldEpoch => Box::new(old_epoch::OldEpoch),
            Self::OtherNames => Box::new(other_names::OtherNames),
            Self::Replay => Box::new(replay::Replay::default()),
            Self::Selective => Box::new(selective::Selective::default()),
            Self::TimeLiar => Box::new(time_liar::TimeLiar::new(chance)),
            Self::Variants => Box::new(variants::Variants),
            Self::Belated => Box::new(belated::Belated::default()),
            Self::Opportunist => Box::new(opportunist::Opportunist::new(chance)),
            Self::FalseEnd => Box::new(false_end::FalseEnd::default()),
        }
    }
}

impl Scene<'_> {
    /// Notes a misdeed.
    fn did(&mut self, what: &'static str) {
        *self.deeds.entry(what).or_default() += 1;
    }

    /// Everybody else.
    fn others(&self) -> Vec<ReplicaId> {
        self.forge.committee().others(self.forge.me()).collect()
    }

    /// What its replica is about to say, if it is a new vertex of its own.
    fn own_vertex(&self, bytes: &[u8]) -> Option<Body> {
        let body = vertex(bytes)?.body().clone();
        (body.author == self.forge.me()).then_some(body)
    }

    /// 32 octets that name nothing.
    fn nothing(&mut self) -> codec::Digest {
        codec::Digest(self.chance.seed())
    }
}

/// The vertex in a message that pushes one.
fn vertex(bytes: &[u8]) -> Option<Vertex> {
    match codec::decode(bytes, MAX_FRAME_BYTES) {
        Ok(PeerMessage::Consensus(consensus::Message::Vertex(vertex))) => Some(vertex),
        _ => None,
    }
}

/// The octets of a message of the broadcast.
fn say(message: consensus::Message) -> Vec<u8> {
    codec::encode(&PeerMessage::Consensus(message))
}
