//! What a command is about and cannot hold: a new zone, all records of a zone, a policy. The command names it by a digest, and
//! pieces of it come through the order, each of which can be checked alone ([`super::parcels`]).
//!
//! The encoding (borsh) is cut into pieces of [`PARCEL_PIECE_BYTES`], the last one shorter. They are the leaves of a Merkle tree
//! (a node without a sibling is its parent, leaves and nodes hash apart, as in RFC 6962); the name is
//! `digest("conclave/contents", [number of pieces (4), root])`. So a piece with its path shows, whoever brings it, that
//! it is that piece of these contents, and how many there are.
//!
//! Records are told RRset by RRset in canonical order, each in the least of its records' TTLs. So the name depends neither on
//! the order of the file's lines nor on how it was written, but for the case of letters.

use super::load;
use super::request::Request;
use super::rules::{Reads, SerialRule, Validity};
use super::update::CLUSTER_TYPES;
use super::view::{Denial, View};
use crate::codec::{self, Digest};
use crate::dns::{Class, Name, Record, RrType, Rrset};
use crate::limits::{MAX_PARCEL_BYTES, MAX_PARCEL_PIECES, PARCEL_PIECE_BYTES};
use borsh::{BorshDeserialize, BorshSerialize};

/// What contents are of.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum Contents {
    /// Of `zone ZONE add`.
    Zone(Box<NewZone>),
    /// Of `zone ZONE replace`: all records, unsigned.
    Records(Vec<(Name, Rrset)>),
    /// Of `zone ZONE policy`: the statements ([`super::UpdatePolicy`]).
    Policy(Vec<String>),
}

/// A zone that is to be added.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct NewZone {
    /// The statements of its policy ([`super::UpdatePolicy`]).
    pub policy: Vec<String>,
    /// From where queries are answered.
    pub reads: Reads,
    /// How the serial moves.
    pub serial: SerialRule,
    /// The times of signatures.
    pub validity: Validity,
    /// The TTL of the DNSKEY RRset, in seconds.
    pub dnskey_ttl: u32,
    /// How it begins to deny existence.
    pub denial: Denial,
    /// The name of the complete bundle of its KSK.
    pub ksk: Digest,
    /// And of its ZSK.
    pub zsk: Digest,
    /// All its records, unsigned ([`Contents::sets`]).
    pub records: Vec<(Name, Rrset)>,
}

/// A piece, with what shows that it is one.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct ParcelPiece {
    /// The name of the contents.
    pub contents: Digest,
    /// How many pieces there are.
    pub count: u32,
    /// Which one this is, from 0.
    pub index: u32,
    /// The siblings on the way to the root, from below.
    pub path: Vec<Digest>,
    /// The piece: [`PARCEL_PIECE_BYTES`] octets, or what is left.
    pub bytes: Vec<u8>,
}

/// Contents as pieces.
#[derive(Clone, Debug)]
pub struct Parcel {
    name: Digest,
    bytes: Vec<u8>,
    /// The tree: the leaves first, the root last.
    levels: Vec<Vec<Digest>>,
}

impl Contents {
    /// All records of a zone, as contents tell them; or why they are no zone.
    pub fn sets(origin: &Name, records: &[Record]) -> Result<Vec<(Name, Rrset)>, String> {
        let view = load::unsigned(origin, records)?;
        let sets = view
            .iter()
            .flat_map(|node| node.iter().map(|(_, set)| (node.name().clone(), Rrset::clone(&set.rrset))));
        Ok(sets.collect())
    }

    /// Whether the cluster makes records of this type itself, and contents have none.
    pub fn is_clusters(rtype: RrType) -> bool {
        CLUSTER_TYPES.contains(&rtype)
    }

    /// The encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }
}

/// The zone of these RRsets.
pub(super) fn view(origin: &Name, sets: &[(Name, Rrset)]) -> Result<View, String> {
    let records = sets.iter().flat_map(|(name, set)| {
        set.iter().map(|rdata| Record {
            name: name.clone(),
            rtype: set.rtype,
            class: Class::IN,
            ttl: set.ttl,
            rdata: rdata.clone(),
        })
    });
    load::unsigned(origin, &records.collect::<Vec<_>>())
}

impl Parcel {
    /// The pieces of encoded contents; refused if they are none, or too long.
    pub fn new(bytes: Vec<u8>) -> Result<Self, String> {
        codec::decode::<Contents>(&bytes, MAX_PARCEL_BYTES).map_err(|why| why.to_string())?;
        Ok(Self::of_pieces(bytes))
    }

    fn of_pieces(bytes: Vec<u8>) -> Self {
        let leaves: Vec<Digest> = bytes.chunks(PARCEL_PIECE_BYTES).map(leaf).collect();
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let level = below.chunks(2).map(|pair| match pair {
                [left, right] => node(left, right),
                lone => lone[0],
            });
            levels.push(level.collect());
        }
        let root = levels.last().and_then(|level| level.first()).copied().unwrap_or_default();
        let name = name(levels[0].len() as u32, &root);
        Self { name, bytes, levels }
    }

    /// The name of the contents, as commands have it.
    pub fn name(&self) -> Digest {
        self.name
    }

    /// How many pieces there are.
    pub fn count(&self) -> u32 {
        self.levels[0].len() as u32
    }

    /// All pieces, one behind the other.
    pub fn octets(&self) -> &[u8] {
        &self.bytes
    }

    /// Octets of all pieces.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The piece with this index, to be ordered; none past the end.
    pub fn piece(&self, index: u32) -> Option<Request> {
        let mut at = index as usize;
        let bytes = self.bytes.chunks(PARCEL_PIECE_BYTES).nth(at)?.to_vec();
        let mut path = Vec::new();
        for level in &self.levels {
            path.extend(level.get(at ^ 1));
            at /= 2;
        }
        let (contents, count) = (self.name, self.count());
        Some(Request::Parcel(ParcelPiece { contents, count, index, path, bytes }))
    }
}

impl ParcelPiece {
    /// Whether it is what it says: that piece of the contents of that name.
    pub(super) fn is_right(&self) -> bool {
        let is_last = self.index.checked_add(1) == Some(self.count);
        let fits = match is_last {
            true => (1..=PARCEL_PIECE_BYTES).contains(&self.bytes.len()),
            false => self.bytes.len() == PARCEL_PIECE_BYTES && self.index < self.count,
        };
        if !fits || self.count > MAX_PARCEL_PIECES {
            return false;
        }
        let (mut at, mut width, mut hash) = (self.index, self.count, leaf(&self.bytes));
        let mut path = self.path.iter();
        while width > 1 {
            if at ^ 1 < width {
                let Some(sibling) = path.next() else { return false };
                hash = if at % 2 == 0 { node(&hash, sibling) } else { node(sibling, &hash) };
            }
            (at, width) = (at / 2, width.div_ceil(2));
        }
        path.next().is_none() && name(self.count, &hash) == self.contents
    }
}

fn leaf(bytes: &[u8]) -> Digest {
    codec::digest("conclave/contents/piece", &[bytes])
}

fn node(left: &Digest, right: &Digest) -> Digest {
    codec::digest("conclave/contents/node", &[&left.0, &right.0])
}

fn name(count: u32, root: &Digest) -> Digest {
    codec::digest("conclave/contents", &[&count.to_be_bytes(), &root.0])
}
