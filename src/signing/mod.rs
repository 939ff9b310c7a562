//! Threshold signing sessions: one a job, from "my execution produced it" to the signature.
//!
//! The three protocols of the paper, one of which a cluster's configuration names ([`Protocol`]), are one state machine.
//! A session has two phases. In the *bare* phase shares travel without proofs and count on trust; in the *proven* phase a share
//! counts when its proof has been verified. The protocols differ in how many k-subsets of bare shares may fail:
//!
//! | | fails | if nobody is corrupt | at the worst |
//! |---|---|---|---|
//! | `basic` | 0: proven from the start | n shares, n proofs, n (k-1) verifications | the same, t more verifications each |
//! | `optproof` | 1 | n shares | as `basic`, one round trip later |
//! | `optte` | [`MAX_OPTTE_TRIES`](crate::limits::MAX_OPTTE_TRIES), or all there are | n shares | some combinations more; then as `optproof` |
//!
//! 1. Execution starts a job; its exponentiation is queued. The share goes to all others; under `basic` with its proof.
//! 2. *Bare phase.* When k shares count (the own among them or not), k-subsets of them are tried, the most trusted first:
//!    own, proven, the others by index. As long as the protocol has tries left each new share is a new attempt.
//! 3. When the tries are used up, or all n shares are here and none of their subsets verifies, all are asked for proofs.
//! 4. *Proven phase.* Proofs are verified, as many as are lacking for k and no more; k of them combine, the own share
//!    counting as proven. If those do not verify, this machine has miscalculated: its own share is left out.
//! 5. A signature that verifies ends the session. Then bare shares that spoiled an attempt, or did not count, are tested in
//!    company of k-1 that are right, so that who is wrong is known.
//!
//! # Culprits
//! Whoever sent something that is certainly wrong is a culprit ([`Evidence`] says what is certain; no correct replica can
//! become one), reported as a fault and kept in [`Signing::culprits`] until this replica restarts. A culprit's word no longer counts
//! but its proofs do: its bare shares are passed over, and its proof is asked for when a job has taken long, should it have been
//! repaired and be needed. So one fault of each corrupt replica costs a failed attempt, not one a job. The paper tries
//! them last; here they are not tried without proof, for under `optproof` that would ask everybody for proofs each time.
//!
//! # Laggards
//! A finished signature can be verified alone, so a replica that lacks one asks the others: they answer
//! with their share (in the proven phase with its proof), or with the signature if they have finished. It asks when a link comes
//! up, when its own share has been ready for a while, and at once at new jobs as long as a peer has been answering with
//! finished signatures (it is behind, and that peer is not).
//!
//! **Assumes** n > 3t and links that deliver while both ends live; a peer that restarts has forgotten its sessions.
//! **Guarantees**, against t corrupt peers, for a job that all correct replicas start and k ≤ n - t: every correct
//! replica finishes it, once, with the same octets. A share is made for no job but those of the replica's own execution.
//! Why it ends: n - t shares of correct replicas come, and k of them combine. In the bare phase, either an attempt meets such a
//! k-subset, or the tries run out; in the proven phase they are verified one after the other, since at most t fail.
//! Shares for jobs not started here wait, at most [`MAX_EARLY_SHARES_PER_PEER`] for each peer, the latest kept.
//!
//! A job's id is a digest over cluster, epoch, key and hash, so that a share that names it names them all; of a refreshed
//! key ([`refresh`]) it names the sharing too. A share's index is its authenticated sender's, never a field.
//!
//! Work leaves as [`Task`]s, at most [`MAX_SIGNING_TASKS`](crate::limits::MAX_SIGNING_TASKS) at a time and up to
//! [`MAX_JOBS_PER_SIGNING_TASK`](crate::limits::MAX_JOBS_PER_SIGNING_TASK) jobs in each: while they run new work
//! gathers, which makes the next tasks, and the messages that follow from them, as large as there is need. What has become
//! needless meanwhile is never begun.
#![forbid(unsafe_code)]

use crate::codec::{ClusterId, Epoch, JobId, KeyId};
use crate::limits::{MAX_EARLY_SHARES_PER_PEER, MAX_FINISHED_SIGNATURES};
use crate::protocol::{Fault, Misbehaviour, To};
use crate::quorum::{Committee, ReplicaId};
use crate::threshold::{Proof, PublicKey, SignatureShare};
use crate::time::UnixMillis;
use borsh::{BorshDeserialize, BorshSerialize};
use culprits::Culprits;
use recent::Recent;
use schedule::Queues;
use session::Session;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

mod ask;
mod culprits;
mod effort;
mod flow;
mod keys;
mod protocol;
mod recent;
mod refresh;
mod schedule;
mod session;
mod subsets;
mod task;
#[cfg(test)]
mod tests;

pub use culprits::{Culprit, Evidence};
pub use effort::Effort;
pub use keys::{Holdings, KeyStore, Offered, Vault, share_name};
pub use protocol::Protocol;
pub use refresh::{Chore, Errand, Fruit};
pub use task::{Computed, Task};

/// What a replica's sessions need to know.
pub struct Config {
    /// The replicas.
    pub committee: Committee,
    /// This one.
    pub me: ReplicaId,
    /// Their cluster.
    pub cluster: ClusterId,
    /// Their epoch.
    pub epoch: Epoch,
    /// How their sessions go.
    pub protocol: Protocol,
    /// The public keys that jobs may name at first; each has a share for every replica of the committee.
    pub keys: BTreeMap<KeyId, Arc<PublicKey>>,
}

/// One signature to make.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobSpec {
    /// Its name, [`JobId::new`] of the rest.
    pub id: JobId,
    /// By which key.
    pub key: KeyId,
    /// SHA-256 or SHA-512 of the RRSIG's preimage.
    pub hash: Vec<u8>,
}

/// What replicas say to each other.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum Message {
    /// The sender's shares, without proofs.
    Shares(Vec<(JobId, SignatureShare)>),
    /// "Send me your shares of these, or their signatures."
    Ask(Vec<JobId>),
    /// "Prove your shares of these."
    AskProofs(Vec<JobId>),
    /// The sender's shares with their proofs: asked for, or under [`Protocol::Basic`].
    Proofs(Vec<(JobId, SignatureShare, Proof)>),
    /// Finished signatures.
    Finished(Vec<(JobId, Vec<u8>)>),
}

/// What one input led to.
#[must_use]
#[derive(Default, Debug)]
pub struct Step {
    /// Messages to send.
    pub send: Vec<(To, Message)>,
    /// Work to do outside; the result comes back by [`Signing::computed`].
    pub tasks: Vec<Task>,
    /// Jobs that are done, each once, with their signatures.
    pub finished: Vec<(JobId, Vec<u8>)>,
    /// What peers did wrong.
    pub faults: Vec<Fault>,
    /// What became of chores.
    pub errands: Vec<Errand>,
}

impl Step {
    fn fault(&mut self, who: ReplicaId, what: Misbehaviour) {
        self.faults.push(Fault { who, what });
    }
}

/// All signing sessions of one replica.
///
/// Invariants: (1) a job is in at most one of `sessions` and `finished`, and in `known` only before it is started;
/// (2) a job in `sessions` was given to `start_all`.
pub struct Signing {
    config: Config,
    /// The sharing in force of each key that was refreshed.
    in_force: BTreeMap<KeyId, KeyId>,
    /// Started and not finished, by what they go by between replicas.
    sessions: BTreeMap<JobId, Session>,
    /// From the own log, not started yet. Not bounded here: the log was written by this replica.
    known: BTreeMap<JobId, Vec<u8>>,
    finished: Recent<Vec<u8>>,
    /// What finished jobs of refreshed keys went by.
    names: BTreeMap<JobId, Vec<JobId>>,
    /// Shares for jobs not started here, by the slot of their sender; with proofs under [`Protocol::Basic`].
    early: Vec<Recent<(SignatureShare, Option<Proof>)>>,
    culprits: Culprits,
    effort: Effort,
    queues: Queues,
    /// Tasks given out and not come back.
    outstanding: usize,
    /// A peer that has just answered with finished signatures, and when: we are behind it.
    helper: Option<(ReplicaId, UnixMillis)>,
    /// When `tick` was last called.
    now: UnixMillis,
}

impl Signing {
    /// No sessions yet.
    pub fn new(config: Config) -> Self {
        let n = config.committee.n();
        assert!(config.keys.values().all(|key| key.parties() == n), "every replica has a share of every key");
        Self {
            config,
            in_force: BTreeMap::new(),
            sessions: BTreeMap::new(),
            known: BTreeMap::new(),
            finished: Recent::new(MAX_FINISHED_SIGNATURES),
            names: BTreeMap::new(),
            early: (0..n).map(|_| Recent::new(MAX_EARLY_SHARES_PER_PEER)).collect(),
            culprits: Culprits::default(),
            effort: Effort::default(),
            queues: Queues::default(),
            outstanding: 0,
            helper: None,
            now: UnixMillis::default(),
        }
    }

    /// Jobs may name this key from now on. Every replica has a share of it.
    pub fn learn(&mut self, public: Arc<PublicKey>) {
        assert_eq!(public.parties(), self.config.committee.n(), "every replica has a share of every key");
        self.config.keys.insert(public.key_id(), public);
    }

    /// No job names this key any more: what is open of it is given up.
    pub fn unlearn(&mut self, key: KeyId) {
        self.sessions.retain(|_, session| session.named != key);
        self.config.keys.remove(&key);
        if let Some(sharing) = self.in_force.remove(&key) {
            self.config.keys.remove(&sharing);
        }
    }

    /// A signature from this replica's own log, which is trusted: its job will be finished as soon as it is started.
    pub fn known(&mut self, job: JobId, signature: Vec<u8>) {
        self.known.insert(job, signature);
    }

    /// Starts a job that this replica's own execution produced. To start a running job again changes nothing; to
    /// start a finished one finishes it again.
    pub fn start(&mut self, job: JobSpec) -> Step {
        self.start_all(vec![job])
    }

    /// Starts the jobs of one execution together: fewer messages and better tasks than one by one.
    pub fn start_all(&mut self, jobs: Vec<JobSpec>) -> Step {
        let mut step = Step::default();
        let mut lacking = Vec::new();
        for JobSpec { id, key, hash } in jobs {
            let Config { cluster, epoch, ref keys, .. } = self.config;
            assert_eq!(id, JobId::new(cluster, epoch, key, &hash), "a job is named by what it signs");
            assert!(
                keys.get(&key).is_some_and(|key| key.encode(&hash).is_some()),
                "a job this cluster can sign"
            );
            if let Some(signature) = self.known.remove(&id) {
                self.finished.insert(id, signature);
            }
            let name = self.name(key, id);
            if let Some(signature) = self.finished.get(&id) {
                step.finished.push((id, signature.clone()));
            } else if !self.sessions.contains_key(&name) {
                self.open(key, id, hash);
                lacking.extend(ask::names(name, id));
            }
        }
        if let Some((helper, _)) = self.helper {
            let question = if self.config.protocol.trusts() { Message::Ask } else { Message::AskProofs };
            ask::ask(helper, lacking, question, &mut step);
        }
        self.schedule(&mut step);
        step
    }

    /// Of what was started before, only these jobs are still wanted; they are started too. For a replica that goes on from
    /// a state it took over: nobody answers any more for jobs of the batches it stepped over. `finished` came with the
    /// state, verified: for those that have the same state without them.
    pub fn resume(&mut self, jobs: Vec<JobSpec>, finished: Vec<(JobId, Vec<u8>)>) -> Step {
        for (job, signature) in finished {
            self.close(&job);
            self.finished.insert(job, signature);
        }
        let wanted: BTreeSet<JobId> = jobs.iter().map(|job| job.id).collect();
        self.sessions.retain(|_, session| wanted.contains(&session.job));
        self.start_all(jobs)
    }

    /// Nobody can ask for the signatures of these jobs any more.
    pub fn forget(&mut self, jobs: &[JobId]) {
        for job in jobs {
            self.finished.remove(job);
            for name in self.names.remove(job).into_iter().flatten() {
                self.finished.remove(&name);
            }
            self.close(job);
        }
    }

    /// A message of a peer.
    pub fn message(&mut self, from: ReplicaId, message: Message) -> Step {
        let mut step = Step::default();
        if from == self.config.me || !self.config.committee.contains(from) {
            return step;
        }
        match message {
            // Nobody speaks of bare shares where they do not count.
            Message::Shares(_) | Message::Ask(_) if !self.config.protocol.trusts() => {
                step.fault(from, Misbehaviour::Malformed);
            }
            Message::Shares(shares) => self.take_shares(from, shares, &mut step),
            Message::Ask(jobs) => self.answer(from, &jobs, &mut step),
            Message::AskProofs(jobs) => self.answer_with_proofs(from, &jobs, &mut step),
            Message::Proofs(proofs) => self.take_proofs(from, proofs, &mut step),
            Message::Finished(claims) => self.take_claims(from, claims, &mut step),
        }
        self.schedule(&mut step);
        step
    }

    /// A task's result.
    pub fn computed(&mut self, computed: Computed) -> Step {
        let mut step = Step::default();
        self.outstanding = self.outstanding.saturating_sub(1);
        self.absorb(computed.0, &mut step);
        self.schedule(&mut step);
        step
    }

    /// A link to this peer is up (again): asks it for what is lacking, for it may have been born anew since.
    pub fn linked(&mut self, peer: ReplicaId) -> Step {
        let mut step = Step::default();
        if self.config.committee.contains(peer) && peer != self.config.me {
            self.ask_all_of(peer, &mut step);
        }
        step
    }

    /// Time passes: asks again, at a bounded pace. To be called every few hundred milliseconds while jobs are open.
    pub fn tick(&mut self, now: UnixMillis) -> Step {
        let mut step = Step::default();
        self.now = now;
        self.ask_overdue(&mut step);
        self.schedule(&mut step);
        step
    }

    /// How the sessions go.
    pub fn protocol(&self) -> Protocol {
        self.config.protocol
    }

    /// Peers that sent something wrong since the start, and what.
    pub fn culprits(&self) -> &BTreeMap<ReplicaId, Culprit> {
        self.culprits.all()
    }

    /// What the sessions have cost since the start.
    pub fn effort(&self) -> Effort {
        self.effort
    }

    /// Shares kept for jobs that are not started here.
    pub fn early_shares(&self) -> usize {
        self.early.iter().map(Recent::len).sum()
    }

    /// Finished signatures kept to answer others.
    pub fn finished_signatures(&self) -> usize {
        self.finished.len()
    }

    /// How many jobs are started and not finished.
    pub fn open_jobs(&self) -> usize {
        self.sessions.len()
    }
}
