//! New keys as they come in: their bundles, and the receipts of those who hold shares ([`super::bundle`]).
//!
//! A replica says a bundle in its own name when its operator imports it; one that is known already changes nothing.
//! Each replica has at most [`MAX_BUNDLES`] that are not complete; one more, and its oldest goes. A receipt counts if it
//! is right; a bundle with the receipts of all n is complete and stays, until its key is used, for rollovers to name.
//!
//! Looking at a receipt costs a proof's exponentiations, so of each replica one is looked at for each bundle, the first that it
//! has signed: whoever signs a wrong one has the key dealt again.

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
    /// Whose receipt was looked at and was wrong, ascending.
    wrong: Vec<ReplicaId>,
    /// Whether a zone has taken its key.
    pub(super) is_used: bool,
}

impl Deal {
    /// What must hold of a restored one.
    pub(super) fn check(&self, time: AgreedTime) -> Result<(), String> {
        let listed = self.holders.len() + self.wrong.len();
        let fits = listed <= usize::from(MAX_REPLICAS) && self.at <= time.secs();
        self.bundle.clone().check().map(|_| ()).and_then(|()| match fits {
            true => Ok(()),
            false => Err("a bundle cannot be this".into()),
        })
    }

    /// Whether a receipt of this replica was looked at.
    fn was_heard(&self, replica: ReplicaId) -> bool {
        self.holders.contains(&replica) || self.wrong.contains(&replica)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.holders.len() == self.bundle.members.len()
    }
}

impl Machine {
    /// What must hold of the bundles of a restored state: they are this cluster's, and every key that was not dealt with it has one.
    pub(super) fn check_deals(&self) -> Result<(), String> {
        let mut known = BTreeSet::new();
        for (_, deal) in self.deals() {
            if !self.is_ours(&deal.bundle) {
                return Err("a bundle of another cluster".into());
            }
            known.insert(deal.bundle.clone().check()?.key_id());
        }
        known.extend(&self.dealt);
        match self.signing_keys().is_subset(&known) {
            true => Ok(()),
            false => Err("a key that nobody has dealt".into()),
        }
    }

    fn is_ours(&self, bundle: &Bundle) -> bool {
        // The zone may be one that is to come.
        let ours = (self.realm.cluster, self.realm.epoch) == (bundle.cluster, bundle.epoch);
        ours && bundle.members == self.members
    }

    /// The bundle of this name, if it came.
    pub(super) fn deal(&self, name: &Digest) -> Option<&Deal> {
        match self.register.get(&Label::Deal(*name)) {
            Some(Entry::Deal(deal)) => Some(deal),
            _ => None,
        }
    }

    /// All bundles that came.
    pub(super) fn deals(&self) -> impl Iterator<Item = (&Digest, &Deal)> {
        let all = Label::Deal(Digest::default())..=Label::Deal(Digest([0xff; 32]));
        self.register.labelled(all).filter_map(|(label, entry)| match (label, entry) {
            (Label::Deal(name), Entry::Deal(deal)) => Some((name, &**deal)),
            _ => None,
        })
    }

    /// The bundles whose receipts by `replica` are lacking: it makes them if it has its share.
    pub fn unreceipted(&self, replica: ReplicaId) -> Vec<Digest> {
        let lacking = self.deals().filter(|(_, deal)| !deal.was_heard(replica));
        lacking.map(|(name, _)| *name).collect()
    }

    /// A replica brings a bundle.
    pub(super) fn bundle(&mut self, by: ReplicaId, bundle: Bundle) -> Verdict {
        let plain = |rcode| Verdict::plain(Kind::Internal, rcode);
        if !self.is_ours(&bundle) {
            return plain(Rcode::REFUSED);
        }
        let Ok(bundle) = bundle.check() else { return plain(Rcode::FORMERR) };
        if self.retired_keys().any(|retired| retired.has(bundle.public().modulus())) {
            return plain(Rcode::REFUSED);
        }
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
        let (holders, wrong) = (Vec::new(), Vec::new());
        let deal = Deal { bundle, by, at: self.time.secs(), holders, wrong, is_used: false };
        self.register.put(Entry::Deal(Box::new(deal)), &mut self.tally);
        plain(Rcode::NOERROR)
    }

    /// A replica has its share of a bundle's key.
    pub(super) fn receipt(&mut self, receipt: &Receipt) -> Verdict {
        let plain = |rcode| Verdict::plain(Kind::Internal, rcode);
        let Some(deal) = self.deal(&receipt.bundle) else { return plain(Rcode::REFUSED) };
        if deal.is_complete() || deal.was_heard(receipt.replica) {
            return plain(Rcode::NOERROR);
        }
        // What costs much comes last: the key is parsed, and the proof looked at, once a replica.
        if deal.bundle.holder(receipt.replica).is_none_or(|identity| !receipt.is_signed_by(identity)) {
            return plain(Rcode::REFUSED);
        }
        let mut deal = deal.clone();
        let is_right = deal.bundle.clone().check().is_ok_and(|bundle| bundle.verify(receipt).is_ok());
        let heard = if is_right { &mut deal.holders } else { &mut deal.wrong };
        heard.push(receipt.replica);
        heard.sort_unstable();
        self.register.put(Entry::Deal(Box::new(deal)), &mut self.tally);
        plain(if is_right { Rcode::NOERROR } else { Rcode::REFUSED })
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
        let deal = Deal { bundle, by, at: self.time.secs(), holders, wrong: Vec::new(), is_used: false };
        self.register.put(Entry::Deal(Box::new(deal)), &mut self.tally);
    }

    /// As if none had come.
    #[cfg(test)]
    pub(super) fn drop_deals(&mut self) {
        let names: Vec<Digest> = self.deals().map(|(name, _)| *name).collect();
        names.iter().for_each(|name| self.register.remove(&Label::Deal(*name), &mut self.tally));
    }

    /// A zone has taken the key; what was taken before and has been replaced since goes.
    pub(super) fn mark_used(&mut self, name: &Digest) {
        let wanted = self.signing_keys();
        let is_past = |deal: &Deal| {
            let key = || deal.bundle.clone().check().map(|bundle| bundle.key_id());
            deal.is_used && !key().is_ok_and(|key| wanted.contains(&key))
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
