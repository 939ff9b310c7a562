//! EMSA-PKCS1-v1_5 (RFC 8017 §9.2), the encoding that RRSIGs of algorithms 8 and 10 carry (RFC 5702 §3).

use crate::codec::KeyId;

/// DigestInfo of SHA-256 up to the hash itself (RFC 8017 §9.2, note 1).
const SHA256_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];
/// The same of SHA-512.
const SHA512_INFO: [u8; 19] = [
    0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00,
    0x04, 0x40,
];

/// x: a hash encoded for one key. It begins 00 01, so 0 < x < N for every N of its length.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Representative {
    pub(super) key: KeyId,
    pub(super) octets: Vec<u8>,
}

/// 00 01 FF… 00 DigestInfo hash, as long as the modulus. `None` unless the hash is of 32 octets (SHA-256) or 64
/// (SHA-512) and at least eight FF remain.
pub(super) fn emsa_pkcs1_v1_5(key: KeyId, modulus_len: usize, hash: &[u8]) -> Option<Representative> {
    let info = match hash.len() {
        32 => &SHA256_INFO,
        64 => &SHA512_INFO,
        _ => return None,
    };
    let padding = modulus_len.checked_sub(3 + info.len() + hash.len())?;
    if padding < 8 {
        return None;
    }
    let mut octets = Vec::with_capacity(modulus_len);
    octets.extend_from_slice(&[0, 1]);
    octets.resize(2 + padding, 0xff);
    octets.push(0);
    octets.extend_from_slice(info);
    octets.extend_from_slice(hash);
    Some(Representative { key, octets })
}
