//! A server of states that gives what is not certified, less than it could, or nothing: each kind to whoever asks, in turn.
use super::{Adversary, Chance, ReplicaId, Scene};
use crate::codec;
use crate::limits::MAX_FRAME_BYTES;
use crate::replica::PeerMessage;
use crate::replica::transfer::Message;
use crate::zone::Piece;

/// What it does to an answer.
const WAYS: u64 = 11;

/// The corrupt server.
pub(super) struct CorruptState {
    turn: u64,
}

impl Adversary for CorruptState {
    fn outgoing(&mut self, scene: &mut Scene<'_>, _to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        let Ok(PeerMessage::State(message)) = codec::decode(bytes, MAX_FRAME_BYTES) else {
            return vec![bytes.to_vec()];
        };
        let answer = match message {
            Message::Head { round, from, bytes, last } => self.head(scene, round, from, bytes, last),
            Message::Pieces { round, chunk, from, runs } => self.pieces(scene, round, (chunk, from), runs),
            question => Some(question),
        };
        answer.into_iter().map(|answer| codec::encode(&PeerMessage::State(answer))).collect()
    }
}

impl CorruptState {
    pub fn new(chance: &mut Chance) -> Self {
        Self { turn: chance.range(0, WAYS) }
    }

    fn turn(&mut self) -> u64 {
        self.turn += 1;
        self.turn % WAYS
    }

    /// Mostly true: who gives a false head is asked for no pieces.
    fn head(
        &mut self,
        scene: &mut Scene<'_>,
        round: u64,
        from: u32,
        mut bytes: Vec<u8>,
        mut last: bool,
    ) -> Option<Message> {
        match scene.chance.range(0, 9) {
            0 => {
                scene.did("gave a wrong head");
                spoil(scene, &mut bytes);
            }
            1 => {
                scene.did("gave a head octet by octet");
                bytes.truncate(1);
                last = false;
            }
            2 => {
                scene.did("said that it has no state");
                return Some(Message::Gone { round });
            }
            _ => {}
        }
        Some(Message::Head { round, from, bytes, last })
    }

    fn pieces(
        &mut self,
        scene: &mut Scene<'_>,
        mut round: u64,
        at: (u32, u32),
        mut runs: Vec<(Vec<Piece>, bool)>,
    ) -> Option<Message> {
        let chosen = scene.chance.range(0, runs.len().max(1) as u64 - 1) as usize;
        let (pieces, last) = runs.get_mut(chosen)?;
        let piece = scene.chance.range(0, pieces.len().max(1) as u64 - 1) as usize;
        match (self.turn(), pieces.get_mut(piece)) {
            (0, Some(piece)) => {
                scene.did("altered an element");
                spoil(scene, &mut piece.element);
            }
            (1, Some(_)) => {
                scene.did("dropped a piece");
                pieces.remove(piece);
            }
            (2, Some(twice)) => {
                scene.did("gave a piece twice");
                let twice = twice.clone();
                pieces.insert(piece, twice);
            }
            (3, _) => {
                let pieces = runs.iter_mut().flat_map(|(pieces, _)| pieces);
                let signed = pieces.flat_map(|piece| &mut piece.signatures).find(|one| !one.is_empty());
                if let Some(signature) = signed {
                    scene.did("gave a wrong signature");
                    spoil(scene, signature);
                }
            }
            (4, _) => {
                scene.did("gave one piece at a time");
                pieces.truncate(1);
                *last = false;
                runs.swap(0, chosen);
                runs.truncate(1);
            }
            (5, _) => {
                scene.did("gave no pieces");
                runs.clear();
            }
            (6, _) => {
                scene.did("left a question for pieces unanswered");
                return None;
            }
            (7, _) => {
                scene.did("gave pieces of another round");
                round += 1;
            }
            (8, _) => {
                scene.did("lost the state half-way");
                return Some(Message::Gone { round });
            }
            (9, _) => {
                scene.did("said that a chunk goes on");
                *last = !*last;
            }
            _ => {
                scene.did("gave pieces after the last");
                let more = runs.clone();
                runs.extend(more);
            }
        }
        Some(Message::Pieces { round, chunk: at.0, from: at.1, runs })
    }
}

fn spoil(scene: &mut Scene<'_>, bytes: &mut [u8]) {
    if !bytes.is_empty() {
        let at = scene.chance.range(0, bytes.len() as u64 - 1) as usize;
        bytes[at] ^= 1 << scene.chance.range(0, 7);
    }
}
