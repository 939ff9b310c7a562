//! The stock nsupdate against any replica: what is authorised happens everywhere, the rest changes nothing.

use crate::harness::{Demo, Key, all_output, has, run, stdout, wait_for};
use conclave::dns::edns::{Edns, OPTION_EDE};
use conclave::dns::message::Message;
use conclave::dns::tsig::{self, TsigAlgorithm, TsigKey};
use conclave::dns::{Name, script};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    one_message_may_swap_cname_and_address_and_hold_a_thousand_changes(&demo);
    what_is_sent_reads_back(&demo);
    several_updates_go_over_one_connection_and_a_repeat_elsewhere_changes_nothing(&demo);
    refusals_explain_themselves(&demo);
    scripts_are_tried_before_they_are_sent(&demo);
    our_own_client_reads_nsupdates_scripts(&demo);
    the_audit_is_the_same_everywhere(&demo);
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

/// RFC 2136 §3.4.2.2: a CNAME and an address may change places in one message.
/// RFC 2136 §3.4.2.1: a thousand changes in one message are one change.
fn one_message_may_swap_cname_and_address_and_hold_a_thousand_changes(demo: &Demo) {
    demo.update(1, Key::Tsig, "update add swap.example.test 60 CNAME www.example.test");
    demo.update(
        2,
        Key::Tsig,
        "update delete swap.example.test CNAME\nupdate add swap.example.test 60 A 192.0.2.5",
    );
    assert_eq!(demo.dig(2, &["+short", "swap.example.test", "A"]).trim(), "192.0.2.5");
    demo.update(
        3,
        Key::Sig0,
        "update delete swap.example.test A\nupdate add swap.example.test 60 CNAME x.example.test",
    );
    assert_eq!(demo.dig(3, &["+short", "swap.example.test", "CNAME"]).trim(), "x.example.test.");
    let before = serial(demo, 4);
    let lines: String =
        (0..1000).map(|i| format!("update add many{i}.example.test 60 A 192.0.2.1\n")).collect();
    demo.update(4, Key::Tsig, &lines);
    assert_eq!(serial(demo, 4), before + 1);
    let last =
        "update add many.example.test 60 A 192.0.2.1\nupdate add many.example.test 60 NSEC a.example.test. A";
    let output = demo.nsupdate(4, Key::Tsig, &format!("zone example.test\n{last}\nsend\n"));
    assert!(!output.status.success() && serial(demo, 4) == before + 1, "{}", all_output(&output));
}

/// RFC 1035 §3.3.14: the chunks of a TXT record, the case of letters and TTLs read back as they were sent.
fn what_is_sent_reads_back(demo: &Demo) {
    demo.update(2, Key::Tsig, "update add MiXed.Example.Test 61 TXT \"One\" \"\" \"two ; three\"");
    let answer = demo.dig(2, &["+noall", "+answer", "mixed.example.test", "TXT"]);
    let words: Vec<&str> = answer.split_whitespace().collect();
    assert_eq!(words[1..].join(" "), "61 IN TXT \"One\" \"\" \"two ; three\"");
    assert!(demo.export(2, "example.test").contains("MiXed."));
}

/// A signed update with EDNS, as nsupdate sends none; and its MAC.
fn signed(demo: &Demo, id: u16, lines: &str, secs: u64) -> (Vec<u8>, TsigKey, Vec<u8>) {
    let text = fs::read_to_string(demo.dir().join("client/tsig.key")).unwrap();
    let quoted: Vec<&str> = text.split('"').collect();
    let secret = data_encoding::BASE64.decode(quoted[3].as_bytes()).unwrap();
    let key = TsigKey::new(Name::parse(quoted[1]).unwrap(), TsigAlgorithm::HmacSha256, secret);
    let sent = script::parse(lines).unwrap().remove(0);
    let mut wire = sent.to_wire(&Name::parse("example.test.").unwrap()).unwrap();
    wire[..2].copy_from_slice(&id.to_be_bytes());
    wire[11] = 1;
    Edns { udp_size: 1232, ..Edns::default() }.write(&mut wire);
    let mac = tsig::sign_request(&mut wire, &key, secs);
    (wire, key, mac)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The replies to messages that are sent over one connection, all before the first reply is read; in the order they come.
fn over_one_connection(demo: &Demo, i: u8, messages: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", demo.port(i).parse().unwrap())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(240))).unwrap();
    for message in messages {
        stream.write_all(&[&(message.len() as u16).to_be_bytes(), *message].concat()).unwrap();
    }
    let mut reply = || {
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut reply).unwrap();
        reply
    };
    messages.iter().map(|_| reply()).collect()
}

/// RFC 7766 §6.2.1.1: several updates may be on their way in one connection.
/// RFC 2136 §3.7: a repeated message, sent to another replica, moves the serial at most once.
fn several_updates_go_over_one_connection_and_a_repeat_elsewhere_changes_nothing(demo: &Demo) {
    let made: Vec<_> = (1..=5)
        .map(|i| signed(demo, i, &format!("add pipe{i}.example.test 60 A 192.0.2.{i}"), now()))
        .collect();
    let messages: Vec<&[u8]> = made.iter().map(|(wire, ..)| wire.as_slice()).collect();
    let replies = over_one_connection(demo, 1, &messages);
    for reply in &replies {
        let message = Message::parse(reply).unwrap();
        assert_eq!(message.rcode().0, 0);
        let (_, key, mac) = &made[usize::from(message.header.id) - 1];
        tsig::verify_response(reply, key, mac, now()).unwrap();
    }
    let before = wait_for("all replicas serve the same", || {
        let serials: Vec<u32> = (1..=4).map(|i| serial(demo, i)).collect();
        serials.iter().all(|one| *one == serials[0]).then_some(serials[0])
    });
    for i in 2..=4 {
        assert_eq!(Message::parse(&over_one_connection(demo, i, &messages[..1])[0]).unwrap().rcode().0, 0);
    }
    assert_eq!(serial(demo, 4), before);
}

fn told(demo: &Demo, i: u8, args: &[&str]) -> String {
    let output = demo.ctl(i, args);
    assert!(output.status.success(), "{args:?}: {}", all_output(&output));
    stdout(&output)
}

/// RFC 8914 §2: the extended error of a refused update names it, and every replica can say what refused it.
fn refusals_explain_themselves(demo: &Demo) {
    let ede = |reply: &[u8]| {
        let edns = Message::parse(reply).unwrap().edns.unwrap();
        String::from_utf8(edns.option(OPTION_EDE).unwrap()[2..].to_vec()).unwrap()
    };
    let ticket = |text: &str| text.split(['[', ']']).nth(1).unwrap().to_owned();
    let (wire, ..) = signed(demo, 7, "nxrrset example.test SOA\nadd a.example.test 60 A 192.0.2.1", now());
    let text = ede(&over_one_connection(demo, 2, &[&wire])[0]);
    assert!(text.starts_with("a prerequisite does not hold ["), "{text}");
    for i in 1..=4 {
        // Another replica may be a batch behind.
        wait_for("the refusal is known everywhere", || {
            let output = demo.ctl(i, &["explain", &ticket(&text)]);
            stdout(&output)
                .contains("YXRRSET\n  prerequisite 1 does not hold: example.test. SOA must not be there")
                .then_some(())
        });
    }
    // What never comes so far is known where it came.
    let (late, ..) = signed(demo, 8, "add a.example.test 60 A 192.0.2.1", now() - 5_000);
    let text = ede(&over_one_connection(demo, 3, &[&late])[0]);
    assert!(
        told(demo, 3, &["explain", &ticket(&text)]).contains("BADTIME: the signature by demo-tsig. ended"),
        "{text}"
    );
    assert!(told(demo, 3, &["explain"]).contains(&ticket(&text)));
    assert!(!demo.ctl(1, &["explain", &ticket(&text)]).status.success());
    assert!(demo.logs().contains(&ticket(&text)) || demo.logs().contains("an update is refused"));
}

fn scripts_are_tried_before_they_are_sent(demo: &Demo) {
    let file = demo.dir().join("script");
    let text = "update add try.example.test 60 A 192.0.2.1\nsend\nprereq nxrrset example.test SOA\nsend\n\
                update add x.example.test 60 NSEC a. A\n";
    fs::write(&file, text).unwrap();
    let before = serial(demo, 1);
    let said = told(demo, 1, &["explain", file.to_str().unwrap(), "--key", "demo-tsig"]);
    let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(lines[0], "line 2: NOERROR: 1 records come, 0 go");
    assert!(lines[1].starts_with("line 4: YXRRSET") && lines[2].starts_with("line 5: REFUSED"), "{said}");
    let said = told(demo, 1, &["explain", file.to_str().unwrap(), "--key", "stranger"]);
    assert!(said.contains("no rule in the policy of example.test. is about the key stranger."), "{said}");
    assert_eq!(serial(demo, 1), before);
}

fn our_own_client_reads_nsupdates_scripts(demo: &Demo) {
    let send = |lines: &str| {
        let file = demo.dir().join("update");
        fs::write(&file, format!("server 127.0.0.1 {}\n{lines}\n", demo.port(3))).unwrap();
        let key = demo.dir().join("client/tsig.key");
        run(
            env!("CARGO_BIN_EXE_conclave"),
            &["update", "--key", key.to_str().unwrap(), "--wait", "240", file.to_str().unwrap()],
        )
    };
    let done = send("update add own.example.test 60 TXT one\nsend\nadd own.example.test 60 TXT two");
    assert!(done.status.success(), "{}", all_output(&done));
    assert_eq!(demo.dig(3, &["+short", "own.example.test", "TXT"]).lines().count(), 2);
    let refused = send("prereq nxdomain own.example.test\nadd own.example.test 60 TXT three");
    let text = all_output(&refused);
    assert!(!refused.status.success() && text.contains("YXDOMAIN: a prerequisite does not hold ["), "{text}");
}

fn the_audit_is_the_same_everywhere(demo: &Demo) {
    demo.update(1, Key::Tsig, "update add audited.example.test 60 A 192.0.2.1");
    let all = wait_for("the audits are equal", || {
        let all: Vec<String> = (1..=4).map(|i| told(demo, i, &["log", "--json"])).collect();
        (all[0].contains("audited") && all.iter().all(|one| *one == all[0])).then(|| all[0].clone())
    });
    assert!(all.lines().count() > 20);
    let last = told(demo, 2, &["log", "--zone", "example.test", "--key", "demo-tsig"]);
    let line = last.lines().last().unwrap();
    assert!(line.contains("demo-tsig. example.test. NOERROR serial") && line.contains("+1 -0"), "{line}");
    assert!(line.ends_with("+audited.example.test. 60 A 192.0.2.1"), "{line}");
    assert!(told(demo, 2, &["log", "--key", "nobody"]).is_empty());
}
