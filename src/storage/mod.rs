//! The log over a disk, the snapshots beside it, and persist-before-send as a type.
//!
//! Assumes: a [`Disk`] that keeps what was synced, may lose or tear what was not, and keeps the order of creations,
//! renames and removals. Guarantees: what [`Log::open`] returns is a prefix of what was appended, in order, and holds
//! everything up to the last [`Log::sync`] that returned, a snapshot standing for the records before its position; or
//! it is an error that names file, offset and remedy. What waits for durability is a [`Pending`], and only a [`Durable`]
//! of the log opens it: what is not durable cannot be sent, by construction.
//!
//! # The bytes
//!
//! Numbers are little-endian. A *checksum* is the first 16 octets of [`digest`](crate::codec::digest) over a domain
//! and fields. A *position* counts records from 0 over the whole life of the log, whatever is removed.
//!
//! A **segment** is a file named by the position of its first record in 20 decimal digits and `.log`. It begins
//! with a header:
//!
//! | offset | octets | |
//! |---|---|---|
//! | 0 | 8 | `CNCLVLOG` |
//! | 8 | 4 | version: 1 |
//! | 12 | 1 | index of the replica |
//! | 13 | 3 | zero |
//! | 16 | 32 | cluster id |
//! | 48 | 8 | position of the first record |
//! | 56 | 16 | checksum, domain `conclave/log/header`, over octets 0 to 55 |
//!
//! Records follow without a gap:
//!
//! | offset | octets | |
//! |---|---|---|
//! | 0 | 4 | `CVRC` |
//! | 4 | 4 | length of the payload, at most [`MAX_LOG_RECORD_BYTES`](crate::limits::MAX_LOG_RECORD_BYTES) |
//! | 8 | 8 | *synced*: the offset up to which the segment was durable when the record was appended |
//! | 16 | 16 | checksum, domain `conclave/log/record`, over cluster id, replica index, position (8), payload |
//! | 32 | 16 | checksum, domain `conclave/log/head`, over cluster id, replica index, position of the segment's first record (8), offset of the record in the segment (8), octets 0 to 31 |
//! | 48 | | payload, opaque here, each octet in exclusive or with one of octets 16 to 31, in turn |
//!
//! The exclusive or is there because peers choose payloads: to imitate a head, one would have to hold its own checksum.
//!
//! A record that would take a segment over [`LOG_SEGMENT_BYTES`](crate::limits::LOG_SEGMENT_BYTES) begins the next
//! one, and so does [`Log::roll`]; the old one is synced first. The header is synced, and the directory, before a record
//! is written.
//!
//! A **mark file**, named like its segment with `.mark`, stands beside the last segment. After each sync it gets
//! one entry, which is not synced: the offset up to which the segment is on disk (8 octets), and a checksum, domain
//! `conclave/log/mark`, over cluster id, replica index, position of the segment's first record (8), offset (8).
//!
//! A **snapshot** stands for all records before its position. It is a file named by that position in 20 decimal digits
//! and `.snap`; while it is written it ends in `.part`. Its header is a segment's, with `CNCLVSNP` at offset 0, the
//! snapshot's position at 48, and the domain `conclave/snapshot/header`. Records follow without a gap:
//!
//! | offset | octets | |
//! |---|---|---|
//! | 0 | 4 | length of the payload, at most [`MAX_LOG_RECORD_BYTES`](crate::limits::MAX_LOG_RECORD_BYTES) |
//! | 4 | 16 | checksum, domain `conclave/snapshot/record`, over cluster id, replica index, position of the snapshot (8), index of the record from 0 (8), payload |
//! | 20 | | payload: opaque here |
//!
//! After the last record the file ends with a trailer:
//!
//! | offset | octets | |
//! |---|---|---|
//! | 0 | 4 | `ff ff ff ff`, which is no length |
//! | 4 | 8 | number of records |
//! | 12 | 16 | checksum, domain `conclave/snapshot/trailer`, over cluster id, replica index, position of the snapshot (8), number of records (8), chain (32) |
//!
//! The *chain* is 32 zero octets, and after each record the digest, domain `conclave/snapshot/chain`, of itself and the
//! record's checksum.
//!
//! # A torn tail and damage
//!
//! Bytes after the last sync may be anything after a power cut; a checksum that fails there is a *torn tail*: it is
//! cut off, and [`Log::torn_tail`] tells. A checksum that fails in an earlier segment, or before the greatest offset
//! of the mark file, or before the *synced* of a head that is found further on, or in a record that a snapshot stands
//! for, is *damage*: a synced record has changed, and a replica that forgot it could contradict what it has sent. So is a mark file or a snapshot whose segment is gone, a log that
//! begins after the snapshot's position (after 0 without one) or ends before it, and a gap between two segments. Then
//! the log is not opened, and nothing on the disk is changed.
//!
//! A head found further on proves nothing about the records between, which may be of one write that a power cut has
//! torn; only its *synced* does. A head is enough, its payload may be torn. Of the syncs before the last one each
//! is told by whatever was appended since. Of the last one only the marks tell, if nothing was appended after it that
//! survived, and only the marks tell of a lost end. They are not synced themselves: after the end of a process they
//! are there, after a power cut they may not be. So this is what cannot be told then: **damage in what the last sync
//! before a power cut made durable, with nothing appended since that survived, passes for a torn tail.**
//!
//! # Snapshots and what they stand for
//!
//! A snapshot counts from the moment its file, synced as a whole, has been renamed; [`Stored`] is the proof that the
//! directory has been synced since. Only then [`Log::cut`] removes the older snapshots and the segments that end at its
//! position or before: the segment that is being written always stays, so [`Log::roll`] at the snapshot's position is
//! what lets all before it go. Of several snapshots the one with the greatest position counts; if it is damaged, the
//! log is not opened, even if an older one is whole, since what the newer one stood for may be gone. Segments that end
//! at its position or before are not read. Opening removes them, the older snapshots, and what has not been
//! finished, and so ends a cut that a crash has cut short.
//!
//! After a cut the disk holds the newest snapshot, the records since, and less than a segment with its marks besides
//! (while one is written: twice the snapshot). In memory opening holds the records that it returns and, beside them, a
//! piece of one file.
#![forbid(unsafe_code)]

mod error;
mod format;
mod log;
mod memdisk;
mod open;
mod pending;
mod reader;
mod record;
mod snapshot;
#[cfg(test)]
mod tests;

pub use error::{LogError, TornTail};
pub use log::{Log, Opened};
pub use memdisk::MemDisk;
pub use pending::{Durable, Pending, Position};
pub use snapshot::{Snapshot, SnapshotWriter, Stored};

use std::io;

/// A directory of flat files, as the log sees it: the seam at which disks are simulated.
///
/// What is appended, truncated, created, renamed or removed survives a crash only after the matching sync.
pub trait Disk {
    /// The names of all files, sorted.
    fn list(&mut self) -> io::Result<Vec<String>>;
    /// The length of a file in bytes.
    fn len(&mut self, name: &str) -> io::Result<u64>;
    /// Fills `buffer` from `offset`; fewer bytes only at the end of the file.
    fn read_at(&mut self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
    /// Writes all of `bytes` at the end of an existing file.
    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Makes the contents of a file durable.
    fn sync(&mut self, name: &str) -> io::Result<()>;
    /// Cuts a file to `length` bytes.
    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()>;
    /// Makes an empty file; an existing one is an error.
    fn create(&mut self, name: &str) -> io::Result<()>;
    /// Gives a file a new name, replacing what has it.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&mut self, name: &str) -> io::Result<()>;
    /// Makes creations, renames and removals durable.
    fn sync_directory(&mut self) -> io::Result<()>;
}
