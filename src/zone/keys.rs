//! The keys of one zone, and what each of them does: which are in the DNSKEY RRset, which sign what, which the parent is
//! told of. A rollover ([`super::rollover`]) changes that stage by stage.
//!
//! # What caches may hold
//! A validator may have fetched anything that was ever served, at the last moment at which it was served, and hold it for its
//! TTL. So of what is no longer served the set remembers until when caches may hold it (its *horizon*): the greatest of
//! "served last at y, and x seconds lasted the TTL, or the signature if that is shorter: until y + x". There is one for DNSKEY RRsets, one for
//! data RRsets that were not signed as data were to be signed then, one for those that were: these no step of that rollover
//! waits for, but the next one's, when they are to be signed otherwise; one for CDS and CDNSKEY RRsets,
//! and, as the operators say, one for DS RRsets at the parent.
//!
//! What is served follows execution at a distance: a version is executed, signed, and then published. The pipeline executes
//! batch b only when everything of batch b - P is signed, so what batch c replaced is served at the latest until batch c + P
//! is executed, which may be long after its agreed time. So during a rollover y is the agreed time at which a quorum has said that it
//! has executed batch c + P ([`super::progress`]). What left before the rollover is dated by the agreed time of batch c + P, for
//! nobody says anything while there is no rollover. Up to t replicas and the secondaries may be later; for them, and for what waited to be
//! signed before the rollover, each wait is longer by the *allowance*, which operators set ([`DEFAULT_ALLOWANCE_SECS`]).

use super::bundle::Role;
use super::rollover::{Roll, Stage, Wait};
use super::rules::{KeyInfo, ZoneRules};
use crate::codec::KeyId;
use crate::dns::{Rdata, RrType, Rrset, dnssec};
use crate::limits::{MAX_RETIRED_KEYS, MAX_RRSET_OCTETS, PIPELINE_BATCHES};
use crate::threshold::RetiredKey;
use crate::time::{AgreedTime, DAY, SECOND};
use borsh::{BorshDeserialize, BorshSerialize};

/// Seconds that replicas and secondaries may serve what the order has replaced, if operators say nothing else.
pub const DEFAULT_ALLOWANCE_SECS: u32 = (DAY / SECOND) as u32;
/// The most they may say.
pub const MAX_ALLOWANCE_SECS: u32 = (30 * DAY / SECOND) as u32;
/// The greatest TTL of a DS RRset that operators can have seen; a slip of theirs could not be taken back.
pub const MAX_DS_TTL_SECS: u32 = (30 * DAY / SECOND) as u32;
/// Batches whose leavings are told apart; of more, the oldest are taken for later than they were.
const MAX_LEAVING: usize = 64;
/// A pair of keys, and the pair that takes its place.
const MAX_KEYS: usize = 4;
/// The SHA-256 digest in a CDS (RFC 4509).
const SHA256: u8 = 2;

/// A key of a zone.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct ZoneKey {
    pub(super) id: KeyId,
    pub(super) role: Role,
    pub(super) dnskey: Rdata,
}

impl ZoneKey {
    fn of(role: Role, key: &KeyInfo) -> Self {
        Self { id: key.id, role, dnskey: key.dnskey.clone() }
    }

    pub(super) fn tag(&self) -> u16 {
        dnssec::key_tag(self.dnskey.wire())
    }

    /// What no two keys may have in common: the name, and N.
    pub(super) fn marks(&self) -> [&[u8]; 2] {
        [&self.id.0.0, self.modulus()]
    }

    pub(super) fn algorithm(&self) -> u8 {
        self.dnskey.wire()[3]
    }

    /// Whether it can be one: what nothing could take a tag of is none.
    pub(super) fn is_key(&self) -> bool {
        let wire = self.dnskey.wire();
        wire.len() > 4 && crate::dns::rdata::validate(RrType::DNSKEY, wire).is_ok()
    }

    pub(super) fn retired(&self) -> RetiredKey {
        RetiredKey::new(self.id, self.modulus())
    }

    fn modulus(&self) -> &[u8] {
        dnssec::rsa_modulus(&self.dnskey).unwrap_or_default()
    }
}

/// What caches hold apart from one another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub(super) enum Class {
    Dnskey,
    /// Data not signed as they are to be.
    Data,
    /// Data signed as they are to be.
    Fresh,
    /// CDS and CDNSKEY, which are data beside.
    Cds,
}

/// Of what a batch has replaced, for how many seconds caches may hold it at most; it may still be served.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
struct Leaving {
    batch: u64,
    class: Class,
    secs: u32,
}

/// Until when caches may hold what is no longer served: agreed time in seconds.
#[derive(Clone, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub(super) struct Horizons {
    pub(super) dnskey: u64,
    pub(super) data: u64,
    pub(super) ds: u64,
    pub(super) fresh: u64,
    pub(super) cds: u64,
}

/// All keys of a zone.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct KeySet {
    pub(super) keys: Vec<ZoneKey>,
    pub(super) roll: Option<Roll>,
    pub(super) allowance: u32,
    pub(super) horizons: Horizons,
    /// The greatest TTL of a DS RRset that operators have seen at the parent.
    pub(super) ds_ttl: u32,
    leaving: Vec<Leaving>,
    /// Keys that went with this batch: for P batches more somebody may lack a signature by them.
    leaving_keys: Vec<(u64, ZoneKey)>,
    /// Keys that went before, the newest last: nobody signs with them again.
    retired: Vec<RetiredKey>,
}

/// What each key does now.
pub(super) struct Layout<'a> {
    /// In the DNSKEY RRset.
    pub(super) published: Vec<&'a ZoneKey>,
    /// Sign data.
    data: Vec<&'a ZoneKey>,
    /// Sign the DNSKEY RRset.
    keys: Vec<&'a ZoneKey>,
    /// In the CDS and CDNSKEY RRsets; none while the cluster keeps none.
    pub(super) cds: Vec<&'a ZoneKey>,
}

impl KeySet {
    pub(super) fn new(rules: &ZoneRules) -> Self {
        Self {
            keys: vec![ZoneKey::of(Role::Ksk, &rules.ksk), ZoneKey::of(Role::Zsk, &rules.zsk)],
            roll: None,
            allowance: DEFAULT_ALLOWANCE_SECS,
            horizons: Horizons::default(),
            ds_ttl: 0,
            leaving: Vec::new(),
            leaving_keys: Vec::new(),
            retired: Vec::new(),
        }
    }

    /// What must hold of the keys of a restored state, so that nothing can go wrong with them later.
    pub(super) fn check(&self, time: AgreedTime, batches: u64) -> Result<(), String> {
        let keys = self.keys.iter().chain(self.leaving_keys.iter().map(|(_, key)| key));
        let bounded = self.keys.len() <= MAX_KEYS
            && self.leaving_keys.len() <= MAX_KEYS
            && self.retired.len() <= MAX_RETIRED_KEYS
            && self.leaving.len() <= MAX_LEAVING;
        let past = self.leaving.iter().map(|leaving| leaving.batch);
        let mut past = past.chain(self.leaving_keys.iter().map(|(batch, _)| *batch));
        let Horizons { dnskey, data, ds, fresh, cds } = self.horizons;
        let until = [dnskey, data, ds, fresh, cds];
        let octets: usize = self.keys.iter().map(|key| key.dnskey.wire().len()).sum();
        let has_role = |role| self.settled_keys(role).next().is_some();
        let fits = bounded
            && keys.clone().all(ZoneKey::is_key)
            && octets <= MAX_RRSET_OCTETS
            && has_role(Role::Ksk)
            && has_role(Role::Zsk)
            && past.all(|batch| batch <= batches)
            && until.iter().all(|until| *until <= time.secs() + (1 << 33))
            && self.allowance <= MAX_ALLOWANCE_SECS
            && self.ds_ttl <= MAX_DS_TTL_SECS
            && self.roll.as_ref().is_none_or(|roll| roll.check(self, time, batches));
        if fits { Ok(()) } else { Err("the keys of a zone cannot be these".into()) }
    }

    /// The keys of this role that were there before the rollover.
    pub(super) fn settled_keys(&self, role: Role) -> impl Iterator<Item = &ZoneKey> {
        self.keys.iter().filter(move |key| key.role == role && !self.is_new(key))
    }

    fn is_new(&self, key: &ZoneKey) -> bool {
        self.roll.as_ref().is_some_and(|roll| roll.new.contains(&key.id))
    }

    /// All keys of which a signature may be wanted.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &ZoneKey> {
        self.keys.iter().chain(self.leaving_keys.iter().map(|(_, key)| key))
    }

    /// Whether signatures by keys that went may still be lacking somewhere.
    pub(super) fn has_leaving_keys(&self) -> bool {
        !self.leaving_keys.is_empty()
    }

    /// Keys that nobody is to sign with any more.
    pub(super) fn retired(&self) -> &[RetiredKey] {
        &self.retired
    }

    /// Whether the zone has used this key before.
    pub(super) fn was_used(&self, key: &ZoneKey) -> bool {
        self.retired.iter().any(|retired| retired.key == key.id || retired.has(key.modulus()))
    }

    /// Whether there is one key of each role, and nobody can lack a signature by another.
    pub(super) fn is_at_rest(&self) -> bool {
        self.roll.is_none() && self.leaving_keys.is_empty()
    }

    /// The same keys under the names that they have elsewhere.
    pub(super) fn renamed(&self, name: impl Fn(&ZoneKey) -> Option<KeyId>) -> Option<Self> {
        let mut renamed = self.clone();
        for key in &mut renamed.keys {
            key.id = name(key)?;
        }
        Some(renamed)
    }

    /// Whether the CDS and CDNSKEY RRsets are the cluster's.
    pub(super) fn tells_parent(&self) -> bool {
        !self.layout().cds.is_empty()
    }

    /// What each key does.
    pub(super) fn layout(&self) -> Layout<'_> {
        let stage = self.roll.as_ref().map(|roll| roll.stage);
        let old = |role| self.keys.iter().filter(move |key| key.role == role && !self.is_new(key));
        let new = |role| self.keys.iter().filter(move |key| key.role == role && self.is_new(key));
        let (old_ksk, new_ksk) = (|| old(Role::Ksk), || new(Role::Ksk));
        let (old_zsk, new_zsk) = (|| old(Role::Zsk), || new(Role::Zsk));
        let both_ksk: Vec<_> = old_ksk().chain(new_ksk()).collect();
        let both_zsk: Vec<_> = old_zsk().chain(new_zsk()).collect();
        let (ksk, zsk): (Vec<_>, Vec<_>) = (old_ksk().collect(), old_zsk().collect());
        let (ksk_after, zsk_after): (Vec<_>, Vec<_>) = (new_ksk().collect(), new_zsk().collect());
        let none = Vec::new;
        // Published KSKs, published ZSKs, signers of data, signers of keys, CDS.
        let (ksks, zsks, data, keys, cds) = match stage {
            None => (ksk.clone(), zsk.clone(), zsk, ksk, none()),
            Some(Stage::ZskPublished) => (ksk.clone(), both_zsk, zsk, ksk, none()),
            Some(Stage::ZskActive) => (ksk.clone(), both_zsk, zsk_after, ksk, none()),
            Some(Stage::KskAnnounced | Stage::KskSeen) => (ksk.clone(), zsk.clone(), zsk, ksk, both_ksk),
            Some(Stage::KskSwapped) => (ksk_after.clone(), zsk.clone(), zsk, ksk_after, both_ksk),
            Some(Stage::KskWithdrawn) => (ksk_after.clone(), zsk.clone(), zsk, ksk_after.clone(), ksk_after),
            Some(Stage::Signed) => (ksk.clone(), zsk, both_zsk, ksk, none()),
            Some(Stage::Published) => (both_ksk.clone(), both_zsk.clone(), both_zsk, both_ksk, none()),
            Some(Stage::Announced | Stage::Seen) => {
                (both_ksk.clone(), both_zsk.clone(), both_zsk, both_ksk.clone(), both_ksk)
            }
            Some(Stage::Withdrawn | Stage::Gone) => {
                (both_ksk.clone(), both_zsk.clone(), both_zsk, both_ksk, ksk_after)
            }
            Some(Stage::Unpublished) => {
                (ksk_after.clone(), zsk_after, both_zsk, ksk_after.clone(), ksk_after)
            }
            Some(Stage::Unsigned) => {
                (ksk_after.clone(), zsk_after.clone(), zsk_after, ksk_after.clone(), ksk_after)
            }
        };
        Layout { published: ksks.into_iter().chain(zsks).collect(), data, keys, cds }
    }

    /// An RRset was replaced by another, or left; caches may hold it for so many seconds.
    pub(super) fn left(&mut self, batch: u64, class: Class, secs: u32) {
        if class == Class::Fresh && planted!(HorizonForgotten) {
            return;
        }
        let mut at =
            self.leaving.iter_mut().filter(|leaving| (leaving.batch, leaving.class) == (batch, class));
        match at.next() {
            Some(leaving) => leaving.secs = leaving.secs.max(secs),
            None => self.leaving.push(Leaving { batch, class, secs }),
        }
        if self.leaving.len() > MAX_LEAVING {
            self.merge_leaving();
        }
    }

    /// The oldest of which there is a later one of its class becomes part of that.
    fn merge_leaving(&mut self) {
        for at in 0..self.leaving.len() {
            let Leaving { class, secs, .. } = self.leaving[at];
            if let Some(next) = self.leaving[at + 1..].iter_mut().find(|next| next.class == class) {
                next.secs = next.secs.max(secs);
                self.leaving.remove(at);
                return;
            }
        }
    }

    /// From now on data are to be signed otherwise than all that caches may hold.
    pub(super) fn outdate(&mut self) {
        if planted!(FreshForgotten) {
            return;
        }
        self.horizons.data = self.horizons.data.max(self.horizons.fresh);
        let fresh = self.leaving.iter_mut().filter(|leaving| leaving.class == Class::Fresh);
        fresh.for_each(|leaving| leaving.class = Class::Data);
    }

    /// At `time`, `executed` batches are executed here, and `said` by a quorum, as it says: what they show to be served no more is
    /// past.
    pub(super) fn settle(&mut self, executed: u64, said: u64, time: AgreedTime) {
        let is_settled = |batch: u64| batch + PIPELINE_BATCHES <= executed || planted!(ServedAtOnce);
        let by_order = self.roll.is_none() || planted!(ServedByOrder);
        let is_past = |batch: u64| match by_order {
            true => is_settled(batch),
            false => batch + PIPELINE_BATCHES <= said || planted!(ServedAtOnce),
        };
        for Leaving { batch, class, secs } in std::mem::take(&mut self.leaving) {
            let horizon = match class {
                _ if !is_past(batch) => {
                    self.leaving.push(Leaving { batch, class, secs });
                    continue;
                }
                Class::Dnskey => &mut self.horizons.dnskey,
                Class::Data => &mut self.horizons.data,
                Class::Fresh => &mut self.horizons.fresh,
                Class::Cds => &mut self.horizons.cds,
            };
            *horizon = (*horizon).max(time.secs() + u64::from(secs) + 1);
        }
        for (batch, key) in std::mem::take(&mut self.leaving_keys) {
            match is_settled(batch) {
                true => self.retired.push(key.retired()),
                false => self.leaving_keys.push((batch, key)),
            }
        }
        self.retired.drain(..self.retired.len().saturating_sub(MAX_RETIRED_KEYS));
        if let Some(roll) = &mut self.roll {
            roll.is_served |= is_past(roll.batch);
        }
    }

    /// The batches of which the rollover waits to know that nothing they replaced is served.
    pub(super) fn awaited(&self) -> impl Iterator<Item = u64> {
        let stage = self.roll.as_ref().filter(|roll| !roll.is_served).map(|roll| roll.batch);
        let awaits_data = self.roll.as_ref().is_some_and(|roll| roll.next().1 == Wait::Data);
        let data = self.leaving.iter().filter(move |leaving| awaits_data && leaving.class == Class::Data);
        stage.into_iter().chain(data.map(|leaving| leaving.batch))
    }

    /// Whether batches are wanted, be they empty, after the `executed` that there were: so that it shows what is signed.
    pub(super) fn is_settling(&self, executed: u64) -> bool {
        self.awaited().any(|batch| batch + PIPELINE_BATCHES > executed) || self.has_leaving_keys()
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.iter().any(|leaving| leaving.class == Class::Data)
    }

    /// The keys that the rollover replaces go; the new ones are as if they had always been there.
    pub(super) fn retire(&mut self, batch: u64) {
        let Some(roll) = self.roll.take() else { return };
        let roles: Vec<Role> =
            self.keys.iter().filter(|key| roll.new.contains(&key.id)).map(|key| key.role).collect();
        for key in std::mem::take(&mut self.keys) {
            if roles.contains(&key.role) && !roll.new.contains(&key.id) {
                self.leaving_keys.push((batch, key));
            } else {
                self.keys.push(key);
            }
        }
    }

    /// The rollover did not happen: its new keys go.
    pub(super) fn abandon(&mut self, batch: u64) {
        let Some(roll) = self.roll.take() else { return };
        let (new, kept) =
            std::mem::take(&mut self.keys).into_iter().partition(|key| roll.new.contains(&key.id));
        self.keys = kept;
        self.leaving_keys.extend(Vec::into_iter(new).map(|key| (batch, key)));
    }
}

impl<'a> Layout<'a> {
    /// Who signs RRsets of this type. What speaks to the parent, at the apex, is signed by the KSK (RFC 7344 §4.1), and by the ZSK
    /// too: so who holds it when the KSK is another finds it signed by a key that is there.
    pub(super) fn signers(&self, rtype: RrType, at_apex: bool) -> Vec<&'a ZoneKey> {
        match rtype {
            RrType::DNSKEY => self.keys.clone(),
            RrType::CDS | RrType::CDNSKEY if at_apex => self.keys.iter().chain(&self.data).copied().collect(),
            _ => self.data.clone(),
        }
    }

    pub(super) fn dnskey(&self, ttl: u32) -> Rrset {
        Rrset::of(RrType::DNSKEY, ttl, self.published.iter().map(|key| key.dnskey.clone()))
    }

    /// CDS and CDNSKEY (RFC 7344 §3); empty where there are none.
    pub(super) fn cds(&self, rules: &ZoneRules) -> [Rrset; 2] {
        let cds = self.cds.iter().filter_map(|key| dnssec::ds_rdata(&rules.origin, &key.dnskey, SHA256));
        let cdnskey = self.cds.iter().map(|key| key.dnskey.clone());
        [Rrset::of(RrType::CDS, rules.dnskey_ttl, cds), Rrset::of(RrType::CDNSKEY, rules.dnskey_ttl, cdnskey)]
    }
}
