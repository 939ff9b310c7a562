//! What the replica's thread tells those who lead its process from epoch to epoch.
#![forbid(unsafe_code)]

use super::super::epochs::{Notice, What};
use super::Core;
use crate::replica::News;
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

    /// Tells what the next epoch begins from, if this one is over.
    pub(super) fn hand_over(&self) {
        let epoch = self.hands.epoch;
        if let Some((successor, records)) = self.replica.handover() {
            let what = What::Ended(successor, records);
            let _ = self.hands.common.notices.send(Notice { epoch, what });
        }
    }
}
