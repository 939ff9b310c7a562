//! What must not hold up a rollover, or the cluster by one; what is refused before it does harm.

use super::*;
use crate::limits::PIPELINE_BATCHES;
use crate::quorum::ReplicaId;
use crate::time::{DAY, UnixMillis};
use crate::zone::Saying;

fn begin(bench: &mut Bench, bundle: &str) -> u16 {
    assert_eq!(bench.command(&format!("keys example. begin {bundle}")), None);
    bench.machine.keys()[0].next.unwrap().1
}

/// Goes on with a step at the moment from which it is safe; gives that, in seconds.
fn step(bench: &mut Bench, step: &str) -> u64 {
    settle(bench);
    let safe = bench.machine.keys()[0].next.unwrap().2.unwrap();
    bench.now.0 = bench.now.0.max((safe - 1) * SECOND);
    assert_eq!(bench.command(&format!("keys example. {step}")), None, "{step}");
    safe
}

#[test]
fn a_ttl_of_years_holds_a_rollover_no_longer_than_its_signature_lasts() {
    let mut bench = bench();
    let bundle = bench.complete(Role::Zsk, 8, 0);
    bench.publish("add www.example. 2147483647 A 192.0.2.80");
    let tag = begin(&mut bench, &bundle);
    step(&mut bench, &format!("activate {tag}"));
    let due = bench.machine.due(UnixMillis(bench.now.0));
    let _ = bench.execute(&due);
    let lifetime = crate::zone::Validity::default();
    let most = u64::from(lifetime.lifetime + lifetime.jitter) + 2 * DAY / SECOND;
    let active = bench.now.secs();
    let safe = step(&mut bench, &format!("remove {tag}"));
    assert!((active..active + most).contains(&safe), "{} days", (safe - active) * SECOND / DAY);
}

#[test]
fn a_step_is_dated_by_when_a_quorum_has_executed_and_not_by_the_order() {
    let mut bench = bench();
    let bundle = bench.complete(Role::Zsk, 8, 0);
    assert_eq!(bench.command("keys example. allowance 60"), None);
    begin(&mut bench, &bundle);
    for _ in 0..=PIPELINE_BATCHES {
        let _ = bench.execute(&[]);
    }
    assert!(bench.machine.keys()[0].next.unwrap().2.is_err(), "ordered, but nobody says that it is executed");
    assert_eq!(bench.machine.due(UnixMillis(bench.now.0)), [], "and no batch more would show it");
    let said = bench.progress();
    let replica = |index| ReplicaId::new(index).unwrap();
    let future = bench.say(4, Saying::Progress { batches: bench.machine.batches() + 1 });
    let mut stolen = bench.say(4, Saying::Progress { batches: bench.machine.batches() });
    stolen.by = replica(1);
    let executed =
        bench.execute(&[said[0].clone(), said[1].clone(), Request::Said(future), Request::Said(stolen)]);
    let rcodes: Vec<Rcode> = executed.outcomes.iter().map(|one| one.rcode).collect();
    assert_eq!(rcodes, [Rcode::NOERROR, Rcode::NOERROR, Rcode::REFUSED, Rcode::REFUSED]);
    assert!(bench.machine.keys()[0].next.unwrap().2.is_err(), "two of four are no quorum");
    assert_eq!(bench.machine.progress_due(replica(1)), None);
    bench.now.0 += DAY;
    let _ = bench.execute(&said[2..]);
    let safe = bench.machine.keys()[0].next.unwrap().2;
    assert_eq!(safe, Ok(bench.now.secs() + 3600 + 1 + 60), "old DNSKEY TTL, allowance");
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}

#[test]
fn a_parent_that_takes_no_second_ds_record_holds_nothing_up_for_ever() {
    let mut bench = bench();
    let (ksk, zsk) = (bench.complete(Role::Ksk, 8, 1), bench.complete(Role::Zsk, 8, 0));
    let old = bench.machine.keys()[0].keys.clone();
    let tag = begin(&mut bench, &ksk);
    assert_eq!(bench.command(&format!("keys example. abort {tag}")), None);
    let back = bench.machine.keys()[0].next.unwrap().1;
    assert_eq!(old[0].tag, back, "commands name the key that comes");
    assert_eq!(bench.sign_all().failures, []);
    assert_eq!(data(&bench.view(), "example.", RrType::CDS).len(), 1);
    step(&mut bench, &format!("ds-gone {back} 3600"));
    assert_eq!(bench.machine.keys()[0].keys, old);
    settle(&mut bench);
    assert_eq!(data(&bench.view(), "example.", RrType::CDS).len(), 0);
    begin(&mut bench, &zsk);
}

#[test]
fn votes_from_before_a_rollover_turned_round_do_not_count_after_it() {
    let mut bench = bench();
    let (bundle, old) = (bench.complete(Role::Ksk, 8, 1), bench.machine.keys()[0].keys[0].tag);
    let tag = begin(&mut bench, &bundle);
    let early = bench.votes_for(&format!("keys example. ds-gone {old} 60"));
    let _ = bench.execute(&early[..2]);
    assert_eq!(bench.machine.votes().0.len(), 1);
    assert_eq!(bench.command(&format!("keys example. abort {tag}")), None);
    assert_eq!(bench.machine.votes().0.len(), 0);
}

#[test]
fn a_ds_ttl_that_cannot_be_is_refused() {
    let mut bench = bench();
    let bundle = bench.complete(Role::Ksk, 8, 1);
    let tag = begin(&mut bench, &bundle);
    settle(&mut bench);
    let refused = bench.command(&format!("keys example. ds-seen {tag} 2592001")).unwrap();
    assert!(refused.contains("2592000"), "{refused}");
    assert_eq!(bench.command(&format!("keys example. ds-seen {tag} 2592000")), None);
}

#[test]
fn one_receipt_of_each_replica_is_looked_at_and_none_of_a_complete_bundle_or_a_stranger() {
    let mut bench = bench();
    let (bundle, dealt) = bench.dealt(Role::Zsk, 8, 0);
    let what = Saying::Bundle(Box::new(bundle.bundle().clone()));
    let said = Request::Said(bench.say(2, what));
    let _ = bench.execute(&[said]);
    let made = |slot: usize| {
        let share = &dealt.shares[slot];
        let made = share.sign(bundle.public(), &bundle.test_message());
        let proof =
            share.prove(bundle.public(), bundle.bundle().epoch, &bundle.test_message(), &made, [1; 32]);
        (made, proof)
    };
    let right = |bench: &Bench, slot: usize| {
        let (share, proof) = made(slot);
        bench.receipt(slot as u8 + 1, &bundle, share, proof)
    };
    // Another's share in one's own name, and a replica that there is not.
    let (share, proof) = made(2);
    let wrong = bench.receipt(1, &bundle, share.clone(), proof.clone());
    let stranger = bench.receipt(9, &bundle, share, proof);
    let send =
        |bench: &mut Bench, receipt| bench.execute(&[Request::Receipt(Box::new(receipt))]).outcomes[0].rcode;
    assert_eq!(send(&mut bench, stranger), Rcode::REFUSED);
    assert_eq!(send(&mut bench, wrong), Rcode::REFUSED);
    let first = right(&bench, 0);
    assert_eq!(send(&mut bench, first), Rcode::NOERROR, "not looked at any more");
    assert_eq!(bench.machine.unreceipted(ReplicaId::new(1).unwrap()), []);
    for slot in 1..4 {
        let receipt = right(&bench, slot);
        assert_eq!(send(&mut bench, receipt), Rcode::NOERROR);
    }
    let refused = bench.command(&format!("keys example. begin {}", bundle.name().to_hex())).unwrap();
    assert!(refused.contains("3 of 4"), "{refused}");
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}

#[test]
fn a_key_must_be_new_and_signed_for_by_as_many_as_its_part_wants() {
    let mut bench = bench();
    let zsk = bench.complete(Role::Zsk, 8, 0);
    let same_key = bench.complete_with(Role::Ksk, 0, 3);
    let (weak, strong) = (bench.complete_with(Role::Ksk, 1, 2), bench.complete_with(Role::Zsk, 1, 3));
    for (bundle, needed) in [(&weak, "must be 3"), (&strong, "must be 2")] {
        let refused = bench.command(&format!("keys example. begin {bundle}")).unwrap();
        assert!(refused.contains(needed), "{refused}");
    }
    let tag = begin(&mut bench, &zsk);
    step(&mut bench, &format!("activate {tag}"));
    let due = bench.machine.due(UnixMillis(bench.now.0));
    let _ = bench.execute(&due);
    step(&mut bench, &format!("remove {tag}"));
    settle(&mut bench);
    let refused = bench.command(&format!("keys example. begin {same_key}")).unwrap();
    assert!(refused.contains("cannot come again"), "{refused}");
}

#[test]
fn below_the_apex_the_ksk_signs_nothing() {
    let mut bench = bench();
    let cds = format!("60 CDS 1 8 2 {}", "ab".repeat(32));
    let view = bench.publish(&format!("add www.example. {cds}\nadd example. {cds}"));
    let signatures = |owner: &str| view.node(&name(owner)).unwrap().get(RrType::CDS).unwrap().rrsigs().len();
    assert_eq!((signatures("example."), signatures("www.example.")), (2, 1));
}

#[test]
fn old_signatures_wait_while_many_new_ones_are_lacking() {
    let mut bench = bench();
    let names = (0..300).map(|i| format!("add n{i}.example. 60 A 192.0.2.1\n")).collect::<String>();
    assert_eq!(bench.update(&names), Rcode::NOERROR);
    bench.now.0 += 60 * DAY;
    assert_eq!(bench.machine.due(UnixMillis(bench.now.0)), [], "an update's signatures are lacking");
    assert_eq!(bench.sign_all().failures, []);
    assert!(matches!(bench.machine.due(UnixMillis(bench.now.0))[..], [Request::Refresh { .. }]));
}

#[test]
fn a_state_with_a_key_that_nobody_dealt_is_refused() {
    let mut bench = bench();
    let bundle = bench.complete(Role::Zsk, 8, 0);
    begin(&mut bench, &bundle);
    assert_eq!(bench.machine.check_deals(), Ok(()));
    bench.machine.members.swap(0, 1);
    assert!(bench.machine.check_deals().unwrap_err().contains("another cluster"));
    bench.machine.members.swap(0, 1);
    bench.machine.drop_deals();
    assert!(bench.machine.check_deals().unwrap_err().contains("nobody has dealt"));
}
