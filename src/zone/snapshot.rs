//! The state after a batch: to be certified, kept for a while, written down, and handed on piece by piece.
//!
//! A state is everything that execution depends on. Its **elements** are the RRsets of all zones after genesis, each with
//! the time at which its signature was planned, the answers remembered against replay, and what is registered. They lie in
//! 256 **buckets**, by a hash of their keys. The [`Manifest`] lists agreed time, the number of batches, each zone's version, and each bucket's
//! count, octets and digest; so a bucket is a **chunk** that can be checked alone, with no more memory than is certified.
//! The signing jobs of each of the last batches ([`super::planned`]) make one more chunk a batch; these come before them, and
//! before all, in a chunk, the charters and keys of the zones, without which no signature can be checked.
//!
//! Pieces stand in a chunk in strictly ascending order: of job ids; of zone, owner and type in canonical order, then the
//! answers by the octets of their keys, then the entries by their labels. Signatures travel beside the elements and are in no digest, so replicas have the
//! same manifest and elements after the same batches whatever is signed by then; a signature that arrives later shows in
//! snapshots taken before.
//!
//! A snapshot costs as much as compressing the sums of the buckets that changed since the last. It holds on to what the
//! machine has replaced since. The first look at a bucket walks the whole state once, to list the owners by bucket.

use super::charter::Charter;
use super::element::{self, PlannedJob, ZoneKeys};
use super::keys::KeySet;
use super::ledger::Ledger;
use super::machine::Machine;
use super::manifest::{BUCKETS, Commitment, Manifest, ZoneState};
use super::planned::LastBatches;
use super::register::{Label, Register};
use super::replay::Answers;
use super::view::{Key, SignedRrset, View};
use crate::codec::{self, Digest};
use crate::dns::Name;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// One element of the state, and the finished signature that goes with it. At most [`crate::limits::MAX_PIECE_BYTES`]
/// encoded.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Piece {
    /// The element in its canonical bytes: what the manifest commits to.
    pub element: Vec<u8>,
    /// The RSA signatures over the element's RRset, one for each that is planned; empty where one is not there yet. The
    /// manifest does not commit to them: they can be verified alone.
    pub signatures: Vec<Vec<u8>>,
}

impl Piece {
    /// Octets of the encoding.
    pub fn bytes(&self) -> usize {
        let signatures: usize = self.signatures.iter().map(|signature| 4 + signature.len()).sum();
        4 + self.element.len() + 4 + signatures
    }
}

/// Everything that execution depends on after a batch. Immutable; shares its parts with the machine.
#[derive(Clone)]
pub struct Snapshot(Arc<State>);

struct State {
    manifest: Manifest,
    /// Those after genesis; the origin in lower case.
    zones: Vec<(Name, View)>,
    /// Theirs, encoded.
    keys: Vec<Vec<u8>>,
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
            keys: self.keys_elements(),
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
            keys: commit_keys(&self.keys_elements()),
            planned: self.last_batches.iter().map(|batch| batch.commitment().clone()).collect(),
            buckets: self.tally.commitments(),
        }
    }

    fn keys_elements(&self) -> Vec<Vec<u8>> {
        let started = self.zones.iter().filter(|(_, ledger)| ledger.started);
        started.map(|(_, ledger)| keys_element(ledger)).collect()
    }

    /// [`Machine::digest`], from the elements alone.
    #[cfg(test)]
    pub(super) fn recomputed_digest(&self) -> Digest {
        let snapshot = self.snapshot();
        let mut manifest = snapshot.manifest();
        let before = 1 + manifest.planned.len() as u32;
        for (chunk, bucket) in (before..).zip(&mut manifest.buckets) {
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

    /// The zones after genesis; each origin in lower case.
    pub(super) fn zones(&self) -> &[(Name, View)] {
        &self.0.zones
    }

    /// Their charters and keys, by origin.
    pub(super) fn zone_keys(&self) -> Result<BTreeMap<Name, (Charter, KeySet)>, String> {
        let decoded = self.0.keys.iter().map(|bytes| {
            let ZoneKeys { charter, keys } =
                codec::decode(bytes, bytes.len()).map_err(|why| why.to_string())?;
            Ok((charter.origin.to_lowercase(), (charter, keys)))
        });
        decoded.collect()
    }

    pub(super) fn answers(&self) -> &Answers {
        &self.0.answers
    }

    pub(super) fn register(&self) -> &Register {
        &self.0.register
    }

    pub(super) fn last_batches(&self) -> &LastBatches {
        &self.0.last_batches
    }

    /// Pieces of a chunk from index `from` on, up to `max_bytes` encoded but at least one; and whether the chunk ends there.
    pub fn pieces(&self, chunk: u32, from: u32, max_bytes: usize) -> (Vec<Piece>, bool) {
        let Some(chunk) = chunk.checked_sub(1) else {
            let keys = self.0.keys.iter().skip(from as usize);
            return page(keys.cloned().map(unsigned), max_bytes);
        };
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
            Some(unsigned(element::answer(*covered, answer, *end)))
        });
        let entries = bucket.entries.iter().skip(past.saturating_sub(bucket.answers.len()));
        let entries = entries.filter_map(|label| Some(unsigned(element::entry(self.register.get(label)?))));
        rrsets.skip(skipped as usize).chain(answers).chain(entries)
    }
}

fn rrset_piece(origin: &Name, owner: &Name, set: &SignedRrset) -> Piece {
    let signatures = set.signatures.plans().iter().map(|plan| plan.octets()).collect();
    Piece { element: element::rrset(origin, owner, set), signatures }
}

fn job_piece(job: super::Job) -> Piece {
    unsigned(codec::encode(&PlannedJob { key: job.key, hash: job.hash }))
}

fn unsigned(element: Vec<u8>) -> Piece {
    Piece { element, signatures: Vec::new() }
}

/// The charter and the keys of a zone, as they are in the first chunk.
fn keys_element(ledger: &Ledger) -> Vec<u8> {
    codec::encode(&ZoneKeys { charter: Charter::of(ledger), keys: ledger.keys.clone() })
}

/// What the manifest commits to of the first chunk.
pub(super) fn commit_keys(elements: &[Vec<u8>]) -> Commitment {
    if elements.is_empty() {
        return Commitment::default();
    }
    let fields: Vec<&[u8]> = elements.iter().map(Vec::as_slice).collect();
    let bytes = elements.iter().map(|element| element.len() as u64).sum();
    Commitment { count: elements.len() as u64, bytes, digest: codec::digest("conclave/zone-keys", &fields) }
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
