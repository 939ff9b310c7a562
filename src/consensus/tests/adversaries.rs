//! Byzantine replicas. r1 has no host of its own in these tests: the adversary speaks for it, with its keys.

use super::super::coin::Toss;
use super::super::vertex::{Body, Domain, Request, Vertex};
use super::sim::*;
use crate::codec::{Digest, Epoch};
use crate::consensus::*;
use crate::protocol::Misbehaviour;
use std::collections::{BTreeMap, BTreeSet};

fn domain(sim: &Sim) -> Domain {
    let config = sim.keys.config(id(1));
    Domain { cluster: config.cluster, epoch: config.epoch }
}

/// A first vertex of r1, to be spoiled.
fn body(sim: &Sim, round: u64) -> Body {
    let domain = domain(sim);
    let parents =
        sim.keys.committee.members().map(|author| (author, domain.genesis(author).digest)).collect();
    Body {
        epoch: domain.epoch,
        author: id(1),
        round,
        prev: None,
        parents,
        weak: vec![],
        time: UnixMillis(sim.now),
        payload: vec![],
        coin_share: None,
    }
}

fn sign(sim: &Sim, body: Body) -> Vertex {
    Vertex::sign(body, &domain(sim), &sim.keys.secrets(id(1)).identity)
}

fn correct(sim: &Sim) -> Vec<ReplicaId> {
    sim.hosts.keys().copied().collect()
}

/// Runs a load among the correct ones, and checks that they agree and deliver it.
fn check_correct_go_on(sim: &mut Sim, count: usize) {
    let who = correct(sim);
    let requests = load(sim, &who, count, 40);
    sim.run(120_000);
    sim.check_prefixes();
    sim.check_delivered(who.into_iter(), &requests, false);
}

/// Two instances of r1 with one key, each fed by and heard by one half.
#[test]
fn an_equivocator_splits_nobody_is_proven_and_linked_no_more() {
    for n in [4, 7] {
        for seed in 0..10 {
            let mut sim = Sim::new(n, seed, Net::Random(20));
            sim.hosts.remove(&id(1));
            let twin = || Consensus::new(sim.keys.config(id(1)), sim.keys.secrets(id(1)), [1; 32]);
            let mut twins = [twin(), twin()];
            let half = |who: ReplicaId| usize::from(who.get() % 2);
            let who = correct(&sim);
            let mut requests = BTreeSet::new();
            for i in 0..60 {
                let request = format!("request {i}").into_bytes();
                let me = who[sim.random.below(who.len() as u64) as usize];
                sim.submit(me, &request);
                requests.insert(request);
                let until = sim.now + 20;
                loop {
                    let more = sim.step(until);
                    while let Some((from, _, message)) = sim.adversary_inbox.pop_front() {
                        let at = half(from);
                        let mut step = twins[at].message(UnixMillis(sim.now), from, message);
                        if sim.random.chance(30) {
                            let own = format!("twin {at} at {}", sim.now).into_bytes();
                            step.send.extend(twins[at].submit(UnixMillis(sim.now), own).send);
                        }
                        // It tells nobody of its own fault.
                        step.send.retain(|(_, message)| !matches!(message, Message::Proof(..)));
                        for (to, message) in step.send {
                            for peer in who.iter().filter(|peer| half(**peer) == at) {
                                if to == To::Others || to == To::One(*peer) {
                                    sim.send(id(1), *peer, message.clone());
                                }
                            }
                        }
                    }
                    if !more {
                        break;
                    }
                }
            }
            sim.run(120_000);
            sim.check_prefixes();
            sim.check_delivered(who.into_iter(), &requests, false);
            for status in sim.statuses() {
                assert_eq!(status.excluded, vec![id(1)], "n {n} seed {seed}");
            }
            let equivocations = sim.faults.iter().filter(|fault| fault.2 == Misbehaviour::Equivocation);
            assert!(equivocations.into_iter().all(|fault| fault.1 == id(1)), "n {n} seed {seed}");
        }
    }
}

#[test]
fn vertices_that_break_a_rule_of_validity_are_refused_and_change_nothing() {
    let sim = Sim::new(4, 1, Net::Steady(1));
    let good = body(&sim, 1);
    let genesis = good.parents.clone();
    let digest = Digest([3; 32]);
    let weak = |round: u64| VertexRef { round, author: id(2), digest };
    let far =
        Body { round: 100, parents: genesis.iter().map(|(a, _)| (*a, digest)).collect(), ..good.clone() };
    let share = Toss::new(&domain(&sim), 96).share(id(1), &sim.keys.secrets(id(1)).coin, &[0; 32]);
    let far = Body { coin_share: Some(share), ..far };
    let request = |bytes: usize| Request(vec![0; bytes].into());
    let spoiled: Vec<(&str, Body)> = vec![
        ("epoch", Body { epoch: Epoch(4), ..good.clone() }),
        ("author", Body { author: id(5), ..good.clone() }),
        ("round 0", Body { round: 0, ..good.clone() }),
        ("round beyond the last", Body { round: u64::MAX, ..far.clone() }),
        ("too few parents", Body { parents: genesis[..2].to_vec(), ..good.clone() }),
        ("a parent twice", Body { parents: [&genesis[..3], &genesis[2..3]].concat(), ..good.clone() }),
        ("parents out of order", Body { parents: genesis.iter().rev().copied().collect(), ..good.clone() }),
        (
            "a parent of nobody",
            Body { parents: [&genesis[..3], &[(id(9), digest)]].concat(), ..good.clone() },
        ),
        ("no genesis vertex", Body { parents: [&genesis[..3], &[(id(4), digest)]].concat(), ..good.clone() }),
        ("prev not before", Body { prev: Some((1, digest)), ..good.clone() }),
        ("prev far ahead", Body { prev: Some((u64::MAX, digest)), ..good.clone() }),
        ("prev no parent", Body { prev: Some((0, digest)), ..good.clone() }),
        ("weak too old", Body { weak: vec![weak(35)], ..far.clone() }),
        ("weak not below", Body { weak: vec![weak(100)], ..far.clone() }),
        ("weak to a parent", Body { weak: vec![weak(99)], ..far.clone() }),
        ("weak out of order", Body { weak: vec![weak(98), weak(97)], ..far.clone() }),
        ("weak twice", Body { weak: vec![weak(98), weak(98)], ..far.clone() }),
        ("weak to a forged genesis vertex", Body { weak: vec![weak(0)], ..good.clone() }),
        ("too many requests", Body { payload: vec![request(1); 257], ..good.clone() }),
        ("payload too large", Body { payload: vec![request(40_000); 2], ..good.clone() }),
        (
            "request too large",
            Body { payload: vec![request(crate::limits::MAX_REQUEST_BYTES + 1)], ..good.clone() },
        ),
        ("a share too early", Body { coin_share: Some(share), ..good.clone() }),
        ("no share", Body { coin_share: None, ..far.clone() }),
        ("a share of another round", Body { round: 101, ..far.clone() }),
    ];
    let mut core = Consensus::new(sim.keys.config(id(2)), sim.keys.secrets(id(2)), [2; 32]);
    for (why, body) in spoiled {
        let step = core.message(UnixMillis(sim.now), id(1), Message::Vertex(sign(&sim, body)));
        assert_eq!(step.faults.len(), 1, "{why}");
        assert!(step.records.is_empty() && step.send.is_empty(), "{why}");
        assert_eq!((core.status().accepted, core.status().waiting), (0, 0), "{why}");
    }
    let older_prev = Body { prev: Some((98, digest)), ..far };
    let step = core.message(UnixMillis(sim.now), id(1), Message::Vertex(sign(&sim, older_prev)));
    assert!(step.faults.is_empty(), "an older prev is never a reason to refuse");
    assert_eq!(core.status().waiting, 1, "a round far ahead is noted and fetched, not refused");
    let step = core.message(UnixMillis(sim.now), id(1), Message::Vertex(sign(&sim, good)));
    assert!(step.faults.is_empty() && core.status().accepted == 2, "it answers the valid one");
}

#[test]
fn a_signature_that_is_not_the_authors_and_a_coin_share_that_is_not_right_are_refused() {
    let sim = Sim::new(4, 1, Net::Steady(1));
    let mut core = Consensus::new(sim.keys.config(id(2)), sim.keys.secrets(id(2)), [2; 32]);
    let stolen = Vertex::sign(body(&sim, 1), &domain(&sim), &sim.keys.secrets(id(3)).identity);
    let step = core.message(UnixMillis(sim.now), id(1), Message::Vertex(stolen));
    assert_eq!(step.faults[0].what, Misbehaviour::BadSignature);
    let mut other = domain(&sim);
    other.cluster.0 = Digest([1; 32]);
    let elsewhere = Vertex::sign(body(&sim, 1), &other, &sim.keys.secrets(id(1)).identity);
    let step = core.message(UnixMillis(sim.now), id(1), Message::Vertex(elsewhere));
    assert_eq!(step.faults[0].what, Misbehaviour::BadSignature, "another cluster's vertex");
    let parents = sim.keys.committee.members().map(|author| (author, Digest([1; 32]))).collect();
    let wrong = Toss::new(&domain(&sim), 1).share(id(1), &sim.keys.secrets(id(3)).coin, &[0; 32]);
    let forged = Body { round: 5, parents, coin_share: Some(wrong), ..body(&sim, 5) };
    let step = core.message(UnixMillis(sim.now), id(1), Message::Vertex(sign(&sim, forged)));
    assert_eq!(step.faults, vec![Fault { who: id(1), what: Misbehaviour::BadCoinShare }]);
    assert_eq!(core.status().accepted + core.status().waiting, 0);
}

/// It follows the protocol, with shares that are wrong.
#[test]
fn a_replica_with_bad_coin_shares_is_refused_and_the_coin_goes_on() {
    for seed in 0..4 {
        let mut sim = Sim::new(4, seed, Net::Random(15));
        let mut secrets = sim.keys.secrets(id(1));
        secrets.coin = sim.keys.secrets(id(2)).coin;
        sim.hosts.get_mut(&id(1)).unwrap().core =
            Some(Consensus::new(sim.keys.config(id(1)), secrets, [1; 32]));
        let who: Vec<ReplicaId> = [2, 3, 4].map(id).to_vec();
        let requests = load(&mut sim, &who, 40, 30);
        sim.run(60_000);
        sim.hosts.remove(&id(1));
        sim.check_prefixes();
        sim.check_delivered(who.into_iter(), &requests, true);
        let bad = sim.faults.iter().filter(|fault| fault.2 == Misbehaviour::BadCoinShare).count();
        assert!(bad > 10, "seed {seed}: {bad} refusals");
    }
}

#[test]
fn forged_parents_and_far_rounds_fill_only_the_forgers_quota_and_stop_nobody() {
    let mut sim = Sim::new(4, 7, Net::Random(10));
    sim.hosts.remove(&id(1));
    let coin = sim.keys.secrets(id(1)).coin;
    let (domain, genesis) = (domain(&sim), body(&sim, 1).parents);
    let committed = body(&sim, 1);
    for i in 0..6_000u64 {
        let round = 1_000_000 + i;
        let forged = Digest([(i % 251) as u8; 32]);
        let vertex = Vertex::sign(
            Body {
                round,
                parents: genesis.iter().map(|(author, _)| (*author, forged)).collect(),
                payload: vec![Request(vec![1; 4096].into())],
                coin_share: Some(Toss::new(&domain, round - 4).share(id(1), &coin, &[0; 32])),
                ..committed.clone()
            },
            &domain,
            &sim.keys.secrets(id(1)).identity,
        );
        sim.send(id(1), id(2), Message::Vertex(vertex));
    }
    sim.run(100);
    let status = sim.hosts[&id(2)].core.as_ref().unwrap().status();
    assert!(status.waiting <= crate::limits::MAX_WAITING_VERTICES_PER_AUTHOR, "{status:?}");
    assert!(status.waiting > 1_000 && status.accepted == 0, "{status:?}");
    assert!(sim.faults.iter().any(|fault| *fault == (id(2), id(1), Misbehaviour::Flood)));
    let sent = sim.sent;
    sim.run(600_000);
    let paced = sim.sent - sent;
    assert!(paced < 64 * 100, "{paced} questions in ten minutes");
    check_correct_go_on(&mut sim, 20);
}

#[test]
fn any_message_of_a_peer_leaves_a_replica_standing() {
    for seed in 0..6 {
        let mut sim = Sim::new(4, seed, Net::Random(10));
        sim.hosts.remove(&id(1));
        let ends = [0, 1, 2, u64::MAX - 1, u64::MAX, 1 << 48];
        for _ in 0..400 {
            let round = ends[sim.random.below(6) as usize];
            let mut digest = Digest::default();
            sim.random.fill(&mut digest.0);
            let link =
                VertexRef { round, author: ReplicaId::new(1 + sim.random.below(32) as u8).unwrap(), digest };
            let own = ends[sim.random.below(6) as usize];
            let mut body = body(&sim, own);
            body.prev = Some((round, digest));
            body.weak = vec![link; sim.random.below(3) as usize];
            body.author = link.author;
            body.time = UnixMillis(round);
            let (one, other) = (sign(&sim, body.clone()), sign(&sim, Body { time: UnixMillis(1), ..body }));
            let message = match sim.random.below(6) {
                0 => Message::Vertex(one),
                1 => Message::Fetch(vec![link; sim.random.below(200) as usize]),
                2 => Message::Vertices(vec![one, other]),
                3 => Message::Range(link),
                4 => Message::Page(vec![one, other], Some(link)),
                _ => Message::Proof(one, other),
            };
            let to = id(2 + sim.random.below(3) as usize);
            sim.send(id(1), to, message);
        }
        check_correct_go_on(&mut sim, 20);
        assert!(sim.statuses().iter().all(|status| !status.excluded.contains(&id(2))), "seed {seed}");
    }
}

/// r1 answers with vertices at the extremes of its clock.
#[test]
fn agreed_time_stays_between_correct_clocks() {
    for (seed, wild) in [(1, 3_000_000_000i64), (2, -3_000_000_000), (3, i64::MAX / 2)] {
        let mut sim = Sim::new(4, seed, Net::Random(10));
        sim.hosts.get_mut(&id(1)).unwrap().skew = wild;
        let who: Vec<ReplicaId> = [2, 3, 4].map(id).to_vec();
        let start = sim.now;
        let requests = load(&mut sim, &who, 30, 30);
        sim.run(10_000);
        sim.check_delivered(who.into_iter(), &requests, true);
        for batch in &sim.hosts[&id(2)].batches {
            assert!(batch.time.0 <= sim.now, "seed {seed}: never past the fastest correct clock");
            assert!(batch.requests.is_empty() || batch.time.0 + 11_000 >= start, "seed {seed}: fresh");
        }
    }
}

/// A vertex shown to one replica only, of an author that then falls mute, with everything else silent.
#[test]
fn a_vertex_shown_to_one_reaches_all() {
    for seed in 0..6 {
        let mut sim = Sim::new(4, seed, Net::Random(10));
        sim.hosts.remove(&id(1));
        let shown = Body { payload: vec![Request(b"shown to one".to_vec().into())], ..body(&sim, 1) };
        let vertex = sign(&sim, shown);
        sim.send(id(1), id(2), Message::Vertex(vertex));
        sim.drain(60_000);
        sim.check_prefixes();
        let requests = BTreeSet::from([b"shown to one".to_vec()]);
        let who = correct(&sim);
        sim.check_delivered(who.into_iter(), &requests, true);
    }
}

/// Its vertex reaches the others 64 rounds late: they propose its requests again.
#[test]
fn requests_of_a_vertex_excluded_by_age_are_proposed_again() {
    let mut sim = Sim::new(4, 3, Net::Random(5));
    sim.hosts.remove(&id(1));
    let late = Body { payload: vec![Request(b"late".to_vec().into())], ..body(&sim, 1) };
    let vertex = sign(&sim, late);
    let who = correct(&sim);
    load(&mut sim, &who, 300, 60);
    assert!(sim.statuses()[0].next_round > 70, "{:?}", sim.statuses());
    sim.send(id(1), id(3), Message::Vertex(vertex));
    sim.drain(60_000);
    sim.check_prefixes();
    sim.check_delivered(who.into_iter(), &BTreeSet::from([b"late".to_vec()]), true);
}

/// What a replica reveals of the coin: nothing of a round before it is four rounds further.
#[test]
fn shares_travel_four_rounds_later_and_nowhere_else() {
    let mut sim = Sim::new(4, 2, Net::Random(10));
    let who = correct(&sim);
    load(&mut sim, &who, 20, 30);
    sim.drain(60_000);
    let mut shares: BTreeMap<u64, usize> = BTreeMap::new();
    for host in sim.hosts.values() {
        for record in &host.log {
            let Record::Own(vertex) = record else { continue };
            let body = vertex.body();
            assert_eq!(body.coin_share.is_some(), body.round >= 5);
            if let Some(share) = &body.coin_share {
                let toss = Toss::new(&domain(&sim), body.round - 4);
                assert!(toss.verify(&sim.keys.coin, body.author, share));
                *shares.entry(body.round - 4).or_default() += 1;
            }
        }
    }
    assert!(shares.values().all(|count| *count <= 4) && shares.len() > 5);
}
