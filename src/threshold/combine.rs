//! Combining k shares into the signature (Shoup §2.2, "Combining Shares").

use super::encode::Representative;
use super::modulus::Residue;
use super::public::{PublicKey, element, unit};
use super::{ShareError, Signature, SignatureShare, lagrange};
use crate::quorum::ReplicaId;
use num_bigint::Sign;
use std::fmt;

/// Why shares do not combine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CombineError {
    /// Fewer than k.
    TooFew,
    /// Two shares of this replica.
    Twice(ReplicaId),
    /// This replica's share is not well formed.
    Bad(ReplicaId, ShareError),
    /// All are well formed, and at least one of these is wrong.
    Wrong(Vec<ReplicaId>),
}

impl fmt::Display for CombineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew => f.write_str("too few shares"),
            Self::Twice(who) => write!(f, "two shares of replica {who}"),
            Self::Bad(who, why) => write!(f, "share of replica {who}: {why}"),
            Self::Wrong(whose) => write!(f, "a wrong share among those of replicas {whose:?}"),
        }
    }
}

impl std::error::Error for CombineError {}

pub(super) fn combine(
    public: &PublicKey,
    x: &Representative,
    shares: &[(ReplicaId, SignatureShare)],
) -> Result<Signature, CombineError> {
    let shares = shares.get(..public.threshold()).ok_or(CombineError::TooFew)?;
    let elements = well_formed(public, shares)?;
    let y = candidate(public, x, shares, &elements).map(|y| public.0.modulus.encode(&y));
    match y {
        Some(y) if planted!(UncheckedCombination) || public.verify(x, &y) => Ok(Signature(y)),
        _ => Err(blame(public, shares)),
    }
}

fn well_formed(
    public: &PublicKey,
    shares: &[(ReplicaId, SignatureShare)],
) -> Result<Vec<Residue>, CombineError> {
    let mut elements = Vec::with_capacity(shares.len());
    for (slot, (who, share)) in shares.iter().enumerate() {
        if who.slot() >= public.parties() {
            return Err(CombineError::Bad(*who, ShareError::Index));
        }
        if shares[..slot].iter().any(|(other, _)| other == who) {
            return Err(CombineError::Twice(*who));
        }
        let bad = |error| CombineError::Bad(*who, error);
        elements.push(element(&public.0.modulus, &share.0).map_err(bad)?);
    }
    Ok(elements)
}

/// y = w^a x^b with w = ∏ x_j^{2 λ_j} and 4Δ²a + eb = 1: as w^e = x^{4Δ²}, y^e = x. What has a negative exponent
/// gathers in a denominator, which is inverted once; `None` if it has no inverse.
fn candidate(
    public: &PublicKey,
    x: &Representative,
    shares: &[(ReplicaId, SignatureShare)],
    elements: &[Residue],
) -> Option<Residue> {
    let ring = &public.0.modulus;
    let set: Vec<u8> = shares.iter().map(|(who, _)| who.get()).collect();
    // Numerator and denominator of w.
    let mut w: [Option<Residue>; 2] = [None, None];
    for (lambda, x_j) in lagrange::coefficients(&public.0.delta, &set).iter().zip(elements) {
        let power = ring.pow(x_j, &lagrange::magnitude(&(lambda * 2)));
        gather(&mut w[side(lambda.sign())], public, power);
    }
    let (a, b) = &public.0.bezout;
    let mut y: [Option<Residue>; 2] = [None, None];
    let w_sides = if a.sign() == Sign::Minus { [1, 0] } else { [0, 1] };
    for (half, side) in w.iter().zip(w_sides) {
        if let Some(half) = half {
            gather(&mut y[side], public, ring.pow(half, &lagrange::magnitude(a)));
        }
    }
    gather(&mut y[side(b.sign())], public, ring.pow(&public.base(x), &lagrange::magnitude(b)));
    match y {
        [Some(numerator), Some(denominator)] => Some(ring.mul(&numerator, &ring.invert(&denominator)?)),
        [Some(numerator), None] => Some(numerator),
        [None, Some(denominator)] => ring.invert(&denominator),
        [None, None] => None,
    }
}

/// 0, the numerator, for a positive exponent; 1 for a negative.
fn side(sign: Sign) -> usize {
    usize::from(sign == Sign::Minus)
}

fn gather(product: &mut Option<Residue>, public: &PublicKey, factor: Residue) {
    *product = Some(match product.take() {
        Some(product) => public.0.modulus.mul(&product, &factor),
        None => factor,
    });
}

/// A share with a factor of N names its maker; otherwise it can be any of them.
fn blame(public: &PublicKey, shares: &[(ReplicaId, SignatureShare)]) -> CombineError {
    for (who, share) in shares {
        if let Err(error) = unit(&public.0.modulus, &share.0) {
            return CombineError::Bad(*who, error);
        }
    }
    CombineError::Wrong(shares.iter().map(|(who, _)| *who).collect())
}
