//! Agreement, order, integrity and validity when nobody misbehaves.

use super::sim::*;

fn members(sim: &Sim) -> Vec<crate::quorum::ReplicaId> {
    sim.keys.committee.members().collect()
}

#[test]
fn all_requests_are_delivered_once_in_one_order_at_every_size() {
    for n in [1, 4, 5, 7, 10, 13] {
        for seed in 0..3 {
            let mut sim = Sim::new(n, seed, Net::Random(20));
            let who = members(&sim);
            let requests = load(&mut sim, &who, 40, 30);
            sim.drain(60_000);
            sim.check_prefixes();
            sim.check_delivered(who.iter().copied(), &requests, true);
            assert!(sim.faults.is_empty(), "n {n} seed {seed}: {:?}", sim.faults);
        }
    }
}

#[test]
fn one_replica_alone_orders_within_the_step_that_submits() {
    let mut sim = Sim::new(1, 1, Net::Steady(1));
    for i in 0..20u8 {
        sim.submit(id(1), &[i]);
        assert_eq!(sim.delivered(id(1)).len(), usize::from(i) + 1);
    }
    assert_eq!(sim.sent, 0);
    assert!(sim.hosts[&id(1)].wake.is_none());
}

#[test]
fn a_lagging_replica_delivers_all_and_its_requests_are_delivered() {
    for seed in 0..4 {
        let mut sim = Sim::new(4, seed, Net::Lagging(10, id(2)));
        let who = members(&sim);
        let requests = load(&mut sim, &who, 60, 20);
        sim.drain(600_000);
        sim.check_prefixes();
        sim.check_delivered(who.iter().copied(), &requests, false);
    }
}

#[test]
fn a_request_from_idle_takes_few_hops() {
    for n in [4, 7] {
        let mut sim = Sim::new(n, 1, Net::Steady(10));
        sim.submit(id(1), b"first");
        sim.drain(10_000);
        for round in 0..6 {
            sim.run(if round % 2 == 0 { 600_000 } else { 100 });
            let (start, before, sent) = (sim.now, sim.delivered(id(1)).len(), sim.sent);
            sim.submit(id(1), format!("request {round}").as_bytes());
            while sim.delivered(id(1)).len() == before {
                assert!(sim.step(start + 10_000));
            }
            let hops = (sim.now - start) / 10;
            sim.drain(10_000);
            println!("n {n}: {hops} hops, {} messages, rounds {}", sim.sent - sent, sim.statuses()[0].round);
            assert!(hops <= 8, "n {n}: {hops} hops");
        }
    }
}

#[test]
fn a_great_request_travels_alone_and_a_greater_one_not_at_all() {
    let mut sim = Sim::new(4, 3, Net::Random(5));
    let great = vec![7; crate::limits::MAX_REQUEST_BYTES];
    sim.submit(id(1), &great);
    sim.submit(id(1), &vec![8; crate::limits::MAX_REQUEST_BYTES + 1]);
    sim.submit(id(1), b"small");
    sim.drain(60_000);
    assert_eq!(sim.delivered(id(3)), vec![great, b"small".to_vec()]);
}
