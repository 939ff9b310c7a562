//! The audit on disk: an entry for each update that was executed here, one JSON object a line, in `DATA/audit/`.
//!
//! The same batches give the same lines at every replica. `audit.jsonl` grows to [`AUDIT_FILE_BYTES`]; then it becomes `audit.1.jsonl`,
//! in the place of the one before, and a new one begins. The core writes each entry once, by its batch's number and its place in it, before any
//! effect of that batch leaves; nothing is synced: what a power cut takes off the end, the log's replay brings back, as long as no
//! checkpoint was stored since. Where a replica took over a state of the others, a line `{"skipped_to":BATCH}` says that the entries before
//! are theirs. A failure to write is told in the log and stops nothing: a full disk stops the replica by its log anyway.
#![forbid(unsafe_code)]

use crate::limits::AUDIT_FILE_BYTES;
use crate::replica::Entry;
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tracing::warn;

/// The newest file, and the one before.
const FILES: [&str; 2] = ["audit.jsonl", "audit.1.jsonl"];
/// Lines that one question gives at most.
const MAX_GIVEN: usize = 10_000;

/// The audit of one replica.
pub(super) struct Audit {
    directory: PathBuf,
    file: File,
    bytes: u64,
    /// Batch and position of the last line: a crash may come between two lines of one batch.
    last: (u64, u64),
}

/// Which entries are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Filter {
    pub zone: Option<String>,
    pub key: Option<String>,
    /// From this batch on.
    pub since: u64,
}

impl Audit {
    /// Goes on where the file of `data` ends.
    pub fn open(data: &Path) -> io::Result<Self> {
        let directory = directory(data);
        std::fs::create_dir_all(&directory)?;
        let path = directory.join(FILES[0]);
        let whole = whole_lines(&path)?;
        let file = append_to(&path)?;
        file.set_len(whole)?;
        let mut last = (0, u64::MAX);
        for name in FILES.iter().rev() {
            lines(&directory.join(name), |_, value| last = last.max(place_of(value)));
        }
        Ok(Self { directory, file, bytes: whole, last })
    }

    /// Notes what is new among `entries`; before them, if so, that the state after a batch was taken over.
    pub fn take(&mut self, skipped_to: Option<u64>, entries: &[Entry]) {
        if let Some(batch) = skipped_to.filter(|batch| *batch > self.last.0) {
            self.last = (batch, u64::MAX);
            self.write(&json!({ "skipped_to": batch }).to_string());
        }
        let last = self.last;
        for entry in entries.iter().filter(|entry| (entry.batch, entry.position) > last) {
            self.last = (entry.batch, entry.position);
            // The fields are numbers and text: that is always JSON.
            self.write(&serde_json::to_string(entry).unwrap_or_default());
        }
    }

    fn write(&mut self, line: &str) {
        let line = format!("{line}\n");
        let written = self.make_room().and_then(|()| self.file.write_all(line.as_bytes()));
        self.bytes += line.len() as u64;
        if let Err(error) = written {
            warn!(directory = %self.directory.display(), %error, "the audit lacks an entry");
        }
    }

    fn make_room(&mut self) -> io::Result<()> {
        if self.bytes < AUDIT_FILE_BYTES {
            return Ok(());
        }
        let [newest, before] = FILES.map(|name| self.directory.join(name));
        std::fs::rename(&newest, before)?;
        (self.file, self.bytes) = (append_to(&newest)?, 0);
        Ok(())
    }
}

/// The entries that `filter` wants, the last of them if there are too many; each a line.
pub(super) fn read(data: &Path, filter: &Filter) -> Vec<String> {
    let (directory, mut wanted) = (directory(data), Vec::new());
    for name in FILES.iter().rev() {
        lines(&directory.join(name), |line, value| {
            let is = |field: &str, wanted: &Option<String>| {
                wanted.as_ref().is_none_or(|wanted| {
                    value[field].as_str().is_some_and(|held| held.eq_ignore_ascii_case(wanted))
                })
            };
            let is_skip = value["skipped_to"].is_u64();
            if batch_of(value) >= filter.since
                && (is_skip || is("zone", &filter.zone) && is("key", &filter.key))
            {
                wanted.push(line.to_owned());
            }
        });
    }
    wanted.split_off(wanted.len().saturating_sub(MAX_GIVEN))
}

fn directory(data: &Path) -> PathBuf {
    data.join("audit")
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// Up to where the lines are there, if this is the last.
fn place_of(value: &Value) -> (u64, u64) {
    (batch_of(value), value["position"].as_u64().unwrap_or(u64::MAX))
}

fn batch_of(value: &Value) -> u64 {
    value["batch"].as_u64().or(value["skipped_to"].as_u64()).unwrap_or(0)
}

/// Each line of a file that is one; nothing of a file that is not there.
fn lines(path: &Path, mut each: impl FnMut(&str, &Value)) {
    let Ok(file) = File::open(path) else { return };
    for line in BufReader::new(file).lines().map_while(Result::ok) {
        if let Ok(value) = serde_json::from_str(&line) {
            each(&line, &value);
        }
    }
}

/// Bytes up to the end of the last line that is whole.
fn whole_lines(path: &Path) -> io::Result<u64> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at as u64 + 1)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(batch: u64, key: &str) -> Entry {
        placed(batch, 0, key)
    }

    fn placed(batch: u64, position: u64, key: &str) -> Entry {
        Entry {
            batch,
            round: batch,
            position,
            at: 0,
            gateway: 1,
            ticket: "0000000000".into(),
            key: Some(key.into()),
            zone: Some("example.test.".into()),
            rcode: "NOERROR".into(),
            added: 1,
            deleted: 0,
            serial: Some(1),
            asked: 1,
            told: vec!["x".repeat(100_000)],
            why: None,
        }
    }

    #[test]
    fn a_crash_between_two_lines_of_a_batch_loses_none() {
        let data = tempfile::tempdir().unwrap();
        let batch = [placed(7, 0, "a."), placed(7, 2, "b."), placed(7, 3, "c.")];
        Audit::open(data.path()).unwrap().take(None, &batch[..1]);
        // The log's replay executes the batch again.
        let mut audit = Audit::open(data.path()).unwrap();
        audit.take(None, &batch);
        audit.take(None, &batch);
        assert_eq!(read(data.path(), &Filter::default()).len(), 3);
    }

    #[test]
    fn entries_are_written_once_survive_a_torn_end_and_two_files_bound_them() {
        let data = tempfile::tempdir().unwrap();
        let all = |filter: &Filter| read(data.path(), filter).len();
        let mut audit = Audit::open(data.path()).unwrap();
        audit.take(None, &[entry(1, "a."), entry(2, "a."), placed(2, 1, "b.")]);
        audit.take(None, &[placed(2, 1, "b."), entry(3, "b.")]);
        assert_eq!(all(&Filter::default()), 4);
        let path = directory(data.path()).join(FILES[0]);
        append_to(&path).unwrap().write_all(b"{\"batch\":4,").unwrap();
        let mut audit = Audit::open(data.path()).unwrap();
        audit.take(None, &[entry(3, "b."), entry(4, "a.")]);
        audit.take(Some(4), &[]);
        audit.take(Some(9), &[]);
        audit.take(None, &[entry(8, "a."), entry(10, "a.")]);
        let of_a = Filter { key: Some("A.".into()), since: 4, ..Filter::default() };
        assert_eq!((all(&Filter::default()), all(&of_a)), (7, 3), "4, the skip, and 10");
        for batch in 11..300 {
            audit.take(None, &[entry(batch, "c.")]);
        }
        let sizes: u64 =
            FILES.iter().map(|name| directory(data.path()).join(name).metadata().unwrap().len()).sum();
        assert!(sizes <= 2 * (AUDIT_FILE_BYTES + 200_000), "{sizes}");
        assert!(all(&Filter { since: 299, ..Filter::default() }) == 1 && all(&of_a) == 0);
    }
}
