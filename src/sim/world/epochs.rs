//! From one epoch to the next: who its replicas are, when operators vote, and what each machine does on the way.
//!
//! The machines of correct replicas that are in both epochs run the next one's replica beside the old as soon as the old
//! has ended, or, when they start again after the vote, at once: as one that was down meanwhile must. New machines wait
//! for the old epoch's end from some moment on. A corrupt replica's machine goes on in the old epoch as it likes; if it is in
//! the next, it is corrupt there too, and what it can replay of others is what they signed in the old epoch.
use super::super::actor::{Actor, Corrupt};
use super::super::chance::Chance;
use super::super::cluster::Cluster;
use super::super::{Crashes, Scenario, Succession};
use super::{Event, World};
use crate::quorum::ReplicaId;
use crate::replica::{Input, News};
use std::collections::{BTreeMap, BTreeSet};

/// Milliseconds from the start after which operators vote, at least and at most.
const VOTE_MS: (u64, u64) = (3_000, 12_000);
/// Milliseconds until an operator whose vote has led to nothing votes again.
const AGAIN_MS: u64 = 8_000;
/// Milliseconds for which a replica stays whose next epoch needs nothing more of it, at least and at most.
const LINGER_MS: (u64, u64) = (5_000, 15_000);

/// What is to come, and has come.
#[derive(Default)]
pub(super) struct Plan {
    /// Of machines in both epochs: the replica of each.
    next: BTreeMap<usize, usize>,
    /// Replicas of the next epoch that have begun.
    begun: BTreeSet<usize>,
    /// When operators begin to vote.
    vote_ms: u64,
    /// Whether states' writing and storing is interrupted.
    interrupted: bool,
}

/// The replicas of a cluster, with an adversary where they are corrupt.
pub(super) fn replicas(
    scenario: &Scenario,
    cluster: &Cluster,
    elsewhere: &Cluster,
    corrupt: &BTreeSet<ReplicaId>,
    chance: &mut Chance,
) -> Vec<Actor> {
    let committee = cluster.committee;
    let mut actors = Vec::new();
    for id in committee.members() {
        let adversary = scenario.adversary.filter(|_| corrupt.contains(&id));
        let everyone = || vec![committee.others(id).collect()];
        let audiences = adversary.map_or_else(everyone, |kind| kind.audiences(committee, id));
        for audience in audiences {
            let plant = scenario.plant.filter(|_| id.slot() == 0);
            let actor = Actor::new(cluster, id, audience, plant, chance);
            let others = || elsewhere.committee.members().map(|other| elsewhere.forge(other)).collect();
            let corrupt = adversary.map(|kind| {
                let will = kind.make(chance);
                Corrupt { will, forge: cluster.forge(id), elsewhere: others() }
            });
            actors.push(actor.corrupt(corrupt));
        }
    }
    actors
}

/// Adds the cluster of the next epoch and its replicas, if there is one.
pub(super) fn plan(
    scenario: &Scenario,
    clusters: &mut Vec<Cluster>,
    corrupt: &mut Vec<BTreeSet<ReplicaId>>,
    actors: &mut Vec<Actor>,
    chance: &mut Chance,
) -> Plan {
    let Some(members) = members(scenario, &clusters[0]) else { return Plan::default() };
    let next = clusters[0].succeed(&members, chance);
    let ids = next.committee.members();
    let is_corrupt = |old: &Option<ReplicaId>| old.is_some_and(|old| corrupt[0].contains(&old));
    let theirs: BTreeSet<ReplicaId> =
        ids.clone().zip(&members).filter(|(_, old)| is_corrupt(old)).map(|(id, _)| id).collect();
    let first = actors.len();
    actors.extend(replicas(scenario, &next, &clusters[0], &theirs, chance));
    let mut plan = Plan {
        vote_ms: chance.range(VOTE_MS.0, VOTE_MS.1),
        interrupted: scenario.crashes != Crashes::Never,
        ..Plan::default()
    };
    for (id, old) in ids.zip(&members) {
        let of = |from: usize, who: ReplicaId| (from..actors.len()).find(|actor| actors[*actor].id == who);
        if let Some((old, new)) = old.and_then(|old| Some((of(0, old)?, of(first, id)?)))
            && actors[old].is_correct()
        {
            plan.next.insert(old, new);
        }
    }
    clusters.push(next);
    corrupt.push(theirs);
    plan
}

/// The members of the next epoch: of each its index in this one. The indices of those that go on change.
fn members(scenario: &Scenario, cluster: &Cluster) -> Option<Vec<Option<ReplicaId>>> {
    let old = cluster.committee.members().map(Some);
    let n = cluster.committee.n();
    Some(match scenario.succession {
        Succession::Never => return None,
        Succession::Replace => std::iter::once(None).chain(old.take(n - 1)).collect(),
        Succession::Grow => old.chain([None; 3]).collect(),
        Succession::Shrink => old.rev().skip(3.min(n - 1)).collect(),
        Succession::Least => {
            let least = cluster.committee.one_correct();
            old.rev().take(least).chain(std::iter::repeat_n(None, n - least)).collect()
        }
        Succession::Alone => old.take(1).collect(),
    })
}

impl World<'_> {
    pub(super) fn plan_epochs(&mut self) {
        if self.clusters.len() < 2 {
            return;
        }
        let continuing: BTreeSet<usize> = self.epochs.next.values().copied().collect();
        for actor in 0..self.actors.len() {
            let (era, is_correct) = (self.actors[actor].era, self.actors[actor].is_correct());
            if era == 1 && !continuing.contains(&actor) {
                let at = self.chance.range(0, 30_000);
                self.at(at, Event::Start(actor));
            } else if era == 0 && is_correct {
                let at = self.epochs.vote_ms + self.chance.range(0, 3_000);
                self.at(at, Event::Vote(actor));
            }
            if self.epochs.interrupted && is_correct {
                self.actors[actor].tears = self.chance.one_in(4);
            }
        }
    }

    pub(super) fn vote(&mut self, actor: usize) -> Result<(), String> {
        if self.actors[actor].gone {
            return Ok(());
        }
        self.soon(AGAIN_MS, 2 * AGAIN_MS, Event::Vote(actor));
        let command = self.clusters[1].command(&self.clusters[0]);
        match self.actors[actor].vote(self.now, &command) {
            Ok(todo) => self.follow(actor, todo),
            Err(stop) => self.stopped(actor, stop),
        }
    }

    /// The replicas on the machine of this one, itself among them.
    pub(super) fn replicas_beside(&self, actor: usize) -> Vec<usize> {
        let beside = self.epochs.next.iter().find(|(old, new)| **old == actor || **new == actor);
        beside.map_or_else(|| vec![actor], |(old, new)| vec![*old, *new])
    }

    /// Whether clients of this machine are given to this replica.
    pub(super) fn takes_clients(&self, actor: usize) -> bool {
        match self.actors[actor].era {
            0 => self.epochs.next.get(&actor).is_none_or(|next| !self.epochs.begun.contains(next)),
            _ => self.epochs.begun.contains(&actor),
        }
    }

    /// A replica has started: that of the next epoch on its machine, too, if there is reason to; and it begins if it can.
    pub(super) fn hand_over(&mut self, actor: usize) -> Result<(), String> {
        let Some((old, new)) = self.epochs.next.iter().find(|(old, new)| **old == actor || **new == actor)
        else {
            return Ok(());
        };
        let (old, new) = (*old, *new);
        let voted = self.now > self.epochs.vote_ms && actor == old;
        if (voted || self.actors[new].has_run()) && self.actors[new].running.is_none() {
            self.start(new)?;
        }
        if self.epochs.begun.contains(&new) {
            self.step(old, Input::Continued)?;
        }
        let handover = self.actors[old].running.as_ref().and_then(|running| running.replica.handover());
        match handover.filter(|_| self.actors[new].running.is_some()) {
            Some((_, records)) => self.step(new, Input::Begin(records)),
            None => Ok(()),
        }
    }

    /// What a replica's steps from epoch to epoch mean for its machine.
    pub(super) fn follow_news(&mut self, actor: usize, news: &[News]) -> Result<(), String> {
        for news in news {
            match news {
                News::Ended(_) => {
                    if let Some(next) = self.epochs.next.get(&actor).copied() {
                        self.start(next)?;
                        self.hand_over(next)?;
                    }
                }
                News::Released if self.actors[actor].is_correct() => self.leave(actor),
                News::Released => {}
                News::Begun => {
                    self.epochs.begun.insert(actor);
                    self.report.begun = self.epochs.begun.len();
                    if let Some(old) = self.before(actor) {
                        self.step(old, Input::Continued)?;
                    }
                }
                News::Settled => {
                    if let Some(old) = self.before(actor) {
                        self.soon(LINGER_MS.0, LINGER_MS.1, Event::Leave(old));
                    }
                }
            }
        }
        Ok(())
    }

    /// The replica of the epoch before on the machine of this one.
    fn before(&self, actor: usize) -> Option<usize> {
        self.epochs.next.iter().find(|(_, new)| **new == actor).map(|(old, _)| *old)
    }

    /// A replica ends for good, and its disk is emptied.
    pub(super) fn leave(&mut self, actor: usize) {
        if std::mem::replace(&mut self.actors[actor].gone, true) {
            return;
        }
        self.actors[actor].end();
        self.lose_to(actor);
        self.lose_from(actor);
        self.actors[actor].disk.wipe();
        self.report.left += 1;
    }

    /// Whether an interrupted store is to crash its machine once it is on disk.
    pub(super) fn falls_after_storing(&mut self, actor: usize) -> bool {
        self.epochs.interrupted && self.actors[actor].is_correct() && self.chance.one_in(4)
    }

    /// Whether the correct replicas of the next epoch have begun, and the others have left.
    pub(super) fn epochs_are_over(&self) -> bool {
        if self.clusters.len() < 2 {
            return true;
        }
        self.actors.iter().enumerate().filter(|(_, actor)| actor.is_correct()).all(|(i, actor)| {
            let continues = self.epochs.next.contains_key(&i);
            let may_stay = continues || !self.can_all_leave();
            if actor.era == 1 { self.epochs.begun.contains(&i) } else { actor.gone || may_stay }
        })
    }

    /// Whether those that do not go on hear of enough that do, whatever corrupt ones keep to themselves.
    fn can_all_leave(&self) -> bool {
        let faults = self.clusters.iter().map(|cluster| cluster.committee.faults()).min().unwrap_or(0);
        self.epochs.next.len() > faults
    }
}
