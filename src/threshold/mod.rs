//! Threshold RSA: Shoup, "Practical Threshold Signatures" (EUROCRYPT 2000), protocol 1, making ordinary PKCS#1 v1.5
//! signatures for DNSSEC.
//!
//! **Assumes** a dealer that is honest and forgets ([`dealer`]), and fewer than k corrupt replicas. **Guarantees**:
//! any k right shares of x give *the* signature y of x (PKCS#1 v1.5 signatures are unique, so every replica gets the
//! same octets); fewer give nothing, under the RSA assumption and in the random oracle model; a wrong share is found by
//! its proof ([`Proof`]), whoever made it.
//!
//! With the paper's symbols: N = pq of safe primes p = 2p'+1, q = 2q'+1; m = p'q'; e = 65537, a prime above n;
//! d = e⁻¹ mod m; f ∈ Z_m\[X\] of degree k-1 with f(0) = d; s_i = f(i) mod m; Δ = n!; v ∈ Q_N, v_i = v^{s_i}.
//!
//! - Share: x_i = x^{2Δ s_i}, computed as (x^{s_i})^{2Δ} ([`SecretShare::sign`]). No CRT: nobody has p and q.
//! - Combine: w = ∏ x_j^{2λ_j} with λ_j = Δ ∏ j'/(j'-j), so w^e = x^{4Δ²}; 4Δ²a + eb = 1; y = w^a x^b. y^e = x is checked
//!   before y leaves ([`PublicKey::combine`]).
//! - Prove and verify: Chaum-Pedersen over Z_N ([`SecretShare::prove`], [`PublicKey::verify_share`]).
//!
//! - Refresh: the replicas replace all shares, N and d staying ([`refresh`]).
//!
//! **Not** the variant s_i = f(i)·Δ⁻¹ mod m, x_i = x^{2 s_i}: where the Lagrange coefficients of a set have a smaller
//! denominator than Δ, its shares combine to x^{2d/Δ}, hence to a square root of x² in Q_N, and when the Jacobi symbol
//! (x|N) is -1 that is neither x nor -x, and factors N. A test does it with two shares of one message.
//!
//! **Constant time** in s_i, in a proof's nonce r and in what comes of them, by these means:
//!
//! - Width: s_i is held, read and raised to in exactly as many octets as N has, r in 64 more, leading zeros included, so that
//!   neither's own length shows.
//! - Secret powers, x^{s_i}, v^r, x̃^r and the dealer's v^{s_i}, are aws-lc's `BN_mod_exp_mont_consttime`: a fixed window over all
//!   limbs, and table look-ups that read the whole table.
//! - (x^{s_i})^{2Δ}: the exponent is public, the base is not: where (x|N) = -1, k bare powers x^{s_i} can factor N (a test
//!   does it with two). The variable-time `BN_mod_exp_mont` is right for that: what it does depends on the exponent, and its Montgomery products are constant time.
//! - z = s_i c + r and the dealer's polynomial: crypto-bigint's fixed-width arithmetic. The comparison in
//!   [`SecretShare::check`]: subtle.
//! - Secrets have neither `Debug` nor `Clone`, and are wiped: `Zeroizing` here, `BN_clear_free` there, where what is freed is
//!   wiped too. Temporaries inside crypto-bigint and the states of SHA-512 are not.
//!
//! `tests/constant_time.rs` counts the instructions of whole signatures and proofs under callgrind, the same for a hundred exponents. That
//! is aws-lc's code for AVX2 and for neither AVX2 nor ADX; of its code for ADX and AVX-512 callgrind knows nothing, and a slower test
//! steps through what the processor at hand runs. No test sees cache lines, or instructions of varying time.
//!
//! Variable time, all of it public: combining, verifying, coefficients, inverses. Of the dealer, the search for primes.

use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;

mod combine;
pub mod dealer;
mod encode;
mod lagrange;
mod modulus;
mod paillier;
mod proof;
mod public;
pub mod refresh;
mod retired;
mod secret;
mod share;
#[doc(hidden)]
pub mod test_keys;
#[cfg(test)]
mod tests;

pub use combine::CombineError;
pub use encode::Representative;
pub use paillier::{ReceiverKey, ReceiverSecret, receiver_len};
pub use proof::Proof;
pub use public::{MODULUS_BITS, PUBLIC_EXPONENT, PublicKey};
pub use retired::RetiredKey;
pub use share::SecretShare;

/// x_i, one replica's share of one signature: big-endian, exactly as long as N. Not checked until it is used.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct SignatureShare(pub Vec<u8>);

/// An RSA signature, as long as N; one that exists has been verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature(Vec<u8>);

impl Signature {
    /// Its octets, as they stand in an RRSIG.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its octets.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// What a dealer hands out.
pub struct Dealt {
    /// For everybody.
    pub public: PublicKey,
    /// s_1 … s_n, each for one replica alone.
    pub shares: Vec<SecretShare>,
}

/// Why octets are not a key or a share of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyError(pub &'static str);

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for KeyError {}

/// Why a signature share is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShareError {
    /// Nobody of this index has a share of this key.
    Index,
    /// Not of N's length, not below N, or 0, 1 or N-1.
    Range,
    /// It has a factor in common with N.
    NotAUnit,
    /// Its proof is out of range or does not hold.
    Proof,
}

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Index => "an index without a share",
            Self::Range => "a number out of range",
            Self::NotAUnit => "a number that divides by a factor of N",
            Self::Proof => "a proof that does not hold",
        })
    }
}

impl std::error::Error for ShareError {}
