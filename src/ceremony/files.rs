//! Files of the ceremony: bounded reads, private modes, one line for whatever is wrong.
#![forbid(unsafe_code)]

use crate::dns::name::Name;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Bytes of a cluster, replica or key file that is read.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Stands beside `replica.toml` until the replica's first start, which removes it: an empty log without it is a lost one.
pub const NEVER_RUN: &str = "never-run";

/// The cluster file of the epoch before, beside the one that replaces it.
pub const PREDECESSOR: &str = "predecessor.toml";

/// What is wrong with a file: the file, the line in it where there is one, the reason and the remedy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The reason and what to do.
    pub reason: String,
}

impl Problem {
    /// A problem of the whole file.
    pub fn new(file: &Path, reason: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, reason: reason.into() }
    }

    /// A problem at octet `offset` of `text`.
    pub fn at(file: &Path, text: &str, offset: usize, reason: impl Into<String>) -> Self {
        let line = 1 + text.as_bytes().iter().take(offset).filter(|octet| **octet == b'\n').count();
        Self { file: file.to_owned(), line: Some(line), reason: reason.into() }
    }

    /// What the system said when `file` was to be `done`, as in "cannot be read".
    pub fn io(file: &Path, done: &str, error: &io::Error) -> Self {
        Self::new(file, format!("cannot be {done}: {}", plain(error)))
    }

    /// What toml says of `text`.
    pub fn toml(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let reason = error.message().replace('\n', " ");
        match error.span() {
            Some(span) => Self::at(file, text, span.start, reason),
            None => Self::new(file, reason),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for Problem {}

/// One problem is all of them.
impl From<Problem> for Vec<Problem> {
    fn from(problem: Problem) -> Self {
        vec![problem]
    }
}

/// The system's words without Rust's error number.
pub fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// Reads a public text file.
pub fn read_text(path: &Path) -> Result<String, Problem> {
    let file = File::open(path).map_err(|e| Problem::io(path, "read", &e))?;
    let bytes = read_bounded(path, file)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| Problem::new(path, "is not UTF-8 text"))
}

/// Reads a public file.
pub fn read_public(path: &Path) -> Result<Vec<u8>, Problem> {
    let file = File::open(path).map_err(|e| Problem::io(path, "read", &e))?;
    Ok(read_bounded(path, file)?.to_vec())
}

/// Reads a secret file. Refuses one that others could have read or that another user owns.
pub fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let file = File::open(path).map_err(|e| Problem::io(path, "read", &e))?;
    let about = file.metadata().map_err(|e| Problem::io(path, "read", &e))?;
    if !about.is_file() {
        return Err(Problem::new(path, "is not a regular file"));
    }
    let me = rustix::process::geteuid().as_raw();
    if about.uid() != me {
        let reason =
            format!("belongs to user {}, not to {me} who runs this; give it to that user", about.uid());
        return Err(Problem::new(path, reason));
    }
    if about.mode() & 0o077 != 0 {
        let reason = format!("is open to others (mode {:04o}); chmod 600 it", about.mode() & 0o7777);
        return Err(Problem::new(path, reason));
    }
    read_bounded(path, file)
}

fn read_bounded(path: &Path, file: File) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let length = file.metadata().map_err(|e| Problem::io(path, "read", &e))?.len();
    // Reserved at once: a buffer that grew would leave copies of a secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.min(MAX_FILE_BYTES) as usize + 1));
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|e| Problem::io(path, "read", &e))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Problem::new(path, format!("is longer than {MAX_FILE_BYTES} bytes")));
    }
    Ok(bytes)
}

/// Makes a directory for its owner only (mode 0700), with those above it.
pub fn make_dir(path: &Path) -> Result<(), Problem> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| Problem::io(path, "made", &e))
}

/// Writes a new public file (mode 0644) and syncs it.
pub fn write_public(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    write_new(path, bytes, 0o644)
}

/// Writes a new secret file (mode 0600) and syncs it.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    write_new(path, bytes, 0o600)
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Problem> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    let write = || {
        let mut file = options.open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|e| Problem::io(path, "written", &e))
}

/// Replaces a public file in one step, so that a reader sees the old one or the new one.
pub fn replace_public(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    replace(path, bytes, 0o644)
}

/// Replaces a secret file (mode 0600) in one step.
pub fn replace_secret(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    replace(path, bytes, 0o600)
}

fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Problem> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let fresh = path.with_file_name(name);
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    };
    write().map_err(|e| Problem::io(path, "written", &e))
}

/// The name of files that belong to a zone: the origin in lower case without its last dot, `root` for the root;
/// what is not a letter, digit, `.`, `-` or `_` as `%` and two hexadecimal digits.
pub fn zone_stem(origin: &Name) -> String {
    if origin.is_root() {
        return "root".into();
    }
    let text = origin.to_lowercase().to_string();
    let mut stem = String::new();
    for octet in text.trim_end_matches('.').bytes() {
        match octet {
            b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' => stem.push(char::from(octet)),
            other => stem.push_str(&format!("%{other:02x}")),
        }
    }
    stem
}
