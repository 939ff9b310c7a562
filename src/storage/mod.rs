//! The log over a disk, and persist-before-send as a type.
//!
//! Assumes: a [`Disk`] that keeps what was synced, and may lose or tear what was not. Guarantees: what [`Log::open`]
//! returns is a prefix of what was appended, in order, and holds everything up to the last [`Log::sync`] that
//! returned; or an error that names file, offset and remedy. What waits for durability is a [`Pending`], and only a
//! [`Durable`] of the log opens it: what is not durable cannot be sent, by construction.
#![forbid(unsafe_code)]

mod log;
mod memdisk;
mod pending;

pub use log::{Log, LogError, TornTail};
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
