//! Executed requests, remembered until no signature can bring them back; a repeat gets the first answer.
//!
//! A request is known by the digest of exactly the octets that its signature or MAC covers: the rest of a message,
//! its ID and the encoding of a signature among it, can be changed by anybody. It is remembered until agreed time has
//! passed the end of the signature's window; windows longer than [`REPLAY_WINDOW_MS`] are not taken, and a full table
//! ([`crate::limits::MAX_REPLAY_ENTRIES`]) executes nothing new (SERVFAIL, as the client may try later).

use super::digest::SetDigest;
use crate::codec::Digest;
use crate::dns::{Name, Rcode};
use crate::limits::REPLAY_WINDOW_MS;
use crate::time::{AgreedTime, SECOND};
use std::collections::{BTreeMap, BTreeSet};

/// The first answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Answer {
    pub(super) rcode: Rcode,
    pub(super) after: Option<(Name, u64)>,
}

#[derive(Default)]
pub(super) struct Replay {
    answers: BTreeMap<Digest, (Answer, u64)>,
    by_end: BTreeSet<(u64, Digest)>,
    digest: SetDigest,
}

impl Replay {
    /// Drops what no signature can bring back after `time`.
    pub(super) fn forget(&mut self, time: AgreedTime) {
        while let Some(&(end, covered)) = self.by_end.first().filter(|(end, _)| *end < time.secs()) {
            self.by_end.remove(&(end, covered));
            if let Some((answer, end)) = self.answers.remove(&covered) {
                change(&mut self.digest, SetDigest::remove, covered, &answer, end);
            }
        }
    }

    pub(super) fn answer(&self, covered: Digest) -> Option<&Answer> {
        self.answers.get(&covered).map(|(answer, _)| answer)
    }

    pub(super) fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether a signature that is taken until `end` (seconds) has too long a window.
    pub(super) fn outlasts(end: u64, time: AgreedTime) -> bool {
        end > time.secs() + REPLAY_WINDOW_MS / SECOND
    }

    /// Remembers the first answer until `end` (seconds) has passed. There must be none.
    pub(super) fn remember(&mut self, covered: Digest, answer: Answer, end: u64) {
        change(&mut self.digest, SetDigest::insert, covered, &answer, end);
        self.by_end.insert((end, covered));
        let before = self.answers.insert(covered, (answer, end));
        assert!(before.is_none(), "a remembered request was executed again");
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest.bytes()
    }

    #[cfg(test)]
    pub(super) fn recomputed_digest(&self) -> [u8; 32] {
        let mut digest = SetDigest::default();
        for (covered, (answer, end)) in &self.answers {
            change(&mut digest, SetDigest::insert, *covered, answer, *end);
        }
        digest.bytes()
    }
}

fn change(
    digest: &mut SetDigest,
    operation: fn(&mut SetDigest, &[&[u8]]),
    covered: Digest,
    answer: &Answer,
    end: u64,
) {
    let (zone, version) =
        answer.after.as_ref().map_or((&[][..], 0), |(zone, version)| (zone.wire(), *version));
    let numbers = [u64::from(answer.rcode.0), version, end].map(u64::to_be_bytes).concat();
    operation(digest, &[b"answer", &covered.0, &numbers, zone]);
}
