//! Operators have keys refreshed while everything else goes on: the ZSK and the KSK by turns.
use super::super::actor::Actor;
use super::{Event, World};
use crate::replica::KeyStatus;
use crate::zone::Command;

/// Milliseconds from the start to the first command, and from a refresh that is through to the next.
const PAUSE_MS: u64 = 4_000;
/// After so many milliseconds without an end the operators vote again.
const AGAIN_MS: u64 = 60_000;

impl World<'_> {
    pub(super) fn plan_refreshes(&mut self) {
        if self.scenario.refreshes > 0 {
            self.at(PAUSE_MS, Event::Refresh(0, None));
        }
    }

    /// The operators look whether the refresh `number` is through, and vote for it where it is not.
    pub(super) fn refresh(&mut self, number: usize, voted: Option<u64>) -> Result<(), String> {
        if self.refreshed() > number {
            if number + 1 < self.scenario.refreshes {
                self.soon(PAUSE_MS, PAUSE_MS, Event::Refresh(number + 1, None));
            }
            return Ok(());
        }
        let again = voted.is_none_or(|at| self.now - at >= AGAIN_MS);
        let voted = if again { Some(self.now) } else { voted };
        if again {
            let (zone, tag) = (super::origin(), self.clusters[0].tags()[number % 2]);
            let command = Command::Refresh { zone, tag };
            for actor in 0..self.actors.len() {
                match self.actors[actor].vote(self.now, &command) {
                    Ok(todo) => self.follow(actor, todo)?,
                    Err(stop) => self.stopped(actor, stop)?,
                }
            }
        }
        self.soon(500, 500, Event::Refresh(number, voted));
        Ok(())
    }

    /// Refreshes of all keys that every correct replica which runs knows to be through.
    fn refreshed(&self) -> usize {
        let correct = self.actors.iter().filter(|actor| actor.is_correct());
        correct.filter_map(keys).map(|keys| count(&keys)).max().unwrap_or(0)
    }

    /// Whether what was to be refreshed is, everywhere, and each correct replica has its shares and has said so.
    pub(super) fn all_refreshed(&self) -> bool {
        let correct = self.actors.iter().filter(|actor| actor.is_correct());
        correct.clone().filter_map(keys).all(|keys| {
            let told = |key: &KeyStatus| {
                key.here && correct.clone().all(|actor| !key.untaken.contains(&actor.id.get()))
            };
            count(&keys) >= self.scenario.refreshes && keys.iter().all(told)
        })
    }
}

fn keys(actor: &Actor) -> Option<Vec<KeyStatus>> {
    actor.running.as_ref().map(|running| running.replica.status().refreshes)
}

fn count(keys: &[KeyStatus]) -> usize {
    keys.iter().map(|key| key.refreshed as usize).sum()
}
