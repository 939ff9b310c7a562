//! Zones that come, go and change while the cluster runs: what of that concerns this replica beside its machine.
//!
//! - The ingress, the clients that wait, and the readers of versions learn which zones there are: from each batch, and anew from a
//!   state that is taken over or read ([`Effect::Withdraw`]).
//! - *Parcels*: the operator gives contents ([`Replica::give`]); they are held in memory, and as long as the executed state
//!   awaits them some of the lacking pieces are proposed at a time. Replicas begin at different places, so that little is carried
//!   twice. Contents that the state awaits no more go; of those that it never did, the oldest gives way.
//! - *Operators' votes* ([`Replica::carry`]) are ordered as they are: they say themselves whose they are.
use super::{Effect, Output, Replica};
use crate::codec::{Digest, encode};
use crate::dns::Name;
use crate::limits::MAX_HELD_PARCELS;
use crate::time::UnixMillis;
use crate::zone::{Machine, OperatorVote, Parcel, Reads, Request, ZoneInfo, ZoneNews};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Pieces of one parcel that this replica proposes at a time: as much as some vertices carry.
const PIECES_AT_A_TIME: usize = 8;

/// The zones, as the executed state has them.
#[derive(Clone, Serialize, Debug)]
pub struct Zones {
    /// Each, in canonical order.
    pub zones: Vec<ZoneCharter>,
    /// Commands that wait for their contents.
    pub awaited: Vec<AwaitedContents>,
    /// The catalog zone and its serial.
    pub catalog: Option<(String, u32)>,
    /// The operators who sign commands themselves.
    pub operators: Vec<OperatorStatus>,
    /// How many of them a command needs.
    pub operators_needed: usize,
}

/// A zone at a glance.
#[derive(Clone, Serialize, Debug)]
pub struct ZoneCharter {
    /// The origin.
    pub zone: String,
    /// The serial of its newest state, published or not.
    pub serial: u32,
    /// Its newest version, published or not; 0 before the first.
    pub version: u64,
    /// The batch that added it; 0 if it was there in the beginning.
    pub born: u64,
    /// Whether updates are refused.
    pub frozen: bool,
    /// Whether queries are answered at their place in the order.
    pub ordered: bool,
    /// The statements of its policy.
    pub policy: Vec<String>,
}

/// A command that waits for its contents.
#[derive(Clone, Serialize, Debug)]
pub struct AwaitedContents {
    /// Its text.
    pub command: String,
    /// The name of the contents.
    pub contents: String,
    /// How many pieces there are; unknown until the first has come.
    pub count: Option<u32>,
    /// How many have come.
    pub have: u32,
    /// Until when it waits: agreed time in seconds.
    pub until: u64,
    /// Whether this replica holds them.
    pub held: bool,
}

/// An operator who signs commands.
#[derive(Clone, Serialize, Debug)]
pub struct OperatorStatus {
    /// His name.
    pub name: String,
    /// His public key, in hexadecimal.
    pub key: String,
    /// The number of his newest vote that was executed.
    pub newest: u64,
}

/// The contents that this replica holds for its operator.
#[derive(Default)]
pub(super) struct Parcels {
    /// The oldest first; and whether the state has awaited it.
    held: Vec<(Parcel, bool)>,
}

impl Parcels {
    fn holds(&self, contents: &Digest) -> bool {
        self.held.iter().any(|(parcel, _)| parcel.name() == *contents)
    }

    /// Takes one more, if one that nobody awaits can give way.
    fn hold(&mut self, parcel: Parcel, machine: &Machine) -> Result<(), &'static str> {
        if self.holds(&parcel.name()) {
            return Ok(());
        }
        if self.held.len() >= MAX_HELD_PARCELS {
            let needless = self.held.iter().position(|(held, _)| !machine.awaits(&held.name()));
            self.held.remove(needless.ok_or("contents of other commands are on their way: try again later")?);
        }
        let is_awaited = machine.awaits(&parcel.name());
        self.held.push((parcel, is_awaited));
        Ok(())
    }

    /// Lets go what was awaited and is no more.
    fn let_go(&mut self, machine: &Machine) {
        for (parcel, was_awaited) in &mut self.held {
            *was_awaited |= machine.awaits(&parcel.name());
        }
        self.held.retain(|(parcel, was_awaited)| !was_awaited || machine.awaits(&parcel.name()));
    }
}

impl Replica {
    /// The operator gives contents, which are proposed once a command awaits them. An error says why they are not taken.
    pub fn give(&mut self, now: UnixMillis, parcel: Parcel) -> Result<Output, &'static str> {
        if !self.executes() {
            return Err("this epoch is over, or has not begun here");
        }
        self.parcels.hold(parcel, &self.machine)?;
        self.proposals.look_at_once();
        Ok(self.order_all(now, []))
    }

    /// An operator's vote sets out. An error if there is no room for it now.
    pub fn carry(&mut self, now: UnixMillis, vote: OperatorVote) -> Result<Output, &'static str> {
        if !self.executes() {
            return Err("this epoch is over, or has not begun here");
        }
        let request = encode(&Request::Operator(Box::new(vote)));
        if !self.consensus.has_room(request.len()) {
            return Err("too many requests wait here: try again later");
        }
        Ok(self.order(now, request))
    }

    /// The zones' rules.
    pub fn charters(&self) -> Vec<ZoneInfo> {
        self.machine.charters()
    }

    /// The commands that wait for their contents.
    pub fn awaited(&self) -> Vec<AwaitedContents> {
        let awaited = self.machine.awaited().into_iter().map(|one| AwaitedContents {
            command: one.command.to_string(),
            contents: one.contents.to_hex(),
            count: one.count,
            have: one.have,
            until: one.until,
            held: self.parcels.holds(&one.contents),
        });
        awaited.collect()
    }

    /// The zones, and what waits for its contents.
    pub fn zones(&self) -> Zones {
        let (operators, operators_needed) = self.machine.operators();
        let operators = operators.iter().map(|(name, key)| OperatorStatus {
            name: name.clone(),
            key: Digest(*key).to_hex(),
            newest: self.machine.last_operator_vote(*key),
        });
        Zones {
            zones: self.machine.charters().into_iter().map(shown).collect(),
            awaited: self.awaited(),
            catalog: self.machine.catalog().map(|one| (one.zone.to_string(), one.view.serial())),
            operators: operators.collect(),
            operators_needed,
        }
    }

    /// Pieces of held contents that the executed state lacks.
    pub(super) fn lacking_pieces(&self) -> impl Iterator<Item = Request> {
        let (slot, n) = (self.me.slot() as u64, self.committee.n() as u64);
        self.parcels.held.iter().flat_map(move |(parcel, _)| {
            let from = (u64::from(parcel.count()) * slot / n) as u32;
            let lacking = self.machine.lacking(&parcel.name(), parcel.count(), from, PIECES_AT_A_TIME);
            lacking.into_iter().filter_map(|index| parcel.piece(index))
        })
    }

    /// What a batch did to the zones, before its outcomes are told: who waited for versions of a zone that went is answered.
    pub(super) fn follow_zones(&mut self, now: UnixMillis, news: Vec<ZoneNews>, out: &mut Output) {
        if !self.parcels.held.is_empty() {
            self.parcels.let_go(&self.machine);
            self.proposals.look_at_once();
        }
        if news.is_empty() {
            return;
        }
        for one in news {
            if let ZoneNews::Removed(zone) = one {
                self.withdraw(now, zone, out);
            }
        }
        self.ingress.set_zones(reads(&self.machine));
    }

    /// The same from a state of which nothing is known here; `before` are the zones that there were.
    pub(super) fn follow_all_zones(&mut self, now: UnixMillis, before: BTreeSet<Name>, out: &mut Output) {
        self.parcels.let_go(&self.machine);
        for zone in before {
            if !self.serves(&zone) {
                self.withdraw(now, zone, out);
            }
        }
        self.ingress.set_zones(reads(&self.machine));
    }

    /// The zones of the machine, and of the cluster file, and the catalog.
    pub(super) fn known_zones(&self) -> BTreeSet<Name> {
        let given = self.genesis.zones.iter().map(|(rules, _)| rules.origin.clone());
        let have = self.machine.zones().map(|rules| rules.origin.clone());
        given.chain(have).chain(self.machine.catalog().map(|one| one.zone.clone())).collect()
    }

    fn serves(&self, zone: &Name) -> bool {
        self.machine.zones().any(|rules| rules.origin == *zone)
            || self.machine.catalog().is_some_and(|one| one.zone == *zone)
    }

    fn withdraw(&mut self, now: UnixMillis, zone: Name, out: &mut Output) {
        self.newest.remove(&zone);
        for done in self.clients.withdrawn(&zone) {
            self.tell(now, done, None, out);
        }
        out.effects.push(Effect::Withdraw { zone });
    }
}

/// From where each zone is read.
fn reads(machine: &Machine) -> BTreeMap<Name, Reads> {
    machine.zones().map(|rules| (rules.origin.clone(), rules.reads)).collect()
}

fn shown(zone: ZoneInfo) -> ZoneCharter {
    let ZoneInfo { charter, serial, version, .. } = zone;
    ZoneCharter {
        zone: charter.origin.to_string(),
        serial,
        version,
        born: charter.born,
        frozen: charter.frozen,
        ordered: charter.reads == Reads::Ordered,
        policy: charter.policy,
    }
}
