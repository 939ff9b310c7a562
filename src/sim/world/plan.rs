//! Who crashes when.
use super::super::Crashes;
use super::{Event, World};

/// Milliseconds from the start at which the first replica leaves for long; and for how long, at least.
const ABSENT_FROM_MS: u64 = 2_500;
/// See [`ABSENT_FROM_MS`].
const ABSENT_MS: u64 = 60_000;

impl World<'_> {
    /// Milliseconds until a replica that has crashed is started again, at least.
    pub(super) fn absence_ms(&self) -> u64 {
        if self.scenario.crashes == Crashes::LongAbsence { ABSENT_MS } else { 100 }
    }

    pub(super) fn plan_crashes(&mut self) {
        let correct: Vec<usize> = (0..self.actors.len()).filter(|i| self.actors[*i].is_correct()).collect();
        let planted = self.scenario.plant.is_some();
        match self.scenario.crashes {
            Crashes::Never => {}
            Crashes::OneByOne => {
                for k in 0..8 {
                    let all: Vec<usize> = (0..self.actors.len()).collect();
                    let victim = if planted { correct[0] } else { self.chance.pick(&all) };
                    let at = 2_500 + k * 4_000 + self.chance.range(0, 1_000);
                    let armed = planted || self.chance.one_in(2);
                    self.at(at, if armed { Event::Arm(victim) } else { Event::Crash(vec![victim]) });
                }
            }
            Crashes::LongAbsence => self.at(ABSENT_FROM_MS, Event::Crash(vec![correct[0]])),
            Crashes::AllAtOnce => {
                for k in 0..4 {
                    let at = 2_500 + k * 7_000 + self.chance.range(0, 3_000);
                    self.at(at, Event::Crash(correct.clone()));
                }
            }
        }
    }
}
