//! An equivocator that does it once, where it counts: it follows the votes, and when its next vertex can both help to commit
//! a leader and help to skip it, it signs both and shows each to those whom it may mislead.
//!
//! Two such moments: the parents that it knows hold q votes for a leader and one vertex that does not vote, so that its
//! vertex can certify the leader or not; or only one of them reaches a leader, so that its vertex can vote for it or not.
//! After that it goes on by itself from the one that most have, for some rounds, and is silent then. Honest replicas of the right rule are not misled by any of this:
//! quorums intersect in correct ones.
use super::{Act, Adversary, Chance, ReplicaId, Scene, say, vertex};
use crate::codec;
use crate::consensus::{Body, Message, Vertex, VertexRef};
use crate::limits::MAX_FRAME_BYTES;
use crate::replica::PeerMessage;
use crate::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet};

/// Rounds before it looks for its moment.
const FROM_ROUND: u64 = 8;
/// Rounds of which it remembers vertices.
const REMEMBERED: u64 = 16;
/// Rounds for which it goes on after its moment.
const FOLLOWING: u64 = 12;

/// One vertex, and another in its place.
struct Split {
    round: u64,
    one: Vertex,
    other: Vertex,
    /// Who is shown the first.
    to: BTreeSet<ReplicaId>,
}

/// The opportunist.
pub(super) struct Opportunist {
    /// Whether it waits for a moment to certify, and not for one to vote.
    certifies: bool,
    parents: BTreeMap<VertexRef, Vec<VertexRef>>,
    split: Option<Split>,
    looked: u64,
    /// From the split on: its newest vertex.
    newest: Option<Vertex>,
}

impl Opportunist {
    pub fn new(chance: &mut Chance) -> Self {
        Self { certifies: chance.one_in(2), parents: BTreeMap::new(), split: None, looked: 0, newest: None }
    }

    fn see(&mut self, scene: &Scene<'_>, vertex: &Vertex) {
        let id = scene.forge.name(vertex);
        self.parents.insert(id, vertex.body().parent_refs().collect());
        let oldest = VertexRef::first_of(id.round.saturating_sub(REMEMBERED));
        if self.parents.first_key_value().is_some_and(|(first, _)| *first < oldest) {
            self.parents = self.parents.split_off(&oldest);
        }
    }

    fn reaches(&self, from: &VertexRef, author: ReplicaId, depth: u64) -> bool {
        match depth {
            0 => from.author == author,
            _ => self
                .parents
                .get(from)
                .is_some_and(|all| all.iter().any(|parent| self.reaches(parent, author, depth - 1))),
        }
    }

    /// Whether its own vertex two rounds below its next one reached this author's: then so do all others'.
    fn knew(&self, scene: &Scene<'_>, body: &Body, author: ReplicaId) -> bool {
        let rounds = VertexRef::first_of(body.round - 2)..VertexRef::first_of(body.round - 1);
        let mut own = self.parents.range(rounds).filter(|(id, _)| id.author == scene.forge.me());
        own.any(|(id, _)| self.reaches(id, author, 2))
    }

    /// Its next vertex after the split, once it knows a quorum below it.
    fn go_on(&mut self, scene: &mut Scene<'_>) -> Option<Vertex> {
        let (newest, split) = (self.newest.as_ref()?, self.split.as_ref()?);
        let (name, round) = (scene.forge.name(newest), newest.body().round + 1);
        let mut below = self.below(round);
        below.insert(name.author, name);
        if round > split.round + FOLLOWING || below.len() < scene.forge.committee().quorum() {
            return None;
        }
        let next = Body {
            round,
            time: UnixMillis(newest.body().time.0 + 1),
            prev: Some((name.round, name.digest)),
            payload: Vec::new(),
            coin_share: scene.forge.coin_share(round),
            ..newest.body().clone()
        };
        let next = scene.forge.sign(with_parents(&next, below.into_values().collect()));
        self.see(scene, &next);
        self.newest = Some(next.clone());
        Some(next)
    }

    /// The vertices in the round below, one of each author.
    fn below(&self, round: u64) -> BTreeMap<ReplicaId, VertexRef> {
        let known = self.parents.range(VertexRef::first_of(round - 1)..VertexRef::first_of(round));
        known.map(|(id, _)| (id.author, *id)).collect()
    }

    /// Whether this is what its replica has found out about itself, or holds what was not shown.
    fn tells(&self, scene: &Scene<'_>, bytes: &[u8]) -> bool {
        let own = |vertex: &Vertex| vertex.body().author == scene.forge.me();
        match codec::decode(bytes, MAX_FRAME_BYTES) {
            Ok(PeerMessage::Consensus(Message::Proof(one, _))) => own(&one),
            Ok(PeerMessage::Consensus(Message::Alert(alert))) => alert.subject.accused == scene.forge.me(),
            Ok(PeerMessage::Consensus(Message::Vertices(all) | Message::Page(all, _))) => {
                self.split.is_some() && all.iter().any(own)
            }
            _ => false,
        }
    }

    /// Two sets of parents for its vertex, and who is shown the one with the first, if this is the moment.
    fn moment(&self, scene: &mut Scene<'_>, body: &Body) -> Option<Split> {
        let quorum = scene.forge.committee().quorum();
        let below = self.below(body.round);
        let depth = if self.certifies { 3 } else { 2 };
        for author in scene.others() {
            let (with, without): (Vec<VertexRef>, Vec<VertexRef>) =
                below.values().partition(|id| self.reaches(id, author, depth));
            let (one, other) = match self.certifies {
                true if with.len() == quorum && !without.is_empty() && !self.knew(scene, body, author) => {
                    let other = with.iter().filter(|id| id.author != author).take(quorum - 1);
                    (with.clone(), other.chain(&without).copied().collect())
                }
                false if with.len() == 1 && without.len() >= quorum => {
                    let one = with.iter().chain(without.iter().take(quorum - 1)).copied().collect();
                    (one, without.clone())
                }
                _ => continue,
            };
            let mut to = BTreeSet::from([author]);
            if !self.certifies {
                let rest: Vec<_> = scene.others().into_iter().filter(|other| *other != author).collect();
                to.insert(scene.chance.pick(&rest));
            }
            let one = scene.forge.sign(with_parents(body, one));
            let other = scene.forge.sign(with_parents(body, other));
            return Some(Split { round: body.round, one, other, to });
        }
        None
    }
}

fn with_parents(body: &Body, mut parents: Vec<VertexRef>) -> Body {
    parents.sort_by_key(|id| id.author);
    let parents: Vec<_> = parents.iter().map(|id| (id.author, id.digest)).collect();
    let prev = body.prev.filter(|(_, digest)| parents.contains(&(body.author, *digest)));
    Body { parents, prev, weak: Vec::new(), ..body.clone() }
}

impl Adversary for Opportunist {
    fn outgoing(&mut self, scene: &mut Scene<'_>, to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        let Some(body) = scene.own_vertex(bytes) else {
            return if self.tells(scene, bytes) { Vec::new() } else { vec![bytes.to_vec()] };
        };
        let Some(own) = vertex(bytes) else { return Vec::new() };
        if body.round > self.looked {
            self.looked = body.round;
            if self.split.is_none() && body.round > FROM_ROUND {
                self.split = self.moment(scene, &body);
                if let Some(Split { one, other, .. }) = &self.split {
                    scene.did(if self.certifies { "certified or not" } else { "voted or not" });
                    self.newest = Some(if self.certifies { other.clone() } else { one.clone() });
                }
            }
            if self.split.is_none() {
                self.see(scene, &own);
            }
        }
        match &self.split {
            None => vec![bytes.to_vec()],
            Some(split) if split.round == body.round => {
                let shown = if split.to.contains(&to) { &split.one } else { &split.other };
                vec![say(Message::Vertex(shown.clone()))]
            }
            Some(_) => Vec::new(),
        }
    }

    fn incoming(&mut self, scene: &mut Scene<'_>, _from: ReplicaId, bytes: &[u8]) -> Vec<Act> {
        if let Some(vertex) = vertex(bytes) {
            self.see(scene, &vertex);
        }
        let mut acts = Vec::new();
        while let Some(next) = self.go_on(scene) {
            let said = say(Message::Vertex(next));
            acts.extend(scene.others().into_iter().map(|to| Act::Send(to, said.clone())));
        }
        acts
    }
}
