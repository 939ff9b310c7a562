//! How operators have the cluster do something: q = n - t of them tell their own replicas the same command.
//!
//! Each replica says its operator's vote in its own name ([`super::said`]). Where the q-th vote for a command comes in the
//! order, the command is executed, in that batch: done, or refused with a reason (it comes too early, the key is unknown …).
//! Either way its votes are used up and it joins the decided ones, of which the last [`MAX_DECIDED`] are kept. A command that
//! names contents is decided when these are there ([`super::parcels`]).
//!
//! Operators who have keys of their own sign some commands themselves ([`super::operators`]): where so many as are needed have
//! signed one, it is executed likewise. The votes of replicas and of operators are counted apart, for t replicas and one operator
//! together are nobody whom anything rests on.
//!
//! - Votes are for octets: commands that differ in one octet are two.
//! - A vote says the number of the newest decided command that its voter knew of. Once the command that it is for was decided
//!   since, or waits for its contents, it counts no more: who wants the same again must know that it was done. So it is with votes that
//!   know of less than the oldest decided command that is kept, or of more than there was.
//! - A second vote for an open command changes nothing, nor does a vote ordered a second time: each replica's votes carry a
//!   number, and only a greater one than before is taken.
//! - A vote lapses [`VOTE_LAPSE_SECS`] of agreed time after it was ordered, an operator's after he signed it. Replica and operator have at most [`MAX_OPEN_VOTES`]: one
//!   more, and its oldest goes. A command that nobody votes for any more is gone.
//!
//! So t corrupt replicas, or too few operators, can neither bring a command about, nor have it done twice, nor keep the others from it,
//! nor fill the state. What a command does must not rest on when its votes came.

use super::bundle::Bundle;
use super::command::{Act, Command};
use super::digest::Tally;
use super::ledger::Open;
use super::machine::{Machine, Verdict};
use super::operators::OperatorVote;
use super::register::{Entry, Label, Register};
use super::request::Kind;
use super::said::{Said, Saying};
use crate::codec::{Digest, encode};
use crate::dns::{Name, Rcode};
use crate::limits::{MAX_DECIDED, MAX_OPEN_VOTES, MAX_OPERATORS, MAX_REASON_BYTES, MAX_REPLICAS};
use crate::quorum::{Committee, ReplicaId};
use crate::time::{AgreedTime, DAY, SECOND};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};

/// Seconds of agreed time after which a vote counts no more.
pub const VOTE_LAPSE_SECS: u64 = 7 * DAY / SECOND;

/// Who votes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub(super) enum Who {
    Replica(ReplicaId),
    /// By his public key.
    Operator([u8; 32]),
}

/// Somebody's votes, the oldest first.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct Voter {
    pub(super) who: Who,
    /// The number of the newest vote.
    last: u64,
    /// For which commands, and since when (agreed time, in seconds).
    open: Vec<(Digest, u64)>,
}

/// Who has voted for a command.
#[derive(Clone, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub(super) struct Voters {
    pub(super) replicas: Vec<ReplicaId>,
    pub(super) operators: Vec<[u8; 32]>,
}

/// A command that had its votes.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Decided {
    /// From 1.
    pub number: u64,
    /// The command.
    pub command: Command,
    /// Agreed time in seconds.
    pub at: u64,
    /// Whose replicas voted for it.
    pub voters: Vec<ReplicaId>,
    /// Which operators signed it: their public keys.
    pub operators: Vec<[u8; 32]>,
    /// Why it was not done, if so.
    pub refused: Option<String>,
}

/// A command with votes, but not enough.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenCommand {
    /// The command.
    pub command: Command,
    /// Whose replica voted for it, and when: agreed time in seconds.
    pub votes: BTreeMap<ReplicaId, u64>,
    /// Which operators signed it (their public keys), and when: agreed time in seconds.
    pub operators: BTreeMap<[u8; 32], u64>,
}

/// What a vote says of itself.
#[derive(Clone, Copy)]
struct Ballot {
    count: u64,
    /// The number of the newest decided command that the voter knew of.
    after: u64,
    /// Since when it counts: agreed time in seconds.
    at: u64,
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
    let fits = decided.voters.len() <= usize::from(MAX_REPLICAS)
        && decided.operators.len() <= MAX_OPERATORS
        && reason <= MAX_REASON_BYTES;
    // So that counting on from there cannot overflow.
    match fits && decided.number < 1 << 62 && decided.at <= time.secs() {
        true => Ok(()),
        false => Err("a decided command cannot be this".into()),
    }
}

impl Machine {
    /// The commands that have votes, and those decided last, in their order.
    pub fn votes(&self) -> (Vec<OpenCommand>, Vec<Decided>) {
        let mut open = Vec::new();
        for command in commands(&self.register) {
            let (mut votes, mut operators) = (BTreeMap::new(), BTreeMap::new());
            for (who, at) in votes_for(&self.register, &command.digest()) {
                match who {
                    Who::Replica(who) => _ = votes.insert(who, at),
                    Who::Operator(key) => _ = operators.insert(key, at),
                }
            }
            open.push(OpenCommand { command: command.clone(), votes, operators });
        }
        (open, decided(&self.register).cloned().collect())
    }

    /// The number of a replica's newest vote that was ordered; 0 before the first.
    pub fn last_vote(&self, who: ReplicaId) -> u64 {
        voter(&self.register, Who::Replica(who)).last
    }

    /// The number of the newest vote of the operator with this public key that was ordered; 0 before the first.
    pub fn last_operator_vote(&self, by: [u8; 32]) -> u64 {
        voter(&self.register, Who::Operator(by)).last
    }

    /// The operators: a name and a public key each; and how many of them are needed for a command.
    pub fn operators(&self) -> (&[(String, [u8; 32])], usize) {
        (&self.operators.listed, self.operators.needed)
    }

    /// A vote of replica `by` for `command`, signed by `sign` ([`super::SAID_DOMAIN`]), to be ordered.
    pub fn vote_of(
        &self,
        by: ReplicaId,
        count: u64,
        command: &Command,
        sign: impl FnOnce(&Digest) -> [u8; 64],
    ) -> super::Request {
        let what = Saying::Vote { count, after: self.newest_decided(), command: encode(command) };
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
        let (count, after, command) = match &said.what {
            Saying::Vote { count, after, command } => (*count, *after, command),
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
        if count <= self.last_vote(said.by) {
            return plain(Rcode::NOERROR);
        }
        let Ok(command) = Command::decode(command) else { return plain(Rcode::FORMERR) };
        if !said.is_authentic(self.realm, public) {
            return plain(Rcode::REFUSED);
        }
        let ballot = Ballot { count, after, at: self.time.secs() };
        self.cast(Who::Replica(said.by), ballot, command, open);
        plain(Rcode::NOERROR)
    }

    /// An operator's vote: what counts already, or cannot, is not looked at further.
    pub(super) fn operator_vote(&mut self, vote: &OperatorVote, open: &mut BTreeMap<Name, Open>) -> Verdict {
        let plain = |rcode| Verdict::plain(Kind::Internal, rcode);
        if !self.operators.listed.iter().any(|(_, key)| *key == vote.by) {
            return plain(Rcode::REFUSED);
        }
        let who = Who::Operator(vote.by);
        if vote.count <= voter(&self.register, who).last {
            return plain(Rcode::NOERROR);
        }
        let Ok(command) = Command::decode(&vote.command) else { return plain(Rcode::FORMERR) };
        if !command.is_for_operators() || !vote.is_timely(self.time) || !vote.is_authentic(self.realm) {
            return plain(Rcode::REFUSED);
        }
        let at = vote.signed_secs().min(self.time.secs());
        self.cast(who, Ballot { count: vote.count, after: vote.after, at }, command, open);
        plain(Rcode::NOERROR)
    }

    /// The number of the newest decided command; 0 before the first.
    fn newest_decided(&self) -> u64 {
        decided(&self.register).last().map_or(0, |one| one.number)
    }

    /// Whether a vote cannot count: what it asks for may have been done without its voter's knowing, or waits to be.
    fn is_past(&self, Ballot { after, .. }: Ballot, command: &Command) -> bool {
        let oldest = decided(&self.register).next().map_or(1, |one| one.number);
        let mut since = decided(&self.register).filter(|one| one.number > after);
        after > self.newest_decided()
            || after + 1 < oldest
            || self.waits(command)
            || since.any(|one| one.command == *command)
    }

    /// A vote counts; with it the command may have enough.
    fn cast(&mut self, who: Who, ballot: Ballot, command: Command, open: &mut BTreeMap<Name, Open>) {
        if self.is_past(ballot, &command) {
            let voter = Voter { last: ballot.count, ..voter(&self.register, who) };
            return self.register.put(Entry::Voter(voter), &mut self.tally);
        }
        cast(&mut self.register, &mut self.tally, who, ballot, &command);
        let mut voters = Voters::default();
        for who in votes_for(&self.register, &command.digest()).into_keys() {
            match who {
                Who::Replica(who) => voters.replicas.push(who),
                Who::Operator(key) => voters.operators.push(key),
            }
        }
        let signed = command.is_for_operators() && voters.operators.len() >= self.operators.enough();
        if voters.replicas.len() < self.quorum() && !signed {
            return;
        }
        use_up(&mut self.register, &mut self.tally, &command);
        match self.command(&command, open) {
            Ok(Course::Awaits(contents)) => self.await_contents(contents, command, voters),
            Ok(Course::Done) => self.decide(command, voters, Ok(())),
            Err(why) => self.decide(command, voters, Err(why)),
        }
    }

    /// A command is done, or refused.
    pub(super) fn decide(&mut self, command: Command, voters: Voters, done: Result<(), String>) {
        let refused = done.err().map(|why| why.chars().take(MAX_REASON_BYTES / 4).collect());
        let (Voters { replicas, operators }, at) = (voters, self.time.secs());
        decide(&mut self.register, &mut self.tally, |number| Decided {
            number,
            command,
            at,
            voters: replicas,
            operators,
            refused,
        });
    }

    /// q; with nobody to say anything, none is enough.
    pub(super) fn quorum(&self) -> usize {
        let n = u8::try_from(self.members.len()).unwrap_or(0);
        Committee::new(n).map_or(usize::MAX, Committee::quorum)
    }

    /// Does what is wanted, or says why not.
    fn command(&mut self, command: &Command, open: &mut BTreeMap<Name, Open>) -> Result<Course, String> {
        if self.has_ended() {
            // What the next epoch begins from must stay as the command found it.
            return Err("another command in this batch has ended the epoch".into());
        }
        match command {
            Command::Drill { .. } => Ok(()),
            Command::Keys { zone, act } => self.keys_command(zone, act, open),
            Command::Refresh { zone, tag } => self.begin_refresh(zone, *tag),
            Command::Zone { zone, act } => return self.zone_command(zone, act, open),
            Command::Catalog { origin } => self.catalog_command(origin.as_ref()),
            Command::Denial { zone, by } => {
                let ledger = self.zones.get_mut(zone).ok_or_else(|| format!("there is no zone {zone}"))?;
                let open = open.entry(zone.clone()).or_insert_with(|| ledger.open());
                ledger.deny_by(open, *by, self.time)
            }
            Command::Epoch(succession) => self.end_epoch(succession),
        }
        .map(|()| Course::Done)
    }
}

/// The operators of a cluster.
pub(super) struct Operators {
    pub(super) listed: Vec<(String, [u8; 32])>,
    pub(super) needed: usize,
}

impl Operators {
    /// Signatures that are enough; with nobody to sign, none are.
    fn enough(&self) -> usize {
        if self.needed == 0 { usize::MAX } else { self.needed }
    }
}

/// How far a command has come.
pub(super) enum Course {
    Done,
    /// It is executed when the contents of this name are there.
    Awaits(Digest),
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

fn cast(register: &mut Register, tally: &mut Tally, who: Who, ballot: Ballot, what: &Command) {
    let (mut voter, digest) = (voter(register, who), what.digest());
    voter.last = ballot.count;
    let is_first = !voter.open.iter().any(|(other, _)| *other == digest);
    if is_first {
        voter.open.push((digest, ballot.at));
        if voter.open.len() > MAX_OPEN_VOTES {
            voter.open.remove(0);
        }
    }
    register.put(Entry::Voter(voter), tally);
    if is_first {
        register.put(Entry::Command(what.clone()), tally);
        drop_without_votes(register, tally);
    }
}

fn use_up(register: &mut Register, tally: &mut Tally, command: &Command) {
    let digest = command.digest();
    let has_voted = |voter: &&Voter| voter.open.iter().any(|(other, _)| *other == digest);
    let voters: Vec<Voter> = voters(register).filter(has_voted).cloned().collect();
    for mut voter in voters {
        voter.open.retain(|(other, _)| *other != digest);
        register.put(Entry::Voter(voter), tally);
    }
    drop_without_votes(register, tally);
}

fn decide(register: &mut Register, tally: &mut Tally, one: impl FnOnce(u64) -> Decided) {
    let kept: Vec<u64> = decided(register).map(|one| one.number).collect();
    let next = kept.last().map_or(1, |last| last + 1);
    register.put(Entry::Decided(one(next)), tally);
    for number in kept.iter().take((kept.len() + 1).saturating_sub(MAX_DECIDED)) {
        register.remove(&Label::Decided(*number), tally);
    }
}

/// Votes for steps of a zone's rollover say nothing about another.
pub(super) fn forget_steps(register: &mut Register, tally: &mut Tally, zone: &Name) {
    forget(
        register,
        tally,
        |command| matches!(command, Command::Keys { zone: of, act: Act::Step(..) } if of == zone),
    );
}

/// Votes about a zone say nothing about another of that name.
pub(super) fn forget_zone(register: &mut Register, tally: &mut Tally, zone: &Name) {
    forget(register, tally, |command| command.zone() == Some(zone));
}

fn forget(register: &mut Register, tally: &mut Tally, is_meant: impl Fn(&Command) -> bool) {
    let commands: Vec<Command> = commands(register).filter(|one| is_meant(one)).cloned().collect();
    commands.iter().for_each(|command| use_up(register, tally, command));
}

fn drop_without_votes(register: &mut Register, tally: &mut Tally) {
    let wanted: BTreeSet<Digest> =
        voters(register).flat_map(|voter| voter.open.iter().map(|(digest, _)| *digest)).collect();
    let unwanted: Vec<Digest> =
        commands(register).map(Command::digest).filter(|digest| !wanted.contains(digest)).collect();
    unwanted.iter().for_each(|digest| register.remove(&Label::Command(*digest), tally));
}

fn voters(register: &Register) -> impl Iterator<Item = &Voter> {
    register.range(..Label::Command(Digest::default())).filter_map(|entry| match entry {
        Entry::Voter(voter) => Some(voter),
        _ => None,
    })
}

fn commands(register: &Register) -> impl Iterator<Item = &Command> {
    register.range(Label::Command(Digest::default())..Label::Decided(0)).filter_map(|entry| match entry {
        Entry::Command(command) => Some(command),
        _ => None,
    })
}

/// Ascending.
fn decided(register: &Register) -> impl DoubleEndedIterator<Item = &Decided> {
    register.range(Label::Decided(0)..=Label::Decided(u64::MAX)).filter_map(|entry| match entry {
        Entry::Decided(decided) => Some(decided),
        _ => None,
    })
}

fn voter(register: &Register, who: Who) -> Voter {
    match register.get(&Label::Voter(who)) {
        Some(Entry::Voter(voter)) => voter.clone(),
        _ => Voter { who, last: 0, open: Vec::new() },
    }
}

fn votes_for(register: &Register, command: &Digest) -> BTreeMap<Who, u64> {
    let votes =
        voters(register).flat_map(|voter| voter.open.iter().map(|(digest, at)| (voter.who, digest, *at)));
    votes.filter(|(_, digest, _)| *digest == command).map(|(who, _, at)| (who, at)).collect()
}
