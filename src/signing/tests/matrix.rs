//! Every protocol × size × threshold × kind of corruption × number of corrupt signers, each under an order of delivery of its
//! own and with delays: all correct replicas finish with the one signature, and only the corrupt are named.

use super::*;
use crate::plant::{Plant, Whose, sown};

const ATTACKS: [Attack; 10] = [
    Attack::Silent,
    Attack::Random,
    Attack::WrongBase,
    Attack::Replayed,
    Attack::OthersShare,
    Attack::Zero,
    Attack::Liar,
    Attack::Unproved,
    Attack::Split,
    Attack::FalseClaim,
];

/// n, the thresholds of a ZSK (t+1) and of a KSK (n-t), and the jobs of a run.
const SIZES: [(u8, [usize; 2], usize); 4] = [(1, [1, 1], 3), (4, [2, 3], 4), (7, [3, 5], 3), (13, [5, 9], 1)];

/// One cell: whether a corrupt one was named.
fn cell(protocol: Protocol, n: u8, k: usize, jobs: usize, attack: Attack, corrupt: u8, seed: u64) -> bool {
    // Every other one from a place that the seed chooses, so that they are not always first.
    let place = |i: u8| id((u8::try_from(seed % 13).unwrap() + 2 * i) % n + 1);
    let faulty: Vec<_> = (0..corrupt).map(|i| (place(i), attack)).collect();
    let mut net = Network::new(protocol, n, k, &faulty, seed);
    net.delays = true;
    net.corrupt_first = seed.is_multiple_of(3);
    net.start_everywhere(0..jobs);
    net.run();
    net.assert_all_finished();
    net.assert_only_corrupt_are_blamed();
    let (jobs, n) = (jobs as u64, u64::from(n));
    for signing in net.correct() {
        let Effort { shares, proofs, verifications, combinations, .. } = signing.effort();
        let cost = format!("{:?}: {}", signing.effort(), net.told());
        assert!(shares <= jobs && proofs <= jobs && verifications <= jobs * (n - 1), "{cost}");
        match protocol {
            // What is proven combines.
            Protocol::Basic => assert!(proofs == shares && combinations <= jobs, "{cost}"),
            _ if corrupt == 0 => assert!(proofs == 0 && verifications == 0, "{cost}"),
            _ => {}
        }
    }
    net.correct().any(|signing| !signing.culprits().is_empty())
}

fn matrix(protocol: Protocol) {
    let mut named: BTreeMap<String, bool> = BTreeMap::new();
    let mut first = 100;
    for (n, thresholds, jobs) in SIZES {
        let t = (n - 1) / 3;
        for k in thresholds {
            for seed in seeds(4) {
                cell(protocol, n, k, jobs, Attack::Silent, 0, seed);
            }
            // Of thirteen all that are borne, and half of them.
            let counts = move |attack| {
                let step = usize::from(t / 2).max(1);
                (1..=t).rev().step_by(step).map(move |count| (attack, count))
            };
            for (attack, corrupt) in ATTACKS.into_iter().flat_map(counts) {
                first += 1;
                let seed = seeds(1)[0].max(first);
                let found = cell(protocol, n, k, jobs, attack, corrupt, seed);
                *named.entry(format!("{attack:?}")).or_default() |= found;
            }
        }
    }
    for (attack, named) in named {
        // Who says nothing, or under `basic` nothing wrong, and who is never asked to prove what is right.
        let blameless = attack == "Silent" || (attack == "Liar" && protocol == Protocol::Basic);
        assert!(named != blameless || attack == "Unproved", "{protocol}: {attack} named: {named}");
    }
}

#[test]
fn basic_ends_with_the_one_signature_and_names_only_the_corrupt() {
    matrix(Protocol::Basic);
}

#[test]
fn optproof_ends_with_the_one_signature_and_names_only_the_corrupt() {
    matrix(Protocol::OptProof);
}

#[test]
fn optte_ends_with_the_one_signature_and_names_only_the_corrupt() {
    matrix(Protocol::OptTe);
}

/// Demands that one of a few cells finds the plant, and that the same cell without it breaks nothing.
fn found(plant: Plant, protocol: Protocol) {
    for seed in 0..6 {
        let run = || cell(protocol, 4, 3, 4, Attack::WrongBase, 1, seed);
        if sown(&[plant], Whose::All, run).is_err() {
            println!("seed {seed}: {plant:?} found");
            run();
            return;
        }
    }
    panic!("{plant:?} was not found");
}

#[test]
fn planted_unchecked_proofs_are_found() {
    found(Plant::ProofUnchecked, Protocol::Basic);
}

#[test]
fn planted_blame_of_all_is_found() {
    found(Plant::AllBlamed, Protocol::OptTe);
}

#[test]
fn planted_lack_of_the_fall_back_is_found() {
    found(Plant::NoFallBack, Protocol::OptProof);
}
