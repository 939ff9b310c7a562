//! Contents on their way into the state: agreed first, carried then.
//!
//! When a command that names [`super::contents`] has its votes it is *awaited*: from then on, and not before, pieces of these
//! contents are taken from anybody, each with what shows that it is one. So nobody fills the state with what no quorum wants,
//! and it does not matter who carries: whoever holds the contents proposes what is lacking ([`Machine::lacking`]). With the last
//! piece the command is executed, in that batch: done, or refused with a reason; either way the pieces go.
//!
//! At most [`MAX_AWAITED_PARCELS`] commands wait at a time, each for [`AWAIT_SECS`] of agreed time, or until operators give it up
//! (`zone ZONE forget CONTENTS`). Several may wait for the same contents: they are executed in the order of their digests. What waits when the epoch
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
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Seconds of agreed time for which a command waits for its contents.
pub const AWAIT_SECS: u64 = DAY / SECOND;

/// A command that waits for its contents.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct Awaited {
    pub(super) contents: Digest,
    pub(super) command: Command,
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
            && self.command.contents() == Some(self.contents)
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

    /// What must hold of what waits in a restored state: all pieces are of what waits, and are as many as it says.
    pub(super) fn check_awaited(&self) -> Result<(), String> {
        let mut come = BTreeMap::<Digest, BTreeSet<u32>>::new();
        let all = Label::Parcel(Digest::default(), 0)..=Label::Parcel(Digest([0xff; 32]), u32::MAX);
        for (label, _) in self.register.labelled(all) {
            if let Label::Parcel(contents, index) = label {
                come.entry(*contents).or_default().insert(*index);
            }
        }
        let none = BTreeSet::new();
        let fits = |awaited: &Awaited| {
            let come = come.get(&awaited.contents).unwrap_or(&none);
            let is_lacking = come.is_empty() && awaited.count == 0 || come.len() < awaited.count as usize;
            come.len() == awaited.have as usize
                && is_lacking
                && come.last().is_none_or(|last| *last < awaited.count)
        };
        let is_known = come.keys().all(|contents| self.awaits(contents));
        match is_known && self.all_awaited().count() <= MAX_AWAITED_PARCELS && self.all_awaited().all(fits) {
            true => Ok(()),
            false => Err("commands cannot wait so".into()),
        }
    }

    /// Whether pieces of these contents are taken.
    pub fn awaits(&self, contents: &Digest) -> bool {
        self.all_awaited().any(|awaited| awaited.contents == *contents)
    }

    /// Whether this command waits for its contents.
    pub(super) fn waits(&self, command: &Command) -> bool {
        self.register.get(&Label::Awaited(command.digest())).is_some()
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
        let all = Label::Awaited(Digest::default())..=Label::Awaited(Digest([0xff; 32]));
        self.register.range(all).filter_map(|entry| match entry {
            Entry::Awaited(awaited) => Some(&**awaited),
            _ => None,
        })
    }

    /// A command has its votes, and waits for its contents, if there is room for them.
    pub(super) fn await_contents(&mut self, contents: Digest, command: Command, voters: Voters) {
        if self.all_awaited().count() >= MAX_AWAITED_PARCELS {
            return self.decide(command, voters, Err("too many commands wait for their contents".into()));
        }
        let other = self.all_awaited().find(|awaited| awaited.contents == contents);
        let (count, have) = other.map_or((0, 0), |other| (other.count, other.have));
        let awaited = Awaited { contents, command, voters, at: self.time.secs(), count, have };
        self.register.put(Entry::Awaited(Box::new(awaited)), &mut self.tally);
    }

    /// A piece of contents; what is not awaited is not looked at further.
    pub(super) fn parcel(&mut self, piece: ParcelPiece, open: &mut BTreeMap<Name, Open>) -> Verdict {
        let plain = |rcode| Verdict::plain(Kind::Internal, rcode);
        let all: Vec<Awaited> =
            self.all_awaited().filter(|awaited| awaited.contents == piece.contents).cloned().collect();
        let Some(Awaited { count, have, .. }) = all.first().cloned() else { return plain(Rcode::REFUSED) };
        if self.has_ended() || count != 0 && count != piece.count {
            return plain(Rcode::REFUSED);
        }
        if self.register.get(&Label::Parcel(piece.contents, piece.index)).is_some() {
            return plain(Rcode::NOERROR);
        }
        if !piece.is_right() {
            return plain(Rcode::REFUSED);
        }
        let ParcelPiece { contents, count, index, bytes, .. } = piece;
        for awaited in all {
            let awaited = Awaited { count, have: have + 1, ..awaited };
            self.register.put(Entry::Awaited(Box::new(awaited)), &mut self.tally);
        }
        self.register.put(Entry::Parcel(Carried { contents, index, bytes }), &mut self.tally);
        if have + 1 >= count {
            self.complete(&contents, open);
        }
        plain(Rcode::NOERROR)
    }

    /// All pieces are there.
    fn complete(&mut self, contents: &Digest, open: &mut BTreeMap<Name, Open>) {
        let pieces = self.register.range(pieces(contents)).filter_map(|entry| match entry {
            Entry::Parcel(carried) => Some(carried.bytes.as_slice()),
            _ => None,
        });
        let bytes = pieces.collect::<Vec<_>>().concat();
        let all: Vec<Awaited> =
            self.all_awaited().filter(|awaited| awaited.contents == *contents).cloned().collect();
        for Awaited { command, voters, .. } in all {
            // One may have given up those that come after it.
            if self.waits(&command) {
                self.take_awaited(&command);
                self.execute_with(&bytes, command, voters, open);
            }
        }
    }

    fn execute_with(
        &mut self,
        bytes: &[u8],
        command: Command,
        voters: Voters,
        open: &mut BTreeMap<Name, Open>,
    ) {
        let done = match (&command, codec::decode::<Contents>(bytes, MAX_PARCEL_BYTES)) {
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

    /// What waits goes, and what has come of its contents, unless another waits for them.
    fn take_awaited(&mut self, command: &Command) {
        self.register.remove(&Label::Awaited(command.digest()), &mut self.tally);
        let Some(contents) = command.contents().filter(|contents| !self.awaits(contents)) else { return };
        let come = self.register.range(pieces(&contents)).map(Entry::label);
        come.collect::<Vec<_>>().iter().for_each(|label| self.register.remove(label, &mut self.tally));
    }

    /// Operators want no more of the commands about a zone that wait for these contents.
    pub(super) fn forget_contents(&mut self, zone: &Name, contents: &Digest) -> Result<(), String> {
        let is_meant =
            |command: &Command| command.zone() == Some(zone) && command.contents() == Some(*contents);
        if !self.all_awaited().any(|awaited| is_meant(&awaited.command)) {
            return Err("no command about the zone waits for these contents".into());
        }
        self.give_up("operators gave it up", |command, _| is_meant(command));
        Ok(())
    }

    /// Gives up commands that wait for their contents.
    pub(super) fn give_up(&mut self, why: &str, is_meant: impl Fn(&Command, u64) -> bool) {
        let meant = self.all_awaited().filter(|awaited| is_meant(&awaited.command, awaited.at));
        for Awaited { command, voters, .. } in meant.cloned().collect::<Vec<_>>() {
            self.take_awaited(&command);
            self.decide(command, voters, Err(why.into()));
        }
    }

    /// Gives up what has waited for too long.
    pub(super) fn lapse_awaited(&mut self) {
        let now = self.time.secs();
        self.give_up("its contents did not come within a day", |_, at| at + AWAIT_SECS < now);
    }
}

/// Where the pieces of these contents are.
fn pieces(contents: &Digest) -> RangeInclusive<Label> {
    Label::Parcel(*contents, 0)..=Label::Parcel(*contents, u32::MAX)
}
