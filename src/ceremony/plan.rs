//! The plan of a deal: what a cluster shall be, before there are keys.
#![forbid(unsafe_code)]

pub use super::client_plan::TsigPlan;
use super::files::{Problem, zone_stem};
use super::operators::Operators;
use crate::codec::{ClusterId, Epoch, KeyId, digest};
use crate::dns::master;
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::Record;
use crate::dns::tsig::Keyring;
use crate::quorum::Committee;
use crate::signing::Protocol;
use crate::zone::{Denial, Genesis, KeyInfo, Machine, Reads, SerialRule, UpdatePolicy, Validity, ZoneRules};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is to be dealt.
pub struct Plan {
    /// The replicas.
    pub committee: Committee,
    /// Bits of a key's modulus: [`DEFAULT_BITS`], or 1024 for tests.
    pub bits: usize,
    /// How signing sessions go.
    pub signing: Protocol,
    /// The zones.
    pub zones: Vec<ZonePlan>,
    /// TSIG keys to make.
    pub tsig: Vec<TsigPlan>,
    /// Names of SIG(0) keys to make, Ed25519.
    pub sig0: Vec<Name>,
    /// Who may have zones changed.
    pub operators: Operators,
    /// Where each replica is to be found, by slot.
    pub places: Vec<Place>,
    /// Milliseconds since 1970: the time of the deal.
    pub genesis_time: crate::time::UnixMillis,
}

/// Bits of a modulus where nothing else is said (RFC 5702 §2.1 allows 512 to 4096; 2048 is what TLDs use).
pub const DEFAULT_BITS: usize = 2048;

/// One zone to be served.
pub struct ZonePlan {
    /// The apex.
    pub origin: Name,
    /// Its unsigned records.
    pub records: Vec<Record>,
    /// Update policy statements.
    pub policy: Vec<String>,
    /// Whether queries go through the order.
    pub reads: Reads,
    /// How it begins to deny existence.
    pub denial: Denial,
}

/// Addresses of one replica: proposals, which its operator may edit in `replica.toml`.
#[derive(Clone, Debug)]
pub struct Place {
    /// DNS, UDP and TCP.
    pub dns: Vec<SocketAddr>,
    /// Where peers connect to.
    pub peer: SocketAddr,
    /// The admin socket; `admin.sock` in the replica's directory when nothing is said.
    pub admin: Option<PathBuf>,
}

/// `ORIGIN=FILE`, as both programs take it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ZoneArgument {
    /// The apex.
    pub origin: Name,
    /// The master file.
    pub file: PathBuf,
}

impl std::str::FromStr for ZoneArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (origin, file) =
            text.split_once('=').ok_or("expected ORIGIN=FILE, as in example.test=example.zone")?;
        let origin = Name::parse(origin).map_err(|e| format!("`{origin}` is not a domain name: {e}"))?;
        Ok(Self { origin: origin.to_lowercase(), file: file.into() })
    }
}

impl ZoneArgument {
    /// The file's records.
    pub fn read(&self) -> Result<Vec<Record>, Problem> {
        read_zone(&self.file, &self.origin)
    }
}

/// The records of a master file.
pub fn read_zone(file: &Path, origin: &Name) -> Result<Vec<Record>, Problem> {
    let mut open = |path: &Path| std::fs::read(path);
    let line = |line| Some(line).filter(|line| *line > 0);
    master::read_zone(file, origin, &mut open).map_err(|e| Problem {
        file: e.file,
        line: line(e.line),
        reason: if e.column > 0 { format!("column {}: {}", e.column, e.reason) } else { e.reason },
    })
}

impl Plan {
    /// Why this cannot be dealt, if so.
    pub fn check(&self) -> Result<(), String> {
        if !(1024..=4096).contains(&self.bits) || !self.bits.is_multiple_of(256) {
            return Err(format!("a modulus of {} bits is not 1024 to 4096 by steps of 256", self.bits));
        }
        if self.zones.is_empty() {
            return Err("there is no zone to serve".into());
        }
        let stems: BTreeSet<String> = self.zones.iter().map(|zone| zone_stem(&zone.origin)).collect();
        if stems.len() != self.zones.len() {
            return Err("two zones have the same origin".into());
        }
        let keys: BTreeSet<&Name> = self.tsig.iter().map(|key| &key.name).chain(&self.sig0).collect();
        if keys.len() != self.tsig.len() + self.sig0.len() {
            return Err("two client keys have the same name".into());
        }
        if self.places.len() != self.committee.n() {
            return Err(format!("{} addresses for {} replicas", self.places.len(), self.committee.n()));
        }
        self.operators.check(self.committee)?;
        self.zones.iter().try_for_each(ZonePlan::check)
    }
}

impl ZonePlan {
    pub(super) fn check(&self) -> Result<(), String> {
        for statement in &self.policy {
            UpdatePolicy::parse(&[statement])
                .map_err(|e| format!("zone {}: `{statement}`: {e}", self.origin))?;
        }
        // The machine says what is no zone; the keys are stand-ins.
        let key = |flags: [u8; 2]| KeyInfo {
            id: KeyId(digest("conclave/plan", &[&flags])),
            dnskey: Rdata::new(&[flags[0], flags[1], 3, 8, 1, 3, 1]),
        };
        let rules = ZoneRules {
            origin: self.origin.clone(),
            policy: UpdatePolicy::parse(&self.policy).map_err(|e| e.to_string())?,
            reads: self.reads,
            serial: SerialRule::Increment,
            validity: Validity::default(),
            dnskey_ttl: 0,
            denial: self.denial,
            ksk: key([1, 1]),
            zsk: key([1, 0]),
        };
        let genesis = Genesis {
            cluster: ClusterId::default(),
            epoch: Epoch::default(),
            members: Vec::new(),
            operators: Vec::new(),
            operators_needed: 0,
            zones: vec![(rules, self.records.clone())],
            keys: Arc::new(Keyring::default()),
        };
        Machine::new(genesis).map(|_| ()).map_err(|e| e.to_string())
    }
}
