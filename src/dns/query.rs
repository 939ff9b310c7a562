//! The fast way to read a query: everything an answer depends on, and nothing else. One pass over the octets, no
//! allocation but the name asked.
//!
//! What is a query here: QR clear, opcode QUERY, exactly one question (RFC 9619) with an uncompressed name, nothing in
//! the answer section; without a question it may be one for a cookie (RFC 7873 §5.4); the authority section may hold records (a SOA for IXFR, RFC 1995 §3), which are only skipped. In the
//! additional section there is at most one OPT (RFC 6891 §6.1.1), owned by the root, and a TSIG comes last
//! (RFC 8945 §5.1); other records there, and options that are not known, are skipped. Octets behind the last record are an error.

use super::cookie::Cookie;
use super::edns::{OPTION_COOKIE, OPTION_KEEPALIVE, OPTION_NSID, OPTION_PADDING, Options};
use super::name::Name;
use super::rtype::{Class, Opcode, Rcode, RrType};

/// A query, as far as an answer depends on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    /// The ID.
    pub id: u16,
    /// Recursion desired.
    pub rd: bool,
    /// Checking disabled.
    pub cd: bool,
    /// The opcode.
    pub opcode: Opcode,
    /// The name asked, in the case it came in.
    pub qname: Name,
    /// The type asked.
    pub qtype: RrType,
    /// The class asked.
    pub qclass: Class,
    /// What the OPT record says.
    pub edns: Option<EdnsIn>,
    /// Where the question ends.
    pub question_end: usize,
    /// Whether the last record is a TSIG.
    pub has_tsig: bool,
}

/// What a query's OPT record says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EdnsIn {
    /// The version.
    pub version: u8,
    /// Octets of UDP payload the client takes.
    pub udp_size: u16,
    /// DO (RFC 3225).
    pub do_bit: bool,
    /// Whether the server's name is asked for (RFC 5001).
    pub nsid: bool,
    /// The client's cookie (RFC 7873).
    pub cookie: Option<Cookie>,
    /// Whether the client asks how long its connection may be idle (RFC 7828).
    pub keepalive: bool,
    /// Whether the client pads, and so wants the response padded (RFC 7830).
    pub padding: bool,
}

/// What to do with what is not a query to answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reject {
    /// Say nothing: QR is set, or it is no message.
    Ignore,
    /// Say this.
    Reply {
        /// The ID.
        id: u16,
        /// The opcode.
        opcode: Opcode,
        /// Recursion desired.
        rd: bool,
        /// The rcode.
        rcode: Rcode,
        /// Where the question ends; 12 if there is none to copy.
        question_end: usize,
        /// Whether an OPT record was seen, so that the response has one too (RFC 6891 §7).
        edns: bool,
    },
    /// No question, but a cookie: the client wants one of ours (RFC 7873 §5.4).
    CookieOnly(EdnsIn),
}

const HEADER: usize = 12;
/// Octets of type, class, TTL and length.
const RECORD_FIXED: usize = 10;

/// Reads a query.
pub fn parse(wire: &[u8]) -> Result<Query, Reject> {
    let Some(header) = wire.first_chunk::<HEADER>() else { return Err(Reject::Ignore) };
    if header[2] & 0x80 != 0 {
        return Err(Reject::Ignore);
    }
    let id = u16::from_be_bytes([header[0], header[1]]);
    let opcode = Opcode(header[2] >> 3 & 0x0F);
    let (rd, cd) = (header[2] & 0x01 != 0, header[3] & 0x10 != 0);
    let reject = |rcode, question_end, edns| Reject::Reply { id, opcode, rd, rcode, question_end, edns };
    if opcode != Opcode::QUERY {
        return Err(reject(Rcode::NOTIMP, HEADER, false));
    }
    let counts: [u16; 4] =
        std::array::from_fn(|i| u16::from_be_bytes([header[4 + 2 * i], header[5 + 2 * i]]));
    let [questions, answers, authorities, additionals] = counts;
    if questions == 0 && answers == 0 {
        let mut extra = Extra::default();
        let read = Reader { wire, at: HEADER }.extra(authorities, additionals, &mut extra);
        return Err(match extra.edns.filter(|edns| read.is_some() && edns.cookie.is_some()) {
            Some(edns) => Reject::CookieOnly(edns),
            None => reject(Rcode::FORMERR, HEADER, extra.saw_opt),
        });
    }
    let malformed = || reject(Rcode::FORMERR, HEADER, false);
    let (qname, length) = Name::prefix_of(&wire[HEADER..]).map_err(|_| malformed())?;
    let mut reader = Reader { wire, at: HEADER + length };
    let (Some(qtype), Some(qclass)) = (reader.u16(), reader.u16()) else { return Err(malformed()) };
    if questions != 1 || answers != 0 {
        return Err(malformed());
    }
    let question_end = reader.at;
    let mut extra = Extra::default();
    if reader.extra(authorities, additionals, &mut extra).is_none() {
        return Err(reject(Rcode::FORMERR, question_end, extra.saw_opt));
    }
    let (qtype, qclass) = (RrType(qtype), Class(qclass));
    let Extra { edns, has_tsig, .. } = extra;
    Ok(Query { id, rd, cd, opcode, qname, qtype, qclass, edns, question_end, has_tsig })
}

/// What is behind the question.
#[derive(Default)]
struct Extra {
    edns: Option<EdnsIn>,
    /// There is an OPT record, though it may be malformed.
    saw_opt: bool,
    has_tsig: bool,
}

struct Reader<'w> {
    wire: &'w [u8],
    at: usize,
}

impl Reader<'_> {
    /// Reads what is behind the question into `extra`; none if it is malformed.
    fn extra(&mut self, authorities: u16, additionals: u16, extra: &mut Extra) -> Option<()> {
        for _ in 0..authorities {
            // RFC 6891 §6.1.1: only in the additional section.
            if self.record(extra)? == RrType::OPT {
                return None;
            }
        }
        for index in 0..additionals {
            match self.record(extra)? {
                RrType::TSIG if index + 1 < additionals => return None,
                RrType::TSIG => extra.has_tsig = true,
                _ => {}
            }
        }
        (self.at == self.wire.len()).then_some(())
    }

    /// Skips a record, but reads an OPT; gives its type.
    fn record(&mut self, extra: &mut Extra) -> Option<RrType> {
        let start = self.at;
        self.skip_name()?;
        let root = self.at == start + 1;
        let fixed: [u8; RECORD_FIXED] = *self.wire.get(self.at..)?.first_chunk()?;
        self.at += RECORD_FIXED;
        let rtype = RrType(u16::from_be_bytes([fixed[0], fixed[1]]));
        extra.saw_opt |= rtype == RrType::OPT;
        let length = usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
        let rdata = self.wire.get(self.at..self.at + length)?;
        self.at += length;
        if rtype == RrType::OPT {
            if extra.edns.is_some() || !root {
                return None;
            }
            let plain = EdnsIn {
                udp_size: u16::from_be_bytes([fixed[2], fixed[3]]),
                version: fixed[5],
                do_bit: fixed[6] & 0x80 != 0,
                ..EdnsIn::default()
            };
            // The rdata of a later version may look otherwise, which is no error (RFC 6891 §6.1.3).
            extra.edns = Some(options(plain, rdata).or((plain.version > 0).then_some(plain))?);
        }
        Some(rtype)
    }

    fn skip_name(&mut self) -> Option<()> {
        loop {
            match *self.wire.get(self.at)? {
                0 => {
                    self.at += 1;
                    return Some(());
                }
                // A pointer ends the name; where it leads does not matter here.
                0xC0.. => {
                    self.at += 2;
                    return (self.at <= self.wire.len()).then_some(());
                }
                length @ 1..=63 => self.at += 1 + usize::from(length),
                _ => return None,
            }
        }
    }

    fn u16(&mut self) -> Option<u16> {
        let octets = self.wire.get(self.at..)?.first_chunk()?;
        self.at += 2;
        Some(u16::from_be_bytes(*octets))
    }
}

/// `edns` with what its options say, of each the first; none if they are malformed.
fn options(mut edns: EdnsIn, rdata: &[u8]) -> Option<EdnsIn> {
    for option in Options(rdata) {
        let (code, data) = option?;
        match code {
            OPTION_NSID => edns.nsid = true,
            // RFC 7873 §5.2: of several, only the first counts.
            OPTION_COOKIE if edns.cookie.is_none() => edns.cookie = Some(Cookie::parse(data)?),
            OPTION_KEEPALIVE => edns.keepalive = true,
            OPTION_PADDING => edns.padding = true,
            _ => {}
        }
    }
    Some(edns)
}

#[cfg(test)]
mod tests;
