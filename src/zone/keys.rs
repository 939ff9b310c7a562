//! The keys of one zone, and what each of them does: which are in the DNSKEY RRset, which sign what, which the parent is
//! told of. A rollover ([`super::rollover`]) changes that stage by stage.
//!
//! # What caches may hold
//! A validator may have fetched anything that was ever served, at the last moment at which it was served, and hold it for its
//! TTL. So of what is no longer served the set remembers until when caches may hold it (its *horizon*): the greatest of
//! "served last at y with a TTL of x: until y + x", apart for DNSKEY RRsets, for data RRsets with their signatures,
//! and, as the operators say, for DS RRsets at the parent.
//!
//! What is served follows execution at a distance: a version is executed, signed, and then published. The pipeline executes
//! batch b only when everything of batch b - P is signed, so what batch c replaced was served here at the latest when batch c + P
//! was executed: that batch's agreed time is y. Other replicas and secondaries may be later; for them each wait is
//! longer by the *allowance*, which operators set ([`DEFAULT_ALLOWANCE_SECS`]).

use super::bundle::Role;
use super::rollover::{Roll, Stage, Wait};
use super::rules::{KeyInfo, ZoneRules};
use crate::codec::KeyId;
use crate::dns::{Rdata, RrType, Rrset, dnssec};
use crate::limits::PIPELINE_BATCHES;
use crate::time::{AgreedTime, DAY, SECOND};
use borsh::{BorshDeserialize, BorshSerialize};

/// Seconds that replicas and secondaries may serve what the order has replaced, if operators say nothing else.
pub const DEFAULT_ALLOWANCE_SECS: u32 = (DAY / SECOND) as u32;
/// The most they may say.
pub const MAX_ALLOWANCE_SECS: u32 = (30 * DAY / SECOND) as u32;
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

    pub(super) fn algorithm(&self) -> u8 {
        self.dnskey.wire()[3]
    }
}

/// What caches hold apart from one another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub(super) enum Class {
    Dnskey,
    Data,
}

/// Of what a batch has replaced, the greatest TTL; it may still be served.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
struct Leaving {
    batch: u64,
    class: Class,
    ttl: u32,
}

/// Until when caches may hold what is no longer served: agreed time in seconds.
#[derive(Clone, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub(super) struct Horizons {
    pub(super) dnskey: u64,
    pub(super) data: u64,
    pub(super) ds: u64,
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
    retired: Vec<(u64, ZoneKey)>,
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
            retired: Vec::new(),
        }
    }

    /// What must hold of the keys of a restored state, so that nothing can go wrong with them later.
    pub(super) fn check(&self, time: AgreedTime, batches: u64) -> Result<(), String> {
        let is_key = |key: &ZoneKey| {
            key.dnskey.wire().len() > 4
                && crate::dns::rdata::validate(RrType::DNSKEY, key.dnskey.wire()).is_ok()
        };
        let keys = self.keys.iter().chain(self.retired.iter().map(|(_, key)| key));
        let bounded =
            self.keys.len() <= MAX_KEYS && self.retired.len() <= MAX_KEYS && self.leaving.len() <= 64;
        let past = self.leaving.iter().map(|leaving| leaving.batch);
        let mut past = past.chain(self.retired.iter().map(|(batch, _)| *batch));
        let until = [self.horizons.dnskey, self.horizons.data, self.horizons.ds];
        let has_role = |role| self.settled_keys(role).next().is_some();
        let fits = bounded
            && keys.clone().all(is_key)
            && has_role(Role::Ksk)
            && has_role(Role::Zsk)
            && past.all(|batch| batch <= batches)
            && until.iter().all(|until| *until <= time.secs() + (1 << 33))
            && self.allowance <= MAX_ALLOWANCE_SECS
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
        self.keys.iter().chain(self.retired.iter().map(|(_, key)| key))
    }

    /// Whether there is one key of each role, and nobody can lack a signature by another.
    pub(super) fn is_at_rest(&self) -> bool {
        self.roll.is_none() && self.retired.is_empty()
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

    /// An RRset was replaced by another, or left. `is_stale`: not signed as [`Layout::signers`] has it.
    pub(super) fn left(&mut self, batch: u64, class: Class, ttl: u32, is_stale: bool) {
        let awaited = self.roll.as_ref().map(|roll| roll.next().1);
        let only_stale = awaited == Some(Wait::Data) || planted!(HorizonForgotten);
        if class == Class::Data && only_stale && !is_stale {
            return; // what comes after is signed as it is to be
        }
        let mut at =
            self.leaving.iter_mut().filter(|leaving| (leaving.batch, leaving.class) == (batch, class));
        match at.next() {
            Some(leaving) => leaving.ttl = leaving.ttl.max(ttl),
            None => self.leaving.push(Leaving { batch, class, ttl }),
        }
    }

    /// Batch `batches` is executed at `time`: what the batches up to `batches` - P replaced is no longer served.
    pub(super) fn settle(&mut self, batches: u64, time: AgreedTime) {
        let is_settled = |batch: u64| batch + PIPELINE_BATCHES <= batches || planted!(ServedAtOnce);
        for Leaving { batch, class, ttl } in std::mem::take(&mut self.leaving) {
            let until = time.secs() + u64::from(ttl) + 1;
            match class {
                _ if !is_settled(batch) => self.leaving.push(Leaving { batch, class, ttl }),
                Class::Dnskey => self.horizons.dnskey = self.horizons.dnskey.max(until),
                Class::Data => self.horizons.data = self.horizons.data.max(until),
            }
        }
        self.retired.retain(|(batch, _)| !is_settled(*batch));
        if let Some(roll) = &mut self.roll {
            roll.is_served |= is_settled(roll.batch);
        }
    }

    /// Whether something is replaced and may still be served.
    pub(super) fn is_settling(&self) -> bool {
        self.roll
            .as_ref()
            .is_some_and(|roll| !roll.is_served || roll.next().1 == Wait::Data && self.is_leaving())
            || !self.retired.is_empty()
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
                self.retired.push((batch, key));
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
        self.retired.extend(Vec::into_iter(new).map(|key| (batch, key)));
    }
}

impl<'a> Layout<'a> {
    /// Who signs RRsets of this type. What speaks to the parent is signed by the KSK (RFC 7344 §4.1), and by the ZSK too:
    /// so who holds it when the KSK is another finds it signed by a key that is there.
    pub(super) fn signers(&self, rtype: RrType) -> Vec<&'a ZoneKey> {
        match rtype {
            RrType::DNSKEY => self.keys.clone(),
            RrType::CDS | RrType::CDNSKEY => self.keys.iter().chain(&self.data).copied().collect(),
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
