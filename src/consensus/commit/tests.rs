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

impl World {
    /// t authors equivocate, up to three vertices a round; every vertex links q to n authors. In most worlds the scheduler
    /// picks a leader every four rounds, and half of the vertices avoid what reaches it where they can: so it gets
    /// votes and blames both.
    fn random(n: u8, rounds: u64, random: &mut Random) -> Self {
        let committee = Committee::new(n).unwrap();
        let mut world = Self { committee, rounds: vec![], parents: BTreeMap::new(), leaders: vec![] };
        let genesis = committee.members().map(|author| VertexRef { round: 0, author, digest: Digest::default() });
        world.rounds.push(genesis.collect());
        world.leaders.push(vec![]);
        let full = random.below(100);
        let aims = random.chance(75);
        let mut tainted: BTreeSet<VertexRef> = BTreeSet::new();
        for round in 1..=rounds {
            let mut made = Vec::new();
            for author in committee.members() {
                let byzantine = author.slot() < committee.faults();
                let count = if byzantine { random.below(4) } else { 1 };
                for _ in 0..count {
                    let mut digest = Digest::default();
                    random.fill(&mut digest.0);
                    let id = VertexRef { round, author, digest };
                    let parents = world.choose_parents(round, full, &tainted, random);
                    if parents.iter().any(|parent| tainted.contains(parent)) {
                        tainted.insert(id);
                    }
                    world.parents.insert(id, parents);
                    made.push(id);
                }
            }
            if aims && round % 4 == 1 {
                tainted = BTreeSet::from([made[random.below(made.len() as u64) as usize]]);
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

    fn choose_parents(&self, round: u64, full: u64, tainted: &BTreeSet<VertexRef>, random: &mut Random) -> Vec<VertexRef> {
        let avoids = random.chance(50);
        let wanted = |id: &VertexRef| tainted.contains(id) != avoids;
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
            let unwanted = parents.iter().position(|id| !tainted.is_empty() && !wanted(id));
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

/// What the rule closes, with the vertices given in a random order that respects ancestry.
fn closed(view: &View, mutant: Option<Mutant>, random: &mut Random) -> Vec<(u64, Vec<VertexRef>)> {
    let mut rule = Rule::new(view.committee);
    rule.mutant = mutant;
    let mut waiting: Vec<VertexRef> = view.parents.keys().copied().collect();
    let mut taken: BTreeSet<VertexRef> = BTreeSet::new();
    let mut coins = view.coins.clone();
    let mut result = Vec::new();
    while !waiting.is_empty() || !coins.is_empty() {
        let window = waiting.len().min(9) as u64;
        if window > 0 {
            let at = random.below(window) as usize;
            let ready = view.parents[&waiting[at]].iter().all(|parent| parent.round == 0 || taken.contains(parent));
            if ready {
                let id = waiting.remove(at);
                taken.insert(id);
                rule.observe(id, view.parents[&id].clone());
            }
        }
        if waiting.is_empty() || random.chance(30) {
            if let Some((round, leaders)) = coins.pop_first() {
                rule.tossed(round, leaders);
            }
        }
        if random.chance(50) {
            result.extend(rule.advance());
        }
    }
    result.extend(rule.advance());
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
    for seed in 0..15_000 {
        assert!(views_agree(4, seed, None, seed % 8 == 0), "n 4 seed {seed}");
    }
    for seed in 0..1_200 {
        assert!(views_agree(7, seed, None, seed % 12 == 0), "n 7 seed {seed}");
    }
    for seed in 0..600 {
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
    let vertex = |round: u64, author: ReplicaId| VertexRef { round, author, digest: Digest([round as u8; 32]) };
    for round in 1..200u64 {
        for author in committee.members() {
            rule.observe(vertex(round, author), committee.members().map(|parent| vertex(round - 1, parent)).collect());
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
