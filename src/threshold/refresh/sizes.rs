//! How long the numbers of a refresh are, in octets: from the sizes of the key and the committee alone, so that everybody
//! agrees on them.

use super::proof::{CHALLENGE_BYTES, HIDING_BYTES};
use crate::threshold::{PublicKey, lagrange, receiver_len};
use num_bigint::BigUint;

/// Bits by which a coefficient's range exceeds the offsets that it hides.
const HIDING_BITS: u64 = 8 * HIDING_BYTES as u64;
/// Refreshes, in bits of their number, that a share's width allows for; a longer life makes shares longer.
const REFRESHES_BITS: u64 = 12;
/// Refreshes, in bits of their number, that a replica may miss.
const MISSED_BITS: usize = 32;

/// Lengths in octets.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    /// A: of h_j.
    pub(super) coefficient: usize,
    /// Of h(i) = ∑ h_j i^j.
    pub(super) value: usize,
    /// Of a proof's nonce: a value times a challenge, and what hides it.
    pub(super) nonce: usize,
    /// Of a proof's response. It is below 2^{8 nonce + 1}, and so is every value that a proof holds for, whoever made it.
    pub(super) response: usize,
    /// Of a share after refreshes, in whole limbs.
    pub(super) share: usize,
    /// Of a dealing's encoding.
    pub(super) dealing: usize,
}

impl Sizes {
    pub(super) fn of(public: &PublicKey) -> Self {
        let (n, k, len) = (public.parties(), public.threshold(), public.modulus().len());
        let factorial = lagrange::delta(n + 1).bits();
        let coefficient = to_octets(8 * len as u64 + 2 * factorial + 8 + HIDING_BITS);
        // h(i) < 2^{8A} ∑ n^j.
        let powers = (1..k).fold(BigUint::ZERO, |sum, _| (sum + 1u32) * n).bits();
        let value = to_octets(8 * coefficient as u64 + powers);
        let nonce = value + CHALLENGE_BYTES + HIDING_BYTES;
        let response = nonce + 1;
        // Twice a value from each of at most n dealers.
        let share = 8 * coefficient as u64 + powers + 1 + bits(n) + REFRESHES_BITS;
        let receiver = receiver_len(len);
        // What all dealers put into a row, of either sign, must stay below M/2.
        assert!(
            8 * response + bits(n) as usize + MISSED_BITS + 2 < 8 * receiver,
            "a receiver's modulus holds it"
        );
        let row = 3 * receiver + response + 3 * 4;
        Self {
            coefficient,
            value,
            nonce,
            response,
            share: to_octets(share).next_multiple_of(8),
            dealing: (k - 1) * (len + 4) + n * row + CHALLENGE_BYTES + 2 * 4,
        }
    }
}

fn to_octets(bits: u64) -> usize {
    usize::try_from(bits.div_ceil(8)).expect("a few thousand bits")
}

fn bits(number: usize) -> u64 {
    u64::from(usize::BITS - number.leading_zeros())
}
