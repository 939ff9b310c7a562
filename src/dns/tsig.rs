//! TSIG (RFC 8945): stub.
use super::name::Name;
use super::rtype::Rcode;
use super::sig0::Sig0Key;
use crate::codec::Digest;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// The MAC algorithms that are accepted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[allow(missing_docs, reason = "the names of RFC 8945 §6")]
pub enum TsigAlgorithm {
    HmacSha256,
    HmacSha384,
    HmacSha512,
}

impl TsigAlgorithm {
    /// From its name, `hmac-sha256` and so on.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim_end_matches('.').to_ascii_lowercase().as_str() {
            "hmac-sha256" => Some(Self::HmacSha256),
            "hmac-sha384" => Some(Self::HmacSha384),
            "hmac-sha512" => Some(Self::HmacSha512),
            _ => None,
        }
    }
}

impl fmt::Display for TsigAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha384 => "hmac-sha384",
            Self::HmacSha512 => "hmac-sha512",
        })
    }
}

/// A shared secret. Wiped on drop; not shown.
pub struct TsigKey {
    /// The name.
    pub name: Name,
    /// The algorithm.
    pub algorithm: TsigAlgorithm,
    secret: Zeroizing<Vec<u8>>,
}

impl TsigKey {
    /// A key of these parts.
    pub fn new(name: Name, algorithm: TsigAlgorithm, secret: Vec<u8>) -> Self {
        Self { name, algorithm, secret: Zeroizing::new(secret) }
    }

    /// The secret.
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }
}

/// The keys of clients.
#[derive(Default)]
pub struct Keyring {
    /// Shared secrets by name.
    pub tsig: BTreeMap<Name, TsigKey>,
    /// Public keys by name; one name may have several.
    pub sig0: BTreeMap<Name, Vec<Sig0Key>>,
}

/// Who signed a request.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub enum Signer {
    /// Who shares this secret.
    Tsig(Name),
    /// Who has the private key.
    Sig0(Name),
}

impl Signer {
    /// The key's name.
    pub fn name(&self) -> &Name {
        match self {
            Self::Tsig(name) | Self::Sig0(name) => name,
        }
    }
}

/// A request whose signature holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// Who signed it.
    pub signer: Signer,
    /// SHA-256 of exactly the octets that the signature covers: names the request against replay.
    pub covered: Digest,
    /// The MAC of a TSIG, which the reply's covers.
    pub tsig_mac: Option<Vec<u8>>,
    /// Seconds since 1970 after which the signature is not taken any more.
    pub expires_secs: u64,
}

/// Why a request is not authentic. What an error reply needs beyond this is read from the request again
/// ([`sign_failure`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub enum AuthFailure {
    /// Neither TSIG nor SIG(0).
    Unsigned,
    /// The signature does not hold.
    BadSig,
    /// No such key, or of another algorithm.
    BadKey,
    /// The signature holds, but not now.
    BadTime,
    /// The MAC is cut too short.
    BadTrunc,
    /// The signature record, or the message, is malformed.
    FormErr,
}

impl AuthFailure {
    /// The rcode in the reply's header.
    pub fn rcode(self) -> Rcode {
        match self {
            Self::Unsigned => Rcode::REFUSED,
            Self::FormErr => Rcode::FORMERR,
            Self::BadSig | Self::BadKey | Self::BadTime | Self::BadTrunc => Rcode::NOTAUTH,
        }
    }
}

/// Checks the TSIG or SIG(0) of a request at this time.
pub fn authenticate(wire: &[u8], keys: &Keyring, now_secs: u64) -> Result<Verified, AuthFailure> {
    let _ = (wire, keys, now_secs);
    todo!()
}

/// Appends the TSIG of a response to a request with this MAC.
pub fn sign_response(response: &mut Vec<u8>, key: &TsigKey, request_mac: &[u8], now_secs: u64) {
    let _ = (response, key, request_mac, now_secs);
    todo!()
}

/// Octets that [`sign_response`] appends.
pub fn response_overhead(key: &TsigKey) -> usize {
    let _ = key;
    todo!()
}

/// Appends what a reply to a request that failed must carry (RFC 8945 §5.2): nothing if it has no TSIG; a TSIG without MAC
/// for BADSIG and BADKEY; for BADTIME and BADTRUNC a signed one, with the server's time.
pub fn sign_failure(
    response: &mut Vec<u8>,
    request: &[u8],
    keys: &Keyring,
    failure: AuthFailure,
    now_secs: u64,
) {
    let _ = (response, request, keys, failure, now_secs);
    todo!()
}

/// Appends a request's TSIG; gives its MAC.
pub fn sign_request(request: &mut Vec<u8>, key: &TsigKey, now_secs: u64) -> Vec<u8> {
    let _ = (request, key, now_secs);
    todo!()
}

/// Checks a response's TSIG: for our own clients and tests. Gives the TSIG's error field.
pub fn verify_response(
    response: &[u8],
    key: &TsigKey,
    request_mac: &[u8],
    now_secs: u64,
) -> Result<Rcode, AuthFailure> {
    let _ = (response, key, request_mac, now_secs);
    todo!()
}
