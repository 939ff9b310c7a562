//! Whether a dealt directory is whole and right.
//!
//! Everything that a replica checks at its start, for all replicas at once, and what only the dealer can check: that
//! the shares make signatures. Each share proves itself against its verification key; then several quorums, so
//! that each replica is in one, combine a signature over random octets, which the DNSKEY must verify.
//!
//! [`verify`] checks the directory of a deal: that it keeps to its plan, whether the receipts of all n replicas are there and
//! sign together, and the directories of replicas, where all roles were played on one machine. [`verify_own`] checks
//! the directory of one replica, by its operator.
#![forbid(unsafe_code)]

pub mod receipts;

use super::anchors::{ds_text, trust_anchors};
use super::client_keys::{KeyClause, read_tsig};
use super::cluster::{Cluster, Key, Zone};
use super::cluster_file;
use super::deal::entropy;
use super::files::{Problem, read_text, zone_stem};
use super::identity;
use super::import;
use super::keygen;
use super::plan::read_zone;
use super::seal::SealingKey;
use super::share_file::{self, Kind, Label};
use super::words;
use crate::codec::ClusterId;
use crate::consensus::coin::CoinSecret;
use crate::dns::master::zone_digest;
use crate::quorum::ReplicaId;
use crate::threshold::{Representative, SecretShare, SignatureShare};
use sha2::{Digest as _, Sha256, Sha512};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What was found.
#[derive(Default)]
pub struct Findings {
    /// What is right, one line each.
    pub good: Vec<String>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Checks a directory that [`super::deal`] wrote.
pub fn verify(dir: &Path) -> Findings {
    let path = dir.join("cluster.toml");
    let cluster = match cluster_file::read(&path) {
        Ok(cluster) => cluster,
        Err(problems) => return Findings { problems, ..Findings::default() },
    };
    let id = cluster.id();
    let mut check = Check { dir, cluster: &cluster, id, found: Findings::default(), shares: BTreeMap::new() };
    let (n, t) = (cluster.committee.n(), cluster.committee.faults());
    check.good(format!(
        "cluster {}: {n} replicas, {t} may be corrupt, signing by {}",
        id.0.to_hex(),
        cluster.signing
    ));
    check.plan();
    for replica in cluster.committee.members() {
        check.replica(replica, &dir.join(format!("replica-{replica}")));
    }
    check.receipts();
    for zone in &cluster.zones {
        for (role, key) in [("ZSK", &zone.zsk), ("KSK", &zone.ksk)] {
            check.key(&format!("{} {role}", zone.origin), key);
        }
        check.anchors(zone);
    }
    check.clients();
    check.found
}

/// Checks the directory of one replica against the public `cluster.toml` in it.
pub fn verify_own(home: &Path) -> Findings {
    let read = || {
        let cluster = cluster_file::read(&home.join("cluster.toml"))?;
        let seed = keygen::identity_seed(home)?;
        let path = home.join(keygen::IDENTITY);
        let public = identity::public_key(&seed).map_err(|reason| Problem::new(&path, reason))?;
        let me = cluster.committee.members().find(|id| cluster.members[id.slot()].identity == public);
        let me = me.ok_or_else(|| Problem::new(&path, "is not the identity of a member of this cluster"))?;
        Ok((cluster, me))
    };
    let (cluster, me) = match read() {
        Ok(found) => found,
        Err(problems) => return Findings { problems, ..Findings::default() },
    };
    let id = cluster.id();
    let mut check =
        Check { dir: home, cluster: &cluster, id, found: Findings::default(), shares: BTreeMap::new() };
    check.good(format!("cluster {}, replica {me}", id.0.to_hex()));
    words::lines(&cluster.plan).into_iter().for_each(|line| check.good(format!("plan {line}")));
    check.replica(me, home);
    for zone in &cluster.zones {
        for (role, key) in [("ZSK", &zone.zsk), ("KSK", &zone.ksk)] {
            check.key(&format!("{} {role}", zone.origin), key);
        }
    }
    check.found
}

struct Check<'a> {
    dir: &'a Path,
    cluster: &'a Cluster,
    id: ClusterId,
    found: Findings,
    shares: BTreeMap<(ReplicaId, crate::codec::KeyId), SecretShare>,
}

impl Check<'_> {
    fn good(&mut self, line: String) {
        self.found.good.push(line);
    }

    fn wrong(&mut self, path: &Path, reason: impl Into<String>) {
        self.found.problems.push(Problem::new(path, reason));
    }

    /// Keeps the value, or notes the problem.
    fn take<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.found.problems.push(problem)).ok()
    }

    fn plan(&mut self) {
        match import::read_deal(self.dir, &self.cluster.plan) {
            Ok(_) => {
                self.good("the cluster keeps to its plan, whose words are".into());
                words::lines(&self.cluster.plan).into_iter().for_each(|line| self.good(format!("  {line}")));
            }
            Err(problems) => self.found.problems.extend(problems),
        }
    }

    fn receipts(&mut self) {
        let receipts::Receipts { there, lacking, quorums, problems } =
            receipts::check(self.cluster, self.dir);
        self.found.problems.extend(problems);
        let n = self.cluster.committee.n();
        if lacking.is_empty() {
            self.good(format!(
                "receipts of all {n} replicas: the deal is complete; {quorums} quorums signed"
            ));
            return;
        }
        let lacking: Vec<String> = lacking.iter().map(ToString::to_string).collect();
        self.good(format!(
            "receipts of {} of {n} replicas, {quorums} quorums signed; not complete: lacking from {}",
            there.len(),
            lacking.join(", ")
        ));
    }

    fn replica(&mut self, id: ReplicaId, dir: &Path) {
        if !dir.exists() {
            self.good(format!("replica {id}: its directory is not here, as it should be; see its receipt"));
            return;
        }
        let before = self.found.problems.len();
        if dir.metadata().is_ok_and(|about| about.mode() & 0o077 != 0) {
            self.wrong(dir, "is open to others; chmod 700 it");
        }
        let copy = dir.join("cluster.toml");
        match cluster_file::read(&copy) {
            Ok(cluster) if cluster.id() == self.id => {}
            Ok(_) => self.wrong(&copy, "is another cluster's"),
            Err(problems) => self.found.problems.extend(problems),
        }
        self.identity(id, dir);
        self.sealing(id, dir);
        self.coin(id, dir);
        for zone in &self.cluster.zones {
            for (role, key) in [("zsk", &zone.zsk), ("ksk", &zone.ksk)] {
                self.share(id, &dir.join(format!("{}.{role}.share", zone_stem(&zone.origin))), key);
            }
            let path = dir.join("zones").join(format!("{}.zone", zone_stem(&zone.origin)));
            // A zone that was served before this epoch comes with the state.
            if self.cluster.epoch.0 > 0 && !path.exists() {
                continue;
            }
            let records = self.take(read_zone(&path, &zone.origin));
            if records.is_some_and(|records| zone_digest(&zone.origin, &records) != zone.records) {
                self.wrong(&path, "is not the zone whose digest the cluster file names");
            }
        }
        let path = dir.join("tsig.keys");
        if let Some(clauses) = self.take(read_tsig(&path)) {
            self.tsig(&path, &clauses, (self.cluster.tsig.len(), Some(id)));
        }
        if self.found.problems.len() == before {
            self.good(format!(
                "replica {id}: identity, certificate, coin share, key shares, zones and TSIG secrets fit"
            ));
        }
    }

    fn secret(&mut self, id: ReplicaId, path: &Path, kind: Kind) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        let label = Label { kind, cluster: self.id, epoch: self.cluster.epoch, replica: id };
        self.take(share_file::read(path, &label))
    }

    fn identity(&mut self, id: ReplicaId, dir: &Path) {
        let path = dir.join("identity.key");
        let Some(secret) = self.secret(id, &path, Kind::Identity) else { return };
        let seed: Option<zeroize::Zeroizing<[u8; 32]>> =
            secret[..].try_into().ok().map(zeroize::Zeroizing::new);
        let wanted = self.cluster.members[id.slot()].identity;
        if seed.and_then(|seed| identity::public_key(&seed).ok()) != Some(wanted) {
            self.wrong(&path, "is not the identity that the cluster file names");
        }
        let path = dir.join("tls.crt");
        let Some(pem) = self.take(read_text(&path)) else { return };
        match identity::certificate_der(&pem) {
            Ok(der) if identity::holds_key(&der, &wanted) => {}
            Ok(_) => self.wrong(&path, "is the certificate of another key"),
            Err(reason) => self.wrong(&path, reason),
        }
    }

    fn sealing(&mut self, id: ReplicaId, dir: &Path) {
        let path = dir.join(keygen::SEAL);
        let Some(key) = self.take(SealingKey::read(&path)) else { return };
        if key.recipient() != self.cluster.members[id.slot()].sealing {
            self.wrong(&path, "is not the sealing key that the cluster file names");
        }
    }

    fn coin(&mut self, id: ReplicaId, dir: &Path) {
        let path = dir.join("coin.share");
        let Some(secret) = self.secret(id, &path, Kind::Coin) else { return };
        let public = CoinSecret::from_bytes(&secret).map(|share| share.public()).ok();
        if public != Some(self.cluster.members[id.slot()].coin) {
            self.wrong(&path, "does not fit the coin verification key of the cluster file");
        }
    }

    fn share(&mut self, id: ReplicaId, path: &Path, key: &Key) {
        let Some(bytes) = self.secret(id, path, Kind::Rsa(key.public.key_id())) else { return };
        match SecretShare::from_bytes(&bytes) {
            Ok(share) if share.index() == id && share.check(&key.public).is_ok() => {
                self.shares.insert((id, key.public.key_id()), share);
            }
            Ok(_) => self.wrong(path, "does not fit the verification key of the cluster file"),
            Err(e) => self.wrong(path, format!("does not hold a share: {}", e.0)),
        }
    }

    /// Signs random octets with every share, proves the shares, and combines quorums.
    fn key(&mut self, label: &str, key: &Key) {
        let (public, key_id) = (&key.public, key.public.key_id());
        let path = self.dir.join("cluster.toml");
        let mut octets = [0; 64];
        entropy(&mut octets);
        let hash = match key.dnskey.wire().get(3) {
            Some(10) => Sha512::digest(octets).to_vec(),
            _ => Sha256::digest(octets).to_vec(),
        };
        let Some(x) = public.encode(&hash) else {
            return self.wrong(&path, format!("{label}: the modulus is too short for a signature"));
        };
        let mut made = Vec::new();
        for ((id, of), share) in &self.shares {
            if *of != key_id {
                continue;
            }
            let signature = share.sign(public, &x);
            let mut nonce = [0; 32];
            entropy(&mut nonce);
            let proof = share.prove(public, self.cluster.epoch, &x, &signature, nonce);
            match public.verify_share(*id, self.cluster.epoch, &x, &signature, &proof) {
                Ok(()) => made.push((*id, signature)),
                Err(e) => {
                    let problem = Problem::new(
                        &path,
                        format!("{label}: the share of replica {id} does not prove itself: {e:?}"),
                    );
                    self.found.problems.push(problem);
                }
            }
        }
        let k = usize::from(key.threshold);
        if made.len() < k {
            return self.good(format!(
                "{label}: {} of the {k} shares of a signature are here, none combined",
                made.len()
            ));
        }
        match combine_all(key, &x, &made) {
            Ok(quorums) => {
                self.good(format!("{label}: any {k} of {} sign; {quorums} quorums tried", public.parties()))
            }
            Err(reason) => self.wrong(&path, format!("{label}: {reason}")),
        }
    }

    fn anchors(&mut self, zone: &Zone) {
        let stem = zone_stem(&zone.origin);
        for (ending, wanted) in [("conf", trust_anchors(zone)), ("ds", ds_text(zone))] {
            let path = self.dir.join("anchors").join(format!("{stem}.{ending}"));
            if self.take(read_text(&path)).is_some_and(|text| text != wanted) {
                self.wrong(&path, "does not show the cluster file's KSK");
            }
        }
    }

    fn clients(&mut self) {
        let dir = self.dir.join("client");
        let files = std::fs::read_dir(&dir).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = files.map(|file| file.path()).collect();
        paths.sort();
        for path in &paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("tsig") && name.ends_with(".key") {
                if let Some(clauses) = self.take(read_tsig(path)) {
                    self.tsig(path, &clauses, (1, None));
                }
            } else if name.ends_with(".quorum") {
                if let Some(clauses) = self.take(read_tsig(path)) {
                    self.tsig(path, &clauses, (self.cluster.committee.n(), None));
                }
            } else if name.ends_with(".private") {
                self.take(super::files::read_secret(path));
            }
        }
        self.good(format!("{} client key files", paths.len()));
    }

    /// So many keys, as a replica has them, or as any has.
    fn tsig(&mut self, path: &Path, clauses: &[KeyClause], (count, who): (usize, Option<ReplicaId>)) {
        if clauses.len() != count {
            self.wrong(path, format!("holds {} keys, not {count}", clauses.len()));
        }
        for clause in clauses {
            let said = clause.replica.as_ref().and_then(|(index, _)| ReplicaId::new(*index));
            if !self.cluster.tsig.iter().any(|entry| entry.is(clause, who.or(said))) {
                self.wrong(path, format!("the key {} is not one the cluster file commits to", clause.name));
            }
        }
    }
}

/// Combines each window of k neighbours, round the ring of replicas, so that every share is used.
fn combine_all(key: &Key, x: &Representative, made: &[(ReplicaId, SignatureShare)]) -> Result<usize, String> {
    let k = usize::from(key.threshold);
    let mut first = None;
    for start in 0..made.len() {
        let quorum: Vec<_> = made.iter().cycle().skip(start).take(k).cloned().collect();
        let members: Vec<String> = quorum.iter().map(|(id, _)| id.to_string()).collect();
        let members = members.join(", ");
        let signature =
            key.public.combine(x, &quorum).map_err(|e| format!("replicas {members} do not sign: {e:?}"))?;
        if !key.public.verify(x, signature.as_bytes()) {
            return Err(format!("the signature of replicas {members} is not valid"));
        }
        let bytes = signature.into_bytes();
        if *first.get_or_insert_with(|| bytes.clone()) != bytes {
            return Err(format!("replicas {members} make another signature than the first quorum"));
        }
    }
    Ok(made.len())
}
