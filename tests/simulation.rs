//! Whole replicas in simulated worlds: every scheduler, every adversary, every crash; and planted bugs, which must be
//! found. Each run prints its seed; `CONCLAVE_SEED=N cargo test --release --test simulation NAME -- --nocapture` runs the
//! tests whose names contain NAME with that seed alone.

use conclave::sim::adversaries::AdversaryKind;
use conclave::sim::schedulers::SchedulerKind;
use conclave::sim::{Crashes, Plant, Report, Scenario, run};

/// The seeds of a test, or the one from the environment.
fn seeds(stated: std::ops::Range<u64>) -> Vec<u64> {
    match std::env::var("CONCLAVE_SEED") {
        Ok(text) => vec![text.parse().expect("CONCLAVE_SEED is a number")],
        Err(_) => stated.collect(),
    }
}

/// Runs a scenario in which every promise must hold.
fn holds(scenario: Scenario) -> Report {
    let report = run(&scenario).unwrap_or_else(|violation| {
        panic!(
            "{violation}\nin {scenario:?}\nsee it again: CONCLAVE_SEED={} cargo test --release --test simulation",
            scenario.seed
        )
    });
    println!("seed {}: {scenario:?}\n  {report:?}", scenario.seed);
    report
}

fn all_schedulers(adversary: Option<AdversaryKind>, stated: std::ops::Range<u64>) {
    for scheduler in [SchedulerKind::Random, SchedulerKind::Lagging, SchedulerKind::Partition] {
        for seed in seeds(stated.clone()) {
            holds(Scenario { scheduler, adversary, ..Scenario::new(4, seed) });
        }
    }
}

#[test]
fn correct_replicas_under_every_scheduler() {
    all_schedulers(None, 100..103);
}

#[test]
fn an_equivocator_with_two_copies_and_one_key() {
    all_schedulers(Some(AdversaryKind::Equivocate), 200..203);
}

#[test]
fn a_forger_of_signature_shares() {
    all_schedulers(Some(AdversaryKind::Forge), 300..302);
}

#[test]
fn a_mute_replica() {
    all_schedulers(Some(AdversaryKind::Mute), 400..402);
}

#[test]
fn a_replica_that_replays_what_it_said() {
    all_schedulers(Some(AdversaryKind::Replay), 500..502);
}

#[test]
fn crashes_one_by_one_lose_nothing_that_was_answered() {
    for scheduler in [SchedulerKind::Random, SchedulerKind::Lagging, SchedulerKind::Partition] {
        for seed in seeds(600..603) {
            let crashes = Crashes::OneByOne;
            let report = holds(Scenario { scheduler, crashes, ..Scenario::new(4, seed) });
            assert!(report.crashes > 0);
        }
    }
}

#[test]
fn crashes_of_all_at_once_lose_nothing_that_was_answered() {
    for seed in seeds(700..705) {
        let crashes = Crashes::AllAtOnce;
        let report = holds(Scenario { crashes, operations: 8, ..Scenario::new(4, seed) });
        assert!(report.crashes >= 4);
    }
}

#[test]
fn crashes_beside_an_equivocator() {
    for seed in seeds(800..803) {
        let adversary = Some(AdversaryKind::Equivocate);
        holds(Scenario { adversary, crashes: Crashes::OneByOne, ..Scenario::new(4, seed) });
    }
}

#[test]
fn other_sizes_of_committee() {
    for seed in seeds(900..902) {
        holds(Scenario { crashes: Crashes::AllAtOnce, ..Scenario::new(1, seed) });
        holds(Scenario { operations: 3, ..Scenario::new(5, seed) });
        let adversary = Some(AdversaryKind::Equivocate);
        holds(Scenario { adversary, operations: 3, ..Scenario::new(7, seed) });
    }
}

#[test]
fn ordered_reads_see_every_update_answered_before() {
    for seed in seeds(1000..1003) {
        holds(Scenario { ordered_reads: true, operations: 10, ..Scenario::new(4, seed) });
    }
}

#[test]
fn after_ten_idle_minutes_an_update_by_tsig_gets_noerror_at_its_first_try() {
    for seed in seeds(1100..1103) {
        let scenario = Scenario { clients: 1, operations: 2, idle_ms: 600_000, ..Scenario::new(4, seed) };
        let report = holds(scenario);
        assert_eq!(report.tries, report.operations, "seed {seed}: some operation was tried twice");
        assert_eq!(report.messages_in_silence, 0, "seed {seed}: an idle cluster is silent");
    }
}

#[test]
fn one_seed_is_one_run() {
    let scenario = Scenario { adversary: Some(AdversaryKind::Replay), ..Scenario::new(4, 1200) };
    assert_eq!(holds(scenario), holds(scenario));
}

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
