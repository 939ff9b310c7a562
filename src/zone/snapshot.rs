//! The state after a batch: to be certified, kept for a while, written down, and handed on piece by piece.
//!
//! A state is everything that execution depends on. Its **elements** are the RRsets of all zones after genesis, each with
//! the time at which its signature was planned, the answers remembered against replay, and what is registered. They lie in
//! 256 **buckets**, by a hash of their keys. The [`Manifest`] lists agreed time, the number of batches, each zone's version, and each bucket's
//! count, octets and digest; so a bucket is a **chunk** that can be checked alone, with no more memory than is certified.
//! The signing jobs of each of the last batches ([`super::planned`]) make one more chunk a batch; these come first.
//!
//! Pieces stand in a chunk in strictly ascending order: of job ids; of zone, owner and type in canonical order, then the
//! answers by the octets of their keys, then the entries by their labels. Signatures travel beside the elements and are in no digest, so replicas have the
//! same manifest and elements after the same batches whatever is signed by then; a signature that arrives later shows in
//! snapshots taken before.
//!
//! A snapshot costs as much as compressing the sums of the buckets that changed since the last. It holds on to what the
//! machine has replaced since. The first look at a bucket walks the whole state once, to list the owners by bucket.

use super::element::{self, PlannedJob};
use super::machine::Machine;
use super::manifest::{BUCKETS, Manifest, ZoneState};
use super::planned::LastBatches;
use super::register::{Label, Register};
use super::replay::Answers;
use super::view::{Key, SignedRrset, View};
use crate::codec::{self, Digest};
use crate::dns::Name;
use borsh::{BorshDeserialize, BorshSerialize};
use std::sync::{Arc, OnceLock};

/// One element of the state, and the finished signature that goes with it. At most [`crate::limits::MAX_PIECE_BYTES`]
/// encoded.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Piece {
    /// The element in its canonical bytes: what the manifest commits to.
    pub element: Vec<u8>,
    /// The RSA signature over the element's RRset; empty where none is planned, or none is there yet. The manifest does not
    /// commit to it: it can be verified alone.
    pub signature: Vec<u8>,
}

impl Piece {
    /// Octets of the encoding.
    pub fn bytes(&self) -> usize {
        4 + self.element.len() + 4 + self.signature.len()
    }
}

/// Everything that execution depends on after a batch. Immutable; shares its parts with the machine.
#[derive(Clone)]
pub struct Snapshot(Arc<State>);

struct State {
    manifest: Manifest,
    /// Those after genesis; the origin in lower case.
    zones: Vec<(Name, View)>,
    answers: Answers,
    register: Register,
    last_batches: LastBatches,
    index: OnceLock<Vec<Bucket>>,
}

/// What is in one bucket, in order.
#[derive(Default)]
struct Bucket {
    /// The zone's place among the zones, the index of the owner's first piece, the owner.
    owners: Vec<(u32, u32, Key)>,
    /// The pieces of all owners.
    rrsets: u32,
    answers: Vec<Digest>,
    entries: Vec<Label>,
}

impl Machine {
    /// The state as it is now.
    pub fn snapshot(&self) -> Snapshot {
        let started = self.zones.iter().filter(|(_, ledger)| ledger.started);
        Snapshot(Arc::new(State {
            manifest: self.manifest(),
            zones: started.map(|(origin, ledger)| (origin.to_lowercase(), ledger.head.clone())).collect(),
            answers: self.replay.answers().clone(),
            register: self.register.clone(),
            last_batches: self.last_batches.clone(),
            index: OnceLock::new(),
        }))
    }

    /// Batches executed so far.
    pub fn batches(&self) -> u64 {
        self.batches
    }

    /// The digest of the executed state, its manifest's: on all replicas the same after the same batch, whatever is signed
    /// by then. It costs no more in a large zone.
    pub fn digest(&self) -> Digest {
        self.manifest().digest()
    }

    fn manifest(&self) -> Manifest {
        let zones = self.zones.iter().map(|(origin, ledger)| ZoneState {
            origin: origin.to_lowercase(),
            started: ledger.started,
            version: ledger.version,
        });
        Manifest {
            cluster: self.realm.cluster,
            epoch: self.realm.epoch,
            time: self.time,
            batches: self.batches,
            zones: zones.collect(),
            planned: self.last_batches.iter().map(|batch| batch.commitment().clone()).collect(),
            buckets: self.tally.commitments(),
        }
    }

    /// [`Machine::digest`], from the elements alone.
    #[cfg(test)]
    pub(super) fn recomputed_digest(&self) -> Digest {
        let snapshot = self.snapshot();
        let mut manifest = snapshot.manifest();
        let jobs = manifest.planned.len() as u32;
        for (chunk, bucket) in (jobs..).zip(&mut manifest.buckets) {
            let mut recomputed = super::digest::SetDigest::default();
            for piece in snapshot.pieces(chunk, 0, usize::MAX).0 {
                recomputed.insert(&piece.element);
            }
            *bucket = recomputed.commitment();
        }
        manifest.digest()
    }
}

impl Snapshot {
    /// What it is, in brief.
    pub fn manifest(&self) -> Manifest {
        self.0.manifest.clone()
    }

    /// Pieces of a chunk from index `from` on, up to `max_bytes` encoded but at least one; and whether the chunk ends there.
    pub fn pieces(&self, chunk: u32, from: u32, max_bytes: usize) -> (Vec<Piece>, bool) {
        let (chunk, jobs) = (chunk as usize, self.0.last_batches.len());
        let bucket = || self.0.index.get_or_init(|| self.0.list()).get(chunk - jobs);
        match self.0.last_batches.get(chunk) {
            Some(batch) => page(batch.from(from as usize).map(job_piece), max_bytes),
            None => page(bucket().into_iter().flat_map(|bucket| self.0.walk(bucket, from)), max_bytes),
        }
    }
}

impl State {
    /// The whole state by bucket.
    fn list(&self) -> Vec<Bucket> {
        let mut buckets: Vec<Bucket> = std::iter::repeat_with(Bucket::default).take(BUCKETS).collect();
        for (zone, (origin, view)) in (0..).zip(&self.zones) {
            for (owner, node) in &view.nodes {
                let bucket = &mut buckets[usize::from(element::bucket_of_owner(origin, owner))];
                bucket.owners.push((zone, bucket.rrsets, owner.clone()));
                bucket.rrsets += node.rrsets.len() as u32;
            }
        }
        for covered in self.answers.keys() {
            buckets[usize::from(element::bucket_of_answer(*covered))].answers.push(*covered);
        }
        for (label, _) in self.register.iter() {
            buckets[usize::from(element::bucket_of_entry(label))].entries.push(label.clone());
        }
        buckets
    }

    fn walk<'a>(&'a self, bucket: &'a Bucket, from: u32) -> impl Iterator<Item = Piece> + 'a {
        // The owner with the piece `from`, and how many of its pieces come before.
        let at = bucket.owners.partition_point(|(_, first, _)| *first <= from).saturating_sub(1);
        let skipped = bucket.owners.get(at).map_or(0, |(_, first, _)| from.min(bucket.rrsets) - first);
        let rrsets = bucket.owners[at..].iter().flat_map(|(zone, _, owner)| {
            let zone = self.zones.get(*zone as usize);
            let node = zone.and_then(|(origin, view)| Some((origin, view.nodes.get(owner)?)));
            node.into_iter().flat_map(|(origin, node)| {
                node.rrsets.values().map(move |set| rrset_piece(origin, node.name(), set))
            })
        });
        let past = from.saturating_sub(bucket.rrsets) as usize;
        let answers = bucket.answers.iter().skip(past);
        let answers = answers.filter_map(|covered| {
            let (answer, end) = self.answers.get(covered)?;
            Some(Piece { element: element::answer(*covered, answer, *end), signature: Vec::new() })
        });
        let entries = bucket.entries.iter().skip(past.saturating_sub(bucket.answers.len()));
        let entries = entries.filter_map(|label| {
            let element = element::entry(self.register.get(label)?);
            Some(Piece { element, signature: Vec::new() })
        });
        rrsets.skip(skipped as usize).chain(answers).chain(entries)
    }
}

fn rrset_piece(origin: &Name, owner: &Name, set: &SignedRrset) -> Piece {
    let signature = set.signature.as_ref().map_or_else(Vec::new, |signature| signature.octets());
    Piece { element: element::rrset(origin, owner, set), signature }
}

fn job_piece(job: super::Job) -> Piece {
    let element = codec::encode(&PlannedJob { key: job.key, hash: job.hash });
    Piece { element, signature: Vec::new() }
}

fn page(pieces: impl Iterator<Item = Piece>, max_bytes: usize) -> (Vec<Piece>, bool) {
    let (mut taken, mut bytes) = (Vec::new(), 0);
    for piece in pieces {
        bytes += piece.bytes();
        if !taken.is_empty() && bytes > max_bytes {
            return (taken, false);
        }
        taken.push(piece);
    }
    (taken, true)
}
