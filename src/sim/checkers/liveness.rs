//! Liveness, counted in rounds: what a correct replica was given is delivered soon after everybody has it.
//!
//! # The bound
//! Let s be the highest round of a correct replica at the moment at which all that was said when the request was given
//! to a correct replica has arrived. From then on every correct replica links the request's vertex or, if age excludes it,
//! proposes the request itself, in its vertex of round s + 1 (after up to [`WAKING`] empty ones, if it had slept). Every
//! vertex of round s + 2 has q parents, of which t + 1 are of correct replicas, so every leader of that round delivers it.
//!
//! When is that round, r, decided? Some slot of every round commits directly, whatever the scheduler does; so a slot of r
//! that is not decided directly finds its anchor in round r + 5, unless an undecided slot comes before it in the coin's
//! order; that one finds its own in r + 10; and so on. The chain ends at the first round whose first slot commits
//! directly. At least 2/(3t+1) of the slots do, and which of them is the first nobody knows until their fate is
//! sealed: the coin of a round is tossed with its certificates. So each link ends the chain with probability
//! p ≥ min(1, 2/(3t+1)), independently, and it has more than K links with probability (1-p)^K.
//!
//! R = 2 + WAKING + 4 + 5·K with K = ⌈ln ε / ln(1-p)⌉: certificates come 4 rounds after their leaders. With ε = 10⁻⁹ per
//! request, R is 159 for t = 1, 319 for t = 2 and 14 for a single replica.
use super::WINDOW;
use crate::codec::{self, Digest, digest};
use crate::quorum::Committee;
use crate::replica::ExecutedBatch;
use crate::zone::Request;
use std::collections::BTreeMap;

/// The probability, for each request, with which a sound protocol may break the bound.
const EPSILON: f64 = 1e-9;
/// Empty vertices before a request enters one.
const WAKING: u64 = 3;
/// Rounds from a leader to its certificates.
const CERTIFY: u64 = 4;
/// Rounds from a slot to its anchor.
const ANCHOR: u64 = 5;

/// The rounds of the correct replicas, and the requests on their way.
pub struct Liveness {
    bound: u64,
    /// The highest round of a correct replica.
    top: u64,
    decided: u64,
    /// First undecided round → the highest round when that was reached first.
    reached: BTreeMap<u64, u64>,
    open: BTreeMap<Digest, Open>,
    worst: u64,
}

/// A request on its way.
struct Open {
    /// The highest round when it was given.
    given: u64,
    /// The round from which it counts, once it does: s.
    from: Option<u64>,
}

impl Liveness {
    /// For a committee.
    pub fn new(committee: Committee) -> Self {
        Self {
            bound: bound(committee),
            top: 0,
            decided: 0,
            reached: BTreeMap::new(),
            open: BTreeMap::new(),
            worst: 0,
        }
    }

    /// A correct replica is at this round, and has decided all rounds below `next`.
    pub fn progress(&mut self, round: u64, next: u64) {
        self.top = self.top.max(round);
        if next > self.decided {
            self.decided = next;
            self.reached.insert(next, self.top);
            super::trim(&mut self.reached);
        }
    }

    /// A client's update was given to a correct replica.
    pub fn given(&mut self, wire: &[u8]) {
        self.open.insert(name(wire), Open { given: self.top, from: None });
        while self.open.len() > WINDOW {
            self.open.pop_first();
        }
    }

    /// All that was said when it was given has arrived, and the replica has not crashed since; or it has, and may have
    /// forgotten it.
    pub fn settled(&mut self, wire: &[u8], crashed: bool) {
        let name = name(wire);
        if crashed {
            self.open.remove(&name);
        } else if let Some(open) = self.open.get_mut(&name) {
            open.from = Some(self.top);
        }
    }

    /// A batch was executed, for the first time anywhere.
    pub fn executed(&mut self, batch: &ExecutedBatch) -> Result<(), String> {
        for ordered in &batch.requests {
            let name = digest("conclave/sim/request", &[&ordered.bytes]);
            let Some(open) = self.open.remove(&name) else { continue };
            let decided = self.reached.range(batch.round + 1..).next().map_or(self.top, |(_, top)| *top);
            self.worst = self.worst.max(decided.saturating_sub(open.given));
            let rounds = open.from.map_or(0, |from| decided.saturating_sub(from));
            if rounds > self.bound {
                let (number, bound) = (batch.number, self.bound);
                return Err(format!(
                    "liveness: a request of batch {number} took {rounds} rounds, more than {bound}"
                ));
            }
        }
        Ok(())
    }

    /// The most rounds that a request took from the moment it was given, before it counts.
    pub fn worst(&self) -> u64 {
        self.worst
    }
}

/// R, as the module's text derives it.
pub fn bound(committee: Committee) -> u64 {
    let p = (2.0 / (3 * committee.faults() + 1) as f64).min(1.0);
    let links = if p < 1.0 { (EPSILON.ln() / (1.0 - p).ln()).ceil() as u64 } else { 1 };
    2 + WAKING + CERTIFY + ANCHOR * links
}

/// Names the request that an ingress makes of an update.
fn name(wire: &[u8]) -> Digest {
    digest("conclave/sim/request", &[&codec::encode(&Request::Update { wire: wire.to_vec() })])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_what_the_text_says() {
        let of = |n| bound(Committee::new(n).unwrap());
        assert_eq!([1, 4, 5, 7].map(of), [14, 159, 159, 319]);
    }

    /// A request, given at round 10 and settled at round 20, in a batch of round 30 that was decided at round `decided`.
    fn late(decided: u64) -> Result<(), String> {
        let mut liveness = Liveness::new(Committee::new(4).unwrap());
        liveness.progress(10, 5);
        liveness.given(b"an update");
        liveness.progress(20, 16);
        liveness.settled(b"an update", false);
        liveness.progress(decided, 31);
        let bytes = codec::encode(&Request::Update { wire: b"an update".to_vec() }).into();
        let author = crate::quorum::ReplicaId::new(1).unwrap();
        liveness.executed(&ExecutedBatch {
            number: 1,
            round: 30,
            time: crate::time::AgreedTime(0),
            requests: vec![crate::consensus::Ordered { author, vertex_round: 11, bytes }],
            rcodes: vec![crate::dns::Rcode::NOERROR],
            history: Digest::default(),
        })
    }

    #[test]
    fn what_is_decided_later_than_the_bound_is_found() {
        assert_eq!(late(20 + 159), Ok(()));
        assert!(late(20 + 160).is_err());
    }
}
