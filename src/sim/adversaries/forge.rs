//! Signature shares, proofs and finished signatures with one bit wrong.
use super::{Adversary, Chance, ReplicaId, Scene};
use crate::codec;
use crate::limits::MAX_FRAME_BYTES;
use crate::replica::PeerMessage;
use crate::signing::Message;

/// The forger.
pub(super) struct Forger;

impl Adversary for Forger {
    fn outgoing(&mut self, scene: &mut Scene<'_>, _to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        let Ok(PeerMessage::Signing(mut message)) = codec::decode(bytes, MAX_FRAME_BYTES) else {
            return vec![bytes.to_vec()];
        };
        if !matches!(message, Message::Ask(_) | Message::AskProofs(_)) {
            scene.did("forged shares");
        }
        let chance = &mut *scene.chance;
        match &mut message {
            Message::Shares(shares) => shares.iter_mut().for_each(|(_, share)| spoil(chance, &mut share.0)),
            Message::Proofs(proofs) => proofs.iter_mut().for_each(|(_, share, proof)| {
                let half = chance.one_in(2);
                spoil(chance, if half { &mut share.0 } else { &mut proof.z });
            }),
            Message::Finished(finished) => finished.iter_mut().for_each(|(_, bytes)| spoil(chance, bytes)),
            Message::Ask(_) | Message::AskProofs(_) => {}
        }
        vec![codec::encode(&PeerMessage::Signing(message))]
    }
}

fn spoil(chance: &mut Chance, bytes: &mut [u8]) {
    if !bytes.is_empty() {
        let at = chance.range(0, bytes.len() as u64 - 1) as usize;
        bytes[at] ^= 1 << chance.range(0, 7);
    }
}
