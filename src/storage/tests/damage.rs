use super::snapshots::{files, state, store};
use super::*;

/// A disk with a snapshot of 15 records and 3 records since, and the segments before it still there.
fn uncut() -> (MemDisk, Stored) {
    let disk = full(15);
    let (mut log, records) = open(&disk).unwrap();
    let at = log.roll().unwrap();
    let stored = store(&disk, at, &state(&records)).unwrap();
    (15..18).for_each(|number| {
        log.append(&record(number)).unwrap();
    });
    log.sync().unwrap();
    (disk, stored)
}

fn assert_damaged(disk: &MemDisk, name: &str, context: &str) {
    let used = disk.used();
    match open_all(disk) {
        Err(error @ LogError::Damaged { .. }) => {
            let line = error.to_string();
            assert!(
                line.contains(name) && line.contains("byte") && line.contains("restore"),
                "{context}: {line}"
            );
        }
        Err(other) => panic!("{context}: {other}"),
        Ok(_) => panic!("{context}: accepted"),
    }
    assert_eq!(disk.used(), used, "{context}: changed what it refused");
}

#[test]
fn any_changed_bit_any_lost_end_and_anything_added_to_a_snapshot_is_an_error_that_names_file_and_offset() {
    let (disk, stored) = uncut();
    let name = "00000000000000000015.snap";
    assert_eq!(disk.clone().len(name).unwrap(), stored.bytes());
    for at in 0..stored.bytes() as usize {
        for bit in 0..8 {
            disk.damage(name, |bytes| bytes[at] ^= 1 << bit);
            assert_damaged(&disk, name, &format!("bit {bit} of {at}"));
            disk.damage(name, |bytes| bytes[at] ^= 1 << bit);
        }
        let (shorter, _) = uncut();
        shorter.damage(name, |bytes| bytes.truncate(at));
        assert_damaged(&shorter, name, &format!("cut to {at}"));
    }
    disk.damage(name, |bytes| bytes.push(0));
    assert_damaged(&disk, name, "longer");
}

#[test]
fn records_of_another_snapshot_do_not_pass() {
    let (disk, _) = uncut();
    let name = "00000000000000000015.snap";
    let other = full(15);
    open(&other).unwrap();
    store(&other, Position(15), &[b"one".to_vec(), b"two".to_vec()]).unwrap();
    let mut theirs = Vec::new();
    other.damage(name, |bytes| theirs = bytes.clone());
    // Swapped records, and a trailer of other records.
    let (first, second) = (theirs[72..95].to_vec(), theirs[95..118].to_vec());
    disk.damage(name, |bytes| *bytes = [&theirs[..72], &second, &first, &theirs[118..]].concat());
    assert_damaged(&disk, name, "swapped");
    disk.damage(name, |bytes| *bytes = [&theirs[..95], &theirs[118..]].concat());
    assert_damaged(&disk, name, "one left out");
    // A record of another snapshot of the same place, in its place there.
    store(&other, Position(15), &[b"one".to_vec(), b"six".to_vec()]).unwrap();
    disk.damage(name, |bytes| *bytes = theirs.clone());
    other.damage(name, |bytes| {
        bytes[95..118].copy_from_slice(&second);
    });
    assert!(open_all(&disk).is_ok(), "what was copied is good");
    assert_damaged(&other, name, "a record of another snapshot");
}

#[test]
fn a_damaged_snapshot_is_not_passed_over_for_an_older_one() {
    let (disk, _) = uncut();
    let (mut log, _) = open_all(&disk).unwrap();
    let at = log.roll().unwrap();
    store(&disk, at, &state(&[])).unwrap();
    drop(log);
    disk.damage("00000000000000000018.snap", |bytes| bytes[80] ^= 1);
    assert_damaged(&disk, "00000000000000000018.snap", "the newer one is damaged");
}

#[test]
fn segments_that_a_snapshot_needs_must_be_whole_and_others_are_not_read() {
    let (disk, _) = uncut();
    let logs = files(&disk, ".log");
    let (last, stood_for) = logs.split_last().unwrap();
    for name in stood_for {
        disk.damage(name, |bytes| bytes[75] ^= 1);
    }
    disk.clone().remove(&stood_for[1]).unwrap();
    let length = disk.clone().len(last).unwrap() as usize;
    for at in 0..length {
        disk.damage(last, |bytes| bytes[at] ^= 4);
        assert_damaged(&disk, last, &format!("byte {at}"));
        disk.damage(last, |bytes| bytes[at] ^= 4);
    }
    let (log, opened) = open_all(&disk).unwrap();
    assert_eq!(opened.records, (15..18).map(record).collect::<Vec<_>>());
    assert_eq!(files(&disk, ".log"), [last.as_str()]);
    assert_eq!(log.bytes(), length as u64);
}

#[test]
fn a_log_that_does_not_reach_its_snapshot_or_begins_after_it_is_damaged() {
    // Without marks, so that nothing but the snapshot tells.
    let without = |name: &str| {
        let (disk, stored) = uncut();
        let (mut log, _) = open_all(&disk).unwrap();
        log.cut(&stored).unwrap();
        drop(log);
        for mark in files(&disk, ".mark") {
            disk.clone().remove(&mark).unwrap();
        }
        disk.clone().remove(name).unwrap();
        disk
    };
    let (segment, snapshot) = ("00000000000000000015.log", "00000000000000000015.snap");
    assert_damaged(&without(segment), snapshot, "segments gone");
    assert_damaged(&without(snapshot), segment, "snapshot gone");
    // Its header torn: that cannot have been the making of the only segment.
    let (disk, stored) = uncut();
    open_all(&disk).unwrap().0.cut(&stored).unwrap();
    files(&disk, ".mark").iter().for_each(|mark| disk.clone().remove(mark).unwrap());
    disk.damage(segment, |bytes| bytes.truncate(40));
    assert_damaged(&disk, segment, "segment cut to 40");

    // A snapshot in the midst of the only segment: what is before its place was synced.
    let disk = MemDisk::new();
    let (mut log, _) = open(&disk).unwrap();
    for _ in 0..4 {
        log.append(b"record").unwrap();
    }
    store(&disk, log.sync().unwrap().upto(), &[]).unwrap();
    files(&disk, ".mark").iter().for_each(|mark| disk.clone().remove(mark).unwrap());
    let name = "00000000000000000000.log";
    disk.damage(name, |bytes| bytes[72 + 54 + 50] ^= 1);
    assert_damaged(&disk, name, "a record before the snapshot");
    disk.damage(name, |bytes| bytes.truncate(72 + 54));
    assert_damaged(&disk, name, "a log that ends before the snapshot");
}

#[test]
fn a_foreign_snapshot_is_refused_unchanged_and_a_foreign_proof_is_a_bug() {
    let (disk, stored) = uncut();
    let used = disk.used();
    for (cluster, replica) in [(cluster(2), me(1)), (cluster(1), me(2))] {
        let error = Log::open(disk.clone(), cluster, replica).err().unwrap();
        assert!(matches!(error, LogError::Foreign { .. }), "{error}");
        let (mut log, _) = Log::open(MemDisk::new(), cluster, replica).unwrap();
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| log.cut(&stored))).is_err());
    }
    assert_eq!(disk.used(), used);
}

#[test]
fn a_flipped_bit_is_found_or_was_not_needed() {
    let (mut refused, mut unneeded) = (0, 0);
    for seed in 0..300 {
        let (disk, _) = uncut();
        let name = disk.flip_bit(seed).unwrap();
        match open_all(&disk) {
            Err(error) => {
                assert!(error.to_string().contains(&name), "seed {seed}: {error}");
                refused += 1;
            }
            Ok((_, opened)) => {
                assert!(name < format!("{:020}", 15), "seed {seed}: {name}");
                assert_eq!(opened.records, (15..18).map(record).collect::<Vec<_>>(), "seed {seed}");
                unneeded += 1;
            }
        }
    }
    assert!(refused > 50 && unneeded > 50, "{refused} refused, {unneeded} unneeded");
    assert!(MemDisk::new().flip_bit(1).is_none());
    let (disk, _) = uncut();
    disk.wipe();
    disk.crash(1);
    assert_eq!((disk.clone().list().unwrap().len(), disk.used()), (0, 0));
    assert!(open(&disk).unwrap().1.is_empty());
}
