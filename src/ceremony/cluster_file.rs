//! `cluster.toml`: the text of a [`Cluster`], public and the same on every replica.
//!
//! Every value is parsed into its type where it stands, so that what is wrong is told with its line; unknown names
//! are refused. Then what must fit together is checked: members 1…n, thresholds, DNSKEYs and the
//! verification keys behind them, unique key tags (also of the keys once revoked), unique names.
#![forbid(unsafe_code)]

mod text;
pub(super) use text::{DenialText, SerialText};
mod write;

pub use write::{quote, serial_word, write};

use super::client_plan::{QuotaText, check_algorithm, check_shares};
use super::cluster::{Cluster, Key, Member, Sig0Entry, TsigEntry, VERSION, Zone};
use super::files::{Problem, read_text};
use super::operators::{Needed, OperatorText, Operators};
use crate::codec::{ClusterId, Epoch};
use crate::consensus::coin::CoinPublic;
use crate::dns::dnssec::{key_tag, rsa_dnskey_rdata};
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::tsig::{Mode, Quota};
use crate::limits::{MAX_DNSKEY_TTL_SECS, MAX_VALIDITY_SECS};
use crate::quorum::Committee;
use crate::threshold::PublicKey;
use crate::time::UnixMillis;
use crate::zone::{Reads, Validity};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use text::{FileText, KeyText, MemberText, ReadsText, Sig0Text, TsigText, ZoneText};
use toml::Spanned;

/// Reads and checks a cluster file.
pub fn read(path: &Path) -> Result<Cluster, Vec<Problem>> {
    let text = read_text(path).map_err(|problem| vec![problem])?;
    parse(&text, path)
}

/// Parses and checks the text of a cluster file; `path` is for the problems.
pub fn parse(text: &str, path: &Path) -> Result<Cluster, Vec<Problem>> {
    let file: FileText = toml::from_str(text).map_err(|e| vec![Problem::toml(path, text, &e)])?;
    let mut check = Check { path, text, problems: Vec::new() };
    let cluster = check.cluster(file);
    match cluster {
        Some(cluster) if check.problems.is_empty() => Ok(cluster),
        _ => Err(check.problems),
    }
}

struct Check<'a> {
    path: &'a Path,
    text: &'a str,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn at<T>(&mut self, place: &Spanned<T>, reason: impl Into<String>) {
        self.problems.push(Problem::at(self.path, self.text, place.span().start, reason));
    }

    fn whole(&mut self, reason: impl Into<String>) {
        self.problems.push(Problem::new(self.path, reason));
    }

    fn cluster(&mut self, file: FileText) -> Option<Cluster> {
        if file.version != VERSION {
            self.whole(format!("has version {}; this program reads version {VERSION}", file.version));
            return None;
        }
        let Some(committee) = Committee::new(*file.replicas.get_ref()) else {
            self.at(&file.replicas, "the number of replicas is out of range");
            return None;
        };
        if usize::from(*file.faults.get_ref()) != committee.faults() {
            self.at(
                &file.faults,
                format!("{} replicas tolerate {} faults", committee.n(), committee.faults()),
            );
        }
        let members = self.members(committee, file.members);
        let zones = self.zones(committee, file.zones);
        let tsig = self.tsig(committee, file.tsig);
        let sig0 = self.sig0(file.sig0, &tsig);
        self.shares(&tsig, &sig0);
        let operators = self.operators(committee, &file.operators, file.operators_needed);
        let (epoch, genesis_time) = (Epoch(file.epoch), UnixMillis(file.genesis_time_ms));
        let (signing, plan) = (file.signing.0, file.plan.0);
        let replaces = file.replaces.map(|id| ClusterId(id.0));
        if replaces.is_some() && file.epoch == 0 {
            self.whole("replaces a cluster, but epoch 0 is the first");
        }
        Some(Cluster {
            committee,
            epoch,
            genesis_time,
            signing,
            plan,
            replaces,
            members,
            zones,
            tsig,
            sig0,
            operators,
        })
    }

    fn members(&mut self, committee: Committee, texts: Vec<MemberText>) -> Vec<Member> {
        let mut members = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for member in texts {
            let index = *member.index.get_ref();
            if index == 0 || usize::from(index) > committee.n() {
                self.at(&member.index, format!("member {index} of {} replicas", committee.n()));
            }
            let keys = [member.identity.0, member.sealing.0.0, member.coin.0];
            if !keys.into_iter().all(|key| seen.insert(key)) {
                self.at(&member.index, format!("member {index} has a key that another member has"));
            }
            let [identity, coin] = [member.identity.0, member.coin.0];
            let keys = Member { identity, sealing: member.sealing.0, coin };
            if members.insert(index, keys).is_some() {
                self.at(&member.index, format!("member {index} stands here twice"));
            }
        }
        if members.len() != committee.n() {
            self.whole(format!("lists {} members, not {}", members.len(), committee.n()));
        }
        let members: Vec<Member> = members.into_values().collect();
        let points: Vec<[u8; 32]> = members.iter().map(|member| member.coin).collect();
        if let Err(e) = CoinPublic::new(points, committee.one_correct()) {
            self.whole(format!("coin: {e}"));
        }
        members
    }

    fn zones(&mut self, committee: Committee, texts: Vec<ZoneText>) -> Vec<Zone> {
        if texts.is_empty() {
            self.whole("has no [[zone]]");
        }
        let mut zones = BTreeMap::new();
        for text in texts {
            // Each zone's keys have their own names; that of another zone is never looked for among them.
            let mut tags = BTreeSet::new();
            let (place, origin) = (text.origin.span(), text.origin.get_ref().0.clone());
            let place = Spanned::new(place, ());
            let dates = text.signatures.get_ref();
            let validity = Validity {
                lifetime: dates.lifetime_s,
                refresh: dates.refresh_s,
                jitter: dates.jitter_s,
                backdate: dates.backdate_s,
            };
            if validity.lifetime > MAX_VALIDITY_SECS || validity.backdate > MAX_VALIDITY_SECS {
                self.at(&text.signatures, "signatures may live a year at most");
            } else if validity.refresh.saturating_add(validity.jitter) >= validity.lifetime {
                self.at(&text.signatures, "refresh-s and jitter-s together must be less than lifetime-s");
            }
            if text.dnskey_ttl_s > MAX_DNSKEY_TTL_SECS {
                self.at(&place, "dnskey-ttl-s is more than a week");
            }
            let zsk = self.key(committee, &text.zsk, 256, &mut tags);
            let ksk = self.key(committee, &text.ksk, 257, &mut tags);
            let zone = Zone {
                origin: origin.clone(),
                records: text.records_sha256.0,
                reads: match text.reads {
                    ReadsText::Local => Reads::Local,
                    ReadsText::Ordered => Reads::Ordered,
                },
                serial: text.serial.into(),
                denial: text.denial.into(),
                dnskey_ttl: text.dnskey_ttl_s,
                validity,
                policy: text.policy.into_iter().map(|statement| statement.0.0).collect(),
                zsk,
                ksk,
            };
            if zones.insert(origin.clone(), zone).is_some() {
                self.at(&place, format!("zone {origin} stands here twice"));
            }
        }
        zones.into_values().collect()
    }

    fn key(
        &mut self,
        committee: Committee,
        text: &Spanned<KeyText>,
        flags: u16,
        tags: &mut BTreeSet<u16>,
    ) -> Key {
        let key = text.get_ref();
        let public = key.verification.0.clone();
        let dnskey = key.dnskey.0.0.clone();
        let algorithm = dnskey.wire().get(3).copied().unwrap_or_default();
        if !matches!(algorithm, 8 | 10) {
            self.at(text, format!("algorithm {algorithm} is not one of 8 (RSASHA256) and 10 (RSASHA512)"));
        } else if dnskey != dnskey_of(&public, flags, algorithm) {
            self.at(text, format!("the dnskey is not that of the verification key with flags {flags}"));
        }
        if public.parties() != committee.n() || public.threshold() != usize::from(key.threshold) {
            let (n, k) = (public.parties(), public.threshold());
            self.at(
                text,
                format!(
                    "the verification key is for {k} of {n} shares, not {} of {}",
                    key.threshold,
                    committee.n()
                ),
            );
        }
        let (least, most) = (committee.one_correct(), committee.quorum());
        if !(least..=most).contains(&usize::from(key.threshold)) {
            self.at(text, format!("threshold must be {least} to {most}"));
        }
        if !tags_of(&dnskey).into_iter().all(|tag| tags.insert(tag)) {
            self.at(text, "its key tag is also another key's; deal again");
        }
        Key { threshold: key.threshold, dnskey, public }
    }

    fn operators(
        &mut self,
        committee: Committee,
        texts: &[Spanned<OperatorText>],
        needed: Option<Needed>,
    ) -> Operators {
        let read = Operators::read(texts.iter().map(Spanned::get_ref), needed);
        match read.and_then(|operators| operators.check(committee).map(|()| operators)) {
            Ok(operators) => operators,
            Err(reason) => {
                match texts.first() {
                    Some(first) => self.at(first, reason),
                    None => self.whole(reason),
                }
                Operators::default()
            }
        }
    }

    fn tsig(&mut self, committee: Committee, texts: Vec<TsigText>) -> Vec<TsigEntry> {
        let mut keys = BTreeMap::new();
        for text in texts {
            let name = text.name.get_ref().0.clone();
            let (mode, salt) = (Mode::from(text.mode), text.salt.0);
            if let Err(reason) = check_algorithm(text.algorithm.0, text.allow_weak) {
                self.at(&text.name, reason);
            }
            let commitments = text.commitment.into_iter().chain(text.commitments);
            let commitments: Vec<_> = commitments.map(|commitment| commitment.0).collect();
            let wanted = if mode == Mode::Quorum { committee.n() } else { 1 };
            if commitments.len() != wanted {
                self.at(&text.name, format!("{} commitments, not {wanted}", commitments.len()));
            }
            let quota = self.quota(&text.name, text.limits);
            let algorithm = text.algorithm.0.to_string();
            let key = TsigEntry { name: name.clone(), algorithm, mode, quota, salt, commitments };
            if keys.insert(name.clone(), key).is_some() {
                self.at(&text.name, format!("TSIG key {name} stands here twice"));
            }
        }
        keys.into_values().collect()
    }

    fn sig0(&mut self, texts: Vec<Sig0Text>, tsig: &[TsigEntry]) -> Vec<Sig0Entry> {
        let mut keys = BTreeMap::new();
        for text in texts {
            let name = text.name.get_ref().0.clone();
            if tsig.iter().any(|key| key.name == name) {
                // A grant names its key by name only.
                self.at(&text.name, format!("{name} is the name of a TSIG key too"));
            }
            let quota = self.quota(&text.name, text.limits);
            let key = Sig0Entry { name: name.clone(), key: text.key.0.0, quota };
            if keys.insert((name.clone(), key.key.wire().to_vec()), key).is_some() {
                self.at(&text.name, format!("this key of {name} stands here twice"));
            }
        }
        keys.into_values().collect()
    }
}

impl Check<'_> {
    fn quota<T>(&mut self, place: &Spanned<T>, text: Option<QuotaText>) -> Option<Quota> {
        match text.map(QuotaText::read).transpose() {
            Ok(quota) => quota,
            Err(reason) => {
                self.at(place, reason);
                None
            }
        }
    }

    /// No key may crowd another out of the replay table.
    fn shares(&mut self, tsig: &[TsigEntry], sig0: &[Sig0Entry]) {
        let mut quotas: BTreeMap<&Name, Option<Quota>> = BTreeMap::new();
        let said = tsig.iter().map(|key| (&key.name, key.quota));
        for (name, quota) in said.chain(sig0.iter().map(|key| (&key.name, key.quota))) {
            let held = quotas.entry(name).or_default();
            *held = held.or(quota);
        }
        if let Err(reason) = check_shares(&quotas) {
            self.whole(reason);
        }
    }
}

/// The DNSKEY rdata of a threshold key (RFC 3110 §2: the exponent without leading zeros).
pub fn dnskey_of(public: &PublicKey, flags: u16, algorithm: u8) -> Rdata {
    let exponent = public.exponent().to_be_bytes();
    let zeros = exponent.iter().take_while(|octet| **octet == 0).count();
    rsa_dnskey_rdata(flags, algorithm, &exponent[zeros..], public.modulus())
}

/// The key tags of a DNSKEY as it is and once it is revoked (RFC 5011 §2.1).
pub fn tags_of(dnskey: &Rdata) -> BTreeSet<u16> {
    let mut revoked = dnskey.wire().to_vec();
    if let Some(low) = revoked.get_mut(1) {
        *low |= 0x80;
    }
    BTreeSet::from([key_tag(dnskey.wire()), key_tag(&revoked)])
}

#[cfg(test)]
mod tests;
