//! Contents on their way into the state: agreed first, carried then.
//!
//! When a command that names [`super::contents`] has its votes it is *awaited*: from then on, and not before, pieces of these
//! contents are taken from anybody, each with what shows that it is one. So nobody fills the state with what no quorum wants,
//! and it does not matter who carries: whoever holds the contents proposes what is lacking ([`Machine::lacking`]). With the last
//! piece the command is executed, in that batch: done, or refused with a reason; either way the pieces go.
//!
//! At most [`MAX_AWAITED_PARCELS`] commands wait at a time, each for [`AWAIT_SECS`] of agreed time. What waits when the epoch
//! ends is gone with the votes that were open.

use super::command::{Command, ZoneAct};
use super::contents::{Contents, ParcelPiece};
use super::ledger::Open;
use super::machine::{Machine, Verdict};
use super::register::{Entry, Label};
use super::request::Kind;
use super::votes::Voters;
use crate::codec::{self, Digest};
use crate::dns::{Name, Rcode};
use crate::limits::{
    MAX_AWAITED_PARCELS, MAX_OPERATORS, MAX_PARCEL_BYTES, MAX_PARCEL_PIECES, MAX_REPLICAS, PARCEL_PIECE_BYTES,
};
use crate::time::{AgreedTime, DAY, SECOND};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;

/// Seconds of agreed time for which a command waits for its contents.
pub const AWAIT_SECS: u64 = DAY / SECOND;

/// A command that waits for its contents.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct Awaited {
    pub(super) contents: Digest,
    command: Command,
    voters: Voters,
    /// Since when: agreed time in seconds.
    at: u64,
    /// How many pieces there are, 0 until the first has come; how many have come.
    count: u32,
    have: u32,
}

/// A piece that has come.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct Carried {
    pub(super) contents: Digest,
    pub(super) index: u32,
    bytes: Vec<u8>,
}

/// A command that waits for its contents, as operators see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AwaitedParcel {
    /// The command.
    pub command: Command,
    /// The name of its contents.
    pub contents: Digest,
    /// How many pieces there are; unknown until the first has come.
    pub count: Option<u32>,
    /// How many have come.
    pub have: u32,
    /// Until when it waits: agreed time in seconds.
    pub until: u64,
}

impl Awaited {
    /// What must hold of a restored one.
    pub(super) fn check(&self, time: AgreedTime) -> Result<(), String> {
        let Voters { replicas, operators } = &self.voters;
        let fits = self.have <= self.count
            && self.count <= MAX_PARCEL_PIECES
            && replicas.len() <= usize::from(MAX_REPLICAS)
            && operators.len() <= MAX_OPERATORS;
        match fits && self.at <= time.secs() {
            true => Ok(()),
            false => Err("no command can wait so".into()),
        }
    }
}

impl Carried {
    /// What must hold of a restored one.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.index < MAX_PARCEL_PIECES && self.bytes.len() <= PARCEL_PIECE_BYTES {
            true => Ok(()),
            false => Err("a piece of contents cannot be this".into()),
        }
    }
}

impl Machine {
    /// The commands that wait for their contents.
    pub fn awaited(&self) -> Vec<AwaitedParcel> {
        let shown = |awaited: &Awaited| AwaitedParcel {
            command: awaited.command.clone(),
            contents: awaited.contents,
            count: (awaited.count > 0).then_some(awaited.count),
            have: awaited.have,
            until: awaited.at + AWAIT_SECS,
        };
        self.all_awaited().map(shown).collect()
    }

    /// Whether pieces of these contents are taken.
    pub fn awaits(&self, contents: &Digest) -> bool {
        self.register.get(&Label::Awaited(*contents)).is_some()
    }

    /// Of awaited contents of `count` pieces the first `most` that have not come, from index `from` on and around the end.
    pub fn lacking(&self, contents: &Digest, count: u32, from: u32, most: usize) -> Vec<u32> {
        if !self.awaits(contents) {
            return Vec::new();
        }
        let from = from.min(count);
        let lacks = |index: &u32| self.register.get(&Label::Parcel(*contents, *index)).is_none();
        (from..count).chain(0..from).filter(lacks).take(most).collect()
    }

    fn all_awaited(&self) -> impl Iterator<Item = &Awaited> {
        self.register.iter().filter_map(|(_, entry)| match entry {
            Entry::Awaited(awaited) => Some(&**awaited),
            _ => None,
        })
    }

    /// A command has its votes, and waits for its contents, if there is room for them.
    pub(super) fn await_contents(&mut self, contents: Digest, command: Command, voters: Voters) {
        let why = match self.all_awaited().count() {
            _ if self.awaits(&contents) => "another command waits for the same contents",
            MAX_AWAITED_PARCELS.. => "too many commands wait for their contents",
            _ => {
                let (at, count, have) = (self.time.secs(), 0, 0);
                let awaited = Awaited { contents, command, voters, at, count, have };
                return self.register.put(Entry::Awaited(Box::new(awaited)), &mut self.tally);
            }
        };
        self.decide(command, voters, Err(why.into()));
    }

    /// A piece of contents; what is not awaited is not looked at further.
    pub(super) fn parcel(&mut self, piece: ParcelPiece, open: &mut BTreeMap<Name, Open>) -> Verdict {
        let plain = |rcode| Verdict::plain(Kind::Internal, rcode);
        let Some(Entry::Awaited(awaited)) = self.register.get(&Label::Awaited(piece.contents)) else {
            return plain(Rcode::REFUSED);
        };
        if self.has_ended() || !matches!(awaited.count, 0) && awaited.count != piece.count {
            return plain(Rcode::REFUSED);
        }
        if self.register.get(&Label::Parcel(piece.contents, piece.index)).is_some() {
            return plain(Rcode::NOERROR);
        }
        if !piece.is_right() {
            return plain(Rcode::REFUSED);
        }
        let mut awaited = awaited.clone();
        (awaited.count, awaited.have) = (piece.count, awaited.have + 1);
        let is_last = awaited.have >= awaited.count;
        let ParcelPiece { contents, index, bytes, .. } = piece;
        self.register.put(Entry::Awaited(awaited), &mut self.tally);
        self.register.put(Entry::Parcel(Carried { contents, index, bytes }), &mut self.tally);
        if is_last {
            self.complete(contents, open);
        }
        plain(Rcode::NOERROR)
    }

    /// All pieces are there.
    fn complete(&mut self, contents: Digest, open: &mut BTreeMap<Name, Open>) {
        let Some((Awaited { command, voters, .. }, bytes)) = self.take_awaited(contents) else { return };
        let done = match (&command, codec::decode::<Contents>(&bytes, MAX_PARCEL_BYTES)) {
            (Command::Zone { zone, act }, Ok(contents)) => self.with_contents(zone, act, contents, open),
            (_, Err(why)) => Err(format!("its contents are none: {why}")),
            _ => Err("it takes no contents".into()),
        };
        self.decide(command, voters, done);
    }

    fn with_contents(
        &mut self,
        zone: &Name,
        act: &ZoneAct,
        contents: Contents,
        open: &mut BTreeMap<Name, Open>,
    ) -> Result<(), String> {
        match (act, contents) {
            (ZoneAct::Add(_), Contents::Zone(new)) => self.add_zone(zone, *new, open),
            (ZoneAct::Replace(_, serial), Contents::Records(sets)) => {
                self.replace_zone(zone, &sets, *serial, open)
            }
            (ZoneAct::Policy(_), Contents::Policy(statements)) => self.change_policy(zone, &statements),
            _ => Err("its contents are those of another command".into()),
        }
    }

    /// What waits goes, with all that has come of it.
    fn take_awaited(&mut self, contents: Digest) -> Option<(Awaited, Vec<u8>)> {
        let label = Label::Awaited(contents);
        let Some(Entry::Awaited(awaited)) = self.register.get(&label).cloned() else { return None };
        let mut bytes = Vec::new();
        for index in 0..awaited.count {
            let piece = Label::Parcel(contents, index);
            if let Some(Entry::Parcel(carried)) = self.register.get(&piece) {
                bytes.extend(&carried.bytes);
                self.register.remove(&piece, &mut self.tally);
            }
        }
        self.register.remove(&label, &mut self.tally);
        Some((*awaited, bytes))
    }

    /// Gives up commands that wait for their contents.
    pub(super) fn give_up(&mut self, why: &str, is_meant: impl Fn(&Command, u64) -> bool) {
        let meant = self.all_awaited().filter(|awaited| is_meant(&awaited.command, awaited.at));
        for contents in meant.map(|awaited| awaited.contents).collect::<Vec<_>>() {
            if let Some((Awaited { command, voters, .. }, _)) = self.take_awaited(contents) {
                self.decide(command, voters, Err(why.into()));
            }
        }
    }

    /// Gives up what has waited for too long.
    pub(super) fn lapse_awaited(&mut self) {
        let now = self.time.secs();
        self.give_up("its contents did not come within a day", |_, at| at + AWAIT_SECS < now);
    }
}
