//! The stock nsupdate against any replica: what is authorised happens everywhere, the rest changes nothing.

use crate::harness::{Demo, Key, all_output, has, wait_for};
use std::fs;

/// RFC 2136 §2.1, §2.2. One cluster for the whole chapter: dealing and starting are the slow part.
#[test]
fn stock_nsupdate_changes_the_zone_at_any_replica_and_refusals_change_nothing() {
    if !has("nsupdate") || !has("delv") {
        return;
    }
    let demo = Demo::start(4);
    tsig_and_sig0_updates_are_visible_at_the_replica_that_answered(&demo);
    rcodes_are_exact_and_nothing_changes(&demo);
    one_message_moves_the_serial_once(&demo);
    an_update_over_udp_works(&demo);
    updates_validate_with_delv(&demo);
    demo.agreed_export(&[1, 2, 3, 4], "example.test");
}

/// RFC 2931 §3.2: nsupdate takes the unsigned reply to SIG(0).
fn tsig_and_sig0_updates_are_visible_at_the_replica_that_answered(demo: &Demo) {
    for i in 1..=4 {
        let key = if i % 2 == 0 { Key::Sig0 } else { Key::Tsig };
        let name = format!("seen{i}.example.test");
        demo.update(i, key, &format!("update add {name} 300 A 192.0.2.{i}"));
        // No waiting: the answer came after the version was visible at this replica.
        assert_eq!(demo.dig(i, &["+short", &name, "A"]).trim(), format!("192.0.2.{i}"));
        for j in 1..=4 {
            demo.wait_answer(j, &name, "A", &format!("192.0.2.{i}"));
        }
    }
}

fn serial(demo: &Demo, i: u8) -> u32 {
    let soa = demo.dig(i, &["+short", "example.test", "SOA"]);
    soa.split_whitespace().nth(2).unwrap_or_else(|| panic!("no SOA: {soa:?}")).parse().unwrap()
}

fn rcodes_are_exact_and_nothing_changes(demo: &Demo) {
    let before = demo.agreed_export(&[1, 2, 3, 4], "example.test");
    let cases: &[(&str, Key, &str)] = &[
        ("REFUSED", Key::None, "update add nobody.example.test 300 A 192.0.2.9"),
        ("NXRRSET", Key::Tsig, "prereq yxrrset example.test TLSA\nupdate add a.example.test 300 A 192.0.2.9"),
        ("YXRRSET", Key::Sig0, "prereq nxrrset example.test SOA\nupdate add a.example.test 300 A 192.0.2.9"),
        ("YXDOMAIN", Key::Tsig, "prereq nxdomain example.test\nupdate add a.example.test 300 A 192.0.2.9"),
        (
            "NXDOMAIN",
            Key::Sig0,
            "prereq yxdomain nothere.example.test\nupdate add a.example.test 300 A 192.0.2.9",
        ),
        ("NOTZONE", Key::Tsig, "update add a.example.org 300 A 192.0.2.9"),
        ("REFUSED", Key::Tsig, "update add example.test 300 NSEC a.example.test. A"),
    ];
    for (n, (rcode, key, changes)) in cases.iter().enumerate() {
        let i = (n % 4 + 1) as u8;
        let output = demo.nsupdate(i, *key, &format!("zone example.test\n{changes}\nsend\n"));
        let text = all_output(&output);
        assert!(!output.status.success() && text.contains(rcode), "{changes}: expected {rcode}, got: {text}");
    }
    wrong_tsig_secret_and_unknown_zone(demo);
    assert_eq!(
        demo.agreed_export(&[1, 2, 3, 4], "example.test"),
        before,
        "a refused update changed the zone"
    );
}

fn wrong_tsig_secret_and_unknown_zone(demo: &Demo) {
    let key = fs::read_to_string(demo.dir().join("client/tsig.key")).unwrap();
    let name = key.split('"').nth(1).unwrap();
    let wrong = format!("key hmac-sha256:{name} AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    let script = format!("{wrong}zone example.test\nupdate add a.example.test 300 A 192.0.2.9\nsend\n");
    let text = all_output(&demo.nsupdate(1, Key::None, &script));
    assert!(text.contains("BADSIG"), "{text}");
    let stranger = script.replace(name, "stranger.example");
    let text = all_output(&demo.nsupdate(2, Key::None, &stranger));
    assert!(text.contains("BADKEY"), "{text}");
    let output =
        demo.nsupdate(3, Key::Tsig, "zone example.org\nupdate add a.example.org 300 A 192.0.2.9\nsend\n");
    assert!(all_output(&output).contains("NOTAUTH"), "{}", all_output(&output));
}

fn one_message_moves_the_serial_once(demo: &Demo) {
    let before = serial(demo, 2);
    let lines: String =
        (0..200).map(|i| format!("update add bulk{i}.example.test 60 TXT \"n {i}\"\n")).collect();
    demo.update(2, Key::Tsig, &lines);
    assert_eq!(serial(demo, 2), before + 1, "200 changes in one message, one version");
    demo.update(2, Key::Tsig, "update add bulk0.example.test 60 TXT \"n 0\"");
    assert_eq!(serial(demo, 2), before + 1, "a no-op moves no serial");
}

fn an_update_over_udp_works(demo: &Demo) {
    let output = demo.nsupdate_with(
        3,
        Key::Tsig,
        &["-t", "120", "-u", "30"],
        "zone example.test\nupdate add udp.example.test 60 A 192.0.2.77\nsend\n",
    );
    assert!(output.status.success(), "{}", all_output(&output));
    assert_eq!(demo.dig(3, &["+short", "udp.example.test"]).trim(), "192.0.2.77");
}

fn updates_validate_with_delv(demo: &Demo) {
    demo.update(1, Key::Sig0, "update add proof.example.test 300 TXT \"signed by many\"");
    for i in 1..=4 {
        demo.wait_answer(i, "proof.example.test", "TXT", "\"signed by many\"");
        let text = demo.delv(i, "example.test", "proof.example.test", "TXT");
        assert!(text.contains("; fully validated"), "{text}");
        wait_for("a denial validates", || {
            let text = demo.delv(i, "example.test", "not-there.example.test", "A");
            text.contains("; negative response, fully validated").then_some(())
        });
    }
}
