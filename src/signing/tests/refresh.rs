//! A key is refreshed while its sessions are open.

use super::*;
use crate::threshold::refresh::{Round, Sum};
use crate::threshold::{Dealt, PublicKey, ReceiverKey, ReceiverSecret, SecretShare, test_keys};
use std::sync::{Arc, OnceLock};

/// The key of a network of four with k = 2, after a refresh.
fn refreshed() -> &'static (Arc<PublicKey>, Vec<Vec<u8>>) {
    static MADE: OnceLock<(Arc<PublicKey>, Vec<Vec<u8>>)> = OnceLock::new();
    MADE.get_or_init(|| {
        let Dealt { public, shares } = test_keys::dealt(1024, 0, 4, 2);
        let secrets: Vec<_> = (0..4u8).map(|i| ReceiverSecret::generate(128, [i; 32])).collect();
        let keys =
            secrets.iter().map(|secret| ReceiverKey::from_bytes(secret.public().as_bytes(), 128).unwrap());
        let keys: Vec<_> = keys.collect();
        let round = Round::new(ClusterId::default(), Epoch(0), &public, &keys).unwrap();
        let dealings = shares[..2].iter().map(|share| round.deal(share, [9; 32]));
        let sum = dealings.fold(Sum::default(), |sum, dealing| round.add(&sum, &dealing).unwrap());
        let outcome = round.outcome(&sum, &[]).unwrap();
        let new = shares.iter().zip(&outcome.rows).zip(&secrets).map(|((share, row), secret)| {
            share.refreshed(&public, &outcome.public, row, secret).unwrap().to_bytes().to_vec()
        });
        (Arc::new(outcome.public.clone()), new.collect())
    })
}

/// Replica `who` learns of the new sharing; it may lack its share of it.
fn switch(net: &mut Network, who: ReplicaId, has_share: bool) {
    let (public, shares) = refreshed();
    let store = KeyStore::new();
    if has_share {
        let share = SecretShare::from_bytes(&shares[who.slot()]).unwrap();
        assert!(store.insert(public.clone(), share));
    }
    // The old share is wiped.
    *net.keys_mut(who) = store;
    let old = test_keys::dealt(1024, 0, 4, 2).public.key_id();
    let step = net.replica(who).switch(old, public.clone());
    net.absorb(who, step);
}

fn everything(count: u64) -> impl Iterator<Item = (Protocol, u64)> {
    let protocols = Protocol::ALL;
    seeds(count).into_iter().flat_map(move |seed| protocols.map(|protocol| (protocol, seed)))
}

#[test]
fn sessions_that_are_open_at_the_switch_end_with_the_same_signatures_whoever_switches_when() {
    for (protocol, seed) in everything(6) {
        let mut net = Network::new(protocol, 4, 2, &[], seed);
        let jobs = net.jobs(0..6);
        net.start_at(&[id(1), id(2), id(3), id(4)], &jobs[..4]);
        for who in 1..=4 {
            for _ in 0..net.below(30) {
                net.one_event();
            }
            switch(&mut net, id(who), true);
        }
        for who in 1..=4 {
            let step = net.replica(id(who)).start_all(jobs[4..].to_vec());
            net.absorb(id(who), step);
        }
        net.run();
        net.assert_all_finished();
        assert!(net.faults.is_empty(), "nobody is blamed: {:?}, seed {seed}", net.faults);
    }
}

#[test]
fn who_has_no_share_of_the_new_sharing_gets_the_signatures_from_others_and_signs_when_it_comes() {
    for (protocol, seed) in everything(3) {
        let mut net = Network::new(protocol, 4, 2, &[], seed);
        (1..=4).for_each(|who| switch(&mut net, id(who), who > 1));
        let jobs = net.jobs(0..4);
        net.start_at(&[id(1), id(2), id(3), id(4)], &jobs);
        net.run();
        net.assert_all_finished();
    }
    let mut net = Network::new(Protocol::OptTe, 4, 2, &[], 0);
    (1..=4).for_each(|who| switch(&mut net, id(who), who > 2));
    let jobs = net.jobs(0..2);
    net.start_at(&[id(1), id(2), id(3)], &jobs);
    net.run();
    assert_eq!(net.replica(id(3)).open_jobs(), 2, "one share is not enough");
    switch(&mut net, id(2), true);
    let old = test_keys::dealt(1024, 0, 4, 2).public.key_id();
    let step = net.replica(id(2)).share_has_come(old);
    net.absorb(id(2), step);
    net.run();
    for who in 1..=3 {
        assert_eq!(net.replica(id(who)).open_jobs(), 0);
    }
}

#[test]
fn a_share_of_the_old_sharing_means_nothing_in_a_session_of_the_new() {
    let mut net = Network::new(Protocol::OptTe, 4, 2, &[], 3);
    (1..=4).for_each(|who| switch(&mut net, id(who), true));
    let jobs = net.jobs(0..1);
    let old = test_keys::dealt(1024, 0, 4, 2);
    let x = old.public.encode(&jobs[0].hash).unwrap();
    for who in 2..=4u8 {
        let share = old.shares[usize::from(who) - 1].sign(&old.public, &x);
        let step = net.replica(id(1)).message(id(who), Message::Shares(vec![(jobs[0].id, share)]));
        net.absorb(id(1), step);
    }
    net.start_at(&[id(1), id(2), id(3), id(4)], &jobs);
    net.run();
    net.assert_all_finished();
    assert!(net.faults.is_empty());
}

#[test]
fn finished_sessions_are_forgotten_under_both_names() {
    let mut net = Network::new(Protocol::OptTe, 4, 2, &[], 5);
    (1..=4).for_each(|who| switch(&mut net, id(who), true));
    net.start_everywhere(0..3);
    net.run();
    let jobs: Vec<_> = net.jobs(0..3).iter().map(|job| job.id).collect();
    assert_eq!(net.replica(id(1)).finished_signatures(), 6);
    net.replica(id(1)).forget(&jobs);
    assert_eq!(net.replica(id(1)).finished_signatures(), 0);
}
