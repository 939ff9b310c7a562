//! Messages (RFC 1035 §4): stub.
use super::edns::Edns;
use super::name::Name;
use super::rdata::Rdata;
use super::rrset::Record;
use super::rtype::{Class, Opcode, Rcode, RrType};
use std::fmt;

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
pub struct ParseError(pub String);

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseError {}

impl Message {
    /// Parses all octets.
    pub fn parse(wire: &[u8]) -> Result<Self, ParseError> {
        let _ = wire;
        todo!()
    }

    /// The whole rcode, with the bits in the OPT record.
    pub fn rcode(&self) -> Rcode {
        let upper = self.edns.as_ref().map_or(0, |edns| u16::from(edns.extended_rcode) << 4);
        Rcode(upper | u16::from(self.header.rcode))
    }
}

/// Sections after the question.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[allow(missing_docs, reason = "the sections of RFC 1035 §4.1")]
pub enum Section {
    Answer,
    Authority,
    Additional,
}

/// Writes a message of at most `limit` octets.
pub struct Writer {
    out: Vec<u8>,
}

/// A place to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark(usize);

/// It does not fit; what was there before stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

impl Writer {
    /// An empty message.
    pub fn new(limit: usize) -> Self {
        let _ = limit;
        todo!()
    }
    /// Sets the header.
    pub fn header(&mut self, header: &Header) {
        let _ = header;
        todo!()
    }
    /// Adds a question.
    pub fn question(&mut self, question: &Question) -> Result<(), Full> {
        let _ = question;
        todo!()
    }
    /// Adds a record.
    pub fn record(&mut self, section: Section, record: &Record) -> Result<(), Full> {
        let _ = (section, record);
        todo!()
    }
    /// Adds a record of these parts.
    pub fn parts(
        &mut self,
        section: Section,
        name: &Name,
        rtype: RrType,
        class: Class,
        ttl: u32,
        rdata: &Rdata,
    ) -> Result<(), Full> {
        let _ = (section, name, rtype, class, ttl, rdata);
        todo!()
    }
    /// The place after what is written.
    pub fn mark(&self) -> Mark {
        todo!()
    }
    /// Takes back what was written after `mark`.
    pub fn rollback(&mut self, mark: Mark) {
        let _ = mark;
        todo!()
    }
    /// Adds an OPT record.
    pub fn opt(&mut self, edns: &Edns) -> Result<(), Full> {
        let _ = edns;
        todo!()
    }
    /// Sets TC.
    pub fn truncated(&mut self) {
        todo!()
    }
    /// The message.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }
}
