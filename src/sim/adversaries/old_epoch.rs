//! What is signed for another epoch or another cluster: vertices, shares of the coin, shares of signatures.
use super::{Adversary, ReplicaId, Scene, say};
use crate::codec::{self, ClusterId, Epoch, JobId, digest};
use crate::consensus::{Body, Message};
use crate::limits::MAX_FRAME_BYTES;
use crate::replica::PeerMessage;
use crate::signing;

/// The replica of yesterday.
pub(super) struct OldEpoch;

impl Adversary for OldEpoch {
    fn outgoing(&mut self, scene: &mut Scene<'_>, _to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        if let Some(body) = scene.own_vertex(bytes) {
            out.extend(alien(scene, body).map(|vertex| say(Message::Vertex(vertex))));
        } else if let Ok(PeerMessage::Signing(mut message)) = codec::decode(bytes, MAX_FRAME_BYTES) {
            let alien = |job: &mut JobId| *job = JobId(digest("conclave/sim/another epoch", &[&job.0.0]));
            match &mut message {
                signing::Message::Shares(shares) => shares.iter_mut().for_each(|(job, _)| alien(job)),
                signing::Message::Proofs(proofs) => proofs.iter_mut().for_each(|(job, ..)| alien(job)),
                _ => return vec![bytes.to_vec()],
            }
            scene.did("signature shares for jobs of another epoch");
            out.push(codec::encode(&PeerMessage::Signing(message)));
        }
        out.push(bytes.to_vec());
        out
    }
}

/// The same vertex as another epoch or cluster would have it.
fn alien(scene: &mut Scene<'_>, body: Body) -> Option<crate::consensus::Vertex> {
    let epoch = Epoch(body.epoch.0 + 1);
    let here = ClusterId(codec::Digest::default());
    Some(match scene.chance.range(0, 2) {
        0 => {
            scene.did("a vertex of another epoch");
            scene.forge.sign(Body { epoch, ..body })
        }
        1 => {
            scene.did("a vertex signed for another cluster");
            let epoch = body.epoch;
            scene.forge.sign_for(body, here, epoch)
        }
        _ => {
            let coin_share = scene.forge.coin_share_for(body.round, epoch);
            coin_share?;
            scene.did("a coin share of another epoch");
            scene.forge.sign(Body { coin_share, ..body })
        }
    })
}
