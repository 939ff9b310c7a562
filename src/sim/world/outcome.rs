//! Whether a run has come to its end, and what it was like.
use super::super::Glance;
use super::super::actor::Actor;
use super::super::checkers::bounds;
use super::super::cluster::origin;
use super::{Event, World};
use crate::storage::MemDisk;
use std::collections::BTreeSet;

/// Virtual milliseconds between two looks at what correct replicas keep.
const LOOK_MS: u64 = 250;
/// The same while all clients rest for long: a year is mostly silence.
const SELDOM_MS: u64 = 60_000;

impl World<'_> {
    /// Looks at the bounds of correct replicas, now and then.
    pub(super) fn look(&mut self) -> Result<(), String> {
        if self.now < self.next_look {
            return Ok(());
        }
        let seldom = self.scenario.pace_ms > SELDOM_MS && self.clients.rest();
        self.next_look = self.now + if seldom { SELDOM_MS } else { LOOK_MS };
        for (i, actor) in self.actors.iter().enumerate().filter(|(_, actor)| actor.is_correct()) {
            if let Some(running) = &actor.running {
                let comes_back = self.losses.is_out(i);
                let status = running.replica.status();
                bounds::check(&status, actor.disk.used(), comes_back, &mut self.report.peaks)?;
            }
        }
        if let Some(glance) = &mut self.glance {
            let disks = self.actors.iter().map(|actor| &actor.disk);
            glance(&Glance {
                at_ms: self.now,
                disk_bytes: disks.clone().map(MemDisk::used).max().unwrap_or(0),
                disk_memory: disks.map(MemDisk::memory).sum(),
            });
        }
        self.follow_losses()
    }

    /// Whether all correct replicas run and serve the same version, which then must hold what was answered.
    pub(super) fn converged(&self) -> Result<bool, String> {
        let mut serials = BTreeSet::new();
        let era = self.clusters.len() - 1;
        if !self.epochs_are_over() {
            return Ok(false);
        }
        for actor in self.actors.iter().filter(|actor| actor.is_correct() && actor.era == era) {
            let Some(running) = &actor.running else { return Ok(false) };
            let status = running.replica.status();
            if status.pending_jobs > 0 || status.waiting_batches > 0 {
                return Ok(false);
            }
            serials.insert((running.replica.view(&origin()).map(|view| view.serial()), status.batches));
        }
        let over = !self
            .events
            .values()
            .any(|event| matches!(event, Event::Crash(_) | Event::Fall(_) | Event::Start(_)));
        if serials.len() != 1
            || !over
            || !self.all_refreshed()
            || self.disk_is_due()
            || !self.losses.is_over()
        {
            return Ok(false);
        }
        let correct = self.actors.iter().filter(|actor| actor.is_correct() && actor.era == era);
        let replica = correct.filter_map(|actor| actor.running.as_ref()).next();
        let view = replica.and_then(|running| running.replica.view(&origin()));
        view.ok_or("nothing is served".to_owned()).and_then(|view| self.clients.check(&view)).map(|()| true)
    }

    pub(super) fn describe(&self) -> String {
        let state = |actor: &Actor| match &actor.running {
            None => format!(
                "{:?} of epoch {} is {}",
                actor.id,
                actor.era,
                if actor.gone { "gone" } else { "down" }
            ),
            Some(running) => {
                let status = running.replica.status();
                format!(
                    "{:?} of epoch {} ({}) at round {}, {} batches, checkpoint {} of {}, line {}{}, {} waiting, {} jobs, {} clients",
                    actor.id,
                    actor.era,
                    status.epoch.stage,
                    status.round,
                    status.batches,
                    status.stable,
                    status.certified,
                    status.line,
                    if status.observes { ", observes" } else { "" },
                    status.waiting_batches,
                    status.pending_jobs,
                    status.clients
                )
            }
        };
        self.actors.iter().map(state).collect::<Vec<_>>().join("; ")
    }
}
