//! A process goes with its cluster from epoch to epoch.
//!
//! The directory of a replica's next epoch stands in its own, as `next/`: a whole replica's directory (`replica.toml`, the new
//! `cluster.toml`, keys and shares, and `predecessor.toml`, a copy of the old `cluster.toml`), or, of a replica that is not in
//! the next epoch, its `cluster.toml` alone. It has its own port for peers and its own `data`; the sockets for clients and
//! operators stay those of the file the process was started with.
//!
//! 1. The operator votes ([`command`]): the new file must follow this cluster, with the zones that there are now, their dates,
//!    and the keys that they have now. What it changes of their other rules is shown before.
//! 2. When the epoch has ended and the last state is on disk, the next epoch's replica starts in this process and begins from
//!    it, if it is of the cluster that was voted for. If `next/` is there when the process starts, that replica starts at once
//!    and awaits, and so does one in `next/next/`: so one that was down during a change, or two, finds its way. The end of one
//!    that has not begun is told and made good by another start: the present epoch goes on.
//! 3. When it has begun, clients and operators are led to it. The old replica gives the last state to those that are late.
//! 4. A moment after a state of the next epoch is certified the old one stops; its log and its shares are removed, and a mark
//!    says that it moved.
//! 5. A replica that is not in the next epoch stops when nobody needs it; its secrets are removed, and the process ends.
#![forbid(unsafe_code)]

mod following;
mod leaving;

pub(super) use following::command;
pub(super) use leaving::{Mark, mark, remove};

use super::Error;
use super::config::ReplicaFile;
use super::core::{Arrival, End};
use super::disk::DirDisk;
use super::engine::{Common, Engine, bind_peer};
use super::process::told_to_stop;
use super::start::{Doors, load};
use crate::ceremony::cluster::Cluster;
use crate::codec::{ClusterId, Epoch};
use crate::quorum::ReplicaId;
use leaving::retire;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;
use tracing::{error, info, warn};

/// The directory of the next epoch, in a replica's own.
const NEXT: &str = "next";
/// Between two looks for what is lacking or needed no more.
const LOOK: Duration = Duration::from_secs(5);
/// For which a replica stays whose next epoch needs nothing more of it: others may not have heard yet that they may leave.
const LINGER: Duration = Duration::from_secs(10);
/// Until a next epoch's replica that could not work is started again.
const AGAIN: Duration = Duration::from_secs(30);

/// What a replica's thread tells of its epoch.
pub(super) struct Notice {
    pub epoch: Epoch,
    pub what: What,
}

/// See [`crate::replica::News`].
pub(super) enum What {
    /// The last state is on disk: the cluster that goes on from it, and its records.
    Ended(ClusterId, Vec<Vec<u8>>),
    Released,
    Begun,
    Settled,
}

/// Where the present replica lives.
pub(super) struct Home {
    directory: PathBuf,
    cluster: Arc<Cluster>,
    me: ReplicaId,
}

impl Home {
    pub fn of(engine: &Engine) -> Self {
        let directory = engine.file.directory().to_owned();
        Self { directory, cluster: engine.cluster.clone(), me: engine.file.me }
    }
}

/// Whether the directory of a next epoch's replica is there.
pub(super) fn has_next(file: &ReplicaFile) -> bool {
    file.directory().join(NEXT).join("replica.toml").exists()
}

/// The configuration of the next epoch's replica.
pub(super) fn next_file(file: &ReplicaFile) -> Result<ReplicaFile, Error> {
    let path = file.directory().join(NEXT).join("replica.toml");
    ReplicaFile::read(&path).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Error(lines.join("\n"))
    })
}

/// Follows the replicas of this process until it is told to stop, one fails that it cannot do without, or its last has left.
pub(super) async fn follow(
    engine: Engine,
    common: Common,
    mut notices: UnboundedReceiver<Notice>,
    doors: &Doors,
) -> Result<(), Error> {
    let engines = VecDeque::from([engine]);
    let mut process = Process { engines, common, doors, begun: None, settled: None, lacks: None };
    process.start_next();
    let stop = told_to_stop();
    tokio::pin!(stop);
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            stop = &mut stop => {
                info!("stopping");
                let stopped = process.stop().await;
                return stop.map_err(super::engine::cannot_start).and(stopped);
            }
            Some(notice) = notices.recv() => {
                if process.notice(notice).await? {
                    return Ok(());
                }
            }
            _ = look.tick() => process.look().await?,
            (at, end) = first_end(&mut process.engines) => {
                let why = end.err().map(|end| end.told(&process.engines[at].file.data));
                if process.can_do_without(at) {
                    process.lose(at, why).await;
                    continue;
                }
                let _ = process.stop().await;
                return why.map_or(Ok(()), Err);
            }
        }
    }
}

/// The replicas of a process.
struct Process<'a> {
    /// That of the present epoch, and those of the next ones that have started, in their order.
    engines: VecDeque<Engine>,
    common: Common,
    doors: &'a Doors,
    /// The newest epoch that has begun here.
    begun: Option<Epoch>,
    /// The epoch that needs nothing of those before, and since when.
    settled: Option<(Epoch, Instant)>,
    /// A next epoch's replica should run and does not: when to look again.
    lacks: Option<Instant>,
}

impl Process<'_> {
    /// Does what a notice asks for; true when the process has no more to do.
    async fn notice(&mut self, Notice { epoch, what }: Notice) -> Result<bool, Error> {
        let Some(at) = self.engines.iter().position(|engine| engine.cluster.epoch == epoch) else {
            return Ok(false);
        };
        match what {
            What::Ended(successor, records) => {
                self.engines[at].successor = Some(successor);
                if self.engines.get(at + 1).is_some_and(|next| next.cluster.id() != successor) {
                    warn!(
                        "another cluster than that in `{NEXT}` when this process started has been voted for"
                    );
                    self.drop_from(at + 1).await;
                }
                self.start_next();
                match self.engines.get(at + 1) {
                    // One that is ending has told its reason.
                    Some(next) => drop(next.control.put(Arrival::Begin(records), 0).await),
                    None => self.lacks = Some(Instant::now()),
                }
            }
            // It came late to its own end: clients are with a later epoch already.
            What::Begun if self.begun.is_some_and(|newest| newest > epoch) => {}
            What::Begun => {
                info!(epoch = epoch.0, "the epoch has begun here");
                self.begun = Some(epoch);
                self.doors.lead_to(&self.engines[at]);
                for old in self.engines.iter().take(at) {
                    let _ = old.control.put(Arrival::Continued, 0).await;
                }
            }
            What::Settled => {
                if at > 0 && self.settled.is_none_or(|(before, _)| before < epoch) {
                    self.settled = Some((epoch, Instant::now()));
                }
            }
            What::Released => {
                warn!("this replica is not in the next epoch, and nobody needs it any more: it ends");
                self.retire_before(at).await?;
                if let Some(old) = self.engines.pop_front() {
                    retire(old, Mark::Left).await?;
                }
                return Ok(self.engines.is_empty());
            }
        }
        Ok(false)
    }

    /// Starts the next epochs' replicas whose directories are there, one in another's; what is still to be voted for awaits.
    fn start_next(&mut self) {
        while let Some(engine) = self.engines.back().filter(|engine| has_next(&engine.file)) {
            match next(engine, &self.common) {
                Ok(next) => self.engines.push_back(next),
                Err(Error(why)) => {
                    self.lacks = Some(Instant::now() + AGAIN);
                    return error!("the replica of the next epoch cannot start: {why}");
                }
            }
        }
    }

    /// Looks whether a next epoch's directory is there now, and lets go what is needed no more. A machine that is cut off hears of
    /// the end only from the next epoch's replicas: so its own starts as soon as it can.
    async fn look(&mut self) -> Result<(), Error> {
        if let Some((epoch, since)) = self.settled
            && since.elapsed() >= LINGER
            && let Some(at) = self.engines.iter().position(|engine| engine.cluster.epoch == epoch)
        {
            self.settled = None;
            self.retire_before(at).await?;
        }
        if self.lacks.is_some_and(|again| Instant::now() < again) {
            return Ok(());
        }
        let lacked = self.lacks.take().is_some();
        self.start_next();
        if self.engines.len() < 2 && self.engines[0].successor.is_some() {
            error!("the epoch is over; put the next one's directory into this one's, as `{NEXT}`");
            self.lacks = self.lacks.or(Some(Instant::now()));
        }
        for engine in self.engines.iter().filter(|_| lacked && self.engines.len() > 1) {
            let _ = engine.control.put(Arrival::HandOver, 0).await;
        }
        Ok(())
    }

    /// Whether the present epoch goes on here without this replica: one of a next epoch that has not begun, or of an epoch
    /// after which another has begun.
    fn can_do_without(&self, at: usize) -> bool {
        let epoch = self.engines[at].cluster.epoch;
        self.begun.map_or(at > 0, |begun| epoch != begun)
    }

    /// A replica has ended that is not the present epoch's.
    async fn lose(&mut self, at: usize, why: Option<Error>) {
        let why = why.map_or_else(|| "its thread has ended".into(), |why| why.0);
        if self.begun.is_some_and(|begun| self.engines[at].cluster.epoch < begun) {
            error!(
                "the replica of an epoch that is over has ended; the present one goes on, but those that are late \
                 must have the last state from others: {why}"
            );
            if let Some(old) = self.engines.remove(at)
                && let Err(Error(why)) = old.stop().await
            {
                warn!("{why}");
            }
            return;
        }
        error!("the replica of the next epoch has ended, and is started again: {why}");
        self.drop_from(at).await;
        self.lacks = Some(Instant::now() + AGAIN);
    }

    /// Stops this replica and those of later epochs.
    async fn drop_from(&mut self, at: usize) {
        for engine in self.engines.split_off(at) {
            if let Err(Error(why)) = engine.stop().await {
                warn!("{why}");
            }
        }
    }

    /// Stops the replicas of earlier epochs for good.
    async fn retire_before(&mut self, at: usize) -> Result<(), Error> {
        for engine in self.engines.drain(..at) {
            retire(engine, Mark::Moved).await?;
        }
        Ok(())
    }

    async fn stop(&mut self) -> Result<(), Error> {
        let mut stopped = Ok(());
        for engine in self.engines.drain(..) {
            stopped = stopped.and(engine.stop().await);
        }
        stopped
    }
}

fn next(engine: &Engine, common: &Common) -> Result<Engine, Error> {
    let loaded = load(next_file(&engine.file)?)?;
    if loaded.cluster.replaces != Some(engine.cluster.id()) {
        return Err(Error(format!("{}: does not replace this cluster", loaded.file.cluster.display())));
    }
    if engine.successor.is_some_and(|successor| loaded.cluster.id() != successor) {
        return Err(Error(format!(
            "{}: is not the cluster that was voted for",
            loaded.file.cluster.display()
        )));
    }
    let disk = DirDisk::open(&loaded.file.data).map_err(Error)?;
    let peer = bind_peer(&loaded.file)?;
    Engine::start(loaded, disk, peer, common, None)
}

/// The first of these that ends.
async fn first_end(engines: &mut VecDeque<Engine>) -> (usize, Result<(), End>) {
    std::future::poll_fn(|context| {
        for (at, engine) in engines.iter_mut().enumerate() {
            if let Poll::Ready(end) = engine.poll_end(context) {
                return Poll::Ready((at, end));
            }
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests;
