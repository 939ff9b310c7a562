//! The bytes of the log's records, and the search for what those behind a damaged one tell; the description is in the
//! [module's doc](super).

use super::format::{Binding, CHECKSUM_BYTES};
use super::reader::Reader;
use super::{Disk, LogError};
use crate::limits::{LOG_SEGMENT_BYTES, MAX_LOG_RECORD_BYTES};

/// What each record begins with.
const MAGIC: &[u8; 4] = b"CVRC";
/// Bytes of the head before its own checksum.
const HEAD_BODY_BYTES: usize = 4 + 4 + 8 + CHECKSUM_BYTES;
/// Bytes before a record's payload.
pub(super) const HEAD_BYTES: usize = HEAD_BODY_BYTES + CHECKSUM_BYTES;
/// Bytes of the longest record.
pub(super) const MAX_BYTES: usize = HEAD_BYTES + MAX_LOG_RECORD_BYTES;

/// Where a record stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The position of the segment's first record.
    pub first: u64,
    /// The offset in the segment.
    pub offset: u64,
    /// The position of the record.
    pub position: u64,
}

/// A head that fits its checksum.
struct Head {
    length: usize,
    synced: u64,
    sum: [u8; CHECKSUM_BYTES],
}

impl Binding {
    /// A record at `place`; the segment is durable up to offset `synced`.
    pub fn record(&self, place: Place, synced: u64, payload: &[u8]) -> Vec<u8> {
        let sum = self.payload_checksum(place.position, payload);
        let mut bytes = Vec::with_capacity(HEAD_BYTES + payload.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&synced.to_le_bytes());
        bytes.extend_from_slice(&sum);
        let head_sum = self.head_checksum(place.first, place.offset, &bytes);
        bytes.extend_from_slice(&head_sum);
        bytes.extend_from_slice(payload);
        mask(&mut bytes[HEAD_BYTES..], &sum);
        bytes
    }

    /// The payload of the record at the start of `bytes`, which is at `place`, or why there is none.
    pub fn parse_record(&self, place: Place, bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
        let head = self.parse_head(place.first, place.offset, bytes)?;
        let masked = bytes[HEAD_BYTES..].get(..head.length).ok_or("the record is cut short")?;
        let mut payload = masked.to_vec();
        mask(&mut payload, &head.sum);
        if self.payload_checksum(place.position, &payload) != head.sum {
            return Err("the record does not fit its checksum");
        }
        Ok(payload)
    }

    fn parse_head(&self, first: u64, offset: u64, bytes: &[u8]) -> Result<Head, &'static str> {
        let head: &[u8; HEAD_BYTES] = bytes.first_chunk().ok_or("the record's head is cut short")?;
        let (body, head_sum) = head.split_at(HEAD_BODY_BYTES);
        if !body.starts_with(MAGIC) || self.head_checksum(first, offset, body) != head_sum {
            return Err("the record's head does not fit its checksum");
        }
        let length = u32::from_le_bytes([body[4], body[5], body[6], body[7]]) as usize;
        if length > MAX_LOG_RECORD_BYTES {
            return Err("the record's length is over the limit");
        }
        let (mut synced, mut sum) = ([0; 8], [0; CHECKSUM_BYTES]);
        synced.copy_from_slice(&body[8..16]);
        sum.copy_from_slice(&body[16..]);
        Ok(Head { length, synced: u64::from_le_bytes(synced), sum })
    }

    fn payload_checksum(&self, position: u64, payload: &[u8]) -> [u8; CHECKSUM_BYTES] {
        self.checksum("conclave/log/record", &[&position.to_le_bytes(), payload])
    }

    fn head_checksum(&self, first: u64, offset: u64, body: &[u8]) -> [u8; CHECKSUM_BYTES] {
        self.checksum("conclave/log/head", &[&first.to_le_bytes(), &offset.to_le_bytes(), body])
    }
}

/// Whether a head further on in the segment says that it was durable beyond the place where the reader stands.
///
/// It looks at each byte once, as far as a segment reaches, and hashes less than 128 bytes for each `MAGIC` it meets:
/// in masked payloads and noise one in 2^32 places, and in a file made to be slow one in four bytes.
pub(super) fn was_synced_here<D: Disk>(
    binding: &Binding,
    first: u64,
    reader: &mut Reader<'_, D>,
) -> Result<bool, LogError> {
    let here = reader.offset();
    while reader.offset() < LOG_SEGMENT_BYTES {
        let offset = reader.offset();
        let bytes = reader.peek(HEAD_BYTES)?;
        let candidates = (bytes.len() + 1).saturating_sub(HEAD_BYTES);
        if candidates == 0 {
            break;
        }
        for at in 0..candidates {
            if bytes[at..].starts_with(MAGIC) {
                let head = binding.parse_head(first, offset + at as u64, &bytes[at..]);
                if head.is_ok_and(|head| head.synced > here) {
                    return Ok(true);
                }
            }
        }
        reader.skip(candidates);
    }
    Ok(false)
}

/// Exclusive or with the payload's checksum, over and over: no payload can be chosen so that it looks like a record.
fn mask(payload: &mut [u8], sum: &[u8; CHECKSUM_BYTES]) {
    for piece in payload.chunks_mut(CHECKSUM_BYTES) {
        piece.iter_mut().zip(sum).for_each(|(octet, key)| *octet ^= key);
    }
}
