//! Why shares are x^{2Δ s_i} with s_i = f(i): the attack on s_i = f(i)·Δ⁻¹ mod m with x_i = x^{2 s_i}.
//!
//! For the set {1, 2} the interpolation of f(0) needs no denominator: f(0) = 2 f(1) - f(2). So 2 s_1 - s_2 = d/Δ mod m,
//! and X = x_1² x_2⁻¹ = (x²)^{d/Δ}, X^{eΔ/2} = (x²)^{1/2} ∈ Q_N: a square root z of x² with Jacobi symbol 1. Where
//! (x|N) = -1, z ≠ ±x (as (-1|N) = 1), and gcd(z - x, N) is a prime factor.

use super::*;

struct Toy {
    n: BigUint,
    m: BigUint,
}

fn toy() -> Toy {
    let [p, q] = test_keys::PRIMES_512[0].map(|hex| BigUint::parse_bytes(hex.as_bytes(), 16).unwrap());
    Toy { m: (&p >> 1u32) * (&q >> 1u32), n: p * q }
}

/// f(1), f(2) for f(X) = d + c X.
fn polynomial(toy: &Toy) -> [BigUint; 2] {
    let d = BigUint::from(PUBLIC_EXPONENT).modinv(&toy.m).unwrap();
    let c = BigUint::from(0x1234_5678_9abc_def0u64).pow(15) % &toy.m;
    [(&d + &c) % &toy.m, (&d + &c * 2u32) % &toy.m]
}

/// (a|n) by quadratic reciprocity.
fn jacobi(a: &BigUint, n: &BigUint) -> i8 {
    let (mut a, mut n, mut sign) = (a % n, n.clone(), 1);
    while a != BigUint::ZERO {
        while a.is_even() {
            a >>= 1u32;
            if [3, 5].contains(&(&n % 8u32).to_u32_digits()[0]) {
                sign = -sign;
            }
        }
        std::mem::swap(&mut a, &mut n);
        if [&a, &n].iter().all(|v| (*v % 4u32).to_u32_digits() == [3]) {
            sign = -sign;
        }
        a %= &n;
    }
    if n.is_one() { sign } else { 0 }
}

/// What two holders of shares with these exponents compute from one message; Δ = 4! = 24.
fn candidate_root(toy: &Toy, x: &BigUint, exponents: [&BigUint; 2], delta: u32) -> BigUint {
    let [x_1, x_2] = exponents.map(|s| x.modpow(&(s * 2u32), &toy.n));
    let inverse = x_2.modinv(&toy.n).unwrap();
    let big_x = &x_1 * &x_1 % &toy.n * inverse % &toy.n;
    big_x.modpow(&BigUint::from(PUBLIC_EXPONENT * (delta / 2)), &toy.n)
}

/// A message whose representative has Jacobi symbol -1: every other one has.
fn message_of_symbol_minus_one(public: &PublicKey, n: &BigUint) -> BigUint {
    (0u32..)
        .map(|i| BigUint::from_bytes_be(&representative(public, &i.to_be_bytes()).octets))
        .find(|x| jacobi(x, n) == -1)
        .unwrap()
}

#[test]
fn two_shares_of_the_wrong_variant_factor_the_modulus_from_one_message() {
    let toy = toy();
    let public = test_keys::dealt(1024, 0, 4, 2).public;
    assert_eq!(BigUint::from_bytes_be(public.modulus()), toy.n);
    let x = message_of_symbol_minus_one(&public, &toy.n);
    let inverse_delta = BigUint::from(24u32).modinv(&toy.m).unwrap();
    let [s_1, s_2] = polynomial(&toy).map(|f_i| f_i * &inverse_delta % &toy.m);
    let z = candidate_root(&toy, &x, [&s_1, &s_2], 24);
    assert_eq!(&z * &z % &toy.n, &x * &x % &toy.n, "a square root of x²");
    let factor = (&z + &toy.n - &x).gcd(&toy.n);
    assert!(factor > BigUint::one() && factor < toy.n, "which is not ±x");
    assert_eq!(&toy.n % &factor, BigUint::ZERO);
}

#[test]
fn the_same_computation_on_our_shares_gives_only_what_everybody_knows() {
    let toy = toy();
    let public = test_keys::dealt(1024, 0, 4, 2).public;
    let x = message_of_symbol_minus_one(&public, &toy.n);
    let [f_1, f_2] = polynomial(&toy);
    // Our shares have exponent 2Δ f(i): 2 s_1 - s_2 = Δ d, and the root is a power of x² that x alone gives.
    let delta = BigUint::from(24u32);
    let [s_1, s_2] = [&f_1 * &delta, &f_2 * &delta];
    let z = candidate_root(&toy, &x, [&s_1, &s_2], 24);
    assert_eq!(z, x.modpow(&BigUint::from(2u32 * 24 * 12), &toy.n));
}

/// Why x^{s_i} never leaves, and the power 2Δ of it must not show it either: (i+1) s_i - i s_{i+1} = d + jm, so that the e-th power of
/// what two holders make of theirs is x·x^{jem}, and x^m, a root of 1, is not ±1 where (x|N) = -1.
#[test]
fn two_bare_powers_factor_the_modulus_from_one_message() {
    let toy = toy();
    let dealt = test_keys::dealt(1024, 0, 4, 2);
    let x = message_of_symbol_minus_one(&dealt.public, &toy.n);
    let bare: Vec<_> = dealt.shares.iter().map(|s| x.modpow(&BigUint::from_bytes_be(&s.s), &toy.n)).collect();
    let inverse = |a: &BigUint| a.modinv(&toy.n).unwrap();
    // j is odd for one pair in two.
    let factor = (1..4usize).find_map(|i| {
        let power = |of: &BigUint, exponent: usize| of.modpow(&BigUint::from(exponent), &toy.n);
        let combined = power(&bare[i - 1], i + 1) * inverse(&power(&bare[i], i)) % &toy.n;
        let root = power(&combined, PUBLIC_EXPONENT as usize) * inverse(&x) % &toy.n;
        let factor = (root + &toy.n - 1u32).gcd(&toy.n);
        (factor > BigUint::one() && factor < toy.n).then_some(factor)
    });
    assert_eq!(&toy.n % factor.expect("a factor of N"), BigUint::ZERO);
}
