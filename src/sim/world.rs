//! The event loop: virtual time, links, crashes, clients; and the checks at every step.
use super::actor::{Actor, Todo};
use super::chance::Chance;
use super::checkers::Checkers;
use super::checkers::liveness::Liveness;
use super::clients::Clients;
use super::cluster::{Cluster, START, origin};
use super::schedulers::Scheduler;
use super::witness::{News, Seen, Witness};
use super::{Glance, Report, Scenario, Violation};
use crate::codec::Digest;
use crate::protocol::To;
use crate::quorum::ReplicaId;
use crate::replica::{Effect, ExecutedBatch, Input};
use crate::zone::View;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Virtual milliseconds, silence apart, after which a run that has not ended is stuck.
const LIMIT_MS: u64 = 900_000;

mod corrupt;
mod disks;
mod epochs;
mod event;
mod links;
mod losses;
mod operators;
mod outcome;
mod plan;
mod refreshes;
mod visits;

use event::{Event, Try};

struct World<'a> {
    scenario: &'a Scenario,
    /// One an epoch.
    clusters: Vec<Cluster>,
    epochs: epochs::Plan,
    chance: Chance,
    scheduler: Box<dyn Scheduler>,
    actors: Vec<Actor>,
    events: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    now: u64,
    /// By sender and receiver.
    pipes: BTreeMap<(usize, usize), links::Pipe>,
    views: BTreeMap<usize, Arc<View>>,
    clients: Clients,
    tries: BTreeMap<u64, Try>,
    /// Machines that crash as soon as they wait for a sync.
    armed: BTreeSet<usize>,
    silence: Option<(u64, u64)>,
    losses: losses::Plan,
    begun: bool,
    next_look: u64,
    checkers: Checkers,
    report: Report,
    witnesses: &'a mut [&'a mut dyn Witness],
    glance: Option<&'a mut dyn FnMut(&Glance)>,
}

/// Runs a scenario to its end, or to the first promise that is broken.
pub fn run(scenario: &Scenario) -> Result<Report, Violation> {
    watch(scenario, &mut [])
}

/// The same, looked at by `glance` now and then.
pub fn run_seen(scenario: &Scenario, glance: &mut dyn FnMut(&Glance)) -> Result<Report, Violation> {
    let mut world = World::new(scenario, &mut []);
    world.glance = Some(glance);
    ended(world)
}

/// Runs a scenario before witnesses. A panic of the code under test is a broken promise like any other.
pub fn watch<'a>(
    scenario: &'a Scenario,
    witnesses: &'a mut [&'a mut dyn Witness],
) -> Result<Report, Violation> {
    ended(World::new(scenario, witnesses))
}

fn ended(mut world: World<'_>) -> Result<Report, Violation> {
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.run()));
    match ended {
        Ok(Ok(())) => Ok(world.finish()),
        Ok(Err(what)) => Err(Violation { at_ms: world.now, what }),
        Err(panic) => {
            let literal = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = literal.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            Err(Violation { at_ms: world.now, what: format!("panic: {text}") })
        }
    }
}

impl<'a> World<'a> {
    fn new(scenario: &'a Scenario, witnesses: &'a mut [&'a mut dyn Witness]) -> Self {
        let mut chance = Chance::new(scenario.seed);
        let cluster = Cluster::deal(scenario, &mut chance);
        let committee = cluster.committee;
        let scheduler = scenario.scheduler.make(&cluster, &mut chance);
        let count = if scenario.adversary.is_some() { committee.faults() } else { 0 };
        let corrupt: BTreeSet<ReplicaId> = committee.members().rev().take(count).collect();
        let clients = Clients::new(&cluster, scenario);
        for witness in witnesses.iter_mut() {
            witness.begin(committee, cluster.onlooker());
        }
        let mut actors = epochs::replicas(scenario, &cluster, &cluster, &corrupt, &mut chance);
        let (mut clusters, mut corrupt) = (vec![cluster], vec![corrupt]);
        let epochs = epochs::plan(scenario, &mut clusters, &mut corrupt, &mut actors, &mut chance);
        let checkers = Checkers::new(&clusters, corrupt);
        let mut world = Self {
            scenario,
            clusters,
            epochs,
            chance,
            scheduler,
            actors,
            events: BTreeMap::new(),
            sequence: 0,
            now: 0,
            pipes: BTreeMap::new(),
            views: BTreeMap::new(),
            clients,
            tries: BTreeMap::new(),
            armed: BTreeSet::new(),
            silence: None,
            losses: losses::Plan::default(),
            begun: false,
            next_look: 0,
            checkers,
            report: Report::default(),
            witnesses,
            glance: None,
        };
        for actor in 0..world.actors.len() {
            let at = world.chance.range(0, 200);
            if world.actors[actor].era == 0 {
                world.at(at, Event::Start(actor));
            }
        }
        world.plan_epochs();
        world.plan_crashes();
        world.plan_disks();
        world.plan_losses();
        world.plan_speech();
        world.plan_operators();
        world.plan_cut();
        world.plan_refreshes();
        world
    }

    fn run(&mut self) -> Result<(), String> {
        while let Some(((at, _), event)) = self.events.pop_first() {
            let Scenario { idle_ms, pace_ms, operations, rolls, .. } = *self.scenario;
            if at > LIMIT_MS + idle_ms + pace_ms * operations as u64 + rolls.waits_ms() {
                return Err(format!("liveness: not done; {}", self.describe()));
            }
            self.now = at;
            self.handle(event)?;
            self.look()?;
            if self.begun && self.clients.done() && self.has_rolled() && self.converged()? {
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
            worst_rounds: self.checkers.liveness.iter().map(Liveness::worst).max().unwrap_or(0),
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

    fn start(&mut self, actor: usize) -> Result<(), String> {
        if self.actors[actor].running.is_some() || self.actors[actor].gone {
            return Ok(());
        }
        let cluster = &self.clusters[self.actors[actor].era];
        let todo = match self.actors[actor].start(cluster, self.now, &mut self.chance) {
            Ok(todo) => todo,
            Err(stop) => return self.stopped(actor, stop),
        };
        self.tell(actor, News::Started { torn: self.actors[actor].had_torn_tail() });
        self.link(actor);
        self.follow(actor, todo)?;
        self.hand_over(actor)
    }

    /// A machine crashes, with all its replicas, and is started again.
    fn crash(&mut self, actor: usize, between: bool) {
        let away = self.absence_ms();
        for replica in self.replicas_beside(actor) {
            if self.actors[replica].running.is_some() {
                self.fail_at(replica, between);
                self.soon(away, away + 1_900, Event::Start(replica));
            }
        }
    }

    /// A machine crashes, and is not started again by this.
    fn fail(&mut self, actor: usize) {
        self.fail_at(actor, false);
    }

    fn fail_at(&mut self, actor: usize, between: bool) {
        self.actors[actor].crash(&mut self.chance);
        self.lose_to(actor);
        self.tell(actor, News::Crashed { between });
        self.report.crashes += 1;
    }

    /// Tells the witnesses.
    fn tell(&mut self, machine: usize, news: News<'_>) {
        let seen = Seen { at_ms: self.now, machine, who: self.actors[machine].id, news };
        self.witnesses.iter_mut().for_each(|witness| witness.see(&seen));
    }

    /// Whether two machines have a link.
    fn speak(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.actors[a], &self.actors[b]);
        a.era == b.era && a.audience.contains(&b.id) && b.audience.contains(&a.id) && !a.cut_off && !b.cut_off
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
            self.at(self.now, Event::Fall(actor));
        } else if todo.sync {
            self.soon(1, 6, Event::Synced(actor, incarnation));
        }
        for task in todo.tasks {
            let computed = self.actors[actor].compute(task, &mut self.chance);
            self.soon(1, 8, Event::Computed(actor, incarnation, computed));
        }
        if todo.torn {
            self.tear(actor);
            return Ok(());
        }
        if let Some((round, stored)) = todo.store {
            self.soon(1, 200, Event::Stored(actor, incarnation, round, stored));
        }
        todo.closed.iter().for_each(|closed| self.tell(actor, News::Closed(closed)));
        if self.actors[actor].is_correct() {
            let who = (self.actors[actor].era, self.actors[actor].id);
            todo.decided.iter().try_for_each(|round| self.checkers.order.closed(who, round))?;
        }
        todo.executed.iter().for_each(|(batch, _)| self.tell(actor, News::Executed(batch)));
        self.check_executed(actor, &todo.executed)?;
        self.follow_news(actor, &todo.news)?;
        todo.effects.into_iter().try_for_each(|effect| self.effect(actor, effect))
    }

    fn check_executed(&mut self, actor: usize, executed: &[(ExecutedBatch, Digest)]) -> Result<(), String> {
        let one = &self.actors[actor];
        let (Some(running), true) = (&one.running, one.is_correct()) else { return Ok(()) };
        let (round, next) = running.replica.rounds();
        self.checkers.liveness[one.era].progress(round, next);
        let Some((last, state)) = executed.last() else { return Ok(()) };
        for (batch, _) in executed {
            self.checkers.executed((one.era, one.id), self.now, batch)?;
        }
        self.checkers.machine(one.id, last.number, *state)
    }

    fn effect(&mut self, actor: usize, effect: Effect) -> Result<(), String> {
        let id = self.actors[actor].id;
        let (correct, era) = (self.actors[actor].is_correct(), self.actors[actor].era);
        match effect {
            Effect::Send { to, bytes } => {
                self.tell(actor, News::Sent { to, bytes: &bytes });
                let to: Vec<ReplicaId> = match to {
                    To::Others => self.clusters[era].committee.others(id).collect(),
                    To::One(one) => vec![one],
                };
                if correct {
                    self.checkers.coins[era].sent(id, &bytes)?;
                    self.checkers.links[era].sent(id, &bytes)?;
                }
                to.into_iter().for_each(|to| self.transmit(actor, to, &bytes));
            }
            Effect::Reply { client, wire } if correct => {
                let now_secs = (START.0 + self.now) / 1_000;
                let view = self.views.get(&actor).map(|view| &**view);
                let (one, next) = self.clients.reply(client.0, &wire, now_secs, view)?;
                self.tell(actor, News::Reply { client: one, number: client.0, wire: Some(&wire), next });
                self.next(one, next);
            }
            Effect::Answer { client, view, .. } if correct => {
                let (one, next) = self.clients.answer(client.0, &view)?;
                self.tell(actor, News::Reply { client: one, number: client.0, wire: None, next });
                self.next(one, next);
            }
            Effect::Publish { zone, view, .. } if correct && zone == origin() => {
                self.tell(actor, News::Published { serial: view.serial() });
                self.checkers.published(id, &view)?;
                self.views.insert(actor, view);
                self.begin_when_all_serve();
            }
            Effect::Fault(fault) if correct => {
                self.tell(actor, News::Fault(&fault));
                self.checkers.fault((era, id), &fault)?;
            }
            Effect::Alarm(what) if correct => return Err(format!("alarm at {id:?}: {what}")),
            Effect::Drop { client } if correct => return Err(format!("try {} was dropped", client.0)),
            _ => {}
        }
        Ok(())
    }
}
