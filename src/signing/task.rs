//! RSA work outside the core: pure functions of their arguments, for worker threads or, in a simulation, at once.

use super::keys::KeyStore;
use super::refresh::{Chore, Errand};
use super::subsets::{Mask, Subsets};
use crate::codec::{ClusterId, Epoch, JobId, KeyId};
use crate::limits::MAX_OPTTE_TRIES;
use crate::quorum::ReplicaId;
use crate::threshold::{CombineError, Proof, PublicKey, Representative, SignatureShare};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is signed, and under which name.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub(super) job: JobId,
    /// The key, as shared when this was asked for.
    pub(super) public: Arc<PublicKey>,
    pub(super) hash: Vec<u8>,
}

impl Spec {
    fn x(&self) -> Representative {
        self.public.encode(&self.hash).expect("jobs sign SHA-256 or SHA-512")
    }
}

/// RSA work for a worker thread.
#[derive(Debug)]
pub struct Task(pub(super) Work);

#[derive(Debug)]
pub(super) enum Work {
    Share(Vec<Spec>),
    Combine(Vec<Attempt>),
    Check(Vec<(Spec, ReplicaId, Vec<u8>)>),
    Prove(Epoch, Vec<(Spec, SignatureShare)>),
    Verify(Epoch, Vec<(Spec, ReplicaId, SignatureShare, Proof)>),
    Chore((ClusterId, Epoch), Chore),
}

/// Shares to combine, the most trusted first; the subsets that have failed before; and shares that do not count, to be
/// tested once the signature is known.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) spec: Spec,
    pub(super) shares: Vec<(ReplicaId, SignatureShare)>,
    pub(super) tried: BTreeSet<Mask>,
    pub(super) suspects: Vec<(ReplicaId, SignatureShare)>,
}

/// What became of a [`Task`], for [`Signing::computed`](super::Signing::computed).
#[derive(Debug)]
pub struct Computed(pub(super) Done);

#[derive(Debug)]
pub(super) enum Done {
    /// None where there is nothing to make it with.
    Share(Vec<(JobId, Option<SignatureShare>)>),
    Combine(Vec<Outcome>),
    /// Who claimed which signature, and whether it is one.
    Check(Vec<(JobId, ReplicaId, Vec<u8>, bool)>),
    Prove(Vec<(JobId, Proof)>),
    /// Whose share, and whether its proof holds.
    Verify(Vec<(JobId, ReplicaId, SignatureShare, bool)>),
    Errand(Errand),
}

/// What became of an [`Attempt`].
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) job: JobId,
    pub(super) signature: Option<Vec<u8>>,
    pub(super) tried: BTreeSet<Mask>,
    /// Replicas whose shares are certainly wrong.
    pub(super) wrong: BTreeSet<ReplicaId>,
}

impl Task {
    /// Does the work. `entropy` should be fresh; it hedges the nonces of proofs.
    pub fn run(self, keys: &KeyStore, entropy: [u8; 32]) -> Computed {
        Computed(match self.0 {
            Work::Share(specs) => Done::Share(share(keys, &specs)),
            Work::Combine(attempts) => Done::Combine(attempts.into_iter().map(combine).collect()),
            Work::Check(claims) => Done::Check(
                claims
                    .into_iter()
                    .map(|(spec, who, signature)| {
                        let valid = spec.public.verify(&spec.x(), &signature);
                        (spec.job, who, signature, valid)
                    })
                    .collect(),
            ),
            Work::Prove(epoch, items) => Done::Prove(
                items
                    .into_iter()
                    // A share that was wiped meanwhile proves nothing any more.
                    .filter_map(|(spec, share)| {
                        let held = keys.share(spec.public.key_id())?;
                        Some((spec.job, held.share.prove(&spec.public, epoch, &spec.x(), &share, entropy)))
                    })
                    .collect(),
            ),
            Work::Verify(epoch, items) => Done::Verify(
                items
                    .into_iter()
                    .map(|(spec, who, share, proof)| {
                        let holds = spec.public.verify_share(who, epoch, &spec.x(), &share, &proof).is_ok();
                        (spec.job, who, share, holds)
                    })
                    .collect(),
            ),
            Work::Chore(realm, chore) => Done::Errand(chore.run(realm, keys, entropy)),
        })
    }
}

/// Shares of jobs, those of one key together; none of a key whose share is not here yet, or no longer.
fn share(keys: &KeyStore, specs: &[Spec]) -> Vec<(JobId, Option<SignatureShare>)> {
    let mut by_key: BTreeMap<KeyId, Vec<&Spec>> = BTreeMap::new();
    for spec in specs {
        by_key.entry(spec.public.key_id()).or_default().push(spec);
    }
    let mut shares = Vec::with_capacity(specs.len());
    for (sharing, specs) in by_key {
        let jobs = specs.iter().map(|spec| spec.job);
        let Some(held) = keys.share(sharing) else {
            shares.extend(jobs.map(|job| (job, None)));
            continue;
        };
        let xs: Vec<_> = specs.iter().map(|spec| spec.x()).collect();
        shares.extend(jobs.zip(held.share.sign_all(&held.public, &xs).into_iter().map(Some)));
    }
    shares
}

/// `optte`: tries k-subsets that have not been tried until one verifies, or tries run out.
fn combine(attempt: Attempt) -> Outcome {
    let Attempt { spec, mut shares, mut tried, suspects } = attempt;
    let (public, x) = (&*spec.public, spec.x());
    let mut wrong = BTreeSet::new();
    'shares: loop {
        for chosen in Subsets::new(shares.len(), public.threshold()) {
            let set: Vec<_> = chosen.iter().map(|place| shares[*place].clone()).collect();
            let mask = Mask::of(set.iter().map(|(who, _)| *who));
            if tried.contains(&mask) {
                continue;
            }
            if tried.len() >= MAX_OPTTE_TRIES {
                break 'shares;
            }
            match public.combine(&x, &set) {
                Ok(signature) => {
                    let failed = |who: ReplicaId| !mask.has(who) && tried.iter().any(|set| set.has(who));
                    let spoiled = shares.iter().filter(|(who, _)| failed(*who));
                    wrong.extend(spoilers(public, &x, &set, spoiled.chain(&suspects)));
                    return Outcome { job: spec.job, signature: Some(signature.into_bytes()), tried, wrong };
                }
                // No need to try this one's share in company.
                Err(CombineError::Bad(who, _)) => {
                    wrong.insert(who);
                    shares.retain(|(other, _)| *other != who);
                    continue 'shares;
                }
                Err(_) => {
                    tried.insert(mask);
                }
            }
        }
        break;
    }
    Outcome { job: spec.job, signature: None, tried, wrong }
}

/// Which suspects' shares do not combine with k-1 shares that are known to be right.
fn spoilers<'a>(
    public: &PublicKey,
    x: &Representative,
    right: &[(ReplicaId, SignatureShare)],
    suspects: impl Iterator<Item = &'a (ReplicaId, SignatureShare)>,
) -> Vec<ReplicaId> {
    let spoils = |suspect: &(ReplicaId, SignatureShare)| {
        let mut set = right.to_vec();
        set.pop();
        set.push(suspect.clone());
        public.combine(x, &set).is_err()
    };
    suspects.filter(|suspect| spoils(suspect)).map(|(who, _)| *who).collect()
}
