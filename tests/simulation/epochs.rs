//! Clusters that go from one epoch to the next while clients go on: other members, more, fewer.

use super::*;

/// Runs that must come to the next epoch, whose every correct replica begins, and which correct removed ones leave.
fn move_on(scenario: Scenario) -> Report {
    let report = holds(scenario);
    let (begin, leave) = match (scenario.succession, scenario.adversary.is_some()) {
        (Succession::Replace, corrupt) => (4, usize::from(!corrupt)),
        (Succession::Grow, corrupt) => (7 - usize::from(corrupt), 0),
        (Succession::Shrink, corrupt) => (4, if corrupt { 1 } else { 3 }),
        (Succession::Least, corrupt) => {
            (usize::from(scenario.n) - usize::from(corrupt), if corrupt { 0 } else { 2 })
        }
        (Succession::Alone, corrupt) => (1, 3 - usize::from(corrupt)),
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
/// Those that leave nobody behind but who is needed.
const FEW: [Succession; 2] = [Succession::Alone, Succession::Least];

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

#[test]
fn nobody_leaves_before_the_last_state_is_durable_with_who_goes_on() {
    let crashes = [Crashes::OneByOne, Crashes::AllAtOnce, Crashes::Never];
    for ((seed, succession), number) in seeds(6500..6512).into_iter().zip(FEW.into_iter().cycle()).zip(0..) {
        let crashes = crashes[number / 2 % 3];
        move_on(Scenario { crashes, operations: 20, ..scenario(succession, seed) });
    }
}

#[test]
fn the_least_that_go_on_may_be_corrupt_but_for_one() {
    let kinds = [AdversaryKind::Mute, AdversaryKind::FalseEnd, AdversaryKind::Equivocate];
    for (seed, kind) in seeds(6600..6603).into_iter().zip(kinds) {
        move_on(Scenario { adversary: Some(kind), ..scenario(Succession::Least, seed) });
    }
}

#[test]
fn ends_that_are_none_are_believed_by_nobody() {
    let all = [Succession::Least, Succession::Shrink, Succession::Grow, Succession::Replace];
    let run = |(seed, succession)| {
        move_on(Scenario { adversary: Some(AdversaryKind::FalseEnd), ..scenario(succession, seed) })
    };
    let reports: Vec<Report> = seeds(6610..6614).into_iter().zip(all).map(run).collect();
    reported(&reports, Misbehaviour::BadSignature);
    reported(&reports, Misbehaviour::BadCertificate);
    did(
        &reports,
        &[
            "stated a false ending",
            "kept the end to itself",
            "certified a false ending with the signatures of all corrupt replicas",
            "said that it keeps what it may not have",
            "told a false end of the epoch before",
        ],
    );
}

#[test]
fn a_flood_holds_up_neither_the_end_nor_the_beginning() {
    for (seed, succession) in seeds(6700..6702).into_iter().zip([Succession::Grow, Succession::Least]) {
        let adversary = Some(AdversaryKind::Flood);
        move_on(Scenario { adversary, operations: 6, ..scenario(succession, seed) });
    }
}
