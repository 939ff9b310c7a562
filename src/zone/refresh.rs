//! Refreshes of keys in the order: who can be dealt to, who has dealt, and which sharing of a key is in force.
//!
//! 1. *Command.* `refresh ZONE TAG`, voted for by a quorum, begins one, or begins it anew.
//! 2. *Offers.* Each replica makes a key pair for this refresh alone and says its public half ([`Saying::Offer`]). When q have, and
//!    of every replica some key is known, these keys are fixed: what comes later waits for the end. A replica that is away is
//!    dealt to under the key that it offered last.
//! 3. *Dealings.* Each replica says one ([`Saying::Dealing`]); the first of each is looked at, once, and the valid ones
//!    are added up ([`crate::threshold::refresh`]).
//! 4. *The switch.* With the (t+1)th valid dealing the new sharing is in force, in that batch, for every job that is not signed. What each
//!    replica's share grows by waits here, one ciphertext a replica, until the replica says that it has taken it, by
//!    offering its next key; a later refresh adds to what waits. So who was away finds everything in the state.
//!
//! Offers are numbered by the replica that makes them, and only a greater number counts: an old one ordered again would bring
//! back a key that is wiped. An offer is looked at while it is awaited only: one a replica in step 2, and one when it has something
//! to take. So nobody makes the others work at will. All of it is public; nothing here is secret.
//!
//! A replica that has never offered a key holds up a refresh until it does: it would be left without a share, which only a
//! dealer could give back. After its first offer its absence holds up nothing.

use super::machine::{Machine, Verdict};
use super::register::{Entry, Label};
use super::request::Kind;
use super::said::{Said, Saying};
use crate::codec::{self, Digest, KeyId};
use crate::dns::{Name, Rcode};
use crate::limits::MAX_REQUEST_BYTES;
use crate::quorum::{Committee, ReplicaId};
use crate::threshold::refresh::{Dealing, MAX_DEALING_BYTES, Round, Sum};
use crate::threshold::{PublicKey, ReceiverKey};
use borsh::{BorshDeserialize, BorshSerialize};

/// Bytes of a said dealing beside the dealing: tags, names of key and sharing, lengths, author and signature.
const ENVELOPE_BYTES: usize = 256;
const _: () = assert!(MAX_DEALING_BYTES + ENVELOPE_BYTES <= MAX_REQUEST_BYTES);

/// The sharing of a key that is in force, and the refresh under way.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Sharing {
    /// The key as dealt.
    pub key: KeyId,
    /// Its public part as it is now, encoded; empty until the first offer has brought it.
    pub public: Vec<u8>,
    /// How far a refresh is.
    pub stage: Stage,
}

/// How far a refresh is.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum Stage {
    /// None is under way.
    Rest,
    /// Keys are being offered.
    Offers {
        /// By whom, since it began.
        fresh: Vec<ReplicaId>,
    },
    /// Dealings are awaited.
    Dealings {
        /// Whose dealing has been looked at.
        heard: Vec<ReplicaId>,
        /// Whose was valid.
        valid: Vec<ReplicaId>,
        /// The sum of their commitments.
        commitments: Vec<Vec<u8>>,
    },
}

/// How a replica can be dealt shares of a key.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Receiver {
    /// The key as dealt.
    pub key: KeyId,
    /// The replica.
    pub who: ReplicaId,
    /// The number of its offer.
    pub count: u64,
    /// Its receiver's key, M.
    pub modulus: Vec<u8>,
    /// What it has not taken from past refreshes, a ciphertext under M; empty if nothing.
    pub missed: Vec<u8>,
    /// What the refresh under way has for it, under M; empty before the first valid dealing.
    growing: Vec<u8>,
}

impl Sharing {
    /// What a restored entry must fulfil.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.public.is_empty() || self.parsed().is_some() {
            true => Ok(()),
            false => Err("a sharing of a key that is none".into()),
        }
    }

    /// The public part as it is now.
    pub fn parsed(&self) -> Option<PublicKey> {
        PublicKey::from_bytes(&self.public).ok()
    }
}

impl Machine {
    /// The sharings of all keys that were ever to be refreshed.
    pub fn sharings(&self) -> impl Iterator<Item = &Sharing> {
        let [first, last] = [0, 0xff].map(|octet| Label::Sharing(KeyId(Digest([octet; 32]))));
        let all = first..=last;
        self.register.range(all).filter_map(|entry| match entry {
            Entry::Sharing(sharing) => Some(sharing),
            _ => None,
        })
    }

    /// How replica `who` can be dealt shares of `key`, once it has offered to.
    pub fn receiver(&self, key: KeyId, who: ReplicaId) -> Option<&Receiver> {
        match self.register.get(&Label::Receiver(key, who)) {
            Some(Entry::Receiver(receiver)) => Some(receiver),
            _ => None,
        }
    }

    /// All receivers of a key, if every replica has offered to be one.
    pub fn receivers(&self, key: KeyId) -> Option<Vec<&Receiver>> {
        self.committee().members().map(|who| self.receiver(key, who)).collect()
    }

    /// Of keys by which nobody can want a signature any more, nothing is kept.
    pub(super) fn forget_sharings(&mut self) {
        let wanted = self.signing_keys();
        let all = Label::Sharing(KeyId(Digest::default()))..Label::Deal(Digest::default());
        let gone = self.register.labelled(all).map(|(label, _)| label).filter(|label| match label {
            Label::Sharing(key) | Label::Receiver(key, _) => !wanted.contains(key),
            _ => false,
        });
        let gone: Vec<Label> = gone.cloned().collect();
        gone.iter().for_each(|label| self.register.remove(label, &mut self.tally));
        self.parsed_keys.retain(|key, _| wanted.contains(key));
    }

    /// Something that replica `by` says, signed by `sign` ([`super::SAID_DOMAIN`]), to be ordered.
    pub fn say(&self, by: ReplicaId, what: Saying, sign: impl FnOnce(&Digest) -> [u8; 64]) -> super::Request {
        super::Request::Said(Said::sign(self.realm, by, what, sign))
    }

    /// The command: a refresh begins, or begins anew.
    pub(super) fn begin_refresh(&mut self, zone: &Name, tag: u16) -> Result<(), String> {
        let ledger = self.zones.get(zone).ok_or("this cluster has no such zone")?;
        let mut of_tag = ledger.keys.keys.iter().filter(|key| key.tag() == tag);
        let key = of_tag.next().ok_or("the zone has no key with this tag")?.id;
        if of_tag.next().is_some() {
            return Err("two keys of the zone have this tag".into());
        }
        let public = self.sharing(key).map_or_else(Vec::new, |sharing| sharing.public.clone());
        if let Ok(public) = PublicKey::from_bytes(&public) {
            Round::possible(&public).map_err(|why| why.to_string())?;
        }
        for who in self.committee().members() {
            if let Some(mut receiver) = self.receiver(key, who).cloned() {
                receiver.growing.clear();
                self.register.put(Entry::Receiver(receiver), &mut self.tally);
            }
        }
        let stage = Stage::Offers { fresh: Vec::new() };
        self.register.put(Entry::Sharing(Sharing { key, public, stage }), &mut self.tally);
        Ok(())
    }

    /// An offer or a dealing; what is not awaited is not looked at further.
    pub(super) fn said_for_refresh(&mut self, said: &Said) -> Verdict {
        let plain = |rcode| Verdict::plain(Kind::Internal, rcode);
        let Some(public) = self.members.get(said.by.slot()).copied() else { return plain(Rcode::REFUSED) };
        let (Saying::Offer { key, .. } | Saying::Dealing { key, .. }) = &said.what else {
            return plain(Rcode::FORMERR);
        };
        let Some(sharing) = self.sharing(*key).cloned() else { return plain(Rcode::REFUSED) };
        let realm = self.realm;
        let is_authentic = || said.is_authentic(realm, &public);
        let taken = match &said.what {
            Saying::Offer { sharing: of, count, public, modulus, .. } => {
                let last = self.receiver(*key, said.by).map_or(0, |receiver| receiver.count);
                (*count > last && self.awaits_offer(&sharing, said.by) && is_authentic())
                    .then(|| self.offered(&sharing, *of, public, modulus))
                    .flatten()
                    .map(|public| self.offer(sharing, public, said.by, *count, modulus.clone()))
            }
            Saying::Dealing { sharing: of, dealing, .. } => match &sharing.stage {
                Stage::Dealings { heard, .. } if !heard.contains(&said.by) && is_authentic() => {
                    self.dealing(sharing, *of, said.by, dealing)
                }
                _ => None,
            },
            Saying::Vote { .. } | Saying::Bundle(_) | Saying::Progress { .. } | Saying::Vouch { .. } => None,
        };
        plain(if taken.is_some() { Rcode::NOERROR } else { Rcode::REFUSED })
    }

    fn offer(&mut self, sharing: Sharing, public: Vec<u8>, who: ReplicaId, count: u64, modulus: Vec<u8>) {
        let key = sharing.key;
        let receiver = Receiver { key, who, count, modulus, missed: Vec::new(), growing: Vec::new() };
        self.register.put(Entry::Receiver(receiver), &mut self.tally);
        let mut stage = sharing.stage;
        if let Stage::Offers { fresh } = &mut stage {
            if !fresh.contains(&who) {
                fresh.push(who);
            }
            if fresh.len() >= self.committee().quorum() && self.receivers(key).is_some() {
                stage = Stage::Dealings { heard: Vec::new(), valid: Vec::new(), commitments: Vec::new() };
            }
        }
        self.register.put(Entry::Sharing(Sharing { key, public, stage }), &mut self.tally);
    }

    /// The first dealing of a replica: it is valid or not, once for all.
    fn dealing(&mut self, mut sharing: Sharing, of: KeyId, by: ReplicaId, dealing: &[u8]) -> Option<()> {
        let key = sharing.key;
        let public = self.parsed(key, &sharing.public).filter(|public| public.key_id() == of)?;
        let receivers: Vec<Receiver> = self.receivers(key)?.into_iter().cloned().collect();
        let Stage::Dealings { heard, valid, commitments } = &mut sharing.stage else { return None };
        heard.push(by);
        let mut sum = Sum { commitments: std::mem::take(commitments), rows: Vec::new() };
        if !valid.is_empty() {
            sum.rows = receivers.iter().map(|receiver| receiver.growing.clone()).collect();
        }
        let parsed = receiver_keys(&public, &receivers)?;
        let round = Round::new(self.realm.cluster, self.realm.epoch, &public, &parsed).ok()?;
        let dealt: Option<Dealing> = codec::decode(dealing, MAX_DEALING_BYTES).ok();
        let added = dealt.filter(|dealt| round.verify(by, dealt).is_ok());
        let added = added.and_then(|dealt| round.add(&sum, &dealt).ok());
        if added.is_some() {
            valid.push(by);
        }
        let enough = added.is_some() && valid.len() >= self.committee().one_correct();
        let sum = added.clone().unwrap_or(sum);
        if enough {
            let missed: Vec<_> =
                receivers.iter().map(|r| Some(&r.missed[..]).filter(|m| !m.is_empty())).collect();
            let outcome = round.outcome(&sum, &missed);
            self.switch(sharing, &receivers, outcome.ok());
        } else {
            *commitments = sum.commitments;
            for (receiver, growing) in receivers.into_iter().zip(sum.rows) {
                self.register.put(Entry::Receiver(Receiver { growing, ..receiver }), &mut self.tally);
            }
            self.register.put(Entry::Sharing(sharing), &mut self.tally);
        }
        added.map(|_| ())
    }

    /// The new sharing is in force; without one, which no t+1 dealers bring about, all stays as it was.
    fn switch(
        &mut self,
        sharing: Sharing,
        receivers: &[Receiver],
        outcome: Option<crate::threshold::refresh::Outcome>,
    ) {
        let mut public = sharing.public;
        if let Some(outcome) = outcome {
            public = outcome.public.to_bytes();
            for (receiver, missed) in receivers.iter().zip(outcome.rows) {
                let receiver = Receiver { missed, growing: Vec::new(), ..receiver.clone() };
                self.register.put(Entry::Receiver(receiver), &mut self.tally);
            }
        }
        let sharing = Sharing { key: sharing.key, public, stage: Stage::Rest };
        self.register.put(Entry::Sharing(sharing), &mut self.tally);
    }

    /// Whether an offer of this replica is looked at now.
    fn awaits_offer(&self, sharing: &Sharing, by: ReplicaId) -> bool {
        match &sharing.stage {
            Stage::Offers { fresh } => !fresh.contains(&by),
            Stage::Dealings { .. } => false,
            Stage::Rest => self.receiver(sharing.key, by).is_some_and(|receiver| !receiver.missed.is_empty()),
        }
    }

    /// The encoded public part of the key, if an offer for it can be taken: of the sharing in force, with a modulus of the
    /// right form.
    fn offered(&mut self, sharing: &Sharing, of: KeyId, public: &[u8], modulus: &[u8]) -> Option<Vec<u8>> {
        let bytes = if sharing.public.is_empty() { public } else { &sharing.public };
        // The key's name vouches for what an offer says that it is.
        if PublicKey::id_of(bytes) != of || (sharing.public.is_empty() && of != sharing.key) {
            return None;
        }
        let public = self.parsed(sharing.key, bytes).filter(|public| Round::possible(public).is_ok())?;
        ReceiverKey::from_bytes(modulus, public.modulus().len()).ok().map(|_| bytes.to_vec())
    }

    /// The key's public part from these octets; the last one is remembered, since parsing takes milliseconds.
    fn parsed(&mut self, key: KeyId, bytes: &[u8]) -> Option<PublicKey> {
        let id = PublicKey::id_of(bytes);
        if let Some(known) = self.parsed_keys.get(&key).filter(|known| known.key_id() == id) {
            return Some(known.clone());
        }
        let public = PublicKey::from_bytes(bytes).ok()?;
        self.parsed_keys.insert(key, public.clone());
        Some(public)
    }

    /// The sharing of a key, if it was ever to be refreshed.
    pub fn sharing(&self, key: KeyId) -> Option<&Sharing> {
        match self.register.get(&Label::Sharing(key)) {
            Some(Entry::Sharing(sharing)) => Some(sharing),
            _ => None,
        }
    }

    pub(super) fn committee(&self) -> Committee {
        let n = u8::try_from(self.members.len()).ok().and_then(Committee::new);
        n.expect("what was said has an author among the members")
    }
}

/// The receivers' keys, which were checked when they were offered.
fn receiver_keys(public: &PublicKey, receivers: &[Receiver]) -> Option<Vec<ReceiverKey>> {
    let len = public.modulus().len();
    receivers.iter().map(|receiver| ReceiverKey::from_bytes(&receiver.modulus, len).ok()).collect()
}
