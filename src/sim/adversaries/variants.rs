//! An equivocator of the plainest kind: of every vertex, each peer is shown a variant of its own, and some are shown two.
use super::{Adversary, ReplicaId, Scene, say};
use crate::consensus::{Body, Message};
use crate::time::UnixMillis;

/// The replica of many faces.
pub(super) struct Variants;

impl Adversary for Variants {
    fn outgoing(&mut self, scene: &mut Scene<'_>, to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        let Some(body) = scene.own_vertex(bytes) else { return vec![bytes.to_vec()] };
        let faces = if scene.chance.one_in(4) { 2 } else { 1 };
        let face = |face: u64| {
            let time = UnixMillis(body.time.0 + u64::from(to.get()) * 2 + face);
            say(Message::Vertex(scene.forge.sign(Body { time, ..body.clone() })))
        };
        let out = (0..faces).map(face).collect();
        scene.did("showed a variant");
        out
    }
}
