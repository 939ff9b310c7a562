//! The pipeline between order, execution and signing.
//!
//! Batches are executed in their order, whole, and batch b (counted from 1) only when every signing job of the
//! batches up to b − P is signed (atomic-broadcast, "Batch"). Nothing ordered is refused for being early: it waits
//! here. What a batch does depends on neither when it runs nor what is signed by then.
//!
//! It also knows which jobs each batch had, as long as a replica that is behind may ask for their signatures: until no
//! replica that has not executed the batch can go on from vertices alone.
//!
//! Invariants:
//! 1. `unsigned` spans at most P batches when a batch starts, and holds no empty set.
//! 2. Batches leave `waiting` in the order they came, each once.
use crate::codec::JobId;
use crate::consensus::Batch;
use crate::limits::PIPELINE_BATCHES;
use crate::zone::OpenJob;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Batches that wait, and what of the executed ones is not signed.
#[derive(Default)]
pub(super) struct Pipeline {
    waiting: VecDeque<Batch>,
    executed: u64,
    unsigned: BTreeMap<u64, BTreeSet<JobId>>,
    /// Of executed batches: the round, and which jobs they had.
    jobs: BTreeMap<u64, (u64, Vec<JobId>)>,
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

    /// The batch of this round that [`next`](Self::next) gave is executed and needs these signatures.
    pub fn executed(&mut self, round: u64, jobs: impl Iterator<Item = JobId>) {
        self.executed += 1;
        let jobs: BTreeSet<JobId> = jobs.collect();
        // One without jobs too: from which batch on nothing may be forgotten depends on rounds, not on jobs.
        self.jobs.insert(self.executed, (round, jobs.iter().copied().collect()));
        if !jobs.is_empty() {
            self.unsigned.insert(self.executed, jobs);
        }
        assert!(self.unsigned.len() as u64 <= PIPELINE_BATCHES, "invariant 1");
    }

    /// Goes on after so many batches, the last of which closed this round; of the last P these jobs are not signed. Only
    /// those that the newest state `lacks` hold anything up: for a superseded one there may be nobody left who knows it.
    pub fn resume(&mut self, batches: u64, round: u64, open: &[OpenJob], lacks: &BTreeSet<JobId>) {
        *self = Self { executed: batches, ..Self::default() };
        for OpenJob { batch, job } in open {
            if lacks.contains(&job.id) {
                self.unsigned.entry(*batch).or_default().insert(job.id);
            }
            self.jobs.entry(*batch).or_insert((round, Vec::new())).1.push(job.id);
        }
    }

    /// The same before the first batch of an epoch: those that are ordered already are kept.
    pub fn begin(&mut self, batches: u64, open: &[OpenJob], lacks: &BTreeSet<JobId>) {
        let waiting = std::mem::take(&mut self.waiting);
        self.resume(batches, 0, open, lacks);
        self.waiting = waiting;
    }

    /// Nothing more is executed.
    pub fn end(&mut self) {
        self.waiting.clear();
    }

    /// Nobody can need any more what was signed for batches of rounds below `line`, the last P of these left out.
    pub fn forget(&mut self, line: u64) -> Vec<JobId> {
        let oldest = self.jobs.iter().find(|(_, (round, _))| *round >= line).map(|(batch, _)| *batch);
        let Some(oldest) = oldest else { return Vec::new() };
        let kept = self.jobs.split_off(&oldest.saturating_sub(PIPELINE_BATCHES));
        let gone = std::mem::replace(&mut self.jobs, kept);
        gone.into_values().flat_map(|(_, jobs)| jobs).collect()
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
            pipeline.executed(b, [job(b as u8), job(100 + b as u8)].into_iter());
        }
        assert!(pipeline.next().is_none());
        pipeline.signed(job(2));
        pipeline.signed(job(102));
        pipeline.signed(job(1));
        assert!(pipeline.next().is_none(), "one job of batch 1 is still not signed");
        pipeline.signed(job(101));
        assert_eq!(pipeline.next().map(|batch| batch.round), Some(PIPELINE_BATCHES + 1));
        pipeline.executed(99, std::iter::empty());
        assert_eq!(
            pipeline.next().map(|batch| batch.round),
            Some(PIPELINE_BATCHES + 2),
            "batch 2 was signed early"
        );
    }

    #[test]
    fn what_a_replica_at_the_line_waits_for_is_kept_though_the_batches_after_had_no_jobs() {
        let mut pipeline = Pipeline::default();
        let rounds = [98, 99, 100, 101, 102, 103, 104, 105, 106, 140];
        for (batch, round) in (1u8..).zip(rounds) {
            let jobs = [2, 10].contains(&batch).then(|| job(batch));
            pipeline.executed(round, jobs.into_iter());
        }
        // Who has executed batch 3, of round 100, may wait for the job of batch 2.
        assert_eq!(pipeline.forget(100), Vec::new());
        assert_eq!(pipeline.forget(104), vec![job(2)]);
        assert_eq!(pipeline.forget(141), Vec::new(), "of the newest batches nothing goes");
    }

    #[test]
    fn a_batch_without_jobs_never_blocks() {
        let mut pipeline = Pipeline::default();
        for round in 1..=3 * PIPELINE_BATCHES {
            pipeline.push(batch(round));
            assert_eq!(pipeline.next().map(|batch| batch.round), Some(round));
            pipeline.executed(99, std::iter::empty());
        }
    }
}
