//! Opening the log: reads every segment, cuts a torn tail, and refuses what is damaged or another's.

use super::format::{Binding, HEADER_BYTES, Header, RECORD_HEAD_BYTES};
use super::log::Segment;
use super::{Disk, LogError, TornTail};

/// What the disk held.
pub(super) struct Opened {
    pub records: Vec<Vec<u8>>,
    /// The segment to go on with; `None`: there is none yet.
    pub last: Option<Segment>,
    pub torn: Option<TornTail>,
}

pub(super) fn open<D: Disk>(disk: &mut D, binding: &Binding) -> Result<Opened, LogError> {
    let names = disk.list().map_err(|e| LogError::io("listing", "the data directory", e))?;
    let mut firsts: Vec<u64> = names.iter().filter_map(|n| Binding::parse_segment_name(n)).collect();
    firsts.sort_unstable();
    let mut opened = Opened { records: Vec::new(), last: None, torn: None };
    for (index, &first) in firsts.iter().enumerate() {
        let is_last = index + 1 == firsts.len();
        read_segment(disk, binding, first, is_last, &mut opened)?;
    }
    if firsts.is_empty() {
        refuse_lost_segments(&names)?;
    }
    Ok(opened)
}

/// Reads one segment into `opened`. Segments before the last were synced before the next was begun: nothing in them
/// may be missing. In the last one a tail beyond the last known sync may be.
fn read_segment<D: Disk>(
    disk: &mut D,
    binding: &Binding,
    first: u64,
    is_last: bool,
    opened: &mut Opened,
) -> Result<(), LogError> {
    let name = Binding::segment_name(first);
    let damaged = |offset: usize, reason: &str| LogError::damaged(&name, offset as u64, reason);
    if first != opened.records.len() as u64 {
        return Err(damaged(0, "the segment before it is missing, or shorter than it was"));
    }
    let bytes = read_file(disk, &name)?;
    let synced = if is_last { known_synced(disk, binding, first)? } else { bytes.len() as u64 };
    match binding.parse_header(&bytes) {
        Some(Header::Ours { first: stated }) if stated == first => {}
        Some(Header::Ours { .. }) => return Err(damaged(48, "the file has been renamed")),
        Some(Header::Version(version)) => return Err(LogError::Version { file: name, version }),
        Some(Header::OtherCluster(other)) => {
            return Err(LogError::Foreign { file: name, whose: format!("cluster {}", other.0.to_hex()) });
        }
        Some(Header::OtherReplica(other)) => {
            return Err(LogError::Foreign { file: name, whose: format!("replica {other}") });
        }
        // The header is synced before any record and before the first mark: only a shorter file can be torn.
        None if is_last && synced == 0 && bytes.len() <= HEADER_BYTES => {
            return discard_unborn(disk, first, bytes.len(), opened);
        }
        None => return Err(damaged(0, "the header does not fit its checksum")),
    }
    let mut offset = HEADER_BYTES;
    while offset < bytes.len() {
        match binding.parse_record(opened.records.len() as u64, &bytes[offset..]) {
            Ok(payload) => {
                opened.records.push(payload.to_vec());
                offset += RECORD_HEAD_BYTES + payload.len();
            }
            Err(reason) if (offset as u64) < synced => return Err(damaged(offset, reason)),
            Err(_) => break,
        }
    }
    if (offset as u64) < synced {
        return Err(damaged(offset, "the file ends here, though more had been synced"));
    }
    if offset < bytes.len() {
        cut(disk, &name, offset, bytes.len(), opened)?;
    }
    if is_last {
        renew_marks(disk, first)?;
    }
    opened.last = Some(Segment { first, bytes: offset as u64 });
    Ok(())
}

/// A segment whose making was cut off by a crash: it never held a record.
fn discard_unborn<D: Disk>(
    disk: &mut D,
    first: u64,
    length: usize,
    opened: &mut Opened,
) -> Result<(), LogError> {
    let mark = Binding::mark_name(first);
    let names = disk.list().map_err(|e| LogError::io("listing", "the data directory", e))?;
    if names.contains(&mark) {
        disk.remove(&mark).map_err(|e| LogError::io("removing", &mark, e))?;
    }
    let name = Binding::segment_name(first);
    // It must not come back after records of its positions went into the segment before it.
    let removed = disk.remove(&name).and_then(|()| disk.sync_directory());
    removed.map_err(|e| LogError::io("removing", &name, e))?;
    opened.torn = Some(TornTail { file: name, offset: 0, bytes: length as u64 });
    match &opened.last {
        Some(previous) => renew_marks(disk, previous.first),
        None => Ok(()),
    }
}

fn cut<D: Disk>(
    disk: &mut D,
    name: &str,
    offset: usize,
    length: usize,
    opened: &mut Opened,
) -> Result<(), LogError> {
    disk.truncate(name, offset as u64).map_err(|e| LogError::io("cutting", name, e))?;
    opened.torn =
        Some(TornTail { file: name.to_owned(), offset: offset as u64, bytes: (length - offset) as u64 });
    Ok(())
}

/// How far the segment is known to be synced, by its mark file; 0 if that is not known.
fn known_synced<D: Disk>(disk: &mut D, binding: &Binding, first: u64) -> Result<u64, LogError> {
    let mark = Binding::mark_name(first);
    let names = disk.list().map_err(|e| LogError::io("listing", "the data directory", e))?;
    if !names.contains(&mark) {
        return Ok(0);
    }
    Ok(binding.parse_marks(first, &read_file(disk, &mark)?))
}

/// Begins an empty mark file, in the place of the old one if there is one.
pub(super) fn renew_marks<D: Disk>(disk: &mut D, first: u64) -> Result<(), LogError> {
    let mark = Binding::mark_name(first);
    let names = disk.list().map_err(|e| LogError::io("listing", "the data directory", e))?;
    let renewed = if names.contains(&mark) { disk.truncate(&mark, 0) } else { disk.create(&mark) };
    renewed.map_err(|e| LogError::io("creating", &mark, e))
}

fn refuse_lost_segments(names: &[String]) -> Result<(), LogError> {
    match names.iter().find(|name| name.ends_with(".mark")) {
        Some(mark) => Err(LogError::damaged(mark, 0, "there was a log here, and its segments are gone")),
        None => Ok(()),
    }
}

fn read_file<D: Disk>(disk: &mut D, name: &str) -> Result<Vec<u8>, LogError> {
    let reading = |e| LogError::io("reading", name, e);
    let length = disk.len(name).map_err(reading)?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    let mut filled = 0;
    while filled < bytes.len() {
        let count = disk.read_at(name, filled as u64, &mut bytes[filled..]).map_err(reading)?;
        if count == 0 {
            break;
        }
        filled += count;
    }
    bytes.truncate(filled);
    Ok(bytes)
}
