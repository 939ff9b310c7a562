//! Who decides how long messages take: the asynchronous network is the adversary's to schedule.
//!
//! A scheduler is asked when a message is sent and again when it is due, and may put it off then: so it can act upon
//! what it has learnt since. It sees the octets, as whoever owns the network's machines would without TLS: more than an
//! adversary outside could. Eventual delivery is not left to it: after
//! [`HOLD_MS`] a message that is due arrives.

mod coin_aware;
mod delay_bounded;
mod isolating;
mod lagging;
mod partition;
mod pct;
mod random;
mod reconnect;

use super::chance::Chance;
use super::cluster::Cluster;
use crate::quorum::{Committee, ReplicaId};
use clap::ValueEnum;
use std::ops::RangeInclusive;

/// Milliseconds from its sending after which a message that is due is put off no more.
pub const HOLD_MS: u64 = 2_000;

/// A message under way.
pub struct Parcel<'a> {
    /// The present virtual millisecond.
    pub now: u64,
    /// Who sent it.
    pub from: ReplicaId,
    /// Whose it is.
    pub to: ReplicaId,
    /// An encoded [`PeerMessage`](crate::replica::PeerMessage), or whatever a corrupt replica sends.
    pub bytes: &'a [u8],
}

/// A link: from, to.
pub type Way = (ReplicaId, ReplicaId);

/// Decides when messages arrive.
pub trait Scheduler {
    /// Milliseconds until a message sent now is due; the link adds what keeps messages in order.
    fn delay(&mut self, chance: &mut Chance, parcel: &Parcel<'_>) -> u64;

    /// A message is due: milliseconds until it is looked at again, 0 to let it arrive. `busy` are the links on which
    /// something is under way, its own among them.
    fn put_off(&mut self, _parcel: &Parcel<'_>, _busy: &[Way]) -> u64 {
        0
    }

    /// Milliseconds between two losses of a connection, if any are to be lost.
    fn cuts(&self) -> Option<RangeInclusive<u64>> {
        None
    }

    /// The most that delay and putting off give together, about.
    fn slowest_ms(&self) -> u64 {
        1_000 + HOLD_MS
    }
}

/// The schedulers there are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
pub enum SchedulerKind {
    /// Any delay up to a tenth of a second, now and then ten times as long.
    Random,
    /// t replicas hear and are heard late.
    Lagging,
    /// The committee falls into two parts, again and again, and comes together.
    Partition,
    /// Priorities of links or senders, which change a few times.
    Pct,
    /// Round robin, with a few delays.
    DelayBounded,
    /// Learns each coin first, and delays what its first leaders need.
    CoinAware,
    /// Connections end, queues are lost, old messages come again after restarts.
    Reconnect,
    /// Keeps one replica's vertices from some, in the rounds that decide about its leader.
    Isolating,
}

impl SchedulerKind {
    /// Whether it is aimed at one promise, and of use in runs of its own only: no seed chooses it.
    pub fn is_aimed(self) -> bool {
        self == Self::Isolating
    }

    /// A scheduler of this kind.
    pub(super) fn make(self, cluster: &Cluster, chance: &mut Chance) -> Box<dyn Scheduler> {
        let committee = cluster.committee;
        match self {
            Self::Random => Box::new(random::Random),
            Self::Lagging => Box::new(lagging::Lagging::new(committee)),
            Self::Partition => Box::new(partition::Partition::new(committee, chance)),
            Self::Pct => Box::new(pct::Pct::new(committee, chance)),
            Self::DelayBounded => Box::new(delay_bounded::DelayBounded::new(committee, chance)),
            Self::CoinAware => Box::new(coin_aware::CoinAware::new(committee, cluster.onlooker(), chance)),
            Self::Reconnect => Box::new(reconnect::Reconnect),
            Self::Isolating => Box::new(isolating::Isolating::new(committee, chance)),
        }
    }
}
