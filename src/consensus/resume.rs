//! Going on from a certified checkpoint, from the log, or from both.
//!
//! The log holds vertices in the order of their acceptance; entering them again delivers the same batches. A checkpoint
//! stands for all before it: [`Base`] is what of it concerns the order. The commit rule needs no vertex at or below the
//! base's round C, the delivery none below C - 63 and which of the others are delivered; so going on from a base and the
//! vertices at or above the line gives, from round C + 1 on, the batches that the whole history gives.
//!
//! A running replica that takes over a checkpoint because it is behind ([`Consensus::install`]) does the same with the
//! vertices that it holds; those with undelivered requests that fall below the line it proposes again.

use super::alert::Alerts;
use super::checkpoint::{Certificate, Checkpoints, Judge, Mark};
use super::commit::Rule;
use super::create::Creation;
use super::dag::Dag;
use super::delivery::Delivery;
use super::fetch::Fetch;
use super::finale::End;
use super::observe::Observe;
use super::vertex::{Domain, Vertex, VertexRef};
use super::waiting::Waiting;
use super::{Config, Consensus, Message, Record, Secrets, Step};
use crate::protocol::To;
use crate::quorum::ReplicaId;
use crate::time::UnixMillis;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;

/// A certified checkpoint, as far as it concerns the order.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Base {
    /// Its certificate.
    pub certificate: Certificate,
    /// What the statement's state digest binds, with the executed state.
    pub mark: Mark,
    /// The collection line to begin with: at most the mark's.
    pub line: u64,
}

impl Consensus {
    /// A replica at the start of its epoch that is known never to have run. `entropy` is fresh at each start of the process.
    pub fn new(config: Config, secrets: Secrets, entropy: [u8; 32]) -> Self {
        Self::with(config, secrets, entropy, false)
    }

    /// What the log of a replica begins with that is known never to have run.
    pub fn first_record(config: &Config) -> Record {
        let domain = Domain { cluster: config.cluster, epoch: config.epoch };
        Record::Standing { newest: domain.genesis(config.me), floor: 0 }
    }

    /// A replica with an empty log: it observes, until it knows where it may resume.
    pub fn observe(config: Config, secrets: Secrets, entropy: [u8; 32]) -> Self {
        Self::with(config, secrets, entropy, true)
    }

    /// A replica after a restart, from the checkpoint it stored, if any, and all records since, in order. Delivers the
    /// batches after the checkpoint again; sends nothing of the past but its newest vertex. An error says what of the
    /// records does not fit together.
    pub fn recover(
        config: Config,
        secrets: Secrets,
        entropy: [u8; 32],
        base: Option<Base>,
        records: Vec<Record>,
    ) -> Result<(Self, Step), String> {
        let mut this = Self::observe(config, secrets, entropy);
        let mut step = Step::default();
        let resumed = base.is_some();
        if let Some(base) = base {
            this.rebase(&base, &mut step);
        }
        for record in records {
            this.replay(record, &mut step)?;
            this.order(&mut step);
        }
        if resumed {
            // From what the last batch before the base was decided is not known any more.
            this.creation.closed(this.dag.top());
        }
        let proven: Vec<ReplicaId> = this.creation.excluded.keys().copied().collect();
        for author in proven {
            this.alert(author, &mut step); // the crash may have come between the two records
        }
        if let Some(newest) = this.dag.get(&this.creation.newest) {
            step.send.push((To::Others, Message::Vertex(newest.clone())));
        }
        Ok((this, step))
    }

    /// Whether a base is a certified checkpoint of this cluster.
    pub fn is_certified(&self, certificate: &Certificate) -> bool {
        self.judge().is_certificate(certificate)
    }

    /// Takes over a certified checkpoint in place of the history that leads to it. The base must be durable: the log holds
    /// from now on vertices whose ancestors it does not.
    pub fn install(&mut self, now: UnixMillis, base: &Base) -> Step {
        let mut step = Step::default();
        self.rebase(base, &mut step);
        self.finish(now, step)
    }

    /// Whether the replica has no state yet: it makes no vertices.
    pub fn set_awaiting(&mut self, awaits: bool) {
        self.creation.awaits = awaits;
    }

    /// The records that go on from a base with this line: all that is held at or above it, and what never goes out of date.
    pub fn records_from(&self, line: u64) -> Vec<Record> {
        let mut records = Vec::new();
        if !self.observe.observes() {
            records.push(Record::Standing { newest: self.creation.newest, floor: self.creation.floor });
        }
        let proofs = self.creation.excluded.values();
        records.extend(proofs.map(|(one, other)| Record::Proof(one.clone(), other.clone())));
        records.extend(self.alerts.records());
        let mut rest = Vec::new();
        for (id, vertex) in self.dag.from(VertexRef::first_of(line)) {
            if rest.first().is_some_and(|other: &Record| round_of(other) < id.round) {
                records.append(&mut rest);
            }
            let record = match id.author == self.config.me {
                true => Record::Own(vertex.clone()),
                false => Record::Accepted(vertex.clone()),
            };
            // Of one author and round, which was accepted first must stay so.
            if self.dag.first(id.round, id.author) == Some(*id) {
                records.push(record)
            } else {
                rest.push(record)
            }
        }
        records.append(&mut rest);
        records
    }

    fn with(config: Config, secrets: Secrets, entropy: [u8; 32], observes: bool) -> Self {
        let domain = Domain { cluster: config.cluster, epoch: config.epoch };
        let (committee, me) = (config.committee, config.me);
        let nonce = domain.digest("conclave/observer", &[&entropy]);
        let nonce = u64::from_be_bytes(std::array::from_fn(|i| nonce.0[i]));
        Self {
            dag: Dag::new(committee, domain, config.genesis_time),
            waiting: Waiting::default(),
            fetch: Fetch::new(committee, me),
            shares: BTreeMap::new(),
            rule: Rule::new(committee),
            delivery: Delivery::new(config.genesis_time),
            creation: Creation::new(committee, me, config.gather_ms, domain.genesis(me)),
            checkpoints: Checkpoints::default(),
            alerts: Alerts::default(),
            observe: Observe::new(committee, observes, nonce),
            end: End::default(),
            relayed: BTreeMap::new(),
            config,
            secrets,
            domain,
            entropy,
        }
    }

    pub(super) fn judge(&self) -> Judge<'_> {
        Judge { committee: self.config.committee, domain: &self.domain, identities: &self.config.identities }
    }

    /// An observer that knows enough begins to take part.
    pub(super) fn begin(&mut self, step: &mut Step) -> bool {
        let Some(floor) = self.observe.floor(&self.dag) else { return false };
        self.creation.floor = floor;
        self.observe.end();
        step.records.push(Record::Standing { newest: self.creation.newest, floor });
        true
    }

    pub(super) fn ask_to_observe(&mut self, now: UnixMillis, wants: u64, step: &mut Step) -> UnixMillis {
        let (question, again) = self.observe.ask(now, wants);
        step.send.extend(question.map(|question| (To::Others, question)));
        again
    }

    /// Draws what follows from votes, certificates and own statements: a new stable checkpoint moves the line.
    pub(super) fn settle(&mut self, step: &mut Step) {
        if self.checkpoints.advance()
            && let Some(stable) = self.checkpoints.stable()
        {
            let (line, kept) = (stable.statement.line(), stable.statement.collected());
            // From here on this replica accepts what those below cannot: they must know how to come here.
            if self.config.committee.n() > 1 {
                step.send.push((To::Others, Message::Certified(stable.clone())));
            }
            self.collect(line, kept, step);
        }
    }

    fn collect(&mut self, line: u64, kept: u64, step: &mut Step) {
        if line > self.dag.line() {
            step.records.push(Record::Collected(line));
        }
        self.dag.collect(line, kept);
        self.creation.collect(line);
        self.delivery.collect(line);
        self.alerts.collect(kept);
        let ready = self.waiting.collect(line);
        self.accept_all(ready, step);
    }

    /// Coins, rule and delivery begin anew after the base, with the vertices that are held.
    fn rebase(&mut self, base: &Base, step: &mut Step) {
        let undelivered: Vec<VertexRef> = self.delivery.undelivered().collect();
        let next = base.mark.round + 1;
        self.rule = Rule::resume(self.config.committee, next);
        self.delivery.resume(&base.mark);
        self.shares.clear();
        for id in undelivered.iter().filter(|id| id.round < base.mark.line()) {
            self.propose_again(*id);
        }
        self.checkpoints.resume(base.certificate.clone());
        self.dag.collect(base.line, base.line);
        let held: Vec<(VertexRef, Vertex)> =
            self.dag.from(VertexRef::first_of(base.line)).map(|(id, vertex)| (*id, vertex.clone())).collect();
        for (id, vertex) in held {
            if !self.enroll(id, &vertex) {
                self.propose_again(id);
            }
        }
        self.collect(base.line, base.line, step);
    }

    /// Enters a record of the own log, which holds nothing that was not verified.
    fn replay(&mut self, record: Record, step: &mut Step) -> Result<(), String> {
        match record {
            Record::Proof(one, other) => self.exclude(one.body().author, (one, other)),
            Record::Standing { newest, floor } => {
                self.observe.end();
                self.creation.floor = floor;
                if newest.round > self.creation.newest.round {
                    self.creation.newest = newest;
                }
            }
            Record::Collected(line) => {
                self.dag.collect(line, line);
                self.creation.collect(line);
                self.delivery.collect(line);
                self.alerts.collect(line);
            }
            Record::Alert(alert) => self.open_alert(alert),
            Record::Signed(subject, digest) => self.enter_signed(subject, digest),
            Record::Listed(listed) => {
                let ready = self.enter_listed(listed);
                self.accept_all(ready, step);
            }
            Record::Accepted(vertex) | Record::Own(vertex) => return self.replay_vertex(vertex, step),
        }
        Ok(())
    }

    fn replay_vertex(&mut self, vertex: Vertex, step: &mut Step) -> Result<(), String> {
        let id = vertex.id(&self.domain);
        if self.dag.contains(&id) {
            return Ok(());
        }
        if id.round < self.dag.line() {
            // It lies behind the checkpoint; that it was made is still never contradicted.
            if id.author == self.config.me && id.round > self.creation.newest.round {
                self.creation.newest = id;
            }
            return Ok(());
        }
        if let Some(first) =
            self.dag.first(id.round, id.author).and_then(|first| self.dag.get(&first)).cloned()
        {
            self.convict(first, vertex.clone(), step);
        }
        if !vertex.body().links().all(|link| self.dag.covers(&link)) {
            return Err(format!("{id:?} stands there without its ancestors"));
        }
        self.enter(id, vertex.clone());
        for request in vertex.body().payload.iter().filter(|_| id.author == self.config.me) {
            self.creation.pending.forget(request);
        }
        self.note(id, &vertex);
        Ok(())
    }
}

fn round_of(record: &Record) -> u64 {
    match record {
        Record::Own(vertex) | Record::Accepted(vertex) => vertex.body().round,
        _ => 0,
    }
}
