//! Vertices that wait for ancestors.
//!
//! What waits is charged to the author that needs it: the one that pushed the vertex, and for an ancestor the one
//! whose vertex links it. Each author has a quota of bytes and vertices, which a flooder fills only for itself. When it
//! is full, the lowest rounds win: they are accepted first, and make room.

use super::vertex::{Vertex, VertexRef};
use crate::limits::{MAX_WAITING_BYTES_PER_AUTHOR, MAX_WAITING_VERTICES_PER_AUTHOR};
use crate::quorum::ReplicaId;
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// The waiting vertices.
///
/// Invariants: 1. `needs` holds exactly the unaccepted links of held vertices; 2. a link that is not held itself is
/// in `missing` of each author that is charged for a vertex that needs it.
#[derive(Default)]
pub(super) struct Waiting {
    held: BTreeMap<VertexRef, Held>,
    needs: BTreeMap<VertexRef, BTreeSet<VertexRef>>,
    missing: BTreeMap<ReplicaId, BTreeSet<VertexRef>>,
    charges: BTreeMap<ReplicaId, Charge>,
}

struct Held {
    vertex: Vertex,
    charged: ReplicaId,
    lacking: BTreeSet<VertexRef>,
}

#[derive(Default)]
struct Charge {
    bytes: usize,
    held: BTreeSet<VertexRef>,
}

impl Waiting {
    pub fn holds(&self, id: &VertexRef) -> bool {
        self.held.contains_key(id)
    }

    pub fn get(&self, id: &VertexRef) -> Option<&Vertex> {
        self.held.get(id).map(|held| &held.vertex)
    }

    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// The most bytes that one author is charged for.
    pub fn most_bytes(&self) -> usize {
        self.charges.values().map(|charge| charge.bytes).max().unwrap_or(0)
    }

    /// Lacking ancestors.
    pub fn lacking(&self) -> usize {
        self.needs.keys().filter(|id| !self.holds(id)).count()
    }

    /// Who is to be charged for this vertex, if a held one links it: of those that need it, and `sender` if it came unasked,
    /// whoever has used the least, so that one that has filled its quota does not keep from others what they need too.
    pub fn needed_by(&self, id: &VertexRef, sender: Option<ReplicaId>) -> Option<ReplicaId> {
        let needing = self.needs.get(id)?.iter().filter_map(|needing| Some(self.held.get(needing)?.charged));
        let candidates: BTreeSet<ReplicaId> = needing.chain(sender).collect();
        candidates.into_iter().min_by_key(|author| self.used(*author))
    }

    /// How full an author's quota is, of 65,536.
    fn used(&self, author: ReplicaId) -> usize {
        self.charges.get(&author).map_or(0, |charge| {
            let bytes = (charge.bytes << 16) / MAX_WAITING_BYTES_PER_AUTHOR;
            bytes.max((charge.held.len() << 16) / MAX_WAITING_VERTICES_PER_AUTHOR)
        })
    }

    /// A held vertex of this author and round.
    pub fn slot(&self, round: u64, author: ReplicaId) -> Option<VertexRef> {
        let from = VertexRef { author, ..VertexRef::first_of(round) };
        let id = self.held.range(from..).next().map(|(id, _)| *id)?;
        (id.round == round && id.author == author).then_some(id)
    }

    /// The ancestors that an author's vertices lack, lowest first.
    pub fn missing(&self, charged: ReplicaId) -> impl Iterator<Item = VertexRef> {
        self.missing.get(&charged).into_iter().flatten().copied()
    }

    /// The lowest round of an ancestor that is lacking.
    pub fn lowest_missing(&self) -> Option<u64> {
        self.missing.values().filter_map(|missing| Some(missing.first()?.round)).min()
    }

    /// Whether less than half of an author's quota is used.
    pub fn has_room(&self, author: ReplicaId) -> bool {
        self.charges.get(&author).is_none_or(|charge| {
            charge.bytes < MAX_WAITING_BYTES_PER_AUTHOR / 2
                && charge.held.len() < MAX_WAITING_VERTICES_PER_AUTHOR / 2
        })
    }

    /// Holds a vertex until `lacking` are accepted. False if something had to be dropped for want of room.
    pub fn hold(
        &mut self,
        id: VertexRef,
        vertex: Vertex,
        charged: ReplicaId,
        lacking: BTreeSet<VertexRef>,
    ) -> bool {
        let weight = vertex.body().weight();
        let mut whole = true;
        while !self.fits(charged, weight) {
            whole = false;
            match self.charges.get(&charged).and_then(|charge| charge.held.last().copied()) {
                Some(highest) if highest > id => self.evict(&highest),
                _ => return false,
            }
        }
        let charge = self.charges.entry(charged).or_default();
        charge.bytes += weight;
        charge.held.insert(id);
        for link in &lacking {
            self.needs.entry(*link).or_default().insert(id);
            if !self.held.contains_key(link) {
                self.missing.entry(charged).or_default().insert(*link);
            }
        }
        self.forget_missing(&id);
        self.held.insert(id, Held { vertex, charged, lacking });
        whole
    }

    /// Notes that a vertex was accepted; returns those that wait for nothing any more.
    pub fn accepted(&mut self, id: &VertexRef) -> Vec<(VertexRef, Vertex)> {
        self.forget_missing(id);
        let mut ready = Vec::new();
        for needing in self.needs.remove(id).unwrap_or_default() {
            let Some(held) = self.held.get_mut(&needing) else { continue };
            held.lacking.remove(id);
            if held.lacking.is_empty() {
                ready.extend(self.remove(&needing).map(|held| (needing, held.vertex)));
            }
        }
        ready
    }

    /// What is below the line is needed no more and waits no more; returns what waits for nothing any more.
    pub fn collect(&mut self, line: u64) -> Vec<(VertexRef, Vertex)> {
        let line = VertexRef::first_of(line);
        let old: Vec<VertexRef> = self.held.range(..line).map(|(id, _)| *id).collect();
        old.iter().for_each(|id| self.evict(id));
        let covered: Vec<VertexRef> = self.needs.range(..line).map(|(id, _)| *id).collect();
        covered.iter().flat_map(|id| self.accepted(id)).collect()
    }

    fn fits(&self, charged: ReplicaId, weight: usize) -> bool {
        planted!(UnboundedWaiting)
            || self.charges.get(&charged).is_none_or(|charge| {
                charge.bytes + weight <= MAX_WAITING_BYTES_PER_AUTHOR
                    && charge.held.len() < MAX_WAITING_VERTICES_PER_AUTHOR
            })
    }

    fn evict(&mut self, id: &VertexRef) {
        let Some(held) = self.remove(id) else { return };
        for link in &held.lacking {
            let Some(needing) = self.needs.get_mut(link) else { continue };
            needing.remove(id);
            if needing.is_empty() {
                self.needs.remove(link);
                self.forget_missing(link);
            }
        }
        // Those that need it lack it again.
        let needing: Vec<VertexRef> = self.needs.get(id).into_iter().flatten().copied().collect();
        for charged in needing.iter().filter_map(|needing| Some(self.held.get(needing)?.charged)) {
            self.missing.entry(charged).or_default().insert(*id);
        }
    }

    fn remove(&mut self, id: &VertexRef) -> Option<Held> {
        let held = self.held.remove(id)?;
        if let Some(charge) = self.charges.get_mut(&held.charged) {
            charge.bytes -= held.vertex.body().weight();
            charge.held.remove(id);
        }
        Some(held)
    }

    fn forget_missing(&mut self, id: &VertexRef) {
        for missing in self.missing.values_mut() {
            missing.remove(id);
        }
    }
}
