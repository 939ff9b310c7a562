//! An update's way through the machine: whose it is, whether it was there before, what the policy and the guards say, and what of it
//! the audit is told. A trial goes the same way and leaves nothing behind.

use super::account::Account;
use super::draft::{Change, Draft};
use super::guard::{self, Case, Deletions};
use super::ledger::{Ledger, Open};
use super::machine::{Machine, Verdict};
use super::refusal::{Refusal, Ticket};
use super::register::Entry;
use super::replay::Replay;
use super::request::Kind;
use super::update::Update;
use crate::codec::{self, Digest};
use crate::dns::tsig::{self, AuthFailure};
use crate::dns::{Name, Rcode};
use std::collections::BTreeMap;

type Refused = Box<Refusal>;

/// What an update comes to.
struct Applied {
    draft: Draft,
    changes: Vec<Change>,
    deletions: Vec<Deletions>,
}

impl Machine {
    pub(super) fn update(
        &mut self,
        wire: &[u8],
        open: &mut BTreeMap<Name, Open>,
        fresh: &BTreeMap<Digest, usize>,
    ) -> Verdict {
        let now = self.time.secs();
        let verified = match tsig::authenticate(wire, &self.keys, now) {
            Ok(verified) if Replay::outlasts(verified.expires_secs, self.time) => Err(AuthFailure::BadTime),
            other => other,
        };
        let verified = match verified {
            Ok(verified) => verified,
            Err(failure) => {
                let refusal = Refusal::of_failure(failure, wire, &self.keys, now);
                let verdict = refused(Account::new(Ticket::of_wire(wire), None), refusal);
                return Verdict { failure: Some(failure), ..verdict };
            }
        };
        let ticket = Ticket::of_covered(&verified.covered);
        let covered = if planted!(RepeatsByMessage) { codec::digest("", &[wire]) } else { verified.covered };
        let remember = Some((covered, verified.expires_secs));
        let mut account = Account::new(ticket, Some(verified.signer.clone()));
        if let Some(answer) = self.replay.answer(covered).cloned() {
            return Verdict {
                repeat: Some(answer.clone()),
                ..refused(account, Refusal::Repeat(answer.rcode))
            };
        }
        if fresh.contains_key(&covered) {
            return Verdict { remember, ..refused(account, Refusal::Repeat(Rcode::NOERROR)) };
        }
        let update = match Update::parse(wire) {
            Err(refusal) => return refused(account, *refusal),
            Ok(update) => update,
        };
        account.asks(&update);
        let key = verified.signer.name();
        let ledger = match self.open_to(&update.zone, key) {
            Err(refusal) => return refused(account, *refusal),
            Ok(ledger) => ledger,
        };
        if self.replay.len() + fresh.len() >= crate::limits::MAX_REPLAY_ENTRIES {
            return refused(account, Refusal::ReplayFull);
        }
        let zone = ledger.rules.origin.clone();
        let applied = self.apply(&update, key).and_then(|applied| self.admit(open, &zone, applied));
        let rcode = match applied {
            Ok(applied) => {
                account.did(&applied.changes);
                self.take(open, &zone, applied);
                Rcode::NOERROR
            }
            Err(refusal) => {
                let rcode = refusal.rcode();
                account.refusal = Some(refusal);
                rcode
            }
        };
        account.serial = self.zones.get(&zone).map(|ledger| ledger.head.serial());
        let plain = Verdict::plain(Kind::Update, rcode);
        Verdict { zone: Some(zone), remember, account: Some(Box::new(account)), ..plain }
    }

    /// What the update section and prerequisites of `wire` would come to, were it ordered now with a signature of `key`: nothing
    /// of its own signature, of clocks and of repeats is looked at, and nothing is changed.
    pub fn trial(&self, wire: &[u8], key: &Name) -> Account {
        let mut account = Account::new(Ticket::of_wire(wire), None);
        let judged = Update::parse(wire).and_then(|update| {
            account.asks(&update);
            self.open_to(&update.zone, key)?;
            self.apply(&update, key)
        });
        match judged {
            Ok(applied) => account.did(&applied.changes),
            Err(refusal) => account.refusal = Some(refusal),
        }
        account
    }

    /// The zone, if it takes updates of `key`.
    fn open_to(&self, zone: &Name, key: &Name) -> Result<&Ledger, Refused> {
        let ledger = self.zones.get(zone).ok_or_else(|| Box::new(Refusal::NotOurs(zone.clone())))?;
        // What can never succeed, by a key that no rule is about, must not crowd the replay table.
        if !ledger.rules.policy.knows(key) {
            let (key, zone) = (key.clone(), zone.clone());
            return Err(Box::new(Refusal::UnknownToPolicy { key, zone }));
        }
        if !ledger.started {
            return Err(Box::new(Refusal::NotBegun(zone.clone())));
        }
        if ledger.frozen {
            return Err(Box::new(Refusal::Frozen(zone.clone())));
        }
        Ok(ledger)
    }

    fn apply(&self, update: &Update, key: &Name) -> Result<Applied, Refused> {
        let ledger = self.open_to(&update.zone, key)?;
        let draft = update.apply(ledger, key)?;
        let changes = draft.changes(&ledger.head);
        let zone = ledger.rules.origin.to_lowercase();
        let guards = &ledger.rules.policy.guards;
        let hidden = if guards.is_empty() { Vec::new() } else { draft.hidden(&ledger.head) };
        let harm: Vec<Change> = changes.iter().cloned().chain(hidden).collect();
        let case = Case {
            zone: &zone,
            key,
            changes: &harm,
            records: ledger.records,
            register: &self.register,
            time: self.time,
        };
        let deletions = guard::check(guards, &case)?;
        Ok(Applied { draft, changes, deletions })
    }

    /// Every name has its place in the chain of denial.
    fn admit(
        &self,
        open: &mut BTreeMap<Name, Open>,
        zone: &Name,
        applied: Applied,
    ) -> Result<Applied, Refused> {
        if let Some(ledger) = self.zones.get(zone) {
            let open = open.entry(zone.clone()).or_insert_with(|| ledger.open());
            ledger.admit(open, &applied.draft)?;
        }
        Ok(applied)
    }

    fn take(&mut self, open: &mut BTreeMap<Name, Open>, zone: &Name, applied: Applied) {
        let Applied { draft, changes, deletions } = applied;
        for deletions in deletions {
            self.register.put(Entry::Deletions(deletions), &mut self.tally);
        }
        if let Some(ledger) = self.zones.get_mut(zone) {
            let open = open.entry(zone.clone()).or_insert_with(|| ledger.open());
            let (added, deleted) = guard::totals(&changes);
            ledger.records = (ledger.records + added).saturating_sub(deleted);
            ledger.take(open, draft, self.time);
        }
    }
}

fn refused(mut account: Account, refusal: Refusal) -> Verdict {
    let plain = Verdict::plain(Kind::Update, refusal.rcode());
    account.refusal = Some(Box::new(refusal));
    Verdict { account: Some(Box::new(account)), ..plain }
}
