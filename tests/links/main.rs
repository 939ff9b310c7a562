//! Links over real TLS on loopback: what is cut is repaired, and who does not belong is refused.

mod harness;
mod refused;

use conclave::link::Event;
use conclave::quorum::ReplicaId;
use conclave::runtime::inbox::Inbox;
use conclave::runtime::peers::{FromPeer, Peers};
use harness::{Cluster, cluster_of, id, message, tokio_runtime};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Sends numbered messages to all others, a little faster than they are cut off, until told to stop. How many.
fn send_until(peers: &Peers, me: usize, n: usize, stop: &AtomicBool) -> u64 {
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        for other in (1..=n).map(id).filter(|o| o.slot() != me) {
            assert!(peers.send(other, message(number)).is_none(), "the queue was full");
        }
        number += 1;
        let waiting = peers.status().iter().map(|s| s.waiting).max().unwrap_or(0);
        std::thread::sleep(Duration::from_micros(if waiting > 5000 { 20_000 } else { 800 }));
    }
    number
}

/// Checks number and content of all that comes, until `sent` is known and has come from every peer.
fn receive_until(mut inbox: Inbox<FromPeer>, me: usize, sent: &OnceLock<Vec<u64>>) {
    let mut next = BTreeMap::<ReplicaId, u64>::new();
    let mut linked = BTreeMap::<ReplicaId, u32>::new();
    let mut finished: Option<Instant> = None;
    while finished.is_none_or(|at| at.elapsed() < Duration::from_millis(300)) {
        for FromPeer { from, event } in inbox.take(Duration::from_millis(100)) {
            match event {
                Event::Linked => *linked.entry(from).or_default() += 1,
                Event::Deliver(bytes) => {
                    let expected = next.entry(from).or_default();
                    assert_eq!(bytes[..], message(*expected)[..], "from {from}, number {expected}");
                    *expected += 1;
                }
            }
        }
        if let (Some(sent), None) = (sent.get(), finished) {
            let mut others = sent.iter().enumerate().filter(|(slot, _)| *slot != me);
            let all = others.all(|(slot, count)| next.get(&id(slot + 1)).copied().unwrap_or(0) == *count);
            finished = all.then(Instant::now);
        }
    }
    assert!(linked.values().all(|count| *count == 1), "one incarnation, no gap: {linked:?}");
}

/// Cuts the link to `other` whenever it has come up again. The connections there were.
fn cut_often(peers: &Peers, other: ReplicaId, cut: &watch::Sender<u32>, times: u32, seed: u64) -> u64 {
    let mut last = 0;
    for round in 0..times {
        last = loop {
            let links = peers.status();
            let link = links.iter().find(|s| s.peer == other.get()).unwrap();
            if link.up && link.connections > last {
                break link.connections;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        std::thread::sleep(Duration::from_millis((seed * 7 + u64::from(round) * 13) % 23));
        cut.send(round + 1).unwrap();
    }
    last
}

#[test]
fn every_link_cut_a_hundred_times_under_load_loses_and_repeats_nothing() {
    const N: usize = 4;
    const CUTS: u32 = 100;
    let runtime = tokio_runtime();
    let Cluster { endpoints, cutters } = runtime.block_on(cluster_of(N));
    let peers: Vec<Peers> = endpoints.iter().map(|e| e.peers.clone()).collect();
    let (stop, sent) = (AtomicBool::new(false), OnceLock::new());
    let mut tasks = Vec::new();
    std::thread::scope(|scope| {
        for (me, endpoint) in endpoints.into_iter().enumerate() {
            tasks.push(endpoint.tasks);
            let sent = &sent;
            scope.spawn(move || receive_until(endpoint.inbox, me, sent));
        }
        let (stop, peers) = (&stop, &peers);
        let senders: Vec<_> =
            (0..N).map(|me| scope.spawn(move || send_until(&peers[me], me, N, stop))).collect();
        let cutting: Vec<_> = (0..)
            .zip(&cutters)
            .map(|(seed, (slot, other, cut))| {
                scope.spawn(move || cut_often(&peers[*slot], *other, cut, CUTS, seed))
            })
            .collect();
        let connections: Vec<u64> = cutting.into_iter().map(|c| c.join().unwrap()).collect();
        stop.store(true, Ordering::SeqCst);
        sent.set(senders.into_iter().map(|s| s.join().unwrap()).collect()).unwrap();
        assert!(connections.iter().all(|count| *count >= u64::from(CUTS)), "{connections:?}");
    });
    println!("messages from each to each: {:?}", sent.get().unwrap());
}
