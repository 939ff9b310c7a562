//! Corrupt machines: what they hear, what becomes of what they say, and what they do of their own accord.
use super::super::adversaries::{Act, Adversary, Scene};
use super::{Event, World};
use crate::quorum::ReplicaId;

impl World<'_> {
    pub(super) fn plan_speech(&mut self) {
        for actor in 0..self.actors.len() {
            let pace = self.actors[actor].adversary.as_ref().and_then(|corrupt| corrupt.will.pace_ms());
            if let Some(pace) = pace {
                self.at(pace, Event::Speak(actor));
            }
        }
    }

    /// What goes to a replica in place of what the shipped code says.
    pub(super) fn twist(&mut self, from: usize, to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        let said = self.ask(from, |will, scene| will.outgoing(scene, to, bytes));
        said.unwrap_or_else(|| vec![bytes.to_vec()])
    }

    /// Lets a corrupt machine know what its replica hears.
    pub(super) fn overhear(&mut self, actor: usize, from: ReplicaId, bytes: &[u8]) -> Result<(), String> {
        let acts = self.ask(actor, |will, scene| will.incoming(scene, from, bytes));
        self.act(actor, acts.unwrap_or_default())
    }

    /// An adversary's turn to speak.
    pub(super) fn speak_up(&mut self, actor: usize) -> Result<(), String> {
        let Some(pace) = self.actors[actor].adversary.as_ref().and_then(|corrupt| corrupt.will.pace_ms())
        else {
            return Ok(());
        };
        self.at(self.now + pace, Event::Speak(actor));
        let acts = self.ask(actor, |will, scene| will.spontaneous(scene));
        self.act(actor, acts.unwrap_or_default())
    }

    /// Asks the adversary of a machine that runs.
    fn ask<T>(
        &mut self,
        actor: usize,
        question: impl FnOnce(&mut dyn Adversary, &mut Scene<'_>) -> T,
    ) -> Option<T> {
        let one = &mut self.actors[actor];
        let corrupt = one.adversary.as_mut().filter(|_| one.running.is_some())?;
        let deeds = &mut self.report.deeds;
        let (forge, elsewhere) = (&corrupt.forge, &corrupt.elsewhere[..]);
        let mut scene = Scene { chance: &mut self.chance, now: self.now, forge, elsewhere, deeds };
        Some(question(&mut *corrupt.will, &mut scene))
    }

    fn act(&mut self, actor: usize, acts: Vec<Act>) -> Result<(), String> {
        for act in acts {
            match act {
                Act::Send(to, bytes) => self.carry(actor, to, &[bytes]),
                Act::Propose(request) => match self.actors[actor].order(self.now, request) {
                    Ok(todo) => self.follow(actor, todo)?,
                    Err(stop) => self.stopped(actor, stop)?,
                },
            }
        }
        Ok(())
    }
}
