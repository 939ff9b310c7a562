//! The DAG as it passes over the network, seen from outside: for the scheduler that knows the coin, and for drawings.
//!
//! Votes and certificates are found by their definitions (`consensus::commit`), not by the code that decides.
use crate::codec;
use crate::consensus::{Message, Onlooker, Vertex, VertexRef};
use crate::limits::MAX_FRAME_BYTES;
use crate::quorum::{Committee, ReplicaId};
use crate::replica::PeerMessage;
use std::collections::BTreeMap;

/// Rounds from a leader to its votes.
pub(super) const VOTE: u64 = 3;
/// Rounds from a leader to its certificates.
pub(super) const CERTIFY: u64 = 4;

/// All vertices that were seen.
pub(super) struct Graph {
    onlooker: Onlooker,
    vertices: BTreeMap<VertexRef, Vertex>,
}

impl Graph {
    /// Nothing yet.
    pub fn new(onlooker: Onlooker) -> Self {
        Self { onlooker, vertices: BTreeMap::new() }
    }

    /// Sees a vertex: its name if it is new, and the round whose coin became known by it.
    pub fn see(&mut self, vertex: &Vertex) -> Option<(VertexRef, Option<u64>)> {
        let id = self.onlooker.name(vertex);
        if self.vertices.contains_key(&id) {
            return None;
        }
        self.vertices.insert(id, vertex.clone());
        Some((id, self.onlooker.see(vertex)))
    }

    /// The name of a vertex.
    pub fn name(&self, vertex: &Vertex) -> VertexRef {
        self.onlooker.name(vertex)
    }

    /// The vertices of some rounds, in order.
    pub fn rounds(
        &self,
        rounds: std::ops::RangeInclusive<u64>,
    ) -> impl Iterator<Item = (&VertexRef, &Vertex)> {
        self.vertices
            .range(VertexRef::first_of(*rounds.start())..)
            .take_while(move |(id, _)| rounds.contains(&id.round))
    }

    /// The order of a round's leader slots, once it is known.
    pub fn leaders(&self, round: u64) -> Option<&[ReplicaId]> {
        self.onlooker.leaders(round)
    }

    /// The vertex of `author`, three rounds below, for which this one votes.
    pub fn vote(&self, voter: &VertexRef, author: ReplicaId) -> Option<VertexRef> {
        self.first_reached(*voter, author, VOTE)
    }

    /// The vertex of `author`, four rounds below, that this one certifies.
    pub fn certified(&self, id: &VertexRef, author: ReplicaId, committee: Committee) -> Option<VertexRef> {
        let mut votes: BTreeMap<VertexRef, usize> = BTreeMap::new();
        for leader in self.parents(id).filter_map(|parent| self.vote(&parent, author)) {
            *votes.entry(leader).or_default() += 1;
        }
        votes.into_iter().find(|(_, count)| *count >= committee.quorum()).map(|(leader, _)| leader)
    }

    /// The first vertex of `author`, so many rounds below, that a depth-first search over parents reaches.
    fn first_reached(&self, from: VertexRef, author: ReplicaId, depth: u64) -> Option<VertexRef> {
        self.path(from, author, depth)?.pop()
    }

    /// How that search reaches it, both ends included.
    pub fn path(&self, from: VertexRef, author: ReplicaId, depth: u64) -> Option<Vec<VertexRef>> {
        if depth == 0 {
            return (from.author == author).then(|| vec![from]);
        }
        let below = self.parents(&from).find_map(|parent| self.path(parent, author, depth - 1))?;
        Some([vec![from], below].concat())
    }

    /// The parents of a vertex that was seen, by author.
    pub fn parents(&self, id: &VertexRef) -> impl Iterator<Item = VertexRef> {
        let round = id.round.saturating_sub(1);
        let parents = self.vertices.get(id).into_iter().flat_map(|vertex| &vertex.body().parents);
        parents.map(move |&(author, digest)| VertexRef { round, author, digest })
    }
}

/// The vertex that a message pushes, if it does.
pub(super) fn pushed(bytes: &[u8]) -> Option<Vertex> {
    match codec::decode(bytes, MAX_FRAME_BYTES) {
        Ok(PeerMessage::Consensus(Message::Vertex(vertex))) => Some(vertex),
        _ => None,
    }
}
