//! What replicas certify of the state after a batch: a list of chunks, each with count, octets and digest, and the little
//! that is in no chunk. See [`super::snapshot`] for the whole.

use super::planned::BatchJobs;
use super::rules::Genesis;
use crate::codec::{self, ClusterId, Digest, Epoch};
use crate::dns::Name;
use crate::limits::{MAX_MANIFEST_BYTES, MAX_ZONES, PIPELINE_BATCHES};
use crate::time::AgreedTime;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeSet;

/// Chunks of elements: an element is in the one that the first octet of a hash of its key names.
pub(super) const BUCKETS: usize = 256;

/// The state after a batch, in brief; what it does not list itself is in the chunks that it commits to.
///
/// At most [`MAX_MANIFEST_BYTES`] encoded. Chunks are numbered: first the charters and keys of the zones, then the jobs of each
/// of the last [`PIPELINE_BATCHES`] batches, oldest first, then 256 buckets of elements.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Manifest {
    pub(super) cluster: ClusterId,
    pub(super) epoch: Epoch,
    pub(super) time: AgreedTime,
    pub(super) batches: u64,
    /// In canonical order of their origins.
    pub(super) zones: Vec<ZoneState>,
    /// The charters and keys of the zones after genesis.
    pub(super) keys: Commitment,
    pub(super) planned: Vec<Commitment>,
    pub(super) buckets: Vec<Commitment>,
}

/// What execution needs of a zone besides its RRsets.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct ZoneState {
    /// In lower case.
    pub(super) origin: Name,
    pub(super) started: bool,
    pub(super) version: u64,
}

/// A chunk: how many elements, octets of all of them, digest.
#[derive(Clone, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub(super) struct Commitment {
    pub(super) count: u64,
    pub(super) bytes: u64,
    pub(super) digest: Digest,
}

impl Manifest {
    /// What is certified.
    pub fn digest(&self) -> Digest {
        codec::digest("conclave/manifest", &[&codec::encode(self)])
    }

    /// How many chunks there are, empty ones too.
    pub fn chunks(&self) -> u32 {
        (1 + self.planned.len() + self.buckets.len()) as u32
    }

    /// Batches executed so far.
    pub fn batches(&self) -> u64 {
        self.batches
    }

    /// The agreed time of the last of them.
    pub fn time(&self) -> AgreedTime {
        self.time
    }

    /// Octets of all elements, signatures not counted.
    pub fn bytes(&self) -> u64 {
        self.commitments().fold(0, |sum, chunk| sum.saturating_add(chunk.bytes))
    }

    pub(super) fn commitments(&self) -> impl Iterator<Item = &Commitment> {
        std::iter::once(&self.keys).chain(&self.planned).chain(&self.buckets)
    }

    pub(super) fn commitment(&self, chunk: u32) -> Option<&Commitment> {
        self.commitments().nth(chunk as usize)
    }

    /// Whether it is of this cluster and this epoch.
    pub fn is_of(&self, genesis: &Genesis) -> bool {
        (self.cluster, self.epoch) == (genesis.cluster, genesis.epoch)
    }

    /// Whether it can be of this cluster at all: its zones, its numbers. That it is true is for a certificate to say.
    pub fn check(&self, genesis: &Genesis) -> Result<(), String> {
        if !self.is_of(genesis) {
            return Err("the manifest is another cluster's, or another epoch's".into());
        }
        let rises = self.zones.windows(2).all(|pair| pair[0].origin < pair[1].origin);
        let is_lower = |zone: &ZoneState| zone.origin.wire() == zone.origin.to_lowercase().wire();
        if !rises || self.zones.is_empty() || self.zones.len() > MAX_ZONES || !self.zones.iter().all(is_lower)
        {
            return Err("these cannot be the zones of a state".into());
        }
        // What has begun the state has whole; what has not is as it was given.
        let given: BTreeSet<&Name> = genesis.zones.iter().map(|(rules, _)| &rules.origin).collect();
        if let Some(zone) = self.zones.iter().find(|zone| !zone.started && !given.contains(&zone.origin)) {
            return Err(format!("zone {} has not begun, and this cluster was given none", zone.origin));
        }
        // So that counting on from there cannot overflow.
        if self.batches >= 1 << 62 {
            return Err("the manifest counts too many batches".into());
        }
        let is_possible = |zone: &ZoneState| match zone.started {
            true => (1..=self.batches).contains(&zone.version),
            false => zone.version == 0,
        };
        if let Some(zone) = self.zones.iter().find(|zone| !is_possible(zone)) {
            return Err(format!("version {} of zone {} cannot be", zone.version, zone.origin));
        }
        let planned = self.batches.min(PIPELINE_BATCHES) as usize;
        if self.planned.len() != planned || self.buckets.len() != BUCKETS {
            return Err("the manifest has another number of chunks".into());
        }
        let (no_job, no_element) = (BatchJobs::restored(Vec::new()), Commitment::default());
        let is_empty = |chunk: &Commitment, empty| (chunk.count == 0) == (chunk == empty);
        if !self.planned.iter().all(|chunk| is_empty(chunk, no_job.commitment()))
            || !self.buckets.iter().all(|chunk| is_empty(chunk, &no_element))
            || self.keys.count != self.zones.iter().filter(|zone| zone.started).count() as u64
            || !is_empty(&self.keys, &no_element)
            || self.commitments().any(|chunk| chunk.count > chunk.bytes)
        {
            return Err("a chunk of the manifest has a count that cannot be".into());
        }
        if self.commitments().try_fold(0u64, |sum, chunk| sum.checked_add(chunk.bytes)).is_none() {
            return Err("the manifest counts too many octets".into());
        }
        if codec::encode(self).len() > MAX_MANIFEST_BYTES {
            return Err("the manifest is too long".into());
        }
        Ok(())
    }
}
