//! Memory: what others can make a replica keep stays within `limits`, whatever they send.
use crate::limits::{
    MAX_EARLY_SHARES_PER_PEER, MAX_PENDING_CLIENTS, MAX_PENDING_REQUEST_BYTES, MAX_WAITING_BYTES_PER_AUTHOR,
    MAX_WAITING_VERTICES_PER_AUTHOR,
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
}

/// Looks at one replica.
pub fn check(status: &Status, peaks: &mut Peaks) -> Result<(), String> {
    let others = status.replicas - 1;
    // Own requests have their whole room beside what is proposed again, a sixteenth of it for each author.
    let pending = MAX_PENDING_REQUEST_BYTES + status.replicas * (MAX_PENDING_REQUEST_BYTES / 16);
    let held = [
        ("waiting vertices", status.waiting_vertices, others * MAX_WAITING_VERTICES_PER_AUTHOR),
        ("bytes of waiting vertices for one author", status.waiting_bytes, MAX_WAITING_BYTES_PER_AUTHOR),
        ("bytes of pending requests", status.pending_bytes, pending),
        ("early shares", status.early_shares, others * MAX_EARLY_SHARES_PER_PEER),
        ("clients", status.clients, MAX_PENDING_CLIENTS),
        ("requests", status.pending_requests, MAX_PENDING_CLIENTS),
    ];
    peaks.waiting_vertices = peaks.waiting_vertices.max(status.waiting_vertices);
    peaks.pending_bytes = peaks.pending_bytes.max(status.pending_bytes);
    peaks.early_shares = peaks.early_shares.max(status.early_shares);
    peaks.waiting_batches = peaks.waiting_batches.max(status.waiting_batches);
    match held.into_iter().find(|(_, found, most)| found > most) {
        None => Ok(()),
        Some((what, found, most)) => {
            Err(format!("bounds: replica {} keeps {found} {what}, of at most {most}", status.index))
        }
    }
}
