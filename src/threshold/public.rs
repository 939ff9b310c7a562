//! The public part of a threshold key, and what anybody can check with it.

use super::combine::{self, CombineError};
use super::encode::{Representative, emsa_pkcs1_v1_5};
use super::modulus::{Modulus, Residue};
use super::proof::{self, Proof};
use super::{KeyError, ShareError, Signature, SignatureShare, lagrange, refresh};
use crate::codec::{Epoch, KeyId, digest};
use crate::limits::MAX_REPLICAS;
use crate::quorum::ReplicaId;
use borsh::{BorshDeserialize, BorshSerialize};
use num_bigint::BigInt;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// e. A prime above every n, as Shoup's 4Δ²a + eb = 1 needs; the exponent that every validator is fast with.
pub const PUBLIC_EXPONENT: u32 = 65_537;
/// Bits that a modulus may have.
pub const MODULUS_BITS: [usize; 4] = [1024, 2048, 3072, 4096];

/// As dealt.
const VERSION: u8 = 1;
/// With the number of its refreshes behind the rest.
const REFRESHED_VERSION: u8 = 2;
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
    /// How often its shares have been refreshed.
    refreshed: u32,
    id: KeyId,
    pub(super) modulus: Modulus,
    /// v, of Q_N.
    pub(super) v: Residue,
    /// v_i = v^{s_i}, by slot.
    pub(super) verification: Vec<Residue>,
    /// Δ = n!.
    pub(super) delta: BigInt,
    /// a, b with 4Δ²a + eb = 1; 8Δ³ after a refresh.
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
        Self::of(Encoded { version: VERSION, modulus, exponent: PUBLIC_EXPONENT, n, k, v, verification }, 0)
    }

    /// The same key with other shares, one refresh on.
    pub(super) fn with_shares(&self, verification: Vec<Vec<u8>>) -> Result<Self, KeyError> {
        let Encoded { modulus, exponent, n, k, v, .. } = &self.0.encoded;
        let refreshed = self.0.refreshed.checked_add(1).ok_or(KeyError("too many refreshes"))?;
        let (modulus, v) = (modulus.clone(), v.clone());
        let (version, exponent, n, k) = (REFRESHED_VERSION, *exponent, *n, *k);
        Self::of(Encoded { version, modulus, exponent, n, k, v, verification }, refreshed)
    }

    fn of(encoded: Encoded, refreshed: u32) -> Result<Self, KeyError> {
        let Encoded { version, modulus, exponent, n, k, v, verification } = &encoded;
        let expected = if refreshed == 0 { VERSION } else { REFRESHED_VERSION };
        ensure(*version == expected, "a key of another version")?;
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
        let scale = if refreshed == 0 { BigInt::from(1) } else { &delta * 2 };
        let bezout = lagrange::bezout(&delta, &scale, PUBLIC_EXPONENT)
            .ok_or(KeyError("an exponent that divides Δ"))?;
        let id = Self::id_of(&canonical(&encoded, refreshed));
        Ok(Self(Arc::new(Inner { encoded, refreshed, id, modulus: ring, v, verification, delta, bezout })))
    }

    /// The canonical bytes: borsh of version, N, e, n, k, v and v_1 … v_n, numbers big-endian as long as N. The version is
    /// 1 as dealt; after refreshes it is 2, and their number follows, 4 octets, little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical(&self.0.encoded, self.0.refreshed)
    }

    /// From canonical bytes, everything checked.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let (body, refreshed) = match (bytes.first(), bytes.split_last_chunk::<4>()) {
            (Some(&REFRESHED_VERSION), Some((body, number))) => (body, u32::from_le_bytes(*number)),
            _ => (bytes, 0),
        };
        let encoded = crate::codec::decode(body, MAX_ENCODED_BYTES);
        Self::of(encoded.map_err(|_| KeyError("not an encoded key"))?, refreshed)
    }

    /// How often its shares have been refreshed.
    pub fn refreshed(&self) -> u32 {
        self.0.refreshed
    }

    /// Octets that a share of it may have.
    pub(super) fn share_lens(&self) -> RangeInclusive<usize> {
        match self.0.refreshed {
            0 => self.modulus().len()..=self.modulus().len(),
            _ => refresh::share_len(self)..=refresh::max_share_len(self),
        }
    }

    /// What the next refresh multiplies shares by: 2Δ the first time.
    pub(super) fn step(&self) -> BigInt {
        if self.0.refreshed == 0 { &self.0.delta * 2 } else { BigInt::from(1) }
    }

    /// The name of the key with these canonical bytes, if they are any.
    pub fn id_of(bytes: &[u8]) -> KeyId {
        KeyId(digest("conclave/threshold-key", &[bytes]))
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

fn canonical(encoded: &Encoded, refreshed: u32) -> Vec<u8> {
    let mut bytes = crate::codec::encode(encoded);
    if refreshed > 0 {
        bytes.extend_from_slice(&refreshed.to_le_bytes());
    }
    bytes
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
