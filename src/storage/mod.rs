//! The log over a disk, and persist-before-send as a type.
//!
//! Assumes: a [`Disk`] that keeps what was synced, and may lose or tear what was not. Guarantees: what [`Log::open`]
//! returns is a prefix of what was appended, in order, and holds everything up to the last [`Log::sync`] that
//! returned; or an error that names file, offset and remedy. What waits for durability is a [`Pending`], and only a
//! [`Durable`] of the log opens it: what is not durable cannot be sent, by construction.
//!
//! # The bytes
//!
//! Numbers are little-endian. A *checksum* is the first 16 octets of [`digest`](crate::codec::digest) over a domain
//! and fields. A *position* counts records from 0 over the whole life of the log.
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
//! | 0 | 4 | length of the payload, at most [`MAX_LOG_RECORD_BYTES`](crate::limits::MAX_LOG_RECORD_BYTES) |
//! | 4 | 16 | checksum, domain `conclave/log/record`, over cluster id, replica index, position (8), payload |
//! | 20 | | payload: opaque here |
//!
//! A record that would take a segment over [`LOG_SEGMENT_BYTES`](crate::limits::LOG_SEGMENT_BYTES) begins the next
//! one; the old one is synced first. The header is synced, and the directory, before a record is written.
//!
//! A **mark file**, named like its segment with `.mark`, stands beside the last segment. After each sync it gets
//! one entry, which is not synced: the offset up to which the segment is on disk (8 octets), and a checksum, domain
//! `conclave/log/mark`, over cluster id, replica index, position of the segment's first record (8), offset (8).
//!
//! # A torn tail and damage
//!
//! Bytes after the last sync may be anything after a power cut; a checksum that fails there is a *torn tail*: it is
//! cut off, and [`Log::torn_tail`] tells. A checksum that fails in an earlier segment, or before the greatest offset
//! of the mark file, is *damage*: a synced record has changed, and a replica that forgot it could contradict what it
//! has sent. Then the log is not opened. The marks are not synced themselves, so after a power cut (not after
//! the end of a process) the last ones may be missing: damage in the syncs since then passes for a torn tail.
#![forbid(unsafe_code)]

mod error;
mod format;
mod log;
mod memdisk;
mod open;
mod pending;
#[cfg(test)]
mod tests;

pub use error::{LogError, TornTail};
pub use log::Log;
pub use memdisk::MemDisk;
pub use pending::{Durable, Pending, Position};

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
