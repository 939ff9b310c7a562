//! An update's way through the machine: whose it is, whether it was there before, what the policy and the guards say, and what of it
//! the audit is told. A trial goes the same way and leaves nothing behind.

use super::account::Account;
use super::digest::Tally;
use super::draft::{Change, Draft};
use super::guard::{self, Case, Deletions};
use super::ledger::{Ledger, Open};
use super::machine::{Machine, Verdict};
use super::refusal::Refusal;
use super::register::{Entry, Label, Register};
use super::replay::Replay;
use super::request::Kind;
use super::ticket::Ticket;
use super::update::Update;
use crate::codec::{self, Digest};
use crate::dns::tsig::{self, AuthFailure, Keyring, Signer};
use crate::dns::{Name, Rcode};
use crate::limits::MAX_REPLAY_ENTRIES;
use crate::time::AgreedTime;
use std::collections::BTreeMap;

type Refused = Box<Refusal>;

/// What an update comes to.
struct Applied {
    draft: Draft,
    changes: Vec<Change>,
    deletions: Vec<Deletions>,
}

/// An update that its client has authorised.
pub(super) struct Authorised {
    pub(super) ticket: Ticket,
    pub(super) signer: Signer,
    /// Under which its answer is remembered.
    pub(super) covered: Digest,
    /// Until when, in seconds.
    pub(super) end: u64,
    /// The last second in which what its client signed can count; none if that is said by the SOA that it names.
    pub(super) lasts: Option<u64>,
    /// What its signature lacks, if the update has not been judged before.
    pub(super) refused: Option<Refusal>,
}

impl Machine {
    pub(super) fn update(
        &mut self,
        wire: &[u8],
        open: &mut BTreeMap<Name, Open>,
        fresh: &BTreeMap<Digest, usize>,
    ) -> Verdict {
        let now = self.time.secs();
        let verified = match tsig::authenticate_alike(wire, &self.keys, now) {
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
        let covered = if planted!(RepeatsByMessage) { codec::digest("", &[wire]) } else { verified.covered };
        let ticket = Ticket::of_covered(&verified.covered);
        let (signer, end) = (verified.signer, verified.expires_secs);
        let authorised = Authorised { ticket, signer, covered, end, lasts: Some(end), refused: None };
        self.judge(wire, authorised, open, fresh)
    }

    /// Judges an authorised update, once.
    pub(super) fn judge(
        &mut self,
        wire: &[u8],
        authorised: Authorised,
        open: &mut BTreeMap<Name, Open>,
        fresh: &BTreeMap<Digest, usize>,
    ) -> Verdict {
        let Authorised { ticket, signer, covered, end, lasts, refused: lacks } = authorised;
        let remember = Some((covered, end));
        let key = signer.name().clone();
        let mut account = Account::new(ticket, Some(signer));
        if let Some(answer) = self.replay.answer(covered).cloned() {
            return Verdict {
                repeat: Some(answer.clone()),
                ..refused(account, Refusal::Repeat(answer.rcode))
            };
        }
        if fresh.contains_key(&covered) {
            return Verdict { remember, ..refused(account, Refusal::Repeat(Rcode::NOERROR)) };
        }
        if let Some(refusal) = lacks.or_else(|| self.too_long(&key, wire)) {
            return refused(account, refusal);
        }
        let update = match Update::parse(wire) {
            Err(refusal) => return refused(account, *refusal),
            Ok(update) => update,
        };
        account.asks(&update);
        let ledger = match open_to(&self.zones, &update.zone, &key) {
            Err(refusal) if matches!(*refusal, Refusal::NotBegun(_)) => return refused(account, *refusal),
            other => other,
        };
        if self.replay.len() + fresh.len() >= MAX_REPLAY_ENTRIES {
            return refused(account, Refusal::ReplayFull);
        }
        let register = (&mut self.register, &mut self.tally);
        if let Err(refusal) = charge(&self.keys, register, (&key, lasts), self.time) {
            return refused(account, refusal);
        }
        // Commands may change that, and the message must not come to life with them.
        let ledger = match ledger {
            Err(refusal) => return Verdict { remember, ..refused(account, *refusal) },
            Ok(ledger) => ledger,
        };
        let zone = ledger.rules.origin.clone();
        let applied = apply(ledger, &self.register, self.time, &update, &key);
        let rcode = match applied.and_then(|applied| admit(ledger, open, applied)) {
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

    fn too_long(&self, key: &Name, wire: &[u8]) -> Option<Refusal> {
        let (octets, most) = (wire.len(), self.keys.quota(key).octets);
        (octets > most as usize).then(|| Refusal::TooLong { key: key.clone(), octets, most })
    }

    /// What the update section and prerequisites of `wire` would come to, were it ordered now with a signature of `key`: nothing
    /// of its own signature, of clocks and of repeats is looked at, and nothing is changed.
    pub fn trial(&self, wire: &[u8], key: &Name) -> Account {
        let mut account = Account::new(Ticket::of_wire(wire), None);
        let judged = Update::parse(wire).and_then(|update| {
            account.asks(&update);
            let ledger = open_to(&self.zones, &update.zone, key)?;
            apply(ledger, &self.register, self.time, &update, key)
        });
        match judged {
            Ok(applied) => account.did(&applied.changes),
            Err(refusal) => account.refusal = Some(refusal),
        }
        account
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

/// The zone, if it takes updates of `key`.
fn open_to<'a>(zones: &'a BTreeMap<Name, Ledger>, zone: &Name, key: &Name) -> Result<&'a Ledger, Refused> {
    let ledger = zones.get(zone).ok_or_else(|| Box::new(Refusal::NotOurs(zone.clone())))?;
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

/// Takes one from what the key may ask in agreed time: so nobody fills the replay table.
///
/// What is refused so is not remembered, one by one. Yet its client is told that it was refused, and it must not be done when somebody
/// has it ordered again later: so what lasts no longer than something that was refused is refused too.
fn charge(
    keys: &Keyring,
    (register, tally): (&mut Register, &mut Tally),
    (key, lasts): (&Name, Option<u64>),
    time: AgreedTime,
) -> Result<(), Refusal> {
    let (quota, key) = (keys.quota(key), key.to_lowercase());
    let (full, barred) = match register.get(&Label::Usage(key.clone())) {
        Some(Entry::Usage(_, full, barred)) => (*full, *barred),
        _ => (0, 0),
    };
    let is_barred = lasts.is_some_and(|lasts| lasts <= barred);
    let taken = quota.take(full, time).filter(|_| !is_barred);
    let barred = if taken.is_none() { barred.max(lasts.unwrap_or_default()) } else { barred };
    register.put(Entry::Usage(key.clone(), taken.unwrap_or(full), barred), tally);
    taken.map(drop).ok_or(Refusal::TooOften { key, quota })
}

fn apply(
    ledger: &Ledger,
    register: &Register,
    time: AgreedTime,
    update: &Update,
    key: &Name,
) -> Result<Applied, Refused> {
    let draft = update.apply(ledger, key)?;
    let changes = draft.changes(&ledger.head);
    let zone = ledger.rules.origin.to_lowercase();
    let guards = &ledger.rules.policy.guards;
    let hidden = if guards.is_empty() { Vec::new() } else { draft.hidden(&ledger.head) };
    let harm: Vec<Change> = changes.iter().cloned().chain(hidden).collect();
    let case = Case { zone: &zone, key, changes: &harm, records: ledger.records, register, time };
    let deletions = guard::check(guards, &case)?;
    Ok(Applied { draft, changes, deletions })
}

/// Every name has its place in the chain of denial.
fn admit(ledger: &Ledger, open: &mut BTreeMap<Name, Open>, applied: Applied) -> Result<Applied, Refused> {
    let open = open.entry(ledger.rules.origin.clone()).or_insert_with(|| ledger.open());
    ledger.admit(open, &applied.draft)?;
    Ok(applied)
}

fn refused(mut account: Account, refusal: Refusal) -> Verdict {
    let plain = Verdict::plain(Kind::Update, refusal.rcode());
    account.refusal = Some(Box::new(refusal));
    Verdict { account: Some(Box::new(account)), ..plain }
}
