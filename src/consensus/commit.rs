//! The commit rule (after Mahi-Mahi's, wave length 5): a pure function of the DAG and the coins.
//!
//! Assumes n > 3t, and that a vertex is observed after its parents. Reachability here is over parents only. For a
//! leader vertex L of round r:
//! - *vote*: a round r+3 vertex votes for L if L is the first vertex of (L.author, r) that its depth-first search
//!   over parents, in order of (author, digest), reaches (this settles equivocation);
//! - *certificate*: a round r+4 vertex with parents of ≥ q distinct authors that vote for L;
//! - certificates of ≥ q authors ⇒ commit L; ≥ q authors of round r+3 vertices that vote for no vertex of the slot
//!   ⇒ skip the slot;
//! - otherwise take the first slot, in order, of a round ≥ r+5 that is decided *commit* as anchor (an undecided slot
//!   that comes first, or an unknown coin, leaves this one undecided): commit L iff the anchor reaches a certificate
//!   for L, else skip.
//!
//! All n slots of a round are leader slots, in the coin's order. Why it is safe: two certificates of one slot share
//! a correct voter, and a vertex has one vote; q correct-or-not blames leave too few voters for a certificate; and
//! q certificates at r+4 leave none of the ≥ q parents at r+5, hence no later anchor, that misses all of them.
//!
//! Incremental: the first-reached vertices of depth 1, 2 and 3 are kept with each vertex (depth d is the first hit
//! of depth d-1 among its parents, which is what the search finds), so a vote or a certificate is computed once.
//! What concerns rounds below `next` is dropped.

use super::vertex::VertexRef;
use crate::codec::Digest;
use crate::quorum::{Committee, ReplicaId};
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod exhaustion;
#[cfg(test)]
mod liveness;
#[cfg(test)]
pub(super) mod reference;
#[cfg(test)]
mod tests;

/// Rounds from a leader to its votes.
const VOTE: u64 = 3;
/// Rounds from a leader to its certificates, and to the vertices that carry the shares of its coin.
pub(super) const CERTIFY: u64 = 4;
/// Rounds from a leader to the first that may anchor it.
const ANCHOR: u64 = 5;

/// What became of one leader slot. Commit or skip is the same at all replicas; by which rule each found it, is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlotOutcome {
    /// Whose slot.
    pub author: ReplicaId,
    /// The committed vertex; none if the slot was skipped.
    pub commit: Option<VertexRef>,
    /// The leader by which the indirect rule decided it; none if certificates or blames did.
    pub anchor: Option<VertexRef>,
}

/// A round of which all slots are decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Closed {
    /// Which.
    pub round: u64,
    /// Its committed leaders, in the coin's order; none if all slots are skipped.
    pub leaders: Vec<VertexRef>,
    /// All its slots, in the coin's order.
    pub slots: Vec<SlotOutcome>,
    /// The highest round of a vertex from which this round, or one before, was decided.
    pub evidence: u64,
}

/// The state of the rule: what is known of the rounds from `next` on.
pub(super) struct Rule {
    committee: Committee,
    next: u64,
    top: u64,
    evidence: u64,
    nodes: BTreeMap<VertexRef, Node>,
    rounds: BTreeMap<u64, Round>,
    #[cfg(test)]
    pub mutant: Option<Mutant>,
}

/// Wrong rules that the tests must catch.
#[cfg(test)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mutant {
    /// t + 1 blames skip a slot.
    FewBlames,
    /// t + 1 votes make a certificate.
    FewVotes,
    /// t + 1 certificates commit.
    FewCertificates,
    /// An undecided slot before the anchor is passed over.
    PassUndecided,
    /// A round may anchor its own certificates' round.
    EarlyAnchor,
    /// A vertex votes for every vertex of the slot that it reaches.
    AnyVote,
}

/// By slot: the first vertex reached of each author, in one round.
type Reached = Vec<Option<Digest>>;

struct Node {
    parents: Vec<VertexRef>,
    /// `reached[d-1]`: d rounds below. Empty for rounds below `next`.
    reached: [Reached; VOTE as usize],
    /// Leaders of the round four below that it certifies.
    certifies: Reached,
}

#[derive(Default)]
struct Round {
    leaders: Option<Vec<ReplicaId>>,
    slots: Vec<Slot>,
}

#[derive(Clone, Default)]
struct Slot {
    certifiers: BTreeMap<Digest, BTreeSet<ReplicaId>>,
    blamers: BTreeSet<ReplicaId>,
    decided: Option<Decided>,
}

#[derive(Clone, Copy)]
struct Decided {
    commit: Option<Digest>,
    anchor: Option<VertexRef>,
    evidence: u64,
}

/// The first committed slot of a round or a later one, and the highest round it took to know.
#[derive(Clone, Copy)]
struct Anchor {
    leader: VertexRef,
    evidence: u64,
}

impl Rule {
    pub fn new(committee: Committee) -> Self {
        Self {
            committee,
            next: 1,
            top: 0,
            evidence: 0,
            nodes: BTreeMap::new(),
            rounds: BTreeMap::new(),
            #[cfg(test)]
            mutant: None,
        }
    }

    /// A rule for which all rounds below `next` are closed; vertices are observed from the lowest round on.
    pub fn resume(committee: Committee, next: u64) -> Self {
        Self { next, ..Self::new(committee) }
    }

    /// The first round that is not closed.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Takes a vertex whose parents were taken before.
    pub fn observe(&mut self, id: VertexRef, parents: Vec<VertexRef>) {
        if id.round <= self.next {
            return; // it votes for nothing that is open, nor do its children through it
        }
        self.top = self.top.max(id.round);
        let first = self.parents_by_author(&parents);
        let second = self.reached_through(&id, 2, &parents);
        let third = self.reached_through(&id, 3, &parents);
        let certifies = self.certified_by(&id, &parents);
        if let Some(round) = self.open(id.round, VOTE) {
            for slot in
                self.slots(round).iter_mut().zip(&third).filter(|(_, vote)| vote.is_none()).map(|(s, _)| s)
            {
                slot.blamers.insert(id.author);
            }
        }
        if let Some(round) = self.open(id.round, CERTIFY) {
            for (slot, leader) in self.slots(round).iter_mut().zip(&certifies) {
                if let Some(digest) = leader {
                    slot.certifiers.entry(*digest).or_default().insert(id.author);
                }
            }
        }
        self.nodes.insert(id, Node { parents, reached: [first, second, third], certifies });
    }

    /// Takes the leaders of a round, in the coin's order.
    pub fn tossed(&mut self, round: u64, leaders: Vec<ReplicaId>) {
        if round >= self.next {
            self.slots(round);
            self.rounds.entry(round).or_default().leaders = Some(leaders);
        }
    }

    /// Decides what can be decided, and returns the rounds that closed, in order.
    pub fn advance(&mut self) -> Vec<Closed> {
        self.decide();
        let mut closed = Vec::new();
        while let Some(round) = self.close() {
            closed.push(round);
        }
        if !closed.is_empty() {
            self.nodes = self.nodes.split_off(&VertexRef::first_of(self.next + 1));
        }
        closed
    }

    /// The round so far below, if it is still open.
    fn open(&self, round: u64, below: u64) -> Option<u64> {
        round.checked_sub(below).filter(|round| *round >= self.next)
    }

    fn slots(&mut self, round: u64) -> &mut Vec<Slot> {
        let slots = &mut self.rounds.entry(round).or_default().slots;
        slots.resize(self.committee.n(), Slot::default());
        slots
    }

    fn parents_by_author(&self, parents: &[VertexRef]) -> Reached {
        let mut reached = vec![None; self.committee.n()];
        for parent in parents {
            reached[parent.author.slot()] = Some(parent.digest);
        }
        reached
    }

    /// First-reached vertices `depth` rounds below: the first hit among the parents, which come in order of author.
    fn reached_through(&self, id: &VertexRef, depth: u64, parents: &[VertexRef]) -> Reached {
        let mut reached = vec![None; self.committee.n()];
        if self.open(id.round, depth).is_none() {
            return reached;
        }
        for parent in parents {
            let below = &self.nodes[parent].reached[depth as usize - 2];
            for (mine, theirs) in reached.iter_mut().zip(below) {
                *mine = mine.or(*theirs);
            }
        }
        reached
    }

    /// By slot of the round four below: the leader for which parents of ≥ q distinct authors vote.
    fn certified_by(&self, id: &VertexRef, parents: &[VertexRef]) -> Reached {
        let mut certifies = vec![None; self.committee.n()];
        if self.open(id.round, CERTIFY).is_none() {
            return certifies;
        }
        for (slot, certified) in certifies.iter_mut().enumerate() {
            // A vertex has one parent of an author: counting parents counts authors.
            let mut votes: BTreeMap<Digest, usize> = BTreeMap::new();
            for leader in parents.iter().flat_map(|parent| self.votes(parent, slot)) {
                *votes.entry(leader).or_default() += 1;
            }
            *certified =
                votes.into_iter().find(|(_, votes)| *votes >= self.votes_needed()).map(|(leader, _)| leader);
        }
        certifies
    }

    /// One pass from the highest round down: what a slot needs of higher rounds is decided before it.
    fn decide(&mut self) {
        let mut anchors: BTreeMap<u64, Option<Anchor>> = BTreeMap::new();
        for round in (self.next..=self.top.saturating_sub(VOTE)).rev() {
            self.slots(round);
            self.decide_directly(round);
            if let Some(anchor) = anchors.get(&(round + self.anchor_distance())).copied().flatten() {
                self.decide_by(round, anchor);
            }
            let following = anchors.get(&(round + 1)).copied().flatten();
            let anchor = self.anchor_from(round, following);
            anchors.insert(round, anchor);
        }
    }

    fn decide_directly(&mut self, round: u64) {
        let (certificates, blames) = (self.certificates_needed(), self.blames_needed());
        for slot in self.slots(round).iter_mut().filter(|slot| slot.decided.is_none()) {
            let committed = slot.certifiers.iter().find(|(_, authors)| authors.len() >= certificates);
            slot.decided = match committed {
                Some((leader, _)) => {
                    Some(Decided { commit: Some(*leader), anchor: None, evidence: round + CERTIFY })
                }
                None if slot.blamers.len() >= blames => {
                    Some(Decided { commit: None, anchor: None, evidence: round + VOTE })
                }
                None => None,
            };
        }
    }

    fn decide_by(&mut self, round: u64, anchor: Anchor) {
        if self.slots(round).iter().all(|slot| slot.decided.is_some()) {
            return;
        }
        let mut certified: Reached = vec![None; self.committee.n()];
        for certificate in self.reached_from(anchor.leader, round + CERTIFY) {
            for (slot, leader) in certified.iter_mut().zip(&self.nodes[&certificate].certifies) {
                *slot = slot.or(*leader);
            }
        }
        for (slot, commit) in self.slots(round).iter_mut().zip(certified) {
            let anchored = Decided { commit, anchor: Some(anchor.leader), evidence: anchor.evidence };
            slot.decided.get_or_insert(anchored);
        }
    }

    /// The vertices of a round that `from` reaches over parents.
    fn reached_from(&self, from: VertexRef, round: u64) -> BTreeSet<VertexRef> {
        let mut level = BTreeSet::from([from]);
        for _ in round..from.round {
            level = level.iter().flat_map(|id| self.nodes[id].parents.iter().copied()).collect();
        }
        level
    }

    /// The first slot decided *commit* from this round on, unless an undecided one or an unknown coin comes first.
    fn anchor_from(&self, round: u64, following: Option<Anchor>) -> Option<Anchor> {
        let state = self.rounds.get(&round)?;
        let mut evidence = round + CERTIFY; // its coin
        for author in state.leaders.as_ref()? {
            let Some(decided) = state.slots[author.slot()].decided else {
                if self.passes_undecided() {
                    continue;
                }
                return None;
            };
            evidence = evidence.max(decided.evidence);
            if let Some(digest) = decided.commit {
                return Some(Anchor { leader: VertexRef { round, author: *author, digest }, evidence });
            }
        }
        following.map(|anchor| Anchor { evidence: evidence.max(anchor.evidence), ..anchor })
    }

    fn close(&mut self) -> Option<Closed> {
        let round = self.next;
        let state = self.rounds.get(&round)?;
        let leaders = state.leaders.as_ref()?;
        let mut slots = Vec::new();
        let mut evidence = self.evidence.max(round + CERTIFY);
        for author in leaders {
            let decided = state.slots[author.slot()].decided?;
            evidence = evidence.max(decided.evidence);
            let commit = decided.commit.map(|digest| VertexRef { round, author: *author, digest });
            slots.push(SlotOutcome { author: *author, commit, anchor: decided.anchor });
        }
        self.rounds.remove(&round);
        self.next += 1;
        self.evidence = evidence;
        Some(Closed {
            round,
            leaders: slots.iter().filter_map(|slot| slot.commit).collect(),
            slots,
            evidence,
        })
    }
}

#[cfg(not(test))]
impl Rule {
    fn votes(&self, voter: &VertexRef, slot: usize) -> Option<Digest> {
        self.nodes[voter].reached[VOTE as usize - 1][slot]
    }
    fn votes_needed(&self) -> usize {
        self.committee.quorum()
    }
    fn certificates_needed(&self) -> usize {
        self.committee.quorum()
    }
    fn blames_needed(&self) -> usize {
        self.committee.quorum()
    }
    fn anchor_distance(&self) -> u64 {
        ANCHOR
    }
    fn passes_undecided(&self) -> bool {
        false
    }
}

#[cfg(test)]
impl Rule {
    fn needed(&self, mutant: Mutant, planted: bool) -> usize {
        if planted || self.mutant == Some(mutant) {
            self.committee.one_correct()
        } else {
            self.committee.quorum()
        }
    }
    fn votes(&self, voter: &VertexRef, slot: usize) -> Vec<Digest> {
        if self.mutant == Some(Mutant::AnyVote) {
            let reached = self.reached_from(*voter, voter.round - VOTE);
            return reached.iter().filter(|id| id.author.slot() == slot).map(|id| id.digest).collect();
        }
        self.nodes[voter].reached[VOTE as usize - 1][slot].into_iter().collect()
    }
    fn votes_needed(&self) -> usize {
        self.needed(Mutant::FewVotes, false)
    }
    fn certificates_needed(&self) -> usize {
        self.needed(Mutant::FewCertificates, planted!(FewCertificates))
    }
    fn blames_needed(&self) -> usize {
        self.needed(Mutant::FewBlames, planted!(FewBlames))
    }
    fn anchor_distance(&self) -> u64 {
        if self.mutant == Some(Mutant::EarlyAnchor) { CERTIFY } else { ANCHOR }
    }
    fn passes_undecided(&self) -> bool {
        self.mutant == Some(Mutant::PassUndecided)
    }
}
