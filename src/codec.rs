//! The bounded, canonical wire format between peers and in the log (borsh), and domain-separated hashing.
//!
//! Borsh has one encoding for a value, refuses trailing bytes, and never reserves more than it has read. Every
//! hash of the project goes through [`digest`], which binds a domain tag and length-prefixes every field.

use borsh::{BorshDeserialize, BorshSerialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, BorshSerialize, BorshDeserialize)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Lower-case hexadecimal, 64 characters.
    pub fn to_hex(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }

    /// From hexadecimal of either case.
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0[..6]))
    }
}

/// The hash of the canonical form of the cluster file: names one cluster.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, BorshSerialize, BorshDeserialize,
)]
pub struct ClusterId(pub Digest);

/// The epoch: counts the memberships of a cluster, from 0.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, BorshSerialize, BorshDeserialize,
)]
pub struct Epoch(pub u32);

/// Names one threshold key: the digest of its public part.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, BorshSerialize, BorshDeserialize,
)]
pub struct KeyId(pub Digest);

/// Names one signing job: a digest over cluster, epoch, key and what is signed.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, BorshSerialize, BorshDeserialize,
)]
pub struct JobId(pub Digest);

impl JobId {
    /// The name of the job of signing `hash` (of an RRSIG's preimage) with `key`.
    pub fn new(cluster: ClusterId, epoch: Epoch, key: KeyId, hash: &[u8]) -> Self {
        Self(digest("conclave/job", &[&cluster.0.0, &epoch.0.to_be_bytes(), &key.0.0, hash]))
    }
}

/// SHA-256 over the domain tag and the fields, each preceded by its length in 8 octets.
pub fn digest(domain: &str, fields: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    for field in std::iter::once(domain.as_bytes()).chain(fields.iter().copied()) {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    Digest(hash.finalize().into())
}

/// The canonical encoding of a value.
pub fn encode<T: BorshSerialize>(value: &T) -> Vec<u8> {
    borsh::to_vec(value).expect("writing to memory does not fail")
}

/// Why bytes were refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// More bytes than this kind of message may have.
    TooLong {
        /// How many came.
        bytes: usize,
        /// How many may come.
        limit: usize,
    },
    /// Not an encoding of the type, or bytes left over.
    Malformed(String),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes, limit } => write!(f, "{bytes} bytes, over the limit of {limit}"),
            Self::Malformed(why) => write!(f, "malformed: {why}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Decodes a value of at most `limit` bytes; all of `bytes` must be its encoding.
pub fn decode<T: BorshDeserialize>(bytes: &[u8], limit: usize) -> Result<T, DecodeError> {
    if bytes.len() > limit {
        return Err(DecodeError::TooLong { bytes: bytes.len(), limit });
    }
    borsh::from_slice(bytes).map_err(|e| DecodeError::Malformed(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_cannot_slide_into_one_another() {
        assert_ne!(digest("d", &[b"ab", b"c"]), digest("d", &[b"a", b"bc"]));
        assert_ne!(digest("d", &[b""]), digest("d", &[]));
        assert_ne!(digest("a", &[b"x"]), digest("b", &[b"x"]));
    }

    #[test]
    fn trailing_and_oversized_bytes_are_refused() {
        assert!(decode::<u8>(&[1, 2], 10).is_err());
        assert_eq!(decode::<u32>(&[0; 4], 3), Err(DecodeError::TooLong { bytes: 4, limit: 3 }));
        assert!(decode::<Vec<u8>>(&[0xff, 0xff, 0xff, 0xff, 1], 10).is_err());
    }
}
