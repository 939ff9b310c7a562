//! Two copies of a replica with one key: they make different vertices of the same rounds, and each shows its own to
//! its half of the committee. One correct replica hears both and holds the proof.
use super::{Adversary, Committee, ReplicaId};
use std::collections::BTreeSet;

/// The copies' audiences: the lower and the upper half of the others, with one replica in both.
pub(super) fn audiences(committee: Committee, me: ReplicaId) -> Vec<BTreeSet<ReplicaId>> {
    let others: Vec<ReplicaId> = committee.others(me).collect();
    let middle = others.len() / 2;
    vec![others[..=middle].iter().copied().collect(), others[middle..].iter().copied().collect()]
}

/// Each copy says what the shipped code says.
pub(super) struct Faithful;

impl Adversary for Faithful {}
