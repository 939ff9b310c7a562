//! The chain of denial, mended where names came, went, or changed what they are: of NSEC (RFC 4034 §4, RFC 4035 §2.3) or
//! NSEC3 (RFC 5155 §7.1). A zone with NSEC3PARAM at its apex has NSEC3.
//!
//! Every authoritative name with records and every delegation has one record of the chain; glue and occluded names have none.
//! Its TTL is the lesser of the SOA's TTL and MINIMUM (RFC 9077), so a change of these makes the whole chain anew.
//!
//! - An NSEC is at the name itself. Its next name is the next owner in canonical order, in lower case, from the last around
//!   to the apex; its types are those that are there, at a delegation only NS and DS, and always NSEC and RRSIG.
//! - An NSEC3 is under the apex, at the name's hash, which owns nothing by this. Empty non-terminals have one too, of no
//!   types. Its next hash is that of the next owner; RRSIG is among its types where something at the name is signed: not at a
//!   delegation without DS.
//!
//! A delegation or DNAME that comes or goes hides or frees all names below it: these are looked at again, and only these; and
//! with NSEC3 the names above, which may be empty non-terminals or no longer. A zone that changes from one kind of chain to
//! the other does so at once: all of one is replaced by all of the other.

use super::hashed::hash_of;
use super::view::{Denial, Key, Node, SignedRrset, Standing, View};
use crate::dns::{Name, RrType, Rrset, dnssec, nsec3};
use std::collections::BTreeSet;

/// Mends the chain of `head`, whose data differ from those of `base` at most at the `touched` names. Gives all names
/// that may need other signatures: the touched, the hidden and freed, and the owners of changed records of the chain.
pub(super) fn mend(base: &View, head: &mut View, touched: &BTreeSet<Key>) -> BTreeSet<Key> {
    let mut affected = touched.clone();
    for key in touched {
        if hides(base, key) != hides(head, key) {
            affected.extend(head.below(key).cloned());
        }
    }
    if base.denial() != head.denial() {
        affected.extend(drop_chain(head));
        affected.extend(head.nodes.keys().cloned());
    }
    let mut names = affected.clone();
    if head.denial() == Denial::Nsec3 {
        names.extend(affected.iter().flat_map(|name| head.between(name)));
    }
    let (mut owners, mut moved) = (BTreeSet::new(), Vec::new());
    for name in &names {
        let (owner, owns) = (owner(head, name), owns(head, name));
        if owns != is_linked(head, &owner, name) {
            moved.push(owner.clone());
            if owns {
                head.chain.insert_mut(owner.clone(), name.clone());
            } else {
                head.chain.remove_mut(&owner);
                drop_record(head, &owner);
            }
            owners.insert(owner);
        } else if owns {
            owners.insert(owner);
        }
    }
    // Moved names change the next name of the owner before them.
    let moved = if planted!(ChainNotMended) { Vec::new() } else { moved };
    owners.extend(moved.iter().filter_map(|key| head.chain_before(key).cloned()));
    if ttl(base) != ttl(head) {
        owners.extend(head.chain.keys().cloned());
    }
    for owner in &owners {
        relink(head, owner);
    }
    affected.extend(owners);
    affected
}

/// The chain of a view whose data are all there, by the data alone.
pub(super) fn rebuild(view: &mut View) {
    let mut names: BTreeSet<Key> = view.nodes.keys().cloned().collect();
    if view.denial() == Denial::Nsec3 {
        let above: Vec<Key> = names.iter().flat_map(|name| view.between(name)).collect();
        names.extend(above);
    }
    for name in names.into_iter().filter(|name| owns(view, name)).collect::<Vec<_>>() {
        view.chain.insert_mut(owner(view, &name), name);
    }
}

/// Whether an RRset of this type is signed at a name that is this.
pub(super) fn is_signed(standing: Standing, rtype: RrType) -> bool {
    match standing {
        // It is the hash that owns it, whatever the name would be.
        _ if rtype == RrType::NSEC3 => true,
        Standing::Authoritative => true,
        Standing::Cut => matches!(rtype, RrType::DS | RrType::NSEC),
        Standing::Occluded | Standing::Absent => false,
    }
}

/// That the records of the chain which speak of the name at `key`, which it owns, and which lead there are what the data
/// demand.
pub(super) fn check(view: &View, key: &Key) -> Result<(), String> {
    let owner = owner(view, key);
    if owns(view, key) != is_linked(view, &owner, key) {
        return Err("a name is in the chain that owns no NSEC, or the other way round".into());
    }
    for at in BTreeSet::from([key, &owner]) {
        check_link(view, at)?;
        let before = view.chain_before(at).filter(|_| !planted!(ChainNotMended));
        before.map_or(Ok(()), |before| check_link(view, before))?;
    }
    Ok(())
}

/// That the record of the chain at `key` is what the data demand, and leads to the next owner.
fn check_link(view: &View, key: &Key) -> Result<(), String> {
    let (node, rtype) = (view.nodes.get(key), rtype(view));
    let held = |rtype| node.and_then(|node| node.get(rtype)).map(|set| &*set.rrset);
    let wrong = |why: &str| {
        let name = node.map_or_else(|| key.name(), |node| node.name().clone());
        Err(format!("the {rtype} of {name} {why}"))
    };
    if held(rtype) != record(view, key).as_ref() || held(other(rtype)).is_some() {
        return wrong("is not what its data demand");
    }
    let Some(rdata) = held(rtype).and_then(|held| held.rdatas.first()) else { return Ok(()) };
    let next = match view.denial() {
        Denial::Nsec => dnssec::parse_nsec(rdata).map(|(next, _)| Key::of(&next)),
        Denial::Nsec3 => nsec3::parse_nsec3(rdata).map(|(next, _)| view.hashed_key(&next)),
    };
    if next.as_ref().is_none_or(|next| Some(next) != view.chain_after(key)) {
        return wrong("does not lead to the next owner");
    }
    Ok(())
}

/// The type of the chain's records, and the one they are not.
fn rtype(view: &View) -> RrType {
    match view.denial() {
        Denial::Nsec => RrType::NSEC,
        Denial::Nsec3 => RrType::NSEC3,
    }
}

fn other(rtype: RrType) -> RrType {
    if rtype == RrType::NSEC { RrType::NSEC3 } else { RrType::NSEC }
}

/// Which name owns the record that speaks of `name`.
fn owner(view: &View, name: &Key) -> Key {
    match view.denial() {
        Denial::Nsec => name.clone(),
        Denial::Nsec3 => view.hashed_key(&hash_of(name)),
    }
}

/// Whether the chain is to have a record that speaks of `name`.
fn owns(view: &View, name: &Key) -> bool {
    match view.standing(name) {
        Standing::Authoritative | Standing::Cut => true,
        Standing::Occluded => false,
        Standing::Absent => view.denial() == Denial::Nsec3 && view.is_empty_non_terminal(name),
    }
}

fn is_linked(view: &View, owner: &Key, name: &Key) -> bool {
    view.chain.get(owner) == Some(name)
}

/// The record of the chain that this name owns; none if it owns none.
fn record(view: &View, owner: &Key) -> Option<Rrset> {
    let (name, next) = (view.chain.get(owner)?, view.chain_after(owner)?);
    let standing = view.standing(name);
    let is_shown =
        |rtype: &RrType| standing == Standing::Authoritative || matches!(*rtype, RrType::NS | RrType::DS);
    let data = view.nodes.get(name).into_iter().flat_map(|node| node.data().map(|(rtype, _)| rtype));
    let mut types: BTreeSet<RrType> = data.filter(is_shown).collect();
    let rdata = match view.denial() {
        Denial::Nsec => {
            types.extend([RrType::NSEC, RrType::RRSIG]);
            let next: Name = view.nodes.get(next)?.name().to_lowercase();
            dnssec::nsec_rdata(&next, &types)
        }
        Denial::Nsec3 => {
            if types.iter().any(|rtype| is_signed(standing, *rtype)) {
                types.insert(RrType::RRSIG);
            }
            nsec3::nsec3_rdata(&hash_of(view.chain.get(next)?), &types)
        }
    };
    Some(Rrset::of(rtype(view), ttl(view)?, [rdata]))
}

/// The TTL of the chain's records (RFC 9077); none before there is a SOA.
fn ttl(view: &View) -> Option<u32> {
    view.apex().get(RrType::SOA).map(|soa| soa.rrset.ttl.min(view.soa_fields().minimum))
}

fn hides(view: &View, key: &Key) -> bool {
    view.nodes.get(key).is_some_and(|node| {
        node.get(RrType::DNAME).is_some() || (key != view.apex_key() && node.get(RrType::NS).is_some())
    })
}

fn relink(view: &mut View, owner: &Key) {
    let Some(wanted) = record(view, owner) else { return };
    let held = view.nodes.get(owner);
    if held.and_then(|node| node.get(wanted.rtype)).is_some_and(|held| *held.rrset == wanted) {
        return;
    }
    // Only hashes own records where nothing else is.
    let new = || {
        let hash = view.chain.get(owner).map(hash_of);
        Node::new(hash.and_then(|hash| hash.owner(view.origin())).unwrap_or_else(|| owner.name()))
    };
    let mut node = held.cloned().unwrap_or_else(new);
    node.rrsets.insert(wanted.rtype, SignedRrset::unsigned(wanted));
    view.settle(owner.clone(), node);
}

fn drop_record(view: &mut View, owner: &Key) {
    if let Some(mut node) = view.nodes.get(owner).cloned() {
        node.rrsets.retain(|rtype, _| !matches!(*rtype, RrType::NSEC | RrType::NSEC3));
        view.settle(owner.clone(), node);
    }
}

/// Takes the whole chain away, of whichever kind; gives the names that owned a record.
fn drop_chain(view: &mut View) -> Vec<Key> {
    let owners: Vec<Key> = view.chain.keys().cloned().collect();
    view.chain = Default::default();
    owners.iter().for_each(|owner| drop_record(view, owner));
    owners
}
