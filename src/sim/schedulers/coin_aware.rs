//! An adversary that reads everything, learns each round's coin as soon as t+1 shares of it exist anywhere, and
//! schedules against it.
//!
//! Before the coin it keeps from every replica, in every round, the vertices of t others for a while, differently for
//! each, so that no two see the same quorum and much is still under way when the coin comes. From then on, for the
//! first t+1 leaders of the round, it holds back what still helps to commit them: their vertices, the
//! votes and the certificates for them. Half of the replicas, chosen anew each round, are kept from them, and the others get
//! them at once: what some decide directly, others must decide by an anchor.
//!
//! Shares are real and combined by the library's own code ([`Onlooker`]); the scheduler has no secret. What it holds it holds
//! for at most [`LONGEST_MS`].
use super::{Chance, Committee, Parcel, Scheduler, Way};
use crate::consensus::{Onlooker, VertexRef};
use crate::quorum::ReplicaId;
use crate::sim::graph::{self, CERTIFY, Graph, VOTE};
use std::collections::BTreeMap;

/// Milliseconds for which a message is held, at most.
const LONGEST_MS: u64 = 700;
/// Milliseconds until a message that is held is looked at again.
const AGAIN_MS: u64 = 15;

/// The scheduler that knows the coin.
pub(super) struct CoinAware {
    committee: Committee,
    graph: Graph,
    salt: u64,
    /// When what is held was first held: by link, and by the vertex at its head.
    held: BTreeMap<(Way, VertexRef), u64>,
}

impl CoinAware {
    pub fn new(committee: Committee, onlooker: Onlooker, chance: &mut Chance) -> Self {
        Self { committee, graph: Graph::new(onlooker), salt: chance.bits(), held: BTreeMap::new() }
    }

    /// Some number that is fixed for a round and a receiver, and another one for each.
    fn lot(&self, round: u64, to: ReplicaId) -> u64 {
        Chance::new(self.salt ^ (round << 8) ^ u64::from(to.get())).bits()
    }

    /// Whether the author is one of the t whom the receiver hears late in this round.
    fn is_late(&self, id: &VertexRef, to: ReplicaId) -> bool {
        let start = self.lot(id.round, to) as usize % self.committee.n();
        let place = (id.author.slot() + self.committee.n() - start) % self.committee.n();
        place < self.committee.faults()
    }

    /// Whether the vertex helps to commit one of the first leaders of a round whose coin is known.
    fn helps(&self, id: &VertexRef, to: ReplicaId) -> bool {
        let first = |below: u64| {
            let round = id.round.checked_sub(below).filter(|round| self.lot(*round, to) & 1 == 0)?;
            Some((round, &self.graph.leaders(round)?[..self.committee.one_correct()]))
        };
        let leads = first(0).is_some_and(|(_, leaders)| leaders.contains(&id.author));
        let votes = || {
            let (_, leaders) = first(VOTE)?;
            leaders.iter().find_map(|author| self.graph.vote(id, *author))
        };
        let certifies = || {
            let (_, leaders) = first(CERTIFY)?;
            leaders.iter().find_map(|author| self.graph.certified(id, *author, self.committee))
        };
        leads || votes().is_some() || certifies().is_some()
    }
}

impl Scheduler for CoinAware {
    fn delay(&mut self, chance: &mut Chance, parcel: &Parcel<'_>) -> u64 {
        let Some(vertex) = graph::pushed(parcel.bytes) else { return chance.range(1, 15) };
        self.graph.see(&vertex);
        let late = self.is_late(&self.graph.name(&vertex), parcel.to);
        if late { chance.range(60, 300) } else { chance.range(1, 15) }
    }

    fn put_off(&mut self, parcel: &Parcel<'_>, _busy: &[Way]) -> u64 {
        let Some(vertex) = graph::pushed(parcel.bytes) else { return 0 };
        let id = self.graph.name(&vertex);
        if !self.helps(&id, parcel.to) {
            return 0;
        }
        let since = *self.held.entry(((parcel.from, parcel.to), id)).or_insert(parcel.now);
        if parcel.now >= since + LONGEST_MS { 0 } else { AGAIN_MS }
    }
}
