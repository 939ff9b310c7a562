//! What a giver of pieces can get wrong: all of it is refused, blamed on its chunk, and mended by right pieces.

use super::*;
use crate::codec;
use crate::limits::{MAX_PIECE_BYTES, MAX_SIGNATURE_OCTETS, MAX_ZONES};
use crate::zone::differential::{Random, seeds};
use crate::zone::digest::SetDigest;
use crate::zone::manifest::Commitment;
use crate::zone::{Machine, Manifest, Piece, Restore, Snapshot, Trust};

/// A state with everything in it: answers remembered, jobs that wait and one that is superseded.
fn state() -> (Bench, Snapshot) {
    let mut bench = bench();
    for index in 1..=4 {
        let vote = bench.vote(index, 1, &crate::zone::Command::Drill { word: "one".into() });
        let other =
            bench.vote(index, 1 + u64::from(index), &crate::zone::Command::Drill { word: "two".into() });
        let _ = bench.execute(&[vote, other]);
    }
    bench.publish("add a.example. 60 TXT one");
    bench.publish(&format!("add sub.example. 60 DS 1 8 2 {}", "ab".repeat(32)));
    for address in 1..3 {
        assert_eq!(
            bench.update(&format!("add b.example. 60 A 192.0.2.{address}")),
            crate::dns::Rcode::NOERROR
        );
    }
    let snapshot = bench.machine.snapshot();
    (bench, snapshot)
}

fn chunk(snapshot: &Snapshot, chunk: u32) -> Vec<Piece> {
    snapshot.pieces(chunk, 0, usize::MAX).0
}

fn begin(bench: &Bench, snapshot: &Snapshot) -> Restore {
    Restore::new(bench.genesis.clone(), snapshot.manifest(), Trust::Nobody).unwrap()
}

type Lie = (&'static str, Box<dyn Fn(&mut Vec<Piece>, &mut Random)>);

fn lies(foreign: Piece) -> Vec<Lie> {
    fn lie(what: &'static str, how: impl Fn(&mut Vec<Piece>, &mut Random) + 'static) -> Lie {
        (what, Box::new(how))
    }
    let any = |pieces: &[Piece], random: &mut Random| random.below(pieces.len() as u64) as usize;
    let other = foreign.clone();
    vec![
        lie("missing", move |pieces, random| {
            pieces.remove(any(pieces, random));
        }),
        lie("doubled", move |pieces, random| {
            let at = any(pieces, random);
            pieces.insert(at, pieces[at].clone());
        }),
        lie("doubled in place of another", move |pieces, random| {
            let at = any(pieces, random);
            let next = (at + 1) % pieces.len();
            pieces[at] = if next == at { foreign.clone() } else { pieces[next].clone() };
        }),
        lie("out of order", |pieces, _| {
            pieces.reverse();
            if pieces.len() == 1 {
                pieces.clear();
            }
        }),
        lie("one more", move |pieces, _| pieces.push(other.clone())),
        lie("another element", move |pieces, random| {
            let at = any(pieces, random);
            let element = &mut pieces[at].element;
            let octet = random.below(element.len() as u64) as usize;
            element[octet] ^= 1 << random.below(8);
        }),
        lie("an element too long", move |pieces, random| {
            let at = any(pieces, random);
            pieces[at].element.resize(MAX_PIECE_BYTES + 1, 0);
        }),
        lie("a bad signature, or one too many", move |pieces, random| {
            let at = any(pieces, random);
            let signatures = &mut pieces[at].signatures;
            match signatures.first_mut().and_then(|signature| signature.get_mut(20)) {
                Some(octet) => *octet ^= 1,
                None => signatures.push(vec![1]),
            }
        }),
        lie("a signature too long", move |pieces, random| {
            let at = any(pieces, random);
            pieces[at].signatures = vec![vec![1; MAX_SIGNATURE_OCTETS + 1]];
        }),
    ]
}

#[test]
fn every_lie_is_refused_and_the_right_pieces_then_succeed() {
    let (bench, snapshot) = state();
    for seed in seeds(0..6) {
        let mut random = Random(seed * 2 + 1);
        let mut restore = begin(&bench, &snapshot);
        let mut told = 0;
        while let Some((at, _)) = restore.needs() {
            let right = chunk(&snapshot, at);
            let foreign = (0..snapshot.manifest().chunks()).filter(|other| *other != at);
            let foreign = foreign.flat_map(|other| chunk(&snapshot, other)).nth(random.below(20) as usize);
            for (what, lie) in lies(foreign.unwrap()) {
                let mut pieces = right.clone();
                lie(&mut pieces, &mut random);
                // In one page, or with a right page before it.
                let split = random.below(pieces.len() as u64 + 1) as usize;
                let rest = pieces.split_off(split);
                let first = if split == 0 { Ok(()) } else { restore.take(pieces, false) };
                let refused = first.and_then(|()| restore.take(rest, true));
                assert!(refused.is_err(), "CONCLAVE_SEED={seed}: {what} in chunk {at}");
                assert_eq!(restore.needs(), Some((at, 0)), "CONCLAVE_SEED={seed}: {what}");
                told += 1;
            }
            assert!(restore.take(right.clone(), false).is_err(), "it does end here");
            assert!(restore.take(Vec::new(), false).is_err(), "nothing");
            assert!(restore.take(right[..right.len() - 1].to_vec(), true).is_err(), "it does not end here");
            assert_eq!(restore.needs(), Some((at, 0)));
            restore.take(right, true).unwrap();
        }
        assert!(told > 100, "{told}");
        assert!(restore.take(chunk(&snapshot, 0), true).is_err(), "nothing is lacking");
        let (machine, ..) = restore.finish().unwrap();
        assert_eq!(machine.digest(), snapshot.manifest().digest());
    }
}

#[test]
fn a_signature_may_be_lacking_for_a_job_of_the_last_batches_only() {
    let (bench, snapshot) = state();
    let mut restore = begin(&bench, &snapshot);
    let (mut allowed, mut refused) = (0, 0);
    while let Some((at, _)) = restore.needs() {
        let right = chunk(&snapshot, at);
        for i in 0..right.len() {
            let mut pieces = right.clone();
            if pieces[i].signatures.is_empty() || pieces[i].signatures[0].is_empty() {
                continue;
            }
            pieces[i].signatures[0].clear();
            // Alone, without the end, nothing is kept that could not be refused again.
            match restore.take(pieces, true) {
                Err(why) => {
                    assert!(why.contains("lacking"), "{why}");
                    refused += 1;
                }
                Ok(()) => {
                    allowed += 1;
                    break;
                }
            }
        }
        if restore.needs() == Some((at, 0)) {
            restore.take(right, true).unwrap();
        }
    }
    assert!(refused > 5 && allowed > 0, "{refused} {allowed}");
    let (mut machine, jobs, signed) = restore.finish().unwrap();
    assert!(signed.published.is_empty());
    for job in machine.pending_jobs() {
        assert!(jobs.iter().any(|open| open.job == job));
        let _ = machine.signed(job.id, &bench.signature(&job));
    }
    assert_eq!(machine.version(&bench.origin), 5);
}

#[test]
fn chunks_must_be_complete_to_finish() {
    let (bench, snapshot) = state();
    assert!(begin(&bench, &snapshot).finish().is_err());
}

#[test]
fn a_manifest_that_does_not_fit_is_refused() {
    let (bench, snapshot) = state();
    let genesis = &bench.genesis;
    let refused = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = snapshot.manifest();
        change(&mut manifest);
        assert_ne!(manifest.digest(), snapshot.manifest().digest());
        assert!(Restore::new(genesis.clone(), manifest, Trust::Nobody).is_err());
    };
    let busy = snapshot.manifest().buckets.iter().position(|chunk| chunk.count > 0).unwrap();
    let idle = snapshot.manifest().buckets.iter().position(|chunk| chunk.count == 0).unwrap();
    refused(&|manifest| manifest.cluster.0.0[0] ^= 1);
    refused(&|manifest| manifest.epoch.0 += 1);
    refused(&|manifest| manifest.zones.clear());
    refused(&|manifest| manifest.zones[0].origin = name("EXAMPLE."));
    refused(&|manifest| manifest.zones[0].version = 0);
    refused(&|manifest| manifest.zones[0].version = manifest.batches + 1);
    refused(&|manifest| manifest.zones[0].started = false);
    refused(&|manifest| manifest.batches = u64::MAX);
    refused(&|manifest| manifest.batches = 1);
    refused(&|manifest| manifest.buckets.truncate(255));
    refused(&|manifest| manifest.planned.push(manifest.planned[0].clone()));
    refused(&|manifest| manifest.buckets[busy].count = u64::MAX);
    refused(&|manifest| manifest.buckets[busy].count = 0);
    refused(&|manifest| manifest.buckets[idle].bytes = 1);
    refused(&|manifest| {
        manifest.buckets[0] = Commitment { count: 1, bytes: u64::MAX, ..Commitment::default() };
        manifest.buckets[1] = manifest.buckets[0].clone();
    });
    let mut foreign = genesis.clone();
    foreign.zones[0].0.origin = name("other.");
    assert_eq!(snapshot.manifest().check(&foreign), Ok(()), "zones that have begun are the state's");
    let before = crate::zone::Machine::new(genesis.clone()).unwrap().snapshot().manifest();
    assert_eq!(before.check(genesis), Ok(()));
    assert!(before.check(&foreign).is_err(), "of one that has not begun nothing is known there");
    assert_eq!(snapshot.manifest().check(genesis), Ok(()));
}

#[test]
fn huge_counts_reserve_nothing_and_no_more_is_taken_than_is_certified() {
    let (bench, snapshot) = state();
    let mut manifest = snapshot.manifest();
    for commitment in manifest.planned.iter_mut().chain(&mut manifest.buckets) {
        *commitment = Commitment { count: 1 << 50, bytes: 1 << 51, ..Commitment::default() };
    }
    let mut restore = Restore::new(bench.genesis.clone(), manifest, Trust::Nobody).unwrap();
    restore.take(chunk(&snapshot, 0), true).unwrap();
    assert!(restore.take(chunk(&snapshot, 1), true).is_err());
    // Of what is certified, an octet or an element less: the last piece is not taken.
    for (elements, octets) in [(1, 0), (0, 1)] {
        let mut manifest = snapshot.manifest();
        for commitment in manifest.planned.iter_mut().chain(&mut manifest.buckets) {
            if commitment.count > 1 {
                (commitment.count, commitment.bytes) =
                    (commitment.count - elements, commitment.bytes - octets);
            }
        }
        let mut restore = Restore::new(bench.genesis.clone(), manifest, Trust::Nobody).unwrap();
        restore.take(chunk(&snapshot, 0), true).unwrap();
        let (at, _) = restore.needs().unwrap();
        let mut pieces = chunk(&snapshot, at);
        let last = pieces.pop().unwrap();
        if restore.take(pieces, false).is_ok() {
            let why = restore.take(vec![last], true).unwrap_err();
            assert!(why.contains("more than is certified"), "{why}");
        }
        assert_eq!(restore.needs(), Some((at, 0)));
    }
}

/// The pieces, all chunks in order, under a manifest that commits to exactly them.
fn restore_anything(
    bench: &Bench,
    manifest: Manifest,
    chunks: &[Vec<Piece>],
    trust: Trust,
) -> Option<Machine> {
    let mut restore = Restore::new(bench.genesis.clone(), manifest, trust).ok()?;
    while let Some((at, from)) = restore.needs() {
        restore.take(chunks[at as usize][from as usize..].to_vec(), true).ok()?;
    }
    restore.finish().ok().map(|(machine, ..)| machine)
}

#[test]
fn a_manifest_that_nobody_certified_may_lie_and_nothing_panics() {
    let (mut bench, snapshot) = state();
    let mut came_through = 0;
    let refresh = crate::zone::Request::Refresh { zone: name("example."), serial: 0 };
    let right: Vec<_> = (0..snapshot.manifest().chunks()).map(|at| chunk(&snapshot, at)).collect();
    let planned = 1 + snapshot.manifest().planned.len();
    for seed in seeds(0..400) {
        let mut random = Random(seed * 2 + 1);
        let (mut manifest, mut chunks) = (snapshot.manifest(), right.clone());
        for _ in 0..1 + random.below(3) {
            let at = planned + random.below((chunks.len() - planned) as u64) as usize;
            let pieces = &mut chunks[at];
            if pieces.is_empty() {
                continue;
            }
            let which = random.below(pieces.len() as u64) as usize;
            match random.below(3) {
                0 => {
                    pieces.remove(which);
                }
                1 => pieces[which].signatures = vec![vec![7; random.below(300) as usize]],
                _ => {
                    let octet = random.below(pieces[which].element.len() as u64) as usize;
                    pieces[which].element[octet] = random.below(256) as u8;
                }
            }
            let mut bucket = SetDigest::default();
            pieces.iter().for_each(|piece| bucket.insert(&piece.element));
            manifest.buckets[at - planned] = bucket.commitment();
        }
        if random.below(4) == 0 {
            let keys = &mut chunks[0][0].element;
            let octet = random.below(keys.len() as u64) as usize;
            keys[octet] = random.below(256) as u8;
            manifest.keys = crate::zone::snapshot::commit_keys(std::slice::from_ref(keys));
        }
        let Some(mut machine) = restore_anything(&bench, manifest, &chunks, Trust::OwnDisk) else { continue };
        came_through += 1;
        std::mem::swap(&mut bench.machine, &mut machine);
        bench.now.0 += 1_000_000_000;
        let _ = bench.batch(&["add b.example. 60 A 192.0.2.9", "del a.example.", "del www.example. A"]);
        let _ = bench.execute(std::slice::from_ref(&refresh));
        let _ = bench.sign_all();
        let _ = bench.machine.snapshot().pieces(planned as u32, 0, 1000);
    }
    assert!(
        came_through > 20 || seeds(0..2).len() == 1,
        "{came_through} states were lies that held together"
    );
}

#[test]
fn random_octets_never_panic() {
    let (bench, snapshot) = state();
    let mut restore = begin(&bench, &snapshot);
    let mut random = Random(99);
    while let Some((at, from)) = restore.needs() {
        for _ in 0..20 {
            let mut octets =
                |most| (0..random.below(most)).map(|_| random.below(3) as u8).collect::<Vec<_>>();
            let piece = Piece { element: octets(200), signatures: vec![octets(3)] };
            let _ = codec::decode::<Manifest>(&piece.element, 1000);
            let _ = codec::decode::<Piece>(&piece.element, 1000);
            assert!(restore.take(vec![piece], true).is_err());
        }
        let (pieces, last) = snapshot.pieces(at, from, usize::MAX);
        restore.take(pieces, last).unwrap();
    }
}

#[test]
fn a_cluster_of_more_zones_than_a_manifest_lists_does_not_start() {
    let bench = bench();
    let mut genesis = bench.genesis.clone();
    let (rules, _) = genesis.zones[0].clone();
    genesis.zones = (0..=MAX_ZONES)
        .map(|i| {
            let origin = format!("z{i}.");
            let text = format!("{origin} 60 SOA a. b. 1 1 1 1 1\n{origin} 60 NS ns.");
            (crate::zone::ZoneRules { origin: name(&origin), ..rules.clone() }, records(&text))
        })
        .collect();
    assert!(Machine::new(genesis.clone()).is_err());
    genesis.zones.pop();
    let manifest = Machine::new(genesis).unwrap().snapshot().manifest();
    assert!(codec::encode(&manifest).len() <= crate::limits::MAX_MANIFEST_BYTES);
}
