//! One replica of four that is three checkpoints behind, while one of those that it asks lies: it takes over the certified
//! state, and no other.
//!
//! The three others have a long history behind them (`replica::history`) and have let go the beginning of it.
//! The fourth ([`laggard`]) hears of them and must take over a state. An input says step by step what
//! reaches it: honest answers; a lie in place of one; messages about states that nobody asked for; votes and
//! certificates that the corrupt replica's real key signs; octets; links, time; a state that is on its disk; a crash.
//! Promised: no panic; nobody accused but the liar; bounded output; after any state that is taken over or read back
//! the machine is the one of the history. When the lies end, the newest checkpoint is reached.

mod laggard;

use super::bytes::Bytes;
use super::replica::{history, mutate};
use conclave::codec::{Digest, decode, encode};
use conclave::consensus::{Certificate, Message, Statement, forge::Forge};
use conclave::limits::MAX_FRAME_BYTES;
use conclave::quorum::ReplicaId;
use conclave::replica::transfer::Message as StateMessage;
use conclave::replica::{Input, PeerMessage};
use history::{History, PEERS};
use laggard::Laggard;

/// Steps of one run.
const MAX_STEPS: usize = 48;
/// Turns of a second within which it must be level, once nobody lies: patience with each peer, twice.
const MAX_TURNS: usize = 60;

pub fn run(data: &[u8]) {
    let history = history::long();
    let mut bytes = Bytes(data);
    let corrupt = PEERS[bytes.index(3)];
    let forge = history.cluster.forge(corrupt);
    let mut play = Play { history, corrupt, forge, laggard: Laggard::new(history, corrupt), heard: 0 };
    for _ in 0..MAX_STEPS {
        if bytes.is_empty() {
            break;
        }
        play.step(&mut bytes);
    }
    play.laggard.end(MAX_TURNS);
}

struct Play {
    history: &'static History,
    corrupt: ReplicaId,
    forge: Forge,
    laggard: Laggard,
    /// How many of the messages about checkpoints have been heard.
    heard: usize,
}

impl Play {
    fn step(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.u8() % 14 {
            0 => self.laggard.tell_checkpoints(),
            1 | 2 => self.laggard.answer_next(),
            3 | 4 => self.lie(bytes),
            5 => self.unasked(bytes),
            6 => {
                let vote = self.forge.vote(self.statement(bytes));
                self.say(&PeerMessage::Consensus(vote));
            }
            7 => {
                let certificate = self.certificate(bytes);
                self.say(&PeerMessage::Consensus(Message::Certified(certificate)));
            }
            8 => self.laggard.hear(self.corrupt, bytes.counted().to_vec()),
            9 => self.laggard.wait(u64::from(bytes.u16())),
            10 => self.laggard.step(Input::Linked(PEERS[bytes.index(3)])),
            11 => self.laggard.stored(),
            12 => self.laggard.crash(),
            _ => {
                let all = laggard::checkpoint_messages(self.history);
                let (from, message) = &all[self.heard % all.len()];
                self.heard += 1;
                self.laggard.hear(*from, message.clone());
            }
        }
    }

    fn say(&mut self, message: &PeerMessage) {
        self.laggard.hear(self.corrupt, encode(message));
    }

    /// The liar answers what it was asked, if it was; else the oldest question is answered.
    fn lie(&mut self, bytes: &mut Bytes<'_>) {
        let Some((peer, question)) = self.laggard.question() else { return };
        for answer in self.history.answer(peer, &question) {
            let answer = if peer == self.corrupt { alter(answer, bytes) } else { answer };
            self.laggard.hear(peer, answer);
        }
    }

    /// A question of the liar's, or an answer to one that the replica did not put.
    fn unasked(&mut self, bytes: &mut Bytes<'_>) {
        let (kind, round) = (bytes.u8(), self.history.stable ^ u64::from(bytes.u8() % 4));
        let (chunk, from) = (u32::from(bytes.u16()), u32::from(bytes.u8()));
        let question = match kind % 3 {
            0 => StateMessage::AskHead { round, from },
            1 => StateMessage::Ask { round, chunk, from },
            _ => StateMessage::Gone { round },
        };
        let question = PeerMessage::State(question);
        if kind & 8 == 0 {
            return self.say(&question);
        }
        for answer in self.history.answer(self.corrupt, &encode(&question)) {
            self.laggard.hear(self.corrupt, alter(answer, bytes));
        }
    }

    /// A statement of the history, or almost.
    fn statement(&self, bytes: &mut Bytes<'_>) -> Statement {
        let known = laggard::certificates(self.history);
        let mut statement = known[bytes.index(known.len())].statement;
        match bytes.u8() % 6 {
            0 => statement.round = statement.round.wrapping_add_signed(i64::from(bytes.u8() as i8)),
            1 => statement.round = u64::from(bytes.u16()) << (bytes.u8() % 49),
            2 => statement.previous = u64::from(bytes.u16()),
            3 => statement.state = Digest([bytes.u8(); 32]),
            4 => statement.history.0[0] ^= bytes.u8(),
            _ => {}
        }
        statement
    }

    /// A certificate of the signatures that a liar can have.
    fn certificate(&self, bytes: &mut Bytes<'_>) -> Certificate {
        let statement = self.statement(bytes);
        let own = match self.forge.vote(statement) {
            Message::Vote(_, signature) => signature,
            _ => return laggard::certificates(self.history)[0].clone(),
        };
        let mut signatures = vec![(self.corrupt, own)];
        for (from, message) in laggard::checkpoint_messages(self.history) {
            if let Ok(PeerMessage::Consensus(Message::Vote(_, signature))) = decode(message, MAX_FRAME_BYTES)
                && bytes.u8() & 1 == 1
            {
                signatures.push((*from, signature));
            }
        }
        signatures.sort_by_key(|(who, _)| *who);
        signatures.truncate(usize::from(bytes.u8() % 5));
        self.forge.certificate(statement, signatures)
    }
}

/// An answer that is not the honest one.
fn alter(answer: Vec<u8>, bytes: &mut Bytes<'_>) -> Vec<u8> {
    let how = bytes.u8();
    let Ok(PeerMessage::State(mut message)) = decode::<PeerMessage>(&answer, MAX_FRAME_BYTES) else {
        return answer;
    };
    match &mut message {
        _ if how & 7 == 0 => {
            let mut answer = answer;
            mutate(&mut answer, bytes);
            return answer;
        }
        StateMessage::Head { bytes: head, last, .. } => {
            mutate(head, bytes);
            *last ^= how & 8 != 0;
        }
        StateMessage::Pieces { chunk, from, runs, .. } => {
            let at = bytes.index(runs.len());
            match (how & 7, runs.get_mut(at)) {
                (1, Some((pieces, _))) => drop(pieces.pop()),
                (2, Some((_, last))) => *last = !*last,
                (3, Some(_)) => runs.truncate(at),
                (4, Some(_)) => runs.rotate_left(at),
                (5, _) => *chunk = chunk.wrapping_add(u32::from(bytes.u8())),
                (6, _) => *from = from.wrapping_add(u32::from(bytes.u8())),
                (_, Some((pieces, _))) => {
                    let piece = bytes.index(pieces.len());
                    if let Some(piece) = pieces.get_mut(piece) {
                        let octets = match piece.signatures.first_mut() {
                            Some(signature) if how & 8 != 0 => signature,
                            _ => &mut piece.element,
                        };
                        mutate(octets, bytes);
                    }
                }
                _ => {}
            }
        }
        StateMessage::Gone { round } => *round ^= u64::from(bytes.u8()),
        _ => {}
    }
    encode(&PeerMessage::State(message))
}

/// The records of the checkpoint that an honest transfer stores.
pub(super) fn stored() -> (Vec<Vec<u8>>, Digest) {
    let mut laggard = Laggard::new(history::long(), PEERS[0]);
    laggard.end(MAX_TURNS);
    laggard.checkpoint()
}

pub fn seeds() -> Vec<Vec<u8>> {
    let honest = [0, 0, 1, 1, 1, 11];
    let crash = [&honest[..5], &[12, 0, 1, 1, 1, 11, 12, 10, 1]].concat();
    let lies = |how: u8| [0, 0, 3, how, 0, 40, 0, 1, 3, how, 0, 40, 0, 1, 3, how, 1, 9, 0, 1, 1, 11];
    let votes: Vec<u8> = [0]
        .into_iter()
        .chain((0..6).flat_map(|how| [6, how, how, 9, 2, 7, how, how, 7, 1, 1, 1, 0, 2]))
        .collect();
    let unasked: Vec<u8> =
        [0, 0, 1].into_iter().chain((0..12).flat_map(|kind| [5, kind, 0, kind, 0, 0, 7, 1, 1])).collect();
    let slow = [0, 0, 9, 0, 20, 1, 9, 0, 20, 1, 9, 200, 20, 13, 13, 13, 13, 1];
    let mut seeds: Vec<Vec<u8>> = (0..16).map(|how| lies(how).to_vec()).collect();
    seeds.extend([honest.to_vec(), crash, votes, unasked, slow.to_vec()]);
    seeds
}
