//! Clusters that go from one epoch to the next while clients go on: other members, more, fewer.

use super::*;

/// Runs that must come to the next epoch, whose every correct replica begins, and which correct removed ones leave.
fn move_on(scenario: Scenario) -> Report {
    let report = holds(scenario);
    let (begin, leave) = match (scenario.succession, scenario.adversary.is_some()) {
        (Succession::Replace, corrupt) => (4, usize::from(!corrupt)),
        (Succession::Grow, corrupt) => (7 - usize::from(corrupt), 0),
        (Succession::Shrink, corrupt) => (4, if corrupt { 1 } else { 3 }),
        (Succession::Never, _) => (0, 0),
    };
    assert!(report.begun >= begin && report.left >= leave, "seed {}: {report:?}", scenario.seed);
    report
}

fn scenario(succession: Succession, seed: u64) -> Scenario {
    let n = if succession == Succession::Shrink { 7 } else { 4 };
    Scenario { succession, operations: 12, pace_ms: 500, ..Scenario::new(n, seed) }
}

const ALL: [Succession; 3] = [Succession::Replace, Succession::Grow, Succession::Shrink];

#[test]
fn a_member_is_replaced_and_clusters_grow_and_shrink_while_clients_go_on() {
    for (seed, succession) in seeds(6000..6006).into_iter().zip(ALL.into_iter().cycle()) {
        move_on(scenario(succession, seed));
    }
}

#[test]
fn every_scheduler_lets_an_epoch_end_and_the_next_begin() {
    let schedulers = SchedulerKind::value_variants().iter().cycle();
    for ((seed, scheduler), succession) in
        seeds(6100..6109).into_iter().zip(schedulers).zip(ALL.into_iter().cycle())
    {
        move_on(Scenario { scheduler: *scheduler, ..scenario(succession, seed) });
    }
}

#[test]
fn crashes_at_every_point_of_the_change_lose_nothing() {
    let crashes = [Crashes::OneByOne, Crashes::OneByOne, Crashes::AllAtOnce];
    let mut falls = Report::default().falls;
    for (seed, succession) in seeds(6200..6209).into_iter().zip(ALL.into_iter().cycle()) {
        let crashes = crashes[seed as usize / 3 % 3];
        let report = move_on(Scenario { crashes, operations: 20, ..scenario(succession, seed) });
        falls.extend(report.falls);
    }
    for moment in ["in the storing of a state", "between storing and going on"] {
        assert!(alone() || falls.contains_key(moment), "no crash {moment}");
    }
}

#[test]
fn who_was_away_during_the_change_finds_its_way() {
    for seed in seeds(6300..6303) {
        let (crashes, operations) = (Crashes::LongAbsence, 60);
        move_on(Scenario { crashes, operations, ..scenario(Succession::Replace, seed) });
    }
}

#[test]
fn corrupt_replicas_removed_or_not_have_no_more_say_than_their_epoch_gives_them() {
    let kinds = [
        AdversaryKind::Equivocate,
        AdversaryKind::OldEpoch,
        AdversaryKind::ForgedCheckpoint,
        AdversaryKind::CorruptState,
        AdversaryKind::Replay,
        AdversaryKind::Mute,
    ];
    for ((seed, kind), succession) in
        seeds(6400..6409).into_iter().zip(kinds.into_iter().cycle()).zip(ALL.into_iter().cycle())
    {
        move_on(Scenario { adversary: Some(kind), ..scenario(succession, seed) });
    }
}
