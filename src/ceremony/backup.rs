//! The backup: the whole keys, for another deal, sealed for nobody alone.
//!
//! ```text
//! DIR/backup.age             the keys (text below), sealed for a key pair that exists only now
//! DIR/custodian-NAME.age     that pair's secret, split k of m ([`super::shamir`]): one part, sealed for its custodian
//!
//! text:  "CONCLAVE-BACKUP\n" · u16 version (1) · plan digest (32) · u16 keys
//!        each: u16 length · origin (wire) · u8 role (0 ZSK, 1 KSK) · u8 algorithm · u16 length · p · q (equally long)
//!        u32 length · TSIG keys as BIND key clauses
//! part:  "CONCLAVE-PART\n" · u16 version (1) · SHA-256 of backup.age (32) · u8 k · u8 m · u8 x · 32 values at x
//! ```
//!
//! Stock `age` opens both files for who has the key. Fewer than k custodians learn nothing, k of them all: they are to be people
//! who meet only for a ceremony. A part is opened in memory by the program that needs it, from the custodian's own medium, or
//! sealed anew for that machine ([`reseal`]): in the clear it is nowhere.
#![forbid(unsafe_code)]

use super::client_keys::{KeyClause, parse_tsig, tsig_text};
use super::deal::entropy;
use super::deal::keys::DealtKey;
use super::files::{Problem, make_dir, read_public, write_public};
use super::package::Rest;
use super::seal::{self, Recipient, SealingKey};
use super::shamir::{self, Part, SECRET_BYTES};
use super::written::BackupPlan;
use crate::codec::Digest;
use crate::dns::name::Name;
use crate::threshold::dealer::Primes;
use crate::zone::Role;
use sha2::{Digest as _, Sha256};
use std::path::Path;
use zeroize::Zeroizing;

const MAGIC: &[u8] = b"CONCLAVE-BACKUP\n";
const PART_MAGIC: &[u8] = b"CONCLAVE-PART\n";
const VERSION: u16 = 1;
/// Octets of p or of q.
const MAX_PRIME_BYTES: usize = 4096 / 16;

/// What a backup keeps.
#[derive(Default)]
pub struct Kept {
    /// Zone, role, algorithm and primes of each key; of two for one zone and role the later counts.
    pub keys: Vec<(Name, Role, u8, Primes)>,
    /// TSIG keys.
    pub tsig: Vec<KeyClause>,
}

/// A custodian's part.
struct Opened {
    backup: [u8; 32],
    k: u8,
    part: Part,
}

/// Writes a backup of keys into the new directory `dir`.
pub fn write(
    plan: &BackupPlan,
    digest: Digest,
    keys: &[DealtKey],
    tsig: &[KeyClause],
    dir: &Path,
) -> Result<(), Problem> {
    make_dir(dir)?;
    let key = SealingKey::generate();
    let sealed = seal::seal(&key.recipient(), &text(digest, keys, tsig));
    write_public(&dir.join("backup.age"), &sealed)?;
    let hash: [u8; 32] = Sha256::digest(&sealed).into();
    let m = plan.custodians.len() as u8;
    let parts = shamir::split(key.as_bytes(), plan.threshold, m, &mut entropy);
    for (custodian, part) in plan.custodians.iter().zip(&parts) {
        let mut plain = Zeroizing::new(Vec::with_capacity(PART_MAGIC.len() + 2 + 32 + 3 + SECRET_BYTES));
        plain.extend_from_slice(PART_MAGIC);
        plain.extend_from_slice(&VERSION.to_be_bytes());
        plain.extend_from_slice(&hash);
        plain.extend_from_slice(&[plan.threshold, m, part.index]);
        plain.extend_from_slice(&part.values[..]);
        let name = format!("custodian-{}.age", custodian.name);
        write_public(&dir.join(name), &seal::seal(&custodian.recipient, &plain))?;
    }
    Ok(())
}

/// Opens the backup at `path` with custodians' parts, each opened by one of `keys`; adds what it keeps to `kept`. Parts of
/// other backups are passed over.
pub fn open(path: &Path, parts: &[&Path], keys: &[SealingKey], kept: &mut Kept) -> Result<(), Problem> {
    let sealed = read_public(path)?;
    let hash: [u8; 32] = Sha256::digest(&sealed).into();
    let mut mine: Vec<Opened> = Vec::new();
    for file in parts {
        let part = open_part(file, keys)?;
        let is_new = mine.iter().all(|other| other.part.index != part.part.index);
        if part.backup == hash && is_new {
            mine.push(part);
        }
    }
    let k = mine.first().map_or(1, |part| usize::from(part.k));
    if mine.len() < k || mine.is_empty() {
        return Err(Problem::new(path, format!("{} parts of the {k} that open it", mine.len())));
    }
    let parts: Vec<Part> = mine.into_iter().take(k).map(|opened| opened.part).collect();
    let secret = shamir::join(&parts).ok_or_else(|| Problem::new(path, "the parts do not fit together"))?;
    let wrong = |reason: &str| Problem::new(path, reason);
    let plain = seal::open(&SealingKey::from_bytes(&secret), &sealed);
    let plain = plain.map_err(|_| wrong("is not opened by these parts: one of them is wrong"))?;
    parse(&plain, kept).ok_or_else(|| wrong("holds no backup"))
}

/// Seals a custodian's part anew, for the machine that is to use it.
pub fn reseal(part: &Path, key: SealingKey, reader: &Recipient) -> Result<Vec<u8>, Problem> {
    let keys = [key];
    open_part(part, &keys)?;
    let plain = open_with(part, &keys)?;
    Ok(seal::seal(reader, &plain))
}

fn open_with(file: &Path, keys: &[SealingKey]) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let sealed = read_public(file)?;
    let mut refused = "cannot be opened without a key";
    for key in keys {
        match seal::open(key, &sealed) {
            Ok(plain) => return Ok(plain),
            Err(reason) => refused = reason,
        }
    }
    Err(Problem::new(file, refused))
}

fn open_part(file: &Path, keys: &[SealingKey]) -> Result<Opened, Problem> {
    let plain = open_with(file, keys)?;
    let parse = || {
        let mut rest = Rest(plain.strip_prefix(PART_MAGIC)?);
        rest.take().map(u16::from_be_bytes).filter(|version| *version == VERSION)?;
        let backup = rest.take()?;
        let [k, m, index] = rest.take()?;
        let values = Zeroizing::new(rest.take::<SECRET_BYTES>()?);
        let fits = rest.0.is_empty() && (1..=m).contains(&k) && (1..=m).contains(&index);
        fits.then_some(Opened { backup, k, part: Part { index, values } })
    };
    parse().ok_or_else(|| Problem::new(file, "holds no part of a backup"))
}

fn text(plan: Digest, keys: &[DealtKey], tsig: &[KeyClause]) -> Zeroizing<Vec<u8>> {
    let clauses = tsig_text(tsig);
    let length: usize =
        keys.iter().map(|key| 6 + key.wanted.zone.wire().len() + 2 * key.primes.p.len()).sum();
    // Reserved at once: a buffer that grew would leave copies of secrets behind.
    let mut out = Zeroizing::new(Vec::with_capacity(MAGIC.len() + 40 + length + clauses.len()));
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&plan.0);
    out.extend_from_slice(&(keys.len() as u16).to_be_bytes());
    for DealtKey { wanted, primes, .. } in keys {
        let origin = wanted.zone.wire();
        out.extend_from_slice(&(origin.len() as u16).to_be_bytes());
        out.extend_from_slice(origin);
        out.extend_from_slice(&[u8::from(wanted.role == Role::Ksk), wanted.algorithm]);
        out.extend_from_slice(&(primes.p.len() as u16).to_be_bytes());
        out.extend_from_slice(&primes.p);
        out.extend_from_slice(&primes.q);
    }
    out.extend_from_slice(&(clauses.len() as u32).to_be_bytes());
    out.extend_from_slice(clauses.as_bytes());
    out
}

fn parse(plain: &[u8], kept: &mut Kept) -> Option<()> {
    let mut rest = Rest(plain.strip_prefix(MAGIC)?);
    rest.take().map(u16::from_be_bytes).filter(|version| *version == VERSION)?;
    rest.bytes(32)?;
    for _ in 0..rest.take().map(u16::from_be_bytes)? {
        let length = rest.take().map(u16::from_be_bytes)?;
        let zone = Name::from_wire(rest.bytes(length.into())?).ok()?;
        let [role, algorithm] = rest.take()?;
        let length = usize::from(rest.take().map(u16::from_be_bytes)?);
        if length > MAX_PRIME_BYTES || role > 1 {
            return None;
        }
        let [p, q] = [rest.bytes(length)?, rest.bytes(length)?].map(|prime| Zeroizing::new(prime.to_vec()));
        let role = if role == 0 { Role::Zsk } else { Role::Ksk };
        kept.keys.push((zone, role, algorithm, Primes { p, q }));
    }
    let length = rest.take().map(u32::from_be_bytes)?;
    let clauses = std::str::from_utf8(rest.bytes(length as usize)?).ok()?;
    kept.tsig.extend(parse_tsig(clauses, Path::new("TSIG keys")).ok()?);
    rest.0.is_empty().then_some(())
}

#[cfg(test)]
mod tests;
