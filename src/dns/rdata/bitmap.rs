//! Type bitmaps (RFC 4034 §4.1.2): windows of 256 types, ascending; no empty window, no zero octet at a window's end.

use crate::dns::rtype::RrType;
use std::collections::BTreeSet;

/// The one encoding of these types.
pub(in crate::dns) fn encode(types: &BTreeSet<RrType>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut window = [0u8; 32];
    let mut types = types.iter().peekable();
    while let Some(rtype) = types.next() {
        let [block, low] = rtype.0.to_be_bytes();
        window[usize::from(low >> 3)] |= 0x80 >> (low & 7);
        if types.peek().is_none_or(|next| next.0.to_be_bytes()[0] != block) {
            let length = usize::from(low >> 3) + 1;
            out.extend_from_slice(&[block, length as u8]);
            out.extend_from_slice(&window[..length]);
            window = [0; 32];
        }
    }
    out
}

/// The types, if the octets are a proper encoding.
pub(in crate::dns) fn decode(mut octets: &[u8]) -> Option<BTreeSet<RrType>> {
    let mut types = BTreeSet::new();
    let mut last = None;
    while !octets.is_empty() {
        let [block, length, rest @ ..] = octets else { return None };
        if last.is_some_and(|last| last >= *block) || !(1..=32).contains(length) {
            return None;
        }
        let (window, rest) = rest.split_at_checked(usize::from(*length))?;
        if window.last() == Some(&0) {
            return None;
        }
        for (index, octet) in window.iter().enumerate() {
            for bit in (0..8).filter(|bit| octet & (0x80 >> bit) != 0) {
                types.insert(RrType(u16::from(*block) << 8 | (index as u16) << 3 | bit));
            }
        }
        last = Some(*block);
        octets = rest;
    }
    Some(types)
}
