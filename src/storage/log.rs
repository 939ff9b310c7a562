//! The segment log.

use super::{Disk, Durable, Position};
use crate::codec::ClusterId;
use crate::quorum::ReplicaId;
use std::fmt;

/// An append-only sequence of records over a [`Disk`].
pub struct Log<D> {
    disk: D,
}

/// What was cut off at the end of the log when it was opened: records that were never synced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TornTail {
    /// The file.
    pub file: String,
    /// The offset from which it was cut.
    pub offset: u64,
    /// The bytes cut.
    pub bytes: u64,
}

/// Why the log cannot be used. The display form is one line that says what to do.
#[derive(Debug)]
pub enum LogError {
    /// The disk failed.
    Io {
        /// What was being done, and to which file.
        doing: String,
        /// The failure.
        error: std::io::Error,
    },
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, error } => write!(f, "{doing}: {error}"),
        }
    }
}

impl std::error::Error for LogError {}

impl<D: Disk> Log<D> {
    /// Opens the log of replica `me` of `cluster`, creating it on an empty disk, and returns all its records.
    pub fn open(_disk: D, _cluster: ClusterId, _me: ReplicaId) -> Result<(Self, Vec<Vec<u8>>), LogError> {
        todo!()
    }

    /// Appends a record; durable only after the next [`sync`](Self::sync). Returns the place after it.
    pub fn append(&mut self, _record: &[u8]) -> Result<Position, LogError> {
        todo!()
    }

    /// The place after the last record appended.
    pub fn end(&self) -> Position {
        todo!()
    }

    /// What is known to be durable.
    pub fn durable(&self) -> Durable {
        todo!()
    }

    /// Makes everything appended durable.
    pub fn sync(&mut self) -> Result<Durable, LogError> {
        todo!()
    }

    /// Hands what was appended to the disk without waiting for it: it survives the process, not a power cut.
    pub fn flush(&mut self) -> Result<(), LogError> {
        todo!()
    }

    /// What was cut off when the log was opened, if anything.
    pub fn torn_tail(&self) -> Option<&TornTail> {
        todo!()
    }

    /// The disk.
    pub fn into_disk(self) -> D {
        self.disk
    }
}
