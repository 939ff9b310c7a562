//! Threshold signing sessions.

use crate::codec::{ClusterId, Epoch, JobId, KeyId};
use crate::protocol::{Fault, To};
use crate::quorum::{Committee, ReplicaId};
use crate::threshold::{Proof, PublicKey, SecretShare, SignatureShare};
use crate::time::UnixMillis;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// The public keys that jobs may name.
    pub keys: BTreeMap<KeyId, Arc<PublicKey>>,
}

/// The keys of one replica, as its workers need them.
#[derive(Default)]
pub struct KeyStore {}

impl KeyStore {
    /// No keys yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key; false if the share is not of this public key.
    pub fn insert(&mut self, _public: Arc<PublicKey>, _share: SecretShare) -> bool {
        todo!()
    }
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

/// What replicas say to each other. A job's id binds cluster, epoch, key and hash; a share's index is its sender's.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum Message {
    /// The sender's shares, without proofs.
    Shares(Vec<(JobId, SignatureShare)>),
    /// "Send me your shares of these, or their finished signatures."
    Ask(Vec<JobId>),
    /// "Prove your shares of these."
    AskProofs(Vec<JobId>),
    /// The sender's shares with their proofs.
    Proofs(Vec<(JobId, SignatureShare, Proof)>),
    /// Finished signatures.
    Finished(Vec<(JobId, Vec<u8>)>),
}

/// RSA work for a worker thread.
#[derive(Debug)]
pub struct Task {}

impl Task {
    /// Does the work; `entropy` need only be fresh, it hedges the proofs' nonces.
    pub fn run(self, _keys: &KeyStore, _entropy: [u8; 32]) -> Computed {
        todo!()
    }
}

/// What became of a [`Task`], for [`Signing::computed`].
#[derive(Debug)]
pub struct Computed {}

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
}

/// All signing sessions of one replica.
pub struct Signing {}

impl Signing {
    /// No sessions yet.
    pub fn new(_config: Config) -> Self {
        todo!()
    }

    /// A signature from this replica's own log: its job, once started, is finished at once. Before `start`.
    pub fn known(&mut self, _job: JobId, _signature: Vec<u8>) {
        todo!()
    }

    /// Starts a job that this replica's own execution produced.
    pub fn start(&mut self, job: JobSpec) -> Step {
        self.start_all(vec![job])
    }

    /// Starts the jobs of one execution together: fewer messages and better tasks than one by one.
    pub fn start_all(&mut self, _jobs: Vec<JobSpec>) -> Step {
        todo!()
    }

    /// A message of a peer.
    pub fn message(&mut self, _from: ReplicaId, _message: Message) -> Step {
        todo!()
    }

    /// A task's result.
    pub fn computed(&mut self, _computed: Computed) -> Step {
        todo!()
    }

    /// A link to this peer is up (again): asks for what is lacking.
    pub fn linked(&mut self, _peer: ReplicaId) -> Step {
        todo!()
    }

    /// Time passes: asks again, at a bounded pace. To be called every few hundred milliseconds.
    pub fn tick(&mut self, _now: UnixMillis) -> Step {
        todo!()
    }
}
