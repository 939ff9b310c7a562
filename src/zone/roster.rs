//! Which zones there are, and by which rules: commands change both while the cluster runs.
//!
//! - `add`: the zone is started in the same batch. Its keys are those of two complete bundles ([`super::deals`]), which no zone has
//!   or had. Versions of a zone count from the number of the batch that added it, so a zone that comes again never goes back,
//!   and who waits for a version of it does not wait for ever.
//! - `remove`: its records, what is registered of it, and the votes about it go at once, its keys a little later ([`super::removed`]). A
//!   cluster has always one zone.
//! - `replace`: the zone is changed into what the contents say: an RRset that stays the same keeps its signatures, and the serial
//!   moves once. The contents' serial counts if it is greater than the zone's (RFC 1982), else the zone's rule; with `if-serial` the
//!   zone must have that one still. What the cluster makes itself stays, CDS and CDNSKEY during a rollover among it. Guards
//!   are for updates, and not asked.
//! - What `add` and `replace` have signed holds up the versions of all zones until it is done, so it has a bound
//!   ([`MAX_SIGNATURES_BY_COMMAND`]).
//! - `policy`: updates that come later in the order, in the same batch too, are judged by it; what ceilings had counted is forgotten.
//! - `freeze`: updates are refused until `thaw`; signatures are made anew, rollovers go on, and `replace` is done.

use super::charter::Charter;
use super::command::ZoneAct;
use super::contents::{self, NewZone};
use super::draft::Draft;
use super::guard;
use super::hashed::Hashes;
use super::ledger::{Ledger, Open};
use super::machine::Machine;
use super::policy::UpdatePolicy;
use super::register::Label;
use super::request::ZoneNews;
use super::rules::KeyInfo;
use super::update::CLUSTER_TYPES;
use super::view::{Denial, View};
use super::votes::{self, Course};
use super::{element, show};
use crate::dns::rrset::serial_gt;
use crate::dns::{Name, RrType, Rrset, Soa};
use crate::limits::{MAX_POLICY_BYTES, MAX_SIGNATURES_BY_COMMAND, MAX_ZONES};
use crate::time::{HOUR, SECOND};
use std::collections::{BTreeMap, BTreeSet};

/// Age in seconds at which signatures of an added zone may be made anew: one that is signed all the time leaves no time to others.
const MIN_REFRESH_SECS: u32 = (HOUR / SECOND) as u32;

/// A zone at a glance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ZoneInfo {
    /// Its rules.
    pub charter: Charter,
    /// Whether it was signed at all.
    pub started: bool,
    /// The serial of its newest state, published or not.
    pub serial: u32,
    /// The number of its newest version, published or not.
    pub version: u64,
}

impl Machine {
    /// All zones, in canonical order.
    pub fn charters(&self) -> Vec<ZoneInfo> {
        let info = |ledger: &Ledger| ZoneInfo {
            charter: Charter::of(ledger),
            started: ledger.started,
            serial: ledger.head.apex().get(RrType::SOA).map_or(0, |_| ledger.head.serial()),
            version: ledger.version,
        };
        self.zones.values().map(info).collect()
    }

    /// Does what needs no contents; of the rest, says what can be said without.
    pub(super) fn zone_command(
        &mut self,
        zone: &Name,
        act: &ZoneAct,
        open: &mut BTreeMap<Name, Open>,
    ) -> Result<Course, String> {
        match act {
            ZoneAct::Add(_) => self.can_add(zone)?,
            ZoneAct::Replace(_, serial) => self.has_serial(zone, *serial)?,
            ZoneAct::Policy(_) => _ = self.begun(zone)?,
            ZoneAct::Remove => self.remove_zone(zone, open)?,
            ZoneAct::Freeze => self.set_frozen(zone, true)?,
            ZoneAct::Thaw => self.set_frozen(zone, false)?,
            ZoneAct::Forget(contents) => self.forget_contents(zone, contents)?,
        }
        Ok(act.contents().map_or(Course::Done, Course::Awaits))
    }

    fn begun(&mut self, zone: &Name) -> Result<&mut Ledger, String> {
        let ledger = self.zones.get_mut(zone).ok_or_else(|| format!("there is no zone {zone}"))?;
        if !ledger.started {
            return Err(format!("zone {zone} has not begun"));
        }
        Ok(ledger)
    }

    fn can_add(&self, zone: &Name) -> Result<(), String> {
        if self.zones.contains_key(zone) {
            return Err(format!("there is a zone {zone}"));
        }
        if self.catalog_origin() == Some(zone) {
            return Err(format!("{zone} is the catalog zone"));
        }
        match self.zones.len() < MAX_ZONES {
            true => Ok(()),
            false => Err(format!("a cluster has at most {MAX_ZONES} zones")),
        }
    }

    fn has_serial(&mut self, zone: &Name, wanted: Option<u32>) -> Result<(), String> {
        let serial = self.begun(zone)?.head.serial();
        match wanted {
            Some(wanted) if wanted != serial => Err(format!("the zone's serial is {serial} by now")),
            _ => Ok(()),
        }
    }

    fn set_frozen(&mut self, zone: &Name, frozen: bool) -> Result<(), String> {
        let ledger = self.begun(zone)?;
        match std::mem::replace(&mut ledger.frozen, frozen) == frozen {
            true if frozen => Err("the zone is frozen already".into()),
            true => Err("the zone is not frozen".into()),
            false => Ok(()),
        }
    }

    pub(super) fn add_zone(
        &mut self,
        zone: &Name,
        new: NewZone,
        open: &mut BTreeMap<Name, Open>,
    ) -> Result<(), String> {
        self.can_add(zone)?;
        if new.validity.refresh < MIN_REFRESH_SECS {
            return Err(format!("signatures are made anew after {MIN_REFRESH_SECS} seconds at the soonest"));
        }
        let bundles = self.complete_bundles(zone, &[new.ksk, new.zsk])?;
        let [ksk, zsk] = self.first_keys(zone, &bundles)?;
        // A signature for each RRset, and for its place in the chain one for each name.
        let sets = &new.records;
        check_signatures(sets.len() + sets.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len())?;
        let head = contents::view(zone, sets)?;
        let NewZone { policy, reads, serial, validity, dnskey_ttl, denial, .. } = new;
        let (origin, born, frozen) = (zone.clone(), self.batches, false);
        let charter =
            Charter { origin, policy, reads, serial, validity, dnskey_ttl, denial, ksk, zsk, born, frozen };
        let rules = charter.rules()?;
        if denial == Denial::Nsec3 {
            Hashes::of(&head)?;
        }
        let mut ledger = Ledger::new(rules, head);
        // The close of this batch makes it the batch's number.
        (ledger.born, ledger.version) = (born, born - 1);
        let mut opened = ledger.open();
        ledger.start(&mut opened);
        self.zones.insert(zone.clone(), ledger);
        open.insert(zone.clone(), opened);
        bundles.iter().for_each(|bundle| self.mark_used(&bundle.name()));
        self.lists_anew = true;
        self.news.push(ZoneNews::Added(zone.clone()));
        Ok(())
    }

    /// The keys of a new zone, KSK and ZSK, if nobody has or had them.
    fn first_keys(&self, zone: &Name, bundles: &[super::CheckedBundle]) -> Result<[KeyInfo; 2], String> {
        use super::Role::{Ksk, Zsk};
        let [ksk, zsk] = bundles else { return Err("a zone begins with two keys".into()) };
        let (of_ksk, of_zsk) = (ksk.bundle(), zsk.bundle());
        if (of_ksk.role, of_zsk.role) != (Ksk, Zsk) || of_ksk.algorithm != of_zsk.algorithm {
            return Err("a zone begins with a KSK and a ZSK of one algorithm".into());
        }
        self.check_thresholds(bundles)?;
        self.check_unused(zone, bundles)?;
        if ksk.public().modulus() == zsk.public().modulus() {
            return Err("its two keys are one: deal them again".into());
        }
        let tags = show::tags(&zsk.dnskey());
        if show::tags(&ksk.dnskey()).into_iter().any(|tag| tags.contains(&tag)) {
            return Err("its two keys have one tag: deal them again".into());
        }
        Ok([ksk, zsk].map(|bundle| KeyInfo { id: bundle.key_id(), dnskey: bundle.dnskey() }))
    }

    /// That no other zone has or had a key of these: with it its shares would go.
    pub(super) fn check_unused(&self, zone: &Name, bundles: &[super::CheckedBundle]) -> Result<(), String> {
        let others = self.zones.iter().filter(|(of, _)| *of != zone).map(|(_, ledger)| &ledger.keys);
        let wanted = others.clone().flat_map(super::keys::KeySet::wanted);
        let wanted = wanted.chain(self.removed().flat_map(|removed| &removed.leaving));
        let known: BTreeSet<&[u8]> = wanted.flat_map(super::keys::ZoneKey::marks).collect();
        let retired = others.flat_map(|keys| keys.retired().iter().copied());
        let retired: Vec<_> = retired.chain(self.retired_with_zones()).collect();
        for bundle in bundles {
            let (id, modulus) = (bundle.key_id(), bundle.public().modulus());
            let is_retired = retired.iter().any(|retired| retired.key == id || retired.has(modulus));
            if is_retired || known.contains(modulus) || known.contains(id.0.0.as_slice()) {
                return Err(format!("key {} is or was in use in another zone: deal another", bundle.tag()));
            }
        }
        Ok(())
    }

    fn remove_zone(&mut self, zone: &Name, open: &mut BTreeMap<Name, Open>) -> Result<(), String> {
        let keys = self.begun(zone)?.keys.clone();
        if self.zones.len() == 1 {
            return Err("it is the last zone, and a cluster has always one".into());
        }
        self.remember_removed(zone, &keys)?;
        let Some(ledger) = self.zones.remove(zone) else { return Ok(()) };
        let base = open.remove(zone).map_or(ledger.head, Open::into_base);
        let origin = zone.to_lowercase();
        for (key, node) in &base.nodes {
            let bucket = self.tally.bucket(element::bucket_of_owner(&origin, key));
            node.iter().for_each(|(_, set)| bucket.remove(&element::rrset(&origin, node.name(), set)));
        }
        self.waiting.retain(|_, plans| {
            plans.retain(|(of, _)| of != zone);
            !plans.is_empty()
        });
        self.forget_deletions(zone);
        votes::forget_zone(&mut self.register, &mut self.tally, zone);
        self.give_up("the zone was removed", |command, _| command.zone() == Some(zone));
        self.lists_anew = true;
        self.news.push(ZoneNews::Removed(zone.clone()));
        Ok(())
    }

    fn forget_deletions(&mut self, zone: &Name) {
        let zone = zone.to_lowercase();
        let all = Label::Deletions(zone.clone(), 0)..=Label::Deletions(zone, u16::MAX);
        let gone: Vec<Label> = self.register.labelled(all).map(|(label, _)| label.clone()).collect();
        gone.iter().for_each(|label| self.register.remove(label, &mut self.tally));
    }

    pub(super) fn replace_zone(
        &mut self,
        zone: &Name,
        sets: &[(Name, Rrset)],
        if_serial: Option<u32>,
        open: &mut BTreeMap<Name, Open>,
    ) -> Result<(), String> {
        self.has_serial(zone, if_serial)?;
        let (wanted, time) = (contents::view(zone, sets)?, self.time);
        let ledger = self.begun(zone)?;
        let base = open.get(zone).map_or(ledger.head.serial(), Open::base_serial);
        let draft = replaced(ledger, &wanted, base)?;
        let open = open.entry(zone.clone()).or_insert_with(|| ledger.open());
        let changes = draft.changes(&ledger.head);
        check_signatures(changes.len() + draft.touched.len())?;
        ledger.admit(open, &draft).map_err(|why| why.to_string())?;
        let (added, deleted) = guard::totals(&changes);
        ledger.records = (ledger.records + added).saturating_sub(deleted);
        ledger.take(open, draft, time);
        Ok(())
    }

    pub(super) fn change_policy(&mut self, zone: &Name, statements: &[String]) -> Result<(), String> {
        let policy = policy_of(statements)?;
        check_policy(&policy)?;
        self.begun(zone)?.set_policy(policy);
        self.forget_deletions(zone);
        Ok(())
    }
}

/// That a command has no more signed at once than others can wait for.
fn check_signatures(about: usize) -> Result<(), String> {
    match about <= MAX_SIGNATURES_BY_COMMAND {
        true => Ok(()),
        false => Err(format!(
            "about {about} signatures would have to be made before anything else, and {MAX_SIGNATURES_BY_COMMAND} may"
        )),
    }
}

/// The policy of these statements, which must not be too long: that is asked first.
pub(super) fn policy_of(statements: &[String]) -> Result<UpdatePolicy, String> {
    check_length(statements)?;
    UpdatePolicy::parse(statements).map_err(|why| why.to_string())
}

/// That a policy is not too long, and that its statements, as the state has them, give it again.
pub(super) fn check_policy(policy: &UpdatePolicy) -> Result<(), String> {
    let statements = policy.statements();
    check_length(&statements)?;
    match UpdatePolicy::parse(&statements).is_ok_and(|same| same == *policy) {
        true => Ok(()),
        false => Err("the policy has statements that say something else when they are read again".into()),
    }
}

fn check_length(statements: &[String]) -> Result<(), String> {
    let bytes: usize = statements.iter().map(|statement| 4 + statement.len()).sum();
    match bytes <= MAX_POLICY_BYTES {
        true => Ok(()),
        false => Err(format!("a policy has at most {MAX_POLICY_BYTES} bytes")),
    }
}

/// The zone with the data of `wanted`, of which the cluster's own types and the serial are left out.
/// A serial goes beyond the one of the batch's beginning too, which is what others have seen.
fn replaced(ledger: &Ledger, wanted: &View, base: u32) -> Result<Draft, String> {
    let head = &ledger.head;
    let mut draft = Draft::new(head.clone());
    let tells_parent = ledger.keys.tells_parent();
    let keys: BTreeSet<_> = head.nodes.keys().chain(wanted.nodes.keys()).collect();
    let mut added = Vec::new();
    for key in keys {
        let (before, after) = (head.nodes.get(key), wanted.nodes.get(key));
        let Some(name) = before.or(after).map(|node| node.name().clone()) else { continue };
        let types = before.into_iter().chain(after).flat_map(|node| node.data().map(|(rtype, _)| rtype));
        let is_clusters = |rtype: RrType| {
            CLUSTER_TYPES.contains(&rtype)
                || (tells_parent && key == head.apex_key() && matches!(rtype, RrType::CDS | RrType::CDNSKEY))
        };
        for rtype in types.filter(|rtype| !is_clusters(*rtype)).collect::<BTreeSet<_>>() {
            let mut new = after.and_then(|node| node.get(rtype)).map(|set| Rrset::clone(&set.rrset));
            if let Some(set) = new.as_mut().filter(|set| set.rtype == RrType::SOA) {
                keep_serial(set, head.serial(), base)?;
            }
            if new.as_ref() == before.and_then(|node| node.get(rtype)).map(|set| &*set.rrset) {
                continue;
            }
            match new {
                Some(set) => added.push((name.clone(), set)),
                None => draft.remove(&name, rtype),
            }
        }
    }
    // After what goes: a name may have so many types at a time.
    for (name, set) in added {
        draft.put(&name, set).map_err(|why| why.to_string())?;
    }
    Ok(draft)
}

/// The SOA with this serial, unless its own is greater than both.
fn keep_serial(set: &mut Rrset, serial: u32, base: u32) -> Result<(), String> {
    let soa = set.rdatas.first().and_then(Soa::parse).ok_or("the SOA is malformed")?;
    if !serial_gt(soa.serial, serial) || !serial_gt(soa.serial, base) {
        *set = Rrset::of(RrType::SOA, set.ttl, [Soa { serial, ..soa }.to_rdata()]);
    }
    Ok(())
}
