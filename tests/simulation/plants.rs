//! Bugs planted outside the library's code, which must be found; those inside are in `src/plant/`.

use super::*;

/// The first of `stated` seeds in which the plant is found, and how.
fn found(plant: Plant, crashes: Crashes, stated: std::ops::Range<u64>, by: &str) {
    for seed in seeds(stated.clone()) {
        let scenario = Scenario { plant: Some(plant), crashes, ..Scenario::new(4, seed) };
        if let Err(violation) = run(&scenario) {
            println!("seed {seed}: {plant:?} found {violation}");
            assert!(violation.what.contains(by), "seed {seed}: {plant:?} found as {violation}");
            return;
        }
    }
    panic!("{plant:?} was not found with seeds {stated:?}");
}

#[test]
fn a_planted_send_before_sync_is_found() {
    found(Plant::SendBeforeSync, Crashes::OneByOne, 1300..1320, "accusation");
}

#[test]
fn a_planted_replica_that_skips_updates_is_found() {
    found(Plant::SkipUpdates, Crashes::Never, 1400..1405, "execution");
}

#[test]
fn a_planted_loss_of_the_log_is_found() {
    found(Plant::ForgetLog, Crashes::OneByOne, 1500..1510, "accusation");
}
