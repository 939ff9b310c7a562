use super::*;
use crate::dns::Rcode;
use crate::zone::{Kind, RequestId};

const NOW: UnixMillis = UnixMillis(1_000_000);
const PATIENCE: u64 = 10_000;

fn asker() -> Asker {
    Asker::of([vec![0, 1, 5 << 3], vec![0; 9]].concat(), Default::default()).unwrap()
}

fn zone() -> Name {
    Name::parse("example.test.").unwrap()
}

fn outcome(after: Option<u64>) -> Outcome {
    let after = after.map(|version| (zone(), version));
    Outcome {
        request: RequestId(0),
        rcode: Rcode::NOERROR,
        failure: None,
        after,
        kind: Kind::Update,
        account: None,
        vouch: None,
    }
}

fn request(n: u8) -> Digest {
    Digest([n; 32])
}

fn ids(done: &[Done]) -> Vec<u64> {
    done.iter().flat_map(|done| done.clients.iter().map(|(id, _)| id.0)).collect()
}

fn departure(sent: Digest, kind: Kind, covered: Option<Digest>, bytes: usize) -> Departure {
    Departure { sent, bytes, kind, covered, key: None }
}

/// An own vouch for change `n` sets out.
fn vouch(clients: &mut Clients, n: u16, sent: u8) {
    let (change, covered) = (change(n), change(n + 10_000));
    let departure = departure(request(sent), Kind::Update, Some(covered), 4_096);
    clients.open(change, Departure { key: Some(zone()), ..departure }, NOW);
}

fn change(n: u16) -> Digest {
    crate::codec::digest("test/change", &[&n.to_be_bytes()])
}

/// A request that two clients wait for.
fn two_waiting() -> Clients {
    let mut clients = Clients::new(PATIENCE);
    clients.open(request(1), departure(request(1), Kind::Update, Some(request(101)), 100), NOW);
    clients.wait(ClientId(1), asker(), request(1), NOW);
    let same = clients.pending(&request(101)).unwrap();
    clients.wait(ClientId(2), asker(), same, NOW.plus(3_000));
    clients
}

#[test]
fn all_who_wait_for_a_request_are_told_when_its_version_is_published() {
    let mut clients = two_waiting();
    assert!(clients.executed(request(1), outcome(Some(5)), |_| 3).is_none());
    assert!(clients.published(&zone(), 4).is_empty());
    assert_eq!(ids(&clients.published(&zone(), 5)), [1, 2]);
    assert!(clients.published(&zone(), 6).is_empty());
    assert_eq!((clients.waiting(), clients.requests(), clients.updates.bytes), (0, 0, 0));
}

#[test]
fn who_waits_for_a_version_of_a_zone_that_goes_is_told_and_nobody_else() {
    let mut clients = two_waiting();
    assert!(clients.executed(request(1), outcome(Some(5)), |_| 3).is_none());
    assert!(clients.withdrawn(&Name::parse("other.").unwrap()).is_empty());
    assert_eq!(ids(&clients.withdrawn(&zone())), [1, 2]);
    assert!(clients.withdrawn(&zone()).is_empty() && clients.published(&zone(), 9).is_empty());
    assert_eq!(
        (clients.waiting(), clients.requests(), clients.updates.bytes + clients.queries.bytes),
        (0, 0, 0)
    );
}

#[test]
fn who_comes_between_execution_and_publication_waits_too() {
    let mut clients = two_waiting();
    assert!(clients.executed(request(1), outcome(Some(5)), |_| 3).is_none());
    let same = clients.pending(&request(101)).unwrap();
    clients.wait(ClientId(3), asker(), same, NOW);
    assert_eq!(ids(&clients.published(&zone(), 7)), [1, 2, 3], "a later version holds the earlier ones");
}

#[test]
fn a_request_that_changed_nothing_is_answered_at_once() {
    let mut clients = two_waiting();
    assert_eq!(
        ids(&clients.executed(request(1), outcome(None), |_| 0).into_iter().collect::<Vec<_>>()),
        [1, 2]
    );
    let mut clients = two_waiting();
    let served = clients.executed(request(1), outcome(Some(5)), |_| 5);
    assert_eq!(ids(&served.into_iter().collect::<Vec<_>>()), [1, 2]);
}

#[test]
fn a_client_out_of_patience_goes_and_its_request_stays_for_the_next_try() {
    let mut clients = two_waiting();
    assert!(clients.out_of_patience(NOW.plus(PATIENCE - 1)).is_empty());
    assert_eq!(clients.wake_at(), Some(NOW.plus(PATIENCE)));
    assert_eq!(clients.out_of_patience(NOW.plus(PATIENCE)).len(), 1);
    assert_eq!(clients.out_of_patience(NOW.plus(PATIENCE + 3_000)).len(), 1);
    assert_eq!(clients.waiting(), 0);
    assert!(clients.pending(&request(101)).is_some());
    clients.out_of_patience(NOW.plus(limits::REPLAY_WINDOW_MS));
    assert_eq!(
        (clients.requests(), clients.updates.bytes),
        (0, 0),
        "until no signature can be good any more"
    );
}

#[test]
fn who_comes_late_to_a_request_whose_window_ends_is_told() {
    let end = NOW.plus(limits::REPLAY_WINDOW_MS);
    for executed in [false, true] {
        let mut clients = two_waiting();
        if executed {
            assert!(clients.executed(request(1), outcome(Some(5)), |_| 3).is_none());
        }
        assert_eq!(clients.out_of_patience(NOW.plus(2 * PATIENCE)).len(), 2);
        clients.wait(ClientId(3), asker(), request(1), UnixMillis(end.0 - 1));
        let told: Vec<u64> = clients.out_of_patience(end).iter().map(|(id, _)| id.0).collect();
        assert_eq!(told, [3]);
        assert_eq!((clients.waiting(), clients.requests(), clients.updates.bytes), (0, 0, 0));
        assert!(clients.by_version.values().all(BTreeMap::is_empty), "nothing is left behind");
    }
}

#[test]
fn who_is_forgotten_is_not_told() {
    let mut clients = two_waiting();
    clients.forget(ClientId(1));
    assert_eq!(ids(&clients.executed(request(1), outcome(None), |_| 0).into_iter().collect::<Vec<_>>()), [2]);
}

#[test]
fn a_version_held_back_takes_those_that_rest_on_it_along() {
    let mut clients = two_waiting();
    clients.open(request(2), departure(request(2), Kind::Update, None, 10), NOW);
    clients.wait(ClientId(9), asker(), request(2), NOW);
    assert!(clients.executed(request(1), outcome(Some(5)), |_| 3).is_none());
    assert!(clients.executed(request(2), outcome(Some(6)), |_| 3).is_none());
    assert_eq!(ids(&clients.failed(&zone(), 5)), [1, 2, 9]);
}

#[test]
fn requests_of_others_and_second_executions_concern_nobody_here() {
    let mut clients = two_waiting();
    assert!(clients.executed(request(77), outcome(None), |_| 0).is_none());
    assert!(clients.executed(request(1), outcome(Some(5)), |_| 3).is_none());
    assert!(clients.executed(request(1), outcome(Some(6)), |_| 3).is_none());
    assert!(clients.executed(request(1), outcome(None), |_| 3).is_none());
    assert_eq!(ids(&clients.published(&zone(), 5)), [1, 2], "the first answer counts");
}

#[test]
fn there_is_room_up_to_the_bounds_and_not_above() {
    let mut clients = Clients::new(PATIENCE);
    let bytes = limits::MAX_PENDING_REQUEST_BYTES / 2;
    assert!(clients.has_room_for_request(Kind::Query, bytes));
    clients.open(request(1), departure(request(1), Kind::Query, None, 1), NOW);
    assert!(!clients.has_room_for_request(Kind::Query, bytes));
    assert!(clients.has_room_for_request(Kind::Update, bytes), "queries take no place of updates");
    for id in 0..limits::MAX_PENDING_CLIENTS as u64 / 2 {
        assert!(clients.has_room(Kind::Query));
        clients.wait(ClientId(id), asker(), request(1), NOW);
    }
    assert!(!clients.has_room(Kind::Query) && clients.has_room(Kind::Update));
    clients.forget(ClientId(0));
    assert!(clients.has_room(Kind::Query));
}

#[test]
fn a_change_that_is_vouched_for_twice_is_one_request_and_gives_back_what_it_took() {
    let mut clients = two_waiting();
    clients.open(request(1), departure(request(2), Kind::Update, Some(request(102)), 100), NOW);
    assert_eq!(clients.pending(&request(102)), Some(request(1)));
    clients.wait(ClientId(3), asker(), request(1), NOW);
    let done = clients.executed(request(1), outcome(None), |_| 0).unwrap();
    assert_eq!(done.clients.len(), 3);
    assert_eq!((clients.pending(&request(101)), clients.pending(&request(102))), (None, None));
    assert_eq!((clients.updates.bytes, clients.updates.requests, clients.updates.clients), (0, 0, 0));
}

#[test]
fn changes_that_lack_others_vouches_take_no_place_of_anybodys_and_go_with_their_last_client() {
    let mut clients = Clients::new(PATIENCE);
    for n in 0..limits::MAX_PENDING_CLIENTS as u16 {
        vouch(&mut clients, n, 1);
        clients.came_open(change(n), request(1));
    }
    assert_eq!((clients.requests(), clients.updates.requests, clients.updates.bytes), (0, 0, 0));
    assert!(clients.has_room_for_request(Kind::Update, limits::MAX_PENDING_REQUEST_BYTES / 2));
    vouch(&mut clients, 1, 1);
    clients.wait(ClientId(1), asker(), change(1), NOW);
    assert!(!clients.lacks_others(&change(1)));
    clients.came_open(change(1), request(1));
    assert!(clients.lacks_others(&change(1)) && clients.is_known(&change(1)));
    assert_eq!((clients.undecided(&zone()), clients.updates.requests, clients.updates.bytes), (1, 0, 0));
    // Decided by another's vouch: who waits is told.
    let mut twice = Clients::new(PATIENCE);
    vouch(&mut twice, 1, 1);
    twice.wait(ClientId(1), asker(), change(1), NOW);
    twice.came_open(change(1), request(1));
    assert!(twice.executed(change(1), outcome(Some(5)), |_| 3).is_none());
    assert_eq!(twice.undecided(&zone()), 0);
    assert_eq!(ids(&twice.published(&zone(), 5)), [1]);
    // And out of patience, nothing is left; so the next try vouches again.
    assert_eq!(clients.out_of_patience(NOW.plus(PATIENCE)).len(), 1);
    assert_eq!((clients.requests(), clients.pending(&change(10_001))), (0, None));
    assert!(clients.expiries.is_empty() && clients.by_covered.is_empty());
}

#[test]
fn an_own_vouch_is_told_from_an_older_one_for_the_same_change() {
    let mut clients = Clients::new(PATIENCE);
    vouch(&mut clients, 1, 1);
    clients.wait(ClientId(1), asker(), change(1), NOW);
    clients.came_open(change(1), request(1));
    vouch(&mut clients, 1, 2);
    assert!(!clients.came(change(1), request(1)), "the first has come before");
    assert!(!clients.lacks_others(&change(1)));
    vouch(&mut clients, 1, 3);
    assert!(!clients.came(change(1), request(2)), "another is on its way");
    assert!(clients.came(change(1), request(3)));
    assert_eq!((clients.updates.requests, clients.updates.bytes), (0, 0));
}
