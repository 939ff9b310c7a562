//! What comes from clients: refused at once, or made a request for the order.
//!
//! Nothing judged here binds anybody: execution judges again, in agreed time, by every replica alike. This first
//! look, by the own clock, keeps from the order what cannot succeed and tells its sender at once.
//!
//! Steps for an update: size and parse (FORMERR); TSIG or SIG(0) (NOTAUTH with BADSIG, BADKEY, BADTIME or BADTRUNC,
//! RFC 8945 §5.2); the version of EDNS (BADVERS); the zone section (FORMERR, RFC 2136 §3.1.1, or NOTAUTH, §3.1.2);
//! unsigned (REFUSED: the default policy grants nothing to nobody). A query must be for a zone with ordered reads.
//! Other opcodes are NOTIMP.
use super::reply::Asker;
use crate::codec::{Digest, digest, encode};
use crate::dns::message::Message;
use crate::dns::query;
use crate::dns::tsig::{self, AuthFailure, Keyring};
use crate::dns::{Class, Name, Opcode, Rcode, RrType};
use crate::limits::MAX_REQUEST_BYTES;
use crate::time::UnixMillis;
use crate::zone::{Genesis, Reads, Refusal, Request};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The first look at what clients send.
pub(super) struct Ingress {
    keys: Arc<Keyring>,
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
    Admitted(Admitted),
}

/// A request for the order, and who waits for it.
pub(super) struct Admitted {
    /// An encoded [`Request`].
    pub request: Vec<u8>,
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
        Self { keys: genesis.keys.clone(), zones, entropy, nonces: 0 }
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

    /// Judges a message.
    pub fn admit(&mut self, now: UnixMillis, wire: Vec<u8>) -> Admission {
        let Some(asker) = Asker::of(wire) else { return Admission::Ignored };
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
        asker.parsed(&message);
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
        let request = encode(&Request::Update { wire: asker.wire().to_vec() });
        if request.len() > MAX_REQUEST_BYTES {
            return self.refuse(now, asker, Refusal::Malformed("it is too long".into()));
        }
        Admission::Admitted(Admitted { request, covered: Some(verified.covered), asker })
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
        if request.len() > MAX_REQUEST_BYTES {
            return self.bare(now, &asker, Rcode::FORMERR);
        }
        Admission::Admitted(Admitted { request, covered: None, asker })
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

#[cfg(test)]
mod tests;
