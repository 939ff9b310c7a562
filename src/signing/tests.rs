//! A small network of replicas, some corrupt, with random delivery: every session ends with the one signature.
//!
//! All chance comes from a seed that failures print: `SEED=… cargo test` runs that one alone.

use super::*;
use crate::codec::digest;
use crate::threshold::test_keys;
use network::{Attack, Network};
use sha2::{Digest as _, Sha256};

mod network;
mod refresh;

fn id(index: u8) -> ReplicaId {
    ReplicaId::new(index).unwrap()
}

fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..count).collect(),
    }
}

const ATTACKS: [Attack; 6] =
    [Attack::Silent, Attack::Random, Attack::WrongBase, Attack::Replayed, Attack::OthersShare, Attack::Zero];

#[test]
fn without_faults_every_replica_finishes_every_job_once_and_no_one_is_blamed() {
    for (n, k) in [(1, 1), (2, 1), (3, 2), (4, 2), (4, 3), (7, 3), (7, 5)] {
        for seed in seeds(3) {
            let mut net = Network::new(n, k, &[], seed);
            net.start_everywhere(10);
            net.run();
            net.assert_all_finished();
            assert!(net.faults.is_empty(), "n = {n}, seed {seed}: {:?}", net.faults);
        }
    }
}

#[test]
fn corrupt_signers_neither_stop_nor_change_a_signature_and_are_named() {
    for attack in ATTACKS {
        for (n, k) in [(4, 2), (4, 3), (7, 3), (7, 5)] {
            for seed in seeds(4) {
                let faulty: Vec<_> = (1..=(n - 1) / 3).map(|i| (id(2 * i), attack)).collect();
                let mut net = Network::new(n, k, &faulty, seed);
                net.start_everywhere(6);
                net.run();
                net.assert_all_finished();
                net.assert_only_corrupt_are_blamed();
            }
        }
    }
}

#[test]
fn a_corrupt_signer_whose_share_is_needed_to_fail_is_named_by_everybody() {
    // k = n - t: each attempt with the first k shares has the corrupt one's, unless it comes last.
    for attack in [Attack::Random, Attack::WrongBase, Attack::Replayed, Attack::OthersShare, Attack::Zero] {
        let mut net = Network::new(4, 3, &[(id(1), attack)], 5);
        net.start_everywhere(30);
        net.run();
        net.assert_all_finished();
        for honest in 2..=4 {
            let blamed = net.faults.iter().any(|(by, fault)| *by == id(honest) && fault.who == id(1));
            assert!(blamed, "{attack:?} unseen by {honest}");
        }
    }
}

#[test]
fn with_many_wrong_shares_first_the_proofs_decide() {
    for attack in [Attack::Random, Attack::WrongBase, Attack::Liar] {
        for seed in seeds(2) {
            // 4 of 13 corrupt, all before the others: over a thousand subsets of five.
            let faulty: Vec<_> = (1..=4).map(|i| (id(i), attack)).collect();
            let mut net = Network::new(13, 5, &faulty, seed);
            net.corrupt_first = true;
            net.start_everywhere(1);
            net.run();
            net.assert_all_finished();
            net.assert_only_corrupt_are_blamed();
            assert!(net.proofs_seen, "seed {seed}: the case was not reached");
        }
    }
}

#[test]
fn a_replica_born_anew_gets_shares_and_finished_signatures_by_asking() {
    for seed in seeds(4) {
        for k in [2, 3] {
            let mut net = Network::new(4, k, &[], seed);
            let jobs = net.jobs(8);
            net.start_at(&[id(1), id(2), id(3)], &jobs);
            net.run();
            // All messages to r4 are lost with its memory; it starts the jobs after the others have finished.
            net.restart(id(4));
            net.start_at(&[id(4)], &jobs);
            net.link(id(4));
            net.run();
            net.assert_all_finished();
        }
    }
}

#[test]
fn two_replicas_born_anew_together_do_not_stop_a_quorum_of_shares() {
    for seed in seeds(4) {
        let mut net = Network::new(4, 3, &[(id(2), Attack::Silent)], seed);
        let jobs = net.jobs(4);
        net.start_at(&[id(1)], &jobs);
        net.run();
        net.restart(id(3));
        net.restart(id(4));
        net.start_at(&[id(3), id(4)], &jobs);
        net.link(id(3));
        net.link(id(4));
        net.run();
        net.assert_all_finished();
    }
}

#[test]
fn false_claims_of_finished_signatures_are_seen_through() {
    let mut seen = 0;
    for seed in seeds(8) {
        let mut net = Network::new(4, 3, &[(id(2), Attack::FalseClaim)], seed);
        net.start_everywhere(4);
        net.run();
        net.assert_all_finished();
        net.assert_only_corrupt_are_blamed();
        seen += net.faults.iter().filter(|(_, fault)| fault.what == Misbehaviour::BadSignatureClaim).count();
    }
    assert!(seen > 0, "no claim met an open session");
}

#[test]
fn a_signature_from_the_own_log_finishes_its_job_without_work_and_answers_others() {
    let mut net = Network::new(4, 2, &[], 1);
    let jobs = net.jobs(1);
    net.start_at(&[id(1), id(2), id(3), id(4)], &jobs);
    net.run();
    let signature = net.signature(jobs[0].id);
    net.restart(id(1));
    let replica = net.replica(id(1));
    replica.known(jobs[0].id, signature.clone());
    let step = replica.message(id(2), Message::Ask(vec![jobs[0].id]));
    assert_eq!(step.send, [(To::One(id(2)), Message::Finished(vec![(jobs[0].id, signature.clone())]))]);
    let step = replica.start(jobs[0].clone());
    assert_eq!(step.finished, [(jobs[0].id, signature)]);
    assert!(step.send.is_empty() && step.tasks.is_empty());
}

#[test]
fn no_share_is_made_for_a_job_that_was_not_started_whatever_is_asked() {
    let mut net = Network::new(4, 2, &[], 1);
    let jobs = net.jobs(1);
    let job = jobs[0].id;
    let share = SignatureShare(vec![1; 128]);
    let proof = Proof { c: [0; 32], z: vec![0; 193] };
    for message in [
        Message::Ask(vec![job]),
        Message::AskProofs(vec![job]),
        Message::Shares(vec![(job, share.clone())]),
        Message::Proofs(vec![(job, share, proof)]),
        Message::Finished(vec![(job, vec![1; 128])]),
    ] {
        let step = net.replica(id(1)).message(id(2), message);
        assert!(step.send.is_empty() && step.tasks.is_empty() && step.finished.is_empty());
    }
}

#[test]
fn thousands_of_jobs_at_once_make_bounded_tasks_and_batched_messages() {
    let mut net = Network::new(4, 2, &[], 1);
    let jobs = net.jobs(1_000);
    let step = net.replica(id(1)).start_all(jobs);
    assert_eq!(step.tasks.len(), crate::limits::MAX_SIGNING_TASKS);
    let mut tasks = step.tasks;
    let mut messages = 0;
    while let Some(task) = tasks.pop() {
        let computed = task.run(net.keys(id(1)), [0; 32]);
        let step = net.replica(id(1)).computed(computed);
        messages += step.send.len();
        tasks.extend(step.tasks);
        assert!(tasks.len() <= crate::limits::MAX_SIGNING_TASKS);
    }
    assert!(messages <= 1_000 / crate::limits::MAX_JOBS_PER_SIGNING_TASK + 1, "{messages} messages");
}

#[test]
fn malformed_and_early_input_is_bounded_and_blamed() {
    let mut net = Network::new(4, 2, &[], 1);
    let jobs = net.jobs(1);
    let replica = net.replica(id(1));
    for length in [0, 1, 127, 129, 100_000] {
        let message = Message::Shares(vec![(jobs[0].id, SignatureShare(vec![1; length]))]);
        assert_eq!(replica.message(id(2), message).faults.len(), 1, "{length} octets, before the start");
    }
    for number in 0..u64::try_from(MAX_EARLY_SHARES_PER_PEER).unwrap() + 100 {
        let job = JobId(digest("any", &[&number.to_be_bytes()]));
        let _ = replica.message(id(2), Message::Shares(vec![(job, SignatureShare(vec![1; 128]))]));
    }
    assert_eq!(replica.early[1].len(), MAX_EARLY_SHARES_PER_PEER);
    let _ = replica.start(jobs[0].clone());
    for message in [
        Message::Shares(vec![(jobs[0].id, SignatureShare(vec![1; 256]))]),
        Message::Proofs(vec![(jobs[0].id, SignatureShare(vec![1; 256]), Proof { c: [0; 32], z: vec![] })]),
        Message::Finished(vec![(jobs[0].id, vec![1; 127])]),
        Message::Ask(vec![jobs[0].id; crate::limits::MAX_ASKED_JOBS + 1]),
        Message::AskProofs(vec![jobs[0].id; crate::limits::MAX_ASKED_JOBS + 1]),
    ] {
        let step = replica.message(id(2), message);
        assert_eq!(step.faults, [Fault { who: id(2), what: Misbehaviour::Malformed }]);
    }
    // Nobody speaks for us, and strangers do not speak.
    let step = replica.message(id(1), Message::Ask(vec![jobs[0].id]));
    assert!(step.send.is_empty());
    let step = replica.message(id(5), Message::Ask(vec![jobs[0].id]));
    assert!(step.send.is_empty());
}

#[test]
fn asking_keeps_a_bounded_pace() {
    let mut net = Network::new(4, 3, &[], 1);
    let jobs = net.jobs(1);
    let step = net.replica(id(1)).start_all(jobs);
    for task in step.tasks {
        let computed = task.run(net.keys(id(1)), [0; 32]);
        let _ = net.replica(id(1)).computed(computed);
    }
    let mut asked = 0;
    for quarter in 0..4 * 60 {
        asked += net.replica(id(1)).tick(UnixMillis(1_000_000 + quarter * 250)).send.len();
    }
    // 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 47.5 seconds; three peers each.
    assert_eq!(asked, 7 * 3);
}

#[test]
fn messages_survive_their_encoding() {
    let job = JobId(digest("job", &[]));
    let share = SignatureShare(vec![5; 128]);
    for message in [
        Message::Shares(vec![(job, share.clone())]),
        Message::Ask(vec![job]),
        Message::AskProofs(vec![]),
        Message::Proofs(vec![(job, share, Proof { c: [1; 32], z: vec![2; 193] })]),
        Message::Finished(vec![(job, vec![3; 128])]),
    ] {
        let bytes = crate::codec::encode(&message);
        assert_eq!(crate::codec::decode(&bytes, 10_000), Ok(message));
    }
}
