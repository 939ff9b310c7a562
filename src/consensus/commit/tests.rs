//! Random DAGs with equivocators, seen through views of different size: whatever two views close agrees.

use super::super::tests::sim::Random;
use super::reference::View;
use super::*;

/// A whole DAG; views are parts of it that hold all ancestors.
struct World {
    committee: Committee,
    rounds: Vec<Vec<VertexRef>>,
    parents: BTreeMap<VertexRef, Vec<VertexRef>>,
    leaders: Vec<Vec<ReplicaId>>,
}

/// What reaches one vertex, and what reaches its twin if it has one.
#[derive(Default)]
struct Aim {
    reach: [BTreeSet<VertexRef>; 2],
    twins: bool,
    round: u64,
    carrier: Option<ReplicaId>,
}

impl Aim {
    fn at(target: VertexRef, twins: &[VertexRef], at_twins: bool) -> Self {
        let twin = twins.iter().copied().find(|id| at_twins && id.author == target.author && *id != target);
        let reach = [BTreeSet::from([target]), twin.into_iter().collect()];
        Self { reach, twins: twin.is_some(), round: target.round, carrier: None }
    }

    /// Which of the two a new vertex aims at.
    fn side(&self, id: &VertexRef, random: &mut Random) -> usize {
        if self.twins || id.round > self.round + 2 || random.chance(10) {
            return random.below(2) as usize;
        }
        usize::from(Some(id.author) != self.carrier)
    }

    fn note(&mut self, id: VertexRef, parents: &[VertexRef]) {
        for reach in &mut self.reach {
            if parents.iter().any(|parent| reach.contains(parent)) {
                reach.insert(id);
            }
        }
    }

    fn wants(&self, id: &VertexRef, side: usize) -> bool {
        if self.twins { self.reach[side].contains(id) } else { self.reach[0].contains(id) == (side == 0) }
    }
}

impl World {
    /// t authors equivocate, up to three vertices a round; every vertex links q to n authors. In most worlds the scheduler
    /// picks a leader every four rounds, lets one author carry it for two, and then half of the vertices avoid what
    /// reaches it where they can: so it gets votes and blames both. In half of these worlds it is an equivocator's vertex, and either half of the later
    /// ones aims at one of the twins.
    fn random(n: u8, rounds: u64, random: &mut Random) -> Self {
        let committee = Committee::new(n).unwrap();
        let mut world = Self { committee, rounds: vec![], parents: BTreeMap::new(), leaders: vec![] };
        let genesis =
            committee.members().map(|author| VertexRef { round: 0, author, digest: Digest::default() });
        world.rounds.push(genesis.collect());
        world.leaders.push(vec![]);
        let full = random.below(100);
        let (aims, at_twins) = (random.chance(80), random.chance(50));
        let mut aim = Aim::default();
        for round in 1..=rounds {
            let mut made = Vec::new();
            for author in committee.members() {
                let byzantine = author.slot() < committee.faults();
                let count = if byzantine { random.below(4) } else { 1 };
                for _ in 0..count {
                    let mut digest = Digest::default();
                    random.fill(&mut digest.0);
                    let id = VertexRef { round, author, digest };
                    let parents = world.choose_parents(round, full, &aim, aim.side(&id, random), random);
                    aim.note(id, &parents);
                    world.parents.insert(id, parents);
                    made.push(id);
                }
            }
            if aims && round % 4 == 1 {
                let twin =
                    |id: &&VertexRef| made.iter().any(|other| other.author == id.author && other != *id);
                let twins: Vec<VertexRef> = made.iter().filter(twin).copied().collect();
                let targets = if at_twins && !twins.is_empty() { &twins } else { &made };
                aim = Aim::at(targets[random.below(targets.len() as u64) as usize], &twins, at_twins);
                aim.carrier = committee.members().nth(random.below(n.into()) as usize);
            }
            world.rounds.push(made);
            let mut order: Vec<ReplicaId> = committee.members().collect();
            for last in (1..order.len()).rev() {
                order.swap(last, random.below(last as u64 + 1) as usize);
            }
            world.leaders.push(order);
        }
        world
    }

    fn choose_parents(
        &self,
        round: u64,
        full: u64,
        aim: &Aim,
        side: usize,
        random: &mut Random,
    ) -> Vec<VertexRef> {
        let wanted = |id: &VertexRef| aim.wants(id, side);
        let mut parents: Vec<VertexRef> = Vec::new();
        for author in self.committee.members() {
            let all = self.rounds[round as usize - 1].iter().filter(|id| id.author == author);
            let (good, bad): (Vec<VertexRef>, Vec<VertexRef>) = all.partition(|id| wanted(id));
            let from = if good.is_empty() || random.chance(10) { [good, bad].concat() } else { good };
            if !from.is_empty() {
                parents.push(from[random.below(from.len() as u64) as usize]);
            }
        }
        while parents.len() > self.committee.quorum() && !random.chance(full) {
            let unwanted = parents.iter().position(|id| !wanted(id));
            let any = random.below(parents.len() as u64) as usize;
            parents.remove(unwanted.unwrap_or(any));
        }
        parents
    }

    /// What a replica may hold: the histories of some vertices of the last rounds.
    fn view(&self, random: &mut Random) -> View {
        let last = self.rounds.len() as u64 - 1 - random.below(self.rounds.len() as u64 / 2);
        let mut parents = BTreeMap::new();
        let mut stack: Vec<VertexRef> = Vec::new();
        for round in [last, last - 1, last - 2, last - 3] {
            stack.extend(self.rounds[round as usize].iter().filter(|_| random.chance(45)));
        }
        while let Some(id) = stack.pop() {
            if id.round > 0 && !parents.contains_key(&id) {
                parents.insert(id, self.parents[&id].clone());
                stack.extend(&self.parents[&id]);
            }
        }
        let mut view = View { committee: self.committee, parents, coins: BTreeMap::new() };
        for round in 1..=last.saturating_sub(4) {
            let authors: BTreeSet<ReplicaId> =
                view.parents.keys().filter(|id| id.round == round + 4).map(|id| id.author).collect();
            if authors.len() >= self.committee.one_correct() {
                view.coins.insert(round, self.leaders[round as usize].clone());
            }
        }
        view
    }
}

/// What the rule closes when it looks after each vertex, the vertices coming in a random order that respects ancestry
/// and keeps one author's back, the coins as soon as t + 1 authors of the fourth round after are there.
fn closed(view: &View, mutant: Option<Mutant>, random: &mut Random) -> Vec<(u64, Vec<VertexRef>)> {
    let mut rule = Rule::new(view.committee);
    rule.mutant = mutant;
    let delayed = view.committee.members().nth(random.below(view.committee.n() as u64) as usize);
    let spread = 1 + random.below(40);
    let mut waiting: Vec<VertexRef> = view.parents.keys().copied().collect();
    let mut authors: BTreeMap<u64, BTreeSet<ReplicaId>> = BTreeMap::new();
    let mut taken: BTreeSet<VertexRef> = BTreeSet::new();
    let mut result = Vec::new();
    while !waiting.is_empty() {
        let ready = |id: &VertexRef| {
            view.parents[id].iter().all(|parent| parent.round == 0 || taken.contains(parent))
        };
        let prompt = |id: &VertexRef| ready(id) && Some(id.author) != delayed;
        let candidates: Vec<usize> = (0..waiting.len()).filter(|at| prompt(&waiting[*at])).collect();
        let at = match candidates.len() as u64 {
            0 => waiting.iter().position(ready).expect("the lowest is ready"),
            some => candidates[random.below(some.min(spread)) as usize],
        };
        let id = waiting.remove(at);
        taken.insert(id);
        rule.observe(id, view.parents[&id].clone());
        let there = authors.entry(id.round).or_default();
        if there.insert(id.author) && there.len() == view.committee.one_correct() && id.round > CERTIFY {
            rule.tossed(id.round - CERTIFY, view.coins[&(id.round - CERTIFY)].clone());
        }
        result.extend(rule.advance());
    }
    result.into_iter().map(|closed| (closed.round, closed.leaders)).collect()
}

/// Whether the views of one random DAG agree.
fn views_agree(n: u8, seed: u64, mutant: Option<Mutant>, check_reference: bool) -> bool {
    let mut random = Random::new(seed);
    let rounds = 12 + random.below(8);
    let world = World::random(n, rounds, &mut random);
    let views: Vec<View> = (0..4).map(|_| world.view(&mut random)).collect();
    let results: Vec<_> = views.iter().map(|view| closed(view, mutant, &mut random)).collect();
    if check_reference {
        for (view, result) in views.iter().zip(&results) {
            assert_eq!(result, &view.closed(), "n {n} seed {seed}: the rule differs from its text");
        }
    }
    results.iter().all(|a| results.iter().all(|b| a.iter().zip(b).all(|(a, b)| a == b)))
}

#[test]
fn views_of_a_dag_with_equivocators_agree_and_the_rule_is_its_text() {
    // `tests/run quick` tries a tenth.
    let part = if std::env::var("CONCLAVE_TESTS").is_ok_and(|v| v == "quick") { 10 } else { 1 };
    for seed in 0..15_000 / part {
        assert!(views_agree(4, seed, None, seed % 8 == 0), "n 4 seed {seed}");
    }
    for seed in 0..1_200 / part {
        assert!(views_agree(7, seed, None, seed % 12 == 0), "n 7 seed {seed}");
    }
    for seed in 0..600 / part {
        assert!(views_agree(5, seed, None, seed % 12 == 0), "n 5 seed {seed}");
    }
}

#[test]
fn every_planted_mutant_of_the_rule_is_caught() {
    for mutant in [
        Mutant::FewBlames,
        Mutant::FewVotes,
        Mutant::FewCertificates,
        Mutant::PassUndecided,
        Mutant::EarlyAnchor,
        Mutant::AnyVote,
    ] {
        let caught = (0..15_000).find(|seed| !views_agree(4, *seed, Some(mutant), false));
        println!("{mutant:?}: caught at seed {caught:?}");
        assert!(caught.is_some(), "{mutant:?} not caught");
    }
}

/// r4 equivocates in round 1. r1 and r2 reach both twins in round 4, r3 and one vertex of r4 one each; its certificates of
/// round 5 are of either kind; all of round 6 links one certificate for the first twin after one for the second.
struct Twins {
    parents: BTreeMap<VertexRef, Vec<VertexRef>>,
}

impl Twins {
    fn new() -> Self {
        let mut twins = Self { parents: BTreeMap::new() };
        for author in 1..=3 {
            twins.vertex(1, author, 0, &[(1, 0), (2, 0), (3, 0), (4, 0)]);
            twins.vertex(2, author, 0, &[(1, 0), (2, 0), if author == 2 { (4, 1) } else { (3, 0) }]);
        }
        twins.vertex(1, 4, 1, &[(1, 0), (2, 0), (3, 0)]);
        twins.vertex(1, 4, 2, &[(1, 0), (2, 0), (3, 0)]);
        twins.vertex(2, 4, 0, &[(1, 0), (2, 0), (3, 0)]);
        twins.vertex(2, 4, 2, &[(1, 0), (2, 0), (4, 2)]);
        twins.vertex(3, 1, 0, &[(1, 0), (3, 0), (4, 0)]);
        twins.vertex(3, 2, 0, &[(1, 0), (2, 0), (3, 0)]);
        twins.vertex(3, 3, 0, &[(1, 0), (3, 0), (4, 0)]);
        twins.vertex(3, 4, 2, &[(1, 0), (3, 0), (4, 2)]);
        twins.vertex(4, 1, 0, &[(1, 0), (2, 0), (4, 2)]);
        twins.vertex(4, 2, 0, &[(1, 0), (2, 0), (4, 2)]);
        twins.vertex(4, 3, 0, &[(1, 0), (2, 0), (3, 0)]);
        twins.vertex(4, 4, 2, &[(1, 0), (3, 0), (4, 2)]);
        for (author, twin) in [(1, 0), (2, 2), (3, 0), (4, 0), (4, 2)] {
            let third = if twin == 0 { (3, 0) } else { (4, 2) };
            twins.vertex(5, author, if author == 4 { twin } else { 0 }, &[(1, 0), (2, 0), third]);
        }
        for author in 1..=4 {
            twins.vertex(6, author, 0, &[(2, 0), (3, 0), (4, 2)]);
        }
        for round in 7..=12 {
            for author in 1..=4 {
                twins.vertex(round, author, 0, &[(1, 0), (2, 0), (3, 0), (4, 0)]);
            }
        }
        twins
    }

    fn id(round: u64, author: u8, twin: u8) -> VertexRef {
        VertexRef { round, author: ReplicaId::new(author).unwrap(), digest: Digest([twin; 32]) }
    }

    fn vertex(&mut self, round: u64, author: u8, twin: u8, parents: &[(u8, u8)]) {
        let parents = parents.iter().map(|(author, twin)| Self::id(round - 1, *author, *twin)).collect();
        self.parents.insert(Self::id(round, author, twin), parents);
    }

    /// What round 1 closes with, for who never sees the vertices that `without` names.
    fn round_one(&self, mutant: Option<Mutant>, without: impl Fn(&VertexRef) -> bool) -> Vec<VertexRef> {
        let committee = Committee::new(4).unwrap();
        let mut rule = Rule::new(committee);
        rule.mutant = mutant;
        (1..9).for_each(|round| rule.tossed(round, committee.members().collect()));
        for (id, parents) in self.parents.iter().filter(|(id, _)| !without(id)) {
            rule.observe(*id, parents.clone());
        }
        rule.advance().remove(0).leaders
    }
}

#[test]
fn a_vertex_votes_for_one_twin_only_and_the_mutant_that_votes_for_both_is_caught() {
    let twins = Twins::new();
    let early = |id: &VertexRef| id.round > 5 || *id == Twins::id(5, 2, 0) || *id == Twins::id(5, 4, 2);
    let late = |id: &VertexRef| *id == Twins::id(5, 4, 0);
    assert_eq!(twins.round_one(None, early), twins.round_one(None, late));
    let mutant = Some(Mutant::AnyVote);
    assert_ne!(twins.round_one(mutant, early), twins.round_one(mutant, late));
}

#[test]
fn decisions_of_all_kinds_occur() {
    let (mut committed, mut skipped) = (0, 0);
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let world = World::random(4, 16, &mut random);
        let view = world.view(&mut random);
        for (_, leaders) in closed(&view, None, &mut random) {
            committed += leaders.len();
            skipped += 4 - leaders.len();
        }
    }
    assert!(committed > 500 && skipped > 50, "{committed} committed, {skipped} skipped");
}

#[test]
fn a_synchronous_dag_commits_every_slot_four_rounds_later() {
    let committee = Committee::new(4).unwrap();
    let mut rule = Rule::new(committee);
    let vertex =
        |round: u64, author: ReplicaId| VertexRef { round, author, digest: Digest([round as u8; 32]) };
    for round in 1..200u64 {
        for author in committee.members() {
            rule.observe(
                vertex(round, author),
                committee.members().map(|parent| vertex(round - 1, parent)).collect(),
            );
        }
        if let Some(decided) = round.checked_sub(CERTIFY).filter(|round| *round > 0) {
            rule.tossed(decided, committee.members().collect());
            let closed = rule.advance();
            assert_eq!(closed.len(), 1);
            assert_eq!((closed[0].round, closed[0].leaders.len(), closed[0].evidence), (decided, 4, round));
            assert!(rule.nodes.len() <= 4 * 5, "what is decided is dropped");
        }
    }
}
