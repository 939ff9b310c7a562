//! A digest of a set that follows each change of the set at a constant price; and the state as 256 such sets.
//!
//! Elements are hashed to points of the Ristretto group and added up: the sum does not depend on the order, an element that
//! leaves is subtracted, and to find two sets of one sum is as hard as discrete logarithms in that group (Bellare and
//! Micciancio, "A new paradigm for collision-free hashing", EUROCRYPT 1997, AdHash over a group, MuHash). So the digest of
//! a state of a million names costs a batch only what the batch changes, and replicas that hold the same state have the
//! same digest whatever way led there.

use super::manifest::{BUCKETS, Commitment};
use crate::codec::{self, Digest};
use curve25519_dalek::ristretto::RistrettoPoint;
use std::sync::OnceLock;

/// A set of byte strings: how many, of how many octets, their digest.
#[derive(Default)]
pub(super) struct SetDigest {
    count: u64,
    bytes: u64,
    sum: RistrettoPoint,
    /// The sum compressed, which costs as much as half an element: once for each change that somebody looks at.
    compressed: OnceLock<[u8; 32]>,
}

impl SetDigest {
    pub(super) fn insert(&mut self, element: &[u8]) {
        self.count += 1;
        self.bytes += element.len() as u64;
        self.sum += point(element);
        self.compressed.take();
    }

    /// Removes what is in it.
    pub(super) fn remove(&mut self, element: &[u8]) {
        self.count -= 1;
        self.bytes -= element.len() as u64;
        self.sum -= point(element);
        self.compressed.take();
    }

    pub(super) fn commitment(&self) -> Commitment {
        let digest = *self.compressed.get_or_init(|| self.sum.compress().to_bytes());
        Commitment { count: self.count, bytes: self.bytes, digest: Digest(digest) }
    }
}

fn point(element: &[u8]) -> RistrettoPoint {
    let mut uniform = [0; 64];
    uniform[..32].copy_from_slice(&codec::digest("conclave/state/left", &[element]).0);
    uniform[32..].copy_from_slice(&codec::digest("conclave/state/right", &[element]).0);
    RistrettoPoint::from_uniform_bytes(&uniform)
}

/// All elements of the state, by bucket.
pub(super) struct Tally(Box<[SetDigest; BUCKETS]>);

impl Default for Tally {
    fn default() -> Self {
        Self(Box::new(std::array::from_fn(|_| SetDigest::default())))
    }
}

impl Tally {
    pub(super) fn bucket(&mut self, bucket: u8) -> &mut SetDigest {
        &mut self.0[usize::from(bucket)]
    }

    pub(super) fn commitments(&self) -> Vec<Commitment> {
        self.0.iter().map(SetDigest::commitment).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_a_set_does_not_show() {
        let mut direct = SetDigest::default();
        direct.insert(b"a");
        direct.insert(b"bc");
        let mut around = SetDigest::default();
        for element in [&b"x"[..], b"a", b"bc"] {
            around.insert(element);
            let _ = around.commitment();
        }
        around.remove(b"x");
        assert_eq!(direct.commitment(), around.commitment());
        around.remove(b"a");
        assert_ne!(direct.commitment(), around.commitment());
        around.remove(b"bc");
        assert_eq!(around.commitment(), Commitment::default(), "the empty set's digest is zeros");
    }
}
