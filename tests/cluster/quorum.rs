//! Keys of which each replica has a secret of its own, keys of old clients, and updates through a secondary: with stock tools.

use crate::harness::{Daemon, Demo, all_output, has, run, stdout, wait_for};
use std::fs;
use std::process::{Command, Output, Stdio};

const STEM: &str = "tsig-demo-tsig-quorum";

fn key_of(i: u8) -> String {
    format!("{STEM}-replica-{i}.key")
}

fn soa(demo: &Demo, i: u8) -> String {
    demo.dig(i, &["+short", "example.test", "SOA"]).trim().to_owned()
}

fn serial(demo: &Demo, i: u8) -> u32 {
    soa(demo, i).split_whitespace().nth(2).unwrap().parse().unwrap()
}

/// The same script at these replicas, at once.
fn at_once(demo: &Demo, replicas: &[u8], script: &str) -> Vec<Output> {
    let children: Vec<_> = replicas.iter().map(|i| demo.nsupdate_by(*i, &key_of(*i), script)).collect();
    children.into_iter().map(|child| child.wait_with_output().unwrap()).collect()
}

/// `conclave update` with the file of all secrets.
fn own_client(demo: &Demo, lines: &str) -> Output {
    let (file, key) = (demo.dir().join("update"), demo.dir().join(format!("client/{STEM}.quorum")));
    fs::write(&file, lines).unwrap();
    let arguments = ["update", "--wait", "200", "--key", key.to_str().unwrap(), file.to_str().unwrap()];
    run(env!("CARGO_BIN_EXE_conclave"), &arguments)
}

/// RFC 8945 §5.3: each replica that vouched answers its client, signed with the secret that the two share.
#[test]
fn an_update_under_a_quorum_key_runs_once_when_enough_replicas_vouch() {
    if !has("nsupdate") {
        return;
    }
    let mut demo = Demo::start(4);
    stock_nsupdate_names_the_soa(&demo);
    the_documented_script_does_it(&demo);
    our_own_client_does_it_all(&demo);
    one_replica_is_not_enough(&mut demo);
    demo.kill(1);
    let done = own_client(&demo, "zone example.test\nupdate add less.example.test 60 A 192.0.2.1");
    assert!(done.status.success(), "one of four is down: {}", all_output(&done));
    demo.agreed_export(&[2, 3, 4], "example.test");
}

fn stock_nsupdate_names_the_soa(demo: &Demo) {
    let before = serial(demo, 1);
    let script = format!(
        "prereq yxrrset example.test SOA {}\nupdate add stock.example.test 60 A 192.0.2.1",
        soa(demo, 1)
    );
    for output in at_once(demo, &[1, 3], &script) {
        assert!(output.status.success(), "{}\n{}", all_output(&output), demo.logs());
    }
    for i in 1..=4 {
        demo.wait_answer(i, "stock.example.test", "A", "192.0.2.1");
    }
    assert_eq!(serial(demo, 3), before + 1);
    // The same lines again, elsewhere: the SOA is another now, or the first answer still known.
    let late = at_once(demo, &[2], &script);
    assert!(late[0].status.success() && serial(demo, 2) == before + 1, "{}", all_output(&late[0]));
    // Without the SOA, and with another replica's secret.
    let bare = demo.nsupdate_by(1, &key_of(1), "update add bare.example.test 60 A 192.0.2.1");
    let text = all_output(&bare.wait_with_output().unwrap());
    assert!(text.contains("REFUSED"), "{text}");
    let explained = stdout(&demo.ctl(1, &["explain"]));
    assert!(explained.contains("the key needs a nonce or the SOA as prerequisite"), "{explained}");
    let wrong = demo.nsupdate_by(2, &key_of(1), &script).wait_with_output().unwrap();
    assert!(all_output(&wrong).contains("BADSIG"), "{}", all_output(&wrong));
}

fn the_documented_script_does_it(demo: &Demo) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/nsupdate-quorum");
    let replica = |i: u8| format!("{i}=127.0.0.1:{}", demo.port(i));
    let mut child = Command::new(script)
        .args(["example.test".into(), demo.dir().join(format!("client/{STEM}")).display().to_string()])
        .args([replica(2), replica(3), replica(4)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = b"update add script.example.test 60 TXT \"by script\"\n";
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), lines).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{}", all_output(&output), demo.logs());
    demo.wait_answer(1, "script.example.test", "TXT", "\"by script\"");
}

fn our_own_client_does_it_all(demo: &Demo) {
    let before = serial(demo, 1);
    let done =
        own_client(demo, "update add own.example.test 60 TXT one\nsend\nadd own.example.test 60 TXT two");
    assert!(done.status.success(), "{}\n{}", all_output(&done), demo.logs());
    assert!(stdout(&done).contains("NOERROR from 2 replicas"), "{}", stdout(&done));
    wait_for("both are there", || (serial(demo, 1) == before + 2).then_some(()));
    let refused = own_client(
        demo,
        "zone example.test\nprereq nxdomain own.example.test\nadd own.example.test 60 TXT x",
    );
    let text = all_output(&refused);
    assert!(!refused.status.success() && text.contains("YXDOMAIN: a prerequisite does not hold ["), "{text}");
    let ticket = text.split(['[', ']']).nth(1).unwrap().to_owned();
    for i in 1..=4 {
        wait_for("every replica can say why", || {
            stdout(&demo.ctl(i, &["explain", &ticket])).contains("there must be no records").then_some(())
        });
    }
}

/// RFC 8914 §2: a client that reaches too few replicas is told so within the patience.
fn one_replica_is_not_enough(demo: &mut Demo) {
    let before = serial(demo, 1);
    demo.hurry(4);
    let script = format!(
        "prereq yxrrset example.test SOA {}\nupdate add alone.example.test 60 A 192.0.2.1",
        soa(demo, 4)
    );
    wait_for("replica 4 tells that it is alone", || {
        let output = demo.nsupdate_by(4, &key_of(4), &script).wait_with_output().unwrap();
        assert!(all_output(&output).contains("SERVFAIL"), "{}", all_output(&output));
        let explained = stdout(&demo.ctl(4, &["explain"]));
        explained
            .contains("needs the vouches of 2 replicas, and these have come to the order: 4")
            .then_some(())
    });
    assert_eq!(serial(demo, 4), before);
}

/// RFC 8945 §6: HMAC-MD5 and HMAC-SHA-1, for old clients, work where they are asked for, and the log says what to do.
#[test]
fn keys_of_old_clients_work_by_opt_in_and_the_log_names_their_defaults() {
    if !has("nsupdate") {
        return;
    }
    let demo = Demo::start_keys(4, &["old-md5,hmac-md5,allow-weak", "old-sha1,hmac-sha1,allow-weak"]);
    for (i, name) in [(1, "old-md5"), (2, "old-sha1")] {
        let line = format!("update add {name}.example.test 60 A 192.0.2.1");
        let output = demo.nsupdate_by(i, &format!("tsig-{name}.key"), &line).wait_with_output().unwrap();
        assert!(output.status.success(), "{}\n{}", all_output(&output), demo.logs());
        let log = fs::read_to_string(demo.dir().join(format!("replica-{i}/log"))).unwrap();
        assert!(log.contains(&format!("the key {name}. is for hmac-")), "at the start: {log}");
        assert!(
            log.contains(&format!("the client of the key {name}. signs with hmac-")),
            "at the first use: {log}"
        );
    }
    let log = fs::read_to_string(demo.dir().join("replica-1/log")).unwrap();
    assert!(log.contains("certbot, cert-manager and Ansible do so where nothing is said"), "{log}");
    let program = env!("CARGO_BIN_EXE_conclave");
    let refused = run(program, &["demo", "--dir", "/nonexistent/x", "--tsig", "old,hmac-md5"]);
    assert!(
        !refused.status.success() && all_output(&refused).contains("allow-weak"),
        "{}",
        all_output(&refused)
    );
}

/// RFC 8945 §5.5: a secondary forwards an update with its TSIG, under an ID of its own.
#[test]
fn a_bind_secondary_forwards_updates_with_their_signature() {
    if !has("nsupdate") || !has("named") {
        return;
    }
    let demo = Demo::start(4);
    let dir = tempfile::tempdir().unwrap();
    let port = demo.base + 150;
    let config = format!(
        "options {{ directory \"{0}\"; pid-file \"{0}/pid\"; session-keyfile \"{0}/session\"; listen-on port {port} {{ 127.0.0.1; }}; \
         listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; notify no; }};\ncontrols {{ }};\n\
         zone \"example.test\" {{ type secondary; primaries {{ 127.0.0.1 port {1}; }}; file \"example.zone\"; \
         masterfile-format text; allow-update-forwarding {{ any; }}; }};\n",
        dir.path().display(),
        demo.port(2)
    );
    // The forwarder needs no transfer to forward: it begins with a copy.
    fs::write(dir.path().join("example.zone"), demo.export(2, "example.test")).unwrap();
    fs::write(dir.path().join("named.conf"), config).unwrap();
    let conf = dir.path().join("named.conf");
    let log = fs::File::create(dir.path().join("log")).unwrap();
    let mut named = Command::new("named");
    named.args(["-g", "-n", "1", "-c"]).arg(&conf).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let _named = Daemon(named.spawn().unwrap());
    let shown = || fs::read_to_string(dir.path().join("log")).unwrap_or_default();
    let ask = port.to_string();
    wait_for("named answers", || {
        let answer =
            stdout(&run("dig", &["@127.0.0.1", "-p", &ask, "+time=2", "+short", "example.test", "SOA"]));
        (!answer.trim().is_empty()).then_some(())
    });
    let key = demo.dir().join("client/tsig.key");
    let script = format!(
        "server 127.0.0.1 {port}\nzone example.test\nupdate add forwarded.example.test 60 A 192.0.2.1\nsend\n"
    );
    let file = dir.path().join("script");
    fs::write(&file, script).unwrap();
    let output = run("nsupdate", &["-v", "-t", "240", "-k", key.to_str().unwrap(), file.to_str().unwrap()]);
    assert!(output.status.success(), "{}\n{}", all_output(&output), shown());
    demo.wait_answer(2, "forwarded.example.test", "A", "192.0.2.1");
}
