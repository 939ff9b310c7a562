//! What bounds the accepted vertices of equivocators, also of several that help one another.
//!
//! Two corrupt replicas can link ever more of each other's *twins* (vertices of one slot), each in a vertex that looks like a
//! correct replica's, and whoever may be correct must be followed: a fork bomb. No rule on what a vertex links ends that,
//! since which of the twins a correct replica met first only it can tell. So it does, after the alerts of Aleph (Gągol,
//! Leśniak, Straszak, Świętek, AFT 2019), in messages that are sent only after a proof of fault:
//! 1. With the proof against an author each replica sends its *alert*: the vertices of that author that it has accepted.
//!    There is one a slot at most, since a second one would have been the proof.
//! 2. Each replica signs of each other one, against each author, the first alert that it sees; q signatures certify it
//!    ([`Listed`]). So no two alerts of one replica against one author are certified, while nobody loses a log: who does forgets
//!    what it signed. A second one, certified after that, counts too, since others may have gone by it.
//! 3. From the proof on a vertex of that author is accepted only if a certified alert lists it (`waiting`).
//! 4. Who gets a certified alert sends it on, once; and proofs and alerts again, when a link is new.
//!
//! A replica that has lost its log, and with it its alerts, makes others, marked *resumed*; so corrupt ones have two as well.
//!
//! **Bound.** Of a proven author a correct replica accepts in each slot what it had itself, which its alert lists, and what
//! certified ones list: at most 2n vertices of a slot, 2tn + n - t of a round
//! ([`most_vertices`](crate::limits::most_vertices)), whatever the corrupt ones do together; and one more for each alert
//! that lost logs let them have certified besides.
//!
//! **Nobody blocks.** What a correct replica i accepts each other one, j, can accept: if i had it before the proof, i's alert
//! lists it, and all q correct replicas sign that; if later, i sends on the certified alert that lists it. Either reaches j,
//! as proofs do; by induction over ancestors j accepts it. What fell below the line before i had the proof is not
//! listed: j comes to it by a checkpoint, as to all that is collected. An alert names the highest
//! [`MAX_ALERT_VERTICES`], for the same reason. **Safety** is not touched: what is accepted when, is free.
//!
//! What remains: who loses its log twice in an epoch has no third alert for an author; what it alone had accepted of one that was
//! proven after the first loss, it cannot make others accept.

use super::identity::Signature;
use super::intake::fault;
use super::vertex::{Domain, VertexRef};
use super::{Consensus, Message, Record, Step};
use crate::codec::{Digest, encode};
use crate::limits::MAX_ALERT_VERTICES;
use crate::protocol::{Misbehaviour, To};
use crate::quorum::{Committee, ReplicaId};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};

/// Whose alert it is, against whom: of each there is one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub struct Subject {
    /// Who has accepted.
    pub by: ReplicaId,
    /// Whether it had lost its log before.
    pub resumed: bool,
    /// The equivocator.
    pub accused: ReplicaId,
}

/// What a replica had accepted of an equivocator when it got the proof.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Alert {
    /// Whose, against whom.
    pub subject: Subject,
    /// Round and digest, one of a round, ascending; at most [`MAX_ALERT_VERTICES`].
    pub accepted: Vec<(u64, Digest)>,
}

/// An alert with the signatures of q replicas, ascending.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Listed {
    /// What is certified.
    pub alert: Alert,
    pub(super) signatures: Vec<(ReplicaId, Signature)>,
}

impl Alert {
    /// What is signed.
    pub(super) fn digest(&self, domain: &Domain) -> Digest {
        domain.digest("conclave/alert", &[&encode(self)])
    }

    fn is_valid(&self, committee: Committee) -> bool {
        let Subject { by, accused, .. } = self.subject;
        committee.contains(by)
            && committee.contains(accused)
            && (1..=MAX_ALERT_VERTICES).contains(&self.accepted.len())
            && self.accepted.windows(2).all(|pair| pair[0].0 < pair[1].0)
    }

    /// The vertices it lists.
    fn vertices(&self) -> impl Iterator<Item = VertexRef> {
        let author = self.subject.accused;
        self.accepted.iter().map(move |&(round, digest)| VertexRef { round, author, digest })
    }

    /// The highest round of a vertex that it lists.
    fn top(&self) -> u64 {
        self.accepted.last().map_or(0, |(round, _)| *round)
    }
}

/// What is known of alerts.
///
/// Invariant: `signed` names one alert of each subject, for ever.
#[derive(Default)]
pub(super) struct Alerts {
    /// Own ones that are not certified, by digest, and who has signed them.
    open: BTreeMap<Digest, (Alert, BTreeMap<ReplicaId, Signature>)>,
    signed: BTreeMap<Subject, Digest>,
    /// Certified ones, by digest: of one subject there may be two (see the module).
    listed: BTreeMap<Digest, Listed>,
    /// Vertices of lower rounds nobody needs.
    kept: u64,
}

impl Alerts {
    /// Forgets what lists only vertices of rounds below `kept`.
    pub fn collect(&mut self, kept: u64) {
        self.kept = self.kept.max(kept);
        self.open.retain(|_, (alert, _)| alert.top() >= kept);
        self.listed.retain(|_, listed| listed.alert.top() >= kept);
    }

    /// What the log holds of them.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        let signed = self.signed.iter().map(|(subject, digest)| Record::Signed(*subject, *digest));
        let open = self.open.values().map(|(alert, _)| Record::Alert(alert.clone()));
        signed.chain(open).chain(self.listed.values().cloned().map(Record::Listed))
    }
}

impl Consensus {
    /// Tells what was accepted of an author that is proven an equivocator, unless that is told: of what certified alerts list
    /// nothing more needs to be said, and of the rest there is one vertex a slot, also after a crash that came between the
    /// records of the proof and of the alert.
    pub(super) fn alert(&mut self, accused: ReplicaId, step: &mut Step) {
        let resumed = self.observe.observes() || self.creation.floor > 0;
        let subject = Subject { by: self.config.me, resumed, accused };
        if self.alerts.signed.contains_key(&subject) {
            return;
        }
        let certified = self.alerts.listed.values().filter(|listed| listed.alert.subject.accused == accused);
        let told: BTreeSet<VertexRef> = certified.flat_map(|listed| listed.alert.vertices()).collect();
        let untold = self.dag.of(accused).filter(|id| !told.contains(id));
        let mut accepted: Vec<(u64, Digest)> = untold.map(|id| (id.round, id.digest)).collect();
        accepted.drain(..accepted.len().saturating_sub(MAX_ALERT_VERTICES));
        if accepted.is_empty() {
            return;
        }
        let alert = Alert { subject, accepted };
        step.records.push(Record::Alert(alert.clone()));
        self.open_alert(alert.clone());
        step.send.push((To::Others, Message::Alert(alert)));
    }

    /// An own alert, of now or of the log: it is signed here first.
    pub(super) fn open_alert(&mut self, alert: Alert) {
        let digest = alert.digest(&self.domain);
        let own = (self.config.me, self.secrets.identity.sign(&digest));
        self.alerts.signed.insert(alert.subject, digest);
        self.alerts.open.insert(digest, (alert, BTreeMap::from([own])));
    }

    pub(super) fn take_alert(&mut self, from: ReplicaId, alert: Alert, step: &mut Step) {
        if alert.subject.by != from || !alert.is_valid(self.config.committee) {
            return fault(step, from, Misbehaviour::Malformed);
        }
        let digest = alert.digest(&self.domain);
        let signed = *self.alerts.signed.entry(alert.subject).or_insert_with(|| {
            step.records.push(Record::Signed(alert.subject, digest));
            digest
        });
        if signed != digest {
            // A correct replica that has lost its log twice does so, too.
            if !alert.subject.resumed {
                fault(step, from, Misbehaviour::Flood);
            }
            return;
        }
        let signature = self.secrets.identity.sign(&digest);
        step.send.push((To::One(from), Message::Signed(digest, signature)));
    }

    pub(super) fn take_signature(
        &mut self,
        from: ReplicaId,
        digest: Digest,
        signature: Signature,
        step: &mut Step,
    ) {
        let Some((alert, signatures)) = self.alerts.open.get_mut(&digest) else { return };
        if signatures.contains_key(&from) {
            return;
        }
        if !signature.verifies(&self.config.identities[from.slot()], &digest) {
            return fault(step, from, Misbehaviour::BadSignature);
        }
        signatures.insert(from, signature);
        if signatures.len() >= self.config.committee.quorum() {
            let signatures = std::mem::take(signatures).into_iter().collect();
            let listed = Listed { alert: alert.clone(), signatures };
            self.list(listed, step);
        }
    }

    pub(super) fn take_listed(&mut self, from: ReplicaId, listed: Listed, step: &mut Step) {
        if listed.alert.top() < self.alerts.kept {
            return;
        }
        if !listed.alert.is_valid(self.config.committee) {
            return fault(step, from, Misbehaviour::Malformed);
        }
        let digest = listed.alert.digest(&self.domain);
        if self.alerts.listed.contains_key(&digest) {
            return;
        }
        let quorum = self.config.committee.quorum();
        if !self.judge().are_signatures(quorum, &listed.signatures, &digest) {
            return fault(step, from, Misbehaviour::BadCertificate);
        }
        self.list(listed, step);
    }

    /// A new certified alert: what waited for it is accepted.
    fn list(&mut self, listed: Listed, step: &mut Step) {
        step.records.push(Record::Listed(listed.clone()));
        step.send.push((To::Others, Message::Listed(listed.clone())));
        let ready = self.enter_listed(listed);
        self.accept_all(ready, step);
    }

    /// Takes a certified alert; what waited for nothing else. No other one of its subject is signed here from now on, also
    /// if the log that said what was signed is lost.
    pub(super) fn enter_listed(&mut self, listed: Listed) -> Vec<(VertexRef, super::Vertex)> {
        let digest = listed.alert.digest(&self.domain);
        self.alerts.signed.entry(listed.alert.subject).or_insert(digest);
        self.alerts.open.remove(&digest);
        let line = self.dag.line();
        let ready = self.waiting.list(listed.alert.vertices().filter(|id| id.round >= line));
        self.alerts.listed.insert(digest, listed);
        ready
    }

    /// Enters what the log says was signed.
    pub(super) fn enter_signed(&mut self, subject: Subject, digest: Digest) {
        self.alerts.signed.insert(subject, digest);
    }

    /// What a peer whose link is new may lack of proofs and alerts.
    pub(super) fn evidence(&self) -> impl Iterator<Item = Message> {
        let proofs = self.creation.excluded.values().cloned();
        let open = self.alerts.open.values().map(|(alert, _)| Message::Alert(alert.clone()));
        let listed = self.alerts.listed.values().cloned().map(Message::Listed);
        proofs.map(|(one, other)| Message::Proof(one, other)).chain(open).chain(listed)
    }
}
