//! DNSSEC encodings (RFC 4034): stub.
use super::name::Name;
use super::rdata::Rdata;
use super::rrset::Rrset;
use super::rtype::RrType;
use std::collections::BTreeSet;
use std::fmt;

/// The key tag of DNSKEY or KEY rdata (RFC 4034 appendix B).
pub fn key_tag(dnskey_rdata: &[u8]) -> u16 {
    let _ = dnskey_rdata;
    todo!()
}

/// The digest of a DS (RFC 4034 §5.1.4): type 2 SHA-256, 4 SHA-384; none for others.
pub fn ds_digest(owner: &Name, dnskey: &Rdata, digest_type: u8) -> Option<Vec<u8>> {
    let _ = (owner, dnskey, digest_type);
    todo!()
}

/// The DS rdata of a DNSKEY.
pub fn ds_rdata(owner: &Name, dnskey: &Rdata, digest_type: u8) -> Option<Rdata> {
    let _ = (owner, dnskey, digest_type);
    todo!()
}

/// DNSKEY rdata of an RSA key (RFC 3110 §2): exponent and modulus big-endian, leading zeros are dropped.
pub fn rsa_dnskey_rdata(flags: u16, algorithm: u8, exponent: &[u8], modulus: &[u8]) -> Rdata {
    let _ = (flags, algorithm, exponent, modulus);
    todo!()
}

/// An RRSIG without its signature (RFC 4034 §3.1).
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the fields of RFC 4034 §3.1")]
pub struct RrsigFields {
    pub type_covered: RrType,
    pub algorithm: u8,
    pub labels: u8,
    pub original_ttl: u32,
    pub expiration: u32,
    pub inception: u32,
    pub key_tag: u16,
    pub signer: Name,
}

impl RrsigFields {
    /// The rdata with this signature.
    pub fn to_rdata(&self, signature: &[u8]) -> Rdata {
        let _ = signature;
        todo!()
    }

    /// Reads RRSIG or SIG rdata: the fields and the signature.
    pub fn parse(rdata: &Rdata) -> Option<(Self, Vec<u8>)> {
        let _ = rdata;
        todo!()
    }
}

/// The labels field for this owner (RFC 4034 §3.1.3): without the root and without `*`.
pub fn rrsig_labels(owner: &Name) -> u8 {
    (owner.label_count() - usize::from(owner.is_wildcard())) as u8
}

/// What is signed (RFC 4034 §3.1.8.1).
pub fn rrsig_preimage(owner: &Name, rrset: &Rrset, fields: &RrsigFields) -> Vec<u8> {
    let _ = (owner, rrset, fields);
    todo!()
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

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

/// Verifies one signature by aws-lc-rs, whatever made it. Dates are the caller's business.
pub fn verify_rrsig(owner: &Name, rrset: &Rrset, rrsig: &Rdata, dnskey: &Rdata) -> Result<(), VerifyError> {
    let _ = (owner, rrset, rrsig, dnskey);
    todo!()
}

/// NSEC rdata (RFC 4034 §4.1).
pub fn nsec_rdata(next: &Name, types: &BTreeSet<RrType>) -> Rdata {
    let _ = (next, types);
    todo!()
}

/// Reads NSEC rdata: the next name and the types.
pub fn parse_nsec(rdata: &Rdata) -> Option<(Name, BTreeSet<RrType>)> {
    let _ = rdata;
    todo!()
}
