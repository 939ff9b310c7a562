//! Crashes, partitions, lost links and mute replicas.

use super::sim::*;
use crate::consensus::{Message, Record};
use crate::quorum::ReplicaId;
use std::collections::BTreeSet;

#[test]
fn t_mute_replicas_stop_nobody() {
    for n in [4, 5, 7, 10] {
        for seed in 0..3 {
            let mut sim = Sim::new(n, seed, Net::Random(20));
            let mute: Vec<ReplicaId> = (1..=sim.keys.committee.faults()).map(|i| id(n + 1 - i)).collect();
            for who in &mute {
                sim.crash(*who, 0);
            }
            let alive: Vec<ReplicaId> =
                sim.keys.committee.members().filter(|who| !mute.contains(who)).collect();
            let requests = load(&mut sim, &alive, 40, 50);
            sim.drain(60_000);
            sim.check_prefixes();
            sim.check_delivered(alive.into_iter(), &requests, true);
        }
    }
}

#[test]
fn replicas_that_crash_and_restart_never_contradict_themselves_and_deliver_all() {
    for n in [4, 7] {
        for seed in 0..8 {
            let mut sim = Sim::new(n, seed, Net::Random(20));
            let (stable, fragile): (Vec<ReplicaId>, Vec<ReplicaId>) =
                sim.keys.committee.members().partition(|who| who.slot() >= sim.keys.committee.faults());
            let mut requests = BTreeSet::new();
            for part in 0..12 {
                for who in &fragile {
                    let lost = sim.random.below(12) as usize;
                    sim.crash(*who, lost);
                }
                let pause = sim.random.below(if part % 4 == 0 { 20_000 } else { 100 });
                for i in 0..8 {
                    let request = format!("part {part} request {i}").into_bytes();
                    let who = stable[sim.random.below(stable.len() as u64) as usize];
                    sim.submit(who, &request);
                    requests.insert(request);
                    sim.run(15);
                }
                sim.run(pause);
                for who in &fragile {
                    sim.restart(*who);
                }
                let up = sim.random.below(300);
                sim.run(up);
            }
            sim.drain(120_000);
            sim.check_prefixes();
            sim.check_delivered(stable.iter().chain(&fragile).copied(), &requests, false);
            assert!(sim.statuses().iter().all(|status| status.excluded.is_empty()), "seed {seed}");
            assert_equal_heights(&sim);
        }
    }
}

#[test]
fn all_replicas_crash_together_and_go_on() {
    for seed in 0..10 {
        let mut sim = Sim::new(4, seed, Net::Random(20));
        let who: Vec<ReplicaId> = sim.keys.committee.members().collect();
        let mut requests = BTreeSet::new();
        for part in 0..5 {
            for i in 0..6 {
                let request = format!("part {part} request {i}").into_bytes();
                sim.submit(who[i % 4], &request);
                requests.insert(request);
            }
            // Everything that entered a vertex is durable; what waits is the client's to repeat.
            let wait = if part == 4 { 5_000 } else { 30 + sim.random.below(100) };
            sim.run(wait);
            for me in &who {
                let lost = sim.random.below(12) as usize;
                sim.crash(*me, lost);
            }
            for me in &who {
                sim.restart(*me);
            }
        }
        for me in &who {
            for request in &requests {
                sim.submit(*me, request);
            }
        }
        sim.drain(120_000);
        sim.check_prefixes();
        sim.check_delivered(who.iter().copied(), &requests, false);
        assert_equal_heights(&sim);
    }
}

#[test]
fn a_minority_cut_off_for_long_catches_up_when_linked_and_its_requests_get_through() {
    for seed in 0..4 {
        let mut sim = Sim::new(4, seed, Net::Random(10));
        let cut = id(1 + (seed as usize % 4));
        sim.submit(id(1), b"before");
        sim.run(1_000);
        sim.filter = Box::new(move |_, from, to, _| from != cut && to != cut); // queues dropped
        let others: Vec<ReplicaId> = sim.keys.committee.others(cut).collect();
        sim.submit(cut, b"from the minority");
        let mut requests = load(&mut sim, &others, 400, 60);
        requests.insert(b"from the minority".to_vec());
        requests.insert(b"before".to_vec());
        sim.run(5_000);
        let (ahead, behind) = (sim.hosts[&others[0]].batches.len(), sim.hosts[&cut].batches.len());
        assert!(ahead > behind + 64, "seed {seed}: {ahead} and {behind} batches");
        sim.filter = Box::new(|_, _, _, _| true);
        for peer in &others {
            sim.linked(cut, *peer);
            sim.linked(*peer, cut);
        }
        sim.drain(300_000);
        sim.check_prefixes();
        sim.check_delivered(others.into_iter().chain([cut]), &requests, false);
        assert_equal_heights(&sim);
    }
}

#[test]
fn halves_without_a_quorum_wait_and_lose_nothing() {
    for seed in 0..4 {
        let mut sim = Sim::new(4, seed, Net::Random(10));
        let side = |who: ReplicaId| who.get() <= 2;
        sim.filter = Box::new(move |_, from, to, _| side(from) == side(to));
        let who: Vec<ReplicaId> = sim.keys.committee.members().collect();
        let requests = load(&mut sim, &who, 10, 50);
        sim.run(120_000);
        assert!(who.iter().all(|me| sim.delivered(*me).is_empty()));
        sim.filter = Box::new(|_, _, _, _| true);
        for a in &who {
            for b in who.iter().filter(|b| side(*a) != side(**b)) {
                sim.linked(*a, *b);
            }
        }
        sim.drain(60_000);
        sim.check_prefixes();
        sim.check_delivered(who.into_iter(), &requests, true);
    }
}

#[test]
fn lost_fetches_and_pages_are_asked_for_again() {
    for seed in 0..4 {
        let mut sim = Sim::new(4, seed, Net::Random(10));
        let cut = id(2);
        sim.filter = Box::new(move |_, from, to, _| from != cut && to != cut);
        let requests = load(&mut sim, &[id(1), id(3), id(4)], 100, 40);
        let mut dice = Random::new(seed);
        sim.filter = Box::new(move |_, _, _, message| match message {
            Message::Vertex(_) | Message::Proof(..) => true,
            _ => dice.chance(50),
        });
        for peer in [1, 3, 4] {
            sim.linked(cut, id(peer));
            sim.linked(id(peer), cut);
        }
        sim.drain(600_000);
        sim.check_prefixes();
        sim.check_delivered([cut].into_iter(), &requests, false);
    }
}

#[test]
fn the_record_of_an_own_vertex_follows_those_of_its_ancestors() {
    let mut sim = Sim::new(4, 5, Net::Random(30));
    let who: Vec<ReplicaId> = sim.keys.committee.members().collect();
    load(&mut sim, &who, 30, 30);
    sim.drain(60_000);
    for host in sim.hosts.values() {
        let mut held = BTreeSet::new();
        for record in &host.log {
            let (Record::Own(vertex) | Record::Accepted(vertex)) = record else { continue };
            let body = vertex.body();
            assert!(body.links().all(|link| link.round == 0 || held.contains(&link.digest)));
            let domain = super::super::Domain { cluster: sim.keys.config(id(1)).cluster, epoch: body.epoch };
            held.insert(vertex.id(&domain).digest);
        }
    }
}

/// After a drain every correct replica has closed the last batch that holds a request.
fn assert_equal_heights(sim: &Sim) {
    let last =
        |host: &Host| host.batches.iter().rev().find(|batch| !batch.requests.is_empty()).map(|b| b.round);
    let heights: BTreeSet<_> = sim.hosts.values().map(last).collect();
    assert_eq!(heights.len(), 1, "seed {}: {heights:?}", sim.seed);
}
