//! DNS over HTTPS (RFC 8484): HTTP/2 under TLS 1.3, a message for each request, by GET or POST, answered as they are ready.
//!
//! One task a connection moves its octets; a task a stream reads the message, has it answered, and writes the response as fast as
//! the peer lets it. What a message may ask is as over TLS: queries, updates and ordered queries; only a zone transfer is refused,
//! for it would be many messages. Bounds:
//!
//! - A connection needs a place of its client's, shared with TCP ([`super::places`]), and ends when nothing has been asked for too
//!   long: first no new stream is taken (GOAWAY), then, when the answers still due had their time, it is closed.
//! - [`MAX_TCP_PIPELINE`] streams at once. A stream that the peer resets leaves its turn taken until the replica has replied: who
//!   opens more is refused, and then told to go (RFC 9113 §10.5; CVE-2023-44487). Resets before a stream was looked at h2 counts.
//! - [`MAX_HTTP_HEADER_OCTETS`] of header fields, [`MAX_STREAMED_OCTETS`] of bodies that are not whole yet, which is the window of the
//!   connection: it grows again only when a message is whole, or given up.
#![forbid(unsafe_code)]

mod http;

use self::http::{Asked, MAX_MESSAGE_OCTETS};
use super::ending::Ending;
use super::places::Places;
use super::service::{Service, Silence};
use crate::answer::{Client, Transport};
use crate::limits::{MAX_HTTP_HEADER_OCTETS, MAX_STREAMED_OCTETS, MAX_TCP_PIPELINE, TLS_HANDSHAKE_MS};
use ::http::{Method, Request, StatusCode};
use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

/// Octets of one frame: the least that a server has to take (RFC 9113 §4.2).
const FRAME: u32 = 16_384;
/// A body may be so long before it is seen to be too long.
const STREAM_WINDOW: u32 = MAX_MESSAGE_OCTETS as u32 + FRAME;
/// Streams beyond their turns after which the peer is told to go.
const MAX_REFUSED: usize = 64;

/// What all streams of a connection share.
#[derive(Clone)]
struct Shared {
    service: Service,
    places: Places,
    client: Client,
    /// Where DNS is, of all that a web server could have.
    path: Arc<str>,
}

/// Serves one peer.
pub async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    (service, places): (&Service, &Places),
    path: &Arc<str>,
    address: IpAddr,
    mut ending: Ending,
) {
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(MAX_TCP_PIPELINE as u32)
        .max_header_list_size(MAX_HTTP_HEADER_OCTETS)
        .max_frame_size(FRAME)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(MAX_STREAMED_OCTETS)
        .max_send_buffer_size(MAX_MESSAGE_OCTETS);
    let handshake = builder.handshake::<_, Bytes>(stream);
    let Ok(Ok(mut connection)) = timeout(Duration::from_millis(TLS_HANDSHAKE_MS), handshake).await else {
        return;
    };
    let client = Client { address, ..Client::over(Transport::Https) };
    let shared = Shared { service: service.clone(), places: places.clone(), client, path: path.clone() };
    let turns = Arc::new(Semaphore::new(MAX_TCP_PIPELINE));
    let (mut streams, mut refused, mut last) = (JoinSet::new(), 0, None);
    loop {
        let until = last.unwrap_or_else(|| Instant::now() + places.idle());
        tokio::select! {
            next = timeout_at(until, connection.accept()) => match next {
                Ok(Some(Ok((request, mut respond)))) => match turns.clone().try_acquire_owned() {
                    Ok(turn) => drop(streams.spawn(exchange(shared.clone(), request, respond, turn))),
                    Err(_) if refused < MAX_REFUSED => {
                        refused += 1;
                        respond.send_reset(Reason::REFUSED_STREAM);
                    }
                    Err(_) => {
                        connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                        last = Some(Instant::now() + service.last_answers());
                    }
                },
                // Closed, or broken.
                Ok(_) => return,
                Err(_) if last.is_some() => return,
                Err(_) => {
                    connection.graceful_shutdown();
                    last = Some(Instant::now() + service.last_answers());
                }
            },
            () = ending.told(), if last.is_none() => {
                connection.graceful_shutdown();
                last = Some(Instant::now() + service.last_answers());
            }
        }
        while streams.try_join_next().is_some() {}
    }
}

/// Serves one stream.
async fn exchange(
    shared: Shared,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    turn: OwnedSemaphorePermit,
) {
    let (head, mut body) = request.into_parts();
    let answered = answer(&shared, &head, &mut body, Arc::new(turn)).await;
    if answered.as_ref().is_err_and(|status| *status != StatusCode::PAYLOAD_TOO_LARGE) {
        // A client that is still writing when it is refused would see the end of its stream in place of the status.
        let _ = timeout(shared.places.idle(), read(&mut body)).await;
    }
    let (response, body) = match answered {
        Ok(message) => http::answered(message),
        Err(status) => http::refused(status),
    };
    let headers_only = body.is_empty() || head.method == Method::HEAD;
    // An error: the peer has gone, or has reset the stream.
    let Ok(stream) = respond.send_response(response, headers_only) else { return };
    if !headers_only && timeout(shared.places.idle(), write(stream, body)).await.is_err() {
        respond.send_reset(Reason::CANCEL);
    }
}

/// The answer to one request, or the status that says why there is none; `turn` is given back when both stream and replica are
/// done with it.
async fn answer(
    shared: &Shared,
    head: &::http::request::Parts,
    body: &mut RecvStream,
    turn: Arc<OwnedSemaphorePermit>,
) -> Result<Vec<u8>, StatusCode> {
    let message = match http::asked(head, &shared.path)? {
        Asked::Message(message) => message,
        Asked::Body => match timeout(shared.places.idle(), read(body)).await {
            Ok(read) => read?,
            Err(_) => return Err(StatusCode::REQUEST_TIMEOUT),
        },
    };
    let answer = shared.service.answer(message, shared.client, turn.clone()).await;
    answer.map_err(|silence| match silence {
        Silence::NotARequest => StatusCode::BAD_REQUEST,
        Silence::Ended => StatusCode::SERVICE_UNAVAILABLE,
    })
}

/// The whole body. What was taken of the connection's window is given back at the end, whatever it is.
async fn read(body: &mut RecvStream) -> Result<Vec<u8>, StatusCode> {
    let mut message = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece.map_err(|_| StatusCode::BAD_REQUEST)?;
        if message.len() + piece.len() > MAX_MESSAGE_OCTETS {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        message.extend_from_slice(&piece);
    }
    // Of a stream that has ended only the connection's counts.
    let _ = body.flow_control().release_capacity(message.len());
    Ok(message)
}

/// Writes the body as the peer takes it; an error is the peer's going.
async fn write(mut stream: SendStream<Bytes>, mut body: Bytes) {
    while !body.is_empty() {
        stream.reserve_capacity(body.len());
        let Some(Ok(room)) = poll_fn(|cx| stream.poll_capacity(cx)).await else { return };
        let piece = body.split_to(room.min(body.len()));
        if stream.send_data(piece, body.is_empty()).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
