//! Changes that replicas vouch for, as their gateway sees them: what is vouched for, what is vouched for again, and whom an
//! outcome of the order answers.

use super::Replica;
use super::ingress::request_digest;
use super::reply::Asker;
use crate::codec::Digest;
use crate::quorum::ReplicaId;
use crate::zone::{Outcome, Refusal, Stage, Vouched};

impl Replica {
    /// Whether the own vouch for a change that lacks others' counts no more, or was pushed out.
    pub(super) fn is_to_vouch_again(&self, asker: &Asker, pending: &Digest) -> bool {
        let (Some(change), Some(key)) = (asker.change(), asker.signer()) else { return false };
        self.clients.lacks_others(pending) && !self.machine.vouchers(key, change).any(|who| who == self.me)
    }

    /// What can never succeed is not vouched for; execution looks again.
    pub(super) fn unknown_to_policy(&self, asker: &Asker) -> Option<Refusal> {
        self.machine.unknown_to_policy(&asker.question()?.name, asker.signer()?)
    }

    /// The request that an outcome answers.
    pub(super) fn request_of(&mut self, outcome: &Outcome, ordered: &[u8]) -> Option<Digest> {
        let request = request_digest(ordered);
        match outcome.vouch {
            None => Some(request),
            Some(Vouched { change, stage: Stage::Decided, .. }) => Some(change),
            // Anybody can have an old vouch ordered again: it is not what the clients of a newer one wait for.
            Some(Vouched { change, stage: Stage::Void, by }) if by == self.me => {
                self.clients.came(change, request).then_some(change)
            }
            Some(Vouched { change, stage: Stage::Open, by }) if by == self.me => {
                self.clients.came_open(change, request);
                None
            }
            Some(_) => None,
        }
    }

    /// What to tell a client whose patience has ended.
    pub(super) fn late(&self, asker: &Asker) -> Refusal {
        let unvouched = asker.change().filter(|change| !self.clients.is_decided(change)).and_then(|change| {
            let have: Vec<ReplicaId> = self.machine.vouchers(asker.signer()?, change).collect();
            // Where not even the own vouch has come to the order, others' are not what is lacking.
            have.contains(&self.me).then(|| Refusal::Unvouched { have, need: self.machine.one_correct() })
        });
        unvouched.unwrap_or(Refusal::Late)
    }
}
