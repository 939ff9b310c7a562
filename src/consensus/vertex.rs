//! The vertex, the only protocol message: what a replica proposes in one round, and what it has seen.
//!
//! digest = SHA-256 over a domain tag, the cluster id, the epoch and the canonical (borsh) encoding without the
//! signature; the signature is Ed25519 over that digest. Round 0 is n implied genesis vertices, which are never
//! sent: their digests follow from cluster and epoch.
//!
//! Valid iff: the signature is the author's; all parents are at round-1, exactly one an author, q to n of them;
//! `prev`.round < round, and if it is round-1, `prev` is among the parents (a missing or older `prev` is never a
//! reason to refuse); weak links point to rounds from round-64 up to round-1, none of them a parent; sizes within
//! `limits`; the coin share for round-4 verifies (none below round 5). Validity never depends on the receiver.
//! Where the text leaves an encoding open, there is one only: links are strictly ascending, and a link to
//! round 0 names a genesis vertex. Rounds end at 2^48 ([`MAX_ROUND`]), so that no arithmetic on them overflows.

use super::coin::CoinShare;
use super::identity::{IdentityKey, Signature};
use crate::codec::{ClusterId, Digest, Epoch, digest, encode};
use crate::limits::{
    HISTORY_ROUNDS, MAX_REQUEST_BYTES, MAX_VERTEX_PAYLOAD_BYTES, MAX_VERTEX_REQUESTS, MAX_WEAK_LINKS,
};
use crate::quorum::{Committee, ReplicaId};
use crate::time::UnixMillis;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use std::sync::Arc;

/// The last round: 8,900 years at a thousand rounds a second.
pub(super) const MAX_ROUND: u64 = 1 << 48;

/// The first round whose vertices carry a coin share.
pub(super) const FIRST_SHARE_ROUND: u64 = 5;

/// Names one vertex. Ordered by round, then author, then digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct VertexRef {
    /// Its round.
    pub round: u64,
    /// Who signed it.
    pub author: ReplicaId,
    /// Its digest, which binds round and author.
    pub digest: Digest,
}

impl VertexRef {
    /// Not above any vertex of this round, and above all of lower rounds.
    pub fn first_of(round: u64) -> Self {
        let author = ReplicaId::new(1).expect("1 is an index");
        Self { round, author, digest: Digest::default() }
    }
}

impl fmt::Debug for VertexRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{}:{:?}", self.author, self.round, self.digest)
    }
}

/// The bytes of one request; clones share them.
#[derive(Clone, PartialEq, Eq)]
pub struct Request(pub Arc<[u8]>);

impl BorshSerialize for Request {
    fn serialize<W: borsh::io::Write>(&self, writer: &mut W) -> borsh::io::Result<()> {
        self.0.as_ref().serialize(writer)
    }
}

impl BorshDeserialize for Request {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        Ok(Self(Vec::<u8>::deserialize_reader(reader)?.into()))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} bytes)", self.0.len())
    }
}

/// What the author signs.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Body {
    /// The epoch of the committee.
    pub epoch: Epoch,
    /// Who made it.
    pub author: ReplicaId,
    /// Its round, from 1.
    pub round: u64,
    /// The author's vertex before this one: round and digest.
    pub prev: Option<(u64, Digest)>,
    /// Vertices of round-1, ascending by author.
    pub parents: Vec<(ReplicaId, Digest)>,
    /// Older vertices that no parent reaches, ascending.
    pub weak: Vec<VertexRef>,
    /// The author's clock.
    pub time: UnixMillis,
    /// The requests it proposes.
    pub payload: Vec<Request>,
    /// The author's share of the coin of round-4.
    pub coin_share: Option<CoinShare>,
}

/// A signed vertex; clones share it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vertex(Arc<(Body, Signature)>);

impl BorshSerialize for Vertex {
    fn serialize<W: borsh::io::Write>(&self, writer: &mut W) -> borsh::io::Result<()> {
        self.0.0.serialize(writer)?;
        self.0.1.serialize(writer)
    }
}

impl BorshDeserialize for Vertex {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        Ok(Self(Arc::new((Body::deserialize_reader(reader)?, Signature::deserialize_reader(reader)?))))
    }
}

/// What binds every hash of the layer: cluster and epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Domain {
    pub cluster: ClusterId,
    pub epoch: Epoch,
}

impl Domain {
    /// Hashes fields under a tag, the cluster and the epoch.
    pub fn digest(&self, tag: &str, fields: &[&[u8]]) -> Digest {
        let epoch = self.epoch.0.to_be_bytes();
        let bound: Vec<&[u8]> = [&self.cluster.0.0[..], &epoch].iter().chain(fields).copied().collect();
        digest(tag, if planted!(UnboundDigests) { fields } else { &bound })
    }

    /// The implied vertex of `author` in round 0.
    pub fn genesis(&self, author: ReplicaId) -> VertexRef {
        VertexRef { round: 0, author, digest: self.digest("conclave/genesis vertex", &[&[author.get()]]) }
    }
}

/// Why a vertex was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Invalid {
    /// Made for another epoch.
    Epoch,
    /// By nobody of the committee, in round 0, or beyond the last round.
    Author,
    /// Parents not ascending, not of the committee, or not q to n of them; or no genesis vertices in round 1.
    Parents,
    /// A previous vertex that is not before, or of round-1 and no parent.
    Prev,
    /// Weak links not ascending, out of the window, to a parent, or too many.
    Weak,
    /// Too many requests, or too large.
    Payload,
    /// A coin share where none is due, or none where one is.
    CoinShare,
}

impl Vertex {
    /// Signs a body.
    pub(super) fn sign(body: Body, domain: &Domain, key: &IdentityKey) -> Self {
        let digest = body.digest(domain);
        Self(Arc::new((body, key.sign(&digest))))
    }

    /// What is signed.
    pub fn body(&self) -> &Body {
        &self.0.0
    }

    /// Its name in this cluster and epoch.
    pub(super) fn id(&self, domain: &Domain) -> VertexRef {
        let body = self.body();
        VertexRef { round: body.round, author: body.author, digest: body.digest(domain) }
    }

    /// Whether the signature is `public`'s, over `digest`.
    pub(super) fn signed_by(&self, public: &[u8; 32], digest: &Digest) -> bool {
        self.0.1.verifies(public, digest)
    }
}

impl Body {
    fn digest(&self, domain: &Domain) -> Digest {
        let bound = if planted!(FakeDigests) { encode(&self.parents) } else { encode(self) };
        domain.digest("conclave/vertex", &[&bound])
    }

    /// The names of its parents.
    pub fn parent_refs(&self) -> impl Iterator<Item = VertexRef> {
        let round = self.round.saturating_sub(1);
        self.parents.iter().map(move |&(author, digest)| VertexRef { round, author, digest })
    }

    /// The names of its parents and weak links.
    pub(super) fn links(&self) -> impl Iterator<Item = VertexRef> {
        self.parent_refs().chain(self.weak.iter().copied())
    }

    /// Bytes that holding it costs, about.
    pub(super) fn weight(&self) -> usize {
        let payload: usize = self.payload.iter().map(|request| request.0.len() + 32).sum();
        512 + payload + 256 * (self.parents.len() + self.weak.len())
    }

    /// Checks everything of "Valid iff" but the signature and the coin share's proof.
    pub(super) fn check(&self, committee: Committee, domain: &Domain) -> Result<(), Invalid> {
        let ensure = |holds: bool, why: Invalid| if holds { Ok(()) } else { Err(why) };
        ensure(self.epoch == domain.epoch, Invalid::Epoch)?;
        ensure(committee.contains(self.author) && (1..=MAX_ROUND).contains(&self.round), Invalid::Author)?;
        ensure(self.parents_valid(committee, domain), Invalid::Parents)?;
        ensure(self.prev_valid(), Invalid::Prev)?;
        ensure(self.weak_valid(committee, domain), Invalid::Weak)?;
        ensure(self.payload_valid(), Invalid::Payload)?;
        ensure(self.coin_share.is_some() == (self.round >= FIRST_SHARE_ROUND), Invalid::CoinShare)
    }

    fn parents_valid(&self, committee: Committee, domain: &Domain) -> bool {
        let least = committee.quorum() - usize::from(planted!(FewParents));
        (least..=committee.n()).contains(&self.parents.len())
            && self.parents.windows(2).all(|pair| pair[0].0 < pair[1].0)
            && self.parents.iter().all(|(author, _)| committee.contains(*author))
            && (self.round > 1 || self.parent_refs().all(|parent| parent == domain.genesis(parent.author)))
    }

    // The checks below hold round >= 1.
    fn prev_valid(&self) -> bool {
        match self.prev {
            None => true,
            Some((round, digest)) if round == self.round - 1 => self.parents.contains(&(self.author, digest)),
            Some((round, _)) => round < self.round,
        }
    }

    fn weak_valid(&self, committee: Committee, domain: &Domain) -> bool {
        let window = self.round.saturating_sub(HISTORY_ROUNDS)..self.round;
        let parent = |link: &VertexRef| {
            link.round == self.round - 1 && self.parents.contains(&(link.author, link.digest))
        };
        self.weak.len() <= MAX_WEAK_LINKS
            && self.weak.windows(2).all(|pair| pair[0] < pair[1])
            && self.weak.iter().all(|link| {
                window.contains(&link.round)
                    && committee.contains(link.author)
                    && !parent(link)
                    && (link.round > 0 || *link == domain.genesis(link.author))
            })
    }

    fn payload_valid(&self) -> bool {
        let bytes: usize = self.payload.iter().map(|request| request.0.len()).sum();
        match self.payload.as_slice() {
            [one] => one.0.len() <= MAX_REQUEST_BYTES,
            all => all.len() <= MAX_VERTEX_REQUESTS && bytes <= MAX_VERTEX_PAYLOAD_BYTES,
        }
    }
}
