//! The text of a cluster.

use super::super::cluster::{Cluster, VERSION, Zone};
use crate::dns::rdata;
use crate::dns::rtype::RrType;
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
        let (salt, commitment) = (BASE64.encode(&key.salt), key.commitment.to_hex());
        let _ = write!(
            out,
            "\n[[tsig]]\nname = {}\nalgorithm = \"{}\"\n# Any replica that holds the secret could forge with it.\n\
             mode = \"gateway\"\nsalt = \"{salt}\"\ncommitment = \"{commitment}\"\n",
            quote(&key.name.to_string()),
            key.algorithm
        );
    }
    for key in &cluster.sig0 {
        let data = rdata::to_text(RrType::KEY, &key.key);
        let _ = write!(out, "\n[[sig0]]\nname = {}\nkey = \"{data}\"\n", quote(&key.name.to_string()));
    }
    out.push_str(&cluster.operators.tables());
    out
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
