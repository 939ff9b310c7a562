//! Vertices that wait for ancestors.
//!
//! What waits is charged to the author that needs it: the one that pushed the vertex, and for an ancestor the one
//! whose vertex links it. Each author has a quota of bytes and vertices, which a flooder fills only for itself. When it
//! is full, the lowest rounds win: they are accepted first, and make room. What has to go is first charged to somebody
//! else who asks for it and has room.
//!
//! Who is *charged* bounds memory; who *asks* decides what is fetched. The askers of a held vertex are all who sent it,
//! whenever they did, and the askers of those that need it. What a correct replica sends it has accepted, so all that is
//! lacking on its behalf can be had of it; of links that lead nowhere only those ask who sent them. So whatever one
//! pretends to need hides nothing that others need, as each asker's lowest are asked for.
//!
//! A proven equivocator's vertices have the askers of those that need them only. One without an asker *counts* no more: what
//! nobody else needs is neither asked for nor taken. That is safe: a correct replica links of an author before it holds
//! the proof, or where a quorum lacks it, and then its own vertex asks, whose author is not proven anything.
//!
//! A proven equivocator's vertices are *barred* until a certified alert lists them ([`super::alert`]): they wait for that as they
//! wait for ancestors.

use super::vertex::{Vertex, VertexRef};
use crate::limits::{MAX_WAITING_BYTES_PER_AUTHOR, MAX_WAITING_VERTICES_PER_AUTHOR};
use crate::quorum::ReplicaId;
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// The waiting vertices.
///
/// Invariants: 1. `needs` holds exactly the unaccepted links of held vertices; 2. a link that is not held itself is
/// in `missing` of each asker of a vertex that needs it; 3. the askers of a held vertex ask for its held ancestors.
#[derive(Default)]
pub(super) struct Waiting {
    held: BTreeMap<VertexRef, Held>,
    needs: BTreeMap<VertexRef, BTreeSet<VertexRef>>,
    missing: BTreeMap<ReplicaId, BTreeSet<VertexRef>>,
    charges: BTreeMap<ReplicaId, Charge>,
    excluded: BTreeSet<ReplicaId>,
    /// What certified alerts list.
    listed: BTreeSet<VertexRef>,
}

struct Held {
    vertex: Vertex,
    charged: ReplicaId,
    senders: BTreeSet<ReplicaId>,
    askers: BTreeSet<ReplicaId>,
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

    /// Whether its author is proven an equivocator, and no certified alert lists it.
    pub fn bars(&self, id: &VertexRef) -> bool {
        self.excluded.contains(&id.author) && !self.listed.contains(id) && !planted!(UnlistedAccepted)
    }

    /// Whether a held vertex that counts links it.
    pub fn is_needed(&self, id: &VertexRef) -> bool {
        self.needing(id).any(|held| !held.askers.is_empty())
    }

    /// Who is to be charged for this vertex: of those that need it, and its `sender`, whoever has used the least, so that
    /// one that has filled its quota does not keep from others what they need too.
    pub fn to_charge(&self, id: &VertexRef, sender: Option<ReplicaId>) -> Option<ReplicaId> {
        let needing = self.needing(id).filter(|held| !held.askers.is_empty()).map(|held| held.charged);
        let candidates: BTreeSet<ReplicaId> = needing.chain(sender).collect();
        candidates.into_iter().min_by_key(|author| self.used(*author))
    }

    fn needing(&self, id: &VertexRef) -> impl Iterator<Item = &Held> {
        self.needs.get(id).into_iter().flatten().filter_map(|needing| self.held.get(needing))
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

    /// The ancestors that are lacking on behalf of this replica, lowest first.
    pub fn missing(&self, asker: ReplicaId) -> impl Iterator<Item = VertexRef> {
        self.missing.get(&asker).into_iter().flatten().copied()
    }

    /// The lowest round of an ancestor that is lacking, or barred.
    pub fn lowest_missing(&self) -> Option<u64> {
        let missing = self.missing.values().filter_map(|missing| Some(missing.first()?.round));
        let barred = self.held.iter().find(|(_, held)| held.lacking.is_empty() && !held.askers.is_empty());
        missing.chain(barred.map(|(id, _)| id.round)).min()
    }

    /// Whether less than half of an author's quota is used.
    pub fn has_room(&self, author: ReplicaId) -> bool {
        self.charges.get(&author).is_none_or(|charge| {
            charge.bytes < MAX_WAITING_BYTES_PER_AUTHOR / 2
                && charge.held.len() < MAX_WAITING_VERTICES_PER_AUTHOR / 2
        })
    }

    /// Holds a vertex that `sender` sent until `lacking` are accepted, and it is not barred. Returns those for whom something had to be dropped
    /// for want of room.
    pub fn hold(
        &mut self,
        id: VertexRef,
        vertex: Vertex,
        sender: ReplicaId,
        charged: ReplicaId,
        lacking: BTreeSet<VertexRef>,
    ) -> BTreeSet<ReplicaId> {
        let weight = vertex.body().weight();
        let mut dropped = BTreeSet::new();
        while !self.fits(charged, weight) {
            match self.charges.get(&charged).and_then(|charge| charge.held.last().copied()) {
                Some(highest) if highest > id => dropped.append(&mut self.make_room(&highest)),
                _ => {
                    dropped.extend([sender, charged]);
                    return dropped;
                }
            }
        }
        for link in &lacking {
            self.needs.entry(*link).or_default().insert(id);
        }
        self.forget_missing(&id);
        let (senders, askers) = (BTreeSet::from([sender]), BTreeSet::new());
        self.held.insert(id, Held { vertex, charged, senders, askers, lacking });
        self.charge(charged, id, weight);
        let askers = self.own_askers(&id).into_iter().chain(self.passed_down(&id)).collect();
        self.add_askers(id, askers);
        dropped
    }

    /// Another one sent a vertex that is held.
    pub fn sent(&mut self, id: &VertexRef, sender: ReplicaId) {
        if let Some(held) = self.held.get_mut(id) {
            held.senders.insert(sender);
            self.add_askers(*id, self.own_askers(id));
        }
    }

    /// An author is proven an equivocator: of what only its own vertices need nothing is asked for any more.
    pub fn exclude(&mut self, author: ReplicaId) {
        if !self.excluded.insert(author) {
            return;
        }
        self.missing.clear();
        self.held.values_mut().for_each(|held| held.askers.clear());
        // A vertex is needed by those of higher rounds only.
        let downward: Vec<VertexRef> = self.held.keys().rev().copied().collect();
        for id in downward {
            self.add_askers(id, self.own_askers(&id));
        }
    }

    fn own_askers(&self, id: &VertexRef) -> BTreeSet<ReplicaId> {
        let held = self.held.get(id).filter(|_| !self.excluded.contains(&id.author));
        held.map(|held| held.senders.clone()).unwrap_or_default()
    }

    fn passed_down(&self, id: &VertexRef) -> BTreeSet<ReplicaId> {
        self.needing(id).flat_map(|held| held.askers.iter().copied()).collect()
    }

    /// Adds askers to a held vertex and to what it lacks; each of them passes a vertex once.
    fn add_askers(&mut self, id: VertexRef, askers: BTreeSet<ReplicaId>) {
        let mut stack = vec![(id, askers)];
        while let Some((id, askers)) = stack.pop() {
            let Some(held) = self.held.get_mut(&id) else {
                for asker in askers {
                    self.missing.entry(asker).or_default().insert(id);
                }
                continue;
            };
            let new: BTreeSet<ReplicaId> = askers.difference(&held.askers).copied().collect();
            if !new.is_empty() {
                held.askers.extend(&new);
                stack.extend(held.lacking.iter().map(|link| (*link, new.clone())));
            }
        }
    }

    /// Notes that a vertex was accepted; returns those that wait for nothing any more.
    pub fn accepted(&mut self, id: &VertexRef) -> Vec<(VertexRef, Vertex)> {
        self.forget_missing(id);
        let mut ready = Vec::new();
        for needing in self.needs.remove(id).unwrap_or_default() {
            let Some(held) = self.held.get_mut(&needing) else { continue };
            held.lacking.remove(id);
            ready.extend(self.take_ready(&needing));
        }
        ready
    }

    /// Takes note of vertices that a certified alert lists; returns those that wait for nothing any more.
    pub fn list(&mut self, ids: impl Iterator<Item = VertexRef>) -> Vec<(VertexRef, Vertex)> {
        let ids: Vec<VertexRef> = ids.collect();
        self.listed.extend(&ids);
        ids.iter().filter_map(|id| self.take_ready(id)).collect()
    }

    fn take_ready(&mut self, id: &VertexRef) -> Option<(VertexRef, Vertex)> {
        let waits = !self.held.get(id)?.lacking.is_empty() || self.bars(id);
        if waits { None } else { self.remove(id).map(|held| (*id, held.vertex)) }
    }

    /// What is below the line is needed no more and waits no more; returns what waits for nothing any more.
    pub fn collect(&mut self, line: u64) -> Vec<(VertexRef, Vertex)> {
        let line = VertexRef::first_of(line);
        self.listed = self.listed.split_off(&line);
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

    /// Takes a vertex from a full quota: another one that asks for it is charged, or it is dropped for all of them.
    fn make_room(&mut self, id: &VertexRef) -> BTreeSet<ReplicaId> {
        let Some(held) = self.held.get(id) else { return BTreeSet::new() };
        let (weight, charged, askers) = (held.vertex.body().weight(), held.charged, held.askers.clone());
        let other = askers.iter().copied().find(|asker| *asker != charged && self.fits(*asker, weight));
        let Some(other) = other else {
            self.evict(id);
            return askers.into_iter().chain([charged]).collect();
        };
        self.discharge(charged, id, weight);
        self.charge(other, *id, weight);
        if let Some(held) = self.held.get_mut(id) {
            held.charged = other;
        }
        BTreeSet::new()
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
        self.add_askers(*id, self.passed_down(id));
    }

    fn remove(&mut self, id: &VertexRef) -> Option<Held> {
        let held = self.held.remove(id)?;
        self.discharge(held.charged, id, held.vertex.body().weight());
        Some(held)
    }

    fn charge(&mut self, author: ReplicaId, id: VertexRef, weight: usize) {
        let charge = self.charges.entry(author).or_default();
        charge.bytes += weight;
        charge.held.insert(id);
    }

    fn discharge(&mut self, author: ReplicaId, id: &VertexRef, weight: usize) {
        if let Some(charge) = self.charges.get_mut(&author) {
            charge.bytes -= weight;
            charge.held.remove(id);
        }
    }

    fn forget_missing(&mut self, id: &VertexRef) {
        for missing in self.missing.values_mut() {
            missing.remove(id);
        }
    }
}
