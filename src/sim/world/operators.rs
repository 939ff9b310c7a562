//! Operators who roll the zone's keys, or have a zone come and go: each has his own replica do what `conclave ctl` can, and looks again after a while.
use super::super::Rolls;
use super::super::actor::Actor;
use super::{Event, World};

/// Milliseconds from one look of an operator to his next, at least.
const LOOK_MS: u64 = 3_000;

impl World<'_> {
    pub(super) fn plan_operators(&mut self) {
        for actor in (0..self.actors.len()).filter(|_| self.scenario.rolls != Rolls::Never) {
            self.soon(LOOK_MS, 2 * LOOK_MS, Event::Operate(actor));
        }
    }

    pub(super) fn operate(&mut self, actor: usize) -> Result<(), String> {
        self.soon(LOOK_MS, 2 * LOOK_MS, Event::Operate(actor));
        // A zone comes with the receipts of all, so the operator of a corrupt replica does his part.
        if !self.actors[actor].is_correct() && self.scenario.rolls != Rolls::Zone {
            return Ok(());
        }
        let rolls = self.scenario.rolls;
        match self.actors[actor].operate(&self.clusters[0], rolls, self.now) {
            Ok(todo) => self.follow(actor, todo),
            Err(stop) => self.stopped(actor, stop),
        }
    }

    /// Whether every correct replica has the new key and the old one no more, or has seen the zone come and go, if that is wanted.
    pub(super) fn has_rolled(&self) -> bool {
        let has = |actor: &Actor| {
            actor.running.as_ref().is_some_and(|one| match self.scenario.rolls {
                Rolls::Zone => self.clusters[0].has_come_and_gone(&one.replica),
                _ => self.clusters[0].has_rolled(&one.replica),
            })
        };
        self.scenario.rolls == Rolls::Never || self.actors.iter().filter(|actor| actor.is_correct()).all(has)
    }
}
