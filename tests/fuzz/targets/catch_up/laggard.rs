//! The replica that is behind, its disk, and what is checked of each of its steps.

use super::super::replica::history::{History, PEERS, SUBJECT};
use conclave::codec::{Digest, decode};
use conclave::consensus::{Certificate, Message};
use conclave::limits::MAX_FRAME_BYTES;
use conclave::link::MAX_MESSAGE_BYTES;
use conclave::protocol::{Misbehaviour, To};
use conclave::quorum::ReplicaId;
use conclave::replica::transfer::Message as StateMessage;
use conclave::replica::{Effect, Input, Output, Past, PeerMessage, Replica};
use conclave::time::{SECOND, UnixMillis};
use std::collections::VecDeque;
use std::sync::OnceLock;

/// Octets that one input may make it send.
const MAX_SENT_BYTES: usize = 4 * 1024 * 1024;
/// States that it may keep.
const MAX_STATES: usize = 10;

/// The replica and its disk.
pub struct Laggard {
    history: &'static History,
    corrupt: ReplicaId,
    now: UnixMillis,
    replica: Replica,
    log: Vec<Vec<u8>>,
    checkpoint: Option<(Vec<Vec<u8>>, u64)>,
    /// A state on its way to the disk: its round, its records, and how much of the log it stands for.
    storing: Option<(u64, Vec<Vec<u8>>, usize)>,
    /// Questions about states that are not answered.
    questions: VecDeque<(ReplicaId, Vec<u8>)>,
}

/// What the peers said about checkpoints, in order.
pub fn checkpoint_messages(history: &'static History) -> &'static [(ReplicaId, Vec<u8>)] {
    static ALL: OnceLock<Vec<(ReplicaId, Vec<u8>)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let by_peer = PEERS.iter().zip(&history.said);
        let all = by_peer.flat_map(|(peer, said)| said.iter().map(move |message| (*peer, message)));
        let about = |bytes: &[u8]| match decode(bytes, MAX_FRAME_BYTES) {
            Ok(PeerMessage::Consensus(message)) => {
                matches!(message, Message::Vote(..) | Message::Certified(_))
            }
            _ => false,
        };
        all.filter(|(_, message)| about(message)).map(|(peer, message)| (peer, message.clone())).collect()
    })
}

/// The certificates among them.
pub fn certificates(history: &'static History) -> &'static [Certificate] {
    static ALL: OnceLock<Vec<Certificate>> = OnceLock::new();
    ALL.get_or_init(|| {
        let certified = |bytes: &[u8]| match decode(bytes, MAX_FRAME_BYTES) {
            Ok(PeerMessage::Consensus(Message::Certified(certificate))) => Some(certificate),
            _ => None,
        };
        let all: Vec<_> =
            checkpoint_messages(history).iter().filter_map(|(_, message)| certified(message)).collect();
        assert!(all.len() >= 2, "the peers tell of {} checkpoints", all.len());
        all
    })
}

impl Laggard {
    pub fn new(history: &'static History, corrupt: ReplicaId) -> Self {
        let config = history.cluster.config(*SUBJECT, [1; 32], None);
        let log = vec![Replica::first_record(&config.consensus)];
        let past = Past { checkpoint: None, records: log.clone() };
        let (replica, _) = Replica::recover(history.end, config, past).expect("a replica");
        let (storing, questions) = (None, VecDeque::new());
        let now = history.end;
        Self { history, corrupt, now, replica, log, checkpoint: None, storing, questions }
    }

    pub fn step(&mut self, input: Input) {
        self.now.0 += 1;
        let output = self.replica.step(self.now, input);
        self.check(output);
    }

    pub fn hear(&mut self, from: ReplicaId, bytes: Vec<u8>) {
        self.step(Input::Peer { from, bytes });
    }

    pub fn wait(&mut self, ms: u64) {
        self.now.0 += ms;
        self.step(Input::Tick);
    }

    /// The honest ones tell the newest certificate they know.
    pub fn tell_checkpoints(&mut self) {
        let messages = checkpoint_messages(self.history);
        let corrupt = self.corrupt;
        for peer in PEERS.iter().filter(|peer| **peer != corrupt) {
            let mut of_peer = messages.iter().filter(|(from, _)| from == peer);
            let (from, message) = of_peer.next_back().expect("each tells of a checkpoint");
            self.hear(*from, message.clone());
        }
    }

    /// The oldest question.
    pub fn question(&mut self) -> Option<(ReplicaId, Vec<u8>)> {
        self.questions.pop_front()
    }

    /// It gets an honest answer, whoever was asked.
    pub fn answer_next(&mut self) {
        let Some((peer, question)) = self.question() else { return };
        for answer in self.history.answer(peer, &question) {
            self.hear(peer, answer);
        }
    }

    /// What is being written is on disk.
    pub fn stored(&mut self) {
        let Some((round, records, upto)) = self.storing.take() else { return };
        let bytes = records.iter().map(|record| record.len() as u64).sum();
        self.log.drain(..upto);
        self.checkpoint = Some((records, bytes));
        self.step(Input::Stored { round, bytes });
        self.is_the_one();
    }

    /// It ends, and comes back from its disk.
    pub fn crash(&mut self) {
        (self.storing, self.questions) = (None, VecDeque::new());
        let config = self.history.cluster.config(*SUBJECT, [2; 32], None);
        let past = Past { checkpoint: self.checkpoint.clone(), records: self.log.clone() };
        let (replica, output) = Replica::recover(self.now, config, past).expect("its own disk");
        self.replica = replica;
        self.is_the_one();
        self.check(output);
    }

    /// Nobody lies any more: it becomes level.
    pub fn end(&mut self, turns: usize) {
        for _ in 0..turns {
            let status = self.replica.status();
            if status.stable == self.history.stable {
                assert!(self.history.states.contains_key(&status.batches), "the state after which batch?");
                return self.is_the_one();
            }
            self.tell_checkpoints();
            while !self.questions.is_empty() {
                self.answer_next();
            }
            self.stored();
            self.wait(SECOND);
        }
        panic!("it is not level with the others: {:?}", self.replica.status());
    }

    /// The checkpoint on its disk, and the state after it.
    pub fn checkpoint(self) -> (Vec<Vec<u8>>, Digest) {
        (self.checkpoint.expect("one was stored").0, self.replica.digest())
    }

    /// Its machine is that of the history.
    fn is_the_one(&self) {
        let batches = self.replica.status().batches;
        if let Some(state) = self.history.states.get(&batches) {
            assert_eq!(self.replica.digest(), *state, "the state after batch {batches}");
        }
    }

    fn check(&mut self, output: Output) {
        self.log.extend(output.records);
        assert!(output.fatal.is_none(), "{:?}", output.fatal);
        if let Some(file) = output.store {
            assert!(self.storing.is_none(), "two states at once");
            let round = file.round();
            self.storing = Some((round, file.collect(), self.log.len()));
        }
        for batch in output.executed {
            let agreed = self.history.batches.get(&batch.number);
            assert!(agreed.is_none_or(|agreed| *agreed == batch), "one order");
        }
        let mut octets = 0;
        for effect in output.effects {
            match effect {
                Effect::Send { to, bytes } => {
                    assert!(bytes.len() <= MAX_MESSAGE_BYTES, "a message of {} octets", bytes.len());
                    octets += bytes.len();
                    if let (To::One(peer), true) = (to, is_question(&bytes)) {
                        self.questions.push_back((peer, bytes.to_vec()));
                    }
                }
                Effect::Fault(fault) => assert!(
                    fault.who == self.corrupt || fault.what == Misbehaviour::Flood,
                    "an honest replica is accused: {fault:?}"
                ),
                Effect::Alarm(what) => panic!("alarm: {what}"),
                _ => {}
            }
        }
        assert!(octets <= MAX_SENT_BYTES, "{octets} octets are sent for one input");
        assert!(self.questions.len() <= super::MAX_STEPS + super::MAX_TURNS, "many questions at once");
        assert!(self.replica.status().held_states <= MAX_STATES);
    }
}

fn is_question(bytes: &[u8]) -> bool {
    let message = decode::<PeerMessage>(bytes, MAX_FRAME_BYTES);
    matches!(message, Ok(PeerMessage::State(StateMessage::Ask { .. } | StateMessage::AskHead { .. })))
}
