//! Clients at the gateways: which replica they go to, when they try again, how long they may wait.
use super::super::clients::Next;
use super::super::witness::News;
use super::{Event, Try, World};
use crate::replica::{ClientId, Input};

/// Milliseconds that a client waits for a reply: longer than the replica's own patience.
const CLIENT_WAIT_MS: u64 = 15_000;
/// Milliseconds that what was said takes to settle beyond the network's: syncs, the gathering of vertices, a fetch.
const SETTLING_MS: u64 = 500;

impl World<'_> {
    /// Clients begin when every correct replica serves the zone.
    pub(super) fn begin_when_all_serve(&mut self) {
        let correct = self.actors.iter().filter(|actor| actor.is_correct() && actor.era == 0).count();
        if !self.begun && self.views.len() == correct {
            self.begun = true;
            for client in 0..self.clients.len() {
                self.soon(1, 1_000, Event::Begin(client));
            }
        }
    }

    /// Sends a client's operation to a correct replica that runs.
    pub(super) fn send(&mut self, client: usize) -> Result<(), String> {
        let up = |i: &usize| {
            self.actors[*i].is_correct() && self.actors[*i].running.is_some() && self.takes_clients(*i)
        };
        let gateways: Vec<usize> = (0..self.actors.len()).filter(up).collect();
        if gateways.is_empty() {
            self.soon(500, 1_000, Event::Try(client));
            return Ok(());
        }
        let first = self.chance.pick(&gateways);
        self.visit(client, first, false)?;
        let others: Vec<usize> = gateways.into_iter().filter(|actor| *actor != first).collect();
        if self.scenario.doubled && !others.is_empty() {
            let second = self.chance.pick(&others);
            self.visit(client, second, true)?;
        }
        Ok(())
    }

    /// Gives a client's operation to a machine, beside others that have it or in their place.
    fn visit(&mut self, client: usize, actor: usize, beside: bool) -> Result<(), String> {
        let Some((number, wire)) = self.clients.send(client, beside) else { return Ok(()) };
        let incarnation = self.actors[actor].incarnation;
        self.tries.insert(number, Try { actor, incarnation });
        self.at(self.now + CLIENT_WAIT_MS, Event::GiveUp { client, number });
        if !beside && self.clients.update(client).is_some() && !self.losses.is_out(actor) {
            // To its gateway, should that be behind, and from there to all.
            let settled = self.now + 2 * self.scheduler.slowest_ms() + SETTLING_MS;
            self.checkers.liveness[self.actors[actor].era].given(&wire);
            self.at(settled, Event::Settled { actor, incarnation, wire: wire.clone() });
        }
        self.tell(actor, News::Request { client, number });
        self.step(actor, Input::Client { id: ClientId(number), wire, manners: Default::default() })
    }

    /// All that was said when this update was given to this machine has arrived.
    pub(super) fn settled(&mut self, actor: usize, incarnation: u64, wire: &[u8]) {
        let crashed = self.actors[actor].incarnation != incarnation || self.losses.is_out(actor);
        self.checkers.liveness[self.actors[actor].era].settled(wire, crashed);
    }

    /// No reply to this try can come any more: its client tries again, if it still waits.
    pub(super) fn give_up(&mut self, client: usize, number: u64) -> Result<(), String> {
        let sent = self.tries.remove(&number);
        let waits = self.clients.waits(client, number);
        if self.clients.lost(number)
            && let Some(sent) = sent
            && self.actors[sent.actor].incarnation == sent.incarnation
            && self.actors[sent.actor].is_correct()
        {
            return Err(format!("replies: try {number} of client {client} got none"));
        }
        if waits { self.send(client) } else { Ok(()) }
    }

    pub(super) fn next(&mut self, client: usize, next: Next) {
        match next {
            Next::Nothing => {}
            Next::Again => self.soon(200, 1_000, Event::Try(client)),
            Next::Ended => {
                if !self.losses.is_over() && self.clients.left(client) == 1 {
                    self.clients.more(client);
                }
                let idle = if self.clients.left(client) == 1 { self.scenario.idle_ms } else { 0 };
                if idle > 0 {
                    self.silence = Some((self.now + idle / 10, self.now + idle));
                }
                let pause = idle + self.scenario.pace_ms;
                self.soon(pause + 1, pause + 500, Event::Begin(client));
            }
        }
    }
}
