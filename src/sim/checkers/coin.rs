//! The coin: nobody can know a round's leaders before t + 1 correct replicas have made a vertex four rounds above it, anybody
//! can from then on, and no replica leads more than its turn.
//!
//! It looks at the vertices that correct replicas send, as an onlooker without secrets does. Of the orders of leaders it
//! asks only what no fair coin fails: over [`ENOUGH`] rounds every replica comes first at least once, which one of four fails to
//! do with probability 4·(3/4)^ENOUGH < 10⁻¹¹ (one of seven: 10⁻⁶).
//!
//! Coins more than [`WINDOW`] rounds below the newest are forgotten and looked at no more: a long run needs no more memory
//! than a short one.

use super::super::cluster::Cluster;
use crate::codec;
use crate::consensus::{self, Onlooker};
use crate::limits::MAX_FRAME_BYTES;
use crate::quorum::{Committee, ReplicaId};
use crate::replica::PeerMessage;
use std::collections::{BTreeMap, BTreeSet};

/// Rounds from a leader to the vertices that tell its coin.
const TOSS: u64 = 4;
/// Rounds after which everybody has come first.
const ENOUGH: u64 = 100;

/// Rounds below the newest coin of which something is kept: more than replicas are ever apart in and send again.
const WINDOW: u64 = 512;

/// What has been seen of the coins.
pub struct Coins {
    committee: Committee,
    onlooker: Onlooker,
    /// Correct authors of vertices seen, by round; of rounds whose coin is not known.
    authors: BTreeMap<u64, BTreeSet<ReplicaId>>,
    tossed: u64,
    /// The round of the newest coin.
    newest: u64,
    first: BTreeSet<ReplicaId>,
}

impl Coins {
    /// For a run of this cluster.
    pub(in crate::sim) fn new(cluster: &Cluster) -> Self {
        Self {
            committee: cluster.committee,
            onlooker: cluster.onlooker(),
            authors: BTreeMap::new(),
            tossed: 0,
            newest: 0,
            first: BTreeSet::new(),
        }
    }

    /// A correct replica sends this to others.
    pub fn sent(&mut self, who: ReplicaId, bytes: &[u8]) -> Result<(), String> {
        let Ok(PeerMessage::Consensus(consensus::Message::Vertex(vertex))) =
            codec::decode(bytes, MAX_FRAME_BYTES)
        else {
            return Ok(());
        };
        let (author, round) = (vertex.body().author, vertex.body().round);
        let Some(tossed) = round.checked_sub(TOSS).filter(|tossed| *tossed > 0 && author == who) else {
            return Ok(());
        };
        if tossed + WINDOW < self.newest || self.onlooker.leaders(tossed).is_some() {
            return Ok(());
        }
        let authors = self.authors.entry(tossed).or_default();
        authors.insert(who);
        let due = authors.len() >= self.committee.one_correct();
        self.onlooker.see(&vertex);
        match self.onlooker.leaders(tossed) {
            None if due => Err(format!("coin: the vertices of round {round} do not tell that of {tossed}")),
            Some(_) if !due => Err(format!("coin: that of round {tossed} is told too early")),
            None => Ok(()),
            Some(leaders) => {
                self.first.extend(leaders.first());
                self.tossed += 1;
                self.authors.remove(&tossed);
                self.newest = self.newest.max(tossed);
                let below = self.newest.saturating_sub(WINDOW);
                self.onlooker.forget(below);
                self.authors = self.authors.split_off(&below);
                let unfair = self.tossed >= ENOUGH && self.first.len() < self.committee.n();
                if unfair {
                    Err(format!("coin: in {ENOUGH} rounds only {:?} came first", self.first))
                } else {
                    Ok(())
                }
            }
        }
    }
}
