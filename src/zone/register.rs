//! What the state holds beside the zones and the answers: entries, each under a label of its own.
//!
//! Each is an element of the state ([`super::element`]), and so in digests, snapshots and restored machines without further
//! ado. Whoever keeps something here gives [`Entry`] a variant, its label, and the check of what a restored one must
//! fulfil so that nothing can go wrong with it later.

use super::catalog::Catalog;
use super::command::Command;
use super::deals::Deal;
use super::digest::Tally;
use super::element;
use super::guard::Deletions;
use super::parcels::{Awaited, Carried};
use super::refresh::{Receiver, Sharing};
use super::removed::Removed;
use super::votes::{self, Decided, Voter, Who};
use super::vouch::Vouch;
use crate::codec::{Digest, KeyId};
use crate::dns::Name;
use crate::limits::REPLAY_WINDOW_MS;
use crate::quorum::ReplicaId;
use crate::time::{AgreedTime, DAY, SECOND};
use borsh::{BorshDeserialize, BorshSerialize};
use rpds::RedBlackTreeMapSync;
use std::ops::RangeBounds;

/// Under which an entry is found. Those of a kind stand together, in the order of this list.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub(super) enum Label {
    Voter(Who),
    Command(Digest),
    Decided(u64),
    Sharing(KeyId),
    Receiver(KeyId, ReplicaId),
    Deal(Digest),
    Progress(ReplicaId),
    Deletions(Name, u16),
    Vouch(ReplicaId, Name, Digest),
    Usage(Name),
    Catalog,
    Removed(u64, Name),
    Awaited(Digest),
    Parcel(Digest, u32),
}

/// An entry.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) enum Entry {
    /// The votes of a replica or an operator.
    Voter(Voter),
    /// A command that somebody has voted for.
    Command(Command),
    /// A command that had its votes.
    Decided(Decided),
    /// How a key is shared since it was first to be refreshed.
    Sharing(Sharing),
    /// How a replica is dealt shares of a key.
    Receiver(Receiver),
    /// A new key.
    Deal(Box<Deal>),
    /// How many batches a replica says that it has executed.
    Progress(ReplicaId, u64),
    /// What was deleted in a zone under a ceiling.
    Deletions(Deletions),
    /// What a replica vouches for.
    Vouch(Vouch),
    /// What a key, in lower case, has asked for lately ([`crate::dns::tsig::Quota`]); and the second until which lasts what was refused
    /// because it was too much, 0 if nothing was.
    Usage(Name, u64, u64),
    /// The catalog zone.
    Catalog(Catalog),
    /// The keys of a zone that went.
    Removed(Removed),
    /// A command that waits for its contents.
    Awaited(Box<Awaited>),
    /// A piece of these.
    Parcel(Carried),
}

impl Entry {
    pub(super) fn label(&self) -> Label {
        match self {
            Self::Voter(voter) => Label::Voter(voter.who),
            Self::Command(command) => Label::Command(command.digest()),
            Self::Decided(decided) => Label::Decided(decided.number),
            Self::Deal(deal) => Label::Deal(deal.bundle.digest()),
            Self::Progress(who, _) => Label::Progress(*who),
            Self::Deletions(held) => Label::Deletions(held.zone.clone(), held.guard),
            Self::Vouch(held) => Label::Vouch(held.who, held.key.clone(), held.change),
            Self::Usage(key, ..) => Label::Usage(key.clone()),
            Self::Catalog(_) => Label::Catalog,
            Self::Removed(removed) => Label::Removed(removed.batch, removed.zone.clone()),
            Self::Awaited(awaited) => Label::Awaited(awaited.command.digest()),
            Self::Parcel(carried) => Label::Parcel(carried.contents, carried.index),
            Self::Sharing(sharing) => Label::Sharing(sharing.key),
            Self::Receiver(receiver) => Label::Receiver(receiver.key, receiver.who),
        }
    }

    /// What must hold of an entry of a state of this time, after so many batches, whoever certified it.
    pub(super) fn check(&self, time: AgreedTime, batches: u64) -> Result<(), String> {
        match self {
            Self::Voter(voter) => votes::check_voter(voter, time),
            Self::Command(_) | Self::Receiver(_) | Self::Progress(..) => Ok(()),
            Self::Sharing(sharing) => sharing.check(),
            Self::Decided(decided) => votes::check_decided(decided, time),
            Self::Deal(deal) => deal.check(time),
            Self::Deletions(held) => held.check(),
            Self::Vouch(held) => held.check(time),
            // A burst is at most what a day brings, and each update is rounded up by a microsecond.
            Self::Usage(_, full, barred)
                if full / 1_000 > time.0.saturating_add(2 * DAY)
                    || *barred > time.secs().saturating_add(REPLAY_WINDOW_MS / SECOND) =>
            {
                Err("what a key has asked for cannot be this".into())
            }
            Self::Usage(..) => Ok(()),
            Self::Catalog(catalog) => catalog.check(),
            Self::Removed(removed) => removed.check(batches),
            Self::Awaited(awaited) => awaited.check(time),
            Self::Parcel(carried) => carried.check(),
        }
    }
}

/// All entries. Persistent: snapshots share them.
#[derive(Clone, Default)]
pub(super) struct Register(RedBlackTreeMapSync<Label, Entry>);

impl Register {
    pub(super) fn get(&self, label: &Label) -> Option<&Entry> {
        self.0.get(label)
    }

    /// In the order of their labels.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&Label, &Entry)> {
        self.0.iter()
    }

    /// Those of a range of labels, with their labels.
    pub(super) fn labelled(&self, labels: impl RangeBounds<Label>) -> impl Iterator<Item = (&Label, &Entry)> {
        self.0.range(labels)
    }

    /// Those of a range of labels.
    pub(super) fn range(&self, labels: impl RangeBounds<Label>) -> impl DoubleEndedIterator<Item = &Entry> {
        self.0.range(labels).map(|(_, entry)| entry)
    }

    /// Puts an entry in the place of the one with its label.
    pub(super) fn put(&mut self, entry: Entry, tally: &mut Tally) {
        let label = entry.label();
        self.remove(&label, tally);
        tally.bucket(element::bucket_of_entry(&label)).insert(&element::entry(&entry));
        self.0.insert_mut(label, entry);
    }

    pub(super) fn remove(&mut self, label: &Label, tally: &mut Tally) {
        if let Some(entry) = self.0.get(label) {
            tally.bucket(element::bucket_of_entry(label)).remove(&element::entry(entry));
            self.0.remove_mut(label);
        }
    }

    /// Takes over what is tallied already.
    pub(super) fn restore(&mut self, entry: Entry) {
        self.0.insert_mut(entry.label(), entry);
    }
}
