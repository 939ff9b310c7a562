//! A zone's keys are rolled while clients update and replicas crash, by operators who vote, each at his own replica. None is corrupt:
//! a key comes into use only with the receipts of all.

use super::*;

fn rolled(rolls: Rolls, seed: u64, crashes: Crashes) -> Report {
    let load = Scenario { clients: 2, operations: 20, pace_ms: 15_000, ..Scenario::new(4, seed) };
    holds(Scenario { rolls, crashes, ..load })
}

#[test]
fn a_zsk_is_rolled_under_load() {
    for seed in seeds(3200..3202) {
        rolled(Rolls::Zsk, seed, Crashes::Never);
    }
}

#[test]
fn a_zsk_is_rolled_while_replicas_crash() {
    for (seed, crashes) in
        [(3210, Crashes::OneByOne), (3211, Crashes::AllAtOnce), (3212, Crashes::LongAbsence)]
    {
        rolled(Rolls::Zsk, seed, crashes);
    }
}

#[test]
fn a_ksk_is_rolled_while_replicas_crash() {
    for (seed, crashes) in
        [(3220, Crashes::OneByOne), (3221, Crashes::AllAtOnce), (3222, Crashes::LongAbsence)]
    {
        rolled(Rolls::Ksk, seed, crashes);
    }
}

#[test]
fn algorithm_8_gives_way_to_10_while_replicas_crash() {
    for (seed, crashes) in [(3230, Crashes::OneByOne), (3231, Crashes::Never)] {
        rolled(Rolls::Algorithm, seed, crashes);
    }
}
