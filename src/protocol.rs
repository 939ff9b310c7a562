//! What all sans-IO layers share: whom a message is for, and what is told of a peer that misbehaves.
//!
//! A layer takes one input and returns one step; the step's messages leave through [`To`], and a peer's
//! misbehaviour is data ([`Fault`]), never an error and never a panic.

use crate::quorum::ReplicaId;

/// Whom a message is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    /// Every other replica.
    Others,
    /// One replica.
    One(ReplicaId),
}

/// What a replica did wrong, as far as it can be seen from here. Evidence for metrics and the operator; the
/// protocols are safe whether or not anybody reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Who did it: the authenticated sender, or the author whose signature proves it.
    pub who: ReplicaId,
    /// What it was.
    pub what: Misbehaviour,
}

/// The ways to misbehave that the layers tell apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Misbehaviour {
    /// A message that does not decode, or breaks a bound.
    Malformed,
    /// A signature that is not the author's.
    BadSignature,
    /// A vertex that breaks a rule of validity.
    InvalidVertex,
    /// A coin share whose proof fails.
    BadCoinShare,
    /// Two signed vertices of one author and round.
    Equivocation,
    /// More of something waiting than its quota allows.
    Flood,
    /// A signature share that spoiled a combination, or whose proof fails.
    BadSignatureShare,
    /// A finished signature that does not verify.
    BadSignatureClaim,
    /// A checkpoint's certificate that does not verify.
    BadCertificate,
    /// State of a checkpoint that is not what was certified.
    BadState,
}
