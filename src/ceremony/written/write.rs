//! The text of a plan, written in closed form.

use super::{VERSION, WrittenPlan};
use crate::ceremony::client_plan::{TsigPlan, quota_text};
use crate::ceremony::cluster_file::{quote, serial_word};
use crate::ceremony::files::zone_stem;
use crate::ceremony::words;
use crate::dns::rdata;
use crate::dns::rtype::RrType;
use crate::zone::Reads;
use data_encoding::BASE64;
use std::fmt::Write;

pub(super) fn write(plan: &WrittenPlan) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_all(&mut out, plan);
    out
}

fn write_all(out: &mut String, plan: &WrittenPlan) -> std::fmt::Result {
    writeln!(out, "# The plan of a key ceremony. Its words, by which every later step is bound to it:")?;
    for line in words::lines(&plan.digest()) {
        writeln!(out, "#   {line}")?;
    }
    let (n, bits, epoch) = (plan.committee.n(), plan.bits, plan.epoch.0);
    writeln!(out, "version = {VERSION}\nepoch = {epoch}\nreplicas = {n}\nbits = {bits}")?;
    writeln!(out, "signing = \"{}\"", plan.signing)?;
    if let Some(id) = &plan.replaces {
        writeln!(out, "replaces = \"{}\"", id.0.to_hex())?;
    }
    out.push_str(&plan.operators.line());
    for member in &plan.members {
        let dns: Vec<String> = member.place.dns.iter().map(|address| format!("\"{address}\"")).collect();
        write!(
            out,
            "\n[[member]]\nidentity = \"{}\"\nsealing = \"{}\"\ndns = [{}]\npeer = \"{}\"\n",
            BASE64.encode(&member.identity),
            member.sealing,
            dns.join(", "),
            member.place.peer
        )?;
    }
    for zone in &plan.zones {
        writeln!(out, "\n[[zone]]\norigin = {}", quote(&zone.origin.to_string()))?;
        if zone.records.is_some() {
            writeln!(out, "file = \"zones/{}.zone\"", zone_stem(&zone.origin))?;
        }
        let policy: Vec<String> = zone.policy.iter().map(|statement| quote(statement)).collect();
        let reads = if zone.reads == Reads::Ordered { "ordered" } else { "local" };
        let (sha256, policy) = (zone.digest.to_hex(), policy.join(", "));
        writeln!(out, "records-sha256 = \"{sha256}\"\npolicy = [{policy}]\nreads = \"{reads}\"")?;
        writeln!(out, "denial = \"{}\"", zone.denial.word())?;
        let serial = zone.serial.map(serial_word);
        serial.iter().try_for_each(|word| writeln!(out, "serial = \"{word}\""))?;
        zone.dnskey_ttl.iter().try_for_each(|ttl| writeln!(out, "dnskey-ttl-s = {ttl}"))?;
    }
    for key in &plan.tsig {
        let TsigPlan { name, algorithm, mode, quota } = &key.key;
        writeln!(out, "\n[[tsig]]\nname = {}", quote(&name.to_string()))?;
        if !key.key.is_usual() {
            let weak = if algorithm.is_weak() { "allow-weak = true\n" } else { "" };
            write!(out, "algorithm = \"{algorithm}\"\n{weak}mode = \"{}\"\n", mode.word())?;
            quota.iter().try_for_each(|quota| out.write_str(&quota_text(quota)))?;
        }
        key.recipient.iter().try_for_each(|recipient| writeln!(out, "recipient = \"{recipient}\""))?;
    }
    for key in &plan.sig0 {
        writeln!(out, "\n[[sig0]]\nname = {}", quote(&key.name.to_string()))?;
        let data = key.key.iter().map(|key| rdata::to_text(RrType::KEY, key));
        data.into_iter().try_for_each(|data| writeln!(out, "key = \"{data}\""))?;
        key.quota.iter().try_for_each(|quota| out.write_str(&quota_text(quota)))?;
    }
    out.push_str(&plan.operators.tables());
    if let Some(backup) = &plan.backup {
        writeln!(out, "\n[backup]\nthreshold = {}\ncustodians = [", backup.threshold)?;
        for custodian in &backup.custodians {
            writeln!(out, "  {{ name = \"{}\", recipient = \"{}\" }},", custodian.name, custodian.recipient)?;
        }
        writeln!(out, "]")?;
    }
    Ok(())
}
