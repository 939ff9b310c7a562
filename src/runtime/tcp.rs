//! DNS over TCP (RFC 7766): messages behind their length, any number on a connection, answered as they are ready.
//!
//! One task a connection reads and writes at once. Each message first takes a place among
//! [`MAX_TCP_PIPELINE`] and keeps it until its answer is written, so that a client which does not read is not read
//! either. A zone transfer is many messages ([`super::transfer`]), before what was asked behind it. An update or an ordered query waits for the replica without holding up what comes behind it (§7).
//! A connection ends when it was idle too long, which is sooner when many are open (§6.2.3), and at the first
//! write error; a peer that has closed its sending side still gets the answers that it waits for.
#![forbid(unsafe_code)]

use super::clients::OnReply;
use super::service::{Service, not_taken, now_secs};
use crate::answer::{Reply, Request, Transport, respond, transfer};
use crate::limits::{CLIENT_PATIENCE_MS, MAX_TCP_CLIENTS, MAX_TCP_PIPELINE, TCP_IDLE_MS};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Connections that may wait in the kernel to be taken.
const BACKLOG: i32 = 1024;
/// Octets of a message that are not a header yet: such a peer does not speak DNS.
const HEADER: usize = 12;
/// Octets of answers that are gathered for one write.
const GATHER: usize = 64 * 1024;

// An update's answer comes before its connection counts as idle.
const _: () = assert!(CLIENT_PATIENCE_MS < TCP_IDLE_MS);

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

/// Serves `listener` until dropped, which ends its connections.
pub async fn serve(listener: TcpListener, service: Service) {
    let places = Arc::new(Semaphore::new(MAX_TCP_CLIENTS));
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = match listener.accept().await {
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
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let (service, places) = (service.clone(), places.clone());
        connections.spawn(async move {
            let _place = place;
            // Small answers are not to wait for an acknowledgement; without the option they do, that is all.
            let _ = stream.set_nodelay(true);
            let (read, write) = stream.into_split();
            connection(read, write, &service, &places, (peer.ip(), Duration::from_millis(TCP_IDLE_MS))).await;
        });
    }
}

/// Serves one peer; `idle`: how long it may be silent, or not read.
async fn connection(
    read: impl AsyncRead + Unpin,
    write: impl AsyncWrite + Unpin,
    service: &Service,
    places: &Semaphore,
    (address, idle): (IpAddr, Duration),
) {
    let (answers, queue) = mpsc::channel(MAX_TCP_PIPELINE);
    let mut writing = std::pin::pin!(write_all(write, queue, idle));
    tokio::select! {
        () = writing.as_mut() => {}
        // The sender is gone with the reader; replies still awaited keep the queue open.
        () = read_all(read, service, places, answers, (address, idle)) => {
            let _ = timeout(Duration::from_millis(CLIENT_PATIENCE_MS + 1_000), writing).await;
        }
    }
}

/// How long a connection may be silent now.
fn patience(places: &Semaphore, idle: Duration) -> Duration {
    let crowded = places.available_permits() < MAX_TCP_CLIENTS / 2;
    if crowded { idle / 10 } else { idle }
}

async fn read_all(
    mut read: impl AsyncRead + Unpin,
    service: &Service,
    places: &Semaphore,
    answers: mpsc::Sender<Vec<u8>>,
    (address, idle): (IpAddr, Duration),
) {
    let mut wire = Vec::new();
    // No place: the writer has ended.
    while let Ok(place) = answers.clone().reserve_owned().await {
        match timeout(patience(places, idle), read_message(&mut read, &mut wire)).await {
            Ok(Ok(())) if wire.len() >= HEADER => {}
            _ => return, // Idle, closed, broken, or not DNS.
        }
        if transfer::is_asked(&wire) {
            drop(place);
            match service.transfers.answer(&service.catalog, &wire, address, &answers).await {
                Ok(()) => continue,
                Err(()) => return,
            }
        }
        let mut out = Vec::new();
        let request = Request { wire: &wire, transport: Transport::Tcp, now_secs: now_secs() };
        match respond(&service.catalog.load(), &service.settings, request, &mut out) {
            Reply::Send => drop(place.send(out)),
            Reply::Ignore => {}
            Reply::Forward => {
                let reply: OnReply = Box::new(move |reply| {
                    if let Some(reply) = reply {
                        place.send(reply);
                    }
                });
                if (service.forward)(wire.clone(), Transport::Tcp, reply).is_err() {
                    not_taken(&wire, &mut out);
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
async fn write_all(mut write: impl AsyncWrite + Unpin, mut queue: mpsc::Receiver<Vec<u8>>, idle: Duration) {
    let mut bytes = Vec::new();
    while let Some(answer) = queue.recv().await {
        bytes.clear();
        append(&mut bytes, &answer);
        while bytes.len() < GATHER {
            let Ok(answer) = queue.try_recv() else { break };
            append(&mut bytes, &answer);
        }
        match timeout(idle, write.write_all(&bytes)).await {
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
