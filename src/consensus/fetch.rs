//! Asking for what is lacking, and answering who asks.
//!
//! Missing ancestors are asked for lowest round first, of the author that needs them first and then of the others in
//! turn, at a pace that falls with each try. For a gap of many rounds, after a restart or a lost link queue, a `Range`
//! walks up from the highest round of which a quorum is held: each page names where the next begins.
//! Answers are bounded in size and pace, whatever is asked.

use super::Message;
use super::dag::Dag;
use super::pace::Pace;
use super::vertex::{Vertex, VertexRef};
use super::waiting::Waiting;
use crate::codec::encode;
use crate::limits::{MAX_FRAME_BYTES, MAX_WEAK_LINKS};
use crate::protocol::To;
use crate::quorum::{Committee, ReplicaId};
use crate::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet};

/// Vertices asked for at a time, for one needing author.
pub(super) const MAX_FETCH: usize = 64;
/// Vertices and bytes of one answer, beyond its first vertex: one step's worth of signature checks.
pub(super) const MAX_PAGE_VERTICES: usize = 256;
const MAX_PAGE_BYTES: usize = 256 * 1024;
/// Milliseconds before the first retry; doubles with each.
const RETRY_MS: u64 = 300;
const MAX_RETRY_DOUBLINGS: u32 = 6;
/// A lacking ancestor this many rounds up makes a range worth while.
const DEEP_ROUNDS: u64 = 4;
/// Tries of a page before the range is given up; a new link begins another.
const MAX_RANGE_TRIES: u32 = 5;
/// Answers to one peer: so many at once, then one each so many milliseconds.
const SERVE_BURST: u64 = 128;
const SERVE_REFILL_MS: u64 = 10;

/// A vertex and a page fit a frame: payload, links and what is around them.
const _: () = assert!(MAX_PAGE_BYTES + 128 * 1024 + 48 * MAX_WEAK_LINKS < MAX_FRAME_BYTES);

/// A question, when it was put last, and how often.
#[derive(Clone, Copy)]
struct Ask {
    at: UnixMillis,
    tries: u32,
}

impl Ask {
    fn due(&self) -> UnixMillis {
        self.at.plus(RETRY_MS << (self.tries.saturating_sub(1)).min(MAX_RETRY_DOUBLINGS))
    }

    fn is_due(&self, now: UnixMillis) -> bool {
        now >= self.due() || now < self.at
    }
}

struct Range {
    cursor: VertexRef,
    ask: Ask,
}

/// What is asked for, and of whom; what is answered, and how fast.
pub(super) struct Fetch {
    committee: Committee,
    me: ReplicaId,
    asks: BTreeMap<VertexRef, Ask>,
    ranges: BTreeMap<ReplicaId, Range>,
    deep: BTreeMap<ReplicaId, Ask>,
    dropped: BTreeSet<ReplicaId>,
    serving: BTreeMap<ReplicaId, Pace>,
}

impl Fetch {
    pub fn new(committee: Committee, me: ReplicaId) -> Self {
        Self {
            committee,
            me,
            asks: BTreeMap::new(),
            ranges: BTreeMap::new(),
            deep: BTreeMap::new(),
            dropped: BTreeSet::new(),
            serving: BTreeMap::new(),
        }
    }

    /// The link to `peer` is new: everything is asked for at once again, and a range begins.
    pub fn linked(&mut self, now: UnixMillis, peer: ReplicaId, quorum_round: u64) -> Message {
        self.asks.clear();
        self.deep.clear();
        let cursor = VertexRef::first_of(quorum_round.max(1));
        self.ask_range(now, peer, cursor, 1)
    }

    /// Something of `peer` had to be dropped: ask again when there is room.
    pub fn dropped(&mut self, peer: ReplicaId) {
        self.dropped.insert(peer);
    }

    /// Whether a page of this peer is awaited.
    pub fn awaits_page(&self, peer: ReplicaId) -> bool {
        self.ranges.contains_key(&peer)
    }

    /// A page of `peer` came; `next` is where it says the rest begins. Only a page that leads upward goes on.
    pub fn paged(
        &mut self,
        now: UnixMillis,
        peer: ReplicaId,
        last: Option<VertexRef>,
        next: Option<VertexRef>,
    ) -> Option<Message> {
        let range = self.ranges.remove(&peer)?;
        let cursor = next.filter(|next| last.is_some_and(|last| range.cursor <= last && last < *next))?;
        Some(self.ask_range(now, peer, cursor, 1))
    }

    /// What to ask now, and when to look again.
    pub fn schedule(
        &mut self,
        now: UnixMillis,
        waiting: &Waiting,
        quorum_round: u64,
    ) -> (Vec<(To, Message)>, Option<UnixMillis>) {
        let mut send: Vec<(To, Message)> = Vec::new();
        let mut wake: Vec<UnixMillis> = Vec::new();
        let mut questions: BTreeMap<ReplicaId, Vec<VertexRef>> = BTreeMap::new();
        let mut asks = BTreeMap::new();
        for needing in self.committee.members() {
            let most = if planted!(NothingFetched) { 0 } else { MAX_FETCH };
            let missing: Vec<VertexRef> = waiting.missing(needing).take(most).collect();
            for id in &missing {
                let ask = self.ask(now, *id, needing, &mut questions);
                wake.push(ask.due());
                asks.insert(*id, ask);
            }
            let lowest = missing.first().map_or(0, |id| id.round);
            let refill = self.dropped.contains(&needing) && waiting.has_room(needing);
            if (lowest > quorum_round + DEEP_ROUNDS || refill) && needing != self.me {
                send.extend(self.ask_deep(now, needing, quorum_round));
            }
        }
        self.asks = asks;
        for (peer, ids) in questions {
            send.extend(ids.chunks(MAX_FETCH).map(|ids| (To::One(peer), Message::Fetch(ids.to_vec()))));
        }
        send.extend(self.retry_ranges(now));
        wake.extend(self.ranges.values().map(|range| range.ask.due()));
        (send, wake.into_iter().min())
    }

    /// Puts the question for `id` if it is due: first to the author that needs it, then to the others in turn.
    fn ask(
        &self,
        now: UnixMillis,
        id: VertexRef,
        needing: ReplicaId,
        questions: &mut BTreeMap<ReplicaId, Vec<VertexRef>>,
    ) -> Ask {
        let before = self.asks.get(&id).copied();
        let tries = match before {
            Some(ask) if !ask.is_due(now) => return ask,
            Some(ask) => ask.tries,
            None => 0,
        };
        let others: Vec<ReplicaId> = self.committee.others(self.me).collect();
        let start = others.iter().position(|other| *other == needing).unwrap_or(0);
        if let Some(peer) = others.get((start + tries as usize) % others.len().max(1)) {
            let ids = questions.entry(*peer).or_default();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ask { at: now, tries: tries.saturating_add(1) }
    }

    fn ask_deep(&mut self, now: UnixMillis, peer: ReplicaId, quorum_round: u64) -> Option<(To, Message)> {
        let before = self.deep.get(&peer).copied();
        if self.ranges.contains_key(&peer) || before.is_some_and(|ask| !ask.is_due(now)) {
            return None;
        }
        self.dropped.remove(&peer);
        let tries = before.map_or(0, |ask| ask.tries).saturating_add(1);
        self.deep.insert(peer, Ask { at: now, tries });
        let cursor = VertexRef::first_of(quorum_round.max(1));
        Some((To::One(peer), self.ask_range(now, peer, cursor, 1)))
    }

    fn ask_range(&mut self, now: UnixMillis, peer: ReplicaId, cursor: VertexRef, tries: u32) -> Message {
        self.ranges.insert(peer, Range { cursor, ask: Ask { at: now, tries } });
        Message::Range(cursor)
    }

    fn retry_ranges(&mut self, now: UnixMillis) -> Vec<(To, Message)> {
        self.ranges.retain(|_, range| !range.ask.is_due(now) || range.ask.tries < MAX_RANGE_TRIES);
        let due: Vec<(ReplicaId, VertexRef, u32)> = self
            .ranges
            .iter()
            .filter(|(_, range)| range.ask.is_due(now))
            .map(|(peer, range)| (*peer, range.cursor, range.ask.tries + 1))
            .collect();
        due.into_iter()
            .map(|(peer, cursor, tries)| (To::One(peer), self.ask_range(now, peer, cursor, tries)))
            .collect()
    }

    /// Whether `peer` may be answered now; it asks again if not.
    pub fn may_serve(&mut self, now: UnixMillis, peer: ReplicaId) -> bool {
        self.serving.entry(peer).or_insert_with(|| Pace::new(SERVE_BURST, SERVE_REFILL_MS)).take(now)
    }
}

/// Of the vertices asked for, those that are held and fit.
pub(super) fn answer_fetch(dag: &Dag, ids: &[VertexRef]) -> Vec<Vertex> {
    page(ids.iter().filter_map(|id| Some((*id, dag.get(id)?)))).0
}

/// The vertices from `cursor` on, as many as fit, and where the rest begins.
pub(super) fn answer_range(dag: &Dag, cursor: VertexRef) -> (Vec<Vertex>, Option<VertexRef>) {
    page(dag.from(cursor).map(|(id, vertex)| (*id, vertex)))
}

fn page<'a>(vertices: impl Iterator<Item = (VertexRef, &'a Vertex)>) -> (Vec<Vertex>, Option<VertexRef>) {
    let mut page = Vec::new();
    let mut bytes = 0;
    for (id, vertex) in vertices {
        bytes += encode(vertex).len();
        if !page.is_empty() && (bytes > MAX_PAGE_BYTES || page.len() == MAX_PAGE_VERTICES) {
            return (page, Some(id));
        }
        page.push(vertex.clone());
    }
    (page, None)
}
