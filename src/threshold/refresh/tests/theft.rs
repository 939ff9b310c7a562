//! t shares stolen before a refresh and t others after it are worth nothing; without it they would be the key.

use super::*;
use crate::threshold::lagrange::{coefficients, delta};

/// ∑ λ_j s_j over these shares, as a thief would compute it: Δd mod m for a quorum of one sharing as dealt.
fn interpolate(n: usize, shares: &[&SecretShare]) -> BigInt {
    let set: Vec<u8> = shares.iter().map(|share| share.index().get()).collect();
    coefficients(&delta(n), &set).iter().zip(shares).map(|(lambda, share)| lambda * integer(share)).sum()
}

/// m = p'q', which the thief does not know: the test's own measure.
fn m() -> BigInt {
    let [p, q] = test_keys::PRIMES_512[0].map(|hex| BigInt::parse_bytes(hex.as_bytes(), 16).unwrap());
    (p >> 1) * (q >> 1)
}

fn modulo(value: &BigInt) -> BigInt {
    ((value % m()) + m()) % m()
}

#[test]
fn t_shares_from_before_and_t_from_after_do_not_sign() {
    // n = 7, t = 2, k = 3.
    let old = Sharing::dealt(7, 3);
    let new = old.next(3, 5);
    let (before, after) = (old.sign(b"theft"), new.sign(b"theft"));
    let mixed: Vec<_> = [&before[..2], &after[2..4]].concat();
    let pure: Vec<_> = before[..4].to_vec();
    assert!(old.public.combine(&old.x(b"theft"), &pure).is_ok(), "four of one sharing are a quorum and more");
    for sharing in [&old, &new] {
        for leave_out in 0..4 {
            let mut set = mixed.clone();
            set.remove(leave_out);
            let failed = sharing.public.combine(&sharing.x(b"theft"), &set);
            assert!(matches!(failed, Err(CombineError::Wrong(_))), "without the {leave_out}th: {failed:?}");
        }
    }
}

#[test]
fn mixed_shares_interpolate_to_garbage_and_shares_of_one_sharing_to_the_key() {
    let old = Sharing::dealt(7, 3);
    let new = old.next(3, 5);
    let last = new.next(3, 6);
    let e = BigInt::from(crate::threshold::PUBLIC_EXPONENT);
    let d = e.modinv(&m()).unwrap();
    let two_delta = delta(7) * 2;
    let of = |sharing: &Sharing, set: &[usize]| {
        modulo(&interpolate(7, &set.iter().map(|slot| &sharing.shares[*slot]).collect::<Vec<_>>()))
    };
    // What every quorum of one sharing gives.
    let (dealt, refreshed) = (modulo(&(delta(7) * &d)), modulo(&(delta(7) * &two_delta * &d)));
    for set in [[0, 1, 2], [4, 2, 6], [3, 5, 1]] {
        assert_eq!(of(&old, &set), dealt);
        assert_eq!(of(&new, &set), refreshed);
        assert_eq!(of(&last, &set), refreshed);
    }
    // A thief knows Δ, and multiplies what he has from before by 2Δ. Nothing of it is the key, in any mixture.
    for (earlier, later, scale) in [(&old, &new, &two_delta), (&new, &last, &BigInt::from(1))] {
        for set in [[0, 1, 2], [0, 2, 3], [1, 2, 3]] {
            let lambda = coefficients(&delta(7), &set.map(|slot: usize| slot as u8 + 1));
            let part = |(lambda, slot): (&BigInt, usize)| match slot {
                0 | 1 => lambda * scale * integer(&earlier.shares[slot]),
                _ => lambda * integer(&later.shares[slot]),
            };
            let sum: BigInt = lambda.iter().zip(set).map(part).sum();
            assert_ne!(modulo(&sum), refreshed, "{set:?}");
            // Were there no refresh, the same computation would give the key.
            let still: BigInt =
                lambda.iter().zip(set).map(|(l, s)| l * scale * integer(&earlier.shares[s])).sum();
            assert_eq!(modulo(&still), refreshed, "{set:?}");
        }
    }
}

#[test]
fn a_share_after_a_refresh_says_nothing_about_the_one_before_but_through_its_polynomial() {
    // What s_b' shows mod b, with b a divisor of every g(b), must not depend on s_b.
    let old = Sharing::dealt(7, 3);
    for (slot, share) in old.next(3, 8).shares.iter().enumerate() {
        let b = slot + 1;
        assert_eq!(integer(share) % b, BigInt::from(0), "of s_b itself, every residue mod {b} would show");
    }
    assert!((0..7).any(|slot| integer(&old.shares[slot]) % (slot + 1) != BigInt::from(0)));
}
