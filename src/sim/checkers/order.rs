//! One order: the batch of a number is one and the same at every correct replica, agreed time, outcomes and the digest of
//! all before it included; and so is what became of each leader slot, a commit or a skip, whatever it was decided by.
use super::{WINDOW, trim};
use crate::codec::Digest;
use crate::consensus::{ClosedRound, VertexRef};
use crate::dns::Rcode;
use crate::quorum::ReplicaId;
use crate::replica::ExecutedBatch;
use crate::time::AgreedTime;
use std::collections::BTreeMap;

/// The batches seen.
#[derive(Default)]
pub struct Order {
    newest: u64,
    batches: BTreeMap<u64, (ReplicaId, Brief)>,
    /// By epoch and round.
    rounds: BTreeMap<(usize, u64), (ReplicaId, Slots)>,
}

/// Whose slot, and the vertex that is committed, in the coin's order.
type Slots = Vec<(ReplicaId, Option<VertexRef>)>;

/// All of a batch but its requests, which the digest of the history covers.
#[derive(PartialEq, Eq, Debug)]
struct Brief {
    round: u64,
    time: AgreedTime,
    rcodes: Vec<Rcode>,
    history: Digest,
}

impl Order {
    /// Compares; true if nobody had executed it before.
    pub fn executed(&mut self, who: ReplicaId, batch: &ExecutedBatch) -> Result<bool, String> {
        let (round, time, history) = (batch.round, batch.time, batch.history);
        let brief = Brief { round, time, rcodes: batch.rcodes.clone(), history };
        let number = batch.number;
        if let Some((first, known)) = self.batches.get(&number) {
            if *known == brief {
                return Ok(false);
            }
            let same_order = (known.round, known.time, known.history) == (round, time, history);
            let what = if same_order { "execution" } else { "order" };
            return Err(format!("{what}: batch {number} at {who:?} is {brief:?}, at {first:?} {known:?}"));
        }
        if number + WINDOW as u64 <= self.newest {
            // Its successors, whose digests cover it, are compared once this replica has caught up.
            return Ok(false);
        }
        self.newest = self.newest.max(number);
        self.batches.insert(number, (who, brief));
        trim(&mut self.batches);
        Ok(true)
    }

    /// Compares what became of the slots of a round.
    pub fn closed(&mut self, (era, who): (usize, ReplicaId), closed: &ClosedRound) -> Result<(), String> {
        let (round, slots) = (closed.round, closed.slots.iter().map(|slot| (slot.author, slot.commit)));
        let slots: Slots = slots.collect();
        if let Some((first, known)) = self.rounds.get(&(era, round)) {
            return match *known == slots {
                true => Ok(()),
                false => Err(format!("slots: of round {round} at {who:?} {slots:?}, at {first:?} {known:?}")),
            };
        }
        self.rounds.insert((era, round), (who, slots));
        trim(&mut self.rounds);
        Ok(())
    }

    /// The number of the newest batch.
    pub fn newest(&self) -> u64 {
        self.newest
    }
}
