//! RFC 2136 and the known pitfalls, clause by clause.

mod chain;
mod denial;
mod lies;
mod lifecycle;
mod placed;
mod policy;
mod policy_vs_bind;
mod refresh;
mod refusals;
mod restore;
mod rfc2136;
mod rollover;
mod succession;
mod votes;
mod vouch;
mod zones;

use super::testing::*;
use super::view::View;
use crate::dns::{RrType, dnssec};
use std::collections::BTreeSet;

const ZONE: &str = "
    example. 3600 SOA ns1.example. admin.example. 5 3600 600 86400 300
    example. 3600 NS ns1.example.
    example. 3600 NS ns2.example.
    ns1.example. 3600 A 192.0.2.1
    ns2.example. 3600 A 192.0.2.2
    www.example. 600 A 192.0.2.80
    www.example. 600 A 192.0.2.81
    alias.example. 600 CNAME www.example.
    a.deep.below.example. 600 TXT hello
    sub.example. 600 NS ns.sub.example.
    ns.sub.example. 600 A 192.0.2.53
";

fn bench() -> Bench {
    Bench::new("example.", ZONE)
}

/// The text forms of an RRset's data, sorted; empty if there is none.
fn data(view: &View, owner: &str, rtype: RrType) -> Vec<String> {
    let node = view.node(&name(owner));
    let set = node.and_then(|node| node.get(rtype));
    let text = |rdata| crate::dns::rdata::to_text(rtype, rdata);
    let mut data: Vec<String> = set.map_or_else(Vec::new, |set| set.rrset.iter().map(text).collect());
    data.sort();
    data
}

/// Whether the RRset is there and signed.
fn is_signed(view: &View, owner: &str, rtype: RrType) -> bool {
    let node = view.node(&name(owner));
    node.and_then(|node| node.get(rtype)).is_some_and(|set| !set.rrsigs().is_empty())
}

/// The next name and the types of the NSEC at `owner`.
fn nsec(view: &View, owner: &str) -> Option<(String, BTreeSet<RrType>)> {
    let nsec = view.node(&name(owner))?.get(RrType::NSEC)?;
    let (next, types) = dnssec::parse_nsec(&nsec.rrset.rdatas[0])?;
    Some((next.to_string(), types))
}

fn types(listed: &[RrType]) -> BTreeSet<RrType> {
    listed.iter().copied().chain([RrType::NSEC, RrType::RRSIG]).collect()
}
