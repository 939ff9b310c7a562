//! The integer coefficients of Shoup §2.2, in big integers: Δ exceeds 64 bits from n = 21 on, its products sooner.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, Signed, Zero};

/// Δ = n!.
pub(super) fn delta(n: usize) -> BigInt {
    (2..=n).fold(BigInt::one(), |product, i| product * i)
}

/// λ_j = Δ · ∏_{j' ≠ j} j' / (j' - j) over the points of `set`, each for its j. They are integers because the
/// multiplication by Δ comes first: Δ ∑ … is what makes ∑ λ_j f(j) = Δ f(0) hold without a division.
pub(super) fn coefficients(delta: &BigInt, set: &[u8]) -> Vec<BigInt> {
    let coefficient = |j: &u8| {
        let others = set.iter().filter(|other| *other != j);
        let (mut numerator, mut denominator) = (delta.clone(), BigInt::one());
        for other in others {
            numerator *= BigInt::from(*other);
            denominator *= BigInt::from(i16::from(*other) - i16::from(*j));
        }
        let (quotient, rest) = numerator.div_rem(&denominator);
        assert!(rest.is_zero(), "Δ is a multiple of every denominator of distinct indices up to n");
        quotient
    };
    set.iter().map(coefficient).collect()
}

/// a and b with 4Δ²·scale·a + e·b = 1, where shares interpolate to scale·d. They exist as e is a prime above n.
pub(super) fn bezout(delta: &BigInt, scale: &BigInt, e: u32) -> Option<(BigInt, BigInt)> {
    let power: BigInt = delta * delta * scale * 4;
    let gcd = power.extended_gcd(&BigInt::from(e));
    gcd.gcd.is_one().then_some((gcd.x, gcd.y))
}

/// |value|, big-endian.
pub(super) fn magnitude(value: &BigInt) -> Vec<u8> {
    value.abs().to_bytes_be().1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_interpolate_delta_times_the_constant_term_for_every_small_set() {
        // f(x) = 7 + 5x + 3x²
        let f = |x: u8| BigInt::from(7 + 5 * i64::from(x) + 3 * i64::from(x) * i64::from(x));
        for n in 3..=7u8 {
            let delta = delta(usize::from(n));
            for (a, b, c) in
                (1..=n).flat_map(|a| (a + 1..=n).flat_map(move |b| (b + 1..=n).map(move |c| (a, b, c))))
            {
                let set = [c, a, b];
                let sum: BigInt = coefficients(&delta, &set).iter().zip(set).map(|(l, j)| l * f(j)).sum();
                assert_eq!(sum, &delta * 7, "n = {n}, {set:?}");
            }
        }
    }

    #[test]
    fn the_set_1_2_4_whose_terms_are_no_integers_before_delta() {
        // ∏ j'/(j'-j): 8/3, -2, 1/3; dividing in integers would give 2, -2, 0.
        let expected: Vec<BigInt> = [64, -48, 8].map(BigInt::from).to_vec();
        assert_eq!(coefficients(&delta(4), &[1, 2, 4]), expected);
    }

    #[test]
    fn bezout_holds_for_every_committee() {
        for n in 1..=usize::from(crate::limits::MAX_REPLICAS) {
            let delta = delta(n);
            for scale in [BigInt::one(), &delta * 2] {
                let (a, b) = bezout(&delta, &scale, 65_537).unwrap();
                let sum: BigInt = &delta * &delta * 4 * scale * a + b * 65_537u32;
                assert!(sum.is_one(), "n = {n}");
            }
        }
        assert!(bezout(&delta(7), &BigInt::one(), 5).is_none(), "e must exceed n");
    }
}
