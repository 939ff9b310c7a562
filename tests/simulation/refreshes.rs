//! Keys are refreshed while clients update and read, replicas crash, and one is away.

use super::*;

#[test]
fn keys_are_refreshed_while_updates_go_on_under_every_scheduler() {
    for (seed, scheduler) in seeds(5000..5003).into_iter().zip([
        SchedulerKind::Random,
        SchedulerKind::Lagging,
        SchedulerKind::Partition,
    ]) {
        holds(Scenario { scheduler, refreshes: 3, operations: 12, ..Scenario::new(4, seed) });
    }
}

#[test]
fn refreshes_go_on_through_crashes_in_the_middle() {
    for (seed, crashes) in seeds(5100..5104).into_iter().zip([
        Crashes::OneByOne,
        Crashes::AllAtOnce,
        Crashes::OneByOne,
        Crashes::AllAtOnce,
    ]) {
        let report = holds(Scenario { crashes, refreshes: 3, operations: 12, ..Scenario::new(4, seed) });
        assert!(report.crashes > 0, "seed {seed}");
    }
}

#[test]
fn who_comes_back_after_refreshes_takes_its_shares_from_the_state() {
    for (seed, losses) in seeds(5200..5203).into_iter().zip([Losses::Away, Losses::CutOff, Losses::Wiped]) {
        let report = holds(Scenario { losses, refreshes: 4, ..Scenario::new(4, seed) });
        assert_eq!(report.returns, 4, "seed {seed}");
    }
}

#[test]
fn seven_replicas_with_two_corrupt_refresh_their_keys() {
    for seed in seeds(5300..5302) {
        let adversary = Some(AdversaryKind::Replay);
        holds(Scenario { adversary, refreshes: 2, operations: 6, ..Scenario::new(7, seed) });
    }
}
