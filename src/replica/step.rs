//! One input gives one step: how the layers are wired.
use super::clients::{Departure, Done};
use super::ingress::{self, Admission, Admitted};
use super::journal::Place;
use super::reply::Asker;
use super::{ClientId, Effect, ExecutedBatch, Input, Output, PeerMessage, Record, Replica};
use crate::codec::{self, Digest, JobId, digest};
use crate::consensus;
use crate::dns::edns::Manners;
use crate::dns::{Name, Rcode};
use crate::limits::{MAX_FRAME_BYTES, MAX_OPEN_VOUCHES, MAX_WAITING_BATCHES};
use crate::protocol::{Fault, Misbehaviour, To};
use crate::quorum::ReplicaId;
use crate::signing::{self, JobSpec};
use crate::time::{AgreedTime, SECOND, UnixMillis};
use crate::zone::{self, Kind, Refusal, RequestId, SAID_DOMAIN, View};
use std::sync::Arc;

/// Milliseconds between two ticks of the signing sessions while jobs are open.
const SIGNING_TICK_MS: u64 = SECOND / 4;

impl Replica {
    /// Takes one input at local time `now`, which never goes back by more than a clock does.
    pub fn step(&mut self, now: UnixMillis, input: Input) -> Output {
        let mut out = Output::default();
        match input {
            Input::Peer { from, bytes } => self.peer(now, from, &bytes, &mut out),
            Input::Linked(peer) => {
                let step = self.consensus.linked(now, peer);
                self.absorb_consensus(step, &mut out);
                let step = self.signing.linked(peer);
                self.absorb_signing(step, &mut out);
                self.tell_before(peer, &mut out);
            }
            Input::Begin(records) => self.begin_from(records, &mut out),
            Input::Continued => self.keep(now, &mut out),
            Input::Client { id, wire, manners } => self.client(now, id, (wire, manners), &mut out),
            Input::Forget(client) => {
                self.clients.forget(client);
            }
            Input::Computed(computed) => {
                let step = self.signing.computed(computed);
                self.absorb_signing(step, &mut out);
            }
            Input::Stored { round, bytes } => self.stored(now, round, bytes, &mut out),
            Input::Tick => {
                let step = self.consensus.tick(now);
                self.absorb_consensus(step, &mut out);
                let step = self.signing.tick(now);
                self.absorb_signing(step, &mut out);
                self.signing_wake = None;
            }
        }
        self.finish(now, &mut out);
        out
    }

    fn peer(&mut self, now: UnixMillis, from: ReplicaId, bytes: &[u8], out: &mut Output) {
        match codec::decode(bytes, MAX_FRAME_BYTES) {
            Ok(PeerMessage::Consensus(message)) => {
                let step = self.consensus.message(now, from, message);
                self.absorb_consensus(step, out);
            }
            Ok(PeerMessage::Signing(message)) => {
                let step = self.signing.message(from, message);
                self.absorb_signing(step, out);
            }
            Ok(PeerMessage::State(message)) => self.state_message(now, from, message, out),
            Ok(PeerMessage::Before(finale)) => self.take_before(from, finale, out),
            Err(_) => self.fault(Fault { who: from, what: Misbehaviour::Malformed }, out),
        }
    }

    fn client(&mut self, now: UnixMillis, id: ClientId, came: (Vec<u8>, Manners), out: &mut Output) {
        match self.ingress.admit(now, came.0, came.1) {
            Admission::Ignored => out.effects.push(Effect::Drop { client: id }),
            Admission::Answered(wire) => out.effects.push(Effect::Reply { client: id, wire }),
            Admission::Refused { reply, why } => {
                let (asker, refusal) = *why;
                self.turned_away(now, &asker, &refusal, out);
                out.effects.push(Effect::Reply { client: id, wire: reply });
            }
            Admission::Admitted(admitted) => self.admitted(now, id, *admitted, out),
            Admission::Vouched { saying, covered, asker } => {
                if let Some(refusal) = self.unknown_to_policy(&asker) {
                    return self.refuse_one(now, id, &asker, &refusal, out);
                }
                let identity = self.consensus.identity();
                let sign = |digest: &Digest| identity.sign_in(SAID_DOMAIN, digest);
                let said = self.machine.saying(self.me, saying, sign);
                let request = codec::encode(&zone::Request::Said(said));
                let name = asker.change().unwrap_or_else(|| ingress::request_digest(&request));
                self.admitted(
                    now,
                    id,
                    Admitted { request, name, covered: Some(covered), asker: *asker },
                    out,
                );
            }
        }
    }

    /// Puts octets into the order past the ingress: what the operator says, and, in the simulator, what a corrupt replica
    /// invents, for execution must hold without the ingress.
    pub fn order(&mut self, now: UnixMillis, request: Vec<u8>) -> Output {
        self.order_all(now, [request])
    }

    pub(super) fn order_all(
        &mut self,
        now: UnixMillis,
        requests: impl IntoIterator<Item = Vec<u8>>,
    ) -> Output {
        let mut out = Output::default();
        for request in requests {
            let step = self.consensus.submit(now, request);
            self.absorb_consensus(step, &mut out);
        }
        self.finish(now, &mut out);
        out
    }

    fn admitted(&mut self, now: UnixMillis, id: ClientId, admitted: Admitted, out: &mut Output) {
        let Admitted { request, name, covered, asker } = admitted;
        let kind = if covered.is_some() { Kind::Update } else { Kind::Query };
        if self.last.is_some() {
            return self.turn_away(now, id, &asker, out);
        }
        let pending = covered.and_then(|covered| self.clients.pending(&covered));
        let pending = pending.filter(|pending| !self.is_to_vouch_again(&asker, pending));
        let fits =
            self.clients.has_room_for_request(kind, request.len()) && self.consensus.has_room(request.len());
        let keeps_up = self.pipeline.waiting() < MAX_WAITING_BATCHES;
        let of_quorum = asker.signer().filter(|_| asker.change().is_some()).cloned();
        let is_open =
            |key: &Name| self.clients.is_known(&name) || self.clients.undecided(key) < MAX_OPEN_VOUCHES;
        let room = pending.is_some() || (fits && keeps_up && of_quorum.as_ref().is_none_or(is_open));
        if !room || !self.clients.has_room(kind) {
            return self.refuse_one(now, id, &asker, &Refusal::Busy, out);
        }
        if let (None, Some(key), Some(update)) = (pending, asker.signer(), asker.change().or(covered)) {
            let is_known = self.machine.remembers(update);
            let charged = if is_known { Ok(()) } else { self.ingress.charge(now, key, update) };
            if let Err(refusal) = charged {
                return self.refuse_one(now, id, &asker, &refusal, out);
            }
            out.remarks.extend(self.ingress.remark(key));
        }
        let digest = pending.unwrap_or(name);
        if pending.is_none() {
            let (sent, bytes) = (ingress::request_digest(&request), request.len());
            let departure = Departure { sent, bytes, kind, covered, key: of_quorum };
            self.clients.open(digest, departure, now);
        }
        self.clients.wait(id, asker, digest, now);
        if pending.is_none() {
            let step = self.consensus.submit(now, request);
            self.absorb_consensus(step, out);
        }
    }

    pub(super) fn absorb_consensus(&mut self, step: consensus::Step, out: &mut Output) {
        for record in step.records {
            out.records.push(codec::encode(&Record::Consensus(record)));
            self.unsynced = true;
        }
        for (to, message) in step.send {
            self.send(to, PeerMessage::Consensus(message), out);
        }
        for fault in step.faults {
            self.fault(fault, out);
        }
        self.ordered |= !step.batches.is_empty();
        for batch in step.batches.into_iter().filter(|_| self.last.is_none()) {
            self.pipeline.push(batch);
        }
        out.closed.extend(step.closed);
        self.consensus_wake = step.wake_at;
    }

    pub(super) fn absorb_signing(&mut self, step: signing::Step, out: &mut Output) {
        for (to, message) in step.send {
            self.send(to, PeerMessage::Signing(message), out);
        }
        for fault in step.faults {
            self.fault(fault, out);
        }
        out.tasks.extend(step.tasks);
        self.errands.extend(step.errands);
        self.finished.extend(step.finished);
    }

    pub(super) fn send(&mut self, to: To, message: PeerMessage, out: &mut Output) {
        let bytes = codec::encode(&message);
        assert!(bytes.len() <= MAX_FRAME_BYTES, "a layer made a message of {} bytes", bytes.len());
        out.effects.push(Effect::Send { to, bytes: Arc::from(bytes) });
    }

    pub(super) fn fault(&mut self, fault: Fault, out: &mut Output) {
        self.counters.fault(&fault);
        out.effects.push(Effect::Fault(fault));
    }

    /// Everything that follows from what the layers have said, until nothing more does.
    pub(super) fn finish(&mut self, now: UnixMillis, out: &mut Output) {
        self.advance(now, out);
        self.follow_refreshes(now, out);
        self.propose(now, out);
        self.advance(now, out);
        if std::mem::take(&mut self.ordered) {
            self.last_ordered = now;
        }
        self.checkpoints.logged(out.records.iter().map(|record| record.len() as u64).sum());
        self.follow_checkpoints(now, out);
        self.follow_end(now, out);
        let transfer_wake = self.catch_up(now, out);
        for (client, asker) in self.clients.out_of_patience(now) {
            let refusal = self.late(&asker);
            self.refuse_one(now, client, &asker, &refusal, out);
        }
        out.sync = self.unsynced && !out.effects.is_empty() && !planted!(SendBeforeSync);
        if out.sync {
            self.unsynced = false;
        }
        // Kept from step to step: steady input must not put the tick off. A clock set back must not either.
        let latest = now.plus(SIGNING_TICK_MS);
        let is_open = self.pipeline.unsigned_jobs() > 0;
        self.signing_wake = is_open.then(|| self.signing_wake.map_or(latest, |at| at.min(latest)));
        let wakes =
            [self.consensus_wake, self.clients.wake_at(), Some(self.proposals.wake_at()), self.signing_wake];
        out.wake_at = wakes.into_iter().chain([transfer_wake]).flatten().min();
    }

    /// Gives signatures to the machine and executes batches, until neither is left. A loop and not a recursion: a
    /// replay may hold thousands of batches.
    pub(super) fn advance(&mut self, now: UnixMillis, out: &mut Output) {
        loop {
            if let Some((job, signature)) = self.finished.pop_front() {
                self.signed(now, job, signature, out);
            } else if self.executes()
                && let Some(batch) = self.pipeline.next()
            {
                self.execute(now, batch, out);
            } else {
                return;
            }
        }
    }

    fn execute(&mut self, now: UnixMillis, mut batch: consensus::Batch, out: &mut Output) {
        // Clocks of another epoch's replicas may have been faster.
        batch.time = batch.time.max(self.machine.time());
        let requests: Vec<(RequestId, &[u8])> =
            batch.requests.iter().zip(0..).map(|(ordered, tag)| (RequestId(tag), &*ordered.bytes)).collect();
        let time = if planted!(LocalTime) { AgreedTime(now.0) } else { batch.time };
        let executed = self.machine.execute(&zone::Batch { time, requests: &requests });
        self.refreshes.state_changed();
        self.counters.agreed_time_ms = batch.time.0;
        self.pipeline.executed(batch.round, executed.jobs.iter().map(|job| job.id));
        self.executed_round = batch.round;
        self.last_executed = now;
        let rcodes = executed.outcomes.iter().map(|outcome| outcome.rcode).collect();
        self.follow_zones(now, executed.zones, out);
        for outcome in executed.outcomes {
            let position = outcome.request.0;
            let Some(ordered) = batch.requests.get(position as usize) else { continue };
            let Some(request) = self.request_of(&outcome, &ordered.bytes) else { continue };
            if let Some(account) = &outcome.account {
                let (number, round) = (self.pipeline.batches(), batch.round);
                let place = Place { batch: number, round, position, time: batch.time, ordered };
                self.audit((account, outcome.rcode), place, out);
            }
            if let Some((zone, version)) = &outcome.after {
                // A repeat speaks of the version of the first answer.
                let newest = self.newest.entry(zone.clone()).or_default();
                *newest = (*newest).max(*version);
            }
            let published = |zone: &Name| self.machine.version(zone);
            if let Some(done) = self.clients.executed(request, outcome, published) {
                // Served already, and nothing newer is: this is the version of that place in the order.
                let zone = done.outcome.after.as_ref().map(|(zone, _)| zone);
                let view = zone.and_then(|zone| self.machine.view(zone));
                self.tell(now, done, view.as_ref(), out);
            }
        }
        let catalog = zone::Signed { published: executed.published, ..zone::Signed::default() };
        self.publish(now, catalog, out);
        self.follow_keys(out);
        self.follow_sharings(out);
        let step = self.signing.start_all(executed.jobs.into_iter().map(spec).collect());
        self.absorb_signing(step, out);
        let mark = batch.mark.clone();
        self.note(batch, rcodes, out);
        match (executed.ends, mark) {
            (Some(succession), _) => self.end(now, &succession, out),
            (None, Some(mark)) => self.mark(now, &mark, out),
            (None, None) => {}
        }
    }

    /// Chains the batch into the history digest, which the operator, the logs and the simulator compare.
    fn note(&mut self, batch: consensus::Batch, rcodes: Vec<Rcode>, out: &mut Output) {
        let round = batch.round.to_be_bytes();
        let time = batch.time.0.to_be_bytes();
        let mut fields: Vec<&[u8]> = vec![&self.history.0, &round, &time];
        fields.extend(batch.requests.iter().map(|ordered| &*ordered.bytes));
        let history = digest("conclave/history", &fields);
        self.history = history;
        out.executed.push(ExecutedBatch {
            number: self.pipeline.batches(),
            round: batch.round,
            time: batch.time,
            requests: batch.requests,
            rcodes,
            history,
        });
    }

    fn signed(&mut self, now: UnixMillis, job: JobId, signature: Vec<u8>, out: &mut Output) {
        let signed = self.machine.signed(job, &signature);
        self.pipeline.signed(job);
        if !self.logged.remove(&job) {
            out.records.push(codec::encode(&Record::Signature { job, bytes: signature }));
        }
        self.publish(now, signed, out);
    }

    /// Makes versions visible, and tells who waited for them.
    pub(super) fn publish(&mut self, now: UnixMillis, signed: zone::Signed, out: &mut Output) {
        for published in signed.published {
            let zone = published.zone;
            if let Some((_, records)) = self.genesis.zones.iter_mut().find(|(rules, _)| rules.origin == zone)
            {
                records.clear(); // a state that is taken over has its own
            }
            let newest = self.newest.entry(zone.clone()).or_default();
            *newest = (*newest).max(published.version);
            let (view, rules) = (published.view, self.machine.zone_of(&zone));
            let ordered =
                !view.is_catalog() && rules.is_some_and(|rules| rules.reads == zone::Reads::Ordered);
            out.effects.push(Effect::Publish { zone: zone.clone(), view: view.clone(), ordered });
            for done in self.clients.published(&zone, published.version) {
                self.tell(now, done, Some(&view), out);
            }
        }
        for failure in signed.failures {
            out.effects.push(Effect::Alarm(failure.to_string()));
            for done in self.clients.failed(&failure.zone, failure.version) {
                self.refuse(now, done, out);
            }
        }
    }

    /// Tells clients what became of their request; `view` is the version at its place in the order, none if the zone went.
    pub(super) fn tell(&mut self, now: UnixMillis, done: Done, view: Option<&Arc<View>>, out: &mut Output) {
        let Done { outcome, clients } = done;
        for (client, asker) in clients {
            if outcome.kind == zone::Kind::Update {
                self.counters.update(outcome.rcode);
            } else if outcome.rcode == Rcode::NOERROR
                && let Some(view) = view
            {
                let view = view.clone();
                out.effects.push(Effect::Answer { client, query: asker.into_wire(), view });
                continue;
            }
            let (keys, refusal) =
                (self.ingress.keys(), outcome.account.as_ref().and_then(|a| a.refusal.as_deref()));
            let wire = match refusal {
                _ if outcome.kind == zone::Kind::Query && outcome.rcode == Rcode::NOERROR => {
                    asker.bare(keys, now, Rcode::REFUSED)
                }
                _ if outcome.rcode == Rcode::NOERROR => asker.done(keys, now),
                Some(refusal) => asker.refused(keys, now, refusal),
                None => asker.bare(keys, now, outcome.rcode),
            };
            if planted!(TwoReplies) {
                out.effects.push(Effect::Reply { client, wire: wire.clone() });
            }
            out.effects.push(Effect::Reply { client, wire });
        }
    }

    /// Tells clients that their version is held back.
    fn refuse(&mut self, now: UnixMillis, done: Done, out: &mut Output) {
        for (client, asker) in done.clients {
            self.refuse_one(now, client, &asker, &Refusal::HeldBack, out);
        }
    }

    pub(super) fn refuse_one(
        &mut self,
        now: UnixMillis,
        client: ClientId,
        asker: &Asker,
        refusal: &Refusal,
        out: &mut Output,
    ) {
        self.turned_away(now, asker, refusal, out);
        let wire = asker.refused(self.ingress.keys(), now, refusal);
        out.effects.push(Effect::Reply { client, wire });
    }

    fn propose(&mut self, now: UnixMillis, out: &mut Output) {
        if !self.executes() {
            return self.proposals.put_off(now);
        }
        if !self.proposals.should_look(now) {
            return;
        }
        let due = self.machine.due(now).into_iter().chain(self.lacking_receipts()).chain(self.own_progress());
        let due = due.chain(self.lacking_pieces());
        let due = due.map(|request| codec::encode(&request));
        let due = due.chain(self.refreshes.due().cloned()).collect();
        for request in self.proposals.look(now, due) {
            let step = self.consensus.submit(now, request);
            self.absorb_consensus(step, out);
        }
    }
}

/// A job of the machine as the signing sessions name it.
pub(super) fn spec(job: zone::Job) -> JobSpec {
    JobSpec { id: job.id, key: job.key, hash: job.hash }
}
