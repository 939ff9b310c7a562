//! One machine: a replica, its log, its clock, and what it wants done but may not do yet.
use super::chance::Chance;
use super::cluster::{Cluster, START};
use super::{Plant, adversaries::Adversary};
use crate::codec::Digest;
use crate::quorum::ReplicaId;
use crate::replica::{Effect, ExecutedBatch, Input, Output, Replica};
use crate::signing::{KeyStore, Task};
use crate::storage::{Log, MemDisk};
use crate::time::UnixMillis;
use std::collections::BTreeSet;

/// One machine. An equivocator is two with one identity.
pub(super) struct Actor {
    pub id: ReplicaId,
    /// Whom it speaks with.
    pub audience: BTreeSet<ReplicaId>,
    pub adversary: Option<Box<dyn Adversary>>,
    pub plant: Option<Plant>,
    /// Counts its starts; what was under way to an earlier one is lost.
    pub incarnation: u64,
    pub running: Option<Running>,
    skew_ms: i64,
    disk: MemDisk,
    keys: KeyStore,
}

/// What a crash destroys.
pub(super) struct Running {
    pub replica: Replica,
    /// When it is to be woken next, by the true clock.
    pub wake: Option<u64>,
    log: Log<MemDisk>,
    held: Vec<Effect>,
    syncing: bool,
    /// Executed, and not known to be durable: a crash may undo it, since nobody was told.
    executed: Vec<(ExecutedBatch, Digest)>,
}

/// What the world must do for a machine after a step.
#[derive(Default)]
pub(super) struct Todo {
    pub effects: Vec<Effect>,
    pub tasks: Vec<Task>,
    /// A sync has begun: tell [`Actor::synced`] when it is through.
    pub sync: bool,
    pub wake: Option<u64>,
    /// Batches whose records are durable, with the digest of the machine after the step that executed them.
    pub executed: Vec<(ExecutedBatch, Digest)>,
    pub closed: Vec<crate::consensus::ClosedRound>,
}

impl Actor {
    pub fn new(
        cluster: &Cluster,
        id: ReplicaId,
        audience: BTreeSet<ReplicaId>,
        plant: Option<Plant>,
        chance: &mut Chance,
    ) -> Self {
        Self {
            id,
            audience,
            adversary: None,
            plant,
            incarnation: 0,
            running: None,
            skew_ms: chance.range(0, 4_000) as i64 - 2_000,
            disk: MemDisk::new(),
            keys: cluster.key_store(id),
        }
    }

    /// Whether the checkers may hold it to its promises.
    pub fn is_correct(&self) -> bool {
        self.adversary.is_none()
    }

    /// Starts, from what the disk holds.
    pub fn start(&mut self, cluster: &Cluster, now: u64, chance: &mut Chance) -> Result<Todo, String> {
        self.incarnation += 1;
        if self.plant == Some(Plant::ForgetLog) {
            self.disk = MemDisk::new();
        }
        let (log, records) =
            Log::open(self.disk.clone(), cluster.id, self.id).map_err(|e| format!("{:?}: {e}", self.id))?;
        let config = cluster.config(self.id, chance.seed(), self.plant);
        let (replica, output) = Replica::recover(self.clock(now), config, records)
            .map_err(|e| format!("{:?} cannot start: {e}", self.id))?;
        self.running = Some(Running {
            replica,
            wake: None,
            log,
            held: Vec::new(),
            syncing: false,
            executed: Vec::new(),
        });
        self.take(now, output)
    }

    /// Whether its last start had to cut something off the log.
    pub fn had_torn_tail(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.log.torn_tail().is_some())
    }

    /// Ends without warning: what was not synced is lost or torn.
    pub fn crash(&mut self, chance: &mut Chance) {
        self.running = None;
        self.incarnation += 1;
        self.disk.crash(chance.bits());
    }

    /// One input.
    pub fn step(&mut self, now: u64, input: Input) -> Result<Todo, String> {
        let clock = self.clock(now);
        let Some(running) = &mut self.running else { return Ok(Todo::default()) };
        let output = running.replica.step(clock, input);
        self.take(now, output)
    }

    /// The sync that a [`Todo`] began is through: what waited for it may happen.
    pub fn synced(&mut self) -> Result<Todo, String> {
        let Some(running) = &mut self.running else { return Ok(Todo::default()) };
        running.log.sync().map_err(|e| e.to_string())?;
        running.syncing = false;
        let (effects, executed) = (std::mem::take(&mut running.held), std::mem::take(&mut running.executed));
        Ok(Todo { effects, executed, ..Todo::default() })
    }

    /// Does a computation.
    pub fn compute(&self, task: Task, chance: &mut Chance) -> crate::signing::Computed {
        task.run(&self.keys, chance.seed())
    }

    fn take(&mut self, now: u64, output: Output) -> Result<Todo, String> {
        let to_true = |at: UnixMillis| at.0.saturating_add_signed(-self.skew_ms).saturating_sub(START.0);
        let wake = output.wake_at.map(to_true).map(|at| at.max(now + 1));
        let Some(running) = &mut self.running else { return Ok(Todo::default()) };
        for record in &output.records {
            running.log.append(record).map_err(|e| e.to_string())?;
        }
        running.wake = wake;
        let mut todo = Todo { tasks: output.tasks, wake, closed: output.closed, ..Todo::default() };
        if !output.executed.is_empty() {
            let state = running.replica.digest();
            running.executed.extend(output.executed.into_iter().map(|batch| (batch, state)));
        }
        if running.log.durable().upto() == running.log.end() {
            todo.executed = std::mem::take(&mut running.executed);
        }
        let may_leave = self.plant == Some(Plant::SendBeforeSync) || (!output.sync && !running.syncing);
        if output.sync && !running.syncing {
            running.syncing = true;
            todo.sync = true;
            // On its way to the disk: a crash may tear it.
            running.log.flush().map_err(|e| e.to_string())?;
        }
        if may_leave {
            todo.effects = output.effects;
        } else {
            running.held.extend(output.effects);
        }
        Ok(todo)
    }

    /// This machine's reading of its clock at true time `now`, in milliseconds from the start.
    fn clock(&self, now: u64) -> UnixMillis {
        UnixMillis((START.0 + now).saturating_add_signed(self.skew_ms))
    }
}
