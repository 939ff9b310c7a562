//! The signing jobs of the last batches, as the order determines them: whether they were signed here, adopted, or shared
//! with a version before does not show.
//!
//! A replica whose state is restored owes its shares for them, superseded ones too: others may need these to publish a
//! version between. Jobs of older batches are signed, or the last batch had not been executed.

use super::element::PlannedJob;
use super::manifest::Commitment;
use super::request::Job;
use super::signature::Signature;
use crate::codec::{self, JobId};
use crate::limits::PIPELINE_BATCHES;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A job: known by its plan, or alone.
enum Planned {
    Plan(Arc<Signature>),
    Alone(Box<Job>),
}

/// The jobs of one batch, by id.
pub(super) struct BatchJobs {
    commitment: Commitment,
    jobs: Vec<Planned>,
}

impl BatchJobs {
    /// What a batch has planned.
    pub(super) fn planned<'a>(plans: impl Iterator<Item = &'a Arc<Signature>>) -> Self {
        let by_id: BTreeMap<JobId, _> = plans.map(|plan| (plan.job, plan)).collect();
        let bytes = by_id.values().map(|plan| PlannedJob::bytes(plan.hash_octets())).sum();
        let commitment = commit(by_id.keys(), bytes);
        Self { commitment, jobs: by_id.into_values().cloned().map(Planned::Plan).collect() }
    }

    /// What another replica has planned; in ascending order of id.
    pub(super) fn restored(jobs: Vec<Job>) -> Self {
        let bytes = jobs.iter().map(|job| PlannedJob::bytes(job.hash.len())).sum();
        let commitment = commit(jobs.iter().map(|job| &job.id), bytes);
        Self { commitment, jobs: jobs.into_iter().map(|job| Planned::Alone(Box::new(job))).collect() }
    }

    pub(super) fn commitment(&self) -> &Commitment {
        &self.commitment
    }

    /// From the job with this index on.
    pub(super) fn from(&self, index: usize) -> impl Iterator<Item = Job> {
        self.jobs.get(index..).unwrap_or_default().iter().map(|planned| match planned {
            Planned::Plan(plan) => plan.job(),
            Planned::Alone(job) => Job::clone(job),
        })
    }
}

fn commit<'a>(ids: impl ExactSizeIterator<Item = &'a JobId>, bytes: u64) -> Commitment {
    let count = ids.len() as u64;
    let ids: Vec<u8> = ids.flat_map(|id| id.0.0).collect();
    Commitment { count, bytes, digest: codec::digest("conclave/planned", &[&ids]) }
}

/// The last P batches, oldest first.
#[derive(Clone, Default)]
pub(super) struct LastBatches(VecDeque<Arc<BatchJobs>>);

impl LastBatches {
    pub(super) fn push(&mut self, batch: BatchJobs) {
        self.0.push_back(Arc::new(batch));
        if self.0.len() as u64 > PIPELINE_BATCHES {
            self.0.pop_front();
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &BatchJobs> {
        self.0.iter().map(|batch| &**batch)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<&BatchJobs> {
        self.0.get(index).map(|batch| &**batch)
    }
}
