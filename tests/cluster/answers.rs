//! What resolvers and people with dig see.

use crate::harness::{Daemon, Demo, Key, has, run, stdout, wait_for};
use std::net::UdpSocket;
use std::process::{Command, Stdio};

#[test]
fn answers_are_authoritative_signed_and_stay_within_the_zone() {
    if !has("dig") {
        return;
    }
    let demo = Demo::start(1);
    let soa = demo.dig(1, &["example.test", "SOA", "+dnssec"]);
    assert!(soa.contains("status: NOERROR") && soa.contains(" aa") && soa.contains("RRSIG"), "{soa}");

    let off_zone = demo.dig(1, &["www.example.org", "A"]);
    assert!(off_zone.contains("status: REFUSED"), "{off_zone}");

    let nothing = demo.dig(1, &["no.such.name.example.test", "A", "+dnssec"]);
    assert!(nothing.contains("status: NXDOMAIN") && nothing.contains("NSEC"), "{nothing}");

    let nodata = demo.dig(1, &["example.test", "LOC", "+dnssec"]);
    assert!(
        nodata.contains("status: NOERROR") && nodata.contains("ANSWER: 0") && nodata.contains("NSEC"),
        "{nodata}"
    );

    let dnskey = demo.dig(1, &["example.test", "DNSKEY", "+dnssec", "+multi"]);
    assert!(dnskey.contains("KSK") && dnskey.contains("ZSK"), "{dnskey}");

    let tcp = demo.dig(1, &["+tcp", "example.test", "NS"]);
    assert!(tcp.contains("status: NOERROR") && tcp.contains("(TCP)"), "{tcp}");

    let badvers = demo.dig(1, &["+edns=1", "+noednsneg", "example.test", "SOA"]);
    assert!(badvers.contains("BADVERS"), "{badvers}");

    let notimp = demo.dig(1, &["+opcode=STATUS", "example.test"]);
    assert!(notimp.contains("status: NOTIMP"), "{notimp}");

    let tiny =
        demo.dig(1, &["+notcp", "+ignore", "+bufsize=512", "no.such.name.example.test", "A", "+dnssec"]);
    assert!(tiny.contains(" tc"), "{tiny}");
}

#[test]
fn ordered_reads_see_every_answered_update_at_every_replica_and_stop_without_a_quorum() {
    if !has("dig") || !has("nsupdate") {
        return;
    }
    let mut demo = Demo::start_ordered(4);
    for k in 1..=8u8 {
        let (writer, reader) = (k % 4 + 1, (k + 1) % 4 + 1);
        demo.update(writer, Key::Sig0, &format!("update add ordered.example.test 60 TXT \"n {k}\""));
        // No waiting: the read is ordered after the update that was answered before it was asked.
        let seen = demo.dig(reader, &["+short", "ordered.example.test", "TXT"]);
        assert!(seen.contains(&format!("n {k}")), "replica {reader} after update {k} at {writer}: {seen}");
    }
    demo.hurry(1);
    demo.kill(3);
    demo.kill(4);
    let late = demo.dig(1, &["example.test", "SOA"]);
    assert!(late.contains("status: SERVFAIL"), "a read that cannot be ordered must not be answered: {late}");
}

#[test]
fn unbound_validates_answers_and_denials_through_all_replicas() {
    if !has("dig") || !has("nsupdate") || !has("unbound") {
        return;
    }
    let demo = Demo::start(4);
    demo.update(2, Key::Tsig, "update add resolved.example.test 60 A 192.0.2.53");
    for i in 1..=4 {
        demo.wait_answer(i, "resolved.example.test", "A", "192.0.2.53");
    }
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let stubs: String = (1..=4).map(|i| format!("  stub-addr: 127.0.0.1@{}\n", demo.port(i))).collect();
    let anchor = demo.dir().join("anchors/example.test.ds");
    let config = format!(
        "server:\n  interface: 127.0.0.1\n  port: {port}\n  do-not-query-localhost: no\n  chroot: \"\"\n  username: \"\"\n  \
         directory: \"{dir}\"\n  pidfile: \"\"\n  use-syslog: no\n  local-zone: \"test.\" nodefault\n  \
         module-config: \"validator iterator\"\n  trust-anchor-file: \"{anchor}\"\n\
         remote-control:\n  control-enable: no\nstub-zone:\n  name: example.test\n{stubs}",
        dir = demo.dir().display(),
        anchor = anchor.display(),
    );
    let file = demo.dir().join("unbound.conf");
    std::fs::write(&file, config).unwrap();
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let log = std::fs::File::create(demo.dir().join("unbound.log")).unwrap();
    let mut unbound = Command::new("unbound");
    unbound.env("PATH", path).args(["-d", "-c"]).arg(&file).stderr(log).stdout(Stdio::null());
    let _daemon = Daemon(unbound.spawn().unwrap());
    let ask = |name: &str| {
        let port = port.to_string();
        stdout(&run("dig", &["@127.0.0.1", "-p", &port, "+dnssec", "+tries=1", "+time=5", name, "A"]))
    };
    let secure =
        |text: &str, status: &str| text.contains(&format!("status: {status}")) && text.contains(" ad;");
    wait_for("Unbound says that the answer is secure", || {
        secure(&ask("resolved.example.test"), "NOERROR").then_some(())
    });
    let denial = ask("nowhere.example.test");
    assert!(secure(&denial, "NXDOMAIN"), "{denial}");
}
