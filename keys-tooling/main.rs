//! `conclave-dealer`: the key ceremony.
//!
//! | command | does |
//! |---|---|
//! | `plan` | checks a written plan and shows its words |
//! | `init` ([`init`]) | deals a cluster: shares sealed for the replicas of the plan, and the public `cluster.toml` |
//! | `verify` | checks a deal, its receipts, and that its shares sign; or one replica's directory |
//! | `ds`, `dnskey` ([`records`]) | print the DS records for the parents, the DNSKEYs |
//! | `inspect` | prints what is public about one file |
//! | `keys` ([`again`]) | deals a new key, or those of a new zone, to a cluster that runs |
//! | `redeal` ([`again`]) | deals the keys of a backup again: fresh shares, or other members |
//! | `reseal` ([`again`]) | hands a custodian's part to another machine |
//! | `completions` | prints completions for a shell |
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage.
#![forbid(unsafe_code)]

mod again;
mod ask;
mod init;
mod records;

use clap::{CommandFactory, Parser, Subcommand};
use conclave::ceremony::{inspect, verify};
use conclave::cli::{Failure, print};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "conclave-dealer",
    version,
    about = "Deals the keys of a Conclave cluster and checks what was dealt",
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage.\n\nExample:\n  \
                  conclave-dealer plan ceremony.toml\n  conclave-dealer init --from ceremony.toml --out deal\n  \
                  conclave-dealer verify deal\n  conclave-dealer ds deal"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Deal a new cluster
    Init(Box<init::Arguments>),
    /// Check a written plan and show its words
    #[command(after_help = "Example:\n  conclave-dealer plan ceremony.toml")]
    Plan {
        /// The plan
        file: PathBuf,
    },
    /// Print the DS records that belong into the parent zones
    #[command(after_help = "Example:\n  conclave-dealer ds deal --zone example.test")]
    Ds(records::Arguments),
    /// Print the DNSKEY records
    #[command(after_help = "Example:\n  conclave-dealer dnskey deal")]
    Dnskey(records::Arguments),
    /// Deal a new key to a cluster that runs, for a rollover, or both keys of a new zone
    Keys(Box<again::Keys>),
    /// Deal the keys of a backup again: fresh shares, or other replicas
    Redeal(Box<again::Redeal>),
    /// Hand a custodian's part to the machine that is to use it
    Reseal(again::Reseal),
    /// Print what is public about a file; never a secret
    #[command(after_help = "Example:\n  conclave-dealer inspect cluster/replica-1/coin.share")]
    Inspect {
        /// Any file of a cluster
        file: PathBuf,
    },
    /// Check everything in a deal: the plan, the receipts, and that shares sign and combine; or one replica's directory
    #[command(
        after_help = "Examples:\n  conclave-dealer verify deal\n  conclave-dealer verify /etc/conclave"
    )]
    Verify {
        /// The directory that was dealt, or that of one replica
        dir: PathBuf,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Init(arguments) => init::run(&arguments),
        Command::Plan { file } => init::show_plan(&file),
        Command::Ds(arguments) => records::ds(&arguments),
        Command::Dnskey(arguments) => records::dnskey(&arguments),
        Command::Keys(arguments) => again::keys(&arguments),
        Command::Redeal(arguments) => again::redeal(&arguments),
        Command::Reseal(arguments) => again::reseal(&arguments),
        Command::Inspect { file } => inspect::inspect(&file).map(|text| print(&text)).map_err(Failure::from),
        Command::Verify { dir } => check(&dir),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "conclave-dealer", &mut script);
            print(&String::from_utf8_lossy(&script));
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn check(dir: &Path) -> Result<(), Failure> {
    // What an operator has beside his cluster file, and a deal has not.
    let is_replica = dir.join("replica.toml").exists();
    let found = if is_replica { verify::verify_own(dir) } else { verify::verify(dir) };
    found.good.iter().for_each(|line| print(&format!("{line}\n")));
    if found.problems.is_empty() { Ok(()) } else { Err(found.problems.into()) }
}
