//! Puts a process together, runs it, and takes it apart.
//!
//! The order: files are loaded and checked; the data directory is locked and the sockets are bound, so that a second
//! process or a port in use is told before anything is changed; the log is replayed; links, clients and the admin
//! socket begin. From then on [`epochs`] sees to it that the process goes with its cluster from epoch to epoch.
#![forbid(unsafe_code)]

use super::admin::{self, Admin};
use super::clients::ClientPort;
use super::config::{Loaded, ReplicaFile};
use super::core::Arrival;
use super::disk::DirDisk;
use super::engine::{Common, Engine, bind_peer, cannot_start};
use super::epochs::{self, Home, Mark};
use super::front::{Front, Listeners};
use super::importer::Importer;
use super::inbox::Lane;
use super::service::Service;
use super::transfer::Transfers;
use super::{Error, Outbound};
use crate::answer::{Catalog, Settings};
use crate::zone::Charter;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tracing::{info, warn};

/// How long tasks may take to end.
const ENDING: Duration = Duration::from_secs(1);

/// The sockets, bound before anything is changed.
struct Sockets {
    peer: TcpListener,
    dns: Listeners,
    admin: UnixListener,
}

/// Where clients and operators come to: the replica of the present epoch.
pub(super) struct Doors {
    pub port: Arc<ArcSwap<ClientPort>>,
    pub control: Arc<ArcSwap<Lane<Arrival>>>,
    pub home: Arc<ArcSwap<Home>>,
    pub importer: Arc<ArcSwap<Importer>>,
    settings: Arc<ArcSwap<Settings>>,
}

impl Doors {
    pub fn of(engine: &Engine, settings: Arc<ArcSwap<Settings>>) -> Self {
        Self {
            port: Arc::new(ArcSwap::from_pointee(engine.port.clone())),
            control: Arc::new(ArcSwap::from_pointee(engine.control.clone())),
            home: Arc::new(ArcSwap::from_pointee(Home::of(engine))),
            importer: Arc::new(ArcSwap::new(engine.importer.clone())),
            settings,
        }
    }

    /// From now on they come to this one.
    pub fn lead_to(&self, engine: &Engine) {
        self.port.store(Arc::new(engine.port.clone()));
        self.control.store(Arc::new(engine.control.clone()));
        self.home.store(Arc::new(Home::of(engine)));
        self.importer.store(engine.importer.clone());
        self.settings.rcu(|old| Settings { keys: engine.keyring.clone(), ..Settings::clone(old) });
    }
}

pub(super) fn run(file: ReplicaFile, outbound: Option<Outbound>) -> Result<(), Error> {
    if let Some(mark) = epochs::mark(&file)? {
        // A crash may have come between the mark and the removal.
        epochs::remove(&file, mark);
        if mark == Mark::Left && !epochs::has_next(&file) {
            let reason = "this replica has left its cluster, and its shares are gone: remove its directory";
            return Err(Error(format!("{}: {reason}", file.data.display())));
        }
        // Clients, secondaries and operators find it where they found the old one.
        let next = epochs::next_file(&file)?;
        let (dns, front, admin, transfers) = (file.dns, file.front, file.admin, file.transfers);
        let next = ReplicaFile { dns, front, admin, transfers, ..next };
        warn!(config = %next.path.display(), "this epoch is over; start the replica with that file from now on");
        return run(next, outbound);
    }
    let loaded = load(file)?;
    let disk = DirDisk::open(&loaded.file.data).map_err(Error)?;
    let admin_path = loaded.file.admin.clone();
    // Before any thread: see `admin::bind`.
    let admin = admin::bind(&admin_path).map_err(|e| {
        let remedy = "choose another `admin` path, or remove what is there";
        Error(format!("{}: cannot make the admin socket: {e}: {remedy}", admin_path.display()))
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(cannot_start)?;
    let ended = runtime.block_on(serve(loaded, outbound, disk, admin));
    runtime.shutdown_timeout(ENDING);
    // It may be gone already, and a stale one is replaced at the next start.
    let _ = std::fs::remove_file(&admin_path);
    ended
}

/// Loads what a replica runs on, and keeps the zones as dealt.
pub(super) fn load(file: ReplicaFile) -> Result<Loaded, Error> {
    let loaded = file.load().map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Error(lines.join("\n"))
    })?;
    loaded.warnings.iter().for_each(|warning| warn!("{warning}"));
    loaded.begin().map_err(|problem| Error(problem.to_string()))?;
    Ok(loaded)
}

async fn serve(
    loaded: Loaded,
    outbound: Option<Outbound>,
    disk: DirDisk,
    admin: std::os::unix::net::UnixListener,
) -> Result<(), Error> {
    let sockets = bind(&loaded.file, admin)?;
    let file = loaded.file.clone();
    let origins = loaded.genesis.zones.iter().map(|(rules, _)| rules.origin.clone());
    let catalog = Arc::new(ArcSwap::from_pointee(origins.fold(Catalog::new(), |c, o| c.awaiting(o))));
    let (teller, notices) = mpsc::unbounded_channel();
    let front = Front::new(&file.front, loaded.front.clone(), loaded.genesis.keys.clone())?;
    let readers = Transfers::readers(file.transfers.clone());
    front.settings.rcu(|old| Settings { readers: readers.clone(), ..Settings::clone(old) });
    let common = Common::new(catalog.clone(), front.settings.clone(), teller);
    let engine = Engine::start(loaded, disk, sockets.peer, &common, outbound)?;
    let served = catalog.load();
    let named = file.transfers.iter().filter_map(|rule| rule.zone.as_ref());
    for zone in named.filter(|zone| !served.has(zone)) {
        warn!(%zone, "a [[transfer]] is for a zone that is not served now");
    }
    drop(served);
    let doors = Doors::of(&engine, front.settings.clone());
    let port = doors.port.clone();
    let forward = Arc::new(move |wire, client, reply| port.load().try_submit(wire, client, reply));
    let service = Service::with_forward(catalog.clone(), front.settings.clone(), forward);
    let service = service.with_transfers(Transfers::new(file.transfers.clone()));
    let service = service.patient(file.update_patience_ms);
    let mut tasks = JoinSet::new();
    let serving = front.serve(sockets.dns, &file.dns, service, &mut tasks)?;
    let home = doors.home.clone();
    let next = Arc::new(move |zones: &[Charter]| epochs::command(&home.load_full(), zones));
    let giving = Arc::new(Semaphore::new(1));
    tasks.spawn(admin::serve(
        sockets.admin,
        Admin { catalog, core: doors.control.clone(), next, importer: doors.importer.clone(), giving },
    ));
    info!(replica = %file.me, dns = ?file.dns, "serving");
    let ended = epochs::follow(engine, common, notices, &doors).await;
    serving.end().await;
    tasks.shutdown().await;
    ended
}

fn bind(file: &ReplicaFile, admin: std::os::unix::net::UnixListener) -> Result<Sockets, Error> {
    let (peer, dns) = (bind_peer(file)?, Listeners::bind(file)?);
    Ok(Sockets { peer, dns, admin: UnixListener::from_std(admin).map_err(cannot_start)? })
}
