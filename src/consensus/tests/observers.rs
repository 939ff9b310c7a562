//! A replica that lost its disk never contradicts what it said before, and takes part again.

use super::sim::*;
use crate::consensus::{Message, Record};
use crate::quorum::ReplicaId;
use std::collections::BTreeSet;

/// The round of a replica's newest vertex that anybody has, or had.
fn newest_of(sim: &Sim, author: ReplicaId) -> u64 {
    let logs = sim.hosts.values().flat_map(|host| &host.log);
    let rounds = logs.filter_map(|record| match record {
        Record::Own(vertex) | Record::Accepted(vertex) if vertex.body().author == author => {
            Some(vertex.body().round)
        }
        _ => None,
    });
    rounds.max().unwrap_or(0)
}

fn wiped_and_back(seed: u64, checkpoints: bool, idle: bool) {
    let mut sim = Sim::new(4, seed, Net::Random(15));
    sim.checkpoints = checkpoints;
    let who: Vec<ReplicaId> = sim.keys.committee.members().collect();
    let mut wiped = BTreeSet::new();
    for part in 0..4usize {
        load(&mut sim, &who, 120, 25);
        if idle {
            sim.run(20_000);
        }
        let me = who[(seed as usize + part) % 4];
        let before = newest_of(&sim, me);
        sim.wipe(me);
        wiped.insert(me);
        let others: Vec<ReplicaId> = who.iter().copied().filter(|other| *other != me).collect();
        if !idle {
            load(&mut sim, &others, 30, 25);
        }
        sim.run(60_000);
        assert!(
            !sim.hosts[&me].core.as_ref().unwrap().status().observes,
            "seed {seed}: {:?}",
            sim.statuses()
        );
        // Its own request needs a vertex of its own.
        let request = format!("after wipe {part}").into_bytes();
        sim.submit(me, &request);
        sim.run(60_000);
        let set = BTreeSet::from([request]);
        sim.check_delivered(who.iter().copied(), &set, false);
        let own = sim.hosts[&me].log.iter().find_map(|record| match record {
            Record::Own(vertex) => Some(vertex.body().round),
            _ => None,
        });
        assert!(own.is_some_and(|own| own > before), "seed {seed}: {own:?} after {before}");
    }
    sim.drain(120_000);
    sim.check_rounds();
    assert!(sim.faults.is_empty(), "seed {seed}: {:?}", sim.faults);
    assert!(sim.statuses().iter().all(|status| status.excluded.is_empty()), "seed {seed}");
}

#[test]
fn a_replica_that_lost_its_disk_rejoins_a_busy_cluster() {
    (0..3).for_each(|seed| wiped_and_back(seed, false, false));
}

#[test]
fn a_replica_that_lost_its_disk_rejoins_from_a_checkpoint() {
    (10..13).for_each(|seed| wiped_and_back(seed, true, false));
}

#[test]
fn a_replica_that_lost_its_disk_rejoins_an_idle_cluster() {
    (20..23).for_each(|seed| wiped_and_back(seed, true, true));
}

#[test]
fn it_waits_for_q_others_and_a_round_that_nobody_has_counts_for_nothing() {
    let mut sim = Sim::new(4, 40, Net::Random(15));
    let who: Vec<ReplicaId> = sim.keys.committee.members().collect();
    load(&mut sim, &who, 40, 25);
    sim.run(5_000);
    sim.crash(id(4), 0);
    sim.wipe(id(1));
    sim.run(60_000);
    assert!(sim.hosts[&id(1)].core.as_ref().unwrap().status().observes, "two others are no quorum");
    // The third answers with a vertex that does not exist.
    let nonce = sim.hosts[&id(1)].core.as_ref().unwrap().observe.question(0);
    let Message::Observe { nonce, .. } = nonce else { panic!("a question") };
    let newest = crate::consensus::VertexRef { round: 1 << 40, ..crate::consensus::VertexRef::first_of(0) };
    let newest = crate::consensus::VertexRef { author: id(4), ..newest };
    sim.send(id(4), id(1), Message::Newest { nonce, observes: false, newest, vertex: None });
    sim.run(60_000);
    assert!(sim.hosts[&id(1)].core.as_ref().unwrap().status().observes);
    sim.restart(id(4));
    sim.run(60_000);
    assert!(!sim.hosts[&id(1)].core.as_ref().unwrap().status().observes);
}
