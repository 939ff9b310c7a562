//! A cluster as a dealer would deal it, on fixed primes, for one run.
use super::chance::Chance;
use super::rolls::Spare;
use super::sig0::Signer;
use super::zones::operators;
use super::{Plant, Scenario};
use crate::codec::{ClusterId, Epoch, KeyId, digest};
use crate::consensus::{self, CoinPublic, CoinSecret, IdentityKey, Onlooker, coin, forge::Forge};
use crate::dns::dnssec::{key_tag, rsa_dnskey_rdata};
use crate::dns::sig0::Sig0Key;
use crate::dns::tsig::{Keyring, TsigAlgorithm, TsigKey};
use crate::dns::{Name, Record, master};
use crate::quorum::{Committee, ReplicaId};
use crate::replica::{self, Predecessor};
use crate::signing::{KeyStore, Protocol, Vault};
use crate::threshold::{Dealt, PublicKey, SecretShare, test_keys};
use crate::time::UnixMillis;
use crate::zone::{
    Command, Denial, Genesis, KeyInfo, Reads, SerialRule, Succession, UpdatePolicy, Validity, ZoneRules,
    keys_digest,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The true time at the start of every run, in milliseconds since 1970.
pub const START: UnixMillis = UnixMillis(1_800_000_000_000);
/// How long a client waits, in milliseconds: schedulers delay messages for longer than networks do.
const PATIENCE_MS: u64 = 10_000;
/// Bits of the threshold keys: small, so that thousands of signatures take seconds.
const BITS: usize = 1024;
/// The zone of every run.
const ZONE: &str = "sim.test.";
/// Clients may, guests may not.
const POLICY: [&str; 2] = ["grant tsig.client. zonesub A TXT", "grant sig0.client. zonesub A TXT"];
const RECORDS: &str = "\
$TTL 300
@ SOA ns1 admin 1 7200 3600 604800 300
@ NS ns1
ns1 A 192.0.2.1
www A 192.0.2.2
* TXT \"wild\"
sub NS ns.sub
ns.sub A 192.0.2.3
";

/// What was dealt.
pub struct Cluster {
    /// The replicas.
    pub committee: Committee,
    /// The cluster.
    pub id: ClusterId,
    /// The epoch.
    pub epoch: Epoch,
    predecessor: Option<Predecessor>,
    pub(super) identities: Vec<[u8; 32]>,
    coin: CoinPublic,
    coin_secrets: Vec<Zeroizing<[u8; 32]>>,
    zsk: Threshold,
    ksk: Threshold,
    tsig: [u8; 32],
    sig0: [u8; 32],
    ordered_reads: bool,
    denial: Denial,
    signing: Protocol,
    /// The keys that the zone's are rolled to.
    pub(super) spares: Vec<Spare>,
}

struct Threshold {
    public: Arc<PublicKey>,
    shares: Vec<Zeroizing<Vec<u8>>>,
}

impl Threshold {
    fn of(dealt: Dealt) -> Self {
        let shares = dealt.shares.iter().map(SecretShare::to_bytes).collect();
        Self { public: Arc::new(dealt.public), shares }
    }

    fn info(&self, flags: u16) -> KeyInfo {
        let exponent = self.public.exponent().to_be_bytes();
        let leading = exponent.iter().take_while(|octet| **octet == 0).count();
        let dnskey = rsa_dnskey_rdata(flags, 8, &exponent[leading..], self.public.modulus());
        KeyInfo { id: self.public.key_id(), dnskey }
    }
}

/// The origin of the zone of every run.
pub fn origin() -> Name {
    Name::parse(ZONE).expect("a name")
}

impl Cluster {
    /// Deals a cluster for a scenario.
    pub fn deal(scenario: &Scenario, chance: &mut Chance) -> Self {
        let committee = Committee::new(scenario.n).expect("a number of replicas");
        let (n, weak, strong) = (committee.n(), committee.one_correct(), committee.quorum());
        let (coin, secrets) = coin::deal(n, weak, &mut |bytes| chance.fill(bytes));
        let id = ClusterId(digest("conclave/sim/cluster", &[&scenario.seed.to_be_bytes()]));
        let identities: Vec<[u8; 32]> = (0..n).map(|_| chance.seed()).collect();
        Self {
            committee,
            id,
            epoch: Epoch(0),
            predecessor: None,
            spares: Spare::all(scenario.rolls, id, &identities, committee),
            identities,
            coin,
            coin_secrets: secrets.iter().map(CoinSecret::to_bytes).collect(),
            zsk: Threshold::of(test_keys::dealt(BITS, 0, n, weak)),
            ksk: Threshold::of(test_keys::dealt(BITS, 1, n, strong)),
            tsig: chance.seed(),
            sig0: chance.seed(),
            ordered_reads: scenario.ordered_reads,
            // Of five seeds one.
            denial: if scenario.seed % 5 == 4 { Denial::Nsec3 } else { Denial::Nsec },
            signing: scenario.signing,
        }
    }

    /// The cluster of the next epoch: the same zones, keys and clients, in the hands of `members`: of each its index here, or
    /// none if it is new.
    pub fn succeed(&self, members: &[Option<ReplicaId>], chance: &mut Chance) -> Self {
        let committee = Committee::new(members.len() as u8).expect("a number of replicas");
        let (n, weak, strong) = (committee.n(), committee.one_correct(), committee.quorum());
        let (coin, secrets) = coin::deal(n, weak, &mut |bytes| chance.fill(bytes));
        let mut genesis = self.genesis(None);
        genesis.zones.iter_mut().for_each(|(_, records)| records.clear());
        let first = ReplicaId::new(1).expect("an index");
        let mut identity = |old: &Option<ReplicaId>| match old {
            Some(old) => self.identities[old.slot()],
            None => chance.seed(),
        };
        Self {
            committee,
            id: ClusterId(digest("conclave/sim/next cluster", &[&self.id.0.0])),
            epoch: Epoch(self.epoch.0 + 1),
            predecessor: Some(Predecessor { authority: self.consensus(first).authority(), genesis }),
            identities: members.iter().map(&mut identity).collect(),
            coin,
            coin_secrets: secrets.iter().map(CoinSecret::to_bytes).collect(),
            zsk: Threshold::of(test_keys::redealt(BITS, 0, n, weak)),
            ksk: Threshold::of(test_keys::redealt(BITS, 1, n, strong)),
            spares: Vec::new(),
            ..*self
        }
    }

    /// The command by which this cluster follows `old`.
    pub fn command(&self, old: &Cluster) -> Command {
        let continuing =
            old.committee.members().filter(|who| self.identities.contains(&old.identities[who.slot()]));
        let zone = origin();
        let keys = [self.zsk.info(256), self.ksk.info(257)];
        Command::Epoch(Succession {
            cluster: self.id,
            epoch: self.epoch,
            faults: self.committee.faults() as u8,
            continuing: continuing.map(ReplicaId::get).collect(),
            keys: keys_digest(keys.iter().map(|key| (&zone, &key.dnskey))),
        })
    }

    /// The clients' TSIG key.
    pub fn tsig(&self) -> TsigKey {
        let name = Name::parse("tsig.client.").expect("a name");
        TsigKey::new(name, TsigAlgorithm::HmacSha256, self.tsig.to_vec())
    }

    /// The clients' SIG(0) key.
    pub(super) fn sig0(&self) -> Signer {
        Signer::new(Name::parse("sig0.client.").expect("a name"), self.sig0)
    }

    /// A key that no policy knows.
    pub fn guest(&self) -> Signer {
        let seed = digest("conclave/sim/guest", &[&self.sig0]).0;
        Signer::new(Name::parse("guest.client.").expect("a name"), seed)
    }

    /// One who only looks on.
    pub fn onlooker(&self) -> Onlooker {
        Onlooker::new(self.committee, self.id, self.epoch, self.coin.clone())
    }

    /// What a corrupt replica `me` can sign.
    pub fn forge(&self, me: ReplicaId) -> Forge {
        Forge::new(&self.consensus(me), self.secrets(me))
    }

    fn consensus(&self, me: ReplicaId) -> consensus::Config {
        consensus::Config {
            committee: self.committee,
            me,
            cluster: self.id,
            epoch: self.epoch,
            genesis_time: UnixMillis(if self.predecessor.is_some() { 0 } else { START.0 - 60_000 }),
            identities: self.members(),
            coin: self.coin.clone(),
            gather_ms: consensus::DEFAULT_GATHER_MS,
        }
    }

    /// The replicas' public keys.
    fn members(&self) -> Vec<[u8; 32]> {
        self.identities.iter().map(|seed| IdentityKey::from_seed(*seed).public()).collect()
    }

    fn secrets(&self, me: ReplicaId) -> consensus::Secrets {
        let coin = CoinSecret::from_bytes(&*self.coin_secrets[me.slot()]).expect("it was dealt");
        consensus::Secrets { identity: IdentityKey::from_seed(self.identities[me.slot()]), coin }
    }

    /// Everything replica `me` starts from.
    pub fn config(&self, me: ReplicaId, entropy: [u8; 32], plant: Option<Plant>) -> replica::Config {
        let (consensus, secrets) = (self.consensus(me), self.secrets(me));
        let keys = [&self.zsk, &self.ksk].map(|key| (key.public.key_id(), key.public.clone()));
        replica::Config {
            consensus,
            secrets,
            genesis: self.genesis(plant),
            keys: BTreeMap::from(keys),
            holdings: self.key_store(me).holdings(),
            signing: self.signing,
            entropy,
            patience_ms: PATIENCE_MS,
            predecessor: self.predecessor.clone(),
        }
    }

    /// The zone as dealt, and the clients' keys.
    pub fn genesis(&self, plant: Option<Plant>) -> Genesis {
        let mut keys = Keyring::default();
        for signer in [self.sig0(), self.guest()] {
            let key = Sig0Key::new(signer.name().clone(), &signer.key()).expect("a key");
            keys.sig0.insert(signer.name().clone(), vec![key]);
        }
        let granted = if plant == Some(Plant::SkipUpdates) { &POLICY[..1] } else { &POLICY };
        let tsig = self.tsig();
        keys.tsig.insert(tsig.name.clone(), tsig);
        let rules = ZoneRules {
            origin: origin(),
            policy: UpdatePolicy::parse(granted).expect("a policy"),
            reads: if self.ordered_reads { Reads::Ordered } else { Reads::Local },
            serial: SerialRule::default(),
            validity: Validity::default(),
            dnskey_ttl: if self.spares.is_empty() { 3600 } else { 60 },
            denial: self.denial,
            ksk: self.ksk.info(257),
            zsk: self.zsk.info(256),
        };
        let records: Vec<Record> = master::read_str(RECORDS, &origin()).expect("a zone");
        let (members, zones) = (self.members(), vec![(rules, records)]);
        Genesis {
            cluster: self.id,
            epoch: self.epoch,
            members,
            operators: operators(),
            operators_needed: 2,
            zones,
            keys: Arc::new(keys),
        }
    }

    /// The tags of ZSK and KSK.
    pub fn tags(&self) -> [u16; 2] {
        [(&self.zsk, 256), (&self.ksk, 257)].map(|(key, flags)| key_tag(key.info(flags).dnskey.wire()))
    }

    /// The zone's keys whole: with a threshold of one, one share signs as all of them together do.
    pub fn whole_keys(&self) -> BTreeMap<KeyId, Dealt> {
        let ids = [&self.zsk, &self.ksk].map(|key| key.public.key_id());
        let dealt = ids.into_iter().enumerate().map(|(which, id)| (id, test_keys::dealt(BITS, which, 1, 1)));
        dealt.chain(self.spares.iter().map(Spare::whole)).collect()
    }

    /// The threshold shares of replica `me`.
    pub fn key_store(&self, me: ReplicaId) -> KeyStore {
        let mut store = KeyStore::new();
        for key in [&self.zsk, &self.ksk] {
            let share = SecretShare::from_bytes(&key.shares[me.slot()]).expect("it was dealt");
            assert!(store.insert(key.public.clone(), share), "the share fits its key");
        }
        for spare in &self.spares {
            spare.give(me, &store);
        }
        store.keep_in(Box::new(Machine));
        store
    }
}

/// The store outlives a machine's crashes: what it has is what the disk would have.
struct Machine;

impl Vault for Machine {
    fn keep(&self, _: &str, _: &[u8]) -> Result<(), String> {
        Ok(())
    }

    fn wipe(&self, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn retire(&self, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn is_in(&self, _: &str, _: &Path) {}
}
