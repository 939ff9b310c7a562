//! A disk in memory with the crash behaviour of a real one.

use super::Disk;
use std::io;

/// A disk in memory. Clones share it, so it outlives the replica that "crashes".
#[derive(Clone, Debug, Default)]
pub struct MemDisk {}

impl MemDisk {
    /// An empty disk without a limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// A power cut: of what was not synced, some is lost and some torn, as `seed` chooses.
    pub fn crash(&self, _seed: u64) {
        todo!()
    }

    /// A killed process: the operating system keeps what was written, synced or not.
    pub fn kill(&self) {}

    /// From now on the disk holds at most `bytes`; writes over that fail with `StorageFull`.
    pub fn set_capacity(&self, _bytes: u64) {
        todo!()
    }
}

impl Disk for MemDisk {
    fn list(&mut self) -> io::Result<Vec<String>> {
        todo!()
    }
    fn len(&mut self, _name: &str) -> io::Result<u64> {
        todo!()
    }
    fn read_at(&mut self, _name: &str, _offset: u64, _buffer: &mut [u8]) -> io::Result<usize> {
        todo!()
    }
    fn append(&mut self, _name: &str, _bytes: &[u8]) -> io::Result<()> {
        todo!()
    }
    fn sync(&mut self, _name: &str) -> io::Result<()> {
        todo!()
    }
    fn truncate(&mut self, _name: &str, _length: u64) -> io::Result<()> {
        todo!()
    }
    fn create(&mut self, _name: &str) -> io::Result<()> {
        todo!()
    }
    fn rename(&mut self, _from: &str, _to: &str) -> io::Result<()> {
        todo!()
    }
    fn remove(&mut self, _name: &str) -> io::Result<()> {
        todo!()
    }
    fn sync_directory(&mut self) -> io::Result<()> {
        todo!()
    }
}
