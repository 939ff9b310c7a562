//! The machine: stub.
use super::*;
use crate::codec::{Digest, JobId};
use crate::dns::Name;
use crate::time::UnixMillis;
use std::fmt;
use std::sync::Arc;

/// The state machine of all zones.
pub struct Machine {}

/// Why the machine cannot start from what it is given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MachineError {
    /// The zone.
    pub zone: Name,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for MachineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "zone {}: {}", self.zone, self.reason)
    }
}

impl std::error::Error for MachineError {}

impl Machine {
    /// Takes the zones as they are before genesis; refuses what is not a zone.
    pub fn new(genesis: Genesis) -> Result<Self, MachineError> {
        let _ = genesis;
        todo!()
    }
    /// Executes one batch.
    pub fn execute(&mut self, batch: &Batch<'_>) -> Executed {
        let _ = batch;
        todo!()
    }
    /// Takes a finished signature.
    pub fn signed(&mut self, job: JobId, signature: &[u8]) -> Signed {
        let _ = (job, signature);
        todo!()
    }
    /// The jobs whose signatures are lacking.
    pub fn pending_jobs(&self) -> Vec<Job> {
        todo!()
    }
    /// The newest published version of the zone with this origin.
    pub fn view(&self, origin: &Name) -> Option<Arc<View>> {
        let _ = origin;
        todo!()
    }
    /// The number of that version, 0 before the first.
    pub fn version(&self, origin: &Name) -> u64 {
        let _ = origin;
        todo!()
    }
    /// The rules of the deepest zone that encloses `name`.
    pub fn zone_of(&self, name: &Name) -> Option<&ZoneRules> {
        let _ = name;
        todo!()
    }
    /// The digest of the executed state.
    pub fn digest(&self) -> Digest {
        todo!()
    }
    /// What is to be proposed to the order, by the local clock.
    pub fn due(&self, now: UnixMillis) -> Vec<Request> {
        let _ = now;
        todo!()
    }
    /// Versions and signatures that failed their check, since the start.
    pub fn publish_failures(&self) -> u64 {
        todo!()
    }
}
