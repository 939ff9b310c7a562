//! A zone's key is rolled while clients update and replicas crash, by operators who vote, each at his own replica.

use super::*;

fn rolled(seed: u64, crashes: Crashes, adversary: Option<AdversaryKind>) -> Report {
    let load = Scenario { clients: 2, operations: 20, pace_ms: 15_000, ..Scenario::new(4, seed) };
    holds(Scenario { rolls: true, crashes, adversary, ..load })
}

#[test]
fn a_zsk_is_rolled_under_load() {
    for seed in seeds(3200..3202) {
        rolled(seed, Crashes::Never, None);
    }
}

#[test]
fn a_zsk_is_rolled_while_replicas_crash() {
    for (seed, crashes) in
        [(3210, Crashes::OneByOne), (3211, Crashes::AllAtOnce), (3212, Crashes::LongAbsence)]
    {
        rolled(seed, crashes, None);
    }
}
