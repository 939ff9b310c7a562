//! Name servers of others, started on loopback as oracles and ended with the value that holds them.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The servers to compare with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// NLnet Labs' NSD.
    Nsd,
    /// ISC's BIND.
    Bind,
    /// CZ.NIC's Knot DNS.
    Knot,
}

impl Kind {
    /// Its program.
    pub fn program(self) -> &'static str {
        match self {
            Self::Nsd => "nsd",
            Self::Bind => "named",
            Self::Knot => "knotd",
        }
    }

    /// Where the program is: Debian keeps servers out of users' search path.
    pub fn find(self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
            .map(|directory| directory.join(self.program()))
            .find(|program| program.is_file())
    }

    fn config(self, directory: &Path, port: u16, origins: &[String]) -> String {
        let dir = directory.display();
        let mut text = match self {
            Self::Nsd => format!(
                "server:\n ip-address: 127.0.0.1\n port: {port}\n username: \"\"\n chroot: \"\"\n zonesdir: \"{dir}\"\n \
                 pidfile: \"\"\n database: \"\"\n xfrdfile: \"{dir}/xfrd.state\"\n xfrdir: \"{dir}\"\n \
                 zonelistfile: \"{dir}/zone.list\"\n minimal-responses: yes\n rrl-ratelimit: 0\n server-count: 1\n ipv4-edns-size: 1232\n\
                 remote-control:\n control-enable: no\n"
            ),
            Self::Bind => format!(
                "options {{ directory \"{dir}\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n \
                 recursion no; minimal-responses yes; zero-no-soa-ttl no; pid-file none; session-keyfile none; notify no;\n \
                 dnssec-validation no; max-udp-size 1232; empty-zones-enable no; check-names primary ignore;\n \
                 managed-keys-directory \"{dir}\"; }};\ncontrols {{ }};\n"
            ),
            Self::Knot => format!(
                "server:\n  rundir: \"{dir}\"\n  listen: 127.0.0.1@{port}\n  udp-workers: 1\n  tcp-workers: 1\n  \
                 background-workers: 1\n  udp-max-payload: 1232\nlog:\n  - target: stderr\n    any: info\n\
                 database:\n  storage: \"{dir}\"\nzone:\n"
            ),
        };
        for (index, origin) in origins.iter().enumerate() {
            text += &match self {
                Self::Nsd => format!("zone:\n name: \"{origin}\"\n zonefile: \"{index}.zone\"\n"),
                Self::Bind => format!(
                    "zone \"{origin}\" {{ type primary; file \"{index}.zone\"; check-integrity no; }};\n"
                ),
                Self::Knot => format!(
                    "  - domain: \"{origin}\"\n    file: \"{dir}/{index}.zone\"\n    zonefile-load: whole\n    \
                     zonefile-sync: -1\n    journal-content: none\n    semantic-checks: off\n"
                ),
            };
        }
        text
    }
}

/// A running server; dropping it ends it.
pub struct Daemon {
    child: Child,
    address: SocketAddr,
    socket: UdpSocket,
    directory: tempfile::TempDir,
}

impl Daemon {
    /// Starts `program` on zones, each an origin and a master file, and waits until it answers.
    pub fn start(kind: Kind, program: &Path, zones: &[(String, String)]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let port = free_port();
        for (index, (_, text)) in zones.iter().enumerate() {
            fs::write(directory.path().join(format!("{index}.zone")), text).expect("a zone file");
        }
        let origins: Vec<String> = zones.iter().map(|(origin, _)| origin.clone()).collect();
        let config = directory.path().join("server.conf");
        fs::write(&config, kind.config(directory.path(), port, &origins)).expect("a configuration");
        let log = fs::File::create(directory.path().join("log")).expect("a log");
        let mut command = Command::new(program);
        match kind {
            Kind::Nsd => command.arg("-d").arg("-c").arg(&config),
            Kind::Bind => command.arg("-g").arg("-c").arg(&config),
            Kind::Knot => command.arg("-c").arg(&config),
        };
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        socket.connect(address).expect("a connected socket");
        let mut daemon = Self { child, address, socket, directory };
        daemon.wait(kind);
        daemon
    }

    fn wait(&mut self, kind: Kind) {
        let deadline = Instant::now() + Duration::from_secs(30);
        self.socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
        // A query for the root: any answer will do.
        let probe = [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1];
        let mut buffer = [0; 512];
        loop {
            let sent = self.socket.send(&probe);
            if sent.is_ok() && self.socket.recv(&mut buffer).is_ok() {
                break;
            }
            let ended = self.child.try_wait().expect("the server's state");
            if ended.is_some() || Instant::now() > deadline {
                panic!("{kind:?} does not answer ({ended:?}): {}", self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    }

    /// What the server has said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// One query and its response over UDP, if one comes in time.
    pub fn ask(&self, query: &[u8]) -> Option<Vec<u8>> {
        let mut buffer = vec![0; 65_535];
        self.socket.send(query).expect("the query leaves");
        loop {
            let length = self.socket.recv(&mut buffer).ok()?;
            if buffer[..2] == query[..2] {
                buffer.truncate(length);
                return Some(buffer);
            }
        }
    }

    /// One query and its response over TCP.
    pub fn ask_tcp(&self, query: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        let length = u16::try_from(query.len()).expect("a short query");
        stream.write_all(&[&length.to_be_bytes(), query].concat()).expect("the query leaves");
        let mut length = [0; 2];
        stream.read_exact(&mut length).expect("a length");
        let mut response = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut response).expect("a response");
        response
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // NSD has children of its own, which end with it when it is asked to end.
        let id = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        let deadline = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port of loopback that was free for UDP and TCP a moment ago.
fn free_port() -> u16 {
    loop {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = tcp.local_addr().expect("its number").port();
        if UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
