//! A process goes with its cluster from epoch to epoch.
//!
//! The directory of a replica's next epoch stands in its own, as `next/`: a whole replica's directory (`replica.toml`, the new
//! `cluster.toml`, keys and shares, and `predecessor.toml`, a copy of the old `cluster.toml`), or, of a replica that is not in
//! the next epoch, its `cluster.toml` alone. It has its own port for peers and its own `data`; the sockets for clients and
//! operators stay those of the file the process was started with.
//!
//! 1. The operator votes ([`command`]): the new file must follow this cluster, with the same zones and dates,
//!    and the keys that the zones have now.
//! 2. When the epoch has ended and the last state is on disk, the next epoch's replica starts in this process and begins from
//!    it. If `next/` is there when the process starts, that replica starts at once and awaits: so one that was down during
//!    the change finds its way.
//! 3. When it has begun, clients and operators are led to it. The old replica gives the last state to those that are late.
//! 4. When a state of the next epoch is certified the old one stops; its log and its shares are removed, and a mark says that it
//!    moved.
//! 5. A replica that is not in the next epoch stops when nobody needs it; its shares are removed, and the process ends.
#![forbid(unsafe_code)]

use super::Error;
use super::config::ReplicaFile;
use super::core::{Arrival, End};
use super::disk::DirDisk;
use super::engine::{Common, Engine, bind_peer};
use super::process::told_to_stop;
use super::start::{Doors, load};
use super::vault::SHARES;
use crate::ceremony::cluster::Cluster;
use crate::ceremony::cluster_file;
use crate::ceremony::files::replace_public;
use crate::ceremony::held;
use crate::ceremony::verify::receipts;
use crate::codec::Epoch;
use crate::quorum::ReplicaId;
use crate::zone::{Command, Succession, keys_digest};
use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tracing::{error, info, warn};

/// The directory of the next epoch, in a replica's own.
const NEXT: &str = "next";
/// Says, in the data directory, what became of a replica whose epoch is over.
const MARK: &str = "epoch-over";
/// Between two looks for the next epoch's directory.
const LOOK: Duration = Duration::from_secs(5);

/// What a replica's thread tells of its epoch.
pub(super) struct Notice {
    pub epoch: Epoch,
    pub what: What,
}

/// See [`crate::replica::News`].
pub(super) enum What {
    /// The last state is on disk: its records.
    Ended(Vec<Vec<u8>>),
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

/// What became of a replica.
pub(super) enum Mark {
    /// It is at work, or has never been.
    None,
    /// It went on to the next epoch.
    Moved,
    /// It was not in the next epoch.
    Left,
}

/// What the data directory says became of a replica.
pub(super) fn mark(file: &ReplicaFile) -> Result<Mark, Error> {
    let path = file.data.join(MARK);
    match fs::read_to_string(&path).as_deref() {
        Ok("moved\n") => Ok(Mark::Moved),
        Ok("left\n") => Ok(Mark::Left),
        Ok(_) => Err(Error(format!("{}: is neither `moved` nor `left`", path.display()))),
        Err(_) => Ok(Mark::None),
    }
}

/// The configuration of the next epoch's replica.
pub(super) fn next_file(file: &ReplicaFile) -> Result<ReplicaFile, Error> {
    let path = file.directory().join(NEXT).join("replica.toml");
    ReplicaFile::read(&path).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Error(lines.join("\n"))
    })
}

/// The command by which the cluster file in `next/` follows the present one; an error says why it cannot.
pub(super) fn command(home: &Home) -> Result<Command, String> {
    let directory = home.directory.join(NEXT);
    let path = directory.join("cluster.toml");
    let next = cluster_file::read(&path)
        .map_err(|problems| problems.first().map_or_else(String::new, ToString::to_string))?;
    let wrong = |reason: String| Err(format!("{}: {reason}", path.display()));
    let old = &*home.cluster;
    if next.replaces != Some(old.id()) {
        return wrong(format!("does not say that it replaces this cluster, {}", old.id().0.to_hex()));
    }
    if Some(next.epoch.0) != old.epoch.0.checked_add(1) {
        return wrong(format!("is of epoch {}; this one is {}", next.epoch.0, old.epoch.0));
    }
    if let Some(reason) = differs(old, &next) {
        return wrong(reason);
    }
    let receipts = receipts::check(&next, &directory);
    if let Some(lacking) = receipts.lacking.first() {
        let problem = receipts.problems.first().map_or_else(String::new, |problem| format!(": {problem}"));
        return Err(format!(
            "the receipt of replica {lacking} of the next epoch is not in {}{problem}; the deal is complete with all {}",
            directory.join("receipts").display(),
            next.committee.n()
        ));
    }
    if let Some(problem) = receipts.problems.first() {
        return Err(problem.to_string());
    }
    let mine = &old.members[home.me.slot()].identity;
    if next.members.iter().any(|member| member.identity == *mine) {
        // Its own share is there and is the right one; what the others have their receipts show.
        let file = ReplicaFile::read(&directory.join("replica.toml"));
        let loaded = file.and_then(ReplicaFile::load);
        loaded.map_err(|problems| problems.first().map_or_else(String::new, ToString::to_string))?;
    }
    let is_in = |who: &ReplicaId| {
        let identity = &old.members[who.slot()].identity;
        next.members.iter().any(|member| member.identity == *identity)
    };
    let keys =
        next.zones.iter().flat_map(|zone| [&zone.zsk, &zone.ksk].map(|key| (&zone.origin, &key.dnskey)));
    Ok(Command::Epoch(Succession {
        cluster: next.id(),
        epoch: next.epoch,
        faults: next.committee.faults() as u8,
        continuing: old.committee.members().filter(is_in).map(ReplicaId::get).collect(),
        keys: keys_digest(keys),
    }))
}

/// What must stay from epoch to epoch and does not. Whether the keys are those of now is found out when the command executes.
fn differs(old: &Cluster, next: &Cluster) -> Option<String> {
    let origins =
        |cluster: &Cluster| -> Vec<_> { cluster.zones.iter().map(|zone| zone.origin.clone()).collect() };
    if origins(old) != origins(next) {
        return Some("has other zones".into());
    }
    let other = old.zones.iter().zip(&next.zones).find(|(old, next)| old.validity != next.validity);
    other.map(|(zone, _)| format!("has other dates of signatures for zone {}", zone.origin))
}

/// Follows the replicas of this process until it is told to stop, one fails, or its last has left.
pub(super) async fn follow(
    engine: Engine,
    common: Common,
    mut notices: UnboundedReceiver<Notice>,
    doors: &Doors,
) -> Result<(), Error> {
    let mut process = Process { engines: VecDeque::from([engine]), common, doors, waits: false };
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
            _ = look.tick() => process.look().await,
            (data, end) = first_end(&mut process.engines) => {
                let why = end.err().map(|end| end.told(&data));
                let _ = process.stop().await;
                return why.map_or(Ok(()), Err);
            }
        }
    }
}

/// The replicas of a process.
struct Process<'a> {
    /// That of the present epoch, and that of the next once it has started.
    engines: VecDeque<Engine>,
    common: Common,
    doors: &'a Doors,
    /// Whether the epoch is over and the next one's replica has not started.
    waits: bool,
}

impl Process<'_> {
    /// Does what a notice asks for; true when the process has no more to do.
    async fn notice(&mut self, Notice { epoch, what }: Notice) -> Result<bool, Error> {
        let Some(at) = self.engines.iter().position(|engine| engine.cluster.epoch == epoch) else {
            return Ok(false);
        };
        match what {
            What::Ended(records) => {
                self.start_next();
                match self.engines.get(at + 1) {
                    // One that is ending has told its reason.
                    Some(next) => drop(next.control.put(Arrival::Begin(records), 0).await),
                    None => self.waits = true,
                }
            }
            What::Begun => {
                info!(epoch = epoch.0, "the epoch has begun here");
                self.doors.lead_to(&self.engines[at]);
            }
            What::Settled => {
                if at > 0
                    && let Some(old) = self.engines.pop_front()
                {
                    retire(old, "moved\n").await?;
                    self.start_next();
                }
            }
            What::Released => {
                warn!("this replica is not in the next epoch, and nobody needs it any more: it ends");
                if let Some(old) = self.engines.remove(at) {
                    retire(old, "left\n").await?;
                }
                return Ok(self.engines.is_empty());
            }
        }
        Ok(false)
    }

    /// Starts the next epoch's replica if its directory is there.
    fn start_next(&mut self) {
        let [engine] = self.engines.make_contiguous() else { return };
        let path = engine.file.directory().join(NEXT).join("replica.toml");
        if !path.exists() {
            return;
        }
        match next(engine, &self.common) {
            Ok(next) => self.engines.push_back(next),
            Err(Error(why)) => error!("the replica of the next epoch cannot start: {why}"),
        }
    }

    /// Looks whether what was lacking is there now.
    async fn look(&mut self) {
        if !self.waits {
            return;
        }
        self.start_next();
        if self.engines.len() < 2 {
            return error!("the epoch is over; put the next one's directory into this one's, as `{NEXT}`");
        }
        self.waits = false;
        let _ = self.engines[0].control.put(Arrival::HandOver, 0).await;
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
    let disk = DirDisk::open(&loaded.file.data).map_err(Error)?;
    let peer = bind_peer(&loaded.file)?;
    Engine::start(loaded, disk, peer, common, None)
}

/// The first of these that ends, and where its data are.
async fn first_end(engines: &mut VecDeque<Engine>) -> (PathBuf, Result<(), End>) {
    std::future::poll_fn(|context| {
        for engine in engines.iter_mut() {
            if let Poll::Ready(end) = engine.poll_end(context) {
                return Poll::Ready((engine.file.data.clone(), end));
            }
        }
        Poll::Pending
    })
    .await
}

/// Stops a replica whose epoch is over; removes its log and its shares. The mark comes first: who starts it again must not
/// take the empty log for a lost one.
async fn retire(engine: Engine, mark: &str) -> Result<(), Error> {
    let (data, home) = (engine.file.data.clone(), engine.file.directory().to_owned());
    engine.stop().await?;
    replace_public(&data.join(MARK), mark.as_bytes()).map_err(|problem| Error(problem.to_string()))?;
    let ends = |path: &Path, endings: &[&str]| {
        path.extension().is_some_and(|end| endings.iter().any(|ending| end == *ending))
    };
    let (shares, bundles) = (home.join(SHARES), home.join(held::DIRECTORY));
    for (directory, endings) in [
        (&data, &["log", "snap", "mark", "part"][..]),
        (&home, &["share"]),
        (&shares, &["secret", "new"]),
        (&bundles, &["bundle"]),
    ] {
        let files = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
        for path in files.filter(|path| ends(path, endings)) {
            if let Err(why) = fs::remove_file(&path) {
                warn!("{}: cannot be removed: {why}: remove it by hand", path.display());
            }
        }
    }
    info!(directory = %home.display(), "what this epoch needed is removed");
    Ok(())
}
