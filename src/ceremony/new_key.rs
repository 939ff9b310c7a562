//! New keys and new shares for a cluster that runs: bundles ([`super::bundle`]).
//!
//! [`deal`] searches one new key, for a rollover, or the two of a zone that the cluster is to serve from now on; [`share_again`] deals the keys of a backup once more to the same
//! members, with fresh polynomials, so that shares that were lost or seen are worth nothing. Both go by the plan that the
//! cluster was dealt under: its members' sealing keys, its custodians. What is made is used only when all n receipts for it are
//! ordered; the words of a bundle's digest are compared by the operators before.
//!
//! ```text
//! DIR/ORIGIN.ROLE.TAG.bundle      for every replica: `conclave ctl import`
//! DIR/backup/                     of new keys, if the plan has custodians ([`super::backup`])
//! ```
#![forbid(unsafe_code)]

use super::backup::{self, Kept};
use super::bundle::BundleFile;
use super::cluster::{Cluster, Key};
use super::cluster_file::tags_of;
use super::deal::keys::{self, DealtKey, Wanted};
use super::deal::{Progress, in_fresh_dir};
use super::files::{Problem, zone_stem};
use super::written::WrittenPlan;
use crate::dns::name::Name;
use crate::zone::{Bundle, CheckedBundle, Holders, Role};
use std::collections::BTreeSet;
use std::path::Path;

/// Searches keys as `wanted` says, but for their n and k, whose tags are of no key of the cluster and none of `taken`. They may be
/// of zones that the cluster file does not list: of those that were added since, or are to be.
pub fn deal(
    plan: &WrittenPlan,
    cluster: &Cluster,
    wanted: Vec<Wanted>,
    taken: &[u16],
    dir: &Path,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Vec<CheckedBundle>, Problem> {
    let refuse = |reason: String| Problem::new(dir, reason);
    fits(plan, cluster).map_err(refuse)?;
    let mut tags: BTreeSet<u16> = taken.iter().copied().collect();
    let used = cluster.zones.iter().flat_map(|zone| [&zone.zsk, &zone.ksk]);
    tags.extend(used.flat_map(|key: &Key| tags_of(&key.dnskey)));
    in_fresh_dir(dir, |fresh| {
        let wanted: Vec<Wanted> = wanted.into_iter().map(|one| sized(one, cluster)).collect();
        let found = keys::search(&wanted, tags, progress).map_err(refuse)?;
        if let Some(custodians) = &plan.backup {
            backup::write(custodians, cluster.plan, &found, &[], &fresh.join("backup"))?;
        }
        write(plan, cluster, found, fresh)
    })
}

/// Deals the keys of `zones`, or of the cluster file's where none is named, that `kept` holds again, to the same members.
pub fn share_again(
    plan: &WrittenPlan,
    cluster: &Cluster,
    kept: &Kept,
    zones: &[Name],
    dir: &Path,
) -> Result<Vec<CheckedBundle>, Problem> {
    let refuse = |reason: String| Problem::new(dir, reason);
    fits(plan, cluster).map_err(refuse)?;
    let mut wanted: Vec<Wanted> = Vec::new();
    for (zone, role, algorithm, primes) in &kept.keys {
        let is_there = |other: &Wanted| (&other.zone, other.role) == (zone, *role);
        let is_asked = zones.contains(zone) || zones.is_empty() && cluster.zone(zone).is_some();
        if is_asked && !wanted.iter().any(is_there) {
            let (zone, bits) = (zone.clone(), primes.p.len() * 16);
            wanted
                .push(sized(Wanted { zone, role: *role, algorithm: *algorithm, bits, n: 0, k: 0 }, cluster));
        }
    }
    if let Some(zone) = zones.iter().find(|zone| !wanted.iter().any(|one| one.zone == **zone)) {
        return Err(refuse(format!("the backup holds no key of {zone}")));
    }
    in_fresh_dir(dir, |fresh| write(plan, cluster, keys::again(&wanted, &kept.keys).map_err(refuse)?, fresh))
}

fn fits(plan: &WrittenPlan, cluster: &Cluster) -> Result<(), String> {
    if plan.digest() == cluster.plan {
        Ok(())
    } else {
        Err("the plan is not the one that the cluster was dealt under".into())
    }
}

/// n and k by the role.
fn sized(wanted: Wanted, cluster: &Cluster) -> Wanted {
    let committee = cluster.committee;
    let k = match wanted.role {
        Role::Zsk => committee.one_correct(),
        Role::Ksk => committee.quorum(),
    };
    Wanted { n: committee.n(), k, ..wanted }
}

fn write(
    plan: &WrittenPlan,
    cluster: &Cluster,
    keys: Vec<DealtKey>,
    dir: &Path,
) -> Result<Vec<CheckedBundle>, Problem> {
    let readers: Vec<_> = plan.members.iter().map(|member| member.sealing).collect();
    let members: Vec<[u8; 32]> = plan.members.iter().map(|member| member.identity).collect();
    let mut bundles = Vec::new();
    for DealtKey { wanted, dealt, .. } in keys {
        let (plan, id, epoch) = (cluster.plan, cluster.id(), cluster.epoch);
        let holders = Holders { plan, cluster: id, epoch, members: members.clone() };
        let bundle = Bundle::new(holders, &wanted.zone, wanted.role, wanted.algorithm, &dealt.public).check();
        let file = BundleFile::seal(bundle.map_err(|e| Problem::new(dir, e))?, &dealt.shares, &readers);
        let (stem, role, tag) = (zone_stem(&wanted.zone), wanted.role.word(), file.public.tag());
        file.write(&dir.join(format!("{stem}.{role}.{tag}.bundle")))?;
        bundles.push(file.public);
    }
    Ok(bundles)
}
