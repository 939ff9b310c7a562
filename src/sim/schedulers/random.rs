//! Every message takes its own time: across links, any order is possible.
use super::{Chance, Parcel, Scheduler};

/// The random scheduler.
pub(super) struct Random;

impl Scheduler for Random {
    fn delay(&mut self, chance: &mut Chance, _parcel: &Parcel<'_>) -> u64 {
        if chance.one_in(50) { chance.range(100, 1_000) } else { chance.range(1, 100) }
    }
}
