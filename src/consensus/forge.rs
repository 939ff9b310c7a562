//! A corrupt replica's pen: signs whatever it is given, valid or not, with a real replica's keys.
//!
//! **For the simulator and tests only.** It holds nothing that a corrupt replica does not hold: its own identity key, its
//! own coin secret, and what everybody knows. The shipped replica never uses it.

use super::checkpoint::{Certificate, Statement};
use super::coin::{CoinShare, Toss};
use super::finale::{Ending, Finale};
use super::identity::Signature;
use super::vertex::{Body, Domain, Vertex, VertexRef};
use super::{Config, Message, Secrets};
use crate::codec::{ClusterId, Digest, Epoch};
use crate::quorum::{Committee, ReplicaId};

/// Signs what no correct replica would.
pub struct Forge {
    committee: Committee,
    me: ReplicaId,
    domain: Domain,
    secrets: Secrets,
}

impl Forge {
    /// With the keys of the replica that `config` calls `me`.
    pub fn new(config: &Config, secrets: Secrets) -> Self {
        let domain = Domain { cluster: config.cluster, epoch: config.epoch };
        Self { committee: config.committee, me: config.me, domain, secrets }
    }

    /// Whose keys it has.
    pub fn me(&self) -> ReplicaId {
        self.me
    }

    /// The committee.
    pub fn committee(&self) -> Committee {
        self.committee
    }

    /// Signs a body as it is.
    pub fn sign(&self, body: Body) -> Vertex {
        Vertex::sign(body, &self.domain, &self.secrets.identity)
    }

    /// Signs a body for another cluster or epoch.
    pub fn sign_for(&self, body: Body, cluster: ClusterId, epoch: Epoch) -> Vertex {
        Vertex::sign(body, &Domain { cluster, epoch }, &self.secrets.identity)
    }

    /// The cluster and epoch that it signs for.
    pub fn realm(&self) -> (ClusterId, Epoch) {
        (self.domain.cluster, self.domain.epoch)
    }

    /// Signs what another layer says.
    pub fn sign_in(&self, domain: &[u8], digest: &Digest) -> [u8; 64] {
        self.secrets.identity.sign_in(domain, digest)
    }

    /// The name of a vertex.
    pub fn name(&self, vertex: &Vertex) -> VertexRef {
        vertex.id(&self.domain)
    }

    /// The own signature under a statement, true or not.
    pub fn vote(&self, statement: Statement) -> Message {
        Message::Vote(statement, self.secrets.identity.sign(&statement.digest(&self.domain)))
    }

    /// A certificate of whatever signatures there are.
    pub fn certificate(&self, statement: Statement, signatures: Vec<(ReplicaId, Signature)>) -> Certificate {
        Certificate { statement, signatures }
    }

    /// An ending, true or not, and the own signature under it.
    pub fn ended(&self, ending: Ending) -> (Message, Signature) {
        let signature = self.secrets.identity.sign(&ending.digest(&self.domain));
        (Message::Ended(ending, signature), signature)
    }

    /// A finale of whatever signatures there are.
    pub fn finale(&self, ending: Ending, signatures: Vec<(ReplicaId, Signature)>) -> Finale {
        Finale { ending, signatures }
    }

    /// The own share of the coin that vertices of `round` carry; none below the first such round.
    pub fn coin_share(&self, round: u64) -> Option<CoinShare> {
        self.coin_share_for(round, self.domain.epoch)
    }

    /// The same, of another epoch's coin.
    pub fn coin_share_for(&self, round: u64, epoch: Epoch) -> Option<CoinShare> {
        let tossed = (round >= super::vertex::FIRST_SHARE_ROUND).then(|| round - super::commit::CERTIFY)?;
        let domain = Domain { epoch, ..self.domain };
        Some(Toss::new(&domain, tossed).share(self.me, &self.secrets.coin, &[0; 32]))
    }
}
