//! Zones that come, go and change: what operators are shown of them, and what they give for them.

use super::{Core, End, now};
use crate::replica::{self, Output};
use crate::storage::Disk;
use crate::zone::{OperatorVote, Parcel, ZoneInfo};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tracing::info;

/// The zones, as their operators see them.
pub(in crate::runtime) struct Zones {
    /// Their rules.
    pub rules: Vec<ZoneInfo>,
    /// Their keys, as `{"cmd":"keys"}` tells them.
    pub keys: Value,
    /// The catalog, the operators, and what waits for its contents.
    pub rest: replica::Zones,
}

impl<D: Disk + Clone + Send + 'static> Core<D> {
    pub(super) fn zones(&self) -> Zones {
        let (rules, rest) = (self.replica.charters(), self.replica.zones());
        Zones { rules, keys: json!(self.replica.keys()), rest }
    }

    /// The zones' keys, and the votes about them.
    pub(super) fn keys(&self) -> Value {
        json!({ "keys": self.replica.keys(), "votes": self.replica.votes() })
    }

    /// What is voted on, and what has its votes and waits for its contents.
    pub(super) fn votes(&self) -> Value {
        json!({ "votes": self.replica.votes(), "awaited": self.replica.awaited() })
    }

    /// The operator gives contents.
    pub(super) fn take_contents(&mut self, parcel: Parcel, asker: oneshot::Sender<Value>) -> Result<(), End> {
        let (name, pieces, bytes) = (parcel.name().to_hex(), parcel.count(), parcel.bytes());
        let (answer, output) = match self.replica.give(now(), parcel) {
            Ok(output) => (json!({ "contents": name, "pieces": pieces }), output),
            Err(why) => (json!({ "error": why }), Output::default()),
        };
        info!(contents = name, pieces, bytes, "the operator gives contents");
        let _ = asker.send(answer);
        self.hold(output)
    }

    /// Somebody brings what an operator has signed.
    pub(super) fn carry(&mut self, vote: OperatorVote, asker: oneshot::Sender<Value>) -> Result<(), End> {
        let (answer, output) = match self.replica.carry(now(), vote) {
            Ok(output) => (json!({ "carried": true }), output),
            Err(why) => (json!({ "error": why }), Output::default()),
        };
        let _ = asker.send(answer);
        self.hold(output)
    }
}
