//! Who crashes when.
use super::super::Crashes;
use super::{Event, World};

impl World<'_> {
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
            Crashes::AllAtOnce => {
                for k in 0..4 {
                    let at = 2_500 + k * 7_000 + self.chance.range(0, 3_000);
                    self.at(at, Event::Crash(correct.clone()));
                }
            }
        }
    }
}
