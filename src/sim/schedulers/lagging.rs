//! The first t replicas are slow in both directions, so that quorums form without them and they must catch up.
use super::{Chance, Committee, ReplicaId, Scheduler};

/// The lagging scheduler.
pub(super) struct Lagging {
    slow: usize,
}

impl Lagging {
    pub fn new(committee: Committee) -> Self {
        Self { slow: committee.faults() }
    }
}

impl Scheduler for Lagging {
    fn delay(&mut self, chance: &mut Chance, _now: u64, from: ReplicaId, to: ReplicaId) -> u64 {
        if from.slot() < self.slow || to.slot() < self.slow {
            chance.range(500, 900)
        } else {
            chance.range(1, 20)
        }
    }
}
