//! The keys of the zones as operators see them, and the commands that move them.

use super::bundle::{CheckedBundle, Role};
use super::command::Act;
use super::keys::{KeySet, ZoneKey};
use super::ledger::Open;
use super::machine::Machine;
use super::rollover::{Roll, Step};
use super::votes;
use crate::codec::{Digest, KeyId};
use crate::dns::{Name, Rdata, RrType, dnssec};
use crate::limits::MAX_REPLICAS;
use crate::quorum::ReplicaId;
use crate::threshold::{PublicKey, RetiredKey};
use std::collections::{BTreeMap, BTreeSet};

/// A zone's keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShownZone {
    /// The origin.
    pub zone: Name,
    /// Its keys.
    pub keys: Vec<ShownKey>,
    /// What the rollover under way has come to, and since when (agreed time, in seconds).
    pub stage: Option<(&'static str, u64)>,
    /// The next step and its key's tag; from when on it is safe (agreed time, in seconds), or why that cannot be said yet.
    pub next: Option<(Step, u16, Result<u64, &'static str>)>,
    /// Seconds that replicas and secondaries may serve what is replaced.
    pub allowance: u32,
    /// Bundles of unused keys: name, role, algorithm, key tag, replicas with receipts, of so many.
    pub bundles: Vec<(Digest, Role, u8, u16, Vec<ReplicaId>, usize)>,
}

/// A key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShownKey {
    /// Its name.
    pub id: KeyId,
    /// What it signs.
    pub role: Role,
    /// 8 or 10.
    pub algorithm: u8,
    /// Its tag.
    pub tag: u16,
    /// Whether it is in the DNSKEY RRset.
    pub published: bool,
    /// Whether it signs.
    pub signs: bool,
    /// Whether it is in the CDS and CDNSKEY RRsets.
    pub announced: bool,
}

impl Machine {
    /// The keys of all zones; after them, zones that are to come: what keys there are for these.
    pub fn keys(&self) -> Vec<ShownZone> {
        let zone = |(origin, ledger): (&Name, &super::ledger::Ledger)| {
            let roll = ledger.keys.roll.as_ref();
            let next = |roll: &Roll| {
                Some((roll.next().0, ledger.keys.roll_tag()?, ledger.keys.safe_from(ledger.is_stale())))
            };
            ShownZone {
                zone: origin.clone(),
                keys: shown(&ledger.keys),
                stage: roll.map(|roll| (roll.stage.words(), roll.since)),
                next: roll.and_then(next),
                allowance: ledger.keys.allowance,
                bundles: self.spare(origin),
            }
        };
        let to_come = |origin: &Name| ShownZone {
            zone: origin.clone(),
            keys: Vec::new(),
            stage: None,
            next: None,
            allowance: 0,
            bundles: self.spare(origin),
        };
        let unknown = self.deals().filter(|(_, deal)| !deal.is_used).map(|(_, deal)| &deal.bundle.zone);
        let unknown: BTreeSet<&Name> = unknown.filter(|zone| !self.zones.contains_key(*zone)).collect();
        self.zones.iter().map(zone).chain(unknown.into_iter().map(to_come)).collect()
    }

    /// The bundles of a zone's unused keys.
    fn spare(&self, zone: &Name) -> Vec<(Digest, Role, u8, u16, Vec<ReplicaId>, usize)> {
        let bundles = self.deals().filter(|(_, deal)| deal.bundle.zone == *zone && !deal.is_used);
        let bundles = bundles.filter_map(|(name, deal)| {
            let checked = deal.bundle.clone().check().ok()?;
            let all = deal.bundle.members.len();
            let indices = (1..=MAX_REPLICAS).take(all).filter_map(ReplicaId::new);
            let lacking = indices.filter(|id| !deal.holders.contains(id)).collect();
            Some((*name, deal.bundle.role, deal.bundle.algorithm, checked.tag(), lacking, all))
        });
        bundles.collect()
    }

    /// The keys that signing jobs may name, and no others.
    pub fn signing_keys(&self) -> BTreeSet<KeyId> {
        let keys = self.zones.values().flat_map(|ledger| ledger.keys.wanted());
        keys.chain(self.removed().flat_map(|removed| &removed.leaving)).map(|key| key.id).collect()
    }

    /// The keys that went: nobody is to sign with them any more.
    pub fn retired_keys(&self) -> impl Iterator<Item = RetiredKey> {
        let of_zones = self.zones.values().flat_map(|ledger| ledger.keys.retired().iter().copied());
        of_zones.chain(self.retired_with_zones())
    }

    /// The public key of this name, if it came in a bundle.
    pub fn public_key(&self, id: KeyId) -> Option<PublicKey> {
        let checked = self.deals().filter_map(|(_, deal)| deal.bundle.clone().check().ok());
        checked.map(|bundle| bundle.public().clone()).find(|public| public.key_id() == id)
    }

    /// Executes a command about a zone's keys.
    pub(super) fn keys_command(
        &mut self,
        zone: &Name,
        act: &Act,
        open: &mut BTreeMap<Name, Open>,
    ) -> Result<(), String> {
        let (batch, time) = (self.batches, self.time);
        let new = match act {
            Act::Begin(names) => self.complete_bundles(zone, names)?,
            _ => Vec::new(),
        };
        self.check_thresholds(&new)?;
        self.check_unused(zone, &new)?;
        let ledger = self.zones.get_mut(zone).filter(|ledger| ledger.started);
        let ledger = ledger.ok_or_else(|| format!("there is no zone {zone}, or it is not signed yet"))?;
        let had_cds = ledger.keys.tells_parent();
        match act {
            Act::Allowance(seconds) => return ledger.keys.set_allowance(*seconds),
            Act::Step(step, tag) => {
                // What this batch has changed so far is not signed otherwise than before; what is stale is known.
                let is_stale = ledger.is_stale();
                ledger.keys.step(*step, *tag, is_stale, time, batch)?;
            }
            Act::Begin(_) => {
                let keys = new.iter().map(|bundle| ZoneKey {
                    id: bundle.key_id(),
                    role: bundle.bundle().role,
                    dnskey: bundle.dnskey(),
                });
                begin(&mut ledger.keys, keys.collect(), time, batch)?;
            }
        }
        let origin = ledger.rules.origin.clone();
        let open = open.entry(origin).or_insert_with(|| ledger.open());
        ledger.relay(open, had_cds, time);
        if matches!(act, Act::Begin(_) | Act::Step(Step::Abort, _)) {
            votes::forget_steps(&mut self.register, &mut self.tally, zone);
        }
        new.iter().for_each(|bundle| self.mark_used(&bundle.name()));
        Ok(())
    }
}

impl Machine {
    /// That as many shares sign as must for a key of each role.
    pub(super) fn check_thresholds(&self, bundles: &[CheckedBundle]) -> Result<(), String> {
        let committee = self.committee();
        let needs = |role| if role == Role::Ksk { committee.quorum() } else { committee.one_correct() };
        let Some(bundle) = bundles.iter().find(|one| one.public().threshold() != needs(one.bundle().role))
        else {
            return Ok(());
        };
        let (role, threshold) = (bundle.bundle().role, bundle.public().threshold());
        Err(format!("{threshold} shares sign for this {role}, and it must be {}", needs(role)))
    }
}

/// The tags by which a key may be known: revoked (RFC 5011) or not.
pub(super) fn tags(dnskey: &Rdata) -> [u16; 2] {
    let mut revoked = dnskey.wire().to_vec();
    revoked[1] |= 0x80;
    [dnssec::key_tag(dnskey.wire()), dnssec::key_tag(&revoked)]
}

fn begin(
    keys: &mut KeySet,
    mut new: Vec<ZoneKey>,
    time: crate::time::AgreedTime,
    batch: u64,
) -> Result<(), String> {
    if keys.roll.is_some() {
        return Err("a rollover is under way: one at a time".into());
    }
    if keys.has_leaving_keys() {
        return Err("the last rollover's signatures are not known to be there: some batches more".into());
    }
    new.sort_by_key(|key| key.role);
    let roles: Vec<Role> = new.iter().map(|key| key.role).collect();
    let algorithm = keys.keys[0].algorithm();
    let is_other = new.iter().any(|key| key.algorithm() != algorithm);
    let fits = match roles.as_slice() {
        [_] => !is_other,
        [Role::Zsk, Role::Ksk] => new.iter().all(|key| key.algorithm() != algorithm) && same_algorithm(&new),
        _ => false,
    };
    if !fits {
        return Err(format!(
            "a rollover is to one key of algorithm {algorithm}, or to a ZSK and a KSK that are both of another"
        ));
    }
    // KeyTrap: tags must tell keys apart.
    let tags = |key: &ZoneKey| tags(&key.dnskey);
    let mut known: BTreeSet<&[u8]> = keys.wanted().flat_map(ZoneKey::marks).collect();
    if new.iter().flat_map(ZoneKey::marks).any(|mark| !known.insert(mark)) {
        return Err("a key of the zone cannot come again, nor one key twice".into());
    }
    if let Some(key) = new.iter().find(|key| keys.was_used(key)) {
        return Err(format!("key {} was in use before: deal another", key.tag()));
    }
    let mut seen: BTreeSet<u16> = keys.wanted().flat_map(tags).collect();
    for key in &new {
        if tags(key).into_iter().any(|tag| !seen.insert(tag)) {
            return Err(format!("the tag {} is another key's too: deal the key again", key.tag()));
        }
    }
    let roll = Roll::begin(new.iter().map(|key| key.id).collect(), &roles, time, batch);
    keys.keys.extend(new);
    keys.enter(roll);
    Ok(())
}

fn same_algorithm(keys: &[ZoneKey]) -> bool {
    keys.windows(2).all(|pair| pair[0].algorithm() == pair[1].algorithm())
}

fn shown(keys: &KeySet) -> Vec<ShownKey> {
    let layout = keys.layout();
    let has = |list: &[&ZoneKey], key: &ZoneKey| list.iter().any(|held| held.id == key.id);
    let show = |key: &ZoneKey| {
        let signs = if key.role == Role::Ksk { RrType::DNSKEY } else { RrType::SOA };
        ShownKey {
            id: key.id,
            role: key.role,
            algorithm: key.algorithm(),
            tag: key.tag(),
            published: has(&layout.published, key),
            signs: has(&layout.signers(signs, true), key),
            announced: has(&layout.cds, key),
        }
    };
    keys.keys.iter().map(show).collect()
}
