//! What any validator can hold at any time, from all that was ever served: intervals, and whether two that meet agree.

use super::*;
use crate::dns::dnssec::RrsigFields;
use std::collections::BTreeMap;

/// Key tag and algorithm.
type By = (u16, u8);

/// Something that a validator caches.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Fact {
    owner: String,
    rtype: RrType,
    ttl: u32,
    /// The keys in it, if it is a DNSKEY RRset.
    keys: BTreeSet<By>,
    signers: BTreeSet<By>,
}

/// When a validator can hold a fact: seconds, both ends included.
#[derive(Clone, Copy, Debug)]
struct Span(u64, u64);

impl Span {
    fn meets(self, other: Self) -> bool {
        self.0 <= other.1 && other.0 <= self.1
    }
}

/// All that was served, and until when it was.
#[derive(Default)]
pub(super) struct Caches {
    facts: BTreeMap<Fact, Vec<Span>>,
    /// DS RRsets of the parent.
    ds: Vec<(BTreeSet<By>, Span)>,
}

impl Caches {
    /// A version was served in this time.
    pub(super) fn served(&mut self, view: &View, from: u64, until: u64) {
        for (fact, expires) in facts(view) {
            if expires < from {
                continue;
            }
            let spans = self.facts.entry(fact.clone()).or_default();
            let end = until.saturating_add(u64::from(fact.ttl)).min(expires);
            match spans.last_mut().filter(|last| last.1 >= from) {
                Some(last) => last.1 = last.1.max(end),
                None => spans.push(Span(from, end)),
            }
        }
    }

    /// The parent served this DS RRset in this time.
    pub(super) fn parent(&mut self, keys: BTreeSet<By>, ttl: u32, from: u64, until: u64) {
        self.ds.push((keys, Span(from, until.saturating_add(u64::from(ttl)))));
    }

    /// Each pair of facts that one validator can hold at one time fits; strict validators demand it of each algorithm.
    pub(super) fn check(&self) {
        let is_key = |(fact, _): &(&Fact, &Vec<Span>)| fact.rtype == RrType::DNSKEY;
        for (dnskey, spans) in self.facts.iter().filter(is_key) {
            let meet = |others: &[Span]| spans.iter().any(|a| others.iter().any(|b| a.meets(*b)));
            for (ds, span) in self.ds.iter().filter(|(_, span)| meet(&[*span])) {
                let entry: BTreeSet<By> = ds
                    .iter()
                    .filter(|key| dnskey.keys.contains(key) && dnskey.signers.contains(key))
                    .copied()
                    .collect();
                assert_eq!(algorithms(ds), algorithms(&entry), "{dnskey:?} under DS {ds:?} {span:?}");
            }
            let others = self.facts.iter().filter(|other| !is_key(other));
            for (fact, their) in others.filter(|(_, their)| meet(their)) {
                let by: BTreeSet<By> = fact.signers.intersection(&dnskey.keys).copied().collect();
                assert_eq!(
                    algorithms(&dnskey.keys),
                    algorithms(&by),
                    "{fact:?} {their:?} under {dnskey:?} {spans:?}"
                );
            }
        }
    }
}

fn algorithms(keys: &BTreeSet<By>) -> BTreeSet<u8> {
    keys.iter().map(|(_, algorithm)| *algorithm).collect()
}

/// Tag and algorithm of the keys in a DNSKEY or CDNSKEY RRset.
pub(super) fn keys_in(set: &crate::zone::SignedRrset) -> BTreeSet<By> {
    set.rrset.iter().map(|key| (dnssec::key_tag(key.wire()), key.wire()[3])).collect()
}

/// With the time at which the last of its signatures expires: no validator keeps it longer (RFC 4035 §5.3.3).
fn facts(view: &View) -> Vec<(Fact, u64)> {
    let mut facts = Vec::new();
    for node in view.iter() {
        for (rtype, set) in node.iter().filter(|(_, set)| !set.rrsigs().is_empty()) {
            let signatures: Vec<RrsigFields> =
                set.rrsigs().iter().filter_map(|rrsig| Some(RrsigFields::parse(rrsig)?.0)).collect();
            let expires = signatures.iter().map(|fields| u64::from(fields.expiration)).max();
            let fact = Fact {
                owner: node.name().to_string(),
                rtype,
                ttl: set.rrset.ttl,
                keys: if rtype == RrType::DNSKEY { keys_in(set) } else { BTreeSet::new() },
                signers: signatures.iter().map(|fields| (fields.key_tag, fields.algorithm)).collect(),
            };
            facts.push((fact, expires.unwrap_or_default()));
        }
    }
    facts
}
