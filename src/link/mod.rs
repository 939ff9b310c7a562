//! Frames made reliable, ordered and bounded.
#![forbid(unsafe_code)]

use crate::codec::{ClusterId, Epoch};
use crate::quorum::ReplicaId;
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
    /// The peer is a new incarnation, or frames were lost in a full queue: ask for what may be lacking.
    Linked,
    /// A message from the peer.
    Deliver(Vec<u8>),
}

/// One end of the link to one peer, across its connections.
pub struct Link {}

impl Link {
    /// The end at `local` of the link to `peer`.
    pub fn new(_local: Local, _peer: ReplicaId) -> Self {
        todo!()
    }

    /// Queues a message; it waits for the connection if there is none.
    pub fn send(&mut self, _message: Arc<[u8]>) {
        todo!()
    }
}
