//! What NSEC3 adds to a view: owners that are hashes, searches among them, and that no two names may have one hash.

use super::view::{Denial, Key, SignedRrset, View, prefixes};
use crate::dns::nsec3::NameHash;
use crate::dns::{Name, RrType};
use std::collections::BTreeMap;

/// The hash of the name with this key.
pub(super) fn hash_of(key: &Key) -> NameHash {
    NameHash::of(&key.name())
}

impl View {
    /// Where the NSEC3 of a name with this hash stands.
    pub(super) fn hashed_key(&self, hash: &NameHash) -> Key {
        self.apex_key().child(hash.label().as_bytes())
    }

    /// The owner and the NSEC3 that matches `name`: its owner is the name's hash.
    pub fn nsec3_matching(&self, name: &Name) -> Option<(&Name, &SignedRrset)> {
        self.nsec3_at(&self.hashed_key(&NameHash::of(name)))
    }

    /// The owner and the NSEC3 that covers `name`: its owner and its next hash are around the name's. None if one matches.
    pub fn nsec3_covering(&self, name: &Name) -> Option<(&Name, &SignedRrset)> {
        let at = self.hashed_key(&NameHash::of(name));
        match self.chain.contains_key(&at) {
            true => None,
            false => self.nsec3_at(self.chain_before(&at)?),
        }
    }

    fn nsec3_at(&self, at: &Key) -> Option<(&Name, &SignedRrset)> {
        let node = self.nodes.get(at)?;
        Some((node.name(), node.get(RrType::NSEC3)?))
    }

    /// The keys of the names above `key` and below the apex.
    pub(super) fn between(&self, key: &Key) -> impl Iterator<Item = Key> {
        let apex = self.apex_key().octets();
        let above = prefixes(key.as_ref(), apex).into_iter().map(Key::from).collect::<Vec<_>>();
        let own = key.octets();
        above.into_iter().filter(move |above| above.octets() > apex && above.octets() < own)
    }
}

/// Names whose hashes are known, so that another name of the same hash is noticed.
#[derive(Default)]
pub(super) struct Hashes(BTreeMap<NameHash, Key>);

impl Hashes {
    /// Of all names of a zone.
    pub(super) fn of(view: &View) -> Result<Self, String> {
        let room = hash_of(view.apex_key()).owner(view.origin());
        room.ok_or("the apex is too long for names under it that are hashes")?;
        let mut hashes = Self::default();
        hashes.add(view, view.nodes.keys(), &hash_of)?;
        Ok(hashes)
    }

    /// Adds `names` and those above them, which may be empty non-terminals; none of them if one has the hash of another
    /// name, here or in the view's chain. RFC 5155 §7.1 would have another salt tried, and RFC 9276 §3.1 there is none.
    pub(super) fn add<'k>(
        &mut self,
        view: &View,
        names: impl Iterator<Item = &'k Key>,
        hash: &dyn Fn(&Key) -> NameHash,
    ) -> Result<(), String> {
        let mut added = BTreeMap::new();
        for name in names.flat_map(|name| view.between(name).chain([name.clone()])) {
            let hash = hash(&name);
            let chained = view.chain.get(&view.hashed_key(&hash)).filter(|_| view.denial() == Denial::Nsec3);
            let held = self.0.get(&hash).or_else(|| added.get(&hash)).or(chained);
            match held.filter(|held| **held != name) {
                Some(held) => return Err(format!("{} and {} have one hash", held.name(), name.name())),
                None => _ = added.insert(hash, name),
            }
        }
        self.0.extend(added);
        Ok(())
    }
}
