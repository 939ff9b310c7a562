//! Replicas that lose more than the order brings back: away until the others have collected what they lack, or with an
//! empty disk. One after another, each back and level with the others before the next.
use super::super::Losses;
use super::super::schedulers::SchedulerKind;
use super::{Event, World};
use crate::codec;
use crate::limits::{HISTORY_ROUNDS, MAX_FRAME_BYTES};
use crate::replica::transfer::Message;
use crate::replica::{PeerMessage, Status};
use crate::storage::Stored;
use std::collections::VecDeque;

/// Milliseconds from one that is back to the loss of the next.
const BETWEEN_MS: u64 = 2_000;
/// Milliseconds that clients have rested before the lost one comes back, if they rest.
const REST_MS: u64 = 10_000;
/// Milliseconds from its return in which a replica must be level with the others.
const RETURN_MS: u64 = 120_000;

/// Losses of the same replica beside an adversary.
const AGAIN: usize = 4;

/// When, on its way back, a replica crashes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Moment {
    /// While pieces of the state come.
    Transfer,
    /// When the state is on disk, and the replica does not know it.
    Stored,
}

impl Moment {
    fn name(self) -> &'static str {
        match self {
            Self::Transfer => "in the transfer of a state",
            Self::Stored => "between storing and going on",
        }
    }
}

/// Who is still to be lost, and who is.
#[derive(Default)]
pub(super) struct Plan {
    left: VecDeque<usize>,
    next: u64,
    current: Option<Loss>,
    /// Crashes still to come on the present one's way back.
    moments: Vec<Moment>,
}

struct Loss {
    actor: usize,
    stage: Stage,
}

enum Stage {
    /// Down or cut off; it was at this round.
    Out(u64),
    /// It comes back at this moment, while clients rest.
    Waits(u64),
    /// Coming back since this moment.
    Back(u64),
}

impl Plan {
    /// Whether all are back.
    pub fn is_over(&self) -> bool {
        self.left.is_empty() && self.current.is_none()
    }

    /// Whether this machine is lost, or has not caught up since.
    pub fn is_out(&self, actor: usize) -> bool {
        self.current.as_ref().is_some_and(|loss| loss.actor == actor)
    }

    /// Whether a crash is due, which then is made.
    fn falls(&mut self, actor: usize, moment: Moment) -> bool {
        let due = self.is_out(actor) && self.moments.first() == Some(&moment);
        if due {
            self.moments.remove(0);
        }
        due
    }
}

impl World<'_> {
    pub(super) fn plan_losses(&mut self) {
        if self.scenario.losses == Losses::Never {
            return;
        }
        let mut correct = (0..self.actors.len()).filter(|i| self.actors[*i].is_correct());
        self.losses.left = match self.scenario.adversary {
            None => correct.collect(),
            // The one that asks corrupt replicas first, again and again.
            Some(_) => correct.next_back().into_iter().flat_map(|last| [last; AGAIN]).collect(),
        };
    }

    /// Whether clients begin nothing new.
    pub(super) fn is_resting(&self) -> bool {
        let stage = self.losses.current.as_ref().map(|loss| &loss.stage);
        self.scenario.rest && matches!(stage, Some(Stage::Waits(_) | Stage::Back(_)))
    }

    /// Goes on with what is lost.
    pub(super) fn follow_losses(&mut self) -> Result<(), String> {
        let Some(Loss { actor, stage }) = &self.losses.current else {
            if self.begun
                && self.now >= self.losses.next
                && (self.scenario.losses != Losses::Wiped || self.all_have_collected())
                && let Some(actor) = self.losses.left.pop_front()
            {
                self.lose(actor);
            }
            return Ok(());
        };
        let actor = *actor;
        let stage = match *stage {
            Stage::Out(round) if self.others(actor).iter().all(|other| other.kept_from > round) => {
                Stage::Waits(self.now + if self.scenario.rest { REST_MS } else { 0 })
            }
            Stage::Waits(until) if self.now >= until => {
                self.give_back(actor);
                Stage::Back(self.now)
            }
            Stage::Back(_) if self.is_level(actor) => {
                self.losses.current = None;
                self.losses.next = self.now + BETWEEN_MS;
                self.report.returns += 1;
                return Ok(());
            }
            Stage::Back(since) if self.now > since + RETURN_MS => {
                return Err(format!("liveness: machine {actor} does not come back; {}", self.describe()));
            }
            _ => return Ok(()),
        };
        self.losses.current = Some(Loss { actor, stage });
        Ok(())
    }

    /// Whether no whole history is held any more, so that an empty disk takes more than asking for vertices.
    fn all_have_collected(&self) -> bool {
        self.others(usize::MAX).iter().all(|status| status.kept_from > 1)
    }

    fn lose(&mut self, actor: usize) {
        let round = self.actors[actor].running.as_ref().map_or(0, |running| running.replica.rounds().1);
        let stage = match self.scenario.losses {
            Losses::Never | Losses::Away => {
                self.fail(actor);
                Stage::Out(round)
            }
            Losses::CutOff => {
                self.actors[actor].cut_off = true;
                Stage::Out(round)
            }
            Losses::Wiped => {
                self.fail(actor);
                self.actors[actor].disk.wipe();
                Stage::Waits(self.now + if self.scenario.rest { REST_MS } else { 0 })
            }
        };
        if self.scenario.interrupted {
            self.losses.moments = vec![Moment::Transfer, Moment::Stored];
        }
        self.losses.current = Some(Loss { actor, stage });
    }

    fn give_back(&mut self, actor: usize) {
        if !std::mem::take(&mut self.actors[actor].cut_off) {
            self.soon(1, 100, Event::Start(actor));
            return;
        }
        for peer in 0..self.actors.len() {
            if self.speak(actor, peer) && self.actors[peer].running.is_some() {
                self.linked(actor, peer);
            }
        }
    }

    fn others(&self, actor: usize) -> Vec<Status> {
        let others = self.actors.iter().enumerate().filter(|(i, other)| *i != actor && other.is_correct());
        others.filter_map(|(_, other)| Some(other.running.as_ref()?.replica.status())).collect()
    }

    /// Whether it takes part again, has executed about what the others have, and has crashed as often as it was to.
    fn is_level(&self, actor: usize) -> bool {
        let Some(running) = &self.actors[actor].running else { return false };
        let status = running.replica.status();
        let newest = self.others(actor).iter().map(|other| other.batches).max().unwrap_or(0);
        let behind = newest.saturating_sub(status.batches);
        let near = match self.scenario.scheduler {
            _ if self.scenario.rest => 0,
            // It keeps whom it has chosen behind for good, and the clients keep the others going.
            SchedulerKind::Lagging => HISTORY_ROUNDS,
            _ => 8,
        };
        !status.observes && behind <= near
    }

    /// A message arrives: whether its receiver crashes first.
    pub(super) fn falls_at(&mut self, actor: usize, input: &[u8]) -> bool {
        if !self.losses.is_out(actor) || self.losses.moments.is_empty() {
            return false;
        }
        let pieces =
            matches!(codec::decode(input, MAX_FRAME_BYTES), Ok(PeerMessage::State(Message::Pieces { .. })));
        pieces && self.fall(actor, Moment::Transfer)
    }

    /// Crashes if it is to crash now.
    pub(super) fn fall(&mut self, actor: usize, moment: Moment) -> bool {
        let falls = self.losses.falls(actor, moment);
        if falls {
            // What is stored first after a crash in the transfer is not stored to its end.
            self.actors[actor].tears = moment == Moment::Transfer;
            self.fail(actor);
            *self.report.falls.entry(moment.name()).or_default() += 1;
            self.soon(100, 2_000, Event::Start(actor));
        }
        falls
    }

    /// Crashes in the middle of writing a state.
    pub(super) fn tear(&mut self, actor: usize) {
        self.crash(actor, false);
        *self.report.falls.entry("in the storing of a state").or_default() += 1;
    }

    /// A state is on a machine's disk.
    pub(super) fn stored(&mut self, actor: usize, round: u64, stored: &Stored) -> Result<(), String> {
        if self.fall(actor, Moment::Stored) {
            return Ok(());
        }
        if self.falls_after_storing(actor) {
            *self.report.falls.entry(Moment::Stored.name()).or_default() += 1;
            self.crash(actor, false);
            return Ok(());
        }
        let taken = |world: &Self| {
            let running = world.actors[actor].running.as_ref().filter(|_| world.actors[actor].is_correct());
            running.map_or(0, |running| running.replica.status().states_taken)
        };
        let before = taken(self);
        match self.actors[actor].stored(self.now, round, stored) {
            Ok(todo) => {
                self.report.states_taken += taken(self) - before;
                self.follow(actor, todo)
            }
            Err(stop) => self.stopped(actor, stop),
        }
    }
}
