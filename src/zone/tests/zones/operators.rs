//! Operators who sign commands themselves.

use super::*;
use crate::codec::Epoch;
use crate::time::DAY;
use crate::zone::{Command, OperatorVote, VOTE_LAPSE_SECS};

const FREEZE: &str = "zone example. freeze";

fn vote(bench: &Bench, index: u8, count: u64, text: &str) -> Request {
    Request::Operator(Box::new(bench.operator_vote(index, count, text)))
}

fn rcodes(bench: &mut Bench, requests: &[Request]) -> Vec<Rcode> {
    bench.execute(requests).outcomes.iter().map(|one| one.rcode).collect()
}

fn is_frozen(bench: &Bench) -> bool {
    bench.machine.charters()[0].charter.frozen
}

#[test]
fn so_many_operators_as_are_needed_have_it_done_and_no_fewer_with_or_without_replicas() {
    let mut bench = bench();
    let one = vote(&bench, OPERATORS[0], 1, FREEZE);
    // One operator, twice, and two replicas of the three that a quorum takes.
    let replicas = bench.votes_for(FREEZE);
    let again = vote(&bench, OPERATORS[0], 2, FREEZE);
    assert_eq!(rcodes(&mut bench, &[one.clone(), one, again]), [Rcode::NOERROR; 3]);
    let _ = bench.execute(&replicas[..2]);
    assert!(!is_frozen(&bench), "the two are counted apart");
    let open = &bench.machine.votes().0[0];
    assert_eq!((open.votes.len(), open.operators.len()), (2, 1));
    let two = vote(&bench, OPERATORS[2], 1, FREEZE);
    let _ = bench.execute(&[two]);
    assert!(is_frozen(&bench));
    let decided = bench.machine.votes().1.pop().unwrap();
    assert_eq!((decided.refused, decided.operators.len(), decided.voters.len()), (None, 2, 2));
    assert_eq!(bench.machine.votes().0, [], "all votes are used up");
    assert_eq!(bench.command("zone example. thaw"), None, "replicas alone can, too");
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}

#[test]
fn one_is_enough_where_the_cluster_file_says_so_and_nobody_where_nobody_is_listed() {
    for (needed, listed, done) in [(1, true, true), (2, true, false), (0, true, false), (1, false, false)] {
        let mut bench = bench();
        bench.genesis.operators_needed = needed;
        if !listed {
            bench.genesis.operators.clear();
        }
        bench.machine = Machine::new(bench.genesis.clone()).unwrap();
        let _ = bench.execute(&[Request::Genesis { zone: name("example.") }]);
        let vote = vote(&bench, OPERATORS[1], 1, FREEZE);
        let _ = bench.execute(&[vote]);
        assert_eq!(is_frozen(&bench), done, "{needed} {listed}");
    }
}

#[test]
fn what_an_operator_did_not_sign_for_here_and_now_counts_for_nothing() {
    let mut bench = bench();
    let good = bench.operator_vote(OPERATORS[0], 5, FREEZE);
    let mut elsewhere = bench.genesis.clone();
    elsewhere.epoch = Epoch(1);
    let home = std::mem::replace(&mut bench.genesis, elsewhere);
    let other_epoch = bench.operator_vote(OPERATORS[0], 6, FREEZE);
    bench.genesis = home;
    let stranger = bench.operator_vote(77, 1, FREEZE);
    let changed = |change: &dyn Fn(&mut OperatorVote)| {
        let mut vote = good.clone();
        change(&mut vote);
        vote
    };
    let other = bench.operator_vote(OPERATORS[1], 5, FREEZE);
    let wrong = [
        other_epoch,
        stranger,
        changed(&|vote| vote.count += 1),
        changed(&|vote| vote.by = other.by),
        changed(&|vote| vote.signature[3] ^= 1),
        changed(&|vote| {
            vote.command = crate::codec::encode(&"zone example. thaw".parse::<Command>().unwrap())
        }),
    ];
    for vote in wrong {
        assert_eq!(rcodes(&mut bench, &[Request::Operator(Box::new(vote))]), [Rcode::REFUSED]);
    }
    for text in ["drill x", "refresh example. 1", "keys example. allowance 0"] {
        let vote = vote(&bench, OPERATORS[0], 9, text);
        assert_eq!(rcodes(&mut bench, &[vote]), [Rcode::REFUSED], "{text} is for a quorum of replicas");
    }
    let nonsense = changed(&|vote| vote.command = vec![0xff; 7]);
    assert_eq!(rcodes(&mut bench, &[Request::Operator(Box::new(nonsense))]), [Rcode::FORMERR]);
    assert_eq!(bench.machine.votes().0, []);
    assert_eq!(bench.machine.last_operator_vote(good.by), 0);
}

#[test]
fn a_vote_that_is_ordered_again_counts_no_second_time_and_votes_lapse() {
    let mut bench = bench();
    let votes = [vote(&bench, OPERATORS[0], 1, FREEZE), vote(&bench, OPERATORS[1], 1, FREEZE)];
    let _ = bench.execute(&votes);
    assert_eq!(bench.command("zone example. thaw"), None);
    let _ = bench.execute(&votes);
    assert!(!is_frozen(&bench), "old votes do not come to life again");
    let late = vote(&bench, OPERATORS[0], 2, FREEZE);
    let _ = bench.execute(&[late]);
    bench.now.0 += VOTE_LAPSE_SECS * SECOND + DAY;
    let second = vote(&bench, OPERATORS[1], 2, FREEZE);
    let _ = bench.execute(&[second]);
    assert!(!is_frozen(&bench));
    assert_eq!(bench.machine.votes().0[0].operators.len(), 1);
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}

/// A removal that more have signed than are needed is one removal, whoever holds the others' signatures back.
#[test]
fn signatures_of_before_the_decision_do_not_have_it_done_again() {
    const REMOVE: &str = "zone added. remove";
    for by_replicas in [false, true] {
        let mut bench = bench();
        assert_eq!(add(&mut bench, "added.", 0), None);
        let all =
            [104, 105].map(|index| (format!("operator {index}"), bench.operator_vote(index, 0, REMOVE).by));
        bench.genesis.operators.extend(all);
        bench.machine.operators.listed = bench.genesis.operators.clone();
        let signed = [101, 102, 103, 104, 105].map(|index| vote(&bench, index, 1, REMOVE));
        let first = if by_replicas { bench.votes_for(REMOVE) } else { signed[..2].to_vec() };
        let _ = bench.execute(&first);
        assert_eq!(bench.decision(REMOVE), None);
        for _ in 0..PIPELINE_BATCHES {
            let _ = bench.execute(&[]);
        }
        assert_eq!(add(&mut bench, "added.", 1), None);
        let _ = bench.execute(&signed);
        assert_eq!(bench.machine.charters().len(), 2, "by replicas: {by_replicas}");
        assert_eq!(bench.machine.votes().0, []);
        // Who knows of the first removal may want another.
        let again = [103, 104].map(|index| vote(&bench, index, 1, REMOVE));
        let _ = bench.execute(&again);
        assert_eq!(bench.decision(REMOVE), None);
        assert_eq!(bench.machine.charters().len(), 1);
        assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
    }
}

#[test]
fn a_vote_that_is_held_back_lapses_like_one_that_was_not() {
    let mut bench = bench();
    let held = vote(&bench, OPERATORS[0], 1, FREEZE);
    let early = vote(&bench, OPERATORS[1], 3_700_000, FREEZE);
    assert_eq!(rcodes(&mut bench, &[early]), [Rcode::REFUSED], "signed an hour from now");
    bench.now.0 += VOTE_LAPSE_SECS * SECOND - 10 * SECOND;
    assert_eq!(rcodes(&mut bench, std::slice::from_ref(&held)), [Rcode::NOERROR]);
    assert_eq!(bench.machine.votes().0.len(), 1);
    bench.now.0 += 20 * SECOND;
    let _ = bench.execute(&[]);
    assert_eq!(bench.machine.votes().0, [], "it lapses as it was signed");
    let mut bench = super::bench();
    bench.now.0 += VOTE_LAPSE_SECS * SECOND + 10 * SECOND;
    assert_eq!(rcodes(&mut bench, &[held]), [Rcode::REFUSED]);
}
