//! Zones that went: what is still to be known of their keys.
//!
//! With a zone its versions go at once, and nothing waits for signatures by its keys; but others may lack signatures of batches
//! before. So its keys are *wanted* for P batches more, as those that a rollover replaces ([`super::keys`]). Then their shares are
//! to be destroyed, and nobody signs with them again, in whatever zone: they are remembered as *retired*, those of the last
//! [`MAX_REMOVED_ZONES`] zones that went.

use super::keys::{KeySet, ZoneKey};
use super::machine::Machine;
use super::register::{Entry, Label};
use crate::codec::Digest;
use crate::dns::Name;
use crate::limits::{MAX_PIECE_BYTES, MAX_REMOVED_ZONES, MAX_RETIRED_KEYS, PIPELINE_BATCHES};
use crate::threshold::RetiredKey;
use borsh::{BorshDeserialize, BorshSerialize};

/// Keys that a zone can have, those that leave among them; of all that went by that name in one batch, some more.
const MAX_LEAVING: usize = 32;
/// Of these, and those that they replaced.
const MAX_RETIRED: usize = 128;
const _: () = assert!(MAX_RETIRED > MAX_RETIRED_KEYS + MAX_LEAVING);
// A key has some 600 octets, a retired one 64.
const _: () = assert!(MAX_LEAVING * 600 + MAX_RETIRED * 64 + 512 < MAX_PIECE_BYTES);

/// A zone that went.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct Removed {
    /// In lower case.
    pub(super) zone: Name,
    /// With this batch.
    pub(super) batch: u64,
    /// Its keys, for P batches.
    pub(super) leaving: Vec<ZoneKey>,
    /// Its keys afterwards, and those that went before it.
    retired: Vec<RetiredKey>,
}

impl Removed {
    /// What must hold of a restored one, after so many batches.
    pub(super) fn check(&self, batches: u64) -> Result<(), String> {
        let fits = self.leaving.len() <= MAX_LEAVING && self.retired.len() <= MAX_RETIRED;
        // Else it would never settle; and zones are told apart by their labels' octets.
        match fits
            && self.batch <= batches
            && is_lower(&self.zone)
            && self.leaving.iter().all(ZoneKey::is_key)
        {
            true => Ok(()),
            false => Err("a zone that went cannot have had these keys".into()),
        }
    }
}

/// Whether no letter of a name is a capital.
pub(super) fn is_lower(name: &Name) -> bool {
    !name.wire().iter().any(u8::is_ascii_uppercase)
}

impl Machine {
    pub(super) fn removed(&self) -> impl Iterator<Item = &Removed> {
        let all = Label::Removed(0, Name::root())..Label::Awaited(Digest::default());
        self.register.range(all).filter_map(|entry| match entry {
            Entry::Removed(removed) => Some(removed),
            _ => None,
        })
    }

    /// A zone goes; an error if so many went just now that there is no room to remember one more.
    pub(super) fn remember_removed(&mut self, zone: &Name, keys: &KeySet) -> Result<(), String> {
        let full = || Err("too many zones were removed just now: some batches more".into());
        let (zone, batch) = (zone.to_lowercase(), self.batches);
        let label = Label::Removed(batch, zone.clone());
        let mut removed = match self.register.get(&label) {
            Some(Entry::Removed(removed)) => removed.clone(),
            _ => Removed { zone, batch, leaving: Vec::new(), retired: Vec::new() },
        };
        removed.leaving.extend(keys.wanted().cloned());
        removed.retired.extend(keys.retired());
        if removed.leaving.len() > MAX_LEAVING || removed.leaving.len() + removed.retired.len() > MAX_RETIRED
        {
            return full();
        }
        if self.removed().count() >= MAX_REMOVED_ZONES && self.register.get(&label).is_none() {
            let oldest = self.removed().find(|removed| removed.leaving.is_empty());
            let Some(oldest) = oldest.map(|oldest| Label::Removed(oldest.batch, oldest.zone.clone())) else {
                return full();
            };
            self.register.remove(&oldest, &mut self.tally);
        }
        self.register.put(Entry::Removed(removed), &mut self.tally);
        Ok(())
    }

    /// Whether keys of zones that went may still be wanted.
    pub(super) fn has_leaving_zones(&self) -> bool {
        self.removed().any(|removed| !removed.leaving.is_empty())
    }

    /// Nobody lacks signatures by keys that went P batches ago. Gives whether there were any.
    pub(super) fn settle_removed(&mut self) -> bool {
        let is_past = |removed: &&Removed| {
            !removed.leaving.is_empty() && removed.batch + PIPELINE_BATCHES <= self.batches
        };
        let past: Vec<Removed> = self.removed().filter(is_past).cloned().collect();
        let is_any = !past.is_empty();
        for mut removed in past {
            let leaving = std::mem::take(&mut removed.leaving);
            removed.retired.extend(leaving.iter().map(ZoneKey::retired));
            self.register.put(Entry::Removed(removed), &mut self.tally);
        }
        is_any
    }

    /// The keys that zones that went had, and that are wanted no more.
    pub(super) fn retired_with_zones(&self) -> impl Iterator<Item = RetiredKey> {
        self.removed().flat_map(|removed| removed.retired.iter().copied())
    }
}
