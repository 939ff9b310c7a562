//! A Byzantine author's missing links compete with what others need.

use super::super::vertex::{Body, Domain, Request, Vertex, VertexRef};
use super::sim::*;
use crate::codec::Digest;
use crate::consensus::{Consensus, Message, Step};
use crate::protocol::To;
use crate::time::UnixMillis;

struct Maker {
    keys: Keys,
    domain: Domain,
}

impl Maker {
    fn vertex(
        &self,
        author: usize,
        round: u64,
        parents: &[VertexRef],
        weak: Vec<VertexRef>,
        payload: usize,
    ) -> Vertex {
        let mut parents = parents.to_vec();
        parents.sort_unstable();
        let body = Body {
            epoch: self.domain.epoch,
            author: id(author),
            round,
            prev: None,
            parents: parents.iter().map(|id| (id.author, id.digest)).collect(),
            weak,
            time: UnixMillis(1_000_000),
            payload: vec![Request(vec![author as u8; payload].into())],
            coin_share: None,
        };
        assert_eq!(body.check(self.keys.committee, &self.domain), Ok(()));
        Vertex::sign(body, &self.domain, &self.keys.secrets(id(author)).identity)
    }
}

fn own(step: &Step) -> Option<Vertex> {
    step.send.iter().rev().find_map(|(to, message)| match (to, message) {
        (To::Others, Message::Vertex(vertex)) => Some(vertex.clone()),
        _ => None,
    })
}

/// r2 after two rounds, and the vertices of a trap: r4's of round 2 links r1's of round 1, which r2 lacks and nobody pushes;
/// r3's of round 3 links r4's. r1's other vertices: one that links 65 vertices of round 1 that do not exist, and one that
/// needs r4's.
struct Trap {
    a: Consensus,
    now: UnixMillis,
    known: Vec<Vertex>,
    y: Vertex,
    b3: Vertex,
    junk: Vertex,
    e3: Vertex,
    first: [VertexRef; 3],
    maker: Maker,
}

impl Trap {
    fn new() -> Self {
        let keys = Keys::deal(4);
        let config = keys.config(id(2));
        let domain = Domain { cluster: config.cluster, epoch: config.epoch };
        let mut a = Consensus::new(config, keys.secrets(id(2)), [2; 32]);
        let maker = Maker { keys, domain };
        let genesis: Vec<VertexRef> = (1..=4).map(|author| domain.genesis(id(author))).collect();
        let name = |vertex: &Vertex| vertex.id(&domain);
        let now = UnixMillis(1_000_000);
        let a1 = own(&a.submit(now, b"a".to_vec())).unwrap();
        let (b1, c1) = (maker.vertex(3, 1, &genesis, vec![], 1), maker.vertex(4, 1, &genesis, vec![], 1));
        let z = maker.vertex(1, 1, &genesis, vec![], 1);
        let mut steps = vec![a.message(now, id(3), Message::Vertex(b1.clone()))];
        steps.push(a.message(now, id(4), Message::Vertex(c1.clone())));
        steps.push(a.tick(now.plus(1_000)));
        let a2 = steps.iter().find_map(own).expect("round 1 has a quorum");
        let first = [name(&a1), name(&b1), name(&c1)];
        let b2 = maker.vertex(3, 2, &first, vec![], 1);
        let _ = a.message(now, id(3), Message::Vertex(b2.clone()));
        let y = maker.vertex(4, 2, &[name(&z), name(&b1), name(&c1)], vec![], 1);
        let second = [name(&a2), name(&b2), name(&y)];
        let nowhere = |i: u8| {
            let mut digest = Digest::default();
            digest.0[1] = i;
            VertexRef { round: 1, author: id(1), digest }
        };
        let weak: Vec<VertexRef> = (0..65).map(nowhere).collect();
        assert!(weak[64] < name(&z), "the lowest are asked for first");
        let junk = maker.vertex(1, 2, &first, weak, 1);
        let e3 = maker.vertex(1, 3, &second, vec![], 1);
        let b3 = maker.vertex(3, 3, &second, vec![], 60_000);
        let known = vec![a1, b1, c1, z, a2, b2, y.clone(), b3.clone()];
        Self { a, now, known, y, b3, junk, e3, first, maker }
    }

    fn push(&mut self, from: usize, vertex: &Vertex) -> Step {
        self.a.message(self.now, id(from), Message::Vertex(vertex.clone()))
    }

    /// r3 and r4 answer all that they are asked for 500 s.
    fn check_all_but_junk_is_accepted(&mut self, mut steps: Vec<Step>) {
        let mut asked = 0;
        for _ in 0..1_000 {
            self.now = self.now.plus(500);
            let mut answers = Vec::new();
            for (to, message) in steps.drain(..).flat_map(|step| step.send) {
                let (To::One(peer), Message::Fetch(ids)) = (to, message) else { continue };
                asked += 1;
                let held = self.known.iter().filter(|v| ids.contains(&v.id(&self.maker.domain)));
                let vertices: Vec<Vertex> = held.cloned().collect();
                if peer != id(1) && !vertices.is_empty() {
                    answers.push((peer, Message::Vertices(vertices)));
                }
            }
            steps.extend(answers.into_iter().map(|(peer, message)| self.a.message(self.now, peer, message)));
            steps.push(self.a.tick(self.now));
            if self.a.status().waiting <= 1 {
                return;
            }
        }
        panic!("after {asked} questions in 500 s: {:?}", self.a.status());
    }
}

/// r4's vertex comes as r3's answer; r1, which needs it too and has used less, is charged for it.
#[test]
fn links_that_lead_nowhere_keep_no_answer_from_being_completed() {
    let mut trap = Trap::new();
    let (junk, e3, b3) = (trap.junk.clone(), trap.e3.clone(), trap.b3.clone());
    let steps = vec![trap.push(1, &junk), trap.push(1, &e3), trap.push(3, &b3)];
    trap.check_all_but_junk_is_accepted(steps);
}

/// r1 pushes r4's vertex before r4 does, and is charged for it.
#[test]
fn a_vertex_that_a_byzantine_replica_pushed_first_is_completed_for_those_who_push_it_later() {
    let mut trap = Trap::new();
    let (junk, y, b3) = (trap.junk.clone(), trap.y.clone(), trap.b3.clone());
    let steps = vec![trap.push(1, &junk), trap.push(1, &y), trap.push(4, &y), trap.push(3, &b3)];
    trap.check_all_but_junk_is_accepted(steps);
}

/// r1's vertex of round 2 links weakly 512 of its own of round 1, and so do others of its round 2, which its vertex of
/// round 3 links: none is ever linked by anybody else.
#[test]
fn what_an_equivocator_links_of_its_own_is_bounded() {
    let mut trap = Trap::new();
    let domain = trap.maker.domain;
    let genesis: Vec<VertexRef> = (1..=4).map(|author| domain.genesis(id(author))).collect();
    let mut pushed = Vec::new();
    let mut twins = Vec::new();
    for group in 0..4usize {
        let leaves: Vec<Vertex> =
            (0..512).map(|i| trap.maker.vertex(1, 1, &genesis, vec![], 2 + 512 * group + i)).collect();
        let mut weak: Vec<VertexRef> = leaves.iter().map(|leaf| leaf.id(&domain)).collect();
        weak.sort_unstable();
        let twin = trap.maker.vertex(1, 2, &trap.first.clone(), weak, 2 + group);
        twins.push(twin.id(&domain));
        pushed.push(twin);
        pushed.extend(leaves);
    }
    twins.sort_unstable();
    let second: Vec<VertexRef> = trap.b3.body().parent_refs().collect();
    let (y, z) = (trap.y.clone(), trap.known[3].clone());
    let _ = trap.push(4, &z);
    let _ = trap.push(4, &y);
    let before = trap.a.status().accepted;
    let top = trap.maker.vertex(1, 3, &second, twins, 1);
    let _ = trap.push(1, &top);
    for vertex in &pushed {
        let _ = trap.push(1, vertex);
    }
    let accepted = trap.a.status().accepted - before;
    assert!(
        accepted < 100,
        "{accepted} vertices of r1 accepted in three rounds: {:?}",
        trap.a.status().excluded
    );
}

/// r1's vertex of round 3 links r2's twins of round 2, each of which links r1's of round 1. The first of the
/// twins proves nothing of r2, and brings what it links; the second proves r2, and ends it.
#[test]
fn what_two_equivocators_link_of_each_other_is_bounded_by_what_they_made_before_both_were_proven() {
    let keys = Keys::deal(7);
    let config = keys.config(id(3));
    let domain = Domain { cluster: config.cluster, epoch: config.epoch };
    let mut core = Consensus::new(config, keys.secrets(id(3)), [3; 32]);
    let maker = Maker { keys, domain };
    let now = UnixMillis(1_000_000);
    let genesis: Vec<VertexRef> = (1..=7).map(|author| domain.genesis(id(author))).collect();
    let mut below = genesis.clone();
    for round in 1..=2 {
        let vertices: Vec<Vertex> =
            (3..=7).map(|author| maker.vertex(author, round, &below, vec![], 1)).collect();
        below = vertices.iter().map(|vertex| vertex.id(&domain)).collect();
        for (author, vertex) in (3..).zip(vertices) {
            let from = if author == 3 { 4 } else { author };
            let _ = core.message(now, id(from), Message::Vertices(vec![vertex.clone()]));
            let _ = core.message(now, id(from), Message::Vertex(vertex));
        }
    }
    let before = core.status().accepted;
    assert!(before >= 10, "{:?}", core.status());
    let first: Vec<VertexRef> =
        (3..=7).map(|author| maker.vertex(author, 1, &genesis, vec![], 1).id(&domain)).collect();
    let mut pushed = Vec::new();
    let mut twins = Vec::new();
    for group in 0..3usize {
        let leaves: Vec<Vertex> =
            (0..300).map(|i| maker.vertex(1, 1, &genesis, vec![], 2 + 300 * group + i)).collect();
        let mut weak: Vec<VertexRef> = leaves.iter().map(|leaf| leaf.id(&domain)).collect();
        weak.sort_unstable();
        let twin = maker.vertex(2, 2, &first, weak, 2 + group);
        twins.push(twin.id(&domain));
        pushed.push(twin);
        pushed.extend(leaves);
    }
    twins.sort_unstable();
    let top = maker.vertex(1, 3, &below, twins, 1);
    let _ = core.message(now, id(1), Message::Vertex(top));
    for vertex in &pushed {
        for from in [1, 2] {
            let _ = core.message(now, id(from), Message::Vertex(vertex.clone()));
            let _ = core.message(now, id(from), Message::Vertices(vec![vertex.clone()]));
        }
    }
    let status = core.status();
    assert_eq!(status.excluded, vec![id(1), id(2)]);
    assert!(status.accepted - before < 310, "{status:?}");
}

/// Age excludes the vertex of a replica that clients load as much as it takes.
#[test]
fn own_requests_that_age_excludes_find_room_in_a_full_queue() {
    let keys = Keys::deal(4);
    let mut core = Consensus::new(keys.config(id(2)), keys.secrets(id(2)), [2; 32]);
    let request = |i: u32| [&i.to_be_bytes()[..], &[0; 60_000]].concat();
    let mut count = 0;
    while core.has_room(60_004) {
        let _ = core.submit(UnixMillis(1_000_000), request(count));
        count += 1;
    }
    let _ = core.submit(UnixMillis(1_000_000), request(count));
    let waiting = core.status().pending_bytes;
    assert_eq!((core.status().accepted, waiting), (1, (count as usize - 1) * 60_068), "one is under way");
    core.propose_again(core.creation.newest);
    assert_eq!(core.status().pending_bytes - waiting, 60_068);
}
