//! The state after a batch, to be certified, kept and handed on.

use super::manifest::Manifest;
use borsh::{BorshDeserialize, BorshSerialize};

use super::machine::Machine;

/// One element of the state, and the finished signature that goes with it.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Piece {
    /// The element in its canonical bytes: what the manifest commits to.
    pub element: Vec<u8>,
    /// The RSA signature of the element's RRset; empty where none is planned, or none is there yet. The manifest does not
    /// commit to it; it can be verified alone.
    pub signature: Vec<u8>,
}

/// Everything that execution depends on after a batch. Immutable; shares its parts with the machine.
#[derive(Clone)]
pub struct Snapshot {}

impl Snapshot {
    /// What it is, in brief.
    pub fn manifest(&self) -> Manifest {
        unimplemented!()
    }

    /// Pieces of a chunk from index `from` on, up to `max_bytes` encoded but at least one; and whether the chunk ends there.
    pub fn pieces(&self, _chunk: u32, _from: u32, _max_bytes: usize) -> (Vec<Piece>, bool) {
        unimplemented!()
    }
}

impl Machine {
    /// The state as it is now.
    pub fn snapshot(&self) -> Snapshot {
        unimplemented!()
    }

    /// Batches executed so far.
    pub fn batches(&self) -> u64 {
        unimplemented!()
    }
}
