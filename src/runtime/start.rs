//! Puts a replica together, runs it, and takes it apart.
//!
//! The order: files are loaded and checked; the data directory is locked and the sockets are bound, so that a second
//! process or a port in use is told before anything is changed; the log is replayed; links, clients and the admin
//! socket begin.
#![forbid(unsafe_code)]

use super::admin::{self, Admin};
use super::clients::{self, ClientPort};
use super::config::{Loaded, ReplicaFile};
use super::core::{Arrival, Core, End, Hands, now};
use super::disk::DirDisk;
use super::front::{Front, Listeners};
use super::inbox::{Inbox, Lane};
use super::peers::{self, Peers, Setup};
use super::process::told_to_stop;
use super::service::Service;
use super::store::Store;
use super::workers::{self, Workers};
use super::{Error, Outbound, tcp};
use crate::answer::Catalog;
use crate::ceremony::files::NEVER_RUN;
use crate::consensus;
use crate::limits::{MAX_INBOX_BYTES, MAX_INBOX_FRAMES};
use crate::link::Local;
use crate::quorum::ReplicaId;
use crate::replica::{self, Past, Replica};
use crate::storage::{Log, LogError, Opened};
use crate::zone::{Genesis, Reads};
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tracing::{info, warn};

/// Requests for the core from the admin socket and the signals that may wait.
const CONTROL_ITEMS: usize = 64;
/// How long tasks may take to end.
const ENDING: Duration = Duration::from_secs(1);

/// The sockets, bound before anything is changed.
struct Sockets {
    peer: TcpListener,
    dns: Listeners,
    admin: UnixListener,
}

pub(super) fn run(file: ReplicaFile, outbound: Option<Outbound>) -> Result<(), Error> {
    let loaded = file.load().map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Error(lines.join("\n"))
    })?;
    loaded.warnings.iter().for_each(|warning| warn!("{warning}"));
    loaded.begin().map_err(|problem| Error(problem.to_string()))?;
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

/// All zones, none of them signed yet.
fn awaiting(genesis: &Genesis) -> Catalog {
    let origins = genesis.zones.iter().map(|(rules, _)| rules.origin.clone());
    origins.fold(Catalog::new(), |catalog, origin| catalog.awaiting(origin))
}

async fn serve(
    loaded: Loaded,
    outbound: Option<Outbound>,
    disk: DirDisk,
    admin: std::os::unix::net::UnixListener,
) -> Result<(), Error> {
    let sockets = bind(&loaded.file, admin)?;
    let Loaded { file, cluster, epoch, consensus, secrets, genesis, key_store, .. } = loaded;
    let (me, committee) = (consensus.me, consensus.committee);
    let ordered = genesis.zones.iter().filter(|(rules, _)| rules.reads == Reads::Ordered);
    let ordered = ordered.map(|(rules, _)| rules.origin.clone()).collect();
    let catalog = Arc::new(ArcSwap::from_pointee(awaiting(&genesis)));
    let front = Front::new(&file.front, loaded.front, genesis.keys.clone())?;
    let settings = front.settings.clone();
    let in_log = |e: LogError| Error(format!("{}: {e}", file.data.display()));
    let ended_by = |end: End| match end {
        End::Log(error) => in_log(error),
        End::Replica(why) => Error(format!("{}: {why}", file.data.display())),
    };

    let (mut log, opened) = Log::open(disk.clone(), cluster, me).map_err(in_log)?;
    let past = past(&file, &consensus, &mut log, opened)?;
    let config = replica::Config {
        consensus,
        secrets,
        genesis,
        keys: loaded.public_keys,
        holdings: key_store.holdings(),
        signing: loaded.signing,
        entropy: entropy()?,
        patience_ms: file.update_patience_ms,
    };
    let (replica, recovered) = Replica::recover(now(), config, past).map_err(|e| Error(e.to_string()))?;

    let mut inbox = Inbox::new();
    let (mut tasks, lanes) = (JoinSet::new(), peer_lanes(&mut inbox, committee.others(me)));
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
        store: Store { disk, cluster, me, lane: inbox.lane(1, 0) },
        catalog: catalog.clone(),
        settings,
        ordered,
        outbound,
    };
    let mut core = Core::new(replica, log, inbox, hands);
    core.begin(recovered).map_err(ended_by)?;

    let udp = front.serve(sockets.dns, &file.dns, service, &mut tasks)?;
    tasks.spawn(admin::serve(sockets.admin, Admin { catalog, core: control.clone() }));
    info!(replica = %me, dns = ?file.dns, peer = %file.peer, "serving");
    let ended = work(core, &control).await?.map_err(ended_by);
    drop(udp);
    tasks.shutdown().await;
    ended
}

/// Runs the core on a thread of its own until a signal comes, or the log fails.
async fn work(core: Core<DirDisk>, control: &Lane<Arrival>) -> Result<Result<(), End>, Error> {
    let (told, mut ended) = oneshot::channel();
    std::thread::Builder::new()
        .name("replica".into())
        .spawn(move || {
            // Nobody listens only when the process ends anyway.
            let _ = told.send(core.run());
        })
        .map_err(cannot_start)?;
    tokio::select! {
        stop = told_to_stop() => {
            stop.map_err(cannot_start)?;
            info!("stopping");
            // A core that is gone has told its reason.
            let _ = control.put(Arrival::Stop, 0).await;
            Ok(ended.await.unwrap_or(Ok(())))
        }
        ended = &mut ended => Ok(ended.unwrap_or(Ok(()))),
    }
}

/// What the replica starts from.
fn past(
    file: &ReplicaFile,
    consensus: &consensus::Config,
    log: &mut Log<DirDisk>,
    opened: Opened,
) -> Result<Past, Error> {
    if let Some(torn) = log.torn_tail() {
        warn!(file = torn.file, offset = torn.offset, bytes = torn.bytes, "cut off what was never synced");
    }
    let Opened { snapshot, mut records } = opened;
    records.extend(first_start(file, consensus, log)?);
    let checkpoint = snapshot.map(|snapshot| (snapshot.records, snapshot.bytes));
    let stored = checkpoint.as_ref().map_or(0, |(_, bytes)| *bytes);
    info!(replica = %consensus.me, records = records.len(), checkpoint_bytes = stored, "replaying the log");
    Ok(Past { checkpoint, records })
}

/// What the log of a replica that has never run begins with. An empty log without the mark of such a replica is a lost one.
fn first_start(
    file: &ReplicaFile,
    consensus: &consensus::Config,
    log: &mut Log<DirDisk>,
) -> Result<Option<Vec<u8>>, Error> {
    let (home, data) = (file.path.parent().unwrap_or(Path::new(".")), file.data.display());
    let mark = home.join(NEVER_RUN);
    let is_empty = log.end().records() == 0;
    if mark.exists() {
        let first = is_empty.then(|| Replica::first_record(consensus));
        let written = first.iter().try_for_each(|first| log.append(first).and_then(|_| log.sync()).map(drop));
        written.map_err(|e| Error(format!("{data}: {e}")))?;
        // Before anything is said: who finds an empty log from now on has lost it.
        let removed = std::fs::remove_file(&mark).and_then(|()| std::fs::File::open(home)?.sync_all());
        let cannot =
            |e| Error(format!("{}: cannot be removed: {e}: make the directory writable", mark.display()));
        removed.map_err(cannot)?;
        return Ok(first);
    }
    let n = consensus.committee.n();
    if is_empty && consensus.committee.faults() == 0 {
        return Err(Error(format!(
            "{data}: the log is gone, and a cluster of {n} cannot do without any: bring it back from a backup, or deal anew"
        )));
    }
    if is_empty {
        warn!(
            "the log is gone: no vertices are made until the others have told where this replica may resume"
        );
    }
    Ok(None)
}

fn bind(file: &ReplicaFile, admin: std::os::unix::net::UnixListener) -> Result<Sockets, Error> {
    let peer = tcp::bind(file.peer).map_err(|e| cannot_bind("peers", file.peer, &e))?;
    Ok(Sockets {
        peer,
        dns: Listeners::bind(file)?,
        admin: UnixListener::from_std(admin).map_err(cannot_start)?,
    })
}

fn peer_lanes(
    inbox: &mut Inbox<Arrival>,
    others: impl Iterator<Item = ReplicaId>,
) -> BTreeMap<ReplicaId, Lane<Arrival>> {
    others.map(|peer| (peer, inbox.lane(MAX_INBOX_FRAMES, MAX_INBOX_BYTES))).collect()
}

pub(super) fn entropy() -> Result<[u8; 32], Error> {
    let mut entropy = [0; 32];
    aws_lc_rs::rand::fill(&mut entropy)
        .map_err(|_| Error("the operating system gives no randomness: start again when it does".into()))?;
    Ok(entropy)
}

pub(super) fn cannot_bind(what: &str, address: SocketAddr, error: &io::Error) -> Error {
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another process has the port: stop it, or choose another in replica.toml"
        }
        io::ErrorKind::AddrNotAvailable => "this machine has no such address: correct it in replica.toml",
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need CAP_NET_BIND_SERVICE: grant it, or choose another"
        }
        _ => "correct the address in replica.toml",
    };
    Error(format!("{address}: cannot listen for {what}: {error}: {remedy}"))
}

pub(super) fn cannot_start(error: io::Error) -> Error {
    Error(format!("the operating system refuses threads or descriptors: {error}: raise its limits"))
}
