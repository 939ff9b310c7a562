//! Paillier's encryption (EUROCRYPT 1999), by which a dealer of a refresh hands a replica its number: additively
//! homomorphic, so that a relation between its plaintext and an exponent can be proved, and what a replica missed
//! over several refreshes is one ciphertext.
//!
//! M = PQ of primes of equal length; Enc(x; ρ) = (1 + xM) ρ^M mod M², with x mod M and ρ ∈ Z_M*;
//! Dec(c) = L(c^φ) φ⁻¹ mod M with φ = (P-1)(Q-1), L(u) = (u-1)/M. Plaintexts are signed: those above M/2 stand
//! for themselves less M.
//!
//! **Assumes** the decisional composite residuosity of M. A modulus that a corrupt receiver made otherwise gives away
//! only what is encrypted to him; it is checked just so far that arithmetic with it is defined. Constant time: c^φ, the
//! products with plaintexts, and the arithmetic of decryption. ρ^M has a public exponent.

use super::KeyError;
use super::modulus::{Modulus, Residue};
use super::secret::{Hedged, Secret, octets, secret};
use crypto_bigint::{BoxedUint, ConcatenatingMul, NonZero, Resize};
use crypto_primes::hazmat::SmallFactorsSieve;
use crypto_primes::{Flavor, is_prime};
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// Bits by which M is longer than the N whose exponents it carries: room for the slack of the proofs of a refresh in the
/// largest committee ([`super::refresh`] asserts it), and a modulus that is not the weaker one.
const EXTRA_BITS: usize = 1024;

/// A receiver's public key, M.
pub struct ReceiverKey {
    pub(super) ring: Modulus,
    pub(super) square: Modulus,
}

/// A receiver's secret key. It is wiped when dropped and can be neither printed nor copied.
pub struct ReceiverSecret {
    key: ReceiverKey,
    p: Zeroizing<Vec<u8>>,
    q: Zeroizing<Vec<u8>>,
    phi: Zeroizing<Vec<u8>>,
    /// φ⁻¹ mod M.
    inverse: Secret,
}

/// Octets of M for a key whose N has `len` octets.
pub fn receiver_len(len: usize) -> usize {
    len + EXTRA_BITS / 8
}

impl ReceiverKey {
    /// M, big-endian, of exactly the length for an N of `modulus_len` octets, and odd.
    pub fn from_bytes(bytes: &[u8], modulus_len: usize) -> Result<Self, KeyError> {
        if bytes.len() != receiver_len(modulus_len) || bytes[0] < 0x80 {
            return Err(KeyError("a receiver's modulus of another length"));
        }
        let m = secret(bytes);
        let square = octets(&m.concatenating_mul(&*m), 2 * bytes.len());
        let odd = KeyError("an even modulus of a receiver");
        let (ring, square) = (Modulus::new(bytes).ok_or(odd.clone())?, Modulus::new(&square).ok_or(odd)?);
        Ok(Self { ring, square })
    }

    /// M, big-endian.
    pub fn as_bytes(&self) -> &[u8] {
        self.ring.bytes()
    }

    /// A random element of Z_M, which has an inverse but for a chance of 2^{-|M|/2+1}.
    pub(super) fn randomizer(&self, stream: &mut Hedged) -> Residue {
        loop {
            if let Some(rho) = self.ring.residue(&stream.draw(self.ring.len())) {
                return rho;
            }
        }
    }

    /// Enc(x; ρ) for x < M of fewer octets than M.
    pub(super) fn encrypt(&self, x: &BoxedUint, rho: &Residue) -> Residue {
        let len = self.square.len();
        let product = Zeroizing::new(x.concatenating_mul(&*secret(self.ring.bytes())).resize(bits(len)));
        let plus_one = Zeroizing::new(product.wrapping_add(BoxedUint::one()));
        let one_x = self.square.residue(&octets(&plus_one, len)).expect("x < M, so that 1 + xM < M²");
        let wide = octets(&secret(&self.ring.encode(rho)), len);
        let rho = self.square.residue(&wide).expect("ρ < M");
        self.square.mul(&one_x, &self.square.pow(&rho, self.ring.bytes()))
    }

    /// A ciphertext of exactly twice M's length that has an inverse.
    pub(super) fn ciphertext(&self, bytes: &[u8]) -> Option<Residue> {
        let residue = self.square.residue(bytes)?;
        self.square.invert(&residue).map(|_| residue)
    }

    /// The encryption of the sum of what all of these encrypt; `None` if one is none or there are none.
    pub(super) fn sum<'a>(&self, ciphertexts: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
        let mut total: Option<Residue> = None;
        for bytes in ciphertexts {
            let next = self.ciphertext(bytes)?;
            total =
                Some(total.map_or_else(|| self.square.residue(bytes), |t| Some(self.square.mul(&t, &next)))?);
        }
        total.map(|total| self.square.encode(&total))
    }
}

impl ReceiverSecret {
    /// A new key for exponents of an N of `modulus_len` octets (one that a key may have). Takes a second or two of CPU.
    pub fn generate(modulus_len: usize, entropy: [u8; 32]) -> Self {
        let mut stream = Hedged::new("conclave/receiver-key", &[&entropy]);
        let len = receiver_len(modulus_len) / 2;
        loop {
            let (p, q) = (prime(len, &mut stream), prime(len, &mut stream));
            if let Ok(secret) = Self::new(p, q, modulus_len) {
                return secret;
            }
        }
    }

    /// P and Q, of equal length: for the file of the secret, which the caller protects.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 * self.p.len()));
        bytes.extend_from_slice(&self.p);
        bytes.extend_from_slice(&self.q);
        bytes
    }

    /// From [`Self::to_bytes`], for an N of `modulus_len` octets.
    pub fn from_bytes(bytes: &[u8], modulus_len: usize) -> Result<Self, KeyError> {
        let (p, q) = bytes.split_at(bytes.len() / 2);
        if bytes.len() != receiver_len(modulus_len) {
            return Err(KeyError("a receiver's secret of another length"));
        }
        Self::new(Zeroizing::new(p.to_vec()), Zeroizing::new(q.to_vec()), modulus_len)
    }

    fn new(p: Zeroizing<Vec<u8>>, q: Zeroizing<Vec<u8>>, modulus_len: usize) -> Result<Self, KeyError> {
        let odd = |prime: &[u8]| prime.last().is_some_and(|octet| octet % 2 == 1);
        if !odd(&p) || !odd(&q) || p == q {
            return Err(KeyError("a receiver's secret that is no key"));
        }
        let (first, second) = (secret(&p), secret(&q));
        let less_one = |prime: &Secret| Zeroizing::new(prime.wrapping_sub(BoxedUint::one()));
        let m = octets(&first.concatenating_mul(&*second), 2 * p.len());
        let key = ReceiverKey::from_bytes(&m, modulus_len)?;
        let phi = Zeroizing::new(less_one(&first).concatenating_mul(&*less_one(&second)));
        let odd = secret(&m).to_odd().into_option().ok_or(KeyError("an even modulus of a receiver"))?;
        let inverse = (&*phi).resize(odd.bits_precision()).invert_odd_mod(&odd).into_option();
        let inverse = Zeroizing::new(inverse.ok_or(KeyError("a receiver's secret that is no key"))?);
        Ok(Self { phi: octets(&phi, m.len()), key, p, q, inverse })
    }

    /// The public key.
    pub fn public(&self) -> &ReceiverKey {
        &self.key
    }

    /// x mod M, as wide as M; `None` if it is no ciphertext of this key.
    pub(super) fn decrypt(&self, ciphertext: &[u8]) -> Option<Secret> {
        let square = &self.key.square;
        let c = self.key.ciphertext(ciphertext)?;
        let u = secret(&square.encode(&square.pow_secret(&c, &self.phi)));
        let m: NonZero<BoxedUint> = secret(self.key.as_bytes()).to_nz().into_option()?;
        // u = 1 + xφM, so that the division leaves nothing.
        let less_one = Zeroizing::new(u.wrapping_sub(BoxedUint::one()));
        let quotient = Zeroizing::new(less_one.div_rem(&m).0.resize(m.bits_precision()));
        Some(Zeroizing::new(quotient.mul_mod(&self.inverse, &m)))
    }
}

/// A prime of exactly `len` octets, the highest two bits set, so that M has exactly twice as many.
fn prime(len: usize, stream: &mut Hedged) -> Zeroizing<Vec<u8>> {
    let precision = NonZeroU32::new(bits(len)).expect("a prime has bits");
    loop {
        let mut start = stream.draw(len);
        start[0] |= 0xc0;
        let start = BoxedUint::from_be_slice(&start, precision.get()).expect("as long as said");
        // Ends without a result only if it meets 2^bits.
        let Ok(sieve) = SmallFactorsSieve::new(start, precision, false) else { continue };
        for number in sieve {
            let number = Zeroizing::new(number);
            if is_prime(Flavor::Any, &*number) {
                return octets(&number, len);
            }
        }
    }
}

fn bits(octets: usize) -> u32 {
    u32::try_from(octets * 8).expect("a few thousand bits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threshold::refresh::tests::receiver;

    fn number(secret: &Secret) -> num_bigint::BigUint {
        num_bigint::BigUint::from_bytes_be(&secret.to_be_bytes())
    }

    #[test]
    fn sums_of_ciphertexts_decrypt_to_sums_of_plaintexts() {
        let secret_key = receiver(0);
        let mut stream = Hedged::new("test", &[b"sums"]);
        let key = secret_key.public();
        let plain: Vec<_> = (0..3).map(|_| secret(&stream.draw(200))).collect();
        let sealed: Vec<_> =
            plain.iter().map(|x| key.square.encode(&key.encrypt(x, &key.randomizer(&mut stream)))).collect();
        for (x, c) in plain.iter().zip(&sealed) {
            assert_eq!(number(&secret_key.decrypt(c).unwrap()), number(x));
        }
        let total = key.sum(sealed.iter().map(|c| &c[..])).unwrap();
        assert_eq!(number(&secret_key.decrypt(&total).unwrap()), plain.iter().map(number).sum());
        assert!(secret_key.decrypt(&sealed[0][1..]).is_none());
        assert!(secret_key.decrypt(&vec![0; sealed[0].len()]).is_none());
        assert!(key.sum(std::iter::empty()).is_none());
    }

    #[test]
    fn a_secret_survives_its_encoding_and_refuses_any_other() {
        let made = ReceiverSecret::generate(128, [7; 32]);
        let back = ReceiverSecret::from_bytes(&made.to_bytes(), 128).unwrap();
        assert_eq!(back.public().as_bytes(), made.public().as_bytes());
        assert!(ReceiverSecret::from_bytes(&made.to_bytes(), 256).is_err());
        assert!(ReceiverSecret::from_bytes(&made.to_bytes()[2..], 128).is_err());
        let twice = [&made.p[..], &made.p[..]].concat();
        assert!(ReceiverSecret::from_bytes(&twice, 128).is_err());
        assert!(ReceiverKey::from_bytes(made.public().as_bytes(), 128).is_ok());
        let mut even = made.public().as_bytes().to_vec();
        *even.last_mut().unwrap() &= 0xfe;
        assert!(ReceiverKey::from_bytes(&even, 128).is_err());
        assert!(ReceiverKey::from_bytes(&vec![0x7f; 256], 128).is_err());
    }
}
