//! Versions that wait for their signatures, and the check that none passes unless it is whole.
//!
//! Versions become visible in order. Each RRSIG is verified by a second implementation when it arrives
//! ([`super::signature::Signature::complete`]); a version whose RRSIGs are all there is checked as a whole:
//!
//! 1. no two keys of its DNSKEY RRset share a tag;
//! 2. at each changed name, each RRset that is signed is so by a key of each algorithm in this version's DNSKEY RRset, and
//!    each of its RRSIGs was verified under the key that made it;
//! 3. at each changed name, what is to be signed is, and nothing else;
//! 4. the NSEC or NSEC3 of each changed name, and of the owner before it in the chain, is as the data demand, and links on
//!    to the next owner.
//!
//! What a version does not change was checked before. A version that fails is reported and counted, and the last good one
//! stays up; its changes count as the next version's, which passes if it no longer has the fault.

use super::chain;
use super::request::{PublishFailure, Published, Signed};
use super::signature::Signature;
use super::view::{Key, Node, SignedRrset, View};
use crate::codec::JobId;
use crate::dns::{Name, Rdata, Rrset, dnssec};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// A version of which signatures may be lacking.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) number: u64,
    pub(super) view: Arc<View>,
    /// What it, or a failed one before it, has planned.
    pub(super) signatures: Vec<Arc<Signature>>,
    /// The names at which it, or a failed one before it, differs from the last good one.
    pub(super) affected: BTreeSet<Key>,
    /// How many of the signatures are known to have arrived, good or bad.
    arrived: usize,
    reported: bool,
}

impl Pending {
    pub(super) fn new(
        number: u64,
        view: Arc<View>,
        signatures: Vec<Arc<Signature>>,
        affected: BTreeSet<Key>,
    ) -> Self {
        Self { number, view, signatures, affected, arrived: 0, reported: false }
    }

    /// Whether nothing is waited for.
    fn is_ready(&mut self, refused: &BTreeMap<JobId, String>) -> bool {
        let arrived =
            |signature: &Arc<Signature>| signature.is_complete() || refused.contains_key(&signature.job);
        while self.signatures.get(self.arrived).is_some_and(arrived) {
            self.arrived += 1;
        }
        self.arrived == self.signatures.len() || planted!(PublishUnsigned)
    }

    /// The check before publication.
    fn check(&self, refused: &BTreeMap<JobId, String>) -> Result<(), String> {
        if let Some(lacking) = self.signatures.iter().find(|signature| !signature.is_complete()) {
            let reason = refused.get(&lacking.job).cloned();
            return Err(reason.unwrap_or_else(|| "a signature is lacking".into()));
        }
        let dnskeys = check_keys(&self.view)?;
        self.affected.iter().try_for_each(|key| check_name(&self.view, dnskeys, key))
    }

    /// Takes over the changes of a failed version before this one.
    fn inherit(&mut self, failed: Self) {
        let still_held = |signature: &Arc<Signature>| {
            let held = self.view.node(&signature.owner).and_then(|node| node.get(signature.rtype()));
            held.is_some_and(|held| held.signatures.plans().iter().any(|held| Arc::ptr_eq(held, signature)))
        };
        let held: Vec<_> = failed.signatures.into_iter().filter(still_held).collect();
        self.signatures.extend(held);
        self.affected.extend(failed.affected);
        self.arrived = 0;
    }
}

/// The versions of one zone that readers see or will see.
#[derive(Default)]
pub(super) struct Versions {
    pub(super) published: Option<Published>,
    pub(super) pending: VecDeque<Pending>,
    /// Signatures that do not verify, and why; a good one may still come.
    refused: BTreeMap<JobId, String>,
}

impl Versions {
    pub(super) fn refuse(&mut self, job: JobId, reason: String) {
        self.refused.insert(job, reason);
    }

    /// Publishes what is whole, in order.
    pub(super) fn advance(&mut self, zone: &Name, signed: &mut Signed) {
        while let Some(front) = self.pending.front_mut() {
            if !front.is_ready(&self.refused) {
                return;
            }
            let checked = front.check(&self.refused);
            if let (Err(reason), false) = (checked, planted!(PublishUnsigned)) {
                if !std::mem::replace(&mut front.reported, true) {
                    signed.failures.push(PublishFailure {
                        zone: zone.clone(),
                        version: front.number,
                        reason,
                    });
                }
                if self.pending.len() == 1 {
                    return;
                }
                let failed = self.pending.pop_front();
                failed
                    .into_iter()
                    .zip(self.pending.front_mut())
                    .for_each(|(failed, next)| next.inherit(failed));
            } else if let Some(good) = self.pending.pop_front() {
                let published = Published { zone: zone.clone(), version: good.number, view: good.view };
                self.published = Some(published.clone());
                signed.published.push(published);
                if self.pending.is_empty() {
                    self.refused.clear();
                }
            }
        }
    }

    /// Forgets that a job's signature was bad.
    pub(super) fn accept(&mut self, job: JobId) {
        self.refused.remove(&job);
    }
}

fn check_keys(view: &View) -> Result<&Rrset, String> {
    let dnskeys = view.dnskeys().ok_or("there is no DNSKEY RRset")?;
    let mut tags = BTreeSet::new();
    for dnskey in dnskeys.rrset.iter() {
        let tag = dnssec::key_tag(dnskey.wire());
        if !tags.insert(tag) {
            return Err(format!("two keys have the tag {tag}"));
        }
    }
    Ok(&dnskeys.rrset)
}

/// RFC 4035 §2.2: of each algorithm in the DNSKEY RRset there is a signature.
fn check_signers(node: &Node, set: &SignedRrset, dnskeys: &Rrset) -> Result<(), String> {
    let (plans, rtype) = (set.signatures.plans(), set.rrset.rtype);
    let signs = |dnskey: &Rdata| plans.iter().any(|plan| plan.dnskey == *dnskey);
    let algorithms =
        |keys: &mut dyn Iterator<Item = &Rdata>| keys.map(|key| key.wire()[3]).collect::<BTreeSet<_>>();
    let (all, by) =
        (algorithms(&mut dnskeys.iter()), algorithms(&mut dnskeys.iter().filter(|key| signs(key))));
    match all.difference(&by).next() {
        Some(algorithm) => Err(format!(
            "{} {rtype} is signed by no key of the DNSKEY RRset of algorithm {algorithm}",
            node.name()
        )),
        None => Ok(()),
    }
}

fn check_name(view: &View, dnskeys: &Rrset, key: &Key) -> Result<(), String> {
    let standing = view.standing(key);
    if let Some(node) = view.nodes.get(key) {
        for (rtype, set) in node.iter() {
            if set.rrsigs().is_empty() == chain::is_signed(standing, rtype) {
                return Err(format!("{} {rtype} has {} signatures", node.name(), set.rrsigs().len()));
            }
            if chain::is_signed(standing, rtype) {
                check_signers(node, set, dnskeys)?;
            }
        }
    }
    chain::check(view, key)
}
