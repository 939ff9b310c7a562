//! A master file's text cut into entries, and entries into words.
//!
//! An entry is a line, or several where parentheses are open, which may nest. A word keeps its escapes and its quotes; an
//! octet that is not printable ASCII is written as `\DDD`, so that a word is always text. A quote begins a word of its own,
//! but for the value of a service parameter (`alpn="h2,h3"`, RFC 9460 §2.1), whose word says where it could be cut.

use std::borrow::Cow;

/// Where something stands in a file: line and column, both from 1, the column in octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub line: usize,
    pub column: usize,
}

/// What is wrong with the text itself, and where.
pub(super) type Slip = (Place, &'static str);

/// A word of an entry.
#[derive(Clone, Debug)]
pub(super) struct Word<'t> {
    pub text: Cow<'t, str>,
    pub place: Place,
    /// In `key="value"`, where the quote stands in `text`.
    quote: Option<usize>,
}

impl Word<'_> {
    /// The one word, or the two that it is for who knows no parameters.
    pub fn parts(&self) -> (&str, Option<&str>) {
        match self.quote {
            Some(at) => (&self.text[..at], Some(&self.text[at..])),
            None => (&self.text, None),
        }
    }
}

/// One entry that is not empty.
#[derive(Debug)]
pub(super) struct Entry<'t> {
    /// Where its line begins.
    pub place: Place,
    /// Whether it begins with white space: the owner is that of the record before.
    pub blank_start: bool,
    pub words: Vec<Word<'t>>,
}

/// The entries of a text, or what is wrong, after which there are no more.
pub(super) struct Entries<'t> {
    text: &'t [u8],
    at: usize,
    line: usize,
    line_start: usize,
}

impl<'t> Entries<'t> {
    pub fn new(text: &'t [u8]) -> Self {
        // Some editors begin a file with a byte order mark.
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        Self { text, at: 0, line: 1, line_start: 0 }
    }

    /// Octets read.
    pub fn read(&self) -> usize {
        self.at
    }

    fn place(&self) -> Place {
        Place { line: self.line, column: self.at - self.line_start + 1 }
    }

    fn entry(&mut self) -> Result<Option<Entry<'t>>, Slip> {
        let blank_start = matches!(self.text.get(self.at), Some(b' ' | b'\t'));
        let mut entry = Entry { place: self.place(), blank_start, words: Vec::new() };
        let mut opened = Vec::new();
        loop {
            let Some(&octet) = self.text.get(self.at) else {
                return match opened.pop() {
                    Some(place) => {
                        Err((place, "a parenthesis that is not closed: write ) at the record's end"))
                    }
                    None if entry.words.is_empty() => Ok(None),
                    None => Ok(Some(entry)),
                };
            };
            match octet {
                b'\n' => {
                    self.at += 1;
                    self.line += 1;
                    self.line_start = self.at;
                    if opened.is_empty() {
                        return Ok(Some(entry));
                    }
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b';' => self.comment(),
                b'(' if opened.len() >= MAX_NESTING => {
                    return Err((self.place(), "too many parentheses inside one another"));
                }
                b'(' => {
                    opened.push(self.place());
                    self.at += 1;
                }
                b')' if opened.pop().is_none() => {
                    return Err((
                        self.place(),
                        "a closing parenthesis without an opening one: take it out, or write \\)",
                    ));
                }
                b')' => self.at += 1,
                _ => entry.words.push(self.word()?),
            }
        }
    }

    fn comment(&mut self) {
        while self.text.get(self.at).is_some_and(|c| *c != b'\n') {
            self.at += 1;
        }
    }

    fn word(&mut self) -> Result<Word<'t>, Slip> {
        let (start, place) = (self.at, self.place());
        let (mut quote, mut plain) = (None, true);
        while let Some(&octet) = self.text.get(self.at) {
            let quoted = quote.is_some();
            match octet {
                b'\n' if quoted => {
                    return Err((
                        place,
                        "a quoted string that is not closed on its line: write \" at its end, or \\\" for a quote",
                    ));
                }
                b' ' | b'\t' | b'(' | b')' | b';' if quoted => {}
                b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')' | b';' => break,
                b'"' if quoted => {
                    // The quote that closes a string ends the word: `"a""b"` are two.
                    self.at += 1;
                    return Ok(self.cut(start, place, quote, plain));
                }
                b'"' if self.at == start || self.text[self.at - 1] == b'=' => quote = Some(self.at - start),
                b'"' => break,
                b'\\' => {
                    let wrong = (self.place(), "a backslash at the line's end: write \\\\ for a backslash");
                    let next = *self.text.get(self.at + 1).ok_or(wrong)?;
                    match next {
                        b'\n' if quoted => {
                            self.line += 1;
                            self.line_start = self.at + 2;
                        }
                        b'\n' | b'\r' => return Err(wrong),
                        _ => {}
                    }
                    plain &= (0x20..0x7f).contains(&next);
                    self.at += 1;
                }
                0x21..=0x7e => {}
                _ => plain = false,
            }
            self.at += 1;
        }
        if quote.is_some() {
            return Err((place, "a quoted string that is not closed: write \" at its end"));
        }
        Ok(self.cut(start, place, None, plain))
    }

    /// The word from `start` up to here; `plain`: as it stands there.
    fn cut(&self, start: usize, place: Place, quote: Option<usize>, plain: bool) -> Word<'t> {
        let raw = &self.text[start..self.at];
        let quote = quote.filter(|at| *at > 0);
        match std::str::from_utf8(raw) {
            Ok(text) if plain => Word { text: Cow::Borrowed(text), place, quote },
            _ => {
                // What stands before the value of a parameter is written out too.
                let quote = quote.map(|at| escape(&raw[..at]).len());
                Word { text: Cow::Owned(escape(raw)), place, quote }
            }
        }
    }
}

/// Parentheses inside one another: real files have one.
const MAX_NESTING: usize = 64;

/// Text with every octet that is not printable ASCII as `\DDD`, tabs of a quoted string aside.
fn escape(raw: &[u8]) -> String {
    let mut out = String::with_capacity(raw.len() + 16);
    let mut octets = raw.iter().copied();
    while let Some(octet) = octets.next() {
        let (escaped, octet) = match octet {
            b'\\' => (true, octets.next().unwrap_or(b'\\')),
            other => (false, other),
        };
        match octet {
            0x20..=0x7e if escaped => out.extend(['\\', char::from(octet)]),
            0x20..=0x7e | b'\t' if !escaped => out.push(char::from(octet)),
            _ => out.push_str(&format!("\\{octet:03}")),
        }
    }
    out
}

impl<'t> Iterator for Entries<'t> {
    type Item = Result<Entry<'t>, Slip>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.entry() {
                Ok(None) => return None,
                Ok(Some(entry)) if entry.words.is_empty() => {}
                Ok(Some(entry)) => return Some(Ok(entry)),
                Err(slip) => {
                    self.at = self.text.len();
                    return Some(Err(slip));
                }
            }
        }
    }
}
