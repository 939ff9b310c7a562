//! The end of an epoch at one replica.
//!
//! 1. The batch that executes the command is the last. Its state is kept, and stated to the others ([`consensus::Ending`]).
//!    Clients whose requests were not executed are told SERVFAIL, and so are those that come: the next epoch takes them. Who
//!    was executed gets his reply as ever, when his version is signed and served.
//! 2. Once the ending is certified, the last state is written to disk under its finale, in place of the whole log:
//!    [`News::Ended`]. From then on this replica orders nothing; it gives the finale to each peer whose link is new, and the
//!    state to who asks for it. Signing goes on.
//! 3. A replica that hears of the finale before it has executed so far, and comes no further, takes over the last state.
//! 4. A replica that is not in the next epoch ends when nobody needs it: once the last state is with so many of those that go
//!    on that one of them is correct in both epochs ([`News::Released`]). Who goes on may end when the next epoch has no use
//!    for this one: that is told there ([`News::Settled`]).
//!
//! Agreement on the order makes the last batch, and so the last state, one; a certificate needs one correct replica. So no
//! two states can follow an epoch.

use super::checkpoint::Held;
use super::reply::Asker;
use super::store::StateFile;
use super::{ClientId, Output, Replica};
use crate::consensus::{Ending, Statement};
use crate::quorum::ReplicaId;
use crate::time::UnixMillis;
use crate::zone::{Refusal, Snapshot, Succession};

/// Steps from epoch to epoch, for who runs the replica.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// The last state of this epoch is on disk, certified: the next may begin from it ([`Input::Begin`](super::Input::Begin)).
    Ended(Ending),
    /// This replica is not in the next epoch, and nobody needs it any more.
    Released,
    /// This epoch has begun here, and that is on disk.
    Begun,
    /// A state of this epoch is certified: nobody needs what was before.
    Settled,
}

/// What an epoch has come to.
pub(super) struct Last {
    pub ending: Ending,
    pub snapshot: Snapshot,
    /// Whether it is on disk, certified.
    pub stored: bool,
    /// Whether it was told that nobody needs this replica.
    released: bool,
}

impl Last {
    pub fn new(ending: Ending, snapshot: Snapshot, stored: bool) -> Self {
        Self { ending, snapshot, stored, released: false }
    }

    /// As others ask for it.
    pub fn held(&self) -> Held {
        let Ending { round, state, history, .. } = self.ending;
        let statement = Statement { round, previous: 0, state, history };
        Held { mark: None, statement, snapshot: self.snapshot.clone() }
    }
}

impl Replica {
    /// Whether batches are executed here.
    pub(super) fn executes(&self) -> bool {
        !self.awaits && self.last.is_none()
    }

    /// The batch just executed was the last.
    pub(super) fn end(&mut self, now: UnixMillis, succession: &Succession, out: &mut Output) {
        let snapshot = self.machine.snapshot();
        let continuing = succession.continuing.iter().filter_map(|index| ReplicaId::new(*index));
        let ending = Ending {
            round: self.executed_round,
            state: snapshot.manifest().digest(),
            history: self.history,
            successor: succession.cluster,
            faults: succession.faults,
            continuing: continuing.collect(),
        };
        self.leave(now, Last::new(ending, snapshot, false), out);
    }

    /// This epoch is over here.
    pub(super) fn leave(&mut self, now: UnixMillis, last: Last, out: &mut Output) {
        let ending = last.ending.clone();
        self.checkpoints.keep_aside(last.held());
        self.awaits = false;
        self.last = Some(last);
        self.pipeline.end();
        for (client, asker) in self.clients.turned_away() {
            self.turn_away(now, client, &asker, out);
        }
        let step = self.consensus.ended(now, ending);
        self.absorb_consensus(step, out);
    }

    pub(super) fn turn_away(&mut self, now: UnixMillis, client: ClientId, asker: &Asker, out: &mut Output) {
        self.refuse_one(now, client, asker, &Refusal::Over, out);
    }

    /// Stores the last state once it is certified; tells when nobody needs this replica.
    pub(super) fn follow_end(&mut self, out: &mut Output) {
        let (Some(finale), Some(last)) = (self.consensus.finale(), &self.last) else { return };
        if self.consensus.ended_otherwise() {
            out.fatal = Some(
                "the epoch ended here with another state than t+1 replicas certify: this replica's memory or disk is \
                 damaged, or more replicas are corrupt than can be borne; remove its data directory and start it again"
                    .into(),
            );
            return;
        }
        if last.stored {
            return self.release(out);
        }
        if !self.checkpoints.is_storing() {
            out.store =
                Some(StateFile::of_finale(finale, last.ending.round, last.snapshot.clone(), Vec::new()));
            self.checkpoints.begin_storing(last.ending.round);
        }
    }

    /// The records of the last state, once it is on disk, if this replica goes on: what the next epoch's begins from.
    pub fn handover(&self) -> Option<Vec<Vec<u8>>> {
        let goes_on = |last: &&Last| last.stored && last.ending.continuing.contains(&self.me);
        let last = self.last.as_ref().filter(goes_on)?;
        let finale = self.consensus.finale()?;
        let (round, snapshot) = (last.ending.round, last.snapshot.clone());
        Some(StateFile::of_finale(finale, round, snapshot, Vec::new()).collect())
    }

    /// The last state is on disk.
    pub(super) fn ended(&mut self, out: &mut Output) {
        if let Some(last) = &mut self.last {
            last.stored = true;
            if self.predecessor.is_some() {
                out.news.push(News::Settled); // who is late takes this state
            }
            out.news.push(News::Ended(last.ending.clone()));
        }
    }

    fn release(&mut self, out: &mut Output) {
        let Some(last) = self.last.as_mut().filter(|last| !last.released) else { return };
        let Ending { faults, continuing, .. } = &last.ending;
        // At most t of one epoch and at most t of the other are corrupt.
        let enough = usize::from(*faults).min(self.committee.faults()) + 1;
        let have = self.consensus.have_ended().filter(|who| continuing.contains(who)).count();
        if !continuing.contains(&self.me) && have >= enough.min(continuing.len()) {
            last.released = true;
            out.news.push(News::Released);
        }
    }
}
