//! Master files (RFC 1035 §5): stub.
use super::name::Name;
use super::rrset::Record;
use crate::codec::Digest;
use std::fmt;
use std::path::{Path, PathBuf};

/// What is wrong in a master file, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MasterError {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; 0 if it is about the whole file.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for MasterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file.display(), self.reason),
            line => write!(f, "{}:{line}: {}", self.file.display(), self.reason),
        }
    }
}

impl std::error::Error for MasterError {}

/// Opens files: the caller's, so that this layer touches none.
pub type Opener<'a> = dyn FnMut(&Path) -> std::io::Result<Vec<u8>> + 'a;

/// Reads a zone's records; `$INCLUDE` paths are relative to the including file's directory.
pub fn read_zone(path: &Path, origin: &Name, opener: &mut Opener<'_>) -> Result<Vec<Record>, MasterError> {
    let _ = (path, origin, opener);
    todo!()
}

/// Reads records from text; `$INCLUDE` is an error.
pub fn read_str(text: &str, origin: &Name) -> Result<Vec<Record>, MasterError> {
    let _ = (text, origin);
    todo!()
}

/// SHA-256 over the unsigned records in canonical form and order: names what a zone holds, however its file is written.
pub fn zone_digest(origin: &Name, records: &[Record]) -> Digest {
    let _ = (origin, records);
    todo!()
}

/// One line of a master file, without the line's end.
pub fn write_record(record: &Record) -> String {
    let _ = record;
    todo!()
}
