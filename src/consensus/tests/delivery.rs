//! Small-scope exhaustion of delivery: n = 4, the equivocator r4 with two vertices in each of two rounds.
//!
//! All vertices of round 2, each with each set of three or four parents, all sets of leaders that rounds 1 and 2 may
//! commit (any of each author's, or none; up to the order of the three correct authors in round 2), and a leader of
//! round 3 that links all of round 1 weakly. The batches are the same for who holds the leaders' histories only, and for
//! who accepted all else there is before. So what is delivered follows from the closed rounds, and its prefixes from theirs
//! (`commit::exhaustion`). Not covered: what age excludes.

use super::sim::GENESIS;
use crate::codec::{ClusterId, Digest, Epoch};
use crate::consensus::commit::Closed;
use crate::consensus::dag::Dag;
use crate::consensus::delivery::Delivery;
use crate::consensus::vertex::{Body, Domain, Request};
use crate::consensus::{Batch, IdentityKey, Vertex, VertexRef};
use crate::quorum::{Committee, ReplicaId};

type Named = (VertexRef, Vertex);

/// The authors of the vertices of a round: the equivocator makes two.
const AUTHORS: [u8; 5] = [1, 2, 3, 4, 4];

struct World {
    domain: Domain,
    committee: Committee,
    key: IdentityKey,
    first: Vec<Named>,
    /// By entry of [`AUTHORS`], then by set of parents.
    second: Vec<Vec<Named>>,
}

impl World {
    fn new() -> Self {
        let domain = Domain { cluster: ClusterId(Digest([9; 32])), epoch: Epoch(3) };
        let committee = Committee::new(4).unwrap();
        let key = IdentityKey::from_seed([1; 32]);
        let mut world = Self { domain, committee, key, first: vec![], second: vec![] };
        let genesis: Vec<VertexRef> = committee.members().map(|author| domain.genesis(author)).collect();
        world.first = (0..5).map(|entry| world.vertex(1, entry, &genesis, vec![])).collect();
        let sets = world.parent_sets();
        world.second =
            (0..5).map(|e| sets.iter().map(|set| world.vertex(2, e, set, vec![])).collect()).collect();
        world
    }

    fn vertex(&self, round: u64, entry: usize, parents: &[VertexRef], weak: Vec<VertexRef>) -> Named {
        let body = Body {
            epoch: self.domain.epoch,
            author: ReplicaId::new(AUTHORS[entry]).unwrap(),
            round,
            prev: None,
            parents: parents.iter().map(|id| (id.author, id.digest)).collect(),
            weak,
            time: GENESIS.plus(1000 * round + 10 * entry as u64),
            payload: vec![Request([round as u8, entry as u8].as_slice().into())],
            coin_share: None,
        };
        assert_eq!(body.check(self.committee, &self.domain), Ok(()));
        let vertex = Vertex::sign(body, &self.domain, &self.key);
        (vertex.id(&self.domain), vertex)
    }

    fn parent_sets(&self) -> Vec<Vec<VertexRef>> {
        let ids: Vec<VertexRef> = self.first.iter().map(|(id, _)| *id).collect();
        let sets = (0..32u8).map(|set| (0..5).filter(|at| set >> at & 1 == 1).map(|at| ids[at]).collect());
        let one_each = |set: &Vec<VertexRef>| set.windows(2).all(|pair| pair[0].author < pair[1].author);
        sets.filter(|set: &Vec<VertexRef>| set.len() >= 3 && one_each(set)).collect()
    }

    /// What the rounds deliver to a replica that accepted `before` at the start, and each round's leaders and their
    /// histories when it closes.
    fn batches(&self, before: &[&Named], leaders: &[Vec<&Named>; 3], all: &[&Named]) -> Vec<Batch> {
        let mut dag = Dag::new(self.committee, self.domain, GENESIS);
        let mut delivery = Delivery::new(GENESIS);
        let accept = |dag: &mut Dag, delivery: &mut Delivery, (id, vertex): &Named| {
            if !dag.contains(id) {
                assert!(delivery.accepted(*id, true));
                dag.insert(*id, vertex.clone());
            }
        };
        before.iter().for_each(|named| accept(&mut dag, &mut delivery, named));
        let mut batches = Vec::new();
        for (round, leaders) in (1..).zip(leaders) {
            let mut history: Vec<&Named> = leaders.clone();
            let mut at = 0;
            while let Some((_, vertex)) = history.get(at) {
                let links = |named: &&&Named| vertex.body().links().any(|link| link == named.0);
                history.extend(all.iter().filter(links).copied().collect::<Vec<_>>());
                at += 1;
            }
            history.sort_unstable_by_key(|(id, _)| *id);
            history.iter().for_each(|named| accept(&mut dag, &mut delivery, named));
            let leaders = leaders.iter().map(|(id, _)| *id).collect();
            let (batch, excluded) =
                delivery.close(&dag, &Closed { round, leaders, slots: Vec::new(), evidence: round + 4 });
            assert!(excluded.is_empty());
            batches.extend(batch);
        }
        batches
    }
}

/// One leader or none of each author, the equivocator's being one of two: all sets of entries, and none given twice.
fn leaders() -> impl Iterator<Item = Vec<usize>> {
    (0..32u8)
        .filter(|set| set >> 3 != 0b11)
        .map(|set| (0..5).filter(|at| set >> at & 1 == 1).collect::<Vec<usize>>())
}

/// For entries of round 2 the sets of parents that count: the correct authors' leaders in ascending order.
fn second_rounds(entries: &[usize], sets: usize) -> Vec<[usize; 5]> {
    let mut chosen = vec![[0; 5]];
    for (nth, &entry) in entries.iter().enumerate() {
        let least = move |choice: &[usize; 5]| {
            if nth > 0 && entry < 3 { choice[entries[nth - 1]] } else { 0 }
        };
        let with = |mut choice: [usize; 5], set: usize| {
            choice[entry] = set;
            choice
        };
        chosen = chosen
            .into_iter()
            .flat_map(|choice| (least(&choice)..sets).map(move |set| with(choice, set)))
            .collect();
    }
    chosen
}

#[test]
fn batches_follow_from_the_leaders_histories_alone() {
    let world = World::new();
    let sets = world.second[0].len();
    assert_eq!(sets, 9);
    let mut compared = 0;
    for above in leaders() {
        for choice in second_rounds(&above, sets) {
            let second: Vec<&Named> = (0..5).map(|entry| &world.second[entry][choice[entry]]).collect();
            let parents: Vec<VertexRef> = second[..3].iter().map(|(id, _)| *id).collect();
            let weak: Vec<VertexRef> = {
                let mut weak: Vec<VertexRef> = world.first.iter().map(|(id, _)| *id).collect();
                weak.sort_unstable();
                weak
            };
            let third = world.vertex(3, 0, &parents, weak);
            let all: Vec<&Named> = world.first.iter().chain(second.iter().copied()).collect();
            let two: Vec<&Named> = above.iter().map(|entry| second[*entry]).collect();
            for below in leaders() {
                let one: Vec<&Named> = below.iter().map(|entry| &world.first[*entry]).collect();
                let closed = [one, two.clone(), vec![&third]];
                let least = world.batches(&[], &closed, &all);
                let most = world.batches(&all, &closed, &all);
                assert_eq!(least, most, "{below:?} {above:?} {choice:?}");
                let requests: usize = least.iter().map(|batch| batch.requests.len()).sum();
                // The third round's leader delivers what is left: all of round 1, itself, and its parents.
                let more = above.iter().filter(|entry| **entry > 2).count();
                assert_eq!(requests, 5 + 3 + more + 1, "each vertex once");
                compared += 1;
            }
        }
    }
    println!("{compared} pairs of replicas");
}
