//! Keys that nobody is to sign with any more.

use crate::codec::{Digest, KeyId, digest};
use borsh::{BorshDeserialize, BorshSerialize};

/// A key that was taken out of use, with all its sharings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub struct RetiredKey {
    /// Its name as dealt.
    pub key: KeyId,
    /// A digest of N, which its sharings have in common.
    modulus: Digest,
}

impl RetiredKey {
    /// The key of this name, with this N.
    pub fn new(key: KeyId, modulus: &[u8]) -> Self {
        Self { key, modulus: named(modulus) }
    }

    /// Whether this is its N.
    pub fn has(&self, modulus: &[u8]) -> bool {
        self.modulus == named(modulus)
    }
}

fn named(modulus: &[u8]) -> Digest {
    digest("conclave/retired", &[modulus])
}
