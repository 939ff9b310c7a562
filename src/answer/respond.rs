//! From a request to a response: what may be answered, and the frame around the answer.

use super::catalog::Catalog;
use super::compose::{HEADER, Writer, sections};
use super::solve::{Source, solve};
use crate::dns::edns::{OPTION_EDE, OPTION_NSID, ede};
use crate::dns::message::Message;
use crate::dns::query::{self, Query, Reject};
use crate::dns::tsig::{self, AuthFailure, Keyring, Signer};
use crate::dns::{Class, Opcode, Rcode, RrType};
use crate::limits::MAX_UDP_ANSWER_OCTETS;
use crate::zone::View;
use std::sync::Arc;

/// What the operator chose for answers.
#[derive(Clone, Default)]
pub struct Settings {
    /// The name of this server for those who ask (RFC 5001). Without it all replicas answer in the same bytes.
    pub nsid: Option<Vec<u8>>,
    /// Keys by which queries may be signed (RFC 8945).
    pub keys: Arc<Keyring>,
}

/// How a request came, which bounds its response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// At most 1232 octets, 512 without EDNS; TC if that is too little.
    Udp,
    /// At most 65,535 octets.
    Tcp,
}

/// A message from a client.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The message as it came.
    pub wire: &'a [u8],
    /// How it came.
    pub transport: Transport,
    /// Seconds since 1970; only a TSIG depends on it.
    pub now_secs: u64,
}

/// What to do with a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    /// Send what is in `out`.
    Send,
    /// Say nothing: the message was no request (RFC 8906 and common sense: an answer to an answer makes a loop).
    Ignore,
    /// An update, or a query whose zone has ordered reads: hand it to the replica.
    Forward,
}

const QR: u8 = 0x80;
const AA: u8 = 0x04;
const TC: u8 = 0x02;
const RD: u8 = 0x01;

/// Octets of an OPT record without options, and of the fixed part of an option.
const OPT: usize = 11;
const OPTION: usize = 4;
const DO: u16 = 0x8000;

/// Answers one request from the zones of `catalog`; the whole response is left in `out`.
pub fn respond(catalog: &Catalog, settings: &Settings, request: Request<'_>, out: &mut Vec<u8>) -> Reply {
    answer(settings, request, out, |query| choose(catalog, query))
}

/// Answers an ordered read from `view`, the version at its place in the order.
pub fn respond_from(view: &Arc<View>, settings: &Settings, request: Request<'_>, out: &mut Vec<u8>) -> Reply {
    answer(settings, request, out, |query| {
        if !query.qname.is_subdomain_of(view.origin()) {
            return Choice::Refuse(OFF_ZONE);
        }
        Choice::Answer(Source { view, others: None })
    })
}

/// A response without records: SERVFAIL and the like. Leaves nothing in `out` if `wire` is not a request.
pub fn failure(wire: &[u8], rcode: Rcode, ede: Option<(u16, &str)>, out: &mut Vec<u8>) {
    out.clear();
    if !is_request(wire) {
        return;
    }
    let question = question_end(wire);
    frame(wire, &wire[HEADER..question], rcode, out);
    // The rest of an update is not read here: whether it has an OPT the full parser says.
    if Message::parse(wire).is_ok_and(|message| message.edns.is_some()) {
        opt(out, rcode, false, None, ede);
    }
}

/// Why a query is not answered.
#[derive(Clone, Copy)]
struct Refusal {
    rcode: Rcode,
    ede: Option<(u16, &'static str)>,
}

const OFF_ZONE: Refusal = Refusal { rcode: Rcode::REFUSED, ede: Some((ede::NOT_AUTHORITATIVE, "")) };
const NOT_READY: Refusal =
    Refusal { rcode: Rcode::SERVFAIL, ede: Some((ede::NOT_READY, "the zone is not signed yet")) };
const NO_TRANSFER: Refusal = Refusal { rcode: Rcode::REFUSED, ede: Some((ede::NOT_SUPPORTED, "")) };

/// Which zone a query is answered from.
enum Choice<'c> {
    Answer(Source<'c>),
    Refuse(Refusal),
    Forward,
}

fn choose<'c>(catalog: &'c Catalog, query: &Query) -> Choice<'c> {
    let Some(found) = catalog.answering(&query.qname, query.qtype) else { return Choice::Refuse(OFF_ZONE) };
    match found.view {
        None => Choice::Refuse(NOT_READY),
        Some(_) if found.ordered => Choice::Forward,
        Some(view) => Choice::Answer(Source { view, others: Some(catalog) }),
    }
}

fn answer<'c>(
    settings: &Settings,
    request: Request<'_>,
    out: &mut Vec<u8>,
    choose: impl FnOnce(&Query) -> Choice<'c>,
) -> Reply {
    out.clear();
    let wire = request.wire;
    if !is_request(wire) {
        return Reply::Ignore;
    }
    if opcode(wire) == Opcode::UPDATE {
        return Reply::Forward;
    }
    let query = match query::parse(wire) {
        Ok(query) => query,
        Err(Reject::Ignore) => return Reply::Ignore,
        Err(Reject::Reply { rcode, question_end, .. }) => {
            let question = wire.get(HEADER..question_end).unwrap_or_default();
            frame(wire, question, rcode, out);
            return Reply::Send;
        }
    };
    let choice = match refuse(&query) {
        Some(refusal) => Choice::Refuse(refusal),
        None => choose(&query),
    };
    match choice {
        Choice::Forward => return Reply::Forward,
        Choice::Refuse(refusal) => reject(settings, wire, &query, refusal, out),
        Choice::Answer(source) => {
            if query.has_tsig {
                signed(settings, request, &query, source, out);
            } else {
                write(settings, request, &query, source, 0, out);
            }
        }
    }
    Reply::Send
}

/// What no zone needs to be looked up for.
fn refuse(query: &Query) -> Option<Refusal> {
    let plain = |rcode| Some(Refusal { rcode, ede: None });
    if query.edns.as_ref().is_some_and(|edns| edns.version > 0) {
        return plain(Rcode::BADVERS); // RFC 6891 §6.1.3
    }
    // RFC 1035 §3.2.5: * is any class, ours among them.
    if query.qclass != Class::IN && query.qclass != Class::ANY {
        return Some(OFF_ZONE);
    }
    match query.qtype {
        // Pseudo-records are not questions (RFC 6891 §6.1.1, RFC 8945 §4.2).
        RrType::OPT | RrType::TSIG => plain(Rcode::FORMERR),
        RrType::AXFR | RrType::IXFR => Some(NO_TRANSFER),
        RrType::TKEY | RrType::MAILA | RrType::MAILB => plain(Rcode::NOTIMP),
        _ => None,
    }
}

fn reject(settings: &Settings, wire: &[u8], query: &Query, refusal: Refusal, out: &mut Vec<u8>) {
    frame(wire, &wire[HEADER..query.question_end], refusal.rcode, out);
    if let Some(edns) = &query.edns {
        let nsid = settings.nsid.as_deref().filter(|_| edns.nsid);
        opt(out, refusal.rcode, edns.do_bit, nsid, refusal.ede);
    }
}

/// Writes the answer; `reserved`: octets to leave for a TSIG.
fn write(
    settings: &Settings,
    request: Request<'_>,
    query: &Query,
    source: Source<'_>,
    reserved: usize,
    out: &mut Vec<u8>,
) {
    let dnssec = query.edns.as_ref().is_some_and(|edns| edns.do_bit);
    let nsid = query.edns.as_ref().and_then(|edns| settings.nsid.as_deref().filter(|_| edns.nsid));
    let trailer =
        query.edns.as_ref().map_or(0, |_| OPT + nsid.map_or(0, |nsid| OPTION + nsid.len())) + reserved;
    let limit = limit(request.transport, query).saturating_sub(trailer);
    let solution = solve(source, &query.qname, query.qtype, dnssec);
    frame(request.wire, &request.wire[HEADER..query.question_end], solution.rcode, out);
    // RFC 1035 §6.2: an answer for any class is never authoritative.
    if solution.authoritative && query.qclass == Class::IN {
        out[2] |= AA;
    }
    let fits = sections(&mut Writer::after_question(out, &query.qname, limit), &solution, dnssec);
    if !fits && request.transport == Transport::Tcp {
        // TC over TCP would only be asked again.
        let refusal =
            Refusal { rcode: Rcode::SERVFAIL, ede: Some((ede::OTHER, "answer exceeds 65535 octets")) };
        return reject(settings, request.wire, query, refusal, out);
    }
    if query.edns.is_some() {
        opt(out, solution.rcode, dnssec, nsid, None);
    }
}

/// A query with a TSIG gets a signed answer, or the error that RFC 8945 §5.2 asks for.
fn signed(settings: &Settings, request: Request<'_>, query: &Query, source: Source<'_>, out: &mut Vec<u8>) {
    let keys = &settings.keys;
    let key = tsig::authenticate(request.wire, keys, request.now_secs).and_then(|verified| {
        match (&verified.signer, verified.tsig_mac) {
            (Signer::Tsig(name), Some(mac)) => {
                keys.tsig.get(name).map(|key| (key, mac)).ok_or(AuthFailure::BadKey)
            }
            _ => Err(AuthFailure::FormErr),
        }
    });
    match key {
        Ok((key, mac)) => {
            write(settings, request, query, source, tsig::response_overhead(key), out);
            tsig::sign_response(out, key, &mac, request.now_secs);
        }
        Err(failure) => {
            let refusal = Refusal { rcode: failure.rcode(), ede: None };
            reject(settings, request.wire, query, refusal, out);
            tsig::sign_failure(out, request.wire, keys, failure, request.now_secs);
            // The names in a TSIG are the client's choice, and long ones may not fit: over TCP they do.
            if out.len() > limit(request.transport, query) {
                reject(settings, request.wire, query, refusal, out);
                out[2] |= TC;
            }
        }
    }
}

/// RFC 6891 §6.2.3: the client's size, at least 512; RFC 9715: not so much that it is fragmented.
fn limit(transport: Transport, query: &Query) -> usize {
    match (transport, &query.edns) {
        (Transport::Tcp, _) => usize::from(u16::MAX),
        (Transport::Udp, None) => 512,
        (Transport::Udp, Some(edns)) => usize::from(edns.udp_size).clamp(512, MAX_UDP_ANSWER_OCTETS),
    }
}

/// Header and question of a response to `wire`. RD is copied; CD is cleared (RFC 4035 §3.1.6), as are AD and RA.
fn frame(wire: &[u8], question: &[u8], rcode: Rcode, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&wire[..2]);
    out.push(QR | (wire[2] & 0x78) | (wire[2] & RD));
    out.push((rcode.0 & 0x0F) as u8);
    out.extend_from_slice(&[0, u8::from(!question.is_empty()), 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(question);
}

/// Appends the OPT record (RFC 6891 §6.1.2), with NSID (RFC 5001) and an extended error (RFC 8914).
fn opt(out: &mut Vec<u8>, rcode: Rcode, dnssec: bool, nsid: Option<&[u8]>, ede: Option<(u16, &str)>) {
    let nsid_length = nsid.map_or(0, |nsid| OPTION + nsid.len());
    let ede_length = ede.map_or(0, |(_, text)| OPTION + 2 + text.len());
    out.push(0);
    out.extend_from_slice(&RrType::OPT.0.to_be_bytes());
    out.extend_from_slice(&(MAX_UDP_ANSWER_OCTETS as u16).to_be_bytes());
    out.extend_from_slice(&[(rcode.0 >> 4) as u8, 0]);
    out.extend_from_slice(&(if dnssec { DO } else { 0 }).to_be_bytes());
    out.extend_from_slice(&((nsid_length + ede_length) as u16).to_be_bytes());
    if let Some(nsid) = nsid {
        out.extend_from_slice(&OPTION_NSID.to_be_bytes());
        out.extend_from_slice(&(nsid.len() as u16).to_be_bytes());
        out.extend_from_slice(nsid);
    }
    if let Some((code, text)) = ede {
        out.extend_from_slice(&OPTION_EDE.to_be_bytes());
        out.extend_from_slice(&(2 + text.len() as u16).to_be_bytes());
        out.extend_from_slice(&code.to_be_bytes());
        out.extend_from_slice(text.as_bytes());
    }
    let total = u16::from_be_bytes([out[10], out[11]]).saturating_add(1);
    out[10..12].copy_from_slice(&total.to_be_bytes());
}

fn is_request(wire: &[u8]) -> bool {
    wire.len() >= HEADER && wire[2] & QR == 0
}

fn opcode(wire: &[u8]) -> Opcode {
    Opcode(wire[2] >> 3 & 0x0F)
}

/// Where the only question ends, or the header if there is not one question that can be copied.
fn question_end(wire: &[u8]) -> usize {
    let mut at = HEADER;
    if wire[4..6] != [0, 1] {
        return HEADER;
    }
    loop {
        match wire.get(at) {
            Some(0) if at - HEADER < 255 && wire.len() >= at + 5 => return at + 5,
            Some(&length @ 1..=63) => at += 1 + usize::from(length),
            _ => return HEADER,
        }
    }
}
