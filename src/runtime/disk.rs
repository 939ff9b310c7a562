//! A directory of the real file system as a [`Disk`], held by one process at a time.
#![forbid(unsafe_code)]

use crate::storage::Disk;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The file whose lock says that a process uses the directory.
const LOCK: &str = "lock";
/// How long a process that was killed may take to let go of its lock.
const PATIENCE: Duration = Duration::from_secs(2);

/// Files kept open by one handle: the newest segment and its marks, and some that are being read. A log may have more
/// segments than a process may have descriptors.
const MAX_OPEN_FILES: usize = 16;

/// A handle of a data directory. Its lock is held until the last clone is dropped, or the process ends in whatever way.
pub struct DirDisk {
    path: PathBuf,
    open: BTreeMap<String, File>,
    lock: Arc<File>,
}

impl Clone for DirDisk {
    fn clone(&self) -> Self {
        Self { path: self.path.clone(), open: BTreeMap::new(), lock: self.lock.clone() }
    }
}

impl DirDisk {
    /// Takes an existing directory for this process. The error is one line that says what to do.
    pub fn open(path: &Path) -> Result<Self, String> {
        let lock_path = path.join(LOCK);
        let unusable =
            |error: io::Error| format!("{}: {error}: make the directory writable", lock_path.display());
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        let lock = options.open(&lock_path).map_err(unusable)?;
        let began = Instant::now();
        let mut locked = lock.try_lock();
        while matches!(locked, Err(TryLockError::WouldBlock)) && began.elapsed() < PATIENCE {
            std::thread::sleep(PATIENCE / 40);
            locked = lock.try_lock();
        }
        match locked {
            Ok(()) => Ok(Self { path: path.to_owned(), open: BTreeMap::new(), lock: Arc::new(lock) }),
            Err(TryLockError::WouldBlock) => Err(format!(
                "{}: another process uses this directory: stop it, or give each replica its own `data`",
                path.display()
            )),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        if !self.open.contains_key(name) {
            let file = OpenOptions::new().read(true).append(true).open(self.path.join(name))?;
            self.keep_open(name, file);
        }
        self.open.get_mut(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn keep_open(&mut self, name: &str, file: File) {
        if self.open.len() >= MAX_OPEN_FILES {
            // The oldest segment: it was synced before the next was begun.
            self.open.pop_first();
        }
        self.open.insert(name.to_owned(), file);
    }
}

impl Disk for DirDisk {
    fn list(&mut self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in self.path.read_dir()? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.extend(entry.file_name().into_string().ok());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn len(&mut self, name: &str) -> io::Result<u64> {
        Ok(self.file(name)?.metadata()?.len())
    }

    fn read_at(&mut self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file(name)?.read_at(buffer, offset)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.file(name)?.write_all(bytes)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.file(name)?.sync_data()
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        self.file(name)?.set_len(length)
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create_new(true).mode(0o600);
        let file = options.open(self.path.join(name))?;
        self.keep_open(name, file);
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.open.remove(from);
        self.open.remove(to);
        std::fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.open.remove(name);
        std::fs::remove_file(self.path.join(name))
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::ClusterId;
    use crate::quorum::ReplicaId;
    use crate::storage::{Log, SnapshotWriter};

    #[test]
    fn a_log_in_a_directory_comes_back_and_belongs_to_one_process() {
        let directory = tempfile::tempdir().unwrap();
        let (cluster, me) = (ClusterId::default(), ReplicaId::new(1).unwrap());
        let disk = DirDisk::open(directory.path()).unwrap();
        let (mut log, opened) = Log::open(disk, cluster, me).unwrap();
        assert!(opened.records.is_empty());
        let second = DirDisk::open(directory.path()).err().unwrap();
        assert!(second.contains("another process"), "{second}");
        log.append(b"one").unwrap();
        log.sync().unwrap();
        log.append(b"two").unwrap();
        log.flush().unwrap();
        drop(log);
        let disk = DirDisk::open(directory.path()).unwrap();
        let (log, opened) = Log::open(disk, cluster, me).unwrap();
        assert_eq!(opened.records, [b"one", b"two"]);
        assert_eq!(log.durable().upto(), log.end());
    }

    #[test]
    fn a_snapshot_in_a_directory_stands_for_what_was_cut_and_many_segments_need_few_descriptors() {
        let directory = tempfile::tempdir().unwrap();
        let (cluster, me) = (ClusterId::default(), ReplicaId::new(1).unwrap());
        let disk = DirDisk::open(directory.path()).unwrap();
        let (mut log, _) = Log::open(disk.clone(), cluster, me).unwrap();
        for number in 0..40_u8 {
            log.append(&[number]).unwrap();
            log.roll().unwrap();
        }
        let at = log.roll().unwrap();
        let mut writer = SnapshotWriter::begin(disk.clone(), cluster, me, at).unwrap();
        writer.write(b"state").unwrap();
        log.append(b"since").unwrap();
        log.sync().unwrap();
        log.cut(&writer.finish().unwrap()).unwrap();
        drop((log, disk));
        let mut disk = DirDisk::open(directory.path()).unwrap();
        let at = format!("{:020}", at.records());
        assert_eq!(
            disk.list().unwrap(),
            [format!("{at}.log"), format!("{at}.mark"), format!("{at}.snap"), "lock".into()]
        );
        let (log, opened) = Log::open(disk, cluster, me).unwrap();
        assert_eq!(opened.snapshot.unwrap().records, [b"state"]);
        assert_eq!(opened.records, [b"since"]);
        assert_eq!(log.end().records(), 41);
        assert!(log.into_disk().open.len() <= MAX_OPEN_FILES);
    }

    #[test]
    fn a_missing_directory_is_an_error_that_names_it() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing");
        assert!(DirDisk::open(&missing).err().unwrap().contains("missing"));
    }
}
