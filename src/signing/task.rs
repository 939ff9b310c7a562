//! RSA work outside the core: pure functions of their arguments, for worker threads or, in a simulation, at once.

use super::culprits::Evidence;
use super::keys::KeyStore;
use super::refresh::{Chore, Errand};
use super::subsets::{Mask, Subsets};
use crate::codec::{ClusterId, Epoch, JobId, KeyId};
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
    /// With proofs, if there is an epoch to bind them to.
    Share(Vec<Spec>, Option<Epoch>),
    Combine(Vec<Attempt>),
    Check(Vec<(Spec, ReplicaId, Vec<u8>)>),
    Prove(Epoch, Vec<(Spec, SignatureShare)>),
    Verify(Epoch, Vec<(Spec, ReplicaId, SignatureShare, Proof)>),
    Chore((ClusterId, Epoch), Chore),
}

/// Shares to combine, the most trusted first; the subsets that have failed before, and how many may fail in all; and
/// shares that do not count, to be tested once the signature is known.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) spec: Spec,
    pub(super) shares: Vec<(ReplicaId, SignatureShare)>,
    pub(super) tried: BTreeSet<Mask>,
    pub(super) most: usize,
    pub(super) suspects: Vec<(ReplicaId, SignatureShare)>,
}

/// What became of a [`Task`], for [`Signing::computed`](super::Signing::computed).
#[derive(Debug)]
pub struct Computed(pub(super) Done);

#[derive(Debug)]
pub(super) enum Done {
    /// Those made, and the jobs for which there is nothing to make one with.
    Share(Vec<Made>, Vec<JobId>),
    Combine(Vec<Outcome>),
    /// Who claimed which signature, and whether it is one.
    Check(Vec<(JobId, ReplicaId, Vec<u8>, bool)>),
    Prove(Vec<(JobId, Proof)>),
    /// Whose share, and whether its proof holds.
    Verify(Vec<(JobId, ReplicaId, SignatureShare, bool)>),
    Errand(Errand),
}

/// An own share, and its proof if it was wanted.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) job: JobId,
    pub(super) share: SignatureShare,
    pub(super) proof: Option<Proof>,
}

/// What became of an [`Attempt`].
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) job: JobId,
    pub(super) signature: Option<Vec<u8>>,
    pub(super) tried: BTreeSet<Mask>,
    /// Replicas whose shares are certainly wrong, and by what that shows.
    pub(super) wrong: BTreeMap<ReplicaId, Evidence>,
    /// k-subsets that were combined.
    pub(super) combinations: u64,
}

impl Task {
    /// Does the work. `entropy` should be fresh; it hedges the nonces of proofs.
    pub fn run(self, keys: &KeyStore, entropy: [u8; 32]) -> Computed {
        Computed(match self.0 {
            Work::Share(specs, proofs) => {
                let (made, lacking) = share(keys, &specs, proofs, entropy);
                Done::Share(made, lacking)
            }
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
                        let holds = holds || planted!(ProofUnchecked);
                        (spec.job, who, share, holds)
                    })
                    .collect(),
            ),
            Work::Chore(realm, chore) => Done::Errand(chore.run(realm, keys, entropy)),
        })
    }
}

/// Shares of jobs, those of one key together; and the jobs of keys whose share is not here yet, or no longer.
fn share(
    keys: &KeyStore,
    specs: &[Spec],
    proofs: Option<Epoch>,
    entropy: [u8; 32],
) -> (Vec<Made>, Vec<JobId>) {
    let mut by_key: BTreeMap<KeyId, Vec<&Spec>> = BTreeMap::new();
    for spec in specs {
        by_key.entry(spec.public.key_id()).or_default().push(spec);
    }
    let (mut made, mut lacking) = (Vec::with_capacity(specs.len()), Vec::new());
    for (sharing, specs) in by_key {
        let Some(held) = keys.share(sharing) else {
            lacking.extend(specs.iter().map(|spec| spec.job));
            continue;
        };
        let (public, secret) = (&held.public, &held.share);
        let xs: Vec<_> = specs.iter().map(|spec| spec.x()).collect();
        for ((spec, x), share) in specs.iter().zip(&xs).zip(secret.sign_all(public, &xs)) {
            let proof = proofs.map(|epoch| secret.prove(public, epoch, x, &share, entropy));
            made.push(Made { job: spec.job, share, proof });
        }
    }
    (made, lacking)
}

/// Tries k-subsets that have not been tried until one verifies, or tries run out.
fn combine(attempt: Attempt) -> Outcome {
    let Attempt { spec, mut shares, mut tried, most, suspects } = attempt;
    let (public, x) = (&*spec.public, spec.x());
    let mut wrong = BTreeMap::new();
    let mut combinations = 0;
    'shares: loop {
        for chosen in Subsets::new(shares.len(), public.threshold()) {
            let set: Vec<_> = chosen.iter().map(|place| shares[*place].clone()).collect();
            let mask = Mask::of(set.iter().map(|(who, _)| *who));
            if tried.contains(&mask) {
                continue;
            }
            if tried.len() >= most {
                break 'shares;
            }
            combinations += 1;
            match public.combine(&x, &set) {
                Ok(signature) => {
                    let failed = |who: ReplicaId| !mask.has(who) && tried.iter().any(|set| set.has(who));
                    let spoiled = shares.iter().filter(|(who, _)| failed(*who));
                    for suspect in spoiled.chain(&suspects) {
                        combinations += 1;
                        wrong.extend(spoils(public, &x, &set, suspect).map(|evidence| (suspect.0, evidence)));
                    }
                    let signature = Some(signature.into_bytes());
                    return Outcome { job: spec.job, signature, tried, wrong, combinations };
                }
                // No need to try this one's share in company.
                Err(CombineError::Bad(who, _)) => {
                    wrong.insert(who, Evidence::Form);
                    shares.retain(|(other, _)| *other != who);
                    continue 'shares;
                }
                Err(_) => {
                    if planted!(AllBlamed) {
                        wrong.extend(set.iter().map(|(who, _)| (*who, Evidence::Combination)));
                    }
                    tried.insert(mask);
                }
            }
        }
        break;
    }
    Outcome { job: spec.job, signature: None, tried, wrong, combinations }
}

/// What shows, in the company of k-1 shares that are known to be right, that a share is wrong.
fn spoils(
    public: &PublicKey,
    x: &Representative,
    right: &[(ReplicaId, SignatureShare)],
    suspect: &(ReplicaId, SignatureShare),
) -> Option<Evidence> {
    let mut set = right.to_vec();
    set.pop();
    set.push(suspect.clone());
    match public.combine(x, &set) {
        Ok(_) => None,
        Err(CombineError::Bad(..)) => Some(Evidence::Form),
        Err(_) => Some(Evidence::Combination),
    }
}
