//! What there is to see of a run, for those who only look: traces, drawings, coverage.
//!
//! A witness changes nothing: it has no part in chance and none in time.
use super::clients::Next;
use crate::consensus::{ClosedRound, Onlooker};
use crate::protocol::{Fault, To};
use crate::quorum::{Committee, ReplicaId};
use crate::replica::ExecutedBatch;

/// Something that happened at one machine.
pub struct Seen<'a> {
    /// The virtual millisecond.
    pub at_ms: u64,
    /// The machine; an equivocator is several with one identity.
    pub machine: usize,
    /// Its identity.
    pub who: ReplicaId,
    /// What it was.
    pub news: News<'a>,
}

/// What can happen.
pub enum News<'a> {
    /// It starts, and had to cut a torn tail off its log, or not.
    Started {
        /// Whether there was one.
        torn: bool,
    },
    /// It ends without warning; `between` a write and its sync, or at any moment.
    Crashed {
        /// Between a write and its sync.
        between: bool,
    },
    /// It is told that the link to a peer is new.
    Linked(ReplicaId),
    /// Its connection to a peer ends.
    Cut {
        /// Whom it spoke with.
        peer: ReplicaId,
        /// Whether a queue was lost with it.
        lossy: bool,
    },
    /// A message of an earlier connection comes again from a peer.
    Again(ReplicaId),
    /// The scheduler puts off a message of a peer that is due.
    PutOff(ReplicaId),
    /// It sends an encoded message.
    Sent {
        /// To whom.
        to: To,
        /// An encoded [`PeerMessage`](crate::replica::PeerMessage), or anything else.
        bytes: &'a [u8],
    },
    /// All slots of a round are decided.
    Closed(&'a ClosedRound),
    /// A batch is executed.
    Executed(&'a ExecutedBatch),
    /// A new version is served.
    Published {
        /// Its serial.
        serial: u32,
    },
    /// A client sends it an operation.
    Request {
        /// The client.
        client: usize,
        /// The number of this try.
        number: u64,
    },
    /// It replies to a client.
    Reply {
        /// The client.
        client: usize,
        /// Of which try.
        number: u64,
        /// The reply; none for an ordered query, which is answered from its version.
        wire: Option<&'a [u8]>,
        /// What the client does now.
        next: Next,
    },
    /// It reports misbehaviour.
    Fault(&'a Fault),
}

/// Looks on.
pub trait Witness {
    /// A run begins.
    fn begin(&mut self, _committee: Committee, _onlooker: Onlooker) {}

    /// Something has happened.
    fn see(&mut self, seen: &Seen<'_>);
}
