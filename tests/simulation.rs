//! Whole replicas in simulated worlds: every scheduler, every adversary, every crash; and planted bugs, which must be
//! found. Each run prints its seed; `CONCLAVE_SEED=N cargo test --release --test simulation NAME -- --nocapture` runs the
//! tests whose names contain NAME with that seed alone.

use conclave::protocol::Misbehaviour;
use conclave::sim::adversaries::AdversaryKind;
use conclave::sim::schedulers::SchedulerKind;
use conclave::sim::{Crashes, DiskFault, Plant, Report, Scenario, run};

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

/// Runs one adversary under the schedulers in turn, a seed each, and gives all reports together.
fn against(adversary: AdversaryKind, stated: std::ops::Range<u64>) -> Vec<Report> {
    let schedulers = [SchedulerKind::Random, SchedulerKind::Lagging, SchedulerKind::Partition];
    let runs: Vec<(u64, SchedulerKind)> = if alone() {
        seeds(stated).into_iter().flat_map(|seed| schedulers.map(|scheduler| (seed, scheduler))).collect()
    } else {
        stated.zip(schedulers.into_iter().cycle()).collect()
    };
    let scenario = |(seed, scheduler)| Scenario {
        scheduler,
        adversary: Some(adversary),
        operations: 8,
        ..Scenario::new(4, seed)
    };
    runs.into_iter().map(scenario).map(holds).collect()
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
fn a_replica_that_tells_some_and_not_others() {
    let reports = against(AdversaryKind::Selective, 2000..2006);
    did(&reports, &["withheld", "said late", "left unanswered"]);
}

#[test]
fn vertices_that_break_the_rules_or_link_what_does_not_exist() {
    let reports = against(AdversaryKind::BadParents, 2100..2106);
    reported(&reports, Misbehaviour::InvalidVertex);
    did(
        &reports,
        &[
            "too few parents",
            "two parents of one author",
            "parents out of order",
            "a stranger as a parent",
            "a previous vertex of its own round",
            "a previous vertex that is no parent",
            "a weak link beyond the window",
            "a weak link to a parent",
            "parents that do not exist",
            "a weak link to nothing",
            "a previous vertex that does not exist",
        ],
    );
}

#[test]
fn coin_shares_that_are_wrong_in_vertices_that_are_signed() {
    let reports = against(AdversaryKind::BadCoin, 2200..2206);
    reported(&reports, Misbehaviour::BadCoinShare);
    did(&reports, &["coin share of another round", "coin share with a wrong bit"]);
}

#[test]
fn vertices_of_far_rounds_with_ancestors_made_up() {
    let reports = against(AdversaryKind::FarFuture, 2300..2306);
    did(&reports, &["asked for a far range", "asked for far vertices", "made a vertex of a far round"]);
    reported(&reports, Misbehaviour::Malformed);
    reported(&reports, Misbehaviour::InvalidVertex);
    assert!(reports.iter().all(|report| report.peaks.waiting_vertices > 0));
}

#[test]
fn a_clock_that_is_wrong_by_years() {
    did(&against(AdversaryKind::TimeLiar, 2400..2406), &["lied about the time"]);
}

#[test]
fn a_flood_of_all_that_costs_others_something() {
    let reports = against(AdversaryKind::Flood, 2500..2503);
    did(&reports, &["proposed junk", "asked for everything", "made a large vertex that must wait"]);
    reported(&reports, Misbehaviour::Flood);
}

#[test]
fn what_is_signed_for_another_epoch_or_cluster() {
    let reports = against(AdversaryKind::OldEpoch, 2600..2606);
    reported(&reports, Misbehaviour::InvalidVertex);
    reported(&reports, Misbehaviour::BadSignature);
    reported(&reports, Misbehaviour::BadCoinShare);
    did(&reports, &["signature shares for jobs of another epoch"]);
    assert!(reports.iter().any(|report| report.peaks.early_shares > 0));
}

#[test]
fn a_vertex_of_its_own_for_each_peer_in_every_round() {
    let reports = against(AdversaryKind::Variants, 2700..2706);
    did(&reports, &["showed a variant"]);
    reported(&reports, Misbehaviour::Equivocation);
}

#[test]
fn requests_altered_invented_and_repeated_in_valid_vertices_take_no_effect() {
    let reports = against(AdversaryKind::Impostor, 2800..2806);
    did(
        &reports,
        &[
            "altered a request",
            "gave a request another identifier",
            "cut a request",
            "invented a request",
            "repeated a request",
            "asked for a refresh",
        ],
    );
    assert!(reports.iter().any(|report| report.repeats > 0), "nothing was executed twice");
}

#[test]
fn the_same_octets_at_two_replicas_at_once_take_effect_once() {
    for seed in seeds(2900..2903) {
        let scenario = Scenario { doubled: true, operations: 10, ..Scenario::new(4, seed) };
        let report = holds(scenario);
        assert!(report.repeats > 0, "seed {seed}: nothing was executed twice");
    }
}

#[test]
fn two_liars_of_seven() {
    for (adversary, seed) in [(AdversaryKind::TimeLiar, 3000), (AdversaryKind::Impostor, 3001)] {
        holds(Scenario { adversary: Some(adversary), operations: 3, ..Scenario::new(7, seed) });
    }
}

#[test]
fn a_crash_at_every_persist_point_loses_nothing_that_was_answered() {
    let short = Scenario { clients: 1, operations: 2, ..Scenario::new(4, 3100) };
    let operations = holds(short).disk_operations;
    println!("{operations} operations");
    let mut failures = 0;
    for operation in 0..operations {
        failures += holds(Scenario { disk: DiskFault::FailAt(operation), ..short }).disk_failures;
    }
    assert!(failures as u64 > operations / 2);
}

#[test]
fn a_flipped_bit_is_refused_with_file_and_offset_and_with_an_empty_disk_the_replica_rejoins() {
    for seed in seeds(3200..3206) {
        let report = holds(Scenario { disk: DiskFault::BitFlip, operations: 8, ..Scenario::new(4, seed) });
        assert_eq!(report.refused_starts, 1, "seed {seed}");
    }
}

#[test]
fn a_full_disk_ends_the_replica_and_room_brings_it_back() {
    for seed in seeds(3300..3303) {
        let report = holds(Scenario { disk: DiskFault::Full, operations: 20, ..Scenario::new(4, seed) });
        assert!(report.disk_failures > 0, "seed {seed}");
    }
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
fn crashes_beside_every_adversary() {
    let kinds = [
        AdversaryKind::BadCoin,
        AdversaryKind::BadParents,
        AdversaryKind::FarFuture,
        AdversaryKind::Forge,
        AdversaryKind::Impostor,
        AdversaryKind::OldEpoch,
        AdversaryKind::Replay,
        AdversaryKind::Selective,
        AdversaryKind::TimeLiar,
        AdversaryKind::Variants,
    ];
    for (adversary, stated) in kinds.into_iter().zip(3400..) {
        for seed in seeds(stated..stated + 1) {
            let adversary = Some(adversary);
            holds(Scenario { adversary, crashes: Crashes::OneByOne, ..Scenario::new(4, seed) });
        }
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
