//! Taking over a certified state instead of the history that leads to it, and giving it to others.
//!
//! A replica is behind when what it would have to execute or to accept may be gone elsewhere: its last executed batch is
//! below what those that know the newest certificate may have collected; or it lacks a vertex from there, and nothing has
//! been ordered for a moment (so that a peer that invents ancestors cannot make it fetch a state while all goes well); or
//! batches have waited long for signatures that nobody may be able to give any more: who restarts from a stored checkpoint
//! wants those of jobs that others, which stored a later one, know nothing of. Or its epoch is over and the others order no
//! more; or its epoch follows another, and it has no state to begin with.
//!
//! Steps: 1. ask one replica for *head* (mark and manifest) of the certified checkpoint, in parts; it must hash to
//! what is certified. 2. Ask for the pieces of the chunks, one question at a time; an answer goes on from chunk to chunk until
//! it is full. Each chunk is checked when it is complete, each signature when it comes. 3. Write the state to the own disk.
//! 4. Go on from there. Whoever gives what does not fit, or less than a full answer before the end, is named and left out for
//! this transfer, and so is who has not answered in [`PATIENCE_MS`]; after an answer that took [`SLOW_MS`] another is asked.
//! At most t lie, so somebody gives all. When all are left out, the checkpoint gives way to the newest, if there is one that is
//! newer; else all are asked once more.

mod give;
mod take;

use super::beginning::START;
use super::checkpoint::{Held, state_digest};
use super::{Effect, Output, PeerMessage, Replica};
use crate::codec::{JobId, decode};
use crate::consensus::{Certificate, Finale, Mark, Pace, Statement};
use crate::limits::{MAX_CHECKPOINT_HEAD_BYTES, MAX_PIECE_BYTES};
use crate::protocol::{Fault, Misbehaviour, To};
use crate::quorum::ReplicaId;
use crate::time::{SECOND, UnixMillis};
use crate::zone::{Machine, Manifest, OpenJob, Piece, Restore, Signed, Trust};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeSet;

/// Bytes of one answer: pieces, or a part of a head.
const ANSWER_BYTES: usize = 256 * 1024;
/// Bytes of an answer with pieces to which no piece more would have fit.
const FULL_BYTES: usize = ANSWER_BYTES - MAX_PIECE_BYTES;
/// Milliseconds that an answer may take.
const PATIENCE_MS: u64 = 5 * SECOND;
/// Milliseconds after which an answer counts as slow: who gives one is not asked next, if there is another.
const SLOW_MS: u64 = SECOND / 2;
/// Milliseconds without a new batch after which a lacking ancestor counts as gone.
const STALL_MS: u64 = SECOND;
/// Milliseconds for which ordered batches may wait for signatures before a newer certified state is taken instead.
const BLOCKED_MS: u64 = 10 * SECOND;
/// Answers to one peer: so many at once, then one each so many milliseconds. More than who checks what it gets can use.
const SERVE_BURST: u64 = 256;
const SERVE_REFILL_MS: u64 = 2;

/// What replicas say of certified states.
#[derive(BorshSerialize, BorshDeserialize)]
pub enum Message {
    /// Asks for the head of the checkpoint of this round, from this octet on.
    AskHead {
        /// The checkpoint's round.
        round: u64,
        /// The first octet wanted.
        from: u32,
    },
    /// A part of a head.
    Head {
        /// The checkpoint's round.
        round: u64,
        /// The first octet given.
        from: u32,
        /// The part.
        bytes: Vec<u8>,
        /// Whether it is the last.
        last: bool,
    },
    /// Asks for pieces of the checkpoint of this round.
    Ask {
        /// The checkpoint's round.
        round: u64,
        /// The chunk.
        chunk: u32,
        /// The first piece wanted.
        from: u32,
    },
    /// Pieces of a chunk, and of the chunks after it that are not empty, until the answer is full.
    Pieces {
        /// The checkpoint's round.
        round: u64,
        /// The chunk.
        chunk: u32,
        /// The first piece given.
        from: u32,
        /// The pieces of each chunk, and whether it ends with them.
        runs: Vec<(Vec<Piece>, bool)>,
    },
    /// The sender does not have the checkpoint of this round.
    Gone {
        /// The checkpoint's round.
        round: u64,
    },
}

/// Which state is wanted, and who says what it is.
#[derive(Clone)]
pub(super) enum Goal {
    /// A checkpoint of this epoch.
    Checkpoint(Certificate),
    /// The last of this epoch.
    Last(Finale),
    /// The one this epoch begins with: the last of the epoch before.
    Start(Finale),
}

impl Goal {
    /// The name by which it is asked for.
    pub fn round(&self) -> u64 {
        match self {
            Self::Checkpoint(certificate) => certificate.statement.round,
            Self::Last(finale) => finale.ending.round,
            Self::Start(_) => START,
        }
    }

    fn fits(&self, mark: Option<&Mark>, manifest: &Manifest) -> bool {
        let state = state_digest(mark, manifest);
        match (self, mark) {
            (Self::Checkpoint(Certificate { statement, .. }), Some(mark)) => {
                (mark.round, mark.previous, state) == (statement.round, statement.previous, statement.state)
            }
            (Self::Last(finale) | Self::Start(finale), None) => state == finale.ending.state,
            _ => false,
        }
    }
}

/// A state on its way to this replica.
pub(super) struct Transfer {
    goal: Goal,
    server: ReplicaId,
    asked: UnixMillis,
    head: Vec<u8>,
    body: Option<Body>,
    /// Gave what does not fit, does not have it, or did not answer.
    useless: BTreeSet<ReplicaId>,
}

struct Body {
    mark: Option<Mark>,
    restore: Restore,
}

/// A state that is whole, and waits to be on disk.
pub(super) struct Ready {
    pub goal: Goal,
    pub held: Held,
    pub machine: Machine,
    pub jobs: Vec<OpenJob>,
    pub finished: Vec<(JobId, Vec<u8>)>,
    pub signed: Signed,
}

impl Replica {
    /// Begins a transfer if this replica is behind, goes on with one that is slow; says when to look again.
    pub(super) fn catch_up(&mut self, now: UnixMillis, out: &mut Output) -> Option<UnixMillis> {
        // Overtaken by the order: what is held goes no longer back to that state's line.
        let needless = self.ready.as_ref().is_some_and(|ready| self.is_needless(&ready.goal));
        if needless {
            self.ready = None;
        }
        if self.ready.is_some() {
            self.store_ready(out);
            return None;
        }
        if let Some(transfer) = &self.transfer {
            if self.is_needless(&transfer.goal) {
                self.transfer = None;
            } else if now.since(transfer.asked) >= PATIENCE_MS || now < transfer.asked {
                self.ask_another(now, out);
            }
        } else if let Some(goal) = self.wanted(now) {
            // Replicas that are behind together ask different ones first.
            self.begin_transfer(now, self.me, goal, out);
        }
        let lacks = self.consensus.lacks_history() || self.is_late();
        match &self.transfer {
            Some(transfer) => Some(transfer.asked.plus(PATIENCE_MS)),
            None if self.has_failed(now) => Some(now.plus(PATIENCE_MS)),
            None => lacks.then(|| self.last_ordered.plus(STALL_MS).max(now.plus(1))),
        }
    }

    /// The order, or another state, was faster.
    fn is_needless(&self, goal: &Goal) -> bool {
        match goal {
            _ if self.last.is_some() => true,
            Goal::Checkpoint(certificate) => {
                !self.awaits && certificate.statement.round <= self.executed_round
            }
            Goal::Last(_) => false,
            Goal::Start(_) => !self.awaits,
        }
    }

    /// Whether the epoch is over, and not here.
    fn is_late(&self) -> bool {
        self.last.is_none() && self.consensus.finale().is_some()
    }

    /// The state that this replica lacks.
    fn wanted(&self, now: UnixMillis) -> Option<Goal> {
        let newest = || self.consensus.certified().cloned().map(Goal::Checkpoint);
        if self.has_failed(now) {
            return None;
        }
        if self.awaits {
            if let Some(finale) = self.consensus.finale() {
                return Some(Goal::Last(finale.clone())); // this epoch is over, too
            }
            let start = self.before.clone().map(Goal::Start);
            return start.and_then(|start| newest().or(Some(start)));
        }
        let late = self.consensus.finale().filter(|_| self.is_late() && self.is_stalled(now));
        if let Some(finale) = late {
            return Some(Goal::Last(finale.clone()));
        }
        let newer = self.consensus.certified().is_some_and(|c| c.statement.round > self.executed_round);
        newest().filter(|_| newer && self.last.is_none() && self.is_behind(now))
    }

    /// Whether the next try must wait: the state is certified, so asking for it again makes it no better.
    fn has_failed(&self, now: UnixMillis) -> bool {
        self.failed.is_some_and(|at| now.since(at) < PATIENCE_MS && now >= at)
    }

    /// Whether nothing was ordered for a moment.
    pub(super) fn is_stalled(&self, now: UnixMillis) -> bool {
        now.since(self.last_ordered) >= STALL_MS || now < self.last_ordered
    }

    fn is_behind(&self, now: UnixMillis) -> bool {
        let newest = self.consensus.certified().map(|certificate| certificate.statement);
        let out_of_reach = newest.is_some_and(|newest: Statement| self.executed_round < newest.collected());
        let stalled = self.is_stalled(now);
        let idle = now.since(self.last_executed) >= BLOCKED_MS || now < self.last_executed;
        let blocked = idle && self.pipeline.waiting() > 0;
        out_of_reach || (stalled && self.consensus.lacks_history()) || blocked
    }

    /// Begins with the replica after this one.
    fn begin_transfer(&mut self, now: UnixMillis, after: ReplicaId, goal: Goal, out: &mut Output) {
        let Some(server) = self.next_server(after, &BTreeSet::new()) else { return };
        let (head, useless) = (Vec::new(), BTreeSet::new());
        self.transfer = Some(Transfer { goal, server, asked: now, head, body: None, useless });
        self.ask(now, out);
    }

    /// The next in turn after `last` that is of use.
    fn next_server(&self, last: ReplicaId, useless: &BTreeSet<ReplicaId>) -> Option<ReplicaId> {
        let others = || self.committee.others(self.me).filter(|other| !useless.contains(other));
        others().find(|other| *other > last).or_else(|| others().next())
    }

    /// Turns to another replica: the one asked last is of no more use.
    fn ask_another(&mut self, now: UnixMillis, out: &mut Output) {
        let Some(mut transfer) = self.transfer.take() else { return };
        transfer.useless.insert(transfer.server);
        let late = self.consensus.finale().filter(|_| self.is_late()).cloned().map(Goal::Last);
        let newest = late.or_else(|| self.consensus.certified().cloned().map(Goal::Checkpoint));
        let newer = newest.filter(|goal| goal.round() > transfer.goal.round());
        match (self.next_server(transfer.server, &transfer.useless), newer) {
            (Some(server), _) => {
                match &mut transfer.body {
                    None => transfer.head.clear(),
                    Some(body) => body.restore.again(),
                }
                transfer.server = server;
                self.transfer = Some(transfer);
                self.ask(now, out);
            }
            (None, Some(newer)) => self.begin_transfer(now, transfer.server, newer, out),
            (None, None) => {
                // All have failed: perhaps they have it later. Slowly, for who lies will lie again.
                transfer.useless.clear();
                transfer.asked = now;
                self.transfer = Some(transfer);
            }
        }
    }

    /// After an answer: the same one goes on, unless it was slow.
    fn ask_on(&mut self, now: UnixMillis, out: &mut Output) {
        let next = self.transfer.as_ref().and_then(|t| self.next_server(t.server, &t.useless));
        if let Some((transfer, next)) = self.transfer.as_mut().zip(next)
            && now.since(transfer.asked) >= SLOW_MS
            && transfer
                .body
                .as_ref()
                .is_some_and(|body| body.restore.needs().is_some_and(|(_, from)| from == 0))
        {
            transfer.server = next;
        }
        self.ask(now, out);
    }

    fn ask(&mut self, now: UnixMillis, out: &mut Output) {
        let Some(transfer) = &mut self.transfer else { return };
        transfer.asked = now;
        let round = transfer.goal.round();
        let question = match transfer.body.as_ref().map(|body| body.restore.needs()) {
            None => Message::AskHead { round, from: transfer.head.len() as u32 },
            Some(Some((chunk, from))) => Message::Ask { round, chunk, from },
            Some(None) => return self.complete(now, out),
        };
        let to = To::One(transfer.server);
        self.send(to, PeerMessage::State(question), out);
    }

    /// A message about states.
    pub(super) fn state_message(
        &mut self,
        now: UnixMillis,
        from: ReplicaId,
        message: Message,
        out: &mut Output,
    ) {
        let asks = matches!(message, Message::AskHead { .. } | Message::Ask { .. });
        let pace = self.serving.entry(from).or_insert_with(|| Pace::new(SERVE_BURST, SERVE_REFILL_MS));
        if asks && !pace.take(now) {
            return;
        }
        match message {
            Message::AskHead { round, from: offset } => self.give_head(now, from, round, offset, out),
            Message::Ask { round, chunk, from: index } => {
                self.give_pieces(now, from, (round, chunk, index), out)
            }
            Message::Head { round, from: offset, bytes, last } if self.expects(from, round) => {
                self.take_head(now, offset, &bytes, last, out);
            }
            Message::Pieces { round, chunk, from: index, runs } if self.expects(from, round) => {
                self.take_pieces(now, (chunk, index), runs, out);
            }
            Message::Gone { round } if self.expects(from, round) => self.ask_another(now, out),
            Message::Head { .. } | Message::Pieces { .. } | Message::Gone { .. } => {}
        }
    }

    fn expects(&self, from: ReplicaId, round: u64) -> bool {
        let expected = self.transfer.as_ref();
        expected.is_some_and(|t| t.server == from && t.goal.round() == round)
    }

    fn take_head(&mut self, now: UnixMillis, from: u32, bytes: &[u8], last: bool, out: &mut Output) {
        let Some(transfer) = &mut self.transfer else { return };
        if transfer.body.is_some() || from as usize != transfer.head.len() {
            return; // an answer to an earlier question
        }
        let fits = transfer.head.len() + bytes.len() <= MAX_CHECKPOINT_HEAD_BYTES;
        if !fits || (bytes.len() < ANSWER_BYTES && !last) {
            return self.blame(now, out);
        }
        transfer.head.extend_from_slice(bytes);
        if !last {
            return self.ask(now, out);
        }
        let head = std::mem::take(&mut transfer.head);
        let head = decode::<(Option<Mark>, Manifest)>(&head, MAX_CHECKPOINT_HEAD_BYTES).ok();
        let fitting = head.filter(|(mark, manifest)| transfer.goal.fits(mark.as_ref(), manifest));
        let Some((mark, manifest)) = fitting else { return self.blame(now, out) };
        let before = self.predecessor.as_ref().filter(|_| matches!(transfer.goal, Goal::Start(_)));
        let genesis = before.map_or(&self.genesis, |before| &before.genesis).clone();
        match Restore::new(genesis, manifest, Trust::Nobody) {
            Ok(restore) => {
                transfer.body = Some(Body { mark, restore });
                self.ask_on(now, out);
            }
            Err(why) => {
                // Certified, and yet not of this cluster's zones: it is this replica that is set up differently.
                out.effects
                    .push(Effect::Alarm(format!("the certified state does not fit this replica: {why}")));
                self.ask_another(now, out);
            }
        }
    }

    fn take_pieces(
        &mut self,
        now: UnixMillis,
        at: (u32, u32),
        runs: Vec<(Vec<Piece>, bool)>,
        out: &mut Output,
    ) {
        let Some(body) = self.transfer.as_mut().and_then(|transfer| transfer.body.as_mut()) else { return };
        if body.restore.needs() != Some(at) {
            return; // an answer to an earlier question
        }
        let bytes: usize = runs.iter().flat_map(|(pieces, _)| pieces).map(Piece::bytes).sum();
        let fit = runs.into_iter().all(|(pieces, last)| body.restore.take(pieces, last).is_ok());
        match fit && (bytes >= FULL_BYTES || body.restore.needs().is_none()) {
            true => self.ask_on(now, out),
            false => self.blame(now, out),
        }
    }

    /// The server gave what is not certified.
    fn blame(&mut self, now: UnixMillis, out: &mut Output) {
        if let Some(transfer) = &self.transfer {
            self.fault(Fault { who: transfer.server, what: Misbehaviour::BadState }, out);
        }
        self.ask_another(now, out);
    }
}
