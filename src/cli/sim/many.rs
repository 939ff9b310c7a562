//! Many runs on several threads, and what they came to. After Ctrl-C those that run end, and what there is is told; a second
//! one ends the program at once.
use crate::ceremony::files::plain;
use crate::cli::progress::RunsDisplay;
use crate::cli::{Failure, print};
use crate::sim::coverage::Coverage;
use crate::sim::scenario::name;
use crate::sim::{Report, Scenario, Violation, watch};
use signal_hook::consts::SIGINT;
use signal_hook::flag;
use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What the runs came to so far.
#[derive(Default)]
struct Sum {
    runs: u64,
    virtual_ms: u64,
    rounds: u64,
    batches: u64,
    messages: u64,
    coverage: Coverage,
    failures: Vec<(Scenario, Violation)>,
}

impl Sum {
    fn add(&mut self, scenario: Scenario, ended: Result<Report, Violation>, coverage: &Coverage) {
        self.runs += 1;
        self.coverage.add(coverage);
        match ended {
            Ok(report) => {
                self.virtual_ms += report.virtual_ms;
                self.rounds += report.rounds;
                self.batches += report.batches;
                self.messages += report.messages;
            }
            Err(violation) => self.failures.push((scenario, violation)),
        }
    }

    fn text(&self, took: Duration) -> String {
        let seconds = took.as_secs_f64();
        format!(
            "{}\n{} runs in {seconds:.1} s, {:.1} a second: {:.0} virtual seconds, {} rounds, {} batches, {} messages; {} failed\n",
            self.coverage,
            self.runs,
            self.runs as f64 / seconds,
            self.virtual_ms as f64 / 1_000.0,
            self.rounds,
            self.batches,
            self.messages,
            self.failures.len()
        )
    }
}

/// Runs the scenarios of these seeds.
pub(super) fn run(
    seeds: Range<u64>,
    jobs: Option<u16>,
    scenario: impl Fn(u64) -> Scenario + Sync,
) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let caught = flag::register_conditional_shutdown(SIGINT, 1, stop.clone())
        .and_then(|_| flag::register(SIGINT, stop.clone()));
    caught.map_err(|e| Failure::new(format!("signals cannot be caught: {}", plain(&e))))?;
    let started = Instant::now();
    let count = seeds.end - seeds.start;
    let threads = jobs.map_or_else(|| thread::available_parallelism().map_or(1, NonZero::get), usize::from);
    let display = RunsDisplay::new(count);
    let sum = Mutex::new(Sum::default());
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let done = next.fetch_add(1, Ordering::Relaxed);
                    if done >= count || stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let scenario = scenario(seeds.start + done);
                    let (ended, coverage) = observed(&scenario);
                    if let Err(violation) = &ended {
                        display.say(&format!("{scenario}\n  {violation}"));
                    }
                    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                    sum.add(scenario, ended, &coverage);
                    display.ran(sum.failures.len());
                }
            });
        }
    });
    display.end();
    let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.failures.sort_by_key(|(scenario, _)| scenario.seed);
    print(&sum.text(started.elapsed()));
    if sum.failures.is_empty() {
        return Ok(());
    }
    let line =
        |(scenario, violation): &(Scenario, Violation)| format!("{violation}; see it again: {scenario}");
    Err(Failure(sum.failures.iter().map(line).collect()))
}

/// One run, with what it exercised.
fn observed(scenario: &Scenario) -> (Result<Report, Violation>, Coverage) {
    let mut coverage = Coverage::new();
    coverage.chose("n", &scenario.n.to_string());
    coverage.chose("scheduler", &name(&scenario.scheduler));
    coverage.chose("adversary", &scenario.adversary.as_ref().map_or("none".to_owned(), name));
    coverage.chose("crashes", &name(&scenario.crashes));
    let ended = watch(scenario, &mut [&mut coverage]);
    (ended, coverage)
}
