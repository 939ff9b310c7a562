//! A replica that votes: for many commands and the same ones again, in the others' names, with other words than were signed. It
//! is one voter all the same, and nothing may come of it. It carries what operators signed again, and floods the order with pieces of
//! contents that nobody awaits, and with wrong ones of those that somebody does.
use super::{Act, Adversary, ReplicaId, Scene};
use crate::codec;
use crate::zone::{Command, ParcelPiece, Request, SAID_DOMAIN, Said, Saying};

/// How often it votes: a cluster that it kept busy for ever would never rest, and a replica that is behind never be level.
const MOST: u64 = 200;

/// The false voter.
#[derive(Default)]
pub(super) struct FalseVoter {
    votes: u64,
    /// What others said: to be said again.
    heard: Vec<Said>,
    /// What operators signed, and pieces of contents: likewise, and with changes.
    carried: Vec<Request>,
}

impl Adversary for FalseVoter {
    fn incoming(&mut self, _scene: &mut Scene<'_>, _from: ReplicaId, bytes: &[u8]) -> Vec<Act> {
        let payload = super::vertex(bytes).map(|vertex| vertex.body().payload.clone()).unwrap_or_default();
        for request in payload {
            match codec::decode(&request.0, request.0.len()) {
                Ok(Request::Said(said)) if self.heard.len() < 16 => self.heard.push(said),
                Ok(one @ (Request::Operator(_) | Request::Parcel(_))) if self.carried.len() < 16 => {
                    self.carried.push(one);
                }
                _ => {}
            }
        }
        Vec::new()
    }

    fn spontaneous(&mut self, scene: &mut Scene<'_>) -> Vec<Act> {
        if self.votes == MOST {
            return Vec::new();
        }
        self.votes += 1;
        if self.votes.is_multiple_of(2) {
            return self.carry(scene);
        }
        let after = scene.chance.range(0, 2);
        let members: Vec<ReplicaId> = scene.forge.committee().members().collect();
        let word = scene.chance.range(0, 2).to_string();
        let command = codec::encode(&Command::Drill { word });
        let mut said = scene.said(Saying::Vote { count: self.votes, after, command });
        match scene.chance.range(0, 4) {
            0 => scene.did("voted again and again"),
            1 => {
                scene.did("voted in another's name");
                said.by = members[scene.chance.range(0, members.len() as u64 - 1) as usize];
            }
            2 => {
                scene.did("voted for what was not signed");
                let command = codec::encode(&Command::Drill { word: "0".into() });
                said.what = Saying::Vote { count: self.votes + 1, after, command };
            }
            3 => {
                scene.did("voted for no command");
                said = scene.said(Saying::Vote { count: self.votes, after, command: vec![0xff; 40] });
            }
            _ => {
                if let Some(heard) = self.heard.pop() {
                    scene.did("said again what another said");
                    said = heard;
                }
            }
        }
        vec![Act::Propose(codec::encode(&Request::Said(said)))]
    }

    fn pace_ms(&self) -> Option<u64> {
        Some(150)
    }
}

impl FalseVoter {
    fn carry(&mut self, scene: &mut Scene<'_>) -> Vec<Act> {
        let at = scene.chance.range(0, self.carried.len() as u64) as usize;
        let mut request = match self.carried.get(at) {
            Some(one) => one.clone(),
            None => {
                scene.did("flooded with pieces that nobody awaits");
                let contents = codec::Digest([self.votes as u8; 32]);
                let (path, bytes) = (vec![contents; 3], vec![7; 5_000]);
                Request::Parcel(ParcelPiece { contents, count: 9, index: 2, path, bytes })
            }
        };
        match &mut request {
            Request::Parcel(piece) if scene.chance.one_in(2) => {
                scene.did("spoilt a piece");
                piece.bytes.iter_mut().take(1).for_each(|octet| *octet ^= 1);
            }
            Request::Operator(vote) if scene.chance.one_in(2) => {
                scene.did("changed what an operator signed");
                vote.count += 1;
            }
            Request::Operator(_) => scene.did("carried an operator's vote again"),
            _ => {}
        }
        vec![Act::Propose(codec::encode(&request))]
    }
}

impl Scene<'_> {
    /// What its replica says, rightly signed.
    fn said(&self, what: Saying) -> Said {
        let (cluster, epoch) = self.forge.realm();
        let sign = |digest: &codec::Digest| self.forge.sign_in(SAID_DOMAIN, digest);
        Said::new(cluster, epoch, self.forge.me(), what, sign)
    }
}
