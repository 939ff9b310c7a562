//! Links: what a correct replica takes as a parent is valid in two things that the order rests on, by a reading of their
//! own: it has parents of at least q authors, and its share of the coin is right.
use super::super::cluster::Cluster;
use super::super::graph::pushed;
use crate::consensus::{Onlooker, VertexRef};
use crate::quorum::{Committee, ReplicaId};
use std::collections::{BTreeMap, BTreeSet};

/// What corrupt replicas have said that nobody may link.
pub struct Links {
    committee: Committee,
    onlooker: Onlooker,
    invalid: BTreeMap<VertexRef, &'static str>,
}

impl Links {
    /// For a run of this cluster.
    pub(in crate::sim) fn new(cluster: &Cluster) -> Self {
        Self { committee: cluster.committee, onlooker: cluster.onlooker(), invalid: BTreeMap::new() }
    }

    /// A corrupt replica says this.
    pub fn said(&mut self, bytes: &[u8]) {
        let Some(vertex) = pushed(bytes) else { return };
        let parents: BTreeSet<ReplicaId> = vertex.body().parents.iter().map(|(author, _)| *author).collect();
        let why = if parents.len() < self.committee.quorum() {
            "parents of too few"
        } else if !self.onlooker.has_right_share(&vertex) {
            "a wrong share of the coin"
        } else {
            return;
        };
        self.invalid.insert(self.onlooker.name(&vertex), why);
        super::trim(&mut self.invalid);
    }

    /// A correct replica sends this to others.
    pub fn sent(&self, who: ReplicaId, bytes: &[u8]) -> Result<(), String> {
        if self.invalid.is_empty() {
            return Ok(());
        }
        let Some(vertex) = pushed(bytes).filter(|vertex| vertex.body().author == who) else {
            return Ok(());
        };
        let found = vertex.body().parent_refs().find_map(|parent| Some((parent, self.invalid.get(&parent)?)));
        match found {
            Some((parent, why)) => {
                Err(format!("links: {who:?} takes {parent:?} as a parent, which has {why}"))
            }
            None => Ok(()),
        }
    }
}
