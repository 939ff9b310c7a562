//! Asynchronous Byzantine atomic broadcast on an uncertified DAG, after Mahi-Mahi (Jovanovic et al., ICDCS 2025,
//! wave length 5) with the common coin of Cachin, Kursawe and Shoup (PODC 2000).

pub mod coin;
mod identity;
mod vertex;

pub use coin::{CoinPublic, CoinSecret};
pub use identity::IdentityKey;
pub use vertex::{Vertex, VertexRef};

use crate::codec::{ClusterId, Epoch};
use crate::protocol::{Fault, To};
use crate::quorum::{Committee, ReplicaId};
use crate::time::{AgreedTime, UnixMillis};
use borsh::{BorshDeserialize, BorshSerialize};
use std::sync::Arc;

/// What a replica knows of its cluster, and its tunables.
#[derive(Clone, Debug)]
pub struct Config {
    /// The replicas.
    pub committee: Committee,
    /// This replica.
    pub me: ReplicaId,
    /// The cluster.
    pub cluster: ClusterId,
    /// The epoch.
    pub epoch: Epoch,
    /// The time of the round-0 vertices, from the cluster file.
    pub genesis_time: UnixMillis,
    /// Ed25519 public keys, by slot.
    pub identities: Vec<[u8; 32]>,
    /// The coin's public keys, by slot.
    pub coin: CoinPublic,
    /// Milliseconds to wait for the vertices beyond a quorum before the next round; a tunable
    /// ([`DEFAULT_GATHER_MS`]), never a condition.
    pub gather_ms: u64,
}

/// The usual [`Config::gather_ms`].
pub const DEFAULT_GATHER_MS: u64 = 3;

/// A replica's secrets.
pub struct Secrets {
    /// Signs its vertices.
    pub identity: IdentityKey,
    /// Makes its coin shares.
    pub coin: CoinSecret,
}

/// What one input leads to. `records` must be durable before `send` leaves or anything follows from `batches`.
#[must_use]
#[derive(Default, Debug)]
pub struct Step {
    /// To append to the log, in this order.
    pub records: Vec<Record>,
    /// To send, once the records are durable.
    pub send: Vec<(To, Message)>,
    /// Newly ordered, in order.
    pub batches: Vec<Batch>,
    /// What peers did wrong.
    pub faults: Vec<Fault>,
    /// When [`Consensus::tick`] should come, if nothing else does. Replaces what the step before said.
    pub wake_at: Option<UnixMillis>,
}

/// What the committed slots of one round deliver together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// The leaders' round; strictly ascending from batch to batch, with gaps.
    pub round: u64,
    /// Agreed time; never goes back.
    pub time: AgreedTime,
    /// The requests, in order; may be empty. The same request may come again.
    pub requests: Vec<Ordered>,
}

/// A request in its place in the order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ordered {
    /// Who proposed it here.
    pub author: ReplicaId,
    /// In its vertex of this round.
    pub vertex_round: u64,
    /// The request.
    pub bytes: Arc<[u8]>,
}

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
}

/// A view of the state, for metrics and operators.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Status {
    /// The round of this replica's newest vertex.
    pub round: u64,
    /// The highest round of which a quorum of vertices is held.
    pub quorum_round: u64,
    /// All slots of all rounds below this one are decided.
    pub next_round: u64,
    /// The round of the last batch, 0 before the first.
    pub last_batch: u64,
    /// The agreed time of the last batch.
    pub time: AgreedTime,
    /// Vertices accepted.
    pub accepted: usize,
    /// Vertices that wait for ancestors.
    pub waiting: usize,
    /// Ancestors that are lacking.
    pub missing: usize,
    /// Bytes of requests that wait to enter a vertex.
    pub pending_bytes: usize,
    /// Authors proven Byzantine.
    pub excluded: Vec<ReplicaId>,
}

/// Atomic broadcast at one replica: a value that takes one input and returns one step.
pub struct Consensus {}

impl Consensus {
    /// A replica at the start of its epoch. `entropy` is fresh at each start of the process.
    pub fn new(config: Config, secrets: Secrets, entropy: [u8; 32]) -> Self {
        let _ = (config, secrets, entropy);
        todo!()
    }

    /// A replica after a restart, from all records of its log in order. Delivers all batches again; sends nothing
    /// of the past but its newest vertex.
    pub fn recover(config: Config, secrets: Secrets, entropy: [u8; 32], records: Vec<Record>) -> (Self, Step) {
        let _ = (config, secrets, entropy, records);
        todo!()
    }

    /// Takes a request to be ordered. One that does not fit ([`Consensus::has_room`]) is dropped.
    pub fn submit(&mut self, now: UnixMillis, request: Vec<u8>) -> Step {
        let _ = (now, request);
        todo!()
    }

    /// Whether a request of so many bytes can be taken now.
    pub fn has_room(&self, bytes: usize) -> bool {
        let _ = bytes;
        todo!()
    }

    /// Takes a message that the link authenticated as `from`'s.
    pub fn message(&mut self, now: UnixMillis, from: ReplicaId, message: Message) -> Step {
        let _ = (now, from, message);
        todo!()
    }

    /// The link to `peer` is new, or has lost something: resynchronise.
    pub fn linked(&mut self, now: UnixMillis, peer: ReplicaId) -> Step {
        let _ = (now, peer);
        todo!()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: UnixMillis) -> Step {
        let _ = now;
        todo!()
    }

    /// A view of the state.
    pub fn status(&self) -> Status {
        todo!()
    }
}
