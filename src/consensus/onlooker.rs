//! One who sees vertices pass and takes no part: what a monitor, a drawing, or an adversary that only schedules messages
//! can know of the protocol without any secret.
//!
//! It gives vertices their names, and combines the coin of a round as soon as t+1 right shares of it have been seen
//! anywhere: the earliest moment at which anybody can know it.

use super::coin::{CoinPublic, CoinShare, Toss};
use super::commit::CERTIFY;
use super::vertex::{Domain, Vertex, VertexRef};
use crate::codec::{ClusterId, Epoch};
use crate::quorum::{Committee, ReplicaId};
use std::collections::BTreeMap;

/// An onlooker of one epoch. It keeps what it learns of coins, some hundred octets a round, until it is told to forget.
pub struct Onlooker {
    committee: Committee,
    domain: Domain,
    coin: CoinPublic,
    shares: BTreeMap<u64, BTreeMap<ReplicaId, CoinShare>>,
    leaders: BTreeMap<u64, Vec<ReplicaId>>,
}

impl Onlooker {
    /// One who has seen nothing yet.
    pub fn new(committee: Committee, cluster: ClusterId, epoch: Epoch, coin: CoinPublic) -> Self {
        let domain = Domain { cluster, epoch };
        Self { committee, domain, coin, shares: BTreeMap::new(), leaders: BTreeMap::new() }
    }

    /// The name of a vertex.
    pub fn name(&self, vertex: &Vertex) -> VertexRef {
        vertex.id(&self.domain)
    }

    /// Whether the coin share of a vertex is its author's, of the right round; none is right where none is due.
    pub fn has_right_share(&self, vertex: &Vertex) -> bool {
        let body = vertex.body();
        match (body.coin_share, body.round.checked_sub(CERTIFY).filter(|round| *round > 0)) {
            (Some(share), Some(round)) => {
                Toss::new(&self.domain, round).verify(&self.coin, body.author, &share)
            }
            (share, round) => share.is_none() && round.is_none(),
        }
    }

    /// Sees a vertex, of whose coin share the proof counts and no signature. The round whose coin became known by it.
    pub fn see(&mut self, vertex: &Vertex) -> Option<u64> {
        let body = vertex.body();
        let (share, round) = (body.coin_share?, body.round.checked_sub(CERTIFY)?);
        if self.leaders.contains_key(&round)
            || self.shares.get(&round).is_some_and(|seen| seen.contains_key(&body.author))
        {
            return None;
        }
        let toss = Toss::new(&self.domain, round);
        if !toss.verify(&self.coin, body.author, &share) {
            return None;
        }
        let shares = self.shares.entry(round).or_default();
        shares.insert(body.author, share);
        let leaders = toss.leaders(self.committee, &self.coin, shares)?;
        self.shares.remove(&round);
        self.leaders.insert(round, leaders);
        Some(round)
    }

    /// Forgets the coins of the rounds below this one. Who shows it their vertices again teaches it anew.
    pub fn forget(&mut self, below: u64) {
        self.shares = self.shares.split_off(&below);
        self.leaders = self.leaders.split_off(&below);
    }

    /// The order of a round's leader slots, once it is known.
    pub fn leaders(&self, round: u64) -> Option<&[ReplicaId]> {
        self.leaders.get(&round).map(Vec::as_slice)
    }
}
