//! `conclave update`: sends what a script of nsupdate says, with EDNS, so that a refusal comes with its reason and ticket.
//!
//! Messages go one after the other over TCP, each signed with the key of `--key`; the first that is refused ends it. One that is not
//! through in time (SERVFAIL, not ready) is sent again as it is, for as long as `--wait` says: the cluster executes it once. The zone, where
//! the script says none, is that of the SOA that the server gives for the first name.
//!
//! With the file of a `quorum` key ([`quorum`]) a message goes to t+1 replicas at once, to each signed with its own secret and to all
//! with one nonce; a replica that cannot be reached or does not answer is made up for by another, and the answers are compared.

mod quorum;

use super::{Failure, print};
use crate::ceremony::client_keys::{KeyClause, read_tsig};
use crate::ceremony::files::plain;
use crate::dns::edns::{Edns, OPTION_EDE, ede};
use crate::dns::message::{Header, Message, Question, Writer};
use crate::dns::script::{self, MAX_SCRIPT_BYTES, Sent};
use crate::dns::tsig::{self, TsigAlgorithm, TsigKey};
use crate::dns::{Class, Name, Opcode, Rcode, RrType};
use crate::limits::MAX_UDP_ANSWER_OCTETS;
use clap::Args;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long a server may take for one reply.
const REPLY: Duration = Duration::from_secs(30);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// Arguments of `conclave update`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    printf 'add a.example.test 60 A 192.0.2.1\\n' | conclave update --server 127.0.0.1:5301 --key demo/client/tsig.key")]
pub struct Arguments {
    /// The script; stdin if none is named
    #[arg(value_name = "FILE")]
    script: Option<PathBuf>,
    /// A replica that answers DNS there; the script's `server` line goes before. Of a quorum key, for each replica that is elsewhere than
    /// its file says: I=HOST:PORT
    #[arg(long, value_name = "[I=]HOST:PORT")]
    server: Vec<String>,
    /// A file with the client's TSIG key, as tsig-keygen writes it, or with all secrets of a quorum key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// How long to go on with a message that is not through
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    wait: u64,
}

/// Runs `conclave update`.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut keys = read_tsig(&arguments.key)?;
    let sent = script::parse(&text_of(arguments)?).map_err(Failure::new)?;
    if sent.is_empty() {
        return Err(Failure::new("the script holds no update"));
    }
    let wait = Duration::from_secs(arguments.wait);
    if keys.iter().any(|key| key.replica.is_some()) {
        let replicas = quorum::replicas(keys, &arguments.server)?;
        return sent.iter().try_for_each(|one| quorum::send(one, &replicas, wait));
    }
    let shown = arguments.key.display();
    let key = keys.drain(..).next().ok_or_else(|| Failure::new(format!("{shown}: holds no key")))?;
    let key = key_of(key)?;
    for one in &sent {
        let server = one.server.clone().or_else(|| arguments.server.first().cloned());
        let server =
            server.ok_or_else(|| Failure::new("say where a replica answers, with --server HOST:PORT"))?;
        send(one, &server, &key, wait)?;
    }
    Ok(())
}

fn key_of(clause: KeyClause) -> Result<TsigKey, Failure> {
    let algorithm = TsigAlgorithm::parse(&clause.algorithm);
    let algorithm =
        algorithm.ok_or_else(|| Failure::new(format!("{}: of no known algorithm", clause.name)))?;
    Ok(TsigKey::new(clause.name, algorithm, clause.secret.to_vec()))
}

fn text_of(arguments: &Arguments) -> Result<String, Failure> {
    let mut text = String::new();
    let bound = MAX_SCRIPT_BYTES as u64 + 1;
    let read = match &arguments.script {
        Some(path) => std::fs::File::open(path).and_then(|file| file.take(bound).read_to_string(&mut text)),
        None => std::io::stdin().lock().take(bound).read_to_string(&mut text),
    };
    let shown = arguments.script.as_ref().map_or("stdin".into(), |path| path.display().to_string());
    read.map_err(|e| Failure::new(format!("{shown}: {}", plain(&e))))?;
    Ok(text)
}

fn send(sent: &Sent, server: &str, key: &TsigKey, wait: Duration) -> Result<(), Failure> {
    let line = sent.line;
    let at = |why: String| Failure::new(format!("line {line}: {server}: {why}"));
    let zone = match &sent.zone {
        Some(zone) => zone.clone(),
        None => zone_of(server, sent).map_err(at)?,
    };
    let wire = sent.to_wire(&zone).ok_or_else(|| at("no message can hold this".into()))?;
    let message = signed(wire, key, Vec::new());
    let began = Instant::now();
    loop {
        let (rcode, said) = answer(server, key, &message, Trusted::SignedIfDone).map_err(at)?;
        if rcode == Rcode::NOERROR {
            print(&format!("line {line}: {zone} NOERROR\n"));
            return Ok(());
        }
        if !is_late(rcode, said.as_ref()) || began.elapsed() >= wait {
            return Err(at(told(rcode, said)));
        }
        std::thread::sleep(PAUSE);
    }
}

/// An extended error: code and text.
type Said = Option<(u16, String)>;

/// Which replies count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trusted {
    /// Those with a good signature.
    Signed,
    /// Refusals without one too.
    SignedIfDone,
}

/// What a server answers to a signed message that had this MAC.
fn answer(
    server: &str,
    key: &TsigKey,
    (wire, mac): &(Vec<u8>, Vec<u8>),
    trusted: Trusted,
) -> Result<(Rcode, Said), String> {
    let reply = exchange(server, wire)?;
    let verified = tsig::verify_response(&reply, key, mac, now());
    let message = Message::parse(&reply).map_err(|why| format!("no DNS message: {why}"))?;
    if let Err(failure) = verified
        && (trusted == Trusted::Signed || message.rcode() == Rcode::NOERROR)
    {
        let rcode = message.rcode();
        return Err(format!("{rcode}: the reply's signature does not hold ({failure:?}): it may be forged"));
    }
    Ok((message.rcode(), extended(&message)))
}

/// Whether the same message may still succeed.
fn is_late(rcode: Rcode, said: Option<&(u16, String)>) -> bool {
    rcode == Rcode::SERVFAIL && said.is_some_and(|(code, _)| *code == ede::NOT_READY)
}

fn told(rcode: Rcode, said: Said) -> String {
    let said = said.map_or(String::new(), |(_, text)| format!(": {text}"));
    format!("{rcode}{said}; `conclave ctl explain` says more")
}

/// With an OPT record that has these options, and signed; and the MAC.
fn signed(mut wire: Vec<u8>, key: &TsigKey, options: Vec<(u16, Vec<u8>)>) -> (Vec<u8>, Vec<u8>) {
    let id = now_millis() as u16;
    wire[..2].copy_from_slice(&id.to_be_bytes());
    // Nothing else is in the additional section.
    wire[11] = 1;
    Edns { udp_size: MAX_UDP_ANSWER_OCTETS as u16, options, ..Edns::default() }.write(&mut wire);
    let mac = tsig::sign_request(&mut wire, key, now());
    (wire, mac)
}

/// The extended error's code and text, without what a terminal would obey.
fn extended(message: &Message) -> Option<(u16, String)> {
    let (code, text) = message.edns.as_ref()?.option(OPTION_EDE)?.split_first_chunk::<2>()?;
    let text = String::from_utf8_lossy(text).chars().filter(|letter| !letter.is_control()).collect();
    Some((u16::from_be_bytes(*code), text))
}

fn zone_of(server: &str, sent: &Sent) -> Result<Name, String> {
    let name = sent.first_name().cloned().unwrap_or_else(Name::root);
    let mut writer = Writer::new(MAX_UDP_ANSWER_OCTETS);
    writer.header(&Header::request(now_millis() as u16, Opcode::QUERY));
    let question = Question { name: name.clone(), rtype: RrType::SOA, class: Class::IN };
    writer.question(&question).map_err(|_| "the name is too long")?;
    let reply = exchange(server, &writer.finish())?;
    let message = Message::parse(&reply).map_err(|why| format!("no DNS message: {why}"))?;
    let mut soa =
        message.answers.iter().chain(&message.authorities).filter(|record| record.rtype == RrType::SOA);
    let zone = soa.next().map(|record| record.name.clone());
    zone.ok_or_else(|| format!("tells no zone of {name}; say `zone ORIGIN` in the script"))
}

fn exchange(server: &str, wire: &[u8]) -> Result<Vec<u8>, String> {
    let talk = || -> std::io::Result<Vec<u8>> {
        let address = server.to_socket_addrs()?.next().ok_or(std::io::ErrorKind::AddrNotAvailable)?;
        let mut stream = TcpStream::connect_timeout(&address, REPLY)?;
        stream.set_read_timeout(Some(REPLY))?;
        stream.set_write_timeout(Some(REPLY))?;
        stream.write_all(&[&(wire.len() as u16).to_be_bytes(), wire].concat())?;
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut reply)?;
        Ok(reply)
    };
    let reply = talk().map_err(|e| plain(&e))?;
    if reply.get(..2) == wire.get(..2) { Ok(reply) } else { Err("replied to something else".into()) }
}

fn now() -> u64 {
    now_millis() / 1_000
}

fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
