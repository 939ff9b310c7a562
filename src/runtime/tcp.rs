//! DNS over TCP (RFC 7766) and, under TLS, RFC 7858 (and the way in to [`super::doh`], RFC 8484): messages behind their length, any number on a connection, answered as
//! they are ready.
//!
//! One task a connection reads and writes at once. Each message first takes a place among
//! [`MAX_TCP_PIPELINE`] and keeps it until its answer is written, so that a client which does not read is not read
//! either. A zone transfer is many messages ([`super::transfer`]), before what was asked behind it. An update or an ordered
//! query waits for the replica without holding up what comes behind it (§7).
//! A connection needs a place of its client's ([`super::places`]). It ends when it was idle too long, which is sooner when
//! many are open (§6.2.3), as RFC 7828's option tells who asks, and at the first write error; a peer that has closed its
//! sending side still gets the answers that it waits for.
#![forbid(unsafe_code)]

use super::clients::OnReply;
use super::doh;
use super::ending::Ending;
use super::places::Places;
use super::service::{Service, not_taken, now_secs};
use crate::answer::{Client, Reply, Request, Transport, respond, transfer};
use crate::limits::{MAX_TCP_PIPELINE, TLS_HANDSHAKE_MS};
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// Connections that may wait in the kernel to be taken.
const BACKLOG: i32 = 1024;
/// Octets of a message that are not a header yet: such a peer does not speak DNS.
const HEADER: usize = 12;
/// Octets of answers that are gathered for one write.
const GATHER: usize = 64 * 1024;

/// Binds `address` (port 0: any). To be called inside a tokio runtime.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Connections of a process that has ended must not keep the next one from its port.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// The server's side of TLS, as it is at each new connection.
pub type Guard = Arc<ArcSwap<ServerConfig>>;

/// What is spoken on a connection.
#[derive(Clone)]
pub enum Door {
    /// DNS, in the clear.
    Plain,
    /// DNS under TLS.
    Tls(Guard),
    /// HTTP/2 under TLS, and DNS at this path.
    Https(Guard, Arc<str>),
}

/// Serves `listener` until told to end, or dropped, which ends its connections.
pub async fn serve(listener: TcpListener, service: Service, places: Places, door: Door, mut ending: Ending) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ending.told() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: wait for some to be free.
                tracing::warn!(%error, "cannot accept a client's connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        // More than can be served are closed at once: the client may go to another replica.
        let Some(place) = places.take(peer.ip()) else { continue };
        let visit = Visit { service: service.clone(), places: places.clone(), ending: ending.clone() };
        let door = door.clone();
        connections.spawn(async move {
            let _place = place;
            // Small answers are not to wait for an acknowledgement; without the option they do, that is all.
            let _ = stream.set_nodelay(true);
            visit.receive(stream, peer.ip(), door).await;
        });
    }
    while connections.join_next().await.is_some() {}
}

/// What a connection needs.
struct Visit {
    service: Service,
    places: Places,
    ending: Ending,
}

impl Visit {
    async fn receive(self, stream: TcpStream, address: IpAddr, door: Door) {
        let (Door::Tls(guard) | Door::Https(guard, _)) = &door else {
            let (read, write) = stream.into_split();
            return connection(read, write, self, (address, Transport::Tcp)).await;
        };
        let shaking = TlsAcceptor::from(guard.load_full()).accept(stream);
        let shaken = timeout(Duration::from_millis(TLS_HANDSHAKE_MS), shaking).await;
        let Ok(Ok(stream)) = shaken else { return };
        if let Door::Https(_, path) = &door {
            return doh::connection(stream, (&self.service, &self.places), path, address, self.ending).await;
        }
        let (read, write) = tokio::io::split(stream);
        connection(read, write, self, (address, Transport::Tls)).await;
    }
}

/// Serves one peer.
async fn connection(
    read: impl AsyncRead + Unpin,
    write: impl AsyncWrite + Unpin,
    visit: Visit,
    peer: (IpAddr, Transport),
) {
    let Visit { service, places, mut ending } = visit;
    let (answers, queue) = mpsc::channel(MAX_TCP_PIPELINE);
    let mut writing = std::pin::pin!(write_all(write, queue, &places));
    let reading = async {
        tokio::select! {
            () = read_all(read, &service, &places, answers, peer) => {}
            () = ending.told() => {}
        }
    };
    tokio::select! {
        () = writing.as_mut() => {}
        // The sender is gone with the reader; replies still awaited keep the queue open.
        () = reading => drop(timeout(service.last_answers(), writing).await),
    }
}

async fn read_all(
    mut read: impl AsyncRead + Unpin,
    service: &Service,
    places: &Places,
    answers: mpsc::Sender<Vec<u8>>,
    (address, transport): (IpAddr, Transport),
) {
    let mut wire = Vec::new();
    // No place: the writer has ended.
    while let Ok(place) = answers.clone().reserve_owned().await {
        match timeout(places.idle(), read_message(&mut read, &mut wire)).await {
            Ok(Ok(())) if wire.len() >= HEADER => {}
            _ => return, // Idle, closed, broken, or not DNS.
        }
        if transfer::is_asked(&wire) {
            drop(place);
            match service.transfer(&wire, address, &answers).await {
                Ok(()) => continue,
                Err(()) => return,
            }
        }
        let mut out = Vec::new();
        let idle_ds = u16::try_from(places.idle().as_millis() / 100).unwrap_or(u16::MAX);
        let client = Client { address, transport, idle_ds: Some(idle_ds) };
        let request = Request { wire: &wire, client, now_secs: now_secs() };
        match respond(&service.catalog.load(), &service.settings.load(), request, &mut out) {
            Reply::Send(_) => drop(place.send(out)),
            Reply::Ignore => {}
            Reply::Forward(_) => {
                let reply: OnReply = Box::new(move |reply| {
                    if let Some(reply) = reply {
                        place.send(reply);
                    }
                });
                if (service.forward)(wire.clone(), client, reply).is_err() {
                    not_taken(&service.settings.load(), request, &mut out);
                    if answers.send(out).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

async fn read_message(read: &mut (impl AsyncRead + Unpin), wire: &mut Vec<u8>) -> io::Result<()> {
    let length = read.read_u16().await?;
    wire.resize(usize::from(length), 0);
    read.read_exact(wire).await.map(drop)
}

/// Writes answers as they come, all that are ready in one go.
async fn write_all(mut write: impl AsyncWrite + Unpin, mut queue: mpsc::Receiver<Vec<u8>>, places: &Places) {
    let mut bytes = Vec::new();
    while let Some(answer) = queue.recv().await {
        bytes.clear();
        append(&mut bytes, &answer);
        while bytes.len() < GATHER {
            let Ok(answer) = queue.try_recv() else { break };
            append(&mut bytes, &answer);
        }
        let sent = async {
            write.write_all(&bytes).await?;
            write.flush().await
        };
        match timeout(places.idle(), sent).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
    // Nobody is left to be told of a failure.
    let _ = write.shutdown().await;
}

fn append(bytes: &mut Vec<u8>, answer: &[u8]) {
    // Nothing here makes an answer that a length cannot express; one from elsewhere is not sent at all.
    let Ok(length) = u16::try_from(answer.len()) else { return };
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(answer);
}

#[cfg(test)]
mod tests;
