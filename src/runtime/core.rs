//! The one thread that owns the replica and its log.
//!
//! In turns: take what has arrived, step the replica with each input, append the records, sync once, and let the
//! effects go. Effects are [`Pending`] on the log's position, so none can leave before its records are durable. A
//! failure of the log ends the thread, and with it the process: what was answered is on disk, and nothing more is said.
#![forbid(unsafe_code)]

mod news;
mod zones;

pub(super) use zones::Zones;

use super::Outbound;
use super::audit::Audit;
use super::clients::{ClientPort, FromClient};
use super::contact::Contact;
use super::engine::Common;
use super::inbox::Inbox;
use super::peers::{FromPeer, Peers};
use super::questions::{self, Question};
use super::store::{Store, Written};
use super::throttle::Throttle;
use super::workers::Workers;
use crate::answer;
use crate::codec::Epoch;
use crate::dns::name::Name;
use crate::link::Event;
use crate::protocol::To;
use crate::quorum::{Committee, ReplicaId};
use crate::replica::{ClientId, Effect, Input, KeyChange, Output, Replica};
use crate::signing::{Computed, KeyStore};
use crate::storage::{Disk, Durable, Log, LogError, Pending, Position};
use crate::time::{SECOND, UnixMillis};
use crate::zone::{CheckedBundle, Command, OperatorVote, Parcel, Receipt, View};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot;
use tracing::{error, info, warn};

/// Milliseconds between ticks at most, whatever the replica asks for: a clock set back must not stop it.
const TICK_MS: u64 = SECOND / 2;

/// What arrives at the thread.
pub(super) enum Arrival {
    Peer(FromPeer),
    Client(FromClient),
    Computed(Computed),
    Written(Written),
    /// Somebody wants to know how it is.
    Status(oneshot::Sender<serde_json::Value>),
    /// The operator votes for a command.
    Vote(Command, oneshot::Sender<serde_json::Value>),
    /// Somebody wants to know the zones' keys.
    Keys(oneshot::Sender<serde_json::Value>),
    /// The operator has brought a bundle, whose share was opened.
    Import(Box<(CheckedBundle, Receipt)>, oneshot::Sender<serde_json::Value>),
    /// The operator asks something of updates.
    Ask(Question, oneshot::Sender<serde_json::Value>),
    /// Somebody wants to know the zones.
    Zones(oneshot::Sender<Zones>),
    /// The operator gives what a command names by a digest.
    Contents(Box<Parcel>, oneshot::Sender<serde_json::Value>),
    /// Somebody brings what an operator has signed.
    Operator(Box<OperatorVote>, oneshot::Sender<serde_json::Value>),
    /// Somebody wants to know what is voted on.
    Votes(oneshot::Sender<serde_json::Value>),
    /// The records of the last state of the epoch before.
    Begin(Vec<Vec<u8>>),
    /// Tell again what the next epoch begins from, if this one is over.
    HandOver,
    /// The next epoch has begun at this machine.
    Continued,
    /// End, cleanly.
    Stop,
}

/// Why the thread ended.
pub(super) enum End {
    /// The log failed.
    Log(LogError),
    /// The replica must not go on, or the system refuses what it needs: one line with the remedy.
    Replica(String),
}

impl End {
    /// As the process tells it, of a replica with this data directory.
    pub fn told(self, data: &Path) -> super::Error {
        match self {
            Self::Log(error) => super::Error(format!("{}: {error}", data.display())),
            Self::Replica(why) => super::Error(format!("{}: {why}", data.display())),
        }
    }
}

impl From<LogError> for End {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

/// What the thread works with besides replica, log and inbox.
pub(super) struct Hands<D> {
    pub me: ReplicaId,
    pub epoch: Epoch,
    pub committee: Committee,
    pub peers: Peers,
    pub clients: ClientPort,
    pub workers: Workers,
    pub keys: Arc<KeyStore>,
    /// The data directory.
    pub data: PathBuf,
    pub audit: Audit,
    pub store: Store<D, Arrival>,
    pub common: Common,
    /// Zones whose queries go through the order.
    pub ordered: BTreeSet<Name>,
    pub outbound: Option<Outbound>,
    pub contact: Contact,
}

/// The thread's state.
pub(super) struct Core<D> {
    replica: Replica,
    log: Log<D>,
    inbox: Inbox<Arrival>,
    hands: Hands<D>,
    /// What must be durable before the effects held now may leave.
    required: Position,
    held: Vec<Pending<Vec<Effect>>>,
    /// Peers whose queue has been dropped while their connection stood.
    gaps: BTreeSet<ReplicaId>,
    wake_at: Option<UnixMillis>,
    last_tick: UnixMillis,
    throttle: Throttle,
    syncs: u64,
}

impl<D: Disk + Clone + Send + 'static> Core<D> {
    pub fn new(replica: Replica, log: Log<D>, inbox: Inbox<Arrival>, hands: Hands<D>) -> Self {
        Self {
            replica,
            log,
            inbox,
            hands,
            required: Position::START,
            held: Vec::new(),
            gaps: BTreeSet::new(),
            wake_at: None,
            last_tick: UnixMillis(0),
            throttle: Throttle::default(),
            syncs: 0,
        }
    }

    /// Carries out what recovery led to: a restarted replica answers from its last versions at once.
    pub fn begin(&mut self, recovered: Output) -> Result<(), End> {
        self.hold(recovered)?;
        self.settle()
    }

    /// Works until it is told to stop, or the log fails.
    pub fn run(mut self) -> Result<(), End> {
        let ended = self.work();
        self.hands.clients.end();
        ended
    }

    fn work(&mut self) -> Result<(), End> {
        loop {
            for arrival in self.inbox.take(self.patience()) {
                match arrival {
                    Arrival::Stop => return self.settle(),
                    Arrival::Status(asker) => {
                        // Who asked may have gone.
                        let _ = asker.send(self.status());
                    }
                    Arrival::Begin(records) => self.step(Input::Begin(records))?,
                    Arrival::HandOver => self.hand_over(),
                    Arrival::Continued => self.step(Input::Continued)?,
                    Arrival::Vote(command, asker) => self.vote(&command, asker)?,
                    Arrival::Import(brought, asker) => self.import(*brought, asker)?,
                    Arrival::Zones(asker) => drop(asker.send(self.zones())),
                    Arrival::Contents(parcel, asker) => self.take_contents(*parcel, asker)?,
                    Arrival::Operator(vote, asker) => self.carry(*vote, asker)?,
                    Arrival::Keys(asker) => {
                        let _ = asker.send(self.keys());
                    }
                    Arrival::Ask(question, asker) => {
                        let _ = asker.send(question.answer(&self.replica, &self.hands.data));
                    }
                    Arrival::Votes(asker) => {
                        let _ = asker.send(self.votes());
                    }
                    Arrival::Peer(FromPeer { from, event: Event::Linked }) => {
                        self.step(Input::Linked(from))?;
                    }
                    Arrival::Peer(FromPeer { from, event: Event::Deliver(bytes) }) => {
                        self.step(Input::Peer { from, bytes })?;
                    }
                    Arrival::Client(FromClient::Request { id, wire, manners }) => {
                        self.step(Input::Client { id, wire, manners })?;
                    }
                    Arrival::Client(FromClient::Forget(id)) => self.step(Input::Forget(id))?,
                    Arrival::Computed(computed) => self.step(Input::Computed(computed))?,
                    Arrival::Written(Written { round, result }) => {
                        let stored = result?;
                        self.log.cut(&stored)?;
                        info!(round, bytes = stored.bytes(), log = self.log.bytes(), "stored a checkpoint");
                        self.step(Input::Stored { round, bytes: stored.bytes() })?;
                    }
                }
            }
            for peer in std::mem::take(&mut self.gaps) {
                self.step(Input::Linked(peer))?;
            }
            self.tick_if_due()?;
            self.settle()?;
        }
    }

    fn step(&mut self, input: Input) -> Result<(), End> {
        let output = self.replica.step(now(), input);
        self.hold(output)
    }

    fn vote(&mut self, command: &Command, asker: oneshot::Sender<serde_json::Value>) -> Result<(), End> {
        let (answer, output) = match self.replica.vote(now(), command) {
            Ok((number, output)) => (json!({ "vote": number, "command": command.to_string() }), output),
            Err(why) => (json!({ "error": why }), Output::default()),
        };
        info!(%command, "the operator votes");
        let _ = asker.send(answer);
        self.hold(output)
    }

    fn import(
        &mut self,
        (bundle, receipt): (CheckedBundle, Receipt),
        asker: oneshot::Sender<serde_json::Value>,
    ) -> Result<(), End> {
        let (name, key) = (bundle.name().to_hex(), bundle.bundle());
        let (zone, role) = (key.zone.to_string(), key.role.word());
        let (answer, output) = match self.replica.bring(now(), &bundle, receipt) {
            Ok(output) => {
                (json!({ "bundle": name, "zone": zone, "role": role, "tag": bundle.tag() }), output)
            }
            Err(why) => (json!({ "error": why }), Output::default()),
        };
        info!(bundle = name, zone, role, "the operator brings a bundle");
        let _ = asker.send(answer);
        self.hold(output)
    }

    fn tick_if_due(&mut self) -> Result<(), End> {
        let now = now();
        // A clock set back must not hold up the next tick either.
        let waited = now < self.last_tick || now.since(self.last_tick) >= TICK_MS;
        if waited || self.wake_at.is_some_and(|at| at <= now) {
            self.last_tick = now;
            self.wake_at = None;
            self.look_for_others();
            self.step(Input::Tick)?;
        }
        Ok(())
    }

    fn patience(&self) -> Duration {
        if !self.gaps.is_empty() {
            return Duration::ZERO;
        }
        let left = self.wake_at.map_or(TICK_MS, |at| at.since(now()).min(TICK_MS));
        // A replica that wants to be woken at once is; one that always wants it must not spin.
        Duration::from_millis(left.max(1))
    }

    /// Appends an output's records and keeps its effects until they may leave.
    fn hold(&mut self, output: Output) -> Result<(), End> {
        for record in &output.records {
            self.log.append(record)?;
        }
        if output.sync {
            self.required = self.log.end();
        }
        if !output.effects.is_empty() {
            self.held.push(Pending::new(output.effects, self.required));
        }
        self.change_keys(output.keys)?;
        if let Some(file) = output.store {
            let at = self.log.roll()?;
            let refused = |e| End::Replica(format!("cannot start a thread to store a checkpoint: {e}"));
            self.hands.store.begin(file, at).map_err(refused)?;
        }
        self.hands.audit.take(output.skipped_to, &output.audit);
        questions::tell(&mut self.throttle, self.hands.me, &output.refused);
        output.remarks.iter().for_each(|remark| warn!("{remark}"));
        self.tell(output.news);
        self.hands.workers.add(output.tasks);
        if output.wake_at.is_some() {
            self.wake_at = output.wake_at;
        }
        output.fatal.map_or(Ok(()), |why| Err(End::Replica(why)))
    }

    fn change_keys(&mut self, changes: Vec<KeyChange>) -> Result<(), End> {
        if changes.iter().any(|change| matches!(change, KeyChange::Retire(_))) {
            self.syncs += 1;
            self.log.sync()?;
        }
        for change in changes {
            match change {
                KeyChange::Learn(public) => {
                    let key = public.key_id();
                    match self.hands.keys.has_share(key) {
                        true => info!(key = %key.0.to_hex(), "a zone has a new key"),
                        false => {
                            error!(key = %key.0.to_hex(), "a zone has a new key, and its share is lacking here")
                        }
                    }
                }
                KeyChange::Retire(retired) => match self.hands.keys.retire(retired) {
                    Ok(()) => info!(key = %retired.key.0.to_hex(), "a key is retired, and its share wiped"),
                    Err(why) => error!("a retired key's share cannot be wiped before the next start: {why}"),
                },
            }
        }
        Ok(())
    }

    /// Makes durable what has to be, and lets the effects go.
    fn settle(&mut self) -> Result<(), End> {
        let durable: Durable = if self.log.durable().upto() < self.required {
            self.syncs += 1;
            self.log.sync()?
        } else {
            self.log.flush()?;
            self.log.durable()
        };
        for pending in std::mem::take(&mut self.held) {
            for effect in pending.release(&durable) {
                self.carry_out(effect);
            }
        }
        Ok(())
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Send { to, bytes } => self.send(to, &bytes),
            Effect::Reply { client, wire } => self.hands.clients.reply(client, |_| Some(wire)),
            Effect::Answer { client, query, view } => self.answer(client, &query, &view),
            Effect::Drop { client } => self.hands.clients.reply(client, |_| None),
            Effect::Publish { zone, view, ordered } => {
                self.hands.common.publish(self.hands.epoch, &zone, view, ordered);
            }
            Effect::Withdraw { zone } => self.hands.common.withdraw(self.hands.epoch, &zone),
            Effect::Fault(fault) => {
                if let Some(count) = self.throttle.tell((fault.who, Some(fault.what))) {
                    warn!(replica = %fault.who, what = ?fault.what, count, "a replica misbehaves");
                }
            }
            Effect::Alarm(alarm) => error!("{alarm}"),
        }
    }

    fn send(&mut self, to: To, bytes: &Arc<[u8]>) {
        match to {
            To::One(peer) => self.send_one(peer, bytes),
            To::Others => self.hands.committee.others(self.hands.me).for_each(|p| self.send_one(p, bytes)),
        }
    }

    fn send_one(&mut self, peer: ReplicaId, bytes: &Arc<[u8]>) {
        let bytes = match &mut self.hands.outbound {
            None => bytes.clone(),
            Some(change) => {
                let mut changed = bytes.to_vec();
                change(peer, &mut changed);
                changed.into()
            }
        };
        if self.hands.peers.send(peer, bytes).is_some() {
            if let Some(count) = self.throttle.tell((peer, None)) {
                warn!(%peer, count, "the peer takes nothing: its queue was full and has been dropped");
            }
            self.gaps.insert(peer);
        }
    }

    fn answer(&self, client: ClientId, query: &[u8], view: &Arc<View>) {
        self.hands.clients.reply(client, |client| {
            let request = answer::Request { wire: query, client, now_secs: now().secs() };
            let mut out = Vec::new();
            match answer::respond_from(view, &self.hands.common.settings.load(), request, &mut out) {
                answer::Reply::Send(_) => Some(out),
                answer::Reply::Ignore | answer::Reply::Forward(_) => None,
            }
        });
    }

    fn status(&self) -> serde_json::Value {
        json!({
            "replica": self.replica.status(),
            "links": self.hands.peers.status(),
            "stale": self.hands.common.settings.load().stale,
            "connections_refused": self.hands.peers.refused(),
            "tasks_waiting": self.hands.workers.waiting(),
            "log": {
                "records": self.log.end().records(),
                "syncs": self.syncs,
                "bytes": self.log.bytes(),
                "checkpoint_bytes": self.log.stored().map_or(0, |stored| stored.bytes()),
            },
        })
    }
}

/// This machine's clock.
pub(super) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

impl From<FromPeer> for Arrival {
    fn from(from: FromPeer) -> Self {
        Self::Peer(from)
    }
}

impl From<FromClient> for Arrival {
    fn from(from: FromClient) -> Self {
        Self::Client(from)
    }
}

impl From<Written> for Arrival {
    fn from(written: Written) -> Self {
        Self::Written(written)
    }
}

impl From<Computed> for Arrival {
    fn from(computed: Computed) -> Self {
        Self::Computed(computed)
    }
}
