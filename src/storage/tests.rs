use super::*;
use crate::codec::{ClusterId, Digest};
use crate::limits::MAX_LOG_RECORD_BYTES;
use crate::quorum::ReplicaId;

mod damage;
mod power;
mod snapshots;

const SEGMENT: u64 = 4096;

fn cluster(byte: u8) -> ClusterId {
    ClusterId(Digest([byte; 32]))
}

fn me(index: u8) -> ReplicaId {
    ReplicaId::new(index).unwrap()
}

fn open_all(disk: &MemDisk) -> Result<(Log<MemDisk>, Opened), LogError> {
    Log::open_with_segments(disk.clone(), cluster(1), me(1), SEGMENT)
}

/// A log without a snapshot, and its records.
fn open(disk: &MemDisk) -> Result<(Log<MemDisk>, Vec<Vec<u8>>), LogError> {
    let (log, opened) = open_all(disk)?;
    assert!(opened.snapshot.is_none() && log.stored().is_none());
    Ok((log, opened.records))
}

fn record(number: u64) -> Vec<u8> {
    let length = (number * 7919 % 900) as usize;
    number.to_le_bytes().iter().copied().cycle().take(8 + length).collect()
}

/// A synced log of several segments.
fn full(records: u64) -> MemDisk {
    let disk = MemDisk::new();
    let (mut log, _) = open(&disk).unwrap();
    for number in 0..records {
        log.append(&record(number)).unwrap();
    }
    log.sync().unwrap();
    disk
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn what_was_appended_and_synced_comes_back_in_order() {
    let disk = full(60);
    let (log, records) = open(&disk).unwrap();
    assert_eq!(records, (0..60).map(record).collect::<Vec<_>>());
    assert_eq!(log.end().records(), 60);
    assert_eq!(log.durable().upto(), log.end());
    assert!(log.torn_tail().is_none());
    let segments = disk.clone().list().unwrap().iter().filter(|n| n.ends_with(".log")).count();
    assert!(segments > 3, "{segments} segments");
}

#[test]
fn an_effect_leaves_only_when_the_log_is_durable_up_to_it() {
    let (mut log, _) = open(&MemDisk::new()).unwrap();
    let before = log.durable();
    let after = log.append(b"vote").unwrap();
    assert!(before.upto() < after);
    assert_eq!(Pending::new("send", after).release(&log.sync().unwrap()), "send");
    let too_early = std::panic::catch_unwind(|| Pending::new((), after).release(&before));
    assert!(too_early.is_err());
}

/// Random work with crashes and kills: what comes back is a prefix of what was appended, and holds all that was
/// synced. `failures`: the disk fails at a chosen operation before each crash.
fn crash_and_compare(seed: u64, failures: bool) {
    let mut chance = Chance(seed);
    let disk = MemDisk::new();
    let mut model: Vec<Vec<u8>> = Vec::new();
    let mut next = 0;
    for _ in 0..6 {
        let (mut log, records) = open(&disk).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert_eq!(records, model, "seed {seed}");
        let mut synced = model.len();
        if failures {
            disk.fail_after(chance.below(30));
        }
        for _ in 0..chance.below(60) {
            let done = match chance.below(6) {
                0 => log.sync().map(|durable| assert_eq!(durable.upto(), log.end(), "seed {seed}")),
                1 => log.flush(),
                _ => {
                    model.push(record(next));
                    next += 1;
                    log.append(&model[model.len() - 1]).map(|_| ())
                }
            };
            synced = synced.max(log.durable().upto().records() as usize);
            if done.is_err() {
                assert!(failures, "seed {seed}: {done:?}");
                assert!(matches!(log.append(b""), Err(LogError::FailedBefore)), "seed {seed}");
                break;
            }
        }
        drop(log);
        disk.crash(chance.below(u64::MAX >> 34));
        let (_, records) = open(&disk).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert!(records.len() >= synced, "seed {seed}: {} of {synced} synced", records.len());
        assert_eq!(records[..], model[..records.len()], "seed {seed}");
        model = records;
    }
}

#[test]
fn a_crash_at_any_point_loses_nothing_synced_and_invents_nothing() {
    (0..1500).for_each(|seed| crash_and_compare(seed, false));
}

#[test]
fn a_failure_of_any_disk_operation_and_a_crash_lose_nothing_synced() {
    (0..1500).for_each(|seed| crash_and_compare(seed, true));
}

#[test]
fn a_crash_at_every_operation_of_opening_is_survived() {
    for seed in 0..40 {
        for operation in 0..12 {
            let disk = full(30);
            let (mut log, _) = open(&disk).unwrap();
            log.append(&[7; 700]).unwrap();
            log.flush().unwrap();
            drop(log);
            disk.crash(seed);
            disk.fail_after(operation);
            let _ = open(&disk);
            disk.crash(seed + 1000);
            let (_, records) = open(&disk).unwrap_or_else(|e| panic!("seed {seed}, {operation}: {e}"));
            assert!(records.len() >= 30, "seed {seed}, operation {operation}");
        }
    }
}

#[test]
fn a_killed_process_loses_nothing_that_was_flushed() {
    let disk = full(3);
    let (mut log, _) = open(&disk).unwrap();
    log.append(b"unsynced").unwrap();
    log.flush().unwrap();
    drop(log);
    let (log, records) = open(&disk).unwrap();
    assert_eq!(records.len(), 4);
    assert_eq!(log.durable().upto().records(), 4, "what counts must last");
    disk.crash(1);
    assert_eq!(open(&disk).unwrap().1.len(), 4);
}

#[test]
fn a_torn_tail_is_cut_and_told() {
    let disk = full(3);
    let (mut log, _) = open(&disk).unwrap();
    log.append(&[9; 600]).unwrap();
    log.flush().unwrap();
    drop(log);
    disk.damage("00000000000000000000.log", |bytes| {
        let length = bytes.len();
        bytes.truncate(length - 100);
    });
    let (log, records) = open(&disk).unwrap();
    assert_eq!(records.len(), 3);
    let torn = log.torn_tail().unwrap();
    assert_eq!((torn.file.as_str(), torn.bytes), ("00000000000000000000.log", 548));
    drop(log);
    assert!(open(&disk).unwrap().0.torn_tail().is_none());
}

#[test]
fn any_flipped_bit_of_a_synced_log_is_an_error_that_names_file_and_offset() {
    let names: Vec<String> = full(20).list().unwrap();
    for name in names.iter().filter(|n| n.ends_with(".log")) {
        let length = full(20).len(name).unwrap() as usize;
        for at in 0..length {
            let disk = full(20);
            disk.damage(name, |bytes| bytes[at] ^= 1 << (at % 8));
            match open(&disk) {
                Err(e @ LogError::Damaged { .. }) => {
                    let line = e.to_string();
                    assert!(line.contains(name.as_str()) && line.contains("byte"), "{line}");
                }
                Err(other) => panic!("{name} at {at}: {other}"),
                Ok(_) => panic!("{name} at {at}: accepted"),
            }
        }
    }
}

#[test]
fn a_shortened_or_lost_segment_is_damage() {
    for name in full(20).list().unwrap().iter().filter(|n| n.ends_with(".log")) {
        for keep in [0, 10, 72, 100, 500] {
            let disk = full(20);
            disk.damage(name, |bytes| bytes.truncate(keep));
            assert!(matches!(open(&disk), Err(LogError::Damaged { .. })), "{name} cut to {keep}");
        }
    }
    for name in full(20).list().unwrap().iter().filter(|n| n.ends_with(".log")) {
        let disk = full(20);
        disk.clone().remove(name).unwrap();
        assert!(matches!(open(&disk), Err(LogError::Damaged { .. })), "{name} removed");
    }
}

#[test]
fn a_last_segment_without_marks_hides_no_damage_before_its_records() {
    // As a power cut may leave it: the marks are gone.
    let unmarked = || {
        let disk = full(20);
        let names = disk.clone().list().unwrap();
        names.iter().filter(|n| n.ends_with(".mark")).for_each(|mark| disk.clone().remove(mark).unwrap());
        let logs: Vec<String> = names.into_iter().filter(|n| n.ends_with(".log")).collect();
        (disk, logs[logs.len() - 2].clone(), logs[logs.len() - 1].clone())
    };
    let (disk, _, last) = unmarked();
    disk.damage(&last, |bytes| bytes[20] ^= 1);
    let error = open(&disk).err().unwrap().to_string();
    assert!(error.starts_with(&format!("{last}: damaged at byte 0")), "{error}");
    // The last one could be cut off in its making, but the one before it has lost its end then, or a bit.
    for (cut, at) in [(true, 0), (false, 76)] {
        let (disk, before, last) = unmarked();
        disk.damage(&last, |bytes| bytes.truncate(40));
        disk.damage(&before, |bytes| if cut { bytes.truncate(72) } else { bytes[at] ^= 1 });
        let error = open(&disk).err().unwrap().to_string();
        assert!(error.starts_with(if cut { &last } else { &before }), "{error}");
    }
}

#[test]
fn another_clusters_or_replicas_log_and_another_version_are_refused_unchanged() {
    let disk = full(5);
    let before = disk.used();
    let other = Log::open(disk.clone(), cluster(2), me(1)).err().unwrap();
    assert!(
        matches!(other, LogError::Foreign { .. }) && other.to_string().contains("cluster 0101"),
        "{other}"
    );
    let other = Log::open(disk.clone(), cluster(1), me(2)).err().unwrap();
    assert!(matches!(other, LogError::Foreign { .. }) && other.to_string().contains("replica 1"), "{other}");
    assert_eq!(disk.used(), before);
}

#[test]
fn a_full_disk_is_an_error_and_what_was_synced_stays() {
    for room in (0..6000).step_by(97) {
        let disk = full(10);
        let (mut log, _) = open(&disk).unwrap();
        disk.set_capacity(disk.used() + room);
        let mut synced = 10;
        let error = loop {
            if let Err(error) = log.append(&[3; 200]).and_then(|_| log.sync()) {
                break error;
            }
            synced += 1;
        };
        assert!(error.to_string().contains("disk is full"), "{error}");
        assert!(matches!(log.sync(), Err(LogError::FailedBefore)));
        drop(log);
        disk.set_capacity(u64::MAX);
        assert!(open(&disk).unwrap().1.len() >= synced, "room {room}");
    }
}

#[test]
fn a_record_over_the_limit_is_refused_and_the_log_goes_on() {
    let disk = MemDisk::new();
    let (mut log, _) = Log::open(disk.clone(), cluster(1), me(1)).unwrap();
    let limit = MAX_LOG_RECORD_BYTES;
    assert!(matches!(log.append(&vec![0; limit + 1]), Err(LogError::TooLong { .. })));
    log.append(&vec![1; limit]).unwrap();
    log.sync().unwrap();
    assert_eq!(Log::open(disk, cluster(1), me(1)).unwrap().1.records, [vec![1; limit]]);
}
