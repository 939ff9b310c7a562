//! One order: the batch of a number is one and the same at every correct replica, agreed time, outcomes and the digest of
//! all before it included.
use super::{WINDOW, trim};
use crate::quorum::ReplicaId;
use crate::replica::ExecutedBatch;
use std::collections::BTreeMap;

/// The batches seen.
#[derive(Default)]
pub struct Order {
    newest: u64,
    batches: BTreeMap<u64, (ReplicaId, ExecutedBatch)>,
}

impl Order {
    /// Compares; true if nobody had executed it before.
    pub fn executed(&mut self, who: ReplicaId, batch: &ExecutedBatch) -> Result<bool, String> {
        if let Some((first, known)) = self.batches.get(&batch.number) {
            if known == batch {
                return Ok(false);
            }
            return Err(format!(
                "order: batch {} at {who:?} is {batch:?}, at {first:?} {known:?}",
                batch.number
            ));
        }
        if batch.number + WINDOW as u64 <= self.newest {
            // Its successors, whose digests cover it, are compared once this replica has caught up.
            return Ok(false);
        }
        self.newest = self.newest.max(batch.number);
        self.batches.insert(batch.number, (who, batch.clone()));
        trim(&mut self.batches);
        Ok(true)
    }

    /// The number of the newest batch.
    pub fn newest(&self) -> u64 {
        self.newest
    }
}
