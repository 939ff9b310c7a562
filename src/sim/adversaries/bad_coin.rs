//! Signed vertices whose share of the coin is wrong: one bit off, of another round, or of nobody.
use super::{Adversary, ReplicaId, Scene, say};
use crate::codec;
use crate::consensus::Message;
use crate::consensus::coin::CoinShare;

/// The bad tosser.
pub(super) struct BadCoin;

impl Adversary for BadCoin {
    fn outgoing(&mut self, scene: &mut Scene<'_>, _to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        let Some(mut body) = scene.own_vertex(bytes) else { return vec![bytes.to_vec()] };
        let Some(share) = body.coin_share.filter(|_| scene.chance.one_in(2)) else {
            return vec![bytes.to_vec()];
        };
        body.coin_share = if scene.chance.one_in(2) {
            scene.did("coin share of another round");
            scene.forge.coin_share(body.round + 1)
        } else {
            scene.did("coin share with a wrong bit");
            Some(spoiled(scene, &share))
        };
        // The honest vertex may be had by whoever lacks it.
        vec![say(Message::Vertex(scene.forge.sign(body)))]
    }
}

fn spoiled(scene: &mut Scene<'_>, share: &CoinShare) -> CoinShare {
    let mut octets = codec::encode(share);
    let at = scene.chance.range(0, octets.len() as u64 - 1) as usize;
    octets[at] ^= 1 << scene.chance.range(0, 7);
    codec::decode(&octets, octets.len()).expect("a share is any 96 octets")
}
