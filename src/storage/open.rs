//! Opening the log: finds the newest snapshot, reads the segments from its place on, and refuses what is damaged or
//! another's. Only when nothing is refused does it change the disk: it cuts a torn tail and removes what is stood for.

use super::format::{Binding, HEADER_BYTES, Kind, MARK, MARK_BYTES, PART};
use super::format::{SEGMENT, SNAPSHOT, named, position_in};
use super::log::Segment;
use super::reader::Reader;
use super::record::{HEAD_BYTES, MAX_BYTES, Place, was_synced_here};
use super::snapshot::{self, Snapshot};
use super::{Disk, LogError, TornTail};

/// What the disk held.
pub(super) struct Found {
    pub snapshot: Option<Snapshot>,
    /// From the snapshot's place on.
    pub records: Vec<Vec<u8>>,
    /// The position after the last record.
    pub end: u64,
    /// The segments with these records; the last is the one to go on with. None: the log is new.
    pub segments: Vec<Segment>,
    pub torn: Option<TornTail>,
}

/// The positions in the names of the files of each kind, ascending.
struct Names {
    segments: Vec<u64>,
    marks: Vec<u64>,
    snapshots: Vec<u64>,
    parts: Vec<u64>,
}

pub(super) fn open<D: Disk>(disk: &mut D, binding: &Binding) -> Result<Found, LogError> {
    let names = Names::list(disk)?;
    let snapshot = names.snapshots.last().map(|&at| snapshot::read(disk, binding, at)).transpose()?;
    let start = snapshot.as_ref().map_or(0, |s| s.at.0);
    let unborn = find_unborn(disk, binding, &names)?;
    let segments = &names.segments[..names.segments.len() - usize::from(unborn.is_some())];
    refuse_lost_segments(disk, binding, &names)?;

    let first = segments.partition_point(|first| *first <= start).saturating_sub(1);
    let needed = &segments[first..];
    let mut found = Found { snapshot, records: Vec::new(), end: start, segments: Vec::new(), torn: None };
    if let Some(&first) = needed.first() {
        if first > start {
            let reason = "the log begins here, and what stood before it is missing";
            return Err(LogError::damaged(&named(first, SEGMENT), 0, reason));
        }
        found.end = first;
    }
    for (index, &first) in needed.iter().enumerate() {
        // What comes after a segment was begun when the segment had been synced: nothing in it may be missing.
        let is_last = index + 1 == needed.len() && unborn.is_none();
        let synced = if is_last { Some(known_synced(disk, binding, &names, first)?) } else { None };
        read_segment(disk, binding, first, synced, start, &mut found)?;
    }
    // Here or at a record that fails its checksum: it had been synced.
    if found.end < start {
        let (file, bytes) = found.segments.last().map_or((0, 0), |s| (s.first, s.bytes));
        let reason = "the log ends here, though a snapshot stands for more records that had been synced";
        return Err(LogError::damaged(&named(file, SEGMENT), bytes, reason));
    }
    if let Some(unborn) = unborn {
        refuse_gap(unborn.first, found.end)?;
        found.torn = Some(TornTail { file: named(unborn.first, SEGMENT), offset: 0, bytes: unborn.bytes });
    }
    tidy(disk, &names, &found)?;
    Ok(found)
}

/// Reads one segment into `found`. `synced`: how much of it the marks say had been synced; `None`: all of it was.
/// Records before `start` are checked and not kept.
fn read_segment<D: Disk>(
    disk: &mut D,
    binding: &Binding,
    first: u64,
    synced: Option<u64>,
    start: u64,
    found: &mut Found,
) -> Result<(), LogError> {
    refuse_gap(first, found.end)?;
    let name = named(first, SEGMENT);
    let mut reader = Reader::new(disk, &name)?;
    let synced = synced.unwrap_or(reader.length());
    binding.check_header(Kind::Segment, &name, first, reader.peek(HEADER_BYTES)?)?;
    reader.skip(HEADER_BYTES);
    let damaged = |offset: u64, reason: &str| Err(LogError::damaged(&name, offset, reason));
    let mut end = reader.offset();
    while end < reader.length() {
        let place = Place { first, offset: end, position: found.end };
        match binding.parse_record(place, reader.peek(MAX_BYTES)?) {
            Ok(payload) => {
                reader.skip(HEAD_BYTES + payload.len());
                if found.end >= start {
                    found.records.push(payload);
                }
                found.end += 1;
                end = reader.offset();
            }
            Err(reason) => {
                if end < synced || was_synced_here(binding, first, &mut reader)? {
                    return damaged(end, reason);
                }
                found.torn = Some(TornTail { file: name.clone(), offset: end, bytes: reader.length() - end });
                break;
            }
        }
    }
    if end < synced {
        return damaged(end, "the file ends here, though more had been synced");
    }
    found.segments.push(Segment { first, bytes: end });
    Ok(())
}

/// The last segment, if a crash cut off its making, so that it never held a record: its header is synced before any
/// record and before the first mark. A snapshot, or a later place than 0, says that there was another one before.
fn find_unborn<D: Disk>(disk: &mut D, binding: &Binding, names: &Names) -> Result<Option<Segment>, LogError> {
    let Some(&first) = names.segments.last() else { return Ok(None) };
    let may_be_alone = names.snapshots.is_empty() && first == 0;
    let name = named(first, SEGMENT);
    let mut reader = Reader::new(disk, &name)?;
    let bytes = reader.length();
    if bytes > HEADER_BYTES as u64 || (names.segments.len() == 1 && !may_be_alone) {
        return Ok(None);
    }
    let header = binding.check_header(Kind::Segment, &name, first, reader.peek(HEADER_BYTES)?);
    let torn = matches!(header, Err(LogError::Damaged { offset: 0, .. }));
    let unborn = torn && known_synced(disk, binding, names, first)? == 0;
    Ok(unborn.then_some(Segment { first, bytes }))
}

/// A snapshot or a mark tells of segments that are not there.
fn refuse_lost_segments<D: Disk>(disk: &mut D, binding: &Binding, names: &Names) -> Result<(), LogError> {
    let gone = |file: String| LogError::damaged(&file, 0, "there was a log here, and its segments are gone");
    let Some(&last) = names.segments.last() else {
        let mark = names.marks.first().map(|&first| named(first, MARK));
        let told = mark.or_else(|| names.snapshots.first().map(|&at| named(at, SNAPSHOT)));
        return told.map_or(Ok(()), |file| Err(gone(file)));
    };
    for &first in names.marks.iter().filter(|first| **first > last) {
        if known_synced(disk, binding, names, first)? > 0 {
            return Err(gone(named(first, MARK)));
        }
    }
    Ok(())
}

fn refuse_gap(first: u64, end: u64) -> Result<(), LogError> {
    let reason = "the segment before it is missing, or shorter than it was";
    if first == end { Ok(()) } else { Err(LogError::damaged(&named(first, SEGMENT), 0, reason)) }
}

/// How far the segment is known to be synced, by its mark file; 0 if that tells nothing.
fn known_synced<D: Disk>(
    disk: &mut D,
    binding: &Binding,
    names: &Names,
    first: u64,
) -> Result<u64, LogError> {
    if !names.marks.contains(&first) {
        return Ok(0);
    }
    let name = named(first, MARK);
    let mut reader = Reader::new(disk, &name)?;
    let mut greatest = 0;
    while let Some(entry) = reader.peek(MARK_BYTES)?.first_chunk::<MARK_BYTES>() {
        greatest = binding.parse_mark(first, entry).unwrap_or(0).max(greatest);
        reader.skip(MARK_BYTES);
    }
    Ok(greatest)
}

/// Leaves of the log's files only what was found, without a torn tail, and an empty mark file.
fn tidy<D: Disk>(disk: &mut D, names: &Names, found: &Found) -> Result<(), LogError> {
    let last = found.segments.last();
    let stale = |all: &[u64], suffix: &str, keep: &dyn Fn(u64) -> bool| -> Vec<String> {
        all.iter().filter(|position| !keep(**position)).map(|position| named(*position, suffix)).collect()
    };
    // A mark must not outlive its segment: it would tell of a log that is gone.
    let mut doomed = stale(&names.marks, MARK, &|first| last.is_some_and(|l| l.first == first));
    doomed.extend(stale(&names.segments, SEGMENT, &|first| found.segments.iter().any(|s| s.first == first)));
    doomed.extend(stale(&names.snapshots, SNAPSHOT, &|at| {
        found.snapshot.as_ref().is_some_and(|s| s.at.0 == at)
    }));
    doomed.extend(stale(&names.parts, PART, &|_| false));
    if !doomed.is_empty() {
        let synced = |disk: &mut D| {
            disk.sync_directory().map_err(|e| LogError::io("syncing", "the data directory", e))
        };
        // The snapshot's name lasts before that goes for which it stands.
        synced(disk)?;
        for name in &doomed {
            disk.remove(name).map_err(|e| LogError::io("removing", name, e))?;
        }
        // A segment must not come back after records of its positions went into the one before it.
        synced(disk)?;
    }
    let Some(last) = last else { return Ok(()) };
    let name = named(last.first, SEGMENT);
    if found.torn.as_ref().is_some_and(|torn| torn.file == name) {
        disk.truncate(&name, last.bytes).map_err(|e| LogError::io("cutting", &name, e))?;
    }
    let mark = named(last.first, MARK);
    let renewed =
        if names.marks.contains(&last.first) { disk.truncate(&mark, 0) } else { disk.create(&mark) };
    renewed.map_err(|e| LogError::io("creating", &mark, e))
}

impl Names {
    fn list<D: Disk>(disk: &mut D) -> Result<Self, LogError> {
        let names = disk.list().map_err(|e| LogError::io("listing", "the data directory", e))?;
        let of = |suffix: &str| names.iter().filter_map(|name| position_in(name, suffix)).collect();
        // Twenty digits: the order of the names is that of the positions.
        Ok(Self { segments: of(SEGMENT), marks: of(MARK), snapshots: of(SNAPSHOT), parts: of(PART) })
    }
}
