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

/// Hops until the submitter has delivered a request, and messages until all are silent again.
fn hops(sim: &mut Sim, request: &[u8], drain: bool) -> (u64, u64) {
    let (start, sent) = (sim.now, sim.sent);
    sim.submit(id(1), request);
    while !sim.delivered(id(1)).contains(&request.to_vec()) {
        assert!(sim.step(start + 10_000));
    }
    let hops = (sim.now - start).div_ceil(10);
    if drain {
        sim.run(2_000);
    }
    (hops, sim.sent - sent)
}

#[test]
fn a_request_takes_eight_hops_from_sleep_six_from_rest_and_five_to_six_when_busy() {
    for n in [4, 7, 10] {
        let mut sim = Sim::new(n, 1, Net::Steady(10));
        sim.submit(id(1), b"first");
        sim.run(600_000);
        let (sleep, waking) = hops(&mut sim, b"from sleep", true);
        let (rest, fresh) = hops(&mut sim, b"from rest", true);
        let mut busy = Vec::new();
        for i in 0..20u64 {
            sim.run(sim.seed + 13 * i % 50);
            for other in 2..=n {
                sim.submit(id(other), format!("{i} of {other}").as_bytes());
            }
            busy.push(hops(&mut sim, format!("busy {i}").as_bytes(), false).0);
        }
        println!("n {n}: sleep {sleep} hops, {waking} messages; rest {rest}, {fresh}; busy {busy:?}");
        assert!(sleep <= 8 && rest <= 6, "n {n}: {sleep} and {rest} hops");
        assert!(busy.iter().all(|hops| *hops <= 7), "n {n}: {busy:?}");
        let rounds = |messages: u64| messages / (n * (n - 1)) as u64;
        assert!(rounds(waking) <= 7 && rounds(fresh) <= 6, "n {n}: {waking} and {fresh} messages");
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
