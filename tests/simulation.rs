//! Whole replicas in simulated worlds: every scheduler, every adversary, every crash; and planted bugs, which must be
//! found. Each run prints its seed; `CONCLAVE_SEED=N cargo test --release --test simulation NAME -- --nocapture` runs the
//! tests whose names contain NAME with that seed alone. `conclave sim` runs many more, and shows one.

use clap::ValueEnum;
use conclave::sim::adversaries::AdversaryKind;
use conclave::sim::coverage::Coverage;
use conclave::sim::schedulers::SchedulerKind;
use conclave::sim::svg::Drawing;
use conclave::sim::trace::{Level, Trace};
use conclave::sim::{Crashes, Plant, Report, Scenario, run, watch};

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
