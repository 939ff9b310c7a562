//! Chaum-Pedersen over Z_N (Shoup §2.2): x_i² and v_i are the same power of x̃ = x^{4Δ} and of v.
//!
//! Prover: r ∈ [0, 2^{|N|+512}); c = H(…, v^r, x̃^r); z = s_i c + r over the integers. As s_i c < 2^{|N|+256}, z hides
//! s_i statistically, by 2^{-256}. Verifier: v' = v^z v_i^{-c}, x' = x̃^z x_i^{-2c}, and c is the hash of them.
//! The squares put both sides into Q_N, where v generates (with overwhelming probability): a wrong share that
//! passes has x_i² right, hence its w right.
//!
//! r is *hedged*: SHA-512 in counter mode over s_i, fresh entropy and the statement, so that a broken random source
//! does not give s_i away.

use super::encode::Representative;
use super::modulus::{Modulus, Residue};
use super::public::{PublicKey, unit};
use super::secret::octets;
use super::share::SecretShare;
use super::{ShareError, SignatureShare, lagrange};
use crate::codec::{Epoch, digest};
use crate::quorum::ReplicaId;
use borsh::{BorshDeserialize, BorshSerialize};
use crypto_bigint::{BoxedUint, ConcatenatingMul};
use sha2::{Digest as _, Sha512};
use zeroize::{Zeroize, Zeroizing};

/// Octets of c.
const CHALLENGE_BYTES: usize = 32;
/// Octets of r beyond those of N: the challenge and 256 bits that hide.
const NONCE_EXTRA_BYTES: usize = 2 * CHALLENGE_BYTES;

/// The proof (c, z) that a signature share is right.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Proof {
    /// c.
    pub c: [u8; CHALLENGE_BYTES],
    /// z, big-endian, 65 octets longer than the share.
    pub z: Vec<u8>,
}

/// What is proved, with everything that its hash binds.
struct Statement<'a> {
    public: &'a PublicKey,
    index: ReplicaId,
    epoch: Epoch,
    v_i: Vec<u8>,
    /// x̃ = x^{4Δ}.
    x_tilde: Residue,
    /// x_i².
    square: Residue,
}

impl<'a> Statement<'a> {
    fn new(
        public: &'a PublicKey,
        index: ReplicaId,
        epoch: Epoch,
        x: &Representative,
        x_i: &Residue,
    ) -> Result<Self, ShareError> {
        let ring = &public.0.modulus;
        let v_i = ring.encode(public.verification_key(index).ok_or(ShareError::Index)?);
        let four_delta = lagrange::magnitude(&(&public.0.delta * 4));
        let x_tilde = ring.pow(&public.base(x), &four_delta);
        Ok(Self { public, index, epoch, v_i, x_tilde, square: ring.mul(x_i, x_i) })
    }

    fn ring(&self) -> &Modulus {
        &self.public.0.modulus
    }

    /// c = H(domain, N, key id, epoch, i, v, x̃, v_i, x_i², v', x').
    fn challenge(&self, v_r: &Residue, x_r: &Residue) -> [u8; CHALLENGE_BYTES] {
        let ring = self.ring();
        let fields: [&[u8]; 10] = [
            ring.bytes(),
            &self.public.key_id().0.0,
            &self.epoch.0.to_be_bytes(),
            &[self.index.get()],
            &ring.encode(&self.public.0.v),
            &ring.encode(&self.x_tilde),
            &self.v_i,
            &ring.encode(&self.square),
            &ring.encode(v_r),
            &ring.encode(x_r),
        ];
        digest("conclave/threshold-proof", &fields).0
    }

    /// r, from the secret, the entropy and the statement.
    fn nonce(&self, s: &[u8], entropy: [u8; 32]) -> Zeroizing<Vec<u8>> {
        let ring = self.ring();
        let len = s.len() + NONCE_EXTRA_BYTES;
        let mut seed = Sha512::new();
        seed.update(b"conclave/threshold-nonce");
        seed.update(entropy);
        seed.update(s);
        seed.update(self.public.key_id().0.0);
        seed.update(self.epoch.0.to_be_bytes());
        seed.update([self.index.get()]);
        seed.update(ring.encode(&self.x_tilde));
        seed.update(ring.encode(&self.square));
        let mut seed = seed.finalize();
        let mut r = Zeroizing::new(Vec::with_capacity(len + 64));
        for counter in 0u32.. {
            if r.len() >= len {
                break;
            }
            let mut block = Sha512::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize();
            r.extend_from_slice(&block);
            block.as_mut_slice().zeroize();
        }
        seed.as_mut_slice().zeroize();
        r.truncate(len);
        r
    }
}

pub(super) fn prove(
    secret: &SecretShare,
    public: &PublicKey,
    epoch: Epoch,
    x: &Representative,
    share: &SignatureShare,
    entropy: [u8; 32],
) -> Proof {
    let ring = &public.0.modulus;
    let x_i = ring.residue(&share.0).expect("a share of our own is below N");
    let statement =
        Statement::new(public, secret.index(), epoch, x, &x_i).expect("our own index is in range");
    let r = statement.nonce(&secret.s, entropy);
    let v_r = ring.pow_secret(&public.0.v, &r);
    let x_r = ring.pow_secret(&statement.x_tilde, &r);
    let c = statement.challenge(&v_r, &x_r);
    Proof { c, z: response(&secret.s, secret.negative, &c, &r) }
}

/// z = s c + r over the integers, in 65 octets more than s has: z < 2^{|s|+513}. For -s, r - s c is below 0 with a chance
/// of 2^{-256}, and then z is wrong.
fn response(s: &[u8], negative: bool, c: &[u8], r: &[u8]) -> Vec<u8> {
    let number = |octets: &[u8]| {
        let bits = u32::try_from(octets.len() * 8).expect("a few thousand bits");
        Zeroizing::new(BoxedUint::from_be_slice(octets, bits).expect("as long as said"))
    };
    let product = Zeroizing::new(number(s).concatenating_mul(&*number(c)));
    let r = number(r);
    let z = if negative { (*r).wrapping_sub(&*product) } else { product.concatenating_add(&*r) };
    octets(&Zeroizing::new(z), s.len() + NONCE_EXTRA_BYTES + 1).to_vec()
}

pub(super) fn verify(
    public: &PublicKey,
    index: ReplicaId,
    epoch: Epoch,
    x: &Representative,
    share: &SignatureShare,
    proof: &Proof,
) -> Result<(), ShareError> {
    let ring = &public.0.modulus;
    let v_i = public.verification_key(index).ok_or(ShareError::Index)?;
    let x_i = unit(ring, &share.0)?;
    // z < 2^{|s|+513}.
    let share_len = proof.z.len().checked_sub(NONCE_EXTRA_BYTES + 1);
    if !share_len.is_some_and(|len| public.share_lens().contains(&len)) || proof.z[0] > 1 {
        return Err(ShareError::Proof);
    }
    let statement = Statement::new(public, index, epoch, x, &x_i)?;
    let inverse = |a: &Residue| ring.invert(a).ok_or(ShareError::NotAUnit);
    let v_z = ring.pow(&public.0.v, &proof.z);
    let v_r = ring.mul(&v_z, &ring.pow(&inverse(v_i)?, &proof.c));
    let x_z = ring.pow(&statement.x_tilde, &proof.z);
    let x_r = ring.mul(&x_z, &ring.pow(&inverse(&statement.square)?, &proof.c));
    if statement.challenge(&v_r, &x_r) == proof.c { Ok(()) } else { Err(ShareError::Proof) }
}
