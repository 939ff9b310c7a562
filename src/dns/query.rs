//! The fast way to read a query: stub.
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

/// Reads a query.
pub fn parse(wire: &[u8]) -> Result<Query, Reject> {
    let _ = wire;
    todo!()
}
