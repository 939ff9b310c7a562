//! `replica.toml`: what belongs to one machine, and everything a replica needs, loaded and checked against the
//! cluster file.
#![forbid(unsafe_code)]

use crate::codec::ClusterId;
use crate::quorum::ReplicaId;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

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
    /// The address that peers connect to.
    pub peer: SocketAddr,
    /// Where the other replicas are, as `host:port`.
    pub peers: BTreeMap<ReplicaId, String>,
    /// The admin socket.
    pub admin: PathBuf,
    /// Milliseconds until an update that is not through gets SERVFAIL.
    pub update_patience_ms: u64,
}

/// What is wrong with a file, in one line: the file, the line in it where there is one, the reason and the remedy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The reason and what to do.
    pub reason: String,
}

/// The TLS side of a replica: its certificate and key, and the keys that its peers must show.
pub struct Tls {
    /// The self-signed certificate of the identity key, DER.
    pub certificate: Vec<u8>,
    /// The identity key, PKCS#8 DER.
    pub key: Zeroizing<Vec<u8>>,
    /// Ed25519 public keys of all replicas, by slot.
    pub identities: Vec<[u8; 32]>,
}

/// Everything one replica runs on.
pub struct Loaded {
    /// The machine's own file.
    pub file: ReplicaFile,
    /// The hash of the cluster file's canonical form.
    pub cluster: ClusterId,
    /// TLS.
    pub tls: Tls,
    /// What should be told to the operator, one line each.
    pub warnings: Vec<String>,
}

impl ReplicaFile {
    /// Reads and parses `path`.
    pub fn read(_path: &Path) -> Result<Self, Problem> {
        todo!()
    }

    /// Loads everything the file names. All problems, not only the first.
    pub fn load(self) -> Result<Loaded, Vec<Problem>> {
        todo!()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.reason)
    }
}
