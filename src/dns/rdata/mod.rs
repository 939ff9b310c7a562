//! Rdata: one descriptor table (`table`) drives wire validation and decompression, the canonical form and the text form.
//!
//! A type consists of fields, each of some kind; each kind knows its length on the wire, its words in text, and
//! whether it is a name that may come compressed (RFC 3597 §4) or is lower case in canonical form (RFC 4034 §6.2 as
//! amended by RFC 6840 §5.1: not NSEC). What is not in the table is opaque, its text form that of RFC 3597 §5.
//!
//! Beyond the shape this is checked: type bitmaps, SVCB parameters, CAA tags, LOC sizes, and that a DS digest has the
//! length that its type says. Everything else in a well-formed field is the business of who uses it.

mod bitmap;
mod loc;
mod params;
mod rare;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod wire;

use super::name::{Name, NameError};
use super::rtype::{Class, RrType};
pub(super) use bitmap::{decode as decode_types, encode as encode_types};
use borsh::{BorshDeserialize, BorshSerialize};
use rare::Kind;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use table::{Field, fields};
pub(super) use text::string;

/// Octets of the longest rdata (RFC 1035 §3.2.1).
pub const MAX_RDATA_OCTETS: usize = 65_535;

/// The data of one record: uncompressed wire octets, at most 65,535, names in the case they came in.
///
/// Equality and order are those of the octets; see [`canonical`] for the order of records in an RRset.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rdata(Arc<[u8]>);

impl Rdata {
    /// Takes octets as they are; that they fit a type is what [`validate`] says.
    pub fn new(octets: &[u8]) -> Self {
        Self(Arc::from(octets))
    }

    /// The octets.
    pub fn wire(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Rdata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl BorshSerialize for Rdata {
    fn serialize<W: borsh::io::Write>(&self, writer: &mut W) -> borsh::io::Result<()> {
        let length = u16::try_from(self.0.len()).map_err(|_| {
            borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "rdata over 65,535 octets")
        })?;
        length.serialize(writer)?;
        writer.write_all(&self.0)
    }
}

impl BorshDeserialize for Rdata {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let length = u16::deserialize_reader(reader)?;
        let mut octets = vec![0u8; usize::from(length)];
        reader.read_exact(&mut octets)?;
        Ok(Self(Arc::from(octets)))
    }
}

/// Why octets or text are not the rdata of a type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RdataError {
    /// An embedded name is wrong.
    Name(NameError),
    /// The octets or words end too early.
    Truncated,
    /// Octets or words are left over.
    Trailing,
    /// A field is not as its type demands.
    Field(&'static str),
    /// A word of the text form is not what is expected here.
    Word {
        /// What is expected.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
}

impl fmt::Display for RdataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::Truncated => f.write_str("too short"),
            Self::Trailing => f.write_str("something is left over"),
            Self::Field(what) => f.write_str(what),
            Self::Word { expected, found } => write!(f, "expected {expected}, found {found:?}"),
        }
    }
}

impl std::error::Error for RdataError {}

impl From<NameError> for RdataError {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

/// The canonical form (RFC 4034 §6.2): names in lower case where RFC 6840 §5.1 leaves the type listed. Rdata that is not
/// valid is its own canonical form.
pub fn canonical(rtype: RrType, rdata: &Rdata) -> Cow<'_, [u8]> {
    let octets = rdata.wire();
    let mut lower = Cow::Borrowed(octets);
    for range in names(rtype, octets, lower_case) {
        if octets[range.clone()].iter().any(u8::is_ascii_uppercase) {
            // Length octets are below the letters.
            lower.to_mut()[range].make_ascii_lowercase();
        }
    }
    lower
}

fn lower_case(field: Field) -> bool {
    matches!(field, Field::OldName | Field::LowerName | Field::Rare(Kind::A6Name))
}

/// Where the names stand that may be compressed in a message (RFC 3597 §4: the types of RFC 1035 only).
pub(super) fn compressible(rtype: RrType, octets: &[u8]) -> Vec<Range<usize>> {
    names(rtype, octets, |field| field == Field::OldName)
}

/// Where the fields of these kinds stand; nowhere in invalid rdata.
fn names(rtype: RrType, octets: &[u8], wanted: impl Fn(Field) -> bool) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let Some(fields) = fields(rtype).filter(|fields| fields.iter().any(|field| wanted(*field))) else {
        return ranges;
    };
    let walked = wire::walk(fields, octets, |field, octets, before| {
        if wanted(field) {
            ranges.push(before.len()..before.len() + octets.len());
        }
        Ok(())
    });
    if walked.is_err() {
        ranges.clear();
    }
    ranges
}

/// The rdata of `length` octets at `start` in `message`: decompressed and validated.
pub fn from_message(
    rtype: RrType,
    class: Class,
    message: &[u8],
    start: usize,
    length: usize,
) -> Result<Rdata, RdataError> {
    let end = start.checked_add(length).filter(|end| *end <= message.len()).ok_or(RdataError::Truncated)?;
    // An address of CHAOS is something else.
    let Some(fields) = fields(rtype).filter(|_| class != Class::CH || rtype != RrType::A) else {
        return Ok(Rdata::new(&message[start..end]));
    };
    let mut out = Vec::with_capacity(length + 64);
    wire::read(fields, message, start, end, &mut out)?;
    if out.len() > MAX_RDATA_OCTETS {
        return Err(RdataError::Field("rdata over 65,535 octets"));
    }
    Ok(Rdata(out.into()))
}

/// Whether the octets are rdata of this type, uncompressed.
pub fn validate(rtype: RrType, octets: &[u8]) -> Result<(), RdataError> {
    if octets.len() > MAX_RDATA_OCTETS {
        return Err(RdataError::Field("rdata over 65,535 octets"));
    }
    fields(rtype).map_or(Ok(()), |fields| wire::walk(fields, octets, |_, _, _| Ok(())))
}

/// The text form (RFC 1035 §5.1); of what is not in the table or not valid, that of RFC 3597 §5.
pub fn to_text(rtype: RrType, rdata: &Rdata) -> String {
    let mut words = Vec::new();
    let known = fields(rtype).is_some_and(|fields| {
        let shown = wire::walk(fields, rdata.wire(), |field, octets, before| {
            words.extend(text::show(field, octets, before)?);
            Ok(())
        });
        shown.is_ok()
    });
    if known {
        return words.join(" ");
    }
    match rdata.wire() {
        [] => "\\# 0".to_owned(),
        octets => format!("\\# {} {}", octets.len(), data_encoding::HEXUPPER.encode(octets)),
    }
}

/// Parses the words of the text form, `\#` and so on too (RFC 3597 §5). A word is as it stands in a master file, with
/// its escapes and, if it is quoted, its quotes.
pub fn from_text(rtype: RrType, words: &[&str], origin: &Name) -> Result<Rdata, RdataError> {
    from_words(rtype, words, origin).map_err(|(_, error)| error)
}

/// As [`from_text`], and says at which word it went wrong.
pub(super) fn from_words(rtype: RrType, texts: &[&str], origin: &Name) -> Result<Rdata, (usize, RdataError)> {
    let mut words = text::Words::new(texts, origin);
    read_words(rtype, texts, &mut words).map_err(|error| {
        // What is left over is the next word; all else is found when its word has been taken.
        let taken = texts.len() - words.left();
        let at = if error == RdataError::Trailing { taken } else { taken.saturating_sub(1) };
        (at, error)
    })
}

fn read_words(rtype: RrType, texts: &[&str], words: &mut text::Words<'_>) -> Result<Rdata, RdataError> {
    let generic = texts.first() == Some(&"\\#");
    let mut out = Vec::new();
    match fields(rtype) {
        _ if generic => {
            words.next()?;
            out = words.generic()?;
        }
        Some(fields) => {
            for field in fields {
                text::read(*field, words, &mut out)?;
            }
        }
        None => {
            let found = words.next()?.to_owned();
            return Err(RdataError::Word {
                expected: "\\# for a type without a text form of its own",
                found,
            });
        }
    }
    if !words.is_empty() {
        return Err(RdataError::Trailing);
    }
    validate(rtype, &out)?;
    Ok(Rdata(out.into()))
}
