//! The bytes of a response (RFC 1035 §4.1), written once, in order, into the caller's buffer.
//!
//! An RRset goes in whole, with its signatures, or not at all (RFC 2181 §9). If one does not fit into the answer,
//! the authority section or the required glue, TC is set and the rest is left out; courtesies are left out silently.
//! Names are compressed where RFC 3597 §4 allows it: owners, and names in the rdata of RFC 1035's types. The name asked is
//! written as it was asked, as NSD and Knot do; every other name has the case that the zone has, since a name is compressed
//! only against one of the same case (RFC 4343 §4).

use super::solve::Solution;
use crate::dns::{Name, Rdata, RrType};
use crate::zone::SignedRrset;

/// One RRset of a section. A future stored wire form would stand in the place of `Data::Set`.
pub(super) struct Item<'v> {
    pub(super) owner: Name,
    pub(super) ttl: u32,
    pub(super) data: Data<'v>,
}

/// Where the rdata comes from.
pub(super) enum Data<'v> {
    /// An RRset of the view and, with DO, its signatures.
    Set(&'v SignedRrset),
    /// The signatures of an RRset alone.
    Signatures(&'v SignedRrset),
    /// A CNAME made from a DNAME: never signed (RFC 6672 §5.3.1).
    Cname(Name),
}

impl Item<'_> {
    pub(super) fn holds(&self, set: &SignedRrset) -> bool {
        matches!(self.data, Data::Set(held) if std::ptr::eq(held, set))
    }
}

/// The octets of the fixed header.
pub(super) const HEADER: usize = 12;
/// The TC bit in the header's third octet.
const TC: u8 = 0x02;
const CLASS_IN: u16 = 1;

/// Writes the sections of `solution` behind header and question; false: something that is needed did not fit.
pub(super) fn sections(writer: &mut Writer<'_>, solution: &Solution<'_>, dnssec: bool) -> bool {
    let fits = required(writer, Section::Answer, &solution.answer, dnssec)
        && required(writer, Section::Authority, &solution.authority, dnssec)
        && required(writer, Section::Additional, &solution.glue, dnssec);
    if fits {
        for item in &solution.courtesy {
            writer.item(Section::Additional, item, dnssec);
        }
    } else {
        writer.out[2] |= TC;
    }
    fits
}

fn required(writer: &mut Writer<'_>, section: Section, items: &[Item<'_>], dnssec: bool) -> bool {
    items.iter().all(|item| writer.item(section, item, dnssec))
}

/// A section after the question, by the place of its count in the header.
#[derive(Clone, Copy)]
pub(super) enum Section {
    Answer = 6,
    Authority = 8,
    Additional = 10,
}

/// A message being written, at most `limit` octets long.
pub(super) struct Writer<'o> {
    out: &'o mut Vec<u8>,
    limit: usize,
    names: Suffixes,
}

impl<'o> Writer<'o> {
    /// Goes on behind the header and the question that are in `out` already; `question`: the name asked.
    pub(super) fn after_question(out: &'o mut Vec<u8>, question: &Name, limit: usize) -> Self {
        let mut names = Suffixes::new();
        names.learn(question.wire(), question.wire().len(), HEADER);
        Self { out, limit, names }
    }

    /// Writes one item, or nothing at all if it does not fit.
    fn item(&mut self, section: Section, item: &Item<'_>, dnssec: bool) -> bool {
        let (length, known) = (self.out.len(), self.names.len);
        let count = match &item.data {
            Data::Set(set) => {
                let sigs = if dnssec { set.rrsigs() } else { &[] };
                let first = self.records(&item.owner, None, set.rrset.rtype, item.ttl, &set.rrset.rdatas);
                let signatures =
                    first.and_then(|at| self.records(&item.owner, Some(at), RrType::RRSIG, item.ttl, sigs));
                signatures.map(|_| set.rrset.rdatas.len() + sigs.len())
            }
            Data::Signatures(set) => {
                let fits = self.records(&item.owner, None, RrType::RRSIG, item.ttl, set.rrsigs());
                fits.map(|_| set.rrsigs().len())
            }
            Data::Cname(target) => {
                self.record(&item.owner, None, RrType::CNAME, item.ttl, target.wire()).then_some(1)
            }
        };
        let Some(count) = count else {
            self.out.truncate(length);
            self.names.len = known;
            return false;
        };
        let at = section as usize;
        let total = u16::from_be_bytes([self.out[at], self.out[at + 1]]).saturating_add(count as u16);
        self.out[at..at + 2].copy_from_slice(&total.to_be_bytes());
        true
    }

    /// Writes records of one owner and type; gives the place where the owner stands.
    fn records(
        &mut self,
        owner: &Name,
        at: Option<usize>,
        rtype: RrType,
        ttl: u32,
        rdatas: &[Rdata],
    ) -> Option<usize> {
        let mut place = at;
        for rdata in rdatas {
            let here = self.out.len();
            if !self.record(owner, place, rtype, ttl, rdata.wire()) {
                return None;
            }
            place.get_or_insert(here);
        }
        place.or(Some(self.out.len()))
    }

    fn record(&mut self, owner: &Name, at: Option<usize>, rtype: RrType, ttl: u32, rdata: &[u8]) -> bool {
        // Without compression, which only shortens, 267 octets are all that a record takes besides its rdata; one that
        // is far too long is not begun.
        if self.out.len() + rdata.len().saturating_sub(2 * 255) > self.limit {
            return false;
        }
        match at {
            Some(at) if at < POINTER_LIMIT => self.out.extend_from_slice(&pointer(at)),
            _ => self.name(owner.wire()),
        }
        self.out.extend_from_slice(&rtype.0.to_be_bytes());
        self.out.extend_from_slice(&CLASS_IN.to_be_bytes());
        self.out.extend_from_slice(&ttl.to_be_bytes());
        let length_at = self.out.len();
        self.out.extend_from_slice(&[0, 0]);
        self.rdata(rtype, rdata);
        let length = (self.out.len() - length_at - 2) as u16;
        self.out[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
        self.out.len() <= self.limit
    }

    fn rdata(&mut self, rtype: RrType, rdata: &[u8]) {
        match rtype {
            RrType::NS | RrType::CNAME | RrType::PTR => self.name(rdata),
            RrType::MX if rdata.len() > 2 => {
                self.out.extend_from_slice(&rdata[..2]);
                self.name(&rdata[2..]);
            }
            RrType::SOA => {
                let Some(split) = name_length(rdata) else { return self.out.extend_from_slice(rdata) };
                let Some(rest) = name_length(&rdata[split..]) else {
                    return self.out.extend_from_slice(rdata);
                };
                self.name(&rdata[..split]);
                self.name(&rdata[split..split + rest]);
                self.out.extend_from_slice(&rdata[split + rest..]);
            }
            _ => self.out.extend_from_slice(rdata),
        }
    }

    /// Writes an uncompressed name, its longest suffix that stands in the message already as a pointer.
    fn name(&mut self, wire: &[u8]) {
        let start = self.out.len();
        let found = self.names.find(self.out, wire);
        let kept = found.map_or(wire.len(), |(kept, _)| kept);
        self.out.extend_from_slice(&wire[..kept]);
        if let Some((_, at)) = found {
            self.out.extend_from_slice(&pointer(at));
        }
        self.names.learn(wire, kept, start);
    }
}

/// Pointers have 14 bits (RFC 1035 §4.1.4).
const POINTER_LIMIT: usize = 0x4000;

fn pointer(at: usize) -> [u8; 2] {
    (0xC000 | at as u16).to_be_bytes()
}

/// The octets of the uncompressed name that `wire` begins with.
fn name_length(wire: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match *wire.get(at)? {
            0 => return Some(at + 1),
            length => at += 1 + length as usize,
        }
    }
}

/// The names' suffixes in the message so far: a small table, so that a message full of names stays linear.
struct Suffixes {
    len: usize,
    entries: [(u32, u16); Suffixes::CAPACITY],
}

/// Where each label of an uncompressed name begins, with a tag of the suffix from there on: equal suffixes have equal
/// tags, and others mostly not.
fn suffixes(wire: &[u8]) -> impl Iterator<Item = (usize, u32)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (start, length) = (at, *wire.get(at)?);
        let label = wire.get(start + 1..)?.get(..usize::from(length))?;
        let (&first, &last) = (label.first()?, label.last()?);
        at += 1 + usize::from(length);
        Some((start, u32::from_be_bytes([(wire.len() - start) as u8, length, first, last])))
    })
}

impl Suffixes {
    const CAPACITY: usize = 64;

    fn new() -> Self {
        Self { len: 0, entries: [(0, 0); Self::CAPACITY] }
    }

    /// Remembers the suffixes of `wire` that begin in its first `kept` octets, which stand at `at`.
    fn learn(&mut self, wire: &[u8], kept: usize, at: usize) {
        for (start, tag) in suffixes(wire) {
            if start >= kept || at + start >= POINTER_LIMIT || self.len == Self::CAPACITY {
                return;
            }
            self.entries[self.len] = (tag, (at + start) as u16);
            self.len += 1;
        }
    }

    /// The longest suffix of `wire` that stands in `out`: how many octets go before it, and where it is.
    fn find(&self, out: &[u8], wire: &[u8]) -> Option<(usize, usize)> {
        let known = &self.entries[..self.len];
        suffixes(wire).find_map(|(start, tag)| {
            let same = |&&(held, at): &&(u32, u16)| held == tag && stands(out, at as usize, &wire[start..]);
            known.iter().find(same).map(|&(_, at)| (start, at as usize))
        })
    }
}

/// Whether the name at `at` in `out`, which we wrote, is `wire`, octet by octet.
fn stands(out: &[u8], mut at: usize, mut wire: &[u8]) -> bool {
    loop {
        let (Some(&length), Some(&wanted)) = (out.get(at), wire.first()) else { return false };
        if length >= 0xC0 {
            let Some(&low) = out.get(at + 1) else { return false };
            at = usize::from(u16::from_be_bytes([length & 0x3F, low]));
            continue;
        }
        if length != wanted {
            return false;
        }
        if length == 0 {
            return true;
        }
        let span = 1 + usize::from(length);
        let (Some(have), Some(want)) = (out.get(at..at + span), wire.get(..span)) else { return false };
        if have != want {
            return false;
        }
        at += span;
        wire = &wire[span..];
    }
}
