//! What the rule decides on each class of DAGs of five rounds, and of those with an anchor in the sixth.

use super::super::*;
use super::shapes::*;

/// Of the slots of a round, in the order of a [`Shape`]'s authors: 0 undecided, 1 skipped, 2 or 3 committed (of the
/// equivocator, its first or second vertex).
pub type Outcome = [u8; 4];

/// Three rounds that offer the vertices of the fourth a set of values that no other three rounds exceed.
pub struct Stem {
    pub place: Place,
    pub below: Vertices,
    pub options: Options,
}

/// A fourth round, and the rounds that stand on it.
pub struct Votes {
    pub stem: usize,
    /// What a vertex of the fifth may certify.
    pub options: Options,
    /// By the fifth round.
    pub direct: BTreeMap<Shape, Outcome>,
    /// By the fifth round, and the certificates that the anchor reaches.
    pub anchored: BTreeMap<(Shape, Value), Outcome>,
}

/// The classes.
pub struct Table {
    pub mutant: Option<Mutant>,
    pub stems: Vec<Stem>,
    pub votes: BTreeMap<Shape, Votes>,
    /// How often the rule ran.
    pub runs: u64,
    /// How many pairs of DAGs were compared.
    pub pairs: u64,
}

/// A larger DAG that decides a slot otherwise than a smaller one: the fourth and fifth round of the smaller, the larger's
/// other round, and the anchor.
pub type Contradiction = (Shape, Shape, Option<Shape>, Option<Value>);

/// Whether what the smaller DAG decided stands in the larger.
pub fn extends(larger: &Outcome, smaller: &Outcome) -> bool {
    larger.iter().zip(smaller).all(|(larger, smaller)| *smaller == 0 || larger == smaller)
}

impl Table {
    /// Fills the table for a rule, and looks for contradictions.
    pub fn fill(mutant: Option<Mutant>) -> Result<Self, Contradiction> {
        // Only this mutant tells twins that are not the first hit.
        let fine = mutant == Some(Mutant::AnyVote);
        let stems = (0..4).flat_map(|slot| stems(Place(slot), fine)).collect();
        let mut table = Self { mutant, stems, votes: BTreeMap::new(), runs: 0, pairs: 0 };
        for stem in 0..table.stems.len() {
            for four in sorted(&values(&table.stems[stem].options)) {
                if !table.votes.contains_key(&four) {
                    let votes = table.votes_on(stem, &four);
                    table.pairs += compare_certificates(&four, &votes)?;
                    table.votes.insert(four, votes);
                }
            }
        }
        table.pairs += table.compare_votes()?;
        Ok(table)
    }

    fn votes_on(&mut self, at: usize, four: &Shape) -> Votes {
        let place = self.stems[at].place;
        let below = self.with_votes(at, four);
        let options = self.certificates(place, four, &below);
        let (mut direct, mut anchored) = (BTreeMap::new(), BTreeMap::new());
        let mut run = |vertices: &[_]| {
            let mut coin: Vec<ReplicaId> = (0..4).map(|entry| place.author(entry)).collect();
            coin.rotate_left((self.runs % 4) as usize);
            self.runs += 1;
            outcome(&mut observed(vertices, &coin, self.mutant), 1, place)
        };
        for five in sorted(&values(&options)) {
            let vertices = [&below[..], &place.layer(5, &five, &options)].concat();
            direct.insert(five, run(&vertices));
            for (reached, parents) in anchors(place, &five) {
                let unique = reached & TWINS != TWINS;
                assert!(unique || self.mutant.is_some(), "both twins are certified: {four:x?} {five:x?}");
                let decided = run(&[&vertices[..], &crown(place, 6, &parents)].concat());
                assert!(!decided.contains(&0), "an anchor decides all of {four:x?} {five:x?}");
                anchored.insert((five, reached), decided);
            }
        }
        Votes { stem: at, options, direct, anchored }
    }

    /// Four rounds: a stem and a layer on it.
    fn with_votes(&self, at: usize, four: &Shape) -> Vertices {
        let stem = &self.stems[at];
        [&stem.below[..], &stem.place.layer(4, four, &stem.options)].concat()
    }

    /// What a vertex on this fourth round may certify, as the rule itself says. It also says the votes.
    fn certificates(&self, place: Place, four: &Shape, below: &[(VertexRef, Vec<VertexRef>)]) -> Options {
        let mut rule = observed(below, &[], self.mutant);
        for entry in (0..5).filter(|entry| four[*entry] != 0) {
            let vote = value(place, &rule.nodes[&place.id(4, entry)].reached[VOTE as usize - 1]);
            assert_eq!(vote, four[entry] & !TWINS, "the vote is the first hit");
        }
        let mut options = Options::new();
        for (number, set) in place.parent_sets(four).iter().enumerate() {
            let probe = VertexRef { digest: Digest([number as u8; 32]), ..place.id(5, 0) };
            let parents: Vec<VertexRef> = set.iter().map(|entry| place.id(4, *entry)).collect();
            rule.observe(probe, parents.clone());
            options.entry(value(place, &rule.nodes[&probe].certifies)).or_insert(parents);
        }
        options
    }

    /// The DAGs of a stem, these votes on it, and these certificates on them; and what more of these there may be.
    pub fn build(&self, at: usize, four: &Shape, five: &Shape) -> (Vertices, Options) {
        let place = self.stems[at].place;
        let below = self.with_votes(at, four);
        let options = self.certificates(place, four, &below);
        ([&below[..], &place.layer(5, five, &options)].concat(), options)
    }

    /// A voter more, which nobody links: pairs compared.
    fn compare_votes(&self) -> Result<u64, Contradiction> {
        let mut pairs = 0;
        for (four, votes) in &self.votes {
            for (more, _) in (PRESENT..=Value::MAX).flat_map(|value| grown(four, value)) {
                let Some(larger) = self.votes.get(&more) else { continue };
                for (five, smaller) in &votes.direct {
                    ensure(&larger.direct[five], smaller, (*four, *five, Some(more), None))?;
                }
                for ((five, anchor), smaller) in &votes.anchored {
                    let case = (*four, *five, Some(more), Some(*anchor));
                    ensure(&larger.anchored[&(*five, *anchor)], smaller, case)?;
                }
                pairs += (votes.direct.len() + votes.anchored.len()) as u64;
            }
        }
        Ok(pairs)
    }
}

fn ensure(larger: &Outcome, smaller: &Outcome, case: Contradiction) -> Result<(), Contradiction> {
    if extends(larger, smaller) { Ok(()) } else { Err(case) }
}

/// A certifier more, which nobody links, or an anchor more: pairs compared.
fn compare_certificates(four: &Shape, votes: &Votes) -> Result<u64, Contradiction> {
    let mut pairs = 0;
    let more = |five| votes.options.keys().flat_map(move |value| grown(five, *value)).map(|(more, _)| more);
    for (five, smaller) in &votes.direct {
        for more in more(five) {
            ensure(&votes.direct[&more], smaller, (*four, *five, Some(more), None))?;
            pairs += 1;
        }
    }
    for ((five, anchor), smaller) in &votes.anchored {
        ensure(smaller, &votes.direct[five], (*four, *five, None, Some(*anchor)))?;
        pairs += 1;
        for more in more(five) {
            let case = (*four, *five, Some(more), Some(*anchor));
            ensure(&votes.anchored[&(more, *anchor)], smaller, case)?;
            pairs += 1;
        }
    }
    Ok(pairs)
}

pub fn values(options: &Options) -> Vec<Value> {
    options.keys().copied().collect()
}

/// All that a vertex above this layer may reach first.
fn options(place: Place, round: u64, shape: &Shape) -> Options {
    let mut options = Options::new();
    for set in place.parent_sets(shape) {
        let parents = || set.iter().map(|entry| place.id(round, *entry)).collect();
        options.entry(inherit(shape, &set)).or_insert_with(parents);
    }
    options
}

fn stems(place: Place, fine: bool) -> Vec<Stem> {
    let first = leaders(fine);
    let sets = place.parent_sets(&first);
    let offered = |shape: &Shape| {
        sets.iter().fold(0u128, |all, parents| all | 1 << (inherit(shape, parents) & !PRESENT))
    };
    let below = (0..5).map(|entry| (place.id(1, entry), vec![])).collect();
    let mut stems = vec![Stem { place, below, options: options(place, 1, &first) }];
    for round in 2..=3 {
        let mut found: BTreeMap<u128, (usize, Shape)> = BTreeMap::new();
        for (at, stem) in stems.iter().enumerate() {
            for shape in full(&values(&stem.options)) {
                found.entry(offered(&shape)).or_insert((at, shape));
            }
        }
        let greatest = |set: &u128| found.keys().all(|other| other == set || set & !other != 0);
        let grow = |(at, shape): &(usize, Shape)| {
            let layer = place.layer(round, shape, &stems[*at].options);
            let below = [&stems[*at].below[..], &layer].concat();
            Stem { place, below, options: options(place, round, shape) }
        };
        stems = found.iter().filter(|(set, _)| greatest(set)).map(|(_, stem)| grow(stem)).collect();
    }
    stems
}

/// The rule after it observed these vertices, the coins being this order.
pub fn observed(
    vertices: &[(VertexRef, Vec<VertexRef>)],
    coin: &[ReplicaId],
    mutant: Option<Mutant>,
) -> Rule {
    let mut rule = Rule::new(Committee::new(4).unwrap());
    rule.mutant = mutant;
    (1..=11).for_each(|round| rule.tossed(round, coin.to_vec()));
    vertices.iter().for_each(|(id, parents)| rule.observe(*id, parents.clone()));
    rule
}

/// What the rule decides of a round, all at once; what it closes is that, in the coin's order.
pub fn outcome(rule: &mut Rule, round: u64, place: Place) -> Outcome {
    let coin = rule.rounds[&round].leaders.clone().expect("tossed");
    let status = |commit: Option<Digest>| commit.map_or(1, |digest| 1 + digest.0[0]);
    let closed = rule.advance().into_iter().find(|closed| closed.round == round);
    let decided = |entry: usize| {
        let author = place.author(entry);
        match &closed {
            Some(closed) => status(closed.leaders.iter().find(|id| id.author == author).map(|id| id.digest)),
            None => {
                let decided = rule.rounds[&round].slots[author.slot()].decided;
                decided.map_or(0, |decided| status(decided.commit))
            }
        }
    };
    let outcome = [0, 1, 2, 3].map(decided);
    assert!(round != 1 || closed.is_some() != outcome.contains(&0), "a round closes when it is decided");
    if let Some(closed) = closed {
        let places = closed.leaders.iter().map(|id| coin.iter().position(|author| *author == id.author));
        assert!(places.is_sorted(), "{coin:?}: {closed:?}");
    }
    outcome
}

/// What the rule holds of a vertex, as a value.
pub fn value(place: Place, reached: &[Option<Digest>]) -> Value {
    let digest = |entry: usize| reached[place.author(entry).slot()].map_or(0, |digest| digest.0[0]);
    PRESENT | digest(0) | digest(1) << 1 | digest(2) << 2 | digest(3) << 3
}

/// The certificates that a vertex of the sixth round may reach, each with parents that give them: those of three or four
/// authors' vertices.
pub fn anchors(place: Place, five: &Shape) -> Options {
    let mut anchors = Options::new();
    for set in place.parent_sets(five) {
        let reached = set.iter().fold(PRESENT, |reached, entry| {
            let twin = [0, 1 << 5, 2 << 5, 0][usize::from(five[*entry] >> 3 & 3)];
            reached | five[*entry] & 0b111 | twin
        });
        anchors.entry(reached).or_insert_with(|| set.iter().map(|entry| place.id(5, *entry)).collect());
    }
    anchors
}

/// Five rounds of the three correct authors, the vertices of the first with these parents: any of them may be the
/// anchor, whichever the coin names.
pub fn crown(place: Place, first: u64, parents: &[VertexRef]) -> Vertices {
    let layer = |round: u64| (0..3).map(move |entry| place.id(round, entry));
    let above = |round: u64| if round == first { parents.to_vec() } else { layer(round - 1).collect() };
    (first..first + 5).flat_map(|round| layer(round).map(move |id| (id, above(round)))).collect()
}
