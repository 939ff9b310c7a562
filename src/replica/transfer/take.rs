//! From a state that is whole to a replica that goes on with it.

use super::super::beginning::START;
use super::super::checkpoint::Held;
use super::super::ending::Last;
use super::super::step::spec;
use super::super::store::StateFile;
use super::super::{Effect, Output, Replica};
use super::{Body, Goal, Ready, Transfer};
use crate::codec::JobId;
use crate::consensus::{Base, Mark, Statement};
use crate::time::UnixMillis;
use crate::zone::{Machine, OpenJob, Signed};
use std::sync::Arc;

impl Replica {
    /// All pieces are here.
    pub(super) fn complete(&mut self, now: UnixMillis, out: &mut Output) {
        let Some(Transfer { goal, body: Some(body), .. }) = self.transfer.take() else { return };
        let Body { mark, restore } = body;
        let finished = restore.finished();
        let taken = restore.finish().and_then(|(machine, jobs, signed)| {
            let snapshot = machine.snapshot();
            let statement = match &goal {
                Goal::Start(finale) => return self.begin(finale.clone(), &snapshot, out),
                Goal::Checkpoint(certificate) => certificate.statement,
                Goal::Last(finale) => {
                    let (round, state, history) = (goal.round(), finale.ending.state, finale.ending.history);
                    Statement { round, previous: 0, state, history }
                }
            };
            let held = Held { mark: mark.map(Arc::new), statement, snapshot };
            self.ready = Some(Ready { goal, held, machine, jobs, finished, signed });
            self.store_ready(out);
            Ok(())
        });
        if let Err(why) = taken {
            out.effects.push(Effect::Alarm(format!("the certified state cannot be taken over: {why}")));
            self.failed = Some(now);
        }
    }

    /// Writes the state that is ready, unless another is being written.
    pub(in super::super) fn store_ready(&mut self, out: &mut Output) {
        if self.checkpoints.is_storing() {
            return;
        }
        let Some(Ready { goal, held, .. }) = &self.ready else { return };
        let file = match goal {
            Goal::Start(finale) => self.start_file(finale, held),
            Goal::Last(finale) => {
                StateFile::of_finale(finale, goal.round(), held.snapshot.clone(), Vec::new())
            }
            Goal::Checkpoint(_) => {
                let Some(base) = base(goal, held) else { return };
                let records = self.consensus.records_from(base.line);
                StateFile::new(base, self.before.clone(), held.snapshot.clone(), records)
            }
        };
        self.checkpoints.begin_storing(goal.round());
        out.store = Some(file);
    }

    /// A state is on disk: if it is the one that was taken over, the replica goes on from there.
    pub(in super::super) fn stored(&mut self, now: UnixMillis, round: u64, bytes: u64, out: &mut Output) {
        self.checkpoints.stored(bytes);
        if self.last.as_ref().is_some_and(|last| last.ending.round == round) {
            return self.ended(now, out);
        }
        let Some(ready) = self.ready.take_if(|ready| ready.goal.round() == round) else { return };
        if self.is_needless(&ready.goal) {
            return; // the order was faster
        }
        (self.last_ordered, self.last_executed) = (now, now);
        self.counters.states_taken += 1;
        out.skipped_to = Some(ready.machine.batches());
        let base = base(&ready.goal, &ready.held);
        let Ready { goal, held, machine, jobs, finished, signed } = ready;
        match goal {
            Goal::Checkpoint(_) => {
                let Some(base) = base else { return };
                self.executed_round = round;
                self.history = held.statement.history;
                if std::mem::take(&mut self.awaits) {
                    self.consensus.set_awaiting(false);
                    self.begun_late(out);
                }
                self.checkpoints.resume(held);
                self.go_on(now, machine, (jobs, finished), signed, out);
                let step = self.consensus.install(now, &base);
                self.absorb_consensus(step, out);
            }
            Goal::Start(_) => {
                self.begun(held, out);
                self.go_on(now, machine, (jobs, finished), signed, out);
                let step = self.consensus.tick(now);
                self.absorb_consensus(step, out);
            }
            Goal::Last(finale) => {
                self.executed_round = round;
                self.history = held.statement.history;
                self.go_on(now, machine, (jobs, finished), signed, out);
                self.leave(now, Last::new(finale.ending, held.snapshot, true), out);
                self.ended(now, out);
            }
        }
    }

    /// Execution and signing go on from a machine that was taken over, or read.
    pub(in super::super) fn go_on(
        &mut self,
        now: UnixMillis,
        machine: Machine,
        (jobs, finished): (Vec<OpenJob>, Vec<(JobId, Vec<u8>)>),
        signed: Signed,
        out: &mut Output,
    ) {
        self.counters.agreed_time_ms = machine.snapshot().manifest().time().0;
        let lacks = machine.pending_jobs().into_iter().map(|job| job.id).collect();
        match self.executed_round {
            START => self.pipeline.begin(machine.batches(), &jobs, &lacks),
            round => self.pipeline.resume(machine.batches(), round, &jobs, &lacks),
        }
        let before = self.known_zones();
        self.machine = machine;
        self.refreshes.state_changed();
        self.follow_all_zones(now, before, out);
        self.follow_all_keys(out);
        self.follow_sharings(out);
        self.publish(now, signed, out);
        let step = {
            let jobs = jobs.into_iter().map(|open| spec(open.job)).collect();
            self.signing.resume(jobs, finished)
        };
        self.absorb_signing(step, out);
    }
}

/// What of a checkpoint concerns the order.
fn base(goal: &Goal, held: &Held) -> Option<Base> {
    let Goal::Checkpoint(certificate) = goal else { return None };
    let mark = Mark::clone(held.mark.as_ref()?);
    Some(Base { certificate: certificate.clone(), line: mark.line(), mark })
}
