//! From files to the values a replica is made of; each is checked against the cluster file.

use super::zones::{self, Kept};
use super::{FrontFiles, Problem, ReplicaFile};
use crate::ceremony::client_keys::{self, KeyClause};
use crate::ceremony::cluster::Cluster;
use crate::ceremony::cluster_file;
use crate::ceremony::files::{PREDECESSOR, make_dir, read_text, zone_stem};
use crate::ceremony::held::{self, Held};
use crate::ceremony::identity;
use crate::ceremony::share_file::{self, Kind, Label};
use crate::codec::{ClusterId, KeyId};
use crate::consensus::coin::{CoinPublic, CoinSecret};
use crate::consensus::{self, Authority};
use crate::dns::rrset::Record;
use crate::dns::sig0::Sig0Key;
use crate::dns::tsig::{Keyring, TsigAlgorithm, TsigKey};
use crate::replica::Predecessor;
use crate::runtime::vault::Directory;
use crate::signing::{KeyStore, Protocol, share_name};
use crate::threshold::{PublicKey, SecretShare};
use crate::time::UnixMillis;
use crate::zone::{self, Receipt, ZoneRules};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The TLS side of a replica: its certificate and key, and the keys that its peers must show.
pub struct Tls {
    /// The self-signed certificate of the identity key, DER.
    pub certificate: Vec<u8>,
    /// The identity key, PKCS#8 DER.
    pub key: Zeroizing<Vec<u8>>,
    /// Ed25519 public keys of all replicas, by slot.
    pub identities: Vec<[u8; 32]>,
}

/// Everything one replica runs on.
pub struct Loaded {
    /// The machine's own file.
    pub file: ReplicaFile,
    /// The cluster file.
    pub cluster: Arc<Cluster>,
    /// The epoch before, if this one follows another.
    pub predecessor: Option<Predecessor>,
    /// The committee and everyone's public keys.
    pub consensus: consensus::Config,
    /// This replica's identity key and coin share.
    pub secrets: consensus::Secrets,
    /// The zones as dealt, their rules, and the clients' keys.
    pub genesis: zone::Genesis,
    /// How signing sessions go.
    pub signing: Protocol,
    /// The public parts of the zones' threshold keys.
    pub public_keys: BTreeMap<KeyId, Arc<PublicKey>>,
    /// This replica's shares of them.
    pub key_store: Arc<KeyStore>,
    /// Receipts for the shares of new keys that the operator imported.
    pub receipts: Vec<Receipt>,
    /// TLS.
    pub tls: Tls,
    /// What faces clients has these files.
    pub front: FrontFiles,
    /// What should be told to the operator, one line each.
    pub warnings: Vec<String>,
    kept: Vec<Kept>,
}

impl Loaded {
    /// To be called before the replica's first step: makes the data directory and keeps in it the zones as dealt,
    /// from which the log is replayed at every start.
    pub fn begin(&self) -> Result<(), Problem> {
        make_dir(&self.file.data)?;
        self.kept.iter().try_for_each(Kept::write)
    }
}

pub(super) fn load(file: ReplicaFile) -> Result<Loaded, Vec<Problem>> {
    let cluster = cluster_file::read(&file.cluster)?;
    let id = cluster.id();
    let mut loader =
        Loader { file: &file, cluster: &cluster, id, problems: Vec::new(), warnings: Vec::new() };
    loader.addresses();
    loader.transfers();
    let identity = loader.identity();
    let coin = loader.coin();
    let held = loader.held();
    let (public_keys, key_store) = loader.shares(&held);
    let keyring = loader.keyring();
    let predecessor = loader.predecessor();
    let (zones, kept) = loader.zones();
    let front = file.front_files(&mut loader.problems);
    let keep = |one: Held| {
        key_store.insert(Arc::new(one.bundle.public().clone()), one.share);
        one.receipt
    };
    let receipts = held.into_iter().map(keep).collect();
    let Loader { problems, warnings, .. } = loader;
    let (Some((secret, tls)), Some((coin_public, coin)), Some(front), true) =
        (identity, coin, front, problems.is_empty())
    else {
        return Err(problems);
    };
    let consensus = consensus::Config {
        committee: cluster.committee,
        me: file.me,
        cluster: id,
        epoch: cluster.epoch,
        // Agreed time goes on where the epoch before has left it, whatever the dealer's clock said.
        genesis_time: cluster.replaces.map_or(cluster.genesis_time, |_| UnixMillis(0)),
        identities: tls.identities.clone(),
        coin: coin_public,
        gather_ms: file.gather_ms,
    };
    let secrets = consensus::Secrets { identity: secret, coin };
    let (epoch, signing) = (cluster.epoch, cluster.signing);
    let members = tls.identities.clone();
    let (operators, operators_needed) = operators(&cluster);
    let keys = Arc::new(keyring);
    let genesis = zone::Genesis { cluster: id, epoch, members, operators, operators_needed, zones, keys };
    let key_store = Arc::new(key_store);
    Ok(Loaded {
        file,
        cluster: Arc::new(cluster),
        predecessor,
        consensus,
        secrets,
        genesis,
        signing,
        public_keys,
        key_store,
        receipts,
        tls,
        front,
        warnings,
        kept,
    })
}

struct Loader<'a> {
    file: &'a ReplicaFile,
    cluster: &'a Cluster,
    id: ClusterId,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

impl Loader<'_> {
    fn wrong(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn addresses(&mut self) {
        let committee = self.cluster.committee;
        if !committee.contains(self.file.me) {
            let reason = format!("index {} of a cluster of {} replicas", self.file.me, committee.n());
            self.wrong(Problem::new(&self.file.path, reason));
        }
        for id in committee.others(self.file.me) {
            if !self.file.peers.contains_key(&id) {
                let reason = format!("says no address of replica {id}; add it under [peer.addresses]");
                self.wrong(Problem::new(&self.file.path, reason));
            }
        }
        for id in self.file.peers.keys().filter(|id| !committee.contains(**id)) {
            let reason =
                format!("says where replica {id} is, but the cluster has {} replicas", committee.n());
            self.problems.push(Problem::new(&self.file.path, reason));
        }
    }

    /// Zones come and go: that of a rule need not be there.
    fn transfers(&mut self) {
        for rule in &self.file.transfers {
            for key in rule.keys.iter().filter(|key| !self.cluster.tsig.iter().any(|held| held.name == **key))
            {
                let zone = rule.zone.as_ref().map_or("*".into(), ToString::to_string);
                let reason = format!(
                    "the [[transfer]] of {zone} names the key {key}, which is no TSIG key of the cluster"
                );
                self.problems.push(Problem::new(&self.file.path, reason));
            }
        }
    }

    /// The secret of this replica in the file `name`.
    fn secret(&mut self, name: &str, kind: Kind) -> Option<Zeroizing<Vec<u8>>> {
        let path = self.file.directory().join(name);
        let label = Label { kind, cluster: self.id, epoch: self.cluster.epoch, replica: self.file.me };
        share_file::read(&path, &label).map_err(|problem| self.wrong(problem)).ok()
    }

    /// Notes that the file `name` is wrong.
    fn wrong_file(&mut self, name: &str, reason: impl Into<String>) {
        let problem = Problem::new(&self.file.directory().join(name), reason);
        self.wrong(problem);
    }

    fn identity(&mut self) -> Option<(consensus::IdentityKey, Tls)> {
        let secret = self.secret("identity.key", Kind::Identity)?;
        let seed: Zeroizing<[u8; 32]> = match <[u8; 32]>::try_from(&secret[..]) {
            Ok(seed) => Zeroizing::new(seed),
            Err(_) => {
                self.wrong_file("identity.key", "does not hold 32 octets");
                return None;
            }
        };
        let identities: Vec<[u8; 32]> = self.cluster.members.iter().map(|member| member.identity).collect();
        let public = identity::public_key(&seed).ok()?;
        if identities.get(self.file.me.slot()) != Some(&public) {
            self.wrong_file(
                "identity.key",
                "is not the identity that the cluster file names for this replica",
            );
            return None;
        }
        let certificate = self.certificate(&public)?;
        let key = identity::pkcs8(&seed).ok()?;
        Some((consensus::IdentityKey::from_seed(*seed), Tls { certificate, key, identities }))
    }

    fn certificate(&mut self, public: &[u8; 32]) -> Option<Vec<u8>> {
        let path = self.file.directory().join("tls.crt");
        let pem = read_text(&path).map_err(|problem| self.wrong(problem)).ok()?;
        match identity::certificate_der(&pem) {
            Ok(der) if identity::holds_key(&der, public) => Some(der),
            Ok(_) => {
                self.wrong_file("tls.crt", "is the certificate of another key; take the dealer's copy");
                None
            }
            Err(reason) => {
                self.wrong_file("tls.crt", reason);
                None
            }
        }
    }

    fn coin(&mut self) -> Option<(CoinPublic, CoinSecret)> {
        let points: Vec<[u8; 32]> = self.cluster.members.iter().map(|member| member.coin).collect();
        let public = CoinPublic::new(points.clone(), self.cluster.committee.one_correct()).ok()?;
        let bytes = self.secret("coin.share", Kind::Coin)?;
        let secret = CoinSecret::from_bytes(&bytes);
        match secret {
            Ok(secret) if points.get(self.file.me.slot()) == Some(&secret.public()) => Some((public, secret)),
            _ => {
                self.wrong_file("coin.share", "does not fit the coin verification key of the cluster file");
                None
            }
        }
    }

    fn shares(&mut self, held: &[Held]) -> (BTreeMap<KeyId, Arc<PublicKey>>, KeyStore) {
        let (mut public, mut store) = (BTreeMap::new(), KeyStore::new());
        let is_retired = self.refreshed(held, &mut store);
        let refreshed = store.holdings().shares;
        for zone in &self.cluster.zones {
            for (role, key) in [("zsk", &zone.zsk), ("ksk", &zone.ksk)] {
                public.insert(key.public.key_id(), key.public.clone());
                let name = format!("{}.{role}.share", zone_stem(&zone.origin));
                // A refresh has put another in its place, or the key is used no more.
                let is_superseded = refreshed.values().any(|modulus| modulus == key.public.modulus());
                let is_past = is_superseded || is_retired.contains(&share_name(key.public.key_id()));
                if is_past && !self.file.directory().join(&name).exists() {
                    continue;
                }
                let Some(bytes) = self.secret(&name, Kind::Rsa(key.public.key_id())) else { continue };
                match SecretShare::from_bytes(&bytes) {
                    Ok(share) if share.index() != self.file.me => {
                        self.wrong_file(&name, "holds another replica's share");
                    }
                    Ok(share) if share.check(&key.public).is_err() => {
                        self.wrong_file(&name, "does not fit the verification key of the cluster file");
                    }
                    Ok(share) => {
                        store.insert(key.public.clone(), share);
                    }
                    Err(e) => self.wrong_file(&name, format!("does not hold a share: {}", e.0)),
                }
            }
        }
        (public, store)
    }

    /// The bundles that the operator imported, with the shares of new keys.
    fn held(&mut self) -> Vec<Held> {
        held::all(self.file.directory(), self.cluster, self.file.me).unwrap_or_else(|problems| {
            self.problems.extend(problems);
            Vec::new()
        })
    }

    /// What was made since the deal, and where more goes. Gives the names of dealt shares that are retired.
    fn refreshed(&mut self, held: &[Held], store: &mut KeyStore) -> BTreeSet<String> {
        let home = self.file.directory();
        let dealt = self.cluster.zones.iter().flat_map(|zone| {
            let keys = [("zsk", &zone.zsk), ("ksk", &zone.ksk)].into_iter();
            keys.map(|(role, key)| {
                let name = format!("{}.{role}.share", zone_stem(&zone.origin));
                (share_name(key.public.key_id()), home.join(name))
            })
        });
        let dealt: BTreeMap<_, _> = dealt.collect();
        let brought = held
            .iter()
            .map(|one| (share_name(one.bundle.public().key_id()), held::path_of(home, &one.bundle.name())));
        let names: Vec<String> = dealt.keys().cloned().collect();
        let vault = Directory::of(home, dealt.into_iter().chain(brought).collect());
        let retired = names.into_iter().filter(|name| vault.is_retired(name)).collect();
        let items = vault.items().unwrap_or_else(|problem| {
            self.wrong(problem);
            Vec::new()
        });
        for (path, item) in items {
            if let Err(why) = store.restore(&item) {
                self.wrong(Problem::new(&path, format!("is not what a replica keeps: {why}")));
            }
        }
        store.keep_in(Box::new(vault));
        retired
    }

    fn keyring(&mut self) -> Keyring {
        let path = self.file.directory().join("tsig.keys");
        let mut keyring = Keyring::default();
        let clauses = match client_keys::read_tsig(&path) {
            Ok(clauses) => clauses,
            Err(problem) => {
                self.wrong(problem);
                return keyring;
            }
        };
        for clause in &clauses {
            if let Err(reason) = self.check_tsig(clause) {
                self.wrong(Problem::new(&path, reason));
            }
        }
        for entry in &self.cluster.tsig {
            if !clauses.iter().any(|clause| clause.name == entry.name) {
                self.problems
                    .push(Problem::new(&path, format!("lacks the key {} of the cluster file", entry.name)));
            }
        }
        for clause in clauses {
            if let Some(algorithm) = TsigAlgorithm::parse(&clause.algorithm) {
                if algorithm.is_weak() {
                    self.warnings.push(format!(
                        "the key {} is for {algorithm}, by allow-weak in the cluster file: {}",
                        clause.name,
                        zone::weak_remedy(algorithm)
                    ));
                }
                let said = self.cluster.tsig.iter().find(|entry| entry.name == clause.name);
                let mode = said.map(|entry| entry.mode).unwrap_or_default();
                let key = TsigKey::new(clause.name.clone(), algorithm, clause.secret.to_vec());
                keyring.tsig.insert(clause.name, key.in_mode(mode));
            }
        }
        let tsig = self.cluster.tsig.iter().map(|entry| (&entry.name, entry.quota));
        let sig0 = self.cluster.sig0.iter().map(|entry| (&entry.name, entry.quota));
        let said = tsig.chain(sig0).filter_map(|(name, quota)| Some((name.clone(), quota?)));
        keyring.quotas.extend(said);
        for entry in &self.cluster.sig0 {
            match Sig0Key::new(entry.name.clone(), &entry.key) {
                Ok(key) => keyring.sig0.entry(entry.name.clone()).or_default().push(key),
                Err(e) => self
                    .problems
                    .push(Problem::new(&self.file.cluster, format!("SIG(0) key {}: {e}", entry.name))),
            }
        }
        keyring
    }

    fn check_tsig(&self, clause: &KeyClause) -> Result<(), String> {
        let entry = self.cluster.tsig.iter().find(|entry| entry.name == clause.name);
        let entry = entry
            .ok_or_else(|| format!("holds the key {}, which the cluster file does not name", clause.name))?;
        if !entry.is(clause, Some(self.file.me)) {
            return Err(format!("the key {} is not the one the cluster file commits to", clause.name));
        }
        Ok(())
    }

    /// The cluster that this one replaces, from `predecessor.toml`.
    fn predecessor(&mut self) -> Option<Predecessor> {
        let replaced = self.cluster.replaces?;
        let path = self.file.directory().join(PREDECESSOR);
        let cluster = match cluster_file::read(&path) {
            Ok(cluster) => cluster,
            Err(problems) => {
                self.problems.extend(problems);
                return None;
            }
        };
        if cluster.id() != replaced {
            self.wrong_file(PREDECESSOR, "is not the cluster that the cluster file says it replaces");
            return None;
        }
        predecessor(&cluster).map_err(|reason| self.wrong_file(PREDECESSOR, reason)).ok()
    }

    fn zones(&mut self) -> (Vec<(ZoneRules, Vec<Record>)>, Vec<Kept>) {
        let (mut loaded, mut kept) = (Vec::new(), Vec::new());
        for zone in &self.cluster.zones {
            if self.cluster.replaces.is_some() {
                // They come with the last state of the epoch before.
                match zones::rules(zone) {
                    Ok(rules) => loaded.push((rules, Vec::new())),
                    Err(reason) => self.problems.push(Problem::new(&self.file.cluster, reason)),
                }
                continue;
            }
            match zones::records(self.file, zone, &mut self.warnings) {
                Ok(found) => {
                    kept.push(found.1);
                    match zones::rules(zone) {
                        Ok(rules) => loaded.push((rules, found.0)),
                        Err(reason) => self.problems.push(Problem::new(&self.file.cluster, reason)),
                    }
                }
                Err(problem) => self.problems.push(problem),
            }
        }
        (loaded, kept)
    }
}

/// The operators, and how many of them must sign; 0 where there are none.
fn operators(cluster: &Cluster) -> (Vec<(String, [u8; 32])>, usize) {
    let listed = cluster.operators.list.iter().map(|one| (one.name.clone(), one.key)).collect::<Vec<_>>();
    let needed = if listed.is_empty() { 0 } else { cluster.operators.needed.count(cluster.committee) };
    (listed, needed)
}

/// The epoch of this cluster file, as its successor must know it.
fn predecessor(cluster: &Cluster) -> Result<Predecessor, String> {
    let (id, epoch, committee) = (cluster.id(), cluster.epoch, cluster.committee);
    let identities: Vec<[u8; 32]> = cluster.members.iter().map(|member| member.identity).collect();
    let zones = cluster.zones.iter().map(|zone| Ok((zones::rules(zone)?, Vec::new())));
    let (operators, operators_needed) = operators(cluster);
    let genesis = zone::Genesis {
        cluster: id,
        epoch,
        members: identities.clone(),
        operators,
        operators_needed,
        zones: zones.collect::<Result<_, String>>()?,
        keys: Arc::new(Keyring::default()),
    };
    Ok(Predecessor { authority: Authority { committee, cluster: id, epoch, identities }, genesis })
}
