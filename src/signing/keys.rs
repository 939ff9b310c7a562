//! What one replica's workers know of its secrets: its shares, and the keys by which it is dealt new ones.
//!
//! Both change while the replica runs. What a worker makes is in the [`Vault`] before anybody hears of it, and what is
//! wiped leaves the vault first, so that after a crash at any point the vault has what was said to be there.

use crate::codec::{self, KeyId, digest};
use crate::threshold::{PublicKey, ReceiverSecret, SecretShare};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of one item of the vault: a public key of the largest committee, and a share.
const MAX_ITEM_BYTES: usize = 32 * 1024;

/// Where secrets outlast the process. Items have names of lower-case letters, digits and `-`.
pub trait Vault: Send + Sync {
    /// Keeps an item; it is durable when this returns.
    fn keep(&self, name: &str, item: &[u8]) -> Result<(), String>;
    /// Removes an item, durably; one that is not there is gone. The dealt share of that key goes with it.
    fn wipe(&self, name: &str) -> Result<(), String>;
}

/// An item of the vault.
#[derive(BorshSerialize, BorshDeserialize)]
enum Item {
    /// A share, with the public part it belongs to.
    Share { public: Vec<u8>, share: Vec<u8> },
    /// A receiver's secret, for a key as dealt.
    Receiver(Offered, Vec<u8>),
}

/// A key by which this replica can be dealt shares.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub struct Offered {
    /// Shares of this key as dealt.
    pub key: KeyId,
    /// The number of the offer.
    pub count: u64,
    /// Octets of the N of that key.
    pub modulus_len: u16,
    /// M.
    pub modulus: Vec<u8>,
}

/// What a replica holds, by public names.
#[derive(Clone, Default, Debug)]
pub struct Holdings {
    /// Sharings that it has its share of, each with the key's N.
    pub shares: BTreeMap<KeyId, Vec<u8>>,
    /// Offers whose secrets it has.
    pub offers: Vec<Offered>,
}

pub(super) struct Held {
    pub(super) public: Arc<PublicKey>,
    pub(super) share: SecretShare,
}

/// The secrets of one replica, as its workers need them.
#[derive(Default)]
pub struct KeyStore {
    shares: RwLock<BTreeMap<KeyId, Arc<Held>>>,
    receivers: RwLock<BTreeMap<Offered, Arc<ReceiverSecret>>>,
    vault: Option<Box<dyn Vault>>,
}

impl KeyStore {
    /// No keys yet, and nowhere to keep new ones.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key; false, and nothing added, if the share is not of this public key.
    pub fn insert(&self, public: Arc<PublicKey>, share: SecretShare) -> bool {
        let fits = share.check(&public).is_ok();
        if fits {
            write(&self.shares).insert(public.key_id(), Arc::new(Held { public, share }));
        }
        fits
    }

    /// Whether the own share of this sharing is here.
    pub fn has_share(&self, sharing: KeyId) -> bool {
        read(&self.shares).contains_key(&sharing)
    }

    /// Drops the share of a sharing, and, if this is a key as dealt, the secrets of offers for it: all in memory only.
    pub fn forget(&self, key: KeyId) {
        write(&self.shares).remove(&key);
        write(&self.receivers).retain(|offered, _| offered.key != key);
    }

    /// New secrets go there.
    pub fn keep_in(&mut self, vault: Box<dyn Vault>) {
        self.vault = Some(vault);
    }

    /// Adds an item that the vault kept; `Err` if it is none.
    pub fn restore(&self, item: &[u8]) -> Result<(), String> {
        match codec::decode(item, MAX_ITEM_BYTES).map_err(|why| why.to_string())? {
            Item::Share { public, mut share } => {
                let parsed = SecretShare::from_bytes(&share).map_err(|why| why.to_string());
                share.zeroize();
                let public = PublicKey::from_bytes(&public).map_err(|why| why.to_string())?;
                match self.insert(Arc::new(public), parsed?) {
                    true => Ok(()),
                    false => Err("the share does not fit its key".into()),
                }
            }
            Item::Receiver(offered, mut secret) => {
                let parsed = ReceiverSecret::from_bytes(&secret, usize::from(offered.modulus_len));
                secret.zeroize();
                let parsed = parsed.map_err(|why| why.to_string())?;
                if parsed.public().as_bytes() != offered.modulus {
                    return Err("the secret does not fit its modulus".into());
                }
                write(&self.receivers).insert(offered, Arc::new(parsed));
                Ok(())
            }
        }
    }

    /// What there is.
    pub fn holdings(&self) -> Holdings {
        let modulus = |held: &Arc<Held>| held.public.modulus().to_vec();
        Holdings {
            shares: read(&self.shares).iter().map(|(id, held)| (*id, modulus(held))).collect(),
            offers: read(&self.receivers).keys().cloned().collect(),
        }
    }

    pub(super) fn share(&self, sharing: KeyId) -> Option<Arc<Held>> {
        read(&self.shares).get(&sharing).cloned()
    }

    /// Shares of the key with this N, the newest first.
    pub(super) fn shares_of(&self, modulus: &[u8]) -> Vec<Arc<Held>> {
        let shares = read(&self.shares);
        let mut held: Vec<_> =
            shares.values().filter(|held| held.public.modulus() == modulus).cloned().collect();
        held.sort_by_key(|held| std::cmp::Reverse(held.public.refreshed()));
        held
    }

    pub(super) fn receiver(&self, modulus: &[u8]) -> Option<Arc<ReceiverSecret>> {
        let receivers = read(&self.receivers);
        receivers.iter().find(|(offered, _)| offered.modulus == modulus).map(|(_, secret)| secret.clone())
    }

    /// Keeps a share, then has it.
    pub(super) fn keep_share(&self, public: Arc<PublicKey>, share: SecretShare) -> Result<(), String> {
        let item = Item::Share { public: public.to_bytes(), share: share.to_bytes().to_vec() };
        self.keep(&share_name(public.key_id()), item)?;
        write(&self.shares).insert(public.key_id(), Arc::new(Held { public, share }));
        Ok(())
    }

    /// Keeps a receiver's secret, then has it.
    pub(super) fn keep_receiver(&self, offered: Offered, secret: ReceiverSecret) -> Result<(), String> {
        self.keep(
            &receiver_name(&offered.modulus),
            Item::Receiver(offered.clone(), secret.to_bytes().to_vec()),
        )?;
        write(&self.receivers).insert(offered, Arc::new(secret));
        Ok(())
    }

    fn keep(&self, name: &str, mut item: Item) -> Result<(), String> {
        let bytes = Zeroizing::new(codec::encode(&item));
        let (Item::Share { share: secret, .. } | Item::Receiver(_, secret)) = &mut item;
        secret.zeroize();
        self.vault.as_ref().ok_or("there is no place for new secrets")?.keep(name, &bytes)
    }

    pub(super) fn wipe_share(&self, sharing: KeyId) -> Result<(), String> {
        self.wipe(&share_name(sharing))?;
        write(&self.shares).remove(&sharing);
        Ok(())
    }

    pub(super) fn wipe_receiver(&self, offered: &Offered) -> Result<(), String> {
        self.wipe(&receiver_name(&offered.modulus))?;
        write(&self.receivers).remove(offered);
        Ok(())
    }

    fn wipe(&self, name: &str) -> Result<(), String> {
        self.vault.as_ref().ok_or("there is no place for new secrets")?.wipe(name)
    }
}

/// The name of a share's item.
pub fn share_name(sharing: KeyId) -> String {
    format!("share-{}", sharing.0.to_hex())
}

fn receiver_name(modulus: &[u8]) -> String {
    format!("receiver-{}", digest("conclave/receiver", &[modulus]).to_hex())
}

/// What a thread that panicked held was whole: entries are put and removed, never changed.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
