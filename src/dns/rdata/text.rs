//! The text side of the table: the words that a field is written in, and read from.

use super::table::{ALGORITHMS, CERT_TYPES, Field};
use super::{RdataError, bitmap, loc, params, rare};
use crate::dns::name::{Name, unescape};
use crate::dns::rtype::RrType;
use crate::dns::text_time;
use data_encoding::{BASE32HEX_NOPAD, BASE64, HEXUPPER, HEXUPPER_PERMISSIVE};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

/// The octets of `octets` in arrays of `N`.
pub(super) fn chunks<const N: usize>(octets: &[u8]) -> impl Iterator<Item = [u8; N]> {
    octets.chunks_exact(N).map(|chunk| {
        let mut array = [0; N];
        array.copy_from_slice(chunk);
        array
    })
}

fn number(octets: &[u8]) -> u64 {
    octets.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet))
}

/// A character-string in quotes (RFC 1035 §5.1).
pub(super) fn quote(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len() + 2);
    out.push('"');
    for &octet in octets {
        match octet {
            b'"' | b'\\' => out.extend(['\\', char::from(octet)]),
            0x20..=0x7e => out.push(char::from(octet)),
            _ => out.push_str(&format!("\\{octet:03}")),
        }
    }
    out.push('"');
    out
}

/// The octets of a word: without its quotes, escapes resolved.
pub(in crate::dns) fn string(word: &str) -> Result<Vec<u8>, RdataError> {
    let wrong = || RdataError::Word { expected: "a string", found: word.to_owned() };
    let raw = word.as_bytes();
    let raw = match raw {
        [b'"', inner @ .., b'"'] => inner,
        [b'"', ..] => return Err(wrong()),
        plain => plain,
    };
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(&octet) = raw.get(at) {
        let (octet, taken) =
            if octet == b'\\' { unescape(&raw[at..]).ok_or_else(wrong)? } else { (octet, 1) };
        out.push(octet);
        at += taken;
    }
    Ok(out)
}

fn base64(octets: &[u8]) -> Vec<String> {
    if octets.is_empty() { Vec::new() } else { vec![BASE64.encode(octets)] }
}

fn hex(octets: &[u8]) -> Vec<String> {
    if octets.is_empty() { Vec::new() } else { vec![HEXUPPER.encode(octets)] }
}

fn name_words(mut wire: &[u8]) -> Result<Vec<String>, RdataError> {
    let mut words = Vec::new();
    while !wire.is_empty() {
        let (name, length) = Name::prefix_of(wire)?;
        words.push(name.to_string());
        wire = &wire[length..];
    }
    Ok(words)
}

/// The words of a field that is well formed.
pub(super) fn show(field: Field, octets: &[u8], before: &[u8]) -> Result<Vec<String>, RdataError> {
    let one = |word: String| Ok(vec![word]);
    match field {
        Field::U8 | Field::U16 | Field::U32 | Field::Ttl | Field::Algorithm | Field::CertType => {
            one(number(octets).to_string())
        }
        Field::Time => one(text_time::show(number(octets) as u32)),
        Field::Type => one(RrType(number(octets) as u16).to_string()),
        Field::OldName | Field::LowerName | Field::PlainName | Field::PlainNames => name_words(octets),
        Field::Ipv4 => Ok(chunks::<4>(octets).map(|a| Ipv4Addr::from(a).to_string()).collect()),
        Field::Ipv6 => Ok(chunks::<16>(octets).map(|a| Ipv6Addr::from(a).to_string()).collect()),
        Field::Eui(_) => one(octets.iter().map(|o| format!("{o:02x}")).collect::<Vec<_>>().join("-")),
        Field::Groups => {
            one(chunks::<2>(octets).map(|g| format!("{:x}", number(&g))).collect::<Vec<_>>().join(":"))
        }
        Field::Text => one(quote(&octets[1..])),
        Field::Texts | Field::OneOrTwoTexts => {
            let mut words = Vec::new();
            let mut rest = octets;
            while let Some((length, after)) = rest.split_first() {
                let (text, after) =
                    after.split_at_checked(usize::from(*length)).ok_or(RdataError::Truncated)?;
                words.push(quote(text));
                rest = after;
            }
            Ok(words)
        }
        Field::Tag => one(String::from_utf8_lossy(&octets[1..]).into_owned()),
        Field::LongText => one(quote(octets)),
        Field::Hex | Field::Digest | Field::ZoneDigest => Ok(hex(octets)),
        Field::Base64 => Ok(base64(octets)),
        Field::Salt if octets.len() == 1 => one("-".to_owned()),
        Field::Salt => Ok(hex(&octets[1..])),
        Field::Hash => one(BASE32HEX_NOPAD.encode(&octets[1..])),
        Field::Bitmap => {
            let types = bitmap::decode(octets).ok_or(RdataError::Field("a malformed type bitmap"))?;
            Ok(types.iter().map(RrType::to_string).collect())
        }
        Field::Gateway => match before.get(1) {
            Some(0) => one(".".to_owned()),
            Some(1) => show(Field::Ipv4, octets, before),
            Some(2) => show(Field::Ipv6, octets, before),
            _ => name_words(octets),
        },
        Field::Hip => {
            let (tag, key) = octets[4..].split_at(usize::from(octets[0]));
            Ok(vec![octets[1].to_string(), HEXUPPER.encode(tag), BASE64.encode(key)])
        }
        Field::Loc => one(loc::show(octets)),
        Field::Params => params::to_words(octets),
        Field::Rare(kind) => rare::show(kind, octets),
    }
}

/// The words not yet read.
pub(super) struct Words<'w> {
    rest: &'w [&'w str],
    origin: &'w Name,
}

impl<'w> Words<'w> {
    pub(super) fn new(rest: &'w [&'w str], origin: &'w Name) -> Self {
        Self { rest, origin }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn next(&mut self) -> Result<&'w str, RdataError> {
        let (word, rest) = self.rest.split_first().ok_or(RdataError::Truncated)?;
        self.rest = rest;
        Ok(word)
    }

    /// How many are left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn peek(&self) -> Option<&'w str> {
        self.rest.first().copied()
    }

    /// Reads all that are left, one by one.
    pub(super) fn all<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, RdataError>,
    ) -> Result<Vec<T>, RdataError> {
        let mut found = Vec::new();
        while !self.is_empty() {
            found.push(read(self)?);
        }
        Ok(found)
    }

    /// Reads one word with `parse`; `expected`: what it must be.
    pub(super) fn take<T>(
        &mut self,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, RdataError> {
        let word = self.next()?;
        parse(word).ok_or_else(|| RdataError::Word { expected, found: word.to_owned() })
    }

    fn number<T: TryFrom<u64>>(&mut self, expected: &'static str) -> Result<T, RdataError> {
        self.take(expected, |word| T::try_from(decimal(word)?).ok())
    }

    fn rest(&mut self) -> String {
        std::mem::take(&mut self.rest).concat()
    }

    /// Reads all words with an encoding that ignores where they are cut.
    pub(super) fn blob(
        &mut self,
        expected: &'static str,
        decode: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
    ) -> Result<Vec<u8>, RdataError> {
        let text = self.rest();
        decode(text.as_bytes()).ok_or(RdataError::Word { expected, found: text })
    }

    pub(super) fn name(&mut self) -> Result<Name, RdataError> {
        let word = self.next()?;
        if word.starts_with('"') {
            return Err(RdataError::Word { expected: "a name without quotes", found: word.to_owned() });
        }
        Ok(Name::parse_relative(word, self.origin)?)
    }

    /// Reads `\# length hex` after the `\#` (RFC 3597 §5).
    pub(super) fn generic(&mut self) -> Result<Vec<u8>, RdataError> {
        let length: u16 = self.number("a length")?;
        let octets = self.blob("hexadecimal digits", unhex)?;
        if octets.len() != usize::from(length) {
            return Err(RdataError::Field("length and number of octets differ"));
        }
        Ok(octets)
    }
}

fn decimal(word: &str) -> Option<u64> {
    // from_str would take a plus sign.
    word.bytes().all(|c| c.is_ascii_digit()).then(|| word.parse().ok())?
}

fn mnemonic(word: &str, table: &[(u16, &str)]) -> Option<u64> {
    let known = table.iter().find(|(_, name)| name.eq_ignore_ascii_case(word));
    known.map(|(code, _)| u64::from(*code)).or_else(|| decimal(word))
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    HEXUPPER_PERMISSIVE.decode(text).ok()
}

/// Reads one field and appends its octets to `out`, which holds the fields before it.
pub(super) fn read(field: Field, words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    match field {
        Field::U8 => out.push(words.number("a number up to 255")?),
        Field::U16 => out.extend(words.number::<u16>("a number up to 65535")?.to_be_bytes()),
        Field::U32 => out.extend(words.number::<u32>("a number of 32 bits")?.to_be_bytes()),
        Field::Ttl => out.extend(words.take("seconds", text_time::parse_ttl)?.to_be_bytes()),
        Field::Time => out.extend(words.take("a time", text_time::parse)?.to_be_bytes()),
        Field::Type => out.extend(words.take("a type", RrType::parse)?.0.to_be_bytes()),
        Field::Algorithm => {
            let code = |word: &str| u8::try_from(mnemonic(word, ALGORITHMS)?).ok();
            out.push(words.take("an algorithm", code)?);
        }
        Field::CertType => {
            let code = |word: &str| u16::try_from(mnemonic(word, CERT_TYPES)?).ok();
            out.extend(words.take("a certificate type", code)?.to_be_bytes());
        }
        Field::OldName | Field::LowerName | Field::PlainName => {
            out.extend_from_slice(words.name()?.wire());
        }
        Field::PlainNames => {
            while !words.is_empty() {
                out.extend_from_slice(words.name()?.wire());
            }
        }
        Field::Ipv4 => {
            out.extend(words.take("an IPv4 address", |w| w.parse::<Ipv4Addr>().ok())?.octets());
        }
        Field::Ipv6 => {
            out.extend(words.take("an IPv6 address", |w| w.parse::<Ipv6Addr>().ok())?.octets());
        }
        Field::Eui(octets) => out.extend(words.take("an EUI address", |w| groups(w, '-', 2..=2, octets))?),
        Field::Groups => out.extend(words.take("four groups of digits", |w| groups(w, ':', 1..=4, 4))?),
        Field::Loc => loc::read(words, out)?,
        Field::Rare(kind) => rare::read(kind, words, out)?,
        Field::Params => {
            out.extend(params::from_words(std::mem::take(&mut words.rest).iter().copied())?);
        }
        Field::Gateway => gateway(words, out)?,
        Field::Hip => hip(words, out)?,
        Field::Bitmap => {
            let mut types = BTreeSet::new();
            while !words.is_empty() {
                types.insert(words.take("a type", RrType::parse)?);
            }
            out.extend(bitmap::encode(&types));
        }
        _ => read_octets(field, words, out)?,
    }
    Ok(())
}

/// The fields that are strings and encoded octets.
fn read_octets(field: Field, words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    match field {
        Field::Text | Field::Tag => push_sized(out, &string(words.next()?)?)?,
        Field::OneOrTwoTexts => {
            push_sized(out, &string(words.next()?)?)?;
            if !words.is_empty() {
                push_sized(out, &string(words.next()?)?)?;
            }
        }
        Field::Texts => {
            // At least one, as on the wire.
            push_sized(out, &string(words.next()?)?)?;
            while !words.is_empty() {
                push_sized(out, &string(words.next()?)?)?;
            }
        }
        Field::LongText => out.extend(string(words.next()?)?),
        Field::Hex | Field::Digest | Field::ZoneDigest => {
            out.extend(words.blob("hexadecimal digits", unhex)?)
        }
        Field::Base64 => out.extend(words.blob("base64", |text| BASE64.decode(text).ok())?),
        Field::Salt => {
            let salt = |word: &str| if word == "-" { Some(Vec::new()) } else { unhex(word.as_bytes()) };
            push_sized(out, &words.take("a salt in hexadecimal, or -", salt)?)?;
        }
        _ => {
            let hash = |word: &str| BASE32HEX_NOPAD.decode(word.to_ascii_uppercase().as_bytes()).ok();
            push_sized(out, &words.take("a hash in base32hex", hash)?)?;
        }
    }
    Ok(())
}

pub(super) fn push_sized(out: &mut Vec<u8>, octets: &[u8]) -> Result<(), RdataError> {
    let length = u8::try_from(octets.len()).map_err(|_| RdataError::Field("a string over 255 octets"))?;
    out.push(length);
    out.extend_from_slice(octets);
    Ok(())
}

/// `count` groups of hexadecimal digits, each of so many.
fn groups(word: &str, separator: char, widths: RangeInclusive<usize>, count: usize) -> Option<Vec<u8>> {
    let width = *widths.end();
    let groups: Vec<&str> = word.split(separator).collect();
    let even = groups.len() == count && groups.iter().all(|group| widths.contains(&group.len()));
    let digits: String = groups.iter().map(|group| format!("{group:0>width$}")).collect();
    even.then(|| unhex(digits.as_bytes()))?
}

fn gateway(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    match out.get(1) {
        Some(0) => words.take("a single dot", |word| (word == ".").then_some(())),
        Some(1) => read(Field::Ipv4, words, out),
        Some(2) => read(Field::Ipv6, words, out),
        _ => read(Field::PlainName, words, out),
    }
}

fn hip(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let algorithm: u8 = words.number("a number up to 255")?;
    let tag = words.take("a tag in hexadecimal", |word| unhex(word.as_bytes()))?;
    let key = words.take("a key in base64", |word| BASE64.decode(word.as_bytes()).ok())?;
    let tag_length = u8::try_from(tag.len()).map_err(|_| RdataError::Field("a tag over 255 octets"))?;
    let key_length = u16::try_from(key.len()).map_err(|_| RdataError::Field("a key over 65535 octets"))?;
    out.extend_from_slice(&[tag_length, algorithm]);
    out.extend_from_slice(&key_length.to_be_bytes());
    out.extend_from_slice(&tag);
    out.extend_from_slice(&key);
    Ok(())
}
