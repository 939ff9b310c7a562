//! That a dealing's ciphertexts hold the exponents of its commitments: for each replica i, one x with E_i = Enc_i(x; ρ_i) and
//! V_i² = v^{2x}, non-interactive, with one challenge for all rows.
//!
//! Prover: r_i of x's length and 256 bits, σ_i ∈ Z_{M_i}*; c = H(…, Enc_i(r_i; σ_i), v^{2r_i}), 128 bits; z_i = r_i + c x,
//! ω_i = σ_i ρ_i^c mod M_i. Verifier: Enc_i(z_i; ω_i) E_i^{-c} and (v^{z_i} V_i^{-c})² for all i, and c is the hash of them.
//! c x hides behind r_i by 2^{-128}.
//!
//! Soundness. Two answers to one commitment, with Δc = c - c', give v^{2Δz} = V_i^{2Δc} and Enc(Δz) = E_i^{Δc}. By strong RSA (v is
//! a random square whose root nobody has) V_i² = v^{2x} with an integer x = Δz/Δc: a rest would give a root of v. Δc, below 2^128, has
//! an inverse mod an honest receiver's M_i, whose primes are longer: the plaintext is Δz/Δc = x mod M_i, and as |x| ≤ |Δz| < M_i/2 it is x.
//! ω_i must have an inverse: with 0 the first equation says nothing.

use super::{Dealing, DealingError, Round, Row, at};
use crate::codec::digest;
use crate::quorum::ReplicaId;
use crate::threshold::modulus::Residue;
use crate::threshold::public::unit;
use crate::threshold::secret::{Hedged, Secret, octets, secret};
use crypto_bigint::ConcatenatingMul;
use zeroize::Zeroizing;

/// Octets of c.
pub(super) const CHALLENGE_BYTES: usize = 16;
/// Octets by which what hides exceeds what is hidden.
pub(super) const HIDING_BYTES: usize = 16;

/// What the verifier recomputes for one row, encoded: Enc(r; σ) and v^{2r}.
type Commitment = [Vec<u8>; 2];

pub(super) fn prove(
    round: &Round<'_>,
    dealer: ReplicaId,
    commitments: Vec<Vec<u8>>,
    values: &[Secret],
    stream: &mut Hedged,
) -> Dealing {
    let ring = &round.public.0.modulus;
    let mut dealing = Dealing { commitments, challenge: [0; CHALLENGE_BYTES], rows: Vec::new() };
    let (mut nonces, mut sent) = (Vec::new(), Vec::new());
    for (key, value) in round.receivers.iter().zip(values) {
        let (rho, sigma) = (key.randomizer(stream), key.randomizer(stream));
        let r = stream.draw(round.sizes.nonce);
        let v_r = ring.pow_secret(&round.public.0.v, &r);
        let r = secret(&r);
        let ciphertext = key.square.encode(&key.encrypt(value, &rho));
        sent.push([key.square.encode(&key.encrypt(&r, &sigma)), ring.encode(&ring.mul(&v_r, &v_r))]);
        nonces.push((r, rho, sigma));
        dealing.rows.push(Row { ciphertext, response: Vec::new(), randomizer: Vec::new() });
    }
    let c = challenge(round, dealer, &dealing, &sent);
    let parts = round.receivers.iter().zip(values).zip(&mut dealing.rows).zip(&nonces);
    for (((key, value), row), (r, rho, sigma)) in parts {
        let product = Zeroizing::new(value.concatenating_mul(&*secret(&c)));
        let z = Zeroizing::new(product.concatenating_add(&**r));
        row.response = octets(&z, round.sizes.response).to_vec();
        row.randomizer = key.ring.encode(&key.ring.mul(sigma, &key.ring.pow(rho, &c)));
    }
    dealing.challenge = c;
    dealing
}

pub(super) fn verify(round: &Round<'_>, dealer: ReplicaId, dealing: &Dealing) -> Result<(), DealingError> {
    let n = round.public.parties();
    if dealing.commitments.len() != round.public.threshold() - 1 || dealing.rows.len() != n {
        return Err(DealingError::Shape);
    }
    let ring = &round.public.0.modulus;
    let commitments = dealing.commitments.iter().map(|octets| unit(ring, octets));
    let commitments: Vec<Residue> =
        commitments.collect::<Result<_, _>>().map_err(|_| DealingError::Commitment)?;
    let members = (1u8..).take(n).filter_map(ReplicaId::new);
    let sent: Vec<Commitment> =
        members.map(|i| recompute(round, dealing, &commitments, i)).collect::<Result<_, _>>()?;
    match challenge(round, dealer, dealing, &sent) == dealing.challenge {
        true => Ok(()),
        false => Err(DealingError::Proof),
    }
}

/// Enc(z; ω) E^{-c} and (v^z V_i^{-c})² of row i.
fn recompute(
    round: &Round<'_>,
    dealing: &Dealing,
    commitments: &[Residue],
    i: ReplicaId,
) -> Result<Commitment, DealingError> {
    let (key, row) = (&round.receivers[i.slot()], &dealing.rows[i.slot()]);
    if row.response.len() != round.sizes.response {
        return Err(DealingError::Shape);
    }
    if row.response[0] > 1 {
        return Err(DealingError::Range(i));
    }
    let invertible = |omega: &Residue| key.ring.invert(omega).is_some();
    let omega = key.ring.residue(&row.randomizer).filter(invertible).ok_or(DealingError::NotAUnit(i))?;
    let ciphertext = key.square.residue(&row.ciphertext);
    let inverse = ciphertext.and_then(|e| key.square.invert(&e)).ok_or(DealingError::NotAUnit(i))?;
    let z_sealed = key.encrypt(&secret(&row.response), &omega);
    let sealed = key.square.mul(&z_sealed, &key.square.pow(&inverse, &dealing.challenge));

    let ring = &round.public.0.modulus;
    let v_i =
        ring.invert(&at(round.public, commitments, usize::from(i.get()))).ok_or(DealingError::Commitment)?;
    let v_z = ring.pow(&round.public.0.v, &row.response);
    let v_r = ring.mul(&v_z, &ring.pow(&v_i, &dealing.challenge));
    Ok([key.square.encode(&sealed), ring.encode(&ring.mul(&v_r, &v_r))])
}

/// c = H(domain, cluster, epoch, key id, N, v, dealer, all M_i, all C_j, all E_i, all that was sent first). The key id
/// names N, v, all v_i and the number of refreshes.
pub(super) fn challenge(
    round: &Round<'_>,
    dealer: ReplicaId,
    dealing: &Dealing,
    sent: &[Commitment],
) -> [u8; CHALLENGE_BYTES] {
    let (epoch, dealer) = (round.epoch.0.to_be_bytes(), [dealer.get()]);
    let key = round.public.key_id().0;
    let mut fields: Vec<&[u8]> = vec![&round.cluster.0.0, &epoch, &key.0, &dealer];
    fields.extend(round.receivers.iter().map(super::ReceiverKey::as_bytes));
    fields.extend(dealing.commitments.iter().map(|c_j| &c_j[..]));
    fields.extend(dealing.rows.iter().map(|row| &row.ciphertext[..]));
    fields.extend(sent.iter().flatten().map(|octets| &octets[..]));
    let mut c = [0; CHALLENGE_BYTES];
    c.copy_from_slice(&digest("conclave/refresh-proof", &fields).0[..CHALLENGE_BYTES]);
    c
}
