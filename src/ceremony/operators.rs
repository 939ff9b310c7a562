//! Operators: people who may have the cluster change its zones while it runs, each with an Ed25519 key of his own.
//!
//! The cluster file lists their public keys, and how many of them must sign the same command:
//!
//! ```toml
//! operators-needed = "t+1"         # or "one"
//! [[operator]]
//! name = "alice"                   # for people: letters, digits, - and _
//! key = "…"                        # from `conclave operator-key`: 32 octets in Base64
//! ```
//!
//! Without any, what they could do takes the votes of a quorum of the replicas' operators. The private key is a file of its
//! own, mode 0600, and is no replica's: `# operator: NAME`, `# public key: BASE64`, and one line `CONCLAVE-OPERATOR-KEY-1 BASE64`.
#![forbid(unsafe_code)]

use super::cluster::Form;
use super::deal::entropy;
use super::files::{Problem, read_secret, write_secret};
use super::identity;
use crate::codec::Digest;
use crate::consensus::IdentityKey;
use crate::limits::MAX_OPERATORS;
use crate::quorum::Committee;
use data_encoding::BASE64;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;
use zeroize::Zeroizing;

/// Letters of an operator's name.
const MAX_NAME: usize = 64;
const MARK: &str = "CONCLAVE-OPERATOR-KEY-1 ";

/// How many operators must sign the same command.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum Needed {
    /// t + 1: so one of them at least is not corrupt, if no more than t are.
    #[default]
    #[serde(rename = "t+1")]
    OneCorrect,
    /// One.
    #[serde(rename = "one")]
    One,
}

impl Needed {
    /// As files say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::OneCorrect => "t+1",
            Self::One => "one",
        }
    }

    /// How many, of a cluster of this size.
    pub fn count(self, committee: Committee) -> usize {
        match self {
            Self::OneCorrect => committee.one_correct(),
            Self::One => 1,
        }
    }
}

impl FromStr for Needed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = [Self::OneCorrect, Self::One].into_iter().find(|needed| needed.word() == text);
        found.ok_or_else(|| "expected t+1 or one".into())
    }
}

/// An operator's public key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    /// For people.
    pub name: String,
    /// Ed25519.
    pub key: [u8; 32],
}

/// The operators of a cluster; none is a cluster whose zones change by its replicas' votes alone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Operators {
    /// In the order of their names.
    pub list: Vec<Operator>,
    /// How many of them must sign.
    pub needed: Needed,
}

impl Operators {
    /// These operators.
    pub fn of(mut list: Vec<Operator>, needed: Needed) -> Self {
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Self { list, needed }
    }

    /// What the tables say.
    pub(super) fn read<'t>(
        texts: impl Iterator<Item = &'t OperatorText>,
        needed: Option<Needed>,
    ) -> Result<Self, String> {
        let list: Vec<Operator> = texts.map(Operator::read).collect::<Result<_, _>>()?;
        match list.is_empty() && needed.is_some() {
            true => Err("operators-needed is said, and there is no [[operator]]".into()),
            false => Ok(Self::of(list, needed.unwrap_or_default())),
        }
    }

    /// Why a cluster of this size cannot have them, if so.
    pub(super) fn check(&self, committee: Committee) -> Result<(), String> {
        let (count, needed) = (self.list.len(), self.needed.count(committee));
        if count > MAX_OPERATORS {
            return Err(format!("{count} operators, and {MAX_OPERATORS} are the most"));
        }
        if (1..needed).contains(&count) {
            return Err(format!("{count} operators, and {needed} of them must sign"));
        }
        let names: BTreeSet<&str> = self.list.iter().map(|one| one.name.as_str()).collect();
        let keys: BTreeSet<&[u8; 32]> = self.list.iter().map(|one| &one.key).collect();
        if names.len() != count || keys.len() != count {
            return Err("two operators have the same name or key".into());
        }
        self.list.iter().try_for_each(|one| check_name(&one.name))
    }

    /// Nothing at all where there are none, so that older files keep their names. Else `u8 needed (0 t+1, 1 one) · list of
    /// operators, by name: bytes name · bytes key`.
    pub(super) fn form(&self, form: &mut Form) {
        if self.list.is_empty() {
            return;
        }
        form.0.push(u8::from(self.needed == Needed::One));
        form.count(&self.list);
        for one in &self.list {
            form.bytes(one.name.as_bytes());
            form.bytes(&one.key);
        }
    }

    /// The tables of a file.
    pub(super) fn tables(&self) -> String {
        self.list.iter().map(|one| format!("\n{}", one.table())).collect()
    }

    /// The line of a file that stands before all tables; empty if there are none.
    pub(super) fn line(&self) -> String {
        match self.list.is_empty() {
            true => String::new(),
            false => format!("operators-needed = \"{}\"\n", self.needed.word()),
        }
    }
}

/// A table of a plan or a cluster file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperatorText {
    name: String,
    key: String,
}

impl Operator {
    fn read(text: &OperatorText) -> Result<Self, String> {
        let key = BASE64.decode(text.key.as_bytes()).ok().and_then(|key| key.try_into().ok());
        let key = key.ok_or_else(|| format!("operator {}: key is not 32 octets in Base64", text.name))?;
        Ok(Self { name: text.name.clone(), key })
    }

    /// Its table.
    pub fn table(&self) -> String {
        format!("[[operator]]\nname = \"{}\"\nkey = \"{}\"\n", self.name, BASE64.encode(&self.key))
    }
}

/// `NAME=BASE64`, as programs take it.
impl FromStr for Operator {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, key) = text.split_once('=').ok_or("expected NAME=BASE64")?;
        Self::read(&OperatorText { name: name.into(), key: key.into() })
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match (1..=MAX_NAME).contains(&name.len()) && name.chars().all(is_plain) {
        true => Ok(()),
        false => Err(format!(
            "`{}` is no name of an operator: letters, digits, - and _, at most {MAX_NAME}",
            name.escape_debug()
        )),
    }
}

/// Whether a file holds a private key: for who must not show it.
pub(super) fn is_key(text: &str) -> bool {
    text.lines().any(|line| line.starts_with(MARK))
}

/// An operator's private key.
pub struct OperatorKey {
    /// The public part.
    pub public: Operator,
    seed: Zeroizing<[u8; 32]>,
}

impl OperatorKey {
    /// A fresh key.
    pub fn generate(name: &str) -> Result<Self, String> {
        check_name(name)?;
        let mut seed = Zeroizing::new([0; 32]);
        entropy(&mut *seed);
        Self::of(name.into(), seed)
    }

    fn of(name: String, seed: Zeroizing<[u8; 32]>) -> Result<Self, String> {
        let key = identity::public_key(&seed)?;
        Ok(Self { public: Operator { name, key }, seed })
    }

    /// Writes a new file, mode 0600.
    pub fn write(&self, path: &Path) -> Result<(), Problem> {
        let secret = Zeroizing::new(BASE64.encode(&self.seed[..]));
        let Operator { name, key } = &self.public;
        let mut text = Zeroizing::new(String::with_capacity(512));
        text.push_str(&format!("# operator: {name}\n# public key: {}\n{MARK}", BASE64.encode(key)));
        text.push_str(&secret);
        text.push('\n');
        write_secret(path, text.as_bytes())
    }

    /// Reads a file, which must be its owner's only.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let bytes = read_secret(path)?;
        let wrong = || Problem::new(path, "is not an operator's key; `conclave operator-key` makes one");
        let text = std::str::from_utf8(&bytes).map_err(|_| wrong())?;
        let name = text.lines().find_map(|line| line.strip_prefix("# operator: ")).ok_or_else(wrong)?;
        let secret = text.lines().find_map(|line| line.strip_prefix(MARK)).ok_or_else(wrong)?;
        let secret = BASE64.decode(secret.trim().as_bytes()).map(Zeroizing::new).map_err(|_| wrong())?;
        let seed = <[u8; 32]>::try_from(&secret[..]).map(Zeroizing::new).map_err(|_| wrong())?;
        check_name(name.trim()).map_err(|reason| Problem::new(path, reason))?;
        Self::of(name.trim().into(), seed).map_err(|reason| Problem::new(path, reason))
    }

    /// Signs a digest that binds the cluster, in `domain`.
    pub fn sign_in(&self, domain: &[u8], digest: &Digest) -> [u8; 64] {
        IdentityKey::from_seed(*self.seed).sign_in(domain, digest)
    }
}

#[cfg(test)]
mod tests;
