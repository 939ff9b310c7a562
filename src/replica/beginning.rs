//! The beginning of an epoch that follows another.
//!
//! A replica of such an epoch starts with the zones of nobody: it awaits the last state of the epoch before. It knows that
//! epoch's replicas from their cluster file ([`Predecessor`]), and takes a finale from anybody: what t+1 of them signed, and
//! that names this very cluster as the successor. With it, one of three roads:
//! - the machine was in the epoch before, too: [`Input::Begin`](super::Input::Begin) brings what it stored there;
//! - another replica of this epoch has the last state: it is taken over, as states are (`transfer`), by the name 0;
//! - this epoch has certified states of its own: the newest is taken over.
//!
//! Meanwhile it hears and keeps what others order, and makes no vertex: it executes nothing, signs nothing and publishes nothing,
//! so it could let go of nothing. To begin takes a state only, and no order. So before n - 2t correct ones have begun the
//! order has one round, and nobody makes those that wait keep more. The state that it begins with is durable here before it
//! acts on it. Who has begun tells each peer whose link is new how the epoch before
//! ended, and gives the state until the first of this epoch is certified.
//!
//! So nothing of the former replicas counts here but their finale: links, vertices, shares and votes bind cluster and epoch,
//! and a state enters by that one door.

use super::checkpoint::Held;
use super::store::{self, StateFile};
use super::transfer::{Goal, Ready};
use super::{Effect, News, Output, PeerMessage, Replica};
use crate::consensus::{Authority, Finale, Statement};
use crate::protocol::{Fault, Misbehaviour, To};
use crate::quorum::ReplicaId;
use crate::zone::{self, Begun, Snapshot};

/// The name of the state with which an epoch begins, among those of its checkpoints.
pub(super) const START: u64 = 0;

/// The epoch before.
#[derive(Clone)]
pub struct Predecessor {
    /// Its replicas.
    pub authority: Authority,
    /// Its zones' rules; the records are not needed.
    pub genesis: zone::Genesis,
}

impl Predecessor {
    /// Whether this is how it ended, with `successor` to follow.
    pub(super) fn ended_by(&self, finale: &Finale, successor: crate::codec::ClusterId) -> bool {
        finale.ending.successor == successor && finale.verifies(&self.authority)
    }
}

impl Replica {
    /// The epoch before has ended at this machine.
    pub(super) fn begin_from(&mut self, records: Vec<Vec<u8>>, out: &mut Output) {
        let Some(predecessor) = self.predecessor.clone().filter(|_| self.awaits) else { return };
        let begun = store::read_last(&predecessor, records).and_then(|(finale, snapshot)| match predecessor
            .ended_by(&finale, self.genesis.cluster)
        {
            true => self.begin(finale, &snapshot, out),
            false => Err("its finale names another successor".into()),
        });
        if let Err(why) = begun {
            let alarm = format!("the last state of the epoch before cannot be gone on from: {why}");
            out.effects.push(Effect::Alarm(alarm));
        }
    }

    /// Begins with the last state of the epoch before, as soon as it is on the own disk.
    pub(super) fn begin(&mut self, finale: Finale, last: &Snapshot, out: &mut Output) -> Result<(), String> {
        let Some(predecessor) = &self.predecessor else { return Err("no epoch is before".into()) };
        let Begun { machine, jobs, finished, signed } = last.succeed(&predecessor.genesis, &self.genesis)?;
        let held = start(&finale, last);
        self.before = Some(finale.clone());
        self.transfer = None;
        self.ready = Some(Ready { goal: Goal::Start(finale), held, machine, jobs, finished, signed });
        self.store_ready(out);
        Ok(())
    }

    /// A replica of this epoch says how the one before ended.
    pub(super) fn take_before(&mut self, from: ReplicaId, finale: Finale, out: &mut Output) {
        let Some(predecessor) = self.predecessor.as_ref().filter(|_| self.before.is_none()) else { return };
        if predecessor.ended_by(&finale, self.genesis.cluster) {
            self.before = Some(finale);
        } else {
            self.fault(Fault { who: from, what: Misbehaviour::BadCertificate }, out);
        }
    }

    pub(super) fn tell_before(&mut self, peer: ReplicaId, out: &mut Output) {
        if let Some(finale) = self.before.clone() {
            self.send(To::One(peer), PeerMessage::Before(finale), out);
        }
    }

    /// This epoch has begun here.
    pub(super) fn begun(&mut self, held: Held, out: &mut Output) {
        self.history = held.statement.history;
        self.checkpoints.keep_aside(held);
        self.awaits = false;
        self.consensus.set_awaiting(false);
        out.news.push(News::Begun);
        // Others may wait for it.
        if let Some(finale) = self.before.clone().filter(|_| self.committee.n() > 1) {
            self.send(To::Others, PeerMessage::Before(finale), out);
        }
    }

    /// This epoch was well under way when it began here.
    pub(super) fn begun_late(&mut self, out: &mut Output) {
        if self.predecessor.is_some() {
            out.news.extend([News::Begun, News::Settled]);
        }
    }

    /// What stands for the log of a replica that has just begun.
    pub(super) fn start_file(&self, finale: &Finale, held: &Held) -> StateFile {
        StateFile::of_finale(finale, START, held.snapshot.clone(), self.consensus.records_from(0))
    }
}

/// The state that an epoch begins with, as others ask for it.
pub(super) fn start(finale: &Finale, last: &Snapshot) -> Held {
    let (state, history) = (finale.ending.state, finale.ending.history);
    let statement = Statement { round: START, previous: 0, state, history };
    Held { mark: None, statement, snapshot: last.clone() }
}
