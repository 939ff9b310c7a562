//! What the replica's thread tells those who lead its process from epoch to epoch.
#![forbid(unsafe_code)]

use super::super::epochs::{Notice, What};
use super::Core;
use crate::answer::Settings;
use crate::replica::News;
use std::time::Instant;
use tracing::{info, warn};

impl<D> Core<D> {
    pub(super) fn tell(&self, news: Vec<News>) {
        let epoch = self.hands.epoch;
        for news in news {
            let what = match news {
                News::Ended(ending) => {
                    info!(epoch = epoch.0, "the epoch is over; its last state is certified and on disk");
                    if !ending.continuing.contains(&self.hands.me) {
                        warn!(
                            "this replica is not in the next epoch: it votes no more, and serves until nobody needs it"
                        );
                    }
                    self.hand_over();
                    continue;
                }
                News::Released => What::Released,
                News::Begun => {
                    self.hands.common.begun(epoch, &self.hands.ordered);
                    What::Begun
                }
                News::Settled => What::Settled,
            };
            // Nobody listens only when the process ends.
            let _ = self.hands.common.notices.send(Notice { epoch, what });
        }
    }

    /// Marks answers as stale, or no longer. Which replica of the process speaks is the one whose epoch runs.
    pub(super) fn look_for_others(&mut self) {
        if !self.replica.runs() {
            return;
        }
        let reached = 1 + self.hands.peers.status().iter().filter(|link| link.up).count();
        let has_quorum = reached >= self.hands.committee.quorum();
        let stale = self.hands.contact.is_stale(has_quorum, Instant::now());
        let settings = &self.hands.common.settings;
        if settings.load().stale != stale {
            settings.rcu(|old| Settings { stale, ..Settings::clone(old) });
            match stale {
                true => warn!(reached, "no quorum for long: answers are marked as stale"),
                false => info!(reached, "a quorum again: answers are not stale"),
            }
        }
    }

    /// Tells what the next epoch begins from, if this one is over.
    pub(super) fn hand_over(&self) {
        let epoch = self.hands.epoch;
        if let Some((successor, records)) = self.replica.handover() {
            let what = What::Ended(successor, records);
            let _ = self.hands.common.notices.send(Notice { epoch, what });
        }
    }
}
