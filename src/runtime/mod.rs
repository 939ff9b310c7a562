//! Sockets, files, clocks and threads.

pub mod clients;
pub mod config;
pub mod inbox;
pub mod peers;
pub mod service;
pub mod tcp;
mod tls;
pub mod udp;

pub use clients::ClientPort;

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
    /// End when the process that started this one ends.
    pub end_with_parent: bool,
    /// Logs as JSON lines instead of for people.
    pub json_logs: bool,
}

/// Why a replica ended, in one line that says what to do.
#[derive(Debug)]
pub struct Error(pub String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Runs one replica in the foreground until SIGTERM or SIGINT.
pub fn run(_file: config::ReplicaFile, _options: Options) -> Result<(), Error> {
    todo!()
}
