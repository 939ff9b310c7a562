//! The segment log: appending, syncing and removing what a snapshot stands for. Opening and checking is in
//! [`open`](super::open), bytes in [`format`](super::format).

use super::format::{Binding, HEADER_BYTES, Kind, MARK, SEGMENT, SNAPSHOT, named, position_in};
use super::open::Found;
use super::record::{HEAD_BYTES, Place};
use super::{Disk, Durable, LogError, Position, Snapshot, Stored, TornTail};
use crate::codec::ClusterId;
use crate::limits::{LOG_SEGMENT_BYTES, MAX_LOG_RECORD_BYTES};
use crate::quorum::ReplicaId;
use std::collections::VecDeque;

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
    /// The segments before the one that is being written, oldest first.
    closed: VecDeque<Segment>,
    segment: Segment,
    /// The offset up to which that segment is durable: each record carries it, and opening tells damage by it.
    synced_bytes: u64,
    pub(super) buffer: Vec<u8>,
    end: Position,
    durable: Durable,
    stored: Option<Stored>,
    torn: Option<TornTail>,
    pub(super) failed: bool,
}

/// What [`Log::open`] found.
#[derive(Debug)]
pub struct Opened {
    /// The newest snapshot, if there is one.
    pub snapshot: Option<Snapshot>,
    /// All records from the snapshot's place on, or from the first, in order; all of them durable.
    pub records: Vec<Vec<u8>>,
}

/// A segment of the log.
pub(super) struct Segment {
    /// The position of its first record.
    pub first: u64,
    /// Its bytes that the disk has been given.
    pub bytes: u64,
}

impl<D: Disk> Log<D> {
    /// Opens the log of replica `me` of `cluster`, creating it on an empty disk, and returns what it holds. No
    /// [`SnapshotWriter`](super::SnapshotWriter) may be at work on the disk.
    pub fn open(disk: D, cluster: ClusterId, me: ReplicaId) -> Result<(Self, Opened), LogError> {
        Self::open_with_segments(disk, cluster, me, LOG_SEGMENT_BYTES)
    }

    pub(super) fn open_with_segments(
        mut disk: D,
        cluster: ClusterId,
        me: ReplicaId,
        segment_bytes: u64,
    ) -> Result<(Self, Opened), LogError> {
        let binding = Binding { cluster, me };
        let Found { snapshot, records, end, segments, torn } = super::open::open(&mut disk, &binding)?;
        let mut closed = VecDeque::from(segments);
        let last = closed.pop_back();
        let is_new = last.is_none();
        let mut log = Self {
            disk,
            binding,
            segment_bytes,
            closed,
            segment: last.unwrap_or(Segment { first: end, bytes: 0 }),
            synced_bytes: 0,
            buffer: Vec::new(),
            end: Position(end),
            durable: Durable(Position::START),
            stored: snapshot.as_ref().map(|s| Stored { binding, at: s.at, bytes: s.bytes }),
            torn,
            failed: false,
        };
        if is_new {
            log.begin_segment()?;
        } else {
            // A killed process leaves records that are written and not synced: they count, so they must last.
            log.sync_segment()?;
        }
        log.durable = Durable(log.end);
        Ok((log, Opened { snapshot, records }))
    }

    /// Appends a record; durable only after the next [`sync`](Self::sync). Returns the place after it.
    pub fn append(&mut self, record: &[u8]) -> Result<Position, LogError> {
        self.refuse_if_failed()?;
        if record.len() > MAX_LOG_RECORD_BYTES {
            return Err(LogError::TooLong { bytes: record.len() });
        }
        let held = self.segment.bytes + self.buffer.len() as u64;
        if held > HEADER_BYTES as u64 && held + (HEAD_BYTES + record.len()) as u64 > self.segment_bytes {
            self.next_segment()?;
        }
        let offset = self.segment.bytes + self.buffer.len() as u64;
        let place = Place { first: self.segment.first, offset, position: self.end.0 };
        let encoded = self.binding.record(place, self.synced_bytes, record);
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
            let name = named(self.segment.first, SEGMENT);
            let written = self.disk.append(&name, &self.buffer);
            self.check("writing", &name, written)?;
            self.segment.bytes += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Begins a new segment after all that was appended, which is durable then, so that [`cut`](Self::cut) can remove
    /// what comes before. Returns that place. Does nothing if the segment is empty.
    pub fn roll(&mut self) -> Result<Position, LogError> {
        self.refuse_if_failed()?;
        if self.segment.first < self.end.0 {
            self.next_segment()?;
        }
        Ok(self.end)
    }

    /// Removes the segments all of whose records a stored snapshot stands for, and older snapshots. A crash at any
    /// moment leaves what opens; what is left over then is removed by the opening.
    ///
    /// Panics if the snapshot is another log's, or stands for records that are not durable: a bug of the caller.
    pub fn cut(&mut self, stored: &Stored) -> Result<(), LogError> {
        self.refuse_if_failed()?;
        assert!(stored.binding == self.binding, "a snapshot of another log");
        assert!(stored.at <= self.durable.0, "a snapshot for records that are not durable");
        while let Some(oldest) = self.closed.front() {
            let end = self.closed.get(1).unwrap_or(&self.segment).first;
            if end > stored.at.0 {
                break;
            }
            self.remove(&named(oldest.first, SEGMENT))?;
            self.closed.pop_front();
        }
        let names = self.disk.list().inspect_err(|_| self.failed = true);
        let names = names.map_err(|e| LogError::io("listing", "the data directory", e))?;
        for name in names {
            if position_in(&name, SNAPSHOT).is_some_and(|at| at < stored.at.0) {
                self.remove(&name)?;
            }
        }
        let synced = self.disk.sync_directory();
        self.check("syncing", "the data directory", synced)?;
        if self.stored.is_none_or(|known| known.at <= stored.at) {
            self.stored = Some(*stored);
        }
        Ok(())
    }

    /// The newest snapshot known: the one found at opening, or the one of the last [`cut`](Self::cut).
    pub fn stored(&self) -> Option<&Stored> {
        self.stored.as_ref()
    }

    /// Bytes of the segments on disk and of what was appended and is not yet written; without snapshots.
    pub fn bytes(&self) -> u64 {
        let closed: u64 = self.closed.iter().map(|segment| segment.bytes).sum();
        closed + self.segment.bytes + self.buffer.len() as u64
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
        let next = Segment { first: self.end.0, bytes: 0 };
        let old = std::mem::replace(&mut self.segment, next);
        let old_mark = named(old.first, MARK);
        self.closed.push_back(old);
        self.begin_segment()?;
        self.remove(&old_mark)
    }

    /// Makes the file of the current segment with its header, durable before any record comes into it.
    fn begin_segment(&mut self) -> Result<(), LogError> {
        let (name, mark) = (named(self.segment.first, SEGMENT), named(self.segment.first, MARK));
        let header = self.binding.header(Kind::Segment, self.segment.first);
        let created = self.disk.create(&name).and_then(|()| self.disk.append(&name, &header));
        self.check("creating", &name, created)?;
        self.segment.bytes = header.len() as u64;
        let created = self.disk.create(&mark);
        self.check("creating", &mark, created)?;
        let synced = self.disk.sync(&name).and_then(|()| self.disk.sync_directory());
        self.check("syncing", &name, synced)?;
        self.mark()
    }

    fn sync_segment(&mut self) -> Result<(), LogError> {
        let name = named(self.segment.first, SEGMENT);
        let synced = self.disk.sync(&name);
        self.check("syncing", &name, synced)?;
        self.mark()
    }

    /// Notes that all of the segment is synced, also in the mark file, without waiting for that.
    fn mark(&mut self) -> Result<(), LogError> {
        self.synced_bytes = self.segment.bytes;
        let name = named(self.segment.first, MARK);
        let entry = self.binding.mark(self.segment.first, self.segment.bytes);
        let written = self.disk.append(&name, &entry);
        self.check("writing", &name, written)
    }

    fn remove(&mut self, name: &str) -> Result<(), LogError> {
        let removed = self.disk.remove(name);
        self.check("removing", name, removed)
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
