//! Whole replicas in simulated worlds: every scheduler, every adversary, every crash; and planted bugs, which must be
//! found. Each run prints its seed; `CONCLAVE_SEED=N cargo test --release --test simulation NAME -- --nocapture` runs the
//! tests whose names contain NAME with that seed alone. `conclave sim` runs many more, and shows one.

use clap::ValueEnum;
use conclave::protocol::Misbehaviour;
use conclave::sim::adversaries::AdversaryKind;
use conclave::sim::coverage::Coverage;
use conclave::sim::schedulers::SchedulerKind;
use conclave::sim::svg::Drawing;
use conclave::sim::trace::{Level, Trace};
use conclave::sim::{Crashes, DiskFault, Losses, Plant, Report, Scenario, run, watch};

/// The seeds of a test, or the one from the environment.
fn seeds(stated: std::ops::Range<u64>) -> Vec<u64> {
    match std::env::var("CONCLAVE_SEED") {
        Ok(text) => vec![text.parse().expect("CONCLAVE_SEED is a number")],
        Err(_) => stated.collect(),
    }
}

/// Runs a scenario in which every promise must hold.
fn holds(scenario: Scenario) -> Report {
    let report = run(&scenario).unwrap_or_else(|violation| panic!("{violation}\nsee it again: {scenario}"));
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
    for scheduler in SchedulerKind::value_variants() {
        for seed in seeds(stated.clone()) {
            let scheduler = *scheduler;
            holds(Scenario { scheduler, adversary, ..Scenario::new(4, seed) });
        }
    }
}

#[test]
fn correct_replicas_under_every_scheduler() {
    all_schedulers(None, 100..102);
}

#[test]
fn an_equivocator_with_two_copies_and_one_key() {
    all_schedulers(Some(AdversaryKind::Equivocate), 200..202);
}

#[test]
fn a_forger_of_signature_shares() {
    all_schedulers(Some(AdversaryKind::Forge), 300..301);
}

#[test]
fn a_mute_replica() {
    all_schedulers(Some(AdversaryKind::Mute), 400..401);
}

#[test]
fn a_replica_that_replays_what_it_said() {
    all_schedulers(Some(AdversaryKind::Replay), 500..501);
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
fn vertices_in_the_names_of_others_are_refused() {
    let reports = against(AdversaryKind::OtherNames, 2650..2656);
    reported(&reports, Misbehaviour::BadSignature);
    did(&reports, &["a vertex in another's name", "a vertex that another signed in another cluster"]);
}

#[test]
fn a_replica_that_was_away_until_the_others_had_collected_what_it_lacks_returns() {
    for seed in seeds(3400..3402) {
        let crashes = Crashes::LongAbsence;
        holds(Scenario { crashes, operations: 60, ..Scenario::new(4, seed) });
    }
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

/// What a scheduler's runs have exercised, all promises kept; they have something to look at in each of the groups.
fn exercised(scheduler: SchedulerKind, stated: std::ops::Range<u64>, must: &[(&str, &str)]) {
    let mut all = Coverage::new();
    for seed in seeds(stated) {
        let crashes = if seed % 2 == 0 { Crashes::Never } else { Crashes::OneByOne };
        let scenario = Scenario { scheduler, crashes, ..Scenario::new(4, seed) };
        let mut coverage = Coverage::new();
        watch(&scenario, &mut [&mut coverage])
            .unwrap_or_else(|violation| panic!("{violation}\nsee it again: {scenario}"));
        all.add(&coverage);
    }
    for (group, what) in must {
        assert!(all.times(group, what) > 0, "{scheduler:?} never reached {group}: {what}\n{all}");
    }
}

#[test]
fn priorities_that_change_put_messages_off() {
    exercised(SchedulerKind::Pct, 2000..2004, &[("links", "message put off")]);
}

#[test]
fn a_round_robin_with_few_delays() {
    exercised(SchedulerKind::DelayBounded, 2100..2104, &[("slots", "committed by certificates")]);
}

#[test]
fn a_scheduler_that_knows_the_coin_forces_anchors_and_skips_and_stops_nothing() {
    let must = [
        ("links", "message put off"),
        ("slots", "skipped by blames"),
        ("slots", "committed by an anchor"),
        ("slots", "skipped by an anchor"),
    ];
    exercised(SchedulerKind::CoinAware, 2200..2208, &must);
}

#[test]
fn connections_that_end_lose_queues_and_bring_old_messages_again() {
    let must = [
        ("links", "cut with loss"),
        ("links", "cut without loss"),
        ("links", "message again"),
        ("messages", "fetched vertices"),
        ("messages", "page"),
    ];
    exercised(SchedulerKind::Reconnect, 2300..2304, &must);
}

#[test]
fn t_replicas_behind_and_parts_that_come_together() {
    exercised(
        SchedulerKind::Lagging,
        2400..2402,
        &[("slots", "skipped by blames"), ("vertices", "with weak links")],
    );
    exercised(SchedulerKind::Partition, 2500..2502, &[("messages", "fetched vertices")]);
}

#[test]
fn crashes_tear_the_log_and_it_is_opened_again() {
    exercised(SchedulerKind::Random, 2600..2608, &[("machines", "start with a torn tail")]);
}

#[test]
fn one_seed_is_one_run_whoever_looks_on() {
    let adversary = Some(AdversaryKind::Equivocate);
    for scheduler in SchedulerKind::value_variants() {
        let scheduler = *scheduler;
        let scenario = Scenario { adversary, scheduler, clients: 1, operations: 2, ..Scenario::new(4, 1200) };
        let looked_on = || {
            let (mut text, mut drawing, mut coverage) = (String::new(), Drawing::new(), Coverage::new());
            let mut trace = Trace::new(Level::Messages, |line: &str| text += line);
            let report = watch(&scenario, &mut [&mut trace, &mut drawing, &mut coverage]);
            drop(trace);
            (report, text, drawing.svg(1..=40), coverage.to_string())
        };
        let (first, second) = (looked_on(), looked_on());
        assert_eq!(first.0, Ok(holds(scenario)), "{scenario}: a witness changed the run");
        assert!(first == second, "{scenario}: two runs of one seed differ");
        for what in ["vertex", "coin", "slots", "batch", "publish", "request", "reply", "send"] {
            assert!(first.1.contains(what), "{scenario}: the trace has no {what}");
        }
        for class in ["\"v p", "\"v lead", "\"cert\"", "\"vote\"", "\"e\"", "\"c\""] {
            assert!(first.2.contains(&format!("class={class}")), "{scenario}: the drawing has no {class}");
        }
    }
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
}
