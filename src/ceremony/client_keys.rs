//! Keys of clients in the formats of BIND's tools: TSIG key files, and SIG(0) key pairs for `nsupdate -k`.
//!
//! A TSIG file is a list of clauses `key "NAME" { algorithm hmac-sha256; secret "BASE64"; };`, as `tsig-keygen`
//! writes it and named.conf includes it; that of a `quorum` key has a clause for each replica, with `replica I;` and
//! `server "HOST:PORT";` in it, for `conclave update`. A SIG(0) pair is `K<name>+<alg>+<tag>.key`, one KEY record (RFC 2535
//! §3: flags 512, the key of an entity; protocol 3), and `….private` in BIND's private key format v1.3.
#![forbid(unsafe_code)]

use super::files::{Problem, read_secret};
use crate::codec::digest;
use crate::dns::name::Name;
use crate::dns::rdata::{Rdata, to_text};
use crate::dns::rtype::RrType;
use crate::dns::tsig::{Mode, TsigAlgorithm};
use data_encoding::BASE64;
use std::path::Path;
use zeroize::Zeroizing;

/// DNSSEC algorithm 15, Ed25519 (RFC 8080).
const ED25519: u8 = 15;

/// One clause of a TSIG key file.
pub struct KeyClause {
    /// The key's name.
    pub name: Name,
    /// The algorithm's mnemonic: `hmac-sha256` and the like.
    pub algorithm: String,
    /// The secret.
    pub secret: Zeroizing<Vec<u8>>,
    /// Of a `quorum` key in its client's file: the replica that has this secret, and where it answers.
    pub replica: Option<(u8, String)>,
}

impl KeyClause {
    /// A key.
    pub fn new(name: Name, algorithm: &str, secret: Vec<u8>) -> Self {
        Self { name, algorithm: algorithm.into(), secret: Zeroizing::new(secret), replica: None }
    }

    /// The same key once more.
    pub(super) fn again(&self) -> Self {
        Self::new(self.name.clone(), &self.algorithm, self.secret.to_vec())
    }

    /// The key as the replica of this identity has it. What the dealer keeps of a `quorum` key is the source of all replicas' secrets:
    /// who stays a member keeps his, and nobody can tell another's from his own.
    pub(super) fn of_replica(&self, mode: Mode, identity: &[u8; 32]) -> Self {
        match mode {
            Mode::Gateway => self.again(),
            Mode::Quorum => {
                let name = self.name.to_lowercase();
                let secret = digest("conclave/tsig-of-replica", &[&self.secret, name.wire(), identity]);
                Self::new(self.name.clone(), &self.algorithm, secret.0.to_vec())
            }
        }
    }
}

/// The text of TSIG keys.
pub fn tsig_text<'a>(keys: impl IntoIterator<Item = &'a KeyClause>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(4096));
    for key in keys {
        let secret = Zeroizing::new(BASE64.encode(&key.secret));
        for part in ["key \"", &bare(&key.name), "\" {\n\talgorithm ", &key.algorithm, ";\n\tsecret \""] {
            text.push_str(part);
        }
        text.push_str(&secret);
        text.push_str("\";\n");
        if let Some((replica, server)) = &key.replica {
            text.push_str(&format!("\treplica {replica};\n\tserver \"{server}\";\n"));
        }
        text.push_str("};\n");
    }
    text
}

/// Reads a file of TSIG keys, which must be its owner's only.
pub fn read_tsig(path: &Path) -> Result<Vec<KeyClause>, Problem> {
    let bytes = read_secret(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Problem::new(path, "is not UTF-8 text"))?;
    parse_tsig(text, path)
}

/// Parses the text of a file of TSIG keys; `path` is for the problem.
pub fn parse_tsig(text: &str, path: &Path) -> Result<Vec<KeyClause>, Problem> {
    let mut words = Words { text, at: 0 };
    let mut keys = Vec::new();
    loop {
        let start = words.at;
        match clause(&mut words) {
            Ok(Some(key)) => keys.push(key),
            Ok(None) => return Ok(keys),
            Err(reason) => return Err(Problem::at(path, text, words.at.max(start), reason)),
        }
    }
}

fn clause(words: &mut Words<'_>) -> Result<Option<KeyClause>, String> {
    match words.next() {
        None => return Ok(None),
        Some("key") => {}
        Some(_) => return Err("a key clause should begin here: key \"NAME\" { … };".into()),
    }
    let name = words.next().ok_or("the key has no name")?;
    let name = Name::parse(name).map_err(|e| format!("`{name}` is not a domain name: {e}"))?.to_lowercase();
    words.expect("{")?;
    let (mut algorithm, mut secret) = (None, None);
    let (mut replica, mut server) = (None, None);
    loop {
        match words.next() {
            Some("algorithm") => algorithm = words.next().map(str::to_lowercase),
            Some("secret") => {
                let text = words.next().ok_or("the secret is missing")?;
                // The decoder's words could show the secret: not repeated.
                let bytes = BASE64.decode(text.as_bytes()).map_err(|_| "the secret is not Base64")?;
                secret = Some(Zeroizing::new(bytes));
            }
            Some("replica") => {
                let index = words.next().and_then(|word| word.parse::<u8>().ok());
                replica = Some(index.ok_or("the replica is no number")?);
            }
            Some("server") => server = words.next().map(str::to_owned),
            Some("}") => break,
            _ => return Err("expected algorithm, secret or }".into()),
        }
        words.expect(";")?;
    }
    words.expect(";")?;
    let algorithm = algorithm.ok_or("the key has no algorithm")?;
    let known = TsigAlgorithm::parse(&algorithm);
    let algorithm = known
        .ok_or_else(|| format!("algorithm {algorithm} is not hmac-sha256, hmac-sha384 or hmac-sha512, nor hmac-md5 or hmac-sha1"))?
        .to_string();
    let replica = match (replica, server) {
        (None, None) => None,
        (Some(replica), Some(server)) => Some((replica, server)),
        _ => return Err("replica and server go together".into()),
    };
    let secret = secret.ok_or("the key has no secret")?;
    Ok(Some(KeyClause { name, algorithm, secret, replica }))
}

/// Words of named.conf: quoted strings, punctuation, the rest; comments are left out.
struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        self.skip();
        let rest = &self.text[self.at..];
        let (word, length) = match rest.chars().next()? {
            '"' => match closing_quote(&rest[1..]) {
                Some(end) => (&rest[1..=end], end + 2),
                None => (&rest[1..], rest.len()),
            },
            '{' | '}' | ';' => (&rest[..1], 1),
            _ => {
                let stop = |c: char| c.is_whitespace() || matches!(c, '{' | '}' | ';' | '"');
                let end = rest.find(stop).unwrap_or(rest.len());
                (&rest[..end], end)
            }
        };
        self.at += length;
        Some(word)
    }

    fn skip(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let blank = rest.len() - rest.trim_start().len();
            let comment = match &rest[blank..] {
                line if line.starts_with("//") || line.starts_with('#') => {
                    line.find('\n').unwrap_or(line.len())
                }
                block if block.starts_with("/*") => block.find("*/").map_or(block.len(), |end| end + 2),
                _ => 0,
            };
            self.at += blank + comment;
            if blank + comment == 0 {
                return;
            }
        }
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.next() == Some(word) { Ok(()) } else { Err(format!("expected {word}")) }
    }
}

/// Where the quote stands that ends a string; an escaped one, as in the text of a name, does not.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|octet| {
        let closes = octet == b'"' && !escaped;
        escaped = octet == b'\\' && !escaped;
        closes
    })
}

/// The KEY rdata of an Ed25519 public key.
pub fn sig0_rdata(public: &[u8; 32]) -> Rdata {
    let mut rdata = 512u16.to_be_bytes().to_vec();
    rdata.extend_from_slice(&[3, ED25519]);
    rdata.extend_from_slice(public);
    Rdata::new(&rdata)
}

/// `K<name>+015+<tag>`, the name of both files of a SIG(0) pair without its ending.
pub fn sig0_stem(name: &Name, rdata: &Rdata) -> String {
    let tag = crate::dns::dnssec::key_tag(rdata.wire());
    format!("K{}+{ED25519:03}+{tag:05}", name.to_lowercase().to_string().replace('/', "%2f"))
}

/// The text of the `.key` file.
pub fn sig0_public(name: &Name, rdata: &Rdata) -> String {
    format!("{} IN KEY {}\n", name.to_lowercase(), to_text(RrType::KEY, rdata))
}

/// The text of the `.private` file.
pub fn sig0_private(seed: &[u8; 32]) -> Zeroizing<String> {
    let secret = Zeroizing::new(BASE64.encode(seed));
    let mut text = Zeroizing::new(String::with_capacity(256));
    text.push_str("Private-key-format: v1.3\nAlgorithm: 15 (ED25519)\nPrivateKey: ");
    text.push_str(&secret);
    text.push('\n');
    text
}

/// The name without its last dot, as in key clauses.
fn bare(name: &Name) -> String {
    let text = name.to_lowercase().to_string();
    // One dot only: the dot before it may be escaped, and part of a label.
    if name.is_root() { text } else { text.strip_suffix('.').unwrap_or(&text).to_owned() }
}

#[cfg(test)]
mod tests;
