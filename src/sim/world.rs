//! The event loop: virtual time, links, crashes, clients; and the checks at every step.
use super::actor::{Actor, Todo};
use super::chance::Chance;
use super::checkers::Checkers;
use super::clients::{Clients, Next};
use super::cluster::{Cluster, START, origin};
use super::schedulers::Scheduler;
use super::{Crashes, Report, Scenario, Violation};
use crate::protocol::To;
use crate::quorum::ReplicaId;
use crate::replica::{ClientId, Effect, Input};
use crate::signing::Computed;
use crate::zone::View;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Virtual milliseconds, silence apart, after which a run that has not ended is stuck.
const LIMIT_MS: u64 = 900_000;
/// Milliseconds that a client waits for a reply: longer than the replica's own patience.
const CLIENT_WAIT_MS: u64 = 15_000;
/// The most rounds that an operation may take while its gateway runs: far above the expected ten or so, far below what
/// a protocol that is only live by luck would need.
const MOST_ROUNDS: u64 = 150;

enum Event {
    Deliver { from: usize, from_incarnation: u64, to: usize, incarnation: u64, bytes: Vec<u8> },
    Linked { at: usize, incarnation: u64, peer: ReplicaId },
    Wake(usize),
    Synced(usize, u64),
    Computed(usize, u64, Computed),
    Begin(usize),
    Try(usize),
    GiveUp { client: usize, number: u64 },
    Crash(Vec<usize>),
    Start(usize),
}

struct Try {
    actor: usize,
    incarnation: u64,
    round: u64,
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
    silence: Option<(u64, u64)>,
    begun: bool,
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
                let mut actor = Actor::new(&cluster, id, audience, plant, &mut chance);
                actor.adversary = adversary.map(|kind| kind.make(&mut chance));
                actors.push(actor);
            }
        }
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
            silence: None,
            begun: false,
            checkers: Checkers::new(corrupt),
            report: Report::default(),
        };
        for actor in 0..world.actors.len() {
            let at = world.chance.range(0, 200);
            world.at(at, Event::Start(actor));
        }
        world.plan_crashes();
        world
    }

    fn plan_crashes(&mut self) {
        let correct: Vec<usize> = (0..self.actors.len()).filter(|i| self.actors[*i].is_correct()).collect();
        let planted = self.scenario.plant.is_some();
        match self.scenario.crashes {
            Crashes::Never => {}
            Crashes::OneByOne => {
                for k in 0..8 {
                    let victim = if planted { correct[0] } else { self.chance.pick(&correct) };
                    let at = 2_500 + k * 4_000 + self.chance.range(0, 1_000);
                    self.at(at, Event::Crash(vec![victim]));
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

    fn run(&mut self) -> Result<(), String> {
        while let Some(((at, _), event)) = self.events.pop_first() {
            if at > LIMIT_MS + self.scenario.idle_ms {
                return Err(format!("liveness: not done; {}", self.describe()));
            }
            self.now = at;
            self.handle(event)?;
            if self.begun && self.clients.done() && self.converged()? {
                return Ok(());
            }
        }
        Err(format!("liveness: nothing more happens; {}", self.describe()))
    }

    fn finish(self) -> Report {
        let status = |actor: &Actor| actor.running.as_ref().map(|running| running.replica.status());
        let rounds = self.actors.iter().filter_map(status).map(|status| status.round).max();
        Report {
            virtual_ms: self.now,
            batches: self.checkers.batches(),
            faults: self.checkers.faults(),
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
                let effects = self.actors[actor].synced()?;
                effects.into_iter().try_for_each(|effect| self.effect(actor, effect))
            }
            Event::Computed(actor, incarnation, computed)
                if self.actors[actor].incarnation == incarnation =>
            {
                self.step(actor, Input::Computed(computed))
            }
            Event::Linked { .. } | Event::Synced(..) | Event::Computed(..) => Ok(()),
            Event::Begin(client) => {
                let now_secs = (START.0 + self.now) / 1_000;
                if self.clients.begin(client, self.scenario.ordered_reads, now_secs, &mut self.chance) {
                    self.send(client)?;
                }
                Ok(())
            }
            Event::Try(client) => self.send(client),
            Event::GiveUp { client, number } => {
                if self.clients.waits(client, number) {
                    if let Some(lost) = self.tries.get(&number)
                        && self.actors[lost.actor].incarnation == lost.incarnation
                        && self.actors[lost.actor].is_correct()
                    {
                        return Err(format!("replies: try {number} of client {client} got none"));
                    }
                    self.send(client)?;
                }
                Ok(())
            }
            Event::Crash(actors) => {
                for actor in actors {
                    self.actors[actor].crash(&mut self.chance);
                    self.report.crashes += 1;
                    self.soon(100, 2_000, Event::Start(actor));
                }
                Ok(())
            }
            Event::Start(actor) => self.start(actor),
        }
    }

    fn start(&mut self, actor: usize) -> Result<(), String> {
        if self.actors[actor].running.is_some() {
            return Ok(());
        }
        let todo = self.actors[actor].start(&self.cluster, self.now, &mut self.chance)?;
        self.follow(actor, todo)?;
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
        let todo = self.actors[actor].step(self.now, input)?;
        self.follow(actor, todo)
    }

    fn follow(&mut self, actor: usize, todo: Todo) -> Result<(), String> {
        let incarnation = self.actors[actor].incarnation;
        if let Some(at) = todo.wake {
            self.at(at, Event::Wake(actor));
        }
        if todo.sync {
            self.soon(1, 6, Event::Synced(actor, incarnation));
        }
        for task in todo.tasks {
            let computed = self.actors[actor].compute(task, &mut self.chance);
            self.soon(1, 8, Event::Computed(actor, incarnation, computed));
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
        let (Some(last), Some(running), true) = (executed.last(), &one.running, one.is_correct()) else {
            return Ok(());
        };
        for batch in executed {
            self.checkers.executed(one.id, batch)?;
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
                to.into_iter().for_each(|to| self.transmit(actor, to, &bytes));
            }
            Effect::Reply { client, wire } if correct => {
                let now_secs = (START.0 + self.now) / 1_000;
                let (one, next) = self.clients.reply(client.0, &wire, now_secs)?;
                self.next(one, next, client.0)?;
            }
            Effect::Answer { client, view, .. } if correct => {
                let (one, next) = self.clients.answer(client.0, &view)?;
                self.next(one, next, client.0)?;
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
        let sent = match &mut self.actors[from].adversary {
            Some(adversary) => adversary.outgoing(&mut self.chance, self.now, to, bytes),
            None => vec![bytes.to_vec()],
        };
        for peer in 0..self.actors.len() {
            if self.actors[peer].id != to || !self.speak(from, peer) || self.actors[peer].running.is_none() {
                continue;
            }
            for bytes in &sent {
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

    /// Clients begin when every correct replica serves the zone.
    fn begin_when_all_serve(&mut self) {
        let correct = self.actors.iter().filter(|actor| actor.is_correct()).count();
        if !self.begun && self.views.len() == correct {
            self.begun = true;
            for client in 0..self.clients.len() {
                self.soon(1, 1_000, Event::Begin(client));
            }
        }
    }

    /// Sends a client's operation to a correct replica that runs.
    fn send(&mut self, client: usize) -> Result<(), String> {
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
        self.step(actor, Input::Client { id: ClientId(number), wire })
    }

    fn next(&mut self, client: usize, next: Next, number: u64) -> Result<(), String> {
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

    fn round(&self, actor: usize) -> u64 {
        self.actors[actor].running.as_ref().map_or(0, |running| running.replica.status().round)
    }

    /// Whether all correct replicas run and serve the same version, which then must hold what was answered.
    fn converged(&self) -> Result<bool, String> {
        let mut serials = BTreeSet::new();
        for actor in self.actors.iter().filter(|actor| actor.is_correct()) {
            let Some(running) = &actor.running else { return Ok(false) };
            let status = running.replica.status();
            if status.pending_jobs > 0 || status.waiting_batches > 0 {
                return Ok(false);
            }
            serials.insert((running.replica.view(&origin()).map(|view| view.serial()), status.batches));
        }
        let over = !self.events.values().any(|event| matches!(event, Event::Crash(_) | Event::Start(_)));
        if serials.len() != 1 || !over {
            return Ok(false);
        }
        let replica = self.actors.iter().find_map(|actor| actor.running.as_ref());
        let view = replica.and_then(|running| running.replica.view(&origin()));
        view.ok_or("nothing is served".to_owned()).and_then(|view| self.clients.check(&view)).map(|()| true)
    }

    fn describe(&self) -> String {
        let state = |actor: &Actor| match &actor.running {
            None => format!("{:?} is down", actor.id),
            Some(running) => {
                let status = running.replica.status();
                format!(
                    "{:?} at round {}, {} batches, {} waiting, {} jobs, {} clients",
                    actor.id,
                    status.round,
                    status.batches,
                    status.waiting_batches,
                    status.pending_jobs,
                    status.clients
                )
            }
        };
        self.actors.iter().map(state).collect::<Vec<_>>().join("; ")
    }
}
