//! A stored checkpoint whose records are others than were written: what comes back is the certified state, or a line that
//! says what is wrong.
//!
//! The records are those of a real checkpoint (`catch_up`). They are dropped, doubled, exchanged, cut and altered; only
//! what stands inside a vertex is left as it is, for it was verified before it was written, and the file's checksums, which
//! `snapshot_file` tries, stand for it.

use super::bytes::Bytes;
use super::catch_up;
use super::replica::history::{self, SUBJECT};
use conclave::codec::Digest;
use conclave::replica::{Input, Past, Replica};
use std::sync::OnceLock;

/// The first octet of a record with something of the atomic broadcast.
const ORDER: u8 = 2;

fn stored() -> &'static (Vec<Vec<u8>>, Digest) {
    static STORED: OnceLock<(Vec<Vec<u8>>, Digest)> = OnceLock::new();
    STORED.get_or_init(catch_up::stored)
}

pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let (records, state) = stored();
    let (mut records, untouched) = (records.clone(), bytes.is_empty());
    while !bytes.is_empty() {
        alter(&mut records, &mut bytes);
    }
    let history = history::long();
    let config = history.cluster.config(*SUBJECT, [3; 32], None);
    let size = records.iter().map(|record| record.len() as u64).sum();
    let past = Past { checkpoint: Some((records, size)), records: Vec::new() };
    match Replica::recover(history.end, config, past) {
        Ok((mut replica, _)) => {
            assert_eq!(replica.digest(), *state, "the certified state");
            assert_eq!(replica.status().stable, history.stable);
            let _ = replica.step(history.end.plus(1), Input::Tick);
        }
        Err(why) => {
            let why = why.to_string();
            assert!(!untouched && !why.contains('\n'), "{why}");
        }
    }
}

fn alter(records: &mut Vec<Vec<u8>>, bytes: &mut Bytes<'_>) {
    let (what, at) = (bytes.u8(), usize::from(bytes.u16()) % records.len().max(1));
    let place = usize::from(bytes.u16());
    let Some(record) = records.get_mut(at) else { return };
    let is_open = record.first().is_some_and(|kind| *kind != ORDER);
    match what % 8 {
        0 => drop(records.remove(at)),
        1 => records.insert(place % records.len(), records[at].clone()),
        2 => {
            let other = place % records.len();
            records.swap(at, other);
        }
        3 | 4 if is_open => {
            let place = place % record.len();
            record[place] ^= bytes.u8();
        }
        5 => record.truncate(place),
        6 if is_open => *record = bytes.counted().to_vec(),
        7 => records.truncate(at),
        _ => {}
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![Vec::new()];
    for what in 0..8 {
        seeds.extend([0, 1, 2, 3, 4, 9, 40].map(|at| vec![what, at, 0, at ^ 5, 0, 1]));
    }
    seeds
}
