//! Asking for what is lacking, and answering who asks.
//!
//! Of each asker's missing ancestors the lowest are asked for, each once however many ask for it: of its askers first, then
//! of the others in turn, so that nobody is passed over, at a pace that falls with each try. For a gap of many rounds, after a restart or a lost link queue, a `Range`
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

#[cfg(test)]
mod tests;

/// Vertices asked for at a time, for one asker.
pub(super) const MAX_FETCH: usize = 64;
/// Vertices and bytes of one answer, beyond its first vertex: one step's worth of signature checks.
pub(super) const MAX_PAGE_VERTICES: usize = 256;
const MAX_PAGE_BYTES: usize = 256 * 1024;
/// Milliseconds before the first retry; doubles with each.
const RETRY_MS: u64 = 300;
const MAX_RETRY_DOUBLINGS: u32 = 6;
/// A lacking ancestor this many rounds up makes a range worth while.
const DEEP_ROUNDS: u64 = 4;
/// Tries of a page before the range is given up, two minutes, for which a late page counts; a new link begins another.
const MAX_RANGE_TRIES: u32 = 12;
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

/// A question for a vertex, and who has been asked in this turn.
#[derive(Clone)]
struct Search {
    ask: Ask,
    asked: BTreeSet<ReplicaId>,
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
    asks: BTreeMap<VertexRef, Search>,
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
        let range = self.ranges.get(&peer)?;
        if last.is_some_and(|last| last < range.cursor) {
            return None; // the answer to an earlier try, once more
        }
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
        let most = if planted!(NothingFetched) { 0 } else { MAX_FETCH };
        let mut askers: BTreeMap<VertexRef, Vec<ReplicaId>> = BTreeMap::new();
        for asker in self.committee.others(self.me) {
            for id in waiting.missing(asker).take(most) {
                askers.entry(id).or_default().push(asker);
            }
            let lowest = waiting.missing(asker).next().map_or(0, |id| id.round);
            let refill = self.dropped.contains(&asker) && waiting.has_room(asker);
            if lowest > quorum_round + DEEP_ROUNDS || refill {
                send.extend(self.ask_deep(now, asker, quorum_round));
            }
        }
        let mut questions: BTreeMap<ReplicaId, Vec<VertexRef>> = BTreeMap::new();
        self.asks.retain(|id, _| askers.contains_key(id));
        for (id, askers) in askers {
            if let Some(peer) = self.search(now, id, askers) {
                questions.entry(peer).or_default().push(id);
            }
        }
        for (peer, ids) in questions {
            send.extend(ids.chunks(MAX_FETCH).map(|ids| (To::One(peer), Message::Fetch(ids.to_vec()))));
        }
        send.extend(self.retry_ranges(now));
        let asks = self.asks.values().map(|search| search.ask.due());
        (send, asks.chain(self.ranges.values().map(|range| range.ask.due())).min())
    }

    /// Whom to ask for `id` now, if that is due: each other one once, the askers first, and then all again.
    fn search(&mut self, now: UnixMillis, id: VertexRef, askers: Vec<ReplicaId>) -> Option<ReplicaId> {
        let never = Search { ask: Ask { at: now, tries: 0 }, asked: BTreeSet::new() };
        let search = self.asks.entry(id).or_insert(never);
        if search.ask.tries > 0 && !search.ask.is_due(now) {
            return None;
        }
        let peers: Vec<ReplicaId> = askers.into_iter().chain(self.committee.others(self.me)).collect();
        if peers.iter().all(|peer| search.asked.contains(peer)) {
            search.asked.clear();
        }
        let peer = peers.into_iter().find(|peer| !search.asked.contains(peer))?;
        search.asked.insert(peer);
        search.ask = Ask { at: now, tries: search.ask.tries.saturating_add(1) };
        Some(peer)
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
