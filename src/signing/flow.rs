//! A session's course: shares, attempts, proofs, claims, the end.

use super::session::{Own, Session};
use super::task::{Done, Outcome, Spec};
use super::{Message, Signing, Step};
use crate::codec::JobId;
use crate::limits::{MAX_OPTTE_TRIES, SIGNING_ASK_AFTER_MS};
use crate::protocol::{Misbehaviour, To};
use crate::quorum::ReplicaId;
use crate::threshold::{MODULUS_BITS, Proof, SignatureShare};

impl Signing {
    /// Opens a session, with the shares that came before it.
    pub(super) fn open(&mut self, spec: Spec) {
        let job = spec.job;
        let mut session = Session::new(spec, SIGNING_ASK_AFTER_MS);
        for peer in self.config.committee.others(self.config.me) {
            if let Some(share) = self.early[peer.slot()].remove(&job) {
                session.add_bare(peer, share);
            }
        }
        self.sessions.insert(job, session);
        self.queues.shares.push_back(job);
        self.consider(job);
    }

    /// Queues an attempt to combine, if there is something new to combine.
    fn consider(&mut self, job: JobId) {
        let Some(session) = self.sessions.get_mut(&job) else { return };
        let k = self.config.keys[&session.key()].threshold();
        if session.ready(k) {
            session.combining = true;
            self.queues.combines.push_back(job);
        }
    }

    pub(super) fn take_shares(
        &mut self,
        from: ReplicaId,
        shares: Vec<(JobId, SignatureShare)>,
        step: &mut Step,
    ) {
        let from = if planted!(SharesMixedUp) { self.config.me } else { from };
        for (job, share) in shares {
            if let Some(session) = self.sessions.get_mut(&job) {
                if share.0.len() == self.config.keys[&session.key()].modulus().len() {
                    session.add_bare(from, share);
                    self.consider(job);
                } else {
                    step.fault(from, Misbehaviour::Malformed);
                }
            } else if self.finished.get(&job).is_none() && !self.known.contains_key(&job) {
                // Which key it is of is not known yet, nor perhaps the key, but some key's length it must have.
                if MODULUS_BITS.contains(&(share.0.len() * 8)) {
                    self.early[from.slot()].insert(job, share);
                } else {
                    step.fault(from, Misbehaviour::Malformed);
                }
            }
        }
    }

    /// Proofs count when they have been asked for, one a replica.
    pub(super) fn take_proofs(
        &mut self,
        from: ReplicaId,
        proofs: Vec<(JobId, SignatureShare, Proof)>,
        step: &mut Step,
    ) {
        for (job, share, proof) in proofs {
            let Some(session) = self.sessions.get_mut(&job) else { continue };
            let length = self.config.keys[&session.key()].modulus().len();
            if share.0.len() != length || proof.z.len() > 2 * length {
                step.fault(from, Misbehaviour::Malformed);
            } else if session.proofs_asked && session.proof_taken.insert(from) {
                self.queues.verifies.push_back((job, from, share, proof));
            }
        }
    }

    /// Claims of finished signatures, one a replica, are checked like anything else that comes from outside.
    pub(super) fn take_claims(&mut self, from: ReplicaId, claims: Vec<(JobId, Vec<u8>)>, step: &mut Step) {
        for (job, signature) in claims {
            let Some(session) = self.sessions.get_mut(&job) else { continue };
            if signature.len() != self.config.keys[&session.key()].modulus().len() {
                step.fault(from, Misbehaviour::Malformed);
            } else if session.claimed.insert(from) {
                self.queues.checks.push_back((job, from, signature));
            }
        }
    }

    pub(super) fn absorb(&mut self, done: Done, step: &mut Step) {
        match done {
            Done::Share(shares) => self.shared(shares, step),
            Done::Combine(outcomes) => outcomes.into_iter().for_each(|outcome| self.combined(outcome, step)),
            Done::Check(claims) => {
                for (job, who, signature, valid) in claims {
                    self.checked(job, who, signature, valid, step);
                }
            }
            Done::Prove(proofs) => self.proved(proofs, step),
            Done::Verify(verdicts) => {
                for (job, who, share, holds) in verdicts {
                    self.verified(job, who, share, holds, step);
                }
            }
        }
    }

    /// Own shares are made: they go to all, even if the job has been finished meanwhile by others' shares.
    fn shared(&mut self, shares: Vec<(JobId, SignatureShare)>, step: &mut Step) {
        for (job, share) in &shares {
            if let Some(session) = self.sessions.get_mut(job) {
                session.own = Own::Sent;
                session.add_proven(self.config.me, share.clone());
                if !session.proof_wanted_by.is_empty() {
                    self.queues.proves.push_back(*job);
                }
                self.consider(*job);
            }
        }
        if self.config.committee.n() > 1 && !shares.is_empty() {
            step.send.push((To::Others, Message::Shares(shares)));
        }
    }

    fn combined(&mut self, outcome: Outcome, step: &mut Step) {
        let Outcome { job, signature, tried, wrong } = outcome;
        // Of a job finished meanwhile by a claim only the blame is of interest.
        for who in wrong.iter().filter(|who| **who != self.config.me) {
            self.culprits.insert(*who);
            step.fault(*who, Misbehaviour::BadSignatureShare);
        }
        let Some(session) = self.sessions.get_mut(&job) else { return };
        if let Some(signature) = signature {
            return self.finish(job, signature, step);
        }
        for who in wrong {
            session.discard(who);
        }
        let n = self.config.committee.n();
        if session.failed(tried, MAX_OPTTE_TRIES, n) {
            session.proofs_asked = true;
            step.send.push((To::Others, Message::AskProofs(vec![job])));
        }
        if session.own == Own::PutOff {
            session.own = Own::Queued;
            self.queues.shares.push_back(job);
        }
        self.consider(job);
    }

    fn checked(&mut self, job: JobId, who: ReplicaId, signature: Vec<u8>, valid: bool, step: &mut Step) {
        if !valid {
            step.fault(who, Misbehaviour::BadSignatureClaim);
        } else if self.sessions.contains_key(&job) {
            self.helper = Some((who, self.now));
            self.finish(job, signature, step);
        }
    }

    fn proved(&mut self, proofs: Vec<(JobId, Proof)>, step: &mut Step) {
        for (job, proof) in proofs {
            if let Some(session) = self.sessions.get_mut(&job) {
                session.own_proof = Some(proof);
                let waiting = std::mem::take(&mut session.proof_wanted_by);
                for peer in waiting {
                    self.answer_with_proofs(peer, &[job], step);
                }
            }
        }
    }

    fn verified(&mut self, job: JobId, who: ReplicaId, share: SignatureShare, holds: bool, step: &mut Step) {
        if !holds {
            self.culprits.insert(who);
            step.fault(who, Misbehaviour::BadSignatureShare);
        } else if let Some(session) = self.sessions.get_mut(&job) {
            // The share that spoiled earlier attempts was another one than the one proved now.
            if session.share_of(who).is_some_and(|earlier| *earlier != share) {
                self.culprits.insert(who);
                step.fault(who, Misbehaviour::BadSignatureShare);
            }
            session.add_proven(who, share);
            self.consider(job);
        }
    }

    fn finish(&mut self, job: JobId, signature: Vec<u8>, step: &mut Step) {
        self.sessions.remove(&job);
        self.finished.insert(job, signature.clone());
        step.finished.push((job, signature));
    }
}
