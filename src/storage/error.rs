//! What can be wrong with a log, in words an operator can act on.

use std::fmt;
use std::io;

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
        /// What was being done.
        doing: String,
        /// To which file.
        file: String,
        /// The failure.
        error: io::Error,
    },
    /// Bytes that were synced have changed or are gone.
    Damaged {
        /// The file.
        file: String,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// Another cluster's or another replica's log.
    Foreign {
        /// The file.
        file: String,
        /// Whose it is.
        whose: String,
    },
    /// A format this program does not know.
    Version {
        /// The file.
        file: String,
        /// Its version.
        version: u32,
    },
    /// A record over the limit: a bug of the caller.
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The log failed before, and what the disk holds since is unknown: open it again.
    FailedBefore,
}

impl LogError {
    pub(super) fn io(doing: &str, file: &str, error: io::Error) -> Self {
        Self::Io { doing: doing.to_owned(), file: file.to_owned(), error }
    }

    pub(super) fn damaged(file: &str, offset: u64, reason: &str) -> Self {
        Self::Damaged { file: file.to_owned(), offset, reason: reason.to_owned() }
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, file, error } if error.kind() == io::ErrorKind::StorageFull => write!(
                f,
                "{doing} {file}: the disk is full; nothing that was answered is lost: make room and start again"
            ),
            Self::Io { doing, file, error } => {
                write!(
                    f,
                    "{doing} {file}: {error}; nothing that was answered is lost: repair it and start again"
                )
            }
            Self::Damaged { file, offset, reason } => write!(
                f,
                "{file}: damaged at byte {offset}: {reason}; a replica without its log could contradict itself: \
                 restore the whole data directory from the disk's own redundancy, never from an older copy, \
                 or replace this replica"
            ),
            Self::Foreign { file, whose } => {
                write!(f, "{file}: this belongs to {whose}: point `data` at this replica's own directory")
            }
            Self::Version { file, version } => write!(
                f,
                "{file}: format version {version} is not known to this program (it knows {}): run the program \
                 that wrote it",
                super::format::VERSION
            ),
            Self::TooLong { bytes } => write!(
                f,
                "a record of {bytes} bytes is over the limit of {}: please report this",
                crate::limits::MAX_LOG_RECORD_BYTES
            ),
            Self::FailedBefore => f.write_str("the log failed before: start again"),
        }
    }
}

impl std::error::Error for LogError {}
