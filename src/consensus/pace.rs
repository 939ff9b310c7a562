//! A bounded pace: so many at once, and one more each so many milliseconds.

use crate::time::UnixMillis;

/// A token bucket. Starts full.
#[derive(Clone, Debug)]
pub struct Pace {
    burst: u64,
    refill_ms: u64,
    used: u64,
    since: UnixMillis,
}

impl Pace {
    /// A full one.
    pub fn new(burst: u64, refill_ms: u64) -> Self {
        Self { burst, refill_ms, used: 0, since: UnixMillis(0) }
    }

    /// Takes one, if there is one.
    pub fn take(&mut self, now: UnixMillis) -> bool {
        self.since = self.since.min(now); // a clock that steps back must not stop the refill
        let refilled = now.since(self.since) / self.refill_ms;
        self.used = self.used.saturating_sub(refilled);
        self.since = if self.used == 0 { now } else { self.since.plus(refilled * self.refill_ms) };
        let free = self.used < self.burst;
        self.used += u64::from(free);
        free
    }

    /// When there is one again, after [`Pace::take`] found none.
    pub fn next(&self) -> UnixMillis {
        self.since.plus(self.refill_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_burst_one_comes_each_interval_and_a_clock_that_steps_back_gives_none() {
        let mut pace = Pace::new(2, 100);
        let taken = |pace: &mut Pace, now: u64| pace.take(UnixMillis(now));
        assert!(taken(&mut pace, 1000) && taken(&mut pace, 1000) && !taken(&mut pace, 1050));
        assert_eq!(pace.next(), UnixMillis(1100));
        assert!(taken(&mut pace, 1100) && !taken(&mut pace, 1199) && taken(&mut pace, 1200));
        assert!(!taken(&mut pace, 5) && !taken(&mut pace, 104) && taken(&mut pace, 105));
        assert!(taken(&mut pace, u64::MAX) && taken(&mut pace, u64::MAX) && !taken(&mut pace, u64::MAX));
    }
}
