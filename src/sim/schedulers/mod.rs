//! Who decides how long messages take: the asynchronous network is the adversary's to schedule.

mod lagging;
mod partition;
mod random;

use super::chance::Chance;
use crate::quorum::{Committee, ReplicaId};

/// Decides when messages arrive.
pub trait Scheduler {
    /// Milliseconds until a message sent now arrives; the link adds what keeps messages in order.
    fn delay(&mut self, chance: &mut Chance, now: u64, from: ReplicaId, to: ReplicaId) -> u64;

    /// The most that [`delay`](Self::delay) ever gives, about.
    fn slowest_ms(&self) -> u64 {
        1_000
    }
}

/// The schedulers there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SchedulerKind {
    /// Any delay up to a tenth of a second, now and then ten times as long.
    Random,
    /// t replicas hear and are heard late.
    Lagging,
    /// The committee falls into two halves, again and again, and comes together.
    Partition,
}

impl SchedulerKind {
    /// A scheduler of this kind.
    pub fn make(self, committee: Committee, chance: &mut Chance) -> Box<dyn Scheduler> {
        match self {
            Self::Random => Box::new(random::Random),
            Self::Lagging => Box::new(lagging::Lagging::new(committee)),
            Self::Partition => Box::new(partition::Partition::new(committee, chance)),
        }
    }
}
