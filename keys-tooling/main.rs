//! `conclave-dealer`: the key ceremony.
//!
//! | command | does |
//! |---|---|
//! | `init` ([`init`]) | deals a cluster: a directory a replica, and the public `cluster.toml` |
//! | `ds` | prints the DS records for the parents |
//! | `inspect` | prints what is public about one file |
//! | `verify` | checks a dealt directory, and that its shares sign |
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage.
#![forbid(unsafe_code)]

mod init;

use clap::{Parser, Subcommand};
use conclave::ceremony::{anchors, cluster_file, inspect, verify};
use conclave::cli::{Failure, print};
use conclave::dns::name::Name;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "conclave-dealer",
    version,
    about = "Deals the keys of a Conclave cluster and checks what was dealt",
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage.\n\nExample:\n  \
                  conclave-dealer init --zone example.test=example.zone --replicas 4 --out cluster\n  \
                  conclave-dealer verify cluster\n  conclave-dealer ds cluster"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Deal a new cluster
    Init(Box<init::Arguments>),
    /// Print the DS records that belong into the parent zones
    #[command(after_help = "Example:\n  conclave-dealer ds cluster --zone example.test")]
    Ds {
        /// The dealt directory, or its cluster.toml
        path: PathBuf,
        /// Of this zone only
        #[arg(long, value_name = "ORIGIN")]
        zone: Option<Name>,
    },
    /// Print what is public about a file; never a secret
    #[command(after_help = "Example:\n  conclave-dealer inspect cluster/replica-1/coin.share")]
    Inspect {
        /// Any file of a cluster
        file: PathBuf,
    },
    /// Check everything in a dealt directory; shares sign and combine
    #[command(after_help = "Example:\n  conclave-dealer verify cluster")]
    Verify {
        /// The dealt directory; directories of replicas that were handed out may be missing
        dir: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Init(arguments) => init::run(&arguments),
        Command::Ds { path, zone } => ds(&path, zone.as_ref()),
        Command::Inspect { file } => inspect::inspect(&file).map(|text| print(&text)).map_err(Failure::from),
        Command::Verify { dir } => check(&dir),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn ds(path: &Path, only: Option<&Name>) -> Result<(), Failure> {
    let file = if path.is_dir() { path.join("cluster.toml") } else { path.to_owned() };
    let cluster = cluster_file::read(&file)?;
    let zones: Vec<_> =
        cluster.zones.iter().filter(|zone| only.is_none_or(|name| *name == zone.origin)).collect();
    if zones.is_empty() {
        return Err(Failure::new(format!("{}: does not serve this zone", file.display())));
    }
    zones.into_iter().for_each(|zone| print(&anchors::ds_text(zone)));
    Ok(())
}

fn check(dir: &Path) -> Result<(), Failure> {
    let found = verify::verify(dir);
    found.good.iter().for_each(|line| print(&format!("{line}\n")));
    if found.problems.is_empty() { Ok(()) } else { Err(found.problems.into()) }
}
