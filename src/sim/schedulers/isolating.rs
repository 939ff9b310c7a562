//! Window by window one replica is hardly heard, in the rounds that decide about its leader: so that of its vertex some
//! know and some do not, when they vote for it and when they certify it.
//!
//! In each window of rounds there is one of whom the others hear late, one other that is luckier than the rest, and the
//! last replica, which hears the fastest: if anybody is corrupt, it is. Half of the windows keep the first three vertices
//! until it is time to vote, from the rest until that is over, and then the certifying one until the round after: the rest
//! certify nothing. The other half let all but the first three pass: few vote. Nothing is held longer than
//! [`HOLD_MS`](super::HOLD_MS).
use super::{Chance, Committee, Parcel, Scheduler, Way};
use crate::consensus::VertexRef;
use crate::quorum::ReplicaId;
use crate::sim::graph;
use std::collections::BTreeMap;

/// Rounds of a window.
const WINDOW: u64 = 8;
/// Milliseconds until a message that is held is looked at again.
const AGAIN_MS: u64 = 1;

/// The isolating scheduler.
pub(super) struct Isolating {
    committee: Committee,
    salt: u64,
    /// The newest round of which each has made a vertex.
    made: BTreeMap<ReplicaId, u64>,
}

impl Isolating {
    pub fn new(committee: Committee, chance: &mut Chance) -> Self {
        Self { committee, salt: chance.bits(), made: BTreeMap::new() }
    }

    /// The round that the receiver must have made before it hears this vertex.
    fn not_before(&self, id: &VertexRef, to: ReplicaId) -> Option<u64> {
        let (base, into) = (id.round / WINDOW * WINDOW, id.round % WINDOW);
        let mut lot = Chance::new(self.salt ^ base);
        let others = self.committee.n() as u64 - 1;
        let (alone, lucky, certificates) = (lot.range(1, others), lot.range(1, others - 1), lot.one_in(2));
        let lucky = (alone - 1 + lucky) % others + 1;
        if u64::from(id.author.get()) != alone || others < 2 {
            return None;
        }
        let is_last = u64::from(to.get()) == others + 1;
        let is_lucky = u64::from(to.get()) == lucky;
        match (certificates, into) {
            (_, 0..=2) if is_last || is_lucky => Some(base + 2),
            (true, 0..=2) => Some(base + 5),
            (false, 0..=2) => Some(base + 4),
            (true, 3..=4) if !is_last => Some(base + 5),
            _ => None,
        }
    }
}

impl Scheduler for Isolating {
    fn delay(&mut self, chance: &mut Chance, parcel: &Parcel<'_>) -> u64 {
        if let Some(vertex) = graph::pushed(parcel.bytes) {
            let made = self.made.entry(parcel.from).or_default();
            *made = vertex.body().round.max(*made);
        }
        let fast = usize::from(parcel.to.get()) == self.committee.n();
        if fast { chance.range(1, 2) } else { chance.range(2, 12) }
    }

    fn put_off(&mut self, parcel: &Parcel<'_>, _busy: &[Way]) -> u64 {
        let Some(vertex) = graph::pushed(parcel.bytes).filter(|v| v.body().author == parcel.from) else {
            return 0;
        };
        let body = vertex.body();
        let id = VertexRef { author: body.author, ..VertexRef::first_of(body.round) };
        let made = self.made.get(&parcel.to).copied().unwrap_or(0);
        if self.not_before(&id, parcel.to).is_some_and(|round| made < round) { AGAIN_MS } else { 0 }
    }
}
