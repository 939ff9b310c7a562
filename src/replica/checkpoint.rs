//! Checkpoints at one replica: of which states are kept, what is stored, and when history goes.
//!
//! A batch with a mark is executed, the state is kept as a [`Snapshot`] (which shares its structure with the machine), and
//! its digest, with the mark's, is what this replica states to the others. Once the statement is certified the checkpoint is
//! *stable*: signatures of jobs that nobody can need any more are forgotten, older states let go, and `consensus` moves its
//! line. The stable state and the one before it are kept, for those that are behind, and for each peer the one it is fetching.
//!
//! A stable checkpoint is also written to disk, when the log has grown by as much as the stored state is large (and
//! by [`MIN_LOG_BYTES`] at least): so writing costs no more than the log does, and the disk holds a small multiple of the state.
//! What is written ([`store`](super::store)) stands for the whole log before it.

use super::store::StateFile;
use super::{News, Output, Replica};
use crate::codec::{Digest, digest};
use crate::consensus::{Base, Certificate, Mark, Statement};
use crate::quorum::ReplicaId;
use crate::time::{SECOND, UnixMillis};
use crate::zone::{Manifest, Snapshot};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes of log records for which the smallest state is not yet stored anew.
const MIN_LOG_BYTES: u64 = 4 * 1024 * 1024;
/// Executed checkpoints that are kept while none becomes stable.
const MAX_HELD: usize = 8;

/// Milliseconds for which a state is kept for a peer that has asked for a part of it.
const SERVED_MS: u64 = 30 * SECOND;

/// The state after a batch with a mark, or the last of an epoch.
#[derive(Clone)]
pub(super) struct Held {
    pub mark: Option<Arc<Mark>>,
    pub statement: Statement,
    pub snapshot: Snapshot,
}

/// What is kept of checkpoints, and what is being stored.
#[derive(Default)]
pub(super) struct Checkpoints {
    held: BTreeMap<u64, Held>,
    /// What each peer asked for last, and when: one state a peer.
    served: BTreeMap<ReplicaId, (Held, UnixMillis)>,
    /// The last state of this epoch, or of the one before until this one has a stable checkpoint.
    aside: Option<Held>,
    stable: u64,
    /// The round of the checkpoint that is being written.
    storing: Option<u64>,
    log_bytes: u64,
    stored_bytes: u64,
    diverged: bool,
}

/// What a statement says of a state. The last of an epoch has no mark: nothing is ordered after it.
pub(super) fn state_digest(mark: Option<&Mark>, manifest: &Manifest) -> Digest {
    let Some(mark) = mark else { return manifest.digest() };
    digest("conclave/state", &[&mark.digest().0, &manifest.digest().0])
}

impl Checkpoints {
    /// Keeps an executed checkpoint.
    pub fn hold(&mut self, held: Held) {
        self.held.insert(held.statement.round, held);
        while self.held.range(self.stable + 1..).count() > MAX_HELD {
            let oldest = self.held.range(self.stable + 1..).next().map(|(round, _)| *round);
            oldest.and_then(|round| self.held.remove(&round));
        }
    }

    /// Keeps a state that is no checkpoint of this epoch.
    pub fn keep_aside(&mut self, held: Held) {
        self.aside = Some(held);
    }

    /// The certified state of this round, if it is kept.
    pub fn certified(&self, round: u64) -> Option<&Held> {
        self.held.get(&round).filter(|_| round <= self.stable && !planted!(NoStateToGive))
    }

    /// The certified state of this round, for a peer. A large one takes longer than the order takes to the next but one
    /// checkpoint, so it is kept for as long as the peer goes on asking for it.
    pub fn serve(&mut self, now: UnixMillis, peer: ReplicaId, round: u64) -> Option<&Held> {
        let kept = self.served.remove(&peer).map(|(held, _)| held);
        let others = self.aside.clone().into_iter().chain(kept);
        let held = self.certified(round).cloned();
        let held = held.or(others.into_iter().find(|held| held.statement.round == round))?;
        Some(&self.served.entry(peer).or_insert((held, now)).0)
    }

    /// Lets go what was kept for peers that ask no more.
    fn let_go(&mut self, now: UnixMillis) {
        self.served.retain(|_, (_, asked)| now.since(*asked) < SERVED_MS && *asked <= now);
    }

    /// How many states are kept.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// So many bytes went into the log.
    pub fn logged(&mut self, bytes: u64) {
        self.log_bytes += bytes;
    }

    /// A state of so many bytes is on disk.
    pub fn stored(&mut self, bytes: u64) {
        self.storing = None;
        self.stored_bytes = bytes;
    }

    /// Whether a state is being written.
    pub fn is_storing(&self) -> bool {
        self.storing.is_some()
    }

    /// This state is being written; the log counts from here.
    pub fn begin_storing(&mut self, round: u64) {
        self.storing = Some(round);
        self.log_bytes = 0;
    }

    /// Goes on from a state that was taken over.
    pub fn resume(&mut self, held: Held) {
        self.stable = held.statement.round;
        self.held.clear();
        self.held.insert(held.statement.round, held);
    }

    fn is_due(&self) -> bool {
        !self.is_storing() && self.log_bytes >= MIN_LOG_BYTES.max(self.stored_bytes)
    }
}

impl Replica {
    /// Takes the state after a batch with this mark, and states it.
    pub(super) fn mark(&mut self, now: UnixMillis, mark: &Arc<Mark>, out: &mut Output) {
        let snapshot = self.machine.snapshot();
        let statement = Statement {
            round: mark.round,
            previous: mark.previous,
            state: state_digest(Some(mark), &snapshot.manifest()),
            history: self.history,
        };
        self.checkpoints.hold(Held { mark: Some(mark.clone()), statement, snapshot });
        let step = self.consensus.executed(now, statement);
        self.absorb_consensus(step, out);
    }

    /// Lets history go when a checkpoint has become stable, and stores what is due.
    pub(super) fn follow_checkpoints(&mut self, now: UnixMillis, out: &mut Output) {
        if let Some(certificate) = self.consensus.diverged()
            && !std::mem::replace(&mut self.checkpoints.diverged, true)
        {
            out.fatal = Some(format!(
                "the state after round {} is not what t+1 replicas certify: this replica's memory or disk is damaged, or \
                 more replicas are corrupt than can be borne; remove its data directory and start it again to rejoin",
                certificate.statement.round
            ));
        }
        let Some(stable) = self.consensus.stable().cloned() else { return };
        let Statement { round, previous, .. } = stable.statement;
        if round > self.checkpoints.stable {
            if self.last.is_none() {
                self.settled(out);
            }
            self.checkpoints.stable = round;
            self.checkpoints.let_go(now);
            self.checkpoints.held = self.checkpoints.held.split_off(&previous);
            let needless = self.pipeline.forget(stable.statement.collected());
            self.signing.forget(&needless);
        }
        if self.checkpoints.is_due() && self.last.is_none() {
            self.store(&stable, out);
        }
    }

    /// This epoch has a stable checkpoint: who comes to it needs nothing of the one before.
    fn settled(&mut self, out: &mut Output) {
        if self.checkpoints.aside.take().is_some() {
            out.news.push(News::Settled);
        }
    }

    fn store(&mut self, stable: &Certificate, out: &mut Output) {
        let Some(held) = self.checkpoints.certified(stable.statement.round) else { return };
        let Some(mark) = &held.mark else { return };
        let line = self.consensus.status().line;
        // After a restart the line is that of a later checkpoint, whose certificate has yet to come again: to go on from this
        // one takes vertices that are gone.
        if line > mark.line() {
            return;
        }
        let base = Base { certificate: stable.clone(), mark: Mark::clone(mark), line };
        let (snapshot, records) = (held.snapshot.clone(), self.consensus.records_from(line));
        self.checkpoints.begin_storing(stable.statement.round);
        out.store = Some(StateFile::new(base, self.before.clone(), snapshot, records));
    }
}
