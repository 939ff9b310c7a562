//! Who sent a message: TSIG (RFC 8945) and, through [`super::sig0`], SIG(0) (RFC 2931).
//!
//! [`authenticate`] looks at a client's original octets at a given time: a replica does so twice, on arrival by its own
//! clock and at execution in agreed time. Full-length MACs only (RFC 8945 §5.2.2.1 leaves
//! truncation to policy). A window counts at most [`MAX_FUDGE_SECS`] to each side, whatever the client asks, so that the
//! replay table may forget what is older than twice that.

mod keys;
mod stream;

use super::name::Name;
use super::rtype::{Class, Rcode, RrType};
use super::sig0;
use super::tail::{Reader, Tail, last_additional, set_additional, without};
use crate::codec::{Digest, digest};
use crate::limits::REPLAY_WINDOW_MS;
use borsh::{BorshDeserialize, BorshSerialize};
pub use keys::{Keyring, Mode, Quota, TsigAlgorithm, TsigKey};
pub use stream::sign_next;

/// Seconds that a client's clock may differ from ours.
pub const MAX_FUDGE_SECS: u64 = 300;
const _: () = assert!(2 * MAX_FUDGE_SECS * 1_000 <= REPLAY_WINDOW_MS);

/// Who signed, as the update policy names it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub enum Signer {
    /// The holder of the TSIG key of this name.
    Tsig(Name),
    /// The holder of a SIG(0) key of this name.
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

/// A message whose signature holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// Who signed.
    pub signer: Signer,
    /// The digest of exactly the octets that the MAC or signature covers: what the replay table remembers.
    pub covered: Digest,
    /// The MAC of its TSIG, which the reply's covers; replies to SIG(0) are not signed.
    pub tsig_mac: Option<Vec<u8>>,
    /// Seconds since 1970 after which the signature is not taken any more.
    pub expires_secs: u64,
}

/// Why a request is not authentic. What the reply needs beyond this is read from the request again ([`sign_failure`]).
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
    /// The MAC holds as far as it goes, and is cut too short.
    BadTrunc,
    /// The signature record, or the message, is malformed.
    FormErr,
}

impl AuthFailure {
    /// The rcode in the reply's header: REFUSED for an unsigned request, NOTAUTH for a bad signature (RFC 8945 §5.2,
    /// RFC 3007 §2).
    pub fn rcode(self) -> Rcode {
        match self {
            Self::Unsigned => Rcode::REFUSED,
            Self::FormErr => Rcode::FORMERR,
            Self::BadSig | Self::BadKey | Self::BadTime | Self::BadTrunc => Rcode::NOTAUTH,
        }
    }

    /// The error field of the reply's TSIG (RFC 8945 §3).
    fn tsig_error(self) -> Rcode {
        match self {
            Self::BadSig => Rcode::BADSIG,
            Self::BadKey => Rcode::BADKEY,
            Self::BadTime => Rcode::BADTIME,
            Self::BadTrunc => Rcode::BADTRUNC,
            Self::Unsigned | Self::FormErr => Rcode::NOERROR,
        }
    }
}

/// Checks the TSIG or SIG(0) of a request at `now_secs`.
pub fn authenticate(wire: &[u8], keys: &Keyring, now_secs: u64) -> Result<Verified, AuthFailure> {
    let tail = last_additional(wire).map_err(|()| AuthFailure::FormErr)?.ok_or(AuthFailure::Unsigned)?;
    match tail.rtype {
        RrType::TSIG => check(&Tsig::parse(&tail)?, &without(wire, tail.start), keys, now_secs),
        RrType::SIG => sig0::check(&without(wire, tail.start), &tail, keys, now_secs),
        _ => Err(AuthFailure::Unsigned),
    }
}

/// The same where all replicas must come to the same: a key whose secret differs from replica to replica is none.
pub fn authenticate_alike(wire: &[u8], keys: &Keyring, now_secs: u64) -> Result<Verified, AuthFailure> {
    match last_additional(wire) {
        Ok(Some(tail)) if tail.rtype == RrType::TSIG && keys.of_quorum(&tail.name).is_some() => {
            Err(AuthFailure::BadKey)
        }
        _ => authenticate(wire, keys, now_secs),
    }
}

/// A signed message as every replica can be sent it alike: without its signature, and with the ID 0.
pub fn unsigned(wire: &[u8]) -> Option<Vec<u8>> {
    let tail = last_additional(wire).ok()??;
    let mut message = without(wire, tail.start);
    message[..2].fill(0);
    Some(message)
}

/// What a message says of its signature, which may be forged: for explanations only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// The key's name.
    pub key: Name,
    /// The algorithm, as the client wrote it: a mnemonic, or a SIG(0) key's number.
    pub algorithm: String,
    /// The first and the last second in which it is to be valid.
    pub window: (u64, u64),
}

/// What `wire` says of its TSIG or SIG(0), if it has one that can be read.
pub fn claim(wire: &[u8]) -> Option<Claim> {
    let tail = last_additional(wire).ok()??;
    match tail.rtype {
        RrType::TSIG => {
            let Tsig { key, algorithm, time_signed, fudge, .. } = Tsig::parse(&tail).ok()?;
            let fudge = u64::from(fudge);
            let window = (time_signed.saturating_sub(fudge), time_signed.saturating_add(fudge));
            Some(Claim { key, algorithm: algorithm.to_string().trim_end_matches('.').to_owned(), window })
        }
        RrType::SIG => sig0::claim(&tail),
        _ => None,
    }
}

/// A TSIG record (RFC 8945 §4.2).
struct Tsig {
    key: Name,
    algorithm: Name,
    time_signed: u64,
    fudge: u16,
    mac: Vec<u8>,
    original_id: u16,
    error: Rcode,
    other: Vec<u8>,
}

impl Tsig {
    fn parse(tail: &Tail<'_>) -> Result<Self, AuthFailure> {
        if tail.class != Class::ANY || tail.ttl != 0 {
            return Err(AuthFailure::FormErr);
        }
        Self::read(tail).map_err(|()| AuthFailure::FormErr)
    }

    fn read(tail: &Tail<'_>) -> Result<Self, ()> {
        let mut reader = Reader(tail.rdata);
        let tsig = Self {
            key: tail.name.clone(),
            algorithm: reader.name()?,
            time_signed: reader.number(6)?,
            fudge: reader.u16()?,
            mac: reader.counted()?.to_vec(),
            original_id: reader.u16()?,
            error: Rcode(reader.u16()?),
            other: reader.counted()?.to_vec(),
        };
        if reader.0.is_empty() { Ok(tsig) } else { Err(()) }
    }

    /// A record of ours, without its MAC yet.
    fn of(key: &TsigKey, time_signed: u64, original_id: u16) -> Self {
        Self {
            key: key.name.clone(),
            algorithm: key.algorithm.name(),
            time_signed,
            fudge: MAX_FUDGE_SECS as u16,
            mac: Vec::new(),
            original_id,
            error: Rcode::NOERROR,
            other: Vec::new(),
        }
    }

    /// What the MAC covers: the MAC of the request before a reply's, the message with its original ID, the TSIG
    /// variables (RFC 8945 §4.3).
    fn covered(&self, request_mac: Option<&[u8]>, message: &[u8]) -> Vec<u8> {
        let mut octets = Vec::with_capacity(message.len() + 256);
        if let Some(mac) = request_mac {
            octets.extend_from_slice(&(mac.len() as u16).to_be_bytes());
            octets.extend_from_slice(mac);
        }
        octets.extend_from_slice(&self.original_id.to_be_bytes());
        octets.extend_from_slice(&message[2..]);
        octets.extend_from_slice(self.key.to_lowercase().wire());
        octets.extend_from_slice(&Class::ANY.0.to_be_bytes());
        octets.extend_from_slice(&[0; 4]);
        octets.extend_from_slice(self.algorithm.to_lowercase().wire());
        octets.extend_from_slice(&self.time_signed.to_be_bytes()[2..]);
        octets.extend_from_slice(&self.fudge.to_be_bytes());
        octets.extend_from_slice(&self.error.0.to_be_bytes());
        octets.extend_from_slice(&(self.other.len() as u16).to_be_bytes());
        octets.extend_from_slice(&self.other);
        octets
    }

    /// Appends this record to a message, and counts it.
    fn append(&self, message: &mut Vec<u8>) {
        message.extend_from_slice(self.key.wire());
        for number in [RrType::TSIG.0, Class::ANY.0, 0, 0] {
            message.extend_from_slice(&number.to_be_bytes());
        }
        let length = self.algorithm.wire().len() + 16 + self.mac.len() + self.other.len();
        message.extend_from_slice(&(length as u16).to_be_bytes());
        message.extend_from_slice(self.algorithm.wire());
        message.extend_from_slice(&self.time_signed.to_be_bytes()[2..]);
        message.extend_from_slice(&self.fudge.to_be_bytes());
        message.extend_from_slice(&(self.mac.len() as u16).to_be_bytes());
        message.extend_from_slice(&self.mac);
        message.extend_from_slice(&self.original_id.to_be_bytes());
        message.extend_from_slice(&self.error.0.to_be_bytes());
        message.extend_from_slice(&(self.other.len() as u16).to_be_bytes());
        message.extend_from_slice(&self.other);
        set_additional(message, 1);
    }
}

/// RFC 8945 §5.2: key, MAC, time, truncation, in this order.
fn check(tsig: &Tsig, message: &[u8], keys: &Keyring, now_secs: u64) -> Result<Verified, AuthFailure> {
    let algorithm = TsigAlgorithm::from_name(&tsig.algorithm);
    let key =
        keys.tsig.get(&tsig.key).filter(|k| Some(k.algorithm) == algorithm).ok_or(AuthFailure::BadKey)?;
    let full = key.algorithm.mac_octets();
    if tsig.mac.len() > full || tsig.mac.len() < (full / 2).max(10) {
        return Err(AuthFailure::FormErr);
    }
    let covered = tsig.covered(None, message);
    if !key.verifies(&covered, &tsig.mac) {
        return Err(AuthFailure::BadSig);
    }
    let fudge = u64::from(tsig.fudge).min(MAX_FUDGE_SECS);
    if now_secs.abs_diff(tsig.time_signed) > fudge {
        return Err(AuthFailure::BadTime);
    }
    if tsig.mac.len() < full {
        return Err(AuthFailure::BadTrunc);
    }
    Ok(Verified {
        signer: Signer::Tsig(key.name.clone()),
        covered: digest("conclave/covered", &[&covered]),
        tsig_mac: Some(tsig.mac.clone()),
        expires_secs: tsig.time_signed + fudge,
    })
}

/// Signs the reply to a request whose TSIG held and had this MAC (RFC 8945 §5.3).
pub fn sign_response(response: &mut Vec<u8>, key: &TsigKey, request_mac: &[u8], now_secs: u64) {
    let mut tsig = Tsig::of(key, now_secs, id(response));
    tsig.mac = key.mac(&tsig.covered(Some(request_mac), response));
    tsig.append(response);
}

/// Octets that [`sign_response`] appends.
pub fn response_overhead(key: &TsigKey) -> usize {
    key.name.wire().len() + 10 + key.algorithm.name().wire().len() + 16 + key.algorithm.mac_octets()
}

/// Appends what the reply to a failed request must carry (RFC 8945 §5.3.2): nothing if the request has no TSIG or is
/// malformed; for BADSIG and BADKEY a TSIG without MAC; for BADTRUNC a signed one, and for BADTIME a signed one with the
/// client's time and our own as other data.
pub fn sign_failure(
    response: &mut Vec<u8>,
    request: &[u8],
    keys: &Keyring,
    failure: AuthFailure,
    now_secs: u64,
) {
    let Ok(Some(tail)) = last_additional(request) else { return };
    if tail.rtype != RrType::TSIG || matches!(failure, AuthFailure::Unsigned | AuthFailure::FormErr) {
        return;
    }
    let Ok(mut tsig) = Tsig::parse(&tail) else { return };
    let request_mac = std::mem::take(&mut tsig.mac);
    tsig.error = failure.tsig_error();
    tsig.other.clear();
    match (failure, keys.tsig.get(&tsig.key)) {
        (AuthFailure::BadTime, Some(key)) => {
            tsig.other = now_secs.to_be_bytes()[2..].to_vec();
            tsig.mac = key.mac(&tsig.covered(Some(&request_mac), response));
        }
        (AuthFailure::BadTrunc, Some(key)) => {
            tsig.time_signed = now_secs;
            tsig.mac = key.mac(&tsig.covered(Some(&request_mac), response));
        }
        _ => tsig.time_signed = now_secs,
    }
    tsig.append(response);
}

/// Appends the TSIG of a request of our own; gives its MAC, which [`verify_response`] wants.
pub fn sign_request(request: &mut Vec<u8>, key: &TsigKey, now_secs: u64) -> Vec<u8> {
    let mut tsig = Tsig::of(key, now_secs, id(request));
    tsig.mac = key.mac(&tsig.covered(None, request));
    tsig.append(request);
    tsig.mac
}

/// Checks the TSIG of the reply to a request of our own that had this MAC; gives the error in it.
pub fn verify_response(
    response: &[u8],
    key: &TsigKey,
    request_mac: &[u8],
    now_secs: u64,
) -> Result<Rcode, AuthFailure> {
    let tail = last_additional(response).map_err(|()| AuthFailure::FormErr)?.ok_or(AuthFailure::Unsigned)?;
    if tail.rtype != RrType::TSIG {
        return Err(AuthFailure::Unsigned);
    }
    let tsig = Tsig::parse(&tail)?;
    let covered = tsig.covered(Some(request_mac), &without(response, tail.start));
    if tsig.key != key.name
        || tsig.mac.len() < key.algorithm.mac_octets()
        || !key.verifies(&covered, &tsig.mac)
    {
        return Err(AuthFailure::BadSig);
    }
    if tsig.error == Rcode::NOERROR && now_secs.abs_diff(tsig.time_signed) > u64::from(tsig.fudge) {
        return Err(AuthFailure::BadTime);
    }
    Ok(tsig.error)
}

/// The ID of a message that has a header.
fn id(message: &[u8]) -> u16 {
    u16::from_be_bytes([message[0], message[1]])
}

#[cfg(test)]
mod tests;
