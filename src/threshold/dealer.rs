//! The dealer's arithmetic (Shoup §2.2, "The Dealer").
//!
//! N = pq with safe primes p = 2p'+1, q = 2q'+1; m = p'q'; d = e⁻¹ mod m; f over Z_m of degree k-1 with f(0) = d;
//! s_i = f(i) mod m; v ∈ Q_N, v_i = v^{s_i}. p, q, m, d and f are wiped when they leave scope; the arithmetic on them is
//! crypto-bigint's constant-time one. The search for primes takes time that depends on what it discards only.

use super::modulus::Modulus;
use super::public::{MODULUS_BITS, PUBLIC_EXPONENT, PublicKey, unit};
use super::share::SecretShare;
use super::{Dealt, KeyError};
use crate::codec::KeyId;
use crate::limits::MAX_REPLICAS;
use crate::quorum::ReplicaId;
use crypto_bigint::{BoxedUint, ConcatenatingMul, NonZero, Resize};
use crypto_primes::hazmat::SmallFactorsSieve;
use crypto_primes::{Flavor, is_prime};
use std::fmt;
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// Bits of randomness beyond those of a bound that is reduced by: the bias is below 2^{-128}.
const REDUCTION_SLACK_BYTES: usize = 16;

/// How far the search for a key has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DealProgress {
    /// So many candidates have been tested, over both primes.
    Candidates(u64),
    /// So many of the two primes are found.
    Primes(u8),
}

/// Why no key was dealt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DealError(pub &'static str);

impl fmt::Display for DealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for DealError {}

/// A secret integer, wiped when dropped.
type Secret = Zeroizing<BoxedUint>;

/// p and q of a key, big-endian and of equal length: the whole secret, for a backup and nothing else. Wiped on drop.
pub struct Primes {
    /// p.
    pub p: Zeroizing<Vec<u8>>,
    /// q.
    pub q: Zeroizing<Vec<u8>>,
}

/// Deals a new key of `bits` (one of [`MODULUS_BITS`]) bits to `n` replicas, any `k` of which sign.
///
/// `entropy` fills its argument with random octets of the best source there is; `progress` is told of each candidate.
pub fn deal(
    bits: usize,
    n: usize,
    k: usize,
    entropy: &mut dyn FnMut(&mut [u8]),
    progress: &mut dyn FnMut(DealProgress),
) -> Result<Dealt, DealError> {
    deal_keeping(bits, n, k, entropy, progress).map(|(dealt, _)| dealt)
}

/// [`deal`], which also gives the primes, for who has to keep a backup.
pub fn deal_keeping(
    bits: usize,
    n: usize,
    k: usize,
    entropy: &mut dyn FnMut(&mut [u8]),
    progress: &mut dyn FnMut(DealProgress),
) -> Result<(Dealt, Primes), DealError> {
    check(bits, n, k)?;
    let mut tested = 0;
    let mut candidate = || {
        tested += 1;
        progress(DealProgress::Candidates(tested));
    };
    let p = safe_prime(bits / 2, entropy, &mut candidate);
    let mut q = safe_prime(bits / 2, entropy, &mut candidate);
    while *p == *q {
        q = safe_prime(bits / 2, entropy, &mut candidate);
    }
    progress(DealProgress::Primes(2));
    let octets = |prime: &Secret| Zeroizing::new(prime.to_be_bytes().into_vec());
    let primes = Primes { p: octets(&p), q: octets(&q) };
    Ok((deal_checked(&p, &q, n, k, entropy)?, primes))
}

/// Deals the key of two given safe primes, big-endian and of equal length, their two highest bits set.
pub fn deal_from_primes(
    p: &[u8],
    q: &[u8],
    n: usize,
    k: usize,
    entropy: &mut dyn FnMut(&mut [u8]),
) -> Result<Dealt, DealError> {
    check(p.len() * 16, n, k)?;
    let high_bits = |prime: &[u8]| prime.first().is_some_and(|octet| *octet >= 0xc0);
    if p.len() != q.len() || p == q || !high_bits(p) || !high_bits(q) {
        return Err(DealError("primes that are equal, or too short"));
    }
    let (p, q) = (secret(p), secret(q));
    if !is_prime(Flavor::Safe, &*p) || !is_prime(Flavor::Safe, &*q) {
        return Err(DealError("not safe primes"));
    }
    deal_checked(&p, &q, n, k, entropy)
}

/// A safe prime of exactly `bits` bits, the highest two of them set; `candidate` is called at each test.
fn safe_prime(bits: usize, entropy: &mut dyn FnMut(&mut [u8]), candidate: &mut dyn FnMut()) -> Secret {
    let precision = NonZeroU32::new(bits_of(bits)).expect("a prime has bits");
    loop {
        let mut start = Zeroizing::new(vec![0; bits / 8]);
        entropy(&mut start);
        start[0] |= 0xc0;
        let start = BoxedUint::from_be_slice(&start, precision.get()).expect("as long as said");
        // Ends without a result only if it meets 2^bits.
        let Ok(sieve) = SmallFactorsSieve::new(start, precision, true) else { continue };
        for number in sieve {
            candidate();
            if is_prime(Flavor::Safe, &number) {
                return Zeroizing::new(number);
            }
        }
    }
}

fn check(bits: usize, n: usize, k: usize) -> Result<(), DealError> {
    if !MODULUS_BITS.contains(&bits) {
        return Err(DealError("a modulus has 1024, 2048, 3072 or 4096 bits"));
    }
    if !(1..=usize::from(MAX_REPLICAS)).contains(&n) || !(1..=n).contains(&k) {
        return Err(DealError("n or k out of range"));
    }
    Ok(())
}

fn deal_checked(
    p: &Secret,
    q: &Secret,
    n: usize,
    k: usize,
    entropy: &mut dyn FnMut(&mut [u8]),
) -> Result<Dealt, DealError> {
    let bits = p.bits_precision() + q.bits_precision();
    let modulus = p.concatenating_mul(&**q).to_be_bytes().to_vec();
    // p' = (p-1)/2, as p is odd.
    let half = |prime: &Secret| Zeroizing::new(prime.shr(1));
    let m = half(p).concatenating_mul(&*half(q)).resize(bits);
    let m = Zeroizing::new(NonZero::new(m).into_option().ok_or(DealError("primes out of range"))?);
    let f = polynomial(&m, k, entropy)?;

    let ring = Modulus::new(&modulus).ok_or(DealError("primes out of range"))?;
    let v = generator(&ring, entropy);
    let members = (1..=MAX_REPLICAS).take(n).filter_map(ReplicaId::new);
    let shares: Vec<_> = members.map(|i| (i, evaluate(&f, i, &m))).collect();
    let verification = shares.iter().map(|(_, s)| ring.encode(&ring.pow_secret(&v, s))).collect();

    let size = |number: usize| u8::try_from(number).expect("at most MAX_REPLICAS");
    let public = PublicKey::new(modulus, size(n), size(k), ring.encode(&v), verification)
        .map_err(|KeyError(why)| DealError(why))?;
    let key: KeyId = public.key_id();
    let shares = shares.into_iter().map(|(i, s)| SecretShare::new(i, key, s)).collect();
    Ok(Dealt { public, shares })
}

/// f(0) = d = e⁻¹ mod m, and k-1 random coefficients of Z_m; the constant term first.
fn polynomial(
    m: &NonZero<BoxedUint>,
    k: usize,
    entropy: &mut dyn FnMut(&mut [u8]),
) -> Result<Vec<Secret>, DealError> {
    let e = BoxedUint::from(PUBLIC_EXPONENT).resize(m.bits_precision());
    let d = e.invert_mod(m).into_option().ok_or(DealError("e divides m"))?;
    let mut f = vec![Zeroizing::new(d)];
    f.resize_with(k, || {
        let mut octets = Zeroizing::new(vec![0; m.bits_precision() as usize / 8 + REDUCTION_SLACK_BYTES]);
        entropy(&mut octets);
        Zeroizing::new(secret(&octets).rem(m))
    });
    Ok(f)
}

/// f(i) mod m by Horner's rule, big-endian, as long as N.
fn evaluate(f: &[Secret], i: ReplicaId, m: &NonZero<BoxedUint>) -> Zeroizing<Vec<u8>> {
    let i = BoxedUint::from(i.get()).resize(m.bits_precision());
    let mut value = Zeroizing::new(BoxedUint::zero_with_precision(m.bits_precision()));
    for coefficient in f.iter().rev() {
        value = Zeroizing::new(Zeroizing::new(value.mul_mod(&i, m)).add_mod(coefficient, m));
    }
    Zeroizing::new(value.to_be_bytes().into_vec())
}

/// A random square: of Q_N, and a generator of it but for a chance of 2^{-|N|/2+1}.
fn generator(ring: &Modulus, entropy: &mut dyn FnMut(&mut [u8])) -> super::modulus::Residue {
    loop {
        let mut octets = vec![0; ring.len()];
        entropy(&mut octets);
        if let Ok(u) = unit(ring, &octets) {
            return ring.mul(&u, &u);
        }
    }
}

fn secret(octets: &[u8]) -> Secret {
    Zeroizing::new(BoxedUint::from_be_slice(octets, bits_of(octets.len() * 8)).expect("as long as said"))
}

fn bits_of(bits: usize) -> u32 {
    u32::try_from(bits).expect("a few thousand bits")
}
