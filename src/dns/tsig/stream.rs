//! The TSIGs of a response that is several messages (RFC 8945 §5.3.1): every message has one, each covers the one before.

use super::{Tsig, TsigKey, id};

/// Signs the next message of a response to a request whose TSIG held. `mac`: the request's for the `first` message, then
/// that of the message before, which this gives.
pub fn sign_next(message: &mut Vec<u8>, key: &TsigKey, mac: &[u8], first: bool, now_secs: u64) -> Vec<u8> {
    let mut tsig = Tsig::of(key, now_secs, id(message));
    let covered = if first { tsig.covered(Some(mac), message) } else { tsig.covered_later(mac, message) };
    tsig.mac = key.mac(&covered);
    tsig.append(message);
    tsig.mac
}

impl Tsig {
    /// What the MAC of a message after the first covers: the MAC before, the message with its original ID, the timers.
    fn covered_later(&self, mac: &[u8], message: &[u8]) -> Vec<u8> {
        let mut octets = Vec::with_capacity(message.len() + 128);
        octets.extend_from_slice(&(mac.len() as u16).to_be_bytes());
        octets.extend_from_slice(mac);
        octets.extend_from_slice(&self.original_id.to_be_bytes());
        octets.extend_from_slice(&message[2..]);
        octets.extend_from_slice(&self.time_signed.to_be_bytes()[2..]);
        octets.extend_from_slice(&self.fudge.to_be_bytes());
        octets
    }
}
