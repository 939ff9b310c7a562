//! Whether a deal is complete: the receipts of all n replicas for all keys.

use crate::ceremony::cluster::Cluster;
use crate::ceremony::files::Problem;
use crate::ceremony::receipt;
use crate::quorum::ReplicaId;
use crate::zone::CheckedBundle;
use std::path::Path;

/// What the receipts of a deal show.
pub struct Receipts {
    /// Replicas whose receipts are right, for all keys.
    pub there: Vec<ReplicaId>,
    /// Replicas that gave none yet, or a wrong one.
    pub lacking: Vec<ReplicaId>,
    /// Quorums that were combined, over all keys.
    pub quorums: usize,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Checks the receipts in the directory `dir` of a deal, and combines shares of the test messages.
pub fn check(cluster: &Cluster, dir: &Path) -> Receipts {
    let mut found = Receipts { there: Vec::new(), lacking: Vec::new(), quorums: 0, problems: Vec::new() };
    let path = dir.join("cluster.toml");
    let bundles = match cluster.bundles() {
        Ok(bundles) => bundles,
        Err(reason) => {
            found.problems.push(Problem::new(&path, reason));
            return found;
        }
    };
    let mut made = vec![Vec::new(); bundles.len()];
    for id in cluster.committee.members() {
        let file = dir.join(receipt::DIRECTORY).join(receipt::name(id));
        if !file.exists() {
            found.lacking.push(id);
            continue;
        }
        match receipts_of(id, &bundles, &file) {
            Ok(shares) => {
                found.there.push(id);
                made.iter_mut().zip(shares).for_each(|(made, share)| made.push((id, share)));
            }
            Err(problem) => {
                found.lacking.push(id);
                found.problems.push(problem);
            }
        }
    }
    for (bundle, made) in bundles.iter().zip(&made) {
        if made.len() < bundle.public().threshold() {
            continue;
        }
        match receipt::combine(bundle, made) {
            Ok(quorums) => found.quorums += quorums,
            Err(reason) => {
                let key = bundle.bundle();
                found.problems.push(Problem::new(&path, format!("{} {}: {reason}", key.zone, key.role)));
            }
        }
    }
    found
}

/// The shares of one replica, one for each bundle in order.
fn receipts_of(
    id: ReplicaId,
    bundles: &[CheckedBundle],
    file: &Path,
) -> Result<Vec<crate::threshold::SignatureShare>, Problem> {
    let receipts = receipt::read(file)?;
    let wrong = |reason: String| Problem::new(file, reason);
    if receipts.len() != bundles.len() {
        return Err(wrong(format!("holds {} receipts for {} keys", receipts.len(), bundles.len())));
    }
    for (bundle, receipt) in bundles.iter().zip(&receipts) {
        if receipt.replica != id {
            return Err(wrong(format!("is replica {}'s", receipt.replica)));
        }
        bundle.verify(receipt).map_err(wrong)?;
    }
    Ok(receipts.into_iter().map(|receipt| receipt.share).collect())
}
