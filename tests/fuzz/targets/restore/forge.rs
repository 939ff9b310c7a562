//! A state that nobody certified: its pieces as a liar wants them, and a manifest that fits them.
//!
//! The formats and the digest of a set are written here again, from their description (the manual, "Formats").

use super::super::bytes::{Bytes, counted};
use super::super::update::record;
use super::truth::Truth;
use borsh::{BorshDeserialize, BorshSerialize};
use conclave::codec::{ClusterId, Digest, Epoch, JobId, KeyId, decode, digest, encode};
use conclave::dns::{Name, Rcode, Rdata, Rrset};
use conclave::limits::MAX_FRAME_BYTES;
use conclave::time::AgreedTime;
use conclave::zone::{Charter, Manifest, Piece};
use curve25519_dalek::ristretto::RistrettoPoint;

#[derive(Clone, BorshSerialize, BorshDeserialize)]
struct Brief {
    cluster: ClusterId,
    epoch: Epoch,
    time: AgreedTime,
    batches: u64,
    zones: Vec<(Name, bool, u64)>,
    keys: Sum,
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
    Rrset { origin: Name, owner: Name, rrset: Rrset, plans: Vec<Plan> },
    Answer { covered: Digest, rcode: Rcode, after: Option<(Name, u64)>, end: u64 },
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Plan {
    tag: u16,
    job: JobId,
    at: u64,
}

/// The charter and the keys of a zone: what each is, the rollover, until when caches may hold what has gone.
#[derive(BorshSerialize, BorshDeserialize)]
struct ZoneKeys {
    charter: Charter,
    keys: Vec<(KeyId, u8, Rdata)>,
    roll: Option<Roll>,
    allowance: u32,
    horizons: [u64; 5],
    ds_ttl: u32,
    leaving: Vec<(u64, u8, u32)>,
    leaving_keys: Vec<(u64, (KeyId, u8, Rdata))>,
    retired: Vec<(KeyId, Digest)>,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Roll {
    stage: u8,
    new: Vec<KeyId>,
    since: u64,
    batch: u64,
    is_served: bool,
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
        alter(&mut chunks[chunk], chunk, brief.jobs.len(), bytes);
    }
    let (first, rest) = (1, 1 + brief.jobs.len());
    brief.keys = of_keys(&chunks[0]);
    brief.jobs = chunks[first..rest].iter().map(|pieces| of_jobs(&brief, pieces)).collect();
    brief.buckets = chunks[rest..].iter().map(|pieces| of_elements(pieces)).collect();
    for _ in 0..bytes.u8() % 4 {
        spoil(&mut brief, bytes);
    }
    (decode(&encode(&brief), MAX_FRAME_BYTES).expect("the format"), chunks)
}

/// Changes one piece of a chunk: of keys the first, then so many of jobs.
fn alter(pieces: &mut Vec<Piece>, chunk: usize, jobs: usize, bytes: &mut Bytes<'_>) {
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
        4.. if chunk == 0 => {
            if let Ok(keys) = decode::<ZoneKeys>(&piece.element, MAX_FRAME_BYTES) {
                piece.element = encode(&other_keys(keys, what, bytes));
            }
        }
        4 if chunk <= jobs => {
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
        Element::Rrset { origin, owner, mut rrset, mut plans } => {
            let record = record(bytes);
            match what >> 3 & 3 {
                0 => rrset = Rrset::of(record.rtype, record.ttl, [record.rdata]),
                1 => {
                    rrset.insert(record.rdata);
                }
                2 => rrset.ttl = record.ttl,
                _ => rrset.rdatas.truncate(usize::from(record.ttl as u8)),
            }
            match bytes.u8() % 5 {
                0 => plans.clear(),
                1 => plans.iter_mut().for_each(|plan| plan.at ^= u64::from(bytes.u8())),
                2 => plans.iter_mut().for_each(|plan| plan.tag ^= u16::from(bytes.u8())),
                3 => plans.extend(plans.first().map(|Plan { tag, job, at }| Plan {
                    tag: tag ^ u16::from(bytes.u8()),
                    job: *job,
                    at: *at,
                })),
                _ => {}
            }
            Element::Rrset { origin, owner, rrset, plans }
        }
        Element::Answer { covered, after, .. } => {
            let after = after.map(|(zone, version)| (zone, version ^ u64::from(bytes.u8())));
            let after = after.filter(|_| what & 32 == 0);
            let end = u64::from(bytes.u16()) << (bytes.u8() % 64);
            Element::Answer { covered, rcode: Rcode(bytes.u16()), after, end }
        }
    }
}

/// Keys in the place of these.
fn other_keys(mut zone: ZoneKeys, what: u8, bytes: &mut Bytes<'_>) -> ZoneKeys {
    let by = u64::from(bytes.u16()) << (bytes.u8() % 64);
    match bytes.u8() % 8 {
        0 => zone.charter.born ^= by,
        1 => zone.charter.frozen ^= true,
        2 => zone.charter.policy.push(String::from_utf8_lossy(bytes.counted()).into_owned()),
        3 => zone.charter.dnskey_ttl ^= by as u32,
        _ => {}
    }
    match what >> 3 & 7 {
        0 => zone.keys.truncate(usize::from(bytes.u8())),
        1 => zone.keys.iter_mut().for_each(|(_, role, _)| *role ^= bytes.u8() & 1),
        2 => zone.keys.extend(zone.keys.first().cloned()),
        3 => zone.allowance ^= by as u32,
        4 => zone.horizons[usize::from(bytes.u8()) % 5] ^= by,
        5 => zone.leaving.push((by, what & 3, by as u32)),
        6 => zone.leaving_keys.extend(zone.keys.last().map(|key| (by, key.clone()))),
        _ => {
            let second = zone.keys.iter().rev().map(|(id, ..)| *id);
            let new = second.take(usize::from(bytes.u8() % 3)).collect();
            let (stage, since) = (bytes.u8() % 15, bytes.u8() % 2);
            let roll = Roll { stage, new, since: by, batch: u64::from(since), is_served: what & 1 == 0 };
            zone.keys.extend(
                zone.keys.first().map(|(_, role, key)| (KeyId(Digest([what; 32])), *role, key.clone())),
            );
            zone.roll = Some(roll);
        }
    }
    zone
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

fn of_keys(pieces: &[Piece]) -> Sum {
    let elements: Vec<&[u8]> = pieces.iter().map(|piece| &piece.element[..]).collect();
    let digest =
        if elements.is_empty() { Digest::default() } else { digest("conclave/zone-keys", &elements) };
    Sum { digest, ..counts(pieces) }
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
    // Every kind of change of the keys, which are in the first chunk.
    seeds.extend((0..8).map(|kind| {
        let what = (0..8).map(|low| kind << 3 | low).find(|what| what % 7 >= 4).unwrap_or(4);
        vec![3, 1, 0, what, 0, 0, 1, 3, 1, 2, 0, 0]
    }));
    seeds.extend((0..9).map(|what| vec![3, 0, 1, what, 1, 0, 1, 4]));
    seeds.push([&[2, 1, 3, 3, 0], &counted(&[9; 40])[..]].concat());
    seeds
}
