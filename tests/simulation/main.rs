//! Whole replicas in simulated worlds: every scheduler, every adversary, every crash; and planted bugs, which must be
//! found. Each run prints its seed; `CONCLAVE_SEED=N cargo test --release --test simulation NAME -- --nocapture` runs the
//! tests whose names contain NAME with that seed alone. `conclave sim` runs many more, and shows one.

use clap::ValueEnum;
use conclave::protocol::Misbehaviour;
use conclave::signing::Protocol;
use conclave::sim::adversaries::AdversaryKind;
use conclave::sim::coverage::Coverage;
use conclave::sim::schedulers::SchedulerKind;
use conclave::sim::svg::Drawing;
use conclave::sim::trace::{Level, Trace};
use conclave::sim::{Crashes, DiskFault, Losses, Plant, Report, Rolls, Scenario, Succession, run, watch};

mod adversaries;
mod disks;
mod epochs;
mod losses;
mod plants;
mod refreshes;
mod rolls;
mod schedulers;
mod signing;
mod zones;

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
fn correct_replicas_under_every_scheduler() {
    all_schedulers(None, 100..102);
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
