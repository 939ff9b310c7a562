//! New keys as they come in: their bundles, and the receipts of those who hold shares ([`super::bundle`]).
//!
//! A replica says a bundle in its own name when its operator imports it; one that is known already changes nothing.
//! Each replica has at most [`MAX_BUNDLES`] that are not complete; one more, and its oldest goes. A receipt counts if it
//! is right; a bundle with the receipts of all n is complete and stays, until its key is used, for rollovers to name.

use super::bundle::{Bundle, CheckedBundle, Receipt};
use super::machine::{Machine, Verdict};
use super::register::{Entry, Label};
use super::request::Kind;
use crate::codec::Digest;
use crate::dns::Rcode;
use crate::limits::{MAX_BUNDLES, MAX_REPLICAS};
use crate::quorum::ReplicaId;
use crate::time::AgreedTime;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeSet;

/// A bundle, and what is known of it.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct Deal {
    pub(super) bundle: Bundle,
    /// Whose replica brought it, and when: agreed time in seconds.
    pub(super) by: ReplicaId,
    at: u64,
    /// Who has its share, ascending.
    pub(super) holders: Vec<ReplicaId>,
    /// Whether a zone has taken its key.
    pub(super) is_used: bool,
}

impl Deal {
    /// What must hold of a restored one.
    pub(super) fn check(&self, time: AgreedTime) -> Result<(), String> {
        let fits = self.holders.len() <= usize::from(MAX_REPLICAS) && self.at <= time.secs();
        self.bundle.clone().check().map(|_| ()).and_then(|()| match fits {
            true => Ok(()),
            false => Err("a bundle cannot be this".into()),
        })
    }

    pub(super) fn is_complete(&self) -> bool {
        self.holders.len() == self.bundle.members.len()
    }
}

impl Machine {
    /// The bundle of this name, if it came.
    pub(super) fn deal(&self, name: &Digest) -> Option<&Deal> {
        match self.register.get(&Label::Deal(*name)) {
            Some(Entry::Deal(deal)) => Some(deal),
            _ => None,
        }
    }

    /// All bundles that came.
    pub(super) fn deals(&self) -> impl Iterator<Item = (&Digest, &Deal)> {
        self.register.iter().filter_map(|(label, entry)| match (label, entry) {
            (Label::Deal(name), Entry::Deal(deal)) => Some((name, &**deal)),
            _ => None,
        })
    }

    /// The bundles whose receipts by `replica` are lacking: it makes them if it has its share.
    pub fn unreceipted(&self, replica: ReplicaId) -> Vec<Digest> {
        let lacking = self.deals().filter(|(_, deal)| !deal.holders.contains(&replica));
        lacking.map(|(name, _)| *name).collect()
    }

    /// A replica brings a bundle.
    pub(super) fn bundle(&mut self, by: ReplicaId, bundle: Bundle) -> Verdict {
        let plain = |rcode| Verdict::plain(Kind::Internal, rcode);
        let ours = (self.realm.cluster, self.realm.epoch) == (bundle.cluster, bundle.epoch);
        if !ours || bundle.members != self.members || !self.zones.contains_key(&bundle.zone) {
            return plain(Rcode::REFUSED);
        }
        let Ok(bundle) = bundle.check() else { return plain(Rcode::FORMERR) };
        if self.deal(&bundle.name()).is_some() {
            return plain(Rcode::NOERROR);
        }
        let mut open: Vec<(u64, Digest)> = self
            .deals()
            .filter(|(_, deal)| deal.by == by && !deal.is_complete())
            .map(|(name, deal)| (deal.at, *name))
            .collect();
        open.sort_unstable();
        for (_, name) in open.iter().take((open.len() + 1).saturating_sub(MAX_BUNDLES)) {
            self.register.remove(&Label::Deal(*name), &mut self.tally);
        }
        let bundle = bundle.bundle().clone();
        let deal = Deal { bundle, by, at: self.time.secs(), holders: Vec::new(), is_used: false };
        self.register.put(Entry::Deal(Box::new(deal)), &mut self.tally);
        plain(Rcode::NOERROR)
    }

    /// A replica has its share of a bundle's key.
    pub(super) fn receipt(&mut self, receipt: &Receipt) -> Verdict {
        let plain = |rcode| Verdict::plain(Kind::Internal, rcode);
        let Some(deal) = self.deal(&receipt.bundle).cloned() else { return plain(Rcode::REFUSED) };
        if deal.holders.contains(&receipt.replica) {
            return plain(Rcode::NOERROR);
        }
        let checked = deal.bundle.clone().check();
        if !checked.is_ok_and(|bundle| bundle.verify(receipt).is_ok()) {
            return plain(Rcode::REFUSED);
        }
        let mut holders: BTreeSet<ReplicaId> = deal.holders.iter().copied().collect();
        holders.insert(receipt.replica);
        let deal = Deal { holders: holders.into_iter().collect(), ..deal };
        self.register.put(Entry::Deal(Box::new(deal)), &mut self.tally);
        plain(Rcode::NOERROR)
    }

    /// The bundles of these names, complete and unused, of keys of this zone; or what is wrong.
    pub(super) fn complete_bundles(
        &self,
        zone: &crate::dns::Name,
        names: &[Digest],
    ) -> Result<Vec<CheckedBundle>, String> {
        let bundle = |name: &Digest| {
            let deal = self.deal(name).ok_or_else(|| format!("no bundle {} has come", name.to_hex()))?;
            let (have, all) = (deal.holders.len(), deal.bundle.members.len());
            if deal.bundle.zone != *zone {
                return Err(format!("bundle {} is another zone's", name.to_hex()));
            }
            if !deal.is_complete() {
                return Err(format!("bundle {} has the receipts of {have} of {all} replicas", name.to_hex()));
            }
            if deal.is_used {
                return Err(format!("bundle {} was used before", name.to_hex()));
            }
            deal.bundle.clone().check()
        };
        names.iter().map(bundle).collect()
    }

    /// As if it had come with all receipts.
    #[cfg(test)]
    pub(super) fn put_complete(&mut self, bundle: Bundle) {
        let holders = (1..=bundle.members.len() as u8).filter_map(ReplicaId::new).collect();
        let by = ReplicaId::new(1).expect("a replica");
        let deal = Deal { bundle, by, at: self.time.secs(), holders, is_used: false };
        self.register.put(Entry::Deal(Box::new(deal)), &mut self.tally);
    }

    /// A zone has taken the key; what was taken before and has been replaced since goes.
    pub(super) fn mark_used(&mut self, name: &Digest) {
        let wanted = self.signing_keys();
        let is_past = |deal: &Deal| {
            let key = deal.bundle.clone().check().map(|bundle| bundle.key_id());
            deal.is_used && !key.is_ok_and(|key| wanted.contains(&key))
        };
        let past: Vec<Digest> =
            self.deals().filter(|(_, deal)| is_past(deal)).map(|(name, _)| *name).collect();
        for name in past {
            self.register.remove(&Label::Deal(name), &mut self.tally);
        }
        if let Some(mut deal) = self.deal(name).cloned() {
            deal.is_used = true;
            self.register.put(Entry::Deal(Box::new(deal)), &mut self.tally);
        }
    }
}
