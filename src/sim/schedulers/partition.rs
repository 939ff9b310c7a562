//! The committee falls into two parts for some seconds, comes together for some, and falls apart differently. What is
//! sent across arrives after the parting: links lose nothing.
use super::{Chance, Committee, Parcel, Scheduler};

/// Milliseconds of a parting, and of what lies between two.
const PHASE_MS: u64 = 4_000;

/// The parting scheduler.
pub(super) struct Partition {
    /// Which side each replica is on, by parting; taken in turn.
    sides: Vec<Vec<bool>>,
}

impl Partition {
    pub fn new(committee: Committee, chance: &mut Chance) -> Self {
        let mut side = || (0..committee.n()).map(|_| chance.one_in(2)).collect();
        Self { sides: (0..16).map(|_| side()).collect() }
    }
}

impl Scheduler for Partition {
    fn delay(&mut self, chance: &mut Chance, parcel: &Parcel<'_>) -> u64 {
        let quick = chance.range(1, 50);
        let (phase, into) = (parcel.now / PHASE_MS, parcel.now % PHASE_MS);
        let side = &self.sides[(phase / 2) as usize % self.sides.len()];
        let parted = phase % 2 == 1 && side[parcel.from.slot()] != side[parcel.to.slot()];
        if parted { PHASE_MS - into + quick } else { quick }
    }
    fn slowest_ms(&self) -> u64 {
        PHASE_MS + 50
    }
}
