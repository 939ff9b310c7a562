//! The deal: searches the keys, splits them, seals the shares, and writes what the operators are given.
//!
//! ```text
//! DIR/plan.toml                   the written plan, closed
//! DIR/cluster.toml                public: the cluster
//! DIR/predecessor.toml            of a deal for the next epoch: the cluster that it replaces
//! DIR/transcript.txt              what was made, with public digests
//! DIR/zones/ORIGIN.zone           the unsigned records
//! DIR/sealed/replica-I.age        what is secret of replica I, sealed for it   (package)
//! DIR/sealed/replica-I.toml       its replica.toml
//! DIR/receipts/replica-I.receipt  to be brought here by the operators: that all shares have arrived
//! DIR/backup/                     the keys, split among custodians, if the plan says so
//! DIR/anchors/ORIGIN.conf, .ds    trust anchors for delv -a, DS records for the parent
//! DIR/client/                     keys of clients that the dealer made: tsig.key (the first), tsig-NAME.key, K….key, K….private;
//!                                 of a `quorum` key tsig-NAME.quorum with all its secrets, and for nsupdate tsig-NAME-replica-I.key
//! ```
//!
//! No share, coin or private exponent is in it in the clear: all that is secret there is sealed or is a client's own file,
//! mode 0600. [`deal_here`] plays all roles on one machine, for demos and tests: each replica's directory `DIR/replica-I`
//! is then as its operator would have it after `conclave keygen` and `conclave import`.
//!
//! All is written into a directory beside and renamed when it is complete: DIR is either whole or not there. Secrets
//! are wiped when they are sealed.
#![forbid(unsafe_code)]

pub mod keys;
mod write;

use super::backup::Kept;
use super::client_keys::{KeyClause, sig0_rdata};
use super::cluster::{Cluster, Key, Member, Sig0Entry, TsigEntry, Zone, tsig_commitment};
use super::cluster_file;
use super::files::{PREDECESSOR, Problem, make_dir, write_public};
use super::identity;
use super::import;
use super::keygen;
use super::plan::Plan;
use super::receipt;
use super::written::{PlannedTsig, PlannedZone, WrittenPlan};
use crate::consensus::coin;
use crate::dns::RrType;
use crate::dns::tsig::Mode;
use crate::quorum::ReplicaId;
use crate::threshold::dealer::DealProgress;
use crate::time::UnixMillis;
use crate::zone::{Role, SerialRule, Validity};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use keys::{DealtKey, Wanted};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// RSASHA256 (RFC 5702).
const ALGORITHM: u8 = 8;
/// TTL of DNSKEY sets, seconds; less where the SOA's is, so that a zone whose keys are to be replaced within minutes can say so.
const MAX_DNSKEY_TTL: u32 = 3600;

/// News of a key that is being searched.
pub struct Progress<'a> {
    /// Which key, from 0.
    pub key: usize,
    /// The key's name, as in `example.test. ZSK`.
    pub label: &'a str,
    /// What happened; `None` when the key is complete.
    pub event: Option<DealProgress>,
}

/// Where a deal's keys come from.
pub enum Source<'a> {
    /// They are new.
    Search,
    /// They are those of a cluster, out of its backup.
    Backup(&'a Cluster, &'a Kept),
}

/// Secrets of the ceremony, wiped when it is over.
struct Secrets {
    coin: Vec<coin::CoinSecret>,
    /// ZSK and KSK of each zone of the plan.
    keys: Vec<DealtKey>,
    tsig: Vec<KeyClause>,
    /// Of each SIG(0) key of the plan: the seed, if it is made here.
    sig0: Vec<Option<Zeroizing<[u8; 32]>>>,
}

/// Random octets from the system.
pub fn entropy(bytes: &mut [u8]) {
    // aws-lc ends the process itself when the system has no randomness; there is no way to go on.
    SystemRandom::new().fill(bytes).expect("the system's random generator works");
}

/// Deals as `plan` says into `dir`, which must not exist or be empty; `now` becomes the cluster's genesis time.
pub fn deal(
    plan: &WrittenPlan,
    source: &Source<'_>,
    now: UnixMillis,
    dir: &Path,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Cluster, Problem> {
    plan.check().map_err(|reason| Problem::new(dir, format!("cannot be dealt: {reason}")))?;
    in_fresh_dir(dir, |fresh| deal_into(plan, source, now, fresh, progress))
}

/// Deals into `dir` and plays all roles: makes each replica's keys, imports its package, and collects the receipts.
pub fn deal_here(
    plan: &Plan,
    dir: &Path,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Cluster, Problem> {
    plan.check().map_err(|reason| Problem::new(dir, format!("cannot be dealt: {reason}")))?;
    in_fresh_dir(dir, |fresh| {
        let home = |id: ReplicaId| fresh.join(format!("replica-{id}"));
        let made = plan.committee.members().map(|id| keygen::make(&home(id), id));
        let made = made.map(|keys| keys.map(|keys| (keys.identity, keys.sealing)));
        let written = WrittenPlan::of(plan, &made.collect::<Result<Vec<_>, _>>()?);
        let cluster = deal_into(&written, &Source::Search, plan.genesis_time, fresh, progress)?;
        for id in plan.committee.members() {
            let imported = import::import(&home(id), fresh, &written.digest(), &home(id));
            let imported = imported.map_err(|mut problems| problems.swap_remove(0))?;
            receipt::write(&fresh.join(receipt::DIRECTORY).join(receipt::name(id)), &imported.receipts)?;
        }
        Ok(cluster)
    })
}

/// Works in a directory beside `dir`, which gets its name when the work is done.
pub(super) fn in_fresh_dir<T>(
    dir: &Path,
    work: impl FnOnce(&Path) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let fresh = fresh_dir(dir)?;
    let done = work(&fresh).and_then(|made| {
        fs::rename(&fresh, dir).map_err(|e| Problem::io(dir, "made", &e))?;
        Ok(made)
    });
    if done.is_err() {
        let _ = fs::remove_dir_all(&fresh);
    }
    done
}

/// The directory to write into; made before the long search, so that it does not fail after it.
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

fn deal_into(
    plan: &WrittenPlan,
    source: &Source<'_>,
    now: UnixMillis,
    dir: &Path,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Cluster, Problem> {
    let refuse = |reason: String| Problem::new(dir, format!("cannot be dealt: {reason}"));
    let secrets = secrets(plan, source, progress).map_err(refuse)?;
    let cluster = cluster_of(plan, source, &secrets, now).map_err(refuse)?;
    write::write(plan, &cluster, &secrets, dir)?;
    if let Source::Backup(old, _) = source {
        write_public(&dir.join(PREDECESSOR), cluster_file::write(old).as_bytes())?;
    }
    Ok(cluster)
}

fn secrets(
    plan: &WrittenPlan,
    source: &Source<'_>,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Secrets, String> {
    let committee = plan.committee;
    let seed = || {
        let mut seed = Zeroizing::new([0; 32]);
        entropy(&mut *seed);
        seed
    };
    let (_, coin) = coin::deal(committee.n(), committee.one_correct(), &mut entropy);
    let wanted: Vec<Wanted> = plan.zones.iter().flat_map(|zone| wanted(plan, zone)).collect();
    let (keys, known) = match source {
        Source::Search => (keys::search(&wanted, BTreeSet::new(), progress)?, &[][..]),
        Source::Backup(_, kept) => (keys::again(&wanted, &kept.keys)?, &kept.tsig[..]),
    };
    // A name that the backup does not know is a new key's: so clients get keys that removed replicas have never held.
    let tsig = plan.tsig.iter().map(|PlannedTsig { key, .. }| {
        let kept = known.iter().rfind(|clause| clause.name == key.name);
        let secret = kept.map_or_else(|| seed().to_vec(), |clause| clause.secret.to_vec());
        KeyClause::new(key.name.clone(), key.algorithm.mnemonic(), secret)
    });
    let tsig = tsig.collect();
    let is_made = |key: &super::written::PlannedSig0| key.key.is_none() && matches!(source, Source::Search);
    let sig0 = plan.sig0.iter().map(|key| is_made(key).then(seed)).collect();
    Ok(Secrets { coin, keys, tsig, sig0 })
}

/// The ZSK and the KSK of a zone.
fn wanted(plan: &WrittenPlan, zone: &PlannedZone) -> [Wanted; 2] {
    let committee = plan.committee;
    [(Role::Zsk, committee.one_correct()), (Role::Ksk, committee.quorum())].map(|(role, k)| Wanted {
        zone: zone.origin.clone(),
        role,
        algorithm: ALGORITHM,
        bits: plan.bits,
        n: committee.n(),
        k,
    })
}

fn cluster_of(
    plan: &WrittenPlan,
    source: &Source<'_>,
    secrets: &Secrets,
    now: UnixMillis,
) -> Result<Cluster, String> {
    let members = plan.members.iter().zip(&secrets.coin).map(|(member, coin)| Member {
        identity: member.identity,
        sealing: member.sealing,
        coin: coin.public(),
    });
    let old = match source {
        Source::Search => None,
        Source::Backup(cluster, _) => Some(*cluster),
    };
    if plan.replaces != old.map(Cluster::id) {
        return Err("the plan does not name the cluster whose keys are dealt as the one it replaces".into());
    }
    let pairs = plan.zones.iter().zip(secrets.keys.chunks(2));
    let mut sig0 = Vec::new();
    for (key, seed) in plan.sig0.iter().zip(&secrets.sig0) {
        let before = old.and_then(|old| old.sig0.iter().find(|entry| entry.name == key.name));
        let rdata = match (&key.key, seed, before) {
            (Some(rdata), _, _) => rdata.clone(),
            (None, Some(seed), _) => sig0_rdata(&identity::public_key(seed)?),
            (None, None, Some(entry)) => entry.key.clone(),
            (None, None, None) => return Err(format!("SIG(0) key {}: name the client's key", key.name)),
        };
        sig0.push(Sig0Entry { name: key.name.clone(), key: rdata, quota: key.quota });
    }
    let cluster = Cluster {
        committee: plan.committee,
        epoch: plan.epoch,
        genesis_time: now,
        signing: plan.signing,
        plan: plan.digest(),
        replaces: plan.replaces,
        members: members.collect(),
        zones: pairs.map(|(zone, keys)| zone_of(zone, old, keys)).collect::<Result<_, _>>()?,
        tsig: plan.tsig.iter().zip(&secrets.tsig).map(|(planned, key)| tsig_of(plan, planned, key)).collect(),
        sig0,
        operators: plan.operators.clone(),
    };
    Ok(cluster)
}

fn zone_of(zone: &PlannedZone, old: Option<&Cluster>, keys: &[DealtKey]) -> Result<Zone, String> {
    let key = |role: Role| {
        let found = keys.iter().find(|key| key.wanted.role == role).ok_or("a zone without its keys")?;
        let (threshold, public) = (found.wanted.k as u8, Arc::new(found.dealt.public.clone()));
        Ok::<_, String>(Key { threshold, dnskey: found.dnskey(), public })
    };
    // None of a first deal's zones was served before, nor is one in the old file that was added since.
    let before = old.and_then(|old| old.zone(&zone.origin));
    Ok(Zone {
        origin: zone.origin.clone(),
        records: zone.digest,
        reads: zone.reads,
        serial: zone.serial.or(before.map(|zone| zone.serial)).unwrap_or(SerialRule::Increment),
        denial: zone.denial,
        dnskey_ttl: zone
            .dnskey_ttl
            .or(before.map(|zone| zone.dnskey_ttl))
            .unwrap_or_else(|| dnskey_ttl(zone)),
        validity: before.map_or(Validity::default(), |zone| zone.validity),
        policy: zone.policy.clone(),
        zsk: key(Role::Zsk)?,
        ksk: key(Role::Ksk)?,
    })
}

fn dnskey_ttl(zone: &PlannedZone) -> u32 {
    let records = zone.records.iter().flatten();
    let soa = records.filter(|record| record.rtype == RrType::SOA).map(|record| record.ttl);
    soa.fold(MAX_DNSKEY_TTL, u32::min)
}

fn tsig_of(plan: &WrittenPlan, planned: &PlannedTsig, key: &KeyClause) -> TsigEntry {
    let (mut salt, mode) = ([0; 32], planned.key.mode);
    entropy(&mut salt);
    let holders = if mode == Mode::Quorum { &plan.members[..] } else { &plan.members[..1] };
    let commitments = holders.iter().map(|member| {
        let key = key.of_replica(mode, &member.identity);
        tsig_commitment(&key.name, &key.algorithm, &salt, &key.secret)
    });
    let (name, algorithm, quota) = (key.name.clone(), key.algorithm.clone(), planned.key.quota);
    TsigEntry { name, algorithm, mode, quota, salt, commitments: commitments.collect() }
}

#[cfg(test)]
pub(crate) mod tests;
