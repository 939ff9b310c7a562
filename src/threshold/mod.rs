//! Shoup's threshold RSA.

use crate::codec::{Epoch, KeyId};
use crate::quorum::ReplicaId;
use borsh::{BorshDeserialize, BorshSerialize};
use zeroize::Zeroizing;

pub mod dealer;
#[doc(hidden)]
pub mod test_keys;

/// The public part of a threshold key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicKey {}

/// One replica's secret share.
pub struct SecretShare {}

/// What is exponentiated: the encoded hash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Representative {}

/// One replica's share of one signature.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct SignatureShare(pub Vec<u8>);

/// A proof that a signature share is right.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Proof {
    /// The challenge.
    pub c: [u8; 32],
    /// The response.
    pub z: Vec<u8>,
}

/// An RSA signature, as long as the modulus.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature(Vec<u8>);

/// What a dealer hands out.
pub struct Dealt {
    /// The public key.
    pub public: PublicKey,
    /// The secret shares, by slot.
    pub shares: Vec<SecretShare>,
}

/// Why bytes are not a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyError(pub &'static str);

/// Why a share is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ShareError {
    /// No such replica has a share of this key.
    Index,
    /// Not in 1..N, or the wrong length.
    Range,
    /// Has a factor in common with N.
    NotAUnit,
    /// The proof's numbers are out of range, or it does not hold.
    Proof,
}

/// Why shares do not combine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CombineError {
    /// Fewer than k.
    TooFew,
    /// One replica's share occurs twice.
    Twice(ReplicaId),
    /// This replica's share is not well formed.
    Bad(ReplicaId, ShareError),
    /// All are well formed and at least one of these is wrong.
    Wrong(Vec<ReplicaId>),
}

impl PublicKey {
    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        todo!()
    }
    /// From canonical bytes, all ranges checked.
    pub fn from_bytes(_bytes: &[u8]) -> Result<Self, KeyError> {
        todo!()
    }
    /// The digest of the canonical bytes.
    pub fn key_id(&self) -> KeyId {
        todo!()
    }
    /// N, big-endian.
    pub fn modulus(&self) -> &[u8] {
        todo!()
    }
    /// e.
    pub fn exponent(&self) -> u32 {
        todo!()
    }
    /// |N| in bits.
    pub fn bits(&self) -> usize {
        todo!()
    }
    /// n.
    pub fn parties(&self) -> usize {
        todo!()
    }
    /// k.
    pub fn threshold(&self) -> usize {
        todo!()
    }
    /// EMSA-PKCS1-v1_5 of a SHA-256 or SHA-512 hash, told apart by length.
    pub fn encode(&self, _hash: &[u8]) -> Option<Representative> {
        todo!()
    }
    /// Whether `signature` is the signature of `x`.
    pub fn verify(&self, _x: &Representative, _signature: &[u8]) -> bool {
        todo!()
    }
    /// Checks a share and its proof.
    pub fn verify_share(
        &self,
        _index: ReplicaId,
        _epoch: Epoch,
        _x: &Representative,
        _share: &SignatureShare,
        _proof: &Proof,
    ) -> Result<(), ShareError> {
        todo!()
    }
    /// Combines the first k shares.
    pub fn combine(
        &self,
        _x: &Representative,
        _shares: &[(ReplicaId, SignatureShare)],
    ) -> Result<Signature, CombineError> {
        todo!()
    }
}

impl SecretShare {
    /// Whose share it is.
    pub fn index(&self) -> ReplicaId {
        todo!()
    }
    /// Of which key.
    pub fn key_id(&self) -> KeyId {
        todo!()
    }
    /// For the share file; the caller wraps and protects it.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        todo!()
    }
    /// From [`Self::to_bytes`].
    pub fn from_bytes(_bytes: &[u8]) -> Result<Self, KeyError> {
        todo!()
    }
    /// Whether this is the share that `public` has a verification key for.
    pub fn check(&self, _public: &PublicKey) -> Result<(), KeyError> {
        todo!()
    }
    /// x_i.
    pub fn sign(&self, _public: &PublicKey, _x: &Representative) -> SignatureShare {
        todo!()
    }
    /// The proof that [`Self::sign`]'s share is right.
    pub fn prove(
        &self,
        _public: &PublicKey,
        _epoch: Epoch,
        _x: &Representative,
        _share: &SignatureShare,
        _entropy: [u8; 32],
    ) -> Proof {
        todo!()
    }
}

impl Signature {
    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
    /// The octets.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}
