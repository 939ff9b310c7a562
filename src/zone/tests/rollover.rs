//! Rollovers: at no moment is there a validator, whatever it fetched and whenever, to whom the zone is bogus; and no
//! step comes later than it must.

mod bounds;
mod caches;
mod history;

use super::*;
use crate::dns::{Rcode, dnssec};
use crate::plant::{Plant, Whose, sown};
use crate::time::SECOND;
use crate::zone::differential::seeds;
use crate::zone::{Request, Role, Said, Saying, Step};
use history::{History, Kind};

/// One rollover to its end, at the earliest moments allowed; signatures are made up, as only who signs matters.
fn imagined(seed: u64, kind: Kind) {
    let made = sown(&[Plant::UncheckedPublication], Whose::All, || History::new(seed, kind, false).run());
    made.unwrap_or_else(|_| panic!("CONCLAVE_SEED={seed} {kind:?}: see above"));
}

fn kind_of(seed: u64) -> Kind {
    [Kind::Zsk, Kind::Ksk, Kind::Algorithm][seed as usize % 3]
}

/// RFC 7583 §3.2.1 and RFC 7583 §3.3.2.
#[test]
fn no_validator_that_cached_at_the_worst_time_sees_a_bogus_zone_over_thousands_of_ttl_histories() {
    for seed in seeds(0..2_000) {
        imagined(seed, kind_of(seed));
    }
}

/// RFC 6840 §5.11 and RFC 4035 §2.2: at every stage of a change of algorithm too.
#[test]
fn with_real_signatures_every_version_verifies_at_every_stage() {
    for seed in seeds(0..6) {
        History::new(seed, kind_of(seed), true).run();
    }
}

fn found(plant: Plant, kinds: &[Kind]) {
    let harms = |seed: u64, kind: Kind| {
        let plants = [Plant::UncheckedPublication, plant];
        sown(&plants, Whose::All, || History::new(seed, kind, false).run()).is_err()
    };
    for kind in kinds {
        assert!((0..200).any(|seed| harms(seed, *kind)), "{plant:?} in {kind:?}: not with 200 histories");
    }
}

#[test]
fn planted_impatience_of_every_kind_is_found() {
    found(Plant::DnskeyUnawaited, &[Kind::Zsk, Kind::Ksk, Kind::Algorithm]);
    found(Plant::DataUnawaited, &[Kind::Zsk, Kind::Algorithm]);
    found(Plant::DsUnawaited, &[Kind::Ksk, Kind::Algorithm]);
    found(Plant::HorizonForgotten, &[Kind::Zsk, Kind::Algorithm]);
    found(Plant::FreshForgotten, &[Kind::Zsk, Kind::Algorithm]);
    found(Plant::CdsUnawaited, &[Kind::Ksk, Kind::Algorithm]);
    found(Plant::ServedByOrder, &[Kind::Zsk, Kind::Ksk, Kind::Algorithm]);
    found(Plant::ServedAtOnce, &[Kind::Zsk, Kind::Ksk, Kind::Algorithm]);
    found(Plant::NoAllowance, &[Kind::Zsk, Kind::Ksk, Kind::Algorithm]);
}

/// Batches until what came before is known to be signed, and a quorum has said that it has executed them.
fn settle(bench: &mut Bench) {
    for _ in 0..crate::limits::PIPELINE_BATCHES {
        let _ = bench.execute(&[]);
    }
    let said = bench.progress();
    let _ = bench.execute(&said);
    assert_eq!(bench.sign_all().failures, []);
}

/// RFC 7583 §3.2.1.
#[test]
fn a_premature_step_is_refused_with_the_date_at_which_it_becomes_safe() {
    let mut bench = bench();
    let bundle = bench.complete(Role::Zsk, 8, 0);
    assert_eq!(bench.command("keys example. allowance 60"), None);
    assert_eq!(bench.command(&format!("keys example. begin {bundle}")), None);
    let tag = bench.machine.keys()[0].next.unwrap().1;
    let activate = format!("keys example. activate {tag}");
    let refused = bench.command(&activate).unwrap();
    assert!(refused.contains("not known to be there"), "{refused}");
    settle(&mut bench);
    let (step, _, safe) = bench.machine.keys()[0].next.unwrap();
    let safe = safe.unwrap();
    assert_eq!((step, safe), (Step::Activate, bench.now.secs() + 3600 + 1 + 60), "old DNSKEY TTL, allowance");
    let refused = bench.command(&activate).unwrap();
    assert!(refused.contains(&crate::dns::show_date(safe)), "{refused}");
    bench.now.0 = (safe - 2) * SECOND;
    assert!(bench.command(&activate).is_some(), "a second too early");
    assert_eq!(bench.command(&activate), None);
    let refused = bench.command(&activate).unwrap();
    assert!(refused.contains("the next step is `remove`"), "{refused}");
}

#[test]
fn a_key_is_used_only_with_the_receipts_of_all_replicas() {
    let mut bench = bench();
    let (bundle, dealt) = bench.dealt(Role::Zsk, 8, 0);
    let by = crate::quorum::ReplicaId::new(2).unwrap();
    let what = Saying::Bundle(Box::new(bundle.bundle().clone()));
    let said = bench.say(2, what);
    let begin = format!("keys example. begin {}", bundle.name().to_hex());
    assert!(bench.command(&begin).unwrap().contains("no bundle"));
    let stolen = Request::Said(Said { by: crate::quorum::ReplicaId::new(3).unwrap(), ..said.clone() });
    assert_eq!(bench.execute(&[stolen]).outcomes[0].rcode, Rcode::REFUSED);
    let _ = bench.execute(&[Request::Said(said.clone()), Request::Said(said)]);
    assert_eq!(bench.machine.unreceipted(by), [bundle.name()]);
    for (slot, share) in dealt.shares.iter().enumerate() {
        let refused = bench.command(&begin).unwrap();
        assert!(refused.contains(&format!("{slot} of 4")), "{refused}");
        let (x, index) = (bundle.test_message(), slot as u8 + 1);
        let made = share.sign(bundle.public(), &x);
        let proof = share.prove(bundle.public(), bundle.bundle().epoch, &x, &made, [1; 32]);
        let receipt = bench.receipt(index, &bundle, made, proof);
        let mut wrong = receipt.clone();
        wrong.share.0[5] ^= 1;
        let outcomes = bench.execute(&[wrong, receipt].map(|one| Request::Receipt(Box::new(one)))).outcomes;
        assert_eq!(
            outcomes.iter().map(|one| one.rcode).collect::<Vec<_>>(),
            [Rcode::REFUSED, Rcode::NOERROR]
        );
    }
    assert_eq!(bench.command(&begin), None);
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}

/// RFC 7344 §4 and RFC 7344 §4.1.
#[test]
fn while_a_rollover_tells_the_parent_no_client_does() {
    let mut bench = bench();
    let bundle = bench.complete(Role::Ksk, 8, 1);
    assert_eq!(bench.command(&format!("keys example. begin {bundle}")), None);
    assert_eq!(bench.sign_all().failures, []);
    let view = bench.view();
    assert_eq!(data(&view, "example.", RrType::CDS).len(), 2);
    assert_eq!(data(&view, "example.", RrType::CDNSKEY).len(), 2);
    assert!(nsec(&view, "example.").unwrap().1.contains(&RrType::CDS));
    for text in [&format!("add example. 60 CDS 1 8 2 {}", "ab".repeat(32)), "del example. CDNSKEY"] {
        assert_eq!(bench.update(text), Rcode::REFUSED, "{text}");
    }
    let old = WholeKey::ksk().info.dnskey;
    let ds = dnssec::ds_rdata(&bench.origin, &old, 2).unwrap();
    assert!(view.apex().get(RrType::CDS).unwrap().rrset.contains(&ds));
}

#[test]
fn one_rollover_at_a_time_and_tags_tell_keys_apart() {
    let mut bench = bench();
    let (zsk, ksk) = (bench.complete(Role::Zsk, 8, 0), bench.complete(Role::Ksk, 8, 1));
    let other = bench.complete(Role::Zsk, 10, 0);
    let begin = |names: &str| format!("keys example. begin {names}");
    for wrong in [begin(&format!("{zsk} {ksk}")), begin(&other), begin(&format!("{zsk} {zsk}"))] {
        assert!(bench.command(&wrong).unwrap().contains("a rollover is to"), "{wrong}");
    }
    assert_eq!(bench.command(&begin(&zsk)), None);
    assert!(bench.command(&begin(&ksk)).unwrap().contains("under way"));
    let tag = bench.machine.keys()[0].next.unwrap().1;
    assert!(bench.command(&format!("keys example. abort {}", tag ^ 1)).unwrap().contains("not key"));
    assert_eq!(bench.command(&format!("keys example. abort {tag}")), None);
    assert_eq!(bench.machine.keys()[0].keys.len(), 2);
    assert!(bench.command(&begin(&zsk)).unwrap().contains("used before"));
    assert!(bench.command(&begin(&ksk)).unwrap().contains("some batches more"));
    assert_eq!(bench.machine.retired_keys().count(), 0, "somebody may lack a signature by it");
    settle(&mut bench);
    let [retired] = bench.machine.retired_keys().collect::<Vec<_>>()[..] else { panic!("one was retired") };
    let zsk = bench.complete(Role::Zsk, 8, 0);
    let key = bench.machine.deals().find(|(name, _)| name.to_hex() == zsk).unwrap().1.bundle.clone();
    let key = key.check().unwrap();
    assert!(retired.key == key.key_id() && retired.has(key.public().modulus()));
    assert!(bench.command(&begin(&zsk)).unwrap().contains("in use before"), "dealt again or not");
    assert_eq!(bench.command(&begin(&ksk)), None);
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
    assert!(bench.command("keys nowhere. allowance 1").unwrap().contains("no zone"));
}
