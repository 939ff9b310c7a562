//! Writes a replica's states to disk on a thread of their own, while the log goes on.
#![forbid(unsafe_code)]

use super::inbox::Lane;
use crate::codec::ClusterId;
use crate::quorum::ReplicaId;
use crate::replica::StateFile;
use crate::storage::{Disk, LogError, Position, SnapshotWriter, Stored};
use std::io;

/// A state that was written, or why it could not be.
pub(super) struct Written {
    pub round: u64,
    pub result: Result<Stored, LogError>,
}

/// Where states go.
pub(super) struct Store<D, T> {
    pub disk: D,
    pub cluster: ClusterId,
    pub me: ReplicaId,
    /// Takes what became of it.
    pub lane: Lane<T>,
}

impl<D: Disk + Clone + Send + 'static, T: From<Written> + Send + 'static> Store<D, T> {
    /// Begins to write the state that stands for the log up to `at`. The replica gives out one at a time.
    pub fn begin(&self, file: StateFile, at: Position) -> io::Result<()> {
        let (disk, cluster, me, lane) = (self.disk.clone(), self.cluster, self.me, self.lane.clone());
        std::thread::Builder::new().name("store".into()).spawn(move || {
            let round = file.round();
            let result = write(disk, cluster, me, at, file);
            // Nobody takes it only when the process ends.
            let _ = lane.put_blocking(Written { round, result }.into());
        })?;
        Ok(())
    }
}

fn write<D: Disk>(
    disk: D,
    cluster: ClusterId,
    me: ReplicaId,
    at: Position,
    mut file: StateFile,
) -> Result<Stored, LogError> {
    let mut writer = SnapshotWriter::begin(disk, cluster, me, at)?;
    file.try_for_each(|record| writer.write(&record))?;
    writer.finish()
}
