//! The bundles of a replica: what its operator imported while the cluster runs, in `DIR/bundles/NAME.bundle`, as it came.
//!
//! A share stays sealed on the disk; at each start and each import it is opened with the replica's sealing key and checked
//! against its key, and the replica's receipt for it is made. A bundle for other members, another cluster or epoch, or of a
//! key tag that the zone was dealt already, is refused with the reason.
#![forbid(unsafe_code)]

use super::bundle::BundleFile;
use super::cluster::Cluster;
use super::cluster_file::{dnskey_of, tags_of};
use super::files::{Problem, make_dir, read_public, replace_public};
use super::keygen::{self, SEAL};
use super::receipt;
use super::seal::SealingKey;
use crate::codec::Digest;
use crate::quorum::ReplicaId;
use crate::threshold::SecretShare;
use crate::zone::{CheckedBundle, Receipt};
use std::path::{Path, PathBuf};

/// The directory of bundles in a replica's directory.
pub const DIRECTORY: &str = "bundles";
/// Bundles in it that are read: some years of rollovers and refreshed shares of a few zones.
const MAX_HELD: usize = 4_096;

/// A bundle of which this replica has its share.
pub struct Held {
    /// The public part.
    pub bundle: CheckedBundle,
    /// This replica's share.
    pub share: SecretShare,
    /// That it has it.
    pub receipt: Receipt,
}

/// Opens and checks a bundle for the replica `me`, whose directory is `home`; its octets too.
pub fn read(home: &Path, cluster: &Cluster, me: ReplicaId, file: &Path) -> Result<(Held, Vec<u8>), Problem> {
    let bytes = read_public(file)?;
    let held = open(home, cluster, me, &bytes).map_err(|reason| Problem::new(file, reason))?;
    Ok((held, bytes))
}

/// Keeps a bundle that was read; where.
pub fn keep(home: &Path, bundle: &CheckedBundle, bytes: &[u8]) -> Result<PathBuf, Problem> {
    make_dir(&home.join(DIRECTORY))?;
    let path = path_of(home, &bundle.name());
    replace_public(&path, bytes)?;
    Ok(path)
}

/// Where the bundle of this name is kept.
pub fn path_of(home: &Path, name: &Digest) -> PathBuf {
    home.join(DIRECTORY).join(format!("{}.bundle", name.to_hex()))
}

/// All bundles in `home`, by name; what is wrong with any is a problem, for its share may be needed.
pub fn all(home: &Path, cluster: &Cluster, me: ReplicaId) -> Result<Vec<Held>, Vec<Problem>> {
    let dir = home.join(DIRECTORY);
    let entries = std::fs::read_dir(&dir).into_iter().flatten().flatten();
    let is_bundle = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "bundle");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_bundle).collect();
    paths.sort();
    if paths.len() > MAX_HELD {
        return Err(vec![Problem::new(
            &dir,
            format!("holds more than {MAX_HELD} bundles; move old ones away"),
        )]);
    }
    let (mut held, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        let opened = read_public(&path)
            .and_then(|bytes| open(home, cluster, me, &bytes).map_err(|reason| Problem::new(&path, reason)));
        match opened {
            Ok(one) => held.push(one),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(held) } else { Err(problems) }
}

fn open(home: &Path, cluster: &Cluster, me: ReplicaId, bytes: &[u8]) -> Result<Held, String> {
    let file = BundleFile::parse(bytes)?;
    let key = file.public.bundle();
    if (key.cluster, key.epoch) != (cluster.id(), cluster.epoch) || key.plan != cluster.plan {
        return Err("is for another cluster, or another epoch of this one".into());
    }
    if !cluster.members.iter().map(|member| &member.identity).eq(&key.members) {
        return Err("is for other members".into());
    }
    // Shares of a key that is there already, dealt again, have its tag and its DNSKEY. A zone that is not there may be added.
    let tags = tags_of(&dnskey_of(file.public.public(), key.role.flags(), key.algorithm));
    let dealt = cluster.zone(&key.zone).into_iter().flat_map(|zone| [&zone.zsk, &zone.ksk]);
    let mut others = dealt.filter(|other| other.dnskey != file.public.dnskey());
    if others.any(|other| !tags.is_disjoint(&tags_of(&other.dnskey))) {
        return Err(format!("has the key tag of another key of {}; deal again", key.zone));
    }
    let sealing = SealingKey::read(&home.join(SEAL)).map_err(|problem| problem.to_string())?;
    let share = file.open(me, &sealing)?;
    let seed = keygen::identity_seed(home).map_err(|problem| problem.to_string())?;
    let receipt = receipt::make(&file.public, &share, &seed)?;
    Ok(Held { bundle: file.public, share, receipt })
}
