//! Everything that costs others something, as fast as it can: valid vertices full of junk, vertices of the greatest size
//! that wait for ancestors, and questions whose answers are long.
use super::{Act, Adversary, ReplicaId, Scene, far_future, say};
use crate::codec::{self, JobId};
use crate::consensus::{Message, Request, VertexRef};
use crate::limits::{MAX_ASKED_JOBS, MAX_VERTEX_PAYLOAD_BYTES};
use crate::replica::PeerMessage;
use crate::signing;

/// Octets of a request of junk: one fills a vertex.
const JUNK: usize = MAX_VERTEX_PAYLOAD_BYTES - 1_024;
/// Vertices that are remembered to be asked for.
const MEMORY: usize = 64;

/// The flooder.
#[derive(Default)]
pub(super) struct Flood {
    heard: Vec<VertexRef>,
    turn: u64,
}

impl Adversary for Flood {
    fn incoming(&mut self, scene: &mut Scene<'_>, _from: ReplicaId, bytes: &[u8]) -> Vec<Act> {
        if let Some(vertex) = super::vertex(bytes) {
            let at = self.heard.len().min(scene.chance.range(0, MEMORY as u64 - 1) as usize);
            self.heard.truncate(MEMORY - 1);
            self.heard.insert(at.min(self.heard.len()), scene.forge.name(&vertex));
        }
        Vec::new()
    }

    fn pace_ms(&self) -> Option<u64> {
        Some(20)
    }

    fn spontaneous(&mut self, scene: &mut Scene<'_>) -> Vec<Act> {
        self.turn += 1;
        let bytes = match self.turn % 8 {
            0 => {
                scene.did("proposed junk");
                return vec![Act::Propose(junk(scene))];
            }
            1 => {
                scene.did("asked for everything");
                say(Message::Range(VertexRef {
                    round: 1,
                    author: scene.forge.me(),
                    digest: codec::Digest::default(),
                }))
            }
            2 => {
                scene.did("asked for many vertices");
                say(Message::Fetch(self.heard.clone()))
            }
            3 => {
                scene.did("asked for many signatures");
                let jobs = (0..MAX_ASKED_JOBS / 16).map(|_| JobId(scene.nothing())).collect();
                codec::encode(&PeerMessage::Signing(signing::Message::Ask(jobs)))
            }
            _ => {
                scene.did("made a large vertex that must wait");
                let round = 1_000 + self.turn;
                let payload = vec![Request(junk(scene).into())];
                let body = crate::consensus::Body { payload, ..far_future::body(scene, round) };
                say(Message::Vertex(scene.forge.sign(body)))
            }
        };
        scene.others().into_iter().map(|to| Act::Send(to, bytes.clone())).collect()
    }
}

fn junk(scene: &mut Scene<'_>) -> Vec<u8> {
    let mut junk = vec![0; JUNK];
    scene.chance.fill(&mut junk);
    junk
}
