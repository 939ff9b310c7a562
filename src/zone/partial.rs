//! One chunk of a state while it is received: every element checked, nothing of it trusted yet.

use super::charter::Charter;
use super::digest::SetDigest;
use super::element::{self, Element, Place, Plan, PlannedJob, ZoneKeys};
use super::keys::KeySet;
use super::manifest::{Commitment, Manifest};
use super::register::Entry;
use super::replay::Answer;
use super::request::Job;
use super::restore::Trust;
use super::rules::ZoneRules;
use super::signature::{Realm, Signature};
use super::signatures::Signatures;
use super::snapshot::Piece;
use super::view::{Key, Node, SignedRrset};
use crate::codec::{self, Digest, JobId};
use crate::dns::{Name, Rrset, rdata};
use crate::limits::{MAX_PIECE_BYTES, MAX_SIGNATURE_OCTETS};
use crate::time::{AgreedTime, SECOND};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What pieces are checked against.
pub(super) struct Context {
    pub(super) realm: Realm,
    /// As the manifest lists the zones, those after genesis as the first chunk has them; of zones before genesis, none.
    pub(super) zones: Vec<Option<Founded>>,
    pub(super) manifest: Manifest,
    pub(super) trust: Trust,
    /// The jobs of the last batches: these may lack their signatures.
    pub(super) listed: BTreeSet<JobId>,
}

/// What the first chunk says of a zone.
pub(super) struct Founded {
    pub(super) charter: Charter,
    pub(super) rules: ZoneRules,
    pub(super) keys: KeySet,
}

impl Context {
    /// Whether this chunk is a batch's jobs, and neither keys nor a bucket.
    pub(super) fn is_of_jobs(&self, chunk: u32) -> bool {
        chunk > 0 && chunk as usize <= self.manifest.planned.len()
    }

    /// The bucket that is this chunk.
    pub(super) fn bucket(&self, chunk: u32) -> u8 {
        chunk.wrapping_sub(1 + self.manifest.planned.len() as u32) as u8
    }

    /// The place of a zone after genesis, and its version.
    fn place(&self, origin: &Name) -> Option<(usize, u64)> {
        let zones = &self.manifest.zones;
        let at = zones.binary_search_by(|zone| zone.origin.cmp(origin)).ok()?;
        zones.get(at).filter(|zone| zone.started).map(|zone| (at, zone.version))
    }

    /// A zone after genesis; the origin in lower case.
    fn zone(&self, origin: &Name) -> Option<(usize, &ZoneRules, &KeySet)> {
        let (at, _) = self.place(origin)?;
        let founded = self.zones.get(at)?.as_ref()?;
        let is_lower = origin.wire() == self.manifest.zones.get(at)?.origin.wire();
        is_lower.then_some((at, &founded.rules, &founded.keys))
    }

    /// The plan as it was made, complete if its signature came with it.
    fn plan(
        &self,
        (rules, keys): (&ZoneRules, &KeySet),
        owner: &Name,
        rrset: &Arc<Rrset>,
        plan: Plan,
        signature: &[u8],
    ) -> Result<Arc<Signature>, String> {
        if plan.at > self.manifest.time.secs() {
            return Err("a signature was planned after the state".into());
        }
        let key =
            keys.wanted().find(|key| key.tag() == plan.tag).ok_or("a signature by no key of the zone")?;
        let planned = Signature::plan(self.realm, rules, key, owner, rrset, AgreedTime(plan.at * SECOND));
        if planned.job != plan.job {
            return Err("a signature was planned otherwise".into());
        }
        match self.trust {
            _ if signature.is_empty() && self.listed.contains(&plan.job) => {}
            _ if signature.is_empty() => return Err("a signature is lacking that must be there".into()),
            Trust::Nobody => planned.complete(signature)?,
            Trust::OwnDisk => planned.complete_unverified(signature),
        }
        Ok(planned)
    }
}

/// What has come of one chunk.
#[derive(Default)]
pub(super) struct Partial {
    pieces: u32,
    bytes: u64,
    last: Option<Place>,
    pub(super) founded: Vec<(usize, Founded)>,
    /// These, as they came.
    pub(super) encoded: Vec<Vec<u8>>,
    pub(super) jobs: Vec<Job>,
    pub(super) elements: SetDigest,
    /// The zone's place among the zones, the owner, what it owns.
    pub(super) nodes: Vec<(usize, Key, Node)>,
    pub(super) answers: Vec<(Digest, Answer, u64)>,
    pub(super) entries: Vec<Entry>,
}

impl Partial {
    pub(super) fn count(&self) -> u32 {
        self.pieces
    }

    /// Takes one piece more.
    pub(super) fn add(
        &mut self,
        context: &Context,
        chunk: u32,
        commitment: &Commitment,
        piece: Piece,
    ) -> Result<(), String> {
        let wrong = |why: String| format!("piece {} of chunk {chunk}: {why}", self.pieces);
        let is_long = |signature: &Vec<u8>| signature.len() > MAX_SIGNATURE_OCTETS;
        if piece.signatures.iter().any(is_long) || piece.bytes() > MAX_PIECE_BYTES {
            return Err(wrong("it is too long".into()));
        }
        self.bytes += piece.element.len() as u64;
        if u64::from(self.pieces) >= commitment.count || self.bytes > commitment.bytes {
            return Err(wrong("it is more than is certified".into()));
        }
        let place = if chunk == 0 {
            self.keys(context, &piece)
        } else if context.is_of_jobs(chunk) {
            self.job(context, &piece)
        } else {
            self.element(context, context.bucket(chunk), &piece)
        };
        let place = place.map_err(|why| format!("piece {} of chunk {chunk}: {why}", self.pieces))?;
        if self.last.as_ref().is_some_and(|last| *last >= place) {
            return Err(format!("piece {} of chunk {chunk}: it is out of order", self.pieces));
        }
        self.last = Some(place);
        self.pieces = self.pieces.checked_add(1).ok_or("a chunk of too many pieces")?;
        Ok(())
    }

    fn keys(&mut self, context: &Context, piece: &Piece) -> Result<Place, String> {
        let ZoneKeys { charter, keys } = decode(&piece.element)?;
        let (zone, version) = context.place(&charter.origin).ok_or("of a zone that has no keys yet")?;
        if !piece.signatures.is_empty() {
            return Err("a signature where none is planned".into());
        }
        if charter.born > version {
            return Err("a zone that was added after its version".into());
        }
        let rules = charter.rules()?;
        keys.check(context.manifest.time, context.manifest.batches)?;
        self.founded.push((zone, Founded { charter, rules, keys }));
        self.encoded.push(piece.element.clone());
        Ok(Place::Keys { zone })
    }

    fn job(&mut self, context: &Context, piece: &Piece) -> Result<Place, String> {
        let PlannedJob { key, hash } = decode(&piece.element)?;
        if !piece.signatures.is_empty() || !matches!(hash.len(), 32 | 64) {
            return Err("not a job of this cluster, or a signature that nobody asked for".into());
        }
        let id = JobId::new(context.realm.cluster, context.realm.epoch, key, &hash);
        self.jobs.push(Job { id, key, hash });
        Ok(Place::Job(id))
    }

    fn element(&mut self, context: &Context, bucket: u8, piece: &Piece) -> Result<Place, String> {
        let element: Element = decode(&piece.element)?;
        let (place, its_bucket) = match element {
            Element::Rrset { origin, owner, rrset, plans } => {
                let (zone, rules, keys) = context.zone(&origin).ok_or("of a zone that has no elements")?;
                check_rrset(&origin, &owner, &rrset)?;
                let (key, rrset) = (Key::of(&owner), Arc::new(rrset));
                if plans.len() != piece.signatures.len() {
                    return Err("other signatures than are planned".into());
                }
                let signatures = plans.into_iter().zip(&piece.signatures);
                let plan = |(plan, signature): (Plan, &Vec<u8>)| {
                    context.plan((rules, keys), &owner, &rrset, plan, signature)
                };
                let signatures = Signatures::of(signatures.map(plan).collect::<Result<_, _>>()?);
                let (rtype, bucket) = (rrset.rtype, element::bucket_of_owner(&origin, &key));
                self.put(zone, &key, owner, SignedRrset { rrset, signatures })?;
                (Place::Rrset { zone, owner: key, rtype }, bucket)
            }
            Element::Answer { covered, rcode, after, end } => {
                if !piece.signatures.is_empty() {
                    return Err("a signature where none is planned".into());
                }
                self.answers.push((covered, Answer { rcode, after }, end));
                (Place::Answer(covered), element::bucket_of_answer(covered))
            }
            Element::Entry(entry) => {
                if !piece.signatures.is_empty() {
                    return Err("a signature where none is planned".into());
                }
                entry.check(context.manifest.time, context.manifest.batches)?;
                let label = entry.label();
                self.entries.push(entry);
                let bucket = element::bucket_of_entry(&label);
                (Place::Entry(label), bucket)
            }
        };
        if its_bucket != bucket {
            return Err("it belongs to another chunk".into());
        }
        self.elements.insert(&piece.element);
        Ok(place)
    }

    fn put(&mut self, zone: usize, key: &Key, owner: Name, set: SignedRrset) -> Result<(), String> {
        let same = |(held, at, _): &&mut (usize, Key, Node)| *held == zone && at == key;
        if let Some((.., node)) = self.nodes.last_mut().filter(same) {
            if node.name().wire() != owner.wire() {
                return Err("its owner is written in two ways".into());
            }
            node.rrsets.insert(set.rrset.rtype, set);
            return Ok(());
        }
        let mut node = Node::new(owner);
        node.rrsets.insert(set.rrset.rtype, set);
        self.nodes.push((zone, key.clone(), node));
        Ok(())
    }
}

fn decode<T: borsh::BorshDeserialize>(bytes: &[u8]) -> Result<T, String> {
    codec::decode(bytes, MAX_PIECE_BYTES).map_err(|why| why.to_string())
}

/// That all else may take it for an RRset of the zone.
fn check_rrset(origin: &Name, owner: &Name, rrset: &Rrset) -> Result<(), String> {
    if !owner.is_subdomain_of(origin) {
        return Err("its owner is outside the zone".into());
    }
    if rrset.is_empty() || rrset.rtype.is_meta() {
        return Err("it is no RRset".into());
    }
    let check = |rdata: &rdata::Rdata| rdata::validate(rrset.rtype, rdata.wire());
    rrset.iter().try_for_each(check).map_err(|why| format!("{owner} {}: {why}", rrset.rtype))
}
