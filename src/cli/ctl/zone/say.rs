//! How a command about zones comes to be done: contents are given to the replica, somebody votes, and the rest is waiting.
//!
//! Nothing is lost with a replica that ends meanwhile: as soon as it is back, contents and vote are given once more, as long as the
//! command is not decided. Who waits no longer (Ctrl-C) has voted all the same.

use super::super::votes::votes;
use super::super::{Failure, PATIENCE, Target, ask, object, print};
use crate::ceremony::cluster_file;
use crate::ceremony::files::plain;
use crate::ceremony::operators::OperatorKey;
use crate::codec::{self, ClusterId, Digest, Epoch};
use crate::zone::{Command, OPERATOR_DOMAIN, OperatorVote, Parcel};
use clap::Args;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);
/// For which a replica that does not answer is waited for: it may be starting again.
const AWAY: Duration = Duration::from_secs(300);

/// Who wants it.
#[derive(Args, Debug)]
pub(in crate::cli::ctl) struct Who {
    /// Sign as an operator of the cluster, with the key that `conclave operator-key` made [default: the replica's vote]
    #[arg(long, value_name = "KEYFILE")]
    operator: Option<PathBuf>,
    /// The cluster that is signed for [default: what the replica says it is]
    #[arg(long, value_name = "FILE", requires = "operator")]
    cluster: Option<PathBuf>,
    /// Do not wait until it is decided
    #[arg(long)]
    no_wait: bool,
}

/// A command on its way.
struct Errand<'a> {
    who: &'a Who,
    key: Option<OperatorKey>,
    command: &'a Command,
    parcel: Option<&'a Parcel>,
}

/// Has a command done: gives its contents, votes or signs, and waits until it is decided.
pub(super) fn have_done(
    targets: &[Target],
    who: &Who,
    command: &Command,
    parcel: Option<&Parcel>,
) -> Result<(), Failure> {
    let key = who.operator.as_deref().map(OperatorKey::read).transpose()?;
    let errand = Errand { who, key, command, parcel };
    // Whatever was decided before is about another wish.
    let mut before = 0;
    let mut reasons = Vec::new();
    let mut asked = None;
    for target in targets {
        let newest = votes(&target.socket).map(|votes| newest_decision(&votes));
        match newest.and_then(|newest| errand.run(&target.socket, newest).map(|()| newest)) {
            Ok(_) if asked.is_some() => {}
            Ok(newest) => {
                (before, asked) = (newest, Some(target));
                // One replica carries what an operator has signed to all.
                if errand.key.is_some() {
                    break;
                }
            }
            Err(reason) => reasons.push(reason),
        }
    }
    let Some(target) = asked else { return Err(Failure(reasons)) };
    if errand.key.is_none() {
        reasons.iter().for_each(|reason| eprintln!("warning: {reason}"));
    }
    if who.no_wait {
        print(&format!("{command}: on its way\n"));
        return Ok(());
    }
    errand.wait(&target.socket, before)
}

impl Errand<'_> {
    /// Gives contents and vote, knowing of so many decisions.
    fn run(&self, socket: &Path, newest: u64) -> Result<(), String> {
        if let Some(parcel) = self.parcel {
            give(socket, parcel)?;
        }
        let request = match &self.key {
            None => json!({ "cmd": "vote", "command": self.command.to_string() }),
            Some(key) => {
                json!({ "cmd": "operator", "vote": HEXLOWER.encode(&self.sign(key, socket, newest)?) })
            }
        };
        object(socket, ask(socket, &request)?.next()).map(drop)
    }

    /// The operator's vote. Its number is the time: a replica could lie about the last one.
    fn sign(&self, key: &OperatorKey, socket: &Path, newest: u64) -> Result<Vec<u8>, String> {
        let realm = match &self.who.cluster {
            Some(path) => {
                let cluster = cluster_file::read(path)
                    .map_err(|problems| problems.first().map_or_else(String::new, ToString::to_string))?;
                (cluster.id(), cluster.epoch)
            }
            None => realm(socket, key)?,
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| "the clock stands before 1970")?;
        let count = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let name = &key.public.name;
        eprintln!("signed by {name} for cluster {}, epoch {}", realm.0.0.to_hex(), realm.1.0);
        let sign = |digest: &Digest| key.sign_in(OPERATOR_DOMAIN, digest);
        Ok(codec::encode(&OperatorVote::new(realm, key.public.key, (count, newest), self.command, sign)))
    }

    fn wait(&self, socket: &Path, before: u64) -> Result<(), Failure> {
        let text = self.command.to_string();
        let (mut told, mut away, mut was_there) = (String::new(), None::<Instant>, false);
        loop {
            let votes = match votes(socket) {
                Ok(votes) => votes,
                Err(reason) if away.get_or_insert_with(Instant::now).elapsed() > AWAY => {
                    return Err(Failure::new(reason));
                }
                Err(_) => {
                    std::thread::sleep(PAUSE);
                    continue;
                }
            };
            let is_it = |one: &&Value| one["command"] == text.as_str();
            let is_new = |one: &&Value| one["number"].as_u64().unwrap_or_default() > before;
            if let Some(decided) = list_of(&votes, "decided").filter(is_new).find(is_it) {
                return self.decided(decided);
            }
            let open = list_of(&votes, "open").find(is_it).map(|open| gathers(open, &votes));
            let awaited = list_of(&votes, "awaited").find(is_it).map(carried);
            let is_there = open.is_some() || awaited.is_some();
            if away.take().is_some() {
                // It may have ended before it sent anything on, and may be behind for a while.
                was_there = false;
                self.run(socket, before).map_err(Failure::new)?;
            }
            if was_there && !is_there {
                return Err(Failure::new(format!("{text}: no longer voted on")));
            }
            was_there |= is_there;
            let news = awaited.or(open).unwrap_or_else(|| "on its way".into());
            if news != told {
                eprintln!("{news}");
                told = news;
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn decided(&self, decided: &Value) -> Result<(), Failure> {
        match decided["refused"].as_str() {
            Some(reason) => Err(Failure::new(format!("{}: refused: {reason}", self.command))),
            None => {
                print(&format!("{}: done\n", self.command));
                Ok(())
            }
        }
    }
}

fn gathers(open: &Value, votes: &Value) -> String {
    let count = |field: &str| open[field].as_object().map_or(0, serde_json::Map::len);
    let (replicas, operators) = (count("votes"), count("operators"));
    let mut text = format!("{replicas} of {} votes of replicas", votes["needed"]);
    if let Some(needed @ 1..) = votes["operators_needed"].as_u64() {
        text.push_str(&format!(", {operators} of {needed} operators"));
    }
    text.push_str("; waiting for the others");
    text
}

fn carried(awaited: &Value) -> String {
    match awaited["count"].as_u64() {
        Some(count) => format!("agreed; {} of {count} pieces of its contents are there", awaited["have"]),
        None => "agreed; its contents are on their way".into(),
    }
}

fn list_of<'a>(votes: &'a Value, which: &str) -> impl Iterator<Item = &'a Value> {
    votes[which].as_array().into_iter().flatten()
}

fn newest_decision(votes: &Value) -> u64 {
    list_of(votes, "decided").filter_map(|one| one["number"].as_u64()).max().unwrap_or_default()
}

/// The cluster and the epoch that the replica says it is of; an error if it does not know the operator.
fn realm(socket: &Path, key: &OperatorKey) -> Result<(ClusterId, Epoch), String> {
    let answer = object(socket, ask(socket, &json!({ "cmd": "zones" }))?.next())?;
    let hex = HEXLOWER.encode(&key.public.key);
    if !list_of(&answer, "operators").any(|one| one["key"] == hex.as_str()) {
        return Err(format!("{}: {} is no operator of this cluster", socket.display(), key.public.name));
    }
    let cluster = answer["cluster"].as_str().and_then(Digest::from_hex);
    let epoch = answer["epoch"].as_u64().and_then(|epoch| u32::try_from(epoch).ok());
    let both = cluster.zip(epoch).map(|(cluster, epoch)| (ClusterId(cluster), Epoch(epoch)));
    both.ok_or_else(|| format!("{}: not a replica's answer", socket.display()))
}

/// Gives contents to a replica, which proposes them when they are awaited: a line, then their octets.
fn give(socket: &Path, parcel: &Parcel) -> Result<(), String> {
    let shown = socket.display().to_string();
    let send = || -> std::io::Result<UnixStream> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let bytes = parcel.octets();
        stream.write_all(format!("{}\n", json!({ "cmd": "contents", "bytes": bytes.len() })).as_bytes())?;
        stream.write_all(bytes)?;
        stream.shutdown(Shutdown::Write)?;
        Ok(stream)
    };
    let stream = send().map_err(|e| format!("{shown}: no replica takes the contents: {}", plain(&e)))?;
    let line = BufReader::new(stream).lines().next();
    let answer = object(socket, line.map(|line| line.map_err(|e| format!("{shown}: {}", plain(&e)))))?;
    match answer["contents"].as_str() == Some(&parcel.name().to_hex()) {
        true => Ok(()),
        false => Err(format!("{shown}: the replica took other contents than were given")),
    }
}
