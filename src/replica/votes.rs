//! What this replica says in its own name: its operator's votes, ordered like any request, and shown; and its progress.
use super::{Output, Replica};
use crate::codec;
use crate::time::UnixMillis;
use crate::zone::{Command, Request, SAID_DOMAIN, VOTE_LAPSE_SECS};
use serde::Serialize;
use std::collections::BTreeMap;

/// What operators have voted on, as the executed state has it.
#[derive(Clone, Serialize, Debug)]
pub struct Votes {
    /// The replica that tells it.
    pub index: u8,
    /// Votes of replicas that a command needs.
    pub needed: usize,
    /// Signatures of operators that some commands need instead; 0 if there are no operators.
    pub operators_needed: usize,
    /// The number of this replica's newest vote that was executed.
    pub newest: u64,
    /// Commands that lack votes.
    pub open: Vec<OpenVotes>,
    /// Commands decided last, in their order.
    pub decided: Vec<Decision>,
}

/// A command that lacks votes.
#[derive(Clone, Serialize, Debug)]
pub struct OpenVotes {
    /// Its text.
    pub command: String,
    /// Who voted for it, and until when the vote counts: agreed time, in seconds.
    pub votes: BTreeMap<u8, u64>,
    /// Which operators signed it, by name, and until when that counts: agreed time, in seconds.
    pub operators: BTreeMap<String, u64>,
}

/// A command that had its votes.
#[derive(Clone, Serialize, Debug)]
pub struct Decision {
    /// From 1.
    pub number: u64,
    /// Its text.
    pub command: String,
    /// When: agreed time, in seconds.
    pub at: u64,
    /// Who voted for it.
    pub voters: Vec<u8>,
    /// Which operators signed it, by name.
    pub operators: Vec<String>,
    /// Why it was not done, if so.
    pub refused: Option<String>,
}

impl Replica {
    /// The operator's vote for a command sets out. Gives its number, by which [`Votes::newest`] tells when it counts; an error if
    /// there is no room for it now.
    pub fn vote(&mut self, now: UnixMillis, command: &Command) -> Result<(u64, Output), &'static str> {
        if !self.executes() {
            return Err("this epoch is over, or has not begun here");
        }
        let past = self.machine.last_vote(self.me).max(self.voted);
        let count = now.0.max(past.saturating_add(1));
        let identity = self.consensus.identity();
        let sign = |digest: &codec::Digest| identity.sign_in(SAID_DOMAIN, digest);
        let request = codec::encode(&self.machine.vote_of(self.me, count, command, sign));
        if !self.consensus.has_room(request.len()) {
            return Err("too many requests wait here: try again later");
        }
        self.voted = count;
        Ok((count, self.order(now, request)))
    }

    /// What this replica is to say of its progress, if a rollover waits for that.
    pub(super) fn own_progress(&self) -> Option<Request> {
        let identity = self.consensus.identity();
        let sign = |digest: &codec::Digest| identity.sign_in(SAID_DOMAIN, digest);
        self.machine.progress_due(self.me).map(|what| self.machine.say(self.me, what, sign))
    }

    /// What operators have voted on.
    pub fn votes(&self) -> Votes {
        let (open, decided) = self.machine.votes();
        let (operators, operators_needed) = self.machine.operators();
        // One of an epoch before may be listed no more.
        let name = |key: &[u8; 32]| {
            let listed = operators.iter().find(|(_, held)| held == key);
            listed.map_or_else(|| codec::Digest(*key).to_hex(), |(name, _)| name.clone())
        };
        let open = open.into_iter().map(|open| OpenVotes {
            command: open.command.to_string(),
            votes: open.votes.iter().map(|(who, at)| (who.get(), at + VOTE_LAPSE_SECS)).collect(),
            operators: open.operators.iter().map(|(key, at)| (name(key), at + VOTE_LAPSE_SECS)).collect(),
        });
        let decided = decided.into_iter().map(|one| Decision {
            number: one.number,
            command: one.command.to_string(),
            at: one.at,
            voters: one.voters.iter().map(|who| who.get()).collect(),
            operators: one.operators.iter().map(name).collect(),
            refused: one.refused,
        });
        Votes {
            index: self.me.get(),
            needed: self.committee.quorum(),
            operators_needed,
            newest: self.machine.last_vote(self.me),
            open: open.collect(),
            decided: decided.collect(),
        }
    }
}
