//! From a request to a response: what may be answered, and the frame around the answer.

use super::catalog::{Catalog, Way};
use super::chaos;
use super::compose::{HEADER, Writer, sections};
use super::options::{BARE_EXTENDED, Extended, Options, judge};
use super::request::{Kind, Reply, Request, Settings, Subject};
use super::solve::{Solution, Source, solve};
use crate::dns::cookie::Verdict;
use crate::dns::edns::{Manners, ede};
use crate::dns::message::has_opt;
use crate::dns::query::{self, EdnsIn, Query, Reject};
use crate::dns::tsig::{self, AuthFailure, Signer, TsigKey};
use crate::dns::{Class, Name, Opcode, Rcode, RrType};
use crate::zone::View;
use std::sync::Arc;

const QR: u8 = 0x80;
const AA: u8 = 0x04;
const TC: u8 = 0x02;
const RD: u8 = 0x01;

/// Answers one request from the zones of `catalog`; the whole response is left in `out`.
pub fn respond(catalog: &Catalog, settings: &Settings, request: Request<'_>, out: &mut Vec<u8>) -> Reply {
    answer(settings, request, out, |query| choose(catalog, settings, query))
}

/// Answers an ordered read from `view`, the version at its place in the order.
pub fn respond_from(view: &Arc<View>, settings: &Settings, request: Request<'_>, out: &mut Vec<u8>) -> Reply {
    answer(settings, request, out, |query| {
        if query.qclass == Class::CH || !query.qname.is_subdomain_of(view.origin()) {
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
    if has_opt(wire) {
        Options::none().write(out, rcode, ede, 0);
    }
}

/// The same with the options that the client asked for.
pub fn failure_to(
    settings: &Settings,
    request: Request<'_>,
    rcode: Rcode,
    ede: Option<(u16, &str)>,
    out: &mut Vec<u8>,
) {
    out.clear();
    if !is_request(request.wire) {
        return;
    }
    frame(request.wire, &request.wire[HEADER..question_end(request.wire)], rcode, out);
    if let Some(options) = Options::of_message(settings, request) {
        options.write(out, rcode, ede, 0);
    }
}

/// What the OPT record of the replica's reply to a message is to have.
pub fn manners(settings: &Settings, request: Request<'_>) -> Manners {
    Options::of_message(settings, request).map(|options| options.manners()).unwrap_or_default()
}

/// In place of an answer that is not sent: by which who really asked gets one. BADCOOKIE with a cookie for a client that
/// knows cookies (RFC 7873 §5.2.3), TC for another, who then asks over TCP. Leaves nothing in `out` if the request is no query.
pub fn instead(settings: &Settings, request: Request<'_>, out: &mut Vec<u8>) {
    out.clear();
    let Ok(query) = query::parse(request.wire) else { return };
    let asked = Asked::new(settings, request, &query);
    if asked.verdict.is_some() {
        return asked.reject(BAD_COOKIE, 0, out);
    }
    asked.reject(Refusal { rcode: Rcode::NOERROR, ede: None }, 0, out);
    out[2] |= TC;
}

/// Why a query is not answered.
#[derive(Clone, Copy)]
struct Refusal {
    rcode: Rcode,
    ede: Option<Extended<'static>>,
}

const OFF_ZONE: Refusal = Refusal { rcode: Rcode::REFUSED, ede: Some((ede::NOT_AUTHORITATIVE, "")) };
const NOT_READY: Refusal =
    Refusal { rcode: Rcode::SERVFAIL, ede: Some((ede::NOT_READY, "the zone is not signed yet")) };
const NO_TRANSFER: Refusal = Refusal { rcode: Rcode::REFUSED, ede: Some((ede::NOT_SUPPORTED, "")) };
const NOT_TOLD: Refusal = Refusal { rcode: Rcode::REFUSED, ede: Some((ede::PROHIBITED, "")) };
const BAD_COOKIE: Refusal = Refusal { rcode: Rcode::BADCOOKIE, ede: None };

/// From what a query is answered.
enum Choice<'c> {
    Answer(Source<'c>),
    /// Of a zone that is not for everybody.
    Closed(Source<'c>),
    Chaos(&'c str),
    Refuse(Refusal),
    Forward,
}

fn choose<'c>(catalog: &'c Catalog, settings: &'c Settings, query: &Query) -> Choice<'c> {
    if query.qclass == Class::CH {
        return chaos::text(settings, query).map_or(Choice::Refuse(NOT_TOLD), Choice::Chaos);
    }
    let Some(found) = catalog.answering(&query.qname, query.qtype) else { return Choice::Refuse(OFF_ZONE) };
    match (found.view, found.way) {
        (None, _) => Choice::Refuse(NOT_READY),
        (Some(view), Way::Open) => Choice::Answer(Source { view, others: Some(catalog) }),
        (Some(_), Way::Ordered) => Choice::Forward,
        (Some(view), Way::Closed) => Choice::Closed(Source { view, others: None }),
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
        return Reply::Forward(None);
    }
    let query = match query::parse(wire) {
        Ok(query) => query,
        Err(Reject::Ignore) => return Reply::Ignore,
        Err(Reject::CookieOnly(edns)) => return cookie_only(settings, request, &edns, out),
        Err(Reject::Reply { rcode, question_end, edns, .. }) => {
            // What else than queries has in it the full parser says.
            let is_other = rcode == Rcode::NOTIMP;
            let options = Options::of_message(settings, request).filter(|_| is_other);
            let has_options = || edns || is_other && has_opt(wire);
            let options = options.or_else(|| has_options().then(Options::none));
            frame(wire, wire.get(HEADER..question_end).unwrap_or_default(), rcode, out);
            if let Some(options) = options {
                options.write(out, rcode, None, 0);
            }
            // RFC 8945 §5.3.2: what is signed is refused signed, where every client has room for it.
            if let Ok((key, mac)) = signer(settings, request)
                && out.len() + tsig::response_overhead(key) <= 512
            {
                tsig::sign_response(out, key, &mac, request.now_secs);
            }
            return Reply::Send(Subject::error(false));
        }
    };
    let asked = Asked::new(settings, request, &query);
    let choice = match asked.refuse() {
        Some(refusal) => Choice::Refuse(refusal),
        None => choose(&query),
    };
    let content = match choice {
        Choice::Forward => {
            let about = HEADER..query.question_end;
            return Reply::Forward(Some(Subject { kind: Kind::Answer, about, known: asked.is_known() }));
        }
        Choice::Refuse(refusal) => Content::Refusal(refusal),
        Choice::Closed(source) if !query.has_tsig && !asked.may_read(source, None) => {
            Content::Refusal(NOT_TOLD)
        }
        Choice::Answer(source) => Content::Zone(source),
        Choice::Closed(source) => Content::Closed(source),
        Choice::Chaos(text) => Content::Chaos(text),
    };
    Reply::Send(if query.has_tsig { asked.signed(&content, out) } else { asked.write(&content, 0, out) })
}

/// RFC 7873 §5.4: who asks for nothing but a cookie gets it, and hears whether the one it has is good.
fn cookie_only(settings: &Settings, request: Request<'_>, edns: &EdnsIn, out: &mut Vec<u8>) -> Reply {
    let verdict = judge(settings, request, edns);
    let has_server = edns.cookie.is_some_and(|cookie| cookie.has_server);
    let rcode = match verdict {
        None => Rcode::FORMERR,
        Some(_) if edns.version > 0 => Rcode::BADVERS,
        Some(verdict) if has_server && !verdict.known => Rcode::BADCOOKIE,
        Some(_) => Rcode::NOERROR,
    };
    frame(request.wire, &[], rcode, out);
    Options::of(settings, request.client, edns, verdict).write(out, rcode, None, 0);
    Reply::Send(Subject::error(verdict.is_some_and(|verdict| verdict.known)))
}

/// The key of a request whose TSIG holds, and its MAC.
fn signer<'s>(settings: &'s Settings, request: Request<'_>) -> Result<(&'s TsigKey, Vec<u8>), AuthFailure> {
    let verified = tsig::authenticate(request.wire, &settings.keys, request.now_secs)?;
    match (&verified.signer, verified.tsig_mac) {
        (Signer::Tsig(name), Some(mac)) => {
            settings.keys.tsig.get(name).map(|key| (key, mac)).ok_or(AuthFailure::BadKey)
        }
        _ => Err(AuthFailure::FormErr),
    }
}

/// What an answer is made of.
enum Content<'c> {
    Zone(Source<'c>),
    Closed(Source<'c>),
    Chaos(&'c str),
    Refusal(Refusal),
}

/// A query, and what its response must have whatever it says.
struct Asked<'a> {
    settings: &'a Settings,
    request: Request<'a>,
    query: &'a Query,
    verdict: Option<Verdict>,
    options: Option<Options<'a>>,
}

impl<'a> Asked<'a> {
    fn new(settings: &'a Settings, request: Request<'a>, query: &'a Query) -> Self {
        let edns = query.edns.as_ref();
        let verdict = edns.and_then(|edns| judge(settings, request, edns));
        let options = edns.map(|edns| Options::of(settings, request.client, edns, verdict));
        Self { settings, request, query, verdict, options }
    }

    /// What no zone needs to be looked up for.
    fn refuse(&self) -> Option<Refusal> {
        let (query, plain) = (self.query, |rcode| Some(Refusal { rcode, ede: None }));
        if query.edns.as_ref().is_some_and(|edns| edns.version > 0) {
            return plain(Rcode::BADVERS); // RFC 6891 §6.1.3
        }
        // RFC 7873 §5.2.3: over UDP, who knows cookies is to show ours.
        let demands = self.settings.cookies.as_ref().is_some_and(|cookies| cookies.required)
            && self.request.client.transport.is_datagram();
        if demands && self.verdict.is_some_and(|verdict| !verdict.known) {
            return Some(BAD_COOKIE);
        }
        // RFC 1035 §3.2.5: * is any class, ours among them.
        if ![Class::IN, Class::CH, Class::ANY].contains(&query.qclass) {
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

    /// Whether who asks is let in to a zone that is not for everybody.
    fn may_read(&self, source: Source<'_>, key: Option<&Name>) -> bool {
        (self.settings.readers)(source.view.origin(), self.request.client.address, key)
    }

    fn is_known(&self) -> bool {
        self.verdict.is_some_and(|verdict| verdict.known)
    }

    fn error(&self) -> Subject {
        Subject::error(self.is_known())
    }

    fn question(&self) -> &'a [u8] {
        &self.request.wire[HEADER..self.query.question_end]
    }

    /// Writes a response without records; `reserved`: octets to leave for a TSIG.
    fn reject(&self, refusal: Refusal, reserved: usize, out: &mut Vec<u8>) {
        frame(self.request.wire, self.question(), refusal.rcode, out);
        if let Some(options) = &self.options {
            options.write(out, refusal.rcode, refusal.ede, reserved);
        }
    }

    /// Writes the answer; `reserved`: octets to leave for a TSIG.
    fn write(&self, content: &Content<'_>, reserved: usize, out: &mut Vec<u8>) -> Subject {
        let query = self.query;
        let source = match content {
            Content::Zone(source) | Content::Closed(source) => *source,
            Content::Refusal(refusal) => {
                self.reject(*refusal, reserved, out);
                return self.error();
            }
            Content::Chaos(text) => {
                frame(self.request.wire, self.question(), Rcode::NOERROR, out);
                out[2] |= AA;
                chaos::write(out, HEADER, text);
                if let Some(options) = &self.options {
                    options.write(out, Rcode::NOERROR, None, reserved);
                }
                return Subject {
                    kind: Kind::Answer,
                    about: HEADER..query.question_end,
                    known: self.is_known(),
                };
            }
        };
        let dnssec = query.edns.as_ref().is_some_and(|edns| edns.do_bit);
        // An ordered read is of this moment.
        let is_stale = self.settings.stale && source.others.is_some();
        let of_stale = if is_stale { BARE_EXTENDED } else { 0 };
        let trailer = self.options.as_ref().map_or(0, |options| options.octets() + of_stale) + reserved;
        let limit = self.limit().saturating_sub(trailer);
        let solution = solve(source, &query.qname, query.qtype, dnssec);
        frame(self.request.wire, self.question(), solution.rcode, out);
        // RFC 1035 §6.2: an answer for any class is never authoritative.
        if solution.authoritative && query.qclass == Class::IN {
            out[2] |= AA;
        }
        let fits = sections(&mut Writer::after_question(out, &query.qname, limit), &solution, dnssec);
        if !fits && !self.request.client.transport.is_datagram() {
            // TC over TCP would only be asked again.
            let ede = Some((ede::OTHER, "answer exceeds 65535 octets"));
            self.reject(Refusal { rcode: Rcode::SERVFAIL, ede }, reserved, out);
            return self.error();
        }
        if let Some(options) = &self.options {
            // RFC 8914 §4.4, §4.20.
            let code = if solution.rcode == Rcode::NXDOMAIN { ede::STALE_NXDOMAIN } else { ede::STALE };
            options.write(out, solution.rcode, is_stale.then_some((code, "")), reserved);
        }
        self.subject(&solution)
    }

    fn subject(&self, solution: &Solution<'_>) -> Subject {
        let kind = match solution.rcode {
            Rcode::NXDOMAIN => Kind::NxDomain,
            Rcode::NOERROR if !solution.authoritative => Kind::Referral,
            Rcode::NOERROR if solution.answer.is_empty() => Kind::NoData,
            Rcode::NOERROR => Kind::Answer,
            _ => return self.error(),
        };
        let name_end = HEADER + self.query.qname.wire().len();
        let end = if kind == Kind::Answer { self.query.question_end } else { name_end };
        Subject { kind, about: name_end - solution.scope..end, known: self.is_known() }
    }

    /// A query with a TSIG gets a signed answer, or the error that RFC 8945 §5.2 asks for.
    fn signed(&self, content: &Content<'_>, out: &mut Vec<u8>) -> Subject {
        let (keys, wire, now) = (&self.settings.keys, self.request.wire, self.request.now_secs);
        let (subject, rcode) = match signer(self.settings, self.request) {
            Ok((key, mac)) => {
                let content = match content {
                    Content::Closed(source) if !self.may_read(*source, Some(&key.name)) => {
                        &Content::Refusal(NOT_TOLD)
                    }
                    content => content,
                };
                let subject = self.write(content, tsig::response_overhead(key), out);
                tsig::sign_response(out, key, &mac, now);
                (subject, Rcode::NOERROR)
            }
            Err(failure) => {
                self.reject(Refusal { rcode: failure.rcode(), ede: None }, 0, out);
                tsig::sign_failure(out, wire, keys, failure, now);
                (self.error(), failure.rcode())
            }
        };
        // The names asked and in a TSIG are the client's choice, and long ones may not fit: over TCP they do.
        if out.len() > self.limit() {
            self.reject(Refusal { rcode, ede: None }, 0, out);
            out[2] |= TC;
        }
        subject
    }

    /// RFC 6891 §6.2.3: the client's size, at least 512; RFC 9715: not so much that it is fragmented.
    fn limit(&self) -> usize {
        match (self.request.client.transport.is_datagram(), &self.query.edns) {
            (false, _) => usize::from(u16::MAX),
            (true, None) => 512,
            (true, Some(edns)) => {
                usize::from(edns.udp_size).clamp(512, usize::from(self.settings.udp_octets.max(512)))
            }
        }
    }
}

/// Header and question of a response to `wire`. RD is copied, but not of an update (RFC 2136 §2.2); CD is cleared (RFC 4035 §3.1.6), as are AD and RA.
fn frame(wire: &[u8], question: &[u8], rcode: Rcode, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&wire[..2]);
    let rd = if opcode(wire) == Opcode::UPDATE { 0 } else { wire[2] & RD };
    out.push(QR | (wire[2] & 0x78) | rd);
    out.push((rcode.0 & 0x0F) as u8);
    out.extend_from_slice(&[0, u8::from(!question.is_empty()), 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(question);
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
