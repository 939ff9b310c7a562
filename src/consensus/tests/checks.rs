//! What must hold of all replicas of a simulation.

use super::sim::{Host, Sim};
use crate::consensus::{Batch, Record};
use crate::quorum::ReplicaId;
use std::collections::{BTreeMap, BTreeSet};

impl Sim {
    /// Whatever replicas have delivered of one round is the same, and who has delivered two rounds has all between that
    /// anybody has, unless it took over a state from between.
    pub fn check_rounds(&self) {
        let mut all: BTreeMap<u64, &Batch> = BTreeMap::new();
        for (me, host) in &self.hosts {
            for batch in &host.batches {
                let known = all.entry(batch.round).or_insert(batch);
                assert_eq!(*known, batch, "seed {}: {me:?} differs in round {}", self.seed, batch.round);
            }
            assert_one_vertex_a_round(self.seed, *me, &host.log);
        }
        for (me, host) in &self.hosts {
            let base = host.base.as_ref().map_or(0, |base| base.mark.round);
            let last = host.batches.last().map_or(base, |batch| batch.round);
            let mine: Vec<u64> = host.batches.iter().map(|b| b.round).filter(|round| *round > base).collect();
            let those = all.keys().copied().filter(|round| (base + 1..=last).contains(round));
            assert_eq!(mine, those.collect::<Vec<u64>>(), "seed {}: {me:?} left out rounds", self.seed);
        }
    }

    /// Of any two replicas' batches one is a prefix of the other.
    pub fn check_prefixes(&self) {
        let all: Vec<(&ReplicaId, &Host)> = self.hosts.iter().collect();
        for pair in all.windows(2) {
            let (a, b) = (&pair[0].1.batches, &pair[1].1.batches);
            let common = a.len().min(b.len());
            for (one, other) in a[..common].iter().zip(&b[..common]) {
                assert_eq!(one, other, "seed {}: {:?} and {:?} differ", self.seed, pair[0].0, pair[1].0);
            }
        }
        for (me, host) in &self.hosts {
            let increasing =
                host.batches.windows(2).all(|w| w[0].round < w[1].round && w[0].time <= w[1].time);
            assert!(increasing, "seed {}: {me:?} goes back", self.seed);
            assert_one_vertex_a_round(self.seed, *me, &host.log);
        }
    }

    /// The requests that a replica has delivered, in order.
    pub fn delivered(&self, me: ReplicaId) -> Vec<Vec<u8>> {
        let requests = self.hosts[&me].batches.iter().flat_map(|batch| &batch.requests);
        requests.map(|request| request.bytes.to_vec()).collect()
    }

    /// Every replica of `who` has delivered all of `requests`; each once, if `once`.
    pub fn check_delivered(
        &self,
        who: impl Iterator<Item = ReplicaId>,
        requests: &BTreeSet<Vec<u8>>,
        once: bool,
    ) {
        for me in who {
            let delivered = self.delivered(me);
            let set: BTreeSet<Vec<u8>> = delivered.iter().cloned().collect();
            let lacking: Vec<String> =
                requests.difference(&set).map(|r| String::from_utf8_lossy(r).into_owned()).collect();
            assert!(
                lacking.is_empty(),
                "seed {}: {me:?} lacks {lacking:?}; {:?}",
                self.seed,
                self.statuses()
            );
            assert!(!once || set.len() == delivered.len(), "seed {}: {me:?} delivers twice", self.seed);
        }
    }
}

fn assert_one_vertex_a_round(seed: u64, me: ReplicaId, log: &[Record]) {
    let own = log.iter().filter_map(|record| match record {
        Record::Own(vertex) => Some(vertex.body().round),
        _ => None,
    });
    let rounds: Vec<u64> = own.collect();
    assert!(rounds.windows(2).all(|w| w[0] < w[1]), "seed {seed}: {me:?} made {rounds:?}");
}
