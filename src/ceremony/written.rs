//! The written plan: what shall be dealt, to whom, before there is a key; and the words that bind every later step to it.
//!
//! People write it (`ceremony.toml`); the deal writes it once more in closed form (`plan.toml`, no other file needed to
//! read it). Both have the same digest, that of the canonical form; its words ([`super::words`]) are read aloud among the
//! operators, and whoever deals, imports, makes a receipt or restores says them: another plan is refused.
//!
//! ```toml
//! version = 1
//! replicas = 4                     # n; t follows
//! bits = 2048                      # of each modulus
//! signing = "optte"                # or "basic", "optproof"; optional
//! [[member]]                       # one for each replica, in order
//! keys = "replica-1.pub.toml"      # from `conclave keygen`; or identity = "…" and sealing = "age1…"
//! dns = ["192.0.2.1:53"]
//! peer = "192.0.2.1:5400"
//! [[zone]]
//! origin = "example.test"
//! file = "example.zone"            # unsigned records
//! policy = ["grant ops zonesub ANY"]
//! reads = "local"                  # or "ordered"; optional
//! denial = "nsec"                  # or "nsec3"; optional
//! serial = "increment"             # or "unixtime", "date"; optional: as before, or by one
//! dnskey-ttl-s = 3600              # optional: as before, or the SOA's TTL, an hour at most
//! [[tsig]]                         # optional: keys of clients
//! name = "ops"
//! recipient = "age1…"              # optional: sealed for the client; else written for him in DIR/client
//! mode = "quorum"                  # optional, and so are algorithm, allow-weak and limits ([`super::client_plan`])
//! [[sig0]]
//! name = "admin.example.test"
//! key = "512 3 15 …"               # optional: the client's own; else made for him in DIR/client
//! [[operator]]                     # optional, any number: who may manage zones, and `operators-needed = "t+1"` above ([`super::operators`])
//! name = "alice"
//! key = "…"                        # from `conclave operator-key`
//! [backup]                         # optional: the keys, split among custodians
//! threshold = 2
//! custodians = [{ name = "alice", recipient = "age1…" }, { name = "bob", recipient = "age1…" }]
//! ```
//!
//! A plan that deals the keys of a cluster anew says `epoch` and `replaces = "CLUSTER ID"`; its zones have `records-sha256`
//! in the place of a file.
//!
//! # The canonical form
//! As that of the cluster ([`super::cluster`]), digest domain "conclave/plan":
//!
//! ```text
//! u16 version (1) · u32 epoch · u8 n · u8 t · u32 bits · bytes signing protocol (its name) · bytes replaced cluster id (or none)
//! list of members, by index: bytes identity · bytes sealing key · list of DNS addresses, each bytes · bytes peer address
//! list of zones, by origin:  bytes origin · bytes records digest · u8 reads (0 local, 1 ordered) · u8 denial (0 nsec, 1 nsec3) · list of statements, each bytes
//! list of TSIG keys, by name: bytes name · bytes recipient (or none)
//! list of SIG(0) keys, by name: bytes name · bytes KEY rdata (or none)
//! u8 backup threshold (0: none) · list of custodians: bytes name · bytes recipient
//! each TSIG key of which more is said: bytes name · bytes algorithm · bytes mode · bytes limits (octets, burst, per-minute: u32 each, or none)
//! each SIG(0) key with limits: bytes name · bytes limits
//! only if there are operators: as in the cluster's form
//! only if a zone says one: u8 2 · for each zone: u8 serial rule (0 increment, 1 unixtime, 2 date, 3 not said) · u32 DNSKEY TTL (2^32 - 1: not said)
//! ```
#![forbid(unsafe_code)]

mod text;
mod write;

use super::client_plan::{check_shares, quota_octets};
use super::cluster::Form;
use super::files::{Problem, read_text, zone_stem};
use super::operators::Operators;
use super::plan::{Place, Plan, TsigPlan, ZonePlan};
use super::seal::Recipient;
use crate::codec::{ClusterId, Digest, Epoch, digest};
use crate::dns::master::zone_digest;
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::Record;
use crate::dns::tsig::Quota;
use crate::quorum::Committee;
use crate::signing::Protocol;
use crate::threshold::MODULUS_BITS;
use crate::zone::{Denial, Reads, SerialRule, UpdatePolicy};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Version of the form.
pub const VERSION: u16 = 1;
/// Custodians of a backup.
const MAX_CUSTODIANS: usize = 32;

/// A written plan.
#[derive(Clone, Debug)]
pub struct WrittenPlan {
    /// Which membership of its cluster this is; 0 at the first deal.
    pub epoch: Epoch,
    /// The replicas.
    pub committee: Committee,
    /// Bits of each modulus.
    pub bits: usize,
    /// How signing sessions go.
    pub signing: Protocol,
    /// The cluster whose keys are dealt anew.
    pub replaces: Option<ClusterId>,
    /// Who gets shares, by slot.
    pub members: Vec<PlannedMember>,
    /// The zones, in canonical order of their origins.
    pub zones: Vec<PlannedZone>,
    /// TSIG keys to be made, by name.
    pub tsig: Vec<PlannedTsig>,
    /// SIG(0) keys, by name.
    pub sig0: Vec<PlannedSig0>,
    /// Who may have zones changed.
    pub operators: Operators,
    /// Who keeps the backup.
    pub backup: Option<BackupPlan>,
}

/// A replica that is to get shares.
#[derive(Clone, Debug)]
pub struct PlannedMember {
    /// Ed25519.
    pub identity: [u8; 32],
    /// Whom its shares are sealed for.
    pub sealing: Recipient,
    /// Where it is to be found.
    pub place: Place,
}

/// A zone that is to be served.
#[derive(Clone, Debug)]
pub struct PlannedZone {
    /// The apex, in lower case.
    pub origin: Name,
    /// Its unsigned records; none where a cluster serves it already.
    pub records: Option<Vec<Record>>,
    /// SHA-256 of the canonical unsigned records.
    pub digest: Digest,
    /// Update policy statements, words parted by one space.
    pub policy: Vec<String>,
    /// Where queries are answered from.
    pub reads: Reads,
    /// How it begins to deny existence.
    pub denial: Denial,
    /// How a change moves the serial, if that is said.
    pub serial: Option<SerialRule>,
    /// TTL of the DNSKEY set in seconds, if that is said.
    pub dnskey_ttl: Option<u32>,
}

/// A TSIG key that is to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlannedTsig {
    /// What it is to be.
    pub key: TsigPlan,
    /// Whom it is sealed for.
    pub recipient: Option<Recipient>,
}

/// A client's SIG(0) key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlannedSig0 {
    /// The signer's name, in lower case.
    pub name: Name,
    /// The client's own key.
    pub key: Option<Rdata>,
    /// How much it may ask, if anything is said.
    pub quota: Option<Quota>,
}

/// How the keys are kept for another deal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackupPlan {
    /// Custodians who together open it.
    pub threshold: u8,
    /// All custodians.
    pub custodians: Vec<Custodian>,
}

/// Who keeps a part of the backup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Custodian {
    /// For file names and the transcript: letters, digits, `-` and `_`.
    pub name: String,
    /// Whom the part is sealed for.
    pub recipient: Recipient,
}

impl WrittenPlan {
    /// A first deal as `plan` says, to replicas with these keys (identity and sealing), by slot.
    pub fn of(plan: &Plan, keys: &[([u8; 32], Recipient)]) -> Self {
        let members = plan.places.iter().zip(keys).map(|(place, (identity, sealing))| PlannedMember {
            identity: *identity,
            sealing: *sealing,
            place: place.clone(),
        });
        let zones = plan.zones.iter().map(|zone| PlannedZone {
            origin: zone.origin.to_lowercase(),
            digest: zone_digest(&zone.origin, &zone.records),
            records: Some(zone.records.clone()),
            policy: zone.policy.iter().map(|statement| plain_words(statement)).collect(),
            reads: zone.reads,
            denial: zone.denial,
            serial: None,
            dnskey_ttl: None,
        });
        let tsig = plan.tsig.iter().map(|key| PlannedTsig { key: key.clone(), recipient: None });
        let sig0 =
            plan.sig0.iter().map(|name| PlannedSig0 { name: name.to_lowercase(), key: None, quota: None });
        let mut written = Self {
            epoch: Epoch(0),
            committee: plan.committee,
            bits: plan.bits,
            signing: plan.signing,
            replaces: None,
            members: members.collect(),
            zones: zones.collect(),
            tsig: tsig.collect(),
            sig0: sig0.collect(),
            operators: plan.operators.clone(),
            backup: None,
        };
        written.sort();
        written
    }

    /// Reads and checks a plan, and the files that it names.
    pub fn read(path: &Path) -> Result<Self, Vec<Problem>> {
        let text = read_text(path).map_err(|problem| vec![problem])?;
        let plan = text::parse(&text, path)?;
        plan.check().map_err(|reason| vec![Problem::new(path, format!("cannot be dealt: {reason}"))])?;
        Ok(plan)
    }

    /// The closed text, with zone files at `zones/ORIGIN.zone`.
    pub fn to_text(&self) -> String {
        write::write(self)
    }

    /// What names the plan; shown as words.
    pub fn digest(&self) -> Digest {
        digest("conclave/plan", &[&self.canonical()])
    }

    /// Whether `other` holds the same replicas, with the same keys.
    pub fn has_members_of(&self, identities: &[[u8; 32]]) -> bool {
        self.members.iter().map(|member| &member.identity).eq(identities)
    }

    fn sort(&mut self) {
        self.zones.sort_by(|a, b| a.origin.cmp(&b.origin));
        self.tsig.sort_by(|a, b| a.key.name.cmp(&b.key.name));
        self.sig0.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// Why this cannot be dealt, if so.
    pub fn check(&self) -> Result<(), String> {
        if !MODULUS_BITS.contains(&self.bits) {
            return Err(format!("a modulus of {} bits is not one of {MODULUS_BITS:?}", self.bits));
        }
        if self.members.len() != self.committee.n() {
            return Err(format!("{} members for {} replicas", self.members.len(), self.committee.n()));
        }
        let mut keys = BTreeSet::new();
        if !self.members.iter().all(|m| keys.insert(m.identity) && keys.insert(m.sealing.0)) {
            return Err("two members have the same key".into());
        }
        if self.zones.is_empty() {
            return Err("there is no zone to serve".into());
        }
        let stems: BTreeSet<String> = self.zones.iter().map(|zone| zone_stem(&zone.origin)).collect();
        if stems.len() != self.zones.len() {
            return Err("two zones have the same origin".into());
        }
        let tsig = self.tsig.iter().map(|key| (&key.key.name, key.key.quota));
        let sig0 = self.sig0.iter().map(|key| (&key.name, key.quota));
        let names: BTreeMap<&Name, Option<Quota>> = tsig.chain(sig0).collect();
        check_shares(&names)?;
        if names.len() != self.tsig.len() + self.sig0.len() {
            return Err("two client keys have the same name".into());
        }
        self.backup.as_ref().map_or(Ok(()), BackupPlan::check)?;
        self.operators.check(self.committee)?;
        self.zones.iter().try_for_each(|zone| zone.check(self.replaces.is_some()))
    }

    fn canonical(&self) -> Vec<u8> {
        let mut form = Form(Vec::new());
        form.0.extend_from_slice(&VERSION.to_be_bytes());
        form.0.extend_from_slice(&self.epoch.0.to_be_bytes());
        form.0.extend_from_slice(&[self.committee.n() as u8, self.committee.faults() as u8]);
        form.0.extend_from_slice(&(self.bits as u32).to_be_bytes());
        form.bytes(self.signing.name().as_bytes());
        form.bytes(self.replaces.as_ref().map_or(&[][..], |id| &id.0.0));
        form.count(&self.members);
        for member in &self.members {
            form.bytes(&member.identity);
            form.bytes(&member.sealing.0);
            form.count(&member.place.dns);
            member.place.dns.iter().for_each(|address| form.bytes(address.to_string().as_bytes()));
            form.bytes(member.place.peer.to_string().as_bytes());
        }
        form.count(&self.zones);
        for zone in &self.zones {
            form.bytes(zone.origin.wire());
            form.bytes(&zone.digest.0);
            form.0.push(u8::from(zone.reads == Reads::Ordered));
            form.0.push(u8::from(zone.denial == Denial::Nsec3));
            form.count(&zone.policy);
            zone.policy.iter().for_each(|statement| form.bytes(statement.as_bytes()));
        }
        form.count(&self.tsig);
        for key in &self.tsig {
            form.bytes(key.key.name.wire());
            form.bytes(key.recipient.as_ref().map_or(&[][..], |recipient| &recipient.0));
        }
        form.count(&self.sig0);
        for key in &self.sig0 {
            form.bytes(key.name.wire());
            form.bytes(key.key.as_ref().map_or(&[][..], Rdata::wire));
        }
        let custodians = self.backup.as_ref().map_or(&[][..], |backup| &backup.custodians);
        form.0.push(self.backup.as_ref().map_or(0, |backup| backup.threshold));
        form.count(custodians);
        for custodian in custodians {
            form.bytes(custodian.name.as_bytes());
            form.bytes(&custodian.recipient.0);
        }
        self.client_keys(&mut form);
        self.operators.form(&mut form);
        self.zone_choices(&mut form);
        form.0
    }

    /// What is said of client keys beyond what is usual.
    fn client_keys(&self, form: &mut Form) {
        for TsigPlan { name, algorithm, mode, quota } in
            self.tsig.iter().map(|key| &key.key).filter(|key| !key.is_usual())
        {
            form.bytes(name.wire());
            form.bytes(algorithm.mnemonic().as_bytes());
            form.bytes(mode.word().as_bytes());
            form.bytes(&quota.as_ref().map(quota_octets).unwrap_or_default());
        }
        for (name, quota) in self.sig0.iter().filter_map(|key| Some((&key.name, key.quota?))) {
            form.bytes(name.wire());
            form.bytes(&quota_octets(&quota));
        }
    }

    fn zone_choices(&self, form: &mut Form) {
        if self.zones.iter().all(|zone| zone.serial.is_none() && zone.dnskey_ttl.is_none()) {
            return;
        }
        form.0.push(2);
        for zone in &self.zones {
            form.0.push(match zone.serial {
                Some(SerialRule::Increment) => 0,
                Some(SerialRule::UnixTime) => 1,
                Some(SerialRule::Date) => 2,
                None => 3,
            });
            form.0.extend_from_slice(&zone.dnskey_ttl.unwrap_or(u32::MAX).to_be_bytes());
        }
    }
}

impl PlannedZone {
    fn check(&self, is_served: bool) -> Result<(), String> {
        let Self { origin, records, digest, policy, reads, denial, .. } = self;
        match records {
            Some(records) if zone_digest(origin, records) != *digest => {
                Err(format!("zone {origin}: its file is not that of records-sha256"))
            }
            Some(records) => {
                let (origin, records, policy) = (origin.clone(), records.clone(), policy.clone());
                ZonePlan { origin, records, policy, reads: *reads, denial: *denial }.check()
            }
            None if is_served => {
                UpdatePolicy::parse(policy).map(drop).map_err(|e| format!("zone {origin}: {e}"))
            }
            None => Err(format!("zone {origin}: there is no file of its records")),
        }
    }
}

impl BackupPlan {
    fn check(&self) -> Result<(), String> {
        let m = self.custodians.len();
        if !(1..=MAX_CUSTODIANS).contains(&m) || !(1..=m).contains(&usize::from(self.threshold)) {
            return Err(format!("a backup of {} of {m} custodians", self.threshold));
        }
        let names: BTreeSet<&str> = self.custodians.iter().map(|custodian| custodian.name.as_str()).collect();
        let keys: BTreeSet<Recipient> = self.custodians.iter().map(|custodian| custodian.recipient).collect();
        if names.len() != m || keys.len() != m {
            return Err("two custodians have the same name or key".into());
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        match names.iter().find(|name| name.is_empty() || name.len() > 64 || !name.chars().all(is_plain)) {
            Some(name) => Err(format!("`{name}` is no name of a custodian: letters, digits, - and _")),
            None => Ok(()),
        }
    }
}

/// A statement with its words parted by one space.
pub(super) fn plain_words(statement: &str) -> String {
    statement.trim_end_matches(';').split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
