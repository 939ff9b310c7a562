//! One machine: a replica, its log, its clock, and what it wants done but may not do yet.
use super::chance::Chance;
use super::cluster::{Cluster, START};
use super::{Plant, adversaries::Adversary};
use crate::codec::ClusterId;
use crate::quorum::ReplicaId;
use crate::replica::{Effect, Input, Output, Past, Replica, StateFile};
use crate::signing::{KeyStore, Task};
use crate::storage::{Log, LogError, MemDisk, Position, SnapshotWriter, Stored};
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
    cluster: ClusterId,
    /// Whether its log has been begun.
    has_run: bool,
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
    /// A state was written: tell [`Actor::stored`] after a while.
    pub store: Option<(u64, Stored)>,
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
            cluster: cluster.id,
            has_run: false,
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
        let in_log = |e: LogError| format!("{:?}: {e}", self.id);
        if self.plant == Some(Plant::ForgetLog) {
            let (_, opened) = Log::open(self.disk.clone(), cluster.id, self.id).map_err(in_log)?;
            self.disk = MemDisk::new();
            let (mut log, _) = Log::open(self.disk.clone(), cluster.id, self.id).map_err(in_log)?;
            let half = opened.records.len() / 2;
            opened.records[..half]
                .iter()
                .try_for_each(|record| log.append(record).map(drop))
                .map_err(in_log)?;
            log.sync().map_err(in_log)?;
        }
        let (mut log, mut opened) = Log::open(self.disk.clone(), cluster.id, self.id).map_err(in_log)?;
        let config = cluster.config(self.id, chance.seed(), self.plant);
        if !std::mem::replace(&mut self.has_run, true) {
            let first = Replica::first_record(&config.consensus);
            log.append(&first).and_then(|_| log.sync()).map_err(in_log)?;
            opened.records.push(first);
        }
        let checkpoint = opened.snapshot.map(|snapshot| (snapshot.records, snapshot.bytes));
        let past = Past { checkpoint, records: opened.records };
        let (replica, output) = Replica::recover(self.clock(now), config, past)
            .map_err(|e| format!("{:?} cannot start: {e}", self.id))?;
        self.running = Some(Running { replica, wake: None, log, held: Vec::new(), syncing: false });
        self.take(now, output)
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
    pub fn synced(&mut self) -> Result<Vec<Effect>, String> {
        let Some(running) = &mut self.running else { return Ok(Vec::new()) };
        running.log.sync().map_err(|e| e.to_string())?;
        running.syncing = false;
        Ok(std::mem::take(&mut running.held))
    }

    /// A state is on disk: the log that it stands for goes.
    pub fn stored(&mut self, now: u64, round: u64, stored: &Stored) -> Result<Todo, String> {
        let Some(running) = &mut self.running else { return Ok(Todo::default()) };
        running.log.cut(stored).map_err(|e| e.to_string())?;
        self.step(now, Input::Stored { round, bytes: stored.bytes() })
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
        if let Some(why) = output.fatal {
            return Err(format!("{:?} must not go on: {why}", self.id));
        }
        let store = match output.store {
            None => None,
            Some(file) => {
                let at = running.log.roll().map_err(|e| e.to_string())?;
                Some((file.round(), write(self.disk.clone(), self.cluster, self.id, at, file)?))
            }
        };
        running.wake = wake;
        let mut todo =
            Todo { tasks: output.tasks, wake, executed: output.executed, store, ..Todo::default() };
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

/// Writes a state.
fn write(
    disk: MemDisk,
    cluster: ClusterId,
    me: ReplicaId,
    at: Position,
    file: StateFile,
) -> Result<Stored, String> {
    let store = || -> Result<Stored, LogError> {
        let mut writer = SnapshotWriter::begin(disk, cluster, me, at)?;
        file.into_iter().try_for_each(|record| writer.write(&record))?;
        writer.finish()
    };
    store().map_err(|e| format!("{me:?}: {e}"))
}
