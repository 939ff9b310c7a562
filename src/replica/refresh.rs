//! This replica's part in refreshes of keys ([`crate::zone::refresh`]).
//!
//! What there is to do follows from the executed state and from what this replica holds, so a restart at any point goes on by
//! itself, and what was lost on its way is said again. In this order, for each key:
//!
//! 1. The sharing in force is told to the sessions, in the batch that brought it.
//! 2. If the own share of it is not here, it is made from what waits in the state, and kept before it is used.
//! 3. What is older goes: shares of other sharings, and secrets of offers before the one that the state has. Not before the
//!    new share is kept and the next offer is executed. For until then more may be added to what waits, under the old key, and that
//!    counts from the last share that an offer said was taken: a share taken without a word is no place to go on from.
//! 4. An offer is due while a refresh gathers them and this replica's is not among them, and when a row was taken: the next
//!    refresh may come while this replica is away, and whoever steals the disk by then must not find the key of the past.
//! 5. A dealing is due while they are gathered and this replica's was not heard.
//!
//! One chore of a key at a time. Chores fail where the disk does, or where a share is lost: that is told once a start.
use super::{Effect, Output, Replica};
use crate::codec::{self, KeyId};
use crate::signing::{Chore, Errand, Fruit, Holdings, Offered};
use crate::threshold::{PublicKey, RetiredKey};
use crate::time::UnixMillis;
use crate::zone::refresh::{Receiver, Sharing, Stage};
use crate::zone::{Request, SAID_DOMAIN, Saying};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What this replica knows of the refreshes beside the state.
pub(super) struct Refreshes {
    held: Holdings,
    /// The keys as dealt.
    dealt: BTreeMap<KeyId, Arc<PublicKey>>,
    /// The sharings in force, as the sessions know them.
    in_force: BTreeMap<KeyId, Arc<PublicKey>>,
    /// Keys of which a chore is under way.
    busy: BTreeSet<KeyId>,
    /// Keys of which a chore has failed.
    failed: BTreeSet<KeyId>,
    /// This replica's dealings.
    dealings: BTreeMap<KeyId, Dealt>,
    /// What is to be said, until it is not due any more.
    said: BTreeMap<KeyId, Vec<u8>>,
    /// Whether the state, or what this replica holds, is another than when it was looked at last.
    has_news: bool,
}

/// A dealing: of which sharing, to which receivers; the dealing itself, encoded, once it is made.
struct Dealt {
    sharing: KeyId,
    moduli: Vec<Vec<u8>>,
    dealing: Option<Vec<u8>>,
}

impl Refreshes {
    pub fn new(held: Holdings, dealt: BTreeMap<KeyId, Arc<PublicKey>>) -> Self {
        let (in_force, dealings, said) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (busy, failed) = (BTreeSet::new(), BTreeSet::new());
        Self { held, dealt, in_force, busy, failed, dealings, said, has_news: true }
    }

    /// A key that came with a rollover.
    pub fn learn(&mut self, public: Arc<PublicKey>) {
        self.dealt.insert(public.key_id(), public);
    }

    /// The executed state is another.
    pub fn state_changed(&mut self) {
        self.has_news = true;
    }

    /// The own share of a new key is here.
    pub fn hold(&mut self, public: &PublicKey) {
        self.has_news = true;
        self.held.shares.insert(public.key_id(), public.modulus().to_vec());
    }

    /// A key went: what is known of it goes.
    pub fn unlearn(&mut self, retired: RetiredKey) {
        let key = retired.key;
        self.dealt.remove(&key);
        self.in_force.remove(&key);
        self.dealings.remove(&key);
        self.said.remove(&key);
        self.failed.remove(&key);
        self.held.offers.retain(|offered| offered.key != key);
        self.held.shares.retain(|id, modulus| *id != key && !retired.has(modulus));
    }

    /// What is to be said.
    pub fn due(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.said.values()
    }

    /// The sharing in force of a key.
    pub fn in_force(&self, key: KeyId) -> Option<&Arc<PublicKey>> {
        self.in_force.get(&key).or_else(|| self.dealt.get(&key))
    }

    /// Whether the own share of this sharing is here.
    pub fn holds(&self, public: &PublicKey) -> bool {
        self.held.shares.contains_key(&public.key_id())
    }

    /// Shares of the key other than this one.
    fn old_shares(&self, public: &PublicKey) -> Vec<KeyId> {
        let shares = self.held.shares.iter();
        let old = shares.filter(|(id, n)| **id != public.key_id() && n[..] == *public.modulus());
        old.map(|(id, _)| *id).collect()
    }

    fn offers(&self, key: KeyId) -> impl Iterator<Item = &Offered> {
        self.held.offers.iter().filter(move |offered| offered.key == key)
    }

    fn take(&mut self, errand: Errand, alarms: &mut Vec<String>) -> Option<KeyId> {
        let Errand { key, result } = errand;
        self.busy.remove(&key);
        if !self.dealt.contains_key(&key) {
            return None; // retired while the chore was under way
        }
        match result {
            Ok(Fruit::Offer(offered)) => self.held.offers.push(offered),
            Ok(Fruit::Dealing(sharing, dealing)) => {
                let awaited = self.dealings.get_mut(&key).filter(|dealt| dealt.sharing == sharing);
                awaited.into_iter().for_each(|dealt| dealt.dealing = Some(dealing.clone()));
            }
            Ok(Fruit::Share(sharing)) => {
                if let Some(public) = self.in_force.get(&key) {
                    self.held.shares.insert(sharing, public.modulus().to_vec());
                }
                return Some(key);
            }
            Ok(Fruit::Wiped(shares, offers)) => {
                self.held.shares.retain(|id, _| !shares.contains(id));
                self.held.offers.retain(|offered| !offers.contains(offered));
            }
            Err(why) => {
                self.failed.insert(key);
                alarms.push(format!("the refresh of key {:?}: {why}", key.0));
            }
        }
        None
    }
}

/// What comes next for a key.
enum Next {
    Do(Chore),
    Say(Saying),
    Rest,
}

impl Replica {
    /// Tells the sessions which sharings are in force.
    pub(super) fn follow_sharings(&mut self, out: &mut Output) {
        let news = self.machine.sharings().filter(|sharing| self.keys.contains(&sharing.key));
        let news = news.filter(|sharing| {
            let known = self.refreshes.in_force.get(&sharing.key);
            !sharing.public.is_empty() && known.is_none_or(|public| public.to_bytes() != sharing.public)
        });
        let news: Vec<_> = news.filter_map(|sharing| Some((sharing.key, sharing.parsed()?))).collect();
        for (key, public) in news {
            let public = Arc::new(public);
            self.refreshes.in_force.insert(key, public.clone());
            self.refreshes.dealings.remove(&key);
            let step = self.signing.switch(key, public);
            self.absorb_signing(step, out);
        }
    }

    /// Does what is due of each refresh.
    pub(super) fn follow_refreshes(&mut self, now: UnixMillis, out: &mut Output) {
        if !std::mem::take(&mut self.refreshes.has_news) && self.errands.is_empty() {
            return;
        }
        let mut alarms = Vec::new();
        for errand in std::mem::take(&mut self.errands) {
            if let Some(key) = self.refreshes.take(errand, &mut alarms) {
                let step = self.signing.share_has_come(key);
                self.absorb_signing(step, out);
            }
        }
        out.effects.extend(alarms.into_iter().map(Effect::Alarm));
        let sharings: Vec<Sharing> = self.machine.sharings().cloned().collect();
        for sharing in sharings {
            let key = sharing.key;
            match self.next(now, &sharing) {
                Next::Do(chore) => {
                    self.refreshes.busy.insert(key);
                    out.tasks.push(self.signing.chore(chore));
                }
                Next::Say(saying) => {
                    let identity = self.consensus.identity();
                    let sign = |digest: &codec::Digest| identity.sign_in(SAID_DOMAIN, digest);
                    let request: Request = self.machine.say(self.me, saying, sign);
                    let request = codec::encode(&request);
                    if self.refreshes.said.get(&key) != Some(&request) {
                        self.refreshes.said.insert(key, request);
                        self.proposals.look_at_once();
                    }
                }
                Next::Rest => {
                    self.refreshes.said.remove(&key);
                }
            }
        }
    }

    fn next(&mut self, now: UnixMillis, sharing: &Sharing) -> Next {
        let (key, refreshes) = (sharing.key, &self.refreshes);
        let in_force = refreshes.in_force(key).cloned();
        let Some(public) = in_force.filter(|_| !refreshes.busy.contains(&key)) else { return Next::Rest };
        let mine = self.machine.receiver(key, self.me);
        if !refreshes.holds(&public) {
            return match mine.filter(|mine| !mine.missed.is_empty() && !refreshes.failed.contains(&key)) {
                Some(Receiver { missed, modulus, .. }) => {
                    let (missed, modulus) = (missed.clone(), modulus.clone());
                    Next::Do(Chore::Take { key, public, missed, modulus })
                }
                None => Next::Rest,
            };
        }
        let last = mine.map_or(0, |mine| mine.count);
        let has_said = mine.is_none_or(|mine| mine.missed.is_empty());
        let shares = if has_said { refreshes.old_shares(&public) } else { Vec::new() };
        let offers: Vec<Offered> =
            refreshes.offers(key).filter(|offer| offer.count < last).cloned().collect();
        if (!shares.is_empty() || !offers.is_empty()) && !refreshes.failed.contains(&key) {
            return Next::Do(Chore::Wipe { key, shares, offers });
        }
        match &sharing.stage {
            Stage::Offers { fresh } if !fresh.contains(&self.me) => {
                self.next_offer(now, sharing, &public, last)
            }
            Stage::Dealings { heard, .. } if !heard.contains(&self.me) => self.next_dealing(key, public),
            Stage::Dealings { .. } => Next::Rest,
            _ if mine.is_some_and(|mine| !mine.missed.is_empty()) => {
                self.next_offer(now, sharing, &public, last)
            }
            _ => Next::Rest,
        }
    }

    fn next_offer(&self, now: UnixMillis, sharing: &Sharing, public: &PublicKey, last: u64) -> Next {
        let key = sharing.key;
        let newer = self.refreshes.offers(key).filter(|offer| offer.count > last);
        match newer.max_by_key(|offer| offer.count) {
            Some(Offered { count, modulus, .. }) => Next::Say(Saying::Offer {
                key,
                sharing: public.key_id(),
                count: *count,
                public: if sharing.public.is_empty() { public.to_bytes() } else { Vec::new() },
                modulus: modulus.clone(),
            }),
            None if self.refreshes.failed.contains(&key) => Next::Rest,
            // By the clock, so that a replica whose disk was emptied does not use a number again.
            None => Next::Do(Chore::Offer {
                key,
                count: now.0.max(last.saturating_add(1)),
                modulus_len: public.modulus().len(),
            }),
        }
    }

    fn next_dealing(&mut self, key: KeyId, public: Arc<PublicKey>) -> Next {
        let Some(receivers) = self.machine.receivers(key) else { return Next::Rest };
        let moduli: Vec<Vec<u8>> = receivers.into_iter().map(|receiver| receiver.modulus.clone()).collect();
        let sharing = public.key_id();
        let made = self.refreshes.dealings.get(&key);
        match made.filter(|dealt| dealt.sharing == sharing && dealt.moduli == moduli) {
            Some(Dealt { dealing: Some(dealing), .. }) => {
                Next::Say(Saying::Dealing { key, sharing, dealing: dealing.clone() })
            }
            Some(_) => Next::Rest,
            None => {
                let dealt = Dealt { sharing, moduli: moduli.clone(), dealing: None };
                self.refreshes.dealings.insert(key, dealt);
                Next::Do(Chore::Deal { key, public, moduli })
            }
        }
    }
}
