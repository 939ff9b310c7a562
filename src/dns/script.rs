//! Scripts of `nsupdate`, read as it reads them: the messages that they send.
//!
//! Understood: `server`, `zone`, `ttl`, `class IN`, `key` (its name only), `prereq` (or without that word) with `nxdomain`, `yxdomain`,
//! `nxrrset`, `yxrrset`; `update` (or without) with `add`, `delete`, `del`; `send` and the empty line. What is about the way and not
//! about the message is passed over: `local`, `show`, `answer`, `debug`, `check-names`, `gsstsig`, `oldgsstsig`, `realm`,
//! `version`, `help`, `quit`. A name without a final dot is absolute. `;` begins a comment outside of quotes.
//!
//! Bounds: a message is one of DNS over TCP, 65,535 octets; a script has the size of its file, at most [`MAX_SCRIPT_BYTES`].

use super::message::{Header, Message, Question, Section, Writer};
use super::name::Name;
use super::rdata::{self, Rdata};
use super::rrset::Record;
use super::rtype::{Class, Opcode, RrType};
use std::fmt;

/// Bytes of a script: room for some messages of the greatest size.
pub const MAX_SCRIPT_BYTES: usize = 1 << 20;

/// A message that a script sends.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sent {
    /// The line that sends it; the last where the script ends without `send`.
    pub line: usize,
    /// `HOST:PORT` of the server, if the script says it.
    pub server: Option<String>,
    /// The zone, if the script says it.
    pub zone: Option<Name>,
    /// The name of the key, if the script says it.
    pub key: Option<Name>,
    /// The prerequisite section.
    pub prerequisites: Vec<Record>,
    /// The update section.
    pub updates: Vec<Record>,
}

/// What is wrong with a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScriptError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for ScriptError {}

/// The messages of a script, in order; those without a prerequisite and an update are none.
pub fn parse(text: &str) -> Result<Vec<Sent>, ScriptError> {
    let mut reader = Reader::default();
    let last = text.lines().count();
    if text.len() > MAX_SCRIPT_BYTES {
        return Err(ScriptError {
            line: last,
            reason: format!("a script has at most {MAX_SCRIPT_BYTES} bytes"),
        });
    }
    for (line, text) in (1..).zip(text.lines()) {
        let done = words(text).and_then(|words| reader.line(line, &words));
        done.map_err(|reason| ScriptError { line, reason })?;
    }
    reader.send(last);
    Ok(reader.sent)
}

impl Sent {
    /// The first name of a record in it, by which its zone can be found.
    pub fn first_name(&self) -> Option<&Name> {
        self.prerequisites.iter().chain(&self.updates).map(|record| &record.name).next()
    }

    /// The message, unsigned; none if no message can hold this: too long, or records that may not stand there.
    pub fn to_wire(&self, zone: &Name) -> Option<Vec<u8>> {
        let mut writer = Writer::new(usize::from(u16::MAX));
        writer.header(&Header::request(0, Opcode::UPDATE));
        let zone = Question { name: zone.clone(), rtype: RrType::SOA, class: Class::IN };
        writer.question(&zone).ok()?;
        self.prerequisites.iter().try_for_each(|record| writer.record(Section::Answer, record)).ok()?;
        self.updates.iter().try_for_each(|record| writer.record(Section::Authority, record)).ok()?;
        let wire = writer.finish();
        Message::parse(&wire).ok().map(|_| wire)
    }
}

#[derive(Default)]
struct Reader {
    next: Sent,
    ttl: Option<u32>,
    sent: Vec<Sent>,
}

impl Reader {
    fn line(&mut self, line: usize, words: &[String]) -> Result<(), String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Some((verb, rest)) = words.split_first() else {
            self.send(line);
            return Ok(());
        };
        match verb.to_ascii_lowercase().as_str() {
            "send" => self.send(line),
            "server" => {
                let host = rest.first().ok_or("the server is missing")?;
                let host = if host.contains(':') { format!("[{host}]") } else { (*host).to_owned() };
                self.next.server = Some(format!("{host}:{}", rest.get(1).unwrap_or(&"53")));
            }
            "zone" => self.next.zone = Some(name(rest.first())?),
            "key" => {
                let named = rest.first().map(|word| word.rsplit(':').next().unwrap_or(word));
                self.next.key = Some(name(named.as_ref())?);
            }
            "ttl" => self.ttl = rest.first().and_then(|word| ttl(word)),
            "class" if rest.first().and_then(|word| Class::parse(word)) == Some(Class::IN) => {}
            "prereq" => self.prerequisite(rest)?,
            "nxdomain" | "yxdomain" | "nxrrset" | "yxrrset" => self.prerequisite(&words)?,
            "update" => self.update(rest)?,
            "add" | "delete" | "del" => self.update(&words)?,
            "local" | "show" | "answer" | "debug" | "check-names" | "gsstsig" | "oldgsstsig" | "realm"
            | "version" | "help" | "quit" => {}
            _ => {
                return Err(format!("nsupdate has no command `{}`, or not with that", verb.escape_default()));
            }
        }
        Ok(())
    }

    fn send(&mut self, line: usize) {
        let Sent { server, zone, key, .. } = self.next.clone();
        let next = std::mem::replace(&mut self.next, Sent { server, zone, key, ..Sent::default() });
        if !next.prerequisites.is_empty() || !next.updates.is_empty() {
            self.sent.push(Sent { line, ..next });
        }
    }

    fn prerequisite(&mut self, words: &[&str]) -> Result<(), String> {
        let (kind, rest) = words.split_first().ok_or("the kind of prerequisite is missing")?;
        let owner = name(rest.first())?;
        let kind = kind.to_ascii_lowercase();
        let class = if kind.starts_with("nx") { Class::NONE } else { Class::ANY };
        let record = match kind.as_str() {
            "nxdomain" | "yxdomain" => bare(owner, RrType::ANY, class),
            "nxrrset" | "yxrrset" => {
                let rest = without_class(&rest[1..]);
                let (rtype, data) = rest.split_first().ok_or("the type is missing")?;
                let rtype = record_type(rtype)?;
                match data {
                    [] => bare(owner, rtype, class),
                    _ if kind == "nxrrset" => return Err("nxrrset takes no data".into()),
                    data => full(owner, rtype, Class::IN, 0, data)?,
                }
            }
            _ => return Err(format!("there is no prerequisite `{}`", kind.escape_default())),
        };
        self.next.prerequisites.push(record);
        Ok(())
    }

    fn update(&mut self, words: &[&str]) -> Result<(), String> {
        let (kind, rest) = words.split_first().ok_or("`add` or `delete` is missing")?;
        let owner = name(rest.first())?;
        let (said, rest) = match rest.get(1).and_then(|word| ttl(word)) {
            Some(said) => (Some(said), &rest[2..]),
            None => (None, &rest[1..]),
        };
        let rest = without_class(rest);
        let record = match (kind.to_ascii_lowercase().as_str(), rest) {
            ("add", [rtype, data @ ..]) => {
                let ttl = said.or(self.ttl).ok_or("the TTL is missing")?;
                full(owner, record_type(rtype)?, Class::IN, ttl, data)?
            }
            ("add", []) => return Err("the type is missing".into()),
            ("delete" | "del", []) => bare(owner, RrType::ANY, Class::ANY),
            ("delete" | "del", [rtype]) => bare(owner, record_type(rtype)?, Class::ANY),
            ("delete" | "del", [rtype, data @ ..]) => full(owner, record_type(rtype)?, Class::NONE, 0, data)?,
            _ => return Err(format!("there is no update `{}`", kind.escape_default())),
        };
        self.next.updates.push(record);
        Ok(())
    }
}

fn name(word: Option<&&str>) -> Result<Name, String> {
    let word = word.ok_or("the name is missing")?;
    Name::parse(word).map_err(|why| format!("`{}`: {why}", word.escape_default()))
}

fn ttl(word: &str) -> Option<u32> {
    word.parse().ok()
}

fn record_type(word: &str) -> Result<RrType, String> {
    RrType::parse(word).ok_or_else(|| format!("`{}` is no record type", word.escape_default()))
}

fn without_class<'a, 'w>(words: &'a [&'w str]) -> &'a [&'w str] {
    match words {
        [class, rest @ ..] if class.eq_ignore_ascii_case("IN") => rest,
        all => all,
    }
}

fn bare(name: Name, rtype: RrType, class: Class) -> Record {
    Record { name, rtype, class, ttl: 0, rdata: Rdata::new(&[]) }
}

fn full(name: Name, rtype: RrType, class: Class, ttl: u32, data: &[&str]) -> Result<Record, String> {
    let rdata = rdata::from_text(rtype, data, &Name::root()).map_err(|why| format!("{rtype}: {why}"))?;
    Ok(Record { name, rtype, class, ttl, rdata })
}

/// The words of a line, quotes and escapes as they stand.
fn words(line: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let (mut is_quoted, mut is_escaped) = (false, false);
    for letter in line.chars() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ';' if !is_quoted => break,
            _ if letter.is_whitespace() && !is_quoted => {
                words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
                continue;
            }
            _ => {}
        }
        word.push(letter);
    }
    if is_quoted {
        return Err("a quote is not closed".into());
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_gives_the_messages_that_nsupdate_would_send() {
        let text = "server 127.0.0.1 53\nzone example.test\nttl 60\n; a comment\n\
                    prereq nxrrset a.example.test A\nyxrrset b.example.test IN TXT \"x ; y\"\n\
                    update add a.example.test 300 IN A 192.0.2.1\nadd a.example.test TXT \"one two\" three\n\
                    update delete b.example.test\nsend\n\
                    del c.example.test A\nupdate delete d.example.test A 192.0.2.2\n";
        let sent = parse(text).unwrap();
        assert_eq!(
            sent.iter().map(|one| (one.line, one.updates.len())).collect::<Vec<_>>(),
            [(10, 3), (12, 2)]
        );
        let zone = sent[1].zone.clone().unwrap();
        assert_eq!(zone, Name::parse("example.test.").unwrap());
        let message = Message::parse(&sent[0].to_wire(&zone).unwrap()).unwrap();
        assert_eq!(message.answers, sent[0].prerequisites);
        assert_eq!(message.authorities, sent[0].updates);
        let data = |record: &Record| rdata::to_text(record.rtype, &record.rdata);
        assert_eq!(data(&message.answers[1]), "\"x ; y\"");
        assert_eq!(
            (message.authorities[1].ttl, data(&message.authorities[1])),
            (60, "\"one two\" \"three\"".into())
        );
        assert_eq!(message.authorities[2].class, Class::ANY);
        assert_eq!(sent[1].updates[1].class, Class::NONE);
        assert_eq!(sent[1].server.as_deref(), Some("127.0.0.1:53"));
        // A key may be written with its algorithm.
        let key = parse("key hmac-sha512:ops. c2VjcmV0\nadd a.test. 1 A 192.0.2.1").unwrap().remove(0).key;
        assert_eq!(key, Some(Name::parse("ops.").unwrap()));
    }

    #[test]
    fn what_nsupdate_would_not_read_is_an_error_with_its_line() {
        let cases = [
            ("zone", 1, "name is missing"),
            ("\nfrobnicate x", 2, "no command"),
            ("add a.test A 192.0.2.1", 1, "TTL is missing"),
            ("add a.test 60", 1, "type is missing"),
            ("add a.test 60 A 192.0.2.256", 1, "A:"),
            ("prereq nxrrset a.test A 192.0.2.1", 1, "no data"),
            ("prereq a.test", 1, "name is missing"),
            ("update mend a.test", 1, "no update"),
            ("add a.test 60 TXT \"open", 1, "not closed"),
            ("class CH", 1, "no command"),
        ];
        for (text, line, reason) in cases {
            let error = parse(text).unwrap_err();
            assert!(error.line == line && error.reason.contains(reason), "{text}: {error}");
        }
        assert_eq!(parse("zone a.test\nsend\n\n"), Ok(Vec::new()));
    }
}
