//! The wire side of the table: how long a field is, whether it is well formed, and where it may be compressed.

use super::table::Field;
use super::{RdataError, bitmap, loc, params, rare};
use crate::dns::name::{self, MAX_NAME_OCTETS};

/// Copies the fields at `at..end` of `message` to `out`, names decompressed where that may be.
pub(super) fn read(
    fields: &[Field],
    message: &[u8],
    mut at: usize,
    end: usize,
    out: &mut Vec<u8>,
) -> Result<(), RdataError> {
    for field in fields {
        if matches!(field, Field::OldName | Field::LowerName) {
            let mut wire = [0u8; MAX_NAME_OCTETS];
            let (length, after) = name::decompress(message, at, &mut wire)?;
            if after > end {
                return Err(RdataError::Truncated);
            }
            out.extend_from_slice(&wire[..length]);
            at = after;
        } else {
            let rest = message.get(at..end).ok_or(RdataError::Truncated)?;
            let length = length(*field, rest, out)?;
            out.extend_from_slice(&rest[..length]);
            at += length;
        }
    }
    if at == end { Ok(()) } else { Err(RdataError::Trailing) }
}

/// Calls `each` with every field and its octets of uncompressed rdata, and what stands before it.
pub(super) fn walk<'a>(
    fields: &[Field],
    rdata: &'a [u8],
    mut each: impl FnMut(Field, &'a [u8], &'a [u8]) -> Result<(), RdataError>,
) -> Result<(), RdataError> {
    let mut at = 0;
    for field in fields {
        let (before, rest) = rdata.split_at(at);
        let length = length(*field, rest, before)?;
        each(*field, &rest[..length], before)?;
        at += length;
    }
    if at == rdata.len() { Ok(()) } else { Err(RdataError::Trailing) }
}

/// How many octets at the start of `rest` are this field; `before`: the rdata up to here. At most `rest.len()`.
fn length(field: Field, rest: &[u8], before: &[u8]) -> Result<usize, RdataError> {
    let length = match field {
        Field::U8 | Field::Algorithm => 1,
        Field::U16 | Field::Type | Field::CertType => 2,
        Field::U32 | Field::Ttl | Field::Time | Field::Ipv4 => 4,
        Field::Groups => 8,
        Field::Ipv6 | Field::Loc => 16,
        Field::Eui(octets) => octets,
        Field::OldName | Field::LowerName | Field::PlainName => name::skip_uncompressed(rest)?,
        Field::PlainNames => {
            let mut at = 0;
            while at < rest.len() {
                at += name::skip_uncompressed(&rest[at..])?;
            }
            at
        }
        Field::Text | Field::Salt | Field::Hash | Field::Tag => sized(rest)?,
        Field::Texts => texts(rest)?,
        Field::OneOrTwoTexts => match sized(rest)? {
            first if first < rest.len() => first + sized(&rest[first..])?,
            first => first,
        },
        Field::Rare(kind) => rare::length(kind, rest, before)?,
        Field::LongText | Field::Hex | Field::Base64 | Field::Digest | Field::ZoneDigest => rest.len(),
        Field::Bitmap | Field::Params => rest.len(),
        Field::Gateway => match before.get(1) {
            Some(0) => 0,
            Some(1) => 4,
            Some(2) => 16,
            Some(3) => name::skip_uncompressed(rest)?,
            _ => return Err(RdataError::Field("an unknown kind of gateway")),
        },
        Field::Hip => {
            let [tag, _, high, low, ..] = *rest else { return Err(RdataError::Truncated) };
            4 + usize::from(tag) + usize::from(u16::from_be_bytes([high, low]))
        }
    };
    let octets = rest.get(..length).ok_or(RdataError::Truncated)?;
    check(field, octets, before)?;
    Ok(length)
}

fn sized(rest: &[u8]) -> Result<usize, RdataError> {
    rest.first().map(|length| 1 + usize::from(*length)).ok_or(RdataError::Truncated)
}

fn texts(rest: &[u8]) -> Result<usize, RdataError> {
    let mut at = sized(rest)?;
    while at < rest.len() {
        at += sized(&rest[at..])?;
    }
    if at > rest.len() { Err(RdataError::Truncated) } else { Ok(at) }
}

/// What the contents of a field of the right length must be.
fn check(field: Field, octets: &[u8], before: &[u8]) -> Result<(), RdataError> {
    let wrong = |what| Err(RdataError::Field(what));
    match field {
        Field::Bitmap if bitmap::decode(octets).is_none() => wrong("a malformed type bitmap"),
        Field::Params => params::check(octets),
        // RFC 8659 §4.1.
        Field::Tag if octets.len() < 2 => wrong("an empty tag"),
        Field::Tag if !octets[1..].iter().all(u8::is_ascii_alphanumeric) => {
            wrong("a tag of other than letters and digits")
        }
        Field::Hash if octets.len() < 2 => wrong("an empty hash"),
        Field::Hip if octets[0] == 0 || octets[2..4] == [0, 0] => wrong("an empty tag or key"),
        Field::Hex if octets.is_empty() => wrong("no octets at the end"),
        // RFC 8976 §2.2.4.
        Field::ZoneDigest => match (before.get(5), octets.len()) {
            (Some(1), 48) | (Some(2), 64) => Ok(()),
            (Some(1 | 2), _) => wrong("a digest of the wrong length"),
            (_, 12..) => Ok(()),
            _ => wrong("a digest below 12 octets"),
        },
        Field::Rare(kind) => rare::check(kind, octets),
        Field::Digest => {
            let due = match before.get(3) {
                Some(1) => Some(20),
                Some(2 | 3) => Some(32),
                Some(4) => Some(48),
                _ => None,
            };
            match due {
                Some(due) if due != octets.len() => wrong("a digest of the wrong length"),
                None if octets.is_empty() => wrong("an empty digest"),
                _ => Ok(()),
            }
        }
        Field::Loc if octets[0] != 0 => wrong("an unknown version of LOC"),
        Field::Loc if !loc::in_range(octets) => wrong("a size or angle out of range"),
        _ => Ok(()),
    }
}
