//! Asking for what is lacking, and answering those who lack.

use super::session::{Own, Session};
use super::{Message, Signing, Step};
use crate::codec::JobId;
use crate::limits::{MAX_ASKED_JOBS, MAX_FRAME_BYTES, MAX_SIGNING_ASK_MS};
use crate::protocol::{Misbehaviour, To};
use crate::quorum::ReplicaId;

/// Bytes of entries in one answer: a quarter of a frame, so that the replica's envelope and whatever else shares the
/// link has room.
const ANSWER_BYTES: usize = MAX_FRAME_BYTES / 4;

/// Milliseconds for which a peer that had a finished signature for us is asked first.
const HELPER_MS: u64 = 2_000;

/// Sends a question about `jobs` to one peer, in as many messages as it takes.
pub(super) fn ask(peer: ReplicaId, jobs: Vec<JobId>, question: fn(Vec<JobId>) -> Message, step: &mut Step) {
    for part in jobs.chunks(MAX_ASKED_JOBS) {
        step.send.push((To::One(peer), question(part.to_vec())));
    }
}

/// A session's name, and its job's where that is another.
pub(super) fn names(name: JobId, job: JobId) -> impl Iterator<Item = JobId> {
    std::iter::once(name).chain((name != job).then_some(job))
}

impl Signing {
    /// Asks a peer for everything that is lacking from it.
    pub(super) fn ask_all_of(&mut self, peer: ReplicaId, step: &mut Step) {
        self.ask_of(peer, |_| true, step);
    }

    /// Asks all peers about the jobs whose time has come, and sets their next time. A job's time runs from the first
    /// tick after its own share, or after that could not be made.
    pub(super) fn ask_overdue(&mut self, step: &mut Step) {
        let now = self.now;
        if self.helper.is_some_and(|(_, at)| now.since(at) > HELPER_MS) {
            self.helper = None;
        }
        for session in
            self.sessions.values_mut().filter(|session| matches!(session.own, Own::Sent | Own::Lacking))
        {
            // None yet, or from before the clock was set back.
            if session.ask_at.is_none_or(|at| at.since(now) > session.ask_interval) {
                session.ask_at = Some(now.plus(session.ask_interval));
            }
        }
        let due = |session: &Session| session.ask_at.is_some_and(|at| at <= now);
        if !self.sessions.values().any(due) {
            return;
        }
        self.sessions.values_mut().filter(|session| due(session)).for_each(|session| session.late = true);
        for peer in self.config.committee.others(self.config.me) {
            self.ask_of(peer, due, step);
        }
        for session in self.sessions.values_mut().filter(|session| due(session)) {
            session.ask_interval = (session.ask_interval * 2).min(MAX_SIGNING_ASK_MS);
            session.ask_at = Some(now.plus(session.ask_interval));
        }
    }

    fn ask_of(&self, peer: ReplicaId, of: impl Fn(&Session) -> bool, step: &mut Step) {
        let culprits = &self.culprits;
        let lacking = |session: &Session| of(session) && !session.has_of(peer, culprits);
        let jobs = |proofs: bool| {
            let lacking = self.sessions.iter().filter(|(_, session)| lacking(session));
            let asked = lacking.filter(|(_, session)| session.wants_proof_of(peer, culprits) == proofs);
            // By what it goes by, for a share; and by the job's own name, which whoever finished it before the switch knows.
            asked.flat_map(|(name, session)| names(*name, session.job)).collect()
        };
        ask(peer, jobs(false), Message::Ask, step);
        ask(peer, jobs(true), Message::AskProofs, step);
    }

    /// Answers with finished signatures, or with own shares; what is neither yet will come to all when it is.
    pub(super) fn answer(&self, from: ReplicaId, jobs: &[JobId], step: &mut Step) {
        let Some(jobs) = within_bound(from, jobs, step) else { return };
        let mut finished = Batch::new(from, Message::Finished);
        let mut shares = Batch::new(from, Message::Shares);
        for job in jobs {
            if let Some(signature) = self.signature(job) {
                finished.add(signature.len(), (*job, signature.to_vec()), step);
            } else if let Some(share) = self.sessions.get(job).and_then(|s| s.share_of(self.config.me)) {
                shares.add(share.0.len(), (*job, share.clone()), step);
            }
        }
        finished.flush(step);
        shares.flush(step);
    }

    /// Answers with finished signatures, or with own shares and their proofs. The proof of a job is made once, and
    /// after the shares that wait.
    pub(super) fn answer_with_proofs(&mut self, from: ReplicaId, jobs: &[JobId], step: &mut Step) {
        let Some(jobs) = within_bound(from, jobs, step) else { return };
        let me = self.config.me;
        let mut finished = Batch::new(from, Message::Finished);
        let mut proofs = Batch::new(from, Message::Proofs);
        for job in jobs {
            if let Some(signature) = self.signature(job) {
                finished.add(signature.len(), (*job, signature.to_vec()), step);
                continue;
            }
            let Some(session) = self.sessions.get_mut(job) else { continue };
            if let (Some(share), Some(proof)) = (session.share_of(me), &session.own_proof) {
                proofs.add(2 * share.0.len() + 128, (*job, share.clone(), proof.clone()), step);
            } else {
                let first = session.proof_wanted_by.is_empty();
                session.proof_wanted_by.insert(from);
                if first && session.own == Own::Sent {
                    self.queues.proves.push_back(*job);
                }
            }
        }
        finished.flush(step);
        proofs.flush(step);
    }

    fn signature(&self, job: &JobId) -> Option<&[u8]> {
        self.finished.get(job).or_else(|| self.known.get(job)).map(Vec::as_slice)
    }
}

fn within_bound<'a>(from: ReplicaId, jobs: &'a [JobId], step: &mut Step) -> Option<&'a [JobId]> {
    if jobs.len() > MAX_ASKED_JOBS {
        step.fault(from, Misbehaviour::Malformed);
        return None;
    }
    Some(jobs)
}

/// Entries for one peer, sent whenever they fill a message.
struct Batch<T> {
    to: ReplicaId,
    message: fn(Vec<T>) -> Message,
    entries: Vec<T>,
    bytes: usize,
}

impl<T> Batch<T> {
    fn new(to: ReplicaId, message: fn(Vec<T>) -> Message) -> Self {
        Self { to, message, entries: Vec::new(), bytes: 0 }
    }

    fn add(&mut self, bytes: usize, entry: T, step: &mut Step) {
        // A job id and two lengths.
        self.bytes += bytes + 40;
        self.entries.push(entry);
        if self.bytes >= ANSWER_BYTES {
            self.flush(step);
        }
    }

    fn flush(&mut self, step: &mut Step) {
        let entries = std::mem::take(&mut self.entries);
        self.bytes = 0;
        if !entries.is_empty() {
            step.send.push((To::One(self.to), (self.message)(entries)));
        }
    }
}
