//! When a demo is ready: every replica answers every zone's SOA with a signature.

use super::children::{Children, PACE};
use super::{Demo, Failure};
use crate::ceremony::files::read_text;
use crate::cli::ctl::ask_status;
use crate::dns::edns::Edns;
use crate::dns::message::{Header, Message, Question, Writer};
use crate::dns::name::Name;
use crate::dns::rtype::{Class, Opcode, Rcode, RrType};
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long one probe waits for its answer.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often is said how far it is.
const NEWS: Duration = Duration::from_secs(2);

/// Waits until all is served; false if it was told to stop before.
pub fn wait(demo: &Demo, children: &mut Children, stop: &AtomicBool) -> Result<bool, Failure> {
    let mut missing: BTreeSet<(SocketAddr, Name)> = BTreeSet::new();
    for file in &demo.replicas {
        let address = file.dns.first().copied();
        missing.extend(
            address.iter().flat_map(|dns| demo.cluster.zones.iter().map(|zone| (*dns, zone.origin.clone()))),
        );
    }
    let mut news = Instant::now();
    eprintln!("Starting {}; zones: {}", count(demo.replicas.len()), zones(demo));
    while !missing.is_empty() {
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        if let Some((index, how)) = children.ended().first() {
            let log = demo.dir.join(format!("replica-{index}")).join("log");
            let text = read_text(&log).unwrap_or_default();
            let last = text.lines().last().unwrap_or_default().to_owned();
            return Err(Failure::new(format!("replica {index} ended ({how}): {last} ({})", log.display())));
        }
        missing.retain(|(address, zone)| !serves(*address, zone));
        if news.elapsed() >= NEWS {
            news = Instant::now();
            tell(demo);
        }
        sleep(PACE);
    }
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    Ok(true)
}

/// "1 replica" or "n replicas".
pub fn count(replicas: usize) -> String {
    if replicas == 1 { "1 replica".into() } else { format!("{replicas} replicas") }
}

fn zones(demo: &Demo) -> String {
    demo.cluster.zones.iter().map(|zone| zone.origin.to_string()).collect::<Vec<_>>().join(", ")
}

/// How many signatures are still to be made, as the first replica that answers says.
fn tell(demo: &Demo) {
    let status = demo.replicas.iter().find_map(|file| ask_status(&file.admin).ok());
    let left = status.and_then(|status| status["pending_jobs"].as_u64());
    let line = left.map_or("waiting for the replicas".into(), |left| format!("{left} signatures to make"));
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K  {line}");
    } else {
        eprintln!("  {line}");
    }
}

/// Whether the server at `address` answers the zone's SOA with a signature.
fn serves(address: SocketAddr, zone: &Name) -> bool {
    let ask = || -> Option<Message> {
        let socket = UdpSocket::bind((address.ip(), 0)).ok()?;
        socket.connect(address).ok()?;
        socket.set_read_timeout(Some(PATIENCE)).ok()?;
        socket.send(&query(zone)?).ok()?;
        let mut buffer = vec![0; 65_535];
        let length = socket.recv(&mut buffer).ok()?;
        Message::parse(&buffer[..length]).ok()
    };
    ask().is_some_and(|answer| {
        let has = |rtype| answer.answers.iter().any(|record| record.rtype == rtype);
        answer.rcode() == Rcode::NOERROR && answer.header.aa && has(RrType::SOA) && has(RrType::RRSIG)
    })
}

fn query(zone: &Name) -> Option<Vec<u8>> {
    let mut writer = Writer::new(512);
    writer.header(&Header::request(std::process::id() as u16, Opcode::QUERY));
    writer.question(&Question { name: zone.clone(), rtype: RrType::SOA, class: Class::IN }).ok()?;
    writer.opt(&Edns { udp_size: 1232, do_bit: true, ..Edns::default() }).ok()?;
    Some(writer.finish())
}
