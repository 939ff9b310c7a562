//! What clients were answered, and what replicas may therefore say.
//!
//! Each name belongs to one client, which does one thing after the other. Operation k on a name either leaves a TXT record
//! that says k, or none. So what a replica says of a name tells how far it is, and these follow:
//! 1. a replica that answered operation k says nothing older of that name ever after, through kill -9 and restarts;
//! 2. a replica that said something says nothing older later; nor a lower serial;
//! 3. replicas never say what nobody has asked for;
//! 4. zones of equal serials are equal octets;
//! 5. in the end every replica says the last operation of every name.
//!
//! Who looks takes the [`Mark`] before it asks, so that no answer is held against what was promised after it was made.

use crate::tools::DEADLINE;
use crate::wire::Seen;
use conclave::dns::rrset::serial_gt;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Instant;

/// Kept by all clients, the observer and the nemesis.
#[derive(Default)]
pub struct Ledger {
    state: Mutex<State>,
    changed: Condvar,
}

/// What is known.
#[derive(Default)]
pub struct State {
    /// Of each name, whether operation k (from 1) leaves a record.
    names: BTreeMap<String, Vec<bool>>,
    /// How far a replica has shown itself to be with a name.
    floors: BTreeMap<(u8, String), usize>,
    serials: BTreeMap<u8, u32>,
    /// The zone of each serial, and who showed it first.
    exports: BTreeMap<u32, (u8, String)>,
    /// Counts how often a replica has lost its memory.
    lives: BTreeMap<u8, u64>,
    /// Operations answered as they should be.
    pub answered: u64,
    /// Tries that got no answer, or SERVFAIL.
    pub failed: u64,
    /// Observations made.
    pub observed: u64,
    /// Clients are to end.
    pub over: bool,
    /// Broken promises.
    pub problems: Vec<String>,
}

/// What a replica's next answer may not fall behind.
#[derive(Clone, Copy)]
pub struct Mark {
    life: u64,
    floor: usize,
    serial: Option<u32>,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Reads the state.
    pub fn read<T>(&self, what: impl FnOnce(&State) -> T) -> T {
        what(&self.lock())
    }

    /// Whether everybody is to end.
    pub fn is_over(&self) -> bool {
        let state = self.lock();
        state.over || !state.problems.is_empty()
    }

    /// Tells the clients to end.
    pub fn end(&self) {
        self.lock().over = true;
        self.changed.notify_all();
    }

    /// A promise was broken: everybody ends.
    pub fn problem(&self, what: String) {
        self.lock().problems.push(what);
        self.changed.notify_all();
    }

    /// Waits for an event, a problem, or the deadline, which is one.
    pub fn wait(&self, why: &str, event: impl Fn(&State) -> bool) {
        let end = Instant::now() + DEADLINE;
        let mut state = self.lock();
        while !event(&state) && state.problems.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let (answered, failed) = (state.answered, state.failed);
                state.problems.push(format!("in vain: {why} ({answered} answered, {failed} tries failed)"));
                return;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(|e| e.into_inner()).0;
        }
    }

    /// The number of the next operation on a name, which is about to be sent.
    pub fn issue(&self, name: &str, leaves_record: impl FnOnce(usize) -> bool) -> usize {
        let mut state = self.lock();
        let operations = state.names.entry(name.to_owned()).or_default();
        operations.push(leaves_record(operations.len() + 1));
        operations.len()
    }

    /// Replica `i` has answered an operation; 0 stands for one that changes nothing.
    pub fn answered(&self, i: u8, name: &str, number: usize) {
        let mut state = self.lock();
        if number > 0 {
            state.raise(i, name, number);
        }
        state.answered += 1;
        self.changed.notify_all();
    }

    /// A try got no answer, or SERVFAIL.
    pub fn failed(&self) {
        self.lock().failed += 1;
        self.changed.notify_all();
    }

    /// Replica `i` has been robbed of its memory.
    pub fn forget(&self, i: u8) {
        let mut state = self.lock();
        *state.lives.entry(i).or_default() += 1;
        state.floors.retain(|(replica, _), _| *replica != i);
        state.serials.remove(&i);
    }

    /// To be taken before replica `i` is asked about a name.
    pub fn mark(&self, i: u8, name: &str) -> Mark {
        let state = self.lock();
        Mark {
            life: state.life(i),
            floor: state.floors.get(&(i, name.to_owned())).copied().unwrap_or(0),
            serial: state.serials.get(&i).copied(),
        }
    }

    /// What replica `i`, asked after `mark`, says of a name.
    pub fn saw(&self, i: u8, name: &str, mark: Mark, seen: Seen) {
        let mut state = self.lock();
        state.observed += 1;
        if state.life(i) != mark.life {
            return;
        }
        let operations = state.names.get(name).cloned().unwrap_or_default();
        let known = match seen {
            Seen::Number(k) => Some(k).filter(|k| {
                *k >= mark.floor && k.checked_sub(1).and_then(|k| operations.get(k)) == Some(&true)
            }),
            Seen::Nothing if mark.floor == 0 => Some(0),
            Seen::Nothing => (mark.floor..=operations.len()).find(|k| !operations[k - 1]),
        };
        match known {
            Some(number) => state.raise(i, name, number),
            None => {
                let floor = mark.floor;
                state.problems.push(format!(
                    "replica {i} says {seen:?} of {name}, after it was as far as operation {floor} of {operations:?}"
                ));
                self.changed.notify_all();
            }
        }
    }

    /// The serial that replica `i`, asked after `mark`, serves.
    pub fn saw_serial(&self, i: u8, mark: Mark, serial: u32) {
        let mut state = self.lock();
        state.observed += 1;
        if state.life(i) != mark.life {
            return;
        }
        if let Some(before) = mark.serial.filter(|before| serial_gt(*before, serial)) {
            state.problems.push(format!("replica {i} served serial {before}, then {serial}"));
            self.changed.notify_all();
        }
        if state.serials.get(&i).is_none_or(|known| serial_gt(serial, *known)) {
            state.serials.insert(i, serial);
        }
    }

    /// The zone that replica `i` exports.
    pub fn saw_export(&self, i: u8, serial: u32, export: &str) {
        let mut state = self.lock();
        state.observed += 1;
        match state.exports.get(&serial) {
            Some((other, first)) if first != export => {
                let other = *other;
                state.problems.push(format!("replicas {other} and {i} differ in serial {serial}"));
                self.changed.notify_all();
            }
            Some(_) => {}
            None => {
                state.exports.insert(serial, (i, export.to_owned()));
                if state.exports.len() > 64 {
                    state.exports.pop_first();
                }
            }
        }
    }

    /// All names.
    pub fn names(&self) -> Vec<String> {
        self.lock().names.keys().cloned().collect()
    }

    /// What must be there in the end: of each name the number of its last operation, if that leaves a record.
    pub fn settled(&self) -> BTreeMap<String, Option<usize>> {
        let last =
            |operations: &Vec<bool>| operations.last().copied().unwrap_or(false).then_some(operations.len());
        self.lock().names.iter().map(|(name, operations)| (name.clone(), last(operations))).collect()
    }
}

impl State {
    fn life(&self, i: u8) -> u64 {
        self.lives.get(&i).copied().unwrap_or(0)
    }

    fn raise(&mut self, i: u8, name: &str, number: usize) {
        let floor = self.floors.entry((i, name.to_owned())).or_default();
        *floor = (*floor).max(number);
    }
}

#[test]
fn the_ledger_finds_what_is_lost_older_or_invented() {
    let try_with = |seen: &[Seen], answered: usize| {
        let ledger = Ledger::default();
        for leaves in [true, false, true] {
            ledger.issue("a", |_| leaves);
        }
        if answered > 0 {
            ledger.answered(1, "a", answered);
        }
        for seen in seen {
            ledger.saw(1, "a", ledger.mark(1, "a"), *seen);
        }
        ledger.read(|state| state.problems.len())
    };
    use Seen::{Nothing, Number};
    assert_eq!(try_with(&[Nothing, Number(1), Nothing, Number(3)], 0), 0, "as it was done");
    assert_eq!(try_with(&[Nothing, Number(3)], 1), 0, "a replica may be ahead of what was answered");
    assert_eq!(try_with(&[Number(1)], 2), 1, "an answered delete is lost");
    assert_eq!(try_with(&[Nothing], 3), 1, "an answered record is lost");
    assert_eq!(try_with(&[Number(3), Number(1)], 0), 1, "a replica goes back");
    assert_eq!(try_with(&[Number(2)], 0), 1, "nobody wrote that");
    assert_eq!(try_with(&[Number(4)], 0), 1, "nor that");
    let ledger = Ledger::default();
    let mark = ledger.mark(1, "a");
    ledger.issue("a", |_| true);
    ledger.answered(1, "a", 1);
    ledger.saw(1, "a", mark, Nothing);
    ledger.saw_serial(1, mark, 7);
    ledger.saw_serial(1, ledger.mark(1, "a"), 7);
    ledger.saw_export(1, 7, "zone");
    ledger.saw_export(2, 7, "zone");
    assert!(ledger.read(|state| state.problems.is_empty()), "what was asked before is not held against it");
    ledger.saw_serial(1, ledger.mark(1, "a"), 6);
    ledger.saw_export(3, 7, "another");
    assert_eq!(ledger.read(|state| state.problems.len()), 2);
}
