//! The end of an epoch: certified by t+1 of its replicas, and by nobody else.

use super::sim::*;
use crate::codec::{ClusterId, Digest, Epoch};
use crate::consensus::{Authority, Consensus, Ending, Finale, Message, UnixMillis};
use crate::protocol::Misbehaviour;

fn ending(round: u64) -> Ending {
    Ending {
        round,
        state: Digest([1; 32]),
        history: Digest([2; 32]),
        successor: ClusterId(Digest([3; 32])),
        faults: 1,
        continuing: vec![id(1), id(2), id(3)],
    }
}

fn core(keys: &Keys, index: usize) -> Consensus {
    Consensus::new(keys.config(id(index)), keys.secrets(id(index)), [index as u8; 32])
}

/// What a replica says when it has come to this end.
fn said(keys: &Keys, index: usize, ending: Ending) -> Message {
    let mut step = core(keys, index).ended(UnixMillis(1), ending);
    step.send.remove(0).1
}

fn finale_of(keys: &Keys, signers: [usize; 2], ending: &Ending) -> Option<Finale> {
    let mut core = core(keys, 4);
    for index in signers {
        let _ = core.message(UnixMillis(1), id(index), said(keys, index, ending.clone()));
    }
    core.finale().cloned()
}

#[test]
fn t_plus_1_equal_signatures_make_a_finale_and_fewer_or_unequal_ones_none() {
    let keys = Keys::deal(4);
    let authority = keys.config(id(1)).authority();
    assert!(finale_of(&keys, [1, 1], &ending(9)).is_none(), "one replica counts once");
    let finale = finale_of(&keys, [1, 2], &ending(9)).expect("t+1 have signed");
    assert!(finale.verifies(&authority));
    let mut other = core(&keys, 3);
    let _ = other.message(UnixMillis(1), id(1), said(&keys, 1, ending(9)));
    let _ = other.message(UnixMillis(1), id(2), said(&keys, 2, ending(10)));
    assert!(other.finale().is_none());
}

#[test]
fn a_finale_counts_in_its_own_cluster_and_epoch_only() {
    let keys = Keys::deal(4);
    let finale = finale_of(&keys, [1, 2], &ending(9)).expect("t+1 have signed");
    let authority = keys.config(id(1)).authority();
    let epoch = Authority { epoch: Epoch(authority.epoch.0 + 1), ..authority.clone() };
    let cluster = Authority { cluster: ClusterId(Digest([8; 32])), ..authority.clone() };
    let mut others = authority.clone();
    others.identities.rotate_left(1);
    for authority in [epoch, cluster, others] {
        assert!(!finale.verifies(&authority));
    }
    let mut changed = finale;
    changed.ending.successor = ClusterId::default();
    assert!(!changed.verifies(&authority));
    let step = core(&keys, 3).message(UnixMillis(1), id(1), Message::Finale(changed));
    assert_eq!(step.faults[0].what, Misbehaviour::BadCertificate);
}

#[test]
fn who_has_come_to_the_end_takes_no_further_part_and_tells_who_comes() {
    let keys = Keys::deal(4);
    let mut core = core(&keys, 1);
    let _ = core.submit(UnixMillis(1), vec![1]);
    let _ = core.ended(UnixMillis(1), ending(9));
    let _ = core.message(UnixMillis(1), id(2), said(&keys, 2, ending(9)));
    assert!(core.finale().is_some() && !core.ended_otherwise());
    let (round, _) = core.rounds();
    let step = core.submit(UnixMillis(1), vec![2]);
    assert!(step.send.is_empty() && step.records.is_empty() && step.wake_at.is_none());
    assert_eq!(core.rounds().0, round);
    let step = core.linked(UnixMillis(1), id(3));
    assert!(step.send.iter().any(|(_, message)| matches!(message, Message::Finale(_))));
}

#[test]
fn a_vote_does_not_say_that_its_signer_keeps_anything() {
    let keys = Keys::deal(4);
    let mut core = core(&keys, 1);
    let _ = core.message(UnixMillis(1), id(2), said(&keys, 2, ending(9)));
    assert_eq!(core.keepers().count(), 0);
    let _ = core.message(UnixMillis(1), id(3), Message::Kept);
    let _ = core.message(UnixMillis(1), id(3), Message::Kept);
    assert_eq!(core.keepers().collect::<Vec<_>>(), [id(3)]);
    assert!(!core.linked(UnixMillis(1), id(2)).send.iter().any(|(_, said)| *said == Message::Kept));
    assert!(core.keep(UnixMillis(1)).send.iter().any(|(_, said)| *said == Message::Kept));
    assert!(!core.keep(UnixMillis(1)).send.iter().any(|(_, said)| *said == Message::Kept), "once");
    assert!(core.linked(UnixMillis(1), id(2)).send.iter().any(|(_, said)| *said == Message::Kept));
}

#[test]
fn who_has_no_state_makes_no_vertex_and_takes_those_of_others() {
    let keys = Keys::deal(4);
    let mut waiting = core(&keys, 1);
    waiting.set_awaiting(true);
    assert!(waiting.submit(UnixMillis(1), vec![1]).send.is_empty());
    let made = core(&keys, 2).submit(UnixMillis(1), vec![2]);
    let [(_, vertex @ Message::Vertex(_))] = &made.send[..] else { panic!("a vertex") };
    let step = waiting.message(UnixMillis(1), id(2), vertex.clone());
    assert!(step.send.is_empty() && step.records.len() == 1, "{step:?}");
    waiting.set_awaiting(false);
    assert!(waiting.tick(UnixMillis(1)).send.iter().any(|(_, said)| matches!(said, Message::Vertex(_))));
}
