//! One version of a zone: names in canonical order, each with its RRsets, and the chain of denial ([`super::chain`]).
//!
//! Both are persistent maps: a new version shares with the old one all that it does not change, and a copy costs
//! nothing. Keys are [`Name::sort_key`]s: their plain order is the canonical order, and a name's key is a prefix of the
//! keys of the names below it, so ancestors are prefixes and descendants a range.
//!
//! The NSEC3 of a hash is at its owner like any other RRset, but by it that name neither exists nor hides anything.

use super::signatures::Signatures;
use crate::dns::{Name, Rdata, RrType, Rrset, Soa};
use borsh::{BorshDeserialize, BorshSerialize};
use rpds::RedBlackTreeMapSync;
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// A name's place in the canonical order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Key(Arc<[u8]>);

impl Key {
    pub(super) fn of(name: &Name) -> Self {
        Self(name.sort_key().into())
    }

    pub(super) fn octets(&self) -> usize {
        self.0.len()
    }

    /// The name, in lower case.
    pub(super) fn name(&self) -> Name {
        let mut labels: Vec<Vec<u8>> = vec![Vec::new()];
        let mut octets = self.0.iter();
        while let Some(octet) = octets.next() {
            match (octet, octets.as_slice().first()) {
                (0, Some(0)) => {
                    octets.next();
                    labels.push(Vec::new());
                }
                (0, _) => {
                    octets.next();
                    labels.last_mut().expect("one is begun").push(0);
                }
                _ => labels.last_mut().expect("one is begun").push(*octet),
            }
        }
        let wire =
            labels.iter().rev().skip(1).flat_map(|label| [&[label.len() as u8], label.as_slice()].concat());
        Name::from_wire(&wire.chain([0]).collect::<Vec<u8>>()).expect("a key is made from a name")
    }

    /// The key of the name with this label, of lower-case letters and digits, before this one.
    pub(super) fn child(&self, label: &[u8]) -> Self {
        Self([&self.0, label, &[0, 0]].concat().into())
    }

    /// Whether `other` is strictly below this.
    pub(super) fn is_above(&self, other: &Self) -> bool {
        other.0.len() > self.0.len() && other.0.starts_with(&self.0)
    }
}

impl From<&[u8]> for Key {
    /// From the octets of a key.
    fn from(octets: &[u8]) -> Self {
        Self(octets.into())
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// An RRset with its signatures. RRSIGs have the RRset's TTL (RFC 4034 §3).
#[derive(Clone, Debug)]
pub struct SignedRrset {
    /// The records.
    pub rrset: Arc<Rrset>,
    pub(super) signatures: Signatures,
}

impl SignedRrset {
    pub(super) fn unsigned(rrset: Rrset) -> Self {
        Self { rrset: Arc::new(rrset), signatures: Signatures::None }
    }

    /// The RRSIG rdata over these records; none for glue, NS at a cut and occluded names. In a published version
    /// every RRset that is to be signed is.
    pub fn rrsigs(&self) -> &[Rdata] {
        self.signatures.rdatas()
    }
}

/// A name that owns records.
#[derive(Clone, Debug)]
pub struct Node {
    name: Name,
    pub(super) rrsets: BTreeMap<RrType, SignedRrset>,
}

impl Node {
    pub(super) fn new(name: Name) -> Self {
        Self { name, rrsets: BTreeMap::new() }
    }

    /// The owner, in the case in which it was first added.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The RRset of this type.
    pub fn get(&self, rtype: RrType) -> Option<&SignedRrset> {
        self.rrsets.get(&rtype)
    }

    /// All RRsets, NSEC and NSEC3 included, by type.
    pub fn iter(&self) -> impl Iterator<Item = (RrType, &SignedRrset)> {
        self.rrsets.iter().map(|(rtype, rrset)| (*rtype, rrset))
    }

    /// The RRsets but NSEC and NSEC3, which the cluster makes.
    pub(super) fn data(&self) -> impl Iterator<Item = (RrType, &SignedRrset)> {
        self.iter().filter(|(rtype, _)| !matches!(*rtype, RrType::NSEC | RrType::NSEC3))
    }

    /// Whether it owns more than the NSEC3 of a hash.
    pub(super) fn has_data(&self) -> bool {
        self.data().next().is_some()
    }
}

/// How a zone denies existence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, BorshSerialize, BorshDeserialize)]
pub enum Denial {
    /// By NSEC records (RFC 4034 §4).
    #[default]
    Nsec,
    /// By NSEC3 records (RFC 5155), without additional iterations, salt and opt-out (RFC 9276 §3.1).
    Nsec3,
}

impl Denial {
    /// `nsec` or `nsec3`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nsec => "nsec",
            Self::Nsec3 => "nsec3",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Nsec, Self::Nsec3].into_iter().find(|denial| denial.word() == word)
    }
}

/// What a name is in its zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// It owns nothing.
    Absent,
    /// Its records are the zone's own: all are signed.
    Authoritative,
    /// A delegation: DS and NSEC are signed, nothing else.
    Cut,
    /// Below a delegation or a DNAME: glue, or data that waits for its return.
    Occluded,
}

/// An immutable version of a zone.
#[derive(Clone, Debug)]
pub struct View {
    origin: Name,
    apex_key: Key,
    pub(super) nodes: RedBlackTreeMapSync<Key, Node>,
    /// The names that own a record of the chain of denial, each with the name of which that speaks.
    pub(super) chain: RedBlackTreeMapSync<Key, Key>,
}

impl View {
    pub(super) fn empty(origin: Name) -> Self {
        let apex_key = Key::of(&origin);
        let mut nodes = RedBlackTreeMapSync::new_sync();
        nodes.insert_mut(apex_key.clone(), Node::new(origin.clone()));
        Self { origin, apex_key, nodes, chain: RedBlackTreeMapSync::new_sync() }
    }

    /// The name of the apex.
    pub fn origin(&self) -> &Name {
        &self.origin
    }

    /// The serial of the SOA.
    pub fn serial(&self) -> u32 {
        self.soa_fields().serial
    }

    /// The SOA RRset.
    pub fn soa(&self) -> &SignedRrset {
        self.apex().get(RrType::SOA).expect("a zone has an SOA: nothing removes it")
    }

    pub(super) fn soa_fields(&self) -> Soa {
        let rdata = self.soa().rrset.rdatas.first().expect("an RRset has a record");
        Soa::parse(rdata).expect("an SOA was validated when it was taken")
    }

    /// The node at the apex.
    pub fn apex(&self) -> &Node {
        self.nodes.get(&self.apex_key).expect("the apex is never removed")
    }

    pub(super) fn apex_key(&self) -> &Key {
        &self.apex_key
    }

    /// The node of exactly this name: authoritative, delegation, glue or occluded, or the owner of an NSEC3.
    pub fn node(&self, name: &Name) -> Option<&Node> {
        self.nodes.get(name.sort_key().as_slice())
    }

    /// All nodes in canonical order: glue and occluded ones too, and owners of NSEC3s.
    pub fn iter(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// The DNSKEY RRset.
    pub fn dnskeys(&self) -> Option<&SignedRrset> {
        self.apex().get(RrType::DNSKEY)
    }

    /// How non-existence is denied.
    pub fn denial(&self) -> Denial {
        match self.apex().get(RrType::NSEC3PARAM) {
            Some(_) => Denial::Nsec3,
            None => Denial::Nsec,
        }
    }

    /// The owner and the NSEC that matches `name` or covers it; none outside the zone, or before the first chain.
    pub fn nsec_covering(&self, name: &Name) -> Option<(&Name, &SignedRrset)> {
        if !name.is_subdomain_of(&self.origin) {
            return None;
        }
        self.nsec_covering_key(&name.sort_key())
    }

    pub(super) fn nsec_covering_key(&self, key: &[u8]) -> Option<(&Name, &SignedRrset)> {
        let bounds = (Bound::Unbounded, Bound::Included(key));
        let (owner, _) = self.chain.range::<[u8], _>(bounds).next_back()?;
        let node = self.nodes.get(owner)?;
        Some((node.name(), node.get(RrType::NSEC)?))
    }

    /// Whether some name strictly below this one owns records. If `name` itself owns none it is then an empty non-terminal.
    pub fn has_below(&self, name: &Name) -> bool {
        self.has_below_key(&name.sort_key())
    }

    pub(super) fn has_below_key(&self, key: &[u8]) -> bool {
        let bounds = (Bound::Excluded(key), Bound::Unbounded);
        self.nodes.range::<[u8], _>(bounds).next().is_some_and(|(next, _)| next.0.starts_with(key))
    }

    /// The closest encloser (RFC 4592 §3.3.1): the longest name that exists, if only as an empty non-terminal, and is
    /// `name` or above it. The origin for names outside the zone.
    pub fn closest_encloser(&self, name: &Name) -> Name {
        self.closest_encloser_key(&name.sort_key(), name)
    }

    pub(super) fn closest_encloser_key(&self, key: &[u8], name: &Name) -> Name {
        let mut labels = name.label_count();
        for prefix in prefixes(key, self.apex_key.0.len()).into_iter().rev() {
            if self.nodes.get(prefix).is_some_and(Node::has_data) || self.has_below_key(prefix) {
                return name.ancestor(labels);
            }
            labels = labels.saturating_sub(1);
        }
        self.origin.clone()
    }

    /// The topmost delegation at `name` or above it, and below the apex.
    pub fn cut_above(&self, name: &Name) -> Option<(&Name, &Node)> {
        let key = name.sort_key();
        let node = self.ancestors(&key).skip(1).find(|node| node.get(RrType::NS).is_some())?;
        Some((node.name(), node))
    }

    /// The topmost DNAME strictly above `name`, the apex included.
    pub fn dname_above(&self, name: &Name) -> Option<(&Name, &Node)> {
        let key = name.sort_key();
        let mut above = self.ancestors(&key).filter(|node| node.name() != name);
        let node = above.find(|node| node.get(RrType::DNAME).is_some())?;
        Some((node.name(), node))
    }

    /// The nodes at and above `key`, from the apex down; the apex itself always first.
    fn ancestors<'a, 'k>(&'a self, key: &'k [u8]) -> impl Iterator<Item = &'a Node> + use<'a, 'k> {
        prefixes(key, self.apex_key.0.len()).into_iter().filter_map(|prefix| self.nodes.get(prefix))
    }

    /// What the name at `key` is, by the data alone (the chain may be stale).
    pub(super) fn standing(&self, key: &Key) -> Standing {
        let Some(node) = self.nodes.get(key).filter(|node| node.has_data()) else { return Standing::Absent };
        if self.is_hidden(key) {
            Standing::Occluded
        } else if key != &self.apex_key && node.get(RrType::NS).is_some() {
            Standing::Cut
        } else {
            Standing::Authoritative
        }
    }

    /// Whether a delegation or a DNAME is above.
    fn is_hidden(&self, key: &Key) -> bool {
        let apex = self.apex_key.0.len();
        let above = prefixes(&key.0, apex).into_iter().filter(|prefix| prefix.len() < key.0.len());
        above.filter_map(|prefix| Some((prefix, self.nodes.get(prefix)?))).any(|(prefix, node)| {
            node.get(RrType::DNAME).is_some() || (prefix.len() > apex && node.get(RrType::NS).is_some())
        })
    }

    /// Whether the name at `key` owns nothing, and names below it do that the zone is an authority for, or delegates.
    pub(super) fn is_empty_non_terminal(&self, key: &Key) -> bool {
        let owns = self.nodes.get(key).is_some_and(Node::has_data);
        key != &self.apex_key && !owns && self.has_below_key(&key.0) && !self.is_hidden(key)
    }

    /// Puts a node in its place; takes it away if it holds nothing, the apex aside.
    pub(super) fn settle(&mut self, key: Key, node: Node) {
        if node.rrsets.is_empty() && key != self.apex_key {
            self.nodes.remove_mut(&key);
        } else {
            self.nodes.insert_mut(key, node);
        }
    }

    /// The names strictly below `key` that own records.
    pub(super) fn below<'a>(&'a self, key: &'a Key) -> impl Iterator<Item = &'a Key> {
        let bounds = (Bound::Excluded(&*key.0), Bound::Unbounded);
        self.nodes.range::<[u8], _>(bounds).map(|(key, _)| key).take_while(|next| key.is_above(next))
    }

    /// The owner in the chain before `key`, around the end of the zone.
    pub(super) fn chain_before(&self, key: &Key) -> Option<&Key> {
        let bounds = (Bound::Unbounded, Bound::Excluded(&*key.0));
        let before = self.chain.range::<[u8], _>(bounds).next_back().map(|(key, _)| key);
        before.or_else(|| self.chain.last().map(|(key, _)| key))
    }

    /// The owner in the chain after `key`, around the end of the zone.
    pub(super) fn chain_after(&self, key: &Key) -> Option<&Key> {
        let bounds = (Bound::Excluded(&*key.0), Bound::Unbounded);
        let after = self.chain.range::<[u8], _>(bounds).next().map(|(key, _)| key);
        after.or_else(|| self.chain.first().map(|(key, _)| key))
    }
}

/// The keys of the ancestors and self of the name with this key, from the one of `shortest` octets down; none if the
/// name is not below that.
pub(super) fn prefixes(key: &[u8], shortest: usize) -> Vec<&[u8]> {
    let mut found = Vec::with_capacity(8);
    let mut at = 0;
    if shortest == 0 {
        found.push(&key[..0]);
    }
    while at < key.len() {
        at += match (key[at], key.get(at + 1)) {
            (0, Some(0)) => {
                if at + 2 >= shortest {
                    found.push(&key[..at + 2]);
                }
                2
            }
            (0, _) => 2,
            _ => 1,
        };
    }
    found
}
