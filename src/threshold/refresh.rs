//! Proactive refresh: new shares of the same key, made by the replicas themselves.
//!
//! **Assumes**, of every sharing, that the adversary learns fewer than k of its shares; whoever is corrupt while a refresh
//! runs counts for the sharing before it and for the one after; decisional composite residuosity of the receivers'
//! moduli, the strong RSA assumption for N, the random oracle. **Guarantees**: t shares from before and t others from
//! after are worth nothing together; the key, and so every signature, stays the same; a replica whose number in
//! a valid dealing decrypts to something wrong does not exist, whoever dealt.
//!
//! 1. A dealer draws h ∈ Z\[X\] of degree k-1 with h(0) = 0 and coefficients h_1 … h_{k-1} uniform below 2^{8A}, publishes
//!    C_j = v^{h_j}, and for each replica i E_i = Enc_i(h(i)), with a proof for all rows at once ([`proof`]) that
//!    E_i holds h(i) up to the sign of V_i = ∏ C_j^{i^j} = v^{h(i)}. Squares take the sign away: what is added is g = 2h.
//! 2. Of the first t+1 valid dealings in the order, one is of a correct replica, who forgot h.
//!    [`Round::outcome`]: s_i' = c·s_i + ∑ g(i), with c = 2Δ at the first refresh of a key and 1 from then on; v_i' = v_i^c ∏ V_i².
//! 3. A replica's ∑ h(i) comes to it as one ciphertext, the product of its rows, and what it missed over several refreshes is
//!    one again: [`SecretShare::refreshed`] opens it and checks v^{s_i'} = v_i'.
//!
//! A refreshed key is a [`PublicKey`] of the same N with its own v_i, its own number of refreshes, and therefore its own
//! [`key id`](PublicKey::key_id), which every job, share message and proof names: shares of different sharings do not meet.
//! From the first refresh on F(0) = 2Δd, hence w^e = x^{8Δ³} where 4Δ² was.
//!
//! # Why s_i is multiplied by 2Δ once
//!
//! The dealer's shares are numbers mod m. s_b + g(b) alone would show s_b mod b, as b divides g(b). With 2Δ: whatever the adversary
//! believes of the shares it did not steal, there is a polynomial that makes its later spoils agree. Let it hold s_i for i ∈ A_0 and,
//! of sharing e, s_b^e = 2Δ s_b + G_e(b) for b ∈ A_e (|A_e| < k), G_e the sum of the refreshes so far. For any integers ŝ_b
//! with |ŝ_b - s_b| < N let Γ_e ∈ Z\[X\] be the polynomial of degree < k with Γ_e(0) = 0 and Γ_e(b) = 2Δ(ŝ_b - s_b) on A_e: the
//! denominators of Lagrange's basis over distinct points of 0 … n divide Δ, so its coefficients are even integers. A view
//! made with ŝ and G_e is the same as one made with s and G_e + Γ_e, that is with γ_e = Γ_e - Γ_{e-1} added to what the correct dealer
//! of refresh e drew, which vanishes where the adversary sees that dealer's numbers (A_{e-1} ∩ A_e). Uniform coefficients hide an
//! offset up to its size over theirs: |γ_e|/2 is below 2^{|N| + 2 bits((n+1)!) + 8}, A adds 128 bits to that. The same A serves all refreshes.
//! The simulator of Shoup's proof takes ŝ_b of its own for b ∉ A_0; it has v^{γ_j} and x^{2Δγ(i)} from v^{s_b} = v_b and x_b, which
//! it can make, puts encryptions of its own numbers where true ones of other replicas stand, and simulates the proofs.
//!
//! Constant time: all powers with h_j, h(i) and nonces, Horner's rule, the responses, decryption, the sum. Secrets have
//! neither `Debug` nor `Clone`, and are wiped.

use super::modulus::Residue;
use super::public::unit;
use super::secret::{Hedged, Secret, secret};
use super::share::SecretShare;
use super::{KeyError, PublicKey, ReceiverKey, ReceiverSecret, lagrange};
use crate::codec::{ClusterId, Epoch};
use crate::quorum::ReplicaId;
use borsh::{BorshDeserialize, BorshSerialize};
use crypto_bigint::{BoxedUint, ConcatenatingMul, Resize};
use num_bigint::BigUint;
use sizes::Sizes;
use zeroize::Zeroizing;

mod proof;
mod sizes;
#[cfg(test)]
pub(super) mod tests;

/// Bytes that a dealing may have: what an ordered request carries, less what says whose it is and of what.
pub const MAX_DEALING_BYTES: usize = 65_000;

/// One replica's dealing. Not checked until [`Round::verify`].
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Dealing {
    /// C_1 … C_{k-1}, each as long as N.
    pub commitments: Vec<Vec<u8>>,
    /// c of the proof.
    pub challenge: [u8; proof::CHALLENGE_BYTES],
    /// One for each replica, by slot.
    pub rows: Vec<Row>,
}

/// What a dealing has for one replica.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Row {
    /// E_i = Enc_i(h(i)), twice as long as M_i.
    pub ciphertext: Vec<u8>,
    /// z_i, its part of the proof.
    pub response: Vec<u8>,
    /// ω_i, its other part, as long as M_i.
    pub randomizer: Vec<u8>,
}

/// Dealings added up. Never more than a [`Dealing`] without its proof.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sum {
    /// ∏ C_1 … ∏ C_{k-1}; none before the first dealing.
    pub commitments: Vec<Vec<u8>>,
    /// ∏ E_i, by slot.
    pub rows: Vec<Vec<u8>>,
}

/// What a refresh leads to.
pub struct Outcome {
    /// The key with the new verification keys.
    pub public: PublicKey,
    /// For each replica, by slot, what its share grows by: ∑ h(i) under its receiver's key.
    pub rows: Vec<Vec<u8>>,
}

/// Why a dealing is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DealingError {
    /// Another number of commitments or rows, or a number of another length.
    Shape,
    /// A commitment is 0, ±1, or has a factor in common with N.
    Commitment,
    /// A ciphertext or its randomizer has no inverse, for the replica of this index.
    NotAUnit(ReplicaId),
    /// A response is out of range.
    Range(ReplicaId),
    /// The proof does not hold.
    Proof,
}

/// One refresh of one key: all that its dealings are bound to.
pub struct Round<'a> {
    cluster: ClusterId,
    epoch: Epoch,
    public: &'a PublicKey,
    receivers: &'a [ReceiverKey],
    sizes: Sizes,
}

impl<'a> Round<'a> {
    /// The next refresh of `public`; `receivers` are the replicas' keys by slot.
    pub fn new(
        cluster: ClusterId,
        epoch: Epoch,
        public: &'a PublicKey,
        receivers: &'a [ReceiverKey],
    ) -> Result<Self, KeyError> {
        Self::possible(public)?;
        let len = super::receiver_len(public.modulus().len());
        if receivers.len() != public.parties() || receivers.iter().any(|key| key.as_bytes().len() != len) {
            return Err(KeyError("not one receiver's key of the right length for each replica"));
        }
        Ok(Self { cluster, epoch, public, receivers, sizes: Sizes::of(public) })
    }

    /// Whether shares of this key can be refreshed: k = 1 has nothing to refresh, and a dealing must fit in a request.
    pub fn possible(public: &PublicKey) -> Result<(), KeyError> {
        if public.threshold() < 2 {
            return Err(KeyError("a key that one share signs with has nothing to refresh"));
        }
        if Sizes::of(public).dealing > MAX_DEALING_BYTES {
            return Err(KeyError("dealings of so long a key to so many replicas do not fit in a request"));
        }
        if public.refreshed() == u32::MAX {
            return Err(KeyError("a key refreshed as often as can be counted"));
        }
        Ok(())
    }

    /// A dealing of the replica that holds `share`. `entropy` must be fresh; that share hedges it.
    pub fn deal(&self, share: &SecretShare, entropy: [u8; 32]) -> Dealing {
        let key = self.public.key_id().0;
        let mut stream =
            Hedged::new("conclave/refresh-dealing", &[&entropy, &share.s, &key.0, &[share.index().get()]]);
        let coefficients: Vec<Secret> =
            (1..self.public.threshold()).map(|_| secret(&stream.draw(self.sizes.coefficient))).collect();
        let ring = &self.public.0.modulus;
        let power = |h: &Secret| ring.encode(&ring.pow_secret(&self.public.0.v, &h.to_be_bytes()));
        let commitments = coefficients.iter().map(power).collect();
        let values: Vec<Secret> = (1..=self.public.parties()).map(|i| self.value(&coefficients, i)).collect();
        proof::prove(self, share.index(), commitments, &values, &mut stream)
    }

    /// h(i) by Horner's rule, of fixed width, which it does not exceed.
    fn value(&self, coefficients: &[Secret], i: usize) -> Secret {
        let bits = u32::try_from(self.sizes.value * 8).expect("a few thousand bits");
        let i = BoxedUint::from(i as u64);
        let zero = Zeroizing::new(BoxedUint::zero_with_precision(bits));
        coefficients.iter().rev().fold(zero, |value, coefficient| {
            let sum = Zeroizing::new(value.wrapping_add(&**coefficient));
            Zeroizing::new(sum.concatenating_mul(&i).resize(bits))
        })
    }

    /// Checks a dealing of replica `dealer`: who accepts it knows that every correct replica can open its row, and that all
    /// rows lie on one polynomial without a constant term.
    pub fn verify(&self, dealer: ReplicaId, dealing: &Dealing) -> Result<(), DealingError> {
        proof::verify(self, dealer, dealing)
    }

    /// Adds a verified dealing.
    pub fn add(&self, sum: &Sum, dealing: &Dealing) -> Result<Sum, KeyError> {
        let ring = &self.public.0.modulus;
        let commitments = dealing.commitments.iter().enumerate().map(|(j, new)| {
            let new = unit(ring, new).map_err(|_| UNVERIFIED)?;
            let product = match sum.commitments.get(j) {
                Some(old) => ring.mul(&unit(ring, old).map_err(|_| UNVERIFIED)?, &new),
                None => new,
            };
            Ok(ring.encode(&product))
        });
        let rows = self.receivers.iter().zip(&dealing.rows).enumerate().map(|(slot, (key, row))| {
            let old = sum.rows.get(slot).map(Vec::as_slice);
            key.sum(old.into_iter().chain([&row.ciphertext[..]])).ok_or(UNVERIFIED)
        });
        Ok(Sum { commitments: commitments.collect::<Result<_, _>>()?, rows: rows.collect::<Result<_, _>>()? })
    }

    /// What added dealings lead to. `missed` holds, by slot, what a replica has not taken from earlier refreshes, under the
    /// receiver's key that it has here too.
    pub fn outcome(&self, sum: &Sum, missed: &[Option<&[u8]>]) -> Result<Outcome, KeyError> {
        let public = self.public.grown(&sum.commitments)?;
        let row = |(slot, key): (usize, &ReceiverKey)| {
            let new = sum.rows.get(slot).map_or(&[][..], Vec::as_slice);
            key.sum([new].into_iter().chain(missed.get(slot).copied().flatten())).ok_or(UNVERIFIED)
        };
        let rows = self.receivers.iter().enumerate().map(row).collect::<Result<_, _>>()?;
        Ok(Outcome { public, rows })
    }
}

const UNVERIFIED: KeyError = KeyError("dealings that were not verified");

impl PublicKey {
    /// The key after a refresh: v_i' = v_i^c ∏ V_i² over the dealings.
    fn grown(&self, commitments: &[Vec<u8>]) -> Result<PublicKey, KeyError> {
        let ring = &self.0.modulus;
        if commitments.len() != self.threshold() - 1 {
            return Err(UNVERIFIED);
        }
        let sum = commitments.iter().map(|c_j| unit(ring, c_j)).collect::<Result<Vec<_>, _>>();
        let sum = sum.map_err(|_| UNVERIFIED)?;
        let scale = lagrange::magnitude(&self.step());
        let new = |(slot, v_i): (usize, &Residue)| {
            let grown = at(self, &sum, slot + 1);
            ring.encode(&ring.mul(&ring.pow(v_i, &scale), &ring.mul(&grown, &grown)))
        };
        self.with_shares(self.0.verification.iter().enumerate().map(new).collect())
    }
}

/// V_i = ∏ C_j^{i^j}, by Horner's rule in the exponent.
fn at(public: &PublicKey, commitments: &[Residue], i: usize) -> Residue {
    let ring = &public.0.modulus;
    let i = BigUint::from(i).to_bytes_be();
    let mut commitments = commitments.iter().rev();
    let first = commitments.next().expect("k is at least 2");
    commitments.fold(ring.pow(first, &i), |value, c_j| ring.pow(&ring.mul(&value, c_j), &i))
}

impl SecretShare {
    /// The share of `new` that this share of `old` and `row`, what it grows by, make. `new` may be several refreshes on.
    pub fn refreshed(
        &self,
        old: &PublicKey,
        new: &PublicKey,
        row: &[u8],
        receiver: &ReceiverSecret,
    ) -> Result<SecretShare, KeyError> {
        let later = old.modulus() == new.modulus() && new.refreshed() > old.refreshed();
        if self.key_id() != old.key_id() || !later {
            return Err(KeyError("a share of another key"));
        }
        let x = receiver.decrypt(row).ok_or(KeyError("no ciphertext for this receiver"))?;
        let m = secret(receiver.public().as_bytes());
        // Two's complement, wider than anything here: x < 2^{|M|}, 2Δ s < 2^{|M|}.
        let bits = m.bits_precision() + 64;
        let (x, m) = (Zeroizing::new((&*x).resize(bits)), Zeroizing::new((&*m).resize(bits)));
        // Only a dealer that cheats has rows below 0, so that the sign tells nothing that he does not know.
        let twice = Zeroizing::new(x.wrapping_add(&*x));
        let x = if *twice > *m { Zeroizing::new(x.wrapping_sub(&*m)) } else { x };
        let scale = secret(&lagrange::magnitude(&old.step()));
        let s = Zeroizing::new(secret(&self.s).concatenating_mul(&*scale).resize(bits));
        let s = if self.negative { Zeroizing::new(s.wrapping_neg()) } else { s };
        let sum = Zeroizing::new(Zeroizing::new(s.wrapping_add(&*x)).wrapping_add(&*x));
        let negative = sum.bit(bits - 1).to_bool();
        let magnitude = if negative { Zeroizing::new(sum.wrapping_neg()) } else { sum };
        let share = SecretShare::of_refresh(self.index(), new, negative, &magnitude.to_be_bytes())?;
        share.check(new).map(|()| share)
    }
}

/// The width at which shares of a refreshed key are held, in octets: what honest dealings make them fit in.
pub(super) fn share_len(public: &PublicKey) -> usize {
    Sizes::of(public).share
}

/// The greatest width that a share of a refreshed key can have, in octets: dealers that cheat can make it so long.
pub(super) fn max_share_len(public: &PublicKey) -> usize {
    Sizes::of(public).response + 8
}
