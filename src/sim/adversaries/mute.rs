//! A replica that takes part for a while and then says nothing more.
use super::{Adversary, Chance, ReplicaId};

/// The mute replica.
pub(super) struct Mute {
    from_ms: u64,
}

impl Mute {
    pub fn new(chance: &mut Chance) -> Self {
        Self { from_ms: chance.range(0, 3_000) }
    }
}

impl Adversary for Mute {
    fn outgoing(&mut self, _chance: &mut Chance, now: u64, _to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        if now < self.from_ms { vec![bytes.to_vec()] } else { Vec::new() }
    }
}
