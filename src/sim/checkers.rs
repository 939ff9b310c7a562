//! What must hold among correct replicas, whatever happens.
use crate::codec::{Digest, digest};
use crate::dns::Name;
use crate::protocol::{Fault, Misbehaviour};
use crate::quorum::ReplicaId;
use crate::replica::ExecutedBatch;
use crate::zone::View;
use std::collections::{BTreeMap, BTreeSet};

/// What correct replicas have shown so far.
#[derive(Default)]
pub struct Checkers {
    corrupt: BTreeSet<ReplicaId>,
    batches: BTreeMap<u64, (ReplicaId, ExecutedBatch)>,
    machines: BTreeMap<u64, (ReplicaId, Digest)>,
    views: BTreeMap<(Name, u32), (ReplicaId, Digest)>,
    faults: u64,
}

impl Checkers {
    /// For a run in which these are corrupt.
    pub fn new(corrupt: BTreeSet<ReplicaId>) -> Self {
        Self { corrupt, ..Self::default() }
    }

    /// Order: the batch of a number is one and the same, agreed time included.
    pub fn executed(&mut self, who: ReplicaId, batch: &ExecutedBatch) -> Result<(), String> {
        let (first, known) = self.batches.entry(batch.number).or_insert((who, *batch));
        if known == batch {
            return Ok(());
        }
        Err(format!("order: batch {} at {who:?} is {batch:?}, at {first:?} {known:?}", batch.number))
    }

    /// Execution: after the same batch, the same state.
    pub fn machine(&mut self, who: ReplicaId, number: u64, state: Digest) -> Result<(), String> {
        let (first, known) = self.machines.entry(number).or_insert((who, state));
        if *known == state {
            return Ok(());
        }
        Err(format!("execution: after batch {number} the machines of {first:?} and {who:?} differ"))
    }

    /// Publication: one serial, one content, signatures included.
    pub fn published(&mut self, who: ReplicaId, view: &View) -> Result<(), String> {
        let content = content(view);
        let key = (view.origin().clone(), view.serial());
        let (first, known) = self.views.entry(key).or_insert((who, content));
        if *known == content {
            return Ok(());
        }
        Err(format!("publication: serial {} differs at {first:?} and {who:?}", view.serial()))
    }

    /// Accusation: what only a corrupt replica does is not said of a correct one.
    pub fn fault(&mut self, by: ReplicaId, fault: &Fault) -> Result<(), String> {
        self.faults += 1;
        if self.corrupt.contains(&fault.who) || fault.what == Misbehaviour::Flood {
            return Ok(());
        }
        Err(format!("accusation: {by:?} reports {:?} of {:?}, which is correct", fault.what, fault.who))
    }

    /// Batches seen.
    pub fn batches(&self) -> u64 {
        self.batches.len() as u64
    }

    /// Reports of misbehaviour.
    pub fn faults(&self) -> u64 {
        self.faults
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
