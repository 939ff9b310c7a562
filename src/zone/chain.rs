//! The NSEC chain (RFC 4034 §4, RFC 4035 §2.3), mended where names came, went, or changed what they are.
//!
//! Every authoritative name with records and every delegation owns one NSEC; glue, occluded names and empty
//! non-terminals own none. Its next name is the next owner in canonical order, in lower case, from the last around to the
//! apex; its types are those that are there, at a delegation only NS and DS, and always NSEC and RRSIG. Its TTL is
//! the lesser of the SOA's TTL and MINIMUM (RFC 9077), so a change of these makes the whole chain anew.
//!
//! A delegation or DNAME that comes or goes hides or frees all names below it: these are looked at again, and only these.

use super::view::{Key, SignedRrset, Standing, View};
use crate::dns::dnssec;
use crate::dns::{RrType, Rrset};
use std::collections::BTreeSet;

/// Mends the chain of `head`, whose data differ from those of `base` at most at the `touched` names. Gives all
/// names that may need other signatures: the touched, the hidden and freed, and the owners of changed NSECs.
pub(super) fn mend(base: &View, head: &mut View, touched: &BTreeSet<Key>) -> BTreeSet<Key> {
    let mut affected = touched.clone();
    for key in touched {
        if hides(base, key) != hides(head, key) {
            affected.extend(head.below(key).cloned());
        }
    }
    let mut moved = Vec::new();
    for key in &affected {
        let owns = owns_nsec(head.standing(key));
        if owns != head.chain.contains_key(key) {
            moved.push(key.clone());
            if owns {
                head.chain.insert_mut(key.clone(), ());
            } else {
                head.chain.remove_mut(key);
                drop_nsec(head, key);
            }
        }
    }
    // Moved names change the next name of the owner before them.
    let moved = if planted!(ChainNotMended) { Vec::new() } else { moved };
    let before: Vec<Key> = moved.iter().filter_map(|key| head.chain_before(key).cloned()).collect();
    affected.extend(before);
    if ttl(base) != ttl(head) {
        affected.extend(head.chain.keys().cloned());
    }
    for key in &affected {
        relink(head, key);
    }
    affected
}

pub(super) fn owns_nsec(standing: Standing) -> bool {
    matches!(standing, Standing::Authoritative | Standing::Cut)
}

/// Whether an RRset of this type is signed at a name that is this.
pub(super) fn is_signed(standing: Standing, rtype: RrType) -> bool {
    match standing {
        Standing::Authoritative => true,
        Standing::Cut => matches!(rtype, RrType::DS | RrType::NSEC),
        Standing::Occluded | Standing::Absent => false,
    }
}

/// The NSEC that this name owns; none if it owns none.
pub(super) fn nsec(view: &View, key: &Key) -> Option<Rrset> {
    let standing = view.standing(key);
    let node = view.nodes.get(key).filter(|_| owns_nsec(standing))?;
    let next = view.nodes.get(view.chain_after(key)?)?.name().to_lowercase();
    let is_shown =
        |rtype: &RrType| standing == Standing::Authoritative || matches!(*rtype, RrType::NS | RrType::DS);
    let mut types: BTreeSet<RrType> = node.data().map(|(rtype, _)| rtype).filter(is_shown).collect();
    types.extend([RrType::NSEC, RrType::RRSIG]);
    Some(Rrset::of(RrType::NSEC, ttl(view)?, [dnssec::nsec_rdata(&next, &types)]))
}

/// The TTL of NSECs (RFC 9077); none before there is a SOA.
fn ttl(view: &View) -> Option<u32> {
    view.apex().get(RrType::SOA).map(|soa| soa.rrset.ttl.min(view.soa_fields().minimum))
}

fn hides(view: &View, key: &Key) -> bool {
    let Some(node) = view.nodes.get(key) else { return false };
    node.get(RrType::DNAME).is_some() || (key != view.apex_key() && node.get(RrType::NS).is_some())
}

fn relink(view: &mut View, key: &Key) {
    let Some(wanted) = nsec(view, key) else { return };
    let Some(node) = view.nodes.get(key) else { return };
    if node.get(RrType::NSEC).is_some_and(|held| *held.rrset == wanted) {
        return;
    }
    let mut node = node.clone();
    node.rrsets.insert(RrType::NSEC, SignedRrset::unsigned(wanted));
    view.settle(key.clone(), node);
}

fn drop_nsec(view: &mut View, key: &Key) {
    if let Some(mut node) = view.nodes.get(key).cloned() {
        node.rrsets.remove(&RrType::NSEC);
        view.settle(key.clone(), node);
    }
}
