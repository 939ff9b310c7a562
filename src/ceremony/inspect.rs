//! What is public about one file of a cluster.
#![forbid(unsafe_code)]

use super::anchors::ds_text;
use super::client_keys::read_tsig;
use super::cluster::Cluster;
use super::cluster_file;
use super::files::{Problem, read_public, read_text};
use super::share_file::{self, Kind};
use crate::dns::dnssec::key_tag;
use crate::zone::Reads;
use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest as _, Sha256};
use std::fmt::{Result as FmtResult, Write};
use std::path::Path;

/// Public facts of `path`, as lines. No secret is among them.
pub fn inspect(path: &Path) -> Result<String, Vec<Problem>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bytes = read_public(path).map_err(|problem| vec![problem])?;
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
    if name.starts_with("replica")
        || name.ends_with(".key")
        || name.ends_with(".ds")
        || name.ends_with(".conf")
    {
        return Ok(text);
    }
    Err(vec![Problem::new(path, "is not a file that this program writes")])
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
    writeln!(out, "dealt    {} ms after 1970", cluster.genesis_time.0)?;
    writeln!(out, "signing  by {}", cluster.signing)?;
    for (id, member) in committee.members().zip(&cluster.members) {
        writeln!(out, "member {id} identity {}", BASE64.encode(&member.identity))?;
    }
    for zone in &cluster.zones {
        let reads = if zone.reads == Reads::Ordered { "ordered" } else { "local" };
        writeln!(out, "zone {} reads {reads}, records {}", zone.origin, zone.records.to_hex())?;
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
        writeln!(out, "TSIG key {} ({}): any replica could forge with it", key.name, key.algorithm)?;
    }
    for key in &cluster.sig0 {
        writeln!(out, "SIG(0) key {} tag {}", key.name, key_tag(key.key.wire()))?;
    }
    Ok(())
}
