//! What commands about zones name by a digest, made from files.

use super::super::Failure;
use super::Add;
use crate::ceremony::bundle::BundleFile;
use crate::ceremony::files::read_text;
use crate::ceremony::plan::read_zone;
use crate::codec::Digest;
use crate::dns::name::Name;
use crate::dns::rrset::Record;
use crate::dns::{RrType, Rrset};
use crate::zone::{Contents, NewZone, Parcel, UpdatePolicy, Validity};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Seconds that a DNSKEY set lives in caches, where nothing else is said; less where the SOA lives less.
const MAX_DNSKEY_TTL: u32 = 3_600;

/// A bundle: its name, or its file.
#[derive(Clone, Debug)]
pub(in crate::cli::ctl) enum Named {
    Name(Digest),
    File(PathBuf),
}

impl FromStr for Named {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Digest::from_hex(text).map_or_else(|| Self::File(text.into()), Self::Name))
    }
}

impl Named {
    fn name(&self) -> Result<Digest, Failure> {
        match self {
            Self::Name(name) => Ok(*name),
            Self::File(path) => Ok(BundleFile::read(path)?.public.name()),
        }
    }
}

/// A zone that is to be added.
pub(super) fn new_zone(origin: &Name, add: &Add) -> Result<NewZone, Failure> {
    let records = read_zone(&add.file, origin)?;
    let soa = records.iter().filter(|record| record.rtype == RrType::SOA).map(|record| record.ttl);
    let dnskey_ttl = add.dnskey_ttl.unwrap_or_else(|| soa.fold(MAX_DNSKEY_TTL, u32::min));
    Ok(NewZone {
        policy: add.policy.as_deref().map_or(Ok(Vec::new()), policy)?,
        reads: add.reads.into(),
        serial: add.serial.into(),
        validity: Validity::default(),
        dnskey_ttl,
        denial: add.denial.into(),
        ksk: add.ksk.name()?,
        zsk: add.zsk.name()?,
        records: sets(origin, &records, &add.file)?,
    })
}

/// All records of a file, but what the cluster makes itself.
pub(super) fn records(origin: &Name, file: &Path) -> Result<Vec<(Name, Rrset)>, Failure> {
    let mut records = read_zone(file, origin)?;
    let all = records.len();
    records.retain(|record| !Contents::is_clusters(record.rtype));
    if records.len() < all {
        let left_out = all - records.len();
        eprintln!("{}: {left_out} records that the cluster makes itself are left out", file.display());
    }
    sets(origin, &records, file)
}

fn sets(origin: &Name, records: &[Record], file: &Path) -> Result<Vec<(Name, Rrset)>, Failure> {
    Contents::sets(origin, records).map_err(|why| Failure::new(format!("{}: {why}", file.display())))
}

/// The statements of a file.
pub(super) fn policy(file: &Path) -> Result<Vec<String>, Failure> {
    let text = read_text(file)?;
    let mut statements = Vec::new();
    for (line, statement) in (1..).zip(text.lines()) {
        let statement = statement.split('#').next().unwrap_or_default();
        let words: Vec<&str> = statement.trim_end().trim_end_matches(';').split_whitespace().collect();
        if words.is_empty() {
            continue;
        }
        let statement = words.join(" ");
        UpdatePolicy::parse(&[&statement])
            .map_err(|why| Failure::new(format!("{}:{line}: `{statement}`: {why}", file.display())))?;
        statements.push(statement);
    }
    Ok(statements)
}

/// The pieces, with the name.
pub(super) fn parcel(new: &Contents) -> Result<Parcel, Failure> {
    Parcel::new(new.to_bytes()).map_err(Failure::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_file_has_a_statement_a_line_and_errors_have_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("policy");
        std::fs::write(&path, "# who\ngrant  ops zonesub ANY;\n\n grant admin self TXT # his own\n").unwrap();
        assert_eq!(policy(&path).unwrap(), ["grant ops zonesub ANY", "grant admin self TXT"]);
        std::fs::write(&path, "grant ops zonesub ANY\nallow all\n").unwrap();
        let said = policy(&path).unwrap_err().0.join("");
        assert!(said.contains("policy:2: `allow all`"), "{said}");
    }

    #[test]
    fn an_edited_export_is_taken_without_what_the_cluster_makes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("zone");
        let made = "@ 60 DNSKEY 257 3 8 AQAB\n@ 60 NSEC @ SOA NS\n";
        let plain = "@ 60 SOA ns host 1 1 1 1 1\n@ 60 NS ns.b.test.\nwww 60 A 192.0.2.1\n";
        let read = |text: String| {
            std::fs::write(&path, text).unwrap();
            records(&Name::parse("a.test").unwrap(), &path).unwrap()
        };
        assert_eq!(read(format!("{plain}{made}")), read(plain.into()));
    }

    #[test]
    fn a_bundle_is_named_or_in_a_file() {
        let named = |text: &str| text.parse::<Named>().unwrap();
        assert!(matches!(named(&"ab".repeat(32)), Named::Name(_)));
        assert!(matches!(named("new.zsk.bundle"), Named::File(_)));
    }
}
