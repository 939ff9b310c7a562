//! `conclave sim`: whole clusters in a simulated world ([`crate::sim`]).
//!
//! With `--seed` one run, told as it goes ([`crate::sim::trace`]) and drawn if asked; with `--seeds` many, on several threads,
//! of which a summary is printed: how fast, what they have exercised, and each broken promise with the command that
//! shows it again. What no option says, the seed chooses, so that many seeds explore everything.

mod many;

use super::{Failure, print, signing_protocol};
use crate::ceremony::cluster::Protocol;
use crate::ceremony::files::plain;
use crate::limits::MAX_REPLICAS;
use crate::sim::adversaries::AdversaryKind;
use crate::sim::schedulers::SchedulerKind;
use crate::sim::svg::{Drawing, MAX_COLUMNS};
use crate::sim::trace::{Level, Trace};
use crate::sim::{Crashes, DiskFault, Losses, Plant, Report, Rolls, Scenario, Succession, watch};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::PathBuf;

/// Arguments of `conclave sim`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "What is not said, the seed chooses. Exit code 1: a promise was broken.\n\nExamples:\n  \
                  conclave sim --seed 7\n  conclave sim --seed 7 --trace none --svg dag.svg --rounds 1..40\n  \
                  conclave sim --seeds 0..1000 --jobs 4\n  \
                  conclave sim --seeds 0..200 --scheduler coin-aware --adversary equivocate\n  \
                  conclave sim --seed 1300 --n 4 --crashes one-by-one --plant send-before-sync"
)]
pub struct Arguments {
    /// One run
    #[arg(long, value_name = "N", required_unless_present = "seeds", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Many runs: from A, up to and without B
    #[arg(long, value_name = "A..B", value_parser = range)]
    seeds: Option<Range<u64>>,
    /// Threads for many runs [default: as many as the machine has]
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u16).range(1..=1024), requires = "seeds")]
    jobs: Option<u16>,
    #[command(flatten)]
    choices: Choices,
    /// What to print of one run
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "events", conflicts_with = "seeds")]
    trace: Level,
    /// Draw the run's DAG into this file
    #[arg(long, value_name = "FILE", conflicts_with = "seeds")]
    svg: Option<PathBuf>,
    /// The rounds to draw: from A, up to and without B, at most 200
    #[arg(long, value_name = "A..B", value_parser = range, default_value = "1..41", requires = "svg")]
    rounds: Range<u64>,
}

/// What a scenario is made of; the seed chooses the rest.
#[derive(Args, Clone, Copy, Debug)]
struct Choices {
    /// Replicas
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_REPLICAS)))]
    n: Option<u8>,
    /// Who decides how long messages take
    #[arg(long, value_enum, value_name = "KIND")]
    scheduler: Option<SchedulerKind>,
    /// What t corrupt replicas do
    #[arg(long, value_name = "KIND", value_parser = adversaries())]
    adversary: Option<Adversary>,
    /// Who crashes
    #[arg(long, value_enum, value_name = "WHO")]
    crashes: Option<Crashes>,
    /// Clients
    #[arg(long, value_name = "C", value_parser = clap::value_parser!(u8).range(1..))]
    clients: Option<u8>,
    /// Operations of each client
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(1..))]
    operations: Option<u16>,
    /// Virtual milliseconds of silence before each client's last operation
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(..=100_000_000))]
    idle_ms: Option<u64>,
    /// Whether queries go through the order
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    ordered_reads: Option<bool>,
    /// Whether clients give the same octets to two replicas at once
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    doubled: Option<bool>,
    /// How signing sessions go
    #[arg(long, value_name = "PROTOCOL", value_parser = signing_protocol())]
    signing: Option<Protocol>,
    /// Which of the zone's keys operators roll meanwhile
    #[arg(long, value_enum, value_name = "KEYS")]
    rolls: Option<Rolls>,
    /// What befalls the first replica's disk: never, full, bit-flip, fail-at-K (its K-th writing operation)
    #[arg(long, value_name = "FAULT")]
    disk: Option<DiskFault>,
    /// Who loses more than a crash takes, one after another
    #[arg(long, value_enum, value_name = "WHAT")]
    losses: Option<Losses>,
    /// Whether and how the run goes on in another epoch
    #[arg(long, value_enum, value_name = "HOW")]
    succession: Option<Succession>,
    /// Whether clients rest while a lost replica comes back
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    rest: Option<bool>,
    /// Whether a lost replica crashes on its way back
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    interrupted: Option<bool>,
    /// Virtual milliseconds from one operation of a client to its next
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(..=100_000_000))]
    pace_ms: Option<u64>,
    /// Refreshes of keys
    #[arg(long, value_name = "N")]
    refreshes: Option<usize>,
    /// Plant a bug in the first replica, which must be found
    #[arg(long, value_enum, value_name = "BUG")]
    plant: Option<Plant>,
}

#[derive(Clone, Copy, Debug)]
struct Adversary(Option<AdversaryKind>);

fn adversaries() -> impl TypedValueParser<Value = Adversary> {
    let kinds = AdversaryKind::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let none = clap::builder::PossibleValue::new("none").help("All replicas are correct");
    let parser = PossibleValuesParser::new(std::iter::once(none).chain(kinds));
    parser.map(|name| Adversary(AdversaryKind::from_str(&name, false).ok()))
}

/// `A..B`, with A < B.
fn range(text: &str) -> Result<Range<u64>, String> {
    let parsed = text.split_once("..").and_then(|(a, b)| Some(a.parse().ok()?..b.parse().ok()?));
    parsed
        .filter(|range: &Range<u64>| !range.is_empty())
        .ok_or("expected A..B with A below B, as 0..100".into())
}

impl Choices {
    fn scenario(&self, seed: u64) -> Scenario {
        let chosen = Scenario::of_seed(seed);
        Scenario {
            n: self.n.unwrap_or(chosen.n),
            scheduler: self.scheduler.unwrap_or(chosen.scheduler),
            adversary: self.adversary.map_or(chosen.adversary, |adversary| adversary.0),
            crashes: self.crashes.unwrap_or(chosen.crashes),
            clients: self.clients.map_or(chosen.clients, usize::from),
            operations: self.operations.map_or(chosen.operations, usize::from),
            idle_ms: self.idle_ms.unwrap_or(chosen.idle_ms),
            ordered_reads: self.ordered_reads.unwrap_or(chosen.ordered_reads),
            doubled: self.doubled.unwrap_or(chosen.doubled),
            signing: self.signing.unwrap_or(chosen.signing),
            rolls: self.rolls.unwrap_or(chosen.rolls),
            disk: self.disk.unwrap_or(chosen.disk),
            losses: self.losses.unwrap_or(chosen.losses),
            succession: self.succession.unwrap_or(chosen.succession),
            rest: self.rest.unwrap_or(chosen.rest),
            interrupted: self.interrupted.unwrap_or(chosen.interrupted),
            pace_ms: self.pace_ms.unwrap_or(chosen.pace_ms),
            padding: chosen.padding,
            refreshes: self.refreshes.unwrap_or(chosen.refreshes),
            plant: self.plant,
            seed,
        }
    }
}

/// Runs `conclave sim`.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match (&arguments.seeds, arguments.seed) {
        (Some(seeds), _) => many::run(seeds.clone(), arguments.jobs, |seed| arguments.choices.scenario(seed)),
        (None, seed) => one(arguments, &arguments.choices.scenario(seed.unwrap_or_default())),
    }
}

fn one(arguments: &Arguments, scenario: &Scenario) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut gone = writeln!(out, "{scenario}").is_err();
    let mut drawing = Drawing::new();
    let mut trace = Trace::new(arguments.trace, |line: &str| gone |= writeln!(out, "{line}").is_err());
    let ended = match &arguments.svg {
        Some(_) => watch(scenario, &mut [&mut trace, &mut drawing]),
        None => watch(scenario, &mut [&mut trace]),
    };
    drop(trace);
    if out.flush().is_err() || gone {
        // The reader went away.
        std::process::exit(1);
    }
    drop(out);
    if let Some(path) = &arguments.svg {
        let Range { start, end } = arguments.rounds;
        let svg = drawing.svg(start..=(end - 1).min(start.saturating_add(MAX_COLUMNS)));
        let written = std::fs::write(path, svg);
        written.map_err(|e| Failure::new(format!("{}: {}", path.display(), plain(&e))))?;
    }
    match ended {
        Ok(report) => {
            print(&summary(&report));
            Ok(())
        }
        Err(violation) => Err(Failure::new(violation)),
    }
}

fn summary(report: &Report) -> String {
    format!(
        "all promises kept: {:.1} virtual seconds, {} rounds, {} batches, {} messages, {} operations in {} tries, {} crashes, \
         {} faults reported, at most {} rounds for an operation\n",
        report.virtual_ms as f64 / 1_000.0,
        report.rounds,
        report.batches,
        report.messages,
        report.operations,
        report.tries,
        report.crashes,
        report.faults.values().sum::<u64>(),
        report.worst_rounds
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn a_scenario_prints_as_the_command_line_that_replays_it() {
        let mut scenarios: Vec<Scenario> = (0..500).map(Scenario::of_seed).collect();
        scenarios.extend(Plant::value_variants().iter().map(|plant| Scenario {
            plant: Some(*plant),
            idle_ms: 600_000,
            ..Scenario::new(7, u64::MAX)
        }));
        for scenario in scenarios {
            let line = scenario.to_string();
            let words = line.strip_prefix("conclave ").expect(&line).split(' ');
            let parsed = Command::try_parse_from(words).unwrap_or_else(|e| panic!("{line}: {e}"));
            let seed = parsed.arguments.seed.expect(&line);
            assert_eq!(parsed.arguments.choices.scenario(seed), scenario, "{line}");
        }
    }

    #[test]
    fn fifteen_hundred_seeds_choose_every_kind_of_everything() {
        let all: Vec<Scenario> = (0..1_500).map(Scenario::of_seed).collect();
        for scheduler in SchedulerKind::value_variants().iter().filter(|kind| !kind.is_aimed()) {
            for adversary in AdversaryKind::value_variants().iter().filter(|kind| !kind.is_aimed()) {
                let both = |s: &Scenario| s.scheduler == *scheduler && s.adversary == Some(*adversary);
                assert!(all.iter().any(both), "{scheduler:?} never meets {adversary:?}");
            }
        }
        for n in [1, 4, 5, 7] {
            assert!(all.iter().any(|scenario| scenario.n == n), "{n} replicas");
        }
        for protocol in Protocol::ALL {
            let forged =
                |s: &Scenario| s.signing == protocol && s.adversary == Some(AdversaryKind::Forge) && s.n > 3;
            assert!(all.iter().any(forged), "{protocol} never meets a forger");
        }
        // An absence takes a run of many operations; `Losses` has shorter ones.
        for crashes in Crashes::value_variants().iter().filter(|crashes| **crashes != Crashes::LongAbsence) {
            assert!(all.iter().any(|scenario| scenario.crashes == *crashes), "{crashes:?}");
        }
    }
}
