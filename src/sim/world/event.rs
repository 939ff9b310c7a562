//! What happens in a simulated world, and who deals with it.
use super::super::cluster::START;
use super::super::witness::News;
use super::World;
use super::disks::DiskEvent;
use crate::quorum::ReplicaId;
use crate::replica::Input;
use crate::signing::Computed;
use crate::storage::Stored;

/// What is to happen.
pub(super) enum Event {
    /// The message at the head of a link is due.
    Due {
        from: usize,
        to: usize,
        turn: u64,
    },
    /// Some connection ends.
    Cut,
    Linked {
        at: usize,
        incarnation: u64,
        peer: ReplicaId,
    },
    Wake(usize),
    Synced(usize, u64),
    Computed(usize, u64, Computed),
    Stored(usize, u64, u64, Stored),
    Begin(usize),
    Try(usize),
    GiveUp {
        client: usize,
        number: u64,
    },
    Crash(Vec<usize>),
    /// A crash at the worst moment: between a write and its sync.
    Arm(usize),
    /// That crash.
    Fall(usize),
    Start(usize),
    /// All that was said when this update was given to this machine has arrived.
    Settled {
        actor: usize,
        incarnation: u64,
        wire: Vec<u8>,
    },
    /// An adversary's own initiative.
    Speak(usize),
    /// Operators look after a refresh for which they have voted at some time, or not yet.
    Refresh(usize, Option<u64>),
    /// An operator looks at his replica.
    Operate(usize),
    /// An operator votes for the next epoch.
    Vote(usize),
    /// A replica whose machine has gone on long enough ends.
    Leave(usize),
    Disk(DiskEvent),
}

/// Which machine a client asked, in which of its lives.
pub(super) struct Try {
    pub(super) actor: usize,
    pub(super) incarnation: u64,
}

impl World<'_> {
    pub(super) fn handle(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Due { from, to, turn } => self.due(from, to, turn),
            Event::Cut => {
                self.cut();
                Ok(())
            }
            Event::Linked { at, incarnation, peer } if self.actors[at].incarnation == incarnation => {
                self.tell(at, News::Linked(peer));
                self.step(at, Input::Linked(peer))
            }
            Event::Wake(actor) => {
                let due = self.actors[actor].running.as_ref().and_then(|running| running.wake);
                if due != Some(self.now) { Ok(()) } else { self.step(actor, Input::Tick) }
            }
            Event::Synced(actor, incarnation) if self.actors[actor].incarnation == incarnation => {
                match self.actors[actor].synced() {
                    Ok(todo) => self.follow(actor, todo),
                    Err(stop) => self.stopped(actor, stop),
                }
            }
            Event::Computed(actor, incarnation, computed)
                if self.actors[actor].incarnation == incarnation =>
            {
                self.step(actor, Input::Computed(computed))
            }
            Event::Stored(actor, incarnation, round, stored)
                if self.actors[actor].incarnation == incarnation =>
            {
                self.stored(actor, round, &stored)
            }
            Event::Linked { .. } | Event::Synced(..) | Event::Computed(..) | Event::Stored(..) => Ok(()),
            Event::Crash(actors) => {
                actors.iter().for_each(|actor| self.crash(*actor, false));
                Ok(())
            }
            Event::Arm(actor) => {
                self.armed.insert(actor);
                Ok(())
            }
            Event::Fall(actor) => {
                self.crash(actor, true);
                Ok(())
            }
            Event::Start(actor) => self.start(actor),
            Event::Speak(actor) => self.speak_up(actor),
            Event::Refresh(number, voted) => self.refresh(number, voted),
            Event::Operate(actor) => self.operate(actor),
            Event::Vote(actor) => self.vote(actor),
            Event::Leave(actor) => {
                self.leave(actor);
                Ok(())
            }
            Event::Disk(event) => self.disk(event),
            Event::Begin(_) | Event::Try(_) | Event::GiveUp { .. } | Event::Settled { .. } => {
                self.handle_client(event)
            }
        }
    }

    fn handle_client(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Begin(client) if self.is_resting() => {
                self.soon(200, 1_000, Event::Begin(client));
                Ok(())
            }
            Event::Begin(client) => {
                let now_secs = (START.0 + self.now) / 1_000;
                if self.clients.begin(client, self.scenario.ordered_reads, now_secs, &mut self.chance) {
                    if let Some((message, effect)) = self.clients.update(client) {
                        self.checkers.effects.made(message, effect);
                    }
                    self.send(client)?;
                }
                Ok(())
            }
            Event::Try(client) => self.send(client),
            Event::GiveUp { client, number } => self.give_up(client, number),
            Event::Settled { actor, incarnation, wire } => {
                self.settled(actor, incarnation, &wire);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
