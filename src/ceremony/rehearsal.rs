//! A rehearsal: the whole ceremony on a throw-away zone, every step as the people would take it, all roles on one machine.
//!
//! Keys of replicas and custodians; the plan and its words; the deal; imports and receipts, with a look at what is told while
//! one is lacking; then a replica's machine is lost, custodians bring their parts, and the keys are dealt again under a
//! second plan with a new member in its place. It takes the real sizes, so that it shows the real times.
#![forbid(unsafe_code)]

use super::backup::{self, Kept};
use super::cluster::Cluster;
use super::deal::{self, Progress, Source};
use super::files::{Problem, make_dir, write_secret};
use super::import;
use super::keygen::{self, PublicKeys};
use super::operators::Operators;
use super::plan::{Place, Plan, ZonePlan};
use super::receipt;
use super::seal::SealingKey;
use super::verify::receipts;
use super::words;
use super::written::{BackupPlan, Custodian, WrittenPlan};
use crate::codec::Epoch;
use crate::dns::master::read_str;
use crate::dns::name::Name;
use crate::quorum::{Committee, ReplicaId};
use crate::signing::Protocol;
use crate::time::UnixMillis;
use crate::zone::{Denial, Reads};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

const ORIGIN: &str = "rehearsal.invalid.";
const ZONE: &str = "$TTL 60\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 192.0.2.1\n";

/// How large a rehearsal is.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// The replicas.
    pub committee: Committee,
    /// Bits of each modulus.
    pub bits: usize,
    /// Custodians who open the backup, and all custodians.
    pub custodians: (u8, u8),
}

struct Rehearsal<'a> {
    dir: &'a Path,
    sizes: Sizes,
    now: UnixMillis,
    progress: &'a (dyn Fn(Progress<'_>) + Sync),
    said: Vec<String>,
}

/// Rehearses in the new directory `dir`, at the time `now`. What was done, a line a step.
pub fn rehearse(
    sizes: Sizes,
    now: UnixMillis,
    dir: &Path,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Vec<String>, Vec<Problem>> {
    if dir.exists() {
        return Err(vec![Problem::new(dir, "exists already; name a new directory to rehearse in")]);
    }
    make_dir(dir)?;
    let mut rehearsal = Rehearsal { dir, sizes, now, progress, said: Vec::new() };
    rehearsal.all()?;
    Ok(rehearsal.said)
}

impl Rehearsal<'_> {
    fn all(&mut self) -> Result<(), Vec<Problem>> {
        let members = self.sizes.committee.members();
        let mut keys = Vec::new();
        for id in members.clone() {
            keys.push(keygen::make(&self.home(id), id)?);
        }
        self.say(format!("{} replicas made their keys: conclave keygen", keys.len()));
        let custodians = self.custodians()?;
        let plan = self.plan(&keys, custodians)?;
        let first = self.deal(&plan, &Source::Search, "deal")?;
        for id in members.clone() {
            self.import(&plan, id, &self.home(id), "deal")?;
            let lacking = receipts::check(&first, &self.dir.join("deal")).lacking.len();
            self.say(format!("replica {id} imported its shares; receipts lacking: {lacking}"));
        }
        self.complete(&first, "deal")?;

        let lost = ReplicaId::new(1).ok_or_else(|| self.wrong("there is no replica"))?;
        let fresh = self.dir.join("operators").join("replica-1-new");
        keys[lost.slot()] = keygen::make(&fresh, lost)?;
        self.say("replica 1 is lost; its operator made new keys on a new machine".into());
        let mut second = self.plan(&keys, plan.backup.clone())?;
        (second.epoch, second.replaces) = (Epoch(1), Some(first.id()));
        second.zones.iter_mut().for_each(|zone| zone.records = None);
        let kept = self.kept(&second)?;
        let again = self.deal(&second, &Source::Backup(&first, &kept), "redeal")?;
        if again.zones.iter().zip(&first.zones).any(|(new, old)| new.ksk.dnskey != old.ksk.dnskey) {
            return Err(self.wrong("the keys are others after the second deal").into());
        }
        for id in members {
            let home = if id == lost { fresh.clone() } else { self.home(id) };
            self.import(&second, id, &home, "redeal")?;
        }
        self.complete(&again, "redeal")?;
        self.say(format!("rehearsed; nothing in {} is for use: remove it", self.dir.display()));
        Ok(())
    }

    fn say(&mut self, line: String) {
        self.said.push(line);
    }

    fn wrong(&self, reason: &str) -> Problem {
        Problem::new(self.dir, reason)
    }

    fn home(&self, id: ReplicaId) -> PathBuf {
        self.dir.join("operators").join(format!("replica-{id}"))
    }

    fn custodian(&self, index: u8) -> PathBuf {
        self.dir.join("custodians").join(format!("custodian-{index}.key"))
    }

    fn custodians(&mut self) -> Result<Option<BackupPlan>, Problem> {
        make_dir(&self.dir.join("custodians"))?;
        let (threshold, all) = self.sizes.custodians;
        let mut custodians = Vec::new();
        for index in 1..=all {
            let key = SealingKey::generate();
            write_secret(&self.custodian(index), key.to_text().as_bytes())?;
            custodians.push(Custodian { name: index.to_string(), recipient: key.recipient() });
        }
        self.say(format!("{all} custodians made their keys; {threshold} open the backup"));
        Ok(Some(BackupPlan { threshold, custodians }))
    }

    fn plan(&mut self, keys: &[PublicKeys], backup: Option<BackupPlan>) -> Result<WrittenPlan, Problem> {
        let origin = Name::parse(ORIGIN).map_err(|e| self.wrong(&e.to_string()))?;
        let records = read_str(ZONE, &origin).map_err(|e| self.wrong(&e.to_string()))?;
        let address = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let places = (1u16..).take(keys.len()).map(|index| Place {
            dns: vec![address(5300 + index)],
            peer: address(5400 + index),
            admin: None,
        });
        let plan = Plan {
            committee: self.sizes.committee,
            bits: self.sizes.bits,
            signing: Protocol::default(),
            zones: vec![ZonePlan {
                origin,
                records,
                policy: Vec::new(),
                reads: Reads::Local,
                denial: Denial::Nsec,
            }],
            tsig: Vec::new(),
            sig0: Vec::new(),
            operators: Operators::default(),
            places: places.collect(),
            genesis_time: self.now,
        };
        let keys: Vec<_> = keys.iter().map(|keys| (keys.identity, keys.sealing)).collect();
        Ok(WrittenPlan { backup, ..WrittenPlan::of(&plan, &keys) })
    }

    fn deal(&mut self, plan: &WrittenPlan, source: &Source<'_>, name: &str) -> Result<Cluster, Problem> {
        self.say("the plan, whose words all operators read out:".into());
        words::lines(&plan.digest()).into_iter().for_each(|line| self.say(format!("  {line}")));
        let cluster = deal::deal(plan, source, self.now, &self.dir.join(name), self.progress)?;
        self.say(format!("dealt: cluster {}", cluster.id().0.to_hex()));
        Ok(cluster)
    }

    fn import(
        &mut self,
        plan: &WrittenPlan,
        id: ReplicaId,
        home: &Path,
        name: &str,
    ) -> Result<(), Vec<Problem>> {
        let deal = self.dir.join(name);
        let into = if plan.epoch == Epoch(0) { home.to_owned() } else { home.join("epoch-1") };
        let imported = import::import(home, &deal, &plan.digest(), &into)?;
        receipt::write(&deal.join(receipt::DIRECTORY).join(receipt::name(id)), &imported.receipts)?;
        Ok(())
    }

    fn complete(&mut self, cluster: &Cluster, name: &str) -> Result<(), Vec<Problem>> {
        let found = receipts::check(cluster, &self.dir.join(name));
        if !found.problems.is_empty() {
            return Err(found.problems);
        }
        if !found.lacking.is_empty() {
            return Err(self.wrong("receipts are lacking").into());
        }
        self.say(format!("all receipts are there: the deal is complete; {} quorums signed", found.quorums));
        Ok(())
    }

    /// Opens the backup with the last k custodians' parts.
    fn kept(&mut self, plan: &WrittenPlan) -> Result<Kept, Problem> {
        let (threshold, all) = self.sizes.custodians;
        let who = plan.backup.as_ref().map_or(&[][..], |backup| &backup.custodians);
        let who = who.iter().skip(usize::from(all - threshold));
        let dir = self.dir.join("deal").join("backup");
        let parts: Vec<PathBuf> = who.map(|who| dir.join(format!("custodian-{}.age", who.name))).collect();
        let parts: Vec<&Path> = parts.iter().map(PathBuf::as_path).collect();
        let keys = (all - threshold + 1..=all).map(|index| SealingKey::read(&self.custodian(index)));
        let mut kept = Kept::default();
        backup::open(&dir.join("backup.age"), &parts, &keys.collect::<Result<Vec<_>, _>>()?, &mut kept)?;
        self.say(format!("{threshold} custodians opened the backup: {} keys", kept.keys.len()));
        Ok(kept)
    }
}

#[cfg(test)]
mod tests;
