//! Connections that end again and again: see the model of links in [`crate::sim`].
use super::{Chance, Parcel, Scheduler};
use std::ops::RangeInclusive;

/// The scheduler whose connections do not last.
pub(super) struct Reconnect;

impl Scheduler for Reconnect {
    fn delay(&mut self, chance: &mut Chance, _parcel: &Parcel<'_>) -> u64 {
        if chance.one_in(30) { chance.range(100, 600) } else { chance.range(1, 60) }
    }

    fn cuts(&self) -> Option<RangeInclusive<u64>> {
        Some(100..=1_500)
    }
}
