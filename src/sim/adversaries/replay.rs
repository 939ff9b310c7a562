//! A replica that mixes into what it says what it said before, to the same or to others; and noise.
use super::{Adversary, Chance, ReplicaId};

/// Messages that are kept to be said again.
const MEMORY: usize = 256;

/// The replaying replica.
#[derive(Default)]
pub(super) struct Replay {
    said: Vec<Vec<u8>>,
}

impl Adversary for Replay {
    fn outgoing(&mut self, chance: &mut Chance, _now: u64, _to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut out = vec![bytes.to_vec()];
        if !self.said.is_empty() && chance.one_in(2) {
            let at = chance.range(0, self.said.len() as u64 - 1) as usize;
            out.push(self.said[at].clone());
        }
        if chance.one_in(20) {
            let mut noise = vec![0; chance.range(0, 64) as usize];
            chance.fill(&mut noise);
            out.push(noise);
        }
        if self.said.len() < MEMORY {
            self.said.push(bytes.to_vec());
        } else {
            let at = chance.range(0, MEMORY as u64 - 1) as usize;
            self.said[at] = bytes.to_vec();
        }
        out
    }
}
