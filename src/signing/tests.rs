//! A small network of replicas, some corrupt, with random delivery: every session ends with the one signature.
//!
//! All chance comes from a seed that failures print: `CONCLAVE_SEED=… cargo test` runs that one alone.

use super::*;
use crate::codec::digest;
use crate::threshold::test_keys;
use network::{Attack, Network};
use sha2::{Digest as _, Sha256};

mod cost;
mod matrix;
mod network;
mod refresh;

fn id(index: u8) -> ReplicaId {
    ReplicaId::new(index).unwrap()
}

fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("CONCLAVE_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..count).collect(),
    }
}

/// Every protocol with some seeds and each of these thresholds.
fn all_of<const N: usize>(thresholds: [usize; N]) -> impl Iterator<Item = (Protocol, u64, usize)> {
    let seeds = seeds(4);
    let with = move |(protocol, k)| seeds.clone().into_iter().map(move |seed| (protocol, seed, k));
    Protocol::ALL.into_iter().flat_map(move |p| thresholds.map(|k| (p, k))).flat_map(with)
}

const WRONG: [Attack; 6] =
    [Attack::Random, Attack::WrongBase, Attack::Replayed, Attack::OthersShare, Attack::Zero, Attack::Split];

#[test]
fn a_corrupt_signer_whose_share_is_needed_to_fail_is_named_by_everybody() {
    // k = n - t: each attempt with the first k shares has the corrupt one's, unless it comes last.
    for protocol in Protocol::ALL {
        for attack in WRONG {
            let mut net = Network::new(protocol, 4, 3, &[(id(1), attack)], 5);
            net.start_everywhere(0..30);
            net.run();
            net.assert_all_finished();
            net.assert_only_corrupt_are_blamed();
            // Who splits tells the even ones nothing but what is right.
            for honest in [2, 3, 4].into_iter().filter(|honest| attack != Attack::Split || honest % 2 == 0) {
                let blamed = net.faults.iter().any(|(by, fault)| *by == id(honest) && fault.who == id(1));
                let culprits = net.replica(id(honest)).culprits();
                assert!(blamed && culprits.contains_key(&id(1)), "{}: unseen by {honest}", net.told());
            }
        }
    }
}

#[test]
fn a_culprit_that_was_repaired_counts_again_with_its_proofs() {
    for protocol in Protocol::ALL {
        for seed in seeds(3) {
            let mut net = Network::new(protocol, 4, 3, &[(id(1), Attack::WrongBase)], seed);
            net.start_everywhere(0..20);
            net.run();
            net.assert_all_finished();
            net.attacks(id(1), None);
            net.attacks(id(4), Some(Attack::Silent));
            net.start_everywhere(20..24);
            net.run();
            net.assert_all_finished();
            assert!(net.replica(id(2)).culprits().contains_key(&id(1)), "{}: a proof pardons", net.told());
        }
    }
}

#[test]
fn one_fault_costs_a_failed_attempt_and_not_one_a_job() {
    let mut net = Network::new(Protocol::OptProof, 4, 3, &[(id(1), Attack::WrongBase)], 1);
    net.corrupt_first = true;
    net.start_everywhere(0..4);
    net.run();
    let before = net.replica(id(2)).effort();
    assert!(before.proofs > 0 && before.verifications > 0, "the case was not reached");
    net.start_everywhere(4..24);
    net.run();
    net.assert_all_finished();
    let after = net.replica(id(2)).effort();
    assert_eq!((before.proofs, before.verifications), (after.proofs, after.verifications));
    // What it sends goes on being counted.
    assert!(net.replica(id(2)).culprits()[&id(1)].wrong[&Evidence::Combination] > 4);
}

#[test]
fn a_replica_whose_own_share_is_wrong_finishes_by_the_others() {
    for protocol in Protocol::ALL {
        for (n, k) in [(4, 2), (4, 3), (7, 5)] {
            let mut net = Network::new(protocol, n, k, &[], 3);
            net.miscalculates = Some(id(2));
            net.start_everywhere(0..4);
            net.run();
            net.assert_all_finished();
            let named = net.faults.iter().map(|(_, fault)| fault.who).collect::<BTreeSet<_>>();
            assert!(named.iter().all(|who| *who == id(2)), "{}: {named:?}", net.told());
        }
    }
}

#[test]
fn with_many_wrong_shares_first_the_proofs_decide() {
    for attack in [Attack::Random, Attack::WrongBase, Attack::Liar] {
        for seed in seeds(2) {
            // 4 of 13 corrupt, all before the others: over a thousand subsets of five.
            let faulty: Vec<_> = (1..=4).map(|i| (id(i), attack)).collect();
            let mut net = Network::new(Protocol::OptTe, 13, 5, &faulty, seed);
            net.corrupt_first = true;
            net.start_everywhere(0..1);
            net.run();
            net.assert_all_finished();
            net.assert_only_corrupt_are_blamed();
            assert!(net.sent.contains_key("proofs"), "seed {seed}: the case was not reached");
        }
    }
}

#[test]
fn a_replica_born_anew_gets_shares_and_finished_signatures_by_asking() {
    for (protocol, seed, k) in all_of([2, 3]) {
        for attack in [None, Some(Attack::WrongBase), Some(Attack::Silent)].into_iter().take(5 - k) {
            let faulty: Vec<_> = attack.into_iter().map(|attack| (id(1), attack)).collect();
            let mut net = Network::new(protocol, 4, k, &faulty, seed);
            net.delays = true;
            let jobs = net.jobs(0..8);
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
    for (protocol, seed, k) in all_of([3]) {
        let mut net = Network::new(protocol, 4, k, &[(id(2), Attack::Silent)], seed);
        let jobs = net.jobs(0..4);
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
    for protocol in Protocol::ALL {
        let mut seen = 0;
        for seed in seeds(8) {
            let mut net = Network::new(protocol, 4, 3, &[(id(2), Attack::FalseClaim)], seed);
            net.start_everywhere(0..4);
            net.run();
            net.assert_all_finished();
            net.assert_only_corrupt_are_blamed();
            let claims = net.faults.iter().filter(|(_, fault)| fault.what == Misbehaviour::BadSignatureClaim);
            seen += claims.count();
        }
        assert!(seen > 0, "{protocol}: no claim met an open session");
    }
}

#[test]
fn a_signature_from_the_own_log_finishes_its_job_without_work_and_answers_others() {
    let mut net = Network::new(Protocol::OptTe, 4, 2, &[], 1);
    let jobs = net.jobs(0..1);
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
    let mut net = Network::new(Protocol::OptTe, 4, 2, &[], 1);
    let jobs = net.jobs(0..1);
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
    let mut net = Network::new(Protocol::OptTe, 4, 2, &[], 1);
    let jobs = net.jobs(0..1_000);
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
    let mut net = Network::new(Protocol::OptTe, 4, 2, &[], 1);
    let jobs = net.jobs(0..1);
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
    // Where bare shares do not count nobody sends them.
    let mut basic = Network::new(Protocol::Basic, 4, 2, &[], 1);
    let job = basic.jobs(0..1)[0].id;
    for message in [Message::Shares(vec![(job, SignatureShare(vec![1; 128]))]), Message::Ask(vec![job])] {
        let step = basic.replica(id(1)).message(id(2), message);
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
    let mut net = Network::new(Protocol::OptTe, 4, 3, &[], 1);
    let jobs = net.jobs(0..1);
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
