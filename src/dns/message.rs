//! Whole messages (RFC 1035 §4): a bounded parser for updates, clients and tests.
//!
//! [`Message::parse`] takes every octet or refuses: no trailing octets, at most one OPT (RFC 6891 §6.1.1) with the root as
//! owner and in the additional section, TSIG and SIG(0) only as the last record (RFC 8945 §5.1, RFC 2931 §3.1). Rdata comes
//! out decompressed and validated. In an update, records of class ANY or NONE may have no rdata, and what class ANY
//! carries is left unparsed (RFC 2136 §2.4, §2.5: it is to be empty, which the zone checks). The signature itself stays
//! raw: [`super::tsig::authenticate`] reads it.
//!
//! Memory is bounded by the message: a record takes at least 11 octets of it, and gives at most 255 octets of names more
//! than it takes for each two octets of pointer.

use super::edns::Edns;
use super::name::{Name, NameError};
use super::rdata::{self, Rdata, RdataError};
use super::rrset::Record;
use super::rtype::{Class, Opcode, Rcode, RrType};
use std::fmt;

pub use super::writer::{Full, Mark, Section, Writer};

/// Octets of the header.
pub const HEADER_OCTETS: usize = 12;

/// The header, without the counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the fields of RFC 1035 §4.1.1 and RFC 4035 §3.2")]
pub struct Header {
    pub id: u16,
    pub qr: bool,
    pub opcode: Opcode,
    pub aa: bool,
    pub tc: bool,
    pub rd: bool,
    pub ra: bool,
    pub ad: bool,
    pub cd: bool,
    /// The lower 4 bits.
    pub rcode: u8,
}

impl Header {
    /// A request's.
    pub fn request(id: u16, opcode: Opcode) -> Self {
        let no = false;
        Self { id, qr: no, opcode, aa: no, tc: no, rd: no, ra: no, ad: no, cd: no, rcode: 0 }
    }

    fn parse(wire: &[u8]) -> Option<Self> {
        let [id1, id2, high, low, ..] = *wire else { return None };
        let bit = |octet: u8, mask: u8| octet & mask != 0;
        Some(Self {
            id: u16::from_be_bytes([id1, id2]),
            qr: bit(high, 0x80),
            opcode: Opcode(high >> 3 & 15),
            aa: bit(high, 4),
            tc: bit(high, 2),
            rd: bit(high, 1),
            ra: bit(low, 0x80),
            ad: bit(low, 0x20),
            cd: bit(low, 0x10),
            rcode: low & 15,
        })
    }

    /// The first four octets.
    pub(super) fn wire(&self) -> [u8; 4] {
        let bit = |set: bool, mask: u8| if set { mask } else { 0 };
        let [id1, id2] = self.id.to_be_bytes();
        let high = bit(self.qr, 0x80) | (self.opcode.0 & 15) << 3 | bit(self.aa, 4) | bit(self.tc, 2);
        let low = bit(self.ra, 0x80) | bit(self.ad, 0x20) | bit(self.cd, 0x10) | self.rcode & 15;
        [id1, id2, high | bit(self.rd, 1), low]
    }
}

/// A question, or the zone section of an update.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the fields of RFC 1035 §4.1.2")]
pub struct Question {
    pub name: Name,
    pub rtype: RrType,
    pub class: Class,
}

/// A whole message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The header.
    pub header: Header,
    /// The questions; of an update, the zone section.
    pub questions: Vec<Question>,
    /// The answers; of an update, the prerequisites.
    pub answers: Vec<Record>,
    /// The authority section; of an update, the updates.
    pub authorities: Vec<Record>,
    /// The additional section without OPT, TSIG and SIG(0).
    pub additionals: Vec<Record>,
    /// The OPT record.
    pub edns: Option<Edns>,
    /// Where the TSIG or SIG(0) begins, which is the last record.
    pub signature_at: Option<usize>,
}

/// Why octets are not a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ParseError {
    /// The octets end inside the message.
    Truncated,
    /// Octets follow the message.
    Trailing,
    /// A malformed name.
    Name(NameError),
    /// Rdata that its type does not allow.
    Rdata(RrType, RdataError),
    /// A second OPT, or one that is malformed or out of place.
    Opt,
    /// A TSIG or SIG(0) that is malformed or not the last record.
    Signature,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the message ends too early"),
            Self::Trailing => f.write_str("octets follow the message"),
            Self::Name(error) => write!(f, "a name: {error}"),
            Self::Rdata(rtype, error) => write!(f, "the rdata of {rtype}: {error}"),
            Self::Opt => f.write_str("an OPT record that may not be there, or is malformed"),
            Self::Signature => f.write_str("a TSIG or SIG(0) that is malformed or not the last record"),
        }
    }
}

impl std::error::Error for ParseError {}

impl From<NameError> for ParseError {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

impl Message {
    /// Parses all octets.
    pub fn parse(wire: &[u8]) -> Result<Self, ParseError> {
        let header = Header::parse(wire).ok_or(ParseError::Truncated)?;
        let counts = counts(wire).ok_or(ParseError::Truncated)?;
        let mut reader = Reader { wire, at: HEADER_OCTETS, opcode: header.opcode };
        let mut message = Self {
            header,
            questions: Vec::new(),
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
            edns: None,
            signature_at: None,
        };
        for _ in 0..counts[0] {
            message.questions.push(reader.question()?);
        }
        for _ in 0..counts[1] {
            message.answers.push(reader.record()?);
        }
        for _ in 0..counts[2] {
            message.authorities.push(reader.record()?);
        }
        for left in (0..counts[3]).rev() {
            message.additional(&mut reader, left == 0)?;
        }
        if reader.at == wire.len() { Ok(message) } else { Err(ParseError::Trailing) }
    }

    fn additional(&mut self, reader: &mut Reader<'_>, last: bool) -> Result<(), ParseError> {
        let start = reader.at;
        let raw = RawRecord::read(reader.wire, start)?;
        match raw.rtype {
            RrType::OPT => {
                // RFC 6891 §6.1.1 and §6.1.2.
                if self.edns.is_some() || !raw.name.is_root() {
                    return Err(ParseError::Opt);
                }
                self.edns =
                    Some(Edns::parse(raw.class, raw.ttl, raw.rdata(reader.wire)).ok_or(ParseError::Opt)?);
            }
            _ if raw.is_signature(reader.wire) => {
                if !last {
                    return Err(ParseError::Signature);
                }
                self.signature_at = Some(start);
            }
            _ => self.additionals.push(reader.finish(&raw)?),
        }
        reader.at = raw.end;
        Ok(())
    }

    /// The whole rcode, with the bits in the OPT record.
    pub fn rcode(&self) -> Rcode {
        let upper = self.edns.as_ref().map_or(0, |edns| u16::from(edns.extended_rcode) << 4);
        Rcode(upper | u16::from(self.header.rcode))
    }
}

/// Whether a message has an OPT record, as far as it can be read: then its response has one too, also where the rest is
/// malformed (RFC 6891 §6.1.1 and §7).
pub fn has_opt(wire: &[u8]) -> bool {
    let Some([questions, records @ ..]) = counts(wire) else { return false };
    let mut at = HEADER_OCTETS;
    for _ in 0..questions {
        let Ok((_, end)) = Name::from_message(wire, at) else { return false };
        at = end + 4;
    }
    for _ in 0..records.into_iter().map(u32::from).sum() {
        match RawRecord::read(wire, at) {
            Ok(raw) if raw.rtype == RrType::OPT => return true,
            Ok(raw) => at = raw.end,
            Err(_) => return false,
        }
    }
    false
}

/// QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT.
pub(super) fn counts(wire: &[u8]) -> Option<[u16; 4]> {
    let [a, b, c, d, e, f, g, h] = *wire.get(4..HEADER_OCTETS)?.first_chunk()?;
    Some([[a, b], [c, d], [e, f], [g, h]].map(u16::from_be_bytes))
}

/// A record whose rdata has not been looked at.
pub(super) struct RawRecord {
    pub(super) name: Name,
    pub(super) rtype: RrType,
    pub(super) class: Class,
    pub(super) ttl: u32,
    pub(super) rdata_at: usize,
    pub(super) end: usize,
}

impl RawRecord {
    pub(super) fn read(wire: &[u8], at: usize) -> Result<Self, ParseError> {
        let (name, at) = Name::from_message(wire, at)?;
        let fixed: &[u8; 10] = wire.get(at..).and_then(<[u8]>::first_chunk).ok_or(ParseError::Truncated)?;
        let short = |i: usize| u16::from_be_bytes([fixed[i], fixed[i + 1]]);
        let rdata_at = at + 10;
        let end = rdata_at + usize::from(short(8));
        if end > wire.len() {
            return Err(ParseError::Truncated);
        }
        let ttl = u32::from(short(4)) << 16 | u32::from(short(6));
        Ok(Self { name, rtype: RrType(short(0)), class: Class(short(2)), ttl, rdata_at, end })
    }

    pub(super) fn rdata<'w>(&self, wire: &'w [u8]) -> &'w [u8] {
        &wire[self.rdata_at..self.end]
    }

    /// Whether this is a TSIG, or a SIG that covers no type (RFC 2931 §3).
    pub(super) fn is_signature(&self, wire: &[u8]) -> bool {
        self.rtype == RrType::TSIG || self.rtype == RrType::SIG && self.rdata(wire).starts_with(&[0, 0])
    }
}

struct Reader<'w> {
    wire: &'w [u8],
    at: usize,
    opcode: Opcode,
}

impl Reader<'_> {
    fn question(&mut self) -> Result<Question, ParseError> {
        let (name, at) = Name::from_message(self.wire, self.at)?;
        let fixed: &[u8; 4] =
            self.wire.get(at..).and_then(<[u8]>::first_chunk).ok_or(ParseError::Truncated)?;
        self.at = at + 4;
        let [t1, t2, c1, c2] = *fixed;
        let (rtype, class) = (RrType(u16::from_be_bytes([t1, t2])), Class(u16::from_be_bytes([c1, c2])));
        Ok(Question { name, rtype, class })
    }

    /// A record of the answer or authority section, where neither OPT nor a signature may be.
    fn record(&mut self) -> Result<Record, ParseError> {
        let raw = RawRecord::read(self.wire, self.at)?;
        if raw.rtype == RrType::OPT {
            return Err(ParseError::Opt);
        }
        if raw.is_signature(self.wire) && !self.is_empty_form(&raw) {
            return Err(ParseError::Signature);
        }
        self.at = raw.end;
        self.finish(&raw)
    }

    /// Whether the rdata may be missing: class ANY and NONE of an update (RFC 2136 §2.4 and §2.5).
    fn is_empty_form(&self, raw: &RawRecord) -> bool {
        let update = self.opcode == Opcode::UPDATE;
        update && (raw.class == Class::ANY || raw.class == Class::NONE && raw.rdata_at == raw.end)
    }

    fn finish(&self, raw: &RawRecord) -> Result<Record, ParseError> {
        let rdata = if self.is_empty_form(raw) {
            Rdata::new(raw.rdata(self.wire))
        } else {
            let length = raw.end - raw.rdata_at;
            rdata::from_message(raw.rtype, raw.class, self.wire, raw.rdata_at, length)
                .map_err(|error| ParseError::Rdata(raw.rtype, error))?
        };
        Ok(Record { name: raw.name.clone(), rtype: raw.rtype, class: raw.class, ttl: raw.ttl, rdata })
    }
}

#[cfg(test)]
mod tests;
