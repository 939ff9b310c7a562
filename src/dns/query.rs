//! The fast way to read a query: one pass, nothing allocated but the name.
//!
//! What is refused and how (RFC 8906 §3: answer whatever can be answered): fewer than 12 octets or QR set: nothing is said.
//! Another opcode than QUERY: NOTIMP. Not exactly one question (RFC 9619), records in the answer or authority section,
//! a malformed question or additional section, a second OPT, a TSIG that is not last, octets left over: FORMERR. The
//! question is given back where it could be read. EDNS versions are the caller's business.

use super::edns::{OPTION_NSID, Options};
use super::message::{HEADER_OCTETS, counts};
use super::name::{self, Name};
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
    /// Where the question ends, which stands uncompressed after the header.
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
    let (Some([id1, id2, high, low]), Some(counts)) = (wire.first_chunk(), counts(wire)) else {
        return Err(Reject::Ignore);
    };
    if high & 0x80 != 0 {
        return Err(Reject::Ignore);
    }
    let (id, opcode, rd) = (u16::from_be_bytes([*id1, *id2]), Opcode(high >> 3 & 15), high & 1 != 0);
    let question = (counts[0] == 1).then(|| question(wire)).flatten();
    let question_end = question.as_ref().map_or(HEADER_OCTETS, |(_, _, _, end)| *end);
    let reject = |rcode| Reject::Reply { id, opcode, rd, rcode, question_end };
    if opcode != Opcode::QUERY {
        return Err(reject(Rcode::NOTIMP));
    }
    let (qname, qtype, qclass, _) = question.ok_or(reject(Rcode::FORMERR))?;
    if counts[1] != 0 || counts[2] != 0 {
        return Err(reject(Rcode::FORMERR));
    }
    let (edns, has_tsig) = additionals(wire, question_end, counts[3]).ok_or(reject(Rcode::FORMERR))?;
    Ok(Query { id, rd, cd: low & 0x10 != 0, opcode, qname, qtype, qclass, edns, question_end, has_tsig })
}

/// The question, if it is whole and not compressed (there is nothing before it to point to).
fn question(wire: &[u8]) -> Option<(Name, RrType, Class, usize)> {
    let (qname, length) = Name::prefix_of(&wire[HEADER_OCTETS..]).ok()?;
    let at = HEADER_OCTETS + length;
    let [t1, t2, c1, c2] = *wire.get(at..)?.first_chunk()?;
    Some((qname, RrType(u16::from_be_bytes([t1, t2])), Class(u16::from_be_bytes([c1, c2])), at + 4))
}

fn additionals(wire: &[u8], mut at: usize, count: u16) -> Option<(Option<EdnsIn>, bool)> {
    let (mut edns, mut has_tsig) = (None, false);
    for left in (0..count).rev() {
        let owner_at = at;
        at = name::skip(wire, at)?;
        let [t1, t2, c1, c2, _, version, flags, _, l1, l2] = *wire.get(at..)?.first_chunk()?;
        let rdata_at = at + 10;
        at = rdata_at + usize::from(u16::from_be_bytes([l1, l2]));
        let rdata = wire.get(rdata_at..at)?;
        match RrType(u16::from_be_bytes([t1, t2])) {
            RrType::OPT => {
                // RFC 6891 §6.1.1: one, at the root.
                if edns.is_some() || wire[owner_at] != 0 {
                    return None;
                }
                let mut nsid = false;
                for option in Options(rdata) {
                    nsid |= option?.0 == OPTION_NSID;
                }
                let udp_size = u16::from_be_bytes([c1, c2]);
                edns = Some(EdnsIn { version, udp_size, do_bit: flags & 0x80 != 0, nsid });
            }
            RrType::TSIG if left > 0 => return None, // RFC 8945 §5.1
            RrType::TSIG => has_tsig = true,
            _ => {}
        }
    }
    (at == wire.len()).then_some((edns, has_tsig))
}

#[cfg(test)]
mod tests;
