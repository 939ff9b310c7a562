//! Time as the core sees it: always an argument, never a clock.

use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;

/// One second, minute, hour and day in milliseconds.
pub const SECOND: u64 = 1_000;
/// One minute in milliseconds.
pub const MINUTE: u64 = 60 * SECOND;
/// One hour in milliseconds.
pub const HOUR: u64 = 60 * MINUTE;
/// One day in milliseconds.
pub const DAY: u64 = 24 * HOUR;

/// One machine's reading of its own clock: milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// Whole seconds since 1970.
    pub fn secs(self) -> u64 {
        self.0 / SECOND
    }

    /// This moment and `millis` more, at most the end of time.
    pub fn plus(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds since `earlier`, 0 if that is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The time of a batch, agreed by the order: the only clock that execution sees (milliseconds since 1970).
///
/// It never goes back, never passes the fastest correct clock, and is the same on all replicas.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct AgreedTime(pub u64);

impl AgreedTime {
    /// Whole seconds since 1970.
    pub fn secs(self) -> u64 {
        self.0 / SECOND
    }
}

impl fmt::Display for AgreedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.secs(), self.0 % SECOND)
    }
}
