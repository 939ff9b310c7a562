//! DNS over sockets: one request, one answer, and never a word of what came too late.

use conclave::dns::message::{Header, Message, Question, Writer};
use conclave::dns::rdata::Rdata;
use conclave::dns::{Class, Name, Opcode, RrType};
use hickory_proto::op::{Message as Hickory, ResponseCode};
use hickory_proto::rr::RData;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// How long a read may take before it counts as not answered.
const READ_PATIENCE: Duration = Duration::from_secs(1);

/// What a replica says of a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// Its only TXT record holds this number.
    Number(usize),
    /// It has none.
    Nothing,
}

/// The answer to `request` over UDP, if one comes in time.
pub fn over_udp(server: SocketAddr, request: &[u8], patience: Duration) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).unwrap();
    // Connected, so that the kernel tells of a closed port, and of nobody else's datagrams.
    socket.connect(server).ok()?;
    socket.send(request).ok()?;
    let deadline = Instant::now() + patience;
    let mut buffer = vec![0; 65_535];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        socket.set_read_timeout(Some(left.max(Duration::from_millis(1)))).unwrap();
        let length = socket.recv(&mut buffer).ok()?;
        if length >= 2 && buffer[..2] == request[..2] {
            buffer.truncate(length);
            return Some(buffer);
        }
        if left.is_zero() {
            return None;
        }
    }
}

/// The answer to `request` over TCP, if one comes in time.
pub fn over_tcp(server: SocketAddr, request: &[u8], patience: Duration) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&server, patience).ok()?;
    stream.set_read_timeout(Some(patience)).unwrap();
    let length = u16::try_from(request.len()).expect("a short request");
    stream.write_all(&[&length.to_be_bytes(), request].concat()).ok()?;
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).ok()?;
    (answer.get(..2) == request.get(..2)).then_some(answer)
}

/// Asks for a name's records of a type; what comes is read by another implementation than the replicas'.
fn ask(server: SocketAddr, name: &str, rtype: RrType) -> Option<Hickory> {
    static IDS: AtomicU16 = AtomicU16::new(1);
    let id = IDS.fetch_add(1, Ordering::Relaxed);
    let mut writer = Writer::new(512);
    writer.header(&Header::request(id, Opcode::QUERY));
    let name = Name::parse(name).expect("a name");
    writer.question(&Question { name, rtype, class: Class::IN }).expect("it fits");
    Hickory::from_vec(&over_udp(server, &writer.finish(), READ_PATIENCE)?).ok()
}

/// What a replica says of a name's TXT records; nothing if it is not there, or not ready.
pub fn look(server: SocketAddr, name: &str) -> Option<Result<Seen, String>> {
    let answer = ask(server, name, RrType::TXT)?;
    let texts: Vec<String> = answer
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::TXT(txt) => Some(txt.to_string().trim_matches('"').to_owned()),
            _ => None,
        })
        .collect();
    Some(match (answer.metadata.response_code, texts.as_slice()) {
        (ResponseCode::ServFail, _) => return None,
        (ResponseCode::NoError | ResponseCode::NXDomain, []) => Ok(Seen::Nothing),
        (ResponseCode::NoError, [one]) => one.parse().map(Seen::Number).map_err(|_| format!("TXT {one:?}")),
        (rcode, several) => Err(format!("{rcode} with {several:?}")),
    })
}

/// The serial that a replica serves.
pub fn serial(server: SocketAddr) -> Option<u32> {
    let answer = ask(server, crate::site::ORIGIN, RrType::SOA)?;
    answer.answers.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    })
}

/// A TXT record's data with this number.
pub fn number(value: usize) -> Rdata {
    let text = value.to_string();
    Rdata::new(&[&[text.len() as u8], text.as_bytes()].concat())
}

/// A reply, parsed.
pub fn parse(wire: &[u8]) -> Result<Message, String> {
    Message::parse(wire).map_err(|e| format!("a reply that is no message: {e}"))
}
