//! The fast way to read a query: everything an answer depends on, and nothing else. One pass over the octets, no
//! allocation but the name asked.
//!
//! What is a query here: QR clear, opcode QUERY, exactly one question (RFC 9619) with an uncompressed name, nothing in
//! the answer section; the authority section may hold records (a SOA for IXFR, RFC 1995 §3), which are only skipped. In the
//! additional section there is at most one OPT (RFC 6891 §6.1.1), owned by the root, and a TSIG comes last
//! (RFC 8945 §5.1); other records there, and options that are not known, are skipped. Octets behind the last record are an error.

use super::edns::OPTION_NSID;
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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EdnsIn {
    /// The version.
    pub version: u8,
    /// Octets of UDP payload the client takes.
    pub udp_size: u16,
    /// DO (RFC 3225).
    pub do_bit: bool,
    /// Whether the server's name is asked for (RFC 5001).
    pub nsid: bool,
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
    },
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
    let reject = |rcode, question_end| Reject::Reply { id, opcode, rd, rcode, question_end };
    if opcode != Opcode::QUERY {
        return Err(reject(Rcode::NOTIMP, HEADER));
    }
    let counts: [u16; 4] =
        std::array::from_fn(|i| u16::from_be_bytes([header[4 + 2 * i], header[5 + 2 * i]]));
    let [questions, answers, authorities, additionals] = counts;
    let (qname, length) = Name::prefix_of(&wire[HEADER..]).map_err(|_| reject(Rcode::FORMERR, HEADER))?;
    let mut reader = Reader { wire, at: HEADER + length };
    let (Some(qtype), Some(qclass)) = (reader.u16(), reader.u16()) else {
        return Err(reject(Rcode::FORMERR, HEADER));
    };
    if questions != 1 || answers != 0 {
        return Err(reject(Rcode::FORMERR, HEADER));
    }
    let question_end = reader.at;
    let extra = reader.extra(authorities, additionals).ok_or_else(|| reject(Rcode::FORMERR, question_end))?;
    let (qtype, qclass) = (RrType(qtype), Class(qclass));
    Ok(Query {
        id,
        rd,
        cd,
        opcode,
        qname,
        qtype,
        qclass,
        edns: extra.edns,
        question_end,
        has_tsig: extra.has_tsig,
    })
}

/// What is behind the question.
#[derive(Default)]
struct Extra {
    edns: Option<EdnsIn>,
    has_tsig: bool,
}

struct Reader<'w> {
    wire: &'w [u8],
    at: usize,
}

impl Reader<'_> {
    fn extra(&mut self, authorities: u16, additionals: u16) -> Option<Extra> {
        let mut extra = Extra::default();
        for _ in 0..authorities {
            self.record(&mut None)?;
        }
        for index in 0..additionals {
            match self.record(&mut extra.edns)? {
                RrType::TSIG if index + 1 < additionals => return None,
                RrType::TSIG => extra.has_tsig = true,
                _ => {}
            }
        }
        (self.at == self.wire.len()).then_some(extra)
    }

    /// Skips a record, but reads an OPT; gives its type.
    fn record(&mut self, edns: &mut Option<EdnsIn>) -> Option<RrType> {
        let start = self.at;
        self.skip_name()?;
        let root = self.at == start + 1;
        let fixed: [u8; RECORD_FIXED] = *self.wire.get(self.at..)?.first_chunk()?;
        self.at += RECORD_FIXED;
        let length = usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
        let rdata = self.wire.get(self.at..self.at + length)?;
        self.at += length;
        let rtype = RrType(u16::from_be_bytes([fixed[0], fixed[1]]));
        if rtype == RrType::OPT {
            if edns.is_some() || !root {
                return None;
            }
            *edns = Some(EdnsIn {
                udp_size: u16::from_be_bytes([fixed[2], fixed[3]]),
                version: fixed[5],
                do_bit: fixed[6] & 0x80 != 0,
                nsid: has_nsid(rdata)?,
            });
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

/// Whether NSID is among the options; none if they are malformed.
fn has_nsid(mut options: &[u8]) -> Option<bool> {
    let mut found = false;
    while !options.is_empty() {
        let (fixed, rest) = options.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
        found |= u16::from_be_bytes([fixed[0], fixed[1]]) == OPTION_NSID;
        options = rest.get(length..)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests;
