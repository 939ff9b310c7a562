//! What must hold among correct replicas, whatever happens.
//!
//! - [`order`]: batches with equal numbers are equal, and machines are equal after equal batches;
//! - [`trusted`]: rcodes, states and zones are those of one trusted server with the whole key;
//! - [`effects`]: what changed is what clients signed, each request once;
//! - [`coin`]: nobody can know the leaders before it is time, and none comes first always;
//! - [`links`]: what a correct replica takes as a parent has enough parents and a right share of the coin;
//! - [`liveness`]: what a correct replica was given is delivered within so many rounds;
//! - [`bounds`]: buffers stay within their limits;
//! - here: nobody correct is accused, and agreed time does not run ahead of the correct clocks.
//!
//! All keep a window of the newest batches, versions and requests: a year's run needs no more memory than an hour's. What
//! falls out of a window is not lost to the checks, for batches carry the digest of all before them.

pub mod bounds;
pub mod coin;
pub mod effects;
pub mod links;
pub mod liveness;
pub mod order;
pub mod trusted;

use super::cluster::{Cluster, START};
use crate::protocol::{Fault, Misbehaviour};
use crate::quorum::ReplicaId;
use crate::replica::ExecutedBatch;
use crate::zone::View;
use coin::Coins;
use effects::Effects;
use links::Links;
use liveness::Liveness;
use order::Order;
use std::collections::{BTreeMap, BTreeSet};
use trusted::Trusted;

/// Batches, versions and requests that are remembered: more than any replica lags behind another in a run.
const WINDOW: usize = 1_024;
/// Milliseconds by which a correct clock may be fast.
pub(super) const MAX_SKEW_MS: u64 = 2_000;

/// What correct replicas have shown so far.
pub struct Checkers {
    /// By epoch, as coins and liveness are.
    corrupt: Vec<BTreeSet<ReplicaId>>,
    /// That every batch has the same order and every replica the same state.
    pub order: Order,
    trusted: Trusted,
    /// That only clients change zones.
    pub effects: Effects,
    /// That the coin keeps its secret for as long as it must.
    pub coins: Vec<Coins>,
    /// That what corrupt replicas make is not linked if it is not valid.
    pub links: Vec<Links>,
    /// That requests are delivered in time.
    pub liveness: Vec<Liveness>,
    faults: BTreeMap<Misbehaviour, u64>,
}

impl Checkers {
    /// For a run of these clusters, one after the other, in which these are corrupt.
    pub(super) fn new(clusters: &[Cluster], corrupt: Vec<BTreeSet<ReplicaId>>) -> Self {
        Self {
            corrupt,
            order: Order::default(),
            trusted: Trusted::new(clusters),
            effects: Effects::default(),
            coins: clusters.iter().map(Coins::new).collect(),
            links: clusters.iter().map(Links::new).collect(),
            liveness: clusters.iter().map(|cluster| Liveness::new(cluster.committee)).collect(),
            faults: BTreeMap::new(),
        }
    }

    /// A correct replica executed a batch, or executed it again after a restart; `now` in milliseconds from the start.
    pub fn executed(
        &mut self,
        (era, who): (usize, ReplicaId),
        now: u64,
        batch: &ExecutedBatch,
    ) -> Result<(), String> {
        if batch.time.0 > START.0 + now + MAX_SKEW_MS {
            return Err(format!(
                "time: batch {} is at {:?}, after every correct clock",
                batch.number, batch.time
            ));
        }
        if !self.order.executed(who, batch)? {
            return Ok(());
        }
        self.liveness[era].executed(batch)?;
        for (batch, version) in self.trusted.take(batch)? {
            self.effects.executed(&batch, version.as_deref())?;
        }
        Ok(())
    }

    /// Execution: after the same batch, the same state.
    pub fn machine(
        &mut self,
        who: ReplicaId,
        number: u64,
        state: crate::codec::Digest,
    ) -> Result<(), String> {
        self.trusted.machine(who, number, state)
    }

    /// Publication: one serial, one content, signatures included, and the trusted server's.
    pub fn published(&mut self, who: ReplicaId, view: &View) -> Result<(), String> {
        self.trusted.published(who, view)
    }

    /// Accusation: what only a corrupt replica does is not said of a correct one.
    pub fn fault(&mut self, (era, by): (usize, ReplicaId), fault: &Fault) -> Result<(), String> {
        *self.faults.entry(fault.what).or_default() += 1;
        if self.corrupt[era].contains(&fault.who) || fault.what == Misbehaviour::Flood {
            return Ok(());
        }
        Err(format!("accusation: {by:?} reports {:?} of {:?}, which is correct", fault.what, fault.who))
    }

    /// Reports of misbehaviour, by kind.
    pub fn faults(&self) -> &BTreeMap<Misbehaviour, u64> {
        &self.faults
    }

    /// At the end: nothing was shown that the trusted server has not.
    pub fn end(&self) -> Result<(), String> {
        self.trusted.end()
    }
}

/// Keeps the `WINDOW` newest entries.
fn trim<K: Ord, V>(map: &mut BTreeMap<K, V>) {
    while map.len() > WINDOW {
        map.pop_first();
    }
}
