//! Bundle files: one new key for a cluster that runs, with its shares sealed, each for one replica.
//!
//! ```text
//! "CONCLAVE-BUNDLE\n" · borsh of { the bundle (crate::zone::Bundle), sealed shares by slot, digest }
//! ```
//!
//! A sealed share is an age file for the replica's sealing key; in it stands a share file ([`super::share_file`]), bound to
//! cluster, epoch, replica and key. The digest finds accidents. The file is public: who opens no share learns the public key.
//! A bundle is named by the digest of its public part; where it is used, its words are compared with the dealer's.
#![forbid(unsafe_code)]

use super::files::{Problem, read_public, write_public};
use super::seal::{self, Recipient, SealingKey};
use super::share_file::{self, Kind, Label};
use crate::codec::{self, Digest, digest, encode};
use crate::limits::MAX_REPLICAS;
use crate::quorum::ReplicaId;
use crate::threshold::SecretShare;
use crate::zone::{Bundle, CheckedBundle};
use borsh::{BorshDeserialize, BorshSerialize};
use std::path::Path;

/// How a bundle file begins.
pub const MAGIC: &[u8] = b"CONCLAVE-BUNDLE\n";
/// Bytes of one sealed share: a share of 4,096 bits, its label, and what age adds.
const MAX_SEALED_BYTES: usize = 2_048;
/// Bytes of a bundle file.
const MAX_BYTES: usize =
    crate::limits::MAX_BUNDLE_BYTES + MAX_REPLICAS as usize * (MAX_SEALED_BYTES + 4) + 128;

/// A bundle with its sealed shares.
pub struct BundleFile {
    /// The public part.
    pub public: CheckedBundle,
    /// Age files, by slot.
    sealed: Vec<Vec<u8>>,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Encoded {
    bundle: Bundle,
    sealed: Vec<Vec<u8>>,
    digest: Digest,
}

impl BundleFile {
    /// Seals the shares of a key, one for each of `readers`, by slot.
    pub fn seal(public: CheckedBundle, shares: &[SecretShare], readers: &[Recipient]) -> Self {
        let sealed = shares.iter().zip(readers).map(|(share, reader)| {
            let plain = share_file::seal(&label(&public, share.index()), &share.to_bytes());
            seal::seal(reader, &plain)
        });
        Self { sealed: sealed.collect(), public }
    }

    /// Reads and checks a file.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        Self::parse(&read_public(path)?).map_err(|reason| Problem::new(path, reason))
    }

    /// Parses and checks the bytes of a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let body = bytes.strip_prefix(MAGIC).ok_or("is not a bundle")?;
        let Encoded { bundle, sealed, digest } =
            codec::decode(body, MAX_BYTES).map_err(|e| format!("is no whole bundle: {e}"))?;
        if digest != checksum(&bundle, &sealed) {
            return Err("is damaged or was edited: the checksum does not match".into());
        }
        let public = bundle.check().map_err(|reason| format!("holds {reason}"))?;
        if sealed.len() != public.public().parties() {
            return Err(format!("holds {} sealed shares of {}", sealed.len(), public.public().parties()));
        }
        Ok(Self { public, sealed })
    }

    /// The bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (bundle, sealed) = (self.public.bundle().clone(), self.sealed.clone());
        let digest = checksum(&bundle, &sealed);
        [MAGIC, &encode(&Encoded { bundle, sealed, digest })].concat()
    }

    /// Writes a new file.
    pub fn write(&self, path: &Path) -> Result<(), Problem> {
        write_public(path, &self.to_bytes())
    }

    /// Opens the share of replica `me` and checks it against the key: v^{s_i} = v_i.
    pub fn open(&self, me: ReplicaId, key: &SealingKey) -> Result<SecretShare, String> {
        let sealed = self.sealed.get(me.slot()).ok_or_else(|| format!("holds no share of replica {me}"))?;
        let plain = seal::open(key, sealed).map_err(|reason| format!("share {me} {reason}"))?;
        let (found, secret) = share_file::open(&plain).map_err(|reason| format!("share {me} {reason}"))?;
        if found != label(&self.public, me) {
            return Err(format!("share {me} is another key's or another replica's"));
        }
        let share = SecretShare::from_bytes(&secret).map_err(|e| format!("share {me}: {e}"))?;
        if share.index() != me {
            return Err(format!("share {me} is another replica's"));
        }
        share
            .check(self.public.public())
            .map_err(|e| format!("share {me}: {e}; the dealer made a mistake"))?;
        Ok(share)
    }
}

/// What the share file of replica `replica` says of a bundle's key.
pub fn label(public: &CheckedBundle, replica: ReplicaId) -> Label {
    let Bundle { cluster, epoch, .. } = public.bundle();
    Label { kind: Kind::Rsa(public.key_id()), cluster: *cluster, epoch: *epoch, replica }
}

fn checksum(bundle: &Bundle, sealed: &[Vec<u8>]) -> Digest {
    let mut fields = vec![bundle.digest().0.to_vec()];
    fields.extend(sealed.iter().cloned());
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    digest("conclave/bundle-file", &fields)
}

#[cfg(test)]
pub(crate) mod tests;
