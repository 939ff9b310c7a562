//! A machine from the pieces of a snapshot.

use super::machine::Machine;
use super::manifest::Manifest;
use super::request::{Job, Signed};
use super::rules::Genesis;
use super::snapshot::Piece;

/// Who vouches for the signatures in the pieces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// Nobody: each is verified.
    Nobody,
    /// This replica, which wrote the file when it had verified them; the file's checksums stand for them.
    OwnDisk,
}

/// Collects the pieces of one manifest.
pub struct Restore {}

impl Restore {
    /// Begins with nothing; refuses a manifest that does not fit the genesis.
    pub fn new(_genesis: Genesis, _manifest: Manifest, _trust: Trust) -> Result<Self, String> {
        unimplemented!()
    }

    /// The chunk and index to ask for next; none when all is there.
    pub fn needs(&self) -> Option<(u32, u32)> {
        unimplemented!()
    }

    /// Takes pieces of the chunk now needed, from the index now needed.
    pub fn take(&mut self, _pieces: Vec<Piece>, _last: bool) -> Result<(), String> {
        unimplemented!()
    }

    /// The machine; the planned jobs of the last batches whose signatures are not known here; what can be published at once.
    pub fn finish(self) -> Result<(Machine, Vec<Job>, Signed), String> {
        unimplemented!()
    }
}
