//! The nemesis: a random sequence of faults, paced by what the clients get done.
//!
//! Up to t replicas at a time are killed, stopped or cut off, while the clients must get on; now and then all are killed at
//! once, or so many are taken away that nothing can be ordered, which the clients must notice. Each fault lasts until
//! so many more updates are answered (or have failed) and is then undone.

use crate::ledger::Ledger;
use crate::site::{Replicas, Site};
use conclave::sim::Chance;
use std::fmt;
use std::time::{Duration, Instant};

/// How long the nemesis goes on: all of it must be reached.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Faults.
    pub faults: usize,
    /// Answered updates.
    pub answered: u64,
    /// Whether directories are wiped.
    pub wipes: bool,
}

/// What is done to one replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Harm {
    /// kill -9.
    Kill,
    /// SIGSTOP.
    Stop,
    /// Nothing passes between it and its peers.
    Isolate,
    /// Nothing passes from its peers to it.
    Deafen,
    /// Nothing passes from it to its peers.
    Silence,
    /// kill -9, and its data directory is removed.
    Wipe,
}

/// The nemesis of a cluster.
pub struct Nemesis<'a, 'b> {
    pub site: &'a Site,
    pub replicas: &'b mut Replicas<'a>,
    pub ledger: &'a Ledger,
    pub chance: Chance,
    began: Instant,
}

impl<'a, 'b> Nemesis<'a, 'b> {
    /// One that has done nothing yet.
    pub fn new(site: &'a Site, replicas: &'b mut Replicas<'a>, ledger: &'a Ledger, seed: u64) -> Self {
        Self { site, replicas, ledger, chance: Chance::new(seed), began: Instant::now() }
    }

    /// Works until the plan is done, or a promise is broken; leaves a whole cluster.
    pub fn work(&mut self, plan: Plan) {
        let minutes = std::env::var("CONCLAVE_CHAOS_MINUTES").ok().and_then(|m| m.parse().ok()).unwrap_or(0);
        let long = Duration::from_secs(60 * minutes);
        let mut faults = 0;
        self.progress(3);
        while self.ledger.read(|state| state.problems.is_empty()) {
            let answered = self.ledger.read(|state| state.answered);
            if faults >= plan.faults && answered >= plan.answered && self.began.elapsed() >= long {
                break;
            }
            faults += 1;
            match self.chance.range(0, 9) {
                0 => self.restart_all(),
                1 => self.take_the_quorum_away(),
                _ => self.harm_a_few(plan.wipes),
            }
            if let Some(ended) = self.replicas.ended() {
                self.ledger.problem(ended);
            }
        }
        // The cluster is whole again, and works.
        self.progress(5);
    }

    fn say(&self, what: impl fmt::Display) {
        let answered = self.ledger.read(|state| state.answered);
        eprintln!("{:8.3} s, {answered} answered: {what}", self.began.elapsed().as_secs_f64());
    }

    fn progress(&self, more: u64) {
        let goal = self.ledger.read(|state| state.answered) + more;
        self.ledger.wait("updates are answered", |state| state.answered >= goal);
    }

    fn few(&mut self, low: u64, high: u64) {
        let more = self.chance.range(low, high);
        self.progress(more);
    }

    /// Different replicas.
    fn victims(&mut self, count: usize) -> Vec<u8> {
        let mut all = self.site.all();
        while all.len() > count {
            let at = self.chance.range(0, all.len() as u64 - 1) as usize;
            all.remove(at);
        }
        all
    }

    fn harm_a_few(&mut self, wipes: bool) {
        let count = self.chance.range(1, self.site.faults() as u64) as usize;
        let harms: Vec<(u8, Harm)> =
            self.victims(count).into_iter().map(|i| (i, self.any_harm(wipes))).collect();
        self.say(format_args!("{harms:?}"));
        harms.iter().for_each(|(i, harm)| self.harm(*i, *harm));
        self.few(2, 12);
        harms.iter().for_each(|(i, harm)| self.undo(*i, *harm));
        let wiped = harms.iter().filter(|(_, harm)| *harm == Harm::Wipe);
        // Until it has made a vertex again it counts among the t.
        wiped.for_each(|(i, _)| self.replicas.wait_standing(*i));
        self.few(0, 8);
    }

    fn any_harm(&mut self, wipes: bool) -> Harm {
        let mut harms = vec![Harm::Kill, Harm::Kill, Harm::Stop];
        if wipes {
            harms.extend([Harm::Wipe, Harm::Wipe]);
        }
        if self.site.network.can_cut() {
            harms.extend([Harm::Isolate, Harm::Isolate, Harm::Deafen, Harm::Silence]);
        }
        self.chance.pick(&harms)
    }

    fn harm(&mut self, i: u8, harm: Harm) {
        let others: Vec<u8> = self.site.all().into_iter().filter(|other| *other != i).collect();
        match harm {
            Harm::Kill => self.replicas.kill(i),
            Harm::Stop => self.replicas.pause(i),
            Harm::Isolate => {
                self.site.network.cut(&[i], &others);
                self.site.network.cut(&others, &[i]);
            }
            Harm::Deafen => self.site.network.cut(&others, &[i]),
            Harm::Silence => self.site.network.cut(&[i], &others),
            Harm::Wipe => {
                self.replicas.kill(i);
                self.ledger.forget(i);
                std::fs::remove_dir_all(self.site.replica(i).join("data")).unwrap();
            }
        }
    }

    fn undo(&mut self, i: u8, harm: Harm) {
        match harm {
            Harm::Kill | Harm::Wipe => self.replicas.revive(i),
            Harm::Stop => self.replicas.resume(i),
            Harm::Isolate | Harm::Deafen | Harm::Silence => self.site.network.heal(),
        }
    }

    fn restart_all(&mut self) {
        self.say("all are killed");
        self.site.all().into_iter().for_each(|i| self.replicas.kill(i));
        self.site.all().into_iter().for_each(|i| self.replicas.revive(i));
        self.few(1, 6);
    }

    fn take_the_quorum_away(&mut self) {
        let count = self.site.faults() + 1;
        let victims = self.victims(count);
        let kinds = if self.site.network.can_cut() { 3 } else { 2 };
        let kind = self.chance.range(1, kinds);
        self.say(format_args!(
            "no quorum: {} {victims:?}",
            ["killed", "stopped", "split"][kind as usize - 1]
        ));
        let rest: Vec<u8> = self.site.all().into_iter().filter(|i| !victims.contains(i)).collect();
        match kind {
            1 => victims.iter().for_each(|i| self.replicas.kill(*i)),
            2 => victims.iter().for_each(|i| self.replicas.pause(*i)),
            _ => {
                self.site.network.cut(&victims, &rest);
                self.site.network.cut(&rest, &victims);
            }
        }
        let failed = self.ledger.read(|state| state.failed) + self.chance.range(1, 5);
        self.ledger.wait("clients notice that nothing is ordered", |state| state.failed >= failed);
        match kind {
            1 => victims.iter().for_each(|i| self.replicas.revive(*i)),
            2 => victims.iter().for_each(|i| self.replicas.resume(*i)),
            _ => self.site.network.heal(),
        }
        self.few(1, 6);
    }
}
