//! A replica whose vertices some get at once, some later and some never, others each time; who asks it for vertices gets
//! an answer every other time. What some have accepted the rest must get from them.
use super::{Adversary, ReplicaId, Scene};
use crate::codec;
use crate::consensus::Message;
use crate::limits::MAX_FRAME_BYTES;
use crate::replica::PeerMessage;
use std::collections::BTreeMap;

/// The choosy replica.
#[derive(Default)]
pub(super) struct Selective {
    /// What is kept for later, and until when.
    kept: BTreeMap<ReplicaId, Vec<(u64, Vec<u8>)>>,
}

impl Adversary for Selective {
    fn outgoing(&mut self, scene: &mut Scene<'_>, to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        let kept = self.kept.entry(to).or_default();
        let mut out: Vec<Vec<u8>> =
            kept.extract_if(.., |(until, _)| *until <= scene.now).map(|(_, said)| said).collect();
        let answer = matches!(
            codec::decode(bytes, MAX_FRAME_BYTES),
            Ok(PeerMessage::Consensus(Message::Vertices(_) | Message::Page(..)))
        );
        let fate = if scene.own_vertex(bytes).is_some() {
            scene.chance.range(0, 3)
        } else if answer {
            scene.chance.range(2, 3)
        } else {
            3
        };
        match fate {
            0 => {
                let until = scene.now + scene.chance.range(100, 3_000);
                kept.push((until, bytes.to_vec()));
                scene.did("said late");
            }
            1 | 2 => scene.did(if answer { "left unanswered" } else { "withheld" }),
            _ => out.push(bytes.to_vec()),
        }
        out
    }
}
