//! How long work is shown: bars on a terminal; elsewhere lines, or nothing.

use crate::ceremony::deal::Progress;
use crate::threshold::dealer::DealProgress;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Shows the search for keys on stderr.
pub struct DealDisplay {
    bars: Option<MultiProgress>,
    shown: Mutex<BTreeMap<usize, Shown>>,
}

#[derive(Default)]
struct Shown {
    bar: Option<ProgressBar>,
    primes: u8,
    candidates: u64,
}

impl Default for DealDisplay {
    fn default() -> Self {
        let bars = std::io::stderr().is_terminal().then(MultiProgress::new);
        Self { bars, shown: Mutex::default() }
    }
}

impl DealDisplay {
    /// Takes the news of one key.
    pub fn tell(&self, news: Progress<'_>) {
        let mut all = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = all
            .entry(news.key)
            .or_insert_with(|| Shown { bar: self.new_bar(news.label), ..Shown::default() });
        match news.event {
            Some(DealProgress::Candidates(count)) => shown.candidates = count,
            Some(DealProgress::Primes(count)) => {
                shown.primes = count;
                if shown.bar.is_none() {
                    eprintln!("{}: safe prime {count} of 2 found", news.label);
                }
            }
            None => match &shown.bar {
                Some(bar) => bar.finish_with_message("dealt"),
                None => eprintln!("{}: dealt", news.label),
            },
        }
        if let Some(bar) = shown.bar.as_ref().filter(|_| news.event.is_some()) {
            bar.set_message(format!("safe primes {} of 2, {} candidates", shown.primes, shown.candidates));
        }
    }

    fn new_bar(&self, label: &str) -> Option<ProgressBar> {
        let bar = self.bars.as_ref()?.add(ProgressBar::new_spinner());
        let style = ProgressStyle::with_template("  {spinner} {prefix}: {msg} ({elapsed})");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_prefix(label.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Some(bar)
    }
}

/// Shows a set of simulated runs on stderr: a bar on a terminal, only the failures elsewhere.
pub struct RunsDisplay {
    bar: Option<ProgressBar>,
}

impl RunsDisplay {
    /// For so many runs.
    pub fn new(runs: u64) -> Self {
        let style = ProgressStyle::with_template("  {bar:30} {pos}/{len} runs, {per_sec}, {eta} left{msg}");
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(runs).with_style(style)
        });
        Self { bar }
    }

    /// A run is over; `failures` so far.
    pub fn ran(&self, failures: usize) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
            if failures > 0 {
                bar.set_message(format!(", {failures} failed"));
            }
        }
    }

    /// Says a line at once, above the bar if there is one.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => eprintln!("{line}"),
        }
    }

    /// The bar goes.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Shows how far a large file has been read: a bar on a terminal, nothing elsewhere.
pub struct ReadDisplay {
    bar: Option<ProgressBar>,
}

impl ReadDisplay {
    /// For a file of so many octets.
    pub fn new(octets: u64) -> Self {
        let style = ProgressStyle::with_template("  {bar:30} {bytes} of {total_bytes}, {msg}, {eta} left");
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(octets).with_style(style)
        });
        Self { bar }
    }

    /// So many octets and records are read; files that are included come on top of what was expected.
    pub fn tell(&self, octets: u64, records: usize) {
        if let Some(bar) = &self.bar {
            if bar.length().is_some_and(|expected| octets > expected) {
                bar.set_length(octets);
            }
            bar.set_position(octets);
            bar.set_message(format!("{records} records"));
        }
    }

    /// All is read, and now looked at.
    pub fn checking(&self) {
        if let Some(bar) = &self.bar {
            bar.set_message("checking");
        }
    }

    /// The bar goes.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
