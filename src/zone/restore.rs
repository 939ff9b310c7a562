//! A machine from a certified manifest and the pieces of a snapshot, from wherever they come.
//!
//! Chunks are taken one after the other, each in pages. Every element is checked when it comes: that the manifest leaves
//! room for it, its place, its form, that its plan gives the job it names, that its signature verifies, or may be lacking
//! because the job is of one of the last batches. A complete chunk is checked against its digest before anything of it is
//! kept; one that fails begins anew. Who gave a chunk alone is at fault for what is wrong with it.
//!
//! The zones are the state's: the genesis is asked only for those that have not begun. So a replica restores a zone that its
//! cluster file has never heard of, and none that was removed.
//!
//! Memory is bounded by what is certified: of the chunk in hand count and octets, and a signature for each RRset.
//! Nothing that comes can panic, whatever the manifest.
//!
//! **Guarantees**: the machine executes as the one whose snapshot it was: the same outcomes, digests, plans, versions and
//! signatures. What it publishes first is the version of each zone that the state holds, as a whole checked, as soon as its
//! signatures are there; versions before that do not come back. [`super::Executed::jobs`] may name a job again that the
//! other machine found among those it finished in the same second.

use super::digest::Tally;
use super::ledger::Ledger;
use super::load;
use super::machine::Machine;
use super::manifest::{Commitment, Manifest};
use super::partial::{Context, Founded, Partial};
use super::planned::{BatchJobs, LastBatches};
use super::register::Register;
use super::replay::Replay;
use super::request::{Job, Signed};
use super::rules::Genesis;
use super::signature::Realm;
use super::snapshot::{Piece, commit_keys};
use super::view::View;
use crate::codec::JobId;
use crate::dns::{RrType, Soa};
use std::collections::{BTreeMap, BTreeSet};

/// Who vouches for the signatures in the pieces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// Nobody: each is verified.
    Nobody,
    /// This replica, which verified them before it wrote them; the file's checksums stand for them. Elements are checked as
    /// any others.
    OwnDisk,
}

/// A job of a batch whose signature is not known here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenJob {
    /// The number of the first batch that planned it, from 1.
    pub batch: u64,
    /// The job.
    pub job: Job,
}

/// Collects the pieces of one manifest.
pub struct Restore {
    context: Context,
    /// Without the records.
    genesis: Genesis,
    /// As the manifest lists them; those before genesis are as they are given, the others fill up.
    views: Vec<View>,
    replay: Replay,
    register: Register,
    tally: Tally,
    last_batches: LastBatches,
    chunk: u32,
    partial: Partial,
}

impl Restore {
    /// Begins with nothing; refuses a manifest that does not fit the genesis.
    pub fn new(genesis: Genesis, manifest: Manifest, trust: Trust) -> Result<Self, String> {
        manifest.check(&genesis)?;
        let realm = Realm { cluster: genesis.cluster, epoch: genesis.epoch };
        let mut views = Vec::new();
        for zone in &manifest.zones {
            let given = genesis.zones.iter().find(|(rules, _)| !zone.started && rules.origin == zone.origin);
            views.push(match given {
                None => View::empty(zone.origin.clone()),
                Some((rules, records)) => {
                    load::check_rules(rules)?;
                    load::unsigned(&rules.origin, records)?
                }
            });
        }
        let zones = manifest.zones.iter().map(|_| None).collect();
        let mut restore = Self {
            context: Context { realm, zones, manifest, trust, listed: BTreeSet::new() },
            genesis,
            views,
            replay: Replay::default(),
            register: Register::default(),
            tally: Tally::default(),
            last_batches: LastBatches::default(),
            chunk: 0,
            partial: Partial::default(),
        };
        restore.skip_empty();
        Ok(restore)
    }

    /// The chunk and index to ask for next; none when all is there.
    pub fn needs(&self) -> Option<(u32, u32)> {
        (self.chunk < self.context.manifest.chunks()).then(|| (self.chunk, self.partial.count()))
    }

    /// Begins the chunk in hand anew: what comes next is another's word.
    pub fn again(&mut self) {
        self.partial = Partial::default();
    }

    /// Takes pieces of the chunk now needed, from the index now needed on. A chunk that ends is checked against the manifest.
    /// An error says what is wrong with this chunk, which then begins anew.
    pub fn take(&mut self, pieces: Vec<Piece>, last: bool) -> Result<(), String> {
        let Some(commitment) = self.context.manifest.commitment(self.chunk).cloned() else {
            return Err("nothing is lacking".into());
        };
        let mut partial = std::mem::take(&mut self.partial);
        if pieces.is_empty() {
            return Err("a page without pieces".into());
        }
        for piece in pieces {
            partial.add(&self.context, self.chunk, &commitment, piece)?;
        }
        match (u64::from(partial.count()) == commitment.count, last) {
            (false, true) => return Err(format!("chunk {} is too short", self.chunk)),
            (true, false) => return Err(format!("chunk {} ends here, though it is said not to", self.chunk)),
            (false, false) => self.partial = partial,
            (true, true) => {
                self.complete(partial, &commitment)?;
                self.skip_empty();
            }
        }
        Ok(())
    }

    /// Steps over chunks in which there is nothing, and nothing to check: an empty chunk has one digest.
    fn skip_empty(&mut self) {
        let is_empty = |chunk: &Commitment| chunk.count == 0;
        while self.context.manifest.commitment(self.chunk).is_some_and(is_empty) {
            if self.context.is_of_jobs(self.chunk) {
                self.last_batches.push(BatchJobs::restored(Vec::new()));
            }
            self.chunk += 1;
        }
    }

    fn complete(&mut self, partial: Partial, commitment: &Commitment) -> Result<(), String> {
        let wrong = || Err(format!("chunk {} is not what is certified", self.chunk));
        if self.chunk == 0 {
            if commit_keys(&partial.encoded) != *commitment {
                return wrong();
            }
            for (zone, founded) in partial.founded {
                self.views[zone] = View::empty(founded.rules.origin.clone());
                self.context.zones[zone] = Some(founded);
            }
        } else if self.context.is_of_jobs(self.chunk) {
            let ids: Vec<JobId> = partial.jobs.iter().map(|job| job.id).collect();
            let batch = BatchJobs::restored(partial.jobs);
            if batch.commitment() != commitment {
                return wrong();
            }
            self.context.listed.extend(ids);
            self.last_batches.push(batch);
        } else {
            if partial.elements.commitment() != *commitment {
                return wrong();
            }
            *self.tally.bucket(self.context.bucket(self.chunk)) = partial.elements;
            for (zone, key, node) in partial.nodes {
                let Some(view) = self.views.get_mut(zone) else { continue };
                view.settle(key, node);
            }
            for (covered, answer, end) in
                partial.answers.into_iter().filter(|_| !planted!(RepeatsNotRestored))
            {
                self.replay.restore(covered, answer, end);
            }
            partial.entries.into_iter().for_each(|entry| self.register.restore(entry));
        }
        self.chunk += 1;
        Ok(())
    }

    /// The signatures that came with what the last batches planned: others may lack them.
    pub fn finished(&self) -> Vec<(JobId, Vec<u8>)> {
        let sets = self.views.iter().flat_map(View::iter).flat_map(|node| node.iter());
        let plans = sets.flat_map(|(_, set)| set.signatures.plans());
        let wanted = plans.filter(|plan| plan.is_complete() && self.context.listed.contains(&plan.job));
        wanted.map(|plan| (plan.job, plan.octets())).collect()
    }

    /// The machine; the planned jobs of the last batches whose signatures are not known here, by batch and id, superseded
    /// ones among them (the machine does not wait for these); what can be published at once.
    pub fn finish(self) -> Result<(Machine, Vec<OpenJob>, Signed), String> {
        if self.needs().is_some() {
            return Err("chunks are lacking".into());
        }
        let Context { zones: founded, manifest, mut listed, .. } = self.context;
        let mut zones = BTreeMap::new();
        for ((founded, view), zone) in founded.into_iter().zip(self.views).zip(&manifest.zones) {
            let ledger = match (founded, zone.started) {
                (Some(founded), true) => restored(founded, view, zone.version)?,
                (_, true) => return Err(format!("nothing is said of zone {}", zone.origin)),
                (_, false) => {
                    let given = self.genesis.zones.iter().find(|(rules, _)| rules.origin == zone.origin);
                    let (rules, _) = given.ok_or_else(|| format!("zone {} was not given", zone.origin))?;
                    Ledger::new(rules.clone(), view)
                }
            };
            zones.insert(ledger.rules.origin.clone(), ledger);
        }
        for plan in zones.values().flat_map(Ledger::plans).filter(|plan| plan.is_complete()) {
            listed.remove(&plan.job);
        }
        // A job that several batches planned is wanted once.
        let first = manifest.batches - self.last_batches.len() as u64 + 1;
        let jobs = (first..).zip(self.last_batches.iter());
        let jobs = jobs.flat_map(|(batch, jobs)| jobs.from(0).map(move |job| OpenJob { batch, job }));
        let jobs: Vec<OpenJob> = jobs.collect();
        let mut machine = Machine::of(&self.genesis, zones);
        (machine.replay, machine.register, machine.tally) = (self.replay, self.register, self.tally);
        (machine.time, machine.batches) = (manifest.time, manifest.batches);
        machine.last_batches = self.last_batches;
        machine.check_deals()?;
        machine.check_catalog()?;
        machine.check_awaited()?;
        let known = machine.signing_keys();
        if jobs.iter().any(|open| !known.contains(&open.job.key)) {
            return Err("a job for a key that nobody wants".into());
        }
        machine.build_catalog()?;
        let jobs = jobs.into_iter().filter(|open| listed.remove(&open.job.id)).collect();
        let signed = machine.resume();
        Ok((machine, jobs, signed))
    }
}

/// The zone, if it is one: a manifest that nobody certified could commit to anything.
fn restored(founded: Founded, view: View, version: u64) -> Result<Ledger, String> {
    let Founded { charter, rules, keys } = founded;
    let soa = view.apex().get(RrType::SOA).and_then(|soa| soa.rrset.rdatas.first());
    match soa.and_then(Soa::parse) {
        Some(_) => Ok(Ledger::restored(rules, keys, view, version, &charter)),
        None => Err(format!("there is no SOA in zone {}", rules.origin)),
    }
}
