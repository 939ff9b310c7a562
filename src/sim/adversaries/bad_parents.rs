//! Signed vertices that break one rule of validity each, or are valid and link what does not exist.
//!
//! The broken ones go in the place of honest ones, which whoever lacks them may fetch. The valid ones contradict the
//! honest ones: the first that meets its twin is a proof of fault, after which nothing more is heard; so they come late.
use super::{Adversary, ReplicaId, Scene, say};
use crate::consensus::{Body, Message, VertexRef};
use crate::limits::HISTORY_ROUNDS;

/// Milliseconds after which it links what does not exist.
const DANGLING_FROM_MS: u64 = 8_000;

/// The bad parent.
#[derive(Default)]
pub(super) struct BadParents {
    turn: usize,
}

type Spoil = fn(&mut Scene<'_>, &mut Body);

/// Ways to break a rule of validity; the next ones keep them all.
pub(super) const INVALID: [(&str, Spoil); 8] = [
    ("too few parents", |scene, body| {
        body.parents.truncate(scene.forge.committee().quorum() - 1);
        body.prev = None;
    }),
    ("two parents of one author", |_, body| body.parents[1].0 = body.parents[0].0),
    ("parents out of order", |_, body| body.parents.swap(0, 1)),
    ("a stranger as a parent", |scene, body| {
        let n = scene.forge.committee().n() as u8;
        let last = body.parents.len() - 1;
        body.parents[last].0 = ReplicaId::new(n + 1).expect("an index");
    }),
    ("a previous vertex of its own round", |scene, body| body.prev = Some((body.round, scene.nothing()))),
    ("a previous vertex that is no parent", |scene, body| {
        body.prev = Some((body.round - 1, scene.nothing()))
    }),
    ("a weak link beyond the window", |scene, body| {
        let round = if body.round > HISTORY_ROUNDS { body.round - HISTORY_ROUNDS - 1 } else { body.round };
        body.weak = vec![VertexRef { round, author: scene.forge.me(), digest: scene.nothing() }];
    }),
    ("a weak link to a parent", |_, body| {
        let (author, digest) = body.parents[0];
        body.weak = vec![VertexRef { round: body.round - 1, author, digest }];
    }),
];

const DANGLING: [(&str, Spoil); 3] = [
    ("parents that do not exist", |scene, body| {
        let last = body.parents.len() - 1;
        body.parents[last].1 = scene.nothing();
        body.prev = None;
    }),
    ("a weak link to nothing", |scene, body| {
        body.weak =
            vec![VertexRef { round: body.round - 1, author: scene.forge.me(), digest: scene.nothing() }];
    }),
    ("a previous vertex that does not exist", |scene, body| {
        body.prev = body.round.checked_sub(2).map(|round| (round, scene.nothing()));
    }),
];

impl Adversary for BadParents {
    fn outgoing(&mut self, scene: &mut Scene<'_>, _to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        let Some(mut body) = scene.own_vertex(bytes) else { return vec![bytes.to_vec()] };
        // In the first rounds the parents are the implied ones, and nothing else is.
        if body.round < 3 || scene.chance.one_in(2) {
            return vec![bytes.to_vec()];
        }
        let dangling = scene.now > DANGLING_FROM_MS && scene.chance.one_in(8);
        let ways: &[(&str, Spoil)] = if dangling { &DANGLING } else { &INVALID };
        let (what, spoil) = ways[self.turn % ways.len()];
        self.turn += 1;
        spoil(scene, &mut body);
        scene.did(what);
        vec![say(Message::Vertex(scene.forge.sign(body)))]
    }
}
