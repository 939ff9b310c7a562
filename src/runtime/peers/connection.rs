//! One authenticated connection to a peer, from the first frame to its end.

use super::{FromPeer, Peer};
use crate::limits::{LINK_KEEP_ALIVE_MS, LINK_SILENCE_MS, MAX_FRAME_BYTES};
use crate::link::{Event, Refusal};
use crate::runtime::inbox::Lane;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsStream;
use tracing::{info, warn};

/// Bytes of frames gathered for one write.
const WRITE_BYTES: usize = 64 * 1024;
/// Bytes asked for in one read.
const READ_BYTES: usize = 64 * 1024;
/// The pause after a peer broke the protocol, before it may connect again.
const PENALTY: Duration = Duration::from_secs(1);

/// Why a connection ended.
enum End {
    Io(io::Error),
    Refused(Refusal),
    Replaced,
    Stopping,
}

/// Serves a connection that has shown the peer's key, until it ends. Whether the peer has greeted well.
pub(super) async fn serve<T>(peer: &Arc<Peer>, stream: TlsStream<TcpStream>, lane: &Lane<T>) -> bool
where
    T: From<FromPeer> + Send + 'static,
{
    let mut newest = peer.newest.subscribe();
    let mut mine = 0;
    peer.newest.send_modify(|number| {
        *number += 1;
        mine = *number;
    });
    let _serving = tokio::select! {
        biased;
        _ = newest.wait_for(|number| *number != mine) => return false,
        serving = peer.serving.lock() => serving,
    };
    peer.connections.fetch_add(1, Ordering::Relaxed);
    peer.link().connected();
    let (reader, writer) = tokio::io::split(stream);
    let mut writing = tokio::spawn(write(peer.clone(), writer));
    let end = read(peer, reader, lane, &mut writing, newest, mine).await;
    if !writing.is_finished() {
        // Awaited, so that it takes nothing from the link that belongs to the next connection.
        writing.abort();
        let _ = writing.await;
    }
    let was_up = peer.link().is_up();
    peer.link().disconnected();
    match end {
        End::Refused(Refusal::Malformed(why)) => {
            peer.faults.fetch_add(1, Ordering::Relaxed);
            warn!(peer = %peer.id, %why, "the peer broke the protocol; the connection is cut");
            sleep(PENALTY).await;
        }
        End::Refused(refusal) => {
            warn!(peer = %peer.id, "the peer does not fit: {refusal}");
            sleep(PENALTY).await;
        }
        End::Io(error) if was_up => info!(peer = %peer.id, %error, "the connection to the peer has ended"),
        End::Io(_) | End::Replaced | End::Stopping => {}
    }
    was_up
}

/// Reads until the connection ends. What the link has taken is delivered before this returns.
async fn read<T: From<FromPeer>>(
    peer: &Peer,
    mut reader: ReadHalf<TlsStream<TcpStream>>,
    lane: &Lane<T>,
    writing: &mut JoinHandle<io::Error>,
    mut newest: watch::Receiver<u64>,
    mine: u64,
) -> End {
    let mut buffer = Vec::new();
    loop {
        let count = tokio::select! {
            biased;
            _ = newest.wait_for(|number| *number != mine) => return End::Replaced,
            error = &mut *writing => return End::Io(error.unwrap_or_else(io::Error::other)),
            count = fill(&mut reader, &mut buffer) => count,
        };
        if let Err(error) = count {
            return End::Io(error);
        }
        let mut taken = 0;
        loop {
            let frame = match next_frame(&buffer[taken..]) {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(refusal) => return End::Refused(refusal),
            };
            taken += 4 + frame.len();
            if let Err(end) = take(peer, frame, lane).await {
                return end;
            }
        }
        buffer.drain(..taken);
        // An acknowledgement is due.
        if taken > 0 {
            peer.written.notify_one();
        }
    }
}

async fn take<T: From<FromPeer>>(peer: &Peer, frame: &[u8], lane: &Lane<T>) -> Result<(), End> {
    let was_up = peer.link().is_up();
    let events = peer.link().received(frame).map_err(End::Refused)?;
    if !was_up && peer.link().is_up() {
        info!(peer = %peer.id, "the peer is connected");
    }
    for event in events {
        let bytes = match &event {
            Event::Deliver(message) => message.len(),
            Event::Linked => 0,
        };
        lane.put(FromPeer { from: peer.id, event }.into(), bytes).await.map_err(|_| End::Stopping)?;
    }
    Ok(())
}

/// The first whole frame of `bytes`, without its length.
fn next_frame(bytes: &[u8]) -> Result<Option<&[u8]>, Refusal> {
    let Some(length) = bytes.first_chunk() else { return Ok(None) };
    let length = u32::from_be_bytes(*length) as usize;
    if length > MAX_FRAME_BYTES {
        return Err(Refusal::Malformed("a frame over the limit"));
    }
    Ok(bytes[4..].get(..length))
}

/// Reads some more. The buffer never holds more than one frame and one read.
async fn fill(reader: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> io::Result<()> {
    buffer.reserve(READ_BYTES);
    match timeout(Duration::from_millis(LINK_SILENCE_MS), reader.read_buf(buffer)).await {
        Ok(Ok(0)) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed by the peer")),
        Ok(Ok(_)) => Ok(()),
        // A process that is killed says no TLS good-bye; whether frames are whole is seen from their lengths.
        Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(io::Error::new(error.kind(), "closed by the peer"))
        }
        Ok(Err(error)) => Err(error),
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "nothing heard in time")),
    }
}

/// Writes what the link has, until that fails.
async fn write(peer: Arc<Peer>, mut writer: WriteHalf<TlsStream<TcpStream>>) -> io::Error {
    loop {
        let mut batch = gather(&peer);
        if batch.is_empty() {
            let idle = timeout(Duration::from_millis(LINK_KEEP_ALIVE_MS), peer.written.notified()).await;
            if idle.is_ok() {
                continue;
            }
            if let Some(frame) = peer.link().keep_alive() {
                push(&mut batch, &frame);
            }
        }
        if let Err(error) = write_all(&mut writer, &batch).await {
            return error;
        }
    }
}

async fn write_all(writer: &mut (impl AsyncWrite + Unpin), batch: &[u8]) -> io::Result<()> {
    writer.write_all(batch).await?;
    writer.flush().await
}

fn gather(peer: &Peer) -> Vec<u8> {
    let mut batch = Vec::new();
    let mut link = peer.link();
    while batch.len() < WRITE_BYTES {
        let Some(frame) = link.next_frame() else { break };
        push(&mut batch, &frame);
    }
    batch
}

fn push(batch: &mut Vec<u8>, frame: &[u8]) {
    batch.extend_from_slice(&(frame.len() as u32).to_be_bytes());
    batch.extend_from_slice(frame);
}
