//! The admin socket: a Unix socket, mode 0600, one JSON object a line in each direction.
//!
//! | request | response |
//! |---|---|
//! | `{"cmd":"status"}` | one line: `{"replica":…,"links":[…],"stale":…,"connections_refused":…,"tasks_waiting":…,"log":…}` |
//! | `{"cmd":"export","zone":"ORIGIN"}` | one line `{"zone":…,"serial":…,"records":N}`, then N lines of the signed zone in canonical order, master-file form |
//! | `{"cmd":"vote","command":"WORDS"}` | one line `{"vote":NUMBER,"command":"WORDS"}`: the vote is on its way |
//! | `{"cmd":"operator","vote":"HEX"}` | one line `{"carried":true}`: what an operator has signed (an encoded [`crate::zone::OperatorVote`]) is on its way |
//! | `{"cmd":"contents","bytes":N}`, then N octets | one line `{"contents":NAME,"pieces":N}`: they are proposed when a command awaits them |
//! | `{"cmd":"zones"}` | one line `{"cluster":ID,"epoch":N,"zones":[…],"catalog":[ORIGIN,SERIAL],"operators":[…],…}`: the zones' rules and keys, and who may change them |
//! | `{"cmd":"epoch"}` | the same as `vote`, for the command by which the cluster file in `next/` follows this cluster |
//! | `{"cmd":"epoch","look":true}` | one line `{"command":"WORDS","changes":[…]}`: no vote; what that file changes of the zones' rules |
//! | `{"cmd":"votes"}` | one line `{"votes":{"needed":…,"newest":NUMBER,"open":[…],"decided":[…]},"awaited":[…]}` |
//! | `{"cmd":"keys"}` | one line `{"keys":[…],"votes":{…}}`: each zone's keys, the rollover under way, its next step; last, bundles of zones not there yet |
//! | `{"cmd":"import","file":"PATH"}` | one line `{"bundle":NAME,"zone":…,"role":…,"tag":N}`: the bundle is kept, its share opened, the receipt on its way |
//! | `{"cmd":"explain","ticket":"…"}` | one line `{"explanation":{…}}`: why that update was refused; without `ticket`, `{"explanations":[…]}`, the last |
//! | `{"cmd":"trial","message":"HEX","key":"NAME"}` | one line `{"trial":{…}}`: what that unsigned update would come to |
//! | `{"cmd":"log","zone":…,"key":…,"since":BATCH}` | one line `{"entries":N}`, then N lines of the audit; each filter may be left out |
//! | anything else | `{"error":"…"}` |
//!
//! A connection may ask several times. Bounds: [`MAX_CONNECTIONS`], [`MAX_LINE_BYTES`], [`crate::limits::MAX_PARCEL_BYTES`].
#![forbid(unsafe_code)]

mod zones;

use super::audit::{self, Filter};
use super::core::Arrival;
use super::importer::Importer;
use super::inbox::Lane;
use super::questions::Question;
use crate::answer::Catalog;
use crate::dns::master;
use crate::dns::name::Name;
use crate::zone::{Charter, Ticket};
use arc_swap::ArcSwap;
use data_encoding::HEXLOWER_PERMISSIVE;
use rustix::fs::Mode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::sync::{Semaphore, oneshot};

/// Connections at a time.
pub const MAX_CONNECTIONS: usize = 16;
/// Bytes of a request: an update of the greatest size in hexadecimal, and what is around it.
pub const MAX_LINE_BYTES: u64 = 2 * 65_535 + 4_096;
/// How long a connection may say nothing.
const IDLE: Duration = Duration::from_secs(60);

/// A request.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(tag = "cmd", rename_all = "lowercase", deny_unknown_fields)]
pub enum Command {
    /// How the replica is.
    Status,
    /// The signed zone with this origin, in the text form of a name.
    Export {
        /// The origin.
        zone: String,
    },
    /// The operator's vote for a command, in its text form ([`crate::zone::Command`]).
    Vote {
        /// The command.
        command: String,
    },
    /// What operators have voted on.
    Votes,
    /// A bundle of a new key, in a file that the replica can read.
    Import {
        /// Its absolute path.
        file: PathBuf,
    },
    /// The zones' keys.
    Keys,
    /// Why the update of this ticket was refused; without one, the last refusals.
    Explain {
        /// The ticket.
        ticket: Option<String>,
    },
    /// What an unsigned update would come to.
    Trial {
        /// The DNS message in hexadecimal.
        message: String,
        /// The name of the key that is to sign it.
        key: String,
    },
    /// The audit.
    Log {
        /// Of this zone only.
        zone: Option<String>,
        /// Of this key only.
        key: Option<String>,
        /// From this batch on.
        since: Option<u64>,
    },
    /// The operator's vote for the next epoch, as the cluster file in `next/` has it.
    Epoch {
        /// Only say what it would be.
        #[serde(default)]
        look: bool,
    },
    /// The zones, their rules and keys.
    Zones,
    /// What an operator has signed.
    Operator {
        /// An encoded [`crate::zone::OperatorVote`] in hexadecimal.
        vote: String,
    },
    /// What commands name by a digest; its octets follow the line.
    Contents {
        /// How many.
        bytes: usize,
    },
}

impl Command {
    /// Reads a line; an error says why it is no request.
    pub fn parse(line: &str) -> Result<Self, String> {
        serde_json::from_str(line).map_err(|error| error.to_string())
    }
}

/// What the socket can ask.
#[derive(Clone)]
pub(super) struct Admin {
    pub catalog: Arc<ArcSwap<Catalog>>,
    /// The thread of the present epoch's replica.
    pub core: Arc<ArcSwap<Lane<Arrival>>>,
    /// The command by which the next epoch follows; reads files.
    pub next: Arc<NextEpoch>,
    /// Takes bundles for that replica.
    pub importer: Arc<ArcSwap<Importer>>,
    /// For who gives contents.
    pub giving: Arc<Semaphore>,
}

/// Of the zones as the state has them: the command by which the next epoch follows, and what it changes of their rules.
pub(super) type NextEpoch =
    dyn Fn(&[Charter]) -> Result<(crate::zone::Command, Vec<String>), String> + Send + Sync;

/// Binds the socket, in the place of one that nobody serves any more. Before any thread is started: it sets the
/// process's umask for a moment, so that the socket is never open to others.
pub(super) fn bind(path: &Path) -> io::Result<UnixListener> {
    if UnixStream::connect(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "another process serves it"));
    }
    match std::fs::symlink_metadata(path) {
        Ok(found) if std::os::unix::fs::FileTypeExt::is_socket(&found.file_type()) => {
            std::fs::remove_file(path)?;
        }
        Ok(_) => return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file of that name")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let before = rustix::process::umask(Mode::RWXG | Mode::RWXO | Mode::XUSR);
    let bound = UnixListener::bind(path);
    rustix::process::umask(before);
    let listener = bound?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves the socket until dropped.
pub(super) async fn serve(listener: tokio::net::UnixListener, admin: Admin) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let admin = admin.clone();
        connections.spawn(async move {
            let _place = place;
            // Whoever asked has gone: nothing to tell.
            let _ = converse(stream, &admin).await;
        });
    }
}

async fn converse(stream: tokio::net::UnixStream, admin: &Admin) -> io::Result<()> {
    let (reader, writer) = stream.into_split();
    let (mut reader, mut writer) = (BufReader::new(reader), BufWriter::new(writer));
    loop {
        let mut line = String::new();
        let mut bounded = (&mut reader).take(MAX_LINE_BYTES);
        let read = tokio::time::timeout(IDLE, bounded.read_line(&mut line)).await;
        match read {
            Ok(Ok(0)) | Err(_) => return Ok(()),
            Ok(Ok(_)) if line.ends_with('\n') || (line.len() as u64) < MAX_LINE_BYTES => {}
            Ok(Ok(_)) => return write_line(&mut writer, &json!({ "error": "the line is too long" })).await,
            Ok(Err(error)) => return Err(error),
        }
        match Command::parse(&line) {
            Ok(Command::Status) => write_line(&mut writer, &ask(admin, Arrival::Status).await).await?,
            Ok(Command::Votes) => write_line(&mut writer, &ask(admin, Arrival::Votes).await).await?,
            Ok(Command::Keys) => write_line(&mut writer, &ask(admin, Arrival::Keys).await).await?,
            Ok(Command::Vote { command }) => {
                let answer = match command.parse() {
                    Ok(command) => ask(admin, |asker| Arrival::Vote(command, asker)).await,
                    Err(why) => json!({ "error": why }),
                };
                write_line(&mut writer, &answer).await?;
            }
            Ok(Command::Import { file }) => write_line(&mut writer, &import(admin, file).await).await?,
            Ok(Command::Epoch { look }) => write_line(&mut writer, &zones::epoch(admin, look).await).await?,
            Ok(Command::Zones) => write_line(&mut writer, &zones::list(admin).await).await?,
            Ok(Command::Operator { vote }) => {
                write_line(&mut writer, &zones::operator(admin, &vote).await).await?;
            }
            Ok(Command::Contents { bytes }) => {
                let answer = zones::contents(&mut reader, admin, bytes).await?;
                write_line(&mut writer, &answer).await?;
                if !answer["error"].is_null() {
                    // What is left of them is no request.
                    return Ok(());
                }
            }
            Ok(Command::Explain { ticket }) => {
                write_line(&mut writer, &explain(admin, ticket).await).await?;
            }
            Ok(Command::Trial { message, key }) => {
                write_line(&mut writer, &trial(admin, &message, &key).await).await?;
            }
            Ok(Command::Log { zone, key, since }) => {
                let filter = Filter { zone, key, since: since.unwrap_or(0) };
                log(&mut writer, admin, filter).await?;
            }
            Ok(Command::Export { zone }) => export(&mut writer, admin, &zone).await?,
            Err(error) => write_line(&mut writer, &json!({ "error": error })).await?,
        }
    }
}

async fn explain(admin: &Admin, ticket: Option<String>) -> Value {
    match ticket.map(|text| Ticket::parse(&text).ok_or(text)).transpose() {
        Ok(ticket) => ask(admin, |asker| Arrival::Ask(Question::Explain(ticket), asker)).await,
        Err(text) => json!({ "error": format!("`{}` is no ticket", text.escape_default()) }),
    }
}

async fn trial(admin: &Admin, message: &str, key: &str) -> Value {
    match (HEXLOWER_PERMISSIVE.decode(message.as_bytes()), key.parse::<Name>()) {
        (Ok(wire), Ok(key)) => ask(admin, |asker| Arrival::Ask(Question::Trial(wire, key), asker)).await,
        _ => json!({ "error": "a message in hexadecimal and the name of a key are wanted" }),
    }
}

async fn import(admin: &Admin, file: PathBuf) -> Value {
    let importer = admin.importer.load_full();
    match tokio::task::spawn_blocking(move || importer.take(&file)).await {
        Ok(Ok((bundle, receipt))) => {
            ask(admin, |asker| Arrival::Import(Box::new((bundle, receipt)), asker)).await
        }
        Ok(Err(why)) => json!({ "error": why }),
        Err(_) => json!({ "error": "the import broke off" }),
    }
}

/// What the replica's thread answers.
async fn ask(admin: &Admin, question: impl FnOnce(oneshot::Sender<Value>) -> Arrival) -> Value {
    let (asker, answer) = oneshot::channel();
    let ending = json!({ "error": "the replica is ending" });
    if admin.core.load().put(question(asker), 0).await.is_err() {
        return ending;
    }
    answer.await.unwrap_or(ending)
}

async fn log(
    writer: &mut BufWriter<tokio::net::unix::OwnedWriteHalf>,
    admin: &Admin,
    filter: Filter,
) -> io::Result<()> {
    let answer = ask(admin, |asker| Arrival::Ask(Question::Data, asker)).await;
    let Some(data) = answer["data"].as_str().map(PathBuf::from) else {
        return write_line(writer, &answer).await;
    };
    let entries = tokio::task::spawn_blocking(move || audit::read(&data, &filter)).await.unwrap_or_default();
    write_line(writer, &json!({ "entries": entries.len() })).await?;
    for entry in entries {
        writer.write_all(entry.as_bytes()).await?;
        writer.write_all(b"\n").await?;
    }
    writer.flush().await
}

async fn export(
    writer: &mut BufWriter<tokio::net::unix::OwnedWriteHalf>,
    admin: &Admin,
    zone: &str,
) -> io::Result<()> {
    let Ok(origin) = zone.parse::<Name>() else {
        return write_line(writer, &json!({ "error": format!("`{zone}` is not a domain name") })).await;
    };
    let Some(view) = admin.catalog.load().view(&origin).cloned() else {
        let error = format!("the zone {origin} is not served here, or not yet");
        return write_line(writer, &json!({ "error": error })).await;
    };
    let records: usize = view.iter().map(|node| node.records().len()).sum();
    let head = json!({ "zone": origin.to_string(), "serial": view.serial(), "records": records });
    write_line(writer, &head).await?;
    for node in view.iter() {
        for record in node.records() {
            writer.write_all(master::write_record(&record).trim_end().as_bytes()).await?;
            writer.write_all(b"\n").await?;
        }
    }
    writer.flush().await
}

async fn write_line(
    writer: &mut BufWriter<tokio::net::unix::OwnedWriteHalf>,
    line: &Value,
) -> io::Result<()> {
    writer.write_all(line.to_string().as_bytes()).await?;
    writer.write_all(b"\n").await?;
    writer.flush().await
}

#[cfg(test)]
mod tests;
