//! Ends of the epoch that are none: endings that nobody came to, finales with too few signatures or with others', what it keeps
//! and does not have. Several corrupt replicas state the same false ending, and put each other's signatures into their finales.
use super::{Act, Adversary, ReplicaId, Scene, say};
use crate::codec::{self, ClusterId, Digest, digest};
use crate::consensus::{Ending, Finale, Message, Signature};
use crate::limits::MAX_FRAME_BYTES;
use crate::replica::PeerMessage;
use std::collections::BTreeMap;

/// The forger of ends.
#[derive(Default)]
pub(super) struct FalseEnd {
    /// What others have signed.
    heard: BTreeMap<ReplicaId, (Ending, Signature)>,
    turn: u64,
}

impl Adversary for FalseEnd {
    fn outgoing(&mut self, scene: &mut Scene<'_>, _to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        match end(bytes) {
            Some(Message::Ended(ending, _)) => {
                scene.did("stated a false ending");
                vec![say(scene.forge.ended(falsified(&ending)).0)]
            }
            Some(Message::Finale(_) | Message::Kept) => {
                scene.did("kept the end to itself");
                Vec::new()
            }
            _ => vec![bytes.to_vec()],
        }
    }

    fn incoming(&mut self, scene: &mut Scene<'_>, from: ReplicaId, bytes: &[u8]) -> Vec<Act> {
        let Some(Message::Ended(ending, signature)) = end(bytes) else { return Vec::new() };
        let ending = self.heard.entry(from).or_insert((ending, signature)).0.clone();
        scene.did("certified a false ending with the signatures of all corrupt replicas");
        let finale = self.finale(scene, falsified(&ending));
        tell(scene, &PeerMessage::Consensus(Message::Finale(finale)))
    }

    fn pace_ms(&self) -> Option<u64> {
        Some(400)
    }

    fn spontaneous(&mut self, scene: &mut Scene<'_>) -> Vec<Act> {
        self.turn += 1;
        let heard = self.heard.values().next().cloned();
        let (ending, signature) = heard.unwrap_or_else(|| {
            let ending = invented(scene.forge.me());
            let (_, own) = scene.forge.ended(ending.clone());
            (ending, own)
        });
        let least = scene.forge.committee().one_correct();
        let message = match self.turn % 5 {
            0 => {
                scene.did("said that it keeps what it may not have");
                Message::Kept
            }
            1 => {
                scene.did("stated an ending with another's signature");
                Message::Ended(Ending { round: ending.round + 1, ..ending }, signature)
            }
            2 => {
                scene.did("certified an ending with one signature twice");
                let (_, own) = scene.forge.ended(ending.clone());
                Message::Finale(scene.forge.finale(ending, vec![(scene.forge.me(), own); least]))
            }
            3 => {
                scene.did("certified an ending with others' signatures");
                let others = scene.forge.committee().members().take(least);
                let stolen = others.map(|other| (other, signature)).collect();
                Message::Finale(scene.forge.finale(falsified(&ending), stolen))
            }
            _ => {
                scene.did("told a false end of the epoch before");
                let finale = self.finale(scene, ending);
                return tell(scene, &PeerMessage::Before(finale));
            }
        };
        tell(scene, &PeerMessage::Consensus(message))
    }
}

impl FalseEnd {
    /// With all the signatures that corrupt replicas have made for it.
    fn finale(&self, scene: &Scene<'_>, ending: Ending) -> Finale {
        let accomplices = self.heard.iter().filter(|(_, (other, _))| *other == ending);
        let mut signatures: BTreeMap<ReplicaId, Signature> =
            accomplices.map(|(who, (_, signature))| (*who, *signature)).collect();
        if signatures.len() < scene.forge.committee().one_correct() {
            signatures.insert(scene.forge.me(), scene.forge.ended(ending.clone()).1);
        }
        scene.forge.finale(ending, signatures.into_iter().collect())
    }
}

fn tell(scene: &Scene<'_>, message: &PeerMessage) -> Vec<Act> {
    let bytes = codec::encode(message);
    scene.others().into_iter().map(|to| Act::Send(to, bytes.clone())).collect()
}

/// What accomplices make of an ending: the same, without a word between them.
fn falsified(ending: &Ending) -> Ending {
    let successor = ClusterId(digest("conclave/sim/false successor", &[&ending.successor.0.0]));
    Ending { successor, ..ending.clone() }
}

/// An ending before there is one.
fn invented(me: ReplicaId) -> Ending {
    let (state, history) = (Digest::default(), Digest::default());
    Ending { round: 1, state, history, successor: ClusterId::default(), faults: 0, continuing: vec![me] }
}

fn end(bytes: &[u8]) -> Option<Message> {
    match codec::decode(bytes, MAX_FRAME_BYTES) {
        Ok(PeerMessage::Consensus(message @ (Message::Ended(..) | Message::Finale(_) | Message::Kept))) => {
            Some(message)
        }
        _ => None,
    }
}
