use super::*;
use crate::codec::Digest;

fn id(index: u8) -> ReplicaId {
    ReplicaId::new(index).unwrap()
}

fn at(round: u64) -> VertexRef {
    VertexRef { round, author: id(3), digest: Digest([1; 32]) }
}

#[test]
fn a_page_that_takes_a_minute_is_awaited_and_an_answer_that_comes_twice_ends_nothing() {
    let mut fetch = Fetch::new(Committee::new(4).unwrap(), id(1));
    let mut now = UnixMillis(1_000);
    let _ = fetch.linked(now, id(2), 0);
    let mut tries = 1;
    while now < UnixMillis(61_000) {
        now = now.plus(100);
        tries += fetch.schedule(now, &Waiting::default(), 0).0.len();
    }
    assert!(fetch.awaits_page(id(2)) && tries < 12, "{tries} tries");
    let next = fetch.paged(now, id(2), Some(at(10)), Some(at(11)));
    assert_eq!(next, Some(Message::Range(at(11))));
    for _ in 1..tries {
        assert_eq!(fetch.paged(now, id(2), Some(at(10)), Some(at(11))), None);
    }
    assert!(fetch.awaits_page(id(2)), "the next page");
    assert_eq!(fetch.paged(now, id(2), Some(at(20)), None), None);
    assert!(!fetch.awaits_page(id(2)), "the last page");
}

#[test]
fn a_range_that_is_never_answered_ends() {
    let mut fetch = Fetch::new(Committee::new(4).unwrap(), id(1));
    let mut now = UnixMillis(1_000);
    let _ = fetch.linked(now, id(2), 0);
    while let (_, Some(next)) = fetch.schedule(now, &Waiting::default(), 0) {
        now = next;
        assert!(now < UnixMillis(300_000), "it asks for ever");
    }
    assert!(!fetch.awaits_page(id(2)));
}
