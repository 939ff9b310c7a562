//! The text of a cluster.

use super::super::client_plan::quota_text;
use super::super::cluster::{Cluster, TsigEntry, VERSION, Zone};
use crate::dns::rdata;
use crate::dns::rtype::RrType;
use crate::dns::tsig::{Mode, TsigAlgorithm};
use crate::zone::{Reads, SerialRule};
use data_encoding::BASE64;
use std::fmt::Write;

/// The text of a cluster file.
pub fn write(cluster: &Cluster) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_head(&mut out, cluster);
    for zone in &cluster.zones {
        let _ = write_zone(&mut out, zone);
    }
    for key in &cluster.tsig {
        let _ = write_tsig(&mut out, key);
    }
    for key in &cluster.sig0 {
        let data = rdata::to_text(RrType::KEY, &key.key);
        let _ = write!(out, "\n[[sig0]]\nname = {}\nkey = \"{data}\"\n", quote(&key.name.to_string()));
        key.quota.iter().for_each(|quota| out.push_str(&quota_text(quota)));
    }
    out.push_str(&cluster.operators.tables());
    out
}

fn write_tsig(out: &mut String, key: &TsigEntry) -> std::fmt::Result {
    let who = match key.mode {
        Mode::Gateway => "Any replica that holds the secret could forge with it.",
        Mode::Quorum => "Each replica has a secret of its own; an update counts when t+1 vouch for it.",
    };
    let (name, algorithm, mode) = (quote(&key.name.to_string()), &key.algorithm, key.mode.word());
    write!(out, "\n[[tsig]]\nname = {name}\nalgorithm = \"{algorithm}\"\n")?;
    if TsigAlgorithm::parse(algorithm).is_some_and(TsigAlgorithm::is_weak) {
        out.write_str("allow-weak = true\n")?;
    }
    write!(out, "# {who}\nmode = \"{mode}\"\n")?;
    key.quota.iter().try_for_each(|quota| out.write_str(&quota_text(quota)))?;
    writeln!(out, "salt = \"{}\"", BASE64.encode(&key.salt))?;
    let commitments: Vec<String> =
        key.commitments.iter().map(|one| format!("\"{}\"", one.to_hex())).collect();
    match key.mode {
        Mode::Gateway => writeln!(out, "commitment = {}", commitments.join("")),
        Mode::Quorum => writeln!(out, "commitments = [\n  {},\n]", commitments.join(",\n  ")),
    }
}

fn write_head(out: &mut String, cluster: &Cluster) -> std::fmt::Result {
    write!(
        out,
        "# A Conclave cluster: public, and the same on every replica. The values below are hashed into the cluster's\n\
         # name, to which every key share is bound: any change makes another cluster. Zones change by nsupdate.\n\
         # cluster id: {}\n\
         version = {VERSION}\nreplicas = {}\nfaults = {}\nepoch = {}\ngenesis-time-ms = {}\nsigning = \"{}\"\n\
         plan = \"{}\"\n",
        cluster.id().0.to_hex(),
        cluster.committee.n(),
        cluster.committee.faults(),
        cluster.epoch.0,
        cluster.genesis_time.0,
        cluster.signing,
        cluster.plan.to_hex()
    )?;
    if let Some(replaced) = &cluster.replaces {
        writeln!(out, "# The cluster of the epoch before, whose zones, keys and state it goes on with.")?;
        writeln!(out, "replaces = \"{}\"", replaced.0.to_hex())?;
    }
    out.push_str(&cluster.operators.line());
    for (id, member) in cluster.committee.members().zip(&cluster.members) {
        let (identity, coin) = (BASE64.encode(&member.identity), BASE64.encode(&member.coin));
        write!(
            out,
            "\n[[member]]\nindex = {id}\nidentity = \"{identity}\"\nsealing = \"{}\"\ncoin = \"{coin}\"\n",
            member.sealing
        )?;
    }
    Ok(())
}

fn write_zone(out: &mut String, zone: &Zone) -> std::fmt::Result {
    let dates = zone.validity;
    let policy: Vec<String> = zone.policy.iter().map(|statement| quote(statement)).collect();
    write!(
        out,
        "\n[[zone]]\norigin = {}\nrecords-sha256 = \"{}\"\nreads = \"{}\"\nserial = \"{}\"\n\
         denial = \"{}\"\ndnskey-ttl-s = {}\npolicy = [{}]\n\
         signatures = {{ lifetime-s = {}, refresh-s = {}, jitter-s = {}, backdate-s = {} }}\n",
        quote(&zone.origin.to_string()),
        zone.records.to_hex(),
        match zone.reads {
            Reads::Local => "local",
            Reads::Ordered => "ordered",
        },
        serial_word(zone.serial),
        zone.denial.word(),
        zone.dnskey_ttl,
        policy.join(", "),
        dates.lifetime,
        dates.refresh,
        dates.jitter,
        dates.backdate
    )?;
    for (role, key) in [("zsk", &zone.zsk), ("ksk", &zone.ksk)] {
        write!(
            out,
            "\n[zone.{role}]\nthreshold = {}\ndnskey = \"{}\"\nverification = \"{}\"\n",
            key.threshold,
            rdata::to_text(RrType::DNSKEY, &key.dnskey),
            BASE64.encode(&key.public.to_bytes())
        )?;
    }
    Ok(())
}

/// A serial rule, as files say it.
pub fn serial_word(rule: SerialRule) -> &'static str {
    match rule {
        SerialRule::Increment => "increment",
        SerialRule::UnixTime => "unixtime",
        SerialRule::Date => "date",
    }
}

/// A TOML string.
pub fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
