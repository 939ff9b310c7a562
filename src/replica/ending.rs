//! The end of an epoch at one replica.
//!
//! 1. The batch that executes the command is the last. Its state is kept, and stated to the others ([`Ending`]).
//!    Clients whose requests were not executed are told SERVFAIL, and so are those that come: the next epoch takes them. Who
//!    was executed gets his reply as ever, when his version is signed and served.
//! 2. Once the ending is certified, the last state is written to disk under its finale, in place of the whole log:
//!    [`News::Ended`]. From then on this replica orders nothing; it gives the finale to each peer whose link is new, and the
//!    state to who asks for it. Signing goes on.
//! 3. A replica that hears of the finale before it has executed so far, and comes no further, takes over the last state.
//! 4. Who goes on says so once that state is on his machine's disk: as the last of this epoch, or, of a machine that was late,
//!    in the next epoch's replica ([`Input::Continued`](super::Input::Continued)). He may end when the next epoch has no use
//!    for this one: that is told there ([`News::Settled`]).
//! 5. A replica that is not in the next epoch ends when nobody needs it: once so many of those that go on have said this
//!    that one of them is correct in both epochs ([`News::Released`]). One that is late, and hears of nobody who orders any more,
//!    need not even have come to the end itself.
//!
//! Agreement on the order makes the last batch, and so the last state, one; a certificate needs one correct replica. So no
//! two states can follow an epoch.

use super::checkpoint::Held;
use super::reply::Asker;
use super::store::StateFile;
use super::{ClientId, Output, Replica};
use crate::codec::ClusterId;
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
}

impl Last {
    pub fn new(ending: Ending, snapshot: Snapshot, stored: bool) -> Self {
        Self { ending, snapshot, stored }
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
    pub(super) fn follow_end(&mut self, now: UnixMillis, out: &mut Output) {
        let Some(finale) = self.consensus.finale() else { return };
        if self.consensus.ended_otherwise() {
            out.fatal = Some(
                "the epoch ended here with another state than t+1 replicas certify: this replica's memory or disk is \
                 damaged, or more replicas are corrupt than can be borne; remove its data directory and start it again"
                    .into(),
            );
            return;
        }
        let is_through = self.last.as_ref().map_or(self.is_stalled(now), |last| last.stored);
        if is_through && self.is_needless_now(&finale.ending) {
            if !std::mem::replace(&mut self.released, true) {
                out.news.push(News::Released);
            }
            return;
        }
        let Some(last) = self.last.as_ref().filter(|last| !last.stored) else { return };
        if !self.checkpoints.is_storing() {
            out.store =
                Some(StateFile::of_finale(finale, last.ending.round, last.snapshot.clone(), Vec::new()));
            self.checkpoints.begin_storing(last.ending.round);
        }
    }

    /// The records of the last state, once it is on disk, if this replica goes on: what the next epoch's begins from. And the
    /// next epoch's cluster.
    pub fn handover(&self) -> Option<(ClusterId, Vec<Vec<u8>>)> {
        let goes_on = |last: &&Last| last.stored && last.ending.continuing.contains(&self.me);
        let last = self.last.as_ref().filter(goes_on)?;
        let finale = self.consensus.finale()?;
        let (round, snapshot) = (last.ending.round, last.snapshot.clone());
        let records = StateFile::of_finale(finale, round, snapshot, Vec::new()).collect();
        Some((last.ending.successor, records))
    }

    /// The last state is on disk.
    pub(super) fn ended(&mut self, now: UnixMillis, out: &mut Output) {
        let Some(last) = &mut self.last else { return };
        last.stored = true;
        let ending = last.ending.clone();
        if ending.continuing.contains(&self.me) {
            self.keep(now, out);
        }
        self.begun_late(out); // who is late takes this state
        out.news.push(News::Ended(ending));
    }

    /// The state with which this epoch ended is on this machine's disk, which goes on.
    pub(super) fn keep(&mut self, now: UnixMillis, out: &mut Output) {
        let step = self.consensus.keep(now);
        self.absorb_consensus(step, out);
    }

    /// Whether this replica does not go on, and the last state is with enough of those that do: at most t of one epoch and at
    /// most t of the other are corrupt.
    fn is_needless_now(&self, ending: &Ending) -> bool {
        let Ending { faults, continuing, .. } = ending;
        let enough = usize::from(*faults).min(self.committee.faults()) + 1;
        let have = self.consensus.keepers().filter(|who| continuing.contains(who)).count();
        !continuing.contains(&self.me) && have >= enough.min(continuing.len())
    }
}
