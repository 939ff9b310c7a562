//! The bytes of the log; the description is in the [module's doc](super).

use crate::codec::{ClusterId, digest};
use crate::quorum::ReplicaId;

/// The first bytes of every segment.
const MAGIC: &[u8; 8] = b"CNCLVLOG";
/// The version of the format.
pub(super) const VERSION: u32 = 1;
/// Bytes of a segment's header.
pub(super) const HEADER_BYTES: usize = 72;
/// Bytes before a record's payload: its length and its checksum.
pub(super) const RECORD_HEAD_BYTES: usize = 4 + CHECKSUM_BYTES;
/// Bytes of one entry of a mark file.
pub(super) const MARK_BYTES: usize = 8 + CHECKSUM_BYTES;
const CHECKSUM_BYTES: usize = 16;
/// Bytes of the header before its checksum.
const HEADER_BODY_BYTES: usize = HEADER_BYTES - CHECKSUM_BYTES;

/// Whose log it is: every checksum covers it.
pub(super) struct Binding {
    pub cluster: ClusterId,
    pub me: ReplicaId,
}

/// What a header says, once its checksum fits.
pub(super) enum Header {
    /// This replica's segment, beginning with this record.
    Ours { first: u64 },
    /// A version this program does not know.
    Version(u32),
    /// The segment of another cluster.
    OtherCluster(ClusterId),
    /// The segment of another replica.
    OtherReplica(u8),
}

impl Binding {
    pub fn segment_name(first: u64) -> String {
        format!("{first:020}.log")
    }

    pub fn mark_name(first: u64) -> String {
        format!("{first:020}.mark")
    }

    /// The position in a file's name, if it is the name of a segment.
    pub fn parse_segment_name(name: &str) -> Option<u64> {
        let digits = name.strip_suffix(".log")?;
        let first = digits.parse().ok()?;
        (Self::segment_name(first) == name).then_some(first)
    }

    pub fn header(&self, first: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[self.me.get(), 0, 0, 0]);
        bytes.extend_from_slice(&self.cluster.0.0);
        bytes.extend_from_slice(&first.to_le_bytes());
        let sum = checksum("conclave/log/header", &[&bytes]);
        bytes.extend_from_slice(&sum);
        bytes
    }

    /// `None` if the bytes are no header of any log.
    pub fn parse_header(&self, bytes: &[u8]) -> Option<Header> {
        let header: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
        let (body, sum) = header.split_at(HEADER_BODY_BYTES);
        if &header[..8] != MAGIC || checksum("conclave/log/header", &[body]) != sum {
            return None;
        }
        let version = u32::from_le_bytes(*header[8..].first_chunk()?);
        let cluster = ClusterId(crate::codec::Digest(*header[16..].first_chunk()?));
        let first = u64::from_le_bytes(*header[48..].first_chunk()?);
        Some(if version != VERSION {
            Header::Version(version)
        } else if cluster != self.cluster {
            Header::OtherCluster(cluster)
        } else if header[12] != self.me.get() {
            Header::OtherReplica(header[12])
        } else {
            Header::Ours { first }
        })
    }

    pub fn record(&self, position: u64, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(RECORD_HEAD_BYTES + payload.len());
        bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&self.record_checksum(position, payload));
        bytes.extend_from_slice(payload);
        bytes
    }

    /// The payload of the record at the start of `bytes`, or why there is none.
    pub fn parse_record<'a>(&self, position: u64, bytes: &'a [u8]) -> Result<&'a [u8], &'static str> {
        let head: &[u8; RECORD_HEAD_BYTES] = bytes.first_chunk().ok_or("the record's head is cut short")?;
        let (length, sum) = head.split_at(4);
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
        if length > crate::limits::MAX_LOG_RECORD_BYTES {
            return Err("the record's length is over the limit");
        }
        let payload = bytes[RECORD_HEAD_BYTES..].get(..length).ok_or("the record is cut short")?;
        if self.record_checksum(position, payload) != sum {
            return Err("the record does not fit its checksum");
        }
        Ok(payload)
    }

    /// One entry: the segment that begins with record `first` is synced up to offset `end`.
    pub fn mark(&self, first: u64, end: u64) -> [u8; MARK_BYTES] {
        let mut bytes = [0; MARK_BYTES];
        bytes[..8].copy_from_slice(&end.to_le_bytes());
        bytes[8..].copy_from_slice(&self.mark_checksum(first, &end.to_le_bytes()));
        bytes
    }

    /// The greatest offset of all good entries; 0 if there is none.
    pub fn parse_marks(&self, first: u64, bytes: &[u8]) -> u64 {
        let last_good = bytes.as_chunks::<MARK_BYTES>().0.iter().rev().find_map(|entry| {
            let (end, sum) = entry.split_first_chunk::<8>()?;
            (self.mark_checksum(first, end) == sum).then_some(u64::from_le_bytes(*end))
        });
        last_good.unwrap_or(0)
    }

    fn record_checksum(&self, position: u64, payload: &[u8]) -> [u8; CHECKSUM_BYTES] {
        let fields = [&self.cluster.0.0[..], &[self.me.get()], &position.to_le_bytes(), payload];
        checksum("conclave/log/record", &fields)
    }

    fn mark_checksum(&self, first: u64, end: &[u8; 8]) -> [u8; CHECKSUM_BYTES] {
        let fields = [&self.cluster.0.0[..], &[self.me.get()], &first.to_le_bytes(), end];
        checksum("conclave/log/mark", &fields)
    }
}

fn checksum(domain: &str, fields: &[&[u8]]) -> [u8; CHECKSUM_BYTES] {
    let digest = digest(domain, fields).0;
    let mut sum = [0; CHECKSUM_BYTES];
    sum.copy_from_slice(&digest[..CHECKSUM_BYTES]);
    sum
}
