//! Puts a process together, runs it, and takes it apart.
//!
//! The order: files are loaded and checked; the data directory is locked and the sockets are bound, so that a second
//! process or a port in use is told before anything is changed; the log is replayed; links, clients and the admin
//! socket begin. From then on [`epochs`](super::epochs) sees to it that the process goes with its cluster from epoch to epoch.
#![forbid(unsafe_code)]

use super::admin::{self, Admin};
use super::clients::ClientPort;
use super::config::{Loaded, ReplicaFile};
use super::core::Arrival;
use super::disk::DirDisk;
<<<<<<< HEAD
use super::importer::Importer;
use super::inbox::{Inbox, Lane};
use super::peers::{self, Peers, Setup};
use super::process::told_to_stop;
=======
use super::engine::{Common, Engine, bind_peer, cannot_bind, cannot_start};
use super::epochs::{self, Home, Mark};
use super::inbox::Lane;
>>>>>>> epoch
use super::service::Service;
use super::udp::UdpServer;
use super::{Error, Outbound, tcp};
<<<<<<< HEAD
use crate::answer::{Catalog, Settings};
use crate::ceremony::files::NEVER_RUN;
use crate::consensus;
use crate::dns::Name;
use crate::limits::{MAX_INBOX_BYTES, MAX_INBOX_FRAMES};
use crate::link::Local;
use crate::quorum::ReplicaId;
use crate::replica::{self, Past, Replica};
use crate::storage::{Log, LogError, Opened};
use crate::zone::{Genesis, Reads};
use arc_swap::ArcSwap;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
=======
use crate::answer::Catalog;
use arc_swap::ArcSwap;
>>>>>>> epoch
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::{info, warn};

/// How long tasks may take to end.
const ENDING: Duration = Duration::from_secs(1);

/// The sockets, bound before anything is changed.
struct Sockets {
    peer: TcpListener,
    dns: Vec<TcpListener>,
    admin: UnixListener,
}

/// Where clients and operators come to: the replica of the present epoch.
#[derive(Clone)]
pub(super) struct Doors {
    pub port: Arc<ArcSwap<ClientPort>>,
    pub control: Arc<ArcSwap<Lane<Arrival>>>,
    pub home: Arc<ArcSwap<Home>>,
}

impl Doors {
    fn of(engine: &Engine) -> Self {
        Self {
            port: Arc::new(ArcSwap::from_pointee(engine.port.clone())),
            control: Arc::new(ArcSwap::from_pointee(engine.control.clone())),
            home: Arc::new(ArcSwap::from_pointee(Home::of(engine))),
        }
    }

    /// From now on they come to this one.
    pub fn lead_to(&self, engine: &Engine) {
        self.port.store(Arc::new(engine.port.clone()));
        self.control.store(Arc::new(engine.control.clone()));
        self.home.store(Arc::new(Home::of(engine)));
    }
}

pub(super) fn run(file: ReplicaFile, outbound: Option<Outbound>) -> Result<(), Error> {
    match epochs::mark(&file)? {
        Mark::None => {}
        Mark::Moved => {
            let next = epochs::next_file(&file)?;
            warn!(config = %next.path.display(), "this epoch is over; start the replica with that file from now on");
            return run(next, outbound);
        }
        Mark::Left => {
            let reason = "this replica has left its cluster, and its shares are gone: remove its directory";
            return Err(Error(format!("{}: {reason}", file.data.display())));
        }
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
<<<<<<< HEAD
    let (file, cluster, epoch, key_store) = (loaded.file, loaded.cluster, loaded.epoch, loaded.key_store);
    let consensus = loaded.consensus;
    let (me, committee) = (consensus.me, consensus.committee);
    let (ordered, catalog, settings) = fronts(&loaded.genesis);
    let in_log = |e: LogError| Error(format!("{}: {e}", file.data.display()));
    let ended_by = |end: End| ended(&file, end);
    let (mut log, opened) = Log::open(disk.clone(), cluster, me).map_err(in_log)?;
    let past = past(&file, &consensus, &mut log, opened)?;
    let config = replica::Config {
        consensus,
        secrets: loaded.secrets,
        genesis: loaded.genesis,
        keys: loaded.public_keys,
        holdings: key_store.holdings(),
        signing: loaded.signing,
        entropy: entropy()?,
        patience_ms: file.update_patience_ms,
    };
    let (mut replica, recovered) = Replica::recover(now(), config, past).map_err(|e| Error(e.to_string()))?;
    loaded.receipts.into_iter().for_each(|receipt| replica.hold(receipt));

    let (mut tasks, mut inbox) = (JoinSet::new(), Inbox::new());
    let lanes = peer_lanes(&mut inbox, committee.others(me));
    let incarnation = u64::from_le_bytes(*entropy()?.first_chunk().unwrap_or(&[0; 8]));
    let local = Local { cluster, epoch, me, incarnation };
    let setup =
        Setup { local, tls: loaded.tls, listener: sockets.peer, addresses: file.peers.clone(), lanes };
    let peers: Peers =
        peers::start(setup, &mut tasks).map_err(|e| Error(format!("TLS between replicas: {e}")))?;
    let clients = ClientPort::new(inbox.lane(clients::LANE.0, clients::LANE.1));
    let workers = Workers::start(&key_store, &inbox.lane(workers::LANE_ITEMS, 0)).map_err(cannot_start)?;
    let control = inbox.lane(CONTROL_ITEMS, 0);
    let service = Service::new(catalog.clone(), settings.clone(), clients.clone());
    let hands = Hands {
        me,
        committee,
        peers,
        clients,
        workers,
        keys: key_store.clone(),
        store: Store { disk, cluster, me, lane: inbox.lane(1, 0) },
        catalog: catalog.clone(),
        settings,
        ordered,
        outbound,
    };
    let importer =
        Arc::new(Importer { home: file.directory().to_owned(), dealt: loaded.dealt, me, keys: key_store });
    let mut core = Core::new(replica, log, inbox, hands);
    core.begin(recovered).map_err(ended_by)?;

    let udp = start_udp(&file.dns, &service)?;
    for listener in sockets.dns {
        tasks.spawn(tcp::serve(listener, service.clone()));
    }
    tasks.spawn(admin::serve(sockets.admin, Admin { catalog, core: control.clone(), importer }));
    info!(replica = %me, dns = ?file.dns, peer = %file.peer, "serving");
    let result = work(core, &control).await?.map_err(ended_by);
=======
    let file = loaded.file.clone();
    let origins = loaded.genesis.zones.iter().map(|(rules, _)| rules.origin.clone());
    let catalog = Arc::new(ArcSwap::from_pointee(origins.fold(Catalog::new(), |c, o| c.awaiting(o))));
    let (teller, notices) = mpsc::unbounded_channel();
    let common = Common::new(catalog.clone(), teller);
    let engine = Engine::start(loaded, disk, sockets.peer, &common, outbound)?;
    let doors = Doors::of(&engine);
    let port = doors.port.clone();
    let forward = Arc::new(move |wire, transport, reply| port.load().try_submit(wire, transport, reply));
    let service = Service::with_forward(catalog.clone(), engine.settings.clone(), forward);
    let udp = start_udp(&file.dns, &service)?;
    let mut tasks = JoinSet::new();
    sockets.dns.into_iter().for_each(|listener| {
        tasks.spawn(tcp::serve(listener, service.clone()));
    });
    tasks.spawn(admin::serve(sockets.admin, Admin { catalog, doors: doors.clone() }));
    info!(replica = %file.me, dns = ?file.dns, "serving");
    let ended = epochs::follow(engine, common, notices, &doors).await;
>>>>>>> epoch
    drop(udp);
    tasks.shutdown().await;
    result
}

/// Why the replica came to its end.
fn ended(file: &ReplicaFile, end: End) -> Error {
    match end {
        End::Log(error) => Error(format!("{}: {error}", file.data.display())),
        End::Replica(why) => Error(format!("{}: {why}", file.data.display())),
    }
}

/// What answers queries: the zones with ordered reads, the catalog, and how to answer.
fn fronts(genesis: &Genesis) -> (BTreeSet<Name>, Arc<ArcSwap<Catalog>>, Arc<Settings>) {
    let ordered = genesis.zones.iter().filter(|(rules, _)| rules.reads == Reads::Ordered);
    let ordered = ordered.map(|(rules, _)| rules.origin.clone()).collect();
    let origins = genesis.zones.iter().map(|(rules, _)| rules.origin.clone());
    let catalog = Arc::new(ArcSwap::from_pointee(origins.fold(Catalog::new(), |c, o| c.awaiting(o))));
    (ordered, catalog, Arc::new(Settings { nsid: None, keys: genesis.keys.clone() }))
}

fn bind(file: &ReplicaFile, admin: std::os::unix::net::UnixListener) -> Result<Sockets, Error> {
    let peer = bind_peer(file)?;
    let dns = file.dns.iter().map(|at| tcp::bind(*at).map_err(|e| cannot_bind("DNS over TCP", *at, &e)));
    let dns = dns.collect::<Result<_, _>>()?;
    Ok(Sockets { peer, dns, admin: UnixListener::from_std(admin).map_err(cannot_start)? })
}

fn start_udp(addresses: &[SocketAddr], service: &Service) -> Result<Vec<UdpServer>, Error> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let start = |at: &SocketAddr| UdpServer::start(*at, threads, service);
    addresses.iter().map(|at| start(at).map_err(|e| cannot_bind("DNS over UDP", *at, &e))).collect()
}
