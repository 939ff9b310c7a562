//! TSIG and SIG(0): no octets but those that a key signed are authentic, and failures get bounded replies.
//!
//! If the first octet is odd the rest is signed with a TSIG before it is checked, and then one octet of it is changed.

use super::bytes::Bytes;
use super::keys::{self, NOW, keyring};
use super::message;
use conclave::dns::Opcode;
use conclave::dns::tsig::{self, AuthFailure, Keyring};
use std::sync::OnceLock;

pub fn run(data: &[u8]) {
    static KEYS: OnceLock<Keyring> = OnceLock::new();
    let keys = KEYS.get_or_init(keyring);
    let mut bytes = Bytes(data);
    if bytes.u8() & 1 == 0 {
        check(bytes.0, keys);
        return;
    }
    let (at, change) = (usize::from(bytes.u16()), bytes.u8());
    let mut wire = bytes.0.to_vec();
    if wire.len() < 12 || wire.len() > 60_000 {
        return;
    }
    tsig::sign_request(&mut wire, &keys::updater(), NOW);
    let authentic = check(&wire, keys);
    let at = at % wire.len();
    let before = wire[at];
    wire[at] ^= change;
    // The ID is not covered (RFC 8945 §4.2 has the original one), and letters' case in names is not.
    if authentic && at >= 2 && !wire[at].eq_ignore_ascii_case(&before) {
        assert!(!check(&wire, keys), "octet {at} was changed");
    }
}

/// Whether `wire` is authentic.
fn check(wire: &[u8], keys: &Keyring) -> bool {
    let verdict = tsig::authenticate(wire, keys, NOW);
    if let Ok(verified) = &verdict {
        assert!(verified.expires_secs >= NOW && verified.expires_secs <= NOW + 2 * tsig::MAX_FUDGE_SECS);
        for later in [verified.expires_secs + 1, NOW + 10 * tsig::MAX_FUDGE_SECS] {
            assert_eq!(tsig::authenticate(wire, keys, later).err(), Some(AuthFailure::BadTime));
        }
    }
    let key = keys.tsig.values().next().expect("there is one");
    let _ = tsig::verify_response(wire, key, &[0; 32], NOW);
    let failure = verdict.as_ref().err().copied().unwrap_or(AuthFailure::BadTime);
    let mut reply = vec![0; 12];
    tsig::sign_failure(&mut reply, wire, keys, failure, NOW);
    assert!(reply.len() < 1_024, "a failure's reply of {} octets", reply.len());
    verdict.is_ok()
}

pub fn seeds() -> Vec<Vec<u8>> {
    let mut signed = message::holding(Opcode::UPDATE, &message::records()[..2]);
    let unsigned = signed.clone();
    tsig::sign_request(&mut signed, &keys::updater(), NOW);
    let raw = |wire: &[u8]| [&[0], wire].concat();
    let to_sign = |at: u16, wire: &[u8]| [&[1], &at.to_le_bytes()[..], &[1], wire].concat();
    vec![raw(&keys::nsupdate()), raw(&signed), to_sign(5, &unsigned), to_sign(100, &unsigned)]
}
