//! The links to the other replicas: connections, TLS and tasks around [`link`](crate::link).
//!
//! A replica dials the peers with higher indices and listens for those with lower ones. A dialler that fails tries
//! again, with pauses that double up to [`LINK_RETRY_MS`] and carry chance. A peer has at most one connection: a new
//! one, once it has shown the peer's key, ends the former and begins when that has delivered what it took. What peers
//! send waits in a bounded lane each; when that is full the connection is not read, and TCP slows the peer down.
#![forbid(unsafe_code)]

mod connection;

use super::config::Tls;
use super::inbox::Lane;
use super::tls::Configs;
use crate::limits::{LINK_HANDSHAKE_MS, LINK_RETRY_MS, MAX_LINK_HANDSHAKES};
use crate::link::{Event, Link, Local};
use crate::quorum::ReplicaId;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};
use tracing::{debug, info, warn};

/// What a link tells the replica.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FromPeer {
    /// The authenticated peer.
    pub from: ReplicaId,
    /// What it is.
    pub event: Event,
}

/// How a link is doing.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct LinkStatus {
    /// The peer.
    pub peer: u8,
    /// Whether it is connected and has greeted.
    pub up: bool,
    /// Messages that wait for its acknowledgement.
    pub waiting: usize,
    /// Connections begun since the start.
    pub connections: u64,
    /// Frames that broke the protocol.
    pub faults: u64,
}

/// The links to all peers. Clones share them.
#[derive(Clone)]
pub struct Peers {
    shared: Arc<Shared>,
}

struct Shared {
    links: BTreeMap<ReplicaId, Arc<Peer>>,
    refused: AtomicU64,
    last_told: Mutex<Option<Instant>>,
}

/// One peer's link, shared by the replica's thread and the tasks.
struct Peer {
    id: ReplicaId,
    link: Mutex<Link>,
    /// There may be something to write.
    written: Notify,
    /// Counts authenticated connections: all but the newest are to end.
    newest: watch::Sender<u64>,
    /// Held by the connection that serves.
    serving: tokio::sync::Mutex<()>,
    connections: AtomicU64,
    faults: AtomicU64,
}

/// What [`start`] needs.
pub struct Setup<T> {
    /// Who we are.
    pub local: Local,
    /// Certificate, key, and the peers' keys.
    pub tls: Tls,
    /// Where peers come in.
    pub listener: TcpListener,
    /// Where the peers are, as `host:port`; those with lower indices need not be there.
    pub addresses: BTreeMap<ReplicaId, String>,
    /// One lane for each peer.
    pub lanes: BTreeMap<ReplicaId, Lane<T>>,
}

/// Starts the tasks that keep the links, on the present tokio runtime. They end when `tasks` is dropped.
pub fn start<T>(setup: Setup<T>, tasks: &mut JoinSet<()>) -> Result<Peers, rustls::Error>
where
    T: From<FromPeer> + Send + 'static,
{
    let Setup { local, tls, listener, addresses, lanes } = setup;
    let tls = Configs::new(&tls, local.me)?;
    let links = lanes.keys().map(|id| (*id, Arc::new(Peer::new(local, *id)))).collect();
    let peers =
        Peers { shared: Arc::new(Shared { links, refused: AtomicU64::new(0), last_told: Mutex::new(None) }) };
    for (id, peer) in peers.shared.links.range(local.me..) {
        let (config, name) = tls.client(*id)?;
        if let (Some(address), Some(lane)) = (addresses.get(id), lanes.get(id)) {
            let connector = TlsConnector::from(config);
            tasks.spawn(dial(peer.clone(), address.clone(), connector, name, lane.clone()));
        }
    }
    tasks.spawn(listen(peers.clone(), listener, tls, lanes));
    Ok(peers)
}

impl Peers {
    /// Queues a message for a peer. Returns `Linked` if the peer's queue was full and has been dropped.
    pub fn send(&self, to: ReplicaId, message: Arc<[u8]>) -> Option<Event> {
        let peer = self.shared.links.get(&to)?;
        let sent = peer.link().send(message);
        peer.written.notify_one();
        sent.unwrap_or_else(|too_long| {
            tracing::error!(peer = %to, bytes = too_long.bytes, "a message over the limit was not sent: please report this");
            None
        })
    }

    /// All links.
    pub fn status(&self) -> Vec<LinkStatus> {
        self.shared.links.values().map(|peer| peer.status()).collect()
    }

    /// Connections refused for their certificate.
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Counts a refused connection, and tells of it at most once a second.
    fn refuse(&self, address: &str, reason: &str) {
        let count = self.shared.refused.fetch_add(1, Ordering::Relaxed) + 1;
        let mut last = self.shared.last_told.lock().unwrap_or_else(|e| e.into_inner());
        if last.is_none_or(|told| told.elapsed() >= Duration::from_secs(1)) {
            *last = Some(Instant::now());
            warn!(%address, %reason, count, "refused a connection at the peers' port");
        }
    }
}

impl Peer {
    fn new(local: Local, id: ReplicaId) -> Self {
        Self {
            id,
            link: Mutex::new(Link::new(local, id)),
            written: Notify::new(),
            newest: watch::Sender::new(0),
            serving: tokio::sync::Mutex::new(()),
            connections: AtomicU64::new(0),
            faults: AtomicU64::new(0),
        }
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn status(&self) -> LinkStatus {
        let link = self.link();
        LinkStatus {
            peer: self.id.get(),
            up: link.is_up(),
            waiting: link.waiting(),
            connections: self.connections.load(Ordering::Relaxed),
            faults: self.faults.load(Ordering::Relaxed),
        }
    }
}

async fn dial<T: From<FromPeer> + Send + 'static>(
    peer: Arc<Peer>,
    address: String,
    connector: TlsConnector,
    name: rustls::pki_types::ServerName<'static>,
    lane: Lane<T>,
) {
    let mut pause = LINK_RETRY_MS / 32;
    let mut told = false;
    loop {
        let connecting = async {
            let stream = TcpStream::connect(&address).await?;
            stream.set_nodelay(true)?;
            connector.connect(name.clone(), stream).await
        };
        let mut was_up = false;
        match timeout(Duration::from_millis(LINK_HANDSHAKE_MS), connecting).await {
            Ok(Ok(stream)) => {
                told = false;
                was_up = connection::serve(&peer, TlsStream::Client(stream), &lane).await;
            }
            Ok(Err(error)) if !told => {
                told = true;
                info!(peer = %peer.id, %address, %error, "cannot reach the peer yet, and go on trying");
            }
            Ok(Err(error)) => debug!(peer = %peer.id, %address, %error, "cannot reach the peer"),
            Err(_) => debug!(peer = %peer.id, %address, "the peer does not answer in time"),
        }
        pause = if was_up { LINK_RETRY_MS / 32 } else { (pause * 2).min(LINK_RETRY_MS) };
        sleep(Duration::from_millis(pause / 2 + chance(pause / 2))).await;
    }
}

async fn listen<T: From<FromPeer> + Send + 'static>(
    peers: Peers,
    listener: TcpListener,
    tls: Configs,
    lanes: BTreeMap<ReplicaId, Lane<T>>,
) {
    let acceptor = TlsAcceptor::from(tls.server.clone());
    let slots = Arc::new(Semaphore::new(MAX_LINK_HANDSHAKES));
    let lanes = Arc::new(lanes);
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, or the like: it passes.
                debug!(%error, "cannot accept a peer's connection");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(slot) = slots.clone().try_acquire_owned() else {
            peers.refuse(&address.to_string(), "too many handshakes at a time");
            continue;
        };
        let (acceptor, tls) = (acceptor.clone(), tls.clone());
        let (peers, lanes) = (peers.clone(), lanes.clone());
        connections.spawn(async move {
            let handshake = timeout(Duration::from_millis(LINK_HANDSHAKE_MS), acceptor.accept(stream)).await;
            let stream = match handshake {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => return peers.refuse(&address.to_string(), &error.to_string()),
                Err(_) => return peers.refuse(&address.to_string(), "no TLS handshake in time"),
            };
            let member = tls.member(stream.get_ref().1.peer_certificates());
            let Some((peer, lane)) =
                member.and_then(|id| Some((peers.shared.links.get(&id)?, lanes.get(&id)?)))
            else {
                return peers.refuse(&address.to_string(), "this replica's own key");
            };
            if stream.get_ref().0.set_nodelay(true).is_err() {
                return;
            }
            drop(slot);
            connection::serve(peer, TlsStream::Server(stream), lane).await;
        });
    }
}

/// A number below `bound`, or 0, that peers do not share: spreads their tries.
fn chance(bound: u64) -> u64 {
    let mut bytes = [0; 8];
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes) % bound.max(1),
        Err(_) => 0,
    }
}
