//! The key that the zone's ZSK is rolled to, and what each operator does for that.
use super::cluster::{Cluster, origin};
use crate::ceremony::receipt;
use crate::codec::{ClusterId, Digest, Epoch, KeyId, encode};
use crate::consensus::IdentityKey;
use crate::quorum::ReplicaId;
use crate::replica::{Output, Replica};
use crate::signing::KeyStore;
use crate::threshold::{Dealt, SecretShare, test_keys};
use crate::time::UnixMillis;
use crate::zone::{Bundle, CheckedBundle, Holders, Request, Role};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Bits of the new key: other than of those that are dealt, for there are two primes of each length.
const BITS: usize = 2048;

/// A key that was dealt and is not used yet.
pub(super) struct Spare {
    bundle: CheckedBundle,
    shares: Vec<Zeroizing<Vec<u8>>>,
}

impl Spare {
    /// For the replicas with these identity keys.
    pub fn deal(cluster: ClusterId, identities: &[[u8; 32]], threshold: usize) -> Self {
        let dealt = test_keys::dealt(BITS, 0, identities.len(), threshold);
        let members = identities.iter().map(|seed| IdentityKey::from_seed(*seed).public()).collect();
        let holders = Holders { plan: Digest::default(), cluster, epoch: Epoch(0), members };
        let bundle = Bundle::new(holders, &origin(), Role::Zsk, 8, &dealt.public).check();
        let shares = dealt.shares.iter().map(SecretShare::to_bytes).collect();
        Self { bundle: bundle.expect("a bundle of what was dealt"), shares }
    }

    /// Its share goes to the workers of a replica, who do not use it yet.
    pub fn give(&self, me: ReplicaId, store: &KeyStore) {
        store.insert(Arc::new(self.bundle.public().clone()), self.share(me));
    }

    /// The key whole.
    pub fn whole(&self) -> (KeyId, Dealt) {
        (self.bundle.key_id(), test_keys::dealt(BITS, 0, 1, 1))
    }

    fn share(&self, me: ReplicaId) -> SecretShare {
        SecretShare::from_bytes(&self.shares[me.slot()]).expect("it was dealt")
    }
}

impl Cluster {
    /// Whether this replica's zone has rolled.
    pub(super) fn has_rolled(&self, replica: &Replica) -> bool {
        replica.keys().iter().all(|zone| self.zone_has_rolled(zone))
    }

    /// What the operator of `me` does now: brings the bundle, gives the receipt, votes for what is next when it is safe.
    pub(super) fn operate(&self, me: ReplicaId, replica: &mut Replica, now: UnixMillis) -> Output {
        let (Some(spare), Some(zone)) = (&self.spare, replica.keys().into_iter().next()) else {
            return Output::default();
        };
        let mut vote = |command: &str| match command.parse() {
            Ok(command) => replica.vote(now, &command).map(|(_, output)| output).unwrap_or_default(),
            Err(_) => Output::default(),
        };
        match (&zone.rollover, zone.bundles.first()) {
            _ if self.zone_has_rolled(&zone) => Output::default(),
            (Some(roll), _) if roll.safe_from.is_some_and(|from| from <= now.secs()) => vote(&roll.next),
            (Some(_), _) => Output::default(),
            (None, _) if zone.allowance > 0 => vote(&format!("keys {} allowance 0", zone.zone)),
            (None, None) => replica.import(now, spare.bundle.bundle().clone()),
            (None, Some(bundle)) if bundle.receipts == bundle.of => {
                vote(&format!("keys {} begin {}", zone.zone, bundle.name))
            }
            (None, Some(_)) => {
                let made = receipt::make(&spare.bundle, &spare.share(me), &self.identities[me.slot()]);
                let receipt = made.expect("a share that was dealt");
                replica.order(now, encode(&Request::Receipt(Box::new(receipt))))
            }
        }
    }

    fn zone_has_rolled(&self, zone: &crate::replica::ZoneKeys) -> bool {
        let new = self.spare.as_ref().map(|spare| spare.bundle.key_id().0.to_hex());
        zone.rollover.is_none() && zone.keys.iter().any(|key| Some(&key.id) == new.as_ref())
    }
}
