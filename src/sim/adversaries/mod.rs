//! What corrupt replicas do. Each runs the shipped code and changes what leaves it.

mod equivocate;
mod forge;
mod mute;
mod replay;

use super::chance::Chance;
use crate::quorum::{Committee, ReplicaId};
use std::collections::BTreeSet;

/// Changes what one corrupt replica sends.
pub trait Adversary {
    /// What goes to `to` in place of `bytes`.
    fn outgoing(&mut self, chance: &mut Chance, now: u64, to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>>;
}

/// The adversaries there are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, clap::ValueEnum)]
pub enum AdversaryKind {
    /// Two copies with one identity, each talking to a part of the others.
    Equivocate,
    /// Signature shares and proofs that are wrong.
    Forge,
    /// Says nothing from some moment on.
    Mute,
    /// Says again what it said before, to whomever.
    Replay,
}

impl AdversaryKind {
    /// The audiences of the copies that run under one identity.
    pub fn audiences(self, committee: Committee, me: ReplicaId) -> Vec<BTreeSet<ReplicaId>> {
        match self {
            Self::Equivocate => equivocate::audiences(committee, me),
            Self::Forge | Self::Mute | Self::Replay => vec![committee.others(me).collect()],
        }
    }

    /// What stands between a copy and the network.
    pub fn make(self, chance: &mut Chance) -> Box<dyn Adversary> {
        match self {
            Self::Equivocate => Box::new(equivocate::Faithful),
            Self::Forge => Box::new(forge::Forge),
            Self::Mute => Box::new(mute::Mute::new(chance)),
            Self::Replay => Box::new(replay::Replay::default()),
        }
    }
}
