//! The deal: searches the keys, splits them, and writes the cluster's directory.
//!
//! ```text
//! DIR/cluster.toml                public: the cluster (also a copy in each replica's directory)
//! DIR/replica-I/replica.toml      addresses, paths and limits of one machine
//! DIR/replica-I/identity.key      Ed25519 seed                        (share file)
//! DIR/replica-I/coin.share        share of the coin                   (share file)
//! DIR/replica-I/ORIGIN.zsk.share  share of the zone-signing key       (share file)
//! DIR/replica-I/ORIGIN.ksk.share  share of the key-signing key        (share file)
//! DIR/replica-I/tsig.keys         clients' TSIG secrets               (BIND key clauses)
//! DIR/replica-I/tls.crt           self-signed certificate of the identity key
//! DIR/replica-I/zones/ORIGIN.zone the unsigned records
//! DIR/replica-I/never-run         removed by the first start
//! DIR/client/tsig.key             the first TSIG key; others: tsig-NAME.key
//! DIR/client/K….key, K….private   SIG(0) keys
//! DIR/anchors/ORIGIN.conf, .ds    trust anchors for delv -a, DS records for the parent
//! ```
//!
//! Directories are mode 0700, secret files 0600. All is written into a directory beside and renamed when it is
//! complete: DIR is either whole or not there. p, q, the private exponents and the polynomials never leave
//! [`crate::threshold::dealer`], which wipes them.
#![forbid(unsafe_code)]

use super::anchors::{ds_text, trust_anchors};
use super::client_keys::{KeyClause, sig0_private, sig0_public, sig0_rdata, sig0_stem, tsig_text};
use super::cluster::{Cluster, Key, Member, Sig0Entry, TsigEntry, Zone, tsig_commitment};
use super::cluster_file::{self, dnskey_of, tags_of};
use super::files::{NEVER_RUN, Problem, make_dir, write_public, write_secret, zone_stem};
use super::identity;
use super::plan::{Place, Plan, ZonePlan};
use super::share_file::{self, Kind, Label};
use crate::codec::{ClusterId, Epoch, KeyId};
use crate::consensus::coin;
use crate::dns::master::{write_record, zone_digest};
use crate::quorum::{Committee, ReplicaId};
use crate::threshold::Dealt;
use crate::threshold::dealer::{self, DealProgress};
use crate::zone::{SerialRule, Validity};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use zeroize::Zeroizing;

/// RSASHA256 (RFC 5702).
const ALGORITHM: u8 = 8;
/// TTL of DNSKEY sets, seconds.
const DNSKEY_TTL: u32 = 3600;
/// Draws after which colliding key tags can be no accident.
const MAX_DRAWS: usize = 100;

/// News of a key that is being searched.
pub struct Progress<'a> {
    /// Which key, from 0.
    pub key: usize,
    /// The key's name, as in `example.test. ZSK`.
    pub label: &'a str,
    /// What happened; `None` when the key is complete.
    pub event: Option<DealProgress>,
}

/// Secrets of the ceremony, wiped when it is over.
struct Secrets {
    identities: Vec<Zeroizing<[u8; 32]>>,
    coin: Vec<coin::CoinSecret>,
    /// ZSK and KSK of each zone of the plan.
    keys: Vec<[Dealt; 2]>,
    tsig: Vec<KeyClause>,
    sig0: Vec<Zeroizing<[u8; 32]>>,
}

/// Random octets from the system.
pub fn entropy(bytes: &mut [u8]) {
    // aws-lc ends the process itself when the system has no randomness; there is no way to go on.
    SystemRandom::new().fill(bytes).expect("the system's random generator works");
}

/// Deals a cluster into `dir`, which must not exist or be empty.
pub fn deal(plan: &Plan, dir: &Path, progress: &(dyn Fn(Progress<'_>) + Sync)) -> Result<Cluster, Problem> {
    let refuse = |reason: String| Problem::new(dir, reason);
    plan.check().map_err(|reason| refuse(format!("cannot be dealt: {reason}")))?;
    let fresh = fresh_dir(dir)?;
    let secrets = search(plan, progress).map_err(|reason| refuse(format!("cannot be dealt: {reason}")))?;
    let cluster =
        cluster_of(plan, &secrets).map_err(|reason| refuse(format!("cannot be dealt: {reason}")))?;
    let written = write(plan, &cluster, &secrets, &fresh)
        .and_then(|()| fs::rename(&fresh, dir).map_err(|e| Problem::io(dir, "made", &e)));
    if let Err(problem) = written {
        let _ = fs::remove_dir_all(&fresh);
        return Err(problem);
    }
    Ok(cluster)
}

/// The directory to write into, beside `dir`; made before the long search, so that it does not fail after it.
fn fresh_dir(dir: &Path) -> Result<PathBuf, Problem> {
    let mut entries = fs::read_dir(dir).into_iter().flatten();
    if entries.next().is_some() || dir.is_file() {
        return Err(Problem::new(dir, "exists already and is not overwritten; name another directory"));
    }
    let Some(name) = dir.file_name() else {
        return Err(Problem::new(dir, "is no name for a new directory"));
    };
    let mut fresh = name.to_owned();
    fresh.push(format!(".deal-{}", std::process::id()));
    let fresh = dir.with_file_name(fresh);
    make_dir(&fresh)?;
    Ok(fresh)
}

fn search(plan: &Plan, progress: &(dyn Fn(Progress<'_>) + Sync)) -> Result<Secrets, String> {
    let committee = plan.committee;
    let seed = || {
        let mut seed = Zeroizing::new([0; 32]);
        entropy(&mut *seed);
        seed
    };
    let (_, coin) = coin::deal(committee.n(), committee.one_correct(), &mut entropy);
    let tsig = plan.tsig.iter().map(|name| KeyClause {
        name: name.to_lowercase(),
        algorithm: "hmac-sha256".into(),
        secret: Zeroizing::new(seed().to_vec()),
    });
    Ok(Secrets {
        identities: committee.members().map(|_| seed()).collect(),
        coin,
        keys: search_keys(plan, progress)?,
        tsig: tsig.collect(),
        sig0: plan.sig0.iter().map(|_| seed()).collect(),
    })
}

/// The threshold keys of all zones, searched on all cores, with unique key tags.
fn search_keys(plan: &Plan, progress: &(dyn Fn(Progress<'_>) + Sync)) -> Result<Vec<[Dealt; 2]>, String> {
    let wanted: Vec<(String, usize, u16)> = plan
        .zones
        .iter()
        .flat_map(|zone| {
            [("ZSK", plan.committee.one_correct(), 256), ("KSK", plan.committee.quorum(), 257)]
                .map(|(role, threshold, flags)| (format!("{} {role}", zone.origin), threshold, flags))
        })
        .collect();
    let search_one = |index: usize| {
        let (label, threshold, _) = &wanted[index];
        let mut tell = |event| progress(Progress { key: index, label, event: Some(event) });
        let dealt = dealer::deal(plan.bits, plan.committee.n(), *threshold, &mut entropy, &mut tell);
        dealt.map_err(|e| format!("{label}: {e}"))
    };
    let mut keys = in_parallel(wanted.len(), &search_one)?;
    let mut tags = BTreeSet::new();
    for (index, (label, _, flags)) in wanted.iter().enumerate() {
        for draw in 0.. {
            let key_tags = tags_of(&dnskey(&keys[index], *flags));
            if tags.is_disjoint(&key_tags) {
                tags.extend(key_tags);
                break;
            }
            if draw == MAX_DRAWS {
                return Err(format!("{label}: no key with a key tag of its own in {MAX_DRAWS} draws"));
            }
            keys[index] = search_one(index)?;
        }
        progress(Progress { key: index, label, event: None });
    }
    let mut keys = keys.into_iter();
    let pair = || Some([keys.next()?, keys.next()?]);
    Ok(std::iter::from_fn(pair).collect())
}

/// The results of `work(0)` … `work(count - 1)`, made by as many threads as there are cores.
fn in_parallel<T: Send>(
    count: usize,
    work: &(dyn Fn(usize) -> Result<T, String> + Sync),
) -> Result<Vec<T>, String> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, usize::from).min(count);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    let result = work(index);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

fn dnskey(dealt: &Dealt, flags: u16) -> crate::dns::rdata::Rdata {
    dnskey_of(&dealt.public, flags, ALGORITHM)
}

fn cluster_of(plan: &Plan, secrets: &Secrets) -> Result<Cluster, String> {
    let mut members = Vec::new();
    for (seed, coin) in secrets.identities.iter().zip(&secrets.coin) {
        members.push(Member { identity: identity::public_key(seed)?, coin: coin.public() });
    }
    let mut zones: Vec<Zone> = plan
        .zones
        .iter()
        .zip(&secrets.keys)
        .map(|(zone, keys)| zone_of(plan.committee, zone, keys))
        .collect();
    zones.sort_by(|a, b| a.origin.cmp(&b.origin));
    let mut tsig: Vec<TsigEntry> = secrets.tsig.iter().map(tsig_of).collect();
    tsig.sort_by(|a, b| a.name.cmp(&b.name));
    let mut sig0 = Vec::new();
    for (name, seed) in plan.sig0.iter().zip(&secrets.sig0) {
        sig0.push(Sig0Entry { name: name.to_lowercase(), key: sig0_rdata(&identity::public_key(seed)?) });
    }
    sig0.sort_by(|a, b| a.name.cmp(&b.name));
    let (committee, genesis_time, signing) = (plan.committee, plan.genesis_time, plan.signing);
    Ok(Cluster { committee, epoch: Epoch(0), genesis_time, signing, members, zones, tsig, sig0 })
}

fn zone_of(committee: Committee, zone: &ZonePlan, [zsk, ksk]: &[Dealt; 2]) -> Zone {
    let key = |dealt: &Dealt, flags, threshold: usize| Key {
        threshold: threshold as u8,
        dnskey: dnskey(dealt, flags),
        public: Arc::new(dealt.public.clone()),
    };
    let words =
        |statement: &String| statement.trim_end_matches(';').split_whitespace().collect::<Vec<_>>().join(" ");
    Zone {
        origin: zone.origin.to_lowercase(),
        records: zone_digest(&zone.origin, &zone.records),
        reads: zone.reads,
        serial: SerialRule::Increment,
        dnskey_ttl: DNSKEY_TTL,
        validity: Validity::default(),
        policy: zone.policy.iter().map(words).collect(),
        zsk: key(zsk, 256, committee.one_correct()),
        ksk: key(ksk, 257, committee.quorum()),
    }
}

fn tsig_of(key: &KeyClause) -> TsigEntry {
    let mut salt = [0; 32];
    entropy(&mut salt);
    let commitment = tsig_commitment(&key.name, &key.algorithm, &salt, &key.secret);
    TsigEntry { name: key.name.clone(), algorithm: key.algorithm.clone(), salt, commitment }
}

fn write(plan: &Plan, cluster: &Cluster, secrets: &Secrets, dir: &Path) -> Result<(), Problem> {
    let text = cluster_file::write(cluster);
    // What was dealt must be what will be read.
    let read = cluster_file::parse(&text, Path::new("cluster.toml")).map_err(|mut all| all.swap_remove(0))?;
    assert_eq!(read.id(), cluster.id(), "a cluster file says what the cluster is");
    write_public(&dir.join("cluster.toml"), text.as_bytes())?;
    for id in plan.committee.members() {
        write_replica(plan, cluster.id(), secrets, id, &text, &dir.join(format!("replica-{id}")))?;
    }
    write_clients(plan, secrets, &dir.join("client"))?;
    let anchors = dir.join("anchors");
    make_dir(&anchors)?;
    for zone in &cluster.zones {
        let stem = zone_stem(&zone.origin);
        write_public(&anchors.join(format!("{stem}.conf")), trust_anchors(zone).as_bytes())?;
        write_public(&anchors.join(format!("{stem}.ds")), ds_text(zone).as_bytes())?;
    }
    Ok(())
}

fn write_replica(
    plan: &Plan,
    cluster: ClusterId,
    secrets: &Secrets,
    id: ReplicaId,
    cluster_text: &str,
    dir: &Path,
) -> Result<(), Problem> {
    make_dir(&dir.join("zones"))?;
    write_public(&dir.join("cluster.toml"), cluster_text.as_bytes())?;
    write_public(&dir.join("replica.toml"), replica_text(plan, id).as_bytes())?;
    let seal = |name: &str, kind: Kind, secret: &[u8]| {
        share_file::write(&dir.join(name), &Label { kind, cluster, epoch: Epoch(0), replica: id }, secret)
    };
    let seed = &secrets.identities[id.slot()];
    seal("identity.key", Kind::Identity, &seed[..])?;
    seal("coin.share", Kind::Coin, &secrets.coin[id.slot()].to_bytes()[..])?;
    for (zone, [zsk, ksk]) in plan.zones.iter().zip(&secrets.keys) {
        let stem = zone_stem(&zone.origin);
        for (role, dealt) in [("zsk", zsk), ("ksk", ksk)] {
            let key: KeyId = dealt.public.key_id();
            let share = &dealt.shares[id.slot()];
            seal(&format!("{stem}.{role}.share"), Kind::Rsa(key), &share.to_bytes()[..])?;
        }
        let lines: String = zone.records.iter().map(|record| write_record(record) + "\n").collect();
        write_public(&dir.join("zones").join(format!("{stem}.zone")), lines.as_bytes())?;
    }
    write_secret(&dir.join("tsig.keys"), tsig_text(&secrets.tsig).as_bytes())?;
    let named = format!("replica-{id}.conclave.invalid");
    let (pem, _) = identity::certificate(seed, &named).map_err(|e| Problem::new(&dir.join("tls.crt"), e))?;
    write_public(&dir.join("tls.crt"), pem.as_bytes())?;
    write_public(
        &dir.join(NEVER_RUN),
        b"This replica has never run. Its first start removes this file. Never bring it back: a replica that has run and\n\
          finds it with an empty log would contradict what it has said before.\n",
    )
}

fn write_clients(plan: &Plan, secrets: &Secrets, dir: &Path) -> Result<(), Problem> {
    make_dir(dir)?;
    for (index, key) in secrets.tsig.iter().enumerate() {
        let name = if index == 0 { "tsig.key".into() } else { format!("tsig-{}.key", zone_stem(&key.name)) };
        write_secret(&dir.join(name), tsig_text([key]).as_bytes())?;
    }
    for (name, seed) in plan.sig0.iter().zip(&secrets.sig0) {
        let public = identity::public_key(seed).map_err(|e| Problem::new(dir, e))?;
        let rdata = sig0_rdata(&public);
        let stem = sig0_stem(name, &rdata);
        write_public(&dir.join(format!("{stem}.key")), sig0_public(name, &rdata).as_bytes())?;
        write_secret(&dir.join(format!("{stem}.private")), sig0_private(seed).as_bytes())?;
    }
    Ok(())
}

/// The text of a `replica.toml`.
fn replica_text(plan: &Plan, id: ReplicaId) -> String {
    let Place { dns, peer, admin } = &plan.places[id.slot()];
    let dns: Vec<String> = dns.iter().map(|address| format!("\"{address}\"")).collect();
    let admin = admin.as_deref().unwrap_or(Path::new("admin.sock"));
    let mut text = format!(
        "# One replica's machine: its addresses, paths and limits. Relative paths begin at this file's directory.\n\
         # What all replicas must agree on is in the cluster file, which is not to be edited.\n\
         version = 1\nindex = {id}\ncluster = \"cluster.toml\"\n\
         # The log: this replica's memory. If it is lost, start the replica again without it: it rejoins the others.\n\
         data = \"data\"\n\
         # Unix socket of `conclave ctl`; its path must be shorter than 108 bytes.\nadmin = {}\n\n\
         [dns]\nlisten = [{}]\n\n\
         [peer]\nlisten = \"{peer}\"\n\n\
         # Where the others listen, by index: host:port or address:port.\n[peer.addresses]\n",
        cluster_file::quote(&admin.to_string_lossy()),
        dns.join(", ")
    );
    for other in plan.committee.others(id) {
        text.push_str(&format!("{other} = \"{}\"\n", plan.places[other.slot()].peer));
    }
    text.push_str(
        "\n[limits]\n# Milliseconds after which a client whose update is not through is told so.\n",
    );
    text.push_str(&format!("update-patience-ms = {}\n", crate::limits::CLIENT_PATIENCE_MS));
    text.push_str("\n[log]\nformat = \"human\"\nlevel = \"info\"\n");
    text
}

#[cfg(test)]
pub(crate) mod tests;
