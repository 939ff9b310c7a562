//! One replica at work: its log, its links, its workers and its thread.
//!
//! A process runs one, and two while it goes from an epoch to the next ([`super::epochs`]): each has its own directory, its own
//! port for peers and its own log; what clients see they share ([`Common`]).
#![forbid(unsafe_code)]

use super::audit::Audit;
use super::clients::{self, ClientPort};
use super::config::{Loaded, ReplicaFile};
use super::contact::Contact;
use super::core::{Arrival, Core, End, Hands, now};
use super::disk::DirDisk;
use super::epochs::Notice;
use super::importer::Importer;
use super::inbox::{Inbox, Lane};
use super::peers::{self, Peers, Setup};
use super::store::Store;
use super::workers::{self, Workers};
use super::{Error, Outbound, tcp};
use crate::answer::{Catalog, Settings};
use crate::ceremony::cluster::Cluster;
use crate::ceremony::files::NEVER_RUN;
use crate::codec::{ClusterId, Epoch};
use crate::consensus;
use crate::dns::name::Name;
use crate::dns::tsig::Keyring;
use crate::limits::{MAX_INBOX_BYTES, MAX_INBOX_FRAMES};
use crate::link::Local;
use crate::quorum::ReplicaId;
use crate::replica::{self, Past, Replica};
use crate::storage::{Log, LogError, Opened};
use crate::zone::{Reads, View};
use arc_swap::ArcSwap;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tracing::{info, warn};

/// Requests for the core from the admin socket and the signals that may wait.
const CONTROL_ITEMS: usize = 64;

/// What the replicas of a process share.
#[derive(Clone)]
pub(super) struct Common {
    pub catalog: Arc<ArcSwap<Catalog>>,
    pub settings: Arc<ArcSwap<Settings>>,
    newest: Arc<Mutex<Newest>>,
    pub notices: mpsc::UnboundedSender<Notice>,
}

/// What of several epochs counts.
#[derive(Default)]
struct Newest {
    /// Which epoch's replica has published or withdrawn each zone: an older one's versions come too late.
    published: BTreeMap<Name, Epoch>,
    /// The newest epoch that has begun, and its zones whose queries go through the order.
    reads: Option<(Epoch, BTreeSet<Name>)>,
}

impl Common {
    pub fn new(
        catalog: Arc<ArcSwap<Catalog>>,
        settings: Arc<ArcSwap<Settings>>,
        notices: mpsc::UnboundedSender<Notice>,
    ) -> Self {
        Self { catalog, settings, newest: Arc::default(), notices }
    }

    /// Answers from this version from now on.
    pub fn publish(&self, epoch: Epoch, zone: &Name, view: Arc<View>, ordered: bool) {
        let mut newest = self.newest.lock().unwrap_or_else(|e| e.into_inner());
        let later = newest.reads.as_ref().filter(|(begun, _)| *begun > epoch);
        let ordered = later.map_or(ordered, |(_, zones)| zones.contains(zone));
        let last = newest.published.entry(zone.clone()).or_insert(epoch);
        if *last <= epoch {
            *last = epoch;
            info!(%zone, serial = view.serial(), "a new version is served");
            self.catalog.store(Arc::new(put(&self.catalog.load(), view, ordered)));
        }
    }

    /// The zone is there no more: what is asked of it is refused, or the zone above answers.
    pub fn withdraw(&self, epoch: Epoch, zone: &Name) {
        let mut newest = self.newest.lock().unwrap_or_else(|e| e.into_inner());
        let of_later = newest.published.get(zone).is_some_and(|last| *last > epoch);
        let has_later = newest.reads.as_ref().is_some_and(|(begun, _)| *begun > epoch);
        if of_later || has_later {
            return;
        }
        // An older epoch's replica may not bring it back, late.
        newest.published.insert(zone.clone(), epoch);
        let catalog = self.catalog.load();
        if catalog.has(zone) {
            info!(%zone, "the zone is served no more");
            self.catalog.store(Arc::new(catalog.without(zone)));
        }
    }

    /// From now on queries are answered as this epoch says, also from versions of the epoch before.
    pub fn begun(&self, epoch: Epoch, ordered: &BTreeSet<Name>) {
        let mut newest = self.newest.lock().unwrap_or_else(|e| e.into_inner());
        if newest.reads.as_ref().is_some_and(|(begun, _)| *begun > epoch) {
            return;
        }
        newest.reads = Some((epoch, ordered.clone()));
        let catalog = self.catalog.load();
        let again = |all: Catalog, view: &Arc<View>| {
            let ordered = ordered.contains(view.origin());
            put(&all, view.clone(), ordered)
        };
        self.catalog.store(Arc::new(catalog.views().fold(Catalog::clone(&catalog), again)));
    }
}

fn put(catalog: &Catalog, view: Arc<View>, ordered: bool) -> Catalog {
    match view.is_catalog() {
        true => catalog.with_closed(view),
        false => catalog.with(view, ordered),
    }
}

/// A replica at work.
pub(super) struct Engine {
    pub file: ReplicaFile,
    pub cluster: Arc<Cluster>,
    pub port: ClientPort,
    pub control: Lane<Arrival>,
    /// The keys of its clients.
    pub keyring: Arc<Keyring>,
    pub importer: Arc<Importer>,
    /// The cluster that goes on, once its epoch has ended.
    pub successor: Option<ClusterId>,
    /// Its thread's end, until that has been heard.
    ended: Option<oneshot::Receiver<Result<(), End>>>,
    tasks: JoinSet<()>,
}

impl Engine {
    /// Replays the log and begins: links first, then the thread.
    pub fn start(
        loaded: Loaded,
        disk: DirDisk,
        peer: TcpListener,
        common: &Common,
        outbound: Option<Outbound>,
    ) -> Result<Self, Error> {
        let Loaded { file, cluster, predecessor, consensus, secrets, genesis, .. } = loaded;
        let (signing, keys, key_store, tls) =
            (loaded.signing, loaded.public_keys, loaded.key_store, loaded.tls);
        let (me, committee) = (consensus.me, consensus.committee);
        let (id, epoch) = (consensus.cluster, consensus.epoch);
        let ordered = genesis.zones.iter().filter(|(rules, _)| rules.reads == Reads::Ordered);
        let ordered = ordered.map(|(rules, _)| rules.origin.clone()).collect();
        let keyring = genesis.keys.clone();
        let in_log = |e: LogError| Error(format!("{}: {e}", file.data.display()));
        let (mut log, opened) = Log::open(disk.clone(), id, me).map_err(in_log)?;
        let past = past(&file, &consensus, &mut log, opened)?;
        let config = replica::Config {
            consensus,
            secrets,
            genesis,
            keys,
            holdings: key_store.holdings(),
            signing,
            entropy: entropy()?,
            patience_ms: file.update_patience_ms,
            predecessor,
        };
        let (mut replica, recovered) =
            Replica::recover(now(), config, past).map_err(|e| Error(e.to_string()))?;
        loaded.receipts.into_iter().for_each(|receipt| replica.hold(receipt));

        let audit = Audit::open(&file.data);
        let audit = audit.map_err(|e| Error(format!("{}: the audit: {e}", file.data.display())))?;
        let mut inbox = Inbox::new();
        let (mut tasks, lanes) = (JoinSet::new(), peer_lanes(&mut inbox, committee.others(me)));
        let incarnation = u64::from_le_bytes(*entropy()?.first_chunk().unwrap_or(&[0; 8]));
        let local = Local { cluster: id, epoch, me, incarnation };
        let setup = Setup { local, tls, listener: peer, addresses: file.peers.clone(), lanes };
        let peers: Peers =
            peers::start(setup, &mut tasks).map_err(|e| Error(format!("TLS between replicas: {e}")))?;
        let port = ClientPort::new(inbox.lane(clients::LANE.0, clients::LANE.1), common.settings.clone());
        let workers =
            Workers::start(&key_store, &inbox.lane(workers::LANE_ITEMS, 0)).map_err(cannot_start)?;
        let control = inbox.lane(CONTROL_ITEMS, 0);
        let hands = Hands {
            me,
            epoch,
            committee,
            peers,
            clients: port.clone(),
            workers,
            keys: key_store.clone(),
            data: file.data.clone(),
            audit,
            store: Store { disk, cluster: id, me, lane: inbox.lane(1, 0) },
            common: common.clone(),
            ordered,
            outbound,
            contact: Contact::new(file.front.stale_after),
        };
        let (home, dealt) = (file.directory().to_owned(), cluster.clone());
        let importer = Arc::new(Importer { home, dealt, me, keys: key_store });
        let mut core = Core::new(replica, log, inbox, hands);
        core.begin(recovered).map_err(|end| end.told(&file.data))?;
        let ended = run(core)?;
        info!(replica = %me, epoch = epoch.0, peer = %file.peer, "working");
        let (successor, ended) = (None, Some(ended));
        Ok(Self { file, cluster, port, control, keyring, importer, successor, ended, tasks })
    }

    /// How its thread ended, once it has: told once.
    pub fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        let Some(ended) = &mut self.ended else { return Poll::Pending };
        let ended = std::task::ready!(Future::poll(Pin::new(ended), context));
        self.ended = None;
        Poll::Ready(ended.unwrap_or(Ok(())))
    }

    /// Ends, cleanly.
    pub async fn stop(mut self) -> Result<(), Error> {
        // A core that is gone has told its reason.
        let _ = self.control.put(Arrival::Stop, 0).await;
        let ended = match self.ended.take() {
            Some(ended) => ended.await.unwrap_or(Ok(())),
            None => Ok(()),
        };
        self.tasks.shutdown().await;
        ended.map_err(|end| end.told(&self.file.data))
    }
}

/// Runs the core on a thread of its own until it is told to stop, or the log fails.
fn run(core: Core<DirDisk>) -> Result<oneshot::Receiver<Result<(), End>>, Error> {
    let (told, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name("replica".into())
        .spawn(move || {
            // Nobody listens only when the process ends anyway.
            let _ = told.send(core.run());
        })
        .map_err(cannot_start)?;
    Ok(ended)
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

/// Binds the port for peers.
pub(super) fn bind_peer(file: &ReplicaFile) -> Result<TcpListener, Error> {
    tcp::bind(file.peer).map_err(|e| cannot_bind("peers", file.peer, &e))
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
