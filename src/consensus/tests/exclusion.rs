//! A proof of fault that comes when the proven one was the quorum's last member.

use super::super::vertex::{Body, Domain, Request, VertexRef};
use super::sim::*;
use crate::consensus::{Consensus, Message, Step, Vertex};
use crate::protocol::To;
use crate::time::UnixMillis;
use std::collections::{BTreeMap, VecDeque};

fn vertex(step: &Step) -> Vertex {
    let made = step.send.iter().rev().find_map(|(_, message)| match message {
        Message::Vertex(vertex) => Some(vertex.clone()),
        _ => None,
    });
    made.expect("a vertex was made")
}

/// r3 makes no vertex in round 1 and r2 none in round 2, so that each of these rounds has a quorum only with r1.
#[test]
fn replicas_that_lose_the_last_of_a_quorum_to_a_proof_go_on() {
    let keys = Keys::deal(4);
    let start = |me: usize| Consensus::new(keys.config(id(me)), keys.secrets(id(me)), [me as u8; 32]);
    let now = UnixMillis(1_000_000);
    let x1 = vertex(&start(1).submit(now, b"x".to_vec()));
    let other = vertex(&start(1).submit(now, b"y".to_vec()));
    let (mut a, mut b, mut c) = (start(2), start(3), start(4));
    let a1 = vertex(&a.submit(now, b"a".to_vec()));
    let c1 = vertex(&c.submit(now, b"c".to_vec()));
    let _ = b.linked(now, id(2));
    let b2 = vertex(&b.message(now, id(2), Message::Page(vec![a1.clone(), c1.clone(), x1.clone()], None)));
    assert_eq!(b2.body().round, 2);
    let _ = c.message(now, id(2), Message::Vertex(a1.clone()));
    let _ = c.message(now, id(1), Message::Vertex(x1.clone()));
    let c2 = vertex(&c.tick(now.plus(1_000)));
    assert_eq!(c2.body().round, 2);

    let mut replicas = BTreeMap::from([(id(2), a), (id(3), b), (id(4), c)]);
    let mut queue = VecDeque::new();
    for to in [2, 3, 4] {
        queue.push_back((id(1), id(to), Message::Proof(x1.clone(), other.clone())));
        for (from, vertex) in [(2, &a1), (4, &c1), (3, &b2), (4, &c2)] {
            queue.push_back((id(from), id(to), Message::Vertex(vertex.clone())));
        }
    }
    let mut delivered: BTreeMap<_, Vec<Vec<u8>>> = BTreeMap::new();
    for turn in 0..200 {
        let now = now.plus(2_000 + 50 * turn);
        let mut steps = Vec::new();
        for (from, to, message) in std::mem::take(&mut queue) {
            let Some(replica) = replicas.get_mut(&to) else { continue };
            if from != to {
                steps.push((to, replica.message(now, from, message)));
            }
        }
        steps.extend(replicas.iter_mut().map(|(me, replica)| (*me, replica.tick(now))));
        for (me, step) in steps {
            let requests = step.batches.iter().flat_map(|batch| &batch.requests);
            delivered.entry(me).or_default().extend(requests.map(|ordered| ordered.bytes.to_vec()));
            for (to, message) in step.send {
                match to {
                    To::One(to) => queue.push_back((me, to, message)),
                    To::Others => queue.extend((2..=4).map(|to| (me, id(to), message.clone()))),
                }
            }
        }
    }
    for (me, replica) in &replicas {
        assert_eq!(replica.status().excluded, vec![id(1)]);
        let mine = &delivered[me];
        assert!(mine.contains(&b"a".to_vec()) && mine.contains(&b"c".to_vec()), "{me:?} delivered {mine:?}");
        assert_eq!(mine, &delivered[&id(2)]);
    }
}

/// r1 shows its vertices to r2, and some to others. As soon as one has executed its request and others have not, all
/// learn that it is an equivocator, and it falls mute.
#[test]
fn what_one_replica_has_executed_of_an_equivocator_reaches_all() {
    let mut early = 0;
    for seed in 0..200 {
        let mut sim = Sim::new(4, seed, Net::Random(20));
        let (mut random, shown) = (Random::new(seed), seed % 100);
        sim.filter = Box::new(move |_, from, to, _| from != id(1) || to == id(2) || random.chance(shown));
        sim.submit(id(1), b"shown to some");
        let executed = |sim: &Sim| [2, 3, 4].map(|me| sim.delivered(id(me)).len());
        let until = sim.now + 10_000;
        while executed(&sim) == [0; 3] && sim.step(until) {}
        early += usize::from(executed(&sim).contains(&0));
        sim.hosts.remove(&id(1));
        for me in [2, 3, 4].map(id) {
            let proof = Message::Proof(by(&sim.keys, 1, 1, None, 1), by(&sim.keys, 1, 1, None, 2));
            let now = UnixMillis(sim.now);
            let core = sim.hosts.get_mut(&me).unwrap().core.as_mut().unwrap();
            let step = core.message(now, id(1), proof);
            sim.apply(me, step);
        }
        sim.drain(300_000);
        sim.check_prefixes();
        assert_eq!(executed(&sim), [1; 3], "seed {seed}: {:?}", sim.statuses());
    }
    assert!(early > 20, "{early} times one was first");
}

/// r1's vertex of round 1, which r2 has not linked yet when it decides a batch from it and learns of the fault.
#[test]
fn a_batch_decided_from_an_equivocators_vertex_is_closed_with_one_vertex() {
    let keys = Keys::deal(4);
    let mut core = Consensus::new(keys.config(id(2)), keys.secrets(id(2)), [2; 32]);
    let name = |vertex: &Vertex| vertex.id(&domain(&keys));
    let now = UnixMillis(1_000_000);
    let z = by(&keys, 1, 1, None, 1);
    let mut below: Option<Vec<VertexRef>> = None;
    for round in 1..=2 {
        let (b, c) = (by(&keys, 3, round, below.as_deref(), 0), by(&keys, 4, round, below.as_deref(), 0));
        let own = vertex(&core.message(now, id(3), Message::Vertex(b.clone())));
        assert_eq!(own.body().round, round, "it answers");
        let _ = core.message(now, id(4), Message::Vertex(c.clone()));
        below = Some(vec![name(&own), name(&b), name(&c)]);
    }
    let _ = core.message(now, id(1), Message::Vertex(z.clone()));
    let _ = core.message(now, id(4), Message::Proof(z.clone(), by(&keys, 1, 1, None, 2)));
    assert_eq!(core.status().excluded, vec![id(1)]);
    let before = core.status().round;
    assert_eq!(core.tick(now.plus(1_000)).send, vec![], "its vertex keeps nobody awake");
    core.creation.closed(1);
    let closing = vertex(&core.tick(now.plus(1_000)));
    assert_eq!((before, closing.body().round), (2, 3));
    assert_eq!(closing.body().weak, vec![name(&z)]);
    core.creation.closed(1);
    assert_eq!(core.tick(now.plus(9_000)).send, vec![], "once");
}

fn domain(keys: &Keys) -> Domain {
    let config = keys.config(id(1));
    Domain { cluster: config.cluster, epoch: config.epoch }
}

/// A vertex with these parents, of genesis if there are none, and a request of so many bytes.
fn by(keys: &Keys, author: usize, round: u64, parents: Option<&[VertexRef]>, payload: usize) -> Vertex {
    let domain = domain(keys);
    let genesis: Vec<VertexRef> = keys.committee.members().map(|author| domain.genesis(author)).collect();
    let parents = parents.unwrap_or(&genesis).iter().map(|parent| (parent.author, parent.digest));
    let body = Body {
        epoch: domain.epoch,
        author: id(author),
        round,
        prev: None,
        parents: parents.collect(),
        weak: vec![],
        time: UnixMillis(1_000_000),
        payload: vec![Request(vec![7; payload].into()); payload.min(1)],
        coin_share: None,
    };
    Vertex::sign(body, &domain, &keys.secrets(id(author)).identity)
}
