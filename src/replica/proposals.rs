//! What a replica proposes by itself: Genesis at the first start, Refresh when signatures grow old, receipts for new keys.
//!
//! Every replica proposes; duplicates change nothing at execution. To keep them few, replica i first waits i − 1
//! steps, and what is still due is proposed again with doubling pauses. Due is judged by this replica's own clock;
//! execution acts only if agreed time says so too ("Refresh when idle").
use crate::time::{MINUTE, SECOND, UnixMillis};
use std::collections::BTreeMap;

/// Milliseconds between two looks for what is due, while nothing is.
const LOOK_MS: u64 = 30 * SECOND;
/// Milliseconds that replica i + 1 waits longer than replica i before its first proposal.
const STAGGER_MS: u64 = 300;
/// Milliseconds until the same is proposed again, the first time; then twice as long each time.
const FIRST_PAUSE_MS: u64 = 5 * SECOND;
/// The longest pause in milliseconds.
const LONGEST_PAUSE_MS: u64 = 5 * MINUTE;

/// When what was proposed, by its encoded request.
pub(super) struct Proposals {
    slot: u64,
    next_look: UnixMillis,
    due: BTreeMap<Vec<u8>, Plan>,
}

struct Plan {
    next: UnixMillis,
    pause: u64,
}

impl Proposals {
    /// The proposals of the replica in `slot`, which looks at the first occasion.
    pub fn new(slot: usize) -> Self {
        Self { slot: slot as u64, next_look: UnixMillis(0), due: BTreeMap::new() }
    }

    /// Whether it is time to find out what is due.
    pub fn should_look(&self, now: UnixMillis) -> bool {
        now >= self.next_look
    }

    /// Something has become due just now.
    pub fn look_at_once(&mut self) {
        self.next_look = UnixMillis(0);
    }

    /// Nothing can be due for now.
    pub fn put_off(&mut self, now: UnixMillis) {
        if self.should_look(now) {
            self.next_look = now.plus(LOOK_MS);
        }
    }

    /// `due` is all that is due now, encoded. Returns what to propose.
    pub fn look(&mut self, now: UnixMillis, due: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut plans = BTreeMap::new();
        let mut propose = Vec::new();
        for request in due {
            let mut plan = self
                .due
                .remove(&request)
                .unwrap_or(Plan { next: now.plus(self.slot * STAGGER_MS), pause: FIRST_PAUSE_MS });
            if now >= plan.next {
                propose.push(request.clone());
                plan.next = now.plus(plan.pause);
                plan.pause = (plan.pause * 2).min(LONGEST_PAUSE_MS);
            }
            plans.insert(request, plan);
        }
        self.due = plans;
        let soonest = self.due.values().map(|plan| plan.next).min();
        self.next_look = now.plus(LOOK_MS).min(soonest.unwrap_or(UnixMillis(u64::MAX)));
        propose
    }

    /// When to look next.
    pub fn wake_at(&self) -> UnixMillis {
        self.next_look
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_due_is_proposed_again_with_doubling_pauses() {
        let mut proposals = Proposals::new(0);
        let mut now = UnixMillis(1_000_000);
        let mut times = Vec::new();
        while times.len() < 5 {
            if proposals.should_look(now) && !proposals.look(now, vec![vec![1]]).is_empty() {
                times.push(now.0);
            }
            now = now.plus(SECOND);
        }
        let pauses: Vec<u64> = times.windows(2).map(|pair| (pair[1] - pair[0]) / SECOND).collect();
        assert_eq!(pauses, [5, 10, 20, 40]);
    }

    #[test]
    fn later_replicas_let_earlier_ones_go_first() {
        let mut proposals = Proposals::new(2);
        let now = UnixMillis(5);
        assert!(proposals.look(now, vec![vec![1]]).is_empty());
        assert!(!proposals.should_look(now.plus(2 * STAGGER_MS - 1)));
        assert_eq!(proposals.look(now.plus(2 * STAGGER_MS), vec![vec![1]]), vec![vec![1]]);
        assert!(proposals.look(now.plus(3 * STAGGER_MS), vec![]).is_empty(), "done meanwhile");
    }
}
