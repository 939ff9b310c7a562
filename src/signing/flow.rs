//! A session's course: shares, attempts, proofs, claims, the end.

use super::culprits::Evidence;
use super::session::{Own, Session};
use super::task::{Done, Made, Outcome};
use super::{Message, Signing, Step};
use crate::codec::{JobId, KeyId};
use crate::limits::SIGNING_ASK_AFTER_MS;
use crate::protocol::{Misbehaviour, To};
use crate::quorum::ReplicaId;
use crate::threshold::{MODULUS_BITS, Proof, SignatureShare};

impl Signing {
    /// Opens a session, with the shares that came before it.
    pub(super) fn open(&mut self, key: KeyId, job: JobId, hash: Vec<u8>) {
        let spec = self.spec(key, job, hash);
        let (outer, job) = (job, spec.job);
        let mut session = Session::new(key, outer, spec, self.config.protocol, SIGNING_ASK_AFTER_MS);
        for peer in self.config.committee.others(self.config.me) {
            match self.early[peer.slot()].remove(&job) {
                Some((share, Some(proof))) => session.add_proof(peer, share, proof),
                Some((share, None)) => session.add_bare(peer, share),
                None => {}
            }
        }
        self.sessions.insert(job, session);
        self.queues.shares.push_back(job);
        self.consider(job);
    }

    /// Queues what can go on: proofs that are lacking, and an attempt to combine, if there is something new to combine.
    fn consider(&mut self, job: JobId) {
        let Some(session) = self.sessions.get_mut(&job) else { return };
        let k = session.key().threshold();
        for (who, share, proof) in session.next_proofs(k, &self.culprits) {
            self.queues.verifies.push_back((job, who, share, proof));
        }
        if session.ready(k, &self.culprits) {
            session.combining = true;
            self.queues.combines.push_back(job);
        }
    }

    /// Whether a number has the length of the job's key, or, before the job is started, and perhaps its key known, a
    /// length that some key may have; told if not.
    fn fits(&self, from: ReplicaId, job: &JobId, number: &[u8], step: &mut Step) -> bool {
        let fits = match self.sessions.get(job) {
            Some(session) => session.key().modulus().len() == number.len(),
            None => MODULUS_BITS.contains(&(number.len() * 8)),
        };
        if !fits {
            step.fault(from, Misbehaviour::Malformed);
        }
        fits
    }

    /// Keeps a share for a job that may still be started here.
    fn keep_early(&mut self, from: ReplicaId, job: JobId, share: SignatureShare, proof: Option<Proof>) {
        if self.finished.get(&job).is_none() && !self.known.contains_key(&job) {
            self.early[from.slot()].insert(job, (share, proof));
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
            if !self.fits(from, &job, &share.0, step) {
                continue;
            }
            match self.sessions.get_mut(&job) {
                Some(session) => session.add_bare(from, share),
                None => self.keep_early(from, job, share, None),
            }
            self.consider(job);
        }
    }

    /// Proofs count where they are wanted, one a replica. Under `basic` they come unasked, and may come early.
    pub(super) fn take_proofs(
        &mut self,
        from: ReplicaId,
        proofs: Vec<(JobId, SignatureShare, Proof)>,
        step: &mut Step,
    ) {
        for (job, share, proof) in proofs {
            if !self.fits(from, &job, &share.0, step) {
                continue;
            }
            if proof.z.len() > 3 * share.0.len() {
                step.fault(from, Misbehaviour::Malformed);
                continue;
            }
            match self.sessions.get_mut(&job) {
                Some(session) if session.wants_proof_of(from, &self.culprits) => {
                    session.add_proof(from, share, proof);
                }
                None if !self.config.protocol.trusts() => self.keep_early(from, job, share, Some(proof)),
                _ => {}
            }
            self.consider(job);
        }
    }

    /// Claims of finished signatures, one a replica, are checked like anything else that comes from outside.
    pub(super) fn take_claims(&mut self, from: ReplicaId, claims: Vec<(JobId, Vec<u8>)>, step: &mut Step) {
        for (job, signature) in claims {
            let job = self.session_of(job);
            let open = self.sessions.contains_key(&job);
            if open && self.fits(from, &job, &signature, step) {
                let session = self.sessions.get_mut(&job);
                if session.is_some_and(|session| session.claimed.insert(from)) {
                    self.queues.checks.push_back((job, from, signature));
                }
            }
        }
    }

    pub(super) fn absorb(&mut self, done: Done, step: &mut Step) {
        self.effort.count(&done);
        match done {
            Done::Share(made, lacking) => self.shared(made, lacking, step),
            Done::Combine(outcomes) => outcomes.into_iter().for_each(|outcome| self.combined(outcome, step)),
            Done::Check(claims) => {
                for (job, who, signature, valid) in claims {
                    self.checked(job, who, signature, valid, step);
                }
            }
            Done::Prove(proofs) => self.proved(proofs, step),
            Done::Errand(errand) => step.errands.push(errand),
            Done::Verify(verdicts) => {
                for (job, who, share, holds) in verdicts {
                    self.verified(job, who, share, holds, step);
                }
            }
        }
    }

    /// Own shares are made: they go to all, even if the job has been finished meanwhile by others' shares.
    fn shared(&mut self, made: Vec<Made>, lacking: Vec<JobId>, step: &mut Step) {
        for job in lacking {
            self.sessions.get_mut(&job).into_iter().for_each(|session| session.own = Own::Lacking);
            // One proof more of the others is needed.
            self.consider(job);
        }
        let me = self.config.me;
        for Made { job, share, proof } in &made {
            if let Some(session) = self.sessions.get_mut(job) {
                session.add_own(me, share.clone(), proof.clone());
                if proof.is_some() {
                    // It goes to all.
                    session.proof_wanted_by.clear();
                } else if !session.proof_wanted_by.is_empty() {
                    self.queues.proves.push_back(*job);
                }
                self.consider(*job);
            }
        }
        if self.config.committee.n() == 1 || made.is_empty() {
            return;
        }
        let message = if self.config.protocol.trusts() {
            Message::Shares(made.into_iter().map(|made| (made.job, made.share)).collect())
        } else {
            let proven = |Made { job, share, proof }| proof.map(|proof| (job, share, proof));
            Message::Proofs(made.into_iter().filter_map(proven).collect())
        };
        step.send.push((To::Others, message));
    }

    fn caught(&mut self, who: ReplicaId, job: JobId, evidence: Evidence, step: &mut Step) {
        self.culprits.add(who, job, evidence);
        let what = match evidence {
            Evidence::Signature => Misbehaviour::BadSignatureClaim,
            _ => Misbehaviour::BadSignatureShare,
        };
        step.fault(who, what);
    }

    fn combined(&mut self, outcome: Outcome, step: &mut Step) {
        let Outcome { job, signature, tried, wrong, .. } = outcome;
        let me = self.config.me;
        for (who, evidence) in wrong {
            let news = self.sessions.get_mut(&job).is_none_or(|session| session.discard(who));
            // Of a job finished meanwhile by a claim only the blame is of interest.
            if news && who != me {
                self.caught(who, job, evidence, step);
            }
        }
        let Some(session) = self.sessions.get_mut(&job) else { return };
        if let Some(signature) = signature {
            return self.finish(job, signature, step);
        }
        if session.failed(tried, me, self.config.committee.n(), self.config.protocol) {
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
            self.caught(who, job, Evidence::Signature, step);
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
        let session = self.sessions.get_mut(&job);
        let contradicts = session.is_some_and(|session| session.verified(who, share, holds));
        if !holds {
            self.caught(who, job, Evidence::Proof, step);
        } else if contradicts {
            self.caught(who, job, Evidence::Contradiction, step);
        }
        self.consider(job);
    }

    fn finish(&mut self, name: JobId, signature: Vec<u8>, step: &mut Step) {
        let job = self.sessions.remove(&name).map_or(name, |session| session.job);
        if job != name {
            self.names.entry(job).or_default().push(name);
            self.finished.insert(name, signature.clone());
        }
        self.finished.insert(job, signature.clone());
        step.finished.push((job, signature));
    }
}
