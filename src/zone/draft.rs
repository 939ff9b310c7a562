//! A zone while a message is applied to it: a copy that is kept whole or dropped whole (RFC 2136 §3.4 is atomic).
//!
//! Only data is seen and changed here. The chain and signatures are mended when the batch closes; until then those of the
//! touched names are stale and nothing looks at them: to prerequisites and updates they are not there.

use super::refusal::Refusal;
use super::update::CLUSTER_TYPES;
use super::view::{Key, Node, SignedRrset, View};
use crate::dns::{Name, RrType, Rrset, Soa, nsec3};
use crate::limits::{MAX_RECORDS_PER_RRSET, MAX_RRSET_OCTETS, MAX_TYPES_PER_NAME};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Whether a type counts at its name. What the cluster adds does not, what a rollover tells the parent included: no client may
/// leave it without room.
fn counts(rtype: RrType) -> bool {
    !CLUSTER_TYPES.contains(&rtype) && !matches!(rtype, RrType::CDS | RrType::CDNSKEY)
}

#[derive(Clone)]
pub(super) struct Draft {
    pub(super) view: View,
    pub(super) touched: BTreeSet<Key>,
}

/// How an RRset differs from what it was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Change {
    pub(super) name: Name,
    pub(super) rtype: RrType,
    /// Records of it that are there now.
    pub(super) after: usize,
    /// Records that were not there before.
    pub(super) added: u64,
    /// Records that are there no more.
    pub(super) deleted: u64,
}

impl Draft {
    pub(super) fn new(view: View) -> Self {
        Self { view, touched: BTreeSet::new() }
    }

    /// The types of the records at `name`.
    pub(super) fn types(&self, name: &Name) -> Vec<RrType> {
        self.view.node(name).map_or_else(Vec::new, |node| node.data().map(|(rtype, _)| rtype).collect())
    }

    /// The records of this type at `name`.
    pub(super) fn rrset(&self, name: &Name, rtype: RrType) -> Option<Arc<Rrset>> {
        let held = self.view.node(name)?.data().find(|(held, _)| *held == rtype);
        held.map(|(_, held)| Arc::clone(&held.rrset))
    }

    /// Puts an RRset in place of the one that is there; removes that if the new one is empty. Refused over a limit.
    pub(super) fn put(&mut self, name: &Name, rrset: Rrset) -> Result<(), Box<Refusal>> {
        let octets: usize = rrset.iter().map(|rdata| rdata.wire().len()).sum();
        if rrset.len() > MAX_RECORDS_PER_RRSET || octets > MAX_RRSET_OCTETS {
            return Err(Box::new(Refusal::TooMuch(name.clone(), rrset.rtype)));
        }
        let (key, rtype) = (Key::of(name), rrset.rtype);
        let old = self.view.nodes.get(&key);
        let mut node = old.cloned().unwrap_or_else(|| Node::new(name.clone()));
        if rrset.is_empty() {
            node.rrsets.remove(&rrset.rtype);
        } else {
            node.rrsets.insert(rrset.rtype, SignedRrset::unsigned(rrset));
        }
        if node.rrsets.keys().filter(|rtype| counts(**rtype)).count() > MAX_TYPES_PER_NAME {
            return Err(Box::new(Refusal::TooMuch(name.clone(), rtype)));
        }
        self.touched.insert(key.clone());
        self.view.settle(key, node);
        Ok(())
    }

    /// Removes an RRset.
    pub(super) fn remove(&mut self, name: &Name, rtype: RrType) {
        let removed = self.put(name, Rrset::new(rtype, 0));
        debug_assert!(removed.is_ok(), "removing breaks no limit");
    }

    /// Puts the one NSEC3PARAM that is used at the apex (RFC 5155 §4). Its TTL is 0: it is for servers, not for caches.
    pub(super) fn put_nsec3param(&mut self) {
        let set = Rrset::of(RrType::NSEC3PARAM, 0, [nsec3::nsec3param_rdata()]);
        let origin = self.view.origin().clone();
        let put = self.put(&origin, set);
        debug_assert!(put.is_ok(), "what the cluster adds breaks no limit");
    }

    /// Sets the serial.
    pub(super) fn set_serial(&mut self, serial: u32) {
        let soa = Soa { serial, ..self.view.soa_fields() };
        let set = Rrset::of(RrType::SOA, self.view.soa().rrset.ttl, [soa.to_rdata()]);
        let origin = self.view.origin().clone();
        let put = self.put(&origin, set);
        debug_assert!(put.is_ok(), "one SOA for another breaks no limit");
    }

    /// RRset by RRset, what differs from `base`, in TTLs too.
    pub(super) fn changes(&self, base: &View) -> Vec<Change> {
        let mut changes = Vec::new();
        for key in &self.touched {
            let (before, after) = (base.nodes.get(key), self.view.nodes.get(key));
            let types: BTreeSet<RrType> = before
                .into_iter()
                .chain(after)
                .flat_map(|node| node.data().map(|(rtype, _)| rtype))
                .collect();
            for rtype in types {
                let set = |node: Option<&Node>| Some(Arc::clone(&node?.get(rtype)?.rrset));
                let (old, new) = (set(before), set(after));
                if old == new {
                    continue;
                }
                let lacks = |set: &Option<Arc<Rrset>>, other: &Option<Arc<Rrset>>| {
                    let is_in_other = |rdata| other.as_ref().is_some_and(|other| other.contains(rdata));
                    set.iter().flat_map(|set| set.iter()).filter(|rdata| !is_in_other(rdata)).count() as u64
                };
                let Some(node) = after.or(before) else { continue };
                let after = new.as_ref().map_or(0, |new| new.len());
                let (added, deleted) = (lacks(&new, &old), lacks(&old, &new));
                changes.push(Change { name: node.name().clone(), rtype, after, added, deleted });
            }
        }
        changes
    }

    /// Whether the data differ from `base`, in TTLs or in the case of letters too.
    pub(super) fn differs_from(&self, base: &View) -> bool {
        let data = |view: &View, key: &Key| -> Vec<Arc<Rrset>> {
            let node = view.nodes.get(key);
            node.map_or_else(Vec::new, |node| node.data().map(|(_, set)| Arc::clone(&set.rrset)).collect())
        };
        self.touched.iter().any(|key| data(base, key) != data(&self.view, key))
    }
}
