//! The rules and the records that a zone begins with.
//!
//! A log is replayed from the zone as dealt, so that must stay at hand: at the first start it is copied from
//! `zones/ORIGIN.zone` to `DATA/genesis/ORIGIN.zone`, and from then on read there. Until that start an edited zone
//! file is an error (it is not what the cluster file says); later it is ignored with a warning (the zone lives in
//! the log, and changes by dynamic update).

use super::{Problem, ReplicaFile};
use crate::ceremony::cluster::{Key, Zone};
use crate::ceremony::files::{make_dir, replace_public, zone_stem};
use crate::ceremony::plan::read_zone;
use crate::dns::master::{write_record, zone_digest};
use crate::dns::rrset::Record;
use crate::zone::{KeyInfo, UpdatePolicy, ZoneRules};
use std::path::PathBuf;

/// A zone file as dealt, to be kept in the data directory.
pub(super) struct Kept {
    path: PathBuf,
    /// Nothing when it is kept already.
    text: Option<String>,
}

impl Kept {
    pub(super) fn write(&self) -> Result<(), Problem> {
        let Some(text) = &self.text else { return Ok(()) };
        if let Some(directory) = self.path.parent() {
            make_dir(directory)?;
        }
        replace_public(&self.path, text.as_bytes())
    }
}

/// The zone's records as dealt.
pub(super) fn records(
    file: &ReplicaFile,
    zone: &Zone,
    warnings: &mut Vec<String>,
) -> Result<(Vec<Record>, Kept), Problem> {
    let name = format!("{}.zone", zone_stem(&zone.origin));
    let dealt = file.directory().join("zones").join(&name);
    let kept = file.data.join("genesis").join(&name);
    let fits = |records: &[Record]| zone_digest(&zone.origin, records) == zone.records;
    if kept.exists() {
        let records = read_zone(&kept, &zone.origin)?;
        if !fits(&records) {
            let reason = "was edited or is damaged: it is not the zone as dealt; restore it from another replica's directory";
            return Err(Problem::new(&kept, reason));
        }
        if dealt.exists() && !read_zone(&dealt, &zone.origin).is_ok_and(|edited| fits(&edited)) {
            warnings.push(format!(
                "{}: was edited after the deal; ignored: the zone is in the log now, change it by nsupdate",
                dealt.display()
            ));
        }
        return Ok((records, Kept { path: kept, text: None }));
    }
    let records = read_zone(&dealt, &zone.origin)?;
    if !fits(&records) {
        let reason = "is not the zone that was dealt (its digest is not the cluster file's): restore it, \
                      or deal a new cluster with it; a running cluster's zone changes by nsupdate";
        return Err(Problem::new(&dealt, reason));
    }
    let text = records.iter().map(|record| write_record(record) + "\n").collect();
    Ok((records, Kept { path: kept, text: Some(text) }))
}

/// The rules that the cluster file gives a zone.
pub(super) fn rules(zone: &Zone) -> Result<ZoneRules, String> {
    let info = |key: &Key| KeyInfo { id: key.public.key_id(), dnskey: key.dnskey.clone() };
    let statements: Vec<&str> = zone.policy.iter().map(String::as_str).collect();
    Ok(ZoneRules {
        origin: zone.origin.clone(),
        policy: UpdatePolicy::parse(&statements).map_err(|e| format!("policy of {}: {e}", zone.origin))?,
        reads: zone.reads,
        serial: zone.serial,
        validity: zone.validity,
        dnskey_ttl: zone.dnskey_ttl,
        denial: zone.denial,
        zsk: info(&zone.zsk),
        ksk: info(&zone.ksk),
    })
}
