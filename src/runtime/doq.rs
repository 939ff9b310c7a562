//! DNS over QUIC (RFC 9250): a message behind its length on a stream of its own, which the client opens and ends; the answer, or all
//! messages of a zone transfer, on the same stream.
//!
//! What a message may ask is as over TLS: queries, updates, ordered queries and transfers. Whatever RFC 9250 §4.3.3 calls fatal ends
//! the connection with DOQ_PROTOCOL_ERROR: an identifier that is not 0 (§4.2.1), a stream that ends inside a message or goes on
//! behind it, one for one direction, TCP's keepalive option (§5.5.2), and what is no request. Bounds:
//!
//! - A connection needs a place of its client's, shared with TCP ([`super::places`]), and ends when it was idle too long. Where
//!   [`MAX_UNPROVEN_HANDSHAKES`] are under way, or half of all places are taken, a client first has to show that its address is its own
//!   (RFC 9000 §8.1.2), so that forged ones take no places. Then no answer goes to a forged address, and rates are not limited.
//! - [`MAX_TCP_PIPELINE`] streams at once: a stream counts until its answer is written, whatever the client does to it. Messages not
//!   yet whole take of [`MAX_STREAMED_OCTETS`] what their length says, before they are read.
//! - No early data (§4.5): what it carries can be replayed. A client may change its address (RFC 9000 §9); its place stays.
//! - Datagrams are padded to the size of the path (§5.4), beside what RFC 8467 says of messages whose sender pads.
#![forbid(unsafe_code)]

use super::ending::Ending;
use super::places::{Place, Places};
use super::service::Service;
use crate::answer::{Client, Transport, transfer};
use crate::dns::edns::OPTION_KEEPALIVE;
use crate::dns::message::Message;
use crate::limits::{
    MAX_QUIC_UNACKNOWLEDGED_OCTETS, MAX_QUIC_WAITING_OCTETS, MAX_STREAMED_OCTETS, MAX_TCP_PIPELINE,
    MAX_UNPROVEN_HANDSHAKES, TLS_HANDSHAKE_MS,
};
use arc_swap::ArcSwap;
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{
    Connection, Endpoint, EndpointConfig, Incoming, ReadExactError, RecvStream, SendStream, ServerConfig,
    TokioRuntime, TransportConfig, VarInt,
};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// RFC 9250 §8.4.
const NO_ERROR: VarInt = VarInt::from_u32(0);
const INTERNAL_ERROR: VarInt = VarInt::from_u32(1);
const PROTOCOL_ERROR: VarInt = VarInt::from_u32(2);
const REQUEST_CANCELLED: VarInt = VarInt::from_u32(3);
const EXCESSIVE_LOAD: VarInt = VarInt::from_u32(4);

/// Octets of a DNS header.
const HEADER: usize = 12;
/// Octets of a stream that may lie here unread: its message can be read whole.
const STREAM_WINDOW: u32 = 2 + 65_535 + 1;
/// Messages of a transfer that wait to be written.
const TRANSFER_QUEUE: usize = 2;

/// The server's side of QUIC, as it is at each new connection.
pub type Guard = Arc<ArcSwap<ServerConfig>>;

/// QUIC by this side of TLS, where connections may be idle so long.
pub fn config(tls: rustls::ServerConfig, idle: Duration) -> Result<ServerConfig, String> {
    let crypto = QuicServerConfig::try_from(tls).map_err(|e| e.to_string())?;
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(MAX_TCP_PIPELINE as u32))
        // One, to say what is wrong with it.
        .max_concurrent_uni_streams(VarInt::from_u32(1))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(MAX_STREAMED_OCTETS))
        .send_window(MAX_QUIC_UNACKNOWLEDGED_OCTETS)
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(Some(idle.try_into().map_err(|_| "the idle time is too long".to_owned())?))
        .pad_to_mtu(true);
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    let (each, all) = MAX_QUIC_WAITING_OCTETS;
    config
        .transport_config(Arc::new(transport))
        .max_incoming(MAX_UNPROVEN_HANDSHAKES)
        .incoming_buffer_size(each)
        .incoming_buffer_size_total(all);
    Ok(config)
}

/// Binds `address` (port 0: any).
pub fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// QUIC on a socket. To be called inside a tokio runtime.
pub fn endpoint(socket: UdpSocket, guard: &Guard) -> io::Result<Endpoint> {
    // The configuration of each connection comes later; this one makes and reads tokens.
    let config = Some(ServerConfig::clone(&guard.load()));
    Endpoint::new(EndpointConfig::default(), config, socket, Arc::new(TokioRuntime))
}

/// Serves an endpoint until told to end, or dropped, which ends its connections.
pub async fn serve(endpoint: Endpoint, service: Service, places: Places, guard: Guard, mut ending: Ending) {
    let mut connections = JoinSet::new();
    let handshakes = Arc::new(Semaphore::new(MAX_UNPROVEN_HANDSHAKES));
    loop {
        let incoming = tokio::select! {
            incoming = endpoint.accept() => incoming,
            () = ending.told() => None,
        };
        let Some(incoming) = incoming else { break };
        while connections.try_join_next().is_some() {}
        let proven = incoming.remote_address_validated();
        let handshake = if proven { None } else { handshakes.clone().try_acquire_owned().ok() };
        if !proven && (handshake.is_none() || places.crowded()) {
            if let Err(not) = incoming.retry() {
                not.into_incoming().refuse();
            }
            continue;
        }
        let Some(place) = places.take(incoming.remote_address().ip()) else {
            incoming.refuse();
            continue;
        };
        let shared = Shared {
            service: service.clone(),
            places: places.clone(),
            turns: Arc::new(Semaphore::new(MAX_TCP_PIPELINE)),
            octets: Arc::new(Semaphore::new(MAX_STREAMED_OCTETS as usize)),
        };
        let (guard, ending) = (guard.load_full(), ending.clone());
        connections.spawn(async move {
            let _place: Place = place;
            let Some(connection) = shake(incoming, guard).await else { return };
            drop(handshake);
            let code = connect(&connection, &shared, ending).await;
            connection.close(code, &[]);
        });
    }
    while connections.join_next().await.is_some() {}
    endpoint.wait_idle().await;
}

async fn shake(incoming: Incoming, config: Arc<ServerConfig>) -> Option<Connection> {
    let connecting = incoming.accept_with(config).ok()?;
    timeout(Duration::from_millis(TLS_HANDSHAKE_MS), connecting).await.ok()?.ok()
}

/// What all streams of a connection share.
#[derive(Clone)]
struct Shared {
    service: Service,
    places: Places,
    turns: Arc<Semaphore>,
    octets: Arc<Semaphore>,
}

/// Why a stream has no answer.
enum Wrong {
    /// This code for the stream alone.
    Stream(VarInt),
    /// This code for the whole connection, at once.
    Connection(VarInt),
}

/// Serves one peer; the code with which its connection is to be closed.
async fn connect(connection: &Connection, shared: &Shared, mut ending: Ending) -> VarInt {
    let mut streams = JoinSet::new();
    loop {
        tokio::select! {
            stream = connection.accept_bi() => {
                let Ok((answer, question)) = stream else { return NO_ERROR };
                let address = connection.remote_address().ip();
                let client = Client { address, ..Client::over(Transport::Quic) };
                streams.spawn(exchange(shared.clone(), client, question, answer));
            }
            Ok(_) = connection.accept_uni() => return PROTOCOL_ERROR,
            done = streams.join_next(), if !streams.is_empty() => {
                if let Some(Ok(Some(code))) = done {
                    return code;
                }
            }
            () = sleep(shared.places.idle()) => break,
            () = ending.told() => break,
        }
    }
    // What was asked is still answered.
    let _ =
        timeout(shared.service.last_answers(), async { while streams.join_next().await.is_some() {} }).await;
    NO_ERROR
}

/// Serves one stream; a code if the whole connection is to be closed.
async fn exchange(
    shared: Shared,
    client: Client,
    mut question: RecvStream,
    mut answer: SendStream,
) -> Option<VarInt> {
    let (code, is_fatal) = match talk(&shared, client, &mut question, &mut answer).await {
        Ok(()) => {
            let _ = answer.finish();
            return None;
        }
        Err(Wrong::Stream(code)) => (code, false),
        Err(Wrong::Connection(code)) => (code, true),
    };
    let _ = answer.reset(code);
    is_fatal.then_some(code)
}

async fn talk(
    shared: &Shared,
    client: Client,
    question: &mut RecvStream,
    answer: &mut SendStream,
) -> Result<(), Wrong> {
    // Nobody closes it.
    let turn = shared.turns.clone().acquire_owned().await.map_err(|_| Wrong::Stream(INTERNAL_ERROR))?;
    let turn = Arc::new(turn);
    let read = timeout(shared.places.idle(), read(question, &shared.octets)).await;
    let (wire, octets) = read.map_err(|_| Wrong::Connection(EXCESSIVE_LOAD))??;
    check(&wire)?;
    drop(octets);
    if transfer::is_asked(&wire) {
        return send_transfer(shared, &wire, client, answer).await;
    }
    let stopped = answer.stopped();
    let reply = tokio::select! {
        reply = shared.service.answer(wire, client, turn.clone()) => reply,
        // RFC 9250 §4.3.1: nobody waits for it any more.
        _ = stopped => return Err(Wrong::Stream(REQUEST_CANCELLED)),
    };
    write(shared, answer, &reply.map_err(|_| Wrong::Stream(INTERNAL_ERROR))?).await
}

/// The one message of a stream, and what it takes of the connection's octets.
async fn read(
    stream: &mut RecvStream,
    octets: &Arc<Semaphore>,
) -> Result<(Vec<u8>, OwnedSemaphorePermit), Wrong> {
    // RFC 9250 §4.3.3: the stream ends inside the message. The client may take it back, though.
    let cut = |why| match why {
        ReadExactError::FinishedEarly(_) => Wrong::Connection(PROTOCOL_ERROR),
        ReadExactError::ReadError(_) => Wrong::Stream(REQUEST_CANCELLED),
    };
    let mut length = [0; 2];
    stream.read_exact(&mut length).await.map_err(cut)?;
    let length = u16::from_be_bytes(length);
    let held = octets.clone().acquire_many_owned(u32::from(length)).await;
    // Nobody closes it.
    let held = held.map_err(|_| Wrong::Stream(INTERNAL_ERROR))?;
    let mut wire = vec![0; usize::from(length)];
    stream.read_exact(&mut wire).await.map_err(cut)?;
    match stream.read(&mut [0]).await {
        Ok(None) => Ok((wire, held)),
        // RFC 9250 §4.3.3: a second message.
        Ok(Some(_)) => Err(Wrong::Connection(PROTOCOL_ERROR)),
        Err(_) => Err(Wrong::Stream(REQUEST_CANCELLED)),
    }
}

/// Whether a message is one that may come by this way.
fn check(wire: &[u8]) -> Result<(), Wrong> {
    let is_request = wire.len() >= HEADER && wire[2] & 0x80 == 0;
    // RFC 9250 §4.2.1.
    if !is_request || wire[..2] != [0, 0] {
        return Err(Wrong::Connection(PROTOCOL_ERROR));
    }
    // RFC 9250 §5.5.2. What cannot be parsed is answered so.
    let edns = Message::parse(wire).ok().and_then(|message| message.edns);
    if edns.is_some_and(|edns| edns.option(OPTION_KEEPALIVE).is_some()) {
        return Err(Wrong::Connection(PROTOCOL_ERROR));
    }
    Ok(())
}

async fn send_transfer(
    shared: &Shared,
    wire: &[u8],
    client: Client,
    answer: &mut SendStream,
) -> Result<(), Wrong> {
    let (messages, mut queue) = mpsc::channel(TRANSFER_QUEUE);
    let making = async move { shared.service.transfer(wire, client.address, &messages).await };
    let writing = async move {
        // Dropped with an error, the queue ends the making.
        while let Some(message) = queue.recv().await {
            write(shared, answer, &message).await?;
        }
        Ok(())
    };
    let (made, written) = tokio::join!(making, writing);
    written?;
    made.map_err(|()| Wrong::Stream(INTERNAL_ERROR))
}

/// Writes a message behind its length, as fast as the client reads it.
async fn write(shared: &Shared, stream: &mut SendStream, message: &[u8]) -> Result<(), Wrong> {
    // Nothing here makes an answer that a length cannot express.
    let length = u16::try_from(message.len()).map_err(|_| Wrong::Stream(INTERNAL_ERROR))?;
    let framed = [&length.to_be_bytes()[..], message].concat();
    match timeout(shared.places.idle(), stream.write_all(&framed)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Wrong::Stream(REQUEST_CANCELLED)),
        Err(_) => Err(Wrong::Connection(EXCESSIVE_LOAD)),
    }
}

#[cfg(test)]
mod tests;
