//! What an update costs end to end: real replicas on loopback, 2048-bit keys, TSIG over UDP, one client that waits for
//! each answer. `cargo bench --bench update [-- COUNT]`
//!
//! Machines differ, so the time is also given as a multiple of the least that any such system must spend: the update's
//! signatures, each one exponentiation of a share. All replicas share this machine's cores, so the processor time of
//! the whole cluster is given too.

#[path = "../tests/cluster/harness.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod harness;

use conclave::dns::message::{Header, Message, Question};
use conclave::dns::message::{Section, Writer};
use conclave::dns::tsig::{TsigAlgorithm, TsigKey, sign_request, verify_response};
use conclave::dns::{Class, Name, Opcode, Rcode, Rdata, RrType};
use conclave::threshold::test_keys;
use harness::Demo;
use std::net::UdpSocket;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A new name: its set, its NSEC, the NSEC before it, the SOA.
const SIGNATURES: f64 = 4.0;

fn main() {
    let count = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(40u16);
    let exponentiation = one_exponentiation();
    println!("one 2048-bit exponentiation of a share: {:.2} ms", exponentiation.as_secs_f64() * 1e3);
    for n in [1, 4, 7] {
        let demo = Demo::start_with(n, 2048, &[]);
        let before = cpu(&demo);
        let mut times: Vec<Duration> = (0..count).map(|k| update(&demo, k)).collect();
        let spent = (cpu(&demo) - before) / f64::from(count);
        times.sort();
        let median = times[times.len() / 2].as_secs_f64();
        let floor = SIGNATURES * exponentiation.as_secs_f64();
        println!(
            "n = {n}: an update of {SIGNATURES} signatures: median {:.1} ms, 90 % {:.1} ms, {:.1} × (signatures × one \
             exponentiation); {:.1} ms of processor time over all replicas",
            median * 1e3,
            times[times.len() * 9 / 10].as_secs_f64() * 1e3,
            median / floor,
            spent * 1e3,
        );
    }
}

fn one_exponentiation() -> Duration {
    let dealt = test_keys::dealt(2048, 0, 4, 2);
    let x = dealt.public.encode(&[7; 32]).expect("a SHA-256 hash");
    let time = || {
        let start = Instant::now();
        std::hint::black_box(dealt.shares[0].sign(&dealt.public, &x));
        start.elapsed()
    };
    (0..30).map(|_| time()).min().unwrap_or_default()
}

/// Adds one name, and gives the time until the verified answer.
fn update(demo: &Demo, k: u16) -> Duration {
    let key = key(demo);
    let mut writer = Writer::new(512);
    writer.header(&Header::request(k, Opcode::UPDATE));
    let zone = Name::parse("example.test").expect("a name");
    writer.question(&Question { name: zone.clone(), rtype: RrType::SOA, class: Class::IN }).expect("room");
    let name = zone.child(format!("bench{k}").as_bytes()).expect("a name");
    let data = Rdata::new(&[192, 0, 2, 1]);
    writer.parts(Section::Authority, &name, RrType::A, Class::IN, 60, &data).expect("room");
    let mut wire = writer.finish();
    let mac = sign_request(&mut wire, &key, now());
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(harness::DEADLINE)).expect("a timeout");
    let mut answer = [0; 1500];
    let start = Instant::now();
    socket.send_to(&wire, ("127.0.0.1", demo.base + 1)).expect("sent");
    let length = socket.recv(&mut answer).expect("answered");
    let elapsed = start.elapsed();
    let answer = &answer[..length];
    assert_eq!(verify_response(answer, &key, &mac, now()), Ok(Rcode::NOERROR));
    assert_eq!(Message::parse(answer).expect("a message").rcode(), Rcode::NOERROR);
    elapsed
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// The demo's TSIG key, from BIND's key file.
fn key(demo: &Demo) -> TsigKey {
    let text = std::fs::read_to_string(demo.dir().join("client/tsig.key")).expect("the key file");
    let mut quoted = text.split('"').skip(1).step_by(2);
    let name = Name::parse(quoted.next().expect("a name")).expect("a name");
    let secret = data_encoding::BASE64.decode(quoted.next().expect("a secret").as_bytes()).expect("base 64");
    TsigKey::new(name, TsigAlgorithm::HmacSha256, secret)
}

/// Seconds of processor time of all replicas so far.
fn cpu(demo: &Demo) -> f64 {
    let ticks = (1..=demo.n).map(|i| {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", demo.pid(i))).unwrap_or_default();
        let fields: Vec<u64> = stat
            .rsplit(')')
            .next()
            .unwrap_or("")
            .split_whitespace()
            .map(|f| f.parse().unwrap_or(0))
            .collect();
        fields.get(11).unwrap_or(&0) + fields.get(12).unwrap_or(&0)
    });
    // The kernel counts in hundredths of a second everywhere that matters.
    ticks.sum::<u64>() as f64 / 100.0
}
