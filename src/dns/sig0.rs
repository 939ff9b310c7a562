//! SIG(0) (RFC 2931): requests signed with a client's own private key, checked against its KEY record.
//!
//! The end-to-end way: each replica checks the client's own signature at execution, and holds nothing it could forge with.
//! BIND's `nsupdate -k` makes inception 300 s before its own clock and expiration 300 s after. Agreed time may be a little
//! behind a client's clock that does not back-date: what a window lacks of twice [`MAX_FUDGE_SECS`], at most half of that,
//! is taken before its inception. A longer window is refused, so that the replay table may forget.

use super::dnssec::{self, key_tag};
use super::name::Name;
use super::rdata::{Rdata, RdataError};
use super::rtype::Class;
use super::tail::{Reader, Tail};
use super::tsig::{AuthFailure, Claim, Keyring, MAX_FUDGE_SECS, Signer, Verified};
use crate::codec::digest;

/// A client's public key, from KEY rdata (RFC 2535 §3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sig0Key {
    /// The name that owns it.
    pub name: Name,
    /// The DNSSEC algorithm: 8 or 10 (RSA), 13 (ECDSA P-256) or 15 (Ed25519).
    pub algorithm: u8,
    /// The public key as in KEY data.
    pub public: Vec<u8>,
    /// The key tag.
    pub tag: u16,
}

impl Sig0Key {
    /// From the KEY record's data; an error if it cannot sign messages here.
    pub fn new(name: Name, key: &Rdata) -> Result<Self, RdataError> {
        let mut reader = Reader(key.wire());
        let short = |()| RdataError::Field("KEY data that ends too early");
        let flags = reader.u16().map_err(short)?;
        let protocol = reader.number(1).map_err(short)?;
        let algorithm = reader.number(1).map_err(short)? as u8;
        if flags & 0xc000 == 0xc000 {
            return Err(RdataError::Field("the KEY record says that there is no key"));
        }
        // RFC 2535 §3.1.3: 3 is DNSSEC, 255 any.
        if protocol != 3 && protocol != 255 {
            return Err(RdataError::Field("the protocol of a SIG(0) KEY is 3"));
        }
        if !dnssec::can_verify(algorithm) {
            return Err(RdataError::Field(
                "a SIG(0) key is of algorithm 8 (RSASHA256), 10 (RSASHA512), 13 (ECDSAP256SHA256) or 15 (ED25519)",
            ));
        }
        Ok(Self { name, algorithm, tag: key_tag(key.wire()), public: reader.0.to_vec() })
    }

    /// Whether `signature` is this key's over `data`.
    pub fn verify(&self, data: &[u8], signature: &[u8]) -> bool {
        dnssec::verify(self.algorithm, &self.public, data, signature)
    }
}

/// The fixed part of SIG rdata (RFC 2535 §4.1).
struct SigRecord<'a> {
    algorithm: u8,
    expiration: u32,
    inception: u32,
    tag: u16,
    signer: Name,
    signature: &'a [u8],
    /// The rdata before the signature.
    covered: &'a [u8],
}

fn parse(rdata: &[u8]) -> Result<SigRecord<'_>, ()> {
    let mut reader = Reader(rdata);
    let type_covered = reader.u16()?;
    let algorithm = reader.number(1)? as u8;
    reader.take(5)?;
    let expiration = reader.number(4)? as u32;
    let inception = reader.number(4)? as u32;
    let tag = reader.u16()?;
    let signer = reader.name()?;
    let signature = reader.0;
    if type_covered != 0 || signature.is_empty() {
        return Err(());
    }
    let covered = &rdata[..rdata.len() - signature.len()];
    Ok(SigRecord { algorithm, expiration, inception, tag, signer, signature, covered })
}

/// What a SIG(0) record says of itself.
pub(super) fn claim(tail: &Tail<'_>) -> Option<Claim> {
    let sig = parse(tail.rdata).ok()?;
    let window = (u64::from(sig.inception), u64::from(sig.expiration));
    Some(Claim { key: sig.signer, algorithm: format!("SIG(0) algorithm {}", sig.algorithm), window })
}

/// Checks the SIG(0) record `tail` over `message`, which is without it.
pub(super) fn check(
    message: &[u8],
    tail: &Tail<'_>,
    keys: &Keyring,
    now_secs: u64,
) -> Result<Verified, AuthFailure> {
    // RFC 2931 §3: the owner is the root and the TTL 0; the class should be ANY, and nobody depends on it.
    if !tail.name.is_root() || (tail.class != Class::ANY && tail.class != Class::IN) {
        return Err(AuthFailure::FormErr);
    }
    let sig = parse(tail.rdata).map_err(|()| AuthFailure::FormErr)?;
    let candidates = keys.sig0.get(&sig.signer).map(Vec::as_slice).unwrap_or_default();
    let mut candidates =
        candidates.iter().filter(|k| k.tag == sig.tag && k.algorithm == sig.algorithm).peekable();
    if candidates.peek().is_none() {
        return Err(AuthFailure::BadKey);
    }
    // RFC 2931 §3.1: data = SIG rdata without the signature | the message without the SIG record.
    let mut data = sig.covered.to_vec();
    data.extend_from_slice(message);
    if !candidates.any(|k| k.verify(&data, sig.signature)) {
        return Err(AuthFailure::BadSig);
    }
    let until = window(&sig, now_secs).ok_or(AuthFailure::BadTime)?;
    Ok(Verified {
        signer: Signer::Sig0(sig.signer),
        covered: digest("conclave/covered", &[&data]),
        tsig_mac: None,
        expires_secs: until,
    })
}

/// The last second of the window, if `now_secs` is in it. Times are compared as serial numbers (RFC 4034 §3.1.5).
fn window(sig: &SigRecord<'_>, now_secs: u64) -> Option<u64> {
    let longest = 2 * MAX_FUDGE_SECS as i64;
    let now = now_secs as u32;
    let lifetime = i64::from(sig.expiration.wrapping_sub(sig.inception) as i32);
    let since_inception = i64::from(now.wrapping_sub(sig.inception) as i32);
    let until_expiration = i64::from(sig.expiration.wrapping_sub(now) as i32);
    let early = (longest - lifetime).min(MAX_FUDGE_SECS as i64);
    let inside = (0..=longest).contains(&lifetime) && since_inception >= -early && until_expiration >= 0;
    inside.then(|| now_secs + until_expiration as u64)
}

#[cfg(test)]
mod tests;
