//! `conclave ctl`: asks running replicas over their admin sockets.
//!
//! One request is one line of JSON, `{"command":"status"}` or `{"command":"export","zone":"example.test."}`. The reply
//! to `status` is one line, the replica's status. The reply to `export` is a line `{"record":"…"}` a record, in canonical
//! order, and then `{"end":COUNT,"serial":SERIAL}`: without that end the export is not complete. A line
//! `{"error":"…"}` says why there is none.

use super::{Failure, print};
use crate::ceremony::files::plain;
use crate::dns::name::Name;
use crate::runtime::config::ReplicaFile;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a replica may take for the next line.
const PATIENCE: Duration = Duration::from_secs(30);

/// Arguments of `conclave ctl`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  conclave ctl status\n  conclave ctl status --dir demo --replica 2 --json\n  \
                        conclave ctl export example.test"
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
    /// Print a signed zone in canonical order
    Export {
        /// The zone
        #[arg(value_name = "ORIGIN")]
        origin: String,
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
        Command::Export { origin } => export(&targets, origin),
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

/// The status of the replica with this admin socket.
pub fn ask_status(socket: &Path) -> Result<Value, String> {
    let mut lines = ask(socket, &json!({ "command": "status" }))?;
    lines.next().unwrap_or_else(|| Err(format!("{}: closed without an answer", socket.display())))
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
    let mut text = String::new();
    for line in ask(socket, &json!({ "command": "export", "zone": origin.to_string() }))? {
        let line = line?;
        if let Some(record) = line["record"].as_str() {
            text.push_str(record);
            text.push('\n');
        } else if line["end"].is_u64() {
            return Ok(text);
        }
    }
    Err(format!("{}: the export broke off", socket.display()))
}

/// Sends one request; the lines of the reply, an `error` line as an error.
fn ask(
    socket: &Path,
    request: &Value,
) -> Result<impl Iterator<Item = Result<Value, String>> + use<>, String> {
    let shown = socket.display().to_string();
    let connect = || -> std::io::Result<UnixStream> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(format!("{request}\n").as_bytes())?;
        Ok(stream)
    };
    let stream = connect().map_err(|e| format!("{shown}: no replica answers here: {}", plain(&e)))?;
    Ok(BufReader::new(stream).lines().map(move |line| {
        let line = line.map_err(|e| format!("{shown}: {}", plain(&e)))?;
        let value: Value =
            serde_json::from_str(&line).map_err(|_| format!("{shown}: not a replica's answer"))?;
        match value["error"].as_str() {
            Some(reason) => Err(reason.to_owned()),
            None => Ok(value),
        }
    }))
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
    for zone in status["zones"].as_array().into_iter().flatten() {
        let origin = zone["origin"].as_str().unwrap_or_default();
        match zone["serial"].as_u64() {
            Some(serial) => {
                let (published, pending) = (&zone["published"], &zone["pending"]);
                text.push_str(&format!(
                    "  {origin} serial {serial}, version {published}, {pending} pending\n"
                ));
            }
            None => text.push_str(&format!("  {origin} not signed yet\n")),
        }
    }
    for (replica, faults) in status["faults"].as_object().into_iter().flatten() {
        text.push_str(&format!("  faults of replica {replica}: {faults}\n"));
    }
    if status["publish_failures"].as_u64().unwrap_or_default() > 0 {
        text.push_str(&format!("  PUBLISH FAILURES: {}\n", status["publish_failures"]));
    }
    text
}
