//! What operators are told of updates: explanations of those that were refused lately, and an entry of the audit for each that was
//! executed.
//!
//! Explanations are kept in memory only, the last [`MAX_EXPLAINED`], and apart from them the last [`MAX_EXPLAINED_OF_STRANGERS`] of
//! updates whose signature does not hold: strangers' noise takes nobody's place. What the order refused all replicas explain alike, what never
//! came so far only the replica that turned it away. Entries of the audit follow from the batches: the same batches, the same
//! entries.
use super::Replica;
use super::reply::Asker;
use crate::consensus::Ordered;
use crate::dns::{Name, Opcode, Rcode};
use crate::limits::{MAX_EXPLAINED, MAX_EXPLAINED_OF_STRANGERS};
use crate::time::{AgreedTime, SECOND, UnixMillis};
use crate::zone::{Account, Refusal, Ticket};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// Why an update was refused.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Explanation {
    /// The update's ticket, as its sender got it.
    pub ticket: String,
    /// When: in seconds since 1970, agreed time if the order refused it, else this replica's.
    pub at: u64,
    /// The batch in which it was refused; none where it never came so far.
    pub batch: Option<u64>,
    /// Whose it is, if its signature holds.
    pub key: Option<String>,
    /// The zone that it names.
    pub zone: Option<String>,
    /// The answer.
    pub rcode: String,
    /// What refused it.
    pub why: String,
    /// What its sender can do.
    pub remedy: String,
    /// The beginning of its update section.
    pub told: Vec<String>,
    /// What became of it later, if anything.
    pub later: Option<String>,
}

/// What an update not yet sent would come to.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Trial {
    /// Records that it would bring and take.
    pub added: u64,
    /// See `added`.
    pub deleted: u64,
    /// What would refuse it: rcode, why, and what to do.
    pub refused: Option<(String, String, String)>,
}

/// An executed update, as the audit has it.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Entry {
    /// The batch, from 1, and the round that it closed.
    pub batch: u64,
    /// See `batch`.
    pub round: u64,
    /// Its place in the batch, from 0.
    pub position: u64,
    /// Agreed time in seconds since 1970.
    pub at: u64,
    /// The replica that brought it.
    pub gateway: u8,
    /// Its ticket.
    pub ticket: String,
    /// Whose it is, if its signature holds.
    pub key: Option<String>,
    /// The zone that it names.
    pub zone: Option<String>,
    /// The answer.
    pub rcode: String,
    /// Records that it brought and took.
    pub added: u64,
    /// See `added`.
    pub deleted: u64,
    /// The zone's serial after it.
    pub serial: Option<u32>,
    /// Lines of its update section, and the first of them.
    pub asked: usize,
    /// See `asked`.
    pub told: Vec<String>,
    /// What refused it.
    pub why: Option<String>,
}

/// The explanations.
#[derive(Default)]
pub(super) struct Journal {
    count: u64,
    clients: Ring,
    strangers: Ring,
}

/// The last of one sort, and when each came: a count.
#[derive(Default)]
struct Ring {
    held: BTreeMap<Ticket, (u64, Explanation)>,
    order: VecDeque<Ticket>,
}

impl Ring {
    fn keep(&mut self, ticket: Ticket, told: (u64, Explanation), most: usize) {
        if self.held.insert(ticket, told).is_none() {
            self.order.push_back(ticket);
        }
        if self.order.len() > most
            && let Some(oldest) = self.order.pop_front()
        {
            self.held.remove(&oldest);
        }
    }
}

impl Journal {
    fn keep(&mut self, ticket: Ticket, explanation: Explanation) {
        self.count += 1;
        match explanation.key {
            Some(_) => self.clients.keep(ticket, (self.count, explanation), MAX_EXPLAINED),
            None => self.strangers.keep(ticket, (self.count, explanation), MAX_EXPLAINED_OF_STRANGERS),
        }
    }

    fn get(&self, ticket: Ticket) -> Option<&Explanation> {
        let held = self.clients.held.get(&ticket).or_else(|| self.strangers.held.get(&ticket));
        held.map(|(_, explanation)| explanation)
    }

    /// The newest first.
    fn iter(&self) -> impl Iterator<Item = &Explanation> {
        let rings = [&self.clients, &self.strangers].into_iter();
        let mut all: Vec<&(u64, Explanation)> = rings.flat_map(|ring| ring.held.values()).collect();
        all.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        all.into_iter().map(|(_, explanation)| explanation)
    }
}

impl Replica {
    /// Why the update of this ticket was refused, if that is known here.
    pub fn explain(&self, ticket: Ticket) -> Option<&Explanation> {
        self.journal.get(ticket)
    }

    /// The last explanations, the newest first.
    pub fn explanations(&self) -> impl Iterator<Item = &Explanation> {
        self.journal.iter()
    }

    /// What an update message of `key`, not yet signed, would come to now.
    pub fn trial(&self, wire: &[u8], key: &Name) -> Trial {
        let Account { added, deleted, refusal, .. } = self.machine.trial(wire, key);
        let told =
            |refusal: Box<Refusal>| (refusal.rcode().to_string(), refusal.to_string(), refusal.remedy());
        Trial { added, deleted, refused: refusal.map(told) }
    }

    /// Notes that this replica has turned away `asker`; tells whoever listens.
    pub(super) fn turned_away(
        &mut self,
        now: UnixMillis,
        asker: &Asker,
        refusal: &Refusal,
        out: &mut super::Output,
    ) {
        if asker.opcode() != Opcode::UPDATE {
            return;
        }
        self.counters.update(refusal.rcode());
        let ticket = asker.ticket();
        if matches!(refusal, Refusal::Repeat(_)) {
            return;
        }
        let explanation = Explanation {
            ticket: ticket.to_string(),
            at: now.0 / SECOND,
            batch: None,
            key: asker.signer().map(ToString::to_string),
            zone: asker.question().map(|zone| zone.name.to_string()),
            rcode: refusal.rcode().to_string(),
            why: refusal.to_string(),
            remedy: refusal.remedy(),
            told: Vec::new(),
            later: None,
        };
        out.refused.push(explanation.clone());
        self.journal.keep(ticket, explanation);
    }

    /// Notes an executed update.
    pub(super) fn audit(
        &mut self,
        (account, rcode): (&Account, Rcode),
        place: Place<'_>,
        out: &mut super::Output,
    ) {
        let Place { batch, round, position, time, ordered } = place;
        let (key, zone) = (
            account.signer.as_ref().map(|signer| signer.name().to_string()),
            account.zone.as_ref().map(ToString::to_string),
        );
        let at = time.secs();
        // Whoever saw an update pass can send it again and again: what nobody has signed anew must not crowd the audit.
        let is_new =
            account.signer.is_some() && !matches!(account.refusal.as_deref(), Some(Refusal::Repeat(_)));
        let entry = || Entry {
            batch,
            round,
            position,
            at,
            gateway: ordered.author.get(),
            ticket: account.ticket.to_string(),
            key: key.clone(),
            zone: zone.clone(),
            rcode: rcode.to_string(),
            added: account.added,
            deleted: account.deleted,
            serial: account.serial,
            asked: account.asked,
            told: account.told.clone(),
            why: account.refusal.as_ref().map(ToString::to_string),
        };
        out.audit.extend(is_new.then(entry));
        match account.refusal.as_deref() {
            // What refused the first stands.
            Some(Refusal::Repeat(_)) => {}
            Some(refusal) => {
                let explanation = Explanation {
                    ticket: account.ticket.to_string(),
                    at,
                    batch: Some(batch),
                    key,
                    zone,
                    rcode: rcode.to_string(),
                    why: refusal.to_string(),
                    remedy: refusal.remedy(),
                    told: account.told.clone(),
                    later: None,
                };
                out.refused.push(explanation.clone());
                self.journal.keep(account.ticket, explanation);
            }
            None => {
                if let Some((_, before)) = self.journal.clients.held.get_mut(&account.ticket) {
                    before.later = Some(format!("executed after all, in batch {batch}"));
                }
            }
        }
    }
}

/// Where in the order an update stands.
pub(super) struct Place<'a> {
    pub batch: u64,
    pub round: u64,
    pub position: u64,
    pub time: AgreedTime,
    pub ordered: &'a Ordered,
}
