//! When a replica makes a vertex, for which round, and what it links.
//!
//! A replica may make a vertex for any round above its last own one whose preceding round has q accepted vertices. It
//! does so if it has payload, or knows a vertex with payload, not excluded by age, that is in no closed batch, or has
//! seen a higher round from a peer; for a higher round alone it makes no vertex above the highest round seen, and
//! answers so at a bounded pace. Otherwise it stays silent.
//! - *Waking*: requests enter only a vertex of the highest round it may make, whose parents' lower median time is at
//!   most 10 s behind its clock; otherwise it makes an empty one and tests again, at most three in a row.
//! - *Closing*: before it falls silent it makes vertices whose history holds everything from which its last closed
//!   batch that holds a request was decided.
//! - *Gathering*: with a quorum of the preceding round it waits a few milliseconds for the authors that took part in the
//!   round before that one, unless somebody is further on already: a tunable, never a condition.
//!
//! - *Awaiting*: a replica whose epoch follows another makes no vertex before it has a state to begin with: it could execute and
//!   certify nothing, and so let go of nothing. No round above 1 can be made before n - 2t correct ones have begun.
//! - *Floor*: a replica that lost its log makes no vertex below the round at which it may resume ([`super::observe`]), and one
//!   at or above it at once, for until then it counts among the t.
//!
//! Where the text leaves it open: a proven equivocator's vertices keep no replica awake, and are linked only as parents
//! without which there is no quorum, and weakly to close: a batch that this replica decided from them must be decided by
//! all. These are accepted already when the batch closes, and each is linked once, so they are soon used up. The rounds
//! that count as seen are those of *accepted* vertices, so that a forged far round wakes nobody; weak links go to the tips
//! of what is not reached, whose histories hold the rest.

use super::dag::Dag;
use super::delivery::Delivery;
use super::pace::Pace;
use super::pending::Pending;
use super::vertex::{Vertex, VertexRef};
use crate::limits::{HISTORY_ROUNDS, MAX_WEAK_LINKS};
use crate::quorum::{Committee, ReplicaId};
use crate::time::{SECOND, UnixMillis};
use std::collections::{BTreeMap, BTreeSet};

/// How far behind its own clock a replica lets agreed time be when requests enter, in milliseconds.
const FRESH_MS: u64 = 10 * SECOND;
/// Empty vertices in a row that may wait for fresh time: the own clock may be the fast one.
const MAX_WAKING: u8 = 3;
/// Vertices made only because others are further on: so many at once, then one each so many milliseconds.
const ANSWER_BURST: u64 = 32;
const ANSWER_REFILL_MS: u64 = 200;

/// What a replica proposes and has linked.
///
/// Invariant: `unreached` are the accepted vertices, in the window of the next vertex, outside the history of `newest`.
pub(super) struct Creation {
    committee: Committee,
    me: ReplicaId,
    gather_ms: u64,
    /// Its newest vertex; round 0 before the first.
    pub newest: VertexRef,
    /// The lowest round of which it may make a vertex.
    pub floor: u64,
    /// Whether the replica has no state yet.
    pub awaits: bool,
    pub pending: Pending,
    /// Proven equivocators, each with its proof.
    pub excluded: BTreeMap<ReplicaId, (Vertex, Vertex)>,
    unreached: BTreeSet<VertexRef>,
    closing: BTreeSet<VertexRef>,
    seen: u64,
    waking: u8,
    answers: Pace,
    /// The round of which a quorum is held, and since when.
    quorum: (u64, UnixMillis),
}

/// Whether to make a vertex.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Decision {
    /// For this round, now.
    Make(u64),
    /// Not before this moment, if nothing comes.
    Wait(UnixMillis),
    /// There is a reason to, but the rounds have not reached the floor.
    Below,
    /// No reason to, or no quorum below.
    Silence,
}

/// What a vertex links: parents in the order of authors, weak links in their order.
pub(super) struct Links {
    pub parents: Vec<VertexRef>,
    pub weak: Vec<VertexRef>,
}

impl Creation {
    pub fn new(committee: Committee, me: ReplicaId, gather_ms: u64, genesis: VertexRef) -> Self {
        Self {
            committee,
            me,
            gather_ms,
            newest: genesis,
            floor: 0,
            awaits: false,
            pending: Pending::default(),
            excluded: BTreeMap::new(),
            unreached: BTreeSet::new(),
            closing: BTreeSet::new(),
            seen: 0,
            waking: 0,
            answers: Pace::new(ANSWER_BURST, ANSWER_REFILL_MS),
            quorum: (0, UnixMillis(0)),
        }
    }

    /// Takes a newly accepted vertex of another replica.
    pub fn accepted(&mut self, id: VertexRef) {
        self.unreached.insert(id);
        if !self.excluded.contains_key(&id.author) {
            self.seen = self.seen.max(id.round);
        }
    }

    /// A replica that must not go on below `round` asks for it: somebody makes the vertices it lacks.
    pub fn wanted(&mut self, round: u64) {
        self.seen = self.seen.max(round);
    }

    /// Forgets what is below the collection line.
    pub fn collect(&mut self, line: u64) {
        let line = VertexRef::first_of(line);
        self.unreached = self.unreached.split_off(&line);
        self.closing = self.closing.split_off(&line);
    }

    /// A batch that holds a request closed, decided from vertices up to round `evidence`.
    pub fn closed(&mut self, evidence: u64) {
        let above = VertexRef::first_of(evidence + 1);
        self.closing = self.unreached.range(..above).copied().collect();
    }

    /// Whether to make a vertex now.
    pub fn decide(&mut self, now: UnixMillis, dag: &Dag, delivery: &Delivery) -> Decision {
        let quorum_round = dag.quorum_round();
        if quorum_round != self.quorum.0 {
            self.quorum = (quorum_round, now);
        }
        let highest = quorum_round + 1;
        if self.awaits
            || highest <= self.newest.round
            || dag.firsts(quorum_round).count() < self.committee.quorum()
        {
            return Decision::Silence;
        }
        let resumes = self.newest.round < self.floor;
        let awake =
            resumes || !self.pending.is_empty() || delivery.awaits_payload(|author| self.links(author));
        if awake || self.must_close(highest, delivery) {
            return if highest < self.floor { Decision::Below } else { self.gather(now, highest, dag) };
        }
        let round = highest.min(self.seen);
        if round <= self.newest.round
            || round < self.floor
            || dag.firsts(round - 1).count() < self.committee.quorum()
        {
            return Decision::Silence;
        }
        if self.answers.take(now) { Decision::Make(round) } else { Decision::Wait(self.answers.next()) }
    }

    /// Whether the requests that wait may enter a vertex with these parents; an empty vertex is noted.
    pub fn may_enter(&mut self, now: UnixMillis, round: u64, parents: &[VertexRef], dag: &Dag) -> bool {
        if self.pending.is_empty() || round != self.quorum.0 + 1 {
            return false;
        }
        let stale = now.since(dag.median_time(parents.iter().copied())) > FRESH_MS;
        let enter = !stale || self.waking == MAX_WAKING;
        self.waking = if enter { 0 } else { self.waking + 1 };
        enter
    }

    /// What a vertex of `round` links: as parent the first accepted of each author, and weakly, oldest first, the tips of
    /// what is neither delivered nor reached.
    pub fn link(&self, round: u64, dag: &Dag, delivery: &Delivery) -> Links {
        let parents = self.parents(round - 1, dag);
        let window = oldest_linked(round)..VertexRef::first_of(round);
        let mut beyond: BTreeSet<VertexRef> = self.unreached.range(window).copied().collect();
        beyond.extend((self.newest >= oldest_linked(round)).then_some(self.newest));
        for parent in &parents {
            reach(&mut beyond, dag, *parent);
        }
        let mut tips = BTreeSet::new();
        for id in beyond.clone().iter().rev() {
            let wanted = self.links(id.author) || self.closing.contains(id);
            if beyond.contains(id) && wanted && delivery.is_open(id) {
                reach(&mut beyond, dag, *id);
                tips.insert(*id);
            }
        }
        Links { parents, weak: tips.into_iter().take(MAX_WEAK_LINKS).collect() }
    }

    /// Takes the own vertex with these links: from now on the newest.
    pub fn made(&mut self, id: VertexRef, links: impl Iterator<Item = VertexRef>, dag: &Dag) {
        self.unreached.insert(self.newest);
        for link in links {
            reach(&mut self.unreached, dag, link);
        }
        self.unreached = self.unreached.split_off(&oldest_linked(id.round + 1));
        self.newest = id;
        let (unreached, closing) = (&self.unreached, &mut self.closing);
        closing.retain(|id| unreached.contains(id));
    }

    fn links(&self, author: ReplicaId) -> bool {
        !self.excluded.contains_key(&author)
    }

    /// The first accepted of each author that is linked; where these are no quorum, with as many of the others as it
    /// takes. Else replicas that went on with an author's vertices before it was proven Byzantine, and in other rounds
    /// without a slow one's, could have no quorum in common any more, and stop for ever.
    fn parents(&self, round: u64, dag: &Dag) -> Vec<VertexRef> {
        let (linked, shunned): (Vec<VertexRef>, Vec<VertexRef>) =
            dag.firsts(round).partition(|id| self.links(id.author));
        let lacking = self.committee.quorum().saturating_sub(linked.len());
        let mut parents: Vec<VertexRef> =
            linked.into_iter().chain(shunned.into_iter().take(lacking)).collect();
        parents.sort_unstable();
        parents
    }

    /// Whether the last batch with a request was decided from a vertex that no own vertex reaches yet.
    fn must_close(&self, highest: u64, delivery: &Delivery) -> bool {
        let oldest = highest.saturating_sub(HISTORY_ROUNDS);
        self.closing.iter().any(|id| id.round >= oldest && delivery.is_open(id))
    }

    fn gather(&self, now: UnixMillis, round: u64, dag: &Dag) -> Decision {
        let active = |id: &VertexRef| id.author != self.me && self.links(id.author);
        let (below, before) = (round - 1, round.saturating_sub(2));
        let late = dag.firsts(before).filter(active).any(|id| dag.first(below, id.author).is_none());
        let until = self.quorum.1.plus(self.gather_ms);
        let waits = late && self.seen < round && now < until && now >= self.quorum.1;
        if waits { Decision::Wait(until) } else { Decision::Make(round) }
    }
}

/// The lower end of what a vertex of this round may link. Genesis vertices hold nothing.
fn oldest_linked(round: u64) -> VertexRef {
    VertexRef::first_of(round.saturating_sub(HISTORY_ROUNDS).max(1))
}

/// Removes from `unreached` a vertex and its history. What lies behind a reached vertex is reached.
fn reach(unreached: &mut BTreeSet<VertexRef>, dag: &Dag, from: VertexRef) {
    let mut stack = vec![from];
    while let Some(id) = stack.pop() {
        if unreached.remove(&id) {
            stack.extend(dag.get(&id).into_iter().flat_map(|vertex| vertex.body().links()));
        }
    }
}
