//! The last additional record of a message, where TSIG (RFC 8945) and SIG(0) (RFC 2931) stand, and the message without it.

use super::name::Name;
use super::rtype::{Class, RrType};

/// Octets of a message's header.
pub(super) const HEADER_OCTETS: usize = 12;

/// The last record of the additional section.
pub(super) struct Tail<'a> {
    /// Where it begins.
    pub start: usize,
    pub name: Name,
    pub rtype: RrType,
    pub class: Class,
    pub ttl: u32,
    pub rdata: &'a [u8],
}

/// Walks the whole message; an error if it is malformed, none if its additional section is empty.
pub(super) fn last_additional(wire: &[u8]) -> Result<Option<Tail<'_>>, ()> {
    let count =
        |i: usize| wire.get(i..i + 2).map(|b| usize::from(u16::from_be_bytes([b[0], b[1]]))).ok_or(());
    let (questions, others, additional) = (count(4)?, count(6)? + count(8)?, count(10)?);
    let mut at = HEADER_OCTETS;
    for _ in 0..questions {
        at = Name::from_message(wire, at).map_err(drop)?.1 + 4;
    }
    for _ in 0..others + additional.saturating_sub(1) {
        at = record(wire, at)?.1;
    }
    if additional == 0 {
        return Ok(None);
    }
    let (tail, end) = record(wire, at)?;
    if end == wire.len() { Ok(Some(tail)) } else { Err(()) }
}

fn record(wire: &[u8], start: usize) -> Result<(Tail<'_>, usize), ()> {
    let (name, at) = Name::from_message(wire, start).map_err(drop)?;
    let head = wire.get(at..at + 10).ok_or(())?;
    let end = at + 10 + usize::from(u16::from_be_bytes([head[8], head[9]]));
    let tail = Tail {
        start,
        name,
        rtype: RrType(u16::from_be_bytes([head[0], head[1]])),
        class: Class(u16::from_be_bytes([head[2], head[3]])),
        ttl: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
        rdata: wire.get(at + 10..end).ok_or(())?,
    };
    Ok((tail, end))
}

/// The message as it was before its last additional record was added, which begins at `start`.
pub(super) fn without(wire: &[u8], start: usize) -> Vec<u8> {
    let mut message = wire[..start].to_vec();
    set_additional(&mut message, -1);
    message
}

/// Changes the count of additional records by `by`.
pub(super) fn set_additional(message: &mut [u8], by: i32) {
    let count = i32::from(u16::from_be_bytes([message[10], message[11]])) + by;
    message[10..12].copy_from_slice(&u16::try_from(count.clamp(0, 0xffff)).unwrap_or(0).to_be_bytes());
}

/// Reads fixed parts off the front of octets.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, octets: usize) -> Result<&'a [u8], ()> {
        let (head, rest) = self.0.split_at_checked(octets).ok_or(())?;
        self.0 = rest;
        Ok(head)
    }

    /// A big-endian number of up to eight octets.
    pub fn number(&mut self, octets: usize) -> Result<u64, ()> {
        Ok(self.take(octets)?.iter().fold(0, |n, b| n << 8 | u64::from(*b)))
    }

    pub fn u16(&mut self) -> Result<u16, ()> {
        let octets = self.take(2)?;
        Ok(u16::from_be_bytes([octets[0], octets[1]]))
    }

    /// Octets preceded by their number in 16 bits.
    pub fn counted(&mut self) -> Result<&'a [u8], ()> {
        let octets = self.u16()?;
        self.take(usize::from(octets))
    }

    pub fn name(&mut self) -> Result<Name, ()> {
        let (name, length) = Name::prefix_of(self.0).map_err(drop)?;
        self.0 = &self.0[length..];
        Ok(name)
    }
}
