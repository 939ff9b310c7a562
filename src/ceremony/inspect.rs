//! What is public about one file of a cluster.
#![forbid(unsafe_code)]

use super::anchors::ds_text;
use super::bundle::{self, BundleFile};
use super::client_keys::read_tsig;
use super::cluster::Cluster;
use super::cluster_file;
use super::files::{Problem, read_public, read_text};
use super::keygen;
use super::operators::{self, OperatorKey};
use super::receipt;
use super::seal::SealingKey;
use super::share_file::{self, Kind};
use super::words;
use super::written::WrittenPlan;
use crate::dns::dnssec::key_tag;
use crate::dns::tsig::Mode;
use crate::zone::{CheckedBundle, Reads, Receipt};
use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest as _, Sha256};
use std::fmt::{Result as FmtResult, Write};
use std::path::Path;

/// Public facts of `path`, as lines. No secret is among them.
pub fn inspect(path: &Path) -> Result<String, Vec<Problem>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bytes = read_public(path).map_err(|problem| vec![problem])?;
    let one = |result: Result<String, Problem>| result.map_err(|problem| vec![problem]);
    if bytes.starts_with(bundle::MAGIC) {
        return one(BundleFile::read(path).map(|file| bundle_text(&file.public)));
    }
    if bytes.starts_with(receipt::MAGIC) {
        return one(receipt::read(path).map(|receipts| receipts.iter().map(receipt_text).collect()));
    }
    if bytes.starts_with(b"age-encryption.org/v1\n") {
        return Ok(format!("{} bytes, sealed with age: its reader alone sees more\n", bytes.len()));
    }
    if name.ends_with(".plan.toml") || name == "plan.toml" || name == "ceremony.toml" {
        return WrittenPlan::read(path).map(|plan| plan_text(&plan));
    }
    if bytes.starts_with(b"CONCLAVE") {
        return share(path).map_err(|problem| vec![problem]);
    }
    if name.ends_with(".toml") && !name.starts_with("replica") {
        return cluster_file::read(path).map(|cluster| cluster_text(&cluster));
    }
    if name.starts_with("tsig") {
        let keys = read_tsig(path).map_err(|problem| vec![problem])?;
        let lines =
            keys.iter().map(|key| format!("TSIG key {} ({}), secret not shown\n", key.name, key.algorithm));
        return Ok(lines.collect());
    }
    if name.ends_with(".private") {
        return Ok("the private part of a client's SIG(0) key; its .key file is public\n".into());
    }
    let text = read_text(path).map_err(|problem| vec![problem])?;
    if let Ok(der) = super::identity::certificate_der(&text) {
        return Ok(format!("TLS certificate, SHA-256 {}\n", HEXLOWER.encode(&Sha256::digest(&der))));
    }
    if operators::is_key(&text) {
        let key = one(OperatorKey::read(path).map(|key| key.public.table()))?;
        return Ok(format!("operator's key, secret not shown; its public half is\n{key}"));
    }
    if name == keygen::SEAL {
        let key = one(SealingKey::read(path).map(|key| key.recipient().to_string()))?;
        return Ok(format!("sealing key, secret not shown; its public half is {key}\n"));
    }
    if name.starts_with("replica")
        || name.ends_with(".key")
        || name.ends_with(".ds")
        || name.ends_with(".conf")
    {
        return Ok(text);
    }
    Err(vec![Problem::new(path, "is not a file that this program writes")])
}

fn bundle_text(bundle: &CheckedBundle) -> String {
    let (key, public) = (bundle.bundle(), bundle.public());
    let words: String = words::lines(&bundle.name()).iter().map(|line| format!("  {line}\n")).collect();
    format!(
        "bundle   {}\n{words}cluster  {}, epoch {}\n{} {} algorithm {} tag {}, {} bits, {} of {} sign\n",
        bundle.name().to_hex(),
        key.cluster.0.to_hex(),
        key.epoch.0,
        key.zone,
        key.role,
        key.algorithm,
        bundle.tag(),
        public.bits(),
        public.threshold(),
        public.parties()
    )
}

fn receipt_text(receipt: &Receipt) -> String {
    format!("receipt of replica {} for bundle {}\n", receipt.replica, receipt.bundle.to_hex())
}

fn plan_text(plan: &WrittenPlan) -> String {
    let words: String = words::lines(&plan.digest()).iter().map(|line| format!("  {line}\n")).collect();
    format!("plan     {}\n{words}", plan.digest().to_hex())
}

fn share(path: &Path) -> Result<String, Problem> {
    let (label, secret) = share_file::read_any(path)?;
    let mut out = format!(
        "{} of replica {}, epoch {}\ncluster  {}\n",
        label.kind,
        label.replica,
        label.epoch.0,
        label.cluster.0.to_hex()
    );
    if let Kind::Rsa(key) = label.kind {
        out.push_str(&format!("key      {}\n", key.0.to_hex()));
    }
    out.push_str(&format!("checksum right, {} octets of secret not shown\n", secret.len()));
    Ok(out)
}

fn cluster_text(cluster: &Cluster) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_cluster(&mut out, cluster);
    out
}

fn write_cluster(out: &mut String, cluster: &Cluster) -> FmtResult {
    let committee = cluster.committee;
    writeln!(out, "cluster  {}", cluster.id().0.to_hex())?;
    writeln!(
        out,
        "replicas {}, of which {} may be corrupt; epoch {}",
        committee.n(),
        committee.faults(),
        cluster.epoch.0
    )?;
    writeln!(out, "dealt    {} ms after 1970, under the plan", cluster.genesis_time.0)?;
    words::lines(&cluster.plan).iter().try_for_each(|line| writeln!(out, "  {line}"))?;
    writeln!(out, "signing  by {}", cluster.signing)?;
    for (id, member) in committee.members().zip(&cluster.members) {
        writeln!(out, "member {id} identity {}", BASE64.encode(&member.identity))?;
    }
    for zone in &cluster.zones {
        let reads = if zone.reads == Reads::Ordered { "ordered" } else { "local" };
        let (denial, records) = (zone.denial.word(), zone.records.to_hex());
        writeln!(out, "zone {} reads {reads}, denial {denial}, records {records}", zone.origin)?;
        for (role, key) in [("ZSK", &zone.zsk), ("KSK", &zone.ksk)] {
            let (tag, bits) = (key_tag(key.dnskey.wire()), key.public.bits());
            writeln!(out, "  {role} tag {tag}, {bits} bits, {} of {} sign", key.threshold, committee.n())?;
        }
        for statement in &zone.policy {
            writeln!(out, "  {statement}")?;
        }
        for line in ds_text(zone).lines() {
            writeln!(out, "  {line}")?;
        }
    }
    for key in &cluster.tsig {
        let who = match key.mode {
            Mode::Gateway => "any replica could forge with it",
            Mode::Quorum => "each replica has a secret of its own, and t+1 must vouch",
        };
        writeln!(out, "TSIG key {} ({}): {who}", key.name, key.algorithm)?;
    }
    for key in &cluster.sig0 {
        writeln!(out, "SIG(0) key {} tag {}", key.name, key_tag(key.key.wire()))?;
    }
    let needed = cluster.operators.needed.word();
    for one in &cluster.operators.list {
        let key = BASE64.encode(&one.key);
        writeln!(out, "operator {} key {key}, {needed} must sign", one.name)?;
    }
    Ok(())
}
