use super::*;
use crate::codec::digest;

/// What a snapshot holds that stands for `records`: a digest of them, and some records more.
pub(super) fn state(records: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let fields: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    let count = records.len() as u64;
    let mut state = vec![digest("conclave/test", &fields).0.to_vec()];
    state.extend((0..count % 5).map(|index| record(count + index)));
    // Now and then more than the writer keeps in memory.
    state.extend((count % 64 == 63).then(|| vec![7; MAX_LOG_RECORD_BYTES]));
    state
}

fn begin(disk: &MemDisk, at: Position) -> Result<SnapshotWriter<MemDisk>, LogError> {
    SnapshotWriter::begin(disk.clone(), cluster(1), me(1), at)
}

pub(super) fn store(disk: &MemDisk, at: Position, state: &[Vec<u8>]) -> Result<Stored, LogError> {
    let mut writer = begin(disk, at)?;
    state.iter().try_for_each(|record| writer.write(record))?;
    writer.finish()
}

pub(super) fn files(disk: &MemDisk, suffix: &str) -> Vec<String> {
    disk.clone().list().unwrap().into_iter().filter(|name| name.ends_with(suffix)).collect()
}

/// What a log and its snapshots must hold.
#[derive(Default)]
struct Model {
    /// All records ever appended that may still come back.
    history: Vec<Vec<u8>>,
    next: u64,
    synced: usize,
    /// Proofs given, in order.
    stored: Vec<Stored>,
}

impl Model {
    fn next_record(&mut self) -> Vec<u8> {
        self.next += 1;
        self.history.push(record(self.next));
        record(self.next)
    }

    /// Opens: a snapshot at least as new as every proof, and the records since without a gap.
    fn reopen(&mut self, disk: &MemDisk, context: &str) -> Log<MemDisk> {
        let (log, opened) = open_all(disk).unwrap_or_else(|e| panic!("{context}: {e}"));
        let start = opened.snapshot.as_ref().map_or(0, |snapshot| snapshot.at.records() as usize);
        let promised = self.stored.iter().map(|stored| stored.at().records() as usize).max().unwrap_or(0);
        assert!(start >= promised, "{context}: the snapshot of {promised} is lost, {start} came");
        let end = start + opened.records.len();
        assert!(end >= self.synced, "{context}: {end} of {} synced", self.synced);
        assert!(end <= self.history.len(), "{context}: invented records");
        assert_eq!(opened.records, self.history[start..end], "{context}");
        if let Some(snapshot) = &opened.snapshot {
            assert_eq!(snapshot.records, state(&self.history[..start]), "{context}");
            let name = format!("{start:020}.snap");
            assert_eq!(snapshot.bytes, disk.clone().len(&name).unwrap(), "{context}");
        }
        assert_eq!(log.end().records() as usize, end, "{context}");
        assert_eq!(log.durable().upto(), log.end(), "{context}");
        let known = log.stored().map(|stored| (stored.at().records() as usize, stored.bytes()));
        assert_eq!(known, opened.snapshot.map(|snapshot| (start, snapshot.bytes)), "{context}");
        assert_eq!(log.bytes(), size(disk, ".log"), "{context}");
        assert!(files(disk, ".part").is_empty() && files(disk, ".mark").len() == 1, "{context}");
        assert_eq!(files(disk, ".snap").len(), usize::from(start > 0 || known.is_some()), "{context}");
        self.history.truncate(end);
        self.synced = end;
        self.stored = log.stored().copied().into_iter().collect();
        self.assert_bounded(&log, start, context);
        log
    }

    /// No more of the log than the records since, their segments' headers, and one segment.
    fn assert_bounded(&self, log: &Log<MemDisk>, start: usize, context: &str) {
        let since: usize = self.history[start..].iter().map(|r| r.len() + 48 + 72).sum();
        assert!(log.bytes() <= since as u64 + SEGMENT + 72, "{context}: {} bytes", log.bytes());
    }
}

fn size(disk: &MemDisk, suffix: &str) -> u64 {
    files(disk, suffix).iter().map(|name| disk.clone().len(name).unwrap()).sum()
}

/// A snapshot that is being written, and what is still to be written.
type Writing = Option<(SnapshotWriter<MemDisk>, std::vec::IntoIter<Vec<u8>>)>;

/// One piece of work on log or snapshots.
fn work(
    disk: &MemDisk,
    log: &mut Log<MemDisk>,
    model: &mut Model,
    writing: &mut Writing,
    chance: &mut Chance,
) -> Result<(), LogError> {
    match chance.below(12) {
        0 => log.sync().map(|_| ()),
        1 => log.flush(),
        2 => log.roll().map(|at| assert!(at == log.end() && log.durable().upto() == at)),
        3 | 4 if writing.is_none() => {
            let at = if chance.below(4) > 0 { log.roll()? } else { log.durable().upto() };
            let pieces = state(&model.history[..at.records() as usize]).into_iter();
            *writing = Some((begin(disk, at)?, pieces));
            Ok(())
        }
        3..=6 => match writing.take() {
            Some((mut writer, mut pieces)) => match pieces.next() {
                Some(piece) => {
                    writer.write(&piece)?;
                    *writing = Some((writer, pieces));
                    Ok(())
                }
                None => writer.finish().map(|stored| model.stored.push(stored)),
            },
            None => Ok(()),
        },
        7 => {
            let Some(&stored) = model.stored.get(chance.below(8) as usize) else { return Ok(()) };
            log.cut(&stored)?;
            model.assert_bounded(log, stored.at().records() as usize, "after a cut");
            assert_eq!(log.bytes() - log.buffer.len() as u64, size(disk, ".log"));
            assert!(
                !files(disk, ".snap").iter().any(|name| *name < format!("{:020}", stored.at().records()))
            );
            Ok(())
        }
        _ => log.append(&model.next_record()).map(|_| ()),
    }
}

enum Trouble {
    None,
    Failure,
    FullDisk,
}

fn work_and_compare(seed: u64, trouble: &Trouble) {
    let mut chance = Chance(seed);
    let disk = MemDisk::new();
    let mut model = Model::default();
    for round in 0..8 {
        let context = format!("seed {seed}, round {round}");
        let mut log = model.reopen(&disk, &context);
        match trouble {
            Trouble::None => {}
            Trouble::Failure => disk.fail_after(chance.below(50)),
            Trouble::FullDisk => disk.set_capacity(disk.used() + chance.below(12_000)),
        }
        let mut writing = None;
        for _ in 0..chance.below(90) {
            let done = work(&disk, &mut log, &mut model, &mut writing, &mut chance);
            model.synced = model.synced.max(log.durable().upto().records() as usize);
            if let Err(error) = done {
                assert!(!matches!(trouble, Trouble::None), "{context}: {error}");
                // A snapshot that fails is no failure of the log.
                if log.failed {
                    assert!(matches!(log.roll(), Err(LogError::FailedBefore)), "{context}");
                    break;
                }
            }
        }
        drop(log);
        if chance.below(2) == 0 {
            // The process is killed: nothing is tidied up.
            std::mem::forget(writing);
        }
        disk.set_capacity(u64::MAX);
        if chance.below(3) > 0 {
            disk.crash(chance.below(u64::MAX >> 34));
            // Opening that fails, and crashes again, is part of the work.
            disk.fail_after(chance.below(12));
            let _ = open_all(&disk);
            disk.crash(chance.below(u64::MAX >> 34));
        } else {
            disk.fail_after(u64::MAX);
        }
    }
}

#[test]
fn a_crash_at_any_point_leaves_a_snapshot_and_all_synced_records_since() {
    (0..1200).for_each(|seed| work_and_compare(seed, &Trouble::None));
}

#[test]
fn a_failure_of_any_disk_operation_leaves_a_snapshot_and_all_synced_records_since() {
    (0..1200).for_each(|seed| work_and_compare(seed, &Trouble::Failure));
}

#[test]
fn a_full_disk_leaves_a_snapshot_and_all_synced_records_since() {
    (0..600).for_each(|seed| work_and_compare(seed, &Trouble::FullDisk));
}

/// A log of which a snapshot is stored and what it stands for cut, twice.
fn cut_twice(disk: &MemDisk, model: &mut Model) -> Result<(), LogError> {
    let (mut log, _) = open_all(disk)?;
    for _ in 0..2 {
        for _ in 0..12 {
            log.append(&model.next_record())?;
        }
        let at = log.roll()?;
        model.synced = at.records() as usize;
        for _ in 0..3 {
            log.append(&model.next_record())?;
        }
        let stored = store(disk, at, &state(&model.history[..at.records() as usize]))?;
        model.stored.push(stored);
        log.cut(&stored)?;
        model.synced = log.sync()?.upto().records() as usize;
    }
    Ok(())
}

#[test]
fn a_crash_at_every_operation_of_storing_and_cutting_is_survived() {
    let mut operation = 0;
    loop {
        let mut through = false;
        for seed in 0..30 {
            let (disk, mut model) = (MemDisk::new(), Model::default());
            disk.fail_after(operation);
            through = cut_twice(&disk, &mut model).is_ok();
            disk.crash(seed);
            let mut log = model.reopen(&disk, &format!("operation {operation}, seed {seed}"));
            log.append(&model.next_record()).unwrap();
            model.synced = log.sync().unwrap().upto().records() as usize;
            drop(log);
            model.reopen(&disk, &format!("operation {operation}, seed {seed}, again"));
        }
        if through {
            assert!(operation > 50, "{operation} operations");
            return;
        }
        operation += 1;
    }
}

#[test]
fn positions_go_on_over_many_cuts_and_the_disk_holds_no_more_than_it_needs() {
    let (disk, mut model) = (MemDisk::new(), Model::default());
    for round in 0..40 {
        cut_twice(&disk, &mut model).unwrap();
        assert_eq!(files(&disk, ".snap").len(), 1);
        assert_eq!(files(&disk, ".log").len(), 1);
        assert!(size(&disk, ".log") <= 3 * 960 + 72, "round {round}: {} bytes", size(&disk, ".log"));
        let log = model.reopen(&disk, &format!("round {round}"));
        assert_eq!(log.end().records(), 30 * (round + 1));
    }
}

#[test]
fn a_segment_is_begun_once_however_often_the_log_is_rolled() {
    let disk = full(3);
    let (mut log, _) = open(&disk).unwrap();
    let at = log.roll().unwrap();
    assert_eq!((at, log.roll().unwrap(), files(&disk, ".log").len()), (log.end(), at, 2));
    drop(log);
    let (mut log, records) = open(&disk).unwrap();
    assert_eq!((log.roll().unwrap(), records.len(), files(&disk, ".log").len()), (at, 3, 2));
}

#[test]
fn an_unfinished_snapshot_does_not_count_and_leaves_nothing() {
    let disk = full(5);
    let (mut log, _) = open(&disk).unwrap();
    let at = log.roll().unwrap();
    let mut writer = begin(&disk, at).unwrap();
    assert!(matches!(writer.write(&vec![0; MAX_LOG_RECORD_BYTES + 1]), Err(LogError::TooLong { .. })));
    writer.write(&vec![0; MAX_LOG_RECORD_BYTES]).unwrap();
    assert_eq!(size(&disk, ".part"), MAX_LOG_RECORD_BYTES as u64 + 92);
    drop(writer);
    assert!(files(&disk, ".part").is_empty());
    std::mem::forget(begin(&disk, at).unwrap());
    drop(log);
    assert_eq!(open(&disk).unwrap().1.len(), 5);
    assert!(files(&disk, ".part").is_empty());
}

#[test]
fn of_two_writers_none_finishes_what_the_other_has_begun() {
    let disk = full(5);
    let at = open(&disk).unwrap().0.roll().unwrap();
    let mut first = begin(&disk, at).unwrap();
    first.write(b"first").unwrap();
    let mut second = begin(&disk, at).unwrap();
    second.write(&vec![2; MAX_LOG_RECORD_BYTES]).unwrap();
    assert!(first.finish().is_err());
    assert!(second.finish().is_err());
    assert!(files(&disk, ".snap").is_empty());
    let stored = store(&disk, at, &state(&[])).unwrap();
    assert_eq!(store(&disk, at, &state(&[])).unwrap(), stored, "the same place again");
    assert_eq!(open_all(&disk).unwrap().1.snapshot.unwrap().at, at);
}
