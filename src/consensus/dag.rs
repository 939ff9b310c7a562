//! The accepted vertices: each stands with all its ancestors at or above the collection line.
//!
//! What lies below the line is of no use: whoever has executed the checkpoint from which the line follows never delivers it,
//! nor looks at it to decide a slot. A link to it counts as held. All that have come as far have the same line, whether they
//! executed the checkpoint or took it over: else one of them could accept, and link, what the others cannot. Some of what
//! is below the line is kept for others for a while.

use super::vertex::{Domain, Vertex, VertexRef};
use crate::codec::Digest;
use crate::quorum::{Committee, ReplicaId};
use crate::time::UnixMillis;
use std::collections::BTreeMap;

/// The accepted part of the DAG.
///
/// Invariants: 1. an accepted vertex's parents and weak links are accepted, or below the line; 2. `first` names, of each
/// author and round, the vertex that was accepted first; 3. no vertex is added below the line, and the line never falls.
pub(super) struct Dag {
    committee: Committee,
    domain: Domain,
    genesis_time: UnixMillis,
    vertices: BTreeMap<VertexRef, Vertex>,
    first: BTreeMap<u64, BTreeMap<ReplicaId, Digest>>,
    line: u64,
}

impl Dag {
    pub fn new(committee: Committee, domain: Domain, genesis_time: UnixMillis) -> Self {
        let genesis = committee.members().map(|author| (author, domain.genesis(author).digest)).collect();
        let first = BTreeMap::from([(0, genesis)]);
        Self { committee, domain, genesis_time, vertices: BTreeMap::new(), first, line: 0 }
    }

    pub fn contains(&self, id: &VertexRef) -> bool {
        if id.round == 0 { *id == self.domain.genesis(id.author) } else { self.vertices.contains_key(id) }
    }

    /// Whether a link to this vertex needs nothing more: it is accepted, or below the line.
    pub fn covers(&self, id: &VertexRef) -> bool {
        id.round < self.line || self.contains(id)
    }

    /// The collection line: vertices of lower rounds matter no more.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The lowest round of which a vertex is kept, 0 if there is none.
    pub fn kept_from(&self) -> u64 {
        self.vertices.first_key_value().map_or(0, |(id, _)| id.round)
    }

    /// Raises the line; vertices from round `kept` on are kept for others.
    pub fn collect(&mut self, line: u64, kept: u64) {
        if line > self.line {
            self.line = line;
            self.vertices = self.vertices.split_off(&VertexRef::first_of(kept.min(line)));
            self.first = self.first.split_off(&line);
        }
    }

    pub fn get(&self, id: &VertexRef) -> Option<&Vertex> {
        self.vertices.get(id)
    }

    pub fn len(&self) -> usize {
        self.vertices.len()
    }

    /// The vertices of one author that are kept, ascending.
    pub fn of(&self, author: ReplicaId) -> impl Iterator<Item = &VertexRef> {
        self.vertices.keys().filter(move |id| id.author == author)
    }

    /// The vertices from this one on, in order.
    pub fn from(&self, id: VertexRef) -> impl Iterator<Item = (&VertexRef, &Vertex)> {
        self.vertices.range(id..)
    }

    /// Adds a vertex whose ancestors are held.
    pub fn insert(&mut self, id: VertexRef, vertex: Vertex) {
        assert!(id.round >= self.line, "invariant 3");
        assert!(vertex.body().links().all(|link| self.covers(&link)), "{id:?} before its ancestors");
        self.first.entry(id.round).or_default().entry(id.author).or_insert(id.digest);
        self.vertices.insert(id, vertex);
    }

    /// The vertex of this author and round that was accepted first.
    pub fn first(&self, round: u64, author: ReplicaId) -> Option<VertexRef> {
        let digest = *self.first.get(&round)?.get(&author)?;
        Some(VertexRef { round, author, digest })
    }

    /// The first accepted of each author in a round, by author.
    pub fn firsts(&self, round: u64) -> impl Iterator<Item = VertexRef> {
        let authors = self.first.get(&round).into_iter().flatten();
        authors.map(move |(author, digest)| VertexRef { round, author: *author, digest: *digest })
    }

    /// The highest round of which a vertex is held.
    pub fn top(&self) -> u64 {
        self.first.last_key_value().map_or(0, |(round, _)| *round)
    }

    /// The highest round of which vertices of q authors are held; at least the line's, below which nobody need look.
    pub fn quorum_round(&self) -> u64 {
        let enough = |authors: &BTreeMap<ReplicaId, Digest>| authors.len() >= self.committee.quorum();
        self.first
            .iter()
            .rev()
            .find(|(_, authors)| enough(authors))
            .map_or(self.line.saturating_sub(1), |(round, _)| *round)
    }

    /// The clock of a vertex's author when it was made.
    pub fn time(&self, id: &VertexRef) -> UnixMillis {
        self.vertices.get(id).map_or(self.genesis_time, |vertex| vertex.body().time)
    }

    /// The lower median of times: among ≥ q of them at most t are the adversary's, so it lies between correct ones.
    pub fn median_time(&self, ids: impl Iterator<Item = VertexRef>) -> UnixMillis {
        let mut times: Vec<UnixMillis> = ids.map(|id| self.time(&id)).collect();
        times.sort_unstable();
        let middle = if planted!(GreatestTime) { times.len() - 1 } else { times.len().saturating_sub(1) / 2 };
        times.get(middle).copied().unwrap_or(self.genesis_time)
    }
}
