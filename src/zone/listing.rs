//! All records of a version in canonical order, signatures included: what an export and a transfer consist of.

use super::view::{Node, View};
use crate::dns::{Class, Name, Rdata, Record, RrType};
use std::ops::Bound;

impl Node {
    /// The records by type, and within a type in canonical order; signatures by what they cover.
    pub fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let mut signatures = Vec::new();
        for (rtype, signed) in self.iter() {
            let record = |rtype: RrType, rdata: &Rdata| Record {
                name: self.name().clone(),
                rtype,
                class: Class::IN,
                ttl: signed.rrset.ttl,
                rdata: rdata.clone(),
            };
            records.extend(signed.rrset.rdatas.iter().map(|rdata| record(rtype, rdata)));
            signatures.extend(signed.rrsigs().iter().map(|rdata| record(RrType::RRSIG, rdata)));
        }
        records.extend(signatures);
        // Stable: what is equal in type is in order already.
        records.sort_by_key(|record| record.rtype);
        records
    }
}

impl View {
    /// The first node after `name` in canonical order; after none, the apex.
    pub fn node_after(&self, name: Option<&Name>) -> Option<&Node> {
        let Some(name) = name else { return Some(self.apex()) };
        let key = name.sort_key();
        let bounds = (Bound::Excluded(key.as_slice()), Bound::Unbounded);
        self.nodes.range::<[u8], _>(bounds).next().map(|(_, node)| node)
    }
}
