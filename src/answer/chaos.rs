//! Questions about the server itself: class CHAOS, type TXT (RFC 4892 and what BIND began). What the operator did not set
//! is refused.

use super::request::Settings;
use crate::dns::query::Query;
use crate::dns::{Class, Name, RrType};

/// The names that ask for the version, and those that ask which server this is; without the root's label.
const VERSION: [&[u8]; 2] = [b"\x07version\x04bind", b"\x07version\x06server"];
const IDENTITY: [&[u8]; 2] = [b"\x08hostname\x04bind", b"\x02id\x06server"];

/// The text that answers a question of class CHAOS.
pub(super) fn text<'s>(settings: &'s Settings, query: &Query) -> Option<&'s str> {
    if query.qclass != Class::CH || ![RrType::TXT, RrType::ANY].contains(&query.qtype) {
        return None;
    }
    let asks = |names: &[&[u8]]| names.iter().any(|name| is(&query.qname, name));
    if asks(&VERSION) {
        settings.version.as_deref()
    } else if asks(&IDENTITY) {
        settings.identity.as_deref()
    } else {
        None
    }
}

fn is(name: &Name, wire: &[u8]) -> bool {
    name.wire().strip_suffix(&[0]).is_some_and(|labels| labels.eq_ignore_ascii_case(wire))
}

/// Appends the record `text` behind the question at `question_at`; `text` has at most 255 octets.
pub(super) fn write(out: &mut Vec<u8>, question_at: usize, text: &str) {
    let length = text.len() as u8;
    out.extend_from_slice(&(0xC000 | question_at as u16).to_be_bytes());
    out.extend_from_slice(&RrType::TXT.0.to_be_bytes());
    out.extend_from_slice(&Class::CH.0.to_be_bytes());
    // RFC 4892 §2: not to be kept.
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&(1 + u16::from(length)).to_be_bytes());
    out.push(length);
    out.extend_from_slice(text.as_bytes());
    out[6..8].copy_from_slice(&[0, 1]);
}
