//! What a cluster is: everything that execution depends on, and the digest that names it.
//!
//! A [`Cluster`] is a value that cannot be wrong: [`super::cluster_file`] parses and checks it, [`super::deal`] makes
//! it. Two files of the same content, whatever their comments, spacing and order of members, zones and keys, have
//! the same [`ClusterId`]; a change of any value is another cluster, and every share, link and log refuses it.
//!
//! # The canonical form
//! `cluster id = digest("conclave/cluster", [form])` ([`crate::codec::digest`]), where the form is, integers
//! big-endian, each `bytes` preceded by its length in 4 octets and each list by its count in 4 octets:
//!
//! ```text
//! u16 version (2) · u8 n · u8 t · u32 epoch · u64 genesis time (ms) · u8 signing protocol (0 basic, 1 optproof, 2 optte)
//! bytes plan digest · bytes id of the cluster that this one replaces, none or 32
//! list of members, by index:  bytes identity · bytes sealing key · bytes coin verification key
//! list of zones, by origin:   bytes origin (wire, lower case) · bytes records digest · u8 reads (0 local, 1 ordered)
//!                             · u8 serial rule (0 increment, 1 unixtime, 2 date) · u8 denial (0 nsec, 1 nsec3) · u32 DNSKEY TTL · u32 lifetime, refresh, jitter, backdate (s)
//!                             · list of policy statements, each bytes (words parted by one space)
//!                             · twice, ZSK and KSK: u8 threshold · bytes DNSKEY rdata · bytes verification key
//! list of TSIG keys, by name: bytes name · bytes algorithm · u8 mode (0 gateway, 1 quorum; 2 more if limits follow)
//!                             · u32 octets, burst, per-minute, if so · bytes salt · gateway: bytes commitment; quorum: list of them
//! list of SIG(0) keys, by name and rdata: bytes name · bytes KEY rdata
//! unless there are none: list of those of them with limits, by name: bytes name · u32 octets, burst, per-minute
//! only if there are operators: u8 how many must sign (0 t+1, 1 one) · list of them, by name: bytes name · bytes key
//! ```
#![forbid(unsafe_code)]

use super::client_keys::KeyClause;
use super::client_plan::quota_octets;
use super::operators::Operators;
use super::seal::Recipient;
use crate::codec::{ClusterId, Digest, Epoch, digest};
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::tsig::{Mode, Quota};
use crate::quorum::{Committee, ReplicaId};
use crate::threshold::PublicKey;
use crate::time::UnixMillis;
use crate::zone::{Bundle, CheckedBundle, Denial, Holders, Reads, Role, SerialRule, Validity};
use std::sync::Arc;

pub use crate::signing::Protocol;

/// Version of the cluster file and of its canonical form.
pub const VERSION: u16 = 2;

/// Everything that all replicas of a cluster must agree on beforehand.
#[derive(Clone)]
pub struct Cluster {
    /// The replicas.
    pub committee: Committee,
    /// Counts memberships; 0 at the first deal.
    pub epoch: Epoch,
    /// When the cluster was dealt: the time of the implied first round.
    pub genesis_time: UnixMillis,
    /// How signing sessions go.
    pub signing: Protocol,
    /// Digest of the written plan ([`super::written`]) under which it was dealt.
    pub plan: Digest,
    /// The cluster that this one follows, in the epoch before.
    pub replaces: Option<ClusterId>,
    /// Public keys of the replicas, by slot.
    pub members: Vec<Member>,
    /// The zones, in canonical order of their origins.
    pub zones: Vec<Zone>,
    /// TSIG keys that clients may use, by name.
    pub tsig: Vec<TsigEntry>,
    /// SIG(0) keys of clients, by name.
    pub sig0: Vec<Sig0Entry>,
    /// Who may have zones changed.
    pub operators: Operators,
}

/// One replica's public keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Ed25519: signs vertices and is the TLS key.
    pub identity: [u8; 32],
    /// X25519: what is secret is sealed for it.
    pub sealing: Recipient,
    /// v_i of the coin: a compressed ristretto255 point.
    pub coin: [u8; 32],
}

/// One zone and the rules that it follows.
#[derive(Clone)]
pub struct Zone {
    /// The apex.
    pub origin: Name,
    /// SHA-256 of the canonical unsigned records ([`crate::dns::master::zone_digest`]).
    pub records: Digest,
    /// Whether queries go through the order.
    pub reads: Reads,
    /// How a change moves the serial.
    pub serial: SerialRule,
    /// How it begins to deny existence.
    pub denial: Denial,
    /// TTL of the DNSKEY set, in seconds.
    pub dnskey_ttl: u32,
    /// Dates of signatures, in seconds.
    pub validity: Validity,
    /// Who may change what: statements in BIND's words, `grant KEY RULE [NAME] TYPES…`.
    pub policy: Vec<String>,
    /// Signs everything but the DNSKEY set.
    pub zsk: Key,
    /// Signs the DNSKEY set.
    pub ksk: Key,
}

/// One threshold key of a zone.
#[derive(Clone)]
pub struct Key {
    /// Shares that make a signature.
    pub threshold: u8,
    /// The DNSKEY rdata.
    pub dnskey: Rdata,
    /// Modulus, exponent and verification keys.
    pub public: Arc<PublicKey>,
}

/// A TSIG key: its secret is not here, but a commitment to it that every replica's copy must fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TsigEntry {
    /// The key's name.
    pub name: Name,
    /// The algorithm's mnemonic: `hmac-sha256` and the like.
    pub algorithm: String,
    /// Who holds the secret.
    pub mode: Mode,
    /// How much it may ask, if anything is said.
    pub quota: Option<Quota>,
    /// Random octets of the commitments.
    pub salt: [u8; 32],
    /// [`tsig_commitment`] of the secret, or of each replica's, by slot.
    pub commitments: Vec<Digest>,
}

impl TsigEntry {
    /// Whether this is the key as a replica has it; with none, as any has it.
    pub fn is(&self, clause: &KeyClause, replica: Option<ReplicaId>) -> bool {
        let said = tsig_commitment(&clause.name, &clause.algorithm, &self.salt, &clause.secret);
        let fits = match (self.mode, replica) {
            (Mode::Quorum, Some(replica)) => self.commitments.get(replica.slot()) == Some(&said),
            _ => self.commitments.contains(&said),
        };
        self.name == clause.name && self.algorithm == clause.algorithm && fits
    }
}

/// A client's SIG(0) key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sig0Entry {
    /// The signer's name.
    pub name: Name,
    /// The KEY rdata.
    pub key: Rdata,
    /// How much keys of this name may ask, if anything is said.
    pub quota: Option<Quota>,
}

/// The commitment to a TSIG secret: hides it (256 random octets of salt are public, the secret has 256 bits) and
/// binds every replica to the same one.
pub fn tsig_commitment(name: &Name, algorithm: &str, salt: &[u8; 32], secret: &[u8]) -> Digest {
    digest("conclave/tsig", &[salt, name.to_lowercase().wire(), algorithm.as_bytes(), secret])
}

impl Cluster {
    /// The cluster's name: the digest of the canonical form.
    pub fn id(&self) -> ClusterId {
        ClusterId(digest("conclave/cluster", &[&self.canonical()]))
    }

    /// The zone with this origin.
    pub fn zone(&self, origin: &Name) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.origin == *origin)
    }

    /// The zones' keys as bundles, each zone's ZSK and KSK: what the replicas of a fresh deal make receipts for.
    pub fn bundles(&self) -> Result<Vec<CheckedBundle>, String> {
        let members: Vec<[u8; 32]> = self.members.iter().map(|member| member.identity).collect();
        let id = self.id();
        let keys =
            self.zones.iter().flat_map(|zone| [(zone, Role::Zsk, &zone.zsk), (zone, Role::Ksk, &zone.ksk)]);
        let bundles = keys.map(|(zone, role, key)| {
            let holders =
                Holders { plan: self.plan, cluster: id, epoch: self.epoch, members: members.clone() };
            let algorithm = key.dnskey.wire().get(3).copied().unwrap_or_default();
            Bundle::new(holders, &zone.origin, role, algorithm, &key.public).check()
        });
        bundles.collect()
    }

    fn canonical(&self) -> Vec<u8> {
        let mut form = Form(Vec::new());
        form.0.extend_from_slice(&VERSION.to_be_bytes());
        form.0.extend_from_slice(&[self.committee.n() as u8, self.committee.faults() as u8]);
        form.0.extend_from_slice(&self.epoch.0.to_be_bytes());
        form.0.extend_from_slice(&self.genesis_time.0.to_be_bytes());
        form.0.push(match self.signing {
            Protocol::Basic => 0,
            Protocol::OptProof => 1,
            Protocol::OptTe => 2,
        });
        form.bytes(&self.plan.0);
        form.bytes(self.replaces.as_ref().map_or(&[][..], |replaced| &replaced.0.0));
        form.count(&self.members);
        for member in &self.members {
            form.bytes(&member.identity);
            form.bytes(&member.sealing.0);
            form.bytes(&member.coin);
        }
        form.count(&self.zones);
        self.zones.iter().for_each(|zone| form.zone(zone));
        form.count(&self.tsig);
        for key in &self.tsig {
            form.bytes(key.name.to_lowercase().wire());
            form.bytes(key.algorithm.as_bytes());
            form.0.push(u8::from(key.mode == Mode::Quorum) + 2 * u8::from(key.quota.is_some()));
            key.quota.iter().for_each(|quota| form.0.extend(quota_octets(quota)));
            form.bytes(&key.salt);
            if key.mode == Mode::Quorum {
                form.count(&key.commitments);
            }
            key.commitments.iter().for_each(|commitment| form.bytes(&commitment.0));
        }
        form.count(&self.sig0);
        for key in &self.sig0 {
            form.bytes(key.name.to_lowercase().wire());
            form.bytes(key.key.wire());
        }
        let limited: Vec<_> = self.sig0.iter().filter_map(|key| Some((&key.name, key.quota?))).collect();
        if !limited.is_empty() {
            form.count(&limited);
        }
        for (name, quota) in &limited {
            form.bytes(name.to_lowercase().wire());
            form.0.extend(quota_octets(quota));
        }
        self.operators.form(&mut form);
        form.0
    }
}

/// A canonical form while it is written.
pub(super) struct Form(pub Vec<u8>);

impl Form {
    fn zone(&mut self, zone: &Zone) {
        self.bytes(zone.origin.to_lowercase().wire());
        self.bytes(&zone.records.0);
        let reads = match zone.reads {
            Reads::Local => 0,
            Reads::Ordered => 1,
        };
        let serial = match zone.serial {
            SerialRule::Increment => 0,
            SerialRule::UnixTime => 1,
            SerialRule::Date => 2,
        };
        self.0.extend_from_slice(&[reads, serial, u8::from(zone.denial == Denial::Nsec3)]);
        self.0.extend_from_slice(&zone.dnskey_ttl.to_be_bytes());
        let dates = zone.validity;
        for seconds in [dates.lifetime, dates.refresh, dates.jitter, dates.backdate] {
            self.0.extend_from_slice(&seconds.to_be_bytes());
        }
        self.count(&zone.policy);
        for statement in &zone.policy {
            self.bytes(statement.as_bytes());
        }
        for key in [&zone.zsk, &zone.ksk] {
            self.0.push(key.threshold);
            self.bytes(key.dnskey.wire());
            self.bytes(&key.public.to_bytes());
        }
    }

    /// The length of a list.
    pub fn count<T>(&mut self, list: &[T]) {
        self.0.extend_from_slice(&(list.len() as u32).to_be_bytes());
    }

    /// Octets with their length before them.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }
}
