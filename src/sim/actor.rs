//! One machine: a replica, its log, its clock, and what it wants done but may not do yet.
use super::chance::Chance;
use super::checkers::MAX_SKEW_MS;
use super::cluster::{Cluster, START};
use super::{Plant, adversaries::Adversary};
use crate::consensus::forge::Forge;
use crate::quorum::ReplicaId;
use crate::replica::{Effect, Input, Output, Replica};
use crate::signing::{KeyStore, Task};
use crate::storage::{Log, LogError, MemDisk};
use crate::time::UnixMillis;
use std::collections::BTreeSet;

/// One machine. An equivocator is two with one identity.
pub(super) struct Actor {
    pub id: ReplicaId,
    /// Whom it speaks with.
    pub audience: BTreeSet<ReplicaId>,
    pub adversary: Option<Corrupt>,
    /// Whether it has refused to start on its disk: it counts among the t from then on.
    pub lost: bool,
    pub plant: Option<Plant>,
    /// Counts its starts; what was under way to an earlier one is lost.
    pub incarnation: u64,
    pub running: Option<Running>,
    pub disk: MemDisk,
    skew_ms: i64,
    keys: KeyStore,
}

/// Who has taken a machine over, and the keys that were on it.
pub(super) struct Corrupt {
    pub will: Box<dyn Adversary>,
    pub forge: Forge,
}

/// Why a machine has ended, or does not start.
pub(super) enum Stop {
    /// Its log: the disk, or what it holds.
    Log(LogError),
    /// The replica refuses what the log held.
    Replica(crate::replica::Error),
}

impl From<LogError> for Stop {
    fn from(why: LogError) -> Self {
        Self::Log(why)
    }
}

/// What a crash destroys.
pub(super) struct Running {
    pub replica: Replica,
    /// When it is to be woken next, by the true clock.
    pub wake: Option<u64>,
    log: Log<MemDisk>,
    held: Vec<Effect>,
    syncing: bool,
}

/// What the world must do for a machine after a step.
#[derive(Default)]
pub(super) struct Todo {
    pub effects: Vec<Effect>,
    pub tasks: Vec<Task>,
    /// A sync has begun: tell [`Actor::synced`] when it is through.
    pub sync: bool,
    pub wake: Option<u64>,
    pub executed: Vec<crate::replica::ExecutedBatch>,
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
            lost: false,
            plant,
            incarnation: 0,
            running: None,
            skew_ms: chance.range(0, 2 * MAX_SKEW_MS) as i64 - MAX_SKEW_MS as i64,
            disk: MemDisk::new(),
            keys: cluster.key_store(id),
        }
    }

    /// Whether the checkers may hold it to its promises.
    pub fn is_correct(&self) -> bool {
        self.adversary.is_none() && !self.lost
    }

    /// Hands the machine to an adversary, if there is one for it.
    pub fn corrupt(mut self, corrupt: Option<Corrupt>) -> Self {
        if let Some(skew_ms) = corrupt.as_ref().and_then(|corrupt| corrupt.will.skew_ms()) {
            self.skew_ms = skew_ms;
        }
        self.adversary = corrupt;
        self
    }

    /// Starts, from what the disk holds.
    pub fn start(&mut self, cluster: &Cluster, now: u64, chance: &mut Chance) -> Result<Todo, Stop> {
        self.incarnation += 1;
        if self.plant == Some(Plant::ForgetLog) {
            self.disk = MemDisk::new();
        }
        let (log, records) = Log::open(self.disk.clone(), cluster.id, self.id)?;
        let config = cluster.config(self.id, chance.seed(), self.plant);
        let (replica, output) = Replica::recover(self.clock(now), config, records).map_err(Stop::Replica)?;
        self.running = Some(Running { replica, wake: None, log, held: Vec::new(), syncing: false });
        self.take(now, output)
    }

    /// Ends without warning: what was not synced is lost or torn.
    pub fn crash(&mut self, chance: &mut Chance) {
        self.end();
        self.disk.crash(chance.bits());
    }

    /// The process ends, and the machine does not: what was written stays.
    pub fn end(&mut self) {
        self.running = None;
        self.incarnation += 1;
    }

    /// One input.
    pub fn step(&mut self, now: u64, input: Input) -> Result<Todo, Stop> {
        let clock = self.clock(now);
        let Some(running) = &mut self.running else { return Ok(Todo::default()) };
        let output = running.replica.step(clock, input);
        self.take(now, output)
    }

    /// A request goes into the order past the ingress.
    pub fn order(&mut self, now: u64, request: Vec<u8>) -> Result<Todo, Stop> {
        let clock = self.clock(now);
        let Some(running) = &mut self.running else { return Ok(Todo::default()) };
        let output = running.replica.order(clock, request);
        self.take(now, output)
    }

    /// The sync that a [`Todo`] began is through: what waited for it may happen.
    pub fn synced(&mut self) -> Result<Vec<Effect>, Stop> {
        let Some(running) = &mut self.running else { return Ok(Vec::new()) };
        running.log.sync()?;
        running.syncing = false;
        Ok(std::mem::take(&mut running.held))
    }

    /// Does a computation.
    pub fn compute(&self, task: Task, chance: &mut Chance) -> crate::signing::Computed {
        task.run(&self.keys, chance.seed())
    }

    fn take(&mut self, now: u64, output: Output) -> Result<Todo, Stop> {
        let to_true = |at: UnixMillis| at.0.saturating_add_signed(-self.skew_ms).saturating_sub(START.0);
        let wake = output.wake_at.map(to_true).map(|at| at.max(now + 1));
        let Some(running) = &mut self.running else { return Ok(Todo::default()) };
        for record in &output.records {
            running.log.append(record)?;
        }
        running.wake = wake;
        let mut todo = Todo { tasks: output.tasks, wake, executed: output.executed, ..Todo::default() };
        let may_leave = self.plant == Some(Plant::SendBeforeSync) || (!output.sync && !running.syncing);
        if output.sync && !running.syncing {
            running.syncing = true;
            todo.sync = true;
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
