//! Zones that deny by NSEC3 before stock verifiers, and each kind of answer from them before stock validators; the same
//! with NSEC.

#[allow(dead_code, reason = "questions are asked elsewhere")]
#[path = "support/awkward.rs"]
mod awkward;
#[path = "support/signed.rs"]
mod signed;
#[path = "support/tools.rs"]
mod tools;

use conclave::answer::{Catalog, Client, Reply, Request, Settings, Transport, respond};
use conclave::dns::{RrType, dnssec, rdata};
use conclave::time::{AgreedTime, SECOND};
use conclave::zone::{Denial, View};
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tools::{all_output, has, run, search_path, stdout, wait_for};

/// The zone as it is signed now: validators look at the clock.
fn view(origin: &str, text: &str, denial: Denial) -> Arc<View> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    let [zsk, ksk] = signed::Key::pair();
    let infos = [zsk.info.clone(), ksk.info.clone()];
    signed::view_of(origin, text, denial, infos, AgreedTime(now * SECOND), &|id, hash| {
        if id == zsk.info.id { &zsk } else { &ksk }.sign(hash)
    })
}

/// RFC 5155 §7.1, RFC 9276 §3.1: ldns-verify-zone, dnssec-verify and named-checkzone find nothing wrong with the chain, nor with any
/// signature, whose labels, TTL and signer they compare (RFC 4034 §3.1.3, §3.1.4, §3.1.7).
#[test]
fn stock_verifiers_take_zones_with_nsec3() {
    if !has("ldns-verify-zone") || !has("dnssec-verify") || !has("named-checkzone") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let seed = awkward::Random::seed();
    let mut random = awkward::Random(seed);
    let mut zones = vec![("example.test.".to_string(), signed::EXAMPLE.to_string())];
    zones.extend((0..12).map(|index| {
        let origin = format!("z{index}.test.");
        let text = awkward::random_zone(&origin, &mut random);
        (origin, text)
    }));
    for (origin, text) in zones {
        let exported = signed::export(&view(&origin, &text, Denial::Nsec3));
        let file = directory.path().join(format!("{origin}zone"));
        std::fs::write(&file, &exported).unwrap();
        let file = file.to_str().unwrap();
        for (program, arguments) in [
            ("ldns-verify-zone", vec![file]),
            ("dnssec-verify", vec!["-o", &origin, file]),
            ("named-checkzone", vec!["-i", "none", "-k", "ignore", &origin, file]),
        ] {
            let output = run(program, &arguments);
            let said = all_output(&output);
            assert!(output.status.success(), "CONCLAVE_SEED={seed}: {program}: {said}\n{exported}");
        }
    }
}

/// Answers of a view on a port of loopback, over UDP and TCP, until it is dropped.
struct Server {
    port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(view: Arc<View>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let socket = UdpSocket::bind(listener.local_addr().unwrap()).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        let (port, stop) = (socket.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let catalog = Catalog::new().with(view, false);
            let (mut buffer, mut out) = ([0; 1_500], Vec::new());
            while !stopped.load(Ordering::Relaxed) {
                if let Ok((stream, _)) = listener.accept() {
                    stream.set_nonblocking(false).unwrap();
                    let _ = one_over_tcp(&catalog, stream);
                }
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                let request =
                    Request { wire: &buffer[..length], client: Client::over(Transport::Udp), now_secs: 0 };
                if matches!(respond(&catalog, &Settings::default(), request, &mut out), Reply::Send(_)) {
                    let _ = socket.send_to(&out, from);
                }
            }
        });
        Self { port, stop, thread: Some(thread) }
    }
}

fn one_over_tcp(catalog: &Catalog, mut stream: std::net::TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let (mut length, mut out) = ([0; 2], Vec::new());
    stream.read_exact(&mut length)?;
    let mut wire = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut wire)?;
    let request = Request { wire: &wire, client: Client::over(Transport::Tcp), now_secs: 0 };
    respond(catalog, &Settings::default(), request, &mut out);
    stream.write_all(&[&(out.len() as u16).to_be_bytes(), out.as_slice()].concat())
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// What is asked, and whether it exists: each kind of answer and of proof.
const KINDS: [(&str, &str, &str); 16] = [
    ("web", "A", "NOERROR"),
    ("www", "A", "NOERROR"),
    ("nothing", "A", "NXDOMAIN"),
    ("a.b.nothing", "A", "NXDOMAIN"),
    ("x.deep.under.ent", "A", "NXDOMAIN"),
    ("x.here.wild", "A", "NXDOMAIN"),
    ("dangling", "A", "NXDOMAIN"),
    ("web", "TXT", "NOERROR"),
    ("ent", "A", "NOERROR"),
    ("under.ent", "A", "NOERROR"),
    ("x.wild", "A", "NOERROR"),
    ("x.y.wild", "A", "NOERROR"),
    ("x.wild", "MX", "NOERROR"),
    ("x.odd", "A", "NOERROR"),
    ("a.old", "A", "NOERROR"),
    ("lame", "DS", "NOERROR"),
];

/// RFC 4035 §3.1.3.1, §3.1.3.2, §3.1.3.3, §3.1.3.4 and RFC 5155 §7.2.2, §7.2.3, §7.2.4, §7.2.5, §7.2.6: delv validates every kind of answer and denial.
#[test]
fn delv_validates_every_kind_of_answer() {
    if !has("delv") {
        return;
    }
    for denial in [Denial::Nsec, Denial::Nsec3] {
        let view = view("example.test.", signed::EXAMPLE, denial);
        let directory = tempfile::tempdir().unwrap();
        let anchor = directory.path().join("anchor.conf");
        let [_, ksk] = signed::Key::pair();
        let digest = dnssec::ds_digest(view.origin(), &ksk.info.dnskey, 2).unwrap();
        let (tag, hex) = (dnssec::key_tag(ksk.info.dnskey.wire()), data_encoding::HEXUPPER.encode(&digest));
        let text = format!("trust-anchors {{ \"example.test.\" static-ds {tag} 8 2 \"{hex}\"; }};\n");
        std::fs::write(&anchor, text).unwrap();
        let server = Server::start(view);
        let (port, anchor) = (server.port.to_string(), anchor.to_str().unwrap().to_string());
        for (name, rtype, status) in KINDS {
            let name = format!("{name}.example.test");
            let arguments = ["@127.0.0.1", "-p", &port, "-a", &anchor, "+root=example.test", &name, rtype];
            let said = all_output(&run("delv", &arguments));
            let denied = status == "NXDOMAIN" || said.contains("negative response");
            assert!(said.contains("fully validated"), "{denial:?} {name} {rtype}: {said}");
            assert!(!said.contains("unsigned answer"), "{denial:?} {name} {rtype}: {said}");
            assert!(status != "NXDOMAIN" || denied, "{denial:?} {name} {rtype}: {said}");
        }
    }
}

/// A process that ends with its value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// RFC 4035 §3.1.3.1, §3.1.3.2, §3.1.3.3, §3.1.3.4 and RFC 5155 §7.2.2, §7.2.3, §7.2.4, §7.2.5, §7.2.6: Unbound finds every kind of answer and denial secure.
#[test]
fn unbound_finds_every_kind_of_answer_secure() {
    if !has("unbound") || !has("dig") {
        return;
    }
    for denial in [Denial::Nsec, Denial::Nsec3] {
        let view = view("example.test.", signed::EXAMPLE, denial);
        let server = Server::start(view);
        let directory = tempfile::tempdir().unwrap();
        let [_, ksk] = signed::Key::pair();
        let key = rdata::to_text(RrType::DNSKEY, &ksk.info.dnskey);
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "server:\n  interface: 127.0.0.1\n  port: {port}\n  do-not-query-localhost: no\n  chroot: \"\"\n  \
             username: \"\"\n  directory: \"{dir}\"\n  pidfile: \"\"\n  use-syslog: no\n  \
             local-zone: \"test.\" nodefault\n  module-config: \"validator iterator\"\n  \
             trust-anchor: \"example.test. DNSKEY {key}\"\n  qname-minimisation: no\n\
             remote-control:\n  control-enable: no\nstub-zone:\n  name: example.test\n  \
             stub-addr: 127.0.0.1@{at}\n",
            dir = directory.path().display(),
            at = server.port,
        );
        let file = directory.path().join("unbound.conf");
        std::fs::write(&file, config).unwrap();
        let log = std::fs::File::create(directory.path().join("log")).unwrap();
        let mut unbound = Command::new("unbound");
        unbound.env("PATH", search_path()).arg("-d").arg("-c").arg(&file).stderr(log).stdout(Stdio::null());
        let _process = Process(unbound.spawn().unwrap());
        let ask = |name: &str, rtype: &str| {
            let (port, name) = (port.to_string(), format!("{name}.example.test"));
            stdout(&run("dig", &["@127.0.0.1", "-p", &port, "+dnssec", "+tries=1", "+time=5", &name, rtype]))
        };
        wait_for("Unbound answers", || ask("web", "A").contains("status: NOERROR").then_some(()));
        for (name, rtype, status) in KINDS {
            let text = ask(name, rtype);
            let secure = text.contains(&format!("status: {status}")) && text.contains(" ad;");
            let log = || std::fs::read_to_string(directory.path().join("log")).unwrap_or_default();
            assert!(secure, "{denial:?} {name} {rtype}: {text}\n{}", log());
        }
    }
}
