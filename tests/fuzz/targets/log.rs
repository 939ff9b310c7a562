//! A log whose files hold anything: it opens with a prefix of what was appended, or says what is wrong. It invents nothing.
//!
//! First a real log is written: a number of records, with syncs. Then its files, or others, are changed as the bytes say,
//! and it is opened, written to, and opened again.

use super::bytes::Bytes;
use conclave::codec::{ClusterId, Digest};
use conclave::quorum::ReplicaId;
use conclave::storage::{Disk, Log, LogError, MemDisk};

fn open(disk: &MemDisk) -> Result<(Log<MemDisk>, Vec<Vec<u8>>), LogError> {
    let me = ReplicaId::new(1).expect("an index");
    let (log, opened) = Log::open(disk.clone(), ClusterId(Digest([7; 32])), me)?;
    assert!(opened.snapshot.is_none(), "nobody wrote a snapshot");
    Ok((log, opened.records))
}

/// A record of each number.
pub(super) fn record(number: usize) -> Vec<u8> {
    vec![number as u8; number * 5 % 64]
}

pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut disk = MemDisk::new();
    let appended = write(&disk, &mut bytes);
    let untouched = bytes.is_empty();
    damage(&mut disk, &mut bytes);
    let held = match open(&disk) {
        Ok((_, held)) => held,
        Err(why) => {
            assert!(!untouched, "{why}");
            assert!(!why.to_string().contains('\n'), "{why}");
            // It says so again, and has changed nothing that it needs to know it by.
            assert!(open(&disk).is_err(), "what was damaged is forgotten: {why}");
            return;
        }
    };
    let expected: Vec<Vec<u8>> = (0..held.len()).map(record).collect();
    assert_eq!(held, expected, "a prefix of what was appended");
    assert!(held.len() <= appended && (!untouched || held.len() == appended), "{} of {appended}", held.len());
    let (mut log, again) = open(&disk).expect("it was opened before");
    assert_eq!(again, held, "opened again");
    log.append(&record(held.len())).expect("a healthy disk");
    let _ = log.sync().expect("a healthy disk");
    let (_, again) = open(&disk).expect("it was opened before");
    assert_eq!(again.len(), held.len() + 1, "what was appended after the damage is there");
}

/// Appends records, syncing after some; returns how many.
fn write(disk: &MemDisk, bytes: &mut Bytes<'_>) -> usize {
    let (count, syncs) = (usize::from(bytes.u8() % 16), bytes.u16());
    let (mut log, _) = open(disk).expect("an empty disk");
    for number in 0..count {
        log.append(&record(number)).expect("a healthy disk");
        if syncs >> number & 1 == 1 {
            let _ = log.sync().expect("a healthy disk");
        }
    }
    log.flush().expect("a healthy disk");
    count
}

/// Changes files of the disk.
pub(super) fn damage(disk: &mut MemDisk, bytes: &mut Bytes<'_>) {
    while !bytes.is_empty() {
        let names = disk.list().expect("a healthy disk");
        let name = names.get(bytes.index(names.len() + 1)).cloned();
        let name = name.unwrap_or_else(|| {
            format!("{:020}.{}", bytes.u8(), ["log", "mark", "snap", "part"][bytes.index(4)])
        });
        let _ = disk.create(&name);
        let (what, at) = (bytes.u8(), usize::from(bytes.u16()));
        match what % 6 {
            0 => {
                let change = bytes.u8();
                disk.damage(&name, |file| {
                    if !file.is_empty() {
                        let at = at % file.len();
                        file[at] ^= change;
                    }
                });
            }
            1 => disk.damage(&name, |file| file.truncate(at)),
            2 => {
                let more = bytes.counted();
                disk.damage(&name, |file| file.extend_from_slice(more));
            }
            3 => {
                let whole = bytes.counted();
                disk.damage(&name, |file| *file = whole.to_vec());
            }
            4 => drop(disk.remove(&name)),
            _ => {
                drop(disk.rename(&name, &format!("{at:020}.{}", ["log", "snap"][usize::from(what) / 6 % 2])))
            }
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let written = [9, 0x55, 1];
    let with = |steps: &[u8]| [&written[..], steps].concat();
    vec![
        with(&[]),
        with(&[0, 0, 100, 0, 1]),
        with(&[0, 1, 120, 0]),
        with(&[0, 2, 0, 0, 3, 0, 1, 2, 3]),
        with(&[1, 3, 0, 0, 0, 0]),
        with(&[0, 4, 0, 0]),
        with(&[1, 4, 0, 0, 0, 1, 0, 1]),
        with(&[0, 5, 3, 0]),
        with(&[2, 1, 0, 2, 0, 0, 4, 0, 67, 78, 67, 76]),
    ]
}
