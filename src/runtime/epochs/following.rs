//! How the cluster file in `next/` follows the present epoch: what must stay, what it changes, and the command that says so.

use super::{Home, NEXT};
use crate::ceremony::cluster::{Cluster, Zone};
use crate::ceremony::cluster_file;
use crate::ceremony::verify::receipts;
use crate::quorum::ReplicaId;
use crate::runtime::config::ReplicaFile;
use crate::zone::{Charter, Command, Succession, keys_digest};

/// The command by which the cluster file in `next/` follows the present one, whose state has these zones, and what it changes of
/// their rules; an error says why it cannot.
pub(in crate::runtime) fn command(home: &Home, zones: &[Charter]) -> Result<(Command, Vec<String>), String> {
    let directory = home.directory.join(NEXT);
    let path = directory.join("cluster.toml");
    let next = cluster_file::read(&path)
        .map_err(|problems| problems.first().map_or_else(String::new, ToString::to_string))?;
    let wrong = |reason: String| Err(format!("{}: {reason}", path.display()));
    let old = &*home.cluster;
    if next.replaces != Some(old.id()) {
        return wrong(format!("does not say that it replaces this cluster, {}", old.id().0.to_hex()));
    }
    if Some(next.epoch.0) != old.epoch.0.checked_add(1) {
        return wrong(format!("is of epoch {}; this one is {}", next.epoch.0, old.epoch.0));
    }
    if let Some(reason) = differs(zones, &next) {
        return wrong(reason);
    }
    let receipts = receipts::check(&next, &directory);
    if let Some(lacking) = receipts.lacking.first() {
        let problem = receipts.problems.first().map_or_else(String::new, |problem| format!(": {problem}"));
        return Err(format!(
            "the receipt of replica {lacking} of the next epoch is not in {}{problem}; the deal is complete with all {}",
            directory.join("receipts").display(),
            next.committee.n()
        ));
    }
    if let Some(problem) = receipts.problems.first() {
        return Err(problem.to_string());
    }
    let mine = &old.members[home.me.slot()].identity;
    if next.members.iter().any(|member| member.identity == *mine) {
        // Its own share is there and is the right one; what the others have their receipts show.
        let file = ReplicaFile::read(&directory.join("replica.toml"));
        let loaded = file.and_then(ReplicaFile::load);
        loaded.map_err(|problems| problems.first().map_or_else(String::new, ToString::to_string))?;
    }
    let is_in = |who: &ReplicaId| {
        let identity = &old.members[who.slot()].identity;
        next.members.iter().any(|member| member.identity == *identity)
    };
    let keys =
        next.zones.iter().flat_map(|zone| [&zone.zsk, &zone.ksk].map(|key| (&zone.origin, &key.dnskey)));
    let command = Command::Epoch(Succession {
        cluster: next.id(),
        epoch: next.epoch,
        faults: next.committee.faults() as u8,
        continuing: old.committee.members().filter(is_in).map(ReplicaId::get).collect(),
        keys: keys_digest(keys),
    });
    Ok((command, changes(zones, &next)))
}

/// What must stay from epoch to epoch and does not. Whether the keys are those of now is found out when the command executes.
pub(super) fn differs(zones: &[Charter], next: &Cluster) -> Option<String> {
    if let Some(lacking) = zones.iter().find(|zone| next.zone(&zone.origin).is_none()) {
        return Some(format!("lacks the zone {}", lacking.origin));
    }
    let is_there = |zone: &&Zone| zones.iter().any(|old| old.origin == zone.origin);
    if let Some(other) = next.zones.iter().find(|zone| !is_there(zone)) {
        return Some(format!("has the zone {}, which is not there: add it before or after", other.origin));
    }
    let validity = |zone: &&Charter| next.zone(&zone.origin).map(|next| next.validity);
    let other = zones.iter().find(|zone| validity(zone) != Some(zone.validity));
    other.map(|zone| format!("has other dates of signatures for zone {}", zone.origin))
}

/// What the next cluster file changes of the zones' rules, a line each: those of the file win.
pub(super) fn changes(zones: &[Charter], next: &Cluster) -> Vec<String> {
    let pairs = zones.iter().filter_map(|old| Some((old, next.zone(&old.origin)?)));
    let lines = pairs.flat_map(|(old, new)| {
        let rule = |differs: bool, what: &str| differs.then(|| format!("{}: {what}", old.origin));
        [
            rule(old.policy != new.policy, "another policy"),
            rule(old.reads != new.reads, "queries are answered from elsewhere"),
            rule(old.serial != new.serial, "the serial moves otherwise"),
            rule(old.dnskey_ttl != new.dnskey_ttl, "another TTL of the DNSKEY set"),
        ]
    });
    lines.flatten().collect()
}
