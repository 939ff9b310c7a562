//! Layers of a DAG of four replicas, one of which equivocates, by what the rule can tell apart.

use super::super::super::vertex::VertexRef;
use crate::codec::Digest;
use crate::quorum::ReplicaId;
use std::collections::BTreeMap;

/// What one vertex reaches of the leaders of one round: bits 0 to 2, those of the correct authors; bits 3 and 4, the
/// first twin of the equivocator (1 or 2); bits 5 and 6, its twins, where all that are reached count.
pub type Value = u8;

/// Set in every value, so that 0 is a vertex that is not there.
pub const PRESENT: Value = 0x80;
/// All twins that are reached.
pub const TWINS: Value = 0x60;

/// A layer: the values of the three correct authors' vertices, then of the equivocator's two.
pub type Shape = [Value; 5];

/// The values that a vertex above a layer may have, each with parents that give it.
pub type Options = BTreeMap<Value, Vec<VertexRef>>;

/// Vertices with their parents.
pub type Vertices = Vec<(VertexRef, Vec<VertexRef>)>;

/// The equivocator's slot: where it stands among the authors when a search goes through a vertex's parents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place(pub usize);

impl Place {
    /// The author of an entry of a shape.
    pub fn author(self, entry: usize) -> ReplicaId {
        let slot = match entry {
            0..3 => entry + usize::from(entry >= self.0),
            _ => self.0,
        };
        ReplicaId::new(slot as u8 + 1).expect("four replicas")
    }

    /// The vertex of an entry of a shape.
    pub fn id(self, round: u64, entry: usize) -> VertexRef {
        VertexRef { round, author: self.author(entry), digest: Digest([twin(entry); 32]) }
    }

    /// All that a vertex may have as parents: three or four authors', one vertex of each, in the authors' order.
    pub fn parent_sets(self, shape: &Shape) -> Vec<Vec<usize>> {
        let mut sets: Vec<Vec<usize>> = vec![vec![]];
        for slot in 0..4 {
            let entries = (0..5).filter(|entry| shape[*entry] != 0 && self.author(*entry).slot() == slot);
            let with: Vec<Vec<usize>> =
                entries.flat_map(|entry| sets.iter().map(move |set| [&set[..], &[entry]].concat())).collect();
            sets.extend(with);
        }
        sets.retain(|set| set.len() >= 3);
        sets
    }

    /// The vertices of a layer, each with the parents that give it its value.
    pub fn layer(self, round: u64, shape: &Shape, options: &Options) -> Vertices {
        let present = (0..5).filter(|entry| shape[*entry] != 0);
        present.map(|entry| (self.id(round, entry), options[&shape[entry]].clone())).collect()
    }
}

/// Which of the equivocator's vertices an entry is; 1 for the others.
fn twin(entry: usize) -> u8 {
    if entry == 4 { 2 } else { 1 }
}

/// The first round: every vertex is there, and reaches itself. `fine` values tell all twins that are reached.
pub fn leaders(fine: bool) -> Shape {
    let mask = |value: Value| PRESENT | if fine { value } else { value & !TWINS };
    [0b001, 0b010, 0b100, 1 << 3 | 1 << 5, 2 << 3 | 2 << 5].map(mask)
}

/// The value of a vertex with these parents, in the authors' order.
pub fn inherit(shape: &Shape, parents: &[usize]) -> Value {
    let mut value = PRESENT;
    for parent in parents.iter().map(|entry| shape[*entry]) {
        value |= parent & (0b111 | TWINS);
        if value & 0b11000 == 0 {
            value |= parent & 0b11000;
        }
    }
    value
}

/// The layers of these values, the correct authors' in all orders, everybody being there.
pub fn full(values: &[Value]) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for &a in values {
        for &b in values {
            shapes.extend(values.iter().flat_map(|&c| twins(values).map(move |[d, e]| [a, b, c, d, e])));
        }
    }
    shapes
}

/// The layers of these values up to the order of the correct authors' and of the twins; any may be absent.
pub fn sorted(values: &[Value]) -> Vec<Shape> {
    let values = &[&[0], values].concat();
    let mut shapes = Vec::new();
    for (i, &a) in values.iter().enumerate() {
        for (j, &b) in values.iter().enumerate().skip(i) {
            let last = values.iter().skip(j);
            shapes.extend(last.flat_map(|&c| twins(values).map(move |[d, e]| [a, b, c, d, e])));
        }
    }
    shapes
}

fn twins(values: &[Value]) -> impl Iterator<Item = [Value; 2]> {
    values.iter().enumerate().flat_map(move |(i, &d)| values.iter().skip(i).map(move |&e| [d, e]))
}

/// The layers with one vertex of this value more, sorted, each with the entry that it takes here: a correct author's
/// and a twin.
pub fn grown(shape: &Shape, value: Value) -> impl Iterator<Item = (Shape, usize)> {
    let shape = *shape;
    [0..3, 3..5].into_iter().filter_map(move |kind| {
        let entry = kind.clone().find(|entry| shape[*entry] == 0)?;
        let mut grown = shape;
        grown[entry] = value;
        grown[kind].sort_unstable();
        Some((grown, entry))
    })
}

/// DAGs of so many rounds before any symmetry: a correct author makes at most one vertex a round, the equivocator at
/// most two; every vertex links any three or four authors', those of the first round genesis in one way.
pub fn all_dags(rounds: u32) -> f64 {
    // By how many correct authors and twins the last layer has.
    let mut layers = BTreeMap::from([((3u32, 0u32), 1.0)]);
    for _ in 0..rounds {
        let mut next: BTreeMap<(u32, u32), f64> = BTreeMap::new();
        for ((correct, twins), dags) in layers {
            let pairs = [0.0, 0.0, 1.0, 3.0][correct as usize];
            let all = if correct == 3 { 1.0 } else { 0.0 };
            let sets = all + f64::from(twins) * (pairs + all);
            for c in 0..=3u32 {
                let choose = [1.0, 3.0, 3.0, 1.0][c as usize];
                for (e, ways) in [(0, 1.0), (1, sets), (2, sets * (sets + 1.0) / 2.0)] {
                    *next.entry((c, e)).or_default() += dags * choose * sets.powi(c as i32) * ways;
                }
            }
        }
        layers = next;
    }
    layers.values().sum()
}
