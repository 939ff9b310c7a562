//! Rollovers: from one key to the next in stages, each entered by an ordered command of the operators ([`super::votes`]), and
//! none before it is safe for a validator that fetched what it holds at the worst time (RFC 6781 §4.1, RFC 7583).
//!
//! One rollover at a time in a zone. Each command names the tag of the key that comes (of two, the KSK's), so no vote left over from
//! one rollover counts in another. The waits:
//!
//! | | until |
//! |---|---|
//! | *served* | the stage's version is served: a quorum says that it has executed P batches more ([`super::keys`]) |
//! | *DNSKEY* | so, and no cache holds a DNSKEY RRset from before the stage |
//! | *data* | so, each RRset is signed by the keys that are to sign, and no cache holds one that is not |
//! | *CDS* | so, and nobody serves or holds a CDS or CDNSKEY RRset from before the stage: no parent can go back to it |
//! | *DS* | no cache holds a DS RRset from before the operators saw the parent's change |
//!
//! each but the first longer by the allowance. Nothing is held longer than its signature lasts.
//!
//! | rollover | stage: what it does | leaves by | after |
//! |---|---|---|---|
//! | ZSK, pre-publish (RFC 7583 §3.2.1) | published: both in DNSKEY, the old signs | `activate` | DNSKEY |
//! | | active: the new signs; RRsets are signed anew, 4096 a version | `remove` | data |
//! | KSK, double DS (§3.3.2; RFC 7344, 8078) | announced: CDS and CDNSKEY hold both | `ds-seen TTL` | CDS |
//! | | seen: the parent has both DS, as the operators say | `swap` | DS |
//! | | swapped: the new is in DNSKEY, the old is not | `withdraw` | DNSKEY |
//! | | withdrawn: CDS and CDNSKEY hold the new alone | `ds-gone TTL` | CDS |
//! | algorithm, conservative (RFC 6781 §4.1.4, RFC 6840 §5.11) | signed: both ZSKs sign, the new is not in DNSKEY | `publish` | data |
//! | | published: both pairs in DNSKEY, both KSKs sign it | `announce` | DNSKEY |
//! | | announced, seen, withdrawn, gone: as above | `ds-seen`, `withdraw`, `ds-gone`, `unpublish` | CDS, served, CDS, DS |
//! | | unpublished: the new pair in DNSKEY, both ZSKs sign | `unsign` | DNSKEY |
//! | | unsigned: the new alone signs | `finish` | each RRset is so |
//!
//! Data RRsets are never signed all at once: a million names would hold the zone up for hours. What is signed otherwise than
//! it is to be counts as due for refresh, and goes in slices between the clients' updates.
//!
//! `abort` turns a rollover round, as long as the parent still has the old key's DS record: the key that was to go is the one that
//! comes, and the way back is the second half of a rollover to it, with the same waits. A parent that takes no DS record of the
//! new key, or none of its algorithm, so holds up nothing for ever. What a quorum had begun to vote for is forgotten then, for the
//! same step would mean another key.
//!
//! | turned round in | goes on in |
//! |---|---|
//! | published (ZSK) | nothing: it is over at once |
//! | active | active |
//! | announced, seen (KSK) | withdrawn |
//! | swapped | swapped |
//! | signed | unsigned |
//! | published (algorithm) | unpublished |
//! | announced, seen (algorithm) | withdrawn |
//!
//! No command hastens a step: whoever must (a key is stolen) has the allowance, which a quorum may set to nothing, and
//! short TTLs beforehand; what is bogus for a while is no remedy, for the thief's answers verify meanwhile all the same.

use super::bundle::Role;
use super::keys::{KeySet, MAX_ALLOWANCE_SECS, MAX_DS_TTL_SECS, ZoneKey};
use crate::codec::KeyId;
use crate::dns::show_date;
use crate::time::AgreedTime;
use borsh::{BorshDeserialize, BorshSerialize};

/// Where a rollover is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub(super) enum Stage {
    ZskPublished,
    ZskActive,
    KskAnnounced,
    KskSeen,
    KskSwapped,
    KskWithdrawn,
    Signed,
    Published,
    Announced,
    Seen,
    Withdrawn,
    Gone,
    Unpublished,
    Unsigned,
}

/// What leads from a stage to the next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub enum Step {
    /// The new ZSK signs.
    Activate,
    /// The old ZSK leaves the DNSKEY RRset.
    Remove,
    /// The parent serves DS records of both KSKs, from all its servers; its DS RRset's TTL, the greatest since the last change.
    DsSeen(u32),
    /// The new KSK takes the old one's place.
    Swap,
    /// CDS and CDNSKEY name the new KSK alone.
    Withdraw,
    /// The parent serves no DS of the old KSK any more; the TTL of the DS RRset.
    DsGone(u32),
    /// The new algorithm's keys enter the DNSKEY RRset.
    Publish,
    /// CDS and CDNSKEY name both KSKs.
    Announce,
    /// The old algorithm's keys leave the DNSKEY RRset.
    Unpublish,
    /// The old algorithm signs no more.
    Unsign,
    /// The old algorithm's last signatures are gone.
    Finish,
    /// Back: the rollover turns round.
    Abort,
}

/// What a stage must wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wait {
    Served,
    Dnskey,
    Cds,
    Data,
    Ds,
    Conform,
}

/// A rollover.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct Roll {
    pub(super) stage: Stage,
    /// The keys that come: one, or ZSK and KSK of a new algorithm.
    pub(super) new: Vec<KeyId>,
    /// When, in agreed seconds, and by which batch it came to its stage.
    pub(super) since: u64,
    pub(super) batch: u64,
    /// Whether the stage's version is known to be signed.
    pub(super) is_served: bool,
}

impl Stage {
    /// The step that leaves it, what that waits for, and where it leads; nowhere if the rollover is through.
    fn next(self) -> (Step, Wait, Option<Self>) {
        match self {
            Self::ZskPublished => (Step::Activate, Wait::Dnskey, Some(Self::ZskActive)),
            Self::ZskActive => (Step::Remove, Wait::Data, None),
            Self::KskAnnounced => (Step::DsSeen(0), Wait::Cds, Some(Self::KskSeen)),
            Self::KskSeen => (Step::Swap, Wait::Ds, Some(Self::KskSwapped)),
            Self::KskSwapped => (Step::Withdraw, Wait::Dnskey, Some(Self::KskWithdrawn)),
            Self::KskWithdrawn => (Step::DsGone(0), Wait::Cds, None),
            Self::Signed => (Step::Publish, Wait::Data, Some(Self::Published)),
            Self::Published => (Step::Announce, Wait::Dnskey, Some(Self::Announced)),
            Self::Announced => (Step::DsSeen(0), Wait::Cds, Some(Self::Seen)),
            Self::Seen => (Step::Withdraw, Wait::Served, Some(Self::Withdrawn)),
            Self::Withdrawn => (Step::DsGone(0), Wait::Cds, Some(Self::Gone)),
            Self::Gone => (Step::Unpublish, Wait::Ds, Some(Self::Unpublished)),
            Self::Unpublished => (Step::Unsign, Wait::Dnskey, Some(Self::Unsigned)),
            Self::Unsigned => (Step::Finish, Wait::Conform, None),
        }
    }

    /// Where a rollover that is turned round here goes on, the keys changing parts.
    fn back(self) -> Option<Self> {
        match self {
            Self::ZskActive | Self::KskSwapped => Some(self),
            Self::KskAnnounced | Self::KskSeen => Some(Self::KskWithdrawn),
            Self::Signed => Some(Self::Unsigned),
            Self::Published => Some(Self::Unpublished),
            Self::Announced | Self::Seen => Some(Self::Withdrawn),
            _ => None,
        }
    }

    /// For people.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::ZskPublished => "the ZSK that comes is published, the other one signs",
            Self::ZskActive => "the ZSK that comes signs, the other one is still published",
            Self::KskAnnounced | Self::Announced => {
                "CDS and CDNSKEY ask the parent for DS records of both KSKs"
            }
            Self::KskSeen | Self::Seen => "the parent has DS records of both KSKs",
            Self::KskSwapped => "the KSK that comes has taken the other one's place",
            Self::KskWithdrawn | Self::Withdrawn => {
                "CDS and CDNSKEY ask the parent for the DS record of the KSK that comes alone"
            }
            Self::Signed => {
                "the zone is signed by both algorithms, the keys of the one that comes are not published"
            }
            Self::Published => "the keys of both algorithms are published",
            Self::Gone => "the parent has the DS record of the KSK that comes alone",
            Self::Unpublished => {
                "the keys of the algorithm that goes are no longer published, its signatures are still there"
            }
            Self::Unsigned => "the signatures of the algorithm that goes are dropped",
        }
    }
}

impl Step {
    /// Its word in commands.
    pub fn word(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Remove => "remove",
            Self::DsSeen(_) => "ds-seen",
            Self::Swap => "swap",
            Self::Withdraw => "withdraw",
            Self::DsGone(_) => "ds-gone",
            Self::Publish => "publish",
            Self::Announce => "announce",
            Self::Unpublish => "unpublish",
            Self::Unsign => "unsign",
            Self::Finish => "finish",
            Self::Abort => "abort",
        }
    }
}

impl Roll {
    /// The first stage of a rollover to these keys.
    pub(super) fn begin(new: Vec<KeyId>, roles: &[Role], time: AgreedTime, batch: u64) -> Self {
        let stage = match roles {
            [Role::Zsk] => Stage::ZskPublished,
            [Role::Ksk] => Stage::KskAnnounced,
            _ => Stage::Signed,
        };
        Self::at(stage, new, time, batch)
    }

    fn at(stage: Stage, new: Vec<KeyId>, time: AgreedTime, batch: u64) -> Self {
        Self { stage, new, since: time.secs(), batch, is_served: false }
    }

    pub(super) fn next(&self) -> (Step, Wait, Option<Stage>) {
        self.stage.next()
    }

    /// Whether it can be of these keys.
    pub(super) fn check(&self, keys: &KeySet, time: AgreedTime, batches: u64) -> bool {
        let roles: Vec<Role> =
            keys.keys.iter().filter(|key| self.new.contains(&key.id)).map(|key| key.role).collect();
        let fits = match self.stage {
            Stage::ZskPublished | Stage::ZskActive => roles == [Role::Zsk],
            Stage::KskAnnounced | Stage::KskSeen | Stage::KskSwapped | Stage::KskWithdrawn => {
                roles == [Role::Ksk]
            }
            _ => roles.len() == 2 && roles[0] != roles[1],
        };
        fits && self.since <= time.secs() && self.batch <= batches
    }
}

impl KeySet {
    /// The tag by which commands name the rollover: of the new KSK, or the new ZSK alone.
    pub(super) fn roll_tag(&self) -> Option<u16> {
        let roll = self.roll.as_ref()?;
        let new = self.keys.iter().filter(|key| roll.new.contains(&key.id));
        new.max_by_key(|key| key.role).map(super::keys::ZoneKey::tag)
    }

    /// From when (agreed time, in seconds) the next step is safe; or why that cannot be said yet.
    pub(super) fn safe_from(&self, is_stale: bool) -> Result<u64, &'static str> {
        let Some(roll) = &self.roll else { return Err("no rollover is under way") };
        if !roll.is_served {
            return Err("the last step's signatures are not known to be there: some batches more");
        }
        let allowance = if planted!(NoAllowance) { 0 } else { u64::from(self.allowance) };
        match roll.next().1 {
            Wait::Data | Wait::Conform | Wait::Cds if is_stale => {
                Err("not every RRset is signed by the new key yet")
            }
            Wait::Data if self.is_leaving() => {
                Err("the last signatures are not known to be there: some batches more")
            }
            Wait::Served | Wait::Conform => Ok(roll.since),
            Wait::Dnskey if planted!(DnskeyUnawaited) => Ok(roll.since),
            Wait::Data if planted!(DataUnawaited) => Ok(roll.since),
            Wait::Ds if planted!(DsUnawaited) => Ok(roll.since),
            Wait::Cds if planted!(CdsUnawaited) => Ok(roll.since),
            Wait::Cds => Ok(roll.since.max(self.horizons.cds + allowance)),
            Wait::Dnskey => Ok(self.horizons.dnskey + allowance),
            Wait::Data => Ok(self.horizons.data + allowance),
            Wait::Ds => Ok(self.horizons.ds + allowance),
        }
    }

    /// Goes one step on. An error says why not, and from when on it is safe.
    pub(super) fn step(
        &mut self,
        step: Step,
        tag: u16,
        is_stale: bool,
        time: AgreedTime,
        batch: u64,
    ) -> Result<(), String> {
        let Some(roll) = &self.roll else { return Err("no rollover is under way".into()) };
        if self.roll_tag() != Some(tag) {
            return Err(format!("the rollover under way is not key {tag}'s"));
        }
        let (next, wait, stage) = roll.next();
        if step == Step::Abort {
            return self.turn(time, batch);
        }
        if step.word() != next.word() {
            return Err(format!("the next step is `{}`: {}", next.word(), roll.stage.words()));
        }
        match self.safe_from(is_stale) {
            Err(why) => return Err(why.into()),
            Ok(from) if time.secs() < from => return Err(too_early(from, wait)),
            Ok(_) => {}
        }
        if let Step::DsSeen(ttl) | Step::DsGone(ttl) = step {
            if ttl > MAX_DS_TTL_SECS {
                return Err(format!("a DS RRset with a TTL of more than {MAX_DS_TTL_SECS} seconds"));
            }
            self.ds_ttl = self.ds_ttl.max(ttl);
            self.horizons.ds = self.horizons.ds.max(time.secs() + u64::from(self.ds_ttl) + 1);
        }
        match stage {
            Some(stage) => self.enter(Roll::at(stage, roll.new.clone(), time, batch)),
            None => self.retire(batch),
        }
        Ok(())
    }

    /// The rollover is at a stage from now on.
    pub(super) fn enter(&mut self, roll: Roll) {
        if roll.next().1 == Wait::Data {
            self.outdate();
        }
        self.roll = Some(roll);
    }

    /// The keys that were to go are those that come.
    fn turn(&mut self, time: AgreedTime, batch: u64) -> Result<(), String> {
        let Some(roll) = &self.roll else { return Err("no rollover is under way".into()) };
        if roll.stage == Stage::ZskPublished {
            self.abandon(batch);
            return Ok(());
        }
        let stage =
            roll.stage.back().ok_or("there is no way back from here: go on to the end, and roll again")?;
        let is_new = |key: &&ZoneKey| roll.new.contains(&key.id);
        let roles: Vec<Role> = self.keys.iter().filter(is_new).map(|key| key.role).collect();
        let old = self.keys.iter().filter(|key| !is_new(key) && roles.contains(&key.role));
        let old = old.map(|key| key.id).collect();
        self.enter(Roll::at(stage, old, time, batch));
        Ok(())
    }

    pub(super) fn set_allowance(&mut self, seconds: u32) -> Result<(), String> {
        if seconds > MAX_ALLOWANCE_SECS {
            return Err(format!("an allowance is at most {MAX_ALLOWANCE_SECS} seconds"));
        }
        self.allowance = seconds;
        Ok(())
    }
}

fn too_early(from: u64, wait: Wait) -> String {
    let held = match wait {
        Wait::Dnskey => "DNSKEY records from before the last step",
        Wait::Data => "records with other signatures",
        Wait::Cds => "CDS records from before the last step, or secondaries serve them,",
        _ => "DS records from before the parent's change",
    };
    format!("not safe before {}: caches may hold {held} until then", show_date(from))
}
