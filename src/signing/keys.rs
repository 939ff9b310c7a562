//! What one replica's workers know of its secrets: its shares, and the keys by which it is dealt new ones.
//!
//! Both change while the replica runs. What a worker makes is in the [`Vault`] before anybody hears of it, and what is
//! wiped leaves the vault first, so that after a crash at any point the vault has what was said to be there. A key that is
//! retired leaves nothing behind, whatever a worker is about to keep of it.

use crate::codec::{self, KeyId, digest};
use crate::threshold::{PublicKey, ReceiverSecret, RetiredKey, SecretShare};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of one item of the vault: a public key of the largest committee, and a share.
const MAX_ITEM_BYTES: usize = 32 * 1024;

/// Where secrets outlast the process. Items have names of lower-case letters, digits and `-`.
pub trait Vault: Send + Sync {
    /// Keeps an item; it is durable when this returns.
    fn keep(&self, name: &str, item: &[u8]) -> Result<(), String>;
    /// Removes an item, durably; one that is not there is gone. The dealt share of that key goes with it.
    fn wipe(&self, name: &str) -> Result<(), String>;
    /// Wipes an item for ever: whoever finds its dealt share gone from now on knows that it went on purpose.
    fn retire(&self, name: &str) -> Result<(), String>;
    /// The dealt share that an item stands for is in this file.
    fn is_in(&self, name: &str, file: &Path);
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
    /// Held while something is kept, so that nothing of a retired key comes after it.
    retired: Mutex<BTreeSet<RetiredKey>>,
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

    /// Adds the dealt share that is in `file`, unless the key is retired.
    pub fn bring(&self, public: Arc<PublicKey>, share: SecretShare, file: &Path) -> Result<(), String> {
        let _retired = self.unless_retired(|key| key.has(public.modulus()))?;
        let name = share_name(public.key_id());
        if !self.insert(public, share) {
            return Err("the share does not fit its key".into());
        }
        self.vault.iter().for_each(|vault| vault.is_in(&name, file));
        Ok(())
    }

    /// Whether a key with this N may be used.
    pub fn admits(&self, modulus: &[u8]) -> Result<(), String> {
        self.unless_retired(|key| key.has(modulus)).map(drop)
    }

    /// Wipes all shares of a key, and the secrets of offers for it: from memory, and from the vault if there is one. To be
    /// called when the state in which the key is retired is durable. On an error what is left goes another time.
    pub fn retire(&self, retired: RetiredKey) -> Result<(), String> {
        let mut all = lock(&self.retired);
        all.insert(retired);
        let mut names = vec![share_name(retired.key)];
        write(&self.shares).retain(|sharing, held| {
            let stays = *sharing != retired.key && !retired.has(held.public.modulus());
            names.extend((!stays).then(|| share_name(*sharing)));
            stays
        });
        write(&self.receivers).retain(|offered, _| {
            let stays = offered.key != retired.key;
            names.extend((!stays).then(|| receiver_name(&offered.modulus)));
            stays
        });
        names.sort();
        names.dedup();
        match &self.vault {
            Some(vault) => names.iter().try_for_each(|name| vault.retire(name)),
            None => Ok(()),
        }
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
        let _retired = self.unless_retired(|key| key.has(public.modulus()))?;
        let item = Item::Share { public: public.to_bytes(), share: share.to_bytes().to_vec() };
        self.keep(&share_name(public.key_id()), item)?;
        write(&self.shares).insert(public.key_id(), Arc::new(Held { public, share }));
        Ok(())
    }

    /// Keeps a receiver's secret, then has it.
    pub(super) fn keep_receiver(&self, offered: Offered, secret: ReceiverSecret) -> Result<(), String> {
        let _retired = self.unless_retired(|key| key.key == offered.key)?;
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

    /// An error if one of the retired keys is it; none is retired as long as what this gives is held.
    fn unless_retired(
        &self,
        is_it: impl Fn(&RetiredKey) -> bool,
    ) -> Result<MutexGuard<'_, BTreeSet<RetiredKey>>, String> {
        let retired = lock(&self.retired);
        match retired.iter().any(is_it) {
            true => Err("the key is retired".into()),
            false => Ok(retired),
        }
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threshold::test_keys;

    #[test]
    fn nothing_of_a_retired_key_is_kept_whatever_is_under_way_and_others_are_untouched() {
        let mut store = KeyStore::new();
        let dealt = |which| test_keys::dealt(1024, which, 4, 2);
        for which in [0, 1] {
            let public = Arc::new(dealt(which).public);
            assert!(store.insert(public, dealt(which).shares.remove(0)));
        }
        let kept = Arc::new(Mutex::new(BTreeSet::new()));
        store.keep_in(Box::new(Names(kept.clone())));
        let public = Arc::new(dealt(0).public);
        let offered = |key| Offered { key, count: 1, modulus_len: 128, modulus: vec![1] };
        let secret = || ReceiverSecret::generate(128, [7; 32]);
        store.keep_receiver(offered(public.key_id()), secret()).unwrap();
        store.retire(RetiredKey::new(public.key_id(), public.modulus())).unwrap();
        assert_eq!(lock(&kept).len(), 0);
        // A worker's share of another sharing, or an offer, that comes late; and an operator who brings it again.
        let share = || dealt(0).shares.remove(0);
        assert!(store.keep_share(public.clone(), share()).is_err());
        assert!(store.keep_receiver(offered(public.key_id()), secret()).is_err());
        assert!(store.bring(public.clone(), share(), Path::new("a.bundle")).is_err());
        let other = dealt(1).public;
        assert_eq!(store.holdings().shares.into_keys().collect::<Vec<_>>(), [other.key_id()]);
        assert!(store.holdings().offers.is_empty() && store.admits(other.modulus()).is_ok());
    }

    /// Remembers names alone.
    struct Names(Arc<Mutex<BTreeSet<String>>>);

    impl Vault for Names {
        fn keep(&self, name: &str, _: &[u8]) -> Result<(), String> {
            lock(&self.0).insert(name.into());
            Ok(())
        }

        fn wipe(&self, name: &str) -> Result<(), String> {
            lock(&self.0).remove(name);
            Ok(())
        }

        fn retire(&self, name: &str) -> Result<(), String> {
            self.wipe(name)
        }

        fn is_in(&self, _: &str, _: &Path) {}
    }
}
