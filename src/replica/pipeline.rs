//! The pipeline between order, execution and signing.
//!
//! Batches are executed in their order, whole, and batch b (counted from 1) only when every signing job of the
//! batches up to b − P is signed (atomic-broadcast, "Batch"). Nothing ordered is refused for being early: it waits
//! here. What a batch does depends on neither when it runs nor what is signed by then.
//!
//! Invariants:
//! 1. `unsigned` spans at most P batches when a batch starts, and holds no empty set.
//! 2. Batches leave `waiting` in the order they came, each once.
use crate::codec::JobId;
use crate::consensus::Batch;
use crate::limits::PIPELINE_BATCHES;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Batches that wait, and what of the executed ones is not signed.
#[derive(Default)]
pub(super) struct Pipeline {
    waiting: VecDeque<Batch>,
    executed: u64,
    unsigned: BTreeMap<u64, BTreeSet<JobId>>,
}

impl Pipeline {
    /// Takes the next batch of the order.
    pub fn push(&mut self, batch: Batch) {
        self.waiting.push_back(batch);
    }

    /// The next batch, if it may be executed now; the caller does so and says its jobs to
    /// [`executed`](Self::executed).
    pub fn next(&mut self) -> Option<Batch> {
        let oldest_unsigned = self.unsigned.first_key_value().map(|(batch, _)| *batch);
        let next = self.executed + 1;
        if oldest_unsigned.is_some_and(|oldest| oldest + PIPELINE_BATCHES <= next) {
            return None;
        }
        self.waiting.pop_front()
    }

    /// The batch that [`next`](Self::next) gave is executed and needs these signatures.
    pub fn executed(&mut self, jobs: impl Iterator<Item = JobId>) {
        self.executed += 1;
        let jobs: BTreeSet<JobId> = jobs.collect();
        if !jobs.is_empty() {
            self.unsigned.insert(self.executed, jobs);
        }
        assert!(self.unsigned.len() as u64 <= PIPELINE_BATCHES, "invariant 1");
    }

    /// A job is signed.
    pub fn signed(&mut self, job: JobId) {
        self.unsigned.retain(|_, jobs| {
            jobs.remove(&job);
            !jobs.is_empty()
        });
    }

    /// Batches executed.
    pub fn batches(&self) -> u64 {
        self.executed
    }

    /// Batches that are ordered and not executed.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Jobs of executed batches that are not signed.
    pub fn unsigned_jobs(&self) -> usize {
        self.unsigned.values().map(BTreeSet::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Digest;
    use crate::time::AgreedTime;

    fn batch(round: u64) -> Batch {
        Batch { round, time: AgreedTime(round), requests: Vec::new(), mark: None }
    }

    fn job(n: u8) -> JobId {
        JobId(Digest([n; 32]))
    }

    #[test]
    fn batch_b_waits_until_the_batches_up_to_b_minus_p_are_signed() {
        let mut pipeline = Pipeline::default();
        for round in 1..=PIPELINE_BATCHES + 2 {
            pipeline.push(batch(round));
        }
        for b in 1..=PIPELINE_BATCHES {
            assert_eq!(pipeline.next().map(|batch| batch.round), Some(b));
            pipeline.executed([job(b as u8), job(100 + b as u8)].into_iter());
        }
        assert!(pipeline.next().is_none());
        pipeline.signed(job(2));
        pipeline.signed(job(102));
        pipeline.signed(job(1));
        assert!(pipeline.next().is_none(), "one job of batch 1 is still not signed");
        pipeline.signed(job(101));
        assert_eq!(pipeline.next().map(|batch| batch.round), Some(PIPELINE_BATCHES + 1));
        pipeline.executed(std::iter::empty());
        assert_eq!(
            pipeline.next().map(|batch| batch.round),
            Some(PIPELINE_BATCHES + 2),
            "batch 2 was signed early"
        );
    }

    #[test]
    fn a_batch_without_jobs_never_blocks() {
        let mut pipeline = Pipeline::default();
        for round in 1..=3 * PIPELINE_BATCHES {
            pipeline.push(batch(round));
            assert_eq!(pipeline.next().map(|batch| batch.round), Some(round));
            pipeline.executed(std::iter::empty());
        }
    }
}
