//! Whole replicas in simulated worlds that lose more than the order brings back: away until the others have collected what they
//! lack, or with an empty disk; beside liars about states and checkpoints. Each run prints its seed;
//! `CONCLAVE_SEED=N cargo test --release --test losses NAME -- --nocapture` runs the tests whose names contain NAME with that
//! seed alone.

use conclave::protocol::Misbehaviour;
use conclave::sim::adversaries::AdversaryKind;
use conclave::sim::schedulers::SchedulerKind;
use conclave::sim::{Losses, Report, Scenario, run};

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
            "{violation}\nin {scenario:?}\nsee it again: CONCLAVE_SEED={} cargo test --release --test losses",
            scenario.seed
        )
    });
    println!("seed {}: {scenario:?}\n  {report:?}", scenario.seed);
    report
}

/// Whether one seed runs alone; then it need not show all that the stated seeds show together.
fn alone() -> bool {
    std::env::var_os("CONCLAVE_SEED").is_some()
}

/// That some run saw the adversary do each of these.
fn did(reports: &[Report], deeds: &[&str]) {
    for deed in deeds {
        assert!(alone() || reports.iter().any(|report| report.deeds.contains_key(deed)), "never: {deed}");
    }
}

/// That some run had correct replicas report this.
fn reported(reports: &[Report], what: Misbehaviour) {
    let found = reports.iter().any(|report| report.faults.contains_key(&what));
    assert!(alone() || found, "nobody reported {what:?}");
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
        losses: if seed % 2 == 0 { Losses::Away } else { Losses::Never },
        operations: if seed % 2 == 0 { 5 } else { 30 },
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
    // Checkpoints are certified all the same: a state is taken over each time.
    assert!(alone() || reports.iter().any(|report| report.states_taken == 4));
}
