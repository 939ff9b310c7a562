//! Whether a replica may be behind the others: it has had links to fewer than a quorum for too long. Then what it answers is marked
//! as stale (RFC 8914 §4.4, §4.20), and `ctl status` says so; it answers all the same, for reads go on without the others.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

/// How long a replica has been without a quorum.
pub(super) struct Contact {
    /// How long it may be; none: for ever.
    patience: Option<Duration>,
    lost: Option<Instant>,
}

impl Contact {
    /// Nothing is lost yet.
    pub fn new(patience: Option<Duration>) -> Self {
        Self { patience, lost: None }
    }

    /// Whether answers may be stale at `now`, when the replica has a quorum in reach or has not.
    pub fn is_stale(&mut self, has_quorum: bool, now: Instant) -> bool {
        if has_quorum {
            self.lost = None;
            return false;
        }
        let lost = *self.lost.get_or_insert(now);
        self.patience.is_some_and(|patience| now.saturating_duration_since(lost) >= patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_too_long_is_stale_until_the_quorum_is_back() {
        let (begin, second) = (Instant::now(), Duration::from_secs(1));
        let mut contact = Contact::new(Some(10 * second));
        let mut at = |seconds: u32, has_quorum| contact.is_stale(has_quorum, begin + seconds * second);
        let seen = [
            at(0, false),
            at(9, false),
            at(10, false),
            at(11, true),
            at(12, false),
            at(21, false),
            at(22, false),
        ];
        assert_eq!(seen, [false, false, true, false, false, false, true]);
        let mut patient = Contact::new(None);
        assert!(!patient.is_stale(false, begin) && !patient.is_stale(false, begin + 1_000_000 * second));
    }
}
