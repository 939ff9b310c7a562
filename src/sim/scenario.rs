//! Scenarios as seeds and as command lines.
use super::adversaries::AdversaryKind;
use super::chance::Chance;
use super::schedulers::SchedulerKind;
use super::{Crashes, DiskFault, Losses, Scenario};
use crate::signing::Protocol;
use clap::ValueEnum;
use std::fmt;
use std::str::FromStr;

/// Keeps what a seed chooses apart from what happens in its run.
const CHOICE: u64 = 0x5ce7_a210_c401_ce00;
const SIGNING_CHOICE: u64 = 0x51b7_a210_c401_ce00;

impl Scenario {
    /// The scenario that a seed chooses: over fifteen hundred seeds, every scheduler meets every adversary and kind of crash,
    /// but those that are aimed at one promise.
    pub fn of_seed(seed: u64) -> Self {
        let mut chance = Chance::new(seed ^ CHOICE);
        let adversaries = AdversaryKind::value_variants().iter().filter(|kind| !kind.is_aimed());
        let adversaries: Vec<_> = adversaries.copied().collect();
        let schedulers = SchedulerKind::value_variants().iter().filter(|kind| !kind.is_aimed());
        let schedulers: Vec<_> = schedulers.copied().collect();
        let adversary = if chance.one_in(3) { None } else { Some(chance.pick(&adversaries)) };
        let chosen = Self {
            n: chance.pick(&[4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1, 5, 5, 7]),
            scheduler: chance.pick(&schedulers),
            adversary,
            crashes: chance.pick(&[
                Crashes::Never,
                Crashes::Never,
                Crashes::Never,
                Crashes::OneByOne,
                Crashes::OneByOne,
                Crashes::AllAtOnce,
            ]),
            clients: chance.range(1, 4) as usize,
            operations: chance.range(3, 6) as usize,
            idle_ms: if chance.one_in(8) { 60_000 } else { 0 },
            ordered_reads: chance.one_in(6),
            doubled: chance.one_in(4),
            disk: match chance.range(0, 15) {
                0 => DiskFault::Full,
                1 => DiskFault::BitFlip,
                2 => DiskFault::FailAt(chance.range(0, 300)),
                _ => DiskFault::Never,
            },
            ..Self::new(4, seed)
        };
        // A replica whose disk is damaged is gone until it is emptied, and so one of the t; with one replica there is no other.
        let spare = chosen.adversary.is_none() && chosen.crashes == Crashes::Never && chosen.n > 3;
        let bears = chosen.disk != DiskFault::BitFlip || spare;
        // Of a chance of its own: what else a seed chooses is as it was before there were three.
        let signing = Chance::new(seed ^ SIGNING_CHOICE).pick(&Protocol::ALL);
        let chosen = Self { disk: if bears { chosen.disk } else { DiskFault::Never }, signing, ..chosen };
        // Who is lost counts among the t, and so does who is corrupt; and what is lost takes long enough by itself.
        let alone = chosen.crashes == Crashes::Never && chosen.disk == DiskFault::Never && chosen.n == 4;
        if !alone || chosen.adversary.is_some() || !chance.one_in(4) {
            return chosen;
        }
        Self {
            losses: chance.pick(&[Losses::Away, Losses::CutOff, Losses::Wiped]),
            rest: chance.one_in(2),
            interrupted: chance.one_in(2),
            idle_ms: 0,
            ..chosen
        }
    }
}

/// The name of a value on the command line.
pub fn name<T: ValueEnum>(value: &T) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// The command line that runs it.
impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let adversary = self.adversary.as_ref().map_or("none".to_owned(), name);
        write!(f, "conclave sim --seed {} --n {} --scheduler {}", self.seed, self.n, name(&self.scheduler))?;
        write!(f, " --adversary {adversary} --crashes {}", name(&self.crashes))?;
        write!(f, " --clients {} --operations {}", self.clients, self.operations)?;
        write!(f, " --idle-ms {} --ordered-reads={}", self.idle_ms, self.ordered_reads)?;
        write!(f, " --rolls {}", name(&self.rolls))?;
        write!(f, " --doubled={} --signing {}", self.doubled, self.signing)?;
        write!(f, " --disk {} --losses {}", self.disk, name(&self.losses))?;
        write!(f, " --succession {}", name(&self.succession))?;
        write!(f, " --rest={} --interrupted={} --pace-ms {}", self.rest, self.interrupted, self.pace_ms)?;
        write!(f, " --refreshes {}", self.refreshes)?;
        match &self.plant {
            Some(plant) => write!(f, " --plant {}", name(plant)),
            None => Ok(()),
        }
    }
}

/// As the command line has it.
impl fmt::Display for DiskFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Full => f.write_str("full"),
            Self::BitFlip => f.write_str("bit-flip"),
            Self::FailAt(operation) => write!(f, "fail-at-{operation}"),
        }
    }
}

impl FromStr for DiskFault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "never" => Ok(Self::Never),
            "full" => Ok(Self::Full),
            "bit-flip" => Ok(Self::BitFlip),
            _ => text
                .strip_prefix("fail-at-")
                .and_then(|operation| operation.parse().ok())
                .map(Self::FailAt)
                .ok_or("expected never, full, bit-flip or fail-at-K".into()),
        }
    }
}
