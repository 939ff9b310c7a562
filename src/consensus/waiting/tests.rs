use super::super::IdentityKey;
use super::super::vertex::{Body, Domain, Request};
use super::*;
use crate::codec::{ClusterId, Digest, Epoch};
use crate::time::UnixMillis;

const DOMAIN: Domain = Domain { cluster: ClusterId(Digest([0; 32])), epoch: Epoch(0) };

fn id(index: u8) -> ReplicaId {
    ReplicaId::new(index).unwrap()
}

/// A vertex with one parent.
fn vertex(round: u64, author: u8, parent: Digest, bytes: usize) -> (VertexRef, Vertex, BTreeSet<VertexRef>) {
    let body = Body {
        epoch: Epoch(0),
        author: id(author),
        round,
        prev: None,
        parents: vec![(id(author), parent)],
        weak: vec![],
        time: UnixMillis(0),
        payload: vec![Request(vec![0; bytes].into())],
        coin_share: None,
    };
    let vertex = Vertex::sign(body, &DOMAIN, &IdentityKey::from_seed([author; 32]));
    let links = vertex.body().links().collect();
    (vertex.id(&DOMAIN), vertex, links)
}

#[test]
fn a_chain_is_released_one_by_one_and_leaves_nothing() {
    let mut waiting = Waiting::default();
    let mut below = Digest([1; 32]);
    let root = VertexRef { round: 9, author: id(1), digest: below };
    let mut chain = Vec::new();
    for round in 10..20 {
        let (name, vertex, links) = vertex(round, 1, below, 10);
        below = name.digest;
        chain.push(name);
        assert!(waiting.hold(name, vertex, id(2), id(2), links).is_empty());
    }
    assert_eq!(waiting.missing(id(2)).collect::<Vec<_>>(), vec![root]);
    assert_eq!((waiting.len(), waiting.lacking()), (10, 1));
    let mut at = root;
    for expected in chain {
        let ready = waiting.accepted(&at);
        assert_eq!(ready.iter().map(|(id, _)| *id).collect::<Vec<_>>(), vec![expected]);
        at = expected;
    }
    assert!(waiting.accepted(&at).is_empty());
    assert_eq!((waiting.len(), waiting.lacking()), (0, 0));
    assert!(waiting.needs.is_empty() && waiting.missing.values().all(BTreeSet::is_empty));
    assert!(waiting.charges.values().all(|charge| charge.bytes == 0 && charge.held.is_empty()));
}

#[test]
fn a_full_quota_keeps_the_lowest_rounds_and_touches_no_other_author() {
    let mut waiting = Waiting::default();
    let (other, its, links) = vertex(7, 3, Digest([7; 32]), 10);
    assert!(waiting.hold(other, its, id(3), id(3), links).is_empty());
    let mut dropped = 0;
    for round in (100..100 + 2 * MAX_WAITING_VERTICES_PER_AUTHOR as u64).rev() {
        let (name, vertex, links) = vertex(round, 1, Digest([round as u8; 32]), 1000);
        dropped += usize::from(!waiting.hold(name, vertex, id(1), id(1), links).is_empty());
    }
    let charge = &waiting.charges[&id(1)];
    assert!(
        charge.held.len() <= MAX_WAITING_VERTICES_PER_AUTHOR && charge.bytes <= MAX_WAITING_BYTES_PER_AUTHOR
    );
    assert!(dropped >= MAX_WAITING_VERTICES_PER_AUTHOR, "{dropped} dropped");
    assert_eq!(charge.held.first().map(|id| id.round), Some(100), "the lowest stay");
    assert!(charge.held.iter().all(|id| id.round < 100 + MAX_WAITING_VERTICES_PER_AUTHOR as u64));
    assert_eq!(waiting.missing(id(1)).count(), charge.held.len(), "nothing is lacked for what was dropped");
    assert!(waiting.holds(&other) && !waiting.has_room(id(1)) && waiting.has_room(id(3)));
}

#[test]
fn what_is_dropped_though_needed_is_lacked_again() {
    let mut waiting = Waiting::default();
    let (low, low_vertex, low_links) = vertex(50, 1, Digest([5; 32]), 60_000);
    let (high, high_vertex, high_links) = vertex(51, 2, low.digest, 10);
    let needs_low: BTreeSet<VertexRef> = BTreeSet::from([low]);
    assert!(high_links.iter().all(|link| link.digest == low.digest));
    assert!(waiting.hold(high, high_vertex, id(2), id(2), needs_low).is_empty());
    assert!(waiting.hold(low, low_vertex, id(1), id(1), low_links).is_empty());
    assert!(waiting.missing(id(2)).all(|id| id != low));
    for round in 0.. {
        if !waiting.fits(id(2), 61_000) {
            break; // nor does the low one fit in the place of these
        }
        let (name, vertex, links) = vertex(1 + round % 49, 2, Digest([round as u8; 32]), 59_000);
        assert!(waiting.hold(name, vertex, id(2), id(2), links).is_empty());
    }
    for round in 1..1000 {
        let (name, vertex, links) = vertex(round % 50, 1, Digest([round as u8; 32]), 60_000);
        let _ = waiting.hold(name, vertex, id(1), id(1), links);
    }
    assert!(!waiting.holds(&low));
    assert!(waiting.holds(&high) && waiting.missing(id(2)).any(|id| id == low));
}

/// r1's quota is full of what r2 sent after r1 did.
#[test]
fn what_another_sent_too_is_charged_to_it_before_it_is_dropped() {
    let mut waiting = Waiting::default();
    let (high, its, links) = vertex(2_000, 3, Digest([7; 32]), 60_000);
    assert!(waiting.hold(high, its, id(1), id(1), links).is_empty());
    waiting.sent(&high, id(2));
    assert_eq!(waiting.missing(id(2)).count(), 1, "who sends it later asks, too");
    for round in 1..1000 {
        let (name, vertex, links) = vertex(round, 1, Digest([round as u8; 32]), 60_000);
        let dropped = waiting.hold(name, vertex, id(1), id(1), links);
        assert!(!dropped.contains(&id(2)), "round {round}");
    }
    assert!(waiting.holds(&high) && !waiting.has_room(id(1)));
    assert_eq!(waiting.charges[&id(2)].held, BTreeSet::from([high]));
}

/// r1's vertex of round 9 needs its vertex of round 8, which lacks one of round 7; then r2's of round 9 needs that of 8.
#[test]
fn an_excluded_authors_vertex_is_completed_only_for_others() {
    let mut waiting = Waiting::default();
    let (low, low_vertex, low_links) = vertex(8, 1, Digest([5; 32]), 10);
    let (own, own_vertex, own_links) = vertex(9, 1, low.digest, 10);
    assert!(waiting.hold(own, own_vertex, id(1), id(1), own_links).is_empty());
    assert!(waiting.is_needed(&low));
    assert!(waiting.hold(low, low_vertex, id(1), id(1), low_links.clone()).is_empty());
    assert_eq!(waiting.missing(id(1)).collect::<BTreeSet<_>>(), low_links);
    waiting.exclude(id(1));
    assert!(waiting.missing(id(1)).next().is_none() && low_links.iter().all(|link| !waiting.is_needed(link)));
    waiting.sent(&low, id(3));
    assert!(waiting.missing(id(3)).next().is_none(), "sending it makes nobody ask for it");
    let (other, other_vertex, _) = vertex(9, 2, low.digest, 10);
    assert!(waiting.hold(other, other_vertex, id(2), id(2), BTreeSet::from([low])).is_empty());
    assert_eq!(waiting.missing(id(2)).collect::<BTreeSet<_>>(), low_links);
    assert!(low_links.iter().all(|link| waiting.is_needed(link)));
}
