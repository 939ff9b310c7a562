//! Memory: what others can make a replica keep stays within `limits`, whatever they send.
use crate::limits::{
    LOG_SEGMENT_BYTES, MAX_EARLY_SHARES_PER_PEER, MAX_PENDING_CLIENTS, MAX_PENDING_REQUEST_BYTES,
    MAX_WAITING_BATCHES, MAX_WAITING_BYTES_PER_AUTHOR, MAX_WAITING_VERTICES_PER_AUTHOR,
};
use crate::replica::Status;

/// The most that correct replicas have kept.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Peaks {
    /// Vertices that waited for ancestors.
    pub waiting_vertices: usize,
    /// Bytes of requests that waited to enter a vertex.
    pub pending_bytes: usize,
    /// Signature shares that came before their jobs.
    pub early_shares: usize,
    /// Batches ordered that waited for signatures.
    pub waiting_batches: usize,
    /// Vertices accepted and not collected.
    pub vertices: usize,
    /// Finished signatures kept for others.
    pub finished_signatures: usize,
    /// States of checkpoints kept.
    pub held_states: usize,
    /// Bytes on a disk.
    pub disk_bytes: u64,
}

/// Rounds of which a replica that is level with the others holds vertices: 64 before the last certified checkpoint but one
/// (line), 64 to that one, as many to the next, in which votes for it come; 80 that are not decided or not voted for yet; and
/// what execution is behind the order before updates are refused.
const HELD_ROUNDS: usize = 3 * 64 + 80 + MAX_WAITING_BATCHES;
/// States of the last two certified checkpoints, and of those executed since.
const HELD_STATES: usize = 2 + 8;
/// Bytes on a disk while the state is small: the log until a state is stored (4 MiB), what comes until that is done, and
/// segments that hold something of it still.
const DISK_BYTES: u64 = 4 * 1024 * 1024 + 2 * LOG_SEGMENT_BYTES;

/// Looks at one replica and its disk. One that comes back holds what it had and what the others have.
pub fn check(status: &Status, disk_bytes: u64, comes_back: bool, peaks: &mut Peaks) -> Result<(), String> {
    let others = status.replicas - 1;
    // Corrupt replicas' vertices count twice: both of a slot may be linked.
    let vertices = (status.replicas + status.tolerated_faults) * HELD_ROUNDS * (1 + usize::from(comes_back));
    // Own requests have their whole room beside what is proposed again, a sixteenth of it for each author.
    let pending = MAX_PENDING_REQUEST_BYTES + status.replicas * (MAX_PENDING_REQUEST_BYTES / 16);
    let held = [
        ("waiting vertices", status.waiting_vertices, others * MAX_WAITING_VERTICES_PER_AUTHOR),
        ("bytes of waiting vertices for one author", status.waiting_bytes, MAX_WAITING_BYTES_PER_AUTHOR),
        ("bytes of pending requests", status.pending_bytes, pending),
        ("early shares", status.early_shares, others * MAX_EARLY_SHARES_PER_PEER),
        ("clients", status.clients, MAX_PENDING_CLIENTS),
        ("requests", status.pending_requests, MAX_PENDING_CLIENTS),
        ("vertices", status.vertices, vertices),
        ("states", status.held_states, HELD_STATES),
        ("bytes on disk", disk_bytes as usize, DISK_BYTES as usize),
    ];
    peaks.waiting_vertices = peaks.waiting_vertices.max(status.waiting_vertices);
    peaks.pending_bytes = peaks.pending_bytes.max(status.pending_bytes);
    peaks.early_shares = peaks.early_shares.max(status.early_shares);
    peaks.waiting_batches = peaks.waiting_batches.max(status.waiting_batches);
    peaks.vertices = peaks.vertices.max(status.vertices);
    peaks.finished_signatures = peaks.finished_signatures.max(status.finished_signatures);
    peaks.held_states = peaks.held_states.max(status.held_states);
    peaks.disk_bytes = peaks.disk_bytes.max(disk_bytes);
    match held.into_iter().find(|(_, found, most)| found > most) {
        None => Ok(()),
        Some((what, found, most)) => {
            Err(format!("bounds: replica {} keeps {found} {what}, of at most {most}", status.index))
        }
    }
}
