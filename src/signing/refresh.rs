//! A key's sharings at the sessions, and the work of a refresh outside the core.
//!
//! A job keeps its name whatever sharing signs it: what is signed, and the signature, are the same. Between replicas a session of a
//! refreshed key goes by the digest of the job's name and the sharing's, so that shares of two sharings never meet. When a
//! new sharing comes into force, every open session of the key begins again under its new name ([`Signing::switch`]);
//! finished ones are known by both names, and asked for by both: who finished a job before the switch has no share for it after.

use super::keys::{KeyStore, Offered};
use super::session::Own;
use super::task::{Spec, Task, Work};
use super::{Signing, Step};
use crate::codec::{self, ClusterId, Epoch, JobId, KeyId, digest};
use crate::threshold::refresh::Round;
use crate::threshold::{PublicKey, ReceiverKey, ReceiverSecret};
use std::sync::Arc;

/// Work of a refresh, for a worker thread.
#[derive(Debug)]
pub enum Chore {
    /// Make a key to be dealt shares of `key` by, whose N has so many octets.
    Offer {
        /// The key as dealt.
        key: KeyId,
        /// The number of the offer.
        count: u64,
        /// Octets of N.
        modulus_len: usize,
    },
    /// Deal.
    Deal {
        /// The key as dealt.
        key: KeyId,
        /// Its sharing in force.
        public: Arc<PublicKey>,
        /// The receivers' keys, by slot.
        moduli: Vec<Vec<u8>>,
    },
    /// Take what the own share grows by.
    Take {
        /// The key as dealt.
        key: KeyId,
        /// Its sharing in force.
        public: Arc<PublicKey>,
        /// A ciphertext under `modulus`.
        missed: Vec<u8>,
        /// M.
        modulus: Vec<u8>,
    },
    /// Wipe what nobody may find any more.
    Wipe {
        /// The key as dealt.
        key: KeyId,
        /// Sharings.
        shares: Vec<KeyId>,
        /// Offers.
        offers: Vec<Offered>,
    },
}

/// What became of a [`Chore`]; of which key, and what, or why not.
#[derive(Debug)]
pub struct Errand {
    /// The key as dealt.
    pub key: KeyId,
    /// What became of it.
    pub result: Result<Fruit, String>,
}

/// What a [`Chore`] gave.
#[derive(Debug)]
pub enum Fruit {
    /// A key to be dealt by; its secret is kept.
    Offer(Offered),
    /// A dealing of this sharing, encoded.
    Dealing(KeyId, Vec<u8>),
    /// The share of this sharing is kept.
    Share(KeyId),
    /// These are gone.
    Wiped(Vec<KeyId>, Vec<Offered>),
}

impl Chore {
    fn key(&self) -> KeyId {
        let (Self::Offer { key, .. }
        | Self::Deal { key, .. }
        | Self::Take { key, .. }
        | Self::Wipe { key, .. }) = self;
        *key
    }

    pub(super) fn run(
        self,
        (cluster, epoch): (ClusterId, Epoch),
        keys: &KeyStore,
        entropy: [u8; 32],
    ) -> Errand {
        let key = self.key();
        let result = match self {
            Self::Offer { count, modulus_len, .. } => offer(key, count, modulus_len, keys, entropy),
            Self::Deal { public, moduli, .. } => deal((cluster, epoch), &public, &moduli, keys, entropy),
            Self::Take { public, missed, modulus, .. } => take(public, &missed, &modulus, keys),
            Self::Wipe { shares, offers, .. } => wipe(shares, offers, keys),
        };
        Errand { key, result }
    }
}

fn offer(
    key: KeyId,
    count: u64,
    modulus_len: usize,
    keys: &KeyStore,
    entropy: [u8; 32],
) -> Result<Fruit, String> {
    let secret = ReceiverSecret::generate(modulus_len, entropy);
    let modulus = secret.public().as_bytes().to_vec();
    let modulus_len = u16::try_from(modulus_len).map_err(|why| why.to_string())?;
    let offered = Offered { key, count, modulus_len, modulus };
    keys.keep_receiver(offered.clone(), secret)?;
    Ok(Fruit::Offer(offered))
}

fn deal(
    (cluster, epoch): (ClusterId, Epoch),
    public: &PublicKey,
    moduli: &[Vec<u8>],
    keys: &KeyStore,
    entropy: [u8; 32],
) -> Result<Fruit, String> {
    let held = keys.share(public.key_id()).ok_or("the share is not here")?;
    let len = public.modulus().len();
    let receivers = moduli.iter().map(|modulus| ReceiverKey::from_bytes(modulus, len));
    let receivers = receivers.collect::<Result<Vec<_>, _>>().map_err(|why| why.to_string())?;
    let round = Round::new(cluster, epoch, public, &receivers).map_err(|why| why.to_string())?;
    Ok(Fruit::Dealing(public.key_id(), codec::encode(&round.deal(&held.share, entropy))))
}

fn take(public: Arc<PublicKey>, missed: &[u8], modulus: &[u8], keys: &KeyStore) -> Result<Fruit, String> {
    let receiver = keys.receiver(modulus).ok_or("the receiver's secret is not here")?;
    let sharing = public.key_id();
    let mut why = String::from("no earlier share is here: it takes a dealer to bring one back");
    for held in keys.shares_of(public.modulus()) {
        match held.share.refreshed(&held.public, &public, missed, &receiver) {
            Ok(share) => return keys.keep_share(public, share).map(|()| Fruit::Share(sharing)),
            Err(reason) => why = reason.to_string(),
        }
    }
    Err(why)
}

fn wipe(shares: Vec<KeyId>, offers: Vec<Offered>, keys: &KeyStore) -> Result<Fruit, String> {
    shares.iter().try_for_each(|sharing| keys.wipe_share(*sharing))?;
    offers.iter().try_for_each(|offered| keys.wipe_receiver(offered))?;
    Ok(Fruit::Wiped(shares, offers))
}

impl Signing {
    /// `public` is the sharing of `key` in force from now on.
    pub fn switch(&mut self, key: KeyId, public: Arc<PublicKey>) -> Step {
        let mut step = Step::default();
        if let Some(before) = self.in_force.insert(key, public.key_id())
            && before != key
        {
            self.config.keys.remove(&before);
        }
        self.config.keys.insert(public.key_id(), public);
        let of_key = self.sessions.iter().filter(|(_, session)| session.named == key);
        let names: Vec<JobId> = of_key.map(|(name, _)| *name).collect();
        for name in names {
            if let Some(session) = self.sessions.remove(&name) {
                self.open(key, session.job, session.spec(name).hash);
            }
        }
        self.schedule(&mut step);
        step
    }

    /// The own share of this key's sharing in force has come: what waited for it is done.
    pub fn share_has_come(&mut self, key: KeyId) -> Step {
        let mut step = Step::default();
        let waits = self.sessions.iter().filter(|(_, s)| s.named == key && s.own != Own::Sent);
        let waits: Vec<JobId> = waits.map(|(name, _)| *name).collect();
        self.queues.shares.extend(waits);
        self.schedule(&mut step);
        step
    }

    /// A chore as a task; what becomes of it comes back in a [`Step`].
    pub fn chore(&mut self, chore: Chore) -> Task {
        self.outstanding += 1;
        Task(Work::Chore((self.config.cluster, self.config.epoch), chore))
    }

    /// The key's sharing in force.
    pub(super) fn in_force(&self, key: KeyId) -> &Arc<PublicKey> {
        &self.config.keys[self.in_force.get(&key).unwrap_or(&key)]
    }

    /// How the session of a job of `key` goes by between replicas.
    pub(super) fn name(&self, key: KeyId, job: JobId) -> JobId {
        match self.in_force.get(&key) {
            Some(sharing) if *sharing != key => name_of(job, *sharing),
            _ => job,
        }
    }

    /// What the open session of this job goes by; or of this name.
    pub(super) fn session_of(&self, job: JobId) -> JobId {
        let mut names = self.in_force.values().map(|sharing| name_of(job, *sharing));
        names.find(|name| self.sessions.contains_key(name)).unwrap_or(job)
    }

    pub(super) fn spec(&self, key: KeyId, job: JobId, hash: Vec<u8>) -> Spec {
        Spec { job: self.name(key, job), public: self.in_force(key).clone(), hash }
    }

    /// Ends the sessions of a job, whatever they go by.
    pub(super) fn close(&mut self, job: &JobId) {
        self.sessions.remove(job);
        let sharings: Vec<KeyId> = self.in_force.values().copied().collect();
        for sharing in sharings {
            self.sessions.remove(&name_of(*job, sharing));
        }
    }
}

/// By which a session of a refreshed key's job goes.
fn name_of(job: JobId, sharing: KeyId) -> JobId {
    JobId(digest("conclave/job/sharing", &[&job.0.0, &sharing.0.0]))
}
