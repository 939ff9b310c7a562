//! Zones that stock secondaries take from the replicas (RFC 5936), and who may not.

use crate::harness::{Demo, Key, all_output, has, run, stdout, wait_for};
use conclave::dns::message::Message;
use conclave::dns::{Record, Soa, master};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

const ZONE: &str = "example.test";

/// Gives every replica of a demo these rules, as its operator would, and starts it again.
fn set_rule(demo: &mut Demo, rule: &str) {
    assert_eq!(demo.stop(), Some(0));
    for i in 1..=demo.n {
        let file = demo.dir().join(format!("replica-{i}/replica.toml"));
        let text = fs::read_to_string(&file).unwrap();
        let text = text.split("\n[[transfer]]").next().unwrap();
        fs::write(&file, format!("{text}\n[[transfer]]\nzone = \"{ZONE}\"\n{rule}\n")).unwrap();
    }
    demo.restart();
}

fn key_file(demo: &Demo) -> String {
    demo.dir().join("client/tsig.key").display().to_string()
}

/// The name, algorithm and secret of the demo's TSIG key.
fn key(demo: &Demo) -> (String, String, String) {
    let text = fs::read_to_string(key_file(demo)).unwrap();
    let after = |word: &str| text.split(word).nth(1).unwrap().trim_start().to_owned();
    let quoted = |text: String| text.split('"').nth(1).unwrap().to_owned();
    let algorithm = after("algorithm").split(';').next().unwrap().trim().trim_matches('"').to_owned();
    (quoted(after("key ")), algorithm, quoted(after("secret ")))
}

/// The records of a transfer as dig shows them; an error's text if there is none.
fn axfr(demo: &Demo, i: u8, options: &[&str]) -> String {
    demo.dig(i, &[&["AXFR", ZONE, "+nocmd", "+nostats", "+noidnout", "+onesoa"], options].concat())
}

/// All messages of a transfer, as they come over TCP.
fn messages(demo: &Demo, i: u8) -> Vec<Vec<u8>> {
    let mut query = vec![0xAB, 0xCD, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend_from_slice(b"\x07example\x04test\x00\x00\xFC\x00\x01");
    let mut stream = TcpStream::connect(("127.0.0.1", demo.port(i).parse().unwrap())).unwrap();
    stream.write_all(&[&(query.len() as u16).to_be_bytes()[..], &query].concat()).unwrap();
    // Its end: then the server has sent all that was asked for.
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets).unwrap();
    let mut rest = octets.as_slice();
    let mut messages = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (message, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
        messages.push(message.to_vec());
        rest = after;
    }
    messages
}

/// Ended when dropped.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &str, args: &[&str], log: &Path) -> Daemon {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let log = fs::File::create(log).unwrap();
    let mut command = Command::new(program);
    command.env("PATH", path).args(args).stdin(Stdio::null()).stderr(log.try_clone().unwrap()).stdout(log);
    Daemon(command.spawn().unwrap())
}

fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn ask(port: u16, args: &[&str]) -> String {
    let port = port.to_string();
    stdout(&run("dig", &[&["@127.0.0.1", "-p", &port, "+tries=1", "+time=5"], args].concat()))
}

fn verify(demo: &Demo, zone: &str) {
    let file = demo.dir().join("transferred.zone");
    fs::write(&file, zone).unwrap();
    let file = file.display().to_string();
    if has("dnssec-verify") {
        let output = run("dnssec-verify", &["-o", ZONE, &file]);
        assert!(output.status.success(), "{}\n{zone}", all_output(&output));
    }
    if has("ldns-verify-zone") {
        let output = run("ldns-verify-zone", &[&file]);
        assert!(output.status.success(), "{}\n{zone}", all_output(&output));
    }
}

/// What dig shows of records, one line each, without regard to white space and order.
fn lines(text: &str) -> Vec<String> {
    let records = text.lines().filter(|line| !line.starts_with(';') && !line.trim().is_empty());
    let mut lines: Vec<String> =
        records.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    lines.sort();
    lines
}

/// RFC 5936 §5: a zone goes to nobody unless the configuration says so, and then only to whom it says.
#[test]
fn transfers_are_refused_unless_a_rule_allows_them() {
    if !has("dig") {
        return;
    }
    let mut demo = Demo::start(1);
    let (file, (name, _, _)) = (key_file(&demo), key(&demo));
    let is_refused = |text: &str| text.contains("Transfer failed");
    for options in [&[][..], &["-k", &file]] {
        let said = axfr(&demo, 1, options);
        assert!(is_refused(&said), "{options:?}: {said}");
    }
    set_rule(&mut demo, &format!("keys = [\"{name}\"]"));
    assert!(is_refused(&axfr(&demo, 1, &[])));
    assert!(!is_refused(&axfr(&demo, 1, &["-k", &file])));
    set_rule(&mut demo, &format!("keys = [\"{name}\"]\nnetworks = [\"192.0.2.0/24\"]"));
    assert!(is_refused(&axfr(&demo, 1, &["-k", &file])));
    let udp = demo.dig(1, &["+notcp", ZONE, "IXFR=1", "+ignore"]);
    assert!(!udp.contains("SOA"), "{udp}");
}

/// RFC 5936 §3.1, §4.1 and RFC 8945 §5.3.1, pitfalls 23 and 24: dig takes the exported zone and finds every TSIG good; all replicas send the same bytes for
/// the same serial.
#[test]
fn dig_takes_the_signed_zone_and_all_replicas_send_the_same_bytes() {
    if !has("dig") || !has("nsupdate") {
        return;
    }
    let mut demo = Demo::start(4);
    set_rule(&mut demo, "networks = [\"127.0.0.0/8\"]");
    let many: Vec<String> =
        (0..150).map(|i| format!("update add t{i}.example.test 60 TXT \"number {i}\"")).collect();
    demo.update(1, Key::Tsig, &many.join("\n"));
    let odd = ["APL 1:192.0.2.0/24 !2:2001:db8::/32", "NSAP 0x4700", "X25 31106", "LOC 1 N 2 E 3m"];
    let odd = [&odd[..], &["TXT \"\\200;\\\"\"", "TYPE65300 \\# 2 abcd", "WKS 192.0.2.1 6 25"]].concat();
    let odd: Vec<String> =
        odd.iter().map(|data| format!("update add o\\.dd\\000.example.test 60 {data}")).collect();
    demo.update(1, Key::Sig0, &format!("check-names no\n{}", odd.join("\n")));
    let export = demo.agreed_export(&[1, 2, 3, 4], ZONE);
    let signed = axfr(&demo, 2, &["-k", &key_file(&demo)]);
    assert!(!signed.contains("failed") && !signed.contains("Couldn't verify"), "{signed}");
    let plain = axfr(&demo, 3, &[]);
    assert_eq!(lines(&plain).len(), lines(&export).len());
    let without_tsig: String =
        signed.lines().filter(|line| !line.contains("TSIG")).map(|line| line.to_owned() + "\n").collect();
    assert_eq!(lines(&without_tsig), lines(&plain));
    verify(&demo, &plain);
    if has("named-compilezone") {
        // What BIND makes of the export is what it makes of the transfer, whatever the types.
        let compiled = |name: &str, text: &str| {
            let file = demo.dir().join(name).display().to_string();
            fs::write(&file, text).unwrap();
            let output = run(
                "named-compilezone",
                &["-i", "none", "-k", "ignore", "-s", "full", "-o", "-", ZONE, &file],
            );
            assert!(output.status.success(), "{}", all_output(&output));
            stdout(&output)
        };
        assert_eq!(compiled("export.zone", &export), compiled("axfr.zone", &plain));
    }
    let first = messages(&demo, 1);
    assert!(first.len() > 1, "{} messages", first.len());
    for i in 2..=4 {
        assert!(messages(&demo, i) == first, "replica {i} sends other bytes than replica 1");
    }
}

/// Says that it is enough when dropped.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// RFC 5936 §3.1 and pitfall 23: a transfer while updates are executed is one version, which validates as a whole.
#[test]
fn a_transfer_during_updates_is_one_snapshot() {
    if !has("dig") || !has("nsupdate") {
        return;
    }
    let mut demo = Demo::start(1);
    set_rule(&mut demo, "networks = [\"127.0.0.1\"]");
    let demo = &demo;
    let enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut count = 0;
            while !enough.load(Ordering::Relaxed) {
                demo.update(1, Key::Tsig, &format!("update add s{count}.example.test 60 TXT \"{count}\""));
                count += 1;
            }
        });
        // Also when this fails, for the scope waits for who updates.
        let _stop = Stop(&enough);
        let mut serials = BTreeSet::new();
        wait_for("four versions were transferred while updates went on", || {
            let records: Vec<Record> =
                messages(demo, 1).iter().flat_map(|wire| Message::parse(wire).unwrap().answers).collect();
            assert_eq!(records.first(), records.last());
            serials.insert(Soa::parse(&records[0].rdata).unwrap().serial);
            let zone: String =
                records[1..].iter().map(|record| master::write_record(record) + "\n").collect();
            verify(demo, &zone);
            (serials.len() >= 4).then_some(())
        });
    });
}

/// A secondary of another vendor: its program and configuration.
fn secondary(vendor: &str, dir: &Path, port: u16, primary: &str, key: &(String, String, String)) -> Daemon {
    let (name, algorithm, secret) = key;
    let shown = dir.display();
    let config = match vendor {
        "nsd" => format!(
            "server:\n ip-address: 127.0.0.1\n port: {port}\n username: \"\"\n chroot: \"\"\n zonesdir: \"{shown}\"\n \
             pidfile: \"\"\n database: \"\"\n xfrdfile: \"{shown}/xfrd.state\"\n xfrdir: \"{shown}\"\n \
             zonelistfile: \"{shown}/zone.list\"\n server-count: 1\nremote-control:\n control-enable: no\n\
             key:\n name: \"{name}\"\n algorithm: {algorithm}\n secret: \"{secret}\"\n\
             zone:\n name: {ZONE}\n zonefile: \"copy\"\n request-xfr: AXFR 127.0.0.1@{primary} {name}\n \
             max-refresh-time: 1\n provide-xfr: 127.0.0.1 NOKEY\n"
        ),
        "named" => format!(
            "options {{ directory \"{shown}\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n \
             recursion no; pid-file none; session-keyfile none; notify no; dnssec-validation no;\n \
             empty-zones-enable no; managed-keys-directory \"{shown}\"; allow-transfer {{ 127.0.0.1; }}; }};\n\
             controls {{ }};\nkey \"{name}\" {{ algorithm {algorithm}; secret \"{secret}\"; }};\n\
             zone \"{ZONE}\" {{ type secondary; file \"copy\"; primaries port {primary} {{ 127.0.0.1 key \"{name}\"; }};\n \
             max-refresh-time 1; min-refresh-time 1; }};\n"
        ),
        _ => format!(
            "server:\n  listen: 127.0.0.1@{port}\n  rundir: \"{shown}\"\ndatabase:\n  storage: \"{shown}\"\n\
             key:\n  - id: {name}\n    algorithm: {algorithm}\n    secret: {secret}\n\
             remote:\n  - id: primary\n    address: 127.0.0.1@{primary}\n    key: {name}\n\
             acl:\n  - id: all\n    address: 127.0.0.1\n    action: transfer\n\
             zone:\n  - domain: {ZONE}\n    storage: \"{shown}\"\n    file: copy\n    master: primary\n    acl: all\n    \
             refresh-max-interval: 2\n"
        ),
    };
    let file = dir.join("server.conf");
    fs::write(&file, config).unwrap();
    let file = file.display().to_string();
    let args = match vendor {
        "nsd" => vec!["-d", "-c", &file],
        "named" => vec!["-g", "-c", &file],
        _ => vec!["-c", &file],
    };
    start(vendor, &args, &dir.join("log"))
}

/// RFC 5936 §2.2 and RFC 1995 §4: stock secondaries take the zone from a replica with a TSIG, follow an update, and serve what
/// validates as a whole.
#[test]
fn stock_secondaries_take_the_zone_follow_updates_and_serve_it() {
    if !has("dig") || !has("nsupdate") {
        return;
    }
    let mut demo = Demo::start(4);
    let key = key(&demo);
    set_rule(&mut demo, &format!("networks = [\"127.0.0.1\"]\nkeys = [\"{}\"]", key.0));
    demo.update(1, Key::Tsig, "update add first.example.test 60 A 192.0.2.1");
    for (replica, vendor) in [(2, "nsd"), (3, "named"), (4, "knotd")] {
        if !has(vendor) {
            continue;
        }
        let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
        let daemon = secondary(vendor, dir.path(), port, &demo.port(replica), &key);
        let log = || fs::read_to_string(dir.path().join("log")).unwrap_or_default();
        let serves = |name: &str| {
            wait_for(&format!("{vendor} serves {name}: {}", log()), || {
                ask(port, &["+short", name, "TXT"]).contains("here").then_some(())
            });
        };
        demo.update(1, Key::Tsig, &format!("update add {vendor}.example.test 60 TXT \"here\""));
        serves(&format!("{vendor}.example.test"));
        demo.update(1, Key::Tsig, &format!("update add {vendor}2.example.test 60 TXT \"here too\""));
        serves(&format!("{vendor}2.example.test"));
        // While it loads the zone anew it may take no connection.
        let copy = wait_for(&format!("{vendor} sends the zone: {}", log()), || {
            let copy = ask(port, &["AXFR", ZONE, "+onesoa", "+nocmd", "+nostats"]);
            copy.contains("\tSOA\t").then_some(copy)
        });
        verify(&demo, &copy);
        drop(daemon);
    }
}
