//! From a peer's message to accepted vertices.
//!
//! Of pushed vertices the first per (author, round) is kept; others only if a vertex that is held links them. A vertex
//! is accepted once all its ancestors (parents and weak) are; acceptance is recorded, so that an own vertex that
//! links it is never durable without it. Two signed vertices of one author and round are a proof of fault: it is
//! recorded and passed on once, and the author is linked no more in the epoch, but as a parent where a quorum lacks it,
//! and to close. From then on its vertices are taken only if a vertex of an author that is not proven anything needs
//! them, itself or through others (`waiting`), and accepted only if a certified alert lists them ([`super::alert`]): so at most
//! n - t + 2tn vertices of a round are accepted.
//!
//! A vertex that its author pushes and that is below the collection line can be accepted no more; its requests are proposed
//! again, of ascending rounds only, so that each (author, round) counts once.

use super::checkpoint::{Certificate, Statement};
use super::coin::{Toss, tossed_by};
use super::fetch::{self, MAX_FETCH, MAX_PAGE_VERTICES};
use super::identity::Signature;
use super::vertex::{Vertex, VertexRef};
use super::{Consensus, Message, Record, Step};
use crate::protocol::{Fault, Misbehaviour, To};
use crate::quorum::ReplicaId;
use crate::time::UnixMillis;
use std::collections::BTreeSet;

impl Consensus {
    pub(super) fn take(&mut self, now: UnixMillis, from: ReplicaId, message: Message, step: &mut Step) {
        match message {
            Message::Ended(ending, signature) => self.take_ended(from, ending, signature, step),
            Message::Finale(finale) => self.take_finale(from, finale, step),
            Message::Kept => self.take_kept(from),
            _ if self.end.is_over() => {}
            Message::Vertex(vertex) if vertex.body().round < self.dag.line() => {
                self.relay(from, &vertex, step);
            }
            Message::Vertex(vertex) => {
                self.receive(from, vertex, true, step);
            }
            Message::Vertices(vertices) | Message::Page(vertices, _)
                if vertices.len() > MAX_PAGE_VERTICES =>
            {
                // No correct replica sends so many: their signatures would keep this one from its work.
                step.faults.push(Fault { who: from, what: Misbehaviour::Malformed });
            }
            Message::Vertices(vertices) => {
                for vertex in vertices {
                    if !self.receive(from, vertex, false, step) {
                        break;
                    }
                }
            }
            Message::Page(vertices, next) => self.take_page(now, from, vertices, next, step),
            Message::Fetch(ids) => self.serve_fetch(now, from, &ids, step),
            Message::Range(cursor) => self.serve_range(now, from, cursor, step),
            Message::Proof(one, other) => self.take_proof(from, one, other, step),
            Message::Vote(statement, signature) => self.take_vote(from, statement, signature, step),
            Message::Certified(certificate) => self.take_certificate(from, certificate, step),
            Message::Observe { nonce, wants } => self.answer_observer(now, from, nonce, wants, step),
            Message::Newest { nonce, observes, newest, vertex } => {
                if let Some(vertex) = vertex {
                    self.receive(from, vertex, true, step);
                }
                self.observe.answered(from, nonce, observes, newest);
            }
            Message::Alert(alert) => self.take_alert(from, alert, step),
            Message::Signed(digest, signature) => self.take_signature(from, digest, signature, step),
            Message::Listed(listed) => self.take_listed(from, listed, step),
        }
    }

    fn take_vote(&mut self, from: ReplicaId, statement: Statement, signature: Signature, step: &mut Step) {
        if !self.checkpoints.wants(Some(from), statement.round) {
            return;
        }
        if !self.judge().is_vote(from, &statement, &signature) {
            return fault(step, from, Misbehaviour::BadSignature);
        }
        self.checkpoints.voted(from, (statement, signature), self.config.committee);
        self.settle(step);
    }

    fn take_certificate(&mut self, from: ReplicaId, certificate: Certificate, step: &mut Step) {
        if !self.checkpoints.wants(None, certificate.statement.round) {
            return;
        }
        if !self.judge().is_certificate(&certificate) {
            return fault(step, from, Misbehaviour::BadCertificate);
        }
        self.checkpoints.take(certificate);
        self.settle(step);
    }

    fn answer_observer(&mut self, now: UnixMillis, from: ReplicaId, nonce: u64, wants: u64, step: &mut Step) {
        if !self.fetch.may_serve(now, from) {
            return;
        }
        // One round above what there is at a time: a peer cannot name a far one. Answers have a pace.
        self.creation.wanted(wants.min(self.dag.top() + 1));
        let newest = self.creation.newest;
        let vertex = self.dag.get(&newest).cloned();
        let observes = self.observe.observes() || newest.round < self.creation.floor;
        step.send.push((To::One(from), Message::Newest { nonce, observes, newest, vertex }));
    }

    fn relay(&mut self, from: ReplicaId, vertex: &Vertex, step: &mut Step) {
        let id = vertex.id(&self.domain);
        let relayed = self.relayed.get(&id.author).copied().unwrap_or(0);
        if from != id.author || id.round <= relayed || vertex.body().payload.is_empty() {
            return;
        }
        if vertex.body().check(self.config.committee, &self.domain).is_err() {
            return fault(step, from, Misbehaviour::InvalidVertex);
        }
        if !self.is_signed(&id, vertex) {
            return fault(step, from, Misbehaviour::BadSignature);
        }
        self.relayed.insert(id.author, id.round);
        self.propose_requests_again(id.author, vertex);
    }

    fn serve_fetch(&mut self, now: UnixMillis, from: ReplicaId, ids: &[VertexRef], step: &mut Step) {
        assert!(!planted!(PanicOnLongQuestion) || ids.len() <= MAX_FETCH);
        if ids.len() > MAX_FETCH {
            return fault(step, from, Misbehaviour::Malformed);
        }
        if self.fetch.may_serve(now, from) {
            let vertices = fetch::answer_fetch(&self.dag, ids);
            if !vertices.is_empty() {
                step.send.push((To::One(from), Message::Vertices(vertices)));
            }
        }
    }

    fn serve_range(&mut self, now: UnixMillis, from: ReplicaId, cursor: VertexRef, step: &mut Step) {
        if self.fetch.may_serve(now, from) {
            let (vertices, next) = fetch::answer_range(&self.dag, cursor);
            step.send.push((To::One(from), Message::Page(vertices, next)));
        }
    }

    fn take_page(
        &mut self,
        now: UnixMillis,
        from: ReplicaId,
        vertices: Vec<Vertex>,
        next: Option<VertexRef>,
        step: &mut Step,
    ) {
        if !self.fetch.awaits_page(from) {
            return;
        }
        let last = vertices.last().map(|vertex| vertex.id(&self.domain));
        let valid = vertices.into_iter().all(|vertex| self.receive(from, vertex, true, step));
        let next = next.filter(|_| valid);
        let more = self.fetch.paged(now, from, last, next);
        step.send.extend(more.map(|message| (To::One(from), message)));
    }

    fn take_proof(&mut self, from: ReplicaId, one: Vertex, other: Vertex, step: &mut Step) {
        let (a, b) = (one.id(&self.domain), other.id(&self.domain));
        let one_slot = (a.author, a.round) == (b.author, b.round) && a.digest != b.digest;
        if !one_slot || !self.config.committee.contains(a.author) {
            return fault(step, from, Misbehaviour::Malformed);
        }
        if self.creation.excluded.contains_key(&a.author) {
            return;
        }
        let epochs = [&one, &other].iter().all(|vertex| vertex.body().epoch == self.config.epoch);
        if epochs && self.is_signed(&a, &one) && self.is_signed(&b, &other) {
            self.convict(one, other, step);
        } else {
            fault(step, from, Misbehaviour::BadSignature);
        }
    }

    /// Takes a vertex from `from`. `unasked` ones are kept if they are the first of their author and round; others only if
    /// they are needed. False if the sender is at fault.
    fn receive(&mut self, from: ReplicaId, vertex: Vertex, unasked: bool, step: &mut Step) -> bool {
        let id = vertex.id(&self.domain);
        if self.dag.covers(&id) {
            return true;
        }
        if self.waiting.holds(&id) {
            self.waiting.sent(&id, from);
            return true;
        }
        let wanted = unasked && !self.creation.excluded.contains_key(&id.author);
        if !wanted && !self.waiting.is_needed(&id) {
            return true;
        }
        if vertex.body().check(self.config.committee, &self.domain).is_err() {
            fault(step, from, Misbehaviour::InvalidVertex);
            return false;
        }
        if !self.is_signed(&id, &vertex) {
            fault(step, from, Misbehaviour::BadSignature);
            return false;
        }
        if let Some(first) = self.first_of_slot(&id) {
            // From now on only others' vertices can need it.
            self.convict(first, vertex.clone(), step);
            if !self.waiting.is_needed(&id) {
                return true;
            }
        }
        if !self.coin_share_verifies(&vertex) {
            fault(step, id.author, Misbehaviour::BadCoinShare);
            return from != id.author;
        }
        self.hold(id, vertex, from, unasked, step);
        true
    }

    /// Accepts a valid vertex if its ancestors are accepted and it is not barred; else it waits, charged to whom needs it.
    fn hold(&mut self, id: VertexRef, vertex: Vertex, from: ReplicaId, unasked: bool, step: &mut Step) {
        let lacking: BTreeSet<VertexRef> =
            vertex.body().links().filter(|link| !self.dag.covers(link)).collect();
        if lacking.is_empty() && !self.waiting.bars(&id) {
            return self.accept(id, vertex, step);
        }
        let charged = self.waiting.to_charge(&id, unasked.then_some(from)).unwrap_or(from);
        let dropped = self.waiting.hold(id, vertex, from, charged, lacking);
        if !dropped.is_empty() {
            fault(step, charged, Misbehaviour::Flood);
        }
        for asker in dropped {
            self.fetch.dropped(asker);
        }
    }

    /// Accepts a vertex of another replica, and all that waited for it only.
    fn accept(&mut self, id: VertexRef, vertex: Vertex, step: &mut Step) {
        self.accept_all(vec![(id, vertex)], step);
    }

    pub(super) fn accept_all(&mut self, mut ready: Vec<(VertexRef, Vertex)>, step: &mut Step) {
        while let Some((id, vertex)) = ready.pop() {
            step.records.push(Record::Accepted(vertex.clone()));
            self.enter(id, vertex.clone());
            self.note(id, &vertex);
            ready.extend(self.waiting.accepted(&id));
        }
    }

    /// Adds a vertex, whose ancestors are accepted, to the DAG, the coins and the commit rule.
    pub(super) fn enter(&mut self, id: VertexRef, vertex: Vertex) {
        let open = self.enroll(id, &vertex);
        self.dag.insert(id, vertex);
        if !open {
            self.propose_again(id);
        }
    }

    /// Tells coins, delivery and commit rule of a vertex. False if age excludes it.
    pub(super) fn enroll(&mut self, id: VertexRef, vertex: &Vertex) -> bool {
        let body = vertex.body();
        if let (Some(share), Some(round)) = (body.coin_share, tossed_by(id.round)) {
            self.take_share(round, id.author, share);
        }
        self.rule.observe(id, body.parent_refs().collect());
        self.delivery.accepted(id, !body.payload.is_empty())
    }

    /// Proposes the requests of a vertex that age excluded: of the first of its author and round only.
    pub(super) fn propose_again(&mut self, id: VertexRef) {
        if self.dag.first(id.round, id.author) == Some(id)
            && let Some(vertex) = self.dag.get(&id).cloned()
        {
            self.propose_requests_again(id.author, &vertex);
        }
    }

    fn propose_requests_again(&mut self, author: ReplicaId, vertex: &Vertex) {
        if self.end.is_near() {
            return; // nothing is executed any more
        }
        for request in &vertex.body().payload {
            if !self.delivery.delivered_lately(&request.0) {
                self.creation.pending.again(self.config.me, author, request.clone());
            }
        }
    }

    /// An author signed two vertices of one round.
    pub(super) fn convict(&mut self, one: Vertex, other: Vertex, step: &mut Step) {
        let author = one.body().author;
        if !self.creation.excluded.contains_key(&author) {
            self.exclude(author, (one.clone(), other.clone()));
            step.records.push(Record::Proof(one.clone(), other.clone()));
            step.send.push((To::Others, Message::Proof(one, other)));
            self.alert(author, step);
            fault(step, author, Misbehaviour::Equivocation);
        }
    }

    pub(super) fn exclude(&mut self, author: ReplicaId, proof: (Vertex, Vertex)) {
        self.creation.excluded.insert(author, proof);
        self.waiting.exclude(author);
    }

    fn first_of_slot(&self, id: &VertexRef) -> Option<Vertex> {
        let accepted = self.dag.first(id.round, id.author).and_then(|first| self.dag.get(&first));
        let first = accepted.or_else(|| self.waiting.get(&self.waiting.slot(id.round, id.author)?));
        first.cloned()
    }

    fn is_signed(&self, id: &VertexRef, vertex: &Vertex) -> bool {
        let public = self.config.identities.get(id.author.slot());
        planted!(FakeSignatures) || public.is_some_and(|public| vertex.signed_by(public, &id.digest))
    }

    fn coin_share_verifies(&self, vertex: &Vertex) -> bool {
        let body = vertex.body();
        let (Some(share), Some(round)) = (&body.coin_share, tossed_by(body.round)) else {
            return true;
        };
        planted!(UncheckedCoin)
            || Toss::new(&self.domain, round).verify(&self.config.coin, body.author, share)
    }
}

pub(super) fn fault(step: &mut Step, who: ReplicaId, what: Misbehaviour) {
    step.faults.push(Fault { who, what });
}
