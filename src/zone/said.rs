//! What a replica says in its own name, signed with its identity key.
//!
//! The author of the vertex that carries a request does not vouch for it: what age excludes from a vertex the others propose
//! again in vertices of their own, so a corrupt replica could have its words carried by a quorum. A signature
//! says who spoke, whoever carries it.
//!
//! Signed is `"conclave/said\0" | digest("conclave/said", [cluster, epoch (4, big-endian), replica (1), encoding of what is
//! said])`: nothing said in one cluster or epoch counts in another, and nothing signed for another layer counts here.

use super::bundle::Bundle;
use super::signature::Realm;
use crate::codec::{self, ClusterId, Digest, Epoch, KeyId};
use crate::dns::Name;
use crate::quorum::ReplicaId;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use borsh::{BorshDeserialize, BorshSerialize};

/// What precedes the digest that is signed.
pub const SAID_DOMAIN: &[u8] = b"conclave/said\0";

/// What a replica can say.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum Saying {
    /// That its operator wants this done.
    Vote {
        /// Greater than in each vote of this replica before: by that a vote counts once, however often it is ordered.
        count: u64,
        /// The number of the newest decided command that it knew of; 0 before the first.
        after: u64,
        /// An encoded [`super::Command`].
        command: Vec<u8>,
    },
    /// That it can be dealt shares of a key so, and has taken all that it was dealt before.
    Offer {
        /// The key as dealt.
        key: KeyId,
        /// Its sharing in force.
        sharing: KeyId,
        /// Greater than in each offer of this replica for this key before.
        count: u64,
        /// The key's public part, encoded, where the state does not have it; else nothing.
        public: Vec<u8>,
        /// The receiver's key.
        modulus: Vec<u8>,
    },
    /// Its part in a refresh.
    Dealing {
        /// The key as dealt.
        key: KeyId,
        /// Its sharing in force.
        sharing: KeyId,
        /// An encoded [`crate::threshold::refresh::Dealing`].
        dealing: Vec<u8>,
    },
    /// That its operator has brought the public part of a new key.
    Bundle(Box<Bundle>),
    /// That it has executed so many batches.
    Progress {
        /// Never more than it has.
        batches: u64,
    },
    /// That a client has signed this update with the secret that only the two of them know.
    Vouch {
        /// The key's name.
        key: Name,
        /// The second after which the signature is not taken any more.
        until: u64,
        /// The update without the signature, and with the ID 0.
        message: Vec<u8>,
    },
}

/// Something said.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Said {
    /// Who says it.
    pub by: ReplicaId,
    /// What.
    pub what: Saying,
    /// Its Ed25519 signature.
    pub signature: [u8; 64],
}

impl Said {
    /// `what`, said by `by` in a cluster's epoch.
    pub fn new(
        cluster: ClusterId,
        epoch: Epoch,
        by: ReplicaId,
        what: Saying,
        sign: impl FnOnce(&Digest) -> [u8; 64],
    ) -> Self {
        Self::sign(Realm { cluster, epoch }, by, what, sign)
    }

    /// `what`, said by `by`, whose key signs the octets of a digest behind [`SAID_DOMAIN`].
    pub(super) fn sign(
        realm: Realm,
        by: ReplicaId,
        what: Saying,
        sign: impl FnOnce(&Digest) -> [u8; 64],
    ) -> Self {
        let signature = sign(&digest(realm, by, &what));
        Self { by, what, signature }
    }

    /// Whether it was said by the replica whose public key is `public`.
    pub(super) fn is_authentic(&self, realm: Realm, public: &[u8; 32]) -> bool {
        let signed = [SAID_DOMAIN, &digest(realm, self.by, &self.what).0].concat();
        UnparsedPublicKey::new(&ED25519, public).verify(&signed, &self.signature).is_ok()
    }
}

fn digest(realm: Realm, by: ReplicaId, what: &Saying) -> Digest {
    let Realm { cluster, epoch } = realm;
    let what = codec::encode(what);
    codec::digest("conclave/said", &[&cluster.0.0, &epoch.0.to_be_bytes(), &[by.get()], &what])
}
