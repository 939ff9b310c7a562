//! The order of effects as a type: a value that may leave only when the log has reached a position.

/// A place in the log: how many records come before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Position(pub(super) u64);

impl Position {
    /// Before the first record: durable without any sync.
    pub const START: Self = Self(0);

    /// Records before this place.
    pub fn records(self) -> u64 {
        self.0
    }
}

/// Proof that all records before a place are on disk; only [`Log`](super::Log) makes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Durable(pub(super) Position);

impl Durable {
    /// The place up to which the log is on disk.
    pub fn upto(&self) -> Position {
        self.0
    }
}

/// A value that may leave only when the log is durable up to a place.
#[derive(Debug)]
#[must_use = "what is pending must be released once the log is durable"]
pub struct Pending<T> {
    value: T,
    upto: Position,
}

impl<T> Pending<T> {
    /// Holds `value` until the log is durable up to `upto`.
    pub fn new(value: T, upto: Position) -> Self {
        Self { value, upto }
    }

    /// The place that must be durable first.
    pub fn upto(&self) -> Position {
        self.upto
    }

    /// The value. Panics if `durable` does not reach far enough: that is a bug of the caller, who has not synced.
    pub fn release(self, durable: &Durable) -> T {
        assert!(self.upto <= durable.0, "an effect was to leave before its records were durable");
        self.value
    }
}
