//! Dynamic update, RFC 2136 §2 and §3, to the letter; and what belongs to the cluster (RFC 3007 §4).
//!
//! The order of checks is: zone section (§3.1), prerequisites (§3.2), prescan of the whole update section (§3.4.1),
//! permission of each of its records (§3.3, which leaves the place open: a malformed update is told so first), then the
//! changes (§3.4.2).
//!
//! Beyond the RFC, or where it leaves a choice:
//! - DNSKEY, RRSIG, NSEC, NSEC3, NSEC3PARAM, ZONEMD and the obsolete SIG and NXT belong to the cluster: an update that names
//!   them is REFUSED, whatever the policy. To prerequisites the cluster's NSECs, NSEC3s and RRSIGs are not there. Deleting all
//!   records of the apex leaves SOA and NS (§3.4.2.3), DNSKEY and NSEC3PARAM, and CDS and CDNSKEY, which only a delete that
//!   names them removes.
//! - A SOA is taken only if its serial is greater than the zone's (§3.4.2.2); then it is taken whole, its serial is the new
//!   version's, and the batch moves it no further. Otherwise it is ignored.
//! - The serial moves with the first message of a batch that changes something, and once a batch: a later message whose
//!   prerequisite is the SOA that was served before then fails, as it should.
//! - A DS at the apex is ignored: it is the parent's (RFC 4035 §2.4).
//! - A second CNAME or DNAME replaces the first. A CNAME beside other data, or the other way round, is ignored (§3.4.2.2).
//! - An added record gives its TTL to the whole RRset (RFC 2181 §5.2); a TTL over 2^31-1 is 0 (RFC 2181 §8). A record that is
//!   there already, letters' case aside, changes only the TTL.
//! - A record that would be more than the policy's MOST is silently not added ([`super::policy`]).
//! - An RRset or a name that would pass its limit ([`crate::limits`]) makes the message REFUSED.

use super::draft::Draft;
use super::ledger::Ledger;
use super::policy::UpdatePolicy;
use super::refusal::Refusal;
use super::view::Key;
use crate::dns::message::Message;
use crate::dns::rdata;
use crate::dns::rrset::serial_gt;
use crate::dns::{Class, Name, Opcode, Rcode, Rdata, Record, RrType, Rrset, Soa};
use std::collections::BTreeMap;

/// What only the cluster makes.
pub(super) const CLUSTER_TYPES: [RrType; 8] = [
    RrType::DNSKEY,
    RrType::RRSIG,
    RrType::NSEC,
    RrType::NSEC3,
    RrType::NSEC3PARAM,
    RrType::ZONEMD,
    RrType::SIG,
    RrType::NXT,
];

/// What deleting all records of the apex leaves.
const APEX_TYPES: [RrType; 6] =
    [RrType::SOA, RrType::NS, RrType::DNSKEY, RrType::NSEC3PARAM, RrType::CDS, RrType::CDNSKEY];

/// An update message whose zone section is well formed.
pub(super) struct Update {
    /// The zone, not yet known to be ours.
    pub(super) zone: Name,
    prerequisites: Vec<Record>,
    pub(super) updates: Vec<Record>,
}

type Refused = Box<Refusal>;

fn malformed<T>(what: impl Into<String>) -> Result<T, Refused> {
    Err(Box::new(Refusal::Malformed(what.into())))
}

impl Update {
    /// Reads the message (§3.1.1).
    pub(super) fn parse(wire: &[u8]) -> Result<Self, Refused> {
        let message = match Message::parse(wire) {
            Ok(message) => message,
            Err(why) => return malformed(why.to_string()),
        };
        if message.header.qr || message.header.opcode != Opcode::UPDATE {
            return malformed("it is no request for an update");
        }
        let [zone] = message.questions.as_slice() else {
            return malformed("the zone section holds one record");
        };
        if zone.rtype != RrType::SOA {
            return malformed("the zone section's type is SOA");
        }
        if zone.class != Class::IN {
            return Err(Box::new(Refusal::NotOurs(zone.name.clone())));
        }
        Ok(Self { zone: zone.name.clone(), prerequisites: message.answers, updates: message.authorities })
    }

    /// The zone after this update by the owner of `key`.
    pub(super) fn apply(&self, ledger: &Ledger, key: &Name) -> Result<Draft, Refused> {
        let (policy, mut draft) = (&ledger.rules.policy, Draft::new(ledger.head.clone()));
        prerequisites(&draft, &self.prerequisites)?;
        for record in &self.updates {
            prescan(draft.view.origin(), record)?;
        }
        // While a rollover tells the parent of keys, nobody else does.
        let is_ours = |record: &Record| {
            matches!(record.rtype, RrType::CDS | RrType::CDNSKEY) && record.name == *draft.view.origin()
        };
        if ledger.keys.tells_parent() && self.updates.iter().any(is_ours) {
            return Err(Box::new(Refusal::Rollover));
        }
        for record in &self.updates {
            permit(&draft, policy, key, record)?;
        }
        for record in &self.updates {
            change(&mut draft, record, policy.decide(key, &record.name, record.rtype).most)?;
        }
        Ok(draft)
    }
}

/// §3.2.5.
fn prerequisites(zone: &Draft, records: &[Record]) -> Result<(), Refused> {
    let mut wanted: BTreeMap<(Key, RrType), (usize, Name, Rrset)> = BTreeMap::new();
    for (number, record) in (1..).zip(records) {
        let Record { name, rtype, class, ttl, rdata } = record;
        if *ttl != 0 {
            return malformed(format!("the TTL of prerequisite {number} is not 0"));
        }
        if !name.is_subdomain_of(zone.view.origin()) {
            return Err(Box::new(Refusal::OutOfZone(name.clone())));
        }
        let lacks = |rcode, wanted: String| Err(Box::new(Refusal::Prerequisite { number, rcode, wanted }));
        let name_in_use = || !zone.types(name).is_empty();
        let rrset_exists = || zone.rrset(name, *rtype).is_some();
        match *class {
            Class::ANY | Class::NONE if !rdata.wire().is_empty() => {
                return malformed(format!("prerequisite {number} of this class has no data"));
            }
            // §3.2.1-§3.2.4, the forms without values.
            Class::ANY if *rtype == RrType::ANY && !name_in_use() => {
                return lacks(Rcode::NXDOMAIN, format!("there must be records at {name}"));
            }
            Class::ANY if *rtype != RrType::ANY && !rrset_exists() => {
                return lacks(Rcode::NXRRSET, format!("{name} {rtype} must be there"));
            }
            Class::NONE if *rtype == RrType::ANY && name_in_use() => {
                return lacks(Rcode::YXDOMAIN, format!("there must be no records at {name}"));
            }
            Class::NONE if *rtype != RrType::ANY && rrset_exists() => {
                return lacks(Rcode::YXRRSET, format!("{name} {rtype} must not be there"));
            }
            Class::ANY | Class::NONE => {}
            Class::IN => {
                let entry = wanted.entry((Key::of(name), *rtype));
                let (_, _, set) = entry.or_insert_with(|| (number, name.clone(), Rrset::new(*rtype, 0)));
                set.insert(rdata.clone());
            }
            _ => return malformed(format!("the class of prerequisite {number}")),
        }
    }
    // §3.2.3: the whole RRset must be equal, without its TTL.
    for (number, name, set) in wanted.values() {
        let some =
            |held: &Rrset| planted!(PrerequisiteSubset) && set.iter().all(|rdata| held.contains(rdata));
        let held = zone.rrset(name, set.rtype);
        if !held.is_some_and(|held| held.same_data(set) || some(&held)) {
            let wanted =
                format!("{name} {} must be exactly the {} records that it names", set.rtype, set.len());
            return Err(Box::new(Refusal::Prerequisite { number: *number, rcode: Rcode::NXRRSET, wanted }));
        }
    }
    Ok(())
}

/// §3.4.1.3.
fn prescan(origin: &Name, record: &Record) -> Result<(), Refused> {
    let Record { name, rtype, class, ttl, rdata } = record;
    if !name.is_subdomain_of(origin) {
        return Err(Box::new(Refusal::OutOfZone(name.clone())));
    }
    let well_formed = match *class {
        Class::IN => !rtype.is_meta(),
        Class::ANY => *ttl == 0 && rdata.wire().is_empty() && (*rtype == RrType::ANY || !rtype.is_meta()),
        Class::NONE => *ttl == 0 && !rtype.is_meta() && rdata::validate(*rtype, rdata.wire()).is_ok(),
        _ => false,
    };
    if well_formed {
        Ok(())
    } else {
        malformed(format!("class, type, TTL or data of the update of {name} {rtype}"))
    }
}

/// §3.3, and RFC 3007 §4 on what the server makes itself.
fn permit(zone: &Draft, policy: &UpdatePolicy, key: &Name, record: &Record) -> Result<(), Refused> {
    let name = &record.name;
    let types = match record.rtype {
        RrType::ANY => deleted_by_any(zone, name),
        rtype if CLUSTER_TYPES.contains(&rtype) => {
            return Err(Box::new(Refusal::Clusters(name.clone(), rtype)));
        }
        rtype => vec![rtype],
    };
    // Deleting what is not there changes nothing, but only who may write something at the name may ask.
    let denied = match types.is_empty() {
        true => (!policy.allows_some(key, name)).then_some(RrType::ANY),
        false => types.into_iter().find(|rtype| !policy.allows(key, name, *rtype)),
    };
    let Some(rtype) = denied else { return Ok(()) };
    let rule = policy.decide(key, name, rtype).by.map(|rule| (rule.number, rule.text.clone()));
    Err(Box::new(Refusal::Policy { key: key.clone(), name: name.clone(), rtype, rule }))
}

/// The types that deleting all records of `name` removes.
fn deleted_by_any(zone: &Draft, name: &Name) -> Vec<RrType> {
    let at_apex = name == zone.view.origin();
    zone.types(name).into_iter().filter(|rtype| !(at_apex && APEX_TYPES.contains(rtype))).collect()
}

/// §3.4.2.7.
fn change(zone: &mut Draft, record: &Record, most: Option<u32>) -> Result<(), Refused> {
    match (record.class, record.rtype) {
        (Class::IN, _) => add(zone, record, most)?,
        (Class::ANY, RrType::ANY) => {
            for rtype in deleted_by_any(zone, &record.name) {
                zone.remove(&record.name, rtype);
            }
        }
        (Class::ANY, rtype) => {
            // §3.4.2.3: the apex keeps its SOA and NS.
            let kept = &record.name == zone.view.origin() && matches!(rtype, RrType::SOA | RrType::NS);
            if !kept && zone.rrset(&record.name, rtype).is_some() {
                zone.remove(&record.name, rtype);
            }
        }
        _ => delete_one(zone, record)?,
    }
    Ok(())
}

/// §3.4.2.2.
fn add(zone: &mut Draft, record: &Record, most: Option<u32>) -> Result<(), Refused> {
    let Record { name, rtype, rdata, .. } = record;
    let ttl = if record.ttl >> 31 == 0 { record.ttl } else { 0 };
    let held = zone.rrset(name, *rtype);
    let other_data = zone.types(name).iter().any(|held| held != rtype);
    let ignored = match *rtype {
        RrType::CNAME => other_data,
        RrType::SOA => !advances(zone, name, rdata)?,
        RrType::DS if name == zone.view.origin() => true,
        _ => zone.rrset(name, RrType::CNAME).is_some(),
    };
    if ignored {
        return Ok(());
    }
    let mut set = held.map_or_else(|| Rrset::new(*rtype, ttl), |held| Rrset::clone(&held));
    set.ttl = ttl;
    match *rtype {
        RrType::CNAME | RrType::DNAME | RrType::SOA if !set.contains(rdata) => set.rdatas.clear(),
        // One WKS an address and protocol: the first 5 octets.
        RrType::WKS if !set.contains(rdata) => {
            set.rdatas.retain(|held| held.wire().get(..5) != rdata.wire().get(..5));
        }
        _ => {}
    }
    let is_new = set.insert(rdata.clone());
    if is_new && most.is_some_and(|most| set.len() > most as usize) {
        return Ok(());
    }
    zone.put(name, set)
}

/// Whether a SOA is taken: only the apex has one, and only if its serial goes forward.
fn advances(zone: &Draft, name: &Name, rdata: &Rdata) -> Result<bool, Refused> {
    let Some(offered) = Soa::parse(rdata) else { return malformed("a SOA that is none") };
    Ok(name == zone.view.origin() && serial_gt(offered.serial, zone.view.serial()))
}

/// §3.4.2.4.
fn delete_one(zone: &mut Draft, record: &Record) -> Result<(), Refused> {
    let Record { name, rtype, rdata, .. } = record;
    let Some(held) = zone.rrset(name, *rtype) else { return Ok(()) };
    let last_apex_ns = *rtype == RrType::NS && held.len() == 1 && name == zone.view.origin();
    let mut set = Rrset::clone(&held);
    if *rtype == RrType::SOA || last_apex_ns || !set.remove(rdata) {
        return Ok(());
    }
    zone.put(name, set)
}
