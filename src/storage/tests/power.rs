//! After a power cut that took the marks: what the records tell of damage, and what they do not.
use super::super::format::Binding;
use super::super::record::Place;
use super::*;
use crate::limits::LOG_SEGMENT_BYTES;

const NAME: &str = "00000000000000000000.log";
const HEADER: u64 = 72;
const HEAD: u64 = 48;

fn open_whole(disk: &MemDisk) -> Result<(Log<MemDisk>, Opened), LogError> {
    Log::open_with_segments(disk.clone(), cluster(1), me(1), LOG_SEGMENT_BYTES)
}

fn bytes(disk: &MemDisk) -> Vec<u8> {
    let mut disk = disk.clone();
    let mut bytes = vec![0; disk.len(NAME).unwrap() as usize];
    disk.read_at(NAME, 0, &mut bytes).unwrap();
    bytes
}

fn lose_marks(disk: &MemDisk) {
    super::snapshots::files(disk, ".mark").iter().for_each(|mark| disk.clone().remove(mark).unwrap());
}

fn flip(disk: &MemDisk, at: u64, bit: u64) {
    disk.damage(NAME, |bytes| bytes[at as usize] ^= 1 << bit);
}

/// One record as it was written, and how far the segment was durable then.
#[derive(Clone)]
struct Written {
    payload: Vec<u8>,
    start: u64,
    end: u64,
    synced: u64,
}

/// Random work on one segment with power cuts, the last of which has just happened.
struct History {
    disk: MemDisk,
    written: Vec<Written>,
    /// The segment as it was before the last power cut, and how much of it was durable.
    before: Vec<u8>,
    synced: u64,
}

fn history(seed: u64, chance: &mut Chance) -> History {
    let disk = MemDisk::new();
    let (mut written, mut before, mut synced): (Vec<Written>, _, _) = (Vec::new(), Vec::new(), 0);
    let mut next = 0;
    for _ in 0..1 + chance.below(3) {
        let (mut log, opened) = open_whole(&disk).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        written.truncate(opened.records.len());
        synced = disk.clone().len(NAME).unwrap();
        for _ in 0..chance.below(40) {
            match chance.below(6) {
                0 => {
                    log.sync().unwrap();
                    synced = disk.clone().len(NAME).unwrap();
                }
                1 => log.flush().unwrap(),
                _ => {
                    next += 1;
                    let payload = record(next);
                    log.append(&payload).unwrap();
                    let start = written.last().map_or(HEADER, |record| record.end);
                    let end = start + HEAD + payload.len() as u64;
                    written.push(Written { payload, start, end, synced });
                }
            }
        }
        before = bytes(&disk);
        drop(log);
        disk.crash(chance.below(u64::MAX >> 34));
    }
    lose_marks(&disk);
    History { disk, written, before, synced }
}

#[test]
fn a_flipped_bit_before_the_sync_that_a_surviving_record_follows_is_never_cut_off_and_torn_tails_are() {
    let (mut flipped, mut torn, mut torn_before_whole) = (0, 0, 0);
    for seed in 0..1500 {
        let chance = &mut Chance(seed);
        let History { disk, written, before, synced } = history(seed, chance);
        let after = bytes(&disk);
        let survived = |record: &&Written| {
            let range = record.start as usize..record.end as usize;
            after.get(range.clone()).is_some_and(|bytes| Some(bytes) == before.get(range))
        };
        let told = written.iter().filter(survived).map(|record| record.synced).max().unwrap_or(HEADER);
        // A header with nothing behind it may be one that was being made: nothing is forgotten with it.
        for _ in 0..if told > HEADER { 6 } else { 0 } {
            let (at, bit) = (chance.below(told), chance.below(8));
            let start =
                written.iter().rev().find(|record| record.start <= at).map_or(0, |record| record.start);
            flip(&disk, at, bit);
            let found = open_whole(&disk).map(|_| ());
            assert!(
                matches!(&found, Err(LogError::Damaged { file, offset, .. }) if file == NAME && *offset == start),
                "seed {seed}: bit {bit} of {at}, {told} of {} told: {found:?}",
                after.len()
            );
            flip(&disk, at, bit);
            flipped += 1;
        }
        assert_eq!(bytes(&disk), after, "seed {seed}: changed what it refused");

        let (log, opened) = open_whole(&disk).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        let count = opened.records.len();
        assert!(written[..count].iter().map(|record| &record.payload).eq(&opened.records), "seed {seed}");
        assert!(
            written[count..].iter().all(|record| record.end > synced),
            "seed {seed}: synced records lost"
        );
        torn += u64::from(log.torn_tail().is_some());
        torn_before_whole += u64::from(written[count..].iter().skip(1).any(|record| survived(&record)));
    }
    assert!(
        flipped > 1000 && torn > 200 && torn_before_whole > 40,
        "{flipped} flipped, {torn} torn, {torn_before_whole} before whole records"
    );
}

#[test]
fn damage_in_the_last_sync_is_told_by_the_marks_or_by_what_was_appended_since() {
    for (marks, appended) in [(false, false), (true, false), (false, true), (true, true)] {
        let disk = MemDisk::new();
        let (mut log, _) = open_whole(&disk).unwrap();
        log.append(b"synced").unwrap();
        log.sync().unwrap();
        if appended {
            log.append(b"since").unwrap();
            log.flush().unwrap();
        }
        drop(log);
        if !marks {
            lose_marks(&disk);
        }
        flip(&disk, HEADER + HEAD, 0);
        assert_eq!(open_whole(&disk).is_err(), marks || appended, "marks {marks}, appended {appended}");
    }
}

#[test]
fn a_record_tells_wherever_it_is_in_a_large_segment() {
    // Around the end of what is read at once, 4 MiB, and far behind it.
    for (records, shorter) in [(4, 0), (4, 1), (4, 20), (4, 47), (4, 48), (4, 49), (7, 0)] {
        let disk = MemDisk::new();
        let (mut log, _) = open_whole(&disk).unwrap();
        let whole = MAX_LOG_RECORD_BYTES - HEAD as usize;
        for _ in 1..records {
            log.append(&vec![1; whole]).unwrap();
        }
        log.append(&vec![2; whole - shorter]).unwrap();
        log.sync().unwrap();
        log.append(b"tells").unwrap();
        log.flush().unwrap();
        drop(log);
        lose_marks(&disk);
        flip(&disk, HEADER + HEAD, 0);
        let found = open_whole(&disk).map(|_| ());
        assert!(
            matches!(found, Err(LogError::Damaged { offset: HEADER, .. })),
            "{records}, {shorter}: {found:?}"
        );
    }
}

#[test]
fn a_torn_record_whose_payload_imitates_records_that_tell_is_cut() {
    let binding = Binding { cluster: cluster(1), me: me(1) };
    let disk = MemDisk::new();
    let (mut log, _) = open_whole(&disk).unwrap();
    log.append(b"synced").unwrap();
    log.sync().unwrap();
    let start = disk.clone().len(NAME).unwrap();
    let imitation: Vec<u8> = (0..20)
        .flat_map(|index| {
            let place = Place { first: 0, offset: start + HEAD + index * HEAD, position: 2 + index };
            binding.record(place, u64::MAX, b"")
        })
        .collect();
    log.append(&imitation).unwrap();
    log.flush().unwrap();
    drop(log);
    lose_marks(&disk);
    flip(&disk, start, 0);
    let (log, opened) = open_whole(&disk).unwrap();
    assert_eq!((opened.records.len(), log.torn_tail().unwrap().offset), (1, start));
}

#[test]
fn a_tail_made_to_be_slow_to_search_is_cut() {
    let disk = MemDisk::new();
    let (mut log, _) = open_whole(&disk).unwrap();
    log.append(b"synced").unwrap();
    log.sync().unwrap();
    drop(log);
    lose_marks(&disk);
    let start = disk.clone().len(NAME).unwrap();
    let tail = b"CVRC".repeat(LOG_SEGMENT_BYTES as usize / 2);
    disk.clone().append(NAME, &tail).unwrap();
    let (log, opened) = open_whole(&disk).unwrap();
    let torn = log.torn_tail().unwrap();
    assert_eq!((opened.records.len(), torn.offset, torn.bytes), (1, start, tail.len() as u64));
}

#[test]
fn a_record_counts_only_in_its_log_and_where_it_was_written() {
    let binding = Binding { cluster: cluster(1), me: me(1) };
    let place = Place { first: 3, offset: 100, position: 5 };
    let bytes = binding.record(place, HEADER, b"payload");
    assert_eq!(binding.parse_record(place, &bytes).unwrap(), b"payload");
    let (first, offset, position) = (4, 101, 6);
    for other in [Place { first, ..place }, Place { offset, ..place }, Place { position, ..place }] {
        assert!(binding.parse_record(other, &bytes).is_err());
    }
    for other in [Binding { cluster: cluster(2), ..binding }, Binding { me: me(2), ..binding }] {
        assert!(other.parse_record(place, &bytes).is_err());
    }
}
