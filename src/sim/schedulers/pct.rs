//! Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi and Nagarakatte, ASPLOS 2010), on a network.
//!
//! What their threads are, here are links, or senders with all their links. Each has a priority, drawn at the start; a
//! message waits as long as something is under way with a higher one. At d random steps, of some thousands, whoever is about to
//! have its message delivered falls to the lowest priority of all. A bug that needs d + 1 orderings is so found with a
//! probability that has a bound below. Deviates: nothing waits for ever ([`HOLD_MS`](super::HOLD_MS)).
use super::{Chance, Committee, Parcel, Scheduler, Way};
use std::collections::BTreeSet;

/// Changes of priority of one run, at most: d.
const MAX_CHANGES: u64 = 6;
/// Steps among which they are drawn: about as many messages as a run has.
const STEPS: u64 = 6_000;
/// Milliseconds until a message that must wait is looked at again.
const AGAIN_MS: u64 = 3;

/// The priority scheduler.
pub(super) struct Pct {
    /// Whether priorities are those of senders and not of links.
    by_sender: bool,
    /// Highest first.
    order: Vec<Way>,
    changes: BTreeSet<u64>,
    step: u64,
}

impl Pct {
    pub fn new(committee: Committee, chance: &mut Chance) -> Self {
        let by_sender = chance.one_in(2);
        let mut order: Vec<Way> = committee
            .members()
            .flat_map(|from| committee.others(from).map(move |to| (from, to)))
            .map(|way| chain(way, by_sender))
            .collect();
        order.dedup();
        for last in (1..order.len()).rev() {
            order.swap(last, chance.range(0, last as u64) as usize);
        }
        let count = chance.range(1, MAX_CHANGES);
        let changes = (0..count).map(|_| chance.range(1, STEPS)).collect();
        Self { by_sender, order, changes, step: 0 }
    }
}

/// What has the priority of a link.
fn chain((from, to): Way, by_sender: bool) -> Way {
    if by_sender { (from, from) } else { (from, to) }
}

impl Scheduler for Pct {
    fn delay(&mut self, chance: &mut Chance, _parcel: &Parcel<'_>) -> u64 {
        chance.range(1, 5)
    }

    fn put_off(&mut self, parcel: &Parcel<'_>, busy: &[Way]) -> u64 {
        let mine = chain((parcel.from, parcel.to), self.by_sender);
        let busy: BTreeSet<Way> = busy.iter().map(|way| chain(*way, self.by_sender)).collect();
        if self.order.iter().take_while(|way| **way != mine).any(|way| busy.contains(way)) {
            return AGAIN_MS;
        }
        self.step += 1;
        if self.changes.contains(&self.step) {
            self.order.retain(|way| *way != mine);
            self.order.push(mine);
            return AGAIN_MS;
        }
        0
    }
}
