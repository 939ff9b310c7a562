//! The common coin of Cachin, Kursawe and Shoup ("Random Oracles in Constantinople", PODC 2000: the
//! Diffie-Hellman coin), over ristretto255
//! (RFC 9496).
//!
//! A dealer shares x with a polynomial of degree k - 1 = t over ℤ_ℓ: x_i = f(i), public v_i = g^{x_i}. The coin's
//! name is C = H("coin", cluster, epoch, round) and its base g̃ = hash-to-group(C), from 64 uniform bytes of
//! SHA-512. Replica i's share is s_i = g̃^{x_i} with a Chaum-Pedersen proof that log_g v_i = log_g̃ s_i: for a nonce
//! ρ, a = g^ρ, b = g̃^ρ, c = H(C, i, g, g̃, v_i, s_i, a, b), z = ρ + c·x_i; sent as (s_i, c, z), checked by
//! a = g^z v_i^{-c}, b = g̃^z s_i^{-c}. Nonces are hedged: from the secret, the message and fresh randomness.
//! k valid shares of *distinct* replicas give g̃^x by Lagrange interpolation in the exponent, the same whichever
//! k they are; hashed, that is the seed, and the seed permutes the replicas: the round's leaders in order.

use super::commit::CERTIFY;
use super::vertex::{Domain, FIRST_SHARE_ROUND};
use crate::codec::{Digest, digest};
use crate::quorum::{Committee, ReplicaId};
use borsh::{BorshDeserialize, BorshSerialize};
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_COMPRESSED;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul as _;
use sha2::{Digest as _, Sha512};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// The public side of the coin: v_i of every replica, and how many shares make a coin.
#[derive(Clone, PartialEq, Eq)]
pub struct CoinPublic {
    threshold: usize,
    keys: Vec<[u8; 32]>,
    points: Vec<RistrettoPoint>,
}

/// Why a public coin key was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CoinKeyError {
    /// Not 1 ≤ k ≤ n.
    Threshold,
    /// The key of the replica in this slot is no canonical point of ristretto255, or the identity.
    Key(usize),
    /// A secret share that is no canonical scalar.
    Secret,
}

impl fmt::Display for CoinKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Threshold => f.write_str("the coin's threshold does not fit the number of its keys"),
            Self::Key(slot) => write!(f, "coin key {} is not a point of ristretto255", slot + 1),
            Self::Secret => f.write_str("a coin share is not a scalar of ristretto255"),
        }
    }
}

impl std::error::Error for CoinKeyError {}

impl CoinPublic {
    /// From the v_i, by slot, and k = t + 1.
    pub fn new(keys: Vec<[u8; 32]>, threshold: usize) -> Result<Self, CoinKeyError> {
        if threshold == 0 || threshold > keys.len() {
            return Err(CoinKeyError::Threshold);
        }
        let decode = |(slot, key): (usize, &[u8; 32])| {
            let point = CompressedRistretto(*key).decompress().ok_or(CoinKeyError::Key(slot))?;
            if point == RistrettoPoint::default() { Err(CoinKeyError::Key(slot)) } else { Ok(point) }
        };
        let points = keys.iter().enumerate().map(decode).collect::<Result<_, _>>()?;
        Ok(Self { threshold, keys, points })
    }

    /// The v_i, by slot: the canonical 32 octets of each.
    pub fn keys(&self) -> &[[u8; 32]] {
        &self.keys
    }

    /// k: so many shares of distinct replicas make a coin.
    pub fn threshold(&self) -> usize {
        self.threshold
    }
}

impl fmt::Debug for CoinPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CoinPublic({} of {})", self.threshold, self.keys.len())
    }
}

/// A replica's secret x_i. Wiped on drop; neither copied nor printed.
pub struct CoinSecret(Zeroizing<[u8; 32]>);

impl CoinSecret {
    /// The canonical 32 octets, for the share file.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.clone()
    }

    /// From the canonical 32 octets.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CoinKeyError> {
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| CoinKeyError::Secret)?;
        let valid: bool = Scalar::from_canonical_bytes(bytes).is_some().into();
        if valid { Ok(Self(Zeroizing::new(bytes))) } else { Err(CoinKeyError::Secret) }
    }

    /// v_i = g^{x_i}, to check a share file against the cluster file.
    pub fn public(&self) -> [u8; 32] {
        RistrettoPoint::mul_base(&self.scalar()).compress().0
    }

    fn scalar(&self) -> Zeroizing<Scalar> {
        Zeroizing::new(Scalar::from_bytes_mod_order(*self.0))
    }
}

/// Deals a coin to `n` replicas, `k` of which make a coin; `entropy` fills its argument with random bytes.
///
/// # Panics
/// Unless 1 ≤ k ≤ n.
pub fn deal(n: usize, k: usize, entropy: &mut dyn FnMut(&mut [u8])) -> (CoinPublic, Vec<CoinSecret>) {
    assert!(1 <= k && k <= n, "a threshold of {k} among {n}");
    let polynomial: Vec<Zeroizing<Scalar>> = (0..k)
        .map(|_| {
            let mut wide = Zeroizing::new([0; 64]);
            entropy(wide.as_mut_slice());
            Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide))
        })
        .collect();
    let at =
        |x: Scalar| polynomial.iter().rev().fold(Scalar::ZERO, |sum, coefficient| sum * x + **coefficient);
    let share = |i: usize| CoinSecret(Zeroizing::new(at(Scalar::from(i as u64)).to_bytes()));
    let secrets: Vec<CoinSecret> = (1..=n).map(share).collect();
    let keys = secrets.iter().map(CoinSecret::public).collect();
    (CoinPublic::new(keys, k).expect("x_i = 0 has probability 2^-252"), secrets)
}

/// Replica i's share of one coin, with the proof that it is right: 96 octets.
#[derive(Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CoinShare {
    s: [u8; 32],
    c: [u8; 32],
    z: [u8; 32],
}

impl fmt::Debug for CoinShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CoinShare({:02x}{:02x}…)", self.s[0], self.s[1])
    }
}

/// The round to whose coin the vertices of `round` add their shares.
pub(super) fn tossed_by(round: u64) -> Option<u64> {
    (round >= FIRST_SHARE_ROUND).then(|| if planted!(EarlyCoin) { round } else { round - CERTIFY })
}

/// The coin of one round: its base g̃, computed once.
pub(super) struct Toss {
    name: Digest,
    base: RistrettoPoint,
    base_octets: [u8; 32],
}

impl Toss {
    /// The coin of `round`.
    pub fn new(domain: &Domain, round: u64) -> Self {
        let name = domain.digest("conclave/coin", &[&round.to_be_bytes()]);
        let mut hash = Sha512::new();
        hash.update(b"conclave/coin base\0");
        hash.update(name.0);
        let base = RistrettoPoint::from_uniform_bytes(&hash.finalize().into());
        Self { name, base, base_octets: base.compress().0 }
    }

    /// s_i = g̃^{x_i} with its proof. `fresh` need not be random for safety of the secret, only differ or be secret.
    pub fn share(&self, me: ReplicaId, secret: &CoinSecret, fresh: &[u8; 32]) -> CoinShare {
        let x = secret.scalar();
        let s = (self.base * *x).compress().0;
        let v = RistrettoPoint::mul_base(&x).compress().0;
        let nonce = self.nonce(secret, &s, fresh);
        let a = RistrettoPoint::mul_base(&nonce).compress().0;
        let b = (self.base * *nonce).compress().0;
        let c = self.challenge(me, &v, &s, &a, &b);
        CoinShare { s, c: c.to_bytes(), z: (*nonce + c * *x).to_bytes() }
    }

    /// Whether this is replica `who`'s share of this coin.
    pub fn verify(&self, public: &CoinPublic, who: ReplicaId, share: &CoinShare) -> bool {
        let (Some(v), Some(point)) = (public.points.get(who.slot()), share.point()) else { return false };
        let scalars = (Scalar::from_canonical_bytes(share.c), Scalar::from_canonical_bytes(share.z));
        let (Some(c), Some(z)) = (scalars.0.into_option(), scalars.1.into_option()) else { return false };
        let a = RistrettoPoint::vartime_double_scalar_mul_basepoint(&-c, v, &z).compress().0;
        let b = RistrettoPoint::vartime_multiscalar_mul([z, -c], [self.base, point]).compress().0;
        self.challenge(who, &public.keys[who.slot()], &share.s, &a, &b) == c
    }

    /// The leaders of the round, from k *verified* shares of distinct replicas; none while there are fewer.
    pub fn leaders(
        &self,
        committee: Committee,
        public: &CoinPublic,
        shares: &BTreeMap<ReplicaId, CoinShare>,
    ) -> Option<Vec<ReplicaId>> {
        let points: Vec<(ReplicaId, RistrettoPoint)> = shares
            .iter()
            .take(public.threshold)
            .map(|(id, share)| Some((*id, share.point()?)))
            .collect::<Option<_>>()?;
        if points.len() < public.threshold || planted!(NoCoin) {
            return None;
        }
        let ids: Vec<ReplicaId> = points.iter().map(|(id, _)| *id).collect();
        let weights = ids.iter().map(|id| lagrange_at_zero(*id, &ids));
        let value = RistrettoPoint::vartime_multiscalar_mul(weights, points.iter().map(|(_, point)| point));
        let value = value.compress().0;
        let seed: &[&[u8]] = if planted!(GuessableCoin) { &[] } else { &[&self.name.0, &value] };
        let seed = digest("conclave/coin seed", seed);
        Some(permutation(committee, &seed))
    }

    fn nonce(&self, secret: &CoinSecret, s: &[u8; 32], fresh: &[u8; 32]) -> Zeroizing<Scalar> {
        let mut hash = Sha512::new();
        hash.update(b"conclave/coin nonce\0");
        for part in [&*secret.0, &self.name.0, s, fresh] {
            hash.update(part);
        }
        let wide = Zeroizing::new(<[u8; 64]>::from(hash.finalize()));
        Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide))
    }

    fn challenge(&self, who: ReplicaId, v: &[u8; 32], s: &[u8; 32], a: &[u8; 32], b: &[u8; 32]) -> Scalar {
        let mut hash = Sha512::new();
        hash.update(b"conclave/coin proof\0");
        hash.update(self.name.0);
        hash.update([who.get()]);
        for point in [&RISTRETTO_BASEPOINT_COMPRESSED.0, &self.base_octets, v, s, a, b] {
            hash.update(point);
        }
        Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
    }
}

impl CoinShare {
    fn point(&self) -> Option<RistrettoPoint> {
        CompressedRistretto(self.s).decompress()
    }
}

/// λ_i = ∏_{j≠i} j / (j - i): the weight of f(i) in f(0).
fn lagrange_at_zero(i: ReplicaId, ids: &[ReplicaId]) -> Scalar {
    let scalar = |id: ReplicaId| Scalar::from(id.get());
    let others = || ids.iter().copied().filter(|j| *j != i);
    let numerator: Scalar = others().map(scalar).product();
    let denominator: Scalar = others().map(|j| scalar(j) - scalar(i)).product();
    numerator * denominator.invert()
}

/// Fisher-Yates, driven by a SHA-256 counter stream of 32-bit words with rejection, so that every order is equally
/// likely.
fn permutation(committee: Committee, seed: &Digest) -> Vec<ReplicaId> {
    let mut order: Vec<ReplicaId> = committee.members().collect();
    let mut words = (0u64..).flat_map(|counter| {
        let block = digest("conclave/coin stream", &[&seed.0, &counter.to_be_bytes()]);
        let word =
            |at: usize| u32::from_be_bytes([block.0[at], block.0[at + 1], block.0[at + 2], block.0[at + 3]]);
        (0..8).map(move |i| word(4 * i)).collect::<Vec<u32>>()
    });
    for last in (1..order.len()).rev() {
        let bound = last as u32 + 1;
        let fair = u32::MAX - (u32::MAX % bound + 1) % bound; // the greatest word below a multiple of bound
        let word = words.by_ref().find(|word| *word <= fair).expect("the stream has no end");
        order.swap(last, (word % bound) as usize);
    }
    order
}
