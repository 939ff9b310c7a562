//! Writing a snapshot beside the log, and reading it.

use super::format::{Binding, Chain, HEADER_BYTES, Kind, MAX_RECORD_BYTES, PART, RECORD_HEAD_BYTES};
use super::format::{SNAPSHOT, TRAILER_SIGN, named, position_in};
use super::reader::Reader;
use super::{Disk, LogError, Position};
use crate::codec::ClusterId;
use crate::limits::MAX_LOG_RECORD_BYTES;
use crate::quorum::ReplicaId;

/// Bytes of records kept in memory before they are handed to the disk.
const BUFFER_BYTES: usize = 1024 * 1024;

/// What stands for all records before a place.
#[derive(Debug)]
pub struct Snapshot {
    /// The place.
    pub at: Position,
    /// What the writer was given, in order.
    pub records: Vec<Vec<u8>>,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Proof that a snapshot is on disk; only [`SnapshotWriter::finish`] and [`Log::open`](super::Log::open) make it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stored {
    pub(super) binding: Binding,
    pub(super) at: Position,
    pub(super) bytes: u64,
}

impl Stored {
    /// The place: the snapshot stands for all records before it.
    pub fn at(&self) -> Position {
        self.at
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Writes a snapshot that stands for all records before a place, on another handle of the log's disk, perhaps on
/// another thread, while the log goes on.
///
/// One at a time: a second one takes the first one's file away, which then fails. Dropped unfinished, it removes
/// what it wrote; if that does not succeed, the next one does it, or the next [`Log::open`](super::Log::open).
pub struct SnapshotWriter<D: Disk> {
    disk: D,
    part: String,
    chain: Chain,
    binding: Binding,
    at: Position,
    buffer: Vec<u8>,
    /// Bytes that the disk has been given.
    written: u64,
    failed: bool,
    renamed: bool,
}

impl<D: Disk> SnapshotWriter<D> {
    /// Begins a snapshot that stands for all records before `at`. They must be durable, as they are at the place that
    /// [`Log::roll`](super::Log::roll) returns: a log that ends before its snapshot's place counts as damaged.
    pub fn begin(mut disk: D, cluster: ClusterId, me: ReplicaId, at: Position) -> Result<Self, LogError> {
        let binding = Binding { cluster, me };
        let names = disk.list().map_err(|e| LogError::io("listing", "the data directory", e))?;
        for left in names.iter().filter(|name| position_in(name, PART).is_some()) {
            disk.remove(left).map_err(|e| LogError::io("removing", left, e))?;
        }
        let part = named(at.0, PART);
        disk.create(&part).map_err(|e| LogError::io("creating", &part, e))?;
        Ok(Self {
            disk,
            part,
            chain: Chain::new(binding, at.0),
            binding,
            at,
            buffer: binding.header(Kind::Snapshot, at.0),
            written: 0,
            failed: false,
            renamed: false,
        })
    }

    /// Appends a record of at most [`MAX_LOG_RECORD_BYTES`].
    pub fn write(&mut self, record: &[u8]) -> Result<(), LogError> {
        if record.len() > MAX_LOG_RECORD_BYTES {
            return Err(LogError::TooLong { bytes: record.len() });
        }
        let encoded = self.chain.record(record);
        self.buffer.extend_from_slice(&encoded);
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    /// Makes it durable and gives it its name: only from then on it counts.
    pub fn finish(mut self) -> Result<Stored, LogError> {
        self.buffer.extend_from_slice(&self.chain.trailer());
        self.flush()?;
        let (part, name) = (self.part.as_str(), named(self.at.0, SNAPSHOT));
        let length = self.disk.sync(part).and_then(|()| self.disk.len(part));
        if length.map_err(|e| LogError::io("syncing", part, e))? != self.written {
            return Err(LogError::damaged(part, self.written, "something else writes to this file"));
        }
        self.disk.rename(part, &name).map_err(|e| LogError::io("naming", &name, e))?;
        self.renamed = true;
        self.disk.sync_directory().map_err(|e| LogError::io("syncing", &name, e))?;
        Ok(Stored { binding: self.binding, at: self.at, bytes: self.written })
    }

    fn flush(&mut self) -> Result<(), LogError> {
        if self.failed {
            return Err(LogError::FailedBefore);
        }
        let written = self.disk.append(&self.part, &self.buffer);
        self.failed = written.is_err();
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        written.map_err(|e| LogError::io("writing", &self.part, e))
    }
}

impl<D: Disk> Drop for SnapshotWriter<D> {
    fn drop(&mut self) {
        if !self.renamed {
            // The next writer or the next start tries again.
            let _ = self.disk.remove(&self.part);
        }
    }
}

/// The finished snapshot of a place: all of it, or an error.
pub(super) fn read<D: Disk>(disk: &mut D, binding: &Binding, at: u64) -> Result<Snapshot, LogError> {
    let name = named(at, SNAPSHOT);
    let mut reader = Reader::new(disk, &name)?;
    binding.check_header(Kind::Snapshot, &name, at, reader.peek(HEADER_BYTES)?)?;
    reader.skip(HEADER_BYTES);
    let mut chain = Chain::new(*binding, at);
    let mut records = Vec::new();
    loop {
        let offset = reader.offset();
        let bytes = reader.peek(MAX_RECORD_BYTES)?;
        if bytes.starts_with(&TRAILER_SIGN) {
            if bytes != chain.trailer() {
                return Err(LogError::damaged(&name, offset, "the trailer does not fit what is before it"));
            }
            return Ok(Snapshot { at: Position(at), records, bytes: reader.length() });
        }
        let parsed = chain.parse_record(bytes).map_err(|reason| LogError::damaged(&name, offset, reason));
        records.push(parsed?.to_vec());
        reader.skip(RECORD_HEAD_BYTES + records.last().map_or(0, Vec::len));
    }
}
