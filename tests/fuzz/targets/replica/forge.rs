//! Vertices that a corrupt replica's real key signs: any part of a good one replaced.
//!
//! Made from the description of the formats (the manual, "Formats"), not with the library's own signing.

use super::super::bytes::Bytes;
use super::history::{History, PEERS, SUBJECT};
use super::subject::Subject;
use aws_lc_rs::signature::Ed25519KeyPair;
use conclave::codec::{ClusterId, Digest, decode, digest, encode};
use conclave::consensus::{Vertex, VertexRef};
use conclave::limits::MAX_FRAME_BYTES;
use conclave::quorum::ReplicaId;
use std::collections::BTreeMap;

const SIGNED: &[u8] = b"conclave/vertex signature\0";
const EPOCH: [u8; 4] = [0; 4];

/// The digest of a vertex whose body has this encoding.
pub fn digest_of(cluster: ClusterId, body: &[u8]) -> Digest {
    digest("conclave/vertex", &[&cluster.0.0, &EPOCH, body])
}

/// A vertex of `author`: one of the history, with changes, signed again.
pub fn vertex(history: &History, subject: &Subject, author: ReplicaId, bytes: &mut Bytes<'_>) -> Vertex {
    let own: Vec<&Vertex> =
        history.vertices.iter().filter(|(id, _)| id.author == author).map(|(_, vertex)| vertex).collect();
    let model = own[bytes.index(own.len())];
    let mut body = model.body().clone();
    for _ in 0..bytes.u8() % 4 {
        match bytes.u8() % 9 {
            0 => {
                body.time.0 =
                    body.time.0.wrapping_add_signed(i64::from(bytes.u16() as i16) << (bytes.u8() % 48))
            }
            1 => body.payload.clear(),
            2 => body.parents = parents(history, subject, body.round, bytes),
            3 => body.prev = None,
            4 => body.prev = Some(link(history, subject, bytes)).map(|link| (link.round, link.digest)),
            5 => {
                body.weak = (0..bytes.u8() % 8).map(|_| link(history, subject, bytes)).collect();
                body.weak.sort();
            }
            6 => body.round = body.round.wrapping_add_signed(i64::from(bytes.u8() as i8)),
            7 => body.coin_share = own[bytes.index(own.len())].body().coin_share,
            _ => {
                let request = encode(&bytes.counted().to_vec());
                body.payload.push(decode(&request, MAX_FRAME_BYTES).expect("octets are a request"));
            }
        }
    }
    sign(history, author, &encode(&body))
}

fn sign(history: &History, author: ReplicaId, body: &[u8]) -> Vertex {
    let identity = history.identity(author);
    let pair = Ed25519KeyPair::from_seed_unchecked(identity.seed()).expect("a seed");
    let signature = pair.sign(&[SIGNED, &digest_of(history.cluster.id, body).0].concat());
    decode(&[body, signature.as_ref()].concat(), MAX_FRAME_BYTES).expect("a body and a signature")
}

/// Parents for a vertex of `round`: of each author one of those that are known, the subject's among them, or none.
fn parents(
    history: &History,
    subject: &Subject,
    round: u64,
    bytes: &mut Bytes<'_>,
) -> Vec<(ReplicaId, Digest)> {
    let mut parents = BTreeMap::new();
    let wanted = bytes.u8();
    if let Some(own) = subject.sent.get(&(round.wrapping_sub(1))).filter(|_| wanted & 1 != 0) {
        parents.insert(*SUBJECT, super::history::reference(history.cluster.id, own).digest);
    }
    for (at, peer) in PEERS.iter().enumerate() {
        let found = history.vertices.iter().find(|(id, _)| id.round + 1 == round && id.author == *peer);
        if let Some((id, _)) = found.filter(|_| wanted >> (at + 1) & 1 != 0) {
            parents.insert(*peer, id.digest);
        }
    }
    parents.into_iter().collect()
}

/// The name of a vertex that is, or almost is.
pub fn link(history: &History, subject: &Subject, bytes: &mut Bytes<'_>) -> VertexRef {
    let (kind, at) = (bytes.u8() % 4, bytes.u8());
    let own = subject.sent.values().nth(usize::from(at) % subject.sent.len().max(1));
    let mut link = match own.filter(|_| kind == 0) {
        Some(own) => super::history::reference(history.cluster.id, own),
        None => history.vertices[usize::from(at) % history.vertices.len()].0,
    };
    match kind {
        1 => link.digest.0[0] ^= at,
        2 => link.round = u64::from(bytes.u16()) << (at % 49),
        _ => {}
    }
    link
}
