//! From the last state of one epoch to the first of the next.
//!
//! An ordered command ends an epoch with the batch that executes it ([`Executed::ends`](super::Executed)). The next epoch has
//! other replicas, and other shares of the same keys; so its state is the same but for the names of signing jobs, which
//! bind cluster, epoch and share set. What was signed stays signed, what was not is the new replicas' job; versions, serials,
//! remembered answers, agreed time and the count of batches go on. Of the register, what was decided stays, the catalog, and the keys
//! of zones that went; votes that were open are gone, with those who cast them, and so is what waited for its contents.
//!
//! So the rules of the new cluster must plan every signature as the old ones did: the same zones as the state has at its end, the
//! same DNSKEYs and dates. Who may update what, and from where queries are answered, may change: the new rules count. When a
//! zone was added, and whether it is frozen, stays.

use super::charter::Charter;
use super::digest::Tally;
use super::element;
use super::keys::{KeySet, ZoneKey};
use super::ledger::Ledger;
use super::machine::Machine;
use super::planned::{BatchJobs, LastBatches};
use super::register::{Entry, Register};
use super::replay::Replay;
use super::request::{Job, Signed};
use super::restore::OpenJob;
use super::rules::{Genesis, KeyInfo, ZoneRules};
use super::signature::{Realm, Signature};
use super::signatures::Signatures;
use super::snapshot::Snapshot;
use super::view::View;
use crate::codec::{ClusterId, Digest, Epoch, JobId, KeyId, digest};
use crate::dns::{Name, Rdata};
use crate::time::{AgreedTime, SECOND};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The cluster that goes on when an epoch ends.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub struct Succession {
    /// Its name.
    pub cluster: ClusterId,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its t.
    pub faults: u8,
    /// The indices of the replicas of this epoch that are in it, ascending.
    pub continuing: Vec<u8>,
    /// [`keys_digest`] of the keys it has shares of.
    pub keys: Digest,
}

impl Succession {
    /// The words after `epoch` of a command's text form.
    pub(super) fn of_words(words: &[&str]) -> Result<Self, String> {
        let &[epoch, cluster, "faults", faults, "continuing", continuing, "keys", keys] = words else {
            return Err("expected `epoch N CLUSTER faults T continuing I,I,… keys DIGEST`".into());
        };
        let digest = |text: &str| Digest::from_hex(text).ok_or("a digest has 64 hexadecimal digits");
        let indices = continuing.split(',').map(str::parse).collect::<Result<Vec<u8>, _>>();
        Ok(Self {
            cluster: ClusterId(digest(cluster)?),
            epoch: Epoch(epoch.parse().map_err(|_| "an epoch is a number")?),
            faults: faults.parse().map_err(|_| "the number of faults is a number")?,
            continuing: indices.map_err(|_| "replicas are told by their indices, as in 1,2,3")?,
            keys: digest(keys)?,
        })
    }

    /// Whether a cluster of `n` replicas can end so: of those that go on, one must be correct in both epochs, or the last state
    /// could be lost.
    pub(super) fn check(&self, n: usize) -> Result<(), String> {
        let ascends = self.continuing.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascends || self.continuing.iter().any(|index| !(1..=n).contains(&usize::from(*index))) {
            return Err("those that continue are not replicas of this epoch, in ascending order".into());
        }
        let corrupt = usize::from(self.faults).min(n.saturating_sub(1) / 3);
        match self.continuing.len() > corrupt {
            true => Ok(()),
            false => Err(format!("no more than {corrupt} replicas continue: go in two steps")),
        }
    }
}

/// The words after `epoch` of a command's text form.
impl fmt::Display for Succession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster, epoch, faults, continuing, keys } = self;
        let continuing: Vec<String> = continuing.iter().map(u8::to_string).collect();
        let (continuing, keys) = (continuing.join(","), keys.to_hex());
        write!(f, "{} {} faults {faults} continuing {continuing} keys {keys}", epoch.0, cluster.0.to_hex())
    }
}

/// Names a set of keys, whatever their shares: origins and DNSKEYs.
pub fn keys_digest<'a>(keys: impl Iterator<Item = (&'a Name, &'a Rdata)>) -> Digest {
    let names: BTreeSet<Vec<u8>> = keys.map(|(origin, dnskey)| name(origin, dnskey)).collect();
    let fields: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    digest("conclave/succession/keys", &fields)
}

/// What the next epoch begins with.
pub struct Begun {
    /// The machine.
    pub machine: Machine,
    /// Jobs of the last batches whose signatures are not known here.
    pub jobs: Vec<OpenJob>,
    /// Signatures of jobs of the last batches that are known here: others may lack them.
    pub finished: Vec<(JobId, Vec<u8>)>,
    /// What can be published at once.
    pub signed: Signed,
}

/// What makes jobs of the old epoch jobs of the new one.
struct Change {
    realm: Realm,
    keys: BTreeMap<KeyId, KeyId>,
}

impl Change {
    fn of(old: &BTreeMap<Name, (Charter, KeySet)>, new: &Genesis) -> Result<Self, String> {
        let mut ids: BTreeMap<Vec<u8>, KeyId> = BTreeMap::new();
        ids.extend(keys(new).map(|(origin, key)| (name(origin, &key.dnskey), key.id)));
        let old = old.iter().flat_map(|(origin, (_, keys))| keys.wanted().map(move |key| (origin, key)));
        let renamed = |(origin, key): (&Name, &ZoneKey)| {
            let id = ids.get(&name(origin, &key.dnskey)).copied();
            id.map(|id| (key.id, id)).ok_or(format!("a key of zone {origin} is not in the new cluster"))
        };
        let keys = old.map(renamed).collect::<Result<_, _>>()?;
        Ok(Self { realm: Realm { cluster: new.cluster, epoch: new.epoch }, keys })
    }

    fn job(&self, job: &Job) -> Result<Job, String> {
        let key = *self.keys.get(&job.key).ok_or("a job for a key of no zone")?;
        let id = JobId::new(self.realm.cluster, self.realm.epoch, key, &job.hash);
        Ok(Job { id, key, hash: job.hash.clone() })
    }
}

fn keys(genesis: &Genesis) -> impl Iterator<Item = (&Name, &KeyInfo)> {
    genesis.zones.iter().flat_map(|(rules, _)| [(&rules.origin, &rules.ksk), (&rules.origin, &rules.zsk)])
}

fn name(origin: &Name, dnskey: &Rdata) -> Vec<u8> {
    [origin.to_lowercase().wire(), dnskey.wire()].concat()
}

impl Snapshot {
    /// The first state of the epoch of `new`, from this last one of the epoch of `old`. An error says why `new` cannot follow.
    pub fn succeed(&self, old: &Genesis, new: &Genesis) -> Result<Begun, String> {
        let manifest = self.manifest();
        manifest.check(old)?;
        let old = self.zone_keys()?;
        let change = Change::of(&old, new)?;
        let is_leaving = |entry: &Entry| matches!(entry, Entry::Removed(gone) if !gone.leaving.is_empty());
        if self.register().iter().any(|(_, entry)| is_leaving(entry)) {
            return Err("a zone was removed just now".into());
        }
        let rules: BTreeMap<Name, &ZoneRules> =
            new.zones.iter().map(|(rules, _)| (rules.origin.to_lowercase(), rules)).collect();
        if !manifest.zones.iter().map(|zone| &zone.origin).eq(rules.keys()) {
            return Err("the new cluster has other zones".into());
        }
        let (mut tally, mut zones) = (Tally::default(), BTreeMap::new());
        for ((origin, rules), state) in rules.into_iter().zip(&manifest.zones) {
            let Some((_, view)) = self.zones().iter().find(|(zone, _)| *zone == origin) else {
                return Err(format!("zone {origin} has not begun"));
            };
            let before = old.get(&origin).filter(|(_, keys)| keys.is_at_rest());
            let renamed_keys = before.and_then(|(charter, keys)| {
                Some((charter, keys.renamed(|key| change.keys.get(&key.id).copied())?))
            });
            let (charter, keys) =
                renamed_keys.ok_or_else(|| format!("a rollover of zone {origin} is under way"))?;
            let view = renamed(view, rules, &keys, change.realm)?;
            for (key, node) in &view.nodes {
                let bucket = tally.bucket(element::bucket_of_owner(&origin, key));
                node.iter().for_each(|(_, set)| bucket.insert(&element::rrset(&origin, node.name(), set)));
            }
            let ledger = Ledger::restored(rules.clone(), keys, view, state.version, charter);
            zones.insert(rules.origin.clone(), ledger);
        }
        let mut replay = Replay::default();
        for (covered, (answer, end)) in self.answers() {
            tally
                .bucket(element::bucket_of_answer(*covered))
                .insert(&element::answer(*covered, answer, *end));
            replay.restore(*covered, answer.clone(), *end);
        }
        let mut last_batches = LastBatches::default();
        for batch in self.last_batches().iter() {
            let jobs = batch.from(0).map(|job| change.job(&job));
            let jobs = jobs.map(|job| job.map(|job| (job.id, job))).collect::<Result<BTreeMap<_, _>, _>>()?;
            last_batches.push(BatchJobs::restored(jobs.into_values().collect()));
        }
        let mut register = Register::default();
        let stays = |entry: &Entry| match entry {
            Entry::Decided(_) | Entry::Catalog(_) | Entry::Removed(_) => true,
            // What was refused stays refused, and nobody's burst is whole again.
            Entry::Usage(key, ..) => new.keys.tsig.contains_key(key) || new.keys.sig0.contains_key(key),
            _ => false,
        };
        let kept = self.register().iter().filter(|(_, entry)| stays(entry));
        kept.for_each(|(_, entry)| register.put(entry.clone(), &mut tally));
        let mut machine = Machine::of(new, zones);
        (machine.replay, machine.register, machine.tally) = (replay, register, tally);
        machine.last_batches = last_batches;
        (machine.time, machine.batches) = (manifest.time, manifest.batches);
        machine.check_catalog()?;
        machine.build_catalog()?;
        Ok(Begun::of(machine))
    }
}

impl Begun {
    fn of(mut machine: Machine) -> Self {
        let first = machine.batches - machine.last_batches.len() as u64 + 1;
        let jobs = (first..).zip(machine.last_batches.iter());
        let jobs = jobs.flat_map(|(batch, jobs)| jobs.from(0).map(move |job| OpenJob { batch, job }));
        let mut jobs: Vec<OpenJob> = jobs.collect();
        let listed: BTreeSet<JobId> = jobs.iter().map(|open| open.job.id).collect();
        let plans = machine.zones.values().flat_map(Ledger::plans);
        let done = plans.filter(|plan| plan.is_complete() && listed.contains(&plan.job));
        let finished: BTreeMap<JobId, Vec<u8>> = done.map(|plan| (plan.job, plan.octets())).collect();
        let mut seen = BTreeSet::new();
        jobs.retain(|open| !finished.contains_key(&open.job.id) && seen.insert(open.job.id));
        let signed = machine.resume();
        Self { machine, jobs, finished: finished.into_iter().collect(), signed }
    }
}

/// The same version, each signature as the new epoch would have planned it then.
fn renamed(view: &View, rules: &ZoneRules, keys: &KeySet, realm: Realm) -> Result<View, String> {
    let mut renamed = view.clone();
    for (key, node) in &view.nodes {
        let mut node = node.clone();
        let owner = node.name().clone();
        for set in node.rrsets.values_mut() {
            let mut plans = Vec::new();
            for old in set.signatures.plans() {
                let otherwise = || {
                    let rtype = old.rtype();
                    format!(
                        "the new cluster's rules sign {owner} {rtype} otherwise: zones' keys and dates of signatures must stay"
                    )
                };
                let time = AgreedTime(old.planned_at * SECOND);
                let key = keys.wanted().find(|key| key.tag() == old.tag).ok_or_else(otherwise)?;
                let plan = Signature::plan(realm, rules, key, &owner, &set.rrset, time);
                if !plan.signs_as(old) {
                    return Err(otherwise());
                }
                plan.adopt(old);
                plans.push(plan);
            }
            set.signatures = Signatures::of(plans);
        }
        renamed.nodes.insert_mut(key.clone(), node);
    }
    Ok(renamed)
}
