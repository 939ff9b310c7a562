//! Small-scope exhaustion of the rule: n = 4 (r1 to r4), one of which equivocates.
//!
//! *What.* A correct author makes no vertex or one a round, the equivocator none, one or two; every vertex links any
//! three or four authors' (no other constraint: more DAGs than correct authors make). The order is a prefix of that of
//! every larger DAG, hence any two parts of one DAG agree, both being parts of their union.
//!
//! *All DAGs of five rounds, and of six with an anchor in the sixth*: [`table`] holds what the rule decides of round 1, all
//! four slots at once, for one DAG of each class, and compares each with all that have one vertex more. Why a class is
//! enough:
//! 1. Of rounds 2 to 4, the rule keeps what each vertex reaches first. A layer below the votes therefore matters by the
//!    set of values that it offers the next; where one set holds another, so do the layers above. Rounds 1 to 3 are
//!    enumerated by what they offer, and the greatest sets are kept: one concrete DAG for each.
//! 2. Votes and certificates are counted by author, whoever it is: rounds 4 and 5 up to the order of the correct
//!    authors, and of the twins; everybody may be absent. A vertex has one parent of an author, so digests order nothing.
//! 3. An anchor matters by the certificates it reaches. One of the sixth round reaches those of three or four authors'
//!    vertices of the fifth; a later one, those of some of the sixth, so slot by slot nothing else, as no two vertices of
//!    a slot are certified in one DAG, which the table shows too. It is made to commit by a [`crown`] on top.
//! 4. A pair of DAGs that differ by more vertices is a chain of pairs that differ by one which nobody links. In rounds 1
//!    to 3 such a one changes nothing.
//!
//! That classes are complete and decide alike is tried on random DAGs. The search order is part of it: the equivocator
//! stands in each of the four slots.
//!
//! *Ten rounds, and fifteen*: which slot is the anchor. For each pair of outcomes that a vertex more, or an anchor,
//! leads to, all 24 coins, and each set of the leaders of round 6 reaching the one certificate of a slot of round 1 that
//! is not decided otherwise. Argued, not enumerated: the rule knows rounds by their distances only; so what holds of round
//! 1 holds of each, from the highest round down.

mod shapes;
mod table;

use super::super::tests::sim::Random;
use super::*;
use shapes::*;
use table::*;

/// Two DAGs of which the second has more vertices.
struct Growth {
    place: Place,
    smaller: Vertices,
    larger: Vertices,
}

/// One pair of DAGs for each pair of different outcomes.
fn growths(table: &Table) -> BTreeMap<(Outcome, Outcome), Growth> {
    let mut found = BTreeMap::new();
    for (four, votes) in &table.votes {
        for (five, small) in &votes.direct {
            let place = table.stems[votes.stem].place;
            let build = || table.build(votes.stem, four, five);
            for (more, entry, value) in more(five, votes.options.keys().copied()) {
                found.entry((*small, votes.direct[&more])).or_insert_with(|| {
                    let (smaller, options) = build();
                    let added = (place.id(5, entry), options[&value].clone());
                    Growth { place, larger: [&smaller[..], &[added]].concat(), smaller }
                });
            }
            for (reached, parents) in anchors(place, five) {
                found.entry((*small, votes.anchored[&(*five, reached)])).or_insert_with(|| {
                    let (smaller, _) = build();
                    Growth { place, larger: [&smaller[..], &crown(place, 6, &parents)].concat(), smaller }
                });
            }
            for (more, entry, value) in more(four, PRESENT..=Value::MAX) {
                let Some(larger) = table.votes.get(&more) else { continue };
                found.entry((*small, larger.direct[five])).or_insert_with(|| {
                    let stem = &table.stems[larger.stem];
                    let (smaller, _) = table.build(larger.stem, four, five);
                    let added = (stem.place.id(4, entry), stem.options[&value].clone());
                    Growth { place: stem.place, larger: [&smaller[..], &[added]].concat(), smaller }
                });
            }
        }
    }
    found.retain(|(small, large), _| small != large);
    found
}

fn more(shape: &Shape, values: impl Iterator<Item = Value>) -> impl Iterator<Item = (Shape, usize, Value)> {
    values.flat_map(move |value| grown(shape, value).map(move |(more, entry)| (more, entry, value)))
}

/// Five rounds in which only an anchor decides the first correct author's slot of round 1, and only its own vertex of
/// round 5 certifies it: what links it, and what does not.
fn base(place: Place) -> (Vertices, [Vec<VertexRef>; 2]) {
    let pick = |round: u64, entries: [usize; 3]| {
        let mut parents = entries.map(|entry| place.id(round, entry)).to_vec();
        parents.sort_unstable();
        parents
    };
    let (with, without) = ([0, 1, 2], [1, 2, 3]);
    let mut vertices: Vertices = (0..4).map(|entry| (place.id(1, entry), vec![])).collect();
    for round in 2..=3 {
        let links = |entry: usize| pick(round - 1, if entry == 0 { with } else { without });
        vertices.extend((0..4).map(|entry| (place.id(round, entry), links(entry))));
    }
    vertices
        .extend((0..4).map(|entry| (place.id(4, entry), pick(3, if entry == 3 { without } else { with }))));
    let certify = |entry: usize| pick(4, if entry == 0 { with } else { without });
    vertices.extend((0..4).map(|entry| (place.id(5, entry), certify(entry))));
    (vertices, [pick(5, without), pick(5, with)])
}

/// On a base, a DAG of which each vertex of the first round reaches the certificate if its bit is set.
fn raised(dag: &Vertices, base: &Vertices, links: &[Vec<VertexRef>; 2], reaching: usize) -> Vertices {
    let up = |id: &VertexRef| VertexRef { round: id.round + 5, ..*id };
    let mut vertices = base.clone();
    for (at, (id, parents)) in dag.iter().enumerate() {
        let below = links[reaching >> at & 1].clone();
        vertices.push((up(id), if id.round == 1 { below } else { parents.iter().map(up).collect() }));
    }
    vertices
}

fn orders() -> Vec<Vec<ReplicaId>> {
    let authors: Vec<ReplicaId> = Committee::new(4).unwrap().members().collect();
    let mut orders: Vec<Vec<ReplicaId>> = vec![vec![]];
    for _ in 0..4 {
        let extend = |order: Vec<ReplicaId>| {
            let left: Vec<_> = authors.iter().filter(|author| !order.contains(author)).copied().collect();
            left.into_iter().map(move |author| [&order[..], &[author]].concat())
        };
        orders = orders.into_iter().flat_map(extend).collect();
    }
    orders
}

/// How many DAGs of ten and fifteen rounds were compared, or the pair that contradicts.
fn anchors_agree(
    growths: &BTreeMap<(Outcome, Outcome), Growth>,
    mutant: Option<Mutant>,
) -> Result<u64, String> {
    let mut runs = 0;
    for (outcomes, growth) in growths {
        let place = growth.place;
        let (base, links) = base(place);
        for reaching in 0..32 {
            let dags = [&growth.smaller, &growth.larger].map(|dag| raised(dag, &base, &links, reaching));
            for coin in orders() {
                let [smaller, larger] = dags.each_ref().map(|dag| {
                    let mut rule = observed(dag, &coin, mutant);
                    outcome(&mut rule, 1, place)
                });
                runs += 2;
                assert_eq!(smaller[1..], [2, 2, 2], "the rest is decided directly");
                if !extends(&larger, &smaller) {
                    return Err(format!(
                        "{outcomes:?} reaching {reaching:b} {coin:?}: {smaller:?} {larger:?}"
                    ));
                }
            }
        }
    }
    Ok(runs)
}

/// A DAG with everything at random, and what of it the table knows: its fourth and fifth round, and an anchor.
fn random(place: Place, random: &mut Random) -> (Vertices, Vertices, Shape, Shape, Value) {
    let mut vertices: Vertices = Vec::new();
    let mut layers: Vec<Shape> = Vec::new();
    for round in 1..=5 {
        let below = layers.last().copied();
        let mut layer = leaders(false);
        for (entry, value) in layer.iter_mut().enumerate() {
            let sets = below.map(|below| place.parent_sets(&below)).unwrap_or_default();
            if random.chance(8) || round > 1 && sets.is_empty() {
                *value = 0;
                continue;
            }
            let parents =
                if round == 1 { vec![] } else { sets[random.below(sets.len() as u64) as usize].clone() };
            *value = below.map_or(*value, |below| inherit(&below, &parents));
            let parents = parents.into_iter().map(|entry| place.id(round - 1, entry)).collect();
            vertices.push((place.id(round, entry), parents));
        }
        layers.push(layer);
    }
    let rule = observed(&vertices, &[], None);
    for (entry, certified) in layers[4].iter_mut().enumerate().filter(|(_, value)| **value != 0) {
        *certified = value(place, &rule.nodes[&place.id(5, entry)].certifies);
    }
    let anchors: Vec<(Value, Vec<VertexRef>)> = anchors(place, &layers[4]).into_iter().collect();
    let anchor = anchors.get(random.below(anchors.len().max(1) as u64) as usize);
    let crown = anchor.map_or(vec![], |(_, parents)| crown(place, 6, parents));
    let reached = anchor.map_or(0, |(reached, _)| *reached);
    for layer in &mut layers {
        layer[..3].sort_unstable();
        layer[3..].sort_unstable();
    }
    (vertices, crown, layers[3], layers[4], reached)
}

#[test]
fn every_dag_of_five_rounds_and_anchor_extends_the_order_of_every_smaller_one() {
    let table = Table::fill(None).unwrap();
    let count = |of: fn(&Votes) -> usize| table.votes.values().map(of).sum::<usize>();
    let (direct, anchored) = (count(|votes| votes.direct.len()), count(|votes| votes.anchored.len()));
    println!(
        "{} classes of four rounds, {direct} of five, {anchored} with an anchor, for {:.2e} DAGs of five rounds; {} runs, \
         {} pairs",
        table.votes.len(),
        all_dags(5),
        table.runs,
        table.pairs,
    );
    let growths = growths(&table);
    let started = growths.len();
    let runs = anchors_agree(&growths, None).unwrap();
    println!("{started} pairs of outcomes: {runs} DAGs of ten to fifteen rounds");
    assert!(anchors_agree(&growths, Some(Mutant::PassUndecided)).is_err(), "not caught");

    for seed in 0..20_000 {
        let chance = &mut Random::new(seed);
        let place = Place(chance.below(4) as usize);
        let (five, crown, votes, certificates, reached) = random(place, chance);
        let coin: Vec<ReplicaId> = Committee::new(4).unwrap().members().collect();
        let votes = votes_of(&table, &votes, seed);
        let decided = outcome(&mut observed(&five, &coin, None), 1, place);
        assert_eq!(decided, votes.direct[&certificates], "seed {seed}");
        if !crown.is_empty() {
            let vertices = [&five[..], &crown].concat();
            let decided = outcome(&mut observed(&vertices, &coin, None), 1, place);
            assert_eq!(decided, votes.anchored[&(certificates, reached)], "seed {seed}");
        }
    }
}

fn votes_of<'a>(table: &'a Table, four: &Shape, seed: u64) -> &'a Votes {
    table.votes.get(four).unwrap_or_else(|| panic!("seed {seed}: no class holds {four:x?}"))
}

#[test]
fn the_exhaustion_finds_the_other_mutants() {
    for mutant in
        [Mutant::FewBlames, Mutant::FewVotes, Mutant::FewCertificates, Mutant::EarlyAnchor, Mutant::AnyVote]
    {
        let found = Table::fill(Some(mutant)).err();
        println!("{mutant:?}: {found:x?}");
        assert!(found.is_some(), "{mutant:?} not caught");
    }
}
