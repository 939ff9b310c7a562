//! Window by window one replica is hardly heard, in the rounds that decide about its leader: so that of its vertex some
//! know and some do not, when they vote for it and when they certify it.
//!
//! In each window of rounds there is one of whom the others hear late, one other that is luckier than the rest, and the
//! last replica, which hears the fastest: if anybody is corrupt, it is. The last and the lucky one get the lonely one's first
//! three vertices when it is time to vote, the rest later: some vote for the first, some do not. In half of the windows nobody but
//! the last hears more of the lonely one before an anchor can have passed its leader over: it alone certifies it. In the
//! other half the rest are heard late after the vote: what they did not vote for is committed meanwhile. Nothing is held
//! longer than [`HOLD_MS`](super::HOLD_MS).
use super::{Chance, Committee, Parcel, Scheduler, Way};
use crate::consensus::VertexRef;
use crate::quorum::ReplicaId;
use crate::sim::graph;
use std::collections::BTreeMap;

/// Rounds of a window.
const WINDOW: u64 = 14;
/// Rounds from a leader until an anchor, five above it, is committed by vertices four above that.
const PASSED_OVER: u64 = 10;
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
        if others < 2 {
            return None;
        }
        // Few are to certify, or few to vote.
        let (alone, lucky, certificates) = (lot.range(1, others), lot.range(1, others - 1), lot.one_in(2));
        let lucky = (alone - 1 + lucky) % others + 1;
        let (from, to) = (u64::from(id.author.get()), u64::from(to.get()));
        let (is_last, is_rest) = (to == others + 1, from != lucky && from != alone && from <= others);
        match into {
            0..=2 if from == alone && (is_last || to == lucky) => Some(base + 2),
            0..=2 if from == alone && !certificates => Some(base + 4),
            0..PASSED_OVER if from == alone && certificates && (!is_last || into > 3) => {
                Some(base + PASSED_OVER)
            }
            2 if is_rest && (to == lucky || (is_last && certificates)) => Some(base + 3),
            3 if is_rest && !certificates => Some(base + 4),
            4 if is_rest && !certificates => Some(base + 6),
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
        if fast { chance.range(1, 2) } else { chance.range(3, 5) }
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
