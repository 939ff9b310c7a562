//! Manners towards clients, seen by stock tools: EDNS, cookies, names, connections, TLS, rate limits.

use crate::fronts::{certificate, free_port, install, set, write_secret};
use crate::harness::{Demo, all_output, has, run, stdout, wait_for};
use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A demo of one replica with these lines in the table `[dns]` of its `replica.toml` (and tables behind it).
fn demo_with(dns: &str) -> Demo {
    let mut demo = Demo::start(1);
    set(&mut demo, dns);
    demo
}

/// What dig prints behind `label`, up to the end of the line.
fn after<'t>(text: &'t str, label: &str) -> Option<&'t str> {
    let line = text.lines().find(|line| line.contains(label))?;
    line.split_once(label).map(|(_, rest)| rest.trim())
}

/// RFC 6891 §6.1.3: stock dig meets EDNS, names, truncation and connections as it expects them.
#[test]
fn dig_finds_edns_names_truncation_and_connections_in_order() {
    if !has("dig") {
        return;
    }
    let demo = demo_with("identity = \"ns1.fra\"\nversion = \"1.2.3\"\n");
    let ask = |args: &[&str]| demo.dig(1, args);
    let soa = ["example.test", "SOA"];
    let with = |options: &[&'static str]| ask(&[&soa[..], options].concat());

    let plain = with(&[]);
    assert!(plain.contains("EDNS: version: 0") && plain.contains("udp: 1232"), "RFC 6891 §6.2.3: {plain}");
    assert!(plain.contains("(good)"), "RFC 7873 §5.2.3: dig asks for a cookie: {plain}");
    let badvers = with(&["+edns=1", "+noednsneg"]);
    assert!(badvers.contains("status: BADVERS") && badvers.contains("EDNS: version: 0"), "{badvers}");
    let negotiated = with(&["+edns=1"]);
    assert!(negotiated.contains("status: NOERROR"), "RFC 6891 §6.1.3: {negotiated}");
    for options in
        [&["+ednsopt=65001:abcd"][..], &["+ednsflags=0x7fff"], &["+subnet=192.0.2.0/24"], &["+noedns"]]
    {
        let answer = with(options);
        assert!(
            answer.contains("status: NOERROR") && answer.contains("ANSWER: 1"),
            "RFC 6891 §6.1.2: {answer}"
        );
        assert_eq!(answer.contains("OPT PSEUDOSECTION"), options != ["+noedns"], "RFC 6891 §7: {answer}");
    }
    let nsid = with(&["+nsid"]);
    assert!(nsid.contains("NSID") && nsid.contains("ns1.fra"), "RFC 5001 §2.2: {nsid}");
    let chaos = |name| ask(&["CH", "TXT", name]);
    assert!(chaos("version.bind").contains("\"1.2.3\""), "RFC 4892 §2");
    assert!(chaos("id.server").contains("\"ns1.fra\""), "RFC 4892 §2");
    let refused = chaos("authors.bind");
    assert!(refused.contains("status: REFUSED") && refused.contains("EDE: 18"), "RFC 8914 §4.19: {refused}");

    let keepalive = with(&["+tcp", "+keepalive"]);
    assert!(keepalive.contains("KEEPALIVE: 30.0"), "RFC 7828 §3.3.2: {keepalive}");
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|label| format!("{label}.example.test"));
    let mut many = vec!["+tcp", "+keepopen", "+noall", "+comments"];
    many.extend(names.iter().map(String::as_str));
    let many = ask(&many);
    assert_eq!(many.matches("status: NXDOMAIN").count(), names.len(), "RFC 7766 §6.2.1: {many}");

    let large = ["no.such.name.example.test", "A", "+dnssec", "+bufsize=512"];
    let cut = ask(&[&large[..], &["+ignore"]].concat());
    assert!(cut.contains(" tc") && cut.contains("OPT PSEUDOSECTION"), "RFC 6891 §7: {cut}");
    let whole = ask(&large);
    assert!(whole.contains("retrying in TCP") && whole.contains("status: NXDOMAIN"), "RFC 7766 §5: {whole}");
}

/// RFC 9018 §4: a cookie of another implementation with the same secret is ours, and what is demanded is what dig shows.
#[test]
fn cookies_are_shared_with_bind_and_demanded_when_told_to() {
    if !has("dig") || !has("named") {
        return;
    }
    const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";
    const OTHER: &str = "445536bcd2513298075a5d379663c962";
    let mut demo = Demo::start(1);
    let secrets = demo.dir().join("replica-1/cookie.secrets");
    write_secret(&secrets, &format!("# shared\n{SECRET}\n"));
    set(&mut demo, "cookies = \"required\"\ncookie-secrets = \"cookie.secrets\"\n");
    let bind = Named::start(&demo.dir(), SECRET);

    let first = ["+nobadcookie", "+cookie=0102030405060708", "example.test", "SOA"];
    let demanded = demo.dig(1, &first);
    assert!(
        demanded.contains("status: BADCOOKIE") && demanded.contains("ANSWER: 0"),
        "RFC 7873 §5.2.3: {demanded}"
    );
    let retried = demo.dig(1, &["example.test", "SOA"]);
    assert!(retried.contains("BADCOOKIE, retrying") && retried.contains("status: NOERROR"), "{retried}");
    let without = demo.dig(1, &["+nocookie", "example.test", "SOA"]);
    assert!(without.contains("status: NOERROR"), "RFC 7873 §5.2.1: {without}");

    let theirs = wait_for("named gives a cookie", || {
        let answer = stdout(&run("dig", &["@127.0.0.1", "-p", &bind.port, first[1], ".", "SOA", "+time=5"]));
        after(&answer, "COOKIE: ").and_then(|rest| rest.strip_suffix(" (good)")).map(str::to_owned)
    });
    assert_eq!(theirs.len(), 48, "{theirs}");
    let shown = format!("+cookie={theirs}");
    let ours = demo.dig(1, &["+nobadcookie", &shown, "example.test", "SOA"]);
    assert!(ours.contains("status: NOERROR"), "RFC 9018 §4: {ours}");
    assert_eq!(
        after(&ours, "COOKIE: "),
        Some(format!("{theirs} (good)").as_str()),
        "RFC 9018 §4.3: not yet renewed"
    );

    // A new secret is rolled in without a restart; the old cookie is good, and renewed.
    write_secret(&secrets, &format!("{OTHER}\n{SECRET}\n"));
    wait_for("the new secret makes cookies", || {
        let answer = demo.dig(1, &["+nobadcookie", &shown, "example.test", "SOA"]);
        assert!(answer.contains("status: NOERROR"), "RFC 9018 §5: {answer}");
        after(&answer, "COOKIE: ").is_some_and(|rest| !rest.starts_with(&theirs)).then_some(())
    });
    // What is wrong is not taken over, also not at a signal.
    write_secret(&secrets, "not a secret\n");
    run("kill", &["-HUP", &demo.pid(1).to_string()]);
    wait_for("the log says so", || {
        demo.logs().contains("cookie.secrets:1: is not a cookie secret").then_some(())
    });
    let still = demo.dig(1, &["+nobadcookie", &shown, "example.test", "SOA"]);
    assert!(still.contains("status: NOERROR"), "{still}");
}

/// RFC 7858 §3.2: DNS over TLS with a certificate that is renewed while the replica runs; RFC 8467 §4.1: padded.
#[test]
fn kdig_asks_over_tls_before_and_after_a_new_certificate() {
    if !has("kdig") || !has("openssl") {
        return;
    }
    let mut demo = Demo::start(1);
    let home = demo.dir().join("replica-1");
    let port = free_port();
    let first = certificate(&home, "first");
    install(&home, "first");
    let tls =
        format!("[dns.tls]\nlisten = [\"127.0.0.1:{port}\"]\ncertificate = \"tls.pem\"\nkey = \"tls.key\"\n");
    set(&mut demo, &tls);
    let port = port.to_string();
    let ask = |authority: &Path, options: &[&str]| {
        let trusted = format!("+tls-ca={}", authority.display());
        let mut args = vec!["@127.0.0.1", "-p", &port, &trusted, "+tls-host=ns.example.test", "+time=10"];
        args.extend(options);
        all_output(&run("kdig", &args))
    };
    let answer = ask(&first, &["+dnssec", "+nsid", "example.test", "SOA"]);
    assert!(answer.contains("TLS1.3") && answer.contains("status: NOERROR"), "RFC 7858 §3.2: {answer}");
    assert!(answer.contains("RRSIG"), "{answer}");
    for options in [["example.test", "SOA", "+noall"], ["no.such.example.test", "A", "+dnssec"]] {
        let padded = ask(&first, &[&options[..], &["+padding", "+stats"]].concat());
        let size = after(&padded, "Received ").and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
        assert!(size.is_some_and(|size| size > 0 && size.is_multiple_of(468)), "RFC 8467 §4.1: {padded}");
    }
    let several =
        ask(&first, &["+keepopen", "example.test", "SOA", "example.test", "NS", "example.test", "DNSKEY"]);
    assert_eq!(several.matches("status: NOERROR").count(), 3, "RFC 7858 §3.4: {several}");

    // Another certificate comes in the place of the first, with its key.
    let second = certificate(&home, "second");
    assert!(!ask(&second, &["example.test", "SOA"]).contains("status: NOERROR"), "not trusted yet");
    install(&home, "second");
    wait_for("the new certificate is shown", || {
        ask(&second, &["example.test", "SOA"]).contains("status: NOERROR").then_some(())
    });
    assert!(!ask(&first, &["example.test", "SOA"]).contains("status: NOERROR"), "the old one is gone");
}

/// RFC 7873 §5.2.3: floods of one question from one network are answered less, in a way that true clients get round.
#[test]
fn rate_limits_slip_and_spare_who_asks_over_tcp_or_shows_a_cookie() {
    if !has("dig") {
        return;
    }
    let demo = demo_with("[dns.rate-limit]\nresponses-per-second = 5\nslip = 2\n");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", demo.base + 1)).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_millis(500))).unwrap();
    let mut query =
        b"\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x04test\x00\x00\x06\x00\x01".to_vec();
    for id in 0..200_u8 {
        query[1] = id;
        socket.send(&query).unwrap();
    }
    let (mut whole, mut cut, mut buffer) = (0, 0, [0; 2048]);
    while let Ok(length) = socket.recv(&mut buffer) {
        assert!(length >= 12);
        *(if buffer[2] & 2 != 0 { &mut cut } else { &mut whole }) += 1;
    }
    assert!((1..100).contains(&whole) && (1..=100).contains(&cut), "{whole} whole, {cut} cut");
    assert!(demo.logs().contains("responses are limited"), "{}", demo.logs());
    let tcp = demo.dig(1, &["+nocookie", "example.test", "SOA"]);
    assert!(tcp.contains("status: NOERROR"), "by TC over TCP: {tcp}");
    let cookie = demo.dig(1, &["example.test", "SOA"]);
    assert!(cookie.contains("status: NOERROR"), "by BADCOOKIE with a cookie: {cookie}");
    let aware = after(&cookie, "COOKIE: ").and_then(|rest| rest.strip_suffix(" (good)")).expect("a cookie");
    let shown = format!("+cookie={aware}");
    for _ in 0..30 {
        let known = demo.dig(1, &["+ignore", "+nobadcookie", &shown, "example.test", "SOA", "+tries=1"]);
        assert!(known.contains("ANSWER: 1"), "who shows a cookie is not limited: {known}");
    }
}

/// A stock named that makes cookies; ended when dropped.
struct Named {
    child: Child,
    port: String,
}

impl Named {
    fn start(dir: &Path, secret: &str) -> Self {
        let port = free_port();
        let file = dir.join("named.conf");
        let options = format!(
            "options {{ directory \"{dir}\"; pid-file none; session-keyfile none; listen-on port {port} {{ 127.0.0.1; }};\n\
             listen-on-v6 {{ none; }}; recursion no; cookie-algorithm siphash24; cookie-secret \"{secret}\";\n\
             dnssec-validation no; }};\ncontrols {{ }};\n",
            dir = dir.display()
        );
        fs::write(&file, options).unwrap();
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
        let log = fs::File::create(dir.join("named.log")).unwrap();
        let mut named = Command::new("named");
        named.env("PATH", path).args(["-g", "-c"]).arg(&file).stderr(log).stdout(Stdio::null());
        Self { child: named.spawn().unwrap(), port: port.to_string() }
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
