//! From committed leaders to batches.
//!
//! A committed leader delivers its causal history (parents and weak links) that is not yet delivered and not older
//! than leader.round - 64. A batch is what the committed slots of one round deliver together, its requests in the
//! order of (round, author, digest) of their vertices and of their position there. A round with a committed slot makes
//! a batch, even an empty one, and advances agreed time; an all-skip round makes none.
//!
//! Agreed time = the greatest of the last agreed time and, for each committed leader of the batch, the lower median of
//! the times in its parents.
//!
//! A vertex older than 64 rounds before the next leader can be delivered by nobody any more: it is *excluded by age*,
//! and handed back, so that its requests are proposed again.
//!
//! Each [`MARK_BATCHES`]th batch after a mark, or the first that brings the requests since it to [`MARK_BYTES`], holds a
//! [`Mark`]: all from which this layer can go on, determined by the order like everything else here.

use super::checkpoint::Mark;
use super::commit::Closed;
use super::dag::Dag;
use super::vertex::VertexRef;
use super::{Batch, Ordered};
use crate::codec::{Digest, digest};
use crate::limits::{HISTORY_ROUNDS, MAX_REPLAY_ENTRIES};
use crate::quorum::ReplicaId;
use crate::time::{AgreedTime, UnixMillis};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Batches from one checkpoint to the next.
pub(super) const MARK_BATCHES: u64 = 64;
/// Bytes of requests that make a checkpoint due before that.
pub(super) const MARK_BYTES: usize = 1024 * 1024;

/// What is delivered, and what waits for it.
///
/// Invariants: 1. `open` are the accepted vertices neither delivered nor excluded by age; 2. `delivered` are the delivered
/// ones of rounds ≥ next - 1 - 64, accepted here or not.
pub(super) struct Delivery {
    next: u64,
    last_batch: u64,
    time: AgreedTime,
    open: BTreeSet<VertexRef>,
    open_payload: BTreeSet<VertexRef>,
    delivered: BTreeSet<VertexRef>,
    recent: Recent,
    /// The round of the last mark; batches and bytes of requests since.
    marked: u64,
    batches: u64,
    bytes: usize,
}

impl Delivery {
    pub fn new(genesis_time: UnixMillis) -> Self {
        Self {
            next: 1,
            last_batch: 0,
            time: AgreedTime(genesis_time.0),
            open: BTreeSet::new(),
            open_payload: BTreeSet::new(),
            delivered: BTreeSet::new(),
            recent: Recent::default(),
            marked: 0,
            batches: 0,
            bytes: 0,
        }
    }

    /// Goes on after a mark, with no vertex accepted yet.
    pub fn resume(&mut self, mark: &Mark) {
        self.next = mark.round + 1;
        self.last_batch = mark.round;
        self.time = mark.time;
        self.open.clear();
        self.open_payload.clear();
        self.delivered = mark.delivered.iter().copied().filter(|_| !planted!(NothingDelivered)).collect();
        (self.marked, self.batches, self.bytes) = (mark.round, 0, 0);
    }

    /// The round of the last batch, and the agreed time.
    pub fn last(&self) -> (u64, AgreedTime) {
        (self.last_batch, self.time)
    }

    /// Takes a newly accepted vertex. False if age excludes it already.
    pub fn accepted(&mut self, id: VertexRef, has_payload: bool) -> bool {
        if self.delivered.contains(&id) {
            return true; // by a leader at or before the mark from which this replica goes on
        }
        if self.too_old(&id) {
            return false;
        }
        self.open.insert(id);
        if has_payload {
            self.open_payload.insert(id);
        }
        true
    }

    /// Whether a vertex is neither delivered nor excluded by age.
    pub fn is_open(&self, id: &VertexRef) -> bool {
        self.open.contains(id)
    }

    /// The vertices with payload that are in no closed batch yet.
    pub fn undelivered(&self) -> impl Iterator<Item = VertexRef> {
        self.open_payload.iter().copied()
    }

    /// Whether a vertex with payload is in no closed batch yet, of an author that `counts` takes.
    pub fn awaits_payload(&self, counts: impl Fn(ReplicaId) -> bool) -> bool {
        self.open_payload.iter().any(|id| counts(id.author))
    }

    /// Whether a request is among those delivered lately.
    pub fn delivered_lately(&self, request: &[u8]) -> bool {
        self.recent.contains(request)
    }

    /// Forgets what is below the collection line.
    pub fn collect(&mut self, line: u64) {
        self.recent.collect(line);
    }

    /// Closes a round: its batch, if it makes one, and the vertices that age excludes from now on.
    pub fn close(&mut self, dag: &Dag, closed: &Closed) -> (Option<Batch>, Vec<VertexRef>) {
        let batch = (!closed.leaders.is_empty()).then(|| self.batch(dag, closed));
        self.next = closed.round + 1;
        let mut excluded = Vec::new();
        while let Some(id) = self.open.first().copied().filter(|id| self.too_old(id)) {
            self.open.remove(&id);
            self.open_payload.remove(&id);
            excluded.push(id);
        }
        (batch, excluded)
    }

    fn too_old(&self, id: &VertexRef) -> bool {
        id.round + HISTORY_ROUNDS < self.next
    }

    fn batch(&mut self, dag: &Dag, closed: &Closed) -> Batch {
        let mut delivered = BTreeSet::new();
        for leader in &closed.leaders {
            self.deliver(dag, *leader, &mut delivered);
            let parents = dag.get(leader).expect("a leader is accepted").body().parent_refs();
            self.time = self.time.max(AgreedTime(dag.median_time(parents).0));
        }
        self.last_batch = closed.round;
        let oldest = VertexRef::first_of(closed.round.saturating_sub(HISTORY_ROUNDS));
        self.delivered = self.delivered.split_off(&oldest);
        self.delivered.extend(delivered.range(oldest..));
        let mut requests = Vec::new();
        for id in &delivered {
            for request in &dag.get(id).expect("open vertices are accepted").body().payload {
                self.recent.insert(closed.round, &request.0);
                self.bytes += request.0.len();
                requests.push(Ordered {
                    author: id.author,
                    vertex_round: id.round,
                    bytes: request.0.clone(),
                });
            }
        }
        if planted!(MapOrder) {
            requests.reverse();
        }
        self.batches += 1;
        Batch { round: closed.round, time: self.time, requests, mark: self.mark() }
    }

    fn mark(&mut self) -> Option<Arc<Mark>> {
        if self.batches < MARK_BATCHES && self.bytes < MARK_BYTES {
            return None;
        }
        let (round, previous) = (self.last_batch, self.marked);
        (self.marked, self.batches, self.bytes) = (round, 0, 0);
        let delivered = self.delivered.iter().copied().collect();
        Some(Arc::new(Mark { round, previous, time: self.time, delivered }))
    }

    /// Takes the open vertices of a leader's history. What lies behind a delivered vertex and in this leader's window
    /// lay in that of the leader that delivered it.
    fn deliver(&mut self, dag: &Dag, leader: VertexRef, delivered: &mut BTreeSet<VertexRef>) {
        let depth = HISTORY_ROUNDS - u64::from(planted!(ShallowDelivery));
        let oldest = leader.round.saturating_sub(depth);
        let mut stack = vec![leader];
        while let Some(id) = stack.pop() {
            if id.round < oldest || !self.open.remove(&id) {
                continue;
            }
            self.open_payload.remove(&id);
            stack.extend(dag.get(&id).expect("open vertices are accepted").body().links());
            delivered.insert(id);
        }
    }
}

/// The requests delivered by leaders at or above the collection line, by digest: not proposed again. Of one that is older and
/// proposed again nothing comes: execution remembers it, or its signature's time is over.
#[derive(Default)]
struct Recent {
    known: BTreeSet<Digest>,
    order: VecDeque<(u64, Digest)>,
}

impl Recent {
    fn insert(&mut self, round: u64, request: &[u8]) {
        let name = Self::name(request);
        if self.known.insert(name) {
            self.order.push_back((round, name));
        }
        if self.order.len() > MAX_REPLAY_ENTRIES {
            self.forget_oldest();
        }
    }

    fn collect(&mut self, line: u64) {
        while self.order.front().is_some_and(|(round, _)| *round < line) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        self.order.pop_front().map(|(_, oldest)| self.known.remove(&oldest));
    }

    fn contains(&self, request: &[u8]) -> bool {
        self.known.contains(&Self::name(request))
    }

    fn name(request: &[u8]) -> Digest {
        digest("conclave/request", &[request])
    }
}
