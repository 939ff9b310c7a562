//! Clients that wait, and the requests they wait for.
//!
//! A request is known by the digest of its encoded bytes, which is what comes back from the order, whoever's
//! vertex carried it. Several clients may wait for one request: stock nsupdate sends the same message again after
//! three seconds. A change under a `quorum` key is known by its own digest: whichever replica's vouch decides it, the answer is that
//! of all who wait for it. A client whose patience ends is told SERVFAIL; its request stays, to be attached to by the next
//! try, until it is executed and published or its signature's window is over. But a change that only lacks others' vouches stays no
//! longer than its clients: then nothing of it is on its way, and the next try vouches again.
//!
//! Invariants:
//! 1. Each client in `waiting` names a request in `requests` that lists it, and has its entry in `deadlines`.
//! 2. Each lot counts its clients, and its requests of which octets are on their way, and these. Updates and queries have lots of their
//!    own, so that a flood of queries, which anybody can send, keeps no update out.
//! 3. A client leaves `waiting` exactly once: answered, out of patience, or forgotten.
use super::ClientId;
use super::reply::Asker;
use crate::codec::Digest;
use crate::dns::Name;
use crate::limits;
use crate::time::UnixMillis;
use crate::zone::{Kind, Outcome};
use std::collections::{BTreeMap, BTreeSet};

/// Signatures of one change by which it is known again: each retry of a client that signs anew is one.
const MAX_SIGNATURES: usize = 16;

/// A request's outcome, if it was executed, and who waited for it.
type Removed = (Option<Outcome>, Vec<(ClientId, Asker)>);

/// All clients of one replica that wait.
pub(super) struct Clients {
    patience_ms: u64,
    waiting: BTreeMap<ClientId, Waiting>,
    deadlines: BTreeSet<(UnixMillis, ClientId)>,
    requests: BTreeMap<Digest, Request>,
    expiries: BTreeSet<(UnixMillis, Digest)>,
    by_covered: BTreeMap<Digest, Digest>,
    by_version: BTreeMap<Name, BTreeMap<u64, Vec<Digest>>>,
    updates: Lot,
    queries: Lot,
}

/// What is taken of one kind's places.
#[derive(Default)]
struct Lot {
    clients: usize,
    requests: usize,
    bytes: usize,
}

struct Waiting {
    asker: Asker,
    kind: Kind,
    request: Digest,
    deadline: UnixMillis,
}

struct Request {
    kind: Kind,
    /// Of a change: whose.
    key: Option<Name>,
    clients: Vec<ClientId>,
    covered: Vec<Digest>,
    /// What was sent to the order and has not come out of it, and its octets; of a change the own vouches.
    sent: Vec<(Digest, usize)>,
    expires: UnixMillis,
    outcome: Option<Outcome>,
}

/// What sets out for the order.
pub(super) struct Departure {
    /// The digest of its octets.
    pub sent: Digest,
    pub bytes: usize,
    pub kind: Kind,
    /// The digest of what its signature covers.
    pub covered: Option<Digest>,
    /// Of a vouch: under whose key.
    pub key: Option<Name>,
}

/// Who wait for what, and what became of it.
pub(super) struct Done {
    pub outcome: Outcome,
    pub clients: Vec<(ClientId, Asker)>,
}

impl Clients {
    /// Nobody waits.
    pub fn new(patience_ms: u64) -> Self {
        Self {
            patience_ms,
            waiting: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            requests: BTreeMap::new(),
            expiries: BTreeSet::new(),
            by_covered: BTreeMap::new(),
            by_version: BTreeMap::new(),
            updates: Lot::default(),
            queries: Lot::default(),
        }
    }

    /// Whether there is room for one more client with a request of this kind.
    pub fn has_room(&self, kind: Kind) -> bool {
        self.lot(kind).clients < limits::MAX_PENDING_CLIENTS / 2
    }

    /// Whether there is room for one more request of `bytes`.
    pub fn has_room_for_request(&self, kind: Kind, bytes: usize) -> bool {
        let lot = self.lot(kind);
        lot.requests < limits::MAX_PENDING_CLIENTS / 2
            && lot.bytes + bytes <= limits::MAX_PENDING_REQUEST_BYTES / 2
    }

    fn lot(&self, kind: Kind) -> &Lot {
        if kind == Kind::Query { &self.queries } else { &self.updates }
    }

    fn lot_mut(&mut self, kind: Kind) -> &mut Lot {
        if kind == Kind::Query { &mut self.queries } else { &mut self.updates }
    }

    /// Whether the outcome of a request on its way is known.
    pub fn is_decided(&self, request: &Digest) -> bool {
        self.requests.get(request).is_some_and(|request| request.outcome.is_some())
    }

    /// The request on its way whose signature covers the same bytes.
    pub fn pending(&self, covered: &Digest) -> Option<Digest> {
        self.by_covered.get(covered).copied()
    }

    /// Changes under `key` of which no outcome is known: their clients wait, or the own vouch is on its way.
    pub fn undecided(&self, key: &Name) -> usize {
        let is_such = |request: &&Request| request.key.as_ref() == Some(key) && request.outcome.is_none();
        self.requests.values().filter(is_such).count()
    }

    /// Whether a request is known by this name.
    pub fn is_known(&self, request: &Digest) -> bool {
        self.requests.contains_key(request)
    }

    /// Whether of a change nothing is on its way but others' vouches.
    pub fn lacks_others(&self, request: &Digest) -> bool {
        self.requests.get(request).is_some_and(|request| request.sent.is_empty() && request.outcome.is_none())
    }

    /// A request sets out; or, of a change that is known already, another vouch.
    pub fn open(&mut self, request: Digest, departure: Departure, now: UnixMillis) {
        let Departure { sent, bytes, kind, covered, key } = departure;
        let expires = now.plus(limits::REPLAY_WINDOW_MS);
        let entry = self.requests.entry(request).or_insert_with(|| Request {
            kind,
            key,
            clients: Vec::new(),
            covered: Vec::new(),
            sent: Vec::new(),
            expires,
            outcome: None,
        });
        self.expiries.insert((entry.expires, request));
        let takes_place = entry.sent.is_empty();
        entry.sent.push((sent, bytes));
        let known = covered.filter(|covered| !entry.covered.contains(covered));
        entry.covered.extend(known);
        let forgotten = (entry.covered.len() > MAX_SIGNATURES).then(|| entry.covered.remove(0));
        let lot = self.lot_mut(kind);
        lot.bytes += bytes;
        lot.requests += usize::from(takes_place);
        if let Some(covered) = covered {
            self.by_covered.insert(covered, request);
        }
        if let Some(covered) = forgotten {
            self.by_covered.remove(&covered);
        }
    }

    /// An own vouch for a change has come out of the order. Gives whether it was the last on its way.
    pub fn came(&mut self, request: Digest, sent: Digest) -> bool {
        let Some(entry) = self.requests.get_mut(&request) else { return false };
        let Some(at) = entry.sent.iter().position(|(other, _)| *other == sent) else { return false };
        let (_, bytes) = entry.sent.remove(at);
        let (kind, is_last) = (entry.kind, entry.sent.is_empty());
        let lot = self.lot_mut(kind);
        lot.bytes -= bytes;
        lot.requests -= usize::from(is_last);
        is_last
    }

    /// An own vouch has come out of the order, and the change lacks others': it takes no place of who has something on its way.
    pub fn came_open(&mut self, request: Digest, sent: Digest) {
        self.came(request, sent);
        self.drop_idle(request);
    }

    /// A change of which nothing is on its way, and which nobody waits for, goes.
    fn drop_idle(&mut self, request: Digest) {
        let entry = self.requests.get(&request);
        if entry.is_some_and(|entry| entry.sent.is_empty() && entry.clients.is_empty()) {
            self.expire(request);
        }
    }

    /// `client` waits for a request that is open.
    pub fn wait(&mut self, client: ClientId, asker: Asker, request: Digest, now: UnixMillis) {
        self.forget(client);
        let Some(entry) = self.requests.get_mut(&request) else { return };
        entry.clients.push(client);
        let (kind, deadline) = (entry.kind, now.plus(self.patience_ms));
        self.deadlines.insert((deadline, client));
        self.waiting.insert(client, Waiting { asker, kind, request, deadline });
        self.lot_mut(kind).clients += 1;
    }

    /// `client` waits no longer.
    pub fn forget(&mut self, client: ClientId) -> Option<Asker> {
        let (asker, request) = self.leave(client)?;
        if let Some(request) = self.requests.get_mut(&request) {
            request.clients.retain(|other| *other != client);
        }
        self.drop_idle(request);
        Some(asker)
    }

    fn leave(&mut self, client: ClientId) -> Option<(Asker, Digest)> {
        let waiting = self.waiting.remove(&client)?;
        self.deadlines.remove(&(waiting.deadline, client));
        self.lot_mut(waiting.kind).clients -= 1;
        Some((waiting.asker, waiting.request))
    }

    /// A request was executed, with this outcome; `published` tells a zone's version that is served. Returns who
    /// can be told now; the others wait for their version.
    pub fn executed(
        &mut self,
        request: Digest,
        outcome: Outcome,
        published: impl Fn(&Name) -> u64,
    ) -> Option<Done> {
        // Of two executions of the same bytes the first is the one that counts.
        let entry = self.requests.get_mut(&request).filter(|entry| entry.outcome.is_none())?;
        match &outcome.after {
            Some((zone, version)) if published(zone) < *version && !planted!(ReplyBeforePublication) => {
                self.by_version.entry(zone.clone()).or_default().entry(*version).or_default().push(request);
                entry.outcome = Some(outcome);
                None
            }
            _ => {
                entry.outcome = Some(outcome);
                self.close(request)
            }
        }
    }

    /// A version is served: who waited for it, or for an earlier one.
    pub fn published(&mut self, zone: &Name, version: u64) -> Vec<Done> {
        let Some(versions) = self.by_version.get_mut(zone) else { return Vec::new() };
        let later = versions.split_off(&version.saturating_add(1));
        let served = std::mem::replace(versions, later);
        served.into_values().flatten().filter_map(|request| self.close(request)).collect()
    }

    /// A version failed its check: who waited for it or for a later one, which rests on it.
    pub fn failed(&mut self, zone: &Name, version: u64) -> Vec<Done> {
        let Some(versions) = self.by_version.get_mut(zone) else { return Vec::new() };
        let lost = versions.split_off(&version);
        lost.into_values().flatten().filter_map(|request| self.close(request)).collect()
    }

    /// No version of this zone comes any more: who waited for one. What they asked for was done before.
    pub fn withdrawn(&mut self, zone: &Name) -> Vec<Done> {
        let lost = self.by_version.remove(zone).unwrap_or_default();
        lost.into_values().flatten().filter_map(|request| self.close(request)).collect()
    }

    /// Whose patience is at its end.
    pub fn out_of_patience(&mut self, now: UnixMillis) -> Vec<(ClientId, Asker)> {
        let mut out = Vec::new();
        while let Some(&(deadline, client)) = self.deadlines.first() {
            if deadline > now {
                break;
            }
            self.deadlines.pop_first();
            out.extend(self.forget(client).map(|asker| (client, asker)));
        }
        while let Some(&(expires, request)) = self.expiries.first() {
            if expires > now {
                break;
            }
            out.extend(self.expire(request));
        }
        out
    }

    /// When somebody's patience ends next.
    pub fn wake_at(&self) -> Option<UnixMillis> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Clients that wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Requests on their way.
    pub fn requests(&self) -> usize {
        self.requests.len()
    }

    /// Nothing more is executed: those whose requests have not been.
    pub fn turned_away(&mut self) -> Vec<(ClientId, Asker)> {
        let lost = self.requests.iter().filter(|(_, request)| request.outcome.is_none());
        let lost: Vec<Digest> = lost.map(|(request, _)| *request).collect();
        lost.into_iter().flat_map(|request| self.expire(request)).collect()
    }

    /// A request's window is over; whoever came late to it is still to be told.
    fn expire(&mut self, request: Digest) -> Vec<(ClientId, Asker)> {
        let Some((outcome, clients)) = self.remove(request) else { return Vec::new() };
        if let Some((zone, version)) = outcome.and_then(|outcome| outcome.after)
            && let Some(versions) = self.by_version.get_mut(&zone)
            && let Some(requests) = versions.get_mut(&version)
        {
            requests.retain(|other| *other != request);
            if requests.is_empty() {
                versions.remove(&version);
            }
        }
        clients
    }

    fn close(&mut self, request: Digest) -> Option<Done> {
        let (outcome, clients) = self.remove(request)?;
        Some(Done { outcome: outcome?, clients })
    }

    fn remove(&mut self, request: Digest) -> Option<Removed> {
        let entry = self.requests.remove(&request)?;
        let lot = self.lot_mut(entry.kind);
        lot.bytes -= entry.sent.iter().map(|(_, bytes)| bytes).sum::<usize>();
        lot.requests -= usize::from(!entry.sent.is_empty());
        self.expiries.remove(&(entry.expires, request));
        for covered in &entry.covered {
            if self.by_covered.get(covered) == Some(&request) {
                self.by_covered.remove(covered);
            }
        }
        let clients = entry.clients.into_iter();
        let clients = clients.filter_map(|id| Some((id, self.leave(id)?.0)));
        Some((entry.outcome, clients.collect()))
    }
}

#[cfg(test)]
mod tests;
