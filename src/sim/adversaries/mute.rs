//! A replica that takes part for a while and then says nothing more.
use super::{Adversary, Chance, ReplicaId, Scene};

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
    fn outgoing(&mut self, scene: &mut Scene<'_>, _to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        if scene.now < self.from_ms {
            return vec![bytes.to_vec()];
        }
        scene.did("kept silent");
        Vec::new()
    }
}
