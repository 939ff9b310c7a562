//! Frames made reliable, ordered and bounded: one [`Link`] to each peer, over connections that come and go.
//!
//! Assumes: each connection is authenticated and encrypted below (mutual TLS 1.3, see `runtime::peers`), so frames
//! arrive unchanged and in order, until it is cut at any place. Guarantees, between one incarnation (one start of the
//! process) of each end: messages are delivered in the order in which they were sent, none twice, and none is lost
//! unless both ends get [`Event::Linked`]; memory is bounded whatever the peer does.
//!
//! # Protocol
//!
//! Every message of an incarnation to a peer has a number, from 1. It is kept until the peer acknowledges it.
//! 1. On a new connection each end sends `Hello`: version, cluster, epoch, sender, incarnation, the oldest number it
//!    still holds, and which number it expects next of which incarnation of the other.
//! 2. A `Hello` that names another version, cluster, epoch or sender than expected ends the connection.
//! 3. If the peer's incarnation is new here, or its oldest number is above the expected one, what lies between is
//!    gone: the upper layer gets [`Event::Linked`] and asks for what it lacks (`Range`).
//! 4. Then `Data` from the number that the other expects (or from the oldest). A number below the expected one is a
//!    repetition, and dropped. A number above it means that the sender has dropped its queue: [`Event::Linked`].
//! 5. `Ack` n: all below n have arrived. It is also the keep-alive.
//! 6. A queue that would grow over [`MAX_LINK_QUEUE_FRAMES`] or [`MAX_LINK_QUEUE_BYTES`] is dropped whole; this end
//!    gets [`Event::Linked`] too, at once if it is connected, else with the next `Hello`.
//!
//! # The bytes
//!
//! On the connection each frame is preceded by its length, 4 octets, big-endian, at most
//! [`MAX_FRAME_BYTES`](crate::limits::MAX_FRAME_BYTES). A frame is the borsh encoding of (numbers little-endian):
//!
//! | frame | octets |
//! |---|---|
//! | Hello | `00`, version (4), cluster id (32), epoch (4), sender (1), incarnation (8), oldest (8), then `00` or `01` with incarnation (8) and expected number (8) |
//! | Data | `01`, number (8), length (4), message |
//! | Ack | `02`, number (8) |
#![forbid(unsafe_code)]

mod frame;
#[cfg(test)]
mod tests;

pub use frame::{MAX_MESSAGE_BYTES, VERSION};

use crate::codec::{ClusterId, Epoch};
use crate::limits::{MAX_LINK_QUEUE_BYTES, MAX_LINK_QUEUE_FRAMES};
use crate::quorum::ReplicaId;
use frame::{Frame, Hello};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// Who speaks at this end of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Local {
    /// The cluster.
    pub cluster: ClusterId,
    /// The epoch.
    pub epoch: Epoch,
    /// This replica.
    pub me: ReplicaId,
    /// A random number of this start of the process.
    pub incarnation: u64,
}

/// What the upper layer learns from a link, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The peer is a new incarnation, or messages were lost in a full queue: ask for what may be lacking.
    Linked,
    /// A message from the peer.
    Deliver(Vec<u8>),
}

/// Why a connection must end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The peer's program speaks another version.
    Version(u32),
    /// The peer belongs to another cluster.
    Cluster(ClusterId),
    /// The peer is in another epoch.
    Epoch(Epoch),
    /// The peer says it is another replica than its key.
    Sender(ReplicaId),
    /// Not a frame, or not one that may come here: a fault of the peer.
    Malformed(&'static str),
}

/// One end of the link to one peer, across its connections.
///
/// Invariants. 1: `queue` holds the numbers `oldest ..  oldest + queue.len()` without a gap. 2: `oldest` ≤ `cursor` ≤
/// the next number. 3: `queue` is within its bounds.
pub struct Link {
    local: Local,
    peer: ReplicaId,
    queue: VecDeque<Arc<[u8]>>,
    queue_bytes: usize,
    oldest: u64,
    cursor: u64,
    peer_incarnation: Option<u64>,
    expected: u64,
    acked: u64,
    gap: bool,
    state: State,
}

/// How far the present connection is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Down,
    /// Whether our hello has been taken by the connection; the peer's has not come.
    Greeting {
        sent: bool,
    },
    /// The peer's hello has come.
    Up {
        sent: bool,
    },
}

impl Link {
    /// The end at `local` of the link to `peer`.
    pub fn new(local: Local, peer: ReplicaId) -> Self {
        Self {
            local,
            peer,
            queue: VecDeque::new(),
            queue_bytes: 0,
            oldest: 1,
            cursor: 1,
            peer_incarnation: None,
            expected: 1,
            acked: 0,
            gap: false,
            state: State::Down,
        }
    }

    /// Queues a message of at most [`MAX_MESSAGE_BYTES`]; it waits for the connection if there is none. The event is
    /// `Linked` if the queue was full and has been dropped while connected.
    pub fn send(&mut self, message: Arc<[u8]>) -> Result<Option<Event>, TooLong> {
        if message.len() > MAX_MESSAGE_BYTES {
            return Err(TooLong { bytes: message.len() });
        }
        let full = self.queue.len() >= MAX_LINK_QUEUE_FRAMES
            || self.queue_bytes + message.len() > MAX_LINK_QUEUE_BYTES;
        if full {
            self.drop_queue();
        }
        self.queue_bytes += message.len();
        self.queue.push_back(message);
        if full && matches!(self.state, State::Up { .. }) {
            return Ok(Some(Event::Linked));
        }
        self.gap |= full;
        Ok(None)
    }

    /// A new connection to the peer is there; the former one, if any, counts no more.
    pub fn connected(&mut self) {
        self.state = State::Greeting { sent: false };
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.state = State::Down;
    }

    /// Whether the peer has greeted on the present connection.
    pub fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    /// Messages that wait for the peer's acknowledgement.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// The next frame to write on the present connection, if any.
    pub fn next_frame(&mut self) -> Option<Vec<u8>> {
        match &mut self.state {
            State::Down => return None,
            State::Greeting { sent } | State::Up { sent } if !*sent => {
                *sent = true;
                self.acked = self.expected;
                return Some(Frame::Hello(self.hello()).encode());
            }
            State::Greeting { .. } => return None,
            State::Up { .. } => {}
        }
        if self.acked < self.expected {
            return self.keep_alive();
        }
        let message = self.queue.get((self.cursor - self.oldest) as usize)?;
        let frame = Frame::encode_data(self.cursor, message);
        self.cursor += 1;
        Some(frame)
    }

    /// A frame that shows the peer that this end lives, when there is nothing else to send.
    pub fn keep_alive(&mut self) -> Option<Vec<u8>> {
        if self.state != (State::Up { sent: true }) {
            return None;
        }
        self.acked = self.expected;
        Some(Frame::Ack(self.expected).encode())
    }

    /// A frame has come on the present connection. On an error the connection must end; the link stays good.
    pub fn received(&mut self, frame: &[u8]) -> Result<Vec<Event>, Refusal> {
        let frame = Frame::decode(frame).map_err(|_| Refusal::Malformed("not a frame"))?;
        match (self.state, frame) {
            (State::Greeting { sent }, Frame::Hello(hello)) => self.greeted(&hello, sent),
            (State::Up { .. }, Frame::Data(number, message)) => self.data(number, message),
            (State::Up { .. }, Frame::Ack(number)) => {
                self.acknowledged(number)
                    .map_err(|()| Refusal::Malformed("acknowledges what was not sent"))?;
                Ok(Vec::new())
            }
            _ => Err(Refusal::Malformed("a frame out of order")),
        }
    }

    fn hello(&self) -> Hello {
        Hello {
            version: VERSION,
            cluster: self.local.cluster,
            epoch: self.local.epoch,
            me: self.local.me,
            incarnation: self.local.incarnation,
            oldest: self.oldest,
            received: self.peer_incarnation.map(|incarnation| (incarnation, self.expected)),
        }
    }

    fn greeted(&mut self, hello: &Hello, sent: bool) -> Result<Vec<Event>, Refusal> {
        self.judge(hello)?;
        let mut linked = std::mem::take(&mut self.gap);
        self.cursor = self.oldest;
        if let Some((_, next)) = hello.received.filter(|(of, _)| *of == self.local.incarnation) {
            self.cursor = self.oldest + self.queue.len() as u64;
            self.acknowledged(next).map_err(|()| Refusal::Malformed("received what was not sent"))?;
            self.cursor = self.oldest;
        }
        if planted!(DropOnReconnect) {
            self.drop_queue();
        }
        if self.peer_incarnation != Some(hello.incarnation) {
            self.peer_incarnation = Some(hello.incarnation);
            self.expected = hello.oldest;
            linked = true;
        } else if hello.oldest > self.expected {
            self.expected = hello.oldest;
            linked = true;
        }
        self.acked = if sent { self.acked.min(self.expected) } else { self.expected };
        self.state = State::Up { sent };
        Ok(if linked { vec![Event::Linked] } else { Vec::new() })
    }

    fn judge(&self, hello: &Hello) -> Result<(), Refusal> {
        if hello.version != VERSION {
            Err(Refusal::Version(hello.version))
        } else if hello.cluster != self.local.cluster {
            Err(Refusal::Cluster(hello.cluster))
        } else if hello.epoch != self.local.epoch {
            Err(Refusal::Epoch(hello.epoch))
        } else if hello.me != self.peer {
            Err(Refusal::Sender(hello.me))
        } else if hello.oldest == 0 || hello.oldest > u64::MAX / 2 {
            Err(Refusal::Malformed("a number out of range"))
        } else {
            Ok(())
        }
    }

    fn data(&mut self, number: u64, message: Vec<u8>) -> Result<Vec<Event>, Refusal> {
        if number > u64::MAX / 2 {
            return Err(Refusal::Malformed("a number out of range"));
        }
        if number < self.expected {
            // A repetition: the acknowledgement was on its way, or lost with its connection.
            return Ok(Vec::new());
        }
        let gap = number > self.expected;
        self.expected = number + 1;
        let mut events = Vec::with_capacity(2);
        if gap {
            events.push(Event::Linked);
        }
        events.push(Event::Deliver(message));
        Ok(events)
    }

    /// All below `next` have arrived; an error if some of them have not been sent on this connection.
    fn acknowledged(&mut self, next: u64) -> Result<(), ()> {
        if next > self.cursor {
            return Err(());
        }
        while self.oldest < next {
            if let Some(message) = self.queue.pop_front() {
                self.queue_bytes -= message.len();
            }
            self.oldest += 1;
        }
        Ok(())
    }

    fn drop_queue(&mut self) {
        self.oldest += self.queue.len() as u64;
        self.cursor = self.oldest;
        self.queue.clear();
        self.queue_bytes = 0;
    }
}

/// A message over [`MAX_MESSAGE_BYTES`]: a bug of the upper layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong {
    /// Its length.
    pub bytes: usize,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(other) => write!(f, "it speaks version {other} of the link, we speak {VERSION}"),
            Self::Cluster(other) => write!(f, "it belongs to another cluster ({})", other.0.to_hex()),
            Self::Epoch(other) => write!(f, "it is in epoch {}", other.0),
            Self::Sender(other) => write!(f, "it says it is replica {other}"),
            Self::Malformed(why) => write!(f, "malformed: {why}"),
        }
    }
}
