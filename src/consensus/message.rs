//! What replicas say to one another, and what a replica writes to its log.

use super::alert::{Alert, Listed, Subject};
use super::checkpoint::{Certificate, Statement};
use super::finale::{Ending, Finale};
use super::identity::Signature;
use super::vertex::{Vertex, VertexRef};
use crate::codec::Digest;
use borsh::{BorshDeserialize, BorshSerialize};

/// What replicas send one another.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum Message {
    /// The sender's new vertex.
    Vertex(Vertex),
    /// Asks for these vertices.
    Fetch(Vec<VertexRef>),
    /// Answers a fetch, as far as the sender holds them and they fit a frame.
    Vertices(Vec<Vertex>),
    /// Asks for all vertices from this one on, in order.
    Range(VertexRef),
    /// Answers a range: the first so many, and where the rest begins.
    Page(Vec<Vertex>, Option<VertexRef>),
    /// Two vertices of one author and round: the author is Byzantine.
    Proof(Vertex, Vertex),
    /// The sender has executed a checkpoint, and signs to what.
    Vote(Statement, Signature),
    /// The newest checkpoint that the sender knows to be certified.
    Certified(Certificate),
    /// Asks for the receiver's newest vertex; and that a round be made, if `wants` is one.
    Observe {
        /// Comes back with the answer.
        nonce: u64,
        /// A round that the sender needs to go on, or 0.
        wants: u64,
    },
    /// Answers [`Message::Observe`].
    Newest {
        /// The question's.
        nonce: u64,
        /// Whether the sender makes no vertices, because it observes.
        observes: bool,
        /// The name of the sender's newest vertex; of round 0 if it has made none.
        newest: VertexRef,
        /// The vertex itself, unless it is below the sender's line.
        vertex: Option<Vertex>,
    },
    /// What the sender had accepted of an equivocator when it got the proof.
    Alert(Alert),
    /// The sender's signature under the receiver's alert with this digest.
    Signed(Digest, Signature),
    /// A certified alert.
    Listed(Listed),
    /// The sender has come to the end of the epoch, and signs how it ended.
    Ended(Ending, Signature),
    /// The end of the epoch, certified.
    Finale(Finale),
    /// The sender's machine goes on, and has the state with which the epoch ended on disk.
    Kept,
}

/// What the log holds.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum Record {
    /// A vertex of another replica, accepted here; its ancestors' records stand before.
    Accepted(Vertex),
    /// A vertex of this replica.
    Own(Vertex),
    /// A proof that an author signed two vertices in one round.
    Proof(Vertex, Vertex),
    /// This replica takes part in the order: so far it has made no vertex above `newest`, and it makes none below `floor`. A log
    /// without it is that of a replica that observes.
    Standing {
        /// Its newest vertex; of round 0 if it has made none.
        newest: VertexRef,
        /// The lowest round of which it may make a vertex.
        floor: u64,
    },
    /// From here on vertices are accepted without ancestors below this line.
    Collected(u64),
    /// This replica's alert.
    Alert(Alert),
    /// Of this subject it signed this alert, and signs no other.
    Signed(Subject, Digest),
    /// A certified alert: from here on vertices are accepted that it lists.
    Listed(Listed),
}
