//! The zones' keys: which signing jobs may name, as execution has it, and what operators are shown of them.
use super::{KeyChange, Output, Replica};
use crate::codec::KeyId;
use crate::threshold::RetiredKey;
use crate::zone::{ShownZone, Step};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A zone's keys at a glance.
#[derive(Clone, Serialize, Debug)]
pub struct ZoneKeys {
    /// The origin.
    pub zone: String,
    /// Its keys.
    pub keys: Vec<ZoneKeyStatus>,
    /// The rollover under way.
    pub rollover: Option<RollStatus>,
    /// Seconds that replicas and secondaries may serve what is replaced.
    pub allowance: u32,
    /// New keys that are not used yet.
    pub bundles: Vec<BundleStatus>,
}

/// A key at a glance.
#[derive(Clone, Serialize, Debug)]
pub struct ZoneKeyStatus {
    /// Its name.
    pub id: String,
    /// `zsk` or `ksk`.
    pub role: &'static str,
    /// 8 or 10.
    pub algorithm: u8,
    /// Its tag.
    pub tag: u16,
    /// Whether it is in the DNSKEY RRset.
    pub published: bool,
    /// Whether it signs.
    pub signs: bool,
    /// Whether CDS and CDNSKEY name it.
    pub announced: bool,
}

/// A rollover at a glance.
#[derive(Clone, Serialize, Debug)]
pub struct RollStatus {
    /// What it has come to.
    pub stage: &'static str,
    /// Since when: agreed time, in seconds.
    pub since: u64,
    /// The command that goes on; `TTL` stands for what the operator finds at the parent.
    pub next: String,
    /// From when on it is safe: agreed time, in seconds.
    pub safe_from: Option<u64>,
    /// Or why that cannot be said yet.
    pub waits_for: Option<&'static str>,
}

/// A bundle at a glance.
#[derive(Clone, Serialize, Debug)]
pub struct BundleStatus {
    /// Its name, in hexadecimal.
    pub name: String,
    /// `zsk` or `ksk`.
    pub role: &'static str,
    /// 8 or 10.
    pub algorithm: u8,
    /// The key's tag.
    pub tag: u16,
    /// Replicas that have given receipts.
    pub receipts: usize,
    /// Of so many.
    pub of: usize,
    /// Replicas whose receipts are lacking.
    pub lacking: Vec<u8>,
}

impl Replica {
    /// Brings the signing sessions from the keys that they know to those that the executed state has.
    pub(super) fn follow_keys(&mut self, out: &mut Output) {
        let wanted = self.machine.signing_keys();
        if wanted != self.keys {
            self.change_keys(wanted, out);
        }
    }

    /// The same, from a state of which nothing is known here.
    pub(super) fn follow_all_keys(&mut self, out: &mut Output) {
        self.change_keys(self.machine.signing_keys(), out);
    }

    fn change_keys(&mut self, wanted: BTreeSet<KeyId>, out: &mut Output) {
        for key in wanted.difference(&self.keys) {
            let known = self.dealt.get(key).cloned();
            if let Some(public) = known.or_else(|| self.machine.public_key(*key).map(Arc::new)) {
                self.signing.learn(public.clone());
                self.refreshes.learn(public.clone());
                out.keys.push(KeyChange::Learn(public));
            }
        }
        // One that came and went while this replica was away is known by the state alone, one that went long ago here alone.
        let gone = self.keys.difference(&wanted).filter_map(|key| {
            let public = self.refreshes.in_force(*key)?;
            Some(RetiredKey::new(*key, public.modulus()))
        });
        let gone: BTreeSet<RetiredKey> = gone.chain(self.machine.retired_keys()).collect();
        for retired in gone {
            if self.retired.insert(retired) {
                self.signing.unlearn(retired.key);
                self.refreshes.unlearn(retired);
                out.keys.push(KeyChange::Retire(retired));
            }
        }
        self.keys = wanted;
    }

    /// The zones' keys, as the executed state has them.
    pub fn keys(&self) -> Vec<ZoneKeys> {
        self.machine.keys().into_iter().map(shown).collect()
    }
}

fn shown(zone: ShownZone) -> ZoneKeys {
    let origin = zone.zone.to_string();
    let keys = zone.keys.into_iter().map(|key| ZoneKeyStatus {
        id: key.id.0.to_hex(),
        role: key.role.word(),
        algorithm: key.algorithm,
        tag: key.tag,
        published: key.published,
        signs: key.signs,
        announced: key.announced,
    });
    let rollover = zone.stage.zip(zone.next).map(|((stage, since), (step, tag, safe))| RollStatus {
        stage,
        since,
        next: match step {
            Step::DsSeen(_) | Step::DsGone(_) => format!("keys {origin} {} {tag} TTL", step.word()),
            _ => format!("keys {origin} {} {tag}", step.word()),
        },
        safe_from: safe.ok(),
        waits_for: safe.err(),
    });
    let bundles = zone.bundles.into_iter().map(|(name, role, algorithm, tag, lacking, of)| BundleStatus {
        name: name.to_hex(),
        role: role.word(),
        algorithm,
        tag,
        receipts: of.saturating_sub(lacking.len()),
        of,
        lacking: lacking.iter().map(|id| id.get()).collect(),
    });
    ZoneKeys {
        keys: keys.collect(),
        rollover,
        allowance: zone.allowance,
        bundles: bundles.collect(),
        zone: origin,
    }
}
