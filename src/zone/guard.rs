//! Guard rails: what no update may do to a zone, whoever is allowed to change it.
//!
//! Guards stand among the statements of a zone's policy, so they are in the plan of a deal, in its words, and in the cluster file:
//!
//! ```text
//! guard KEY keep RULETYPE [NAME] [TYPE …]       an RRset that is there may not go altogether
//! guard KEY protect RULETYPE [NAME] [TYPE …]    nothing there may change, TTLs among it
//! guard KEY floor RECORDS                       the zone may not be left with fewer records
//! guard KEY ceiling DELETIONS SECONDS           so many records may go in so long a time
//! ```
//!
//! KEY, RULETYPE, NAME and TYPE are as in rules ([`super::policy`]); without types all are meant. `*` guards against all keys, a key
//! against this one. All guards are asked, after the update was applied to a copy and before it counts: what the whole message comes
//! to matters, so an RRset may be replaced by a message that deletes it and adds it anew.
//!
//! - What a new delegation or DNAME hides counts as gone, for resolvers cannot find it any more.
//! - Records of the cluster's own types, the SOA, CDS and CDNSKEY do not count, neither for floor nor for ceiling.
//! - A floor is only in the way of an update that leaves fewer records than before.
//! - The ceiling's window slides over agreed time in sixteenths, rounded so that it is never shorter than said. What a key of the
//!   pattern deleted counts, for all keys of the pattern together. The counts are part of the state; an epoch begins with none.
//!   A single message with more deletions never passes.

use super::draft::Change;
use super::policy::{Keys, Scope, Statement, Types};
use super::refusal::Refusal;
use super::register::{Entry, Label, Register};
use super::removed::is_lower;
use super::update::CLUSTER_TYPES;
use crate::dns::{Name, RrType};
use crate::time::AgreedTime;
use borsh::{BorshDeserialize, BorshSerialize};

/// Into how many parts a ceiling's window is cut.
const SLICES: u64 = 16;
/// The longest window of a ceiling: a year, in seconds.
const MAX_WINDOW_SECS: u64 = 366 * 86_400;

/// A guard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Guard {
    statement: Statement,
    kind: Kind,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind {
    Keep(Scope),
    Protect(Scope),
    Floor { keys: Keys, records: u64 },
    Ceiling { keys: Keys, deletions: u64, secs: u64 },
}

/// What was deleted under a ceiling lately.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct Deletions {
    /// The zone, in lower case.
    pub(super) zone: Name,
    /// The number of the guard's statement.
    pub(super) guard: u16,
    /// Slices of the window, by number from 1970, and what was deleted in each.
    slices: Vec<(u64, u64)>,
}

/// The zone as an update found it, and what the update does.
pub(super) struct Case<'a> {
    /// In lower case.
    pub(super) zone: &'a Name,
    pub(super) key: &'a Name,
    pub(super) changes: &'a [Change],
    /// Records of the zone before that count.
    pub(super) records: u64,
    pub(super) register: &'a Register,
    pub(super) time: AgreedTime,
}

/// Whether records of this type count.
pub(super) fn counts(rtype: RrType) -> bool {
    !CLUSTER_TYPES.contains(&rtype) && !matches!(rtype, RrType::SOA | RrType::CDS | RrType::CDNSKEY)
}

impl Guard {
    /// `KEY KIND …`.
    pub(super) fn parse(statement: Statement, words: &[&str]) -> Result<Self, String> {
        let number = |word: &str| {
            word.parse::<u64>().ok().filter(|number| *number < 1 << 48).ok_or(format!("not a number: {word}"))
        };
        let (keys, words) = words.split_first().ok_or("the key is missing")?;
        let keys = Keys::parse(keys)?;
        let scope = |words| {
            let mut scope = Scope::of(keys.clone(), words)?;
            if scope.types.is_empty() {
                scope.types = Types::ALL;
            }
            Ok::<_, String>(scope)
        };
        let kind = match words {
            ["keep", words @ ..] => Kind::Keep(scope(words)?),
            ["protect", words @ ..] => Kind::Protect(scope(words)?),
            ["floor", records] => Kind::Floor { records: number(records)?, keys },
            ["ceiling", deletions, secs] => {
                let secs = number(secs)?;
                if !(1..=MAX_WINDOW_SECS).contains(&secs) {
                    return Err(format!("the time of a ceiling is 1 to {MAX_WINDOW_SECS} seconds"));
                }
                Kind::Ceiling { deletions: number(deletions)?, secs, keys }
            }
            _ => return Err(
                "a guard goes on with `keep …`, `protect …`, `floor RECORDS` or `ceiling DELETIONS SECONDS`"
                    .into(),
            ),
        };
        Ok(Self { statement, kind })
    }

    pub(super) fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The keys that it is about.
    pub(super) fn keys(&self) -> &Keys {
        match &self.kind {
            Kind::Keep(scope) | Kind::Protect(scope) => &scope.keys,
            Kind::Floor { keys, .. } | Kind::Ceiling { keys, .. } => keys,
        }
    }

    /// Whether it must know how many records the zone has.
    pub(super) fn is_floor(&self) -> bool {
        matches!(self.kind, Kind::Floor { .. })
    }

    /// Lets the update pass; gives what the state is to remember of it.
    fn check(&self, case: &Case<'_>) -> Result<Option<Deletions>, String> {
        match &self.kind {
            Kind::Keep(scope) => {
                let empties = |change: &&Change| change.after == 0 && touches(scope, case.key, change);
                match case.changes.iter().find(empties) {
                    Some(Change { name, rtype, .. }) => Err(format!("{name} {rtype} would be empty")),
                    None => Ok(None),
                }
            }
            Kind::Protect(scope) => match case.changes.iter().find(|change| touches(scope, case.key, change))
            {
                Some(Change { name, rtype, .. }) => Err(format!("{name} {rtype} would change")),
                None => Ok(None),
            },
            Kind::Floor { keys, records } if keys.contain(case.key) => {
                let (added, deleted) = totals(case.changes);
                let left = (case.records + added).saturating_sub(deleted);
                if deleted > added && left < *records {
                    return Err(format!("the zone would be left with {left} records"));
                }
                Ok(None)
            }
            Kind::Ceiling { keys, deletions, secs } if keys.contain(case.key) => {
                self.under_ceiling(case, *deletions, *secs)
            }
            Kind::Floor { .. } | Kind::Ceiling { .. } => Ok(None),
        }
    }

    fn under_ceiling(&self, case: &Case<'_>, most: u64, secs: u64) -> Result<Option<Deletions>, String> {
        let (_, deleted) = totals(case.changes);
        if deleted == 0 {
            return Ok(None);
        }
        let guard = u16::try_from(self.statement.number).unwrap_or(u16::MAX);
        let held = match case.register.get(&Label::Deletions(case.zone.clone(), guard)) {
            Some(Entry::Deletions(held)) => held.slices.as_slice(),
            _ => &[],
        };
        let now = case.time.secs() / secs.div_ceil(SLICES);
        let mut slices: Vec<(u64, u64)> =
            held.iter().copied().filter(|(slice, _)| slice.saturating_add(SLICES) >= now).collect();
        let before = slices.iter().fold(0, |sum: u64, (_, count)| sum.saturating_add(*count));
        if before.saturating_add(deleted) > most {
            return Err(format!(
                "{deleted} more records would go, after {before} in the last {secs} seconds"
            ));
        }
        match slices.last_mut() {
            Some((slice, count)) if *slice >= now => *count += deleted,
            _ => slices.push((now, deleted)),
        }
        Ok(Some(Deletions { zone: case.zone.clone(), guard, slices }))
    }
}

/// Asks all guards; gives what the state is to remember once the update counts.
pub(super) fn check(guards: &[Guard], case: &Case<'_>) -> Result<Vec<Deletions>, Box<Refusal>> {
    let mut remember = Vec::new();
    for guard in guards {
        let passed = guard.check(case).map_err(|harm| {
            let Statement { number, text } = guard.statement.clone();
            Box::new(Refusal::Guard { guard: (number, text), harm })
        });
        remember.extend(passed?);
    }
    Ok(remember)
}

impl Deletions {
    /// What must hold of restored ones, so that nothing can go wrong with them later.
    pub(super) fn check(&self) -> Result<(), String> {
        let rises = self.slices.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let fits = self.slices.len() as u64 <= SLICES + 1;
        match rises && fits && is_lower(&self.zone) && self.slices.iter().all(|(_, count)| *count < 1 << 48) {
            true => Ok(()),
            false => Err("what was deleted cannot be this".into()),
        }
    }
}

fn touches(scope: &Scope, key: &Name, change: &Change) -> bool {
    scope.matches(key, &change.name, change.rtype).is_some()
}

/// Records added and deleted that count.
pub(super) fn totals(changes: &[Change]) -> (u64, u64) {
    let counted = changes.iter().filter(|change| counts(change.rtype));
    counted.fold((0, 0), |(added, deleted), change| (added + change.added, deleted + change.deleted))
}
