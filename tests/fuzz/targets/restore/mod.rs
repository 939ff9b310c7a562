//! A zone machine's state from a server that lies: nothing panics, and what is taken over is what the manifest says.
//!
//! A real machine has executed some batches ([`truth`]). The first octet chooses whether its manifest is certified, and
//! whether signatures are to be verified. *Certified*: pages of pieces come, right ones, altered ones and those of
//! another state; each refusal begins the chunk anew, and in the end the right pieces give the certified state. *Not
//! certified*: manifest and pieces are forged together ([`forge`]), so that they fit, and whatever comes of it executes,
//! signs and gives its pieces on.

mod forge;
mod truth;

use super::bytes::Bytes;
use super::update::{self, genesis, signature};
use conclave::codec::encode;
use conclave::time::SECOND;
use conclave::zone::{Batch, Machine, Manifest, Piece, Request, RequestId, Restore, Trust};
use truth::Truth;

/// Pages of one run.
const MAX_PAGES: usize = 48;
/// Octets of one page of the right pieces.
const PAGE_BYTES: [usize; 4] = [0, 500, 4_000, usize::MAX];

pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let how = bytes.u8();
    let trust = if how & 1 == 0 { Trust::Nobody } else { Trust::OwnDisk };
    let truth = &truth::get()[usize::from(how >> 2 & 1)];
    match how & 2 {
        0 => certified(truth, trust, &mut bytes),
        _ => forged(truth, trust, &mut bytes),
    }
}

fn certified(truth: &Truth, trust: Trust, bytes: &mut Bytes<'_>) {
    let manifest = truth.snapshot.manifest();
    let mut restore = Restore::new(genesis(0), manifest.clone(), trust).expect("this cluster's manifest");
    for _ in 0..MAX_PAGES {
        let Some((chunk, from)) = restore.needs().filter(|_| !bytes.is_empty()) else { break };
        let how = bytes.u8();
        let (mut pieces, last) = truth.snapshot.pieces(chunk, from, PAGE_BYTES[usize::from(how & 3)]);
        match how >> 2 & 3 {
            0 => {}
            1 => restore.again(),
            2 => lie(&mut pieces, bytes),
            _ => pieces = truth::get()[usize::from(how >> 6 & 1)].snapshot.pieces(chunk, from, usize::MAX).0,
        }
        let last = last ^ (how >> 4 & 3 == 3);
        let before = restore.needs();
        if let Err(why) = restore.take(pieces, last) {
            assert!(!why.contains('\n'), "{why}");
            assert_eq!(restore.needs(), Some((chunk, 0)), "a refused chunk begins anew");
        } else {
            assert_ne!(restore.needs(), before, "a page that was taken");
        }
    }
    restore.again();
    while let Some((chunk, from)) = restore.needs() {
        let (pieces, last) = truth.snapshot.pieces(chunk, from, PAGE_BYTES[2]);
        restore.take(pieces, last).expect("right pieces");
    }
    let (machine, ..) = restore.finish().expect("a certified state");
    assert_eq!(machine.digest(), manifest.digest(), "the certified state");
    go_on(machine);
}

/// Alters, drops, doubles, exchanges or adds pieces.
fn lie(pieces: &mut Vec<Piece>, bytes: &mut Bytes<'_>) {
    for _ in 0..1 + bytes.u8() % 3 {
        let (what, at, other) = (bytes.u8(), bytes.index(pieces.len()), bytes.index(pieces.len()));
        let Some(piece) = pieces.get_mut(at) else { return };
        let octets = match piece.signatures.first_mut() {
            Some(signature) if what & 8 != 0 => signature,
            _ => &mut piece.element,
        };
        let place = usize::from(bytes.u16()) % octets.len().max(1);
        match what & 7 {
            0 => octets.iter_mut().skip(place).take(1).for_each(|octet| *octet ^= what | 1),
            1 => octets.truncate(place),
            2 => octets.extend_from_slice(bytes.counted()),
            3 => *octets = bytes.counted().to_vec(),
            4 => drop(pieces.remove(at)),
            5 => pieces.insert(at, pieces[other].clone()),
            6 => pieces.swap(at, other),
            _ => pieces.clear(),
        }
    }
}

fn forged(truth: &Truth, trust: Trust, bytes: &mut Bytes<'_>) {
    let untouched = bytes.is_empty();
    let (manifest, chunks) = forge::state(truth, bytes);
    let Some(machine) = restore(manifest.clone(), &chunks, trust) else {
        assert!(!untouched, "the truth is refused");
        return;
    };
    assert_eq!(machine.digest(), manifest.digest(), "the state that the manifest says");
    go_on(machine);
}

/// The machine that these chunks give, if they give one; each error is one line.
fn restore(manifest: Manifest, chunks: &[Vec<Piece>], trust: Trust) -> Option<Machine> {
    let one_line = |why: String| assert!(!why.is_empty() && !why.contains('\n'), "{why}");
    let mut restore = Restore::new(genesis(0), manifest, trust).map_err(one_line).ok()?;
    while let Some((chunk, _)) = restore.needs() {
        let pieces = chunks.get(chunk as usize).cloned().unwrap_or_default();
        restore.take(pieces, true).map_err(one_line).ok()?;
    }
    let wanted = restore.finished();
    let (machine, jobs, _) = restore.finish().map_err(one_line).ok()?;
    assert!(jobs.iter().all(|open| wanted.iter().all(|(job, _)| *job != open.job.id)), "open and finished");
    Some(machine)
}

/// Whatever the state is: the machine executes, signs, and gives its state on.
fn go_on(mut machine: Machine) {
    let before = machine.snapshot().manifest();
    let mut later = before.time();
    for script in [&[][..], &[0, 2, 1, 2, 0, 1, 2, 48], &[0, 1, 0, 0, 0], &[1, 1, 1, 15, 1, 1, 15, 1]] {
        later.0 = later.0.saturating_add(SECOND);
        let request = match script {
            [] => encode(&Request::Genesis { zone: super::keys::name("z.") }),
            octets => {
                let mut wire = update::update(&mut Bytes(octets));
                conclave::dns::tsig::sign_request(
                    &mut wire,
                    &super::keys::updater(),
                    later.secs().min(1 << 40),
                );
                encode(&Request::Update { wire })
            }
        };
        let requests = [(RequestId(0), request.as_slice())];
        let done = machine.execute(&Batch { time: later, requests: &requests });
        assert_eq!(done.outcomes.len(), 1, "an outcome for each request");
    }
    for job in machine.pending_jobs() {
        if job.hash.len() == 32 {
            let _ = machine.signed(job.id, &signature(&job));
        }
    }
    let snapshot = machine.snapshot();
    let manifest = snapshot.manifest();
    assert_eq!(manifest.batches(), before.batches() + 4);
    for chunk in 0..manifest.chunks() {
        let mut from = 0;
        loop {
            let (pieces, last) = snapshot.pieces(chunk, from, 2_000);
            from += pieces.len() as u32;
            if last {
                break;
            }
            assert!(!pieces.is_empty(), "a page without pieces that is not the last");
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let pages = [0, 3].repeat(20);
    let whole: [&[u8]; 4] = [&[0], &[1], &[2], &[7]];
    let lies: Vec<u8> =
        (0..16).flat_map(|what| [0x0b, 0, what, 0, 1, 5, 0, 2, 0, 9, 9]).chain([0x03; 12]).collect();
    let other = [0x0f, 0x4f, 0x33, 0x07, 0x03, 0x03, 0x37, 0x03];
    let mut seeds = vec![[&[0], &pages[..]].concat(), [&[1], &lies[..]].concat()];
    seeds.extend(whole.map(<[u8]>::to_vec));
    seeds.extend([[&[4], &lies[..]].concat(), [&[0], &other[..]].concat(), [&[5], &other[..]].concat()]);
    seeds.extend(forge::seeds());
    seeds
}
