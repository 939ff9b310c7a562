//! A machine restored from a snapshot goes on as the one that was never restored.

use super::*;
use crate::codec;
use crate::limits::{MAX_MANIFEST_BYTES, MAX_PIECE_BYTES, PIPELINE_BATCHES};
use crate::time::{DAY, SECOND, UnixMillis};
use crate::zone::Role;
use crate::zone::differential::{Random, random_prerequisites, random_updates, seeds};
use crate::zone::oracle::Oracle;
use crate::zone::{
    Batch, Job, Machine, Manifest, Piece, Request, RequestId, Restore, Signed, Snapshot, Trust,
};

const SMALL: &str = "example. 300 SOA ns. admin. 4294967293 1 1 1 100
    example. 300 NS ns.
    example. 300 NS ns2.";

/// Over the wire and back, in pages of random size.
pub(super) fn restored(
    bench: &Bench,
    snapshot: &Snapshot,
    trust: Trust,
    random: &mut Random,
) -> (Machine, Vec<Job>, Signed) {
    let manifest = codec::encode(&snapshot.manifest());
    let manifest: Manifest = codec::decode(&manifest, MAX_MANIFEST_BYTES).unwrap();
    assert_eq!(manifest.digest(), snapshot.manifest().digest());
    let mut restore = Restore::new(bench.genesis.clone(), manifest, trust).unwrap();
    while let Some((chunk, from)) = restore.needs() {
        let most = [1, 300, 2_000, 100_000][random.below(4) as usize];
        let (pieces, last) = snapshot.pieces(chunk, from, most);
        assert!(pieces.len() == 1 || pieces.iter().map(Piece::bytes).sum::<usize>() <= most);
        let pieces = pieces.iter().map(|piece| {
            let bytes = codec::encode(piece);
            assert_eq!(bytes.len(), piece.bytes());
            codec::decode(&bytes, MAX_PIECE_BYTES).unwrap()
        });
        restore.take(pieces.collect(), last).unwrap();
    }
    let (machine, open, signed) = restore.finish().unwrap();
    (machine, open.into_iter().map(|open| open.job).collect(), signed)
}

/// Every element, without signatures.
fn elements(snapshot: &Snapshot) -> Vec<Vec<Vec<u8>>> {
    let chunk =
        |chunk| snapshot.pieces(chunk, 0, usize::MAX).0.into_iter().map(|piece| piece.element).collect();
    (0..snapshot.manifest().chunks()).map(chunk).collect()
}

pub(super) fn octets(view: &View) -> Vec<String> {
    let node = |node: &crate::zone::Node| -> String {
        let sets: Vec<_> = node.iter().map(|(_, set)| (set.rrset.clone(), set.rrsigs().to_vec())).collect();
        format!("{:?} {sets:?}", node.name().wire())
    };
    view.iter().map(node).collect()
}

/// One batch on both: all that replicas must agree on is the same.
pub(super) fn execute_both(bench: &mut Bench, other: &mut Machine, requests: &[Request], at: &str) {
    let mine = bench.execute(requests);
    let encoded: Vec<Vec<u8>> = requests.iter().map(codec::encode).collect();
    let tagged: Vec<(RequestId, &[u8])> =
        (0..).map(RequestId).zip(encoded.iter().map(Vec::as_slice)).collect();
    let theirs = other.execute(&Batch { time: bench.now, requests: &tagged });
    assert_eq!(format!("{:?}", mine.outcomes), format!("{:?}", theirs.outcomes), "{at}");
    assert_eq!(bench.machine.digest(), other.digest(), "{at}");
    for later in [0, 8 * DAY] {
        let now = UnixMillis(bench.now.0 + later);
        assert_eq!(bench.machine.due(now), other.due(now), "{at}");
    }
}

/// Signs some of what is pending, or all.
fn sign(bench: &mut Bench, random: &mut Random, all: bool) {
    for job in bench.machine.pending_jobs() {
        if all || random.below(3) > 0 {
            let signature = bench.signature(&job);
            assert_eq!(bench.machine.signed(job.id, &signature).failures, []);
        }
    }
}

fn sign_other(bench: &Bench, other: &mut Machine) {
    for job in other.pending_jobs() {
        assert_eq!(other.signed(job.id, &bench.signature(&job)).failures, []);
    }
}

fn random_requests(bench: &mut Bench, oracle: &mut Oracle, random: &mut Random) -> Vec<Request> {
    if random.below(10) == 0 {
        bench.now.0 += DAY;
        return bench.machine.due(UnixMillis(bench.now.0));
    }
    // Batches of one second may share jobs.
    bench.now.0 -= SECOND * random.below(2);
    let count = random.below(4);
    let messages = (0..count).map(|_| (random_prerequisites(random, oracle), random_updates(random, oracle)));
    let messages: Vec<_> = messages.collect();
    let requests: Vec<Request> = messages.iter().map(|(p, u)| bench.signed_records(p, u)).collect();
    oracle.batch(&messages);
    let mut requests = requests;
    for _ in 0..random.below(3) {
        let command = crate::zone::Command::Drill { word: random.below(3).to_string() };
        let count = bench.now.secs() + random.below(3);
        requests.push(bench.vote(1 + random.below(4) as u8, count, &command));
    }
    requests
}

fn run(seed: u64) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut bench = Bench::new("example.", SMALL);
    let mut all = records(SMALL);
    all.extend(bench.view().dnskeys().unwrap().rrset.records(&bench.origin));
    let mut oracle = Oracle::new(bench.origin.clone(), all);
    let mut repeat = Vec::new();
    if random.below(2) == 0 {
        let bundle = bench.complete(Role::Zsk, 8, 0);
        for text in ["keys example. allowance 0".to_owned(), format!("keys example. begin {bundle}")] {
            assert_eq!(bench.command(&text), None, "CONCLAVE_SEED={seed}");
        }
        // For what the oracle is to know, beside the records.
        bench.now.0 += SECOND * 4_000;
        let dnskeys = bench.machine.head(&bench.origin).dnskeys().unwrap().rrset.clone();
        oracle.records.retain(|record| record.rtype != RrType::DNSKEY);
        oracle.records.extend(dnskeys.records(&bench.origin));
    }
    for batch in 0..5 + random.below(40) {
        // As the pipeline has it: what is older than P batches is signed.
        sign(&mut bench, &mut random, batch % PIPELINE_BATCHES == 0);
        let mut requests = random_requests(&mut bench, &mut oracle, &mut random);
        if let Some((step, tag, _)) = bench.machine.keys()[0].next {
            let act = crate::zone::Act::Step(step, tag);
            let command = crate::zone::Command::Keys { zone: bench.origin.clone(), act };
            requests.extend(bench.votes_for(&command.to_string()));
        }
        repeat.extend(requests.first().cloned());
        let _ = bench.execute(&requests);
    }
    let at = format!("CONCLAVE_SEED={seed}");
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest(), "{at}");
    let snapshot = bench.machine.snapshot();
    // Signatures that come later show in it, and change nothing that is certified.
    sign(&mut bench, &mut random, false);
    let trust = [Trust::Nobody, Trust::OwnDisk][random.below(2) as usize];
    let (mut other, jobs, signed) = restored(&bench, &snapshot, trust, &mut random);
    assert_eq!(signed.failures, [], "{at}");
    assert_eq!(other.pending_jobs().is_empty(), signed.published.len() == 1, "{at}");
    assert_eq!(elements(&other.snapshot()), elements(&snapshot), "{at}");
    assert_eq!((other.digest(), other.recomputed_digest()), (bench.machine.digest(), other.digest()), "{at}");
    assert_eq!(other.batches(), bench.machine.batches(), "{at}");
    let mut pending = bench.machine.pending_jobs();
    pending.retain(|job| !jobs.contains(job));
    assert_eq!(pending, [], "{at}: a replica owes its shares for all that others may lack");
    for job in &jobs {
        // A superseded one does no harm.
        let _ = other.signed(job.id, &bench.signature(job));
    }
    assert_eq!(other.pending_jobs(), [], "{at}");
    for batch in 0..8 {
        sign(&mut bench, &mut random, batch % PIPELINE_BATCHES == 0);
        if random.below(2) == 0 {
            sign_other(&bench, &mut other);
        }
        let mut requests = random_requests(&mut bench, &mut oracle, &mut random);
        requests.extend(repeat.last().cloned());
        execute_both(&mut bench, &mut other, &requests, &format!("{at}, batch {batch} after"));
    }
    sign(&mut bench, &mut random, true);
    sign_other(&bench, &mut other);
    assert_eq!(octets(&bench.view()), octets(&other.view(&bench.origin).unwrap()), "{at}");
    assert_eq!(bench.machine.version(&bench.origin), other.version(&bench.origin), "{at}");
}

#[test]
fn a_restored_machine_goes_on_bit_for_bit_after_any_history() {
    for seed in seeds(0..40) {
        run(seed);
    }
}

#[test]
fn what_is_signed_where_does_not_show_in_manifest_and_elements() {
    let (mut eager, mut lazy) = (bench(), bench());
    for text in ["add a.example. 60 A 192.0.2.1", "del www.example.", "add a.example. 70 A 192.0.2.2"] {
        for bench in [&mut eager, &mut lazy] {
            assert_eq!(bench.update(text), crate::dns::Rcode::NOERROR);
        }
        let _ = eager.sign_all();
    }
    let (one, two) = (eager.machine.snapshot(), lazy.machine.snapshot());
    assert_eq!(one.manifest(), two.manifest());
    assert_eq!(elements(&one), elements(&two));
    let jobs = elements(&one)[1..1 + PIPELINE_BATCHES as usize].iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(
        jobs[1..],
        [4, 2, 2],
        "and the jobs of each of the last batches are listed, superseded ones too"
    );
}

#[test]
fn superseded_jobs_come_back_and_nothing_waits_for_them() {
    let mut bench = bench();
    assert_eq!(bench.update("add new.example. 60 A 192.0.2.1"), crate::dns::Rcode::NOERROR);
    let early = bench.machine.pending_jobs();
    assert_eq!(bench.update("add new.example. 60 A 192.0.2.2"), crate::dns::Rcode::NOERROR);
    let all = bench.machine.pending_jobs();
    let (mut other, jobs, signed) =
        restored(&bench, &bench.machine.snapshot(), Trust::Nobody, &mut Random(7));
    assert!(signed.published.is_empty() && other.view(&bench.origin).is_none());
    assert!(all.iter().all(|job| jobs.contains(job)));
    let waiting = other.pending_jobs();
    assert_eq!(waiting.len(), 4, "the new name, its NSEC, the one before, the SOA");
    for job in early.iter().filter(|job| !waiting.contains(job)) {
        assert!(other.signed(job.id, &bench.signature(job)).published.is_empty());
    }
    let published: Vec<_> =
        waiting.iter().flat_map(|job| other.signed(job.id, &bench.signature(job)).published).collect();
    assert_eq!(published.iter().map(|one| one.version).collect::<Vec<_>>(), [3]);
    let _ = bench.sign_all();
    assert_eq!(octets(&published[0].view), octets(&bench.view()));
}

#[test]
fn zones_before_and_after_genesis_are_restored_side_by_side() {
    let mut bench = bench();
    for origin in ["before.", "Zulu.EXAMPLE."] {
        let mut rules = bench.genesis.zones[0].0.clone();
        rules.origin = name(origin);
        let text = format!("{origin} 60 SOA a. b. 1 1 1 1 1\n{origin} 60 NS ns.\nX.{origin} 60 TXT x");
        bench.genesis.zones.push((rules, records(&text)));
    }
    bench.machine = Machine::new(bench.genesis.clone()).unwrap();
    let genesis = |zone| Request::Genesis { zone: name(zone) };
    let _ = bench.execute(&[genesis("example."), genesis("zulu.example.")]);
    let _ = bench.sign_all();
    let (mut other, jobs, signed) =
        restored(&bench, &bench.machine.snapshot(), Trust::Nobody, &mut Random(3));
    assert_eq!((jobs.len(), signed.published.len()), (0, 2));
    for zone in ["example.", "zulu.example."].map(name) {
        assert_eq!(octets(&other.view(&zone).unwrap()), octets(&bench.machine.view(&zone).unwrap()));
    }
    execute_both(&mut bench, &mut other, &[genesis("before.")], "genesis after");
    let _ = bench.sign_all();
    sign_other(&bench, &mut other);
    let view = other.view(&name("before.")).unwrap();
    assert_eq!(octets(&view), octets(&bench.machine.view(&name("before.")).unwrap()));
}

#[test]
fn the_state_before_the_first_batch_is_a_state_too() {
    let mut bench = Bench::unstarted("example.", ZONE, &[]);
    let (mut other, jobs, _) = restored(&bench, &bench.machine.snapshot(), Trust::Nobody, &mut Random(3));
    assert_eq!(jobs, []);
    execute_both(&mut bench, &mut other, &[Request::Genesis { zone: name("example.") }], "first");
}
