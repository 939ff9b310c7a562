//! Versions, serials, signatures, refresh, replay: pitfalls 7 and 14 to 20, 24, 27 and 29.

use super::*;
use crate::codec;
use crate::dns::dnssec::RrsigFields;
use crate::dns::tsig::{AuthFailure, Keyring, Quota};
use crate::dns::{Rcode, Soa};
use crate::time::{AgreedTime, DAY, SECOND, UnixMillis};
use crate::zone::rules::SerialRule;
use crate::zone::{Machine, Request, Validity};
use std::sync::Arc;

fn refresh() -> Request {
    Request::Refresh { zone: name("example."), serial: 0 }
}

fn genesis() -> Request {
    Request::Genesis { zone: name("example.") }
}

/// RFC 4035 §2.1.
#[test]
fn genesis_adds_keys_keeps_the_serial_and_happens_once() {
    let mut bench = Bench::unstarted("example.", ZONE, &["grant updater. zonesub ANY"]);
    assert!(bench.machine.view(&bench.origin).is_none());
    assert_eq!(bench.machine.due(UnixMillis(0)), [genesis()]);
    assert_eq!(bench.update("add x.example. 60 A 192.0.2.1"), Rcode::SERVFAIL, "not yet");
    let executed = bench.execute(&[genesis(), genesis()]);
    let keys: std::collections::BTreeSet<_> = executed.jobs.iter().map(|job| job.key).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(executed.outcomes[0].after, Some((name("example."), 1)));
    assert_eq!(bench.sign_all().failures, []);
    let view = bench.view();
    assert_eq!(view.serial(), 5);
    assert_eq!(view.dnskeys().unwrap().rrset.ttl, 3600);
    assert_eq!(bench.execute(&[genesis()]).jobs, []);
    assert_eq!(bench.machine.due(UnixMillis(bench.now.0)), []);
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}

/// RFC 7344 §4.1; RFC 4035 §2.2.
#[test]
fn the_ksk_signs_what_speaks_of_keys_and_the_zsk_all_but_the_keys_themselves() {
    let mut bench = bench();
    let view = bench.publish(&format!("add example. 60 CDS 1 8 2 {}", "ab".repeat(32)));
    let ksk = dnssec::key_tag(WholeKey::ksk().info.dnskey.wire());
    let mut signers = std::collections::BTreeMap::new();
    for node in view.iter() {
        for (rtype, set) in node.iter() {
            for rrsig in set.rrsigs() {
                let (fields, _) = RrsigFields::parse(rrsig).unwrap();
                signers
                    .entry((node.name().clone(), rtype))
                    .or_insert_with(Vec::new)
                    .push(fields.key_tag == ksk);
            }
        }
    }
    for ((owner, rtype), by_ksk) in signers {
        let wanted: &[bool] = match rtype {
            RrType::DNSKEY => &[true],
            RrType::CDS | RrType::CDNSKEY => &[true, false],
            _ => &[false],
        };
        assert_eq!(by_ksk, wanted, "{owner} {rtype}");
    }
}

/// RFC 2136 §3.7.
#[test]
fn pitfall_14_no_version_is_visible_before_its_last_signature() {
    let mut bench = bench();
    assert_eq!(bench.update("add new.example. 60 A 192.0.2.1"), Rcode::NOERROR);
    let jobs = bench.machine.pending_jobs();
    for job in &jobs[..jobs.len() - 1] {
        let signature = bench.signature(job);
        assert!(bench.machine.signed(job.id, &signature).published.is_empty());
        assert_eq!(bench.view().serial(), 5);
    }
    let last = jobs.last().unwrap();
    let published = bench.machine.signed(last.id, &bench.signature(last)).published;
    assert_eq!((published[0].version, published[0].view.serial()), (2, 6));
}

#[test]
fn versions_run_ahead_of_signing_and_appear_in_order() {
    let mut bench = bench();
    // The same RRset changes three times; each version has its own signatures, unchanged ones are shared.
    for address in 1..=3 {
        assert_eq!(bench.update(&format!("add new.example. 60 A 192.0.2.{address}")), Rcode::NOERROR);
    }
    let mut jobs = bench.machine.pending_jobs();
    assert_eq!(jobs.len(), 4 + 2 + 2);
    jobs.reverse();
    let mut serials = Vec::new();
    for job in jobs {
        let signature = bench.signature(&job);
        let signed = bench.machine.signed(job.id, &signature);
        assert_eq!(signed.failures, []);
        serials.extend(signed.published.iter().map(|p| (p.version, p.view.serial())));
        for published in signed.published {
            let addresses = data(&published.view, "new.example.", RrType::A).len() as u64;
            assert_eq!(addresses, published.version - 1);
            assert!(is_signed(&published.view, "new.example.", RrType::A));
            assert!(is_signed(&published.view, "new.example.", RrType::NSEC));
        }
    }
    assert_eq!(serials, [(2, 6), (3, 7), (4, 8)]);
}

#[test]
fn an_rrset_changed_and_changed_back_in_one_second_gets_its_signature() {
    let mut bench = bench();
    let still = |bench: &mut Bench, text: &str| {
        bench.now.0 -= SECOND;
        bench.publish(text)
    };
    let first = bench.publish("add new.example. 60 A 192.0.2.1");
    still(&mut bench, "del new.example.");
    let again = still(&mut bench, "add new.example. 60 A 192.0.2.1");
    assert!(is_signed(&again, "new.example.", RrType::A));
    assert_eq!((first.serial(), again.serial()), (6, 8));
}

#[test]
fn a_bad_signature_keeps_the_last_good_version_and_says_why() {
    let mut bench = bench();
    assert_eq!(bench.update("add new.example. 60 A 192.0.2.1"), Rcode::NOERROR);
    let jobs = bench.machine.pending_jobs();
    let mut failures = Vec::new();
    for (i, job) in jobs.iter().enumerate() {
        let mut signature = bench.signature(job);
        signature[20] ^= u8::from(i == 1);
        let signed = bench.machine.signed(job.id, &signature);
        assert!(signed.published.is_empty());
        failures.extend(signed.failures);
    }
    assert_eq!(failures.len(), 1);
    assert!(failures[0].reason.contains("does not verify"), "{}", failures[0]);
    assert_eq!((bench.machine.publish_failures(), bench.view().serial()), (1, 5));
    let good = bench.signature(&jobs[1]);
    let published = bench.machine.signed(jobs[1].id, &good).published;
    assert_eq!(published.len(), 1, "a good one heals it");
}

#[test]
fn a_later_version_without_the_fault_appears_in_place_of_a_failed_one() {
    let mut bench = bench();
    assert_eq!(bench.update("add www.example. 600 A 192.0.2.82"), Rcode::NOERROR);
    for job in bench.machine.pending_jobs() {
        let wrong = vec![1; 128];
        let _ = bench.machine.signed(job.id, &wrong);
    }
    let failed: Vec<_> = bench.machine.pending_jobs().iter().map(|job| job.id).collect();
    assert_eq!(bench.update("add www.example. 600 A 192.0.2.83"), Rcode::NOERROR);
    let mut published = Vec::new();
    for job in bench.machine.pending_jobs().into_iter().filter(|job| !failed.contains(&job.id)) {
        let signature = bench.signature(&job);
        published.extend(bench.machine.signed(job.id, &signature).published);
    }
    assert_eq!(published.iter().map(|p| p.version).collect::<Vec<_>>(), [3]);
    assert_eq!(data(&bench.view(), "www.example.", RrType::A).len(), 4);
}

#[test]
fn pitfall_29_two_keys_of_one_tag_are_refused() {
    let one_key = Bench::of("example.", ZONE, &[], |rules| rules.zsk = rules.ksk.clone());
    assert!(one_key.err().unwrap().to_string().contains("one tag"));
}

#[test]
fn pitfall_15_and_16_refresh_is_spread_bumps_the_serial_and_only_acts_when_due() {
    let mut bench = bench();
    let first = bench.view();
    bench.now.0 += 6 * DAY;
    assert_eq!(bench.execute(&[refresh()]).jobs, [], "not due");
    assert_eq!(bench.machine.due(UnixMillis(bench.now.0)), []);
    let mut refreshed = 0;
    for hour in 0..50 {
        bench.now.0 += DAY / 24;
        let due = bench.machine.due(UnixMillis(bench.now.0));
        if due.is_empty() {
            continue;
        }
        // Every replica proposes it.
        let executed = bench.execute(&[due[0].clone(), due[0].clone()]);
        assert!(!executed.jobs.is_empty(), "hour {hour}");
        assert_eq!(bench.sign_all().failures, []);
        refreshed += 1;
    }
    let view = bench.view();
    assert!((2..=26).contains(&refreshed), "{refreshed}");
    assert_eq!(view.serial(), first.serial() + refreshed);
    let expirations = |view: &View| -> Vec<u32> {
        let sets = view.iter().flat_map(|node| node.iter().map(|(_, set)| set.clone()).collect::<Vec<_>>());
        sets.flat_map(|set| set.rrsigs().to_vec())
            .map(|rrsig| RrsigFields::parse(&rrsig).unwrap().0.expiration)
            .collect()
    };
    assert!(expirations(&view).iter().min() > expirations(&first).iter().max());
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}

/// RFC 4034 §3.1.5.
#[test]
fn pitfall_18_and_20_rrsig_times_come_from_agreed_time() {
    let view = bench().view();
    let mut spread = BTreeSet::new();
    for node in view.iter() {
        for (_, set) in node.iter() {
            for rrsig in set.rrsigs() {
                let (fields, _) = RrsigFields::parse(rrsig).unwrap();
                let now = START_SECS as u32 + 1;
                assert_eq!(fields.inception, now - 3600);
                let life = fields.expiration - now;
                assert!((14 * 86_400..=15 * 86_400).contains(&life));
                spread.insert(life);
            }
        }
    }
    assert!(spread.len() > 3);
}

/// Pitfall 27 too.
#[test]
fn pitfall_18_replicas_agree_whenever_their_signatures_arrive() {
    let (mut eager, mut lazy) = (bench(), bench());
    for text in ["add a.example. 60 A 192.0.2.1", "del www.example.", "add a.example. 70 A 192.0.2.2"] {
        for bench in [&mut eager, &mut lazy] {
            assert_eq!(bench.update(text), Rcode::NOERROR);
        }
        let _ = eager.sign_all();
        assert_eq!(eager.machine.digest(), lazy.machine.digest());
    }
    let _ = lazy.sign_all();
    let all = |bench: &Bench| -> Vec<String> {
        bench
            .view()
            .iter()
            .map(|node| {
                format!(
                    "{:?}",
                    node.iter().map(|(_, s)| (s.rrset.clone(), s.rrsigs().to_vec())).collect::<Vec<_>>()
                )
            })
            .collect()
    };
    assert_eq!(all(&eager), all(&lazy), "byte-identical, signatures included");
}

#[test]
fn pitfall_7_a_repeat_gets_the_first_answer_and_moves_nothing() {
    let mut bench = bench();
    let request = bench.signed("nxdomain new.example.\nadd new.example. 60 A 192.0.2.1");
    let first = bench.execute(&[request.clone(), request.clone()]);
    assert_eq!(first.outcomes[0].rcode, Rcode::NOERROR);
    assert_eq!(first.outcomes[1].rcode, Rcode::NOERROR, "though the name exists by then");
    assert_eq!(first.outcomes[0].after, first.outcomes[1].after);
    let Request::Update { mut wire } = request else { unreachable!() };
    // Forwarders change the ID; the MAC is over the original one.
    wire[0] ^= 0xff;
    let again = bench.execute(&[Request::Update { wire: wire.clone() }]);
    assert_eq!(again.outcomes[0].rcode, Rcode::NOERROR);
    assert_eq!(again.outcomes[0].after, Some((name("example."), 2)));
    assert_eq!(again.jobs, []);
    bench.now.0 += 301 * SECOND;
    let late = bench.execute(&[Request::Update { wire }]);
    assert_eq!(late.outcomes[0].failure, Some(AuthFailure::BadTime));
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}

#[test]
fn a_key_that_no_rule_is_about_takes_no_more_room_in_the_replay_table_than_its_quota() {
    let mut bench = Bench::unstarted("example.", ZONE, &["grant somebody.else. zonesub ANY"]);
    let mut keys = Keyring::default();
    keys.tsig.insert(name("updater."), crate::zone::testing::updater());
    keys.quotas.insert(name("updater."), Quota { octets: 4_000, burst: 2, per_minute: 1 });
    bench.genesis.keys = Arc::new(keys);
    bench.machine = Machine::new(bench.genesis.clone()).unwrap();
    let _ = bench.execute(&[genesis()]);
    let told = [(); 4].map(|()| bench.update("add new.example. 60 A 192.0.2.1"));
    assert_eq!(told, [Rcode::REFUSED, Rcode::REFUSED, Rcode::SERVFAIL, Rcode::SERVFAIL]);
    assert_eq!(bench.machine.replay.len(), 2);
}

#[test]
fn malformed_requests_and_queries_off_zone_change_nothing() {
    let mut bench = bench();
    let before = bench.machine.head(&bench.origin).serial();
    let wire = vec![
        0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, b'w', b'w', b'w', 7, b'e', b'x', b'a', b'm', b'p', b'l', b'e',
        0, 0, 1, 0, 1,
    ];
    let mut elsewhere = wire.clone();
    elsewhere[16] = 6;
    elsewhere.remove(17);
    let query = |wire: Vec<u8>| Request::Query { wire, nonce: [0; 16] };
    let executed = bench.execute(&[
        query(wire),
        query(elsewhere),
        query(vec![]),
        Request::Genesis { zone: name("test.") },
    ]);
    let rcodes: Vec<_> = executed.outcomes.iter().map(|o| o.rcode).collect();
    assert_eq!(rcodes, [Rcode::NOERROR, Rcode::REFUSED, Rcode::FORMERR, Rcode::NOTAUTH]);
    assert_eq!(executed.outcomes[0].after, Some((name("example."), 1)));
    let batch =
        crate::zone::Batch { time: bench.now, requests: &[(crate::zone::RequestId(9), &[0xff, 0xff])] };
    assert_eq!(bench.machine.execute(&batch).outcomes[0].rcode, Rcode::FORMERR);
    assert_eq!(bench.machine.head(&bench.origin).serial(), before);
}

/// RFC 1982 §3.1 and RFC 2136 §3.6; pitfall 19.
#[test]
fn serials_never_go_back_and_skip_zero() {
    let at = AgreedTime(1_795_000_000 * SECOND);
    assert_eq!(SerialRule::Increment.next(u32::MAX, at), 1);
    assert_eq!(SerialRule::UnixTime.next(5, at), 1_795_000_000);
    assert_eq!(SerialRule::UnixTime.next(1_795_000_000, at), 1_795_000_001);
    assert_eq!(SerialRule::Date.next(5, at), 2_026_111_800);
    assert_eq!(SerialRule::Date.next(2_026_111_800, at), 2_026_111_801);
    assert_eq!(SerialRule::Date.next(2_026_111_900, at), 2_026_111_901);
    let leap = AgreedTime(1_709_164_800 * SECOND);
    assert_eq!(SerialRule::Date.next(1, leap), 2_024_022_900);
}

/// RFC 1035 §5.2, RFC 2181 §10.1 and RFC 4034 §3.1.5.
#[test]
fn what_is_no_zone_is_refused_with_the_reason() {
    let soa = "example. 60 SOA a. b. 1 1 1 1 1";
    let ns = "example. 60 NS ns.test.";
    for (zone, why) in [
        (ns.to_string(), "no SOA"),
        (soa.to_string(), "no NS"),
        (format!("{soa}\n{ns}\nx.test. 60 A 192.0.2.1"), "outside"),
        (format!("{soa}\n{ns}\nx.example. 60 SOA a. b. 1 1 1 1 1"), "not at the apex"),
        (format!("{soa}\nexample. 60 SOA a. b. 2 1 1 1 1\n{ns}"), "more than one"),
        (format!("{soa}\n{ns}\nx.example. 60 CNAME a.\nx.example. 60 A 192.0.2.1"), "beside"),
        (format!("{soa}\n{ns}\nexample. 60 NSEC x.example. A"), "unsigned zone"),
    ] {
        let error = Bench::of("example.", &zone, &[], |_| {}).err().unwrap().to_string();
        assert!(error.contains(why), "{error}");
    }
    let validity = Validity { refresh: 20, lifetime: 10, jitter: 0, backdate: 0 };
    assert!(Bench::of("example.", ZONE, &[], |rules| rules.validity = validity).is_err());
    // In serial arithmetic its end would lie before its beginning.
    let validity = Validity { refresh: 20, lifetime: 1 << 31, jitter: 0, backdate: 0 };
    assert!(Bench::of("example.", ZONE, &[], |rules| rules.validity = validity).is_err());
}

/// RFC 1034 §3.6 and RFC 4034 §6.3.
#[test]
fn the_order_of_a_files_records_does_not_matter() {
    let reversed: Vec<&str> = ZONE.lines().rev().collect();
    let two = Bench::new("example.", &reversed.join("\n"));
    assert_eq!(bench().machine.digest(), two.machine.digest());
    assert_eq!(Soa::parse(&two.view().soa().rrset.rdatas[0]).unwrap().serial, 5);
}

#[test]
fn requests_have_one_encoding() {
    for request in [genesis(), refresh(), Request::Update { wire: vec![1, 2] }] {
        let bytes = codec::encode(&request);
        assert_eq!(codec::decode::<Request>(&bytes, 100), Ok(request));
    }
}
