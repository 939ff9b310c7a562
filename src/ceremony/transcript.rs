//! The audit transcript of a deal: what was made, under which plan, with public digests of all of it; no secret.
//!
//! Every operator can compute each line again from the files that he was given; the transcript is what witnesses sign.
#![forbid(unsafe_code)]

use super::anchors::ds_text;
use super::cluster::Cluster;
use super::files::{Problem, read_public};
use super::words;
use super::written::WrittenPlan;
use crate::dns::dnssec::key_tag;
use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest as _, Sha256};
use std::fmt::{Result as FmtResult, Write};
use std::fs;
use std::path::{Path, PathBuf};

/// The transcript of a deal that was written into `dir`.
pub fn text(plan: &WrittenPlan, cluster: &Cluster, dir: &Path) -> Result<String, Problem> {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = head(&mut out, plan, cluster);
    let mut files = Vec::new();
    for name in ["cluster.toml", "plan.toml"] {
        files.push(PathBuf::from(name));
    }
    for name in ["zones", "sealed", "backup", "anchors"] {
        let entries = fs::read_dir(dir.join(name)).into_iter().flatten().flatten();
        files.extend(entries.map(|entry| Path::new(name).join(entry.file_name())));
    }
    files.sort();
    out.push_str("\nFiles, with SHA-256\n");
    for file in files {
        let hash = HEXLOWER.encode(&Sha256::digest(read_public(&dir.join(&file))?));
        let _ = writeln!(out, "  {hash}  {}", file.display());
    }
    Ok(out)
}

fn head(out: &mut String, plan: &WrittenPlan, cluster: &Cluster) -> FmtResult {
    writeln!(out, "Conclave key ceremony, conclave-dealer {}\n", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "Plan {}", cluster.plan.to_hex())?;
    for line in words::lines(&cluster.plan) {
        writeln!(out, "  {line}")?;
    }
    writeln!(out, "Cluster {}", cluster.id().0.to_hex())?;
    let (n, t) = (cluster.committee.n(), cluster.committee.faults());
    writeln!(out, "Epoch {}, dealt {} ms after 1970", cluster.epoch.0, cluster.genesis_time.0)?;
    writeln!(out, "{n} replicas, of which {t} may be corrupt")?;
    for (id, member) in cluster.committee.members().zip(&cluster.members) {
        writeln!(out, "  {id} identity {}", BASE64.encode(&member.identity))?;
        writeln!(out, "    sealed for {}", member.sealing)?;
    }
    for zone in &cluster.zones {
        writeln!(out, "Zone {}, records {}", zone.origin, zone.records.to_hex())?;
        for (role, key) in [("ZSK", &zone.zsk), ("KSK", &zone.ksk)] {
            let (tag, bits, k) = (key_tag(key.dnskey.wire()), key.public.bits(), key.threshold);
            writeln!(
                out,
                "  {role} tag {tag}, {bits} bits, {k} of {n} sign, key {}",
                key.public.key_id().0.to_hex()
            )?;
        }
        ds_text(zone).lines().try_for_each(|line| writeln!(out, "  {line}"))?;
    }
    for (key, planned) in cluster.tsig.iter().zip(&plan.tsig) {
        let how =
            if planned.recipient.is_some() { "sealed for its client" } else { "written for its client" };
        let commitments: Vec<String> = key.commitments.iter().map(|one| one.to_hex()).collect();
        let (mode, commitments) = (key.mode.word(), commitments.join(" "));
        writeln!(out, "TSIG key {}, {mode}, {how}, commitment {commitments}", key.name)?;
    }
    for (key, planned) in cluster.sig0.iter().zip(&plan.sig0) {
        let how = if planned.key.is_some() { "the client's own" } else { "made for its client" };
        writeln!(out, "SIG(0) key {}, {how}, tag {}", key.name, key_tag(key.key.wire()))?;
    }
    for one in &cluster.operators.list {
        let (key, needed) = (BASE64.encode(&one.key), cluster.operators.needed.word());
        writeln!(out, "Operator {}, key {key}, {needed} must sign", one.name)?;
    }
    match &plan.backup {
        None => writeln!(out, "No backup: the keys exist nowhere whole, and cannot be dealt again"),
        Some(backup) => {
            let names: Vec<&str> =
                backup.custodians.iter().map(|custodian| custodian.name.as_str()).collect();
            writeln!(
                out,
                "Backup: {} of {} custodians open it: {}",
                backup.threshold,
                names.len(),
                names.join(", ")
            )
        }
    }
}
