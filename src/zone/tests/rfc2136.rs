//! RFC 2136 §3, and pitfalls 1 to 6 and 8 of dynamic update.

use super::*;
use crate::dns::tsig::{self, AuthFailure};
use crate::dns::{Class, Rcode, Rdata, Record};
use crate::zone::{Request, Role};

const NONE: [&str; 0] = [];

fn one(text: &str) -> Rcode {
    bench().update(text)
}

/// RFC 2136 §2.4.1.
#[test]
fn rfc2136_3_2_1_rrset_exists_value_independent() {
    assert_eq!(one("yxrrset www.example. A"), Rcode::NOERROR);
    assert_eq!(one("yxrrset www.example. AAAA"), Rcode::NXRRSET);
    assert_eq!(one("yxrrset nothing.example. A"), Rcode::NXRRSET);
}

/// RFC 2136 §2.4.2; RFC 2136 §1.1.1 and RFC 2136 §1.1.2.
#[test]
fn rfc2136_3_2_3_rrset_exists_value_dependent_is_equality_of_sets_without_ttl_and_case() {
    // Pitfall 1: a subset does not do, nor does a superset.
    assert_eq!(one("yxrrset www.example. A 192.0.2.80"), Rcode::NXRRSET);
    assert_eq!(one("yxrrset www.example. A 192.0.2.80\nyxrrset WWW.example. A 192.0.2.81"), Rcode::NOERROR);
    let three = "yxrrset www.example. A 192.0.2.80\nyxrrset www.example. A 192.0.2.81\nyxrrset www.example. A 192.0.2.82";
    assert_eq!(one(three), Rcode::NXRRSET);
    assert_eq!(one("yxrrset alias.example. CNAME WWW.EXAMPLE."), Rcode::NOERROR);
}

/// RFC 2136 §2.4.3, §2.4.4, §2.4.5.
#[test]
fn rfc2136_3_2_1_and_3_2_2_absence_and_names_in_use() {
    assert_eq!(one("nxrrset www.example. A"), Rcode::YXRRSET);
    assert_eq!(one("nxrrset www.example. AAAA"), Rcode::NOERROR);
    assert_eq!(one("yxdomain www.example."), Rcode::NOERROR);
    assert_eq!(one("nxdomain www.example."), Rcode::YXDOMAIN);
    assert_eq!(one("nxdomain nothing.example."), Rcode::NOERROR);
    assert_eq!(one("yxdomain nothing.example."), Rcode::NXDOMAIN);
    // An empty non-terminal owns no record.
    assert_eq!(one("yxdomain deep.below.example."), Rcode::NXDOMAIN);
}

/// RFC 2136 §1.1.3.
#[test]
fn pitfall_8_prerequisites_do_not_expand_wildcards_and_the_clusters_records_are_not_there() {
    let mut bench = bench();
    assert_eq!(bench.update("add *.example. 60 A 192.0.2.9"), Rcode::NOERROR);
    assert_eq!(bench.update("yxdomain some.example."), Rcode::NXDOMAIN);
    assert_eq!(bench.update("yxrrset www.example. NSEC"), Rcode::NXRRSET);
}

/// RFC 2136 §3.7.
#[test]
fn pitfall_19_a_prerequisite_on_the_soa_is_the_served_one_and_one_of_two_racers_wins() {
    let mut bench = bench();
    let soa = "yxrrset example. SOA ns1.example. admin.example. 5 3600 600 86400 300";
    let racer = |host: &str| format!("{soa}\nadd {host}.example. 60 A 192.0.2.7");
    assert_eq!(bench.batch(&[&racer("one"), &racer("two")]), [Rcode::NOERROR, Rcode::NXRRSET]);
    let _ = bench.sign_all();
    assert_eq!(bench.view().serial(), 6);
    assert_eq!(data(&bench.view(), "two.example.", RrType::A), NONE);
}

fn raw(class: Class, ttl: u32, rtype: RrType, octets: &[u8]) -> Record {
    Record { name: name("www.example."), rtype, class, ttl, rdata: Rdata::new(octets) }
}

/// RFC 2136 §3.2.1, §3.2.2, §3.2.3, §3.4.1.
#[test]
fn rfc2136_3_2_and_3_4_1_2_malformed_records_are_formerr() {
    let mut bench = bench();
    let mut ask = |prerequisites: &[Record], updates: &[Record]| {
        let request = bench.signed_records(prerequisites, updates);
        bench.execute(&[request]).outcomes[0].rcode
    };
    let address = &[192, 0, 2, 1];
    for prerequisite in [
        raw(Class::ANY, 1, RrType::A, &[]),
        raw(Class::NONE, 1, RrType::A, &[]),
        raw(Class::IN, 1, RrType::A, address),
        raw(Class::ANY, 0, RrType::A, address),
        raw(Class::NONE, 0, RrType::A, address),
        raw(Class::CH, 0, RrType::A, address),
    ] {
        assert_eq!(ask(std::slice::from_ref(&prerequisite), &[]), Rcode::FORMERR, "{prerequisite:?}");
    }
    for update in [
        raw(Class::ANY, 1, RrType::A, &[]),
        raw(Class::ANY, 0, RrType::A, address),
        raw(Class::ANY, 0, RrType::AXFR, &[]),
        raw(Class::NONE, 1, RrType::A, address),
        raw(Class::NONE, 0, RrType::ANY, &[]),
        raw(Class::NONE, 0, RrType::A, &[]),
        raw(Class::IN, 0, RrType::ANY, &[]),
        raw(Class::IN, 0, RrType::MAILB, address),
        raw(Class::CH, 0, RrType::A, address),
    ] {
        assert_eq!(ask(&[], std::slice::from_ref(&update)), Rcode::FORMERR, "{update:?}");
    }
}

#[test]
fn rfc2136_3_1_1_and_3_2_and_3_4_1_what_is_outside_is_notauth_or_notzone() {
    let mut bench = bench();
    assert_eq!(bench.update("yxdomain www.test."), Rcode::NOTZONE);
    assert_eq!(bench.update("add www.test. 60 A 192.0.2.1"), Rcode::NOTZONE);
    bench.origin = name("test.");
    assert_eq!(bench.update("add www.test. 60 A 192.0.2.1"), Rcode::NOTAUTH);
    bench.origin = name("www.example.");
    assert_eq!(bench.update("add www.example. 60 A 192.0.2.1"), Rcode::NOTAUTH);
}

/// RFC 2136 §3.4.1 and RFC 2136 §3.3.2, and pitfall 28: nothing changes before all is known to be right.
#[test]
fn rfc2136_3_4_2_1_a_failing_update_changes_nothing_at_all() {
    let mut bench = bench();
    let digest = |bench: &Bench| bench.machine.head(&bench.origin).iter().count();
    let before = digest(&bench);
    assert_eq!(bench.update("add new.example. 60 A 192.0.2.1\nadd x.test. 60 A 192.0.2.1"), Rcode::NOTZONE);
    let too_many: String =
        (0..3000).map(|i| format!("add big.example. 60 A 10.0.{}.{}\n", i / 250, i % 250)).collect();
    assert_eq!(bench.update(&format!("add new.example. 60 A 192.0.2.1\n{too_many}")), Rcode::REFUSED);
    let forbidden = "add new.example. 60 A 192.0.2.1\ndel example. DNSKEY";
    assert_eq!(bench.update(forbidden), Rcode::REFUSED, "RFC 2136 §3.3.2");
    assert_eq!(digest(&bench), before);
    assert_eq!(bench.machine.pending_jobs(), []);
}

/// RFC 2136 §1.1.5 and RFC 2181 §10.1; RFC 4035 §2.5: what DNSSEC has beside a CNAME does not count.
#[test]
fn rfc2136_3_4_2_2_cname_beside_other_data_is_ignored_pitfall_2() {
    let mut bench = bench();
    let view = bench.publish("add www.example. 60 CNAME x.example.\nadd alias.example. 60 A 192.0.2.1");
    assert_eq!(view.serial(), 5, "nothing changed");
    // On a signed node, where NSEC and RRSIG are no other data: delete and add in one message.
    let view = bench.publish("del alias.example. CNAME\nadd alias.example. 60 CNAME ns1.example.");
    assert_eq!(data(&view, "alias.example.", RrType::CNAME), ["ns1.example."]);
    let view = bench.publish("add alias.example. 60 CNAME ns2.example.");
    assert_eq!(data(&view, "alias.example.", RrType::CNAME), ["ns2.example."], "one replaces the other");
    let view = bench.publish("del www.example. A\nadd www.example. 60 CNAME ns1.example.");
    assert!(is_signed(&view, "www.example.", RrType::CNAME));
}

/// RFC 2136 §2.5.2, §2.5.3, §2.5.4.
#[test]
fn rfc2136_3_4_2_3_and_3_4_2_4_the_apex_keeps_soa_and_ns_pitfall_3() {
    let mut bench = bench();
    let view = bench.publish(
        "add example. 60 TXT x\nadd example. 60 CDS 1 8 2 abababababababababababababababababababababababababababababababab",
    );
    assert!(is_signed(&view, "example.", RrType::CDS));
    let view = bench.publish("del example.");
    assert_eq!(data(&view, "example.", RrType::TXT), NONE);
    assert_eq!(data(&view, "example.", RrType::NS), ["ns1.example.", "ns2.example."]);
    assert_eq!(data(&view, "example.", RrType::DNSKEY).len(), 2);
    assert_eq!(data(&view, "example.", RrType::CDS).len(), 1);
    let serial = view.serial();
    let view = bench.publish("del example. NS\ndel example. SOA");
    let view_soa = bench.publish("del example. SOA ns1.example. admin.example. 7 3600 600 86400 300");
    assert_eq!((view.serial(), view_soa.serial()), (serial, serial));
    let view = bench.publish("del example. NS ns1.example.\ndel example. NS ns2.example.");
    assert_eq!(data(&view, "example.", RrType::NS), ["ns2.example."], "the last one stays");
    assert_eq!(bench.publish("del example. CDS").serial(), serial + 2, "but CDS can be deleted by name");
}

/// RFC 2136 §3.6 and RFC 2136 §1.1.5.
#[test]
fn rfc2136_3_4_2_2_soa_is_taken_only_forward_and_only_at_the_apex() {
    let mut bench = bench();
    let soa = |serial: u32| format!("add example. 3600 SOA ns9.example. admin.example. {serial} 1 1 1 300");
    assert_eq!(bench.publish(&soa(5)).serial(), 5);
    assert_eq!(bench.publish(&soa(4)).serial(), 5);
    assert_eq!(bench.publish(&soa(5 + (1 << 31))).serial(), 5, "RFC 1982 §3.2 leaves that undefined");
    let at_www = "add www.example. 60 SOA a. b. 99 1 1 1 1";
    assert_eq!(bench.publish(at_www).serial(), 5);
    let view = bench.publish(&soa(70));
    assert_eq!((view.serial(), view.soa_fields().mname), (70, name("ns9.example.")));
    assert_eq!(bench.publish("add www.example. 60 A 192.0.2.99").serial(), 71);
}

/// RFC 2181 §5.2; RFC 2136 §2.5.1.
#[test]
fn pitfall_4_the_last_added_ttl_is_the_whole_rrsets() {
    let mut bench = bench();
    let view = bench.publish("add www.example. 77 A 192.0.2.82");
    let set = view.node(&name("www.example.")).unwrap().get(RrType::A).unwrap();
    assert_eq!((set.rrset.ttl, set.rrset.len()), (77, 3));
    let view = bench.publish("add www.example. 78 A 192.0.2.80");
    assert_eq!(view.node(&name("www.example.")).unwrap().get(RrType::A).unwrap().rrset.ttl, 78);
    let view = bench.publish("add www.example. 2147483648 A 192.0.2.80");
    assert_eq!(view.node(&name("www.example.")).unwrap().get(RrType::A).unwrap().rrset.ttl, 0, "RFC 2181 §8");
}

/// RFC 2136 §3.4.2.5, §2.5.1, §2.5.2, §2.5.3, §2.5.4.
#[test]
fn pitfall_5_what_changes_nothing_signs_nothing_and_moves_no_serial() {
    for nothing in [
        "",
        "add www.example. 600 A 192.0.2.80",
        "add new.example. 60 A 192.0.2.1\ndel new.example. A 192.0.2.1",
        "del www.example. A 192.0.2.80\nadd www.example. 600 A 192.0.2.80",
        "del nothing.example.",
        "del nothing.example. A 192.0.2.1",
        "del deep.below.example.",
    ] {
        let mut bench = bench();
        let request = bench.signed(nothing);
        let executed = bench.execute(&[request]);
        assert_eq!(executed.outcomes[0].rcode, Rcode::NOERROR, "{nothing}");
        assert_eq!(executed.jobs, [], "{nothing}");
        assert_eq!(executed.outcomes[0].after, Some((name("example."), 1)), "{nothing}");
    }
}

/// RFC 3007 §3.1.1 and §4.4.
#[test]
fn pitfall_6_what_belongs_to_the_cluster_is_refused_whatever_the_policy() {
    let key = "256 3 8 AwEAAbmdk7fx0/SYf1trVUrKYlyX";
    for update in [
        &format!("add example. 60 DNSKEY {key}"),
        "del example. DNSKEY",
        "del www.example. NSEC",
        "del www.example. RRSIG",
        "del example. NSEC3PARAM",
        "add example. 60 NSEC3PARAM 1 0 0 -",
        "add www.example. 60 NSEC x.example. A",
        "del example. ZONEMD",
        "del www.example. NSEC3",
        "del www.example. SIG",
        "del www.example. NXT",
    ] {
        assert_eq!(one(update), Rcode::REFUSED, "{update}");
    }
}

#[test]
fn rfc2136_1_1_3_and_1_1_4_asterisks_and_aliases_stand_for_themselves() {
    let mut bench = bench();
    let view = bench.publish("add *.example. 60 A 192.0.2.9");
    assert_eq!(bench.update("yxrrset *.example. A"), Rcode::NOERROR);
    assert_eq!(bench.update("yxrrset alias.example. A"), Rcode::NXRRSET);
    assert_eq!(bench.update("nxrrset alias.example. A"), Rcode::NOERROR);
    let same = bench.publish("del some.example. A\ndel alias.example. A\nadd alias.example. 600 A 192.0.2.7");
    assert_eq!(same.serial(), view.serial());
    let view = bench.publish("del *.example. A 192.0.2.9\ndel alias.example. CNAME www.example.");
    assert_eq!(data(&view, "*.example.", RrType::A), NONE);
    assert_eq!(data(&view, "www.example.", RrType::A).len(), 2);
}

#[test]
fn rfc2136_2_6_the_additional_section_is_ignored() {
    let mut bench = bench();
    let mut wire = message(1, &bench.origin, &[], &[record("new.example. 60 A 192.0.2.1")]);
    wire[11] = 1;
    wire.extend(b"\x04glue\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01");
    tsig::sign_request(&mut wire, &updater(), bench.now.secs());
    assert_eq!(bench.execute(&[Request::Update { wire }]).outcomes[0].rcode, Rcode::NOERROR);
    let _ = bench.sign_all();
    assert_eq!(data(&bench.view(), "new.example.", RrType::A).len(), 1);
    assert_eq!(data(&bench.view(), "glue.example.", RrType::A), NONE);
}

#[test]
fn rfc2136_3_4_2_records_are_processed_in_order() {
    let mut bench = bench();
    let view = bench.publish(
        "add a.example. 60 A 192.0.2.1\ndel a.example.\nadd a.example. 60 A 192.0.2.2\n\
         add b.example. 60 CNAME x.example.\nadd b.example. 60 A 192.0.2.1\n\
         add c.example. 60 A 192.0.2.1\nadd c.example. 60 CNAME x.example.",
    );
    assert_eq!(data(&view, "a.example.", RrType::A), ["192.0.2.2"]);
    assert_eq!(
        (data(&view, "b.example.", RrType::A), data(&view, "c.example.", RrType::CNAME)),
        (vec![], vec![])
    );
    assert!(is_signed(&view, "b.example.", RrType::CNAME) && is_signed(&view, "c.example.", RrType::A));
}

#[test]
fn rfc3597_3_and_6_what_is_not_known_is_equal_if_its_octets_are() {
    let mut bench = bench();
    let view = bench.publish("add x.example. 60 TYPE65280 \\# 1 41\nadd x.example. 60 TYPE65280 \\# 1 61");
    assert_eq!(data(&view, "x.example.", RrType(65_280)).len(), 2);
    let view = bench.publish("del x.example. TYPE65280 \\# 1 41");
    assert_eq!(data(&view, "x.example.", RrType(65_280)).len(), 1);
    assert_eq!(bench.update("yxrrset x.example. TYPE65280 \\# 1 41"), Rcode::NXRRSET);
    assert_eq!(bench.update("yxrrset x.example. TYPE65280 \\# 1 61"), Rcode::NOERROR);
}

#[test]
fn rfc6672_5_2_and_5_3_2_a_dname_replaces_the_last_and_no_cname() {
    let mut bench = bench();
    bench.publish("add below.example. 60 DNAME a.test.");
    let view = bench.publish("add below.example. 60 DNAME b.test.");
    assert_eq!(data(&view, "below.example.", RrType::DNAME), ["b.test."]);
    assert_eq!(nsec(&view, "below.example.").unwrap().1, types(&[RrType::DNAME]));
    let same = bench.publish("add below.example. 60 CNAME c.test.\nadd alias.example. 60 DNAME c.test.");
    assert_eq!(same.serial(), view.serial());
}

/// Pitfall 28.
#[test]
fn an_apex_full_of_types_leaves_the_cluster_room_for_its_own() {
    let full = |from: usize| {
        let types = from..crate::limits::MAX_TYPES_PER_NAME;
        types.map(|i| format!("example. 60 TYPE{} \\# 1 00", 1_000 + i)).collect::<Vec<_>>()
    };
    // SOA and NS are two of them; the cluster's DNSKEY and NSEC come on top.
    let mut dealt = Bench::new("example.", &format!("{ZONE}\n{}", full(2).join("\n")));
    let mut grown = bench();
    let lines: Vec<String> = full(2).iter().map(|line| format!("add {line}")).collect();
    grown.publish(&lines.join("\n"));
    for bench in [&mut dealt, &mut grown] {
        let serial = bench.view().serial();
        assert_eq!(bench.update("add example. 60 TYPE900 \\# 1 00"), Rcode::REFUSED);
        assert_eq!(bench.publish("add example. 60 TYPE1100 \\# 1 01").serial(), serial + 1);
        // And CDS and CDNSKEY when a rollover tells the parent.
        let bundle = bench.complete(Role::Ksk, 8, 0);
        assert_eq!(bench.command(&format!("keys example. begin {bundle}")), None);
        assert_eq!(bench.sign_all().failures, []);
        assert_eq!(data(&bench.view(), "example.", RrType::CDNSKEY).len(), 2);
        assert_eq!(bench.publish("del example. TYPE1100").serial(), serial + 3);
    }
}

/// RFC 2136 §3.4.1.2.
#[test]
fn type_0_is_reserved() {
    let mut bench = bench();
    for class in [Class::IN, Class::ANY, Class::NONE] {
        let request = bench.signed_records(&[], &[raw(class, 0, RrType(0), &[])]);
        assert_eq!(bench.execute(&[request]).outcomes[0].rcode, Rcode::FORMERR);
    }
}

/// RFC 2136 §1.1.5 and RFC 1035 §3.4.2.
#[test]
fn wks_has_one_record_an_address_and_protocol() {
    let mut bench = bench();
    let wks = |tail: &[u8]| {
        let mut octets = vec![192, 0, 2, 1, 6];
        octets.extend(tail);
        raw(Class::IN, 60, RrType::WKS, &octets)
    };
    let request = bench.signed_records(&[], &[wks(&[1]), wks(&[2])]);
    assert_eq!(bench.execute(&[request]).outcomes[0].rcode, Rcode::NOERROR);
    let head = bench.machine.head(&bench.origin);
    assert_eq!(head.node(&name("www.example.")).unwrap().get(RrType::WKS).unwrap().rrset.len(), 1);
}

/// RFC 3007 §2.
#[test]
fn unsigned_forged_and_late_requests_fail_and_change_nothing() {
    let mut bench = bench();
    let plain = message(1, &bench.origin, &[], &[record("x.example. 60 A 192.0.2.1")]);
    let mut forged = plain.clone();
    tsig::sign_request(&mut forged, &updater(), bench.now.secs());
    let last = forged.len() - 7;
    forged[last] ^= 1;
    let mut late = plain.clone();
    tsig::sign_request(&mut late, &updater(), bench.now.secs() - 1000);
    let requests = [plain, forged, late, vec![1, 2, 3]].map(|wire| Request::Update { wire });
    let executed = bench.execute(&requests);
    let got: Vec<_> = executed.outcomes.iter().map(|o| (o.rcode, o.failure, o.after.clone())).collect();
    let failed = |failure: AuthFailure| (failure.rcode(), Some(failure), None);
    let wanted = [AuthFailure::Unsigned, AuthFailure::BadSig, AuthFailure::BadTime, AuthFailure::FormErr];
    assert_eq!(got, wanted.map(failed));
    assert_eq!(executed.jobs, []);
}

/// RFC 2136 §3.4.2.2: a CNAME may take the place of an address in one message, and an address that of a CNAME.
#[test]
fn cname_to_a_and_a_to_cname_in_one_message() {
    let mut bench = bench();
    let view = bench.publish("del www.example. A\nadd www.example. 60 CNAME ns1.example.\ndel alias.example. CNAME\nadd alias.example. 60 A 192.0.2.9");
    assert_eq!(data(&view, "www.example.", RrType::CNAME), ["ns1.example."]);
    assert_eq!(data(&view, "alias.example.", RrType::A), ["192.0.2.9"]);
    assert_eq!(
        (data(&view, "www.example.", RrType::A), data(&view, "alias.example.", RrType::CNAME)),
        (vec![], vec![])
    );
    assert_eq!(view.serial(), 6);
}

/// RFC 2136 §3.4.2.1: a thousand changes in one message are one change.
#[test]
fn a_thousand_changes_are_done_together_or_not_at_all() {
    let lines: String = (0..1000).map(|i| format!("add n{i}.example. 60 A 192.0.2.1\n")).collect();
    let mut bench = bench();
    assert_eq!(bench.update(&format!("{lines}add n.example. 60 NSEC x. A")), Rcode::REFUSED);
    assert!(bench.machine.pending_jobs().is_empty());
    let request = bench.signed(&lines);
    let executed = bench.execute(&[request]);
    assert_eq!(executed.outcomes[0].account.as_ref().map(|account| account.added), Some(1000));
    assert_eq!(bench.machine.head(&bench.origin).serial(), 6);
}

/// RFC 2136 §3.7 and pitfall 30: a repeated message, at whatever place in the order, moves the serial once.
#[test]
fn a_repeated_message_is_executed_once() {
    let mut bench = bench();
    let request = bench.signed("add once.example. 60 A 192.0.2.1");
    let executed = bench.execute(&[request.clone(), request.clone()]);
    assert_eq!(executed.outcomes.iter().map(|one| one.rcode).collect::<Vec<_>>(), [Rcode::NOERROR; 2]);
    let gone = bench.signed("del once.example.");
    assert_eq!(bench.execute(&[gone, request]).outcomes.len(), 2);
    assert_eq!(bench.machine.head(&bench.origin).serial(), 7);
    assert!(bench.machine.head(&bench.origin).node(&name("once.example.")).is_none());
}

/// RFC 1035 §3.3.14: the chunks of a TXT record, the case of its letters and of its owner read back as they were sent.
#[test]
fn case_ttls_and_chunks_read_back_as_sent() {
    let mut bench = bench();
    let view = bench
        .publish("add MiXed.example. 61 TXT \"One\" \"\" two\nadd MiXed.example. 62 MX 10 Mail.Example.");
    let node = view.node(&name("mixed.example.")).unwrap();
    assert_eq!(node.name().to_string(), "MiXed.example.");
    assert_eq!(data(&view, "mixed.example.", RrType::TXT), ["\"One\" \"\" \"two\""]);
    assert_eq!(data(&view, "mixed.example.", RrType::MX), ["10 Mail.Example."]);
    let ttls = [RrType::TXT, RrType::MX].map(|rtype| node.get(rtype).unwrap().rrset.ttl);
    assert_eq!(ttls, [61, 62]);
}
