//! What the order carries to the machine, and what the machine says of it.

use super::account::Account;
use super::bundle::Receipt;
use super::contents::ParcelPiece;
use super::operators::OperatorVote;
use super::said::Said;
use super::succession::Succession;
use super::view::View;
use crate::codec::{Digest, JobId, KeyId};
use crate::dns::tsig::AuthFailure;
use crate::dns::{Name, Rcode};
use crate::quorum::ReplicaId;
use crate::time::AgreedTime;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use std::sync::Arc;

/// An ordered request; opaque to the order.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum Request {
    /// Add the DNSKEYs and make the zone's first signed version. Does nothing the second time.
    Genesis {
        /// The zone.
        zone: Name,
    },
    /// Sign anew what agreed time says is due. `serial` only tells proposals apart.
    Refresh {
        /// The zone.
        zone: Name,
        /// The serial of the version that the proposer saw.
        serial: u32,
    },
    /// A client's UPDATE message, as it came.
    Update {
        /// The whole DNS message.
        wire: Vec<u8>,
    },
    /// A client's query that is to be answered at its place in the order.
    Query {
        /// The whole DNS message.
        wire: Vec<u8>,
        /// Tells equal queries apart.
        nonce: [u8; 16],
    },
    /// What a replica says in its own name.
    Said(Said),
    /// That a replica holds its share of a new key.
    Receipt(Box<Receipt>),
    /// Nothing but a batch: by going on the pipeline shows that what came before is signed.
    Settle {
        /// Batches that the proposer has executed; only tells proposals apart.
        batches: u64,
    },
    /// What an operator has signed, whoever carries it.
    Operator(Box<OperatorVote>),
    /// A piece of what a command awaits.
    Parcel(ParcelPiece),
}

/// The caller's tag of a request: outcomes carry it back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RequestId(pub u64);

/// The requests of one batch, in order, at one agreed time.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The agreed time; never before that of the batch before.
    pub time: AgreedTime,
    /// Encoded [`Request`]s.
    pub requests: &'a [(RequestId, &'a [u8])],
}

/// What kind of request an outcome is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A client's update.
    Update,
    /// A client's ordered query.
    Query,
    /// The cluster's own, or bytes that are no request.
    Internal,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which request.
    pub request: RequestId,
    /// The answer.
    pub rcode: Rcode,
    /// Why it was not authenticated, with what the error reply needs.
    pub failure: Option<AuthFailure>,
    /// The zone and its version that the answer speaks of: no reply before that version, or a later one, is published.
    pub after: Option<(Name, u64)>,
    /// What was asked.
    pub kind: Kind,
    /// Of an update: what the audit is told.
    pub account: Option<Box<Account>>,
    /// Of a replica's vouch for an update.
    pub vouch: Option<Vouched>,
}

/// What a vouch came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vouched {
    /// The change ([`super::change_of`]).
    pub change: Digest,
    /// Who vouches for it.
    pub by: ReplicaId,
    /// How far it is with the change.
    pub stage: Stage,
}

/// How far a change is after a vouch for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// It lacks others' vouches.
    Open,
    /// It has what it needs: the outcome is the change's.
    Decided,
    /// The vouch does not count: the outcome is its own.
    Void,
}

/// A signature that is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// Its name: a digest over cluster, epoch, key and hash.
    pub id: JobId,
    /// The key that is to sign.
    pub key: KeyId,
    /// The hash of the RRSIG's preimage: SHA-256 for algorithm 8, SHA-512 for 10.
    pub hash: Vec<u8>,
}

/// What a batch gave.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Executed {
    /// One for each request, in order.
    pub outcomes: Vec<Outcome>,
    /// The signatures that the new versions lack.
    pub jobs: Vec<Job>,
    /// This was the last batch of the epoch.
    pub ends: Option<Succession>,
    /// What became of zones, in this order.
    pub zones: Vec<ZoneNews>,
    /// The new version of the catalog, which needs no signatures.
    pub published: Vec<Published>,
}

/// What a batch did to the set of zones, or to the rules of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ZoneNews {
    /// It is there from now on ([`super::Machine::zone_of`] has its rules), and is visible once it is signed.
    Added(Name),
    /// It is there no more. The catalog, too, goes so.
    Removed(Name),
}

/// A version that has become visible.
#[derive(Clone, Debug)]
pub struct Published {
    /// The zone.
    pub zone: Name,
    /// Its version, from 1.
    pub version: u64,
    /// The zone itself, signed and checked.
    pub view: Arc<View>,
}

/// A version that may not become visible; the last good one stays up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublishFailure {
    /// The zone.
    pub zone: Name,
    /// Its version.
    pub version: u64,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for PublishFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "zone {}: version {} is held back: {}", self.zone, self.version, self.reason)
    }
}

/// What a finished signature gave.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Signed {
    /// Versions that became visible, in order.
    pub published: Vec<Published>,
    /// Versions that failed their check.
    pub failures: Vec<PublishFailure>,
}
