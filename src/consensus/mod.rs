//! Asynchronous Byzantine atomic broadcast on an uncertified DAG, after Mahi-Mahi (Jovanovic et al., ICDCS 2025,
//! wave length 5) with the common coin of Cachin, Kursawe and Shoup (PODC 2000). One mode: no leader, no view change,
//! no timer decides anything.
//!
//! **Assumes** n replicas known per epoch, at most t = ⌊(n-1)/3⌋ of them Byzantine, q = n - t; an adversary that
//! schedules every message; links between correct replicas that lose nothing for ever, or report a gap, upon which
//! both ends call [`Consensus::linked`]; a log that keeps records in order, and keeps what was synced.
//!
//! **Guarantees.** *Agreement and order*: of any two correct replicas' delivered sequences one is a prefix of the other.
//! *Integrity*: each vertex is delivered at most once; a request may come again (another replica proposes it once age
//! excluded its first vertex), and the state machine executes it once. *Validity*: a request that a correct replica
//! takes is delivered with probability 1, whatever the scheduler does.
//!
//! **Steps**, each in its module, whose text is its specification:
//! 1. `vertex`: the only protocol message, and when it is valid.
//! 2. `intake`: verify, keep the first of each slot, wait for ancestors (`waiting`), accept into the `dag`, record.
//!    `fetch`: ask for what is lacking, answer who asks. [`alert`](Alert): what of an equivocator may be accepted.
//! 3. [`coin`]: a share of round r in each vertex of round r+4; t+1 tell the order of round r's n leader slots.
//! 4. `commit`: decide the slots in that order: Mahi-Mahi's direct and indirect rules, and where they differ from it.
//! 5. `delivery`: histories of committed leaders into batches with agreed time.
//! 6. `create`: when to make the next vertex and when to be silent; `pending`: what it carries.
//! 7. [`checkpoint`]: what t+1 replicas certify, so that history can go. `resume`: going on from there, or from the log.
//!    `observe`: how a replica without a log begins.
//! 8. [`finale`](Finale): how an epoch ends.
//!
//! **Order of effects.** A step's records, in their order, are durable before its messages leave: accepted vertices,
//! then the own vertex that links them. So a replica that restarts never contradicts what it sent, and what its vertices
//! link is never lost with it.
//!
//! **Bounds.** Vertices that wait, requests that wait, questions and answers have quotas or a pace, each by the author it
//! is charged to. The accepted DAG holds the rounds from 64 before the last checkpoint but one on, of each n - t + 2tn vertices
//! at most, whatever t corrupt replicas do together (`alert`).
//!
//! **Deviates** from the paper: all n slots of a round are leader slots, ordered by a real coin; weak links and an age
//! limit of 64 rounds for delivery; a batch a round; agreed time; silence when idle.

mod alert;
pub mod checkpoint;
pub mod coin;
mod commit;
mod create;
mod dag;
mod delivery;
mod fetch;
mod finale;
pub mod forge;
mod identity;
mod intake;
mod message;
mod observe;
mod onlooker;
mod pace;
mod pending;
mod resume;
mod vertex;
mod waiting;

#[cfg(test)]
mod tests;

pub use alert::{Alert, Listed, Subject};
pub use checkpoint::{Certificate, Mark, Statement};
pub use coin::{CoinPublic, CoinSecret};
pub use commit::SlotOutcome;
pub use finale::{Authority, Ending, Finale};
pub use identity::{IdentityKey, Signature};
pub use message::{Message, Record};
pub use onlooker::Onlooker;
pub use pace::Pace;
pub use resume::Base;
pub use vertex::{Body, Request, Vertex, VertexRef};

use crate::codec::{ClusterId, Digest, Epoch};
use crate::protocol::{Fault, To};
use crate::quorum::{Committee, ReplicaId};
use crate::time::{AgreedTime, UnixMillis};
use alert::Alerts;
use checkpoint::Checkpoints;
use coin::{CoinShare, Toss};
use commit::Rule;
use create::{Creation, Decision};
use dag::Dag;
use delivery::Delivery;
use fetch::Fetch;
use finale::End;
use observe::Observe;
use std::collections::BTreeMap;
use std::sync::Arc;
use vertex::Domain;
use waiting::Waiting;

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
    /// The time of the round-0 vertices: when the cluster was dealt; 0 where another epoch was before.
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
    /// The rounds that closed, in order, with or without a batch: for logs, drawings and the simulator.
    pub closed: Vec<ClosedRound>,
    /// What peers did wrong.
    pub faults: Vec<Fault>,
    /// When [`Consensus::tick`] should come, if nothing else does. Replaces what the step before said.
    pub wake_at: Option<UnixMillis>,
}

/// A round of which all slots are decided, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClosedRound {
    /// Which; strictly ascending, without gaps.
    pub round: u64,
    /// Its n slots, in the coin's order.
    pub slots: Vec<SlotOutcome>,
    /// Vertices that age excludes from now on.
    pub excluded: usize,
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
    /// Whoever has executed this batch makes a checkpoint of it.
    pub mark: Option<Arc<Mark>>,
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
    /// Bytes of these, of the author that is charged for most.
    pub waiting_bytes: usize,
    /// Ancestors that are lacking.
    pub missing: usize,
    /// Bytes of requests that wait to enter a vertex.
    pub pending_bytes: usize,
    /// Authors proven Byzantine.
    pub excluded: Vec<ReplicaId>,
    /// Vertices of lower rounds matter no more.
    pub line: u64,
    /// The lowest round of which a vertex is kept, for others.
    pub kept_from: u64,
    /// The round of the newest certified checkpoint that was executed here, 0 before the first.
    pub stable: u64,
    /// The round of the newest certified checkpoint, 0 before the first.
    pub certified: u64,
    /// Whether its log was empty and it has made no vertex since: it counts among the t.
    pub observes: bool,
}

/// Atomic broadcast at one replica: a value that takes one input and returns one step.
///
/// Invariants: 1. it makes one vertex a round, ever, of rounds that ascend; 2. the record of an own vertex follows
/// those of all its ancestors; 3. batches depend on the accepted vertices only, not on when they came.
pub struct Consensus {
    config: Config,
    secrets: Secrets,
    domain: Domain,
    entropy: [u8; 32],
    dag: Dag,
    waiting: Waiting,
    fetch: Fetch,
    shares: BTreeMap<u64, BTreeMap<ReplicaId, CoinShare>>,
    rule: Rule,
    delivery: Delivery,
    creation: Creation,
    checkpoints: Checkpoints,
    alerts: Alerts,
    observe: Observe,
    end: End,
    /// Of each author the highest round of a vertex below the line whose requests were proposed again.
    relayed: BTreeMap<ReplicaId, u64>,
}

impl Consensus {
    /// Takes a request to be ordered. One that does not fit ([`Consensus::has_room`]) is dropped.
    pub fn submit(&mut self, now: UnixMillis, request: Vec<u8>) -> Step {
        if self.has_room(request.len()) && !self.end.is_near() {
            self.creation.pending.submit(self.config.me, Request(request.into()));
        }
        self.finish(now, Step::default())
    }

    /// Whether a request of so many bytes can be taken now.
    pub fn has_room(&self, bytes: usize) -> bool {
        let me = self.config.me;
        let own = self.delivery.undelivered().filter(|id| id.author == me);
        let requests = own.filter_map(|id| self.dag.get(&id)).flat_map(|vertex| &vertex.body().payload);
        let under_way = requests.map(|request| self.creation.pending.reserved(request)).sum();
        self.creation.pending.has_room(me, under_way, bytes)
    }

    /// Takes a message that the link authenticated as `from`'s.
    pub fn message(&mut self, now: UnixMillis, from: ReplicaId, message: Message) -> Step {
        let mut step = Step::default();
        if self.config.committee.contains(from) && from != self.config.me {
            self.take(now, from, message, &mut step);
        }
        self.finish(now, step)
    }

    /// The link to `peer` is new, or has lost something: resynchronise. Both ends do so: each pushes its newest vertex
    /// and what it knows of checkpoints, and asks for what the other has beyond its own highest quorum.
    pub fn linked(&mut self, now: UnixMillis, peer: ReplicaId) -> Step {
        let mut step = Step::default();
        if self.config.committee.contains(peer) && peer != self.config.me && !planted!(LinkedUnheard) {
            let newest = self.dag.get(&self.creation.newest).cloned();
            step.send.extend(newest.map(|vertex| (To::One(peer), Message::Vertex(vertex))));
            let certificate = self.checkpoints.newest().cloned().map(Message::Certified);
            let votes =
                self.checkpoints.own_votes(self.config.me).map(|(s, signature)| Message::Vote(s, signature));
            let question = self.observe.observes().then(|| self.observe.question(0));
            let range = self.fetch.linked(now, peer, self.dag.quorum_round());
            let all =
                certificate.into_iter().chain(votes).chain(question).chain(self.evidence()).chain([range]);
            step.send.extend(all.map(|message| (To::One(peer), message)));
            self.tell_end(peer, &mut step);
        }
        self.finish(now, step)
    }

    /// Time has passed.
    pub fn tick(&mut self, now: UnixMillis) -> Step {
        self.finish(now, Step::default())
    }

    /// This replica has executed a batch with a mark: its statement, which becomes its vote.
    pub fn executed(&mut self, now: UnixMillis, statement: Statement) -> Step {
        let mut step = Step::default();
        let me = self.config.me;
        let vote = self.checkpoints.executed(me, statement, &self.domain, &self.secrets.identity);
        if self.config.committee.n() > 1 {
            step.send.push((To::Others, Message::Vote(vote.0, vote.1)));
        }
        self.checkpoints.voted(me, vote, self.config.committee);
        self.settle(&mut step);
        self.finish(now, step)
    }

    /// Whether a vertex is lacking that others may have collected, or do without, so that only a checkpoint leads on.
    pub fn lacks_history(&self) -> bool {
        let behind = self.checkpoints.newest().filter(|newest| self.rule.next() <= newest.statement.round);
        let Some(line) = behind.map(|newest| newest.statement.line()) else { return false };
        self.waiting.lowest_missing().is_some_and(|lacking| lacking < line)
    }

    /// The round of this replica's newest vertex, and the first round that is not decided.
    pub fn rounds(&self) -> (u64, u64) {
        (self.creation.newest.round, self.rule.next())
    }

    /// A view of the state.
    pub fn status(&self) -> Status {
        let (last_batch, time) = self.delivery.last();
        let round = |certificate: Option<&Certificate>| certificate.map_or(0, |c| c.statement.round);
        Status {
            round: self.creation.newest.round,
            quorum_round: self.dag.quorum_round(),
            next_round: self.rule.next(),
            last_batch,
            time,
            accepted: self.dag.len(),
            waiting: self.waiting.len(),
            waiting_bytes: self.waiting.most_bytes(),
            missing: self.waiting.lacking(),
            pending_bytes: self.creation.pending.bytes(),
            excluded: self.creation.excluded.keys().copied().collect(),
            line: self.dag.line(),
            kept_from: self.dag.kept_from(),
            stable: round(self.checkpoints.stable()),
            certified: round(self.checkpoints.newest()),
            observes: self.observe.observes() || self.creation.newest.round < self.creation.floor,
        }
    }

    /// Orders what can be ordered, makes the vertices that are due, and asks for what is lacking.
    fn finish(&mut self, now: UnixMillis, mut step: Step) -> Step {
        if self.end.is_over() {
            step.wake_at = None;
            return step;
        }
        let wait = loop {
            self.order(&mut step);
            if self.observe.observes() && !self.begin(&mut step) {
                break Some(self.ask_to_observe(now, 0, &mut step));
            }
            match self.creation.decide(now, &self.dag, &self.delivery) {
                Decision::Make(round) => self.make(now, round, &mut step),
                Decision::Wait(until) => break Some(until),
                Decision::Below => break Some(self.ask_to_observe(now, self.creation.floor - 1, &mut step)),
                Decision::Silence => break None,
            }
        };
        let (questions, look) = self.fetch.schedule(now, &self.waiting, self.dag.quorum_round());
        step.send.extend(questions);
        step.wake_at = wait.into_iter().chain(look).min();
        step
    }

    /// Closes the rounds that are decided.
    fn order(&mut self, step: &mut Step) {
        for closed in self.rule.advance() {
            let (batch, excluded) = self.delivery.close(&self.dag, &closed);
            if batch.as_ref().is_some_and(|batch| !batch.requests.is_empty()) {
                self.creation.closed(closed.evidence);
            }
            for request in batch.iter().flat_map(|batch| &batch.requests) {
                self.creation.pending.delivered(&request.bytes);
            }
            step.batches.extend(batch);
            step.closed.push(ClosedRound {
                round: closed.round,
                slots: closed.slots,
                excluded: excluded.len(),
            });
            for id in excluded {
                self.propose_again(id);
            }
        }
        self.shares = self.shares.split_off(&self.rule.next());
    }

    /// Makes the own vertex of a round. Its record stands after those of its ancestors, and it is sent after both.
    fn make(&mut self, now: UnixMillis, round: u64, step: &mut Step) {
        let links = self.creation.link(round, &self.dag, &self.delivery);
        let enter = self.creation.may_enter(now, round, &links.parents, &self.dag);
        let newest = self.creation.newest;
        let body = Body {
            epoch: self.config.epoch,
            author: self.config.me,
            round,
            prev: self.prev(newest, round, &links.parents),
            parents: links.parents.iter().map(|parent| (parent.author, parent.digest)).collect(),
            weak: links.weak,
            time: now,
            payload: if enter { self.creation.pending.drain(self.config.me) } else { Vec::new() },
            coin_share: self.own_share(round),
        };
        assert!(round > newest.round, "one vertex a round, ever: {round} after {newest:?}");
        assert_eq!(body.check(self.config.committee, &self.domain), Ok(()), "an own vertex is valid");
        let vertex = Vertex::sign(body, &self.domain, &self.secrets.identity);
        let id = vertex.id(&self.domain);
        step.records.push(Record::Own(vertex.clone()));
        if self.config.committee.n() > 1 {
            step.send.push((To::Others, Message::Vertex(vertex.clone())));
        }
        self.enter(id, vertex.clone());
        self.creation.made(id, vertex.body().links(), &self.dag);
    }

    /// Notes an accepted vertex for those to come. An own one that comes back from others is never contradicted.
    fn note(&mut self, id: VertexRef, vertex: &Vertex) {
        if id.author == self.config.me && id.round > self.creation.newest.round && !planted!(NewestForgotten)
        {
            self.creation.made(id, vertex.body().links(), &self.dag);
        } else {
            self.creation.accepted(id);
        }
    }

    fn prev(&self, newest: VertexRef, round: u64, parents: &[VertexRef]) -> Option<(u64, Digest)> {
        let named = newest.round > 0 && (newest.round != round - 1 || parents.contains(&newest));
        named.then_some((newest.round, newest.digest))
    }

    fn own_share(&self, round: u64) -> Option<CoinShare> {
        let tossed = coin::tossed_by(round)?;
        let fresh = self.domain.digest("conclave/coin entropy", &[&self.entropy, &tossed.to_be_bytes()]);
        Some(Toss::new(&self.domain, tossed).share(self.config.me, &self.secrets.coin, &fresh.0))
    }

    /// Takes a verified share; the k-th tells the round's leaders.
    fn take_share(&mut self, round: u64, author: ReplicaId, share: CoinShare) {
        if round < self.rule.next() {
            return;
        }
        let shares = self.shares.entry(round).or_default();
        if shares.insert(author, share).is_none() && shares.len() == self.config.coin.threshold() {
            let toss = Toss::new(&self.domain, round);
            if let Some(leaders) = toss.leaders(self.config.committee, &self.config.coin, shares) {
                self.rule.tossed(round, leaders);
            }
        }
    }
}
