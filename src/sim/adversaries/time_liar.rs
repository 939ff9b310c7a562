//! A replica whose clock is wrong by years: behind, ahead, or at the beginning of time.
use super::{Adversary, Chance, ReplicaId, Scene};
use crate::time::HOUR;

/// Milliseconds of some fifty years.
const YEARS_MS: i64 = 50 * 365 * 24 * HOUR as i64;

/// The liar.
pub(super) struct TimeLiar {
    skew_ms: i64,
}

impl TimeLiar {
    pub fn new(chance: &mut Chance) -> Self {
        Self { skew_ms: chance.pick(&[YEARS_MS, -YEARS_MS, 2 * HOUR as i64, -2 * YEARS_MS]) }
    }
}

impl Adversary for TimeLiar {
    fn outgoing(&mut self, scene: &mut Scene<'_>, _to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        let true_ms = super::super::cluster::START.0 + scene.now;
        if scene.own_vertex(bytes).is_some_and(|body| body.time.0.abs_diff(true_ms) > HOUR) {
            scene.did("lied about the time");
        }
        vec![bytes.to_vec()]
    }

    fn skew_ms(&self) -> Option<i64> {
        Some(self.skew_ms)
    }
}
