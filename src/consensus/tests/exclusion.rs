//! A proof of fault that comes when the proven one was the quorum's last member.

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
