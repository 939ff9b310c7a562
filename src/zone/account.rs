//! What the audit says of an executed update: who, what, and what came of it. The same at every replica.

use super::draft::Change;
use super::refusal::Refusal;
use super::ticket::Ticket;
use super::update::Update;
use crate::dns::tsig::Signer;
use crate::dns::{Class, Name, Record, RrType, rdata};

/// Changes of a message that are told one by one.
const MAX_TOLD: usize = 8;
/// Characters of one told change.
const MAX_TOLD_CHARS: usize = 160;

/// An update that was executed, or refused in its place in the order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its name.
    pub ticket: Ticket,
    /// Whose it is; none if its signature does not hold.
    pub signer: Option<Signer>,
    /// The zone that it names.
    pub zone: Option<Name>,
    /// Records that it brought to the zone; 0 if it was refused.
    pub added: u64,
    /// Records that it took from it.
    pub deleted: u64,
    /// Its update section, `+NAME TTL TYPE DATA`, `-NAME TYPE DATA`, `-NAME TYPE` or `-NAME *`: the first eight lines.
    pub told: Vec<String>,
    /// Lines of the update section.
    pub asked: usize,
    /// The zone's serial after it.
    pub serial: Option<u32>,
    /// What refused it.
    pub refusal: Option<Box<Refusal>>,
}

impl Account {
    pub(super) fn new(ticket: Ticket, signer: Option<Signer>) -> Self {
        let (added, deleted, asked) = (0, 0, 0);
        Self {
            ticket,
            signer,
            zone: None,
            added,
            deleted,
            told: Vec::new(),
            asked,
            serial: None,
            refusal: None,
        }
    }

    /// Of a message that holds this.
    pub(super) fn asks(&mut self, update: &Update) {
        self.zone = Some(update.zone.clone());
        self.asked = update.updates.len();
        self.told = update.updates.iter().take(MAX_TOLD).map(line).collect();
    }

    /// It was done, and came to this.
    pub(super) fn did(&mut self, changes: &[Change]) {
        self.added = changes.iter().map(|change| change.added).sum();
        self.deleted = changes.iter().map(|change| change.deleted).sum();
    }
}

fn line(record: &Record) -> String {
    let Record { name, rtype, class, ttl, rdata } = record;
    let data = || rdata::to_text(*rtype, rdata);
    let line = match *class {
        Class::IN => format!("+{name} {ttl} {rtype} {}", data()),
        Class::ANY if *rtype == RrType::ANY => format!("-{name} *"),
        Class::ANY => format!("-{name} {rtype}"),
        _ => format!("-{name} {rtype} {}", data()),
    };
    if line.chars().count() <= MAX_TOLD_CHARS {
        return line;
    }
    line.chars().take(MAX_TOLD_CHARS).chain(['…']).collect()
}
