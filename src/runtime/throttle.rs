//! What others can make us say, said at most once a second a kind: a log must not grow at their pace.
#![forbid(unsafe_code)]

use crate::protocol::Misbehaviour;
use crate::quorum::ReplicaId;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The least time between two lines of one kind.
const PAUSE: Duration = Duration::from_secs(1);

/// What a line is about: bounded by replicas and kinds. Of a peer, nothing said: its queue; of this replica: refused updates.
pub(super) type Kind = (ReplicaId, Option<Misbehaviour>);

/// When each kind was last told, and how often it came since.
#[derive(Default)]
pub(super) struct Throttle(BTreeMap<Kind, (Instant, u64)>);

impl Throttle {
    /// Counts one; `Some(n)` if it is time to tell of the last n.
    pub fn tell(&mut self, kind: Kind) -> Option<u64> {
        let Some((told, count)) = self.0.get_mut(&kind) else {
            self.0.insert(kind, (Instant::now(), 0));
            return Some(1);
        };
        *count += 1;
        if told.elapsed() < PAUSE {
            return None;
        }
        *told = Instant::now();
        Some(std::mem::take(count))
    }
}
