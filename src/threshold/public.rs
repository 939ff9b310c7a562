//! The public part of a threshold key, and what anybody can check with it.

use super::combine::{self, CombineError};
use super::encode::{Representative, emsa_pkcs1_v1_5};
use super::modulus::{Modulus, Residue};
use super::proof::{self, Proof};
use super::{KeyError, ShareError, Signature, SignatureShare, lagrange};
use crate::codec::{Epoch, KeyId, digest};
use crate::limits::MAX_REPLICAS;
use crate::quorum::ReplicaId;
use borsh::{BorshDeserialize, BorshSerialize};
use num_bigint::BigInt;
use std::fmt;
use std::sync::Arc;

/// e. A prime above every n, as Shoup's 4Δ²a + eb = 1 needs; the exponent that every validator is fast with.
pub const PUBLIC_EXPONENT: u32 = 65_537;
/// Bits that a modulus may have.
pub const MODULUS_BITS: [usize; 4] = [1024, 2048, 3072, 4096];

const VERSION: u8 = 1;
const MAX_ENCODED_BYTES: usize = 64 + (MAX_REPLICAS as usize + 2) * (4096 / 8 + 4);

/// The canonical bytes of a public key are the borsh encoding of this.
#[derive(BorshSerialize, BorshDeserialize, PartialEq, Eq)]
struct Encoded {
    version: u8,
    modulus: Vec<u8>,
    exponent: u32,
    n: u8,
    k: u8,
    v: Vec<u8>,
    verification: Vec<Vec<u8>>,
}

pub(super) struct Inner {
    encoded: Encoded,
    id: KeyId,
    pub(super) modulus: Modulus,
    /// v, of Q_N.
    pub(super) v: Residue,
    /// v_i = v^{s_i}, by slot.
    pub(super) verification: Vec<Residue>,
    /// Δ = n!.
    pub(super) delta: BigInt,
    /// a, b with 4Δ²a + eb = 1.
    pub(super) bezout: (BigInt, BigInt),
}

/// The public part of a threshold key: N, e, n, k, v and v_1 … v_n. A clone shares the numbers prepared for it.
#[derive(Clone)]
pub struct PublicKey(pub(super) Arc<Inner>);

impl PublicKey {
    /// A key of its parts, checked: the length and oddness of N, 1 ≤ k ≤ n, v and all v_i units other than ±1.
    pub(super) fn new(
        modulus: Vec<u8>,
        n: u8,
        k: u8,
        v: Vec<u8>,
        verification: Vec<Vec<u8>>,
    ) -> Result<Self, KeyError> {
        Self::of(Encoded { version: VERSION, modulus, exponent: PUBLIC_EXPONENT, n, k, v, verification })
    }

    fn of(encoded: Encoded) -> Result<Self, KeyError> {
        let Encoded { version, modulus, exponent, n, k, v, verification } = &encoded;
        ensure(*version == VERSION, "a key of another version")?;
        ensure(MODULUS_BITS.contains(&(modulus.len() * 8)), "a modulus of another length")?;
        ensure(modulus[0] >= 0x80, "a modulus shorter than its octets")?;
        ensure(*exponent == PUBLIC_EXPONENT, "an exponent other than 65537")?;
        ensure((1..=MAX_REPLICAS).contains(n) && (1..=*n).contains(k), "n or k out of range")?;
        ensure(verification.len() == usize::from(*n), "not one verification key a replica")?;
        let ring = Modulus::new(modulus).ok_or(KeyError("an even modulus"))?;
        let unit =
            |octets: &[u8]| unit(&ring, octets).map_err(|_| KeyError("a verification key that is no unit"));
        let v = unit(v)?;
        let verification = verification.iter().map(|v_i| unit(v_i)).collect::<Result<_, _>>()?;
        let delta = lagrange::delta(usize::from(*n));
        let bezout =
            lagrange::bezout(&delta, PUBLIC_EXPONENT).ok_or(KeyError("an exponent that divides Δ"))?;
        let id = KeyId(digest("conclave/threshold-key", &[&crate::codec::encode(&encoded)]));
        Ok(Self(Arc::new(Inner { encoded, id, modulus: ring, v, verification, delta, bezout })))
    }

    /// The canonical bytes: borsh of version (1), N, e, n, k, v and v_1 … v_n, numbers big-endian as long as N.
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::codec::encode(&self.0.encoded)
    }

    /// From canonical bytes, everything checked.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let encoded = crate::codec::decode(bytes, MAX_ENCODED_BYTES);
        Self::of(encoded.map_err(|_| KeyError("not an encoded key"))?)
    }

    /// The key's name: the digest of its canonical bytes.
    pub fn key_id(&self) -> KeyId {
        self.0.id
    }

    /// N, big-endian, without leading zeros.
    pub fn modulus(&self) -> &[u8] {
        self.0.modulus.bytes()
    }

    /// e.
    pub fn exponent(&self) -> u32 {
        PUBLIC_EXPONENT
    }

    /// |N| in bits.
    pub fn bits(&self) -> usize {
        self.0.modulus.len() * 8
    }

    /// n: replicas with a share.
    pub fn parties(&self) -> usize {
        usize::from(self.0.encoded.n)
    }

    /// k: shares that make a signature.
    pub fn threshold(&self) -> usize {
        usize::from(self.0.encoded.k)
    }

    /// x = EMSA-PKCS1-v1_5 of a hash, SHA-256 or SHA-512 by its length (32 or 64 octets); `None` for any other.
    pub fn encode(&self, hash: &[u8]) -> Option<Representative> {
        emsa_pkcs1_v1_5(self.0.id, self.0.modulus.len(), hash)
    }

    /// Whether `signature` is *the* signature y of x: as long as N, below it, and y^e = x.
    pub fn verify(&self, x: &Representative, signature: &[u8]) -> bool {
        let ring = &self.0.modulus;
        x.key == self.0.id
            && ring
                .residue(signature)
                .is_some_and(|y| ring.encode(&ring.pow(&y, &PUBLIC_EXPONENT.to_be_bytes())) == x.octets)
    }

    /// Checks that `share` is replica `index`'s right share for x, by its proof.
    pub fn verify_share(
        &self,
        index: ReplicaId,
        epoch: Epoch,
        x: &Representative,
        share: &SignatureShare,
        proof: &Proof,
    ) -> Result<(), ShareError> {
        proof::verify(self, index, epoch, x, share, proof)
    }

    /// The signature of x from the first k of `shares`. It is verified before it is returned; if it does not verify,
    /// the error names who may be to blame.
    pub fn combine(
        &self,
        x: &Representative,
        shares: &[(ReplicaId, SignatureShare)],
    ) -> Result<Signature, CombineError> {
        combine::combine(self, x, shares)
    }

    /// x as an element of Z_N. A representative made for another key is our own mistake.
    pub(super) fn base(&self, x: &Representative) -> Residue {
        assert_eq!(x.key, self.0.id, "a representative belongs to one key");
        self.0.modulus.residue(&x.octets).expect("an encoding begins 00 01 and is below N")
    }

    /// v_i, if there is a replica `index`.
    pub(super) fn verification_key(&self, index: ReplicaId) -> Option<&Residue> {
        self.0.verification.get(index.slot())
    }
}

/// A unit of Z_N other than ±1, from exactly |N| octets.
pub(super) fn unit(ring: &Modulus, octets: &[u8]) -> Result<Residue, ShareError> {
    let element = element(ring, octets)?;
    ring.invert(&element).map(|_| element).ok_or(ShareError::NotAUnit)
}

/// An element of Z_N other than 0 and ±1, from exactly |N| octets.
pub(super) fn element(ring: &Modulus, octets: &[u8]) -> Result<Residue, ShareError> {
    let residue = ring.residue(octets).ok_or(ShareError::Range)?;
    let (last, head) = octets.split_last().ok_or(ShareError::Range)?;
    let small = *last <= 1 && head.iter().all(|octet| *octet == 0);
    let (n_last, n_head) = ring.bytes().split_last().ok_or(ShareError::Range)?;
    // N is odd, so that N-1 differs in the last octet only.
    let minus_one = *last == n_last - 1 && head == n_head;
    if small || minus_one { Err(ShareError::Range) } else { Ok(residue) }
}

fn ensure(condition: bool, otherwise: &'static str) -> Result<(), KeyError> {
    if condition { Ok(()) } else { Err(KeyError(otherwise)) }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (k, n) = (self.threshold(), self.parties());
        write!(f, "PublicKey({:?}, {} bits, {k} of {n})", self.0.id.0, self.bits())
    }
}
