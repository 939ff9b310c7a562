//! Arguments and output of the programs.
//!
//! | command | is |
//! |---|---|
//! | `conclave demo` ([`demo`]) | a whole cluster on this machine |
//! | `conclave replica` | one replica in the foreground |
//! | `conclave check` | what is wrong with a replica's files |
//! | `conclave check-zone` ([`check_zone`]) | what is wrong with a master file |
//! | `conclave keygen`, `conclave import` ([`operator`]) | a replica's side of the key ceremony |
//! | `conclave operator-key` ([`operator`]) | the key of a person who manages zones |
//! | `conclave ctl` ([`ctl`]) | questions to a running replica |
//! | `conclave update` | what a script of nsupdate says, sent |
//! | `conclave sim` ([`sim`]) | simulated clusters, whose runs a seed decides |
//! | `conclave completions` | completions for a shell |
//!
//! The dealer's commands stand in `keys-tooling/`. Results go to stdout; logs, progress and what is wrong to stderr,
//! one line each. Exit codes: 0 done, 1 failed, 2 wrong usage.
#![forbid(unsafe_code)]

pub mod check_zone;
pub mod ctl;
pub mod demo;
mod metrics;
pub mod operator;
pub mod progress;
pub mod sim;
mod update;

use crate::ceremony::cluster::Protocol;
use crate::ceremony::files::Problem;
use crate::ceremony::words;
use crate::codec::Digest;
use crate::runtime::config::ReplicaFile;
use crate::runtime::{self, Options};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::fmt;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// What went wrong: one line each, ready to print.
#[derive(Debug)]
pub struct Failure(pub Vec<String>);

impl Failure {
    /// One line.
    pub fn new(line: impl fmt::Display) -> Self {
        Self(vec![line.to_string()])
    }

    /// Prints the lines to stderr; the exit code of a failure.
    pub fn report(&self) -> ExitCode {
        for line in &self.0 {
            eprintln!("error: {line}");
        }
        ExitCode::from(1)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::new(problem)
    }
}

impl From<Vec<Problem>> for Failure {
    fn from(problems: Vec<Problem>) -> Self {
        Self(problems.iter().map(Problem::to_string).collect())
    }
}

/// Writes to stdout; a reader that went away ends the program quietly.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

/// That the operator knows the words of a plan: he says them, or is shown them on a terminal and asked.
pub fn agree(plan: &Digest, said: Option<&str>) -> Result<(), Failure> {
    if let Some(said) = said {
        let reason = "these are not the words of this plan: stop, and compare the plans";
        return if words::matches(plan, said) { Ok(()) } else { Err(Failure::new(reason)) };
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new("say the words of the plan with --words, or do this on a terminal"));
    }
    eprintln!("The words of the plan:");
    words::lines(plan).iter().for_each(|line| eprintln!("  {line}"));
    eprint!("Are they those that all operators have read out? yes or no: ");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    match read.map(|_| answer.trim()) {
        Ok("yes") => Ok(()),
        _ => Err(Failure::new("not agreed: nothing was done")),
    }
}

/// Reads the name of a signing protocol.
pub fn signing_protocol() -> impl TypedValueParser<Value = Protocol> {
    let help = |protocol| match protocol {
        Protocol::Basic => "Each share with its proof, verified before use",
        Protocol::OptProof => "Shares without proofs; if they do not combine, all prove theirs",
        Protocol::OptTe => "Shares without proofs, tried in other company before proofs are asked for",
    };
    let value = |protocol: Protocol| PossibleValue::new(protocol.name()).help(help(protocol));
    PossibleValuesParser::new(Protocol::ALL.map(value)).try_map(|name| name.parse::<Protocol>())
}

#[derive(Parser)]
#[command(
    name = "conclave",
    version,
    about = "An authoritative DNS service that no single machine can corrupt, forge or stop",
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage.\n\nExample:\n  conclave demo\n  \
                  conclave check-zone example.test.zone\n  conclave ctl status\n  conclave ctl export example.test"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    log: LogArguments,
}

/// How to log.
#[derive(Args, Clone, Copy, Debug)]
pub struct LogArguments {
    /// Form of the log on stderr
    #[arg(long, value_enum, value_name = "FORM", global = true)]
    pub log: Option<LogForm>,
    /// Log more: -v debug, -vv everything
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// Forms of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum LogForm {
    /// For people
    Human,
    /// One JSON object a line
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Deal keys and run a whole cluster on this machine, until Ctrl-C
    Demo(demo::Arguments),
    /// Run one replica in the foreground; SIGTERM stops it
    Replica {
        /// The replica's replica.toml
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// End when the process that started this one ends
        #[arg(long, hide = true)]
        end_with_parent: bool,
    },
    /// Make a replica's own keys, on its own machine
    Keygen(operator::Keygen),
    /// Take what was dealt to a replica, on its own machine
    Import(operator::Import),
    /// Make the key of an operator, who may have zones changed
    OperatorKey(operator::OperatorKeyArguments),
    /// Say what is wrong with a replica's files
    Check {
        /// The replica's replica.toml
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Say what is wrong with a master file, as named-checkzone does
    CheckZone(check_zone::Arguments),
    /// Ask a running replica
    Ctl(ctl::Arguments),
    /// Send what a script of nsupdate says, and be told why not
    Update(update::Arguments),
    /// Run whole clusters in a simulated world, and look for broken promises
    Sim(sim::Arguments),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// The program `conclave`.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Demo(arguments) => demo::run(&arguments, cli.log),
        Command::Replica { config, end_with_parent } => replica(&config, end_with_parent, cli.log),
        Command::Keygen(arguments) => operator::keygen(&arguments),
        Command::Import(arguments) => operator::import(&arguments),
        Command::OperatorKey(arguments) => operator::operator_key(&arguments),
        Command::Check { config } => check(&config),
        Command::CheckZone(arguments) => check_zone::run(&arguments),
        Command::Ctl(arguments) => ctl::run(&arguments),
        Command::Update(arguments) => update::run(&arguments),
        Command::Sim(arguments) => sim::run(&arguments),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "conclave", &mut script);
            print(&String::from_utf8_lossy(&script));
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn replica(config: &std::path::Path, end_with_parent: bool, log: LogArguments) -> Result<(), Failure> {
    let mut file = ReplicaFile::read(config)?;
    if let Some(form) = log.log {
        file.json_logs = form == LogForm::Json;
    }
    match log.verbose {
        0 => {}
        1 => file.log_level = "debug".into(),
        _ => file.log_level = "trace".into(),
    }
    let options = Options { end_with_parent, json_logs: file.json_logs, ..Options::default() };
    runtime::run(file, options).map_err(|error| Failure(error.0.lines().map(str::to_owned).collect()))
}

fn check(config: &std::path::Path) -> Result<(), Failure> {
    let loaded = ReplicaFile::read(config)?.load()?;
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    let committee = loaded.consensus.committee;
    print(&format!(
        "{}: in order: replica {} of {}, signing by {}, cluster {}\n",
        config.display(),
        loaded.file.me,
        committee.n(),
        loaded.signing,
        loaded.cluster.id().0.to_hex()
    ));
    Ok(())
}
