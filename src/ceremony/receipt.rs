//! Receipts: how a replica shows that it has its share of a key, and what all n of them together show.
//!
//! [`crate::zone::Receipt`] is one receipt and how it is checked. A receipt file holds those of one replica for the keys
//! of one deal:
//!
//! ```text
//! "CONCLAVE-RECEIPT\n" · borsh of a list of receipts
//! ```
//!
//! [`combine`] puts shares of all receipts of a key together, many quorums of them: each must give the one signature of
//! the test message, which the key verifies. So a deal is tried as a whole before anything rests on it, and no share moves.
#![forbid(unsafe_code)]

use super::deal::entropy;
use super::files::{Problem, read_public, replace_public};
use super::identity;
use crate::codec::{self, encode};
use crate::limits::MAX_ZONES;
use crate::quorum::ReplicaId;
use crate::threshold::{SecretShare, SignatureShare};
use crate::zone::{CheckedBundle, Receipt};
use std::path::Path;

/// The directory of a deal in which receipts are collected.
pub const DIRECTORY: &str = "receipts";
/// How a receipt file begins.
pub const MAGIC: &[u8] = b"CONCLAVE-RECEIPT\n";
/// Bytes of one receipt of a key of 4,096 bits: a share, a proof, a signature, and lengths.
const MAX_RECEIPT_BYTES: usize = 2 * 512 + 65 + 32 + 32 + 64 + 64;
/// Bytes of a file: two keys for each of the most zones.
const MAX_BYTES: usize = 2 * MAX_ZONES * MAX_RECEIPT_BYTES;
/// Quorums tried for one key, beyond each window of neighbours.
const MAX_QUORUMS: usize = 64;

/// The name of a replica's file.
pub fn name(replica: ReplicaId) -> String {
    format!("replica-{replica}.receipt")
}

/// Makes the receipt for a share that fits its bundle.
pub fn make(bundle: &CheckedBundle, share: &SecretShare, seed: &[u8; 32]) -> Result<Receipt, String> {
    let (x, public) = (bundle.test_message(), bundle.public());
    let signature_share = share.sign(public, &x);
    let mut fresh = [0; 32];
    entropy(&mut fresh);
    let proof = share.prove(public, bundle.bundle().epoch, &x, &signature_share, fresh);
    let replica = share.index();
    let signed = Receipt::signed(bundle.name(), replica, &signature_share, &proof);
    let signature = identity::sign(seed, &signed)?;
    let receipt = Receipt { bundle: bundle.name(), replica, share: signature_share, proof, signature };
    bundle.verify(&receipt)?;
    Ok(receipt)
}

/// Writes a file of receipts, in the place of an older one.
pub fn write(path: &Path, receipts: &[Receipt]) -> Result<(), Problem> {
    replace_public(path, &[MAGIC, &encode(&receipts.to_vec())].concat())
}

/// Reads a file of receipts; whether they are right, [`CheckedBundle::verify`] says.
pub fn read(path: &Path) -> Result<Vec<Receipt>, Problem> {
    parse(&read_public(path)?).map_err(|reason| Problem::new(path, reason))
}

/// Parses the bytes of a file of receipts.
pub fn parse(bytes: &[u8]) -> Result<Vec<Receipt>, String> {
    let body = bytes.strip_prefix(MAGIC).ok_or("is not a file of receipts")?;
    codec::decode(body, MAX_BYTES).map_err(|e| format!("is no whole file of receipts: {e}"))
}

/// Combines many quorums of `made`, verified shares of the test message: each window of k neighbours round the ring, so
/// that every share is used, then sets of k in order. How many were tried.
pub fn combine(bundle: &CheckedBundle, made: &[(ReplicaId, SignatureShare)]) -> Result<usize, String> {
    let (public, x) = (bundle.public(), bundle.test_message());
    let k = public.threshold();
    if made.len() < k {
        return Err(format!("{} shares of the {k} that sign", made.len()));
    }
    let windows = (0..made.len()).map(|start| (0..k).map(|at| (start + at) % made.len()).collect());
    let mut first: Option<Vec<u8>> = None;
    let mut tried = 0;
    for set in windows.chain(subsets(made.len(), k).take(MAX_QUORUMS)) {
        let quorum: Vec<_> = set.iter().map(|at: &usize| made[*at].clone()).collect();
        let members: Vec<String> = quorum.iter().map(|(id, _)| id.to_string()).collect();
        let members = members.join(", ");
        let signature =
            public.combine(&x, &quorum).map_err(|e| format!("replicas {members} do not sign: {e:?}"))?;
        let bytes = signature.into_bytes();
        if *first.get_or_insert_with(|| bytes.clone()) != bytes {
            return Err(format!("replicas {members} make another signature than the first quorum"));
        }
        tried += 1;
    }
    Ok(tried)
}

/// The sets of `k` of 0 … n-1, in lexicographic order.
fn subsets(n: usize, k: usize) -> impl Iterator<Item = Vec<usize>> {
    let mut next = (k <= n).then(|| (0..k).collect::<Vec<usize>>());
    std::iter::from_fn(move || {
        let set = next.take()?;
        let movable = (0..k).rev().find(|at| set[*at] < n - k + at);
        next = movable.map(|at| {
            let mut after = set.clone();
            (at..k).for_each(|place| after[place] = set[at] + 1 + place - at);
            after
        });
        Some(set)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_are_all_there_and_in_order() {
        let all: Vec<_> = subsets(4, 2).collect();
        assert_eq!(all, [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]);
        assert_eq!(subsets(7, 5).count(), 21);
        assert_eq!(subsets(3, 3).count(), 1);
        assert_eq!(subsets(2, 3).count(), 0);
    }
}
