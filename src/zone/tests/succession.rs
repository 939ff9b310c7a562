//! The first state of an epoch is the last one of the epoch before, but for the names of jobs.

use super::restore::octets;
use super::*;
use crate::codec::{self, ClusterId, Digest, Epoch, KeyId};
use crate::dns::Rcode;
use crate::zone::{
    Batch, Begun, Command, Genesis, Machine, Request, RequestId, Role, Succession, keys_digest,
};

/// The same zones and keys, shared anew.
fn next(genesis: &Genesis) -> Genesis {
    let mut next = genesis.clone();
    (next.cluster, next.epoch) = (ClusterId(Digest([7; 32])), Epoch(genesis.epoch.0 + 1));
    for (rules, records) in &mut next.zones {
        records.clear();
        for key in [&mut rules.zsk, &mut rules.ksk] {
            key.id = KeyId(codec::digest("shared anew", &[key.dnskey.wire()]));
        }
    }
    next
}

fn execute(machine: &mut Machine, bench: &Bench, requests: &[Request]) -> Vec<Rcode> {
    let encoded: Vec<Vec<u8>> = requests.iter().map(codec::encode).collect();
    let tagged: Vec<(RequestId, &[u8])> =
        (0..).map(RequestId).zip(encoded.iter().map(Vec::as_slice)).collect();
    let executed = machine.execute(&Batch { time: bench.now, requests: &tagged });
    executed.outcomes.iter().map(|outcome| outcome.rcode).collect()
}

#[test]
fn what_was_signed_stays_signed_and_what_was_not_is_signed_by_the_new_keys() {
    let mut bench = bench();
    let before = bench.publish("add a.example. 300 A 192.0.2.9").serial();
    let repeat = bench.signed("add b.example. 300 A 192.0.2.10");
    assert_eq!(bench.execute(std::slice::from_ref(&repeat)).outcomes[0].rcode, Rcode::NOERROR);
    let last = bench.machine.snapshot();
    let new = next(&bench.genesis);
    let Begun { mut machine, jobs, signed, .. } = last.succeed(&bench.genesis, &new).unwrap();

    assert!(signed.published.is_empty(), "the newest version lacks signatures");
    assert_eq!(machine.digest(), machine.recomputed_digest());
    assert_ne!(machine.digest(), bench.machine.digest(), "a state is bound to its epoch");
    let pending = machine.pending_jobs();
    let old: BTreeSet<_> = bench.machine.pending_jobs().iter().map(|job| job.id).collect();
    assert_eq!(pending.len(), old.len());
    assert!(pending.iter().all(|job| !old.contains(&job.id) && jobs.iter().any(|open| open.job == *job)));

    // The old replicas and the new ones come to the same version, octet by octet.
    assert_eq!(bench.sign_all().failures, []);
    let dnskey = |id: KeyId| {
        let rules = &new.zones[0].0;
        if rules.zsk.id == id { bench.genesis.zones[0].0.zsk.id } else { bench.genesis.zones[0].0.ksk.id }
    };
    for job in pending {
        let as_before = crate::zone::Job { key: dnskey(job.key), ..job.clone() };
        assert_eq!(machine.signed(job.id, &bench.signature(&as_before)).failures, []);
    }
    let (mine, theirs) = (bench.view(), machine.view(&bench.origin).unwrap());
    assert_eq!(mine.serial(), before + 1);
    assert_eq!(octets(&mine), octets(&theirs));
    assert_eq!(machine.version(&bench.origin), bench.machine.version(&bench.origin));

    // What was executed is remembered; what is new goes on from there.
    bench.now.0 += 1_000;
    assert_eq!(execute(&mut machine, &bench, &[repeat]), [Rcode::NOERROR]);
    assert!(machine.pending_jobs().is_empty(), "a repeat changes nothing");
    let update = bench.signed("add c.example. 300 A 192.0.2.11");
    assert_eq!(execute(&mut machine, &bench, &[update]), [Rcode::NOERROR]);
    assert_eq!(machine.digest(), machine.recomputed_digest());
}

#[test]
fn a_cluster_with_other_zones_keys_or_dates_of_signatures_does_not_follow() {
    let bench = bench();
    let last = bench.machine.snapshot();
    let refused = |change: &dyn Fn(&mut Genesis)| {
        let mut new = next(&bench.genesis);
        change(&mut new);
        last.succeed(&bench.genesis, &new).err().expect("it follows")
    };
    assert!(refused(&|new| new.zones.clear()).contains("not in the new cluster"));
    assert!(refused(&|new| new.zones[0].0.zsk = new.zones[0].0.ksk.clone()).contains("not in the new"));
    assert!(refused(&|new| new.zones[0].0.validity.lifetime += 1).contains("dates of signatures must stay"));
    let other = |new: &mut Genesis| {
        let mut other = new.zones[0].clone();
        other.0.origin = name("other.");
        new.zones.push(other);
    };
    assert!(refused(&other).contains("other zones"));
    let elsewhere = Genesis { cluster: ClusterId(Digest([9; 32])), ..bench.genesis.clone() };
    assert!(last.succeed(&elsewhere, &next(&bench.genesis)).is_err(), "a state of another cluster");
}

/// The command by which a cluster with the bench's keys follows.
fn command(bench: &Bench, continuing: &[u8]) -> Succession {
    let keys = bench
        .genesis
        .zones
        .iter()
        .flat_map(|(rules, _)| [&rules.zsk, &rules.ksk].map(|key| (&rules.origin, &key.dnskey)));
    Succession {
        cluster: ClusterId(Digest([7; 32])),
        epoch: Epoch(1),
        faults: 1,
        continuing: continuing.to_vec(),
        keys: keys_digest(keys),
    }
}

/// Votes of three of the four replicas, in one batch with what comes after.
fn votes(bench: &Bench, command: &Succession) -> Vec<Request> {
    (1..=3).map(|index| bench.vote(index, 1, &Command::Epoch(command.clone()))).collect()
}

#[test]
fn the_batch_with_the_deciding_vote_is_the_last_and_is_executed_whole() {
    let mut bench = bench();
    let command = command(&bench, &[1, 2, 3]);
    let text = Command::Epoch(command.clone()).to_string();
    assert_eq!(text.parse(), Ok(Command::Epoch(command.clone())), "{text}");
    let mut requests = votes(&bench, &command);
    assert_eq!(bench.execute(&requests[..2]).ends, None, "two votes are no quorum");
    requests.push(bench.signed("add late.example. 300 A 192.0.2.77"));
    let executed = bench.execute(&requests[2..]);
    assert_eq!(executed.ends, Some(command));
    assert_eq!(executed.outcomes[1].rcode, Rcode::NOERROR);
    let (open, decided) = bench.machine.votes();
    assert!(open.is_empty() && decided[0].refused.is_none());
    let begun = bench.machine.snapshot().succeed(&bench.genesis, &next(&bench.genesis)).unwrap();
    assert_eq!(begun.machine.votes().1.len(), 1, "what was decided can be looked at");
    assert_eq!(begun.machine.digest(), begun.machine.recomputed_digest());
}

#[test]
fn a_rollover_begun_beside_the_end_of_the_epoch_is_refused_or_refuses_the_end() {
    for rolls_first in [false, true] {
        let mut bench = bench();
        let bundle = bench.complete(Role::Zsk, 8, 0);
        let command = command(&bench, &[1, 2, 3]);
        let (ends, rolls) = (Command::Epoch(command).to_string(), format!("keys example. begin {bundle}"));
        let (first, second) = if rolls_first { (&rolls, &ends) } else { (&ends, &rolls) };
        let mut requests = bench.votes_for(first);
        requests.extend(bench.votes_for(second));
        let executed = bench.execute(&requests);
        assert_eq!(executed.ends.is_some(), !rolls_first);
        let refused = bench.decision(second).expect("one of them is refused");
        assert!(refused.contains(if rolls_first { "rollover" } else { "ended the epoch" }), "{refused}");
        if !rolls_first {
            let begun = bench.machine.snapshot().succeed(&bench.genesis, &next(&bench.genesis));
            assert!(begun.is_ok(), "{:?}", begun.err());
        }
    }
}

#[test]
fn a_command_that_cannot_be_followed_is_refused_and_the_epoch_goes_on() {
    type Change = fn(&mut Succession);
    let changes: [(Change, &str); 5] = [
        (|command| command.epoch = Epoch(2), "does not follow"),
        (|command| command.keys = Digest::default(), "keys are not those"),
        (|command| command.continuing = vec![2], "no more than 1 replicas continue"),
        (|command| command.continuing = vec![3, 2, 1], "in ascending order"),
        (|command| command.continuing = vec![3, 4, 5], "not replicas of this epoch"),
    ];
    for (change, reason) in changes {
        let mut bench = bench();
        let mut command = command(&bench, &[1, 2, 3]);
        change(&mut command);
        let requests = votes(&bench, &command);
        assert_eq!(bench.execute(&requests).ends, None);
        let refused = bench.machine.votes().1[0].refused.clone().unwrap_or_default();
        assert!(refused.contains(reason), "expected `{reason}`: {refused}");
    }
}
