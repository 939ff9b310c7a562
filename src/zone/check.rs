//! What is wrong with a zone's records, as who writes a master file wants to know it.
//!
//! Errors make it no zone (RFC 1034 §4.2.1, RFC 2181 §10, RFC 6672 §2.3), or leave it without servers: what BIND's
//! named-checkzone refuses. Warnings are what is served, and rarely meant: a delegation without glue, say.
//! The records may be signed ones; that a zone has to be given to a cluster unsigned is a warning.

use super::update::CLUSTER_TYPES;
use super::zonemd::{self, Verdict};
use crate::dns::rdata::canonical;
use crate::dns::{Name, Record, RrType, Soa};
use std::fmt;

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Whether it makes the records no zone; else it is a warning.
    pub error: bool,
    /// The owner that it is about.
    pub owner: Name,
    /// The type, if it is about one.
    pub rtype: Option<RrType>,
    /// What, and what to do.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rtype {
            Some(rtype) => write!(f, "{} {rtype}: {}", self.owner, self.what),
            None => write!(f, "{}: {}", self.owner, self.what),
        }
    }
}

/// The serial of the zone's SOA, if there is one; and what is wrong, in canonical order of the owners.
pub fn check(origin: &Name, records: &[Record]) -> (Option<u32>, Vec<Finding>) {
    let mut sorted: Vec<&Record> = records.iter().collect();
    let before = |a: &&Record, b: &&Record| a.name.cmp(&b.name).then(a.rtype.cmp(&b.rtype));
    if !sorted.is_sorted_by(|a, b| before(a, b).is_le()) {
        sorted.sort_by(before);
    }
    let mut checker = Checker { origin, records: &sorted, findings: Vec::new(), signed: false };
    checker.apex();
    checker.names();
    checker.digest();
    let soa = checker.of(origin, RrType::SOA).first().and_then(|record| Soa::parse(&record.rdata));
    (soa.map(|soa| soa.serial), checker.findings)
}

struct Checker<'a> {
    origin: &'a Name,
    /// By owner and type.
    records: &'a [&'a Record],
    findings: Vec<Finding>,
    signed: bool,
}

/// What hides the names below it.
#[derive(Clone, Copy)]
struct Cover<'a> {
    name: &'a Name,
    dname: bool,
}

/// What a name leads to that should have addresses.
enum Lead {
    Addresses,
    Elsewhere,
    Alias,
    BelowDname,
    /// Below this cut, without glue.
    NoGlue(Name),
    Nothing,
}

impl<'a> Checker<'a> {
    fn tell(&mut self, error: bool, owner: &Name, rtype: Option<RrType>, what: impl Into<String>) {
        self.findings.push(Finding { error, owner: owner.clone(), rtype, what: what.into() });
    }

    /// The records of this owner.
    fn at(&self, name: &Name) -> &'a [&'a Record] {
        let start = self.records.partition_point(|record| record.name < *name);
        let rest = &self.records[start..];
        &rest[..rest.partition_point(|record| record.name == *name)]
    }

    fn of(&self, name: &Name, rtype: RrType) -> &'a [&'a Record] {
        of(self.at(name), rtype)
    }

    fn apex(&mut self) {
        let origin = self.origin;
        if self.of(origin, RrType::SOA).is_empty() {
            self.tell(true, origin, Some(RrType::SOA), "there is none: the apex must have one");
        }
        if self.of(origin, RrType::NS).is_empty() {
            self.tell(true, origin, Some(RrType::NS), "there is none: the apex must have one at least");
        }
    }

    fn digest(&mut self) {
        let (origin, zonemd) = (self.origin, Some(RrType::ZONEMD));
        match zonemd::verify(origin, self.records) {
            Verdict::Absent | Verdict::Holds => {}
            Verdict::Unknown(why) => self.tell(false, origin, zonemd, format!("is not checked: {why}")),
            Verdict::Fails => {
                self.tell(
                    true,
                    origin,
                    zonemd,
                    "does not hold: the zone is not the one it was made of (RFC 8976 §4)",
                );
            }
        }
    }

    fn names(&mut self) {
        let mut cover: Option<Cover<'a>> = None;
        let mut rest = self.records;
        while let Some(first) = rest.first() {
            let (here, after) = rest.split_at(rest.partition_point(|record| record.name == first.name));
            rest = after;
            let name = &first.name;
            cover = cover.filter(|cover| name.is_subdomain_of(cover.name));
            self.owner(name, here);
            match cover {
                Some(cover) => self.hidden(name, here, cover),
                None => {
                    self.visible(name, here);
                    let dname = !of(here, RrType::DNAME).is_empty();
                    let cut = name != self.origin && !of(here, RrType::NS).is_empty();
                    // RFC 6672 §2.3: at a delegation a DNAME is the child's.
                    cover = (dname || cut).then_some(Cover { name, dname: dname && !cut });
                }
            }
        }
    }

    /// What must hold at any name.
    fn owner(&mut self, name: &Name, here: &[&Record]) {
        let distinct = |set: &[&Record]| {
            let data = |record: &Record| canonical(record.rtype, &record.rdata).into_owned();
            set.len() > 1 && set.windows(2).any(|pair| data(pair[0]) != data(pair[1]))
        };
        for set in here.chunk_by(|a, b| a.rtype == b.rtype) {
            let (rtype, ttl) = (set[0].rtype, set[0].ttl);
            let (mut error, mut warning) = (None, None);
            match rtype {
                RrType::SOA if name != self.origin => error = Some("is not at the apex: take it out"),
                RrType::DS if name == self.origin => {
                    error = Some("is at the apex: it is the parent's, take it out (RFC 4035 §2.4)");
                }
                RrType::SOA | RrType::CNAME | RrType::DNAME if distinct(set) => {
                    error = Some("there is more than one: keep one");
                }
                RrType::CNAME if here.iter().any(|other| !beside_cname(other.rtype)) => {
                    error = Some("stands beside other records: an alias has nothing else (RFC 1034 §3.6.2)");
                }
                RrType::SPF => warning = Some("is obsolete: write a TXT record (RFC 7208 §3.1)"),
                RrType::NS if name.is_wildcard() => {
                    error = Some("at a wildcard has no meaning (RFC 4592 §4.2)")
                }
                RrType::DNAME if name.is_wildcard() => {
                    warning = Some("at a wildcard means little (RFC 4592 §4.4)")
                }
                _ => {}
            }
            if let Some(what) = error {
                self.tell(true, name, Some(rtype), what);
            }
            if let Some(what) = warning {
                self.tell(false, name, Some(rtype), what);
            }
            if rtype != RrType::RRSIG && set.iter().any(|record| record.ttl != ttl) {
                let least = set.iter().map(|record| record.ttl).min().unwrap_or(ttl);
                let what = format!("its TTLs differ: {least}, the least, is that of all (RFC 2181 §5.2)");
                self.tell(false, name, Some(rtype), what);
            }
            if CLUSTER_TYPES.contains(&rtype) && !self.signed {
                self.signed = true;
                let what = "a cluster makes signatures, keys and denials itself: deal it the unsigned zone";
                self.tell(false, name, Some(rtype), what);
            }
        }
        if name.labels().skip(1).any(|label| label == b"*") {
            self.tell(false, name, None, "an asterisk inside a name is no wildcard");
        }
        if !self.origin.is_root() && doubled(name, self.origin) {
            self.tell(false, name, None, "ends with the origin twice: is a final dot missing?");
        }
    }

    /// At a name below a delegation or a DNAME.
    fn hidden(&mut self, name: &Name, here: &[&Record], cover: Cover<'_>) {
        let glue = |record: &&Record| record.rtype == RrType::A || record.rtype == RrType::AAAA;
        if cover.dname {
            self.tell(false, name, None, format!("is never answered: the DNAME at {} hides it", cover.name));
        } else if let Some(record) = here.iter().find(|record| !glue(record)) {
            let what = format!("is never answered: {} is delegated", cover.name);
            self.tell(false, name, Some(record.rtype), what);
        }
    }

    /// At a name of the zone's own, delegations included.
    fn visible(&mut self, name: &Name, here: &[&'a Record]) {
        let cut = !of(here, RrType::NS).is_empty();
        let cut_below = cut && name != self.origin;
        if !cut && !of(here, RrType::DS).is_empty() {
            self.tell(
                false,
                name,
                Some(RrType::DS),
                "stands where nothing is delegated: NS records belong beside it",
            );
        }
        if !cut
            && here.iter().any(|record| matches!(record.rtype, RrType::A | RrType::AAAA | RrType::MX))
            && !is_host(name)
        {
            self.tell(false, name, None, "is no name of a host (RFC 1123 §2.1): some clients refuse it");
        }
        let of_cut = [RrType::NS, RrType::DS, RrType::A, RrType::AAAA, RrType::NSEC, RrType::RRSIG];
        if let Some(record) = here.iter().find(|record| cut_below && !of_cut.contains(&record.rtype)) {
            self.tell(false, name, Some(record.rtype), "is never answered: the name is delegated");
        }
        for record in here {
            let ns = record.rtype == RrType::NS;
            if cut_below && !ns {
                continue;
            }
            let Some(target) = target(record) else { continue };
            let what = match self.lead(&target) {
                Lead::Addresses | Lead::Elsewhere => continue,
                Lead::Alias => format!("{target} is an alias: name what it stands for (RFC 2181 §10.3)"),
                Lead::BelowDname => format!("{target} is below a DNAME: name what it stands for"),
                Lead::NoGlue(cut) if ns && cut == *name => {
                    format!("{target} has no address here: without this glue nobody finds it (RFC 9471)")
                }
                Lead::NoGlue(_) if ns => {
                    format!(
                        "{target} has no address here: this glue of a sibling spares a way round (RFC 9471 §3.2)"
                    )
                }
                Lead::NoGlue(_) => continue,
                Lead::Nothing => format!("{target} has no address: add an A or AAAA record"),
            };
            // Without its own servers the zone is none; what a delegation or a service lacks may be meant.
            self.tell(ns && !cut_below, name, Some(record.rtype), what);
        }
    }

    fn lead(&self, target: &Name) -> Lead {
        if !target.is_subdomain_of(self.origin) {
            return Lead::Elsewhere;
        }
        let here = self.at(target);
        let addresses =
            |set: &[&Record]| set.iter().any(|record| matches!(record.rtype, RrType::A | RrType::AAAA));
        for labels in self.origin.label_count()..=target.label_count() {
            let above = target.ancestor(labels);
            if above != *self.origin && !self.of(&above, RrType::NS).is_empty() {
                return if addresses(here) { Lead::Addresses } else { Lead::NoGlue(above) };
            }
            if above != *target && !self.of(&above, RrType::DNAME).is_empty() {
                return Lead::BelowDname;
            }
        }
        let found = if here.is_empty() { self.wildcard(target) } else { here };
        if addresses(found) {
            Lead::Addresses
        } else if of(found, RrType::CNAME).is_empty() {
            Lead::Nothing
        } else {
            Lead::Alias
        }
    }

    /// The records that a wildcard gives to a name without records (RFC 4592 §3.3.1).
    fn wildcard(&self, name: &Name) -> &'a [&'a Record] {
        let exists = |name: &Name| {
            let at = self.records.partition_point(|record| record.name < *name);
            self.records.get(at).is_some_and(|record| record.name.is_subdomain_of(name))
        };
        if exists(name) {
            return &[];
        }
        let closest = (self.origin.label_count()..name.label_count()).rev();
        let closest = closest.map(|labels| name.ancestor(labels)).find(exists);
        closest.and_then(|name| name.wildcard_child()).map_or(&[], |name| self.at(&name))
    }
}

/// The records of one type among those of one owner.
fn of<'r, 'a>(here: &'r [&'a Record], rtype: RrType) -> &'r [&'a Record] {
    let start = here.partition_point(|record| record.rtype < rtype);
    let rest = &here[start..];
    &rest[..rest.partition_point(|record| record.rtype == rtype)]
}

fn beside_cname(rtype: RrType) -> bool {
    matches!(rtype, RrType::CNAME | RrType::RRSIG | RrType::NSEC | RrType::SIG | RrType::NXT | RrType::KEY)
}

/// The name in a record that must lead to addresses.
fn target(record: &Record) -> Option<Name> {
    let skip = match record.rtype {
        RrType::NS => 0,
        RrType::MX => 2,
        RrType::SRV => 6,
        _ => return None,
    };
    // A root stands for no service (RFC 2782, RFC 7505).
    let name = Name::from_wire(record.rdata.wire().get(skip..)?).ok()?;
    (record.rtype == RrType::NS || !name.is_root()).then_some(name)
}

fn doubled(name: &Name, origin: &Name) -> bool {
    let labels = origin.label_count();
    let Some(more) = name.label_count().checked_sub(2 * labels) else { return false };
    let inner = name.labels().skip(more).take(labels);
    inner.zip(origin.labels()).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

fn is_host(name: &Name) -> bool {
    let skip = usize::from(name.is_wildcard());
    name.labels().skip(skip).all(|label| {
        let ends = |octet: Option<&u8>| octet.is_some_and(u8::is_ascii_alphanumeric);
        ends(label.first())
            && ends(label.last())
            && label.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'-')
    })
}
