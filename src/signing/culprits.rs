//! Who has been caught, and by what.
//!
//! Only what is certain is written down: nobody stands here who sent nothing wrong. It is memory and no record: nothing of
//! it survives a restart. A share on an authenticated link is no evidence for anybody else, the protocols need none,
//! and a peer that was repaired is to be trusted again when an operator says so, which he does by a restart.

use crate::codec::JobId;
use crate::quorum::ReplicaId;
use std::collections::BTreeMap;
use std::fmt;

/// What shows that a peer sent something wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Evidence {
    /// The share is no unit of Z_N, or out of range.
    Form,
    /// It does not combine with k-1 shares that do combine.
    Combination,
    /// Its proof does not hold.
    Proof,
    /// It is another one than the one that was proved afterwards.
    Contradiction,
    /// What was said to be a finished signature does not verify.
    Signature,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "form",
            Self::Combination => "combination",
            Self::Proof => "proof",
            Self::Contradiction => "contradiction",
            Self::Signature => "signature",
        })
    }
}

/// What one peer did wrong in the sessions of this replica, since it started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Culprit {
    /// How many shares or signatures were seen to be wrong, at most one a job, by what shows it. Of those that nobody needed
    /// not all are looked at.
    pub wrong: BTreeMap<Evidence, u64>,
    /// The last one's job.
    pub last_job: JobId,
    /// What shows the last one.
    pub last_evidence: Evidence,
}

/// The peers that were caught.
#[derive(Default)]
pub(super) struct Culprits(BTreeMap<ReplicaId, Culprit>);

impl Culprits {
    pub(super) fn add(&mut self, who: ReplicaId, job: JobId, evidence: Evidence) {
        let fresh = Culprit { wrong: BTreeMap::new(), last_job: job, last_evidence: evidence };
        let culprit = self.0.entry(who).or_insert(fresh);
        *culprit.wrong.entry(evidence).or_default() += 1;
        (culprit.last_job, culprit.last_evidence) = (job, evidence);
    }

    pub(super) fn has(&self, who: ReplicaId) -> bool {
        self.0.contains_key(&who)
    }

    pub(super) fn all(&self) -> &BTreeMap<ReplicaId, Culprit> {
        &self.0
    }
}
