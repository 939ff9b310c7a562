//! `replica.toml`: what belongs to one machine, and everything a replica needs, loaded and checked against the
//! cluster file.
//!
//! ```toml
//! version = 1
//! index = 1                       # which replica this is
//! cluster = "cluster.toml"        # paths are relative to the directory of this file
//! data = "data"                   # the log; made at the first start
//! admin = "admin.sock"            # Unix socket of `conclave ctl`, under 108 bytes
//! [dns]
//! listen = ["127.0.0.1:5301"]     # UDP and TCP; what else may stand here: [`front`]
//! [peer]
//! listen = "127.0.0.1:5401"
//! [peer.addresses]                # of every other replica
//! 2 = "127.0.0.1:5402"
//! [[transfer]]                    # optional, any number: who may have a zone by AXFR; nobody else may
//! zone = "example.test"           # or "*": every zone, those that come later and the catalog too
//! networks = ["192.0.2.0/24"]     # from where; without: anywhere
//! keys = ["secondary"]            # signed with one of these TSIG keys of the cluster; without: unsigned too
//! [limits]                        # optional
//! update-patience-ms = 1400       # then a client whose update is not through gets SERVFAIL
//! gather-ms = 3                   # wait for more than a quorum before the next round
//! [log]                           # optional; the command line goes before it
//! format = "human"                # or "json"
//! level = "info"
//! ```
//!
//! The secrets stand beside the file, under the names that the dealer gave them ([`crate::ceremony::deal`]).
#![forbid(unsafe_code)]

mod encrypted;
pub mod front;
mod load;
mod transfers;
mod zones;

pub use crate::ceremony::files::Problem;
pub use encrypted::{HttpsRules, TlsRules};
pub use front::{CookieMode, FrontFiles, FrontRules};
pub use load::{Loaded, Tls};

use crate::ceremony::files::read_text;
use crate::consensus::DEFAULT_GATHER_MS;
use crate::limits::CLIENT_PATIENCE_MS;
use crate::quorum::ReplicaId;
use crate::runtime::transfer::Rule;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use toml::Spanned;
use transfers::TransferText;

/// Version of the file.
const VERSION: u16 = 1;
/// Bytes of a Unix socket's path, with the zero at its end (`sun_path` of unix(7)).
pub const MAX_SOCKET_PATH_BYTES: usize = 108;

/// `replica.toml`, parsed. Relative paths are resolved against the directory of the file.
#[derive(Clone, Debug)]
pub struct ReplicaFile {
    /// Where it was read from.
    pub path: PathBuf,
    /// This replica's index.
    pub me: ReplicaId,
    /// The cluster file.
    pub cluster: PathBuf,
    /// The directory of the log; created at the first start.
    pub data: PathBuf,
    /// Addresses that answer DNS over UDP and TCP.
    pub dns: Vec<SocketAddr>,
    /// How it behaves there.
    pub front: FrontRules,
    /// The address that peers connect to.
    pub peer: SocketAddr,
    /// Where the other replicas are, as `host:port`.
    pub peers: BTreeMap<ReplicaId, String>,
    /// The admin socket.
    pub admin: PathBuf,
    /// Milliseconds until an update that is not through gets SERVFAIL.
    pub update_patience_ms: u64,
    /// Who may have which zone.
    pub transfers: Vec<Rule>,
    /// Milliseconds to wait for more than a quorum of vertices before the next round.
    pub gather_ms: u64,
    /// Logs as JSON lines.
    pub json_logs: bool,
    /// What is logged: a level, or a filter of `tracing`.
    pub log_level: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    version: Spanned<u16>,
    index: Spanned<u8>,
    cluster: PathBuf,
    data: PathBuf,
    admin: Spanned<PathBuf>,
    dns: front::DnsText,
    peer: PeerText,
    #[serde(default)]
    limits: LimitsText,
    #[serde(default)]
    transfer: Vec<TransferText>,
    #[serde(default)]
    log: LogText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PeerText {
    listen: SocketAddr,
    #[serde(default)]
    addresses: BTreeMap<String, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct LimitsText {
    update_patience_ms: Spanned<u64>,
    gather_ms: Spanned<u64>,
}

impl Default for LimitsText {
    fn default() -> Self {
        Self {
            update_patience_ms: Spanned::new(0..0, CLIENT_PATIENCE_MS),
            gather_ms: Spanned::new(0..0, DEFAULT_GATHER_MS),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LogText {
    format: LogFormat,
    level: String,
}

impl Default for LogText {
    fn default() -> Self {
        Self { format: LogFormat::Human, level: "info".into() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum LogFormat {
    Human,
    Json,
}

impl ReplicaFile {
    /// Reads and parses `path`.
    pub fn read(path: &Path) -> Result<Self, Vec<Problem>> {
        let text = read_text(path).map_err(|problem| vec![problem])?;
        Self::parse(&text, path)
    }

    /// Parses the text of a file at `path`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Vec<Problem>> {
        let file: FileText = toml::from_str(text).map_err(|e| vec![Problem::toml(path, text, &e)])?;
        let mut problems = Vec::new();
        let mut wrong = |at: usize, reason: String| problems.push(Problem::at(path, text, at, reason));
        if *file.version.get_ref() != VERSION {
            let reason = format!("version {}; this program reads version {VERSION}", file.version.get_ref());
            wrong(file.version.span().start, reason);
        }
        let me = ReplicaId::new(*file.index.get_ref());
        if me.is_none() {
            wrong(file.index.span().start, "index must be 1 to the number of replicas".into());
        }
        let base = path.parent().unwrap_or(Path::new(""));
        let admin = base.join(file.admin.get_ref());
        if admin.as_os_str().as_bytes().len() >= MAX_SOCKET_PATH_BYTES {
            let reason = format!(
                "the admin socket's path has {MAX_SOCKET_PATH_BYTES} bytes or more; choose a shorter one"
            );
            wrong(file.admin.span().start, reason);
        }
        if file.dns.listen.get_ref().is_empty() {
            wrong(file.dns.listen.span().start, "no address to answer DNS on".into());
        }
        let patience = file.limits.update_patience_ms;
        if !(100..=120_000).contains(patience.get_ref()) {
            wrong(patience.span().start, "update-patience-ms must be 100 to 120000".into());
        }
        let gather = file.limits.gather_ms;
        if *gather.get_ref() > 1_000 {
            wrong(gather.span().start, "gather-ms must be 0 to 1000".into());
        }
        let peers = addresses(file.peer.addresses, &mut wrong);
        let transfers = transfers::rules(file.transfer, &mut wrong);
        let dns = file.dns.listen.get_ref().clone();
        let front = file.dns.rules(base, &mut wrong);
        match me {
            Some(me) if problems.is_empty() => Ok(Self {
                path: path.to_owned(),
                me,
                cluster: base.join(file.cluster),
                data: base.join(file.data),
                dns,
                front,
                peer: file.peer.listen,
                peers,
                admin,
                update_patience_ms: *patience.get_ref(),
                gather_ms: *gather.get_ref(),
                transfers,
                json_logs: matches!(file.log.format, LogFormat::Json),
                log_level: file.log.level,
            }),
            _ => Err(problems),
        }
    }

    /// Loads everything the file names. All problems, not only the first. Writes nothing.
    pub fn load(self) -> Result<Loaded, Vec<Problem>> {
        load::load(self)
    }

    /// The directory of the file: where the secrets are.
    pub fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        }
    }
}

/// Where the other replicas are; what is wrong goes to `wrong`, with its place.
fn addresses(
    texts: BTreeMap<String, Spanned<String>>,
    wrong: &mut dyn FnMut(usize, String),
) -> BTreeMap<ReplicaId, String> {
    let mut peers = BTreeMap::new();
    for (index, address) in texts {
        let (at, address) = (address.span().start, address.into_inner());
        let Some(id) = index.parse().ok().and_then(ReplicaId::new) else {
            wrong(at, format!("`{index}` is not the index of a replica"));
            continue;
        };
        match address.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {}
            _ => wrong(at, format!("`{address}` is not host:port")),
        }
        peers.insert(id, address);
    }
    peers
}

#[cfg(test)]
mod tests;
