//! Executed requests, remembered until no signature can bring them back; a repeat gets the first answer.
//!
//! A request is known by the digest of exactly the octets that its signature or MAC covers: the rest of a message,
//! its ID and the encoding of a signature among it, can be changed by anybody. It is remembered until agreed time has
//! passed the end of the signature's window; windows longer than [`REPLAY_WINDOW_MS`] are not taken, and a full table
//! ([`crate::limits::MAX_REPLAY_ENTRIES`]) executes nothing new (SERVFAIL, as the client may try later).

use super::digest::Tally;
use super::element;
use crate::codec::Digest;
use crate::dns::{Name, Rcode};
use crate::limits::REPLAY_WINDOW_MS;
use crate::time::{AgreedTime, SECOND};
use rpds::RedBlackTreeMapSync;
use std::collections::BTreeSet;

/// The first answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Answer {
    pub(super) rcode: Rcode,
    pub(super) after: Option<(Name, u64)>,
}

/// The first answers, and until when (seconds) they are remembered. Persistent: snapshots share it.
pub(super) type Answers = RedBlackTreeMapSync<Digest, (Answer, u64)>;

#[derive(Default)]
pub(super) struct Replay {
    answers: Answers,
    by_end: BTreeSet<(u64, Digest)>,
}

impl Replay {
    /// Drops what no signature can bring back after `time`.
    pub(super) fn forget(&mut self, time: AgreedTime, tally: &mut Tally) {
        while let Some(&(end, covered)) = self.by_end.first().filter(|(end, _)| *end < time.secs()) {
            self.by_end.remove(&(end, covered));
            if let Some((answer, end)) = self.answers.get(&covered) {
                let gone = element::answer(covered, answer, *end);
                tally.bucket(element::bucket_of_answer(covered)).remove(&gone);
            }
            self.answers.remove_mut(&covered);
        }
    }

    pub(super) fn answer(&self, covered: Digest) -> Option<&Answer> {
        if planted!(RepeatsForgotten) { None } else { self.answers.get(&covered).map(|(answer, _)| answer) }
    }

    pub(super) fn len(&self) -> usize {
        self.answers.size()
    }

    /// Whether a signature that is taken until `end` (seconds) has too long a window.
    pub(super) fn outlasts(end: u64, time: AgreedTime) -> bool {
        end > time.secs() + REPLAY_WINDOW_MS / SECOND
    }

    /// Remembers the first answer until `end` (seconds) has passed. There must be none.
    pub(super) fn remember(&mut self, covered: Digest, answer: Answer, end: u64, tally: &mut Tally) {
        tally.bucket(element::bucket_of_answer(covered)).insert(&element::answer(covered, &answer, end));
        assert!(
            !self.answers.contains_key(&covered) || planted!(RepeatsForgotten),
            "a remembered request was executed again"
        );
        self.restore(covered, answer, end);
    }

    /// Takes over what is tallied already.
    pub(super) fn restore(&mut self, covered: Digest, answer: Answer, end: u64) {
        self.by_end.insert((end, covered));
        self.answers.insert_mut(covered, (answer, end));
    }

    pub(super) fn answers(&self) -> &Answers {
        &self.answers
    }
}
