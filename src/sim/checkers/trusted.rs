//! The model of the paper: one trusted server that holds the whole key and does one batch after the other.
//!
//! It executes the very batches that the replicas agreed on, on a zone machine that knows of no replica, pipeline or
//! restart, goes on with the machine of the next epoch where one ends, and signs with a key of threshold one, on the same primes: RSA with PKCS #1 v1.5 is deterministic, so its
//! zones are to equal the replicas' octet by octet, signatures included.
//! The machine itself is held against a plainer model elsewhere: in `zone`'s own tests, and by [`super::effects`].
use super::super::cluster::{Cluster, origin};
use super::trim;
use crate::codec::{Digest, KeyId, digest};
use crate::quorum::ReplicaId;
use crate::replica::ExecutedBatch;
use crate::threshold::Dealt;
use crate::zone::{Batch, Command, Decided, Genesis, Job, Machine, RequestId, View};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A batch that the trusted server has executed, and the version that came of it.
pub type Done = (ExecutedBatch, Option<Arc<View>>);

/// The trusted server.
pub struct Trusted {
    machine: Machine,
    keys: BTreeMap<KeyId, Dealt>,
    /// The zones as each epoch has them, the present one first.
    epochs: VecDeque<Genesis>,
    executed: u64,
    /// Batches that came before the one that is next here.
    early: BTreeMap<u64, ExecutedBatch>,
    states: BTreeMap<u64, Digest>,
    /// The content of each version, by how many were cut before it.
    versions: BTreeMap<u64, Digest>,
    numbers: BTreeMap<u32, u64>,
    /// What replicas have shown and is still to come here.
    claims: Vec<Claim>,
}

enum Claim {
    State(ReplicaId, u64, Digest),
    Version(ReplicaId, u32, Digest),
}

impl Trusted {
    /// The server for the zone of these clusters, which follow one another.
    pub(in crate::sim) fn new(clusters: &[Cluster]) -> Self {
        Self {
            machine: Machine::new(clusters[0].genesis(None)).expect("the zone of every run"),
            keys: clusters.iter().flat_map(Cluster::whole_keys).collect(),
            epochs: clusters.iter().map(|cluster| cluster.genesis(None)).collect(),
            executed: 0,
            early: BTreeMap::new(),
            states: BTreeMap::new(),
            versions: BTreeMap::new(),
            numbers: BTreeMap::new(),
            claims: Vec::new(),
        }
    }

    /// Executes a batch once those before it are there; gives what it executed now, in order.
    pub fn take(&mut self, batch: &ExecutedBatch) -> Result<Vec<Done>, String> {
        #[cfg(test)]
        crate::plant::at(None);
        self.early.insert(batch.number, batch.clone());
        let mut done = Vec::new();
        while let Some(batch) = self.early.remove(&(self.executed + 1)) {
            let view = self.execute(&batch)?;
            done.push((batch, view));
        }
        for claim in std::mem::take(&mut self.claims) {
            self.check(claim)?;
        }
        Ok(done)
    }

    /// A replica's machine after a batch.
    pub fn machine(&mut self, who: ReplicaId, number: u64, state: Digest) -> Result<(), String> {
        self.check(Claim::State(who, number, state))
    }

    /// A version that a replica serves.
    pub fn published(&mut self, who: ReplicaId, view: &View) -> Result<(), String> {
        self.check(Claim::Version(who, view.serial(), content(view)))
    }

    /// At the end there is nothing that only a replica knows.
    pub fn end(&self) -> Result<(), String> {
        match self.claims.first() {
            None => Ok(()),
            Some(Claim::State(who, number, _)) => {
                Err(format!("execution: {who:?} executed batch {number}, which nobody has shown"))
            }
            Some(Claim::Version(who, serial, _)) => Err(format!(
                "publication: {who:?} serves serial {serial}, which the trusted server never made"
            )),
        }
    }

    fn execute(&mut self, batch: &ExecutedBatch) -> Result<Option<Arc<View>>, String> {
        let requests: Vec<(RequestId, &[u8])> =
            batch.requests.iter().zip(0..).map(|(ordered, tag)| (RequestId(tag), &*ordered.bytes)).collect();
        let executed = self.machine.execute(&Batch { time: batch.time, requests: &requests });
        let rcodes: Vec<_> = executed.outcomes.iter().map(|outcome| outcome.rcode).collect();
        if rcodes != batch.rcodes {
            let number = batch.number;
            return Err(format!("execution: batch {number} gave {:?}, trusted {rcodes:?}", batch.rcodes));
        }
        self.executed = batch.number;
        let is_drill = |decided: &Decided| matches!(decided.command, Command::Drill { .. });
        if let Some(decided) = self.machine.votes().1.into_iter().find(is_drill) {
            return Err(format!(
                "votes: `{}` was decided, and no operator votes for drills",
                decided.command
            ));
        }
        self.states.insert(batch.number, self.machine.digest());
        trim(&mut self.states);
        let before = self.machine.version(&origin());
        for job in executed.jobs {
            let signed = self.machine.signed(job.id, &self.sign(&job)?);
            if let Some(failure) = signed.failures.first() {
                return Err(format!("publication: the trusted server's own zone fails: {failure}"));
            }
        }
        let version = self.machine.version(&origin());
        let view = self.machine.view(&origin()).filter(|_| version > before);
        if let Some(view) = &view {
            if self.numbers.insert(view.serial(), version).is_some_and(|other| other != version) {
                return Err(format!("publication: serial {} was given twice", view.serial()));
            }
            self.versions.insert(version, content(view));
            trim(&mut self.versions);
            let oldest = self.versions.first_key_value().map_or(0, |(oldest, _)| *oldest);
            self.numbers.retain(|_, number| *number >= oldest);
        }
        if executed.ends.is_some() {
            let old = self.epochs.pop_front().ok_or("no epoch is left")?;
            let new = self.epochs.front().ok_or("publication: an epoch ends, and none follows")?;
            self.machine = self.machine.snapshot().succeed(&old, new)?.machine;
        }
        Ok(view)
    }

    fn sign(&self, job: &Job) -> Result<Vec<u8>, String> {
        let key = self.keys.get(&job.key).ok_or("a job for a key that nobody has")?;
        let x = key.public.encode(&job.hash).ok_or("a job for a hash that nobody knows")?;
        let share = &key.shares[0];
        let shares = [(share.index(), share.sign(&key.public, &x))];
        key.public.combine(&x, &shares).map(|made| made.into_bytes()).map_err(|e| format!("{e:?}"))
    }

    fn check(&mut self, claim: Claim) -> Result<(), String> {
        match claim {
            Claim::State(who, number, state) => match self.states.get(&number) {
                Some(known) if *known == state => Ok(()),
                Some(_) => Err(format!("execution: after batch {number} the machine of {who:?} differs")),
                None if number <= self.executed => Ok(()),
                None => {
                    self.claims.push(claim);
                    Ok(())
                }
            },
            Claim::Version(who, serial, shown) => {
                let version = self.numbers.get(&serial).and_then(|number| self.versions.get(number));
                match version {
                    Some(known) if *known == shown => Ok(()),
                    Some(_) => Err(format!("publication: serial {serial} differs at {who:?}")),
                    None => {
                        self.claims.push(claim);
                        Ok(())
                    }
                }
            }
        }
    }
}

/// The digest of everything a view holds.
pub fn content(view: &View) -> Digest {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for node in view.iter() {
        fields.push(node.name().wire().to_vec());
        for (rtype, signed) in node.iter() {
            fields.push(rtype.0.to_be_bytes().to_vec());
            fields.push(signed.rrset.ttl.to_be_bytes().to_vec());
            let rdatas = signed.rrset.iter().chain(signed.rrsigs().iter());
            fields.extend(rdatas.map(|rdata| rdata.wire().to_vec()));
        }
    }
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    digest("conclave/sim/view", &fields)
}
