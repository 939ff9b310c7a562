//! Signed vertices of far rounds whose ancestors are made up, and questions about rounds that nobody has reached.
use super::{Act, Adversary, Scene, say};
use crate::codec::Epoch;
use crate::consensus::{Body, Message, VertexRef};
use crate::time::UnixMillis;

/// Rounds that no run reaches.
const FAR: u64 = 1 << 20;
/// The last round that is valid, 2^48.
const LAST: u64 = 1 << 48;
/// References in one question; a correct replica never asks for more than 64.
const ASKED: usize = 64;

/// The seer.
pub(super) struct FarFuture;

impl Adversary for FarFuture {
    fn pace_ms(&self) -> Option<u64> {
        Some(40)
    }

    fn spontaneous(&mut self, scene: &mut Scene<'_>) -> Vec<Act> {
        let round = [FAR + scene.chance.range(0, 1_000), LAST - scene.chance.range(0, 1_000), LAST + 1];
        let round = scene.chance.pick(&round);
        let message = match scene.chance.range(0, 3) {
            0 => {
                scene.did("asked for a far range");
                Message::Range(made_up(scene, round))
            }
            1 => {
                scene.did("asked for far vertices");
                let count = if scene.chance.one_in(8) { ASKED + 1 } else { ASKED };
                Message::Fetch((0..count).map(|_| made_up(scene, round)).collect())
            }
            _ => {
                scene.did("made a vertex of a far round");
                let body = body(scene, round);
                Message::Vertex(scene.forge.sign(body))
            }
        };
        let bytes = say(message);
        scene.others().into_iter().map(|to| Act::Send(to, bytes.clone())).collect()
    }
}

/// A vertex that nobody has made.
pub(super) fn made_up(scene: &mut Scene<'_>, round: u64) -> VertexRef {
    let members: Vec<_> = scene.forge.committee().members().collect();
    VertexRef { round, author: scene.chance.pick(&members), digest: scene.nothing() }
}

/// A body that keeps all the rules, with parents and a weak link that nobody has made.
pub(super) fn body(scene: &mut Scene<'_>, round: u64) -> Body {
    let parents = scene.forge.committee().members().map(|author| (author, scene.nothing())).collect();
    Body {
        epoch: Epoch(0),
        author: scene.forge.me(),
        round,
        prev: None,
        parents,
        weak: vec![made_up(scene, round - 2)],
        time: UnixMillis(super::super::cluster::START.0 + scene.now),
        payload: Vec::new(),
        coin_share: scene.forge.coin_share(round),
    }
}
