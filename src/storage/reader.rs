//! Reading a file from its start to its end, with a piece of it in memory at a time.

use super::{Disk, LogError};

/// Bytes read at once beyond what is asked for.
const AHEAD_BYTES: usize = 4 * 1024 * 1024;

/// A place in a file. However long the file, it holds what was asked for last and [`AHEAD_BYTES`].
pub(super) struct Reader<'a, D> {
    disk: &'a mut D,
    name: &'a str,
    length: u64,
    /// Where it stands: the offset of `ahead[at..]`.
    offset: u64,
    ahead: Vec<u8>,
    at: usize,
}

impl<'a, D: Disk> Reader<'a, D> {
    pub fn new(disk: &'a mut D, name: &'a str) -> Result<Self, LogError> {
        let length = disk.len(name).map_err(|e| LogError::io("reading", name, e))?;
        Ok(Self { disk, name, length, offset: 0, ahead: Vec::new(), at: 0 })
    }

    /// The length of the file.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// How much has been skipped.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// What comes next: at least `count` bytes, or all that the file still has.
    pub fn peek(&mut self, count: usize) -> Result<&[u8], LogError> {
        let held = self.ahead.len() - self.at;
        let left = usize::try_from(self.length - self.offset).unwrap_or(usize::MAX);
        if held < count.min(left) {
            self.ahead.drain(..self.at);
            self.at = 0;
            self.ahead.resize(left.min(count + AHEAD_BYTES), 0);
            self.fill(held)?;
        }
        Ok(&self.ahead[self.at..])
    }

    /// Goes on by `count` of the bytes that were seen.
    pub fn skip(&mut self, count: usize) {
        self.at += count;
        self.offset += count as u64;
    }

    fn fill(&mut self, mut filled: usize) -> Result<(), LogError> {
        while filled < self.ahead.len() {
            let read = self.disk.read_at(self.name, self.offset + filled as u64, &mut self.ahead[filled..]);
            match read.map_err(|e| LogError::io("reading", self.name, e))? {
                0 => {
                    // The file is shorter than it was.
                    self.ahead.truncate(filled);
                    self.length = self.offset + filled as u64;
                }
                count => filled += count,
            }
        }
        Ok(())
    }
}
