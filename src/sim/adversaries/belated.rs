//! A replica that keeps its vertices until age is about to exclude them, and shows each to one peer then: some are
//! delivered in the last round in which they may be. They carry requests, so that it matters.
use super::{Act, Adversary, ReplicaId, Scene, vertex};
use crate::codec;
use crate::consensus::Message;
use crate::limits::{HISTORY_ROUNDS, MAX_FRAME_BYTES};
use crate::replica::PeerMessage;
use std::collections::VecDeque;

/// Rounds before the end of the window in which a vertex is shown, at most, and after it.
const EARLY: u64 = 7;
const LATE: u64 = 1;
/// Milliseconds from one request that it makes up to the next.
const PACE_MS: u64 = 60;

/// The belated replica.
#[derive(Default)]
pub(super) struct Belated {
    /// Its vertices that nobody has, with the round of the others in which they are to be shown.
    kept: VecDeque<(u64, Vec<u8>)>,
    /// Its newest round, and the others'.
    made: u64,
    heard: u64,
}

impl Adversary for Belated {
    fn outgoing(&mut self, scene: &mut Scene<'_>, _to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        if let Some(body) = scene.own_vertex(bytes) {
            if body.round > self.made {
                self.made = body.round;
                let age = scene.chance.range(HISTORY_ROUNDS - EARLY, HISTORY_ROUNDS + LATE);
                self.kept.push_back((body.round + age, bytes.to_vec()));
            }
            return Vec::new();
        }
        // Nor does it give them to who asks.
        let answers = codec::decode(bytes, MAX_FRAME_BYTES);
        let keeps = |vertices: &[crate::consensus::Vertex]| {
            let young = |round: u64| round + HISTORY_ROUNDS - EARLY > self.heard;
            vertices.iter().any(|v| v.body().author == scene.forge.me() && young(v.body().round))
        };
        match answers {
            Ok(PeerMessage::Consensus(Message::Vertices(all) | Message::Page(all, _))) if keeps(&all) => {
                Vec::new()
            }
            _ => vec![bytes.to_vec()],
        }
    }

    fn incoming(&mut self, scene: &mut Scene<'_>, _from: ReplicaId, bytes: &[u8]) -> Vec<Act> {
        let Some(vertex) = vertex(bytes) else { return Vec::new() };
        self.heard = self.heard.max(vertex.body().round);
        let mut acts = Vec::new();
        while self.kept.front().is_some_and(|(at, _)| *at <= self.heard)
            && let Some((_, said)) = self.kept.pop_front()
        {
            let to = scene.chance.pick(&scene.others());
            acts.push(Act::Send(to, said));
            scene.did("showed a vertex when its time was nearly over");
        }
        acts
    }

    fn spontaneous(&mut self, scene: &mut Scene<'_>) -> Vec<Act> {
        vec![Act::Propose(scene.chance.seed().to_vec())]
    }

    fn pace_ms(&self) -> Option<u64> {
        Some(PACE_MS)
    }
}
