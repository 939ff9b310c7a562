//! The first t replicas are slow in both directions, so that quorums form without them and they must catch up.
use super::{Chance, Committee, Parcel, Scheduler};

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
    fn delay(&mut self, chance: &mut Chance, parcel: &Parcel<'_>) -> u64 {
        if parcel.from.slot() < self.slow || parcel.to.slot() < self.slow {
            chance.range(500, 900)
        } else {
            chance.range(1, 20)
        }
    }
}
