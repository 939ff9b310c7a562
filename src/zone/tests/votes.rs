//! Votes: what a quorum says is done, once, and nothing else is.

use super::*;
use crate::codec;
use crate::limits::{MAX_DECIDED, MAX_OPEN_VOTES};
use crate::time::{DAY, SECOND};
use crate::zone::differential::{Random, seeds};
use crate::zone::{Command, Request, Saying, VOTE_LAPSE_SECS};
use std::collections::BTreeMap;

fn drill(word: &str) -> Command {
    Command::Drill { word: word.into() }
}

/// The words of the drills decided so far.
fn decided(bench: &Bench) -> Vec<String> {
    bench.machine.votes().1.into_iter().map(|one| one.command.to_string()).collect()
}

fn open(bench: &Bench) -> Vec<(String, Vec<u8>)> {
    let open = bench.machine.votes().0.into_iter();
    let mut open: Vec<_> =
        open.map(|one| (one.command.to_string(), one.votes.keys().map(|who| who.get()).collect())).collect();
    open.sort();
    open
}

/// Orders one vote.
fn vote(bench: &mut Bench, index: u8, count: u64, word: &str) -> crate::dns::Rcode {
    let vote = bench.vote(index, count, &drill(word));
    bench.execute(&[vote]).outcomes[0].rcode
}

#[test]
fn t_and_more_votes_do_nothing_and_the_quorum_th_does_it_once() {
    let mut bench = bench();
    for index in [4, 1] {
        vote(&mut bench, index, 1, "a");
    }
    assert_eq!((decided(&bench), open(&bench)), (vec![], vec![("drill a".into(), vec![1, 4])]));
    vote(&mut bench, 2, 1, "a");
    assert_eq!((decided(&bench), open(&bench)), (vec!["drill a".into()], vec![]));
    let one = bench.machine.votes().1.remove(0);
    assert_eq!((one.number, one.voters.len(), one.refused), (1, 3, None));
    vote(&mut bench, 3, 1, "a");
    assert_eq!(open(&bench), [("drill a".into(), vec![3])], "who knows of it votes for the same again");
    assert_eq!(decided(&bench).len(), 1);
}

#[test]
fn a_vote_of_before_the_decision_does_not_have_it_done_again() {
    let mut bench = bench();
    let early: Vec<Request> = (1..=4).map(|index| bench.vote(index, 1, &drill("a"))).collect();
    let _ = bench.execute(&early);
    assert_eq!((decided(&bench).len(), open(&bench)), (1, vec![]), "the fourth comes too late");
    for number in 2..=1 + MAX_DECIDED as u64 {
        (1..=3).for_each(|index| _ = vote(&mut bench, index, number, &format!("w{number}")));
    }
    let Request::Said(said) = bench.vote(4, 9, &drill("a")) else { panic!("a vote is said") };
    for after in [0, u64::MAX, 2 + MAX_DECIDED as u64] {
        let count = bench.machine.last_vote(said.by) + 1;
        let what = Saying::Vote { count, after, command: codec::encode(&drill("a")) };
        let _ = bench.execute(&[Request::Said(bench.say(4, what))]);
        assert_eq!(open(&bench), [], "{after}: what was decided meanwhile nobody knows any more");
        assert_eq!(bench.machine.last_vote(said.by), count);
    }
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}

#[test]
fn votes_in_one_batch_count_like_votes_in_many() {
    let mut bench = bench();
    let votes: Vec<Request> = (1..=3).map(|index| bench.vote(index, 7, &drill("b"))).collect();
    let _ = bench.execute(&votes);
    assert_eq!(decided(&bench), ["drill b"]);
}

#[test]
fn a_vote_counts_once_however_often_it_is_cast_or_ordered_and_by_whomever() {
    let mut bench = bench();
    let first = bench.vote(1, 5, &drill("a"));
    for _ in 0..3 {
        let _ = bench.execute(&[first.clone(), first.clone()]);
    }
    for count in [6, 7, 8] {
        vote(&mut bench, 1, count, "a");
    }
    assert_eq!(open(&bench), [("drill a".into(), vec![1])]);
    for index in [2, 3] {
        vote(&mut bench, index, 5, "a");
    }
    assert_eq!(decided(&bench).len(), 1);
    let before = bench.machine.digest();
    let _ = bench.execute(&[]);
    let idle = bench.machine.votes();
    let _ = bench.execute(&[first]);
    assert_eq!(bench.machine.votes(), idle, "an old vote does not come to life again");
    assert_ne!(bench.machine.digest(), before, "time has passed");
}

#[test]
fn commands_that_differ_in_an_octet_do_not_add_up() {
    let mut bench = bench();
    for (index, word) in [(1, "a"), (2, "A"), (3, "a."), (4, "a")] {
        vote(&mut bench, index, 1, word);
    }
    assert_eq!(decided(&bench), [] as [String; 0]);
    assert_eq!(open(&bench).len(), 3);
}

#[test]
fn nobody_votes_in_anothers_name_epoch_or_cluster() {
    let mut bench = bench();
    let good = bench.vote(2, 1, &drill("a"));
    let Request::Said(good) = good else { panic!("a vote is said") };
    let mut forged = good.clone();
    forged.by = crate::quorum::ReplicaId::new(3).unwrap();
    let mut other = good.clone();
    other.what = Saying::Vote { count: 1, after: 0, command: codec::encode(&drill("b")) };
    let mut later = good.clone();
    later.what = Saying::Vote { count: 2, after: 0, command: codec::encode(&drill("a")) };
    let mut stranger = good.clone();
    stranger.by = crate::quorum::ReplicaId::new(5).unwrap();
    let mut genesis = bench.genesis.clone();
    genesis.epoch = crate::codec::Epoch(1);
    let elsewhere = crate::zone::Machine::new(genesis).unwrap();
    let elsewhere = elsewhere.vote_of(good.by, 1, &drill("a"), signer(2));
    let said = [forged, other, later, stranger].map(Request::Said);
    for wrong in said.into_iter().chain([elsewhere]) {
        let executed = bench.execute(&[wrong]);
        assert_eq!(executed.outcomes[0].rcode, crate::dns::Rcode::REFUSED);
        assert_eq!(open(&bench), []);
    }
    let nonsense = Saying::Vote { count: 1, after: 0, command: vec![0xff; 9] };
    let nonsense = Request::Said(crate::zone::Said { what: nonsense, ..good.clone() });
    assert_eq!(bench.execute(&[nonsense]).outcomes[0].rcode, crate::dns::Rcode::FORMERR);
    let _ = bench.execute(&[Request::Said(good)]);
    assert_eq!(open(&bench), [("drill a".into(), vec![2])]);
}

#[test]
fn votes_lapse_in_agreed_time() {
    let mut bench = bench();
    vote(&mut bench, 1, 1, "a");
    bench.now.0 += (VOTE_LAPSE_SECS - 1) * SECOND;
    vote(&mut bench, 2, 1, "a");
    assert_eq!(open(&bench), [("drill a".into(), vec![1, 2])], "to the second");
    let _ = bench.execute(&[]);
    assert_eq!(open(&bench), [("drill a".into(), vec![2])], "one second more");
    vote(&mut bench, 3, 1, "a");
    assert_eq!(decided(&bench), [] as [String; 0]);
    bench.now.0 += 8 * DAY;
    let _ = bench.execute(&[]);
    assert_eq!(open(&bench), []);
}

#[test]
fn what_one_replica_votes_for_is_bounded_and_keeps_nothing_from_the_others() {
    let mut bench = bench();
    vote(&mut bench, 1, 1, "wanted");
    for count in 1..1_000 {
        vote(&mut bench, 4, count, &format!("noise{count}"));
    }
    assert_eq!(open(&bench).len(), 1 + MAX_OPEN_VOTES);
    vote(&mut bench, 2, 1, "wanted");
    vote(&mut bench, 3, 1, "wanted");
    assert_eq!(decided(&bench), ["drill wanted"]);
    for round in 2..100 {
        for index in 1..=3 {
            vote(&mut bench, index, round, &round.to_string());
        }
    }
    let kept = bench.machine.votes().1;
    assert_eq!(kept.len(), MAX_DECIDED);
    assert!(kept.windows(2).all(|pair| pair[0].number + 1 == pair[1].number));
    assert_eq!(kept.last().unwrap().number, 99);
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}

/// The rules of the module's text, as plainly as can be.
#[derive(Default)]
struct Model {
    /// What was decided before the batch in hand.
    known: usize,
    /// Voter, command, seconds: in the order of the votes.
    votes: Vec<(u8, String, u64)>,
    decided: Vec<String>,
}

impl Model {
    fn vote(&mut self, now: u64, index: u8, word: &str) {
        if self.decided[self.known..].contains(&format!("drill {word}")) {
            return;
        }
        if self.votes.iter().any(|(who, what, _)| *who == index && what == word) {
            return;
        }
        self.votes.push((index, word.into(), now));
        if self.votes.iter().filter(|(who, ..)| *who == index).count() > MAX_OPEN_VOTES {
            let oldest = self.votes.iter().position(|(who, ..)| *who == index).unwrap();
            self.votes.remove(oldest);
        }
        if self.votes.iter().filter(|(_, what, _)| what == word).count() == 3 {
            self.votes.retain(|(_, what, _)| what != word);
            self.decided.push(format!("drill {word}"));
        }
    }

    fn open(&self) -> Vec<(String, Vec<u8>)> {
        let mut open: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for (who, word, _) in &self.votes {
            open.entry(format!("drill {word}")).or_default().push(*who);
        }
        open.values_mut().for_each(|who| who.sort());
        open.into_iter().collect()
    }
}

fn run(seed: u64) {
    let at = format!("CONCLAVE_SEED={seed}");
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (mut bench, mut model, mut count) = (bench(), Model::default(), 0);
    for _ in 0..40 {
        if random.below(5) == 0 {
            bench.now.0 += random.below(4) * DAY;
        }
        let now = bench.now.secs() + 1;
        model.votes.retain(|(.., since)| since + VOTE_LAPSE_SECS >= now);
        let mut batch = Vec::new();
        model.known = model.decided.len();
        for _ in 0..random.below(6) {
            let (index, word) = (1 + random.below(4) as u8, format!("w{}", random.below(12)));
            count += 1;
            batch.push(bench.vote(index, count, &drill(&word)));
            if random.below(4) == 0 {
                batch.push(batch[random.below(batch.len() as u64) as usize].clone());
            }
            model.vote(now, index, &word);
        }
        let _ = bench.execute(&batch);
        assert_eq!(open(&bench), model.open(), "{at}");
        let kept = model.decided.len().saturating_sub(MAX_DECIDED);
        assert_eq!(decided(&bench), model.decided[kept..], "{at}");
    }
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest(), "{at}");
}

#[test]
fn the_machine_counts_votes_as_a_plain_list_does() {
    for seed in seeds(0..60) {
        run(seed);
    }
}
