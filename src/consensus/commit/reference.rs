//! The commit rule again, word by word and from scratch: the oracle of the tests.

use super::super::vertex::VertexRef;
use crate::quorum::{Committee, ReplicaId};
use std::collections::{BTreeMap, BTreeSet};

/// A view: vertices with their parents, and the coins it knows.
pub struct View {
    pub committee: Committee,
    pub parents: BTreeMap<VertexRef, Vec<VertexRef>>,
    pub coins: BTreeMap<u64, Vec<ReplicaId>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Commit(VertexRef),
    Skip,
    Undecided,
}

type Memo = BTreeMap<(u64, ReplicaId), Status>;

impl View {
    /// The closed rounds in order, each with its committed leaders.
    pub fn closed(&self) -> Vec<(u64, Vec<VertexRef>)> {
        let mut memo = Memo::new();
        let mut closed = Vec::new();
        for round in 1.. {
            let Some(order) = self.coins.get(&round) else { break };
            let statuses: Vec<Status> =
                order.iter().map(|author| self.status(round, *author, &mut memo)).collect();
            if statuses.iter().any(|status| matches!(status, Status::Undecided)) {
                break;
            }
            let leader =
                |status: &Status| if let Status::Commit(leader) = status { Some(*leader) } else { None };
            closed.push((round, statuses.iter().filter_map(leader).collect()));
        }
        closed
    }

    fn status(&self, round: u64, author: ReplicaId, memo: &mut Memo) -> Status {
        if let Some(status) = memo.get(&(round, author)) {
            return *status;
        }
        let status = self.direct(round, author).unwrap_or_else(|| self.indirect(round, author, memo));
        memo.insert((round, author), status);
        status
    }

    fn direct(&self, round: u64, author: ReplicaId) -> Option<Status> {
        let q = self.committee.quorum();
        for leader in self.of(round).filter(|id| id.author == author) {
            let certifiers: BTreeSet<ReplicaId> =
                self.of(round + 4).filter(|w| self.certifies(w, &leader)).map(|w| w.author).collect();
            if certifiers.len() >= q {
                return Some(Status::Commit(leader));
            }
        }
        let blamers: BTreeSet<ReplicaId> =
            self.of(round + 3).filter(|v| self.vote(v, round, author).is_none()).map(|v| v.author).collect();
        (blamers.len() >= q).then_some(Status::Skip)
    }

    fn indirect(&self, round: u64, author: ReplicaId, memo: &mut Memo) -> Status {
        for later in round + 5.. {
            let Some(order) = self.coins.get(&later) else { return Status::Undecided };
            for other in order {
                match self.status(later, *other, memo) {
                    Status::Undecided => return Status::Undecided,
                    Status::Skip => {}
                    Status::Commit(anchor) => return self.by_anchor(&anchor, round, author),
                }
            }
        }
        Status::Undecided
    }

    fn by_anchor(&self, anchor: &VertexRef, round: u64, author: ReplicaId) -> Status {
        let reached = self.history(anchor);
        for leader in self.of(round).filter(|id| id.author == author) {
            if self.of(round + 4).any(|w| reached.contains(&w) && self.certifies(&w, &leader)) {
                return Status::Commit(leader);
            }
        }
        Status::Skip
    }

    fn certifies(&self, w: &VertexRef, leader: &VertexRef) -> bool {
        let voters: BTreeSet<ReplicaId> = self.parents[w]
            .iter()
            .filter(|v| self.vote(v, leader.round, leader.author) == Some(*leader))
            .map(|v| v.author)
            .collect();
        voters.len() >= self.committee.quorum()
    }

    /// Depth-first search over parents in order of (author, digest): the first vertex of the slot.
    fn vote(&self, v: &VertexRef, round: u64, author: ReplicaId) -> Option<VertexRef> {
        let mut visited = BTreeSet::new();
        let mut stack = vec![*v];
        while let Some(at) = stack.pop() {
            if at.round == round && at.author == author {
                return Some(at);
            }
            if at.round > round && visited.insert(at) {
                let mut parents = self.parents.get(&at).cloned().unwrap_or_default();
                parents.sort_by_key(|id| (id.author, id.digest));
                stack.extend(parents.into_iter().rev());
            }
        }
        None
    }

    fn history(&self, from: &VertexRef) -> BTreeSet<VertexRef> {
        let mut reached = BTreeSet::new();
        let mut stack = vec![*from];
        while let Some(at) = stack.pop() {
            if reached.insert(at) {
                stack.extend(self.parents.get(&at).into_iter().flatten().copied());
            }
        }
        reached
    }

    fn of(&self, round: u64) -> impl Iterator<Item = VertexRef> {
        let range = VertexRef::first_of(round)..VertexRef::first_of(round + 1);
        self.parents.range(range).map(|(id, _)| *id)
    }
}
