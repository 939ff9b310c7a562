//! Delay-bounded scheduling (Emmi, Qadeer and Rakamarić, POPL 2011), on a network: a deterministic schedule, from
//! which a run deviates a bounded number of times.
//!
//! The schedule is a round robin: every millisecond one link has its turn and delivers all that waits on it. A deviation
//! makes a link miss its turns for a while. Most wrong orderings need few deviations; a run has at most eight.
use super::{Chance, Committee, Parcel, Scheduler};
use std::collections::BTreeMap;

/// Deviations of one run, at most.
const MAX_DEVIATIONS: u64 = 8;
/// Messages among which they are drawn: about as many as a run has.
const MESSAGES: u64 = 4_000;
/// The longest deviation, in milliseconds.
const LONGEST_MS: u64 = 1_500;

/// The round robin.
pub(super) struct DelayBounded {
    committee: Committee,
    /// Message → milliseconds that it misses.
    deviations: BTreeMap<u64, u64>,
    messages: u64,
}

impl DelayBounded {
    pub fn new(committee: Committee, chance: &mut Chance) -> Self {
        let count = chance.range(0, MAX_DEVIATIONS);
        let deviations =
            (0..count).map(|_| (chance.range(1, MESSAGES), chance.range(20, LONGEST_MS))).collect();
        Self { committee, deviations, messages: 0 }
    }
}

impl Scheduler for DelayBounded {
    fn delay(&mut self, _chance: &mut Chance, parcel: &Parcel<'_>) -> u64 {
        self.messages += 1;
        let n = self.committee.n() as u64;
        let turn = parcel.from.slot() as u64 * n + parcel.to.slot() as u64;
        let earliest = parcel.now + 1 + self.deviations.get(&self.messages).copied().unwrap_or(0);
        let wait = (turn + n * n - earliest % (n * n)) % (n * n);
        earliest + wait - parcel.now
    }
}
