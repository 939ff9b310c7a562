//! Master files (RFC 1035 §5): `$ORIGIN`, `$TTL` (RFC 2308 §4), `$INCLUDE`, parentheses, `@`, omitted owners, TTLs
//! with units, TTL and class in either order, escapes, comments, unknown types (RFC 3597 §5).
//!
//! Stricter than some: a record outside the zone, a class other than IN, a TTL over 2³¹-1 (RFC 2181 §8) and a record
//! without any TTL to take are errors, each with file and line. `$INCLUDE` nests at most
//! [`MAX_INCLUDE_DEPTH`] deep. `$GENERATE` is not read yet.

mod words;

use super::name::Name;
use super::rdata::{canonical, from_text, to_text};
use super::rrset::{Record, Soa};
use super::rtype::{Class, RrType};
use super::text_time;
use crate::codec::{Digest, digest};
use crate::limits::MAX_INCLUDE_DEPTH;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use words::{Entries, Entry};

/// What is wrong in a master file, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MasterError {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; 0 if it is about the whole file.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for MasterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file.display(), self.reason),
            line => write!(f, "{}:{line}: {}", self.file.display(), self.reason),
        }
    }
}

impl std::error::Error for MasterError {}

/// Opens files: the caller's, so that this layer touches none.
pub type Opener<'a> = dyn FnMut(&Path) -> std::io::Result<Vec<u8>> + 'a;

/// Reads a zone's records; `$INCLUDE` paths are relative to the including file's directory.
pub fn read_zone(path: &Path, origin: &Name, opener: &mut Opener<'_>) -> Result<Vec<Record>, MasterError> {
    let mut reader = Reader::new(origin, Some(opener));
    reader.file(path, 0)?;
    Ok(reader.records)
}

/// Reads records from text; `$INCLUDE` is an error.
pub fn read_str(text: &str, origin: &Name) -> Result<Vec<Record>, MasterError> {
    let mut reader = Reader::new(origin, None);
    reader.text(Path::new("(text)"), text.as_bytes(), 0)?;
    Ok(reader.records)
}

struct Reader<'a, 'b> {
    zone: Name,
    origin: Name,
    owner: Option<Name>,
    default_ttl: Option<u32>,
    last_ttl: Option<u32>,
    opener: Option<&'a mut Opener<'b>>,
    records: Vec<Record>,
}

impl<'a, 'b> Reader<'a, 'b> {
    fn new(zone: &Name, opener: Option<&'a mut Opener<'b>>) -> Self {
        Self {
            zone: zone.clone(),
            origin: zone.clone(),
            owner: None,
            default_ttl: None,
            last_ttl: None,
            opener,
            records: Vec::new(),
        }
    }

    fn file(&mut self, path: &Path, depth: usize) -> Result<(), MasterError> {
        let whole = |reason: String| MasterError { file: path.to_owned(), line: 0, reason };
        let Some(opener) = self.opener.as_mut() else {
            return Err(whole("$INCLUDE has no files to read here".to_owned()));
        };
        let text = opener(path).map_err(|e| whole(format!("cannot be read: {e}")))?;
        self.text(path, &text, depth)
    }

    fn text(&mut self, path: &Path, text: &[u8], depth: usize) -> Result<(), MasterError> {
        for entry in Entries::new(text) {
            let (line, done) = match entry {
                Ok(entry) => (entry.line, self.entry(path, &entry, depth)),
                Err((line, reason)) => (line, Err(Wrong::Here(reason.to_owned()))),
            };
            done.map_err(|wrong| match wrong {
                Wrong::Here(reason) => MasterError { file: path.to_owned(), line, reason },
                Wrong::Included(error) => error,
            })?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, entry: &Entry, depth: usize) -> Result<(), Wrong> {
        let words: Vec<&str> = entry.words.iter().map(String::as_str).collect();
        match (entry.blank_start, words.as_slice()) {
            (_, []) => Ok(()),
            (false, [directive, rest @ ..]) if directive.starts_with('$') => {
                self.directive(path, directive, rest, depth)
            }
            (true, rest) => {
                let owner = self.owner.clone().ok_or("the first record has no owner")?;
                self.record(owner, rest)
            }
            (false, [owner, rest @ ..]) => {
                let owner = self.name(owner)?;
                self.record(owner, rest)
            }
        }
    }

    fn directive(&mut self, path: &Path, directive: &str, words: &[&str], depth: usize) -> Result<(), Wrong> {
        match (directive.to_ascii_uppercase().as_str(), words) {
            ("$ORIGIN", [name]) => self.origin = self.name(name)?,
            ("$TTL", [ttl]) => {
                self.default_ttl =
                    Some(parse_ttl(ttl).ok_or("$TTL wants a TTL of at most 2147483647 seconds")?)
            }
            ("$INCLUDE", [file, rest @ ..]) if rest.len() <= 1 => {
                if depth >= MAX_INCLUDE_DEPTH {
                    return Err(Wrong::Here(format!("$INCLUDE nests deeper than {MAX_INCLUDE_DEPTH}")));
                }
                let origin = rest.first().map_or(Ok(self.origin.clone()), |name| self.name(name))?;
                let saved = (std::mem::replace(&mut self.origin, origin), self.owner.clone());
                let file = file.trim_matches('"');
                let target = path.parent().unwrap_or(Path::new("")).join(file);
                self.file(&target, depth + 1).map_err(Wrong::Included)?;
                // RFC 1035 §5.1: neither origin nor owner of the included file reach the including one.
                (self.origin, self.owner) = saved;
            }
            ("$GENERATE", _) => return Err("$GENERATE is not read yet: write the records out".into()),
            ("$ORIGIN" | "$TTL" | "$INCLUDE", _) => {
                return Err(Wrong::Here(format!("{directive} has too few or too many words")));
            }
            _ => return Err(Wrong::Here(format!("unknown directive {directive}"))),
        }
        Ok(())
    }

    fn name(&self, text: &str) -> Result<Name, Wrong> {
        Name::parse_relative(text, &self.origin).map_err(|e| Wrong::Here(format!("{text}: {e}")))
    }

    /// `[TTL] [class] type data`, TTL and class in either order.
    fn record(&mut self, owner: Name, mut words: &[&str]) -> Result<(), Wrong> {
        let (mut ttl, mut class) = (None, None);
        while let [word, rest @ ..] = words {
            if ttl.is_none() && word.starts_with(|c: char| c.is_ascii_digit()) {
                ttl = Some(
                    parse_ttl(word)
                        .ok_or_else(|| format!("{word} is not a TTL of at most 2147483647 seconds"))?,
                );
            } else if let Some(found) = Class::parse(word).filter(|c| class.is_none() && *c < Class::NONE) {
                class = Some(found);
            } else {
                break;
            }
            words = rest;
        }
        if class.is_some_and(|c| c != Class::IN) {
            return Err("only class IN is served".into());
        }
        let [rtype, data @ ..] = words else { return Err("a record without a type".into()) };
        let rtype = RrType::parse(rtype).ok_or_else(|| format!("unknown type {rtype}"))?;
        if rtype.is_meta() {
            return Err(Wrong::Here(format!("{rtype} is no type for a zone")));
        }
        if !owner.is_subdomain_of(&self.zone) {
            return Err(Wrong::Here(format!("{owner} is not in the zone {}", self.zone)));
        }
        let rdata = from_text(rtype, data, &self.origin).map_err(|e| Wrong::Here(format!("{rtype}: {e}")))?;
        let minimum = || Soa::parse(&rdata).filter(|_| rtype == RrType::SOA).map(|soa| soa.minimum);
        let ttl = ttl
            .or(self.default_ttl)
            .or(self.last_ttl)
            .or_else(minimum)
            .ok_or("no TTL here, and no $TTL before")?;
        self.last_ttl = Some(ttl);
        self.owner = Some(owner.clone());
        self.records.push(Record { name: owner, rtype, class: Class::IN, ttl, rdata });
        Ok(())
    }
}

/// What went wrong: in this file, or in one that it includes.
enum Wrong {
    Here(String),
    Included(MasterError),
}

impl From<String> for Wrong {
    fn from(reason: String) -> Self {
        Self::Here(reason)
    }
}

impl From<&str> for Wrong {
    fn from(reason: &str) -> Self {
        Self::Here(reason.to_owned())
    }
}

/// A TTL with or without units; RFC 2181 §8: at most 2³¹-1 seconds.
fn parse_ttl(text: &str) -> Option<u32> {
    text_time::parse_ttl(text).filter(|ttl| i32::try_from(*ttl).is_ok())
}

/// SHA-256 over the unsigned records in canonical form and order, duplicates once: names what a zone holds, however its
/// file is written.
pub fn zone_digest(origin: &Name, records: &[Record]) -> Digest {
    let mut sorted = BTreeMap::new();
    for record in records {
        let data = canonical(record.rtype, &record.rdata).into_owned();
        let ttl = sorted.entry((record.name.to_lowercase(), record.rtype, data)).or_insert(record.ttl);
        *ttl = record.ttl.min(*ttl);
    }
    let mut octets = Vec::new();
    for ((name, rtype, data), ttl) in sorted {
        octets.extend_from_slice(name.wire());
        octets.extend_from_slice(&rtype.0.to_be_bytes());
        octets.extend_from_slice(&Class::IN.0.to_be_bytes());
        octets.extend_from_slice(&ttl.to_be_bytes());
        octets.extend_from_slice(&(data.len() as u32).to_be_bytes());
        octets.extend_from_slice(&data);
    }
    digest("conclave/zone", &[origin.to_lowercase().wire(), &octets])
}

/// One line of a master file, without the line's end.
pub fn write_record(record: &Record) -> String {
    let data = to_text(record.rtype, &record.rdata);
    format!("{}\t{}\t{}\t{}\t{data}", record.name, record.ttl, record.class, record.rtype)
}

#[cfg(test)]
mod tests;
