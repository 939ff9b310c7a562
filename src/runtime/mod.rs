//! Sockets, files, clocks and threads: one replica as a process.
//!
//! | threads | do |
//! |---|---|
//! | one, `core` | owns the replica and its log: steps, syncs, lets effects go |
//! | one a core, `workers` | RSA |
//! | some for each UDP address, [`udp`] | answer queries from the catalog, without a lock |
//! | tokio's | links to peers ([`peers`]), TCP and TLS clients ([`tcp`]), HTTPS (`doh`) and QUIC (`doq`), the admin socket ([`admin`]), files that change (`front`) |
//!
//! What any of them gives to the core goes through a bounded lane of its own ([`inbox`]). What the core gives to the
//! answering threads is an immutable catalog, swapped whole.
//!
//! [`run`] fails with one line that says what is wrong and what to do. After a failure of the log it ends at once,
//! without another message to anybody: what was answered is on disk.

pub mod admin;
mod audit;
mod certificate;
pub mod clients;
pub mod config;
mod contact;
mod core;
mod disk;
mod doh;
mod doq;
mod ending;
mod engine;
mod epochs;
mod front;
mod importer;
pub mod inbox;
mod logging;
pub mod network;
pub mod peers;
pub mod places;
mod process;
mod questions;
pub mod rate;
pub mod service;
mod start;
mod store;
pub mod tcp;
mod throttle;
mod tls;
pub mod transfer;
pub mod udp;
mod vault;
mod workers;

pub use clients::ClientPort;
pub use disk::DirDisk;

use crate::quorum::ReplicaId;
use std::fmt;

/// Changes what is sent to a peer; see [`Options::outbound`].
pub type Outbound = Box<dyn FnMut(ReplicaId, &mut Vec<u8>) + Send>;

/// How [`run`] differs from the ordinary.
#[derive(Default)]
pub struct Options {
    /// Called for each message before it goes to a peer: lets a test program corrupt what it sends. The shipped
    /// programs leave it empty.
    pub outbound: Option<Outbound>,
    /// End when the thread that started this process ends.
    pub end_with_parent: bool,
    /// Logs as JSON lines, whatever the file says.
    pub json_logs: bool,
}

/// Why a replica ended, a line for each reason, each of which says what to do.
#[derive(Debug)]
pub struct Error(pub String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Runs one replica in the foreground until SIGTERM or SIGINT.
pub fn run(file: config::ReplicaFile, options: Options) -> Result<(), Error> {
    logging::start(options.json_logs || file.json_logs, &file.log_level).map_err(Error)?;
    process::end_on_panic();
    if options.end_with_parent {
        process::end_with_parent().map_err(Error)?;
    }
    start::run(file, options.outbound)
}
