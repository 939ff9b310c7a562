//! Clients at the gateways: which replica they go to, when they try again, how long they may wait.
use super::super::clients::Next;
use super::super::witness::News;
use super::{Event, Try, World};
use crate::replica::{ClientId, Input};

/// Milliseconds that a client waits for a reply: longer than the replica's own patience.
const CLIENT_WAIT_MS: u64 = 15_000;
/// The most rounds that an operation may take while its gateway runs: far above the expected ten or so, far below what
/// a protocol that is only live by luck would need.
const MOST_ROUNDS: u64 = 150;

impl World<'_> {
    /// Clients begin when every correct replica serves the zone.
    pub(super) fn begin_when_all_serve(&mut self) {
        let correct = self.actors.iter().filter(|actor| actor.is_correct()).count();
        if !self.begun && self.views.len() == correct {
            self.begun = true;
            for client in 0..self.clients.len() {
                self.soon(1, 1_000, Event::Begin(client));
            }
        }
    }

    /// Sends a client's operation to a correct replica that runs.
    pub(super) fn send(&mut self, client: usize) -> Result<(), String> {
        let up = |i: &usize| self.actors[*i].is_correct() && self.actors[*i].running.is_some();
        let gateways: Vec<usize> = (0..self.actors.len()).filter(up).collect();
        if gateways.is_empty() {
            self.soon(500, 1_000, Event::Try(client));
            return Ok(());
        }
        let actor = self.chance.pick(&gateways);
        let Some((number, wire)) = self.clients.send(client) else { return Ok(()) };
        let incarnation = self.actors[actor].incarnation;
        let round = self.round(actor);
        self.tries.insert(number, Try { actor, incarnation, round });
        self.at(self.now + CLIENT_WAIT_MS, Event::GiveUp { client, number });
        self.tell(actor, News::Request { client, number });
        self.step(actor, Input::Client { id: ClientId(number), wire })
    }

    pub(super) fn next(&mut self, client: usize, next: Next, number: u64) -> Result<(), String> {
        match next {
            Next::Nothing => {}
            Next::Again => self.soon(200, 1_000, Event::Try(client)),
            Next::Ended => {
                if let Some(sent) = self.tries.remove(&number) {
                    let rounds = self.round(sent.actor).saturating_sub(sent.round);
                    self.report.worst_rounds = self.report.worst_rounds.max(rounds);
                    if rounds > MOST_ROUNDS {
                        return Err(format!("liveness: client {client} waited {rounds} rounds"));
                    }
                }
                let idle = if self.clients.left(client) == 1 { self.scenario.idle_ms } else { 0 };
                if idle > 0 {
                    self.silence = Some((self.now + idle / 10, self.now + idle));
                }
                self.soon(idle + 1, idle + 500, Event::Begin(client));
            }
        }
        Ok(())
    }

    pub(super) fn round(&self, actor: usize) -> u64 {
        self.actors[actor].running.as_ref().map_or(0, |running| running.replica.status().round)
    }
}
