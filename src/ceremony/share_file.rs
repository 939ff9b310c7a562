//! Share files: one secret of one replica of one cluster, sealed against mistakes.
//!
//! ```text
//! offset  bytes  field
//!      0      8  "CONCLAVE"
//!      8      2  version, 1 (integers are big-endian)
//!     10      1  kind: 1 identity key, 2 coin share, 3 RSA key share
//!     11      1  replica index
//!     12      4  epoch
//!     16     32  cluster id
//!     48     32  key id of an RSA share, zeros otherwise
//!     80      4  length of the secret
//!     84      …  the secret, in the form of the layer that uses it
//!      …     32  SHA-256 of the domain tag "conclave/share-file" and of all bytes before
//! ```
//!
//! The checksum finds accidents and edits by hand; it is no authentication: who can write the file can make a new
//! checksum. That the secret is the right one is shown by the public keys in the cluster file.
#![forbid(unsafe_code)]

use super::files::{Problem, read_secret, write_secret};
use crate::codec::{ClusterId, Digest, Epoch, KeyId, digest};
use crate::quorum::ReplicaId;
use std::fmt;
use std::path::Path;
use zeroize::Zeroizing;

const MAGIC: &[u8; 8] = b"CONCLAVE";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 84;
const CHECKSUM_BYTES: usize = 32;

/// What kind of secret a file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The Ed25519 seed of the replica's identity.
    Identity,
    /// A share of the coin.
    Coin,
    /// A share of the threshold RSA key that is named.
    Rsa(KeyId),
}

/// Whose secret it is: the public part of a share file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label {
    /// What it is.
    pub kind: Kind,
    /// The cluster it belongs to.
    pub cluster: ClusterId,
    /// The epoch it belongs to.
    pub epoch: Epoch,
    /// The replica it belongs to.
    pub replica: ReplicaId,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => f.write_str("identity key"),
            Self::Coin => f.write_str("coin share"),
            Self::Rsa(_) => f.write_str("RSA key share"),
        }
    }
}

impl Kind {
    fn code(self) -> (u8, Digest) {
        match self {
            Self::Identity => (1, Digest::default()),
            Self::Coin => (2, Digest::default()),
            Self::Rsa(key) => (3, key.0),
        }
    }

    fn from_code(code: u8, key: Digest) -> Option<Self> {
        match code {
            1 if key == Digest::default() => Some(Self::Identity),
            2 if key == Digest::default() => Some(Self::Coin),
            3 => Some(Self::Rsa(KeyId(key))),
            _ => None,
        }
    }
}

/// The bytes of a share file.
pub fn seal(label: &Label, secret: &[u8]) -> Zeroizing<Vec<u8>> {
    let (kind, key) = label.kind.code();
    let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER_BYTES + secret.len() + CHECKSUM_BYTES));
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.extend_from_slice(&[kind, label.replica.get()]);
    bytes.extend_from_slice(&label.epoch.0.to_be_bytes());
    bytes.extend_from_slice(&label.cluster.0.0);
    bytes.extend_from_slice(&key.0);
    bytes.extend_from_slice(&(secret.len() as u32).to_be_bytes());
    bytes.extend_from_slice(secret);
    let checksum = digest("conclave/share-file", &[&bytes]);
    bytes.extend_from_slice(&checksum.0);
    bytes
}

/// The label and the secret of a share file's bytes, or why they are none.
pub fn open(bytes: &[u8]) -> Result<(Label, Zeroizing<Vec<u8>>), String> {
    if !bytes.starts_with(&MAGIC[..]) {
        return Err("is not a share file (its first bytes are not CONCLAVE)".into());
    }
    let version = field::<2>(bytes, 8).map(u16::from_be_bytes).ok_or("is cut short")?;
    if version != VERSION {
        return Err(format!("has share file version {version}; this program reads version {VERSION}"));
    }
    let length = field::<4>(bytes, 80).map(u32::from_be_bytes).ok_or("is cut short")? as usize;
    let expected = length.saturating_add(HEADER_BYTES + CHECKSUM_BYTES);
    if bytes.len() < expected {
        return Err(format!("is cut short: {} of {expected} bytes", bytes.len()));
    }
    if bytes.len() > expected {
        return Err(format!("has {} bytes after its end", bytes.len() - expected));
    }
    let (body, checksum) = bytes.split_at(expected - CHECKSUM_BYTES);
    if digest("conclave/share-file", &[body]).0 != checksum {
        return Err("is damaged or was edited: the checksum does not match; take the dealer's copy".into());
    }
    let label = label(bytes).ok_or("has a header that no dealer writes")?;
    Ok((label, Zeroizing::new(body[HEADER_BYTES..].to_vec())))
}

fn label(bytes: &[u8]) -> Option<Label> {
    Some(Label {
        kind: Kind::from_code(bytes[10], Digest(field(bytes, 48)?))?,
        replica: ReplicaId::new(bytes[11])?,
        epoch: Epoch(u32::from_be_bytes(field(bytes, 12)?)),
        cluster: ClusterId(Digest(field(bytes, 16)?)),
    })
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// Writes a new share file, mode 0600.
pub fn write(path: &Path, label: &Label, secret: &[u8]) -> Result<(), Problem> {
    write_secret(path, &seal(label, secret))
}

/// Reads a share file, whoever's it is.
pub fn read_any(path: &Path) -> Result<(Label, Zeroizing<Vec<u8>>), Problem> {
    open(&read_secret(path)?).map_err(|reason| Problem::new(path, reason))
}

/// Reads the share file that must bear the label `wanted`.
pub fn read(path: &Path, wanted: &Label) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let (found, secret) = read_any(path)?;
    match mismatch(&found, wanted) {
        None => Ok(secret),
        Some(reason) => Err(Problem::new(path, reason)),
    }
}

fn mismatch(found: &Label, wanted: &Label) -> Option<String> {
    if found.cluster != wanted.cluster {
        return Some(format!(
            "belongs to cluster {:?}, not to {:?} of the cluster file; both must come from the same deal, unedited",
            found.cluster.0, wanted.cluster.0
        ));
    }
    if found.epoch != wanted.epoch {
        return Some(format!("belongs to epoch {}, not to {}", found.epoch.0, wanted.epoch.0));
    }
    if found.replica != wanted.replica {
        return Some(format!(
            "belongs to replica {}, not to {}; each replica runs on its own directory only",
            found.replica, wanted.replica
        ));
    }
    match (found.kind, wanted.kind) {
        (a, b) if a == b => None,
        (Kind::Rsa(a), Kind::Rsa(b)) => {
            Some(format!("is a share of key {:?}, not of {:?}; files were exchanged", a.0, b.0))
        }
        (a, b) => {
            Some(format!("holds an {a}, not the {b}; files were exchanged").replace("an coin", "a coin"))
        }
    }
}

#[cfg(test)]
mod tests;
