//! Idle silence, and waking from it with fresh agreed time.

use super::sim::*;

#[test]
fn an_idle_cluster_sends_nothing() {
    for n in [1, 4, 7] {
        for seed in 0..5 {
            let mut sim = Sim::new(n, seed, Net::Random(15));
            sim.run(60_000);
            assert_eq!(sim.sent, 0, "n {n} seed {seed}: before the first request");
            let who: Vec<_> = sim.keys.committee.members().collect();
            load(&mut sim, &who, 10, 200);
            sim.drain(60_000);
            let sent = sim.sent;
            sim.run(3_600_000);
            assert_eq!(sim.sent, sent, "n {n} seed {seed}: after the last");
        }
    }
}

#[test]
fn a_request_after_ten_idle_minutes_meets_fresh_agreed_time() {
    for n in [1, 4, 7, 10] {
        for seed in 0..5 {
            let mut sim = Sim::new(n, seed, Net::Random(15));
            for host in sim.hosts.values_mut() {
                host.skew = 0;
            }
            let slow = id(n);
            sim.hosts.get_mut(&slow).unwrap().skew = -3_000;
            for i in 0..6usize {
                let me = id(1 + i % n);
                let submitted = sim.now;
                sim.submit(me, format!("request {i}").as_bytes());
                sim.drain(60_000);
                let batches = &sim.hosts[&me].batches;
                let batch = batches.iter().rev().find(|batch| !batch.requests.is_empty()).unwrap();
                let off = batch.time.0.abs_diff(submitted);
                assert!(off < 15_000, "n {n} seed {seed} request {i}: agreed time is {off} ms off");
                assert_eq!(&*batch.requests[0].bytes, format!("request {i}").as_bytes());
                sim.run(600_000);
            }
        }
    }
}

#[test]
fn a_replica_whose_clock_is_fast_still_gets_its_requests_through() {
    for seed in 0..5 {
        let mut sim = Sim::new(4, seed, Net::Random(15));
        sim.hosts.get_mut(&id(1)).unwrap().skew = 120_000;
        for i in 0..4u8 {
            sim.submit(id(1), &[i]);
            sim.drain(60_000);
            assert_eq!(sim.delivered(id(2)).len(), usize::from(i) + 1, "seed {seed}");
            let time = sim.hosts[&id(2)].batches.last().unwrap().time.0;
            assert!(time <= sim.now + 1_000, "seed {seed}: agreed time follows the fast clock");
            sim.run(700_000);
        }
    }
}
