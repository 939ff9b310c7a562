//! The bytes of headers, marks and snapshots; the description is in the [module's doc](super), the log's records are
//! in [`record`](super::record).

use super::LogError;
use crate::codec::{ClusterId, Digest, digest};
use crate::limits::MAX_LOG_RECORD_BYTES;
use crate::quorum::ReplicaId;

/// The version of the formats.
pub(super) const VERSION: u32 = 1;
/// Bytes of the header of a segment or a snapshot.
pub(super) const HEADER_BYTES: usize = 72;
/// Bytes before the payload of a snapshot's record: its length and its checksum.
pub(super) const RECORD_HEAD_BYTES: usize = 4 + CHECKSUM_BYTES;
/// Bytes of a snapshot's longest record.
pub(super) const MAX_RECORD_BYTES: usize = RECORD_HEAD_BYTES + MAX_LOG_RECORD_BYTES;
/// Bytes of one entry of a mark file.
pub(super) const MARK_BYTES: usize = 8 + CHECKSUM_BYTES;
/// Bytes of a snapshot's trailer.
pub(super) const TRAILER_BYTES: usize = 4 + 8 + CHECKSUM_BYTES;
/// What a trailer has in the place of a record's length: more than any record may have.
pub(super) const TRAILER_SIGN: [u8; 4] = [0xff; 4];
/// Bytes of a checksum.
pub(super) const CHECKSUM_BYTES: usize = 16;
/// Bytes of the header before its checksum.
const HEADER_BODY_BYTES: usize = HEADER_BYTES - CHECKSUM_BYTES;

/// The ends of the names of segments,
pub(super) const SEGMENT: &str = ".log";
/// of mark files,
pub(super) const MARK: &str = ".mark";
/// of snapshots,
pub(super) const SNAPSHOT: &str = ".snap";
/// and of snapshots that are being written.
pub(super) const PART: &str = ".part";

/// The name of a file: a position and what kind of file it is.
pub(super) fn named(position: u64, suffix: &str) -> String {
    format!("{position:020}{suffix}")
}

/// The position in a file's name, if it is a name of this kind.
pub(super) fn position_in(name: &str, suffix: &str) -> Option<u64> {
    let position = name.strip_suffix(suffix)?.parse().ok()?;
    // A file holds fewer records than 2^63, so that no position overflows after this.
    (position < 1 << 63 && named(position, suffix) == name).then_some(position)
}

/// What begins with a header.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Segment,
    Snapshot,
}

impl Kind {
    fn magic(self) -> &'static [u8; 8] {
        match self {
            Self::Segment => b"CNCLVLOG",
            Self::Snapshot => b"CNCLVSNP",
        }
    }

    fn domain(self) -> &'static str {
        match self {
            Self::Segment => "conclave/log/header",
            Self::Snapshot => "conclave/snapshot/header",
        }
    }
}

/// Whose log it is: every checksum covers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Binding {
    pub cluster: ClusterId,
    pub me: ReplicaId,
}

impl Binding {
    pub fn header(&self, kind: Kind, position: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(kind.magic());
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[self.me.get(), 0, 0, 0]);
        bytes.extend_from_slice(&self.cluster.0.0);
        bytes.extend_from_slice(&position.to_le_bytes());
        let sum = checksum(kind.domain(), &[&bytes]);
        bytes.extend_from_slice(&sum);
        bytes
    }

    /// Whether the file `name` begins with the header of this replica's segment or snapshot of `position`.
    pub fn check_header(&self, kind: Kind, name: &str, position: u64, bytes: &[u8]) -> Result<(), LogError> {
        let Some((body, sum)) = header_fields(kind, bytes) else {
            return Err(LogError::damaged(name, 0, "the header does not fit its checksum"));
        };
        if checksum(kind.domain(), &[body]) != *sum {
            return Err(LogError::damaged(name, 0, "the header does not fit its checksum"));
        }
        let version = u32::from_le_bytes([body[8], body[9], body[10], body[11]]);
        let foreign = |whose| Err(LogError::Foreign { file: name.to_owned(), whose });
        if version != VERSION {
            Err(LogError::Version { file: name.to_owned(), version })
        } else if body[16..48] != self.cluster.0.0 {
            let mut other = [0; 32];
            other.copy_from_slice(&body[16..48]);
            foreign(format!("cluster {}", Digest(other).to_hex()))
        } else if body[12] != self.me.get() {
            foreign(format!("replica {}", body[12]))
        } else if body[48..] != position.to_le_bytes() {
            Err(LogError::damaged(name, 48, "the file has been renamed"))
        } else {
            Ok(())
        }
    }

    /// One entry: the segment that begins with record `first` is synced up to offset `end`.
    pub fn mark(&self, first: u64, end: u64) -> [u8; MARK_BYTES] {
        let mut bytes = [0; MARK_BYTES];
        bytes[..8].copy_from_slice(&end.to_le_bytes());
        bytes[8..].copy_from_slice(&self.mark_checksum(first, &end.to_le_bytes()));
        bytes
    }

    /// The offset in one entry; `None` if it does not fit its checksum.
    pub fn parse_mark(&self, first: u64, entry: &[u8]) -> Option<u64> {
        let (end, sum) = entry.split_first_chunk::<8>()?;
        (self.mark_checksum(first, end) == sum).then_some(u64::from_le_bytes(*end))
    }

    fn mark_checksum(&self, first: u64, end: &[u8; 8]) -> [u8; CHECKSUM_BYTES] {
        self.checksum("conclave/log/mark", &[&first.to_le_bytes(), end])
    }

    pub fn checksum(&self, domain: &str, fields: &[&[u8]]) -> [u8; CHECKSUM_BYTES] {
        let mut all: Vec<&[u8]> = vec![&self.cluster.0.0];
        let me = [self.me.get()];
        all.push(&me);
        all.extend_from_slice(fields);
        checksum(domain, &all)
    }
}

/// The records of one snapshot, in order: each is bound to its index, and the trailer to all of them.
pub(super) struct Chain {
    binding: Binding,
    at: u64,
    count: u64,
    value: Digest,
}

impl Chain {
    pub fn new(binding: Binding, at: u64) -> Self {
        Self { binding, at, count: 0, value: Digest::default() }
    }

    /// The next record.
    pub fn record(&mut self, payload: &[u8]) -> Vec<u8> {
        let sum = self.record_checksum(payload);
        self.take(&sum);
        let mut bytes = Vec::with_capacity(RECORD_HEAD_BYTES + payload.len());
        bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&sum);
        bytes.extend_from_slice(payload);
        bytes
    }

    /// The payload of the next record, which is at the start of `bytes`, or why there is none.
    pub fn parse_record<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], &'static str> {
        let head: &[u8; RECORD_HEAD_BYTES] = bytes.first_chunk().ok_or("the record's head is cut short")?;
        let (length, sum) = head.split_at(4);
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
        if length > MAX_LOG_RECORD_BYTES {
            return Err("the record's length is over the limit");
        }
        let payload = bytes[RECORD_HEAD_BYTES..].get(..length).ok_or("the record is cut short")?;
        let expected = self.record_checksum(payload);
        if expected != sum {
            return Err("the record does not fit its checksum");
        }
        self.take(&expected);
        Ok(payload)
    }

    /// What follows the last record.
    pub fn trailer(&self) -> [u8; TRAILER_BYTES] {
        let count = self.count.to_le_bytes();
        let fields: [&[u8]; 3] = [&self.at.to_le_bytes(), &count, &self.value.0];
        let mut bytes = [0; TRAILER_BYTES];
        bytes[..4].copy_from_slice(&TRAILER_SIGN);
        bytes[4..12].copy_from_slice(&count);
        bytes[12..].copy_from_slice(&self.binding.checksum("conclave/snapshot/trailer", &fields));
        bytes
    }

    fn take(&mut self, sum: &[u8; CHECKSUM_BYTES]) {
        self.count += 1;
        self.value = digest("conclave/snapshot/chain", &[&self.value.0, sum]);
    }

    fn record_checksum(&self, payload: &[u8]) -> [u8; CHECKSUM_BYTES] {
        let fields: [&[u8]; 3] = [&self.at.to_le_bytes(), &self.count.to_le_bytes(), payload];
        self.binding.checksum("conclave/snapshot/record", &fields)
    }
}

/// The body of a header and its checksum.
fn header_fields(kind: Kind, bytes: &[u8]) -> Option<(&[u8; HEADER_BODY_BYTES], &[u8; CHECKSUM_BYTES])> {
    let (body, rest) = bytes.split_first_chunk()?;
    (body.starts_with(kind.magic())).then_some((body, rest.first_chunk()?))
}

fn checksum(domain: &str, fields: &[&[u8]]) -> [u8; CHECKSUM_BYTES] {
    let digest = digest(domain, fields).0;
    let mut sum = [0; CHECKSUM_BYTES];
    sum.copy_from_slice(&digest[..CHECKSUM_BYTES]);
    sum
}
