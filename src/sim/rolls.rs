//! The keys that the zone's are rolled to, and what each operator does for that.
use super::Rolls;
use super::cluster::{Cluster, origin};
use super::zones::other;
use crate::ceremony::receipt;
use crate::codec::{ClusterId, Digest, Epoch, KeyId};
use crate::consensus::IdentityKey;
use crate::dns::Name;
use crate::quorum::{Committee, ReplicaId};
use crate::replica::{Output, Replica};
use crate::signing::KeyStore;
use crate::threshold::{Dealt, SecretShare, test_keys};
use crate::time::UnixMillis;
use crate::zone::{Bundle, CheckedBundle, Holders, Role};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Bits of the new keys: other than of those that are dealt, for there are two primes of each length.
const BITS: usize = 2048;

/// Seconds for which the parent, were there one, has its DS records cached.
const DS_TTL: &str = "30";

impl Rolls {
    /// Virtual milliseconds that the stages wait for caches and for batches, beside what goes on meanwhile.
    pub(super) fn waits_ms(self) -> u64 {
        match self {
            Self::Never => 0,
            Self::Zsk | Self::Ksk => 900_000,
            Self::Algorithm => 1_800_000,
            Self::Zone => 900_000,
        }
    }
}

/// A key that was dealt and is not used yet.
pub(super) struct Spare {
    which: usize,
    bundle: CheckedBundle,
    shares: Vec<Zeroizing<Vec<u8>>>,
}

impl Spare {
    /// Those of a run, for the replicas with these identity keys.
    pub fn all(rolls: Rolls, cluster: ClusterId, identities: &[[u8; 32]], committee: Committee) -> Vec<Self> {
        let (weak, strong) = (committee.one_correct(), committee.quorum());
        let zone = if rolls == Rolls::Zone { other() } else { origin() };
        let zsk = |algorithm| Self::deal((cluster, identities), (&zone, Role::Zsk, algorithm), 0, weak);
        let ksk = |algorithm| Self::deal((cluster, identities), (&zone, Role::Ksk, algorithm), 1, strong);
        match rolls {
            Rolls::Never => Vec::new(),
            Rolls::Zsk => vec![zsk(8)],
            Rolls::Ksk => vec![ksk(8)],
            Rolls::Algorithm => vec![zsk(10), ksk(10)],
            Rolls::Zone => vec![zsk(8), ksk(8)],
        }
    }

    fn deal(
        (cluster, identities): (ClusterId, &[[u8; 32]]),
        (zone, role, algorithm): (&Name, Role, u8),
        which: usize,
        threshold: usize,
    ) -> Self {
        let dealt = test_keys::dealt(BITS, which, identities.len(), threshold);
        let members = identities.iter().map(|seed| IdentityKey::from_seed(*seed).public()).collect();
        let holders = Holders { plan: Digest::default(), cluster, epoch: Epoch(0), members };
        let bundle = Bundle::new(holders, zone, role, algorithm, &dealt.public).check();
        let shares = dealt.shares.iter().map(SecretShare::to_bytes).collect();
        Self { which, bundle: bundle.expect("a bundle of what was dealt"), shares }
    }

    /// Its share goes to the workers of a replica, who do not use it yet.
    pub fn give(&self, me: ReplicaId, store: &KeyStore) {
        store.insert(Arc::new(self.bundle.public().clone()), self.share(me));
    }

    /// The name of its bundle.
    pub fn name(&self) -> Digest {
        self.bundle.name()
    }

    /// The key whole.
    pub fn whole(&self) -> (KeyId, Dealt) {
        (self.bundle.key_id(), test_keys::dealt(BITS, self.which, 1, 1))
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
        let Some(zone) = replica.keys().into_iter().next() else { return Output::default() };
        let mut vote = |command: &str| match command.parse() {
            Ok(command) => replica.vote(now, &command).map(|(_, output)| output).unwrap_or_default(),
            Err(_) => Output::default(),
        };
        if self.zone_has_rolled(&zone) {
            return Output::default();
        }
        if let Some(roll) = &zone.rollover {
            return match roll.safe_from {
                Some(from) if from <= now.secs() => vote(&roll.next.replace("TTL", DS_TTL)),
                _ => Output::default(),
            };
        }
        if zone.allowance > 0 {
            return vote(&format!("keys {} allowance 0", zone.zone));
        }
        if let Some(output) = self.bring_spare(me, replica, now) {
            return output;
        }
        let names = self.spares.iter().map(|spare| spare.bundle.name().to_hex());
        let begin = format!("keys {} begin {}", zone.zone, names.collect::<Vec<_>>().join(" "));
        match begin.parse() {
            Ok(command) => replica.vote(now, &command).map(|(_, output)| output).unwrap_or_default(),
            Err(_) => Output::default(),
        }
    }

    /// What there is still to do before all bundles are complete.
    pub(super) fn bring_spare(
        &self,
        me: ReplicaId,
        replica: &mut Replica,
        now: UnixMillis,
    ) -> Option<Output> {
        let known: Vec<_> = replica.keys().into_iter().flat_map(|zone| zone.bundles).collect();
        let is_brought = |spare: &&Spare| {
            let name = spare.bundle.name().to_hex();
            known.iter().any(|bundle| bundle.name == name && !bundle.lacking.contains(&me.get()))
        };
        if let Some(spare) = self.spares.iter().find(|spare| !is_brought(spare)) {
            let made = receipt::make(&spare.bundle, &spare.share(me), &self.identities[me.slot()]);
            let made = made.expect("a share that was dealt");
            return Some(replica.bring(now, &spare.bundle, made).unwrap_or_default());
        }
        let is_complete = known.iter().all(|bundle| bundle.receipts == bundle.of);
        (!is_complete).then(Output::default)
    }

    fn zone_has_rolled(&self, zone: &crate::replica::ZoneKeys) -> bool {
        let has = |spare: &Spare| zone.keys.iter().any(|key| key.id == spare.bundle.key_id().0.to_hex());
        zone.rollover.is_none() && self.spares.iter().all(has)
    }
}
