//! A replica that mixes into what it says what it said before, to the same or to others; and noise.
use super::{Adversary, ReplicaId, Scene};

/// Messages that are kept to be said again.
const MEMORY: usize = 256;

/// The replaying replica.
#[derive(Default)]
pub(super) struct Replay {
    said: Vec<Vec<u8>>,
}

impl Adversary for Replay {
    fn outgoing(&mut self, scene: &mut Scene<'_>, _to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut out = vec![bytes.to_vec()];
        if !self.said.is_empty() && scene.chance.one_in(2) {
            let at = scene.chance.range(0, self.said.len() as u64 - 1) as usize;
            out.push(self.said[at].clone());
            scene.did("replayed");
        }
        if scene.chance.one_in(20) {
            let mut noise = vec![0; scene.chance.range(0, 64) as usize];
            scene.chance.fill(&mut noise);
            out.push(noise);
        }
        if self.said.len() < MEMORY {
            self.said.push(bytes.to_vec());
        } else {
            let at = scene.chance.range(0, MEMORY as u64 - 1) as usize;
            self.said[at] = bytes.to_vec();
        }
        out
    }
}
