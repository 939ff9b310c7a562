//! Writes messages (RFC 1035 §4.1) into a bounded buffer, with compression where RFC 3597 §4 allows it: owners, and
//! names in the rdata of RFC 1035's types. A name is compressed only against one of the same case, so that every name is
//! read as it was written. What does not fit leaves no trace; a mark lets the caller take back more.

use super::edns::Edns;
use super::message::{HEADER_OCTETS, Header, Question};
use super::name::Name;
use super::rdata::{self, Rdata};
use super::rrset::Record;
use super::rtype::{Class, RrType};
use std::collections::BTreeMap;

/// Sections after the question.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[allow(missing_docs, reason = "the sections of RFC 1035 §4.1")]
pub enum Section {
    Answer = 6,
    Authority = 8,
    Additional = 10,
}

/// Writes a message of at most `limit` octets: header, questions, then the sections in order.
pub struct Writer {
    out: Vec<u8>,
    limit: usize,
    /// Where each suffix stands.
    suffixes: BTreeMap<Vec<u8>, u16>,
    /// The same in the order of writing, for [`Writer::rollback`].
    written: Vec<(usize, Vec<u8>)>,
}

/// A place to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    length: usize,
    counts: [u8; 8],
}

/// It does not fit; what was there before stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

impl Writer {
    /// An empty message; `limit` is at most 65,535 and at least a header.
    pub fn new(limit: usize) -> Self {
        let limit = limit.clamp(HEADER_OCTETS, usize::from(u16::MAX));
        Self { out: vec![0; HEADER_OCTETS], limit, suffixes: BTreeMap::new(), written: Vec::new() }
    }

    /// Sets the header; the counts stay.
    pub fn header(&mut self, header: &Header) {
        self.out[..4].copy_from_slice(&header.wire());
    }

    /// Sets TC.
    pub fn truncated(&mut self) {
        self.out[2] |= 2;
    }

    /// Octets written so far.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether there is only a header.
    pub fn is_empty(&self) -> bool {
        self.out.len() == HEADER_OCTETS
    }

    /// Adds a question.
    pub fn question(&mut self, question: &Question) -> Result<(), Full> {
        self.whole(4, |writer| {
            writer.name(question.name.wire());
            writer.out.extend_from_slice(&question.rtype.0.to_be_bytes());
            writer.out.extend_from_slice(&question.class.0.to_be_bytes());
        })
    }

    /// Adds a record. Sections must be filled in order.
    pub fn record(&mut self, section: Section, record: &Record) -> Result<(), Full> {
        self.parts(section, &record.name, record.rtype, record.class, record.ttl, &record.rdata)
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
        self.whole(section as usize, |writer| {
            writer.name(name.wire());
            writer.out.extend_from_slice(&rtype.0.to_be_bytes());
            writer.out.extend_from_slice(&class.0.to_be_bytes());
            writer.out.extend_from_slice(&ttl.to_be_bytes());
            let length_at = writer.out.len();
            writer.out.extend_from_slice(&[0, 0]);
            writer.rdata(rtype, rdata.wire());
            // Rdata has at most 65,535 octets, and compression never lengthens it.
            let length = (writer.out.len() - length_at - 2) as u16;
            writer.out[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
        })
    }

    /// Adds an OPT record.
    pub fn opt(&mut self, edns: &Edns) -> Result<(), Full> {
        self.whole(Section::Additional as usize, |writer| edns.write(&mut writer.out))
    }

    /// The place after what is written.
    pub fn mark(&self) -> Mark {
        let mut counts = [0; 8];
        counts.copy_from_slice(&self.out[4..HEADER_OCTETS]);
        Mark { length: self.out.len(), counts }
    }

    /// Takes back what was written after `mark`.
    pub fn rollback(&mut self, mark: Mark) {
        self.out.truncate(mark.length);
        self.out[4..HEADER_OCTETS].copy_from_slice(&mark.counts);
        while self.written.last().is_some_and(|(at, _)| *at >= mark.length) {
            if let Some((_, suffix)) = self.written.pop() {
                self.suffixes.remove(&suffix);
            }
        }
    }

    /// The message.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// Writes something whole and counts it at `count_at`, or nothing.
    fn whole(&mut self, count_at: usize, write: impl FnOnce(&mut Self)) -> Result<(), Full> {
        let mark = self.mark();
        write(self);
        let count = u16::from_be_bytes([self.out[count_at], self.out[count_at + 1]]);
        match count.checked_add(1) {
            Some(count) if self.out.len() <= self.limit => {
                self.out[count_at..count_at + 2].copy_from_slice(&count.to_be_bytes());
                Ok(())
            }
            _ => {
                self.rollback(mark);
                Err(Full)
            }
        }
    }

    fn rdata(&mut self, rtype: RrType, octets: &[u8]) {
        let mut at = 0;
        for range in rdata::compressible(rtype, octets) {
            self.out.extend_from_slice(&octets[at..range.start]);
            at = range.end;
            self.name(&octets[range]);
        }
        self.out.extend_from_slice(&octets[at..]);
    }

    /// Writes an uncompressed name, the longest suffix that stands in the message already as a pointer.
    fn name(&mut self, wire: &[u8]) {
        let mut at = 0;
        while wire[at] != 0 {
            if let Some(place) = self.suffixes.get(&wire[at..]) {
                let pointer = 0xc000 | place;
                self.out.extend_from_slice(&pointer.to_be_bytes());
                return;
            }
            let place = self.out.len();
            if place < 0x4000 {
                self.suffixes.insert(wire[at..].to_vec(), place as u16);
                self.written.push((place, wire[at..].to_vec()));
            }
            let end = at + 1 + usize::from(wire[at]);
            self.out.extend_from_slice(&wire[at..end]);
            at = end;
        }
        self.out.push(0);
    }
}

#[cfg(test)]
mod tests;
