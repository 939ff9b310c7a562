//! A checkpoint as a file: a sequence of records ([`StateRecord`]), for the disk of this replica.
//!
//! In this order: *head* (the certified base and the manifest, in parts that fit a record), the *pieces* of all chunks with
//! the signatures that are there when they are written, and the *order's* records from the line on. Reading checks that
//! the manifest and the mark are what the certificate says, and each chunk against the manifest; the signatures are this
//! replica's own, verified before, and the file's checksums stand for them.

use super::Error;
use super::checkpoint::{Held, state_digest};
use crate::codec::{DecodeError, JobId, decode, encode};
use crate::consensus::{self, Base};
use crate::limits::{MAX_CHECKPOINT_HEAD_BYTES, MAX_LOG_RECORD_BYTES};
use crate::zone::{Genesis, Machine, Manifest, OpenJob, Piece, Restore, Signed, Snapshot, Trust};
use borsh::{BorshDeserialize, BorshSerialize};
use std::sync::Arc;

/// Bytes of pieces, and of head, in one record.
const PART_BYTES: usize = 256 * 1024;

/// What a checkpoint's file holds.
#[derive(BorshSerialize, BorshDeserialize)]
enum StateRecord {
    /// A part of the encoded [`Head`].
    Head(Vec<u8>),
    /// Pieces of the chunk that comes next, from where the ones before ended; and whether it ends.
    Pieces(Vec<Piece>, bool),
    /// Of the atomic broadcast.
    Order(consensus::Record),
}

/// What must be known before the pieces.
#[derive(BorshSerialize, BorshDeserialize)]
struct Head {
    base: Base,
    manifest: Manifest,
}

/// A checkpoint to be stored. Its records are made as they are asked for, on any thread.
pub struct StateFile {
    round: u64,
    head: Vec<u8>,
    snapshot: Snapshot,
    chunks: u32,
    chunk: u32,
    from: u32,
    records: std::vec::IntoIter<consensus::Record>,
}

impl StateFile {
    pub(super) fn new(base: &Base, snapshot: Snapshot, records: Vec<consensus::Record>) -> Self {
        let manifest = snapshot.manifest();
        let (round, chunks) = (base.mark.round, manifest.chunks());
        let head = encode(&Head { base: base.clone(), manifest });
        Self { round, head, snapshot, chunks, chunk: 0, from: 0, records: records.into_iter() }
    }

    /// The round of the checkpoint, to be told when it is stored.
    pub fn round(&self) -> u64 {
        self.round
    }

    fn pieces(&mut self) -> Option<StateRecord> {
        while self.chunk < self.chunks {
            let (pieces, last) = self.snapshot.pieces(self.chunk, self.from, PART_BYTES);
            self.from += pieces.len() as u32;
            if last {
                (self.chunk, self.from) = (self.chunk + 1, 0);
            }
            if !pieces.is_empty() {
                return Some(StateRecord::Pieces(pieces, last));
            }
        }
        None
    }
}

impl Iterator for StateFile {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let record = if !self.head.is_empty() {
            let rest = self.head.split_off(self.head.len().min(PART_BYTES));
            Some(StateRecord::Head(std::mem::replace(&mut self.head, rest)))
        } else {
            self.pieces().or_else(|| self.records.next().map(StateRecord::Order))
        };
        record.map(|record| encode(&record))
    }
}

/// A checkpoint read back.
pub(super) struct Stored {
    pub base: Base,
    pub held: Held,
    pub machine: Machine,
    pub jobs: Vec<OpenJob>,
    pub finished: Vec<(JobId, Vec<u8>)>,
    pub signed: Signed,
    pub records: Vec<consensus::Record>,
}

/// Reads a checkpoint's records.
pub(super) fn read(genesis: Genesis, records: Vec<Vec<u8>>) -> Result<Stored, Error> {
    let wrong = |why: String| Error::Checkpoint(why);
    let mut records = records.into_iter().enumerate().map(|(position, bytes)| {
        decode::<StateRecord>(&bytes, MAX_LOG_RECORD_BYTES).map_err(|why| Error::Record { position, why })
    });
    let mut bytes = Vec::new();
    let mut next = records.next().transpose()?;
    while let Some(StateRecord::Head(part)) = next {
        bytes.extend(part);
        next = records.next().transpose()?;
    }
    let head = decode::<Head>(&bytes, MAX_CHECKPOINT_HEAD_BYTES);
    let Head { base, manifest } = head.map_err(|why: DecodeError| wrong(why.to_string()))?;
    let statement = base.certificate.statement;
    if (base.mark.round, base.mark.previous) != (statement.round, statement.previous)
        || state_digest(&base.mark, &manifest) != statement.state
    {
        return Err(wrong("its state is not what its certificate says".into()));
    }
    if base.line > base.mark.line() {
        return Err(wrong("its collection line is above its mark's".into()));
    }
    let mut restore = Restore::new(genesis, manifest, Trust::OwnDisk).map_err(wrong)?;
    while let Some(StateRecord::Pieces(pieces, last)) = next {
        restore.take(pieces, last).map_err(wrong)?;
        next = records.next().transpose()?;
    }
    let finished = restore.finished();
    let (machine, jobs, signed) = restore.finish().map_err(wrong)?;
    let mut order = Vec::new();
    while let Some(record) = next {
        let StateRecord::Order(record) = record else {
            return Err(wrong("its records are in the wrong order".into()));
        };
        order.push(record);
        next = records.next().transpose()?;
    }
    let held = Held { mark: Arc::new(base.mark.clone()), statement, snapshot: machine.snapshot() };
    Ok(Stored { base, held, machine, jobs, finished, signed, records: order })
}
