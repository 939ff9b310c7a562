//! A disk in memory with the crash behaviour of a real one: what is not synced may be lost, or torn by sectors.

use super::Disk;
use super::format::{SEGMENT, SNAPSHOT};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// Bytes that a disk writes or loses as one.
const SECTOR_BYTES: usize = 512;

/// A disk in memory. Clones share it, so it outlives the replica that crashes.
///
/// The model: a directory maps names to files. Changes of the directory become durable, in order, at
/// [`sync_directory`](Disk::sync_directory); a crash keeps some first ones of the others. A file's bytes become
/// durable at [`sync`](Disk::sync); a crash keeps, of a file with other changes, a length between what was synced
/// and what was written, and of each unsynced sector either the bytes, zeros, or noise.
#[derive(Clone, Debug, Default)]
pub struct MemDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<File>,
    directory: BTreeMap<String, usize>,
    durable_directory: BTreeMap<String, usize>,
    changes: Vec<Change>,
    capacity: Option<u64>,
    operations: u64,
    operations_left: Option<u64>,
}

#[derive(Debug, Default)]
struct File {
    bytes: Vec<u8>,
    synced: Vec<u8>,
    /// So many first bytes are known to be the same in both.
    common: usize,
}

#[derive(Clone, Debug)]
enum Change {
    Link(String, usize),
    Rename(String, String),
    Remove(String),
}

impl MemDisk {
    /// An empty disk without a limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// A power cut: of what was not synced, some is lost and some torn, as `seed` chooses. Injected failures end.
    pub fn crash(&self, seed: u64) {
        let mut chance = Chance(seed);
        let state = &mut *self.state();
        let kept = chance.below(state.changes.len() + 1);
        for change in state.changes.drain(..).take(kept) {
            apply(&mut state.durable_directory, change);
        }
        state.directory = state.durable_directory.clone();
        for file in &mut state.files {
            file.bytes = torn(file, &mut chance);
            file.sync();
        }
        state.forget_unreachable();
        state.operations_left = None;
    }

    /// From now on the disk holds at most `bytes`; writes over that fail with `StorageFull`, after a part of them.
    pub fn set_capacity(&self, bytes: u64) {
        self.state().capacity = Some(bytes);
    }

    /// Lets `operations` more writing operations pass; the next ones fail until the crash.
    pub fn fail_after(&self, operations: u64) {
        self.state().operations_left = Some(operations);
    }

    /// Writing operations so far, those that failed for want of room included.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Bytes in all files.
    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// Bytes of this process's memory that all of it takes, what nothing leads to any more included.
    pub fn memory(&self) -> u64 {
        let bytes = |file: &File| file.bytes.capacity() + file.synced.capacity();
        self.state().files.iter().map(|file| bytes(file) as u64).sum()
    }

    /// Changes a file's bytes behind everybody's back, as a failing disk does.
    pub fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let state = &mut *self.state();
        if let Some(&index) = state.directory.get(name) {
            let file = &mut state.files[index];
            change(&mut file.bytes);
            file.common = 0;
            file.sync();
        }
    }

    /// Flips one synced bit of a segment or snapshot, as `seed` chooses, and returns the file's name; `None` if there
    /// is nothing to flip. A log opened later refuses it, or has no need of the file because a snapshot stands for it;
    /// or it is in what was synced last before a crash, and passes for a torn tail: see the [module](super).
    pub fn flip_bit(&self, seed: u64) -> Option<String> {
        let mut chance = Chance(seed);
        let state = &mut *self.state();
        let mut targets = state.directory.clone();
        targets.retain(|name, index| {
            state.files[*index].common > 0 && (name.ends_with(SEGMENT) || name.ends_with(SNAPSHOT))
        });
        let chosen = chance.below(targets.len().max(1));
        let (name, index) = targets.into_iter().nth(chosen)?;
        let file = &mut state.files[index];
        let (at, bit) = (chance.below(file.common), 1 << chance.below(8));
        file.bytes[at] ^= bit;
        file.synced[at] ^= bit;
        Some(name)
    }

    /// Removes all files, durably, as who changes the disk does.
    pub fn wipe(&self) {
        let state = &mut *self.state();
        state.directory.clear();
        state.durable_directory.clear();
        state.changes.clear();
        state.forget_unreachable();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Disk for MemDisk {
    fn list(&mut self) -> io::Result<Vec<String>> {
        Ok(self.state().directory.keys().cloned().collect())
    }

    fn len(&mut self, name: &str) -> io::Result<u64> {
        Ok(self.state().file(name)?.bytes.len() as u64)
    }

    fn read_at(&mut self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        let rest = state.file(name)?.bytes.get(offset as usize..).unwrap_or(&[]);
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.may_write()?;
        let room = state.capacity.map_or(u64::MAX, |c| c.saturating_sub(state.used()));
        let taken = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        state.file(name)?.bytes.extend_from_slice(&bytes[..taken]);
        if taken < bytes.len() {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left on device"));
        }
        Ok(())
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.may_write()?;
        state.file(name)?.sync();
        Ok(())
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        let mut state = self.state();
        state.may_write()?;
        let file = state.file(name)?;
        file.bytes.truncate(length as usize);
        file.common = file.common.min(file.bytes.len());
        Ok(())
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        let state = &mut *self.state();
        state.may_write()?;
        if state.directory.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.files.push(File::default());
        state.change(Change::Link(name.to_owned(), state.files.len() - 1));
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.may_write()?;
        state.file(from)?;
        state.change(Change::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.may_write()?;
        state.file(name)?;
        state.change(Change::Remove(name.to_owned()));
        Ok(())
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        let state = &mut *self.state();
        state.may_write()?;
        state.durable_directory = state.directory.clone();
        state.changes.clear();
        state.forget_unreachable();
        Ok(())
    }
}

impl File {
    /// Makes all bytes durable, at the cost of those that were not.
    fn sync(&mut self) {
        self.synced.truncate(self.common);
        self.synced.extend_from_slice(&self.bytes[self.common..]);
        self.common = self.bytes.len();
    }
}

impl State {
    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        let index = *self.directory.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(&mut self.files[index])
    }

    fn used(&self) -> u64 {
        self.directory.values().map(|&index| self.files[index].bytes.len() as u64).sum()
    }

    fn may_write(&mut self) -> io::Result<()> {
        match &mut self.operations_left {
            Some(0) => return Err(io::Error::other("injected failure")),
            Some(left) => *left -= 1,
            None => {}
        }
        self.operations += 1;
        Ok(())
    }

    /// Gives the memory of files back that no name leads to, whatever a crash keeps.
    fn forget_unreachable(&mut self) {
        let mut reachable: BTreeSet<usize> = self.directory.values().copied().collect();
        reachable.extend(self.durable_directory.values());
        for (index, file) in self.files.iter_mut().enumerate() {
            if !reachable.contains(&index) {
                *file = File::default();
            }
        }
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.directory, change.clone());
        self.changes.push(change);
    }
}

fn apply(directory: &mut BTreeMap<String, usize>, change: Change) {
    match change {
        Change::Link(name, index) => {
            directory.insert(name, index);
        }
        Change::Rename(from, to) => {
            if let Some(index) = directory.remove(&from) {
                directory.insert(to, index);
            }
        }
        Change::Remove(name) => {
            directory.remove(&name);
        }
    }
}

/// What a crash leaves of a file's bytes.
fn torn(file: &File, chance: &mut Chance) -> Vec<u8> {
    let File { bytes, synced, common } = file;
    let rest = synced[*common..].iter().zip(&bytes[*common..]);
    let common = common + rest.take_while(|(a, b)| a == b).count();
    if common == synced.len().max(bytes.len()) {
        return bytes.clone();
    }
    if bytes.len() < synced.len() && common == bytes.len() {
        // Only cut: the cut has happened or has not.
        return if chance.below(2) == 0 { bytes.to_vec() } else { synced.to_vec() };
    }
    let length = synced.len() + chance.below(bytes.len().saturating_sub(synced.len()) + 1);
    let mut left = bytes[..length.min(bytes.len())].to_vec();
    let mut at = common;
    while at < left.len() {
        let end = left.len().min((at / SECTOR_BYTES + 1) * SECTOR_BYTES);
        match chance.below(4) {
            0 => left[at..end].fill(0),
            1 => left[at..end].iter_mut().for_each(|byte| *byte ^= chance.below(256) as u8),
            _ => {}
        }
        at = end;
    }
    left
}

/// SplitMix64: chance as a function of a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

#[cfg(test)]
mod tests;
