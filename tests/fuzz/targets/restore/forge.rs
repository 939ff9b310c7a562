//! A state that nobody certified: its pieces as a liar wants them, and a manifest that fits them.
//!
//! The formats and the digest of a set are written here again, from their description (the manual, "Formats").

use super::super::bytes::{Bytes, counted};
use super::super::update::record;
use super::truth::Truth;
use borsh::{BorshDeserialize, BorshSerialize};
use conclave::codec::{ClusterId, Digest, Epoch, JobId, KeyId, decode, digest, encode};
use conclave::dns::{Name, Rcode, Rrset};
use conclave::limits::MAX_FRAME_BYTES;
use conclave::time::AgreedTime;
use conclave::zone::{Manifest, Piece};
use curve25519_dalek::ristretto::RistrettoPoint;

#[derive(Clone, BorshSerialize, BorshDeserialize)]
struct Brief {
    cluster: ClusterId,
    epoch: Epoch,
    time: AgreedTime,
    batches: u64,
    zones: Vec<(Name, bool, u64)>,
    jobs: Vec<Sum>,
    buckets: Vec<Sum>,
}

/// Of a chunk: elements, octets, digest.
#[derive(Clone, Default, BorshSerialize, BorshDeserialize)]
struct Sum {
    count: u64,
    bytes: u64,
    digest: Digest,
}

#[derive(BorshSerialize, BorshDeserialize)]
enum Element {
    Rrset { origin: Name, owner: Name, rrset: Rrset, plan: Option<(JobId, u64)> },
    Answer { covered: Digest, rcode: Rcode, after: Option<(Name, u64)>, end: u64 },
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Job {
    key: KeyId,
    hash: Vec<u8>,
}

/// The truth with changes: a manifest, and the chunks it says.
pub fn state(truth: &Truth, bytes: &mut Bytes<'_>) -> (Manifest, Vec<Vec<Piece>>) {
    let mut brief: Brief = decode(&encode(&truth.snapshot.manifest()), MAX_FRAME_BYTES).expect("the format");
    let mut chunks = truth.chunks.clone();
    let filled: Vec<usize> = (0..chunks.len()).filter(|chunk| !chunks[*chunk].is_empty()).collect();
    for _ in 0..bytes.u8() % 12 {
        let chunk = filled[bytes.index(filled.len())];
        alter(&mut chunks[chunk], chunk < brief.jobs.len(), bytes);
    }
    let jobs = brief.jobs.len();
    brief.jobs = chunks[..jobs].iter().map(|pieces| of_jobs(&brief, pieces)).collect();
    brief.buckets = chunks[jobs..].iter().map(|pieces| of_elements(pieces)).collect();
    for _ in 0..bytes.u8() % 4 {
        spoil(&mut brief, bytes);
    }
    (decode(&encode(&brief), MAX_FRAME_BYTES).expect("the format"), chunks)
}

/// Changes one piece of a chunk.
fn alter(pieces: &mut Vec<Piece>, is_of_jobs: bool, bytes: &mut Bytes<'_>) {
    let (what, at) = (bytes.u8(), bytes.index(pieces.len()));
    let Some(piece) = pieces.get_mut(at) else { return };
    match what % 7 {
        0 => drop(pieces.remove(at)),
        1 => pieces.insert(at, pieces[at].clone()),
        2 => {
            let place = usize::from(bytes.u16()) % piece.element.len().max(1);
            piece.element.iter_mut().skip(place).take(1).for_each(|octet| *octet ^= what | 1);
        }
        3 => piece.signatures = vec![bytes.counted().to_vec(); usize::from(what >> 6).max(1)],
        4 if is_of_jobs => {
            if let Ok(mut job) = decode::<Job>(&piece.element, MAX_FRAME_BYTES) {
                job.hash = bytes.counted().to_vec();
                job.hash.resize([32, 64, 0, 32][usize::from(what >> 6)], what);
                piece.element = encode(&job);
            }
        }
        _ => {
            if let Ok(element) = decode::<Element>(&piece.element, MAX_FRAME_BYTES) {
                piece.element = encode(&other(element, what, bytes));
                if what & 64 == 0 {
                    piece.signatures.iter_mut().for_each(Vec::clear);
                }
            }
        }
    }
}

/// An element in the place of this one, with its owner or its key: it belongs to the same bucket.
fn other(element: Element, what: u8, bytes: &mut Bytes<'_>) -> Element {
    match element {
        Element::Rrset { origin, owner, mut rrset, mut plan } => {
            let record = record(bytes);
            match what >> 3 & 3 {
                0 => rrset = Rrset::of(record.rtype, record.ttl, [record.rdata]),
                1 => {
                    rrset.insert(record.rdata);
                }
                2 => rrset.ttl = record.ttl,
                _ => rrset.rdatas.truncate(usize::from(record.ttl as u8)),
            }
            match bytes.u8() % 3 {
                0 => plan = None,
                1 => plan = plan.map(|(job, at)| (job, at ^ u64::from(bytes.u8()))),
                _ => {}
            }
            Element::Rrset { origin, owner, rrset, plan }
        }
        Element::Answer { covered, after, .. } => {
            let after = after.map(|(zone, version)| (zone, version ^ u64::from(bytes.u8())));
            let after = after.filter(|_| what & 32 == 0);
            let end = u64::from(bytes.u16()) << (bytes.u8() % 64);
            Element::Answer { covered, rcode: Rcode(bytes.u16()), after, end }
        }
    }
}

/// Changes a number of the manifest.
fn spoil(brief: &mut Brief, bytes: &mut Bytes<'_>) {
    let (what, by) = (bytes.u8(), u64::from(bytes.u16()) << (bytes.u8() % 64));
    let chunk = bytes.index(brief.buckets.len());
    match what % 9 {
        0 => brief.time.0 ^= by,
        1 => brief.batches ^= by,
        2 => brief.zones.iter_mut().for_each(|(_, _, version)| *version ^= by),
        3 => brief.zones.iter_mut().for_each(|(_, started, _)| *started = !*started),
        4 => brief.buckets[chunk].count ^= by,
        5 => brief.buckets[chunk].bytes ^= by,
        6 => brief.buckets.truncate(chunk),
        7 => drop(brief.jobs.pop()),
        _ => brief.epoch.0 ^= by as u32,
    }
}

fn of_jobs(brief: &Brief, pieces: &[Piece]) -> Sum {
    let mut ids = Vec::new();
    for piece in pieces {
        if let Ok(Job { key, hash }) = decode(&piece.element, MAX_FRAME_BYTES) {
            ids.extend(JobId::new(brief.cluster, brief.epoch, key, &hash).0.0);
        }
    }
    Sum { digest: digest("conclave/planned", &[&ids]), ..counts(pieces) }
}

fn of_elements(pieces: &[Piece]) -> Sum {
    let mut sum = RistrettoPoint::default();
    for piece in pieces {
        let mut uniform = [0; 64];
        uniform[..32].copy_from_slice(&digest("conclave/state/left", &[&piece.element]).0);
        uniform[32..].copy_from_slice(&digest("conclave/state/right", &[&piece.element]).0);
        sum += RistrettoPoint::from_uniform_bytes(&uniform);
    }
    Sum { digest: Digest(sum.compress().to_bytes()), ..counts(pieces) }
}

fn counts(pieces: &[Piece]) -> Sum {
    let bytes = pieces.iter().map(|piece| piece.element.len() as u64).sum();
    Sum { count: pieces.len() as u64, bytes, digest: Digest::default() }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let truth = vec![3, 0, 0];
    let mut seeds = vec![truth];
    // Every kind of change at every chunk with something in it.
    for what in [0, 1, 2, 3, 4, 5, 6, 13, 21, 29, 69, 101] {
        let mut seed = vec![if what % 2 == 0 { 3 } else { 7 }, 9];
        for chunk in 0..9 {
            seed.extend([chunk * 3, what, chunk % 3, 4, what, 48]);
        }
        seed.push(0);
        seeds.push(seed);
    }
    seeds.extend((0..9).map(|what| vec![3, 0, 1, what, 1, 0, 1, 4]));
    seeds.push([&[2, 1, 3, 3, 0], &counted(&[9; 40])[..]].concat());
    seeds
}
