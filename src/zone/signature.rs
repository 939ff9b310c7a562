//! One RRSIG: planned with all its fields, complete when the signature arrives.
//!
//! The plan is shared by every version that holds the RRset, so a signature that arrives reaches all of them at once, and
//! what did not change keeps the signature it has, or the one it waits for.

use super::keys::ZoneKey;
use super::request::Job;
use super::rules::{Validity, ZoneRules};
use crate::codec::{ClusterId, Epoch, JobId, KeyId, digest};
use crate::dns::dnssec::{self, RrsigFields};
use crate::dns::{Name, Rdata, RrType, Rrset};
use crate::time::AgreedTime;
use sha2::{Digest as _, Sha256, Sha512};
use std::sync::{Arc, OnceLock};

/// RSASHA512 (RFC 5702); every other key is RSASHA256.
const RSASHA512: u8 = 10;

/// A planned RRSIG and, once there, its rdata.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) owner: Name,
    rrset: Arc<Rrset>,
    fields: RrsigFields,
    pub(super) key: KeyId,
    pub(super) dnskey: Rdata,
    pub(super) tag: u16,
    /// Agreed time, in seconds, at which it was planned; with the RRset and the rules, the whole plan follows from it.
    pub(super) planned_at: u64,
    /// Agreed time, in seconds, from which a refresh makes it anew.
    pub(super) refresh_at: u64,
    pub(super) job: JobId,
    rdata: OnceLock<[Rdata; 1]>,
}

/// For which cluster jobs are named.
#[derive(Clone, Copy, Debug)]
pub(super) struct Realm {
    pub(super) cluster: ClusterId,
    pub(super) epoch: Epoch,
}

impl Signature {
    /// Plans the signature of `rrset` by `key` at `time`.
    pub(super) fn plan(
        realm: Realm,
        rules: &ZoneRules,
        key: &ZoneKey,
        owner: &Name,
        rrset: &Arc<Rrset>,
        time: AgreedTime,
    ) -> Arc<Self> {
        let validity = &rules.validity;
        let jitter = jitter(validity, owner);
        let expiration = time.secs() + u64::from(validity.lifetime) + jitter;
        let fields = RrsigFields {
            type_covered: rrset.rtype,
            algorithm: key.algorithm(),
            labels: (owner.label_count() - usize::from(owner.is_wildcard())) as u8,
            original_ttl: rrset.ttl,
            // Serial arithmetic modulo 2^32 (RFC 4034 §3.1.5).
            expiration: expiration as u32,
            inception: time.secs().saturating_sub(u64::from(validity.backdate)) as u32,
            key_tag: key.tag(),
            signer: rules.origin.to_lowercase(),
        };
        let hash = hash(owner, rrset, &fields);
        Arc::new(Self {
            owner: owner.clone(),
            rrset: Arc::clone(rrset),
            key: key.id,
            dnskey: key.dnskey.clone(),
            tag: key.tag(),
            planned_at: time.secs(),
            refresh_at: time.secs() + u64::from(validity.refresh) + jitter,
            job: JobId::new(realm.cluster, realm.epoch, key.id, &hash),
            fields,
            rdata: OnceLock::new(),
        })
    }

    /// The RRSIG rdata; none while it is waited for.
    pub(super) fn rdata(&self) -> &[Rdata] {
        self.rdata.get().map_or(&[], |rdata| rdata.as_slice())
    }

    pub(super) fn is_complete(&self) -> bool {
        self.rdata.get().is_some()
    }

    /// Agreed time, in seconds, after which no validator keeps what it signs (RFC 4035 §5.3.3).
    pub(super) fn expires_at(&self) -> u64 {
        self.planned_at + u64::from(self.fields.expiration.wrapping_sub(self.planned_at as u32))
    }

    pub(super) fn rtype(&self) -> RrType {
        self.fields.type_covered
    }

    /// The job that would complete it.
    pub(super) fn job(&self) -> Job {
        Job { id: self.job, key: self.key, hash: hash(&self.owner, &self.rrset, &self.fields) }
    }

    /// How long the hash is that its job signs.
    pub(super) fn hash_octets(&self) -> usize {
        if self.fields.algorithm == RSASHA512 { 64 } else { 32 }
    }

    /// The signature itself; empty while it is waited for.
    pub(super) fn octets(&self) -> Vec<u8> {
        let parsed = self.rdata().first().and_then(RrsigFields::parse);
        parsed.map_or_else(Vec::new, |(_, signature)| signature)
    }

    /// Completes it with what was verified before.
    pub(super) fn complete_unverified(&self, signature: &[u8]) {
        let _ = self.rdata.set([self.fields.to_rdata(signature)]);
    }

    /// Completes it, if the signature verifies under the DNSKEY that was to make it.
    pub(super) fn complete(&self, signature: &[u8]) -> Result<(), String> {
        let rdata = self.fields.to_rdata(signature);
        let verified = dnssec::verify_rrsig(&self.owner, &self.rrset, &rdata, &self.dnskey);
        verified
            .or_else(|why| if planted!(UncheckedPublication) { Ok(()) } else { Err(why) })
            .map_err(|why| format!("the signature over {} {}: {why}", self.owner, self.rtype()))?;
        // Set before only by an equal signature: RSASSA-PKCS1-v1_5 has one a message.
        let _ = self.rdata.set([rdata]);
        Ok(())
    }

    /// Whether it is over the same octets, by the same key.
    pub(super) fn signs_as(&self, other: &Self) -> bool {
        let same = |plan: &Self| (plan.planned_at, plan.refresh_at);
        self.fields == other.fields && self.dnskey == other.dnskey && same(self) == same(other)
    }

    /// Completes it as `made` is, whose job is the same or signs the same octets by the same key.
    pub(super) fn adopt(&self, made: &Self) {
        if let Some(rdata) = made.rdata.get() {
            let _ = self.rdata.set(rdata.clone());
        }
    }
}

/// Seconds, from the owner name alone: all signatures of a name are made anew together.
fn jitter(validity: &Validity, owner: &Name) -> u64 {
    let spread = digest("conclave/jitter", &[owner.to_lowercase().wire()]).0;
    let spread = u64::from_be_bytes(std::array::from_fn(|i| spread[i]));
    spread % (u64::from(validity.jitter) + 1)
}

fn hash(owner: &Name, rrset: &Rrset, fields: &RrsigFields) -> Vec<u8> {
    let preimage = dnssec::rrsig_preimage(owner, rrset, fields);
    match fields.algorithm {
        RSASHA512 => Sha512::digest(preimage).to_vec(),
        _ => Sha256::digest(preimage).to_vec(),
    }
}
