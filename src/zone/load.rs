//! From unsigned records to the zone before genesis; and what makes records no zone.
//!
//! The result does not depend on the order of the records: an RRset takes the least of its records' TTLs (RFC 2181 §5.2).

use super::draft::Draft;
use super::roster;
use super::rules::{Validity, ZoneRules};
use super::update::CLUSTER_TYPES;
use super::view::View;
use crate::dns::{Class, Name, Record, RrType, Rrset, Soa, dnssec, rdata};
use crate::limits::{MAX_DNSKEY_TTL_SECS, MAX_VALIDITY_SECS};
use std::collections::BTreeMap;

/// What is wrong with the rules of a zone.
pub(super) fn check_rules(rules: &ZoneRules) -> Result<(), String> {
    for key in [&rules.ksk, &rules.zsk] {
        rdata::validate(RrType::DNSKEY, key.dnskey.wire()).map_err(|why| format!("a DNSKEY: {why}"))?;
        if key.dnskey.wire().len() < 5 {
            return Err("a DNSKEY without a key".into());
        }
    }
    // KeyTrap, and a top-level domain that was lost to it: tags must tell keys apart.
    if dnssec::key_tag(rules.ksk.dnskey.wire()) == dnssec::key_tag(rules.zsk.dnskey.wire()) {
        return Err("its two keys have one tag: deal them again".into());
    }
    roster::check_policy(&rules.policy)?;
    let Validity { lifetime, refresh, jitter, backdate } = rules.validity;
    if refresh == 0 || refresh.saturating_add(jitter) >= lifetime {
        return Err("signatures must be made anew before they expire, jitter and all, and not at once".into());
    }
    if lifetime > MAX_VALIDITY_SECS || backdate > MAX_VALIDITY_SECS {
        return Err("signatures may live a year at most".into());
    }
    match rules.dnskey_ttl <= MAX_DNSKEY_TTL_SECS {
        true => Ok(()),
        false => Err("the DNSKEY's TTL is more than a week".into()),
    }
}

/// The zone of these records.
pub(super) fn unsigned(origin: &Name, records: &[Record]) -> Result<View, String> {
    let mut sets: BTreeMap<(&Name, RrType), Rrset> = BTreeMap::new();
    for record in records {
        let Record { name, rtype, class, ttl, rdata } = record;
        let wrong = |why: &str| Err(format!("{name} {rtype}: {why}"));
        if !name.is_subdomain_of(origin) {
            return wrong("outside the zone");
        }
        if *class != Class::IN || rtype.is_meta() {
            return wrong("not a record of a zone of class IN");
        }
        if CLUSTER_TYPES.contains(rtype) {
            return wrong("the cluster makes these itself: give the unsigned zone");
        }
        rdata::validate(*rtype, rdata.wire()).map_err(|why| format!("{name} {rtype}: {why}"))?;
        let set = sets.entry((name, *rtype)).or_insert_with(|| Rrset::new(*rtype, *ttl));
        set.ttl = set.ttl.min(*ttl);
        set.insert(rdata.clone());
    }
    check_sets(origin, &sets)?;
    let mut draft = Draft::new(View::empty(origin.clone()));
    for ((name, rtype), set) in sets {
        draft.put(name, set).map_err(|_| format!("{name} {rtype}: over a limit of size or number"))?;
    }
    Ok(draft.view)
}

fn check_sets(origin: &Name, sets: &BTreeMap<(&Name, RrType), Rrset>) -> Result<(), String> {
    let soa = sets.get(&(origin, RrType::SOA)).ok_or("no SOA at the apex")?;
    if soa.rdatas.first().and_then(Soa::parse).is_none() {
        return Err("the SOA is malformed".into());
    }
    if !sets.contains_key(&(origin, RrType::NS)) {
        return Err("no NS at the apex".into());
    }
    for ((name, rtype), set) in sets {
        let wrong = |why: &str| Err(format!("{name} {rtype}: {why}"));
        match *rtype {
            RrType::SOA if *name != origin => return wrong("not at the apex"),
            RrType::DS if *name == origin => {
                return wrong("at the apex, and it is the parent's (RFC 4035 §2.4)");
            }
            RrType::SOA | RrType::CNAME | RrType::DNAME if set.len() > 1 => return wrong("more than one"),
            RrType::CNAME => {
                let types = (*name, RrType(0))..=(*name, RrType(u16::MAX));
                if sets.range(types).count() > 1 {
                    return wrong("beside other records");
                }
            }
            _ => {}
        }
    }
    Ok(())
}
