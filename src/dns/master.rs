//! Master files (RFC 1035 §5): `$ORIGIN`, `$TTL` (RFC 2308 §4), `$INCLUDE`, `$GENERATE` (`generate`), parentheses, `@`,
//! omitted owners, TTLs with units, TTL and class in either order, escapes, comments, unknown types (RFC 3597 §5).
//!
//! Stricter than some: a record outside the zone, a class other than IN, a TTL over 2³¹-1 (RFC 2181 §8) and a record
//! without any TTL to take are errors, each with file, line and column, and what to do. `$INCLUDE` is relative to the
//! including file and nests at most [`MAX_INCLUDE_DEPTH`] deep; `$GENERATE` makes at most [`MAX_GENERATED_RECORDS`].

mod generate;
mod words;

use super::name::Name;
use super::rdata::{self, canonical, to_text};
use super::rrset::{Record, Soa};
use super::rtype::{Class, RrType};
use super::text_time;
use crate::codec::{Digest, digest};
use crate::limits::{MAX_GENERATED_RECORDS, MAX_INCLUDE_DEPTH};
use generate::{Range, Template, unquote};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use words::{Entries, Entry, Place, Word};

/// What is wrong in a master file, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MasterError {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; 0 if it is about the whole file.
    pub line: usize,
    /// The column, in octets from 1; 0 if it is about the whole file.
    pub column: usize,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl fmt::Display for MasterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, reason } = self;
        match line {
            0 => write!(f, "{}: {reason}", file.display()),
            line => write!(f, "{}:{line}:{column}: {reason}", file.display()),
        }
    }
}

impl std::error::Error for MasterError {}

/// Opens files: the caller's, so that this layer touches none.
pub type Opener<'a> = dyn FnMut(&Path) -> std::io::Result<Vec<u8>> + 'a;

/// Is told, now and then, how many octets of all files have been read, and how many records.
pub type Progress<'a> = dyn FnMut(u64, usize) + 'a;

/// Entries between two words to [`Progress`].
const TELL_EVERY: usize = 4_096;

/// Reads a zone's records; `$INCLUDE` paths are relative to the including file's directory.
pub fn read_zone(path: &Path, origin: &Name, opener: &mut Opener<'_>) -> Result<Vec<Record>, MasterError> {
    read_zone_telling(path, origin, opener, &mut |_, _| {})
}

/// As [`read_zone`], and tells how far it is.
pub fn read_zone_telling(
    path: &Path,
    origin: &Name,
    opener: &mut Opener<'_>,
    progress: &mut Progress<'_>,
) -> Result<Vec<Record>, MasterError> {
    let mut reader = Reader::new(origin, Some(opener), progress);
    reader.file(path, 0)?;
    Ok(reader.records)
}

/// Reads records from text; `$INCLUDE` is an error.
pub fn read_str(text: &str, origin: &Name) -> Result<Vec<Record>, MasterError> {
    let mut quiet = |_, _| {};
    let mut reader = Reader::new(origin, None, &mut quiet);
    reader.text(Path::new("(text)"), text.as_bytes(), 0)?;
    Ok(reader.records)
}

/// The name of the zone in a file that says it: the owner of the first SOA, if that is absolute, or relative to an absolute
/// `$ORIGIN` before it.
pub fn stated_origin(text: &[u8]) -> Option<Name> {
    let mut origin = None;
    for entry in Entries::new(text) {
        let entry = entry.ok()?;
        let words: Vec<&str> = entry.words.iter().map(|word| &*word.text).collect();
        match words.as_slice() {
            [directive, name] if directive.eq_ignore_ascii_case("$ORIGIN") => {
                origin = absolute(name, origin.as_ref())
            }
            [owner, rest @ ..] if rest.iter().take(3).any(|word| word.eq_ignore_ascii_case("SOA")) => {
                return if entry.blank_start { origin } else { absolute(owner, origin.as_ref()) };
            }
            _ => {}
        }
    }
    None
}

fn absolute(text: &str, origin: Option<&Name>) -> Option<Name> {
    let below = |origin: &Name| Name::parse_relative(text, origin).ok();
    match origin {
        Some(origin) => below(origin),
        // Absolute is what does not depend on the origin.
        None => below(&Name::root())
            .filter(|name| Name::parse("x").is_ok_and(|other| below(&other).as_ref() == Some(name))),
    }
}

struct Reader<'a, 'b> {
    zone: Name,
    origin: Name,
    owner: Option<Name>,
    default_ttl: Option<u32>,
    last_ttl: Option<u32>,
    opener: Option<&'a mut Opener<'b>>,
    progress: &'a mut Progress<'b>,
    octets_read: u64,
    generated: usize,
    records: Vec<Record>,
}

/// What a record says before its data.
#[derive(Clone, Copy)]
struct Head {
    ttl: Option<u32>,
    rtype: RrType,
}

impl<'a, 'b> Reader<'a, 'b> {
    fn new(zone: &Name, opener: Option<&'a mut Opener<'b>>, progress: &'a mut Progress<'b>) -> Self {
        Self {
            zone: zone.clone(),
            origin: zone.clone(),
            owner: None,
            default_ttl: None,
            last_ttl: None,
            opener,
            progress,
            octets_read: 0,
            generated: 0,
            records: Vec::new(),
        }
    }

    fn file(&mut self, path: &Path, depth: usize) -> Result<(), MasterError> {
        let whole = |reason: String| MasterError { file: path.to_owned(), line: 0, column: 0, reason };
        let Some(opener) = self.opener.as_mut() else {
            return Err(whole("$INCLUDE has no files to read here".to_owned()));
        };
        let text = opener(path).map_err(|e| whole(format!("cannot be read: {e}")))?;
        self.text(path, &text, depth)
    }

    fn text(&mut self, path: &Path, text: &[u8], depth: usize) -> Result<(), MasterError> {
        let mut entries = Entries::new(text);
        let mut count = 0;
        while let Some(entry) = entries.next() {
            let done = match entry {
                Ok(entry) => self.entry(path, &entry, depth),
                Err((place, reason)) => Err(Wrong::Here(place, reason.to_owned())),
            };
            done.map_err(|wrong| match wrong {
                Wrong::Here(place, reason) => {
                    MasterError { file: path.to_owned(), line: place.line, column: place.column, reason }
                }
                Wrong::Included(error) => error,
            })?;
            count += 1;
            if count % TELL_EVERY == 0 {
                (self.progress)(self.octets_read + entries.read() as u64, self.records.len());
            }
        }
        self.octets_read += text.len() as u64;
        (self.progress)(self.octets_read, self.records.len());
        Ok(())
    }

    fn entry(&mut self, path: &Path, entry: &Entry<'_>, depth: usize) -> Result<(), Wrong> {
        match (entry.blank_start, entry.words.as_slice()) {
            (_, []) => Ok(()),
            (false, [directive, rest @ ..]) if directive.text.starts_with('$') => {
                self.directive(path, directive, rest, depth)
            }
            (true, rest) => {
                let none =
                    "the first record has no owner: write @ for the origin, or begin the line with a name";
                let owner = self.owner.clone().ok_or_else(|| wrong(entry.place, none))?;
                self.record(owner, entry.place, rest)
            }
            (false, [owner, rest @ ..]) => {
                let name = self.owner_name(&owner.text).map_err(|reason| wrong(owner.place, reason))?;
                self.record(name, owner.place, rest)
            }
        }
    }

    fn directive(
        &mut self,
        path: &Path,
        directive: &Word<'_>,
        words: &[Word<'_>],
        depth: usize,
    ) -> Result<(), Wrong> {
        match (directive.text.to_ascii_uppercase().as_str(), words) {
            ("$ORIGIN", [name]) => self.origin = self.name(name)?,
            ("$TTL", [ttl]) => self.default_ttl = Some(parse_ttl(&ttl.text).ok_or_else(|| not_a_ttl(ttl))?),
            ("$INCLUDE", [file, rest @ ..]) if rest.len() <= 1 => {
                if depth >= MAX_INCLUDE_DEPTH {
                    let reason = format!(
                        "$INCLUDE nests deeper than {MAX_INCLUDE_DEPTH}: does a file include itself?"
                    );
                    return Err(wrong(directive.place, reason));
                }
                let origin = rest.first().map_or(Ok(self.origin.clone()), |name| self.name(name))?;
                let name = rdata::string(&file.text).ok().and_then(|octets| String::from_utf8(octets).ok());
                let name = name.ok_or_else(|| wrong(file.place, "this is not the name of a file"))?;
                let saved = (std::mem::replace(&mut self.origin, origin), self.owner.clone());
                let target = path.parent().unwrap_or(Path::new("")).join(name);
                self.file(&target, depth + 1).map_err(Wrong::Included)?;
                // RFC 1035 §5.1: neither origin nor owner of the included file reach the including one.
                (self.origin, self.owner) = saved;
            }
            ("$GENERATE", [range, owner, rest @ ..]) if !rest.is_empty() => {
                self.generate(range, owner, rest)?
            }
            ("$ORIGIN" | "$TTL", _) => {
                return Err(wrong(directive.place, format!("{} wants one word", directive.text)));
            }
            ("$INCLUDE", _) => {
                return Err(wrong(
                    directive.place,
                    "$INCLUDE wants a file, and an origin if its names are to have another",
                ));
            }
            ("$GENERATE", _) => {
                return Err(wrong(directive.place, "$GENERATE wants a range, an owner, a type and data"));
            }
            _ => {
                let reason = format!(
                    "unknown directive {}: known are $ORIGIN, $TTL, $INCLUDE and $GENERATE; a name that begins so is written \\$",
                    directive.text
                );
                return Err(wrong(directive.place, reason));
            }
        }
        Ok(())
    }

    fn name(&self, word: &Word<'_>) -> Result<Name, Wrong> {
        Name::parse_relative(&word.text, &self.origin)
            .map_err(|e| wrong(word.place, format!("{}: {e}", word.text)))
    }

    /// The name at the start of a line, which may be quoted.
    fn owner_name(&self, text: &str) -> Result<Name, String> {
        let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        Name::parse_relative(bare, &self.origin).map_err(|e| format!("{text}: {e}"))
    }

    /// `$GENERATE`: each number's owner and data are read as if they stood here.
    fn generate(&mut self, range: &Word<'_>, owner: &Word<'_>, words: &[Word<'_>]) -> Result<(), Wrong> {
        let expected = "wants a range as 1-100 or 0-254/2, up to 2147483647";
        let numbers = Range::parse(&range.text).ok_or_else(|| wrong(range.place, expected))?;
        self.generated = self.generated.saturating_add(numbers.count());
        if self.generated > MAX_GENERATED_RECORDS {
            let reason = format!("$GENERATE would make more than {MAX_GENERATED_RECORDS} records");
            return Err(wrong(range.place, reason));
        }
        let template = |word: &Word<'_>, text: &str| Template::parse(text).map_err(|e| wrong(word.place, e));
        let owners = template(owner, &owner.text)?;
        let (head, data) = head(owner.place, words)?;
        let [first, rest @ ..] = data else {
            return Err(wrong(owner.place, "$GENERATE wants data after the type"));
        };
        let text = unquote(&first.text).filter(|_| rest.is_empty());
        let text = text.unwrap_or_else(|| data.iter().map(|word| &*word.text).collect::<Vec<_>>().join(" "));
        let datas = template(first, &text)?;
        for number in numbers.numbers() {
            let name = owners.expand(number).map_err(|e| wrong(owner.place, e))?;
            let name = self.owner_name(&name).map_err(|reason| wrong(owner.place, reason))?;
            let text = datas.expand(number).map_err(|e| wrong(first.place, e))?;
            let entry = Entries::new(text.as_bytes()).next();
            let mut entry = match entry {
                Some(Ok(entry)) => entry,
                Some(Err((_, reason))) => return Err(wrong(first.place, reason)),
                None => return Err(wrong(first.place, "$GENERATE wants data after the type")),
            };
            entry.words.iter_mut().for_each(|word| word.place = first.place);
            self.add(name, owner.place, head, &entry.words)?;
        }
        Ok(())
    }

    fn record(&mut self, owner: Name, place: Place, words: &[Word<'_>]) -> Result<(), Wrong> {
        let (head, data) = head(place, words)?;
        self.add(owner, place, head, data)
    }

    fn add(&mut self, owner: Name, place: Place, head: Head, data: &[Word<'_>]) -> Result<(), Wrong> {
        if !owner.is_subdomain_of(&self.zone) {
            let reason = format!(
                "{owner} is not in the zone {}: take it out, or mind $ORIGIN and final dots",
                self.zone
            );
            return Err(wrong(place, reason));
        }
        let rtype = head.rtype;
        let (texts, places) = texts(rtype, data);
        let rdata = rdata::from_words(rtype, &texts, &self.origin).map_err(|(at, error)| {
            let place = places.get(at).or(places.last()).copied().unwrap_or(place);
            wrong(place, format!("{rtype}: {error}"))
        })?;
        let minimum = || Soa::parse(&rdata).filter(|_| rtype == RrType::SOA).map(|soa| soa.minimum);
        let ttl = head.ttl.or(self.default_ttl).or(self.last_ttl).or_else(minimum);
        let none = "no TTL here, and no $TTL before: begin the file with a line as $TTL 1h";
        let ttl = ttl.ok_or_else(|| wrong(place, none))?;
        self.last_ttl = Some(ttl);
        self.owner = Some(owner.clone());
        self.records.push(Record { name: owner, rtype, class: Class::IN, ttl, rdata });
        Ok(())
    }
}

/// The words of a record's data, and where they stand.
fn texts<'w>(rtype: RrType, data: &'w [Word<'_>]) -> (Vec<&'w str>, Vec<Place>) {
    let parameters = rtype == RrType::SVCB || rtype == RrType::HTTPS;
    let (mut texts, mut places) = (Vec::with_capacity(data.len()), Vec::with_capacity(data.len()));
    for word in data {
        let (first, second) = if parameters { (&*word.text, None) } else { word.parts() };
        for text in [Some(first), second].into_iter().flatten() {
            texts.push(text);
            places.push(word.place);
        }
    }
    (texts, places)
}

/// Reads `[TTL] [class] type`, TTL and class in either order; the words after them are the data.
fn head<'w, 't>(place: Place, mut words: &'w [Word<'t>]) -> Result<(Head, &'w [Word<'t>]), Wrong> {
    let (mut ttl, mut class) = (None, None);
    while let [word, rest @ ..] = words {
        if ttl.is_none() && word.text.starts_with(|c: char| c.is_ascii_digit()) {
            ttl = Some(parse_ttl(&word.text).ok_or_else(|| not_a_ttl(word))?);
        } else if let Some(found) = Class::parse(&word.text).filter(|c| class.is_none() && *c < Class::NONE) {
            if found != Class::IN {
                return Err(wrong(word.place, "only class IN is served: write IN, or take the record out"));
            }
            class = Some(found);
        } else {
            break;
        }
        words = rest;
    }
    let [word, data @ ..] = words else {
        return Err(wrong(place, "a record without a type: owner, TTL, class, type and data make a record"));
    };
    let unknown = || {
        wrong(
            word.place,
            format!(
                "unknown type {}: one without a name is written TYPE and its number, its data behind \\#",
                word.text
            ),
        )
    };
    let rtype = RrType::parse(&word.text).ok_or_else(unknown)?;
    if rtype.is_meta() {
        return Err(wrong(word.place, format!("{rtype} is no type for a zone: take the record out")));
    }
    Ok((Head { ttl, rtype }, data))
}

fn not_a_ttl(word: &Word<'_>) -> Wrong {
    let text = &word.text;
    wrong(word.place, format!("{text} is not a TTL of at most 2147483647 seconds, as 3600 or 1h30m"))
}

/// What went wrong: in this file, or in one that it includes.
enum Wrong {
    Here(Place, String),
    Included(MasterError),
}

fn wrong(place: Place, reason: impl Into<String>) -> Wrong {
    Wrong::Here(place, reason.into())
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
