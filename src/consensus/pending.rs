//! The requests that wait to enter a vertex of this replica.
//!
//! One queue, first come first served: what clients submitted, and what age excluded from vertices of others (charged to
//! their author, so that nobody's late vertices crowd out the rest).
//!
//! A client's request is taken only if there is room for it beside the own ones that are under way, in own vertices and not
//! delivered yet: should age exclude these, they can always be taken again. Others' requests in own vertices, *guests*, stay
//! charged to their author.

use crate::limits::{
    MAX_PENDING_REQUEST_BYTES, MAX_REQUEST_BYTES, MAX_VERTEX_PAYLOAD_BYTES, MAX_VERTEX_REQUESTS,
};
use crate::quorum::ReplicaId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::vertex::Request;

/// Bytes of requests proposed again that may wait, for each author of their first vertices.
const MAX_AGAIN_BYTES_PER_AUTHOR: usize = MAX_PENDING_REQUEST_BYTES / 16;

/// Bytes that a waiting request costs beside its own.
const OVERHEAD: usize = 64;

/// The queue.
///
/// Invariants: 1. `known` are the requests in `queue`; 2. `guests` are in undelivered own vertices.
#[derive(Default)]
pub(super) struct Pending {
    queue: VecDeque<(ReplicaId, Request)>,
    known: BTreeSet<Arc<[u8]>>,
    bytes: BTreeMap<ReplicaId, usize>,
    guests: BTreeMap<Arc<[u8]>, ReplicaId>,
}

impl Pending {
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub fn bytes(&self) -> usize {
        self.bytes.values().sum()
    }

    /// Whether this replica may take a request of so many bytes from a client, with so many of its own under way.
    pub fn has_room(&self, me: ReplicaId, under_way: usize, bytes: usize) -> bool {
        let own = self.charged(me) + under_way;
        bytes <= MAX_REQUEST_BYTES && own + bytes + OVERHEAD <= MAX_PENDING_REQUEST_BYTES
    }

    /// What a request of an undelivered own vertex takes of the room for clients' requests.
    pub fn reserved(&self, request: &Request) -> usize {
        if self.guests.contains_key(&request.0) { 0 } else { request.0.len() + OVERHEAD }
    }

    /// Takes a client's request, for which there is room.
    pub fn submit(&mut self, me: ReplicaId, request: Request) {
        self.push(me, request);
    }

    /// Takes a request of a vertex of `author` that age excluded, if there is room and it does not wait already. An own
    /// one was taken from a client: its room is reserved.
    pub fn again(&mut self, me: ReplicaId, author: ReplicaId, request: Request) {
        let guest_of = if author == me { self.guests.remove(&request.0) } else { None };
        let author = guest_of.unwrap_or(author);
        let room = if author == me { MAX_PENDING_REQUEST_BYTES } else { MAX_AGAIN_BYTES_PER_AUTHOR };
        if self.charged(author) + request.0.len() + OVERHEAD <= room {
            self.push(author, request);
        }
    }

    /// A request is delivered.
    pub fn delivered(&mut self, request: &Arc<[u8]>) {
        self.guests.remove(request);
    }

    /// Drops a request that is in a vertex already.
    pub fn forget(&mut self, request: &Request) {
        if !self.known.contains(&request.0) {
            return;
        }
        let at = self.queue.iter().position(|(_, waiting)| waiting == request);
        if let Some((author, request)) = at.and_then(|at| self.queue.remove(at)) {
            self.discharge(author, &request);
        }
    }

    /// Takes as many as go into one vertex; one greater than the payload limit goes alone.
    pub fn drain(&mut self, me: ReplicaId) -> Vec<Request> {
        let mut taken: Vec<Request> = Vec::new();
        let mut bytes = 0;
        while let Some((_, request)) = self.queue.front() {
            bytes += request.0.len();
            let full = taken.len() == MAX_VERTEX_REQUESTS || bytes > MAX_VERTEX_PAYLOAD_BYTES;
            if full && !taken.is_empty() {
                break;
            }
            let Some((author, request)) = self.queue.pop_front() else { break };
            self.discharge(author, &request);
            if author != me {
                self.guests.insert(request.0.clone(), author);
            }
            taken.push(request);
        }
        taken
    }

    fn charged(&self, author: ReplicaId) -> usize {
        self.bytes.get(&author).copied().unwrap_or(0)
    }

    fn push(&mut self, author: ReplicaId, request: Request) {
        if !self.known.insert(request.0.clone()) {
            return;
        }
        *self.bytes.entry(author).or_default() += request.0.len() + OVERHEAD;
        self.queue.push_back((author, request));
    }

    fn discharge(&mut self, author: ReplicaId, request: &Request) {
        self.known.remove(&request.0);
        if let Some(bytes) = self.bytes.get_mut(&author) {
            *bytes -= request.0.len() + OVERHEAD;
        }
    }
}
