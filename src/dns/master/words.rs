//! A master file's text cut into entries, and entries into words.
//!
//! An entry is a line, or several where parentheses are open. A word keeps its escapes and its quotes; an octet that is
//! not printable ASCII is written as `\DDD`, so that a word is always text.

/// One entry that is not empty.
pub(super) struct Entry {
    /// The line it begins on, from 1.
    pub line: usize,
    /// Whether it begins with white space: the owner is that of the record before.
    pub blank_start: bool,
    pub words: Vec<String>,
}

/// The entries of a text, or the line and the reason of what is wrong, after which there are no more.
pub(super) struct Entries<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
}

impl<'a> Entries<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        // Some editors begin a file with a byte order mark.
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        Self { text, at: 0, line: 1 }
    }

    fn entry(&mut self) -> Result<Option<Entry>, (usize, &'static str)> {
        let blank_start = matches!(self.text.get(self.at), Some(b' ' | b'\t'));
        let mut entry = Entry { line: self.line, blank_start, words: Vec::new() };
        let mut opened = None;
        loop {
            let Some(&octet) = self.text.get(self.at) else {
                return match opened {
                    Some(line) => Err((line, "a parenthesis that is not closed")),
                    None if entry.words.is_empty() => Ok(None),
                    None => Ok(Some(entry)),
                };
            };
            match octet {
                b'\n' => {
                    self.at += 1;
                    self.line += 1;
                    if opened.is_none() {
                        return Ok(Some(entry));
                    }
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b';' => self.comment(),
                b'(' if opened.is_some() => return Err((self.line, "a parenthesis inside parentheses")),
                b'(' => {
                    opened = Some(self.line);
                    self.at += 1;
                }
                b')' if opened.take().is_none() => {
                    return Err((self.line, "a closing parenthesis without an opening one"));
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

    fn word(&mut self) -> Result<String, (usize, &'static str)> {
        let mut word = String::new();
        let mut quoted = false;
        while let Some(&octet) = self.text.get(self.at) {
            match octet {
                b'\n' if quoted => return Err((self.line, "a quoted string that is not closed on its line")),
                b' ' | b'\t' | b'(' | b')' | b';' if quoted => word.push(char::from(octet)),
                b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')' | b';' => break,
                b'"' => {
                    word.push('"');
                    // The quote that closes a string ends the word: `"a""b"` are two.
                    if quoted {
                        self.at += 1;
                        return Ok(word);
                    }
                    quoted = true;
                }
                b'\\' => {
                    let next = *self
                        .text
                        .get(self.at + 1)
                        .filter(|c| **c != b'\n')
                        .ok_or((self.line, "a backslash at the end"))?;
                    if (0x20..0x7f).contains(&next) {
                        word.push('\\');
                        word.push(char::from(next));
                    } else {
                        word.push_str(&format!("\\{next:03}"));
                    }
                    self.at += 1;
                }
                0x21..=0x7e => word.push(char::from(octet)),
                _ => word.push_str(&format!("\\{octet:03}")),
            }
            self.at += 1;
        }
        if quoted { Err((self.line, "a quoted string that is not closed")) } else { Ok(word) }
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, (usize, &'static str)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.entry() {
                Ok(None) => return None,
                Ok(Some(entry)) if entry.words.is_empty() => {}
                Ok(Some(entry)) => return Some(Ok(entry)),
                Err(error) => {
                    self.at = self.text.len();
                    return Some(Err(error));
                }
            }
        }
    }
}
