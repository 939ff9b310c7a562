//! From queues to tasks: bounded in number and size, and nothing that has become needless.

use super::session::Own;
use super::task::{Task, Work};
use super::{Signing, Step};
use crate::codec::JobId;
use crate::limits::{MAX_JOBS_PER_SIGNING_TASK, MAX_SIGNING_TASKS};
use crate::quorum::ReplicaId;
use crate::threshold::{Proof, SignatureShare};
use std::collections::VecDeque;

/// What waits to become a task, by kind. Each is bounded by the open jobs, times the replicas for claims and proofs.
#[derive(Default)]
pub(super) struct Queues {
    pub(super) checks: VecDeque<(JobId, ReplicaId, Vec<u8>)>,
    pub(super) combines: VecDeque<JobId>,
    pub(super) shares: VecDeque<JobId>,
    pub(super) verifies: VecDeque<(JobId, ReplicaId, SignatureShare, Proof)>,
    pub(super) proves: VecDeque<JobId>,
}

impl Signing {
    /// Gives out tasks while there is room: first what finishes jobs, then shares, and proofs last, so that nobody can
    /// hold up honest work by asking for them.
    pub(super) fn schedule(&mut self, step: &mut Step) {
        while self.outstanding < MAX_SIGNING_TASKS {
            let room = MAX_SIGNING_TASKS - self.outstanding;
            let Some(work) = self
                .check_work(room)
                .or_else(|| self.combine_work(room))
                .or_else(|| self.share_work(room))
                .or_else(|| self.verify_work(room))
                .or_else(|| self.prove_work(room))
            else {
                return;
            };
            self.outstanding += 1;
            step.tasks.push(Task(work));
        }
    }

    fn check_work(&mut self, room: usize) -> Option<Work> {
        let sessions = &self.sessions;
        let spec = |(job, who, claim)| sessions.get(&job).map(|session| (session.spec(job), who, claim));
        non_empty(take(&mut self.queues.checks, room, spec)).map(Work::Check)
    }

    fn combine_work(&mut self, room: usize) -> Option<Work> {
        let (sessions, culprits) = (&mut self.sessions, &self.culprits);
        let (me, protocol) = (self.config.me, self.config.protocol);
        let attempt =
            |job| sessions.get_mut(&job).map(|session| session.attempt(job, me, culprits, protocol));
        non_empty(take(&mut self.queues.combines, room, attempt)).map(Work::Combine)
    }

    fn share_work(&mut self, room: usize) -> Option<Work> {
        let sessions = &mut self.sessions;
        let spec = |job| {
            let session = sessions.get_mut(&job)?;
            if session.combining {
                session.own = Own::PutOff;
                return None;
            }
            Some(session.spec(job))
        };
        let proofs = (!self.config.protocol.trusts()).then_some(self.config.epoch);
        non_empty(take(&mut self.queues.shares, room, spec)).map(|specs| Work::Share(specs, proofs))
    }

    fn verify_work(&mut self, room: usize) -> Option<Work> {
        let sessions = &self.sessions;
        let spec = |(job, who, share, proof)| {
            sessions.get(&job).map(|session| (session.spec(job), who, share, proof))
        };
        let epoch = self.config.epoch;
        non_empty(take(&mut self.queues.verifies, room, spec)).map(|items| Work::Verify(epoch, items))
    }

    fn prove_work(&mut self, room: usize) -> Option<Work> {
        let (sessions, me) = (&self.sessions, self.config.me);
        let spec = |job| {
            let session = sessions.get(&job)?;
            session.share_of(me).map(|share| (session.spec(job), share.clone()))
        };
        let epoch = self.config.epoch;
        non_empty(take(&mut self.queues.proves, room, spec)).map(|items| Work::Prove(epoch, items))
    }
}

/// A fair part of the queue for one of `room` tasks, two at least (shares are made in pairs) if there are; what `of`
/// declines is dropped and does not count.
fn take<Q, T>(queue: &mut VecDeque<Q>, room: usize, mut of: impl FnMut(Q) -> Option<T>) -> Vec<T> {
    let count = queue.len().div_ceil(room).clamp(2, MAX_JOBS_PER_SIGNING_TASK);
    let mut items = Vec::new();
    while items.len() < count
        && let Some(item) = queue.pop_front()
    {
        items.extend(of(item));
    }
    items
}

fn non_empty<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}
