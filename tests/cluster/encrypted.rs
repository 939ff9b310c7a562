//! DNS over TLS, HTTPS and QUIC, as stock clients speak them: one answer over every transport, certificates that change, what is
//! no DNS at all.

use crate::fronts::{certificate, install, set};
use crate::harness::{Demo, all_output, has, run, stdout, wait_for};
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A demo of one replica that serves all transports with one certificate.
struct Encrypted {
    demo: Demo,
    home: PathBuf,
    authority: PathBuf,
    tls: String,
    https: String,
    quic: String,
}

impl Encrypted {
    fn start() -> Self {
        let mut demo = Demo::start(1);
        let home = demo.dir().join("replica-1");
        let authority = certificate(&home, "first");
        install(&home, "first");
        // Between those of DNS and of peers.
        let [tls, https, quic] = [50, 51, 52].map(|offset| (demo.base + offset).to_string());
        let lines = format!(
            "[dns.tls]\nlisten = [\"127.0.0.1:{tls}\"]\ncertificate = \"tls.pem\"\nkey = \"tls.key\"\n\
             [dns.https]\nlisten = [\"127.0.0.1:{https}\"]\n[dns.quic]\nlisten = [\"127.0.0.1:{quic}\"]\n"
        );
        set(&mut demo, &lines);
        Self { demo, home, authority, tls, https, quic }
    }

    /// The stock kdig by one of the ways: `+tls`, `+https`, `+https-get`, `+quic`.
    fn kdig(&self, authority: &Path, way: &str, options: &[&str]) -> String {
        let port = match way {
            "+tls" => &self.tls,
            "+quic" => &self.quic,
            _ => &self.https,
        };
        let trusted = format!("+tls-ca={}", authority.display());
        // What is said of certificates turns to TLS over TCP what came before.
        let mut args = vec!["@127.0.0.1", "-p", port, &trusted, "+tls-host=ns.example.test", way, "+time=10"];
        args.extend(options);
        all_output(&run("kdig", &args))
    }

    /// The stock curl at our path: the status, and the head and body.
    fn curl(&self, target: &str, options: &[&str]) -> (String, Vec<u8>) {
        let url = format!("https://ns.example.test:{}{target}", self.https);
        let resolve = format!("ns.example.test:{}:127.0.0.1", self.https);
        let output = Command::new("curl")
            .args(["--silent", "--include", "--http2", "--max-time", "120", "--noproxy", "*"])
            .args(["--resolve", &resolve, "--cacert"])
            .arg(&self.authority)
            .args(options)
            .arg(url)
            .output()
            .unwrap();
        let end = output.stdout.windows(4).position(|w| w == b"\r\n\r\n").map_or(0, |at| at + 4);
        let (head, body) = output.stdout.split_at(end);
        (String::from_utf8_lossy(head).to_lowercase(), body.to_vec())
    }
}

/// The records that dig or kdig print, in one form, sorted.
fn records(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with(';') && !line.trim().is_empty());
    let mut records: Vec<String> =
        lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    records.sort();
    records
}

/// RFC 8484 §4.1, RFC 9250 §4.2 and RFC 7858 §3.2: the same answer, whichever way a stock client asks.
#[test]
fn every_transport_gives_the_same_answer() {
    if !has("kdig") || !has("dig") || !has("openssl") {
        return;
    }
    let all = Encrypted::start();
    let authority = format!("+tls-ca={}", all.authority.display());
    for question in [
        ["example.test", "SOA"],
        ["example.test", "DNSKEY"],
        ["www.example.test", "A"],
        ["www.example.test", "MX"],
        ["no.such.name.example.test", "A"],
        ["example.com", "A"],
    ] {
        let [name, rtype] = question;
        let expected = records(&all.demo.dig(1, &["+dnssec", "+nosplit", name, rtype]));
        for way in ["+tls", "+https", "+https-get", "+quic"] {
            let ways: &[&str] = if way == "+https-get" { &["+https", "+dnssec"] } else { &["+dnssec"] };
            let answer = all.kdig(&all.authority, way, &[ways, &question[..]].concat());
            assert!(answer.contains("status: "), "{way} {question:?}: {answer}");
            assert_eq!(records(&answer), expected, "{way} {question:?}: {answer}");
        }
        for way in ["+tls", "+https", "+https-get"] {
            let port = if way == "+tls" { &all.tls } else { &all.https };
            let args = ["@127.0.0.1", "-p", port, way, &authority, "+tls-hostname=ns.example.test"];
            let answer =
                stdout(&run("dig", &[&args[..], &["+dnssec", "+nosplit", "+time=10", name, rtype]].concat()));
            assert!(answer.contains("status: "), "{way} {question:?}: {answer}");
            assert_eq!(records(&answer), expected, "dig {way} {question:?}: {answer}");
        }
    }
    // Several streams of one connection, which kdig over QUIC does not always get to write.
    for way in ["+https", "+quic"] {
        let names = ["+keepopen", "example.test", "SOA", "example.test", "NS", "example.test", "DNSKEY"];
        wait_for(&format!("three answers {way}"), || {
            let several = all.kdig(&all.authority, way, &names);
            (several.matches("status: NOERROR").count() == 3).then_some(())
        });
    }
}

/// RFC 8467 §4.1 over every encrypted transport, RFC 9250 §5.4.
#[test]
fn who_pads_gets_padded_answers_by_every_way() {
    if !has("kdig") || !has("openssl") {
        return;
    }
    let all = Encrypted::start();
    for way in ["+tls", "+https", "+quic"] {
        let padded = all.kdig(&all.authority, way, &["+padding", "+stats", "www.example.test", "A"]);
        let size =
            padded.split("Received ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
        assert!(size.is_some_and(|size| size > 0 && size.is_multiple_of(468)), "{way}: {padded}");
    }
}

/// RFC 8484 §4.1, §4.1.1, §4.2.1, §5.1, §5.2 and §6, as a stock HTTP client sees them.
#[test]
fn curl_gets_media_type_freshness_and_status() {
    if !has("curl") || !has("openssl") {
        return;
    }
    let all = Encrypted::start();
    // A query for example.test SOA with the identifier 0, as §4.1 wants it of clients.
    let query = "AAABAAABAAAAAAAAB2V4YW1wbGUEdGVzdAAABgAB";
    let (head, body) = all.curl(&format!("/dns-query?dns={query}"), &[]);
    assert!(head.starts_with("http/2 200"), "{head}");
    assert!(
        head.contains("content-type: application/dns-message") && head.contains("cache-control: max-age="),
        "{head}"
    );
    assert_eq!((&body[..2], body[3] & 15, body[7]), (&[0, 0][..], 0, 1), "{body:02x?}");
    let octets = data_encoding::BASE64URL_NOPAD.decode(query.as_bytes()).unwrap();
    let file = all.home.join("query");
    std::fs::write(&file, octets).unwrap();
    let data = format!("@{}", file.display());
    let post = |media: &str| {
        all.curl("/dns-query", &["--data-binary", &data, "--header", &format!("content-type: {media}")])
    };
    let (head, posted) = post("application/dns-message");
    assert!(head.starts_with("http/2 200") && posted == body, "{head}");
    let (head, _) = post("text/plain");
    assert!(head.starts_with("http/2 415"), "{head}");
    for (target, options, status) in [
        ("/", &[][..], "404"),
        ("/dns-query", &[], "400"),
        ("/dns-query?dns=AA==", &[], "400"),
        ("/dns-query", &["--request", "DELETE"], "405"),
        ("/dns-query", &["--request", "BREW"], "501"),
    ] {
        let (head, _) = all.curl(target, options);
        assert!(head.starts_with(&format!("http/2 {status}")), "{target} {options:?}: {head}");
    }
    // What resolves names for it over HTTPS asks for A and AAAA.
    let doh = format!("https://ns.example.test:{}/dns-query", all.https);
    let resolve = format!("ns.example.test:{}:127.0.0.1", all.https);
    let resolved = Command::new("curl")
        .args([
            "--silent",
            "--verbose",
            "--max-time",
            "60",
            "--noproxy",
            "*",
            "--doh-insecure",
            "--doh-url",
            &doh,
        ])
        .args(["--resolve", &resolve, "http://www.example.test:1/"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&resolved.stderr).into_owned();
    assert!(said.contains("192.0.2.") || said.contains("2001:db8"), "{said}");
}

/// RFC 7858 §3.2: one certificate for all transports, renewed while the replica runs.
#[test]
fn a_new_certificate_is_shown_by_every_transport() {
    if !has("kdig") || !has("openssl") {
        return;
    }
    let all = Encrypted::start();
    let second = certificate(&all.home, "second");
    let soa = ["example.test", "SOA"];
    for way in ["+tls", "+https", "+quic"] {
        assert!(all.kdig(&all.authority, way, &soa).contains("status: NOERROR"), "{way}");
    }
    install(&all.home, "second");
    for way in ["+tls", "+https", "+quic"] {
        wait_for(&format!("{way} shows the new certificate"), || {
            all.kdig(&second, way, &soa).contains("status: NOERROR").then_some(())
        });
        assert!(
            !all.kdig(&all.authority, way, &soa).contains("status: NOERROR"),
            "{way}: the old one is gone"
        );
    }
}

#[test]
fn garbage_at_encrypted_ports_neither_ends_nor_wedges_a_replica() {
    if !has("kdig") || !has("openssl") {
        return;
    }
    let all = Encrypted::start();
    let pid = all.demo.pid(1);
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut octets = |length: usize| -> Vec<u8> {
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..length).map(next).collect()
    };
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for round in 0..3_000 {
        let mut datagram = octets(if round % 2 == 0 { 1_200 } else { round % 1_500 });
        if round % 3 == 0 && datagram.len() >= 7 {
            // An Initial packet of version 1 (RFC 9000 §17.2.2), as far as its first octets say.
            datagram[..6].copy_from_slice(&[0xC3, 0, 0, 0, 1, 8]);
        }
        let _ = socket.send_to(&datagram, ("127.0.0.1", all.quic.parse::<u16>().unwrap()));
    }
    for port in [&all.tls, &all.https] {
        for _ in 0..20 {
            let mut stream = TcpStream::connect(("127.0.0.1", port.parse::<u16>().unwrap())).unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
            let _ = stream.write_all(&octets(4_000));
            let _ = stream.read(&mut [0; 512]);
        }
    }
    for way in ["+tls", "+https", "+quic"] {
        let answer = all.kdig(&all.authority, way, &["example.test", "SOA"]);
        assert!(answer.contains("status: NOERROR"), "{way}: {answer}");
    }
    assert_eq!(all.demo.pid(1), pid);
}
