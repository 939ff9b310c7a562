//! Replicas that lose more than a crash takes: away too long, without their disk, lied to when they come back.

use super::*;

#[test]
fn a_replica_that_was_away_until_the_others_had_collected_what_it_lacks_returns() {
    for seed in seeds(3400..3402) {
        let crashes = Crashes::LongAbsence;
        holds(Scenario { crashes, operations: 60, ..Scenario::new(4, seed) });
    }
}

/// Runs in which each replica is lost and comes back; busy and at rest, with and without crashes on the way back.
fn losses(losses: Losses, stated: std::ops::Range<u64>) -> Vec<Report> {
    let scenario = |seed: u64| {
        let (rest, interrupted) = (seed % 2 == 1, seed % 4 >= 2);
        let report = holds(Scenario { losses, rest, interrupted, ..Scenario::new(4, seed) });
        assert_eq!(report.returns, 4, "seed {seed}");
        report
    };
    seeds(stated).into_iter().map(scenario).collect()
}

/// Crashes on the way back happened at every moment.
fn fell_everywhere(reports: &[Report]) {
    for moment in ["in the transfer of a state", "in the storing of a state", "between storing and going on"]
    {
        assert!(
            alone() || reports.iter().any(|report| report.falls.contains_key(moment)),
            "no crash {moment}"
        );
    }
}

#[test]
fn a_replica_that_was_down_too_long_takes_over_a_state() {
    let reports = losses(Losses::Away, 4000..4004);
    for report in &reports {
        let restarted = report.falls.get("between storing and going on").copied().unwrap_or(0);
        assert!(report.states_taken + restarted >= 4, "{report:?}");
    }
    fell_everywhere(&reports);
}

#[test]
fn a_replica_that_was_cut_off_too_long_takes_over_a_state() {
    let reports = losses(Losses::CutOff, 4100..4104);
    for report in &reports {
        let restarted = report.falls.get("between storing and going on").copied().unwrap_or(0);
        assert!(report.states_taken + restarted >= 4, "{report:?}");
    }
    fell_everywhere(&reports);
}

#[test]
fn who_was_away_or_lost_its_disk_comes_back_over_slow_links_and_between_partings() {
    let schedulers = [SchedulerKind::Lagging, SchedulerKind::Partition];
    for seed in seeds(4500..4504) {
        let losses = if seed % 4 < 2 { Losses::Away } else { Losses::Wiped };
        let scheduler = schedulers[seed as usize % 2];
        let report = holds(Scenario { losses, scheduler, ..Scenario::new(4, seed) });
        assert_eq!(report.returns, 4, "seed {seed}");
    }
}

#[test]
fn replicas_that_lose_their_disks_one_after_another_rejoin_and_never_equivocate() {
    let reports = losses(Losses::Wiped, 4200..4204);
    assert!(alone() || reports.iter().all(|report| report.states_taken > 0 || !report.falls.is_empty()));
}

#[test]
fn a_server_of_states_that_lies_delays_and_falls_silent_keeps_nobody_from_taking_over() {
    let scenario = |seed| Scenario {
        adversary: Some(AdversaryKind::CorruptState),
        losses: [Losses::Away, Losses::Wiped, Losses::CutOff][seed as usize % 3],
        rest: seed % 2 == 1,
        interrupted: true,
        ..Scenario::new(4, seed)
    };
    let mut reports: Vec<Report> = seeds(4300..4306).into_iter().map(scenario).map(holds).collect();
    if !alone() {
        reports.push(holds(Scenario { operations: 2, ..Scenario { n: 7, ..scenario(4306) } }));
    }
    did(
        &reports,
        &[
            "gave a wrong head",
            "gave a head octet by octet",
            "said that it has no state",
            "altered an element",
            "dropped a piece",
            "gave a piece twice",
            "gave a wrong signature",
            "gave one piece at a time",
            "gave no pieces",
            "left a question for pieces unanswered",
            "gave pieces of another round",
            "lost the state half-way",
            "said that a chunk goes on",
            "gave pieces after the last",
        ],
    );
    reported(&reports, Misbehaviour::BadState);
}

#[test]
fn votes_for_false_states_and_forged_certificates_certify_nothing() {
    let scenario = |seed: u64| Scenario {
        n: if seed % 4 == 3 { 7 } else { 4 },
        adversary: Some(AdversaryKind::ForgedCheckpoint),
        losses: if seed.is_multiple_of(2) { Losses::Away } else { Losses::Never },
        operations: if seed.is_multiple_of(2) { 5 } else { 30 },
        ..Scenario::new(4, seed)
    };
    let reports: Vec<Report> = seeds(4400..4404).into_iter().map(scenario).map(holds).collect();
    did(
        &reports,
        &[
            "voted for a false state",
            "voted for a far round",
            "voted with another's signature",
            "certified with another previous checkpoint",
            "certified a far round",
            "certified with too few signatures",
            "certified with one signature twice",
            "certified with others' signatures",
            "certified a false state with the votes of all corrupt replicas",
        ],
    );
    reported(&reports, Misbehaviour::BadSignature);
    reported(&reports, Misbehaviour::BadCertificate);
}
