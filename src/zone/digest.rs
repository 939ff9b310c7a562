//! A digest of a set that follows each change of the set at a constant price.
//!
//! Elements are hashed to points of the Ristretto group and added up: the sum does not depend on the order, an element that
//! leaves is subtracted, and to find two sets of one sum is as hard as discrete logarithms in that group (Bellare and
//! Micciancio, "A new paradigm for collision-free hashing", EUROCRYPT 1997, AdHash over a group, MuHash). So the digest of
//! a state of a million names costs a batch only what the batch changes, and replicas that hold the same state have the
//! same digest whatever way led there.

use crate::codec;
use curve25519_dalek::ristretto::RistrettoPoint;

/// The digest of a set of byte strings.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct SetDigest(RistrettoPoint);

impl SetDigest {
    pub(super) fn insert(&mut self, element: &[&[u8]]) {
        self.0 += point(element);
    }

    pub(super) fn remove(&mut self, element: &[&[u8]]) {
        self.0 -= point(element);
    }

    pub(super) fn bytes(&self) -> [u8; 32] {
        self.0.compress().to_bytes()
    }
}

fn point(element: &[&[u8]]) -> RistrettoPoint {
    let mut uniform = [0; 64];
    uniform[..32].copy_from_slice(&codec::digest("conclave/state/left", element).0);
    uniform[32..].copy_from_slice(&codec::digest("conclave/state/right", element).0);
    RistrettoPoint::from_uniform_bytes(&uniform)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_a_set_does_not_show() {
        let mut direct = SetDigest::default();
        direct.insert(&[b"a"]);
        direct.insert(&[b"b", b"c"]);
        let mut around = SetDigest::default();
        for element in [[b"x"], [b"a"]] {
            around.insert(&[element[0]]);
        }
        around.insert(&[b"b", b"c"]);
        around.remove(&[b"x"]);
        assert_eq!(direct.bytes(), around.bytes());
        around.remove(&[b"a"]);
        assert_ne!(direct.bytes(), around.bytes());
    }
}
