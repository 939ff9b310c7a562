//! What a replica says of itself: numbers for `ctl status` and the metrics.
use super::Replica;
use crate::codec::Digest;
use crate::dns::{Name, Rcode};
use crate::protocol::Fault;
use crate::quorum::ReplicaId;
use crate::signing::{Culprit, Effort, Signing};
use crate::zone::refresh::{Sharing, Stage};
use crate::zone::{Denial, View};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A replica's state at a glance.
#[derive(Clone, Serialize, Debug)]
pub struct Status {
    /// This replica's index, from 1.
    pub index: u8,
    /// n.
    pub replicas: usize,
    /// t.
    pub tolerated_faults: usize,
    /// Its epoch.
    pub epoch: EpochStatus,
    /// The round of its newest vertex.
    pub round: u64,
    /// Batches executed.
    pub batches: u64,
    /// Batches ordered that wait for signatures of earlier ones.
    pub waiting_batches: usize,
    /// The time of the last executed batch, in milliseconds since 1970; 0 before the first.
    pub agreed_time_ms: u64,
    /// Each zone.
    pub zones: Vec<ZoneStatus>,
    /// Each key that was ever to be refreshed.
    pub refreshes: Vec<KeyStatus>,
    /// Signing jobs not done.
    pub pending_jobs: usize,
    /// Clients that wait.
    pub clients: usize,
    /// Requests of clients on their way through the order.
    pub pending_requests: usize,
    /// Bytes of requests that wait to enter a vertex.
    pub pending_bytes: usize,
    /// Vertices that wait for their ancestors.
    pub waiting_vertices: usize,
    /// Bytes of these, of the author that is charged for most.
    pub waiting_bytes: usize,
    /// Signature shares that came before their jobs.
    pub early_shares: usize,
    /// Whether it found its log empty and has made no vertex since: it counts among the t.
    pub observes: bool,
    /// Vertices of lower rounds matter no more.
    pub line: u64,
    /// The lowest round of which a vertex is kept, for others.
    pub kept_from: u64,
    /// The round of the newest certified checkpoint that was executed here, 0 before the first.
    pub stable: u64,
    /// The round of the newest certified checkpoint, 0 before the first.
    pub certified: u64,
    /// Vertices accepted and not collected.
    pub vertices: usize,
    /// Finished signatures kept to answer others.
    pub finished_signatures: usize,
    /// States of checkpoints kept for others, or until they are certified.
    pub held_states: usize,
    /// States taken over from others since the start.
    pub states_taken: u64,
    /// The signing sessions.
    pub signing: SigningStatus,
    /// Misbehaviour seen since the start: replica, kind, how often.
    pub faults: BTreeMap<u8, BTreeMap<String, u64>>,
    /// Updates answered since the start, by rcode.
    pub updates: BTreeMap<String, u64>,
    /// Versions and signatures that failed their check since the start.
    pub publish_failures: u64,
    /// The digest of all executed batches, in hexadecimal: equal on all replicas for equal `batches`.
    pub history: String,
}

/// An epoch at a glance.
#[derive(Clone, Serialize, Debug)]
pub struct EpochStatus {
    /// Counts memberships, from 0.
    pub number: u32,
    /// `awaits` the last state of the epoch before, `runs`, `ends` (executed, not yet certified or not on disk), `over`.
    pub stage: &'static str,
    /// The cluster that goes on, in hexadecimal, once a command has named it.
    pub successor: Option<String>,
    /// The replicas of this epoch that are in the next.
    pub continuing: Vec<u8>,
    /// Replicas of this epoch that say that its last state is durable on their machine.
    pub kept: Vec<u8>,
}

/// A zone at a glance.
#[derive(Clone, Serialize, Debug)]
pub struct ZoneStatus {
    /// The origin.
    pub origin: String,
    /// The serial that is served, once one is.
    pub serial: Option<u32>,
    /// The version that is served; 0 before the first.
    pub published: u64,
    /// Versions executed that are not yet served.
    pub pending: u64,
    /// How the version that is served denies: `NSEC` or `NSEC3`.
    pub denial: Option<&'static str>,
}

/// How a key is shared.
#[derive(Clone, Serialize, Debug)]
pub struct KeyStatus {
    /// The key as dealt: its id in hexadecimal.
    pub key: String,
    /// How often its shares have been refreshed.
    pub refreshed: u32,
    /// How far the refresh under way is: `rest`, `offers` or `dealings`.
    pub stage: &'static str,
    /// Whether this replica has its share of the sharing in force.
    pub here: bool,
    /// Replicas that have not yet said that they have taken what they were dealt.
    pub untaken: Vec<u8>,
}

/// Signing at a glance: how it goes, and what it has cost and shown since the start.
#[derive(Clone, Serialize, Debug)]
pub struct SigningStatus {
    /// The protocol of the sessions.
    pub protocol: &'static str,
    /// Own shares made.
    pub shares: u64,
    /// Own proofs made.
    pub proofs: u64,
    /// Others' proofs verified.
    pub verifications: u64,
    /// Sets of k shares combined.
    pub combinations: u64,
    /// Others' finished signatures verified.
    pub checks: u64,
    /// Replicas that sent something wrong, by index.
    pub culprits: BTreeMap<u8, CulpritStatus>,
}

/// A replica that was caught in a signing session.
#[derive(Clone, Serialize, Debug)]
pub struct CulpritStatus {
    /// How many of its shares or signatures were seen to be wrong, by what shows it ([`Evidence`](crate::signing::Evidence)).
    pub wrong: BTreeMap<String, u64>,
    /// The last one's job, in hexadecimal.
    pub last_job: String,
    /// What shows the last one.
    pub last_evidence: String,
}

impl SigningStatus {
    fn of(signing: &Signing) -> Self {
        let Effort { shares, proofs, verifications, combinations, checks } = signing.effort();
        let culprit = |culprit: &Culprit| CulpritStatus {
            wrong: culprit.wrong.iter().map(|(evidence, times)| (evidence.to_string(), *times)).collect(),
            last_job: culprit.last_job.0.to_hex(),
            last_evidence: culprit.last_evidence.to_string(),
        };
        let culprits = signing.culprits().iter().map(|(who, found)| (who.get(), culprit(found)));
        Self {
            protocol: signing.protocol().name(),
            shares,
            proofs,
            verifications,
            combinations,
            checks,
            culprits: culprits.collect(),
        }
    }
}

/// What is only counted.
#[derive(Default)]
pub(super) struct Counters {
    pub agreed_time_ms: u64,
    pub states_taken: u64,
    faults: BTreeMap<u8, BTreeMap<String, u64>>,
    updates: BTreeMap<String, u64>,
}

impl Counters {
    /// Counts a fault.
    pub fn fault(&mut self, fault: &Fault) {
        let kinds = self.faults.entry(fault.who.get()).or_default();
        *kinds.entry(format!("{:?}", fault.what)).or_default() += 1;
    }

    /// Counts an answered update.
    pub fn update(&mut self, rcode: Rcode) {
        *self.updates.entry(rcode.to_string()).or_default() += 1;
    }
}

impl Replica {
    /// The state at a glance.
    pub fn status(&self) -> Status {
        let zone = |origin: &Name| ZoneStatus {
            origin: origin.to_string(),
            serial: self.machine.view(origin).map(|view| view.serial()),
            published: self.machine.version(origin),
            pending: self
                .newest
                .get(origin)
                .map_or(0, |newest| newest.saturating_sub(self.machine.version(origin))),
            denial: self.machine.view(origin).map(|view| match view.denial() {
                Denial::Nsec => "NSEC",
                Denial::Nsec3 => "NSEC3",
            }),
        };
        let consensus = self.consensus.status();
        Status {
            index: self.me.get(),
            replicas: self.committee.n(),
            tolerated_faults: self.committee.faults(),
            epoch: self.epoch_status(),
            round: consensus.round,
            batches: self.pipeline.batches(),
            waiting_batches: self.pipeline.waiting(),
            agreed_time_ms: self.counters.agreed_time_ms,
            zones: self.ingress.origins().map(zone).collect(),
            refreshes: self.refreshes(),
            pending_jobs: self.pipeline.unsigned_jobs(),
            clients: self.clients.waiting(),
            pending_requests: self.clients.requests(),
            pending_bytes: consensus.pending_bytes,
            waiting_vertices: consensus.waiting,
            waiting_bytes: consensus.waiting_bytes,
            early_shares: self.signing.early_shares(),
            observes: consensus.observes,
            line: consensus.line,
            kept_from: consensus.kept_from,
            stable: consensus.stable,
            certified: consensus.certified,
            vertices: consensus.accepted,
            finished_signatures: self.signing.finished_signatures(),
            held_states: self.checkpoints.held(),
            states_taken: self.counters.states_taken,
            signing: SigningStatus::of(&self.signing),
            faults: self.counters.faults.clone(),
            updates: self.counters.updates.clone(),
            publish_failures: self.machine.publish_failures(),
            history: self.history.to_hex(),
        }
    }

    fn refreshes(&self) -> Vec<KeyStatus> {
        let key = |sharing: &Sharing| {
            let (key, public) = (sharing.key, self.refreshes.in_force(sharing.key));
            let untaken = |who: &ReplicaId| {
                self.machine.receiver(key, *who).is_some_and(|receiver| !receiver.missed.is_empty())
            };
            KeyStatus {
                key: key.0.to_hex(),
                refreshed: public.map_or(0, |public| public.refreshed()),
                stage: match sharing.stage {
                    Stage::Rest => "rest",
                    Stage::Offers { .. } => "offers",
                    Stage::Dealings { .. } => "dealings",
                },
                here: public.is_some_and(|public| self.refreshes.holds(public)),
                untaken: self.committee.members().filter(untaken).map(ReplicaId::get).collect(),
            }
        };
        self.machine.sharings().map(key).collect()
    }

    fn epoch_status(&self) -> EpochStatus {
        let ending = self.last.as_ref().map(|last| &last.ending);
        EpochStatus {
            number: self.genesis.epoch.0,
            stage: match &self.last {
                None if self.awaits => "awaits",
                None => "runs",
                Some(last) if last.stored => "over",
                Some(_) => "ends",
            },
            successor: ending.map(|ending| ending.successor.0.to_hex()),
            continuing: ending.iter().flat_map(|ending| &ending.continuing).map(|who| who.get()).collect(),
            kept: self.consensus.keepers().map(ReplicaId::get).collect(),
        }
    }

    /// Whether its epoch has begun and is not over.
    pub fn runs(&self) -> bool {
        self.last.is_none() && !self.awaits
    }

    /// The round of this replica's newest vertex, and the first round that is not decided.
    pub fn rounds(&self) -> (u64, u64) {
        self.consensus.rounds()
    }

    /// The served version of a zone, to be exported.
    pub fn view(&self, origin: &Name) -> Option<Arc<View>> {
        self.machine.view(origin)
    }

    /// The digest of the zone machine's state: equal on all replicas after the same batch.
    pub fn digest(&self) -> Digest {
        self.machine.digest()
    }
}
