//! What an answer costs: `respond` alone, and over UDP on loopback. `cargo bench --bench queries`.

#[path = "../tests/support/signed.rs"]
mod signed;

use arc_swap::ArcSwap;
use conclave::answer::{Catalog, Client, Request, Settings, Transport, respond};
use conclave::dns::Name;
use conclave::runtime::clients::Busy;
use conclave::runtime::service::Service;
use conclave::runtime::udp::UdpServer;
use std::hint::black_box;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROUNDS: u32 = 7;
const ANSWERS_PER_ROUND: u32 = 100_000;
/// Queries on their way at a time: below what the server takes at once, and the sockets hold.
const WINDOW: usize = 32;
const LOOPBACK: Duration = Duration::from_secs(2);

const QUESTIONS: [(&str, &str, u16); 7] = [
    ("positive", "web.example.test.", 1),
    ("alias", "hop1.example.test.", 1),
    ("wildcard", "x.wild.example.test.", 1),
    ("nodata", "web.example.test.", 16),
    ("nxdomain", "nothing.example.test.", 1),
    ("delegation", "www.deleg.example.test.", 1),
    ("refused", "www.elsewhere.test.", 1),
];

fn query(name: &str, rtype: u16) -> Vec<u8> {
    let mut wire = vec![0xAB, 0xCD, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    wire.extend_from_slice(Name::parse(name).expect("a name").wire());
    wire.extend_from_slice(&rtype.to_be_bytes());
    wire.extend_from_slice(&[0, 1, 0, 0, 41, 0x04, 0xD0, 0, 0, 0x80, 0, 0, 0]);
    wire
}

fn main() {
    let catalog = Catalog::new().with(signed::view("example.test.", signed::EXAMPLE), false);
    println!("respond, with DO, the best of {ROUNDS} rounds:");
    for (what, name, rtype) in QUESTIONS {
        let nanoseconds = respond_alone(&catalog, &query(name, rtype));
        println!("  {what:<12}{nanoseconds:>8} ns");
    }
    println!("over UDP on loopback, one thread each side, {WINDOW} on their way:");
    for (what, name, rtype) in QUESTIONS {
        println!("  {what:<12}{:>8} queries/s", over_udp(&catalog, &query(name, rtype)));
    }
}

fn respond_alone(catalog: &Catalog, wire: &[u8]) -> u32 {
    let (settings, mut out) = (Settings::default(), Vec::with_capacity(1500));
    let round = |_| {
        let begin = Instant::now();
        for _ in 0..ANSWERS_PER_ROUND {
            let request =
                Request { wire: black_box(wire), client: Client::over(Transport::Udp), now_secs: 0 };
            black_box(respond(catalog, &settings, request, &mut out));
        }
        begin.elapsed() / ANSWERS_PER_ROUND
    };
    (0..ROUNDS).map(round).min().unwrap_or_default().subsec_nanos()
}

fn over_udp(catalog: &Catalog, wire: &[u8]) -> u64 {
    let catalog = Arc::new(ArcSwap::from_pointee(catalog.clone()));
    let service = Service::with_forward(catalog, Arc::default(), Arc::new(|_, _, _| Err(Busy)));
    let server = UdpServer::start(([127, 0, 0, 1], 0).into(), 1, &service).expect("a server");
    let client = UdpSocket::bind(("127.0.0.1", 0)).expect("a socket");
    client.connect(server.local_addr()).expect("a connection");
    client.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout");
    let (begin, mut answered, mut buffer) = (Instant::now(), 0, [0; 2048]);
    for _ in 0..WINDOW {
        client.send(wire).expect("a query leaves");
    }
    while begin.elapsed() < LOOPBACK {
        client.recv(&mut buffer).expect("an answer");
        client.send(wire).expect("a query leaves");
        answered += 1;
    }
    answered * 1000 / begin.elapsed().as_millis() as u64
}
