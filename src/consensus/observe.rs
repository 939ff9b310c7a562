//! A replica without a log, and how it resumes.
//!
//! The log of a replica that never ran begins with its [`Record::Standing`](super::Record::Standing), which who starts it
//! the first time puts there. An empty log is that of a replica that has lost its disk: it may have made vertices, and a second
//! one for the round of one of them would be equivocation. So it *observes*: it takes part in everything but makes no
//! vertex, and asks all others for their newest. Once q others that do not observe have answered, each with its newest vertex,
//! accepted here (so that nobody can name a round that does not exist), it resumes at two rounds above the highest of these.
//!
//! Why that is enough: its own last vertex, of round r, rested on q vertices of round r - 1, of which at least q - 1 are
//! others'; these and the q that answered have at least n - 2t ≥ t + 1 in common, one of them correct, whose newest is not
//! below r - 1. What it answers in its turn must bear this, too: a resumed replica says that it observes until it has made a
//! vertex, since before its loss it may have made some up to the round below its floor. So it makes one at once; until then it
//! counts among the t.
//!
//! Answers name the question's nonce, so that those to an earlier start do not count. A resumed replica may wait for a
//! round that an idle cluster does not make: then it asks for it ([`Message::Observe`]'s `wants`), and the others make one
//! round more at their bounded pace.

use super::Message;
use super::dag::Dag;
use super::vertex::VertexRef;
use crate::quorum::{Committee, ReplicaId};
use crate::time::{SECOND, UnixMillis};
use std::collections::BTreeMap;

/// Milliseconds until the question is put again, the first time; doubles with each.
const FIRST_PAUSE_MS: u64 = SECOND;
/// At most so many.
const LONGEST_PAUSE_MS: u64 = 16 * SECOND;
/// From the highest round that q others have to the first of which a vertex may be made.
const ABOVE: u64 = 2;

/// The state of observing, and the pace of asking.
pub(super) struct Observe {
    committee: Committee,
    observing: bool,
    nonce: u64,
    /// The newest vertices of others that do not observe; of round 0 if they have made none.
    answers: BTreeMap<ReplicaId, VertexRef>,
    next_ask: UnixMillis,
    pause: u64,
}

impl Observe {
    /// Of a replica that observes, or takes part. The nonce is of this start.
    pub fn new(committee: Committee, observing: bool, nonce: u64) -> Self {
        let next_ask = UnixMillis(0);
        Self { committee, observing, nonce, answers: BTreeMap::new(), next_ask, pause: FIRST_PAUSE_MS }
    }

    /// Whether it makes no vertices yet.
    pub fn observes(&self) -> bool {
        self.observing
    }

    /// It takes part from now on.
    pub fn end(&mut self) {
        self.observing = false;
        self.answers.clear();
        self.pause = FIRST_PAUSE_MS;
    }

    /// Takes an answer.
    pub fn answered(&mut self, who: ReplicaId, nonce: u64, observes: bool, newest: VertexRef) {
        if self.observing && nonce == self.nonce && !observes {
            self.answers.insert(who, newest);
        }
    }

    /// The lowest round of which it may make a vertex, once that is known.
    pub fn floor(&self, dag: &Dag) -> Option<u64> {
        let rounds: Vec<u64> = self.answers.values().filter(|id| dag.covers(id)).map(|id| id.round).collect();
        let highest = rounds.iter().max().filter(|_| rounds.len() >= self.committee.quorum())?;
        Some(highest + ABOVE)
    }

    /// The question, for a peer whose link is new.
    pub fn question(&self, wants: u64) -> Message {
        Message::Observe { nonce: self.nonce, wants }
    }

    /// The question to all, if it is due; and when to look again.
    pub fn ask(&mut self, now: UnixMillis, wants: u64) -> (Option<Message>, UnixMillis) {
        // A clock set back must not put it off.
        let is_due = now >= self.next_ask || now.plus(LONGEST_PAUSE_MS) < self.next_ask;
        if is_due {
            self.next_ask = now.plus(self.pause);
            self.pause = (self.pause * 2).min(LONGEST_PAUSE_MS);
        }
        (is_due.then(|| self.question(wants)), self.next_ask)
    }
}
