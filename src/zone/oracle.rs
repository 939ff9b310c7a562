//! The paper's trusted server: RFC 2136 and NSEC or NSEC3 on a flat list of records, everything from scratch each time.
//!
//! It shares no code with the machine beyond record types: where both agree on thousands of random updates, an error
//! would have to be made twice.

use crate::dns::nsec3::{self, NameHash};
use crate::dns::rrset::serial_gt;
use crate::dns::{Class, Name, Rcode, Rdata, Record, RrType, Soa, dnssec, rdata};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone)]
pub(super) struct Oracle {
    pub(super) origin: Name,
    pub(super) records: Vec<Record>,
}

/// What an NSEC says, or an NSEC3 of which the next name is a hash under the apex: next name, types, TTL.
pub(super) type Link = (Name, BTreeSet<RrType>, u32);

impl Oracle {
    pub(super) fn new(origin: Name, records: Vec<Record>) -> Self {
        Self { origin, records }
    }

    fn rrset(&self, name: &Name, rtype: RrType) -> Vec<&Record> {
        self.records.iter().filter(|r| r.name == *name && r.rtype == rtype).collect()
    }

    fn soa(&self) -> Soa {
        Soa::parse(&self.rrset(&self.origin, RrType::SOA)[0].rdata).unwrap()
    }

    pub(super) fn serial(&self) -> u32 {
        self.soa().serial
    }

    /// One batch: the messages in order, each whole or not at all; the serial moves with the first that changes something.
    pub(super) fn batch(&mut self, messages: &[(Vec<Record>, Vec<Record>)]) -> Vec<Rcode> {
        let mut bumped = false;
        let mut rcodes = Vec::new();
        for (prerequisites, updates) in messages {
            let mut after = self.clone();
            let rcode = after.message(prerequisites, updates);
            rcodes.push(rcode);
            if rcode != Rcode::NOERROR || after.sorted() == self.sorted() {
                continue;
            }
            if !bumped && after.serial() == self.serial() {
                after.bump();
            }
            bumped = true;
            *self = after;
        }
        rcodes
    }

    fn bump(&mut self) {
        let serial = self.serial().wrapping_add(1).max(1);
        let soa = Soa { serial, ..self.soa() };
        let at = self.records.iter().position(|r| r.rtype == RrType::SOA).unwrap();
        self.records[at].rdata = soa.to_rdata();
    }

    fn message(&mut self, prerequisites: &[Record], updates: &[Record]) -> Rcode {
        let mut temporary: Vec<&Record> = Vec::new();
        for rr in prerequisites {
            let name_in_use = self.records.iter().any(|r| r.name == rr.name);
            let exists = !self.rrset(&rr.name, rr.rtype).is_empty();
            let any = rr.rtype == RrType::ANY;
            if rr.ttl != 0 {
                return Rcode::FORMERR;
            }
            if !rr.name.is_subdomain_of(&self.origin) {
                return Rcode::NOTZONE;
            }
            match rr.class {
                Class::ANY if any && !name_in_use => return Rcode::NXDOMAIN,
                Class::ANY if !any && !exists => return Rcode::NXRRSET,
                Class::NONE if any && name_in_use => return Rcode::YXDOMAIN,
                Class::NONE if !any && exists => return Rcode::YXRRSET,
                Class::IN => temporary.push(rr),
                _ => {}
            }
        }
        for rr in &temporary {
            let canonical = |r: &Record| rdata::canonical(r.rtype, &r.rdata).into_owned();
            let of_set = |r: &&Record| r.name == rr.name && r.rtype == rr.rtype;
            let wanted: BTreeSet<Vec<u8>> = temporary.iter().copied().filter(of_set).map(canonical).collect();
            let held: BTreeSet<Vec<u8>> = self.records.iter().filter(of_set).map(canonical).collect();
            if wanted != held {
                return Rcode::NXRRSET;
            }
        }
        if updates.iter().any(|rr| !rr.name.is_subdomain_of(&self.origin)) {
            return Rcode::NOTZONE;
        }
        for rr in updates {
            self.update(rr);
        }
        Rcode::NOERROR
    }

    /// The pseudocode of RFC 2136 §3.4.2.7.
    fn update(&mut self, rr: &Record) {
        let at_apex = rr.name == self.origin;
        match rr.class {
            Class::IN => self.add(rr),
            Class::ANY => {
                let any = rr.rtype == RrType::ANY;
                let spared = |r: &Record| {
                    let always = matches!(r.rtype, RrType::SOA | RrType::NS);
                    let ours = matches!(
                        r.rtype,
                        RrType::DNSKEY | RrType::NSEC3PARAM | RrType::CDS | RrType::CDNSKEY
                    );
                    at_apex && (always || any && ours)
                };
                self.records.retain(|r| r.name != rr.name || !(any || r.rtype == rr.rtype) || spared(r));
            }
            _ => {
                let last_ns = at_apex && self.rrset(&rr.name, RrType::NS).len() == 1;
                if rr.rtype == RrType::SOA || rr.rtype == RrType::NS && last_ns {
                    return;
                }
                self.records.retain(|r| !same_record(r, rr));
            }
        }
    }

    fn add(&mut self, rr: &Record) {
        let others = |r: &&Record| r.name == rr.name && r.rtype != rr.rtype;
        let has_cname = self.records.iter().any(|r| r.name == rr.name && r.rtype == RrType::CNAME);
        if rr.rtype == RrType::CNAME && self.records.iter().any(|r| others(&r)) {
            return;
        }
        if rr.rtype != RrType::CNAME && has_cname {
            return;
        }
        if rr.rtype == RrType::DS && rr.name == self.origin {
            return;
        }
        if rr.rtype == RrType::SOA {
            let offered = Soa::parse(&rr.rdata).unwrap();
            if rr.name != self.origin || !serial_gt(offered.serial, self.serial()) {
                return;
            }
        }
        let duplicate = self.records.iter().any(|r| same_record(r, rr));
        let single = matches!(rr.rtype, RrType::CNAME | RrType::DNAME | RrType::SOA);
        if single && !duplicate {
            self.records.retain(|r| r.name != rr.name || r.rtype != rr.rtype);
        }
        if !duplicate {
            self.records.push(rr.clone());
        }
        for r in self.records.iter_mut().filter(|r| r.name == rr.name && r.rtype == rr.rtype) {
            r.ttl = rr.ttl;
        }
    }

    /// The data as comparable values, by lower-case owner.
    pub(super) fn sorted(&self) -> BTreeSet<(Name, RrType, u32, Rdata)> {
        self.records.iter().map(|r| (r.name.to_lowercase(), r.rtype, r.ttl, r.rdata.clone())).collect()
    }

    /// Whether some name strictly above `name` is a delegation or has a DNAME.
    fn is_occluded(&self, name: &Name) -> bool {
        self.records.iter().any(|r| {
            let hides = r.rtype == RrType::DNAME || r.rtype == RrType::NS && r.name != self.origin;
            hides && r.name != *name && name.is_subdomain_of(&r.name)
        })
    }

    fn is_cut(&self, name: &Name) -> bool {
        *name != self.origin && !self.rrset(name, RrType::NS).is_empty()
    }

    fn has_nsec3(&self) -> bool {
        self.records.iter().any(|r| r.rtype == RrType::NSEC3PARAM)
    }

    /// From NSEC to NSEC3 and back, in a batch of its own.
    pub(super) fn turn(&mut self) {
        if self.has_nsec3() {
            self.records.retain(|r| r.rtype != RrType::NSEC3PARAM);
        } else {
            let (name, rdata) = (self.origin.clone(), Rdata::new(&[1, 0, 0, 0, 0]));
            self.records.push(Record { name, rtype: RrType::NSEC3PARAM, class: Class::IN, ttl: 0, rdata });
        }
        self.bump();
    }

    /// RFC 5155 §7.1, from nothing: the hashes of all names that are not hidden, and of all above them in the zone.
    fn hashed_chain(&self) -> BTreeMap<Name, Link> {
        let mut names = BTreeSet::new();
        for r in self.records.iter().filter(|r| !self.is_occluded(&r.name)) {
            let mut name = Some(r.name.to_lowercase());
            while let Some(here) = name.filter(|name| name.is_subdomain_of(&self.origin)) {
                name = here.parent();
                names.insert(here);
            }
        }
        let soa = self.rrset(&self.origin, RrType::SOA)[0];
        let ttl = soa.ttl.min(self.soa().minimum);
        let links: BTreeMap<NameHash, BTreeSet<RrType>> = names
            .iter()
            .map(|name| {
                let types = self.records.iter().filter(|r| r.name == *name).map(|r| r.rtype);
                let cut = self.is_cut(name);
                let mut types: BTreeSet<RrType> =
                    types.filter(|t| !cut || matches!(*t, RrType::NS | RrType::DS)).collect();
                if !types.is_empty() && (!cut || types.contains(&RrType::DS)) {
                    types.insert(RrType::RRSIG);
                }
                (NameHash::of(name), types)
            })
            .collect();
        let owner = |hash: &NameHash| hash.owner(&self.origin).unwrap();
        let next = links.keys().cycle().skip(1);
        links
            .iter()
            .zip(next)
            .map(|((hash, types), next)| (owner(hash), (owner(next), types.clone(), ttl)))
            .collect()
    }

    /// The whole chain, by owner.
    pub(super) fn chain(&self) -> BTreeMap<Name, Link> {
        if self.has_nsec3() {
            return self.hashed_chain();
        }
        let names: BTreeSet<Name> = self.records.iter().map(|r| r.name.to_lowercase()).collect();
        let owners: Vec<Name> = names.into_iter().filter(|name| !self.is_occluded(name)).collect();
        let soa = self.rrset(&self.origin, RrType::SOA)[0];
        let ttl = soa.ttl.min(self.soa().minimum);
        let next = owners.iter().cycle().skip(1);
        let link = |(owner, next): (&Name, &Name)| {
            let types = self.records.iter().filter(|r| r.name == *owner).map(|r| r.rtype);
            let cut = self.is_cut(owner);
            let mut types: BTreeSet<RrType> =
                types.filter(|t| !cut || matches!(*t, RrType::NS | RrType::DS)).collect();
            types.extend([RrType::NSEC, RrType::RRSIG]);
            (owner.clone(), (next.clone(), types, ttl))
        };
        owners.iter().zip(next).map(link).collect()
    }

    /// The RRsets that are signed, the chain included.
    pub(super) fn signed(&self) -> BTreeSet<(Name, RrType)> {
        let mut signed = BTreeSet::new();
        for r in self.records.iter().filter(|r| !self.is_occluded(&r.name)) {
            if !self.is_cut(&r.name) || r.rtype == RrType::DS {
                signed.insert((r.name.to_lowercase(), r.rtype));
            }
            if !self.has_nsec3() {
                signed.insert((r.name.to_lowercase(), RrType::NSEC));
            }
        }
        if self.has_nsec3() {
            signed.extend(self.hashed_chain().into_keys().map(|owner| (owner, RrType::NSEC3)));
        }
        signed
    }
}

fn same_record(a: &Record, b: &Record) -> bool {
    a.name == b.name
        && a.rtype == b.rtype
        && rdata::canonical(a.rtype, &a.rdata) == rdata::canonical(b.rtype, &b.rdata)
}

/// What a view's NSEC or NSEC3 says, in the oracle's form.
pub(super) fn link(origin: &Name, set: &crate::dns::Rrset) -> Link {
    let rdata = &set.rdatas[0];
    let (next, types) = match set.rtype {
        RrType::NSEC => dnssec::parse_nsec(rdata).unwrap(),
        _ => {
            let (next, types) = nsec3::parse_nsec3(rdata).unwrap();
            (next.owner(origin).unwrap(), types)
        }
    };
    (next, types, set.ttl)
}
