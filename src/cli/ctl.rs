//! `conclave ctl`: asks running replicas over their admin sockets.
//!
//! [`crate::runtime::admin`] says what goes over the socket. An export that breaks off prints nothing.

mod epoch;
mod explain;
mod keys;
mod log;
mod votes;
mod zone;

use super::{Failure, print};
use crate::ceremony::bundle::BundleFile;
use crate::ceremony::files::plain;
use crate::ceremony::words;
use crate::dns::name::Name;
use crate::runtime::config::ReplicaFile;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a replica may take for the next line.
const PATIENCE: Duration = Duration::from_secs(30);

/// Arguments of `conclave ctl`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  conclave ctl status\n  conclave ctl status --dir demo --replica 2 --json\n  \
                        conclave ctl export example.test\n  conclave ctl vote drill monday --replica 1\n  conclave ctl votes\n  \
                        conclave ctl import example.test.zsk.4711.bundle --replica 1\n  conclave ctl explain 3k9v0m2a7c\n  \
                        conclave ctl explain script.txt --key ops\n  conclave ctl log --zone example.test --key ops\n  conclave ctl zone list\n  \
                        conclave ctl zone freeze example.test --operator alice.key"
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Directory of the demo or of a dealt cluster
    #[arg(long, value_name = "DIR", default_value = "./demo", global = true)]
    dir: PathBuf,
    /// Ask this replica only
    #[arg(long, value_name = "I", global = true)]
    replica: Option<u8>,
    /// Ask the replica with this admin socket
    #[arg(long, value_name = "PATH", global = true, conflicts_with_all = ["replica"])]
    socket: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Show rounds, versions, faults and counters
    Status {
        /// As JSON: one replica's object, or an array of all
        #[arg(long)]
        json: bool,
    },
    /// Print counters for a monitoring system, in the text form of Prometheus
    Metrics,
    /// Print a signed zone in canonical order
    Export {
        /// The zone
        #[arg(value_name = "ORIGIN")]
        origin: String,
    },
    /// Show each zone's keys, the rollover under way, and the next step with its date
    Keys {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Vote for a command; a quorum of operators must say the same, each to his own replica
    #[command(
        after_help = "Commands:\n  drill WORD                          changes nothing: practise with it\n  \
                            refresh ZONE TAG                    new shares of the key with this tag\n  \
                            keys ZONE begin BUNDLE [BUNDLE]     a rollover to the key, or ZSK and KSK of another algorithm\n  \
                            keys ZONE STEP TAG [TTL]            its next step, as `conclave ctl keys` tells it\n  \
                            keys ZONE abort TAG                 turns back, while the parent has the old KSK's DS\n  \
                            keys ZONE allowance SECONDS         how late replicas and secondaries may be\n\n\
                            Examples:\n  conclave ctl vote keys example.test activate 4711\n  \
                            conclave ctl vote keys example.test ds-seen 4712 3600 --socket /etc/conclave/admin.sock"
    )]
    Vote {
        /// Do not wait until the vote counts
        #[arg(long)]
        no_wait: bool,
        /// The command, as in `drill monday`
        #[arg(value_name = "WORD", required = true)]
        words: Vec<String>,
    },
    /// Bring bundles of new keys: each replica that is named opens its share and gives its receipt
    Import {
        /// What `conclave-dealer keys` or `redeal` made
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Say why an update was refused, or what a script of nsupdate would come to; without either, the last refusals
    Explain {
        /// The ticket from the reply's extended error or from the log; or a script, not yet sent
        #[arg(value_name = "TICKET|FILE")]
        what: Option<String>,
        /// The key that is to sign the script
        #[arg(long, value_name = "NAME")]
        key: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the executed updates: who, what, serial, place in the order, outcome
    Log {
        /// Of this zone only
        #[arg(long, value_name = "ORIGIN")]
        zone: Option<String>,
        /// Of this key only
        #[arg(long, value_name = "NAME")]
        key: Option<String>,
        /// From this batch on
        #[arg(long, value_name = "BATCH")]
        since: Option<u64>,
        /// As JSON, an object a line
        #[arg(long)]
        json: bool,
    },
    /// Add, remove and change zones
    #[command(subcommand)]
    Zone(zone::ZoneCommand),
    /// List the zones in a catalog zone (RFC 9432), for secondaries, or in none
    Catalog(zone::Catalog),
    /// Go on in the next epoch, with other members
    #[command(subcommand)]
    Epoch(EpochCommand),
    /// Show the commands that lack votes, and those decided last
    Votes {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand, Debug)]
enum EpochCommand {
    /// Vote for the cluster in `next/` of the replica's directory to follow this one
    Vote {
        /// Do not ask if it changes the rules of zones
        #[arg(long)]
        yes: bool,
        /// Do not wait until the vote counts
        #[arg(long)]
        no_wait: bool,
    },
    /// Show the epoch and how far its end has come
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// A replica to ask.
struct Target {
    /// Its index, if it is known.
    index: Option<u8>,
    socket: PathBuf,
}

/// Runs `conclave ctl`.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let targets = targets(arguments)?;
    match &arguments.command {
        Command::Status { json } => status(&targets, *json),
        Command::Metrics => metrics(&targets),
        Command::Export { origin } => export(&targets, origin),
        Command::Keys { json } => keys::show(&targets, *json),
        Command::Vote { words, no_wait } => votes::vote(&targets, &words.join(" "), !no_wait),
        Command::Import { files } => import(&targets, files),
        Command::Explain { what, key, json } => {
            explain::explain(&targets, what.as_deref(), key.as_deref(), *json)
        }
        Command::Log { zone, key, since, json } => {
            let filter = log::Filter { zone: zone.as_deref(), key: key.as_deref(), since: *since };
            log::show(&targets, &filter, *json)
        }
        Command::Zone(command) => zone::run(&targets, command),
        Command::Catalog(catalog) => zone::catalog(&targets, catalog),
        Command::Epoch(EpochCommand::Vote { yes, no_wait }) => votes::vote_epoch(&targets, !no_wait, *yes),
        Command::Epoch(EpochCommand::Status { json }) => epoch::status(&targets, *json),
        Command::Votes { json } => votes::list(&targets, *json),
    }
}

fn targets(arguments: &Arguments) -> Result<Vec<Target>, Failure> {
    if let Some(socket) = &arguments.socket {
        return Ok(vec![Target { index: None, socket: socket.clone() }]);
    }
    let wanted = |index: &u8| arguments.replica.is_none_or(|only| only == *index);
    let mut targets = Vec::new();
    for index in (1..=crate::limits::MAX_REPLICAS).filter(wanted) {
        let config = arguments.dir.join(format!("replica-{index}")).join("replica.toml");
        if config.exists() {
            targets.push(Target { index: Some(index), socket: ReplicaFile::read(&config)?.admin });
        }
    }
    if targets.is_empty() {
        let which = arguments.replica.map_or(String::new(), |index| format!(" {index}"));
        let dir = arguments.dir.display();
        return Err(Failure::new(format!(
            "{dir}: holds no replica{which}; name the demo's directory with --dir, or a socket with --socket"
        )));
    }
    Ok(targets)
}

fn import(targets: &[Target], files: &[PathBuf]) -> Result<(), Failure> {
    let mut reasons = Vec::new();
    for file in files {
        let path = std::path::absolute(file).map_err(|e| Failure::new(plain(&e)))?;
        let name = BundleFile::read(&path)?.public.name();
        print(&format!("{}, whose words are\n", file.display()));
        words::lines(&name).iter().for_each(|line| print(&format!("  {line}\n")));
        for target in targets {
            let said = ask(&target.socket, &json!({ "cmd": "import", "file": path }));
            match said.and_then(|mut lines| object(&target.socket, lines.next())) {
                Ok(said) => {
                    let (zone, role) =
                        (said["zone"].as_str().unwrap_or("?"), said["role"].as_str().unwrap_or("?"));
                    let role = role.to_uppercase();
                    print(&format!("share opened and kept: {zone} {role} tag {}\n", said["tag"]));
                }
                Err(reason) => reasons.push(reason),
            }
        }
    }
    if reasons.is_empty() { Ok(()) } else { Err(Failure(reasons)) }
}

fn status(targets: &[Target], as_json: bool) -> Result<(), Failure> {
    let answers: Vec<(&Target, Result<Value, String>)> =
        targets.iter().map(|target| (target, ask_status(&target.socket))).collect();
    if let [(_, Err(reason))] = answers.as_slice() {
        return Err(Failure::new(reason));
    }
    if as_json {
        let values: Vec<Value> = answers
            .iter()
            .map(|(target, answer)| match answer {
                Ok(status) => status.clone(),
                Err(reason) => json!({ "index": target.index, "error": reason }),
            })
            .collect();
        match values.as_slice() {
            [one] => print(&format!("{one}\n")),
            all => print(&format!("{}\n", Value::from(all.to_vec()))),
        }
    } else {
        for (target, answer) in &answers {
            match answer {
                Ok(status) => print(&human(status)),
                Err(_) => print(&format!("replica {}: does not answer\n", target.index.unwrap_or_default())),
            }
        }
    }
    let reasons: Vec<String> =
        answers.iter().filter_map(|(_, answer)| answer.as_ref().err().cloned()).collect();
    if reasons.len() == targets.len() { Err(Failure(reasons)) } else { Ok(()) }
}

/// Of all replicas that answer; those that do not are counted by their absence.
fn metrics(targets: &[Target]) -> Result<(), Failure> {
    let answers: Vec<Result<Value, String>> =
        targets.iter().map(|target| ask_status(&target.socket)).collect();
    let (answered, reasons): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    if answered.is_empty() {
        return Err(Failure(reasons.into_iter().filter_map(Result::err).collect()));
    }
    let statuses: Vec<Value> = answered.into_iter().filter_map(Result::ok).collect();
    print(&super::metrics::text(&statuses));
    Ok(())
}

/// The status of the replica with this admin socket: what the replica says, and beside it what its process says.
pub fn ask_status(socket: &Path) -> Result<Value, String> {
    let mut answer = object(socket, ask(socket, &json!({ "cmd": "status" }))?.next())?;
    let mut status = answer["replica"].take();
    if let (Some(inner), Some(outer)) = (status.as_object_mut(), answer.as_object()) {
        inner.extend(
            outer
                .iter()
                .filter(|(key, _)| *key != "replica")
                .map(|(key, value)| (key.clone(), value.clone())),
        );
    }
    Ok(status)
}

fn export(targets: &[Target], origin: &str) -> Result<(), Failure> {
    let origin =
        Name::parse(origin).map_err(|e| Failure::new(format!("`{origin}` is not a domain name: {e}")))?;
    let mut reasons = Vec::new();
    for target in targets {
        match export_from(&target.socket, &origin) {
            Ok(text) => {
                print(&text);
                return Ok(());
            }
            Err(reason) => reasons.push(reason),
        }
    }
    Err(Failure(reasons))
}

fn export_from(socket: &Path, origin: &Name) -> Result<String, String> {
    let mut lines = ask(socket, &json!({ "cmd": "export", "zone": origin.to_string() }))?;
    let head = object(socket, lines.next())?;
    let count =
        head["records"].as_u64().ok_or_else(|| format!("{}: not a replica's answer", socket.display()))?;
    let mut text = String::new();
    for _ in 0..count {
        let record = lines.next().ok_or_else(|| format!("{}: the export broke off", socket.display()))??;
        text.push_str(&record);
        text.push('\n');
    }
    Ok(text)
}

/// Sends one request; the lines of the reply.
fn ask(
    socket: &Path,
    request: &Value,
) -> Result<impl Iterator<Item = Result<String, String>> + use<>, String> {
    let shown = socket.display().to_string();
    let connect = || -> std::io::Result<UnixStream> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(format!("{request}\n").as_bytes())?;
        // A reply ends where the replica closes.
        stream.shutdown(Shutdown::Write)?;
        Ok(stream)
    };
    let stream = connect().map_err(|e| format!("{shown}: no replica answers here: {}", plain(&e)))?;
    let lines = BufReader::new(stream).lines();
    Ok(lines.map(move |line| line.map_err(|e| format!("{shown}: {}", plain(&e)))))
}

/// A line as a JSON object; an `error` in it as an error.
fn object(socket: &Path, line: Option<Result<String, String>>) -> Result<Value, String> {
    let shown = socket.display();
    let line = line.unwrap_or_else(|| Err(format!("{shown}: closed without an answer")))?;
    let value: Value = serde_json::from_str(&line).map_err(|_| format!("{shown}: not a replica's answer"))?;
    match value["error"].as_str() {
        Some(reason) => Err(format!("{shown}: {reason}")),
        None => Ok(value),
    }
}

/// Prints what the first replica that answers tells: as JSON, or for people.
fn first(
    targets: &[Target],
    as_json: bool,
    told: impl Fn(&Path) -> Result<Value, String>,
    human: impl Fn(&Value) -> String,
) -> Result<(), Failure> {
    let mut reasons = Vec::new();
    for target in targets {
        match told(&target.socket) {
            Ok(answer) => {
                print(&if as_json { format!("{answer}\n") } else { human(&answer) });
                return Ok(());
            }
            Err(reason) => reasons.push(reason),
        }
    }
    Err(Failure(reasons))
}

/// A status for people.
fn human(status: &Value) -> String {
    let mut text = format!(
        "replica {} of {} (up to {} may fail): round {}, {} batches, {} jobs and {} requests pending\n",
        status["index"],
        status["replicas"],
        status["tolerated_faults"],
        status["round"],
        status["batches"],
        status["pending_jobs"],
        status["pending_requests"]
    );
    text.push_str(&format!(
        "  checkpoint at round {} (newest certified: {}), {} vertices from round {} on\n",
        status["stable"], status["certified"], status["vertices"], status["line"]
    ));
    if status["observes"] == true {
        text.push_str("  it has lost its log and makes no vertices before it knows where it may resume\n");
    }
    if status["stale"] == true {
        text.push_str("  Stale: no quorum in reach for long; answers say so\n");
    }
    for key in status["refreshes"].as_array().into_iter().flatten() {
        text.push_str(&format!(
            "  key {}: refreshed {} times, {}{}\n",
            key["key"].as_str().and_then(|id| id.get(..12)).unwrap_or_default(),
            key["refreshed"],
            match key["stage"].as_str() {
                Some("offers") => "a refresh gathers keys to deal by",
                Some("dealings") => "a refresh gathers dealings",
                _ => "at rest",
            },
            if key["here"] == true { "" } else { "; its share is not here yet" }
        ));
    }
    for zone in status["zones"].as_array().into_iter().flatten() {
        let origin = zone["origin"].as_str().unwrap_or_default();
        match zone["serial"].as_u64() {
            Some(serial) => {
                let (published, pending) = (&zone["published"], &zone["pending"]);
                let denial = zone["denial"].as_str().unwrap_or_default();
                text.push_str(&format!(
                    "  {origin} serial {serial}, version {published}, {pending} pending, {denial}\n"
                ));
            }
            None => text.push_str(&format!("  {origin} not signed yet\n")),
        }
    }
    for (replica, culprit) in status["signing"]["culprits"].as_object().into_iter().flatten() {
        let wrong: Vec<String> = culprit["wrong"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(evidence, times)| format!("{times} by {evidence}"))
            .collect();
        text.push_str(&format!(
            "  replica {replica} signed wrong, seen {} (last: job {}): its shares count with proofs only\n",
            wrong.join(", "),
            culprit["last_job"].as_str().unwrap_or_default()
        ));
    }
    for (replica, faults) in status["faults"].as_object().into_iter().flatten() {
        text.push_str(&format!("  faults of replica {replica}: {faults}\n"));
    }
    if status["publish_failures"].as_u64().unwrap_or_default() > 0 {
        text.push_str(&format!("  PUBLISH FAILURES: {}\n", status["publish_failures"]));
    }
    text
}
