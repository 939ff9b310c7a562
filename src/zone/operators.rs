//! What operators sign themselves, each with a key of his own: so no machine of the cluster, however corrupt, is an operator.
//!
//! The cluster file lists them, and how many of them are needed. Any replica carries what one has signed; it counts as a vote does
//! ([`super::votes`]), apart from the votes of replicas, and for few commands only: those that the owners of zones give
//! ([`super::Command::is_for_operators`]).
//!
//! A vote's number is when it was signed. It is taken for [`super::VOTE_LAPSE_SECS`] from then on, however long it is held back, and
//! an hour early, for clocks differ.
//!
//! Signed is `"conclave/operator\0" | digest("conclave/operator", [cluster, epoch (4, big-endian), operator's public key, count
//! (8, big-endian), after (8, big-endian), encoded command])`.

use super::signature::Realm;
use super::votes::VOTE_LAPSE_SECS;
use crate::codec::{self, ClusterId, Digest, Epoch};
use crate::time::{AgreedTime, HOUR, SECOND};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use borsh::{BorshDeserialize, BorshSerialize};

/// What precedes the digest that an operator signs.
pub const OPERATOR_DOMAIN: &[u8] = b"conclave/operator\0";

/// An operator's vote.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct OperatorVote {
    /// His public key (Ed25519).
    pub by: [u8; 32],
    /// When he signed it, in milliseconds; greater than in each of his votes before: by that a vote counts once, however often it is
    /// ordered.
    pub count: u64,
    /// The number of the newest decided command that he knew of; 0 before the first.
    pub after: u64,
    /// An encoded [`super::Command`].
    pub command: Vec<u8>,
    /// His signature.
    pub signature: [u8; 64],
}

impl OperatorVote {
    /// The vote of the operator with this public key, by these numbers (`count`, `after`), who signs the octets of a digest behind [`OPERATOR_DOMAIN`].
    pub fn new(
        (cluster, epoch): (ClusterId, Epoch),
        by: [u8; 32],
        (count, after): (u64, u64),
        command: &super::Command,
        sign: impl FnOnce(&Digest) -> [u8; 64],
    ) -> Self {
        let command = codec::encode(command);
        let signature = sign(&digest(Realm { cluster, epoch }, &by, (count, after), &command));
        Self { by, count, after, command, signature }
    }

    pub(super) fn signed_secs(&self) -> u64 {
        self.count / SECOND
    }

    /// Whether it is taken at this time.
    pub(super) fn is_timely(&self, time: AgreedTime) -> bool {
        let lapses = self.signed_secs().saturating_add(VOTE_LAPSE_SECS);
        lapses >= time.secs() && self.count <= time.0.saturating_add(HOUR)
    }

    pub(super) fn is_authentic(&self, realm: Realm) -> bool {
        let digest = digest(realm, &self.by, (self.count, self.after), &self.command);
        let signed = [OPERATOR_DOMAIN, &digest.0].concat();
        UnparsedPublicKey::new(&ED25519, &self.by).verify(&signed, &self.signature).is_ok()
    }
}

fn digest(
    Realm { cluster, epoch }: Realm,
    by: &[u8; 32],
    (count, after): (u64, u64),
    command: &[u8],
) -> Digest {
    let (epoch, count, after) = (epoch.0.to_be_bytes(), count.to_be_bytes(), after.to_be_bytes());
    let fields: [&[u8]; 6] = [&cluster.0.0, &epoch, by, &count, &after, command];
    codec::digest("conclave/operator", &fields)
}
