//! Checkpoints let history go; who lacks it goes on from a certified state.

use super::super::coin::Toss;
use super::super::vertex::{Body, Domain, Vertex};
use super::sim::*;
use crate::codec::Digest;
use crate::consensus::{Message, Statement, UnixMillis};
use crate::protocol::Misbehaviour;
use crate::quorum::ReplicaId;
use std::collections::BTreeSet;

fn sim(n: usize, seed: u64) -> Sim {
    let mut sim = Sim::new(n, seed, Net::Random(10));
    sim.checkpoints = true;
    sim
}

fn members(sim: &Sim) -> Vec<ReplicaId> {
    sim.keys.committee.members().collect()
}

#[test]
fn vertices_held_stay_bounded_and_the_order_is_the_same_everywhere() {
    for (n, seed) in [(1, 0), (4, 1), (4, 2), (7, 3)] {
        let mut sim = sim(n, seed);
        let who = members(&sim);
        let mut most = 0;
        for _ in 0..6 {
            load(&mut sim, &who, 100, 30);
            most = sim.statuses().iter().map(|status| status.accepted).max().unwrap().max(most);
        }
        sim.drain(60_000);
        sim.check_rounds();
        for status in sim.statuses() {
            assert!(status.line > 64, "seed {seed}: {status:?}");
            assert!(status.stable == status.certified && !status.observes, "seed {seed}: {status:?}");
        }
        // 64 rounds before the last checkpoint but one, two intervals of 64 batches, and what is not marked yet.
        let rounds = 64 + 3 * 64 + 16;
        assert!(most <= rounds * n * 2, "seed {seed}: {most} vertices held");
    }
}

#[test]
fn a_replica_away_for_long_takes_over_a_state_and_delivers_what_follows() {
    for seed in 10..16 {
        let mut sim = sim(4, seed);
        let (away, others): (ReplicaId, Vec<ReplicaId>) = (id(2), vec![id(1), id(3), id(4)]);
        let who = members(&sim);
        load(&mut sim, &who, 20, 30);
        if seed % 2 == 0 {
            sim.crash(away, 3);
        } else {
            sim.filter = Box::new(move |_, from, to, _| from != away && to != away);
            sim.submit(away, b"taken while cut off");
        }
        load(&mut sim, &others, 500, 40);
        sim.run(5_000);
        sim.filter = Box::new(|_, _, _, _| true);
        if seed % 2 == 0 {
            sim.restart(away);
        } else {
            for peer in &others {
                sim.linked(away, *peer);
                sim.linked(*peer, away);
            }
        }
        // The others are idle: what it lacks must come without their making anything.
        sim.run(30_000);
        assert!(sim.hosts[&away].base.is_some(), "seed {seed}: it took over no state; {:?}", sim.statuses());
        let mut requests = load(&mut sim, &who, 100, 30);
        if seed % 2 == 1 {
            requests.insert(b"taken while cut off".to_vec());
        }
        sim.drain(120_000);
        sim.check_rounds();
        sim.check_delivered(others.into_iter(), &requests, false);
        let heights: BTreeSet<u64> = sim.statuses().iter().map(|status| status.last_batch).collect();
        assert!(heights.len() <= 2, "seed {seed}: {:?}", sim.statuses());
    }
}

#[test]
fn a_restart_from_a_stored_base_delivers_the_same() {
    for seed in 20..24 {
        let mut sim = sim(4, seed);
        let who = members(&sim);
        for part in 0..6 {
            load(&mut sim, &who, 60, 30);
            let me = who[part % 4];
            sim.store(me);
            let lost = sim.random.below(12) as usize;
            sim.crash(me, lost);
            load(&mut sim, &[who[(part + 1) % 4]], 10, 30);
            sim.restart(me);
        }
        sim.drain(120_000);
        sim.check_rounds();
        assert!(sim.hosts.values().all(|host| host.base.is_some()));
        assert!(sim.faults.is_empty(), "seed {seed}: {:?}", sim.faults);
    }
}

#[test]
fn a_forged_vote_or_certificate_is_refused_and_a_far_vote_crowds_out_its_author_only() {
    let mut sim = sim(4, 30);
    let who = members(&sim);
    load(&mut sim, &who, 200, 30);
    sim.drain(60_000);
    let certificate = sim.hosts[&id(1)].core.as_ref().unwrap().certified().unwrap().clone();
    let mut forged = certificate.clone();
    forged.statement.round += 1_000;
    let vote = Statement { round: 5_000, previous: 0, state: Digest::default(), history: Digest::default() };
    let stolen = sim.hosts[&id(4)].core.as_ref().unwrap().secrets.identity.sign(&Digest::default());
    sim.send(id(4), id(1), Message::Certified(forged));
    sim.send(id(4), id(1), Message::Vote(vote, stolen));
    sim.run(1_000);
    let mine: Vec<Misbehaviour> = sim
        .faults
        .iter()
        .filter(|(by, who, _)| (*by, *who) == (id(1), id(4)))
        .map(|(_, _, what)| *what)
        .collect();
    let wrong = [Misbehaviour::BadCertificate, Misbehaviour::BadSignature];
    assert!(mine.len() == 2 && wrong.iter().all(|what| mine.contains(what)), "{mine:?}");
    for round in 6_000..6_200 {
        let core = sim.hosts.get_mut(&id(4)).unwrap().core.as_mut().unwrap();
        let (statement, signature) = core.checkpoints.executed(
            id(4),
            Statement { round, ..vote },
            &core.domain,
            &core.secrets.identity,
        );
        sim.send(id(4), id(1), Message::Vote(statement, signature));
    }
    load(&mut sim, &[id(1), id(2), id(3)], 200, 30);
    sim.run(10_000);
    let status = sim.hosts[&id(1)].core.as_ref().unwrap().status();
    assert!(status.stable > certificate.statement.round && status.stable < 5_000, "{status:?}");
}

#[test]
fn who_executed_something_else_than_is_certified_knows_it() {
    let mut sim = sim(4, 31);
    let who = members(&sim);
    sim.hosts.get_mut(&id(3)).unwrap().history = Digest([1; 32]);
    load(&mut sim, &who, 150, 30);
    sim.run(10_000);
    for me in who {
        let core = sim.hosts[&me].core.as_ref().unwrap();
        assert_eq!(core.diverged().is_some(), me == id(3), "{me:?}");
    }
}

/// Vertices of `author` from round `line` on, of which the first rests on parents that never were, for who has taken over a
/// state: it asks for nothing below its line.
fn on_nothing(sim: &Sim, author: ReplicaId, who: ReplicaId, line: u64) -> Vec<Vertex> {
    let config = sim.keys.config(author);
    let (domain, secrets) =
        (Domain { cluster: config.cluster, epoch: config.epoch }, sim.keys.secrets(author));
    let dag = &sim.hosts[&who].core.as_ref().unwrap().dag;
    let mut vertices: Vec<Vertex> = Vec::new();
    for round in line..=dag.quorum_round() {
        let parents = match vertices.last() {
            None => members(sim).into_iter().map(|other| (other, Digest([7; 32]))).collect(),
            Some(before) => {
                let others = dag.firsts(round - 1).map(|id| (id.author, id.digest));
                let mut parents: Vec<(ReplicaId, Digest)> = others.collect();
                parents.push((author, before.id(&domain).digest));
                parents.sort_unstable();
                parents
            }
        };
        let share = Toss::new(&domain, round - 4).share(author, &secrets.coin, &[9; 32]);
        let body = Body {
            epoch: domain.epoch,
            author,
            round,
            prev: None,
            parents,
            weak: vec![],
            time: UnixMillis(sim.now),
            payload: vec![],
            coin_share: Some(share),
        };
        vertices.push(Vertex::sign(body, &domain, &secrets.identity));
    }
    vertices
}

#[test]
fn vertices_on_made_up_ancestors_below_the_line_of_one_replica_part_it_from_nobody() {
    for seed in 40..43 {
        let mut sim = sim(7, seed);
        let (liar, away, down) = (id(7), id(2), id(6));
        sim.hosts.remove(&liar);
        let mut others = vec![id(1), id(3), id(4), id(5)];
        load(&mut sim, &[id(1), id(2), id(3), id(4), id(5), id(6)], 20, 30);
        sim.filter = Box::new(move |_, from, to, _| from != away && to != away);
        load(&mut sim, &[id(1), id(3), id(4), id(5), id(6)], 400, 40);
        sim.run(10_000);
        sim.filter = Box::new(|_, _, _, _| true);
        for peer in [id(1), id(3), id(4), id(5), id(6)] {
            sim.linked(away, peer);
            sim.linked(peer, away);
        }
        sim.run(30_000);
        let line = sim.hosts[&away].base.as_ref().expect("it takes over a state").line;
        // The second of the two that may be faulty; from now on all others are needed.
        sim.crash(down, 0);
        sim.filter = Box::new(move |_, from, to, _| from != down && to != down);
        for vertex in on_nothing(&sim, liar, away, line) {
            sim.send(liar, away, Message::Vertex(vertex));
            sim.run(100);
        }
        let excluded = &sim.hosts[&away].core.as_ref().unwrap().status().excluded;
        assert!(excluded.is_empty(), "seed {seed}: the lie is of another kind");
        others.push(away);
        let requests = load(&mut sim, &others, 40, 40);
        sim.run(120_000);
        sim.check_rounds();
        sim.check_delivered(others.into_iter(), &requests, false);
    }
}
