//! A replica's identity: an Ed25519 key (RFC 8032).
//!
//! The same key authenticates the replica's TLS links; what TLS 1.3 signs begins with 64 spaces (RFC 8446 §4.4.3),
//! what is signed here begins with a domain tag, so that neither can be taken for the other.

use crate::codec::Digest;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use zeroize::Zeroizing;

const DOMAIN: &[u8] = b"conclave/vertex signature\0";

/// A replica's secret Ed25519 key. Its seed is wiped on drop.
pub struct IdentityKey {
    seed: Zeroizing<[u8; 32]>,
    pair: Ed25519KeyPair,
}

impl IdentityKey {
    /// A fresh key from 32 octets of `entropy`.
    pub fn generate(entropy: &mut dyn FnMut(&mut [u8])) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        entropy(seed.as_mut_slice());
        Self::from_seed(*seed)
    }

    /// The key with this seed (RFC 8032 §5.1.5: the 32 octets of the private key).
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("any 32 octets are a seed");
        Self { seed: Zeroizing::new(seed), pair }
    }

    /// The seed, for the key file.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The public key (RFC 8032 §5.1.5), as it stands in the cluster file.
    pub fn public(&self) -> [u8; 32] {
        self.pair.public_key().as_ref().try_into().expect("an Ed25519 public key has 32 octets")
    }

    /// Signs what another layer says in this replica's name: `domain`, which is that layer's own, and `digest`.
    pub fn sign_in(&self, domain: &[u8], digest: &Digest) -> [u8; 64] {
        let signature = self.pair.sign(&[domain, &digest.0].concat());
        signature.as_ref().try_into().expect("an Ed25519 signature has 64 octets")
    }

    /// Signs a digest that binds domain, cluster and epoch.
    pub(super) fn sign(&self, digest: &Digest) -> Signature {
        let signature = self.pair.sign(&signed(digest));
        Signature(signature.as_ref().try_into().expect("an Ed25519 signature has 64 octets"))
    }
}

impl super::Consensus {
    /// This replica's identity key.
    pub fn identity(&self) -> &IdentityKey {
        &self.secrets.identity
    }
}

/// An Ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Whether this is `public`'s signature over `digest`.
    pub(super) fn verifies(&self, public: &[u8; 32], digest: &Digest) -> bool {
        UnparsedPublicKey::new(&ED25519, public).verify(&signed(digest), &self.0).is_ok()
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}…", self.0[0], self.0[1])
    }
}

fn signed(digest: &Digest) -> Vec<u8> {
    [DOMAIN, &digest.0].concat()
}
