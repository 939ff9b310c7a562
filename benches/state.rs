//! What the state's digest, a snapshot and restoring cost, in a small zone and in a large one: the machine alone, without
//! signatures. `cargo bench --bench state [-- NAMES]`

use conclave::codec::{self, ClusterId, Digest, Epoch, KeyId};
use conclave::dns::message::{Header, Question, Section, Writer};
use conclave::dns::tsig::{Keyring, TsigAlgorithm, TsigKey, sign_request};
use conclave::dns::{Class, Name, Opcode, Rcode, Rdata, Record, RrType, Soa, dnssec};
use conclave::time::{AgreedTime, SECOND};
use conclave::zone::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

const START_SECS: u64 = 1_795_000_000;
const BATCHES: u16 = 200;
const PAGE_BYTES: usize = 512 * 1024;

fn main() {
    let names = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(100_000);
    for names in [100, names] {
        measure(names);
    }
}

fn measure(names: u32) {
    let genesis = genesis(names);
    let mut machine = Machine::new(genesis.clone()).expect("a zone");
    let start = Request::Genesis { zone: origin() };
    let (took, jobs) = timed(|| execute(&mut machine, 0, &start));
    println!("{names} names: the first version, {jobs} signatures planned: {:.2} s", took.as_secs_f64());
    // Before the fifth batch, so that all signatures may still be lacking.
    let snapshot = machine.snapshot();
    let manifest = snapshot.manifest();
    let bytes = codec::encode(&manifest).len();
    println!(
        "  {} chunks, {} octets of elements and jobs, manifest {bytes} octets",
        manifest.chunks(),
        manifest.bytes()
    );
    let (took, _) = timed(|| snapshot.pieces(manifest.chunks() - 1, 0, PAGE_BYTES));
    println!("  the first look at a bucket: {:.1} ms", took.as_secs_f64() * 1e3);
    let (took, restored) = timed(|| restore(genesis, &snapshot));
    println!("  restored, RSA aside: {:.2} s", took.as_secs_f64());
    assert_eq!(restored.digest(), machine.digest());
    drop(restored);
    let (mut executed, mut digested, mut snapped) = (Vec::new(), Vec::new(), Vec::new());
    let mut kept = snapshot;
    for number in 1..=BATCHES {
        let update = update(number);
        let (took, jobs) = timed(|| execute(&mut machine, number, &update));
        assert_eq!(jobs, 4, "a new name: its set, its NSEC, the NSEC before it, the SOA");
        executed.push(took);
        digested.push(timed(|| machine.digest()).0);
        let (took, snapshot) = timed(|| machine.snapshot());
        snapped.push(took);
        kept = snapshot;
    }
    assert_eq!(kept.manifest().digest(), machine.digest());
    for (what, mut times) in
        [("a batch of one update", executed), ("its digest", digested), ("a snapshot", snapped)]
    {
        times.sort();
        let micros = |at: usize| times[at].as_secs_f64() * 1e6;
        println!(
            "  {what}: median {:.0} µs, 90 % {:.0} µs",
            micros(times.len() / 2),
            micros(times.len() * 9 / 10)
        );
    }
}

fn timed<T>(act: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let got = act();
    (start.elapsed(), got)
}

fn origin() -> Name {
    Name::parse("example.test.").expect("a name")
}

fn client() -> TsigKey {
    TsigKey::new(Name::parse("updater.").expect("a name"), TsigAlgorithm::HmacSha256, vec![7; 32])
}

fn genesis(names: u32) -> Genesis {
    let key = |flags, octet| {
        let dnskey = dnssec::rsa_dnskey_rdata(flags, 8, &[1, 0, 1], &[octet; 256]);
        KeyInfo { id: KeyId(codec::digest("bench", &[dnskey.wire()])), dnskey }
    };
    let record =
        |name: &Name, rtype, rdata| Record { name: name.clone(), rtype, class: Class::IN, ttl: 300, rdata };
    let soa =
        Soa { mname: origin(), rname: origin(), serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 60 };
    let mut records = vec![
        record(&origin(), RrType::SOA, soa.to_rdata()),
        record(&origin(), RrType::NS, Rdata::new(origin().wire())),
    ];
    records.extend((0..names).map(|i| {
        let name = origin().child(format!("host{i}").as_bytes()).expect("a name");
        record(&name, RrType::A, Rdata::new(&i.to_be_bytes()))
    }));
    let rules = ZoneRules {
        origin: origin(),
        policy: UpdatePolicy::parse(&["grant updater. zonesub ANY"]).expect("a policy"),
        reads: Reads::Local,
        serial: SerialRule::Increment,
        validity: Validity::default(),
        dnskey_ttl: 3600,
        denial: Denial::Nsec,
        ksk: key(257, 0xc3),
        zsk: key(256, 0xc5),
    };
    let mut keys = Keyring::default();
    keys.tsig.insert(Name::parse("updater.").expect("a name"), client());
    Genesis {
        cluster: ClusterId(Digest::default()),
        epoch: Epoch(0),
        members: Vec::new(),
        operators: Vec::new(),
        operators_needed: 0,
        zones: vec![(rules, records)],
        keys: Arc::new(keys),
    }
}

/// Adds a name.
fn update(number: u16) -> Request {
    let mut writer = Writer::new(512);
    writer.header(&Header::request(number, Opcode::UPDATE));
    writer.question(&Question { name: origin(), rtype: RrType::SOA, class: Class::IN }).expect("room");
    let name = origin().child(format!("bench{number}").as_bytes()).expect("a name");
    writer
        .parts(Section::Authority, &name, RrType::A, Class::IN, 60, &Rdata::new(&[192, 0, 2, 1]))
        .expect("room");
    let mut wire = writer.finish();
    sign_request(&mut wire, &client(), START_SECS + u64::from(number));
    Request::Update { wire }
}

/// How many jobs one request gives.
fn execute(machine: &mut Machine, number: u16, request: &Request) -> usize {
    let time = AgreedTime((START_SECS + u64::from(number)) * SECOND);
    let bytes = codec::encode(request);
    let executed = machine.execute(&Batch { time, requests: &[(RequestId(0), &bytes)] });
    assert!(executed.outcomes.iter().all(|outcome| outcome.rcode == Rcode::NOERROR));
    executed.jobs.len()
}

fn restore(genesis: Genesis, snapshot: &Snapshot) -> Machine {
    let mut restore = Restore::new(genesis, snapshot.manifest(), Trust::Nobody).expect("a manifest");
    while let Some((chunk, from)) = restore.needs() {
        let (pieces, last) = snapshot.pieces(chunk, from, PAGE_BYTES);
        restore.take(pieces, last).expect("right pieces");
    }
    restore.finish().expect("a whole state").0
}
