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
