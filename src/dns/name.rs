//! Domain names: uncompressed wire octets, at most 255, case preserved, compared without regard to case.
//!
//! Equality, order and hash are those of RFC 4034 §6.1: label by label from the right, octets as unsigned numbers,
//! US-ASCII letters in lower case, absence of an octet first.

use borsh::{BorshDeserialize, BorshSerialize};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

/// Octets of the longest name, the root label included (RFC 1035 §2.3.4).
pub const MAX_NAME_OCTETS: usize = 255;
/// Octets of the longest label (RFC 1035 §2.3.4).
pub const MAX_LABEL_OCTETS: usize = 63;
/// Labels of the longest name, without the root label.
pub const MAX_LABELS: usize = 127;

/// A domain name.
#[derive(Clone)]
pub struct Name(Arc<[u8]>);

/// Why something is not a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameError {
    /// A label of no octets inside a name.
    EmptyLabel,
    /// A label over 63 octets.
    LabelTooLong,
    /// A name over 255 octets.
    NameTooLong,
    /// The octets end inside the name.
    Truncated,
    /// Octets follow the root label.
    Trailing,
    /// A compression pointer where none may be, or one that does not point back.
    BadPointer,
    /// `\` without a character or three digits up to 255 after it.
    BadEscape,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyLabel => "an empty label",
            Self::LabelTooLong => "a label over 63 octets",
            Self::NameTooLong => "a name over 255 octets",
            Self::Truncated => "a name that ends too early",
            Self::Trailing => "octets after the name",
            Self::BadPointer => "a compression pointer that may not be there",
            Self::BadEscape => "a backslash without a character or three digits",
        })
    }
}

impl std::error::Error for NameError {}

impl Name {
    /// The root.
    pub fn root() -> Self {
        Self(Arc::from([0u8].as_slice()))
    }

    /// From exactly these uncompressed octets.
    pub fn from_wire(wire: &[u8]) -> Result<Self, NameError> {
        match skip_uncompressed(wire)? {
            end if end == wire.len() => Ok(Self(Arc::from(wire))),
            _ => Err(NameError::Trailing),
        }
    }

    /// The name at the start of `wire`, and how many octets it takes; no compression.
    pub fn prefix_of(wire: &[u8]) -> Result<(Self, usize), NameError> {
        let end = skip_uncompressed(wire)?;
        Ok((Self(Arc::from(&wire[..end])), end))
    }

    /// The name at `at` in `message`, with compression (RFC 1035 §4.1.4); and where the octets after it begin.
    /// Pointers must go strictly back, so this ends.
    pub fn from_message(message: &[u8], at: usize) -> Result<(Self, usize), NameError> {
        let mut wire = [0u8; MAX_NAME_OCTETS];
        let (length, end) = decompress(message, at, &mut wire)?;
        Ok((Self(Arc::from(&wire[..length])), end))
    }

    /// Parses the text form; the final dot may be missing.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Self::parse_relative(text, &Self::root())
    }

    /// Parses the text form of a master file: `@` is the origin, and without a final dot the origin is appended.
    pub fn parse_relative(text: &str, origin: &Self) -> Result<Self, NameError> {
        if text == "@" {
            return Ok(origin.clone());
        }
        if text == "." {
            return Ok(Self::root());
        }
        let (mut wire, absolute) = parse_labels(text)?;
        if absolute {
            wire.push(0);
        } else {
            wire.extend_from_slice(&origin.0);
        }
        if wire.len() > MAX_NAME_OCTETS {
            return Err(NameError::NameTooLong);
        }
        Ok(Self(Arc::from(wire)))
    }

    /// The uncompressed wire octets, the root label last.
    pub fn wire(&self) -> &[u8] {
        &self.0
    }

    /// The same name in lower case.
    pub fn to_lowercase(&self) -> Self {
        if self.0.iter().any(u8::is_ascii_uppercase) {
            Self(self.0.to_ascii_lowercase().into())
        } else {
            self.clone()
        }
    }

    /// The labels from the left, without the root label.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
        let (starts, count) = self.label_starts();
        (0..count).map(move |i| {
            let start = usize::from(starts[i]);
            &self.0[start + 1..start + 1 + usize::from(self.0[start])]
        })
    }

    /// How many labels, without the root label: the root has 0.
    pub fn label_count(&self) -> usize {
        self.label_starts().1
    }

    /// Offsets of the length octets, from the left, without the root label's; and their number.
    fn label_starts(&self) -> ([u8; MAX_LABELS], usize) {
        let mut starts = [0u8; MAX_LABELS];
        let (mut at, mut count) = (0usize, 0);
        while self.0[at] != 0 {
            starts[count] = at as u8;
            count += 1;
            at += 1 + usize::from(self.0[at]);
        }
        (starts, count)
    }

    /// The name without its leftmost label; none for the root.
    pub fn parent(&self) -> Option<Self> {
        let first = usize::from(self.0[0]);
        (first != 0).then(|| Self(Arc::from(&self.0[1 + first..])))
    }

    /// Whether this is `other` or below it.
    pub fn is_subdomain_of(&self, other: &Self) -> bool {
        let Some(at) = self.0.len().checked_sub(other.0.len()) else { return false };
        if !self.0[at..].eq_ignore_ascii_case(&other.0) {
            return false;
        }
        // The common octets must begin at a label.
        let mut start = 0;
        while start < at {
            start += 1 + usize::from(self.0[start]);
        }
        start == at
    }

    /// `label` below this name; none if it is empty or too long, or the name would be.
    pub fn child(&self, label: &[u8]) -> Option<Self> {
        if label.is_empty()
            || label.len() > MAX_LABEL_OCTETS
            || 1 + label.len() + self.0.len() > MAX_NAME_OCTETS
        {
            return None;
        }
        let mut wire = Vec::with_capacity(1 + label.len() + self.0.len());
        wire.push(label.len() as u8);
        wire.extend_from_slice(label);
        wire.extend_from_slice(&self.0);
        Some(Self(Arc::from(wire)))
    }

    /// `*` below this name.
    pub fn wildcard_child(&self) -> Option<Self> {
        self.child(b"*")
    }

    /// Whether the leftmost label is `*` (RFC 4592 §2.1.1).
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with(&[1, b'*'])
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.len() == 1
    }

    /// The ancestor (or self) of this many labels; the name itself if it has fewer.
    pub fn ancestor(&self, labels: usize) -> Self {
        let (starts, count) = self.label_starts();
        match count.checked_sub(labels) {
            None | Some(0) => self.clone(),
            Some(skip) if skip == count => Self::root(),
            Some(skip) => Self(Arc::from(&self.0[usize::from(starts[skip])..])),
        }
    }

    /// This name with its suffix `from` replaced by `to` (RFC 6672); none if it is not below `from` or would be too long.
    pub fn replace_suffix(&self, from: &Self, to: &Self) -> Option<Self> {
        if !self.is_subdomain_of(from) {
            return None;
        }
        let mut wire = self.0[..self.0.len() - from.0.len()].to_vec();
        wire.extend_from_slice(&to.0);
        (wire.len() <= MAX_NAME_OCTETS).then(|| Self(Arc::from(wire)))
    }

    /// Octets whose plain order is the canonical order: the labels from the right in lower case, each ended by `00 00`, and
    /// a zero octet inside a label written `00 01`. A name's key is a prefix of the keys of the names below it.
    pub fn sort_key(&self) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.0.len() + 16);
        for label in self.labels().rev() {
            if label.contains(&0) {
                let escaped = |octet: &u8| {
                    [octet.to_ascii_lowercase(), 1].into_iter().take(if *octet == 0 { 2 } else { 1 })
                };
                key.extend(label.iter().flat_map(escaped));
            } else {
                let start = key.len();
                key.extend_from_slice(label);
                key[start..].make_ascii_lowercase();
            }
            key.extend_from_slice(&[0, 0]);
        }
        key
    }
}

pub(super) fn skip_uncompressed(wire: &[u8]) -> Result<usize, NameError> {
    let mut at = 0;
    loop {
        let length = *wire.get(at).ok_or(NameError::Truncated)?;
        if length > MAX_LABEL_OCTETS as u8 {
            return Err(if length >= 0xc0 { NameError::BadPointer } else { NameError::LabelTooLong });
        }
        at += 1 + usize::from(length);
        if at > MAX_NAME_OCTETS {
            return Err(NameError::NameTooLong);
        }
        if at > wire.len() {
            return Err(NameError::Truncated);
        }
        if length == 0 {
            return Ok(at);
        }
    }
}

/// Copies the name at `at` into `out`; gives its length and where the octets after it begin.
pub(super) fn decompress(
    message: &[u8],
    mut at: usize,
    out: &mut [u8; MAX_NAME_OCTETS],
) -> Result<(usize, usize), NameError> {
    let (mut length, mut end) = (0usize, None);
    let (mut lowest, mut jumps) = (at, 0);
    loop {
        let first = usize::from(*message.get(at).ok_or(NameError::Truncated)?);
        match first {
            0..=63 => {
                let label = message.get(at..at + 1 + first).ok_or(NameError::Truncated)?;
                let room = out.get_mut(length..length + label.len()).ok_or(NameError::NameTooLong)?;
                room.copy_from_slice(label);
                length += label.len();
                at += label.len();
                if first == 0 {
                    return Ok((length, end.unwrap_or(at)));
                }
            }
            0xc0.. => {
                let second = usize::from(*message.get(at + 1).ok_or(NameError::Truncated)?);
                end.get_or_insert(at + 2);
                at = (first & 0x3f) << 8 | second;
                jumps += 1;
                // More jumps than labels only serve to make us run.
                if at >= lowest || jumps > MAX_LABELS {
                    return Err(NameError::BadPointer);
                }
                lowest = at;
            }
            _ => return Err(NameError::LabelTooLong),
        }
    }
}

/// The labels of a text form, without the root label; and whether it ended with a dot.
fn parse_labels(text: &str) -> Result<(Vec<u8>, bool), NameError> {
    let mut wire = vec![0u8];
    let mut start = 0;
    let octets = text.as_bytes();
    let mut at = 0;
    let mut absolute = false;
    while at < octets.len() {
        absolute = false;
        let (octet, taken) = match octets[at] {
            b'.' => {
                close_label(&mut wire, start)?;
                start = wire.len();
                wire.push(0);
                absolute = true;
                at += 1;
                continue;
            }
            b'\\' => unescape(&octets[at..]).ok_or(NameError::BadEscape)?,
            other => (other, 1),
        };
        wire.push(octet);
        at += taken;
        if wire.len() > 2 * MAX_NAME_OCTETS {
            return Err(NameError::NameTooLong);
        }
    }
    if absolute {
        wire.pop();
    } else {
        close_label(&mut wire, start)?;
    }
    Ok((wire, absolute))
}

fn close_label(wire: &mut [u8], start: usize) -> Result<(), NameError> {
    match wire.len() - start - 1 {
        0 => Err(NameError::EmptyLabel),
        length @ 1..=MAX_LABEL_OCTETS => {
            wire[start] = length as u8;
            Ok(())
        }
        _ => Err(NameError::LabelTooLong),
    }
}

/// The octet that an escape at the start of `text` stands for, and the length of the escape (RFC 1035 §5.1).
pub(super) fn unescape(text: &[u8]) -> Option<(u8, usize)> {
    let digit = |i: usize| text.get(i).filter(|c| c.is_ascii_digit()).map(|c| u32::from(c - b'0'));
    match text.get(1)? {
        c if c.is_ascii_digit() => {
            let value = digit(1)? * 100 + digit(2)? * 10 + digit(3)?;
            Some((u8::try_from(value).ok()?, 4))
        }
        c => Some((*c, 2)),
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        // Length octets are at most 63, below every letter: folding the case of all octets changes none of them.
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Name {}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        let mut mine = self.labels().rev();
        let mut theirs = other.labels().rev();
        loop {
            match (mine.next(), theirs.next()) {
                (None, None) => return Ordering::Equal,
                (None, Some(_)) => return Ordering::Less,
                (Some(_), None) => return Ordering::Greater,
                (Some(a), Some(b)) => {
                    let a = a.iter().map(u8::to_ascii_lowercase);
                    match a.cmp(b.iter().map(u8::to_ascii_lowercase)) {
                        Ordering::Equal => {}
                        order => return order,
                    }
                }
            }
        }
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut lower = [0u8; MAX_NAME_OCTETS];
        let lower = &mut lower[..self.0.len()];
        lower.copy_from_slice(&self.0);
        lower.make_ascii_lowercase();
        state.write(lower);
    }
}

impl fmt::Display for Name {
    /// The text form with the final dot (RFC 1035 §5.1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for label in self.labels() {
            for &octet in label {
                match octet {
                    b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => {
                        write!(f, "\\{}", char::from(octet))?
                    }
                    0x21..=0x7e => write!(f, "{}", char::from(octet))?,
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
            f.write_str(".")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl BorshSerialize for Name {
    fn serialize<W: borsh::io::Write>(&self, writer: &mut W) -> borsh::io::Result<()> {
        (self.0.len() as u8).serialize(writer)?;
        writer.write_all(&self.0)
    }
}

impl BorshDeserialize for Name {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let length = u8::deserialize_reader(reader)?;
        let mut wire = vec![0u8; usize::from(length)];
        reader.read_exact(&mut wire)?;
        Self::from_wire(&wire)
            .map_err(|e| borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, e.to_string()))
    }
}

#[cfg(test)]
mod tests;
