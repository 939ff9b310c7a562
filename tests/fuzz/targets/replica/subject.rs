//! The replica under test, and what is checked of each of its steps.

use super::consensus;
use super::history::{History, SUBJECT};
use conclave::codec::decode;
use conclave::consensus::{self as order, Message, Vertex};
use conclave::limits::{MAX_FRAME_BYTES, MAX_PENDING_CLIENTS, PIPELINE_BATCHES};
use conclave::link::MAX_MESSAGE_BYTES;
use conclave::protocol::Misbehaviour;
use conclave::quorum::ReplicaId;
use conclave::replica::{ClientId, Effect, Input, Output, Past, Record, Replica};
use conclave::signing::Task;
use conclave::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Octets and messages that one input may make a replica send: some pages of fetched vertices, and what is due.
const MAX_SENT_BYTES: usize = 4 * 1024 * 1024;
const MAX_EFFECTS: usize = 4_096;

/// The replica, its log, and what it has shown.
pub struct Subject {
    history: &'static History,
    /// The corrupt replica, if it is one only.
    corrupt: Option<ReplicaId>,
    pub now: UnixMillis,
    replica: Replica,
    starts: u8,
    log: Vec<Vec<u8>>,
    /// Records of the log that a crash leaves, and the round of the last own vertex among them.
    durable: usize,
    durable_round: u64,
    /// Its own vertices in the log, by round.
    own: BTreeMap<u64, Vertex>,
    /// Its own vertices that have left: what others may know.
    pub sent: BTreeMap<u64, Vertex>,
    replied: BTreeSet<ClientId>,
    tasks: VecDeque<Task>,
}

impl Subject {
    pub fn new(history: &'static History, corrupt: Option<ReplicaId>) -> Self {
        let config = history.cluster.config(*SUBJECT, [1; 32], None);
        let log = vec![Replica::first_record(&config.consensus)];
        let past = Past { checkpoint: None, records: log.clone() };
        let (replica, _) = Replica::recover(history.end, config, past).expect("a replica");
        Self {
            history,
            corrupt,
            now: history.end,
            replica,
            starts: 1,
            durable: log.len(),
            durable_round: 0,
            log,
            own: BTreeMap::new(),
            sent: BTreeMap::new(),
            replied: BTreeSet::new(),
            tasks: VecDeque::new(),
        }
    }

    /// One input.
    pub fn step(&mut self, input: Input) {
        let output = self.replica.step(self.now, input);
        self.check(output);
    }

    /// Does the oldest computation.
    pub fn compute(&mut self) {
        if let Some(task) = self.tasks.pop_front() {
            let computed = task.run(&self.history.keys, [self.starts; 32]);
            self.step(Input::Computed(computed));
        }
    }

    /// A crash: of what is not durable, a part is left.
    pub fn crash(&mut self, kept: u8) {
        let loose = self.log.len() - self.durable;
        self.log.truncate(self.durable + loose * usize::from(kept) / 255);
        self.own = self.log.iter().filter_map(|record| own(record)).collect();
        self.synced();
        self.tasks.clear();
        self.starts = self.starts.wrapping_add(1);
        let config = self.history.cluster.config(*SUBJECT, [self.starts; 32], None);
        let past = Past { checkpoint: None, records: self.log.clone() };
        let (replica, output) =
            Replica::recover(self.now, config, past).expect("it comes back from its own log");
        self.replica = replica;
        self.check(output);
    }

    fn check(&mut self, output: Output) {
        for record in output.records {
            if let Some((round, vertex)) = own(&record) {
                let before = self.own.insert(round, vertex.clone());
                assert!(before.is_none(), "a second own vertex of round {round}");
                let sent = self.sent.get(&round);
                assert!(
                    sent.is_none_or(|sent| *sent == vertex),
                    "another vertex of round {round} was sent before"
                );
                assert!(self.own.keys().next_back() == Some(&round), "rounds ascend");
            }
            assert!(record.len() <= MAX_FRAME_BYTES, "a record of {} octets", record.len());
            self.log.push(record);
        }
        if output.sync {
            self.synced();
        }
        assert!(output.effects.len() <= MAX_EFFECTS, "{} effects", output.effects.len());
        let mut octets = 0;
        for effect in output.effects {
            octets += self.effect(effect);
        }
        assert!(octets <= MAX_SENT_BYTES, "{octets} octets are sent for one input");
        for batch in output.executed {
            let agreed = self.history.batches.get(&batch.number);
            if let (Some(agreed), Some(_)) = (agreed, self.corrupt) {
                assert_eq!(batch, *agreed, "one order");
            }
        }
        self.tasks.extend(output.tasks);
        self.bounds();
    }

    /// Checks an effect; gives the octets it sends.
    fn effect(&mut self, effect: Effect) -> usize {
        match effect {
            Effect::Send { bytes, .. } => {
                assert!(bytes.len() <= MAX_MESSAGE_BYTES, "a message of {} octets", bytes.len());
                for vertex in consensus(&bytes).map_or(Vec::new(), vertices) {
                    self.leaves(vertex);
                }
                bytes.len()
            }
            Effect::Reply { client, wire } => {
                assert!(self.replied.insert(client), "a second reply to {client:?}");
                wire.len()
            }
            Effect::Answer { client, .. } | Effect::Drop { client } => {
                assert!(self.replied.insert(client), "a second reply to {client:?}");
                0
            }
            Effect::Fault(fault) => {
                let known = self.corrupt.is_none_or(|corrupt| fault.who == corrupt);
                assert!(
                    known || fault.what == Misbehaviour::Flood,
                    "an honest replica is accused: {fault:?}"
                );
                0
            }
            Effect::Alarm(what) => {
                assert!(self.corrupt.is_none(), "alarm: {what}");
                0
            }
            Effect::Publish { .. } | Effect::Withdraw { .. } => 0,
        }
    }

    /// All that was appended is durable.
    fn synced(&mut self) {
        self.durable = self.log.len();
        self.durable_round = self.own.keys().next_back().copied().unwrap_or(0);
    }

    /// An own vertex that leaves is durable, and the only one of its round that ever left.
    fn leaves(&mut self, vertex: Vertex) {
        if vertex.body().author != *SUBJECT {
            return;
        }
        let round = vertex.body().round;
        let durable = round <= self.durable_round && self.own.get(&round) == Some(&vertex);
        assert!(durable, "the vertex of round {round} leaves before it is durable");
        let before = self.sent.insert(round, vertex.clone());
        assert!(before.is_none_or(|before| before == vertex), "two vertices of round {round}");
    }

    fn bounds(&self) {
        let status = self.replica.status();
        assert!(status.clients <= MAX_PENDING_CLIENTS && status.pending_requests <= MAX_PENDING_CLIENTS);
        assert!(status.round >= self.own.keys().next_back().copied().unwrap_or(0));
        let unsigned = status.zones.iter().map(|zone| zone.pending).max().unwrap_or(0);
        assert!(unsigned <= PIPELINE_BATCHES, "{unsigned} versions are ahead of their signatures");
    }
}

/// The own vertex in a record of the log, with its round.
fn own(record: &[u8]) -> Option<(u64, Vertex)> {
    match decode(record, MAX_FRAME_BYTES) {
        Ok(Record::Consensus(order::Record::Own(vertex))) => Some((vertex.body().round, vertex)),
        _ => None,
    }
}

fn vertices(message: Message) -> Vec<Vertex> {
    match message {
        Message::Vertex(vertex) => vec![vertex],
        Message::Vertices(vertices) | Message::Page(vertices, _) => vertices,
        Message::Proof(one, other) => vec![one, other],
        Message::Newest { vertex, .. } => vertex.into_iter().collect(),
        _ => Vec::new(),
    }
}
