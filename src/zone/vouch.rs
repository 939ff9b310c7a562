//! Updates under `quorum` keys: they count by the word of t+1 replicas, of which one at least is correct.
//!
//! Of such a key each replica has a secret of its own, so no replica can check what another's client has signed. A client signs its
//! message for several replicas; each that finds its own signature right says so, in its own name ([`Saying::Vouch`]), with
//! the message as all of them have it: without the signature, and with the ID 0. The order then does this:
//!
//! 1. A vouch counts if it is authentic, the key is a `quorum` key, and agreed time has not passed the end of the window of the
//!    signature that it tells of. What is no vouch changes nothing.
//! 2. The state keeps who vouches for which change until when: 32 octets of digest over key and message, and no message, for
//!    the vouch that completes the number brings it. Of one key a replica has at most [`MAX_OPEN_VOUCHES`]; its oldest goes, to be said
//!    again when the client comes again. So t corrupt replicas, or a client that floods, take nothing from other replicas and keys.
//!    A vouch that is said again counts to the later end: anybody can have an old one ordered again.
//! 3. With the vouches of t+1 replicas the change is judged as any update ([`super::judge`]), once: its answer is remembered under
//!    its digest, and later vouches for it get that answer.
//!
//! **Once.** A repeat must be impossible when the replay table has forgotten, for the vouches of corrupt replicas cost nothing. The message
//! must hold one of these, or it is refused:
//! - a nonce (EDNS option [`OPTION_NONCE`]: its client's time, and chance). It is judged within 300 seconds of that time only, and
//!   remembered as long;
//! - the exact present SOA, in a prerequisite of class IN (RFC 2136 §2.4.2), as stock nsupdate can send it. Whatever the update
//!   changes, it changes the serial; so it cannot hold again, unless other updates have turned the serial all around, as a key with a
//!   grant for the SOA can in three updates. Within the batch that moves the serial, and for ten minutes after it was judged, the
//!   answer is remembered. A vouch made later than it was judged can count for longer: then the change is judged again, by one
//!   correct replica's word, and runs if the SOA that it names is there (it changed nothing or was refused before, or the serial came
//!   round). Nor can it be done where others move the serial faster than its client sends: a nonce has neither weakness.
//!
//! So ≤ t corrupt replicas can neither bring a change about nor alter one: the message is what t+1 vouch for, octet for octet.

use super::account::Account;
use super::digest::Tally;
use super::judge::Authorised;
use super::ledger::Open;
use super::machine::{Machine, Verdict};
use super::refusal::Refusal;
use super::register::{Entry, Label, Register};
use super::replay::Replay;
use super::request::{Kind, Stage, Vouched};
use super::said::Said;
#[cfg(doc)]
use super::said::Saying;
use super::ticket::Ticket;
use crate::codec::{Digest, digest};
use crate::dns::edns::OPTION_NONCE;
use crate::dns::message::Message;
use crate::dns::tsig::{MAX_FUDGE_SECS, Signer};
use crate::dns::{Class, Name, Rcode, RrType};
use crate::limits::{MAX_OPEN_VOUCHES, REPLAY_WINDOW_MS};
use crate::quorum::{Committee, ReplicaId};
use crate::time::{AgreedTime, SECOND};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;

/// Octets of a nonce: time and chance.
const NONCE_OCTETS: usize = 24;

/// What a replica vouches for.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct Vouch {
    pub(super) who: ReplicaId,
    /// In lower case.
    pub(super) key: Name,
    pub(super) change: Digest,
    /// Agreed time, in seconds.
    at: u64,
    /// The last second in which it counts.
    until: u64,
}

impl Vouch {
    /// What must hold of a restored one.
    pub(super) fn check(&self, time: AgreedTime) -> Result<(), String> {
        let latest = time.secs().saturating_add(REPLAY_WINDOW_MS / SECOND);
        let is_lower = self.key.wire() == self.key.to_lowercase().wire();
        match self.at <= time.secs() && self.until <= latest && is_lower {
            true => Ok(()),
            false => Err("a vouch cannot be this".into()),
        }
    }
}

/// Names a change: what replicas vouch for.
pub fn change_of(key: &Name, message: &[u8]) -> Digest {
    digest("conclave/change", &[key.to_lowercase().wire(), message])
}

/// Whether a message can be vouched for: whether something in it sees to it that it is done once.
pub fn is_done_once(message: &Message) -> bool {
    Once::of(message).is_some()
}

/// How a message sees to it that it is done once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Once {
    /// A nonce of this second.
    Nonce(u64),
    /// It names the SOA that must be there.
    Soa,
}

impl Once {
    pub(super) fn of(message: &Message) -> Option<Self> {
        let nonce = message.edns.as_ref().and_then(|edns| edns.option(OPTION_NONCE));
        if let Some(nonce) = nonce.filter(|nonce| nonce.len() == NONCE_OCTETS) {
            return nonce.first_chunk().map(|secs| Self::Nonce(u64::from_be_bytes(*secs)));
        }
        let zone = &message.questions.first()?.name;
        let is_soa = |class, rtype, name: &Name| class == Class::IN && rtype == RrType::SOA && name == zone;
        message.answers.iter().any(|held| is_soa(held.class, held.rtype, &held.name)).then_some(Self::Soa)
    }

    /// Until when the answer is remembered, if the message may be judged at `now`.
    fn end(self, now: u64) -> Option<u64> {
        match self {
            Self::Nonce(secs) => (now.abs_diff(secs) <= MAX_FUDGE_SECS).then(|| secs + MAX_FUDGE_SECS),
            Self::Soa => Some(now + REPLAY_WINDOW_MS / SECOND),
        }
    }
}

impl Machine {
    /// A replica vouches for an update.
    pub(super) fn vouch(
        &mut self,
        said: &Said,
        (key, until, message): (&Name, u64, &[u8]),
        open: &mut BTreeMap<Name, Open>,
        fresh: &BTreeMap<Digest, usize>,
    ) -> Verdict {
        let public = self.members.get(said.by.slot());
        let is_said = public.is_some_and(|public| said.is_authentic(self.realm, public));
        if self.keys.of_quorum(key).is_none() || !is_said {
            return Verdict::plain(Kind::Internal, Rcode::REFUSED);
        }
        let (change, by, now) = (change_of(key, message), said.by, self.time.secs());
        let told = |stage| Some(Vouched { change, by, stage });
        let is_known = self.replay.answer(change).is_some() || fresh.contains_key(&change);
        if !is_known {
            if until < now || Replay::outlasts(until, self.time) {
                // Nobody's word but one replica's: the audit is not told whose it is.
                let mut account = Account::new(Ticket::of_covered(&change), None);
                let refusal = Refusal::Lapsed;
                let plain = Verdict::plain(Kind::Update, refusal.rcode());
                account.refusal = Some(Box::new(refusal));
                return Verdict { account: Some(Box::new(account)), vouch: told(Stage::Void), ..plain };
            }
            self.keep_vouch(Vouch { who: by, key: key.to_lowercase(), change, at: now, until });
            if self.vouchers(key, change).count() < self.one_correct() {
                return Verdict { vouch: told(Stage::Open), ..Verdict::plain(Kind::Update, Rcode::NOERROR) };
            }
        }
        self.use_up_vouches(key, change);
        let parsed = Message::parse(message).ok();
        let once = parsed.as_ref().and_then(Once::of);
        let end = once.map(|once| once.end(now));
        let authorised = Authorised {
            ticket: Ticket::of_covered(&change),
            signer: Signer::Tsig(key.clone()),
            covered: change,
            end: end.flatten().unwrap_or(now),
            lasts: end.flatten().filter(|_| once != Some(Once::Soa)),
            refused: match (is_known, end) {
                (true, _) | (false, Some(Some(_))) => None,
                (false, Some(None)) => Some(Refusal::Lapsed),
                (false, None) => Some(Refusal::NotOnce),
            },
        };
        Verdict { vouch: told(Stage::Decided), ..self.judge(message, authorised, open, fresh) }
    }

    /// Whether the update that has this digest over what its signature covers, or this change, was judged and is remembered.
    pub fn remembers(&self, update: Digest) -> bool {
        self.replay.answer(update).is_some()
    }

    /// Why no update of this key to this zone can succeed, if no rule is about the key.
    pub fn unknown_to_policy(&self, zone: &Name, key: &Name) -> Option<Refusal> {
        let is_unknown = self.zones.get(zone).is_some_and(|ledger| !ledger.rules.policy.knows(key));
        is_unknown.then(|| Refusal::UnknownToPolicy { key: key.clone(), zone: zone.clone() })
    }

    /// The replicas whose vouch for a change counts and is not used up.
    pub fn vouchers(&self, key: &Name, change: Digest) -> impl Iterator<Item = ReplicaId> {
        let (key, now) = (key.to_lowercase(), self.time.secs());
        self.members_ids().filter(move |who| {
            let held = self.register.get(&Label::Vouch(*who, key.clone(), change));
            matches!(held, Some(Entry::Vouch(vouch)) if vouch.until >= now)
        })
    }

    /// t + 1; with nobody to vouch, none is enough.
    pub fn one_correct(&self) -> usize {
        let n = u8::try_from(self.members.len()).unwrap_or(0);
        Committee::new(n).map_or(usize::MAX, Committee::one_correct)
    }

    fn members_ids(&self) -> impl Iterator<Item = ReplicaId> + use<> {
        (1..=self.members.len()).filter_map(|index| ReplicaId::new(u8::try_from(index).ok()?))
    }

    fn keep_vouch(&mut self, mut vouch: Vouch) {
        if let Some(Entry::Vouch(held)) = self.register.get(&Entry::Vouch(vouch.clone()).label()) {
            (vouch.at, vouch.until) = (held.at, held.until.max(vouch.until));
        }
        let label = |digest| Label::Vouch(vouch.who, vouch.key.clone(), digest);
        let all = label(Digest([0; 32]))..=label(Digest([0xff; 32]));
        let held = self.register.range(all).filter_map(|entry| match entry {
            Entry::Vouch(held) if held.change != vouch.change => Some((held.at, held.change)),
            _ => None,
        });
        let held: Vec<(u64, Digest)> = held.collect();
        if held.len() >= MAX_OPEN_VOUCHES
            && let Some((_, oldest)) = held.iter().min()
        {
            self.register.remove(&label(*oldest), &mut self.tally);
        }
        self.register.put(Entry::Vouch(vouch), &mut self.tally);
    }

    fn use_up_vouches(&mut self, key: &Name, change: Digest) {
        for who in self.members_ids() {
            self.register.remove(&Label::Vouch(who, key.to_lowercase(), change), &mut self.tally);
        }
    }
}

/// Drops the vouches that count no more.
pub(super) fn lapse(register: &mut Register, tally: &mut Tally, time: AgreedTime) {
    let Some(first) = ReplicaId::new(1) else { return };
    let first = Label::Vouch(first, Name::root(), Digest([0; 32]));
    let vouches = register.range(first..).map_while(|entry| match entry {
        Entry::Vouch(vouch) => Some(vouch),
        _ => None,
    });
    let lapsed: Vec<Entry> =
        vouches.filter(|vouch| vouch.until < time.secs()).cloned().map(Entry::Vouch).collect();
    lapsed.iter().for_each(|entry| register.remove(&entry.label(), tally));
}
