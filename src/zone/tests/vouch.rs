//! Updates under a `quorum` key count by the word of t+1 replicas, once; and each key has its quota.

use super::restore::{execute_both, restored};
use super::*;
use crate::dns::Rcode;
use crate::dns::edns::{Edns, OPTION_NONCE};
use crate::dns::tsig::{self, Quota};
use crate::limits::{MAX_OPEN_VOUCHES, MAX_REPLAY_ENTRIES};
use crate::time::{MINUTE, SECOND};
use crate::zone::differential::Random;
use crate::zone::{Account, Executed, Outcome, Request, Saying, Stage, Trust, change_of};
use std::sync::Arc;

const POLICY: [&str; 2] = ["grant many. zonesub A TXT SOA", "grant updater. zonesub ANY"];

fn bench() -> Bench {
    Bench::with_policy("example.", ZONE, &POLICY)
}

/// A message as replicas vouch for it; with a nonce of this second and number, if so.
fn change(lines: &str, nonce: Option<(u64, u8)>) -> Vec<u8> {
    let (prerequisites, updates) = script(lines);
    let mut wire = message(0, &name("example."), &prerequisites, &updates);
    if let Some((secs, chance)) = nonce {
        let option = [&secs.to_be_bytes()[..], &[chance; 16]].concat();
        wire[11] = 1;
        Edns { udp_size: 1232, options: vec![(OPTION_NONCE, option)], ..Edns::default() }.write(&mut wire);
    }
    wire
}

/// A replica's vouch for a message whose signature counts for 300 seconds from now.
fn vouch(bench: &Bench, index: u8, message: &[u8]) -> Request {
    vouch_until(bench, index, message, bench.now.secs() + 300)
}

fn vouch_until(bench: &Bench, index: u8, message: &[u8], until: u64) -> Request {
    Request::Said(bench.say(index, Saying::Vouch { key: name("many."), until, message: message.to_vec() }))
}

fn one(executed: Executed) -> Outcome {
    executed.outcomes.into_iter().next().unwrap()
}

fn run(bench: &mut Bench, make: impl FnOnce(&Bench) -> Request) -> (Option<Stage>, Rcode) {
    let request = make(bench);
    let outcome = one(bench.execute(&[request]));
    (outcome.vouch.map(|vouch| vouch.stage), outcome.rcode)
}

fn serial(bench: &Bench) -> u32 {
    bench.machine.head(&bench.origin).serial()
}

const OPEN: (Option<Stage>, Rcode) = (Some(Stage::Open), Rcode::NOERROR);
const DONE: (Option<Stage>, Rcode) = (Some(Stage::Decided), Rcode::NOERROR);
const NOTHING: (Option<Stage>, Rcode) = (None, Rcode::REFUSED);

#[test]
fn a_change_runs_once_when_one_more_than_t_replicas_vouch_for_it() {
    let mut bench = bench();
    let first = change("add a.example. 60 A 192.0.2.1", Some((bench.now.secs(), 1)));
    let before = serial(&bench);
    assert_eq!(run(&mut bench, |bench| vouch(bench, 1, &first)), OPEN);
    // The same replica twice is one.
    assert_eq!(run(&mut bench, |bench| vouch(bench, 1, &first)), OPEN);
    assert_eq!(serial(&bench), before);
    let request = vouch(&bench, 3, &first);
    let executed = one(bench.execute(&[request]));
    assert_eq!((executed.vouch.map(|vouch| vouch.stage), executed.rcode), DONE);
    let Account { signer, added, serial: after, .. } = *executed.account.unwrap();
    assert_eq!(
        (signer.map(|signer| signer.name().clone()), added, after),
        (Some(name("many.")), 1, Some(before + 1))
    );
    // Who comes late gets the first answer, though the record is gone again meanwhile.
    assert_eq!(bench.update("del a.example."), Rcode::NOERROR);
    for index in [2, 4, 1] {
        assert_eq!(run(&mut bench, |bench| vouch(bench, index, &first)), DONE, "replica {index}");
    }
    assert_eq!(serial(&bench), before + 2);
    // All in one batch.
    let second = change("add b.example. 60 A 192.0.2.1", Some((bench.now.secs(), 2)));
    let all: Vec<Request> = (1..=4).map(|index| vouch(&bench, index, &second)).collect();
    let outcomes = bench.execute(&all).outcomes;
    let stages: Vec<_> = outcomes.iter().map(|one| (one.vouch.unwrap().stage, one.rcode)).collect();
    assert_eq!(stages[0], (Stage::Open, Rcode::NOERROR));
    assert!(stages[1..].iter().all(|stage| *stage == (Stage::Decided, Rcode::NOERROR)), "{stages:?}");
    assert_eq!(serial(&bench), before + 3);
}

#[test]
fn t_corrupt_replicas_bring_no_change_about_and_alter_none() {
    let mut bench = bench();
    let before = serial(&bench);
    let good = change("add a.example. 60 A 192.0.2.1", Some((bench.now.secs(), 1)));
    // However often one says it, and in whosever name.
    for until in 1..5 {
        let until = bench.now.secs() + 300 + until;
        assert_eq!(run(&mut bench, |bench| vouch_until(bench, 4, &good, until)), OPEN);
    }
    let Request::Said(mut forged) = vouch(&bench, 4, &good) else { unreachable!() };
    forged.by = crate::quorum::ReplicaId::new(2).unwrap();
    assert_eq!(run(&mut bench, |_| Request::Said(forged)), NOTHING);
    // A correct replica's word for one message is none for another, wherever they differ.
    for at in 0..good.len() {
        let mut other = good.clone();
        other[at] ^= 1;
        let outcome = run(&mut bench, |bench| vouch(bench, 1, &other));
        assert_eq!(outcome, OPEN, "octet {at}");
    }
    assert_eq!(serial(&bench), before);
    // Nor is one for one key a word for another.
    for key in ["updater.", "nobody."] {
        let what = Saying::Vouch { key: name(key), until: bench.now.secs() + 9, message: good.clone() };
        let said = bench.say(1, what);
        assert_eq!(run(&mut bench, |_| Request::Said(said)), NOTHING, "{key}");
    }
    // And what a replica alone could sign is no update at any.
    let mut wire = good.clone();
    tsig::sign_request(&mut wire, &many(), bench.now.secs());
    let outcome = one(bench.execute(&[Request::Update { wire }]));
    assert_eq!(
        (outcome.rcode, outcome.failure),
        (Rcode::NOTAUTH, Some(crate::dns::tsig::AuthFailure::BadKey))
    );
    assert_eq!(serial(&bench), before);
}

/// RFC 2136 §2.4.2: the SOA in a prerequisite is one that must be there exactly.
#[test]
fn without_a_nonce_only_the_present_soa_makes_an_update_one_that_runs_once() {
    let mut bench = bench();
    let decided = |bench: &mut Bench, message: &[u8]| {
        assert_eq!(run(bench, |bench| vouch(bench, 1, message)).0, Some(Stage::Open));
        run(bench, |bench| vouch(bench, 2, message)).1
    };
    assert_eq!(decided(&mut bench, &change("add a.example. 60 A 192.0.2.1", None)), Rcode::REFUSED);
    let lacking = change("yxrrset example. SOA\nadd a.example. 60 A 192.0.2.1", None);
    assert_eq!(decided(&mut bench, &lacking), Rcode::REFUSED, "a SOA without data says nothing");
    let soa =
        |serial: u32| format!("yxrrset example. SOA ns1.example. admin.example. {serial} 3600 600 86400 300");
    let text = |serial| change(&format!("{}\nadd a.example. 60 A 192.0.2.1", soa(serial)), None);
    assert_eq!(decided(&mut bench, &text(4)), Rcode::NXRRSET, "not the present one");
    assert_eq!(serial(&bench), 5);
    assert_eq!(decided(&mut bench, &text(5)), Rcode::NOERROR);
    // It is remembered for as long as a vouch can count; then the serial is another.
    assert_eq!(run(&mut bench, |bench| vouch(bench, 4, &text(5))), DONE);
    bench.now.0 += 601 * SECOND;
    assert_eq!(bench.update("del a.example."), Rcode::NOERROR);
    assert_eq!(decided(&mut bench, &text(5)), Rcode::NXRRSET);
    // In the batch that moves the serial to the one that it names, the prerequisite holds again after it; it runs once.
    let guessed = text(8);
    let mover = bench.signed("add m.example. 60 A 192.0.2.1");
    let batch = [mover, vouch(&bench, 1, &guessed), vouch(&bench, 2, &guessed), vouch(&bench, 3, &guessed)];
    let outcomes = bench.execute(&batch).outcomes;
    let added: Vec<u64> =
        outcomes.iter().map(|one| one.account.as_ref().map_or(0, |told| told.added)).collect();
    assert_eq!(added, [1, 0, 1, 0]);
}

#[test]
fn vouches_and_nonces_count_in_their_windows_of_agreed_time_only() {
    let mut bench = bench();
    let now = bench.now.secs() + 1;
    let text = |nonce| change("add a.example. 60 A 192.0.2.1", Some((nonce, 1)));
    let void = (Some(Stage::Void), Rcode::SERVFAIL);
    assert_eq!(run(&mut bench, |bench| vouch_until(bench, 1, &text(now), now - 1)), void);
    assert_eq!(run(&mut bench, |bench| vouch_until(bench, 1, &text(now), now + 602)), void);
    // A vouch that has lapsed does not meet another.
    assert_eq!(run(&mut bench, |bench| vouch_until(bench, 1, &text(now), now + 10)), OPEN);
    bench.now.0 += 10 * SECOND;
    assert_eq!(run(&mut bench, |bench| vouch(bench, 2, &text(now))), OPEN);
    // A nonce of another time is refused, and so is one that the replay table has forgotten.
    let refused = (Some(Stage::Decided), Rcode::SERVFAIL);
    for nonce in [0, u64::MAX, bench.now.secs() - 400, bench.now.secs() + 400] {
        assert_eq!(run(&mut bench, |bench| vouch(bench, 1, &text(nonce))), OPEN, "{nonce}");
        assert_eq!(run(&mut bench, |bench| vouch(bench, 2, &text(nonce))), refused, "{nonce}");
    }
    let before = serial(&bench);
    assert_eq!(run(&mut bench, |bench| vouch(bench, 1, &text(now))), DONE);
    assert_eq!((serial(&bench), bench.update("del a.example.")), (before + 1, Rcode::NOERROR));
    bench.now.0 += 300 * SECOND;
    assert_eq!(run(&mut bench, |bench| vouch(bench, 1, &text(now))), OPEN);
    assert_eq!(run(&mut bench, |bench| vouch(bench, 2, &text(now))), refused);
    assert_eq!(serial(&bench), before + 2);
}

#[test]
fn a_replica_has_so_many_open_vouches_of_a_key_and_takes_none_of_anothers_places() {
    let mut bench = bench();
    let text = |n: u8| change("add a.example. 60 A 192.0.2.1", Some((START_SECS, n)));
    let honest = text(255);
    assert_eq!(run(&mut bench, |bench| vouch(bench, 1, &honest)), OPEN);
    for n in 0..=MAX_OPEN_VOUCHES as u8 {
        assert_eq!(run(&mut bench, |bench| vouch(bench, 4, &text(n))), OPEN);
    }
    let held = |bench: &Bench, message: &[u8]| {
        bench.machine.vouchers(&name("many."), change_of(&name("MANY."), message)).count()
    };
    let kept = (0..=MAX_OPEN_VOUCHES as u8).filter(|n| held(&bench, &text(*n)) == 1);
    assert_eq!(kept.collect::<Vec<_>>(), (1..=MAX_OPEN_VOUCHES as u8).collect::<Vec<_>>(), "the oldest went");
    assert_eq!(held(&bench, &honest), 1);
    // All lapse.
    bench.now.0 += 301 * SECOND;
    let digest = bench.machine.digest();
    let _ = bench.execute(&[]);
    assert_eq!(held(&bench, &honest), 0);
    assert_ne!(bench.machine.digest(), digest, "what has lapsed is no part of the state");
}

#[test]
fn a_machine_restored_between_two_vouches_decides_with_the_second() {
    let mut bench = bench();
    let text = change("add a.example. 60 A 192.0.2.1", Some((bench.now.secs(), 1)));
    assert_eq!(run(&mut bench, |bench| vouch(bench, 1, &text)), OPEN);
    assert_eq!(bench.sign_all().failures, []);
    let snapshot = bench.machine.snapshot();
    let (mut other, ..) = restored(&bench, &snapshot, Trust::Nobody, &mut Random(1));
    let second = vouch(&bench, 2, &text);
    execute_both(&mut bench, &mut other, &[second], "the second vouch");
    assert_eq!(run(&mut bench, |bench| vouch(bench, 3, &text)), DONE);
}

fn with_quota(quota: Quota) -> Bench {
    let mut bench = Bench::unstarted("example.", ZONE, &POLICY);
    let mut keys = crate::dns::tsig::Keyring::default();
    for key in [updater(), many()] {
        keys.tsig.insert(key.name.clone(), key);
    }
    keys.quotas.insert(name("updater."), quota);
    bench.genesis.keys = Arc::new(keys);
    bench.machine = crate::zone::Machine::new(bench.genesis.clone()).unwrap();
    let _ = bench.execute(&[Request::Genesis { zone: name("example.") }]);
    assert_eq!(bench.sign_all().failures, []);
    bench
}

#[test]
fn a_key_may_ask_at_its_pace_in_agreed_time_with_a_burst_and_no_longer_messages_than_its_quota_says() {
    let mut bench = with_quota(Quota { octets: 200, burst: 3, per_minute: 6 });
    let texts: Vec<String> = (0..5).map(|n| format!("add n{n}.example. 60 A 192.0.2.1")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (yes, no) = (Rcode::NOERROR, Rcode::SERVFAIL);
    assert_eq!(bench.batch(&texts), [yes, yes, yes, no, no]);
    let snapshot = bench.machine.snapshot();
    let _ = bench.sign_all();
    let (mut other, ..) = restored(&bench, &snapshot, Trust::Nobody, &mut Random(1));
    let more = bench.signed("add m.example. 60 A 192.0.2.1");
    execute_both(&mut bench, &mut other, std::slice::from_ref(&more), "a restored machine keeps count");
    // What was refused so stays refused, whoever has it ordered again; signed anew it is done.
    bench.now.0 += 9 * SECOND;
    assert_eq!(one(bench.execute(&[more])).rcode, no);
    let anew = bench.signed("add m.example. 60 A 192.0.2.1");
    assert_eq!(one(bench.execute(std::slice::from_ref(&anew))).rcode, yes);
    assert_eq!(one(bench.execute(&[anew])).rcode, yes, "a repeat costs nothing");
    assert_eq!(bench.update("add o.example. 60 A 192.0.2.1"), no);
    bench.now.0 += MINUTE;
    assert_eq!(bench.batch(&texts), [yes, yes, yes, no, no]);
    // Others are not held up, and what is refused by its length costs nothing.
    let text = change("add a.example. 60 A 192.0.2.1", Some((bench.now.secs(), 1)));
    assert_eq!(run(&mut bench, |bench| vouch(bench, 1, &text)), OPEN);
    assert_eq!(run(&mut bench, |bench| vouch(bench, 2, &text)), DONE);
    bench.now.0 += MINUTE;
    let long = format!("add a.example. 60 TXT {}", "x".repeat(150));
    let request = bench.signed(&long);
    let told = one(bench.execute(&[request])).account.unwrap().refusal.unwrap();
    assert!(
        told.rcode() == Rcode::REFUSED && told.to_string().contains("of the key updater. may have 200"),
        "{told}"
    );
    assert_eq!(bench.batch(&texts), [yes, yes, yes, no, no]);
}

#[test]
fn where_nothing_is_said_no_key_can_fill_the_replay_table_and_all_together_cannot_overflow_it() {
    for keys in [0, 1, 2, 4, 5, 17, 1_000, 50_000] {
        let quota = Quota::of_one_among(keys);
        let all = quota.share() * keys as u64;
        assert!(all <= MAX_REPLAY_ENTRIES as u64 || quota.per_minute == 1, "{keys} keys: {quota:?}");
        assert!(quota.share() <= MAX_REPLAY_ENTRIES as u64 / 4, "{keys} keys: {quota:?}");
    }
    // No more pass in any ten minutes than the share says.
    let quota = Quota { octets: 0, burst: 5, per_minute: 7 };
    let (mut full, mut passed) = (0, Vec::new());
    for millis in (0..40 * MINUTE).step_by(250) {
        let now = crate::time::AgreedTime(millis);
        if let Some(later) = quota.take(full, now) {
            full = later;
            passed.push(millis);
        }
    }
    for (at, first) in passed.iter().enumerate() {
        let within = passed[at..].iter().filter(|later| *later - first <= 10 * MINUTE).count();
        assert!(within as u64 <= quota.share() + 1, "{within} from {first}");
    }
    assert!(passed.len() > 7 * 39);
}

#[test]
fn a_change_that_was_refused_as_one_too_many_is_not_done_later_by_the_same_vouches() {
    let mut bench = with_quota(Quota { octets: 999, burst: 1, per_minute: 6 });
    let mut keys = crate::dns::tsig::Keyring::default();
    keys.tsig.insert(name("many."), many());
    keys.quotas.insert(name("many."), Quota { octets: 999, burst: 1, per_minute: 6 });
    bench.machine.keys = Arc::new(keys);
    let text = |bench: &Bench, n| change("add a.example. 60 A 192.0.2.1", Some((bench.now.secs(), n)));
    let texts = [text(&bench, 1), text(&bench, 2)];
    let vouches = texts.map(|text| [1, 2].map(|index| vouch(&bench, index, &text)));
    let decided = |bench: &mut Bench, vouches: &[Request; 2]| {
        let outcome = bench.execute(vouches).outcomes.pop().unwrap();
        (outcome.vouch.map(|vouch| vouch.stage), outcome.rcode)
    };
    let refused = (Some(Stage::Decided), Rcode::SERVFAIL);
    assert_eq!((decided(&mut bench, &vouches[0]), decided(&mut bench, &vouches[1])), (DONE, refused));
    bench.now.0 += 60 * SECOND;
    let before = serial(&bench);
    assert_eq!(decided(&mut bench, &vouches[1]), refused);
    assert_eq!(serial(&bench), before);
    let anew = text(&bench, 3);
    let anew = [1, 2].map(|index| vouch(&bench, index, &anew));
    assert_eq!(decided(&mut bench, &anew), DONE, "what is refused again costs nothing");
}

#[test]
fn a_vouch_that_is_ordered_again_shortens_no_later_one() {
    let mut bench = bench();
    let now = bench.now.secs();
    let text = change("add a.example. 60 A 192.0.2.1", Some((now, 1)));
    assert_eq!(run(&mut bench, |bench| vouch_until(bench, 1, &text, now + 200)), OPEN);
    assert_eq!(run(&mut bench, |bench| vouch_until(bench, 1, &text, now + 20)), OPEN);
    bench.now.0 += 100 * SECOND;
    assert_eq!(run(&mut bench, |bench| vouch(bench, 2, &text)), DONE);
}

#[test]
fn a_clock_that_was_set_back_keeps_no_key_out() {
    let quota = Quota { octets: 0, burst: 2, per_minute: 6 };
    let ahead = quota.take(0, crate::time::AgreedTime(10 * MINUTE)).unwrap();
    let now = crate::time::AgreedTime(MINUTE);
    let once = quota.take(ahead, now).expect("later than it can be");
    let twice = quota.take(once, now).expect("a burst of two");
    assert_eq!(quota.take(twice, now), None);
}
