//! The elements of the state, in their canonical bytes: all that replicas must agree on, RRset by RRset.
//!
//! Signatures are in none: they follow from what is planned, and whether they are there yet is nobody's agreement. An
//! element has a key, unique in the state: zone, owner and type, the digest that a request covers, or an entry's label. Elements of one
//! owner are in one bucket.

use super::charter::Charter;
use super::keys::KeySet;
use super::manifest::BUCKETS;
use super::register::{Entry, Label};
use super::replay::Answer;
use super::signature::Signature;
use super::view::{Key, SignedRrset};
use crate::codec::{self, Digest, JobId, KeyId};
use crate::dns::{Name, Rcode, RrType, Rrset};
use borsh::{BorshDeserialize, BorshSerialize};
use std::sync::Arc;

/// One element.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) enum Element {
    /// An RRset of a zone after genesis, the cluster's own too.
    Rrset {
        /// The zone, in lower case.
        origin: Name,
        /// In the case in which the name was first added, as in all elements of this name.
        owner: Name,
        rrset: Rrset,
        /// Of each signature that is to be there.
        plans: Vec<Plan>,
    },
    /// The first answer to a request.
    Answer { covered: Digest, rcode: Rcode, after: Option<(Name, u64)>, end: u64 },
    /// What is registered.
    Entry(Entry),
}

/// What is needed to plan a signature again as it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct Plan {
    /// The key's tag: no two keys of a zone share one.
    pub(super) tag: u16,
    pub(super) job: JobId,
    /// Agreed time, in seconds.
    pub(super) at: u64,
}

/// The charter and the keys of a zone after genesis, in the first chunk.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct ZoneKeys {
    pub(super) charter: Charter,
    pub(super) keys: KeySet,
}

/// A planned job, in a chunk of its own kind; its id follows from it.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct PlannedJob {
    pub(super) key: KeyId,
    pub(super) hash: Vec<u8>,
}

impl PlannedJob {
    /// Octets of the encoding of one whose hash has this many.
    pub(super) fn bytes(hash_octets: usize) -> u64 {
        (32 + 4 + hash_octets) as u64
    }
}

/// The order of elements in a chunk; `zone` counts the zones in canonical order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Place {
    Keys { zone: usize },
    Job(JobId),
    Rrset { zone: usize, owner: Key, rtype: RrType },
    Answer(Digest),
    Entry(Label),
}

pub(super) fn rrset(origin: &Name, owner: &Name, set: &SignedRrset) -> Vec<u8> {
    let plan = |plan: &Arc<Signature>| Plan { tag: plan.tag, job: plan.job, at: plan.planned_at };
    let plans = set.signatures.plans().iter().map(plan).collect();
    let (origin, owner, rrset) = (origin.clone(), owner.clone(), Rrset::clone(&set.rrset));
    codec::encode(&Element::Rrset { origin, owner, rrset, plans })
}

pub(super) fn answer(covered: Digest, answer: &Answer, end: u64) -> Vec<u8> {
    codec::encode(&Element::Answer { covered, rcode: answer.rcode, after: answer.after.clone(), end })
}

pub(super) fn entry(entry: &Entry) -> Vec<u8> {
    codec::encode(&Element::Entry(entry.clone()))
}

/// The bucket of all elements of a name; the zone in lower case.
pub(super) fn bucket_of_owner(origin: &Name, owner: &Key) -> u8 {
    bucket(&[b"owner", origin.wire(), owner.as_ref()])
}

/// The bucket of a remembered request.
pub(super) fn bucket_of_answer(covered: Digest) -> u8 {
    bucket(&[b"answer", &covered.0])
}

/// The bucket of an entry.
pub(super) fn bucket_of_entry(label: &Label) -> u8 {
    bucket(&[b"entry", &codec::encode(label)])
}

fn bucket(key: &[&[u8]]) -> u8 {
    codec::digest("conclave/state/bucket", key).0[0]
}

const _: () = assert!(BUCKETS == 1 << u8::BITS);
