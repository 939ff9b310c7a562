//! DNSSEC encodings: key tags, DS digests, RRSIG and NSEC data, and verification by a second implementation.
//!
//! RFC 4034; RSA keys and signatures as RFC 3110 and 5702; ECDSA as RFC 6605; Ed25519 as RFC 8080. Verification is
//! aws-lc's, independent of our own threshold arithmetic: no version is published that it does not accept.

use super::name::Name;
use super::rdata::{Rdata, canonical, decode_types, encode_types};
use super::rrset::Rrset;
use super::rtype::{Class, RrType};
use super::tail::Reader;
use aws_lc_rs::{digest, signature};
use std::collections::BTreeSet;

/// Flags of a zone's key (RFC 4034 §2.1.1): zone key.
pub const ZSK_FLAGS: u16 = 256;
/// Flags of a key-signing key: zone key and secure entry point.
pub const KSK_FLAGS: u16 = 257;
/// RSA with SHA-256 (RFC 5702).
pub const RSASHA256: u8 = 8;
/// RSA with SHA-512 (RFC 5702).
pub const RSASHA512: u8 = 10;
/// ECDSA P-256 with SHA-256 (RFC 6605).
pub const ECDSAP256SHA256: u8 = 13;
/// Ed25519 (RFC 8080).
pub const ED25519: u8 = 15;

/// The key tag of DNSKEY or KEY data (RFC 4034 appendix B).
pub fn key_tag(rdata: &[u8]) -> u16 {
    let sum = rdata.iter().enumerate().fold(0u32, |sum, (i, octet)| {
        sum.wrapping_add(if i % 2 == 0 { u32::from(*octet) << 8 } else { u32::from(*octet) })
    });
    (sum.wrapping_add(sum >> 16) & 0xffff) as u16
}

/// The digest of a DS record (RFC 4034 §5.1.4): type 2 is SHA-256, type 4 SHA-384 (RFC 6605); none for any other.
pub fn ds_digest(owner: &Name, dnskey: &Rdata, digest_type: u8) -> Option<Vec<u8>> {
    let algorithm = match digest_type {
        2 => &digest::SHA256,
        4 => &digest::SHA384,
        _ => return None,
    };
    let mut context = digest::Context::new(algorithm);
    context.update(owner.to_lowercase().wire());
    context.update(dnskey.wire());
    Some(context.finish().as_ref().to_vec())
}

/// The DS data of a DNSKEY.
pub fn ds_rdata(owner: &Name, dnskey: &Rdata, digest_type: u8) -> Option<Rdata> {
    let digest = ds_digest(owner, dnskey, digest_type)?;
    let mut octets = key_tag(dnskey.wire()).to_be_bytes().to_vec();
    octets.extend_from_slice(&[*dnskey.wire().get(3)?, digest_type]);
    octets.extend_from_slice(&digest);
    Some(Rdata::new(&octets))
}

/// DNSKEY data of an RSA key (RFC 3110 §2): exponent (at most 255 octets) and modulus big-endian, leading zeros dropped.
pub fn rsa_dnskey_rdata(flags: u16, algorithm: u8, exponent: &[u8], modulus: &[u8]) -> Rdata {
    let trim = |octets: &[u8]| octets.iter().position(|b| *b != 0).unwrap_or(octets.len());
    let (exponent, modulus) = (&exponent[trim(exponent)..], &modulus[trim(modulus)..]);
    let mut octets = flags.to_be_bytes().to_vec();
    octets.extend_from_slice(&[3, algorithm, exponent.len() as u8]);
    octets.extend_from_slice(exponent);
    octets.extend_from_slice(modulus);
    Rdata::new(&octets)
}

/// The modulus in DNSKEY data of an RSA key.
pub fn rsa_modulus(dnskey: &Rdata) -> Option<&[u8]> {
    let (length, rest) = dnskey.wire().get(4..)?.split_first()?;
    match (*length, rest) {
        (0, [high, low, rest @ ..]) => rest.get(usize::from(u16::from_be_bytes([*high, *low]))..),
        (0, _) => None,
        (length, rest) => rest.get(usize::from(length)..),
    }
}

/// RRSIG data without its signature (RFC 4034 §3.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RrsigFields {
    /// The type of the set that is signed.
    pub type_covered: RrType,
    /// The algorithm of the key.
    pub algorithm: u8,
    /// Labels of the owner, the root and a leading `*` not counted.
    pub labels: u8,
    /// The set's TTL in the zone, seconds.
    pub original_ttl: u32,
    /// The last second of validity, seconds since 1970 as a serial number.
    pub expiration: u32,
    /// The first second of validity.
    pub inception: u32,
    /// The tag of the key.
    pub key_tag: u16,
    /// The zone.
    pub signer: Name,
}

impl RrsigFields {
    /// The data up to the signature; the signer in lower case.
    fn prefix(&self) -> Vec<u8> {
        let mut octets = self.type_covered.0.to_be_bytes().to_vec();
        octets.extend_from_slice(&[self.algorithm, self.labels]);
        for number in [self.original_ttl, self.expiration, self.inception] {
            octets.extend_from_slice(&number.to_be_bytes());
        }
        octets.extend_from_slice(&self.key_tag.to_be_bytes());
        octets.extend_from_slice(self.signer.to_lowercase().wire());
        octets
    }

    /// The whole data.
    pub fn to_rdata(&self, signature: &[u8]) -> Rdata {
        let mut octets = self.prefix();
        octets.extend_from_slice(signature);
        Rdata::new(&octets)
    }

    /// Reads RRSIG data: the fields and the signature.
    pub fn parse(rdata: &Rdata) -> Option<(Self, Vec<u8>)> {
        let mut reader = Reader(rdata.wire());
        let mut read = || -> Result<Self, ()> {
            Ok(Self {
                type_covered: RrType(reader.u16()?),
                algorithm: reader.number(1)? as u8,
                labels: reader.number(1)? as u8,
                original_ttl: reader.number(4)? as u32,
                expiration: reader.number(4)? as u32,
                inception: reader.number(4)? as u32,
                key_tag: reader.u16()?,
                signer: reader.name()?,
            })
        };
        let fields = read().ok()?;
        Some((fields, reader.0.to_vec()))
    }
}

/// The label count of an owner (RFC 4034 §3.1.3): without the root and a leading `*`.
pub fn rrsig_labels(owner: &Name) -> u8 {
    (owner.label_count() - usize::from(owner.is_wildcard())) as u8
}

/// What is signed (RFC 4034 §3.1.8.1): the RRSIG data without signature, then the set in canonical form and order. `owner` is
/// the name in the zone: a wildcard's own, never one expanded from it.
pub fn rrsig_preimage(owner: &Name, rrset: &Rrset, fields: &RrsigFields) -> Vec<u8> {
    let mut octets = fields.prefix();
    let owner = owner.to_lowercase();
    for rdata in &rrset.rdatas {
        let data = canonical(rrset.rtype, rdata);
        octets.extend_from_slice(owner.wire());
        octets.extend_from_slice(&rrset.rtype.0.to_be_bytes());
        octets.extend_from_slice(&Class::IN.0.to_be_bytes());
        octets.extend_from_slice(&fields.original_ttl.to_be_bytes());
        octets.extend_from_slice(&(data.len() as u16).to_be_bytes());
        octets.extend_from_slice(&data);
    }
    octets
}

/// Why a signature is not good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VerifyError {
    /// RRSIG or DNSKEY rdata is malformed.
    Malformed,
    /// The RRSIG's type, labels or original TTL is not the RRset's.
    Mismatch,
    /// Algorithm or tag is not the key's, or the key is not for zones.
    OtherKey,
    /// An algorithm that is not known here.
    Algorithm,
    /// The mathematics say no.
    Bogus,
}

impl std::fmt::Display for VerifyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Malformed => "malformed RRSIG or DNSKEY",
            Self::Mismatch => "the RRSIG is not about this RRset",
            Self::OtherKey => "the RRSIG is not by this key",
            Self::Algorithm => "unknown algorithm",
            Self::Bogus => "the signature does not verify",
        })
    }
}

impl std::error::Error for VerifyError {}

/// Verifies one RRSIG of a set with one DNSKEY (RFC 4035 §5.3, dates aside).
pub fn verify_rrsig(owner: &Name, rrset: &Rrset, rrsig: &Rdata, dnskey: &Rdata) -> Result<(), VerifyError> {
    let (fields, signature) = RrsigFields::parse(rrsig).ok_or(VerifyError::Malformed)?;
    let key = dnskey.wire();
    if key.len() < 5 {
        return Err(VerifyError::Malformed);
    }
    // RFC 4034 §2.1.1 and §2.1.2: the zone key flag, protocol 3.
    if key[0] & 1 == 0 || key[2] != 3 || fields.algorithm != key[3] || fields.key_tag != key_tag(key) {
        return Err(VerifyError::OtherKey);
    }
    if fields.type_covered != rrset.rtype
        || fields.original_ttl != rrset.ttl
        || fields.labels != rrsig_labels(owner)
        || !owner.is_subdomain_of(&fields.signer)
    {
        return Err(VerifyError::Mismatch);
    }
    if !can_verify(fields.algorithm) {
        return Err(VerifyError::Algorithm);
    }
    let preimage = rrsig_preimage(owner, rrset, &fields);
    if verify(fields.algorithm, &key[4..], &preimage, &signature) { Ok(()) } else { Err(VerifyError::Bogus) }
}

/// Whether [`verify_rrsig`] knows the algorithm.
pub fn can_verify(algorithm: u8) -> bool {
    matches!(algorithm, RSASHA256 | RSASHA512 | ECDSAP256SHA256 | ED25519)
}

/// Verifies a signature over `message` with a public key in DNSKEY's form.
pub(super) fn verify(algorithm: u8, public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let unparsed = |kind: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
        signature::UnparsedPublicKey::new(kind, key).verify(message, signature).is_ok()
    };
    match algorithm {
        RSASHA256 | RSASHA512 => {
            let kind = if algorithm == RSASHA256 {
                &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
            } else {
                &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
            };
            rsa_parts(public).is_some_and(|(e, n)| {
                signature::RsaPublicKeyComponents { n, e }.verify(kind, message, signature).is_ok()
            })
        }
        ECDSAP256SHA256 if public.len() == 64 => {
            // SEC 1: an uncompressed point is 04 | x | y.
            let point = [&[4][..], public].concat();
            unparsed(&signature::ECDSA_P256_SHA256_FIXED, &point)
        }
        ED25519 => unparsed(&signature::ED25519, public),
        _ => false,
    }
}

/// Exponent and modulus (RFC 3110 §2).
fn rsa_parts(public: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match public {
        [0, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [length, rest @ ..] => (usize::from(*length), rest),
        [] => return None,
    };
    let (e, n) = rest.split_at_checked(length)?;
    (!e.is_empty() && !n.is_empty() && n[0] != 0 && e[0] != 0).then_some((e, n))
}

/// NSEC data (RFC 4034 §4.1): the next owner and the types at this one, in any order.
pub fn nsec_rdata(next: &Name, types: &BTreeSet<RrType>) -> Rdata {
    let mut octets = next.wire().to_vec();
    octets.extend_from_slice(&encode_types(types));
    Rdata::new(&octets)
}

/// Reads NSEC data: the next owner and the types.
pub fn parse_nsec(rdata: &Rdata) -> Option<(Name, BTreeSet<RrType>)> {
    let (next, length) = Name::prefix_of(rdata.wire()).ok()?;
    Some((next, decode_types(&rdata.wire()[length..])?))
}

#[cfg(test)]
mod tests;
