//! A replica that speaks for others: vertices with another's name and its own signature, and vertices that the others did sign,
//! with the same keys, in another cluster.
use super::{Adversary, ReplicaId, Scene, say};
use crate::codec::{ClusterId, Digest};
use crate::consensus::{Body, Message};

/// The false witness.
pub(super) struct OtherNames;

impl Adversary for OtherNames {
    fn outgoing(&mut self, scene: &mut Scene<'_>, to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut out = vec![bytes.to_vec()];
        if let Some(body) = scene.own_vertex(bytes) {
            let others: Vec<ReplicaId> = scene.others().into_iter().filter(|other| *other != to).collect();
            let author = scene.chance.pick(&others);
            let body = Body { author, prev: None, ..body };
            // Those of later rounds would rest on another cluster's vertices, and carry shares of its coins.
            out.push(say(Message::Vertex(if body.coin_share.is_none() && scene.chance.one_in(2) {
                scene.did("a vertex that another signed in another cluster");
                let epoch = body.epoch;
                scene.elsewhere[author.slot()].sign_for(body, ClusterId(Digest::default()), epoch)
            } else {
                scene.did("a vertex in another's name");
                scene.forge.sign(body)
            })));
        }
        out
    }
}
