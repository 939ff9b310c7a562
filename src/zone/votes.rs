//! How operators have the cluster do something: q = n - t of them tell their own replicas the same command.
//!
//! Each replica says its operator's vote in its own name ([`super::said`]). Where the q-th vote for a command comes in the
//! order, the command is executed, in that batch: done, or refused with a reason (it comes too early, the key is unknown …).
//! Either way its votes are used up and it joins the decided ones, of which the last [`MAX_DECIDED`] are kept.
//!
//! - Votes are for octets: commands that differ in one octet are two.
//! - A second vote for an open command changes nothing, nor does a vote ordered a second time: each replica's votes carry a
//!   number, and only a greater one than before is taken.
//! - A vote lapses [`VOTE_LAPSE_SECS`] of agreed time after it was ordered. A replica has at most [`MAX_OPEN_VOTES`]: one
//!   more, and its oldest goes. A command that nobody votes for any more is gone.
//!
//! So t corrupt replicas can neither bring a command about, nor keep the others from it, nor fill the state. What a
//! command does must not rest on when its votes came; a vote that comes after the command was decided is a first vote for the
//! same again.

use super::bundle::Bundle;
use super::command::{Act, Command};
use super::digest::Tally;
use super::ledger::Open;
use super::machine::{Machine, Verdict};
use super::register::{Entry, Label, Register};
use super::request::Kind;
use super::said::{Said, Saying};
use crate::codec::{Digest, encode};
use crate::dns::{Name, Rcode};
use crate::limits::{MAX_DECIDED, MAX_OPEN_VOTES, MAX_REASON_BYTES, MAX_REPLICAS};
use crate::quorum::{Committee, ReplicaId};
use crate::time::{AgreedTime, DAY, SECOND};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};

/// Seconds of agreed time after which a vote counts no more.
pub const VOTE_LAPSE_SECS: u64 = 7 * DAY / SECOND;

/// A replica's votes, the oldest first.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct Voter {
    pub(super) who: ReplicaId,
    /// The number of its newest vote.
    last: u64,
    /// For which commands, and since when (agreed time, in seconds).
    open: Vec<(Digest, u64)>,
}

/// A command that a quorum has voted for.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Decided {
    /// From 1.
    pub number: u64,
    /// The command.
    pub command: Command,
    /// Agreed time in seconds.
    pub at: u64,
    /// Who voted for it.
    pub voters: Vec<ReplicaId>,
    /// Why it was not done, if so.
    pub refused: Option<String>,
}

/// A command with votes, but not of a quorum.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenCommand {
    /// The command.
    pub command: Command,
    /// Who voted for it, and when: agreed time in seconds.
    pub votes: BTreeMap<ReplicaId, u64>,
}

/// What a restored entry must fulfil.
pub(super) fn check_voter(voter: &Voter, time: AgreedTime) -> Result<(), String> {
    let is_late = |(_, at): &(Digest, u64)| *at > time.secs();
    match voter.open.len() > MAX_OPEN_VOTES || voter.open.iter().any(is_late) {
        true => Err("a replica's votes cannot be these".into()),
        false => Ok(()),
    }
}

/// What a restored entry must fulfil.
pub(super) fn check_decided(decided: &Decided, time: AgreedTime) -> Result<(), String> {
    let reason = decided.refused.as_ref().map_or(0, String::len);
    let fits = decided.voters.len() <= usize::from(MAX_REPLICAS) && reason <= MAX_REASON_BYTES;
    // So that counting on from there cannot overflow.
    match fits && decided.number < 1 << 62 && decided.at <= time.secs() {
        true => Ok(()),
        false => Err("a decided command cannot be this".into()),
    }
}

impl Machine {
    /// The commands that have votes, and those decided last, in their order.
    pub fn votes(&self) -> (Vec<OpenCommand>, Vec<Decided>) {
        let (mut open, mut decided) = (Vec::new(), Vec::new());
        for (label, entry) in self.register.iter() {
            match (label, entry) {
                (Label::Command(digest), Entry::Command(command)) => {
                    open.push(OpenCommand {
                        command: command.clone(),
                        votes: votes_for(&self.register, digest),
                    });
                }
                (_, Entry::Decided(one)) => decided.push(one.clone()),
                _ => {}
            }
        }
        (open, decided)
    }

    /// The number of a replica's newest vote that was ordered; 0 before the first.
    pub fn last_vote(&self, who: ReplicaId) -> u64 {
        voter(&self.register, who).last
    }

    /// A vote of replica `by` for `command`, signed by `sign` ([`super::SAID_DOMAIN`]), to be ordered.
    pub fn vote_of(
        &self,
        by: ReplicaId,
        count: u64,
        command: &Command,
        sign: impl FnOnce(&Digest) -> [u8; 64],
    ) -> super::Request {
        let what = Saying::Vote { count, command: encode(command) };
        super::Request::Said(self.saying(by, what, sign))
    }

    /// What replica `by` says, signed by `sign`, to be ordered as [`super::Request::Said`].
    pub fn saying(&self, by: ReplicaId, what: Saying, sign: impl FnOnce(&Digest) -> [u8; 64]) -> Said {
        Said::sign(self.realm, by, what, sign)
    }

    /// Something said: what counts already, or cannot, is not looked at further.
    pub(super) fn said(
        &mut self,
        said: &Said,
        open: &mut BTreeMap<Name, Open>,
        fresh: &BTreeMap<Digest, usize>,
    ) -> Verdict {
        let plain = |rcode| Verdict::plain(Kind::Internal, rcode);
        let Some(public) = self.members.get(said.by.slot()) else { return plain(Rcode::REFUSED) };
        let (count, command) = match &said.what {
            Saying::Vote { count, command } => (count, command),
            Saying::Bundle(bundle) if said.is_authentic(self.realm, public) => {
                return self.bundle(said.by, Bundle::clone(bundle));
            }
            Saying::Bundle(_) => return plain(Rcode::REFUSED),
            Saying::Progress { batches } => return self.progress(said, *batches),
            Saying::Vouch { key, until, message } => {
                return self.vouch(said, (key, *until, message), open, fresh);
            }
            Saying::Offer { .. } | Saying::Dealing { .. } => return self.said_for_refresh(said),
        };
        if *count <= self.last_vote(said.by) {
            return plain(Rcode::NOERROR);
        }
        let Ok(command) = Command::decode(command) else { return plain(Rcode::FORMERR) };
        if !said.is_authentic(self.realm, public) {
            return plain(Rcode::REFUSED);
        }
        cast(&mut self.register, &mut self.tally, said.by, *count, &command, self.time);
        let voters: Vec<ReplicaId> = votes_for(&self.register, &command.digest()).into_keys().collect();
        if voters.len() < self.quorum() {
            return plain(Rcode::NOERROR);
        }
        use_up(&mut self.register, &mut self.tally, &command);
        let refused = self.command(&command, open).err();
        let refused = refused.map(|reason| reason.chars().take(MAX_REASON_BYTES / 4).collect());
        decide(&mut self.register, &mut self.tally, |number| Decided {
            number,
            command,
            at: self.time.secs(),
            voters,
            refused,
        });
        plain(Rcode::NOERROR)
    }

    /// q; with nobody to say anything, none is enough.
    pub(super) fn quorum(&self) -> usize {
        let n = u8::try_from(self.members.len()).unwrap_or(0);
        Committee::new(n).map_or(usize::MAX, Committee::quorum)
    }

    /// Does what a quorum wants, or says why not.
    fn command(&mut self, command: &Command, open: &mut BTreeMap<Name, Open>) -> Result<(), String> {
        if self.has_ended() {
            // What the next epoch begins from must stay as the command found it.
            return Err("another command in this batch has ended the epoch".into());
        }
        match command {
            Command::Drill { .. } => Ok(()),
            Command::Keys { zone, act } => self.keys_command(zone, act, open),
            Command::Refresh { zone, tag } => self.begin_refresh(zone, *tag),
            Command::Denial { zone, by } => {
                let ledger = self.zones.get_mut(zone).ok_or_else(|| format!("there is no zone {zone}"))?;
                let open = open.entry(zone.clone()).or_insert_with(|| ledger.open());
                ledger.deny_by(open, *by, self.time)
            }
            Command::Epoch(succession) => self.end_epoch(succession),
        }
    }
}

/// Drops the votes that lapse.
pub(super) fn lapse(register: &mut Register, tally: &mut Tally, time: AgreedTime) {
    let lapsed = |(_, at): &(Digest, u64)| at + VOTE_LAPSE_SECS < time.secs();
    let voters = voters(register).filter(|voter| voter.open.iter().any(lapsed)).cloned().collect::<Vec<_>>();
    for mut voter in voters {
        voter.open.retain(|vote| !lapsed(vote));
        register.put(Entry::Voter(voter), tally);
    }
    drop_without_votes(register, tally);
}

fn cast(
    register: &mut Register,
    tally: &mut Tally,
    who: ReplicaId,
    count: u64,
    what: &Command,
    time: AgreedTime,
) {
    let (mut voter, digest) = (voter(register, who), what.digest());
    voter.last = count;
    if !voter.open.iter().any(|(other, _)| *other == digest) {
        voter.open.push((digest, time.secs()));
        if voter.open.len() > MAX_OPEN_VOTES {
            voter.open.remove(0);
        }
    }
    register.put(Entry::Voter(voter), tally);
    register.put(Entry::Command(what.clone()), tally);
    drop_without_votes(register, tally);
}

fn use_up(register: &mut Register, tally: &mut Tally, command: &Command) {
    let digest = command.digest();
    let voters: Vec<Voter> = voters(register).cloned().collect();
    for mut voter in voters {
        voter.open.retain(|(other, _)| *other != digest);
        register.put(Entry::Voter(voter), tally);
    }
    drop_without_votes(register, tally);
}

fn decide(register: &mut Register, tally: &mut Tally, decided: impl FnOnce(u64) -> Decided) {
    let numbers = |register: &Register| -> Vec<u64> {
        let decided = register.iter().filter_map(|(label, _)| match label {
            Label::Decided(number) => Some(*number),
            _ => None,
        });
        decided.collect()
    };
    let kept = numbers(register);
    let next = kept.last().map_or(1, |last| last + 1);
    register.put(Entry::Decided(decided(next)), tally);
    for number in kept.iter().take((kept.len() + 1).saturating_sub(MAX_DECIDED)) {
        register.remove(&Label::Decided(*number), tally);
    }
}

/// Votes for steps of a zone's rollover say nothing about another.
pub(super) fn forget_steps(register: &mut Register, tally: &mut Tally, zone: &Name) {
    let steps = register.iter().filter_map(|(_, entry)| match entry {
        Entry::Command(step @ Command::Keys { zone: of, act: Act::Step(..) }) if of == zone => Some(step),
        _ => None,
    });
    let steps: Vec<Command> = steps.cloned().collect();
    steps.iter().for_each(|step| use_up(register, tally, step));
}

fn drop_without_votes(register: &mut Register, tally: &mut Tally) {
    let wanted: BTreeSet<Digest> =
        voters(register).flat_map(|voter| voter.open.iter().map(|(digest, _)| *digest)).collect();
    let is_unwanted = |label: &Label| matches!(label, Label::Command(digest) if !wanted.contains(digest));
    let unwanted: Vec<Label> =
        register.iter().map(|(label, _)| label).filter(|label| is_unwanted(label)).cloned().collect();
    unwanted.iter().for_each(|label| register.remove(label, tally));
}

fn voters(register: &Register) -> impl Iterator<Item = &Voter> {
    register.iter().filter_map(|(_, entry)| match entry {
        Entry::Voter(voter) => Some(voter),
        _ => None,
    })
}

fn voter(register: &Register, who: ReplicaId) -> Voter {
    match register.get(&Label::Voter(who)) {
        Some(Entry::Voter(voter)) => voter.clone(),
        _ => Voter { who, last: 0, open: Vec::new() },
    }
}

fn votes_for(register: &Register, command: &Digest) -> BTreeMap<ReplicaId, u64> {
    let votes =
        voters(register).flat_map(|voter| voter.open.iter().map(|(digest, at)| (voter.who, digest, *at)));
    votes.filter(|(_, digest, _)| *digest == command).map(|(who, _, at)| (who, at)).collect()
}
