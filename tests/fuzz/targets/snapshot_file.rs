//! A log with snapshots whose files hold anything: it opens with a snapshot as it was written, whole, and the records that
//! followed it, or says what is wrong. It invents nothing.
//!
//! First a real log is written, and one snapshot or two beside it, the last of which may be left unfinished; then the
//! files are changed as in `log`, and it is opened, written to, and opened again.

use super::bytes::Bytes;
use super::log::{damage, record};
use conclave::codec::{ClusterId, Digest};
use conclave::quorum::ReplicaId;
use conclave::storage::{Disk, Log, LogError, MemDisk, Opened, Position, SnapshotWriter};

/// Records of one run, at most.
const MAX_RECORDS: usize = 16;

fn me() -> ReplicaId {
    ReplicaId::new(1).expect("an index")
}

fn open(disk: &MemDisk) -> Result<(Log<MemDisk>, Opened), LogError> {
    Log::open(disk.clone(), ClusterId(Digest([7; 32])), me())
}

/// What a snapshot holds that stands for so many records.
fn state(records: usize) -> Vec<Vec<u8>> {
    (0..records % 5).map(|part| vec![(records + part) as u8; (records * 7 + part * 3) % 64]).collect()
}

pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut disk = MemDisk::new();
    let appended = write(&disk, &mut bytes);
    let untouched = bytes.is_empty();
    damage(&mut disk, &mut bytes);
    let end = match open(&disk) {
        Ok((_, opened)) => check(&opened, appended),
        Err(why) => {
            assert!(!untouched, "{why}");
            assert!(!why.to_string().contains('\n'), "{why}");
            assert!(open(&disk).is_err(), "what was damaged is forgotten: {why}");
            return;
        }
    };
    assert!(!untouched || end == appended, "{end} of {appended}");
    let (mut log, opened) = open(&disk).expect("it was opened before");
    assert_eq!(check(&opened, appended), end, "opened again");
    log.append(&record(end)).expect("a healthy disk");
    let place = log.roll().expect("a healthy disk");
    let stored = store(&disk, place, true).expect("a healthy disk");
    log.cut(&stored).expect("a healthy disk");
    drop(log);
    let (_, opened) = open(&disk).expect("it was opened before");
    let at = opened.snapshot.as_ref().map(|snapshot| snapshot.at.records() as usize);
    assert_eq!(at, Some(end + 1), "the snapshot made after the damage is there");
    check(&opened, end + 1);
}

/// Checks what was opened; gives the number of the record after the last.
fn check(opened: &Opened, appended: usize) -> usize {
    let start = opened.snapshot.as_ref().map_or(0, |snapshot| snapshot.at.records() as usize);
    if let Some(snapshot) = &opened.snapshot {
        assert_eq!(snapshot.records, state(start), "a snapshot as it was written");
    }
    let expected: Vec<Vec<u8>> = (start..start + opened.records.len()).map(record).collect();
    assert_eq!(opened.records, expected, "what followed the snapshot, without a gap");
    let end = start + opened.records.len();
    assert!(end <= appended, "{end} of {appended}");
    end
}

/// Appends records, with snapshots at some places; returns how many.
fn write(disk: &MemDisk, bytes: &mut Bytes<'_>) -> usize {
    let (count, stores, how) = (usize::from(bytes.u8()) % MAX_RECORDS, bytes.u16(), bytes.u8());
    let (mut log, _) = open(disk).expect("an empty disk");
    for number in 0..count {
        log.append(&record(number)).expect("a healthy disk");
        if stores >> number & 1 == 1 {
            let at = log.roll().expect("a healthy disk");
            // Bits say for each whether it is finished, and whether the log is cut.
            if let Some(stored) = store(disk, at, how >> (number % 4) & 1 == 0)
                && how >> (4 + number % 4) & 1 == 0
            {
                log.cut(&stored).expect("a healthy disk");
            }
        }
    }
    let _ = log.sync().expect("a healthy disk");
    count
}

fn store(disk: &MemDisk, at: Position, finish: bool) -> Option<conclave::storage::Stored> {
    let begun = SnapshotWriter::begin(disk.clone(), ClusterId(Digest([7; 32])), me(), at);
    let mut writer = begun.expect("a healthy disk");
    for part in state(at.records() as usize) {
        writer.write(&part).expect("it is short");
    }
    if finish {
        return Some(writer.finish().expect("a healthy disk"));
    }
    // The process is killed: nothing is tidied up, and of the file a part is there.
    disk.fail_after(0);
    drop(writer);
    disk.fail_after(u64::MAX);
    let (mut disk, name) = (disk.clone(), format!("{:020}.part", at.records()));
    disk.append(&name, &[7; 80]).expect("a healthy disk");
    None
}

pub fn seeds() -> Vec<Vec<u8>> {
    let with = |head: [u8; 4], steps: &[u8]| [&head[..], steps].concat();
    let (cut, kept, both) = ([9, 16, 0, 0], [9, 16, 0, 0xf0], [14, 0x10, 0x02, 0xf2]);
    vec![
        with(cut, &[]),
        with(kept, &[]),
        with(both, &[]),
        with(cut, &[2, 0, 100, 0, 1]),
        with(cut, &[2, 1, 120, 0]),
        with(kept, &[4, 4, 0, 0]),
        with(kept, &[4, 2, 0, 0, 3, 0, 1, 2, 3]),
        with(both, &[3, 0, 75, 0, 1]),
        with(both, &[2, 11, 3, 0]),
        with([15, 0xff, 0x7f, 0], &[0, 5, 3, 0]),
    ]
}
