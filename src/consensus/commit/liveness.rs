//! The liveness bound of `src/manual/liveness.md` on the real rule, against a scheduler that aims once it knows the coin.
//!
//! A world is the rounds 1 to 5 of a DAG. It is made up to the moment at which the coin of round 1 can be known, the first
//! correct vertex of round 5; from there the scheduler goes on anew for each possible first leader, and keeps what it can
//! from voting for it. Longer worlds show what a settled first leader closes.

use super::super::tests::sim::Random;
use super::*;

/// A DAG in the order of its making. The first t authors are Byzantine.
#[derive(Clone)]
struct World {
    committee: Committee,
    rounds: Vec<Vec<VertexRef>>,
    parents: BTreeMap<VertexRef, Vec<VertexRef>>,
    /// What each vertex reaches first of each author's in round 1.
    first: BTreeMap<VertexRef, Reached>,
}

/// κ(n, t): so many slots of a round at least are settled when its coin becomes known.
fn settled_at_least(committee: Committee) -> usize {
    let (n, t) = (committee.n(), committee.faults());
    ((n - t) * (n - 3 * t)).div_ceil(n - 2 * t)
}

impl World {
    fn new(committee: Committee) -> Self {
        let mut world =
            Self { committee, rounds: vec![vec![]], parents: BTreeMap::new(), first: BTreeMap::new() };
        for author in committee.members() {
            world.rounds[0].push(VertexRef { round: 0, author, digest: Digest::default() });
        }
        world
    }

    fn is_byzantine(&self, author: ReplicaId) -> bool {
        author.slot() < self.committee.faults()
    }

    fn correct(&self) -> impl Iterator<Item = ReplicaId> + use<> {
        let faults = self.committee.faults();
        self.committee.members().filter(move |author| author.slot() >= faults)
    }

    fn newest(&self, author: ReplicaId) -> u64 {
        self.parents.keys().filter(|id| id.author == author).map(|id| id.round).max().unwrap_or(0)
    }

    /// A new vertex; an author's twins of a round differ in their last octet.
    fn make(&mut self, round: u64, author: ReplicaId, parents: Vec<VertexRef>) -> VertexRef {
        assert!(parents.len() >= self.committee.quorum() && parents.is_sorted());
        self.rounds.resize(self.rounds.len().max(round as usize + 1), vec![]);
        let made = &mut self.rounds[round as usize];
        let twin = made.iter().filter(|id| id.author == author).count() as u8;
        let id = VertexRef { round, author, digest: Digest([twin; 32]) };
        made.push(id);
        let mut first: Reached = vec![None; self.committee.n()];
        for parent in &parents {
            if round == 2 {
                first[parent.author.slot()] = Some(parent.digest);
            }
            for (mine, theirs) in first.iter_mut().zip(self.first.get(parent).into_iter().flatten()) {
                *mine = mine.or(*theirs);
            }
        }
        self.first.insert(id, first);
        self.parents.insert(id, parents);
        id
    }

    /// One vertex of each of q authors of the round below, those with the lowest keys.
    fn quorum_by(&self, round: u64, mut key: impl FnMut(&VertexRef) -> u64) -> Option<Vec<VertexRef>> {
        let mut best: BTreeMap<ReplicaId, (u64, VertexRef)> = BTreeMap::new();
        for id in &self.rounds[round as usize - 1] {
            let candidate = (key(id), *id);
            let held = best.entry(id.author).or_insert(candidate);
            *held = candidate.min(*held);
        }
        let mut candidates: Vec<(u64, VertexRef)> = best.into_values().collect();
        candidates.sort_unstable();
        candidates.truncate(self.committee.quorum());
        let mut parents: Vec<VertexRef> = candidates.into_iter().map(|(_, id)| id).collect();
        parents.sort_unstable();
        (parents.len() == self.committee.quorum()).then_some(parents)
    }

    /// Rounds 1 to `last` and one correct vertex above. Some correct authors stop early; up to t sit out each round; in
    /// most worlds the links crowd on some authors.
    fn random(committee: Committee, last: u64, random: &mut Random) -> Self {
        let mut world = Self::new(committee);
        let faults = committee.faults() as u64;
        let slow: BTreeMap<ReplicaId, u64> = {
            let mut correct: Vec<ReplicaId> = world.correct().collect();
            let at = random.below(correct.len() as u64) as usize;
            correct.rotate_left(at);
            let count = random.below(faults + 1) as usize;
            correct.into_iter().take(count).map(|author| (author, random.below(last))).collect()
        };
        let crowd = random.below(100);
        for round in 1..=last {
            let rank: Vec<u64> = (0..committee.n()).map(|_| random.below(100)).collect();
            let mut may_miss = faults as usize - slow.values().filter(|last| **last < round).count();
            for author in committee.members() {
                let byzantine = world.is_byzantine(author);
                if !byzantine {
                    if slow.get(&author).is_some_and(|last| *last < round) {
                        continue;
                    }
                    if may_miss > 0 && random.chance(10) {
                        may_miss -= 1;
                        continue;
                    }
                }
                for _ in 0..if byzantine { 1 + random.below(3) } else { 1 } {
                    let crowded = random.chance(crowd);
                    let key = |id: &VertexRef| {
                        let rank = if crowded { rank[id.author.slot()] } else { 0 };
                        rank * 100 + random.below(100)
                    };
                    let parents = world.quorum_by(round, key).expect("at least q authors");
                    world.make(round, author, parents);
                }
            }
        }
        let fast: Vec<ReplicaId> = world.correct().filter(|author| !slow.contains_key(author)).collect();
        let first = fast[random.below(fast.len() as u64) as usize];
        let parents = world.quorum_by(last + 1, |_| random.below(100)).expect("at least q authors");
        world.make(last + 1, first, parents);
        world
    }

    /// The scheduler goes on against a leader, given as the slot and the vertex that the votes so far are for: Byzantine
    /// authors add twins, correct ones the vertices that they can still make, and all link what does not lead to a vote.
    fn finish(&mut self, slot: ReplicaId) {
        let votes: Vec<Option<Digest>> =
            self.rounds[4].iter().map(|id| self.first[id][slot.slot()]).collect();
        let target =
            votes.iter().flatten().max_by_key(|vote| votes.iter().flatten().filter(|v| v == vote).count());
        let Some(target) = target.copied() else { return self.go_on(|_, _| false) };
        self.go_on(|world, id| match id.round {
            0 => false,
            1 => id.author == slot && id.digest == target,
            _ => world.first[id][slot.slot()] == Some(target),
        });
    }

    fn go_on(&mut self, supports: impl Fn(&World, &VertexRef) -> bool) {
        for round in 1..=5 {
            for author in self.committee.members().collect::<Vec<_>>() {
                if !self.is_byzantine(author) && self.newest(author) >= round {
                    continue;
                }
                if let Some(parents) = self.quorum_by(round, |id| u64::from(supports(self, id))) {
                    self.make(round, author, parents);
                }
            }
        }
    }

    /// The slots of round 1 that the rule commits directly, for a view of correct vertices of the last round only.
    fn committed(&self) -> BTreeSet<ReplicaId> {
        let mut rule = Rule::new(self.committee);
        for (id, parents) in &self.parents {
            if id.round < 5 || !self.is_byzantine(id.author) {
                rule.observe(*id, parents.clone());
            }
        }
        rule.decide();
        let slots = &rule.rounds[&1].slots;
        let committed = |author: &ReplicaId| slots[author.slot()].decided.is_some_and(|d| d.commit.is_some());
        self.committee.members().filter(committed).collect()
    }

    /// How many first leaders are committed directly though the scheduler aims at them, and the fewest slots that any
    /// continuation leaves committed.
    fn outcome(&self) -> (usize, usize) {
        let (mut settled, mut fewest) = (0, self.committee.n());
        for slot in self.committee.members() {
            let mut world = self.clone();
            world.finish(slot);
            let committed = world.committed();
            settled += usize::from(committed.contains(&slot));
            fewest = fewest.min(committed.len());
        }
        (settled, fewest)
    }
}

#[test]
fn no_scheduler_aims_at_the_settled_slots_nor_leaves_fewer_than_n_minus_2t_committed() {
    for (n, worlds) in [(4, 3_000), (5, 500), (6, 500), (7, 2_000), (10, 200), (13, 100)] {
        let committee = Committee::new(n).unwrap();
        let (bound, few) = (settled_at_least(committee), committee.n() - 2 * committee.faults());
        let (mut least, mut all, mut fewest) = (committee.n(), 0, committee.n());
        for seed in 0..worlds {
            let (settled, committed) = World::random(committee, 4, &mut Random::new(seed)).outcome();
            assert!(settled >= bound, "n {n} seed {seed}: only {settled} of the first leaders are committed");
            assert!(committed >= few, "n {n} seed {seed}: only {committed} slots are committed");
            (least, all, fewest) = (least.min(settled), all + settled, fewest.min(committed));
        }
        println!(
            "n {n}: first leaders committed: bound {bound}, least {least}, mean {:.2}; slots: bound {few}, least {fewest}",
            all as f64 / worlds as f64
        );
    }
}

/// n = 7, r1 and r2 Byzantine. Correct vertices of round 2 link the slots of r3, r4 and one more; of round 3, before the
/// coin, r3 to r5 link three each of these, so that each of the slots of r5, r6 and r7 is missed by one.
#[test]
fn the_bound_of_two_slots_of_seven_is_attained() {
    let committee = Committee::new(7).unwrap();
    let author = |index: u8| ReplicaId::new(index).unwrap();
    let id = |round: u64, index: u8, twin: u8| VertexRef {
        round,
        author: author(index),
        digest: Digest([twin; 32]),
    };
    let mut world = World::new(committee);
    let links = |round: u64, twin: u8, correct: [u8; 3]| {
        let mut links = vec![id(round, 1, twin), id(round, 2, twin)];
        links.extend(correct.map(|index| id(round, index, 0)));
        links
    };
    for index in [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 4, 5, 6, 7] {
        let genesis = world.rounds[0].clone();
        world.make(1, author(index), genesis);
    }
    for (index, more, twin) in [(3, 5, 0), (4, 5, 1), (5, 6, 2), (6, 6, 3), (7, 7, 4)] {
        world.make(2, author(index), links(1, twin, [3, 4, more]));
    }
    for byzantine in [1, 2] {
        for more in [5, 6, 7] {
            world.make(2, author(byzantine), links(1, more - 5, [3, 4, more]));
        }
    }
    for (index, correct, twin) in [(3, [5, 6, 7], 1), (4, [3, 4, 7], 2), (5, [3, 4, 5], 0)] {
        world.make(3, author(index), links(2, twin, correct));
    }
    for byzantine in [1, 2] {
        world.make(3, author(byzantine), links(2, 0, [3, 4, 5]));
    }
    for index in 1..=5 {
        world.make(4, author(index), links(3, 0, [3, 4, 5]));
    }
    world.make(5, author(3), links(4, 0, [3, 4, 5]));
    assert_eq!((settled_at_least(committee), world.outcome().0), (2, 2));
}

/// A first leader that is committed directly decides all of the round five below, which then anchors the next five below.
#[test]
fn a_committed_first_leader_decides_every_fifth_round_below_it() {
    const LAST: u64 = 36;
    for (n, worlds) in [(4, 400), (7, 100)] {
        let committee = Committee::new(n).unwrap();
        let (mut by_anchor, mut closed) = (0, 0);
        for seed in 0..worlds {
            let mut random = Random::new(seed);
            let world = World::random(committee, LAST, &mut random);
            let mut rule = Rule::new(committee);
            world.parents.iter().for_each(|(id, parents)| rule.observe(*id, parents.clone()));
            rule.decide();
            let mut good = BTreeSet::new();
            let mut whole = BTreeSet::new();
            for round in 1..=LAST - CERTIFY {
                let slots = &rule.rounds[&round].slots;
                let mut order: Vec<ReplicaId> = committee.members().collect();
                order.rotate_left(random.below(n.into()) as usize);
                if slots[order[0].slot()].decided.is_some_and(|decided| decided.commit.is_some()) {
                    good.insert(round);
                }
                if slots.iter().all(|slot| slot.decided.is_some()) {
                    whole.insert(round);
                }
                rule.tossed(round, order);
            }
            let anchored = |round: u64| (round + ANCHOR..=LAST).step_by(5).any(|above| good.contains(&above));
            let claimed = (1..=LAST).take_while(|round| whole.contains(round) || anchored(*round)).last();
            rule.advance();
            let closes = claimed.unwrap_or(0);
            assert!(rule.next() > closes, "n {n} seed {seed}: {closes} rounds should close");
            by_anchor += (1..=closes).filter(|round| !whole.contains(round)).count();
            closed += closes;
        }
        println!("n {n}: {closed} rounds close as claimed, {by_anchor} of them by anchors");
        assert!(by_anchor > 100);
    }
}

/// R(n, t, ε) for all t replicas Byzantine, and for none.
fn rounds_until_delivered(n: usize, faulty: bool, epsilon: f64) -> u64 {
    let t = (n - 1) / 3;
    let m = n - t - if faulty { t } else { 0 };
    let settled = (m * m - t * t).div_ceil(m);
    let miss = 1.0 - settled as f64 / n as f64;
    let fives = if miss > 0.0 { ((5.0 / epsilon).ln() / -miss.ln()).ceil() as u64 } else { 0 };
    5 * fives + 5
}

#[test]
fn the_manuals_numbers_are_the_formulas() {
    let manual = include_str!("../../manual/liveness.md");
    for n in [4, 5, 6, 7, 10, 13] {
        let t = (n - 1) / 3;
        let settled = settled_at_least(Committee::new(n as u8).unwrap());
        let rounds = |faulty, epsilon| rounds_until_delivered(n, faulty, epsilon);
        let row = format!(
            "| {n} | {t} | {} | {settled} | {} | {} | {} |",
            n - 2 * t,
            rounds(true, 1e-3),
            rounds(true, 1e-9),
            rounds(false, 1e-9)
        );
        assert!(manual.contains(&row), "the manual lacks {row}");
    }
}
