//! One machine: a replica, its log, its clock, and what it wants done but may not do yet.
use super::chance::Chance;
use super::checkers::MAX_SKEW_MS;
use super::cluster::{Cluster, START};
use super::{Plant, Rolls, adversaries::Adversary};
use crate::codec::{ClusterId, Digest};
use crate::consensus::{ClosedRound, forge::Forge};
use crate::quorum::ReplicaId;
use crate::replica::{self, Effect, ExecutedBatch, Input, KeyChange, Output, Past, Replica};
use crate::signing::{KeyStore, Task};
use crate::storage::{Log, LogError, MemDisk, SnapshotWriter, Stored};
use crate::threshold::RetiredKey;
use crate::time::UnixMillis;
use crate::zone::Command;
use std::collections::BTreeSet;

/// One machine. An equivocator is two with one identity.
pub(super) struct Actor {
    pub id: ReplicaId,
    /// Which of the run's clusters it is in.
    pub era: usize,
    /// Whether it has ended for good.
    pub gone: bool,
    /// Whom it speaks with.
    pub audience: BTreeSet<ReplicaId>,
    pub adversary: Option<Corrupt>,
    /// Whether nothing reaches it and nothing of it arrives.
    pub cut_off: bool,
    /// Whether it crashes in the middle of the next state that it stores.
    pub tears: bool,
    pub plant: Option<Plant>,
    /// Counts its starts; what was under way to an earlier one is lost.
    pub incarnation: u64,
    pub running: Option<Running>,
    pub disk: MemDisk,
    skew_ms: i64,
    cluster: ClusterId,
    /// Whether its log has been begun.
    has_run: bool,
    keys: KeyStore,
}

/// Who has taken a machine over, and the keys that were on it.
pub(super) struct Corrupt {
    pub will: Box<dyn Adversary>,
    pub forge: Forge,
    pub elsewhere: Vec<Forge>,
}

/// Why a machine has ended, or does not start.
pub(super) enum Stop {
    /// Its log: the disk, or what it holds.
    Log(LogError),
    /// The replica refuses what the log held.
    Replica(crate::replica::Error),
    /// The replica must not go on.
    Fatal(String),
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
    /// Executed, and not known to be durable: a crash may undo it, since nobody was told.
    executed: Vec<(ExecutedBatch, Digest)>,
    /// Decided, and the same holds.
    decided: Vec<ClosedRound>,
    /// Keys to be wiped when their retirement is durable.
    retired: Vec<RetiredKey>,
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
    pub closed: Vec<ClosedRound>,
    /// Those of which the records are durable.
    pub decided: Vec<ClosedRound>,
    /// A state was written: tell [`Actor::stored`] after a while.
    pub store: Option<(u64, Stored)>,
    /// A state was being written: the machine must crash now.
    pub torn: bool,
    /// Steps from epoch to epoch.
    pub news: Vec<replica::News>,
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
            era: cluster.epoch.0 as usize,
            gone: false,
            audience,
            adversary: None,
            cut_off: false,
            tears: false,
            plant,
            incarnation: 0,
            running: None,
            skew_ms: chance.range(0, 2 * MAX_SKEW_MS) as i64 - MAX_SKEW_MS as i64,
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
        #[cfg(test)]
        crate::plant::at(Some(self.id));
        self.incarnation += 1;
        if self.plant == Some(Plant::ForgetLog) {
            let (_, opened) = Log::open(self.disk.clone(), cluster.id, self.id)?;
            self.disk = MemDisk::new();
            let (mut log, _) = Log::open(self.disk.clone(), cluster.id, self.id)?;
            let half = opened.records.len() / 2;
            opened.records[..half].iter().try_for_each(|record| log.append(record).map(drop))?;
            log.sync()?;
        }
        let (mut log, mut opened) = Log::open(self.disk.clone(), cluster.id, self.id)?;
        let mut config = cluster.config(self.id, chance.seed(), self.plant);
        config.holdings = self.keys.holdings();
        if !std::mem::replace(&mut self.has_run, true) {
            let first = Replica::first_record(&config.consensus);
            log.append(&first).and_then(|_| log.sync())?;
            opened.records.push(first);
        }
        let checkpoint = opened.snapshot.map(|snapshot| (snapshot.records, snapshot.bytes));
        let past = Past { checkpoint, records: opened.records };
        let (replica, output) = Replica::recover(self.clock(now), config, past).map_err(Stop::Replica)?;
        let (held, executed, decided, retired) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let running = Running { replica, wake: None, log, held, syncing: false, executed, decided, retired };
        self.running = Some(running);
        self.take(now, output)
    }

    /// Whether its last start had to cut something off the log.
    pub fn had_torn_tail(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.log.torn_tail().is_some())
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
        #[cfg(test)]
        crate::plant::at(Some(self.id));
        let clock = self.clock(now);
        let Some(running) = &mut self.running else { return Ok(Todo::default()) };
        let output = running.replica.step(clock, input);
        self.take(now, output)
    }

    /// What its operator does for a rollover now.
    pub fn operate(&mut self, cluster: &Cluster, rolls: Rolls, now: u64) -> Result<Todo, Stop> {
        let clock = self.clock(now);
        let Some(running) = &mut self.running else { return Ok(Todo::default()) };
        let output = match rolls {
            Rolls::Zone => cluster.manage(self.id, &mut running.replica, clock),
            _ => cluster.operate(self.id, &mut running.replica, clock),
        };
        self.take(now, output)
    }

    /// A request goes into the order past the ingress.
    pub fn order(&mut self, now: u64, request: Vec<u8>) -> Result<Todo, Stop> {
        #[cfg(test)]
        crate::plant::at(Some(self.id));
        let clock = self.clock(now);
        let Some(running) = &mut self.running else { return Ok(Todo::default()) };
        let output = running.replica.order(clock, request);
        self.take(now, output)
    }

    /// Its operator votes.
    pub fn vote(&mut self, now: u64, command: &Command) -> Result<Todo, Stop> {
        #[cfg(test)]
        crate::plant::at(Some(self.id));
        let clock = self.clock(now);
        let Some(running) = &mut self.running else { return Ok(Todo::default()) };
        match running.replica.vote(clock, command) {
            Ok((_, output)) => self.take(now, output),
            Err(_) => Ok(Todo::default()),
        }
    }

    /// Whether it has run before.
    pub fn has_run(&self) -> bool {
        self.has_run
    }

    /// The sync that a [`Todo`] began is through: what waited for it may happen.
    pub fn synced(&mut self) -> Result<Todo, Stop> {
        let Some(running) = &mut self.running else { return Ok(Todo::default()) };
        running.log.sync()?;
        running.syncing = false;
        retire(&self.keys, &mut running.retired);
        let (effects, executed) = (std::mem::take(&mut running.held), std::mem::take(&mut running.executed));
        let decided = std::mem::take(&mut running.decided);
        Ok(Todo { effects, executed, decided, ..Todo::default() })
    }

    /// A state is on disk: the log that it stands for goes.
    pub fn stored(&mut self, now: u64, round: u64, stored: &Stored) -> Result<Todo, Stop> {
        let Some(running) = &mut self.running else { return Ok(Todo::default()) };
        running.log.cut(stored)?;
        self.step(now, Input::Stored { round, bytes: stored.bytes() })
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
        if let Some(why) = output.fatal {
            return Err(Stop::Fatal(why));
        }
        let (mut store, mut torn) = (None, false);
        if let Some(file) = output.store {
            let (at, round) = (running.log.roll()?, file.round());
            let mut writer = SnapshotWriter::begin(self.disk.clone(), self.cluster, self.id, at)?;
            torn = std::mem::take(&mut self.tears);
            let records = if torn { 1 } else { usize::MAX };
            file.take(records).try_for_each(|record| writer.write(&record))?;
            if !torn {
                store = Some((round, writer.finish()?));
            }
        }
        // As in the runtime: an output that does not say when leaves what was said before.
        running.wake = wake.or(running.wake);
        let (tasks, closed, news) = (output.tasks, output.closed, output.news);
        let mut todo = Todo { tasks, wake, closed, store, torn, news, ..Todo::default() };
        running.decided.extend(todo.closed.iter().cloned());
        running.retired.extend(output.keys.iter().filter_map(|change| match change {
            KeyChange::Retire(retired) => Some(*retired),
            KeyChange::Learn(_) => None,
        }));
        if !output.executed.is_empty() {
            let state = running.replica.digest();
            running.executed.extend(output.executed.into_iter().map(|batch| (batch, state)));
        }
        if running.log.durable().upto() == running.log.end() {
            todo.executed = std::mem::take(&mut running.executed);
            todo.decided = std::mem::take(&mut running.decided);
            retire(&self.keys, &mut running.retired);
        }
        let may_leave = self.plant == Some(Plant::SendBeforeSync) || (!output.sync && !running.syncing);
        if output.sync && !running.syncing {
            running.syncing = true;
            todo.sync = true;
            // On its way to the disk: a crash may tear it.
            running.log.flush()?;
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

fn retire(keys: &KeyStore, retired: &mut Vec<RetiredKey>) {
    for key in retired.drain(..) {
        keys.retire(key).expect("a vault that never fails");
    }
}
