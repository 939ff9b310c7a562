//! A zone's key is rolled while clients update and replicas crash, by operators who vote, each at his own replica.

use super::*;

fn rolled(rolls: Rolls, seed: u64, crashes: Crashes, adversary: Option<AdversaryKind>) -> Report {
    let load = Scenario { clients: 2, operations: 20, pace_ms: 15_000, ..Scenario::new(4, seed) };
    holds(Scenario { rolls, crashes, adversary, ..load })
}

#[test]
fn a_zsk_is_rolled_under_load() {
    for seed in seeds(3200..3202) {
        rolled(Rolls::Zsk, seed, Crashes::Never, None);
    }
}

#[test]
fn a_zsk_is_rolled_while_replicas_crash() {
    for (seed, crashes) in
        [(3210, Crashes::OneByOne), (3211, Crashes::AllAtOnce), (3212, Crashes::LongAbsence)]
    {
        rolled(Rolls::Zsk, seed, crashes, None);
    }
}

#[test]
fn a_ksk_is_rolled_while_replicas_crash() {
    for (seed, crashes) in
        [(3220, Crashes::OneByOne), (3221, Crashes::AllAtOnce), (3222, Crashes::LongAbsence)]
    {
        rolled(Rolls::Ksk, seed, crashes, None);
    }
}

#[test]
fn an_algorithm_is_rolled_while_replicas_crash_and_one_is_corrupt() {
    rolled(Rolls::Algorithm, 3230, Crashes::OneByOne, None);
    rolled(Rolls::Algorithm, 3231, Crashes::Never, Some(AdversaryKind::Replay));
}
