//! States for others: the parts they ask for, at a pace.

use super::super::{Output, PeerMessage, Replica};
use super::{ANSWER_BYTES, Message};
use crate::codec::encode;
use crate::protocol::To;
use crate::quorum::ReplicaId;
use crate::time::UnixMillis;
use crate::zone::{Piece, Snapshot};

impl Replica {
    pub(super) fn give_head(
        &mut self,
        now: UnixMillis,
        to: ReplicaId,
        round: u64,
        from: u32,
        out: &mut Output,
    ) {
        let answer = match self.checkpoints.serve(now, to, round) {
            None => Message::Gone { round },
            Some(held) => {
                let head = encode(&(held.mark.as_deref(), held.snapshot.manifest()));
                let rest = head.get(from as usize..).unwrap_or_default();
                let part = rest.len().min(ANSWER_BYTES);
                Message::Head { round, from, bytes: rest[..part].to_vec(), last: part == rest.len() }
            }
        };
        self.send(To::One(to), PeerMessage::State(answer), out);
    }

    pub(super) fn give_pieces(
        &mut self,
        now: UnixMillis,
        to: ReplicaId,
        (round, chunk, from): (u64, u32, u32),
        out: &mut Output,
    ) {
        let answer = match self.checkpoints.serve(now, to, round) {
            None => Message::Gone { round },
            Some(held) => Message::Pieces { round, chunk, from, runs: runs(&held.snapshot, chunk, from) },
        };
        self.send(To::One(to), PeerMessage::State(answer), out);
    }
}

/// The pieces from there on, as many as fit.
fn runs(snapshot: &Snapshot, chunk: u32, from: u32) -> Vec<(Vec<Piece>, bool)> {
    let (mut runs, mut from, mut bytes) = (Vec::new(), from, 0);
    for chunk in chunk..snapshot.manifest().chunks() {
        let (pieces, last) = snapshot.pieces(chunk, from, ANSWER_BYTES - bytes);
        bytes += pieces.iter().map(Piece::bytes).sum::<usize>();
        if !pieces.is_empty() {
            runs.push((pieces, last));
        }
        if !last || bytes >= ANSWER_BYTES {
            break;
        }
        from = 0;
    }
    runs
}
