//! The segment log: appending and syncing. Opening and checking is in [`open`](super::open), bytes in
//! [`format`](super::format).

use super::format::{Binding, HEADER_BYTES, MARK_BYTES};
use super::open::Opened;
use super::{Disk, Durable, LogError, Position, TornTail};
use crate::codec::ClusterId;
use crate::limits::{LOG_SEGMENT_BYTES, MAX_LOG_RECORD_BYTES};
use crate::quorum::ReplicaId;

/// Bytes of appended records kept in memory before they are handed to the disk, sync or no sync.
const BUFFER_BYTES: usize = 1024 * 1024;

/// An append-only sequence of records over a [`Disk`].
///
/// Invariants. 1: all segments but the last are synced. 2: `durable` ≤ `end`, and everything before `durable` was
/// written before a sync that returned without error. 3: after any failure the log refuses all work: what a failed
/// sync has left on the disk is unknown.
pub struct Log<D> {
    disk: D,
    binding: Binding,
    segment_bytes: u64,
    segment: Segment,
    buffer: Vec<u8>,
    end: Position,
    durable: Durable,
    torn: Option<TornTail>,
    failed: bool,
}

/// The segment that is being written.
pub(super) struct Segment {
    /// The position of its first record.
    pub first: u64,
    /// Its bytes that the disk has been given.
    pub bytes: u64,
}

impl<D: Disk> Log<D> {
    /// Opens the log of replica `me` of `cluster`, creating it on an empty disk, and returns all its records, all
    /// of them durable.
    pub fn open(disk: D, cluster: ClusterId, me: ReplicaId) -> Result<(Self, Vec<Vec<u8>>), LogError> {
        Self::open_with_segments(disk, cluster, me, LOG_SEGMENT_BYTES)
    }

    pub(super) fn open_with_segments(
        mut disk: D,
        cluster: ClusterId,
        me: ReplicaId,
        segment_bytes: u64,
    ) -> Result<(Self, Vec<Vec<u8>>), LogError> {
        let binding = Binding { cluster, me };
        let Opened { records, last, torn } = super::open::open(&mut disk, &binding)?;
        let end = Position(records.len() as u64);
        let fresh = last.is_none();
        let mut log = Self {
            disk,
            binding,
            segment_bytes,
            segment: last.unwrap_or(Segment { first: end.0, bytes: 0 }),
            buffer: Vec::new(),
            end,
            durable: Durable(Position::START),
            torn,
            failed: false,
        };
        if fresh {
            log.begin_segment()?;
        } else {
            // A killed process leaves records that are written and not synced: they count, so they must last.
            log.sync_segment()?;
        }
        log.durable = Durable(end);
        Ok((log, records))
    }

    /// Appends a record; durable only after the next [`sync`](Self::sync). Returns the place after it.
    pub fn append(&mut self, record: &[u8]) -> Result<Position, LogError> {
        self.refuse_if_failed()?;
        if record.len() > MAX_LOG_RECORD_BYTES {
            return Err(LogError::TooLong { bytes: record.len() });
        }
        let encoded = self.binding.record(self.end.0, record);
        let held = self.segment.bytes + self.buffer.len() as u64;
        if held > HEADER_BYTES as u64 && held + encoded.len() as u64 > self.segment_bytes {
            self.next_segment()?;
        }
        self.buffer.extend_from_slice(&encoded);
        self.end.0 += 1;
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(self.end)
    }

    /// The place after the last record appended.
    pub fn end(&self) -> Position {
        self.end
    }

    /// What is known to be durable.
    pub fn durable(&self) -> Durable {
        self.durable
    }

    /// Makes everything appended durable.
    pub fn sync(&mut self) -> Result<Durable, LogError> {
        self.refuse_if_failed()?;
        if self.durable.0 < self.end {
            self.flush()?;
            self.sync_segment()?;
            self.durable = Durable(self.end);
        }
        Ok(self.durable)
    }

    /// Hands what was appended to the disk without waiting for it: it survives the process, not a power cut.
    pub fn flush(&mut self) -> Result<(), LogError> {
        self.refuse_if_failed()?;
        if !self.buffer.is_empty() {
            let name = Binding::segment_name(self.segment.first);
            let written = self.disk.append(&name, &self.buffer);
            self.check("writing", &name, written)?;
            self.segment.bytes += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }

    /// What was cut off when the log was opened, if anything.
    pub fn torn_tail(&self) -> Option<&TornTail> {
        self.torn.as_ref()
    }

    /// The disk.
    pub fn into_disk(self) -> D {
        self.disk
    }

    fn next_segment(&mut self) -> Result<(), LogError> {
        self.sync()?;
        let old_mark = Binding::mark_name(self.segment.first);
        self.segment = Segment { first: self.end.0, bytes: 0 };
        self.begin_segment()?;
        let removed = self.disk.remove(&old_mark);
        self.check("removing", &old_mark, removed)
    }

    /// Makes the file of the current segment with its header, durable before any record comes into it.
    fn begin_segment(&mut self) -> Result<(), LogError> {
        let name = Binding::segment_name(self.segment.first);
        let header = self.binding.header(self.segment.first);
        let created = self.disk.create(&name).and_then(|()| self.disk.append(&name, &header));
        self.check("creating", &name, created)?;
        self.segment.bytes = header.len() as u64;
        super::open::renew_marks(&mut self.disk, self.segment.first).inspect_err(|_| self.failed = true)?;
        let synced = self.disk.sync(&name).and_then(|()| self.disk.sync_directory());
        self.check("syncing", &name, synced)?;
        self.mark()
    }

    fn sync_segment(&mut self) -> Result<(), LogError> {
        let name = Binding::segment_name(self.segment.first);
        let synced = self.disk.sync(&name);
        self.check("syncing", &name, synced)?;
        self.mark()
    }

    /// Notes, without waiting for it, how far the segment is synced: opening then tells damage from a torn tail.
    fn mark(&mut self) -> Result<(), LogError> {
        let name = Binding::mark_name(self.segment.first);
        let entry: [u8; MARK_BYTES] = self.binding.mark(self.segment.first, self.segment.bytes);
        let written = self.disk.append(&name, &entry);
        self.check("writing", &name, written)
    }

    fn check(&mut self, doing: &str, file: &str, result: std::io::Result<()>) -> Result<(), LogError> {
        result.map_err(|error| {
            self.failed = true;
            LogError::io(doing, file, error)
        })
    }

    fn refuse_if_failed(&self) -> Result<(), LogError> {
        if self.failed { Err(LogError::FailedBefore) } else { Ok(()) }
    }
}
