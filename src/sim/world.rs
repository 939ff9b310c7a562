//! The event loop: virtual time, links, crashes, clients; and the checks at every step.
use super::actor::{Actor, Corrupt, Todo};
use super::chance::Chance;
use super::checkers::Checkers;
use super::clients::Clients;
use super::cluster::{Cluster, START};
use super::schedulers::Scheduler;
use super::{Report, Scenario, Violation};
use crate::protocol::To;
use crate::quorum::ReplicaId;
use crate::replica::{Effect, Input};
use crate::signing::Computed;
use crate::storage::Stored;
use crate::zone::View;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Virtual milliseconds, silence apart, after which a run that has not ended is stuck.
const LIMIT_MS: u64 = 900_000;

mod corrupt;
mod disks;
mod outcome;
mod plan;
mod visits;

use disks::DiskEvent;

enum Event {
    Deliver {
        from: usize,
        from_incarnation: u64,
        to: usize,
        incarnation: u64,
        bytes: Vec<u8>,
    },
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
    Start(usize),
    /// All that was said when this update was given to this machine has arrived.
    Settled {
        actor: usize,
        incarnation: u64,
        wire: Vec<u8>,
    },
    /// An adversary's own initiative.
    Speak(usize),
    Disk(DiskEvent),
}

struct Try {
    actor: usize,
    incarnation: u64,
}

struct World<'a> {
    scenario: &'a Scenario,
    cluster: Cluster,
    chance: Chance,
    scheduler: Box<dyn Scheduler>,
    actors: Vec<Actor>,
    events: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    now: u64,
    /// When the last message of each link arrives, which keeps it in order.
    links: BTreeMap<(usize, usize), u64>,
    views: BTreeMap<usize, Arc<View>>,
    clients: Clients,
    tries: BTreeMap<u64, Try>,
    /// Machines that crash as soon as they wait for a sync.
    armed: BTreeSet<usize>,
    silence: Option<(u64, u64)>,
    begun: bool,
    next_look: u64,
    checkers: Checkers,
    report: Report,
}

/// Runs a scenario to its end, or to the first promise that is broken.
pub fn run(scenario: &Scenario) -> Result<Report, Violation> {
    let mut world = World::new(scenario);
    match world.run() {
        Ok(()) => Ok(world.finish()),
        Err(what) => Err(Violation { at_ms: world.now, what }),
    }
}

impl<'a> World<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let mut chance = Chance::new(scenario.seed);
        let cluster = Cluster::deal(scenario, &mut chance);
        let committee = cluster.committee;
        let scheduler = scenario.scheduler.make(committee, &mut chance);
        let count = if scenario.adversary.is_some() { committee.faults() } else { 0 };
        let corrupt: BTreeSet<ReplicaId> = committee.members().rev().take(count).collect();
        let mut actors = Vec::new();
        for id in committee.members() {
            let adversary = scenario.adversary.filter(|_| corrupt.contains(&id));
            let everyone = || vec![committee.others(id).collect()];
            let audiences = adversary.map_or_else(everyone, |kind| kind.audiences(committee, id));
            for audience in audiences {
                let plant = scenario.plant.filter(|_| id.slot() == 0);
                let actor = Actor::new(&cluster, id, audience, plant, &mut chance);
                let elsewhere = || committee.members().map(|other| cluster.forge(other)).collect();
                let corrupt = adversary.map(|kind| {
                    let will = kind.make(&mut chance);
                    Corrupt { will, forge: cluster.forge(id), elsewhere: elsewhere() }
                });
                actors.push(actor.corrupt(corrupt));
            }
        }
        let checkers = Checkers::new(&cluster, corrupt);
        let clients = Clients::new(&cluster, scenario.clients, scenario.operations);
        let mut world = Self {
            scenario,
            cluster,
            chance,
            scheduler,
            actors,
            events: BTreeMap::new(),
            sequence: 0,
            now: 0,
            links: BTreeMap::new(),
            views: BTreeMap::new(),
            clients,
            tries: BTreeMap::new(),
            armed: BTreeSet::new(),
            silence: None,
            begun: false,
            next_look: 0,
            checkers,
            report: Report::default(),
        };
        for actor in 0..world.actors.len() {
            let at = world.chance.range(0, 200);
            world.at(at, Event::Start(actor));
        }
        world.plan_crashes();
        world.plan_disks();
        world.plan_speech();
        world
    }

    fn run(&mut self) -> Result<(), String> {
        while let Some(((at, _), event)) = self.events.pop_first() {
            if at > LIMIT_MS + self.scenario.idle_ms {
                return Err(format!("liveness: not done; {}", self.describe()));
            }
            self.now = at;
            self.handle(event)?;
            self.look()?;
            if self.begun && self.clients.done() && self.converged()? {
                return self.checkers.end();
            }
        }
        Err(format!("liveness: nothing more happens; {}", self.describe()))
    }

    fn finish(self) -> Report {
        let status = |actor: &Actor| actor.running.as_ref().map(|running| running.replica.status());
        let rounds = self.actors.iter().filter_map(status).map(|status| status.round).max();
        Report {
            virtual_ms: self.now,
            batches: self.checkers.order.newest(),
            faults: self.checkers.faults().clone(),
            repeats: self.checkers.effects.repeats(),
            worst_rounds: self.checkers.liveness.worst(),
            disk_operations: self.actors[0].disk.operations(),
            rounds: rounds.unwrap_or(0),
            operations: self.scenario.clients * self.scenario.operations,
            tries: self.clients.tries() as usize,
            ..self.report
        }
    }

    fn at(&mut self, at: u64, event: Event) {
        self.sequence += 1;
        self.events.insert((at, self.sequence), event);
    }

    fn soon(&mut self, low: u64, high: u64, event: Event) {
        let at = self.now + self.chance.range(low, high);
        self.at(at, event);
    }

    fn handle(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Deliver { from, from_incarnation, to, incarnation, bytes } => {
                let sender = &self.actors[from];
                let lost = sender.incarnation != from_incarnation && sender.running.is_some();
                if lost || self.actors[to].incarnation != incarnation {
                    return Ok(());
                }
                let from = sender.id;
                self.overhear(to, from, &bytes)?;
                self.step(to, Input::Peer { from, bytes })
            }
            Event::Linked { at, incarnation, peer } if self.actors[at].incarnation == incarnation => {
                self.step(at, Input::Linked(peer))
            }
            Event::Wake(actor) => {
                let due = self.actors[actor].running.as_ref().and_then(|running| running.wake);
                if due != Some(self.now) { Ok(()) } else { self.step(actor, Input::Tick) }
            }
            Event::Synced(actor, incarnation) if self.actors[actor].incarnation == incarnation => {
                match self.actors[actor].synced() {
                    Ok(effects) => effects.into_iter().try_for_each(|effect| self.effect(actor, effect)),
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
                match self.actors[actor].stored(self.now, round, &stored) {
                    Ok(todo) => self.follow(actor, todo),
                    Err(stop) => self.stopped(actor, stop),
                }
            }
            Event::Linked { .. } | Event::Synced(..) | Event::Computed(..) | Event::Stored(..) => Ok(()),
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
            Event::Crash(actors) => {
                for actor in actors {
                    if self.actors[actor].running.is_none() {
                        continue;
                    }
                    self.actors[actor].crash(&mut self.chance);
                    self.report.crashes += 1;
                    let away = self.absence_ms();
                    self.soon(away, away + 1_900, Event::Start(actor));
                }
                Ok(())
            }
            Event::Arm(actor) => {
                self.armed.insert(actor);
                Ok(())
            }
            Event::Start(actor) => self.start(actor),
            Event::Settled { actor, incarnation, wire } => {
                let crashed = self.actors[actor].incarnation != incarnation;
                self.checkers.liveness.settled(&wire, crashed);
                Ok(())
            }
            Event::Speak(actor) => self.speak_up(actor),
            Event::Disk(event) => self.disk(event),
        }
    }

    fn start(&mut self, actor: usize) -> Result<(), String> {
        if self.actors[actor].running.is_some() || self.actors[actor].lost {
            return Ok(());
        }
        match self.actors[actor].start(&self.cluster, self.now, &mut self.chance) {
            Ok(todo) => self.follow(actor, todo)?,
            Err(stop) => return self.stopped(actor, stop),
        }
        for peer in 0..self.actors.len() {
            if self.speak(actor, peer) && self.actors[peer].running.is_some() {
                for (at, peer) in [(actor, peer), (peer, actor)] {
                    let (incarnation, peer) = (self.actors[at].incarnation, self.actors[peer].id);
                    self.soon(1, 50, Event::Linked { at, incarnation, peer });
                }
            }
        }
        Ok(())
    }

    /// Whether two machines have a link.
    fn speak(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.actors[a], &self.actors[b]);
        a.audience.contains(&b.id) && b.audience.contains(&a.id)
    }

    fn step(&mut self, actor: usize, input: Input) -> Result<(), String> {
        match self.actors[actor].step(self.now, input) {
            Ok(todo) => self.follow(actor, todo),
            Err(stop) => self.stopped(actor, stop),
        }
    }

    fn follow(&mut self, actor: usize, todo: Todo) -> Result<(), String> {
        let incarnation = self.actors[actor].incarnation;
        if let Some(at) = todo.wake {
            self.at(at, Event::Wake(actor));
        }
        if todo.sync && self.armed.remove(&actor) {
            self.at(self.now, Event::Crash(vec![actor]));
        } else if todo.sync {
            self.soon(1, 6, Event::Synced(actor, incarnation));
        }
        for task in todo.tasks {
            let computed = self.actors[actor].compute(task, &mut self.chance);
            self.soon(1, 8, Event::Computed(actor, incarnation, computed));
        }
        if let Some((round, stored)) = todo.store {
            self.soon(1, 200, Event::Stored(actor, incarnation, round, stored));
        }
        self.check_executed(actor, &todo.executed)?;
        todo.effects.into_iter().try_for_each(|effect| self.effect(actor, effect))
    }

    fn check_executed(
        &mut self,
        actor: usize,
        executed: &[crate::replica::ExecutedBatch],
    ) -> Result<(), String> {
        let one = &self.actors[actor];
        let (Some(running), true) = (&one.running, one.is_correct()) else { return Ok(()) };
        let (round, next) = running.replica.rounds();
        self.checkers.liveness.progress(round, next);
        let Some(last) = executed.last() else { return Ok(()) };
        for batch in executed {
            self.checkers.executed(one.id, self.now, batch)?;
        }
        self.checkers.machine(one.id, last.number, running.replica.digest())
    }

    fn effect(&mut self, actor: usize, effect: Effect) -> Result<(), String> {
        let id = self.actors[actor].id;
        let correct = self.actors[actor].is_correct();
        match effect {
            Effect::Send { to, bytes } => {
                let to: Vec<ReplicaId> = match to {
                    To::Others => self.cluster.committee.others(id).collect(),
                    To::One(one) => vec![one],
                };
                if correct {
                    self.checkers.coins.sent(id, &bytes)?;
                }
                to.into_iter().for_each(|to| self.transmit(actor, to, &bytes));
            }
            Effect::Reply { client, wire } if correct => {
                let now_secs = (START.0 + self.now) / 1_000;
                let view = self.views.get(&actor).map(|view| &**view);
                let (one, next) = self.clients.reply(client.0, &wire, now_secs, view)?;
                self.next(one, next);
            }
            Effect::Answer { client, view, .. } if correct => {
                let (one, next) = self.clients.answer(client.0, &view)?;
                self.next(one, next);
            }
            Effect::Publish { view, .. } if correct => {
                self.checkers.published(id, &view)?;
                self.views.insert(actor, view);
                self.begin_when_all_serve();
            }
            Effect::Fault(fault) if correct => self.checkers.fault(id, &fault)?,
            Effect::Alarm(what) if correct => return Err(format!("alarm at {id:?}: {what}")),
            Effect::Drop { client } if correct => return Err(format!("try {} was dropped", client.0)),
            _ => {}
        }
        Ok(())
    }

    fn transmit(&mut self, from: usize, to: ReplicaId, bytes: &[u8]) {
        let sent = self.twist(from, to, bytes);
        self.carry(from, to, &sent);
    }

    /// Puts messages on the links from a machine to those of a replica.
    fn carry(&mut self, from: usize, to: ReplicaId, sent: &[Vec<u8>]) {
        for peer in 0..self.actors.len() {
            if self.actors[peer].id != to || !self.speak(from, peer) || self.actors[peer].running.is_none() {
                continue;
            }
            for bytes in sent {
                self.report.messages += 1;
                if self.silence.is_some_and(|(from, to)| (from..to).contains(&self.now)) {
                    self.report.messages_in_silence += 1;
                }
                let delay = self.scheduler.delay(&mut self.chance, self.now, self.actors[from].id, to);
                let earliest = self.links.get(&(from, peer)).copied().unwrap_or(0);
                let at = (self.now + delay).max(earliest);
                self.links.insert((from, peer), at);
                let (from_incarnation, incarnation) =
                    (self.actors[from].incarnation, self.actors[peer].incarnation);
                let bytes = bytes.clone();
                self.at(at, Event::Deliver { from, from_incarnation, to: peer, incarnation, bytes });
            }
        }
    }
}
