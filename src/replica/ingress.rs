//! What comes from clients: refused at once, or made a request for the order.
//!
//! Nothing judged here binds anybody: execution judges again, in agreed time, by every replica alike. This first
//! look, by the own clock, keeps from the order what cannot succeed and tells its sender at once.
//!
//! Steps for an update: size and parse (FORMERR); TSIG or SIG(0) (NOTAUTH with BADSIG, BADKEY, BADTIME or BADTRUNC,
//! RFC 8945 §5.2); the version of EDNS (BADVERS); the zone section (FORMERR, RFC 2136 §3.1.1, or NOTAUTH, §3.1.2);
//! unsigned (REFUSED: the default policy grants nothing to nobody); the key's quota of octets, and of updates in a time: one update is
//! charged once, for whoever saw it pass can send it again and again. Under a `quorum` key this replica vouches for the update, if it is one that is done once. A query must be for a zone with ordered reads.
//! Other opcodes are NOTIMP.
use super::reply::Asker;
use crate::codec::{Digest, digest, encode};
use crate::dns::edns::Manners;
use crate::dns::message::Message;
use crate::dns::query;
use crate::dns::tsig::{self, AuthFailure, Keyring, Signer, Verified};
use crate::dns::{Class, Name, Opcode, Rcode, RrType};
use crate::limits::{MAX_REPLAY_ENTRIES, MAX_REQUEST_BYTES, REPLAY_WINDOW_MS};
use crate::time::{AgreedTime, UnixMillis};
use crate::zone::{Genesis, Reads, Refusal, Request, Saying, change_of, is_done_once, weak_remedy};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The first look at what clients send.
pub(super) struct Ingress {
    keys: Arc<Keyring>,
    /// What each key has asked for lately ([`Quota`](crate::dns::tsig::Quota)).
    usage: BTreeMap<Name, u64>,
    charged: Charged,
    /// Keys of weak algorithms that were used.
    weak: BTreeSet<Name>,
    zones: BTreeMap<Name, Reads>,
    entropy: [u8; 32],
    nonces: u64,
}

/// What becomes of a client's message.
pub(super) enum Admission {
    /// No answer is due.
    Ignored,
    /// This reply, at once; and why, with who asked.
    Refused { reply: Vec<u8>, why: Box<(Asker, Refusal)> },
    /// This reply, at once, of which there is nothing to tell.
    Answered(Vec<u8>),
    /// The order must see it.
    Admitted(Box<Admitted>),
    /// The order must see that this replica vouches for it.
    Vouched {
        /// What this replica has to say.
        saying: Saying,
        /// The digest of what the signature covers.
        covered: Digest,
        /// Who asked; knows the change.
        asker: Box<Asker>,
    },
}

/// A request for the order, and who waits for it.
pub(super) struct Admitted {
    /// An encoded [`Request`].
    pub request: Vec<u8>,
    /// What names it while it is on its way.
    pub name: Digest,
    /// The digest of what its signature covers; none for a query.
    pub covered: Option<Digest>,
    /// Who asked.
    pub asker: Asker,
}

/// Names a request on its way: the digest of its encoding.
pub(super) fn request_digest(request: &[u8]) -> Digest {
    digest("conclave/request", &[request])
}

impl Ingress {
    /// For the zones and keys of `genesis`; `entropy` is of this start.
    pub fn new(genesis: &Genesis, entropy: [u8; 32]) -> Self {
        let zones = genesis.zones.iter().map(|(rules, _)| (rules.origin.clone(), rules.reads)).collect();
        let (usage, charged, weak) = (BTreeMap::new(), Charged::default(), BTreeSet::new());
        Self { keys: genesis.keys.clone(), usage, charged, weak, zones, entropy, nonces: 0 }
    }

    /// The zones that there are from now on.
    pub fn set_zones(&mut self, zones: BTreeMap<Name, Reads>) {
        self.zones = zones;
    }

    /// The keys with which replies are signed.
    pub fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// The zones' origins.
    pub fn origins(&self) -> impl Iterator<Item = &Name> {
        self.zones.keys()
    }

    /// Judges a message; `manners`: what its reply is to have besides.
    pub fn admit(&mut self, now: UnixMillis, wire: Vec<u8>, manners: Manners) -> Admission {
        let Some(asker) = Asker::of(wire, manners) else { return Admission::Ignored };
        match asker.opcode() {
            Opcode::UPDATE => self.admit_update(now, asker),
            Opcode::QUERY => self.admit_query(now, asker),
            _ => self.bare(now, &asker, Rcode::NOTIMP),
        }
    }

    fn admit_update(&mut self, now: UnixMillis, mut asker: Asker) -> Admission {
        let message = match Message::parse(asker.wire()) {
            Ok(message) => message,
            Err(why) => return self.refuse(now, asker, Refusal::Malformed(why.to_string())),
        };
        let verified = tsig::authenticate(asker.wire(), &self.keys, now.secs());
        match &verified {
            Ok(verified) => asker.authentic(verified),
            Err(AuthFailure::Unsigned) => {}
            Err(failure) => {
                let refusal = Refusal::of_failure(*failure, asker.wire(), &self.keys, now.secs());
                return self.refuse(now, asker, refusal);
            }
        }
        // RFC 6891 §6.1.3: what a later version means by its options is not known.
        if message.edns.as_ref().is_some_and(|edns| edns.version > 0) {
            return self.refuse(now, asker, Refusal::Version);
        }
        // RFC 2136 §3.1.1: one zone, of type SOA.
        let Some(zone) = asker.question().filter(|zone| zone.rtype == RrType::SOA) else {
            let why = "the zone section holds one record, of type SOA";
            return self.refuse(now, asker, Refusal::Malformed(why.into()));
        };
        // RFC 2136 §3.1.2: a zone of ours.
        if zone.class != Class::IN || !self.zones.contains_key(&zone.name) {
            let refusal = Refusal::NotOurs(zone.name.clone());
            return self.refuse(now, asker, refusal);
        }
        let Ok(verified) = verified else { return self.refuse(now, asker, Refusal::Unsigned) };
        let (key, octets) = (verified.signer.name(), asker.wire().len());
        let most = self.keys.quota(key).octets;
        if octets > most as usize {
            return self.refuse(now, asker, Refusal::TooLong { key: key.clone(), octets, most });
        }
        if matches!(verified.signer, Signer::Tsig(_)) && self.keys.of_quorum(key).is_some() {
            return self.vouch(now, asker, &message, verified);
        }
        let request = encode(&Request::Update { wire: asker.wire().to_vec() });
        if request.len() > MAX_REQUEST_BYTES {
            return self.refuse(now, asker, Refusal::Malformed("it is too long".into()));
        }
        let name = request_digest(&request);
        Admission::Admitted(Box::new(Admitted { request, name, covered: Some(verified.covered), asker }))
    }

    fn vouch(&self, now: UnixMillis, mut asker: Asker, message: &Message, verified: Verified) -> Admission {
        if !is_done_once(message) {
            return self.refuse(now, asker, Refusal::NotOnce);
        }
        let Some(message) = tsig::unsigned(asker.wire()) else { return Admission::Ignored };
        let key = verified.signer.name().clone();
        asker.vouched(change_of(&key, &message));
        let saying = Saying::Vouch { key, until: verified.expires_secs, message };
        Admission::Vouched { saying, covered: verified.covered, asker: Box::new(asker) }
    }

    /// Takes one from what the key may ask here, if this update or change was not charged before; what passes the door at more than
    /// that pace could not pass the order.
    pub fn charge(&mut self, now: UnixMillis, key: &Name, update: Digest) -> Result<(), Refusal> {
        if self.charged.has(now, &update) {
            return Ok(());
        }
        let quota = self.keys.quota(key);
        let full = self.usage.get(key).copied().unwrap_or_default();
        let taken = quota.take(full, AgreedTime(now.0));
        let full = taken.ok_or_else(|| Refusal::TooOften { key: key.clone(), quota })?;
        self.usage.insert(key.clone(), full);
        self.charged.put(now, update);
        Ok(())
    }

    /// What to tell the operator at the first use of a key of a weak algorithm.
    pub fn remark(&mut self, key: &Name) -> Option<String> {
        let algorithm = self.keys.tsig.get(key)?.algorithm;
        (algorithm.is_weak() && self.weak.insert(key.clone())).then(|| {
            format!("the client of the key {key} signs with {algorithm}: {}", weak_remedy(algorithm))
        })
    }

    fn admit_query(&mut self, now: UnixMillis, asker: Asker) -> Admission {
        let query = match query::parse(asker.wire()) {
            Ok(query) => query,
            Err(query::Reject::Ignore) => return Admission::Ignored,
            Err(query::Reject::Reply { rcode, .. }) => return self.bare(now, &asker, rcode),
            // It asks nothing of any zone: the answering side replies to it.
            Err(query::Reject::CookieOnly(_)) => return self.bare(now, &asker, Rcode::FORMERR),
        };
        if self.reads_at(&query.qname) != Some(Reads::Ordered) {
            return self.bare(now, &asker, Rcode::REFUSED);
        }
        let request = encode(&Request::Query { wire: asker.wire().to_vec(), nonce: self.nonce() });
        let name = request_digest(&request);
        if request.len() > MAX_REQUEST_BYTES {
            return self.bare(now, &asker, Rcode::FORMERR);
        }
        Admission::Admitted(Box::new(Admitted { request, name, covered: None, asker }))
    }

    fn refuse(&self, now: UnixMillis, asker: Asker, refusal: Refusal) -> Admission {
        let reply = asker.refused(&self.keys, now, &refusal);
        Admission::Refused { reply, why: Box::new((asker, refusal)) }
    }

    fn bare(&self, now: UnixMillis, asker: &Asker, rcode: Rcode) -> Admission {
        Admission::Answered(asker.bare(&self.keys, now, rcode))
    }

    /// How the deepest zone around `name` is read.
    fn reads_at(&self, name: &Name) -> Option<Reads> {
        let mut name = Some(name.clone());
        while let Some(at) = name {
            if let Some(reads) = self.zones.get(&at) {
                return Some(*reads);
            }
            name = at.parent();
        }
        None
    }

    /// Tells equal queries apart, also those of other replicas and earlier starts.
    fn nonce(&mut self) -> [u8; 16] {
        self.nonces += 1;
        let nonce = digest("conclave/nonce", &[&self.entropy, &self.nonces.to_be_bytes()]);
        let mut out = [0; 16];
        out.copy_from_slice(&nonce.0[..16]);
        out
    }
}

/// Updates and changes that were charged, for as long as a signature can last; at most as many as the replay table has.
#[derive(Default)]
struct Charged {
    ends: BTreeMap<Digest, UnixMillis>,
    by_end: BTreeSet<(UnixMillis, Digest)>,
}

impl Charged {
    fn has(&mut self, now: UnixMillis, update: &Digest) -> bool {
        while self.by_end.first().is_some_and(|(end, _)| *end < now) {
            self.drop_first();
        }
        self.ends.contains_key(update)
    }

    fn put(&mut self, now: UnixMillis, update: Digest) {
        if self.ends.len() >= MAX_REPLAY_ENTRIES {
            self.drop_first();
        }
        let end = now.plus(REPLAY_WINDOW_MS);
        self.by_end.insert((end, update));
        self.ends.insert(update, end);
    }

    fn drop_first(&mut self) {
        if let Some((_, update)) = self.by_end.pop_first() {
            self.ends.remove(&update);
        }
    }
}

#[cfg(test)]
mod tests;
