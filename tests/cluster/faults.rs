//! Killed, wiped out and lying replicas: no answered update is lost, and work goes on.

use crate::fronts::set;
use crate::harness::{Daemon, Demo, Key, all_output, has, quick, stdout, wait_for};
use serde_json::Value;
use std::process::{Command, Stdio};

#[test]
fn any_one_of_four_may_be_killed_and_comes_back() {
    if !has("nsupdate") {
        return;
    }
    let mut demo = Demo::start(4);
    let victims: &[u8] = if quick() { &[1] } else { &[1, 2, 3, 4] };
    for &victim in victims {
        demo.update(victim, Key::Tsig, &format!("update add before{victim}.example.test 60 A 192.0.2.1"));
        demo.kill(victim);
        let other = victim % 4 + 1;
        demo.update(other, Key::Sig0, &format!("update add during{victim}.example.test 60 A 192.0.2.2"));
        demo.revive(victim);
        demo.wait_answer(victim, &format!("before{victim}.example.test"), "A", "192.0.2.1");
        demo.wait_answer(victim, &format!("during{victim}.example.test"), "A", "192.0.2.2");
        demo.update(victim, Key::Tsig, &format!("update add after{victim}.example.test 60 A 192.0.2.3"));
    }
    demo.agreed_export(&[1, 2, 3, 4], "example.test");
}

/// RFC 2136 §3.5.
#[test]
fn all_four_killed_at_once_lose_no_answered_update() {
    if !has("nsupdate") {
        return;
    }
    let mut demo = Demo::start(4);
    let mut answered = Vec::new();
    for round in 0..if quick() { 1 } else { 3 } {
        for k in 0..6u8 {
            let name = format!("kept{round}-{k}.example.test");
            demo.update(k % 4 + 1, Key::Tsig, &format!("update add {name} 60 A 192.0.2.{k}"));
            answered.push((name, format!("192.0.2.{k}")));
        }
        demo.kill_all();
        demo.restart();
        for (name, address) in &answered {
            for i in 1..=4 {
                demo.wait_answer(i, name, "A", address);
            }
        }
    }
    demo.agreed_export(&[1, 2, 3, 4], "example.test");
}

#[test]
fn ctrl_c_stops_cleanly_and_a_restart_keeps_the_data() {
    if !has("nsupdate") {
        return;
    }
    let mut demo = Demo::start(4);
    demo.update(2, Key::Sig0, "update add kept.example.test 60 TXT \"across restarts\"");
    let before = demo.agreed_export(&[1, 2, 3, 4], "example.test");
    let pids: Vec<u32> = (1..=4).map(|i| demo.pid(i)).collect();
    assert_eq!(demo.stop(), Some(0));
    for pid in pids {
        wait_for("no replica outlives the demo", || {
            (!std::path::Path::new(&format!("/proc/{pid}")).exists()).then_some(())
        });
    }
    demo.restart();
    assert_eq!(demo.agreed_export(&[1, 2, 3, 4], "example.test"), before);
}

#[test]
fn without_a_quorum_updates_get_servfail_and_reads_go_on() {
    if !has("nsupdate") || !has("dig") {
        return;
    }
    let mut demo = Demo::start(4);
    demo.hurry(1);
    demo.kill(3);
    demo.kill(4);
    let output =
        demo.nsupdate(1, Key::Tsig, "zone example.test\nupdate add late.example.test 60 A 192.0.2.4\nsend\n");
    assert!(!output.status.success() && all_output(&output).contains("SERVFAIL"), "{}", all_output(&output));
    assert!(demo.dig(1, &["example.test", "SOA", "+dnssec"]).contains("status: NOERROR"));
    demo.revive(3);
    demo.update(2, Key::Sig0, "update add again.example.test 60 A 192.0.2.5");
    demo.wait_answer(3, "again.example.test", "A", "192.0.2.5");
}

#[test]
fn a_replica_that_sends_garbage_shares_stops_nothing_and_is_named() {
    if !has("nsupdate") || !has("delv") {
        return;
    }
    for signing in ["basic", "optproof", "optte"] {
        let mut demo = Demo::start_signing(4, signing);
        demo.kill(2);
        let mut liar = liar(&demo);
        let address = demo.dig(1, &["+short", "ns1.example.test", "A"]);
        demo.wait_answer(2, "ns1.example.test", "A", address.trim());
        for k in 0..8u8 {
            demo.update(
                [1, 3, 4][usize::from(k) % 3],
                Key::Tsig,
                &format!("update add lied{k}.example.test 60 A 192.0.2.{k}"),
            );
        }
        demo.wait_answer(1, "lied7.example.test", "A", "192.0.2.7");
        let text = demo.delv(1, "example.test", "lied7.example.test", "A");
        assert!(text.contains("; fully validated"), "{signing}: {text}");
        demo.agreed_export(&[1, 3, 4], "example.test");
        named(&demo, signing);
        assert!(liar.0.try_wait().unwrap().is_none(), "the liar ran to the end");
    }
}

/// Replica 2 of a demo, as the program that spoils shares.
fn liar(demo: &Demo) -> Daemon {
    let liar = std::path::Path::new(env!("CARGO_BIN_EXE_conclave"))
        .with_file_name("examples")
        .join("garbage_replica");
    if !liar.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--release", "--locked", "--example", "garbage_replica"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success());
    }
    let started = Command::new(&liar)
        .arg(demo.dir().join("replica-2/replica.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Daemon(started.unwrap())
}

/// Updates until an honest replica names replica 2, and it alone: in JSON, to people, and in metrics.
fn named(demo: &Demo, signing: &str) {
    let mut count = 0u8;
    let by = wait_for(&format!("{signing}: replica 2 is named; {}", demo.logs()), || {
        let caught = |i: &u8| {
            let status: Value = serde_json::from_str(&stdout(&demo.ctl(*i, &["status", "--json"]))).unwrap();
            assert_eq!(status["signing"]["protocol"], signing);
            let culprits = status["signing"]["culprits"].as_object().unwrap();
            assert!(culprits.keys().all(|who| who == "2"), "{signing}: {culprits:?}");
            !culprits.is_empty()
        };
        let found = [1, 3, 4].into_iter().find(caught);
        if found.is_none() {
            count = count.wrapping_add(1);
            let change = format!("update add again.example.test 60 A 192.0.2.{count}");
            demo.update(1, Key::Tsig, &change);
        }
        found
    });
    let (human, metrics) = (stdout(&demo.ctl(by, &["status"])), stdout(&demo.ctl(by, &["metrics"])));
    assert!(human.contains("replica 2 signed wrong, seen "), "{human}");
    let counter = format!("conclave_signing_wrong_total{{replica=\"{by}\",culprit=\"2\",evidence=\"");
    assert!(metrics.lines().any(|line| line.starts_with(&counter)), "{metrics}");
}

/// RFC 8914 §4.4: a replica that has no quorum in reach says that its answers may be stale, until it has one again.
#[test]
fn a_replica_that_is_cut_off_marks_its_answers() {
    if !has("dig") {
        return;
    }
    let mut demo = Demo::start(4);
    set(&mut demo, "stale-after-s = 1\n");
    let is_marked = |demo: &Demo| demo.dig(1, &["example.test", "SOA"]).contains("EDE: 3");
    wait_for("no answer is marked", || (!is_marked(&demo)).then_some(()));
    demo.kill(3);
    demo.kill(4);
    wait_for("answers are marked", || is_marked(&demo).then_some(()));
    assert!(stdout(&demo.ctl(1, &["status"])).contains("Stale"), "{}", stdout(&demo.ctl(1, &["status"])));
    assert!(demo.dig(1, &["no.such.example.test", "A"]).contains("EDE: 19"), "RFC 8914 §4.20");
    assert!(!demo.dig(2, &["example.test", "SOA"]).contains("EDE: 3"), "after its own time only");
    demo.revive(3);
    wait_for("no answer is marked any more", || (!is_marked(&demo)).then_some(()));
}
