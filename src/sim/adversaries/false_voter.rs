//! A replica that votes: for many commands and the same ones again, in the others' names, with other words than were signed. It
//! is one voter all the same, and nothing may come of it.
use super::{Act, Adversary, ReplicaId, Scene};
use crate::codec;
use crate::zone::{Command, Request, SAID_DOMAIN, Said, Saying};

/// How often it votes: a cluster that it kept busy for ever would never rest, and a replica that is behind never be level.
const MOST: u64 = 200;

/// The false voter.
#[derive(Default)]
pub(super) struct FalseVoter {
    votes: u64,
    /// What others said: to be said again.
    heard: Vec<Said>,
}

impl Adversary for FalseVoter {
    fn incoming(&mut self, _scene: &mut Scene<'_>, _from: ReplicaId, bytes: &[u8]) -> Vec<Act> {
        let payload = super::vertex(bytes).map(|vertex| vertex.body().payload.clone()).unwrap_or_default();
        for request in payload {
            if let Ok(Request::Said(said)) = codec::decode(&request.0, request.0.len())
                && self.heard.len() < 16
            {
                self.heard.push(said);
            }
        }
        Vec::new()
    }

    fn spontaneous(&mut self, scene: &mut Scene<'_>) -> Vec<Act> {
        if self.votes == MOST {
            return Vec::new();
        }
        self.votes += 1;
        let members: Vec<ReplicaId> = scene.forge.committee().members().collect();
        let word = scene.chance.range(0, 2).to_string();
        let command = codec::encode(&Command::Drill { word });
        let mut said = scene.said(Saying::Vote { count: self.votes, command });
        match scene.chance.range(0, 4) {
            0 => scene.did("voted again and again"),
            1 => {
                scene.did("voted in another's name");
                said.by = members[scene.chance.range(0, members.len() as u64 - 1) as usize];
            }
            2 => {
                scene.did("voted for what was not signed");
                let command = codec::encode(&Command::Drill { word: "0".into() });
                said.what = Saying::Vote { count: self.votes + 1, command };
            }
            3 => {
                scene.did("voted for no command");
                said = scene.said(Saying::Vote { count: self.votes, command: vec![0xff; 40] });
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

impl Scene<'_> {
    /// What its replica says, rightly signed.
    fn said(&self, what: Saying) -> Said {
        let (cluster, epoch) = self.forge.realm();
        let sign = |digest: &codec::Digest| self.forge.sign_in(SAID_DOMAIN, digest);
        Said::new(cluster, epoch, self.forge.me(), what, sign)
    }
}
