//! A checkpoint as a file: a sequence of records ([`StateRecord`]), for the disk of this replica.
//!
//! In this order: *head* (the certified base, the finale of an epoch, and the manifest, in parts that fit a record), the *pieces*
//! of all chunks with the signatures that are there when they are written, and the *order's* records from the line on.
//! Reading checks that the manifest and the mark are what the certificate says, and each chunk against the manifest; the
//! signatures are this replica's own, verified before, and the file's checksums stand for them.
//!
//! A file without a base holds the last state of an epoch, certified by its finale: of this one, which then is over, or of the
//! one before, with which this one begins. In all other files the finale is that of the epoch before, if there is one.

use super::beginning::Predecessor;
use super::checkpoint::{Held, state_digest};
use super::{Error, beginning, ending};
use crate::codec::{DecodeError, JobId, decode, encode};
use crate::consensus::{self, Authority, Base, Finale};
use crate::limits::{MAX_CHECKPOINT_HEAD_BYTES, MAX_LOG_RECORD_BYTES};
use crate::zone::{Begun, Genesis, Machine, Manifest, OpenJob, Piece, Restore, Signed, Snapshot, Trust};
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
    base: Option<Base>,
    finale: Option<Finale>,
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
    /// A checkpoint; and how the epoch before ended.
    pub(super) fn new(
        base: Base,
        before: Option<Finale>,
        snapshot: Snapshot,
        records: Vec<consensus::Record>,
    ) -> Self {
        let (round, manifest) = (base.mark.round, snapshot.manifest());
        Self::of(round, Head { base: Some(base), finale: before, manifest }, snapshot, records)
    }

    /// The last state of the epoch that ended so, by this name.
    pub(super) fn of_finale(
        finale: &Finale,
        round: u64,
        snapshot: Snapshot,
        records: Vec<consensus::Record>,
    ) -> Self {
        let head = Head { base: None, finale: Some(finale.clone()), manifest: snapshot.manifest() };
        Self::of(round, head, snapshot, records)
    }

    fn of(round: u64, head: Head, snapshot: Snapshot, records: Vec<consensus::Record>) -> Self {
        let chunks = head.manifest.chunks();
        let head = encode(&head);
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

/// A stored state read back.
pub(super) struct Stored {
    pub place: Place,
    pub machine: Machine,
    pub jobs: Vec<OpenJob>,
    pub finished: Vec<(JobId, Vec<u8>)>,
    pub signed: Signed,
    pub records: Vec<consensus::Record>,
}

/// Where a stored state stands.
pub(super) enum Place {
    /// It is a checkpoint; and how the epoch before ended.
    Checkpoint { base: Base, held: Held, before: Option<Finale> },
    /// It is the last of this epoch.
    Last(Finale, Box<ending::Last>),
    /// The epoch begins with it.
    Start(Finale, Held),
}

/// What a stored state is read by.
pub(super) struct Reader<'a> {
    pub genesis: &'a Genesis,
    pub authority: &'a Authority,
    pub predecessor: Option<&'a Predecessor>,
}

fn wrong<T>(why: &str) -> Result<T, Error> {
    Err(Error::Checkpoint(why.into()))
}

type Records<'a> = &'a mut dyn Iterator<Item = Result<StateRecord, Error>>;

impl Reader<'_> {
    /// Reads the records of a stored state.
    pub fn read(&self, records: Vec<Vec<u8>>) -> Result<Stored, Error> {
        let mut records = decoded(records);
        let (Head { base, finale, manifest }, next) = head(&mut records)?;
        let state = base.as_ref().map_or_else(
            || finale.as_ref().map(|finale| finale.ending.state),
            |base| Some(base.certificate.statement.state),
        );
        if state != Some(state_digest(base.as_ref().map(|base| &base.mark), &manifest)) {
            return wrong("its state is not what its certificate says");
        }
        let begins_here = self.predecessor.filter(|_| !manifest.is_of(self.genesis));
        let genesis = begins_here.map_or(self.genesis, |before| &before.genesis);
        let (restore, next) =
            pieces(Restore::new(genesis.clone(), manifest, Trust::OwnDisk), next, &mut records)?;
        let finished = restore.finished();
        let (machine, jobs, signed) = restore.finish().map_err(Error::Checkpoint)?;
        let place = self.place(base, finale, machine.snapshot())?;
        let records = order(next, &mut records)?;
        let Place::Start(_, held) = &place else {
            return Ok(Stored { place, machine, jobs, finished, signed, records });
        };
        let begun = held.snapshot.succeed(genesis, self.genesis).map_err(Error::Checkpoint)?;
        let Begun { machine, jobs, finished, signed } = begun;
        Ok(Stored { place, machine, jobs, finished, signed, records })
    }

    fn place(&self, base: Option<Base>, finale: Option<Finale>, snapshot: Snapshot) -> Result<Place, Error> {
        let begins = |finale: &Finale| {
            self.predecessor.is_some_and(|before| before.ended_by(finale, self.genesis.cluster))
        };
        match (base, finale) {
            (Some(base), before) if before.is_some() == self.predecessor.is_some() => {
                let statement = base.certificate.statement;
                if (base.mark.round, base.mark.previous) != (statement.round, statement.previous) {
                    return wrong("its mark is not what its certificate says");
                }
                if base.line > base.mark.line() {
                    return wrong("its collection line is above its mark's");
                }
                let held = Held { mark: Some(Arc::new(base.mark.clone())), statement, snapshot };
                Ok(Place::Checkpoint { base, held, before })
            }
            (None, Some(finale)) if finale.verifies(self.authority) => {
                let last = ending::Last::new(finale.ending.clone(), snapshot, true);
                Ok(Place::Last(finale, Box::new(last)))
            }
            (None, Some(finale)) if begins(&finale) => {
                let held = beginning::start(&finale, &snapshot);
                Ok(Place::Start(finale, held))
            }
            _ => wrong("it is of another cluster, or of another epoch"),
        }
    }
}

/// Reads the last state of the epoch before from what was stored there.
pub(super) fn read_last(
    predecessor: &Predecessor,
    records: Vec<Vec<u8>>,
) -> Result<(Finale, Snapshot), String> {
    let Predecessor { authority, genesis } = predecessor;
    let stored = Reader { genesis, authority, predecessor: None }.read(records);
    match stored.map_err(|why| why.to_string())?.place {
        Place::Last(finale, last) => Ok((finale, last.snapshot)),
        _ => Err("it is not the last state".into()),
    }
}

fn decoded(records: Vec<Vec<u8>>) -> impl Iterator<Item = Result<StateRecord, Error>> {
    records.into_iter().enumerate().map(|(position, bytes)| {
        decode::<StateRecord>(&bytes, MAX_LOG_RECORD_BYTES).map_err(|why| Error::Record { position, why })
    })
}

fn head(records: Records<'_>) -> Result<(Head, Option<StateRecord>), Error> {
    let mut bytes = Vec::new();
    let mut next = records.next().transpose()?;
    while let Some(StateRecord::Head(part)) = next {
        bytes.extend(part);
        next = records.next().transpose()?;
    }
    let head = decode::<Head>(&bytes, MAX_CHECKPOINT_HEAD_BYTES);
    Ok((head.map_err(|why: DecodeError| Error::Checkpoint(why.to_string()))?, next))
}

fn pieces(
    restore: Result<Restore, String>,
    mut next: Option<StateRecord>,
    records: Records<'_>,
) -> Result<(Restore, Option<StateRecord>), Error> {
    let mut restore = restore.map_err(Error::Checkpoint)?;
    while let Some(StateRecord::Pieces(pieces, last)) = next {
        restore.take(pieces, last).map_err(Error::Checkpoint)?;
        next = records.next().transpose()?;
    }
    Ok((restore, next))
}

fn order(mut next: Option<StateRecord>, records: Records<'_>) -> Result<Vec<consensus::Record>, Error> {
    let mut order = Vec::new();
    while let Some(record) = next {
        let StateRecord::Order(record) = record else {
            return Err(Error::Checkpoint("its records are in the wrong order".into()));
        };
        order.push(record);
        next = records.next().transpose()?;
    }
    Ok(order)
}
