//! Where replicas live: all on loopback, or each in a network namespace of its own, where links can be cut, lossy and slow.
//!
//! Namespaces: replica I has 10.99.0.I, the clients 10.99.0.(n+1) in a namespace of theirs. What joins them is a bridge in
//! the clients' namespace, or, where packets are to be late and the kernel has no `tc netem`, a hub over TUN devices
//! (`CONCLAVE_WANHUB`, by default `../shared/bench/src/wanhub.c` beside the project, compiled here). Cuts and loss are
//! rules of nftables in the replicas' namespaces. Names begin with the process's id; they are removed on drop, and what a
//! killed run left behind is removed by the next. Nothing outside these namespaces is touched.

use crate::tools::{all_output, has, run, search_path, skipped, wait_for};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

/// One way and at most, in milliseconds, and percent lost: what [`Network::wide`] does to every packet.
const DELAY_MS: u32 = 15;
const JITTER_MS: u32 = 15;
const LOSS_PERCENT: u32 = 2;

/// The network of one cluster.
pub enum Network {
    /// Replica I answers DNS on 127.0.0.1:base+I, and its peers on base+100+I.
    Loopback { base: u16 },
    /// Namespaces.
    Spaces(Spaces),
}

/// One namespace for each replica, and the last for the clients.
pub struct Spaces {
    names: Vec<String>,
    hub: Option<Child>,
    rules: Mutex<Rules>,
    dir: tempfile::TempDir,
}

/// What the replicas' firewalls drop.
#[derive(Clone, Default)]
struct Rules {
    /// (from, to)
    cuts: BTreeSet<(u8, u8)>,
    loss_percent: u32,
}

impl Network {
    /// Free ports of loopback.
    pub fn loopback(n: u8) -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        loop {
            let turn = NEXT.fetch_add(1, Ordering::Relaxed) + (std::process::id() % 50) as u16;
            let base = 10_000 + turn % 50 * 200;
            let free = (1..=u16::from(n)).all(|i| {
                UdpSocket::bind(("127.0.0.1", base + i)).is_ok()
                    && TcpListener::bind(("127.0.0.1", base + i)).is_ok()
                    && TcpListener::bind(("127.0.0.1", base + 100 + i)).is_ok()
            });
            if free {
                return Self::Loopback { base };
            }
        }
    }

    /// Namespaces around a bridge; none, said aloud, where that cannot be.
    pub fn spaces(n: u8) -> Option<Self> {
        Spaces::new(n, false).map(Self::Spaces)
    }

    /// Namespaces whose links delay and lose packets; none, said aloud, where that cannot be.
    pub fn wide(n: u8) -> Option<Self> {
        Spaces::new(n, true).map(Self::Spaces)
    }

    /// Where replica `i` answers DNS.
    pub fn dns(&self, i: u8) -> SocketAddr {
        match self {
            Self::Loopback { base } => (Ipv4Addr::LOCALHOST, base + u16::from(i)).into(),
            Self::Spaces(_) => (address(i), 53).into(),
        }
    }

    /// Where replica `i` takes its peers' connections.
    pub fn peer(&self, i: u8) -> SocketAddr {
        match self {
            Self::Loopback { base } => (Ipv4Addr::LOCALHOST, base + 100 + u16::from(i)).into(),
            Self::Spaces(_) => (address(i), 5400).into(),
        }
    }

    /// `program`, to be run where replica `i` lives, or where the clients do.
    pub fn command(&self, place: Option<u8>, program: &str) -> Command {
        let mut command = match self {
            Self::Loopback { .. } => Command::new(program),
            Self::Spaces(spaces) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", spaces.name(place), program]);
                command
            }
        };
        command.env("PATH", search_path());
        command
    }

    /// Puts this thread, and what it starts, where the clients live. Only for threads that do nothing else.
    pub fn enter(&self) {
        let Self::Spaces(spaces) = self else { return };
        let space = fs::File::open(Path::new("/run/netns").join(spaces.name(None))).unwrap();
        // SAFETY: setns(2) takes a descriptor, which is open here, and changes this thread only.
        let entered = unsafe { libc::setns(space.as_raw_fd(), libc::CLONE_NEWNET) };
        assert_eq!(entered, 0, "setns: {}", std::io::Error::last_os_error());
    }

    /// Runs `what` where the clients live.
    pub fn inside<T: Send>(&self, what: impl FnOnce() -> T + Send) -> T {
        let there = || {
            self.enter();
            what()
        };
        std::thread::scope(|scope| scope.spawn(there).join()).unwrap_or_else(|e| std::panic::resume_unwind(e))
    }

    /// Whether links can be cut.
    pub fn can_cut(&self) -> bool {
        matches!(self, Self::Spaces(_))
    }

    /// Lets nothing pass from one of `from` to one of `to` any more.
    pub fn cut(&self, from: &[u8], to: &[u8]) {
        self.change(|rules| {
            rules.cuts.extend(from.iter().flat_map(|f| to.iter().map(|t| (*f, *t))).filter(|(f, t)| f != t));
        });
    }

    /// Lets everything pass again.
    pub fn heal(&self) {
        self.change(|rules| rules.cuts.clear());
    }

    /// Loses so many packets of all that arrive at replicas.
    pub fn lose(&self, percent: u32) {
        self.change(|rules| rules.loss_percent = percent);
    }

    fn change(&self, what: impl FnOnce(&mut Rules)) {
        let Self::Spaces(spaces) = self else { return };
        let mut rules = spaces.rules.lock().unwrap();
        what(&mut rules);
        for i in 1..spaces.names.len() as u8 {
            spaces.filter(i, &rules).unwrap();
        }
    }
}

fn address(i: u8) -> IpAddr {
    Ipv4Addr::new(10, 99, 0, i).into()
}

impl Spaces {
    fn new(n: u8, wide: bool) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            skipped("only root may make network namespaces");
            return None;
        }
        if !has("ip") || !has("nft") || (wide && !has("tc")) {
            return None;
        }
        remove_left_behind();
        static COUNT: AtomicU16 = AtomicU16::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = |i: u8| format!("conclave-{}-{number}-{i}", std::process::id());
        let dir = tempfile::tempdir().unwrap();
        let names = (1..=n + 1).map(name).collect();
        let mut spaces = Self { names, hub: None, rules: Mutex::default(), dir };
        match spaces.make(wide) {
            Ok(()) => Some(spaces),
            Err(why) => {
                skipped(&format!("no network namespaces with what this test needs: {why}"));
                None
            }
        }
    }

    fn name(&self, place: Option<u8>) -> &str {
        place.map_or(self.names.last(), |i| self.names.get(usize::from(i) - 1)).expect("a place")
    }

    fn make(&mut self, wide: bool) -> Result<(), String> {
        for name in &self.names {
            ip(&["netns", "add", name])?;
            ip(&["-n", name, "link", "set", "lo", "up"])?;
        }
        if wide && !has_netem(&self.names[0]) {
            self.join_by_hub()?;
        } else {
            self.join_by_bridge(wide)?;
        }
        self.filter(1, &Rules { loss_percent: 1, ..Rules::default() })?;
        self.filter(1, &Rules::default())
    }

    fn join_by_bridge(&self, wide: bool) -> Result<(), String> {
        let clients = self.name(None);
        let own = format!("{}/24", address(self.names.len() as u8));
        ip(&["-n", clients, "link", "add", "br0", "type", "bridge"])?;
        ip(&["-n", clients, "addr", "add", &own, "dev", "br0"])?;
        ip(&["-n", clients, "link", "set", "br0", "up"])?;
        for i in 1..self.names.len() as u8 {
            let (name, port, own) = (self.name(Some(i)), format!("v{i}"), format!("{}/24", address(i)));
            let pair = ["type", "veth", "peer", "name", "eth0", "netns", name];
            ip(&[&["-n", clients, "link", "add", &port], &pair[..]].concat())?;
            ip(&["-n", clients, "link", "set", &port, "master", "br0", "up"])?;
            ip(&["-n", name, "addr", "add", &own, "dev", "eth0"])?;
            ip(&["-n", name, "link", "set", "eth0", "up"])?;
            if wide {
                let delay = [format!("{DELAY_MS}ms"), format!("{JITTER_MS}ms"), format!("{LOSS_PERCENT}%")];
                let netem = ["root", "netem", "delay", &delay[0], &delay[1], "loss", &delay[2]];
                command("tc", &[&["-n", name, "qdisc", "add", "dev", "eth0"], &netem[..]].concat())?;
            }
        }
        Ok(())
    }

    fn join_by_hub(&mut self) -> Result<(), String> {
        let source = std::env::var("CONCLAVE_WANHUB").unwrap_or_else(|_| {
            concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/bench/src/wanhub.c").to_owned()
        });
        if !Path::new(&source).is_file() {
            return Err(format!("no tc netem in this kernel, and no hub at {source} (set CONCLAVE_WANHUB)"));
        }
        let hub = self.dir.path().join("hub").display().to_string();
        command("cc", &["-O2", "-w", "-o", &hub, &source])?;
        // Ends with this thread, however that ends.
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", &hub])
            .args(&self.names)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("setpriv: {e}"))?;
        let mut said = [0; 6];
        let ready = child.stdout.take().expect("a pipe").read_exact(&mut said);
        let links = format!("delay * * {DELAY_MS} {JITTER_MS}\nloss * * {LOSS_PERCENT}\n");
        let mut commands = child.stdin.take().expect("a pipe");
        self.hub = Some(child);
        ready.and_then(|()| commands.write_all(links.as_bytes())).map_err(|e| format!("the hub: {e}"))
    }

    /// Sets the rules of replica `i`'s firewall.
    fn filter(&self, i: u8, rules: &Rules) -> Result<(), String> {
        let mut text = "flush ruleset\n".to_owned();
        let from: Vec<String> = rules
            .cuts
            .iter()
            .filter(|(_, to)| *to == i)
            .map(|(from, _)| address(*from).to_string())
            .collect();
        if !from.is_empty() || rules.loss_percent > 0 {
            text += "table inet conclave {\n chain in {\n  type filter hook input priority 0\n";
            if !from.is_empty() {
                text += &format!("  ip saddr {{ {} }} drop\n", from.join(", "));
            }
            if rules.loss_percent > 0 {
                text +=
                    &format!("  ip saddr 10.99.0.0/24 numgen random mod 100 < {} drop\n", rules.loss_percent);
            }
            text += " }\n}\n";
        }
        let mut child = Command::new("ip")
            .args(["netns", "exec", self.name(Some(i)), "nft", "-f", "-"])
            .env("PATH", search_path())
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| e.to_string())?;
        child.stdin.take().expect("a pipe").write_all(text.as_bytes()).map_err(|e| e.to_string())?;
        let output = child.wait_with_output().map_err(|e| e.to_string())?;
        if output.status.success() { Ok(()) } else { Err(format!("nft: {}", all_output(&output))) }
    }
}

impl Drop for Spaces {
    fn drop(&mut self) {
        if let Some(hub) = &mut self.hub {
            let _ = hub.kill();
            let _ = hub.wait();
        }
        for name in &self.names {
            run("ip", &["netns", "del", name]);
        }
    }
}

/// Removes the namespaces of runs that were killed, and which nobody uses.
fn remove_left_behind() {
    let Ok(entries) = fs::read_dir("/run/netns") else { return };
    for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
        let maker = name.strip_prefix("conclave-").and_then(|rest| rest.split('-').next());
        if maker.is_some_and(|pid| pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists()) {
            run("ip", &["netns", "del", &name]);
        }
    }
}

fn has_netem(space: &str) -> bool {
    let tried = command("tc", &["-n", space, "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"]);
    let _ = command("tc", &["-n", space, "qdisc", "del", "dev", "lo", "root"]);
    tried.is_ok()
}

fn ip(args: &[&str]) -> Result<(), String> {
    command("ip", args)
}

fn command(program: &str, args: &[&str]) -> Result<(), String> {
    let output = run(program, args);
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} {}: {}", args.join(" "), all_output(&output).trim()))
}

#[test]
fn links_can_be_cut_one_way_and_healed_and_nothing_is_left_behind() {
    let Some(network) = Network::spaces(2) else { return };
    let Network::Spaces(spaces) = &network else { unreachable!() };
    let names = spaces.names.clone();
    let reaches = |from: u8, to: u8| {
        let listener = UdpSocket::bind;
        let sent = |i: u8| address(i);
        let arrived = network_thread(&names[usize::from(to) - 1], move || {
            let socket = listener((sent(to), 7_000)).unwrap();
            socket.set_read_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
            socket
        });
        let sender =
            network_thread(&names[usize::from(from) - 1], move || UdpSocket::bind((sent(from), 0)).unwrap());
        sender.send_to(b"?", (sent(to), 7_000)).unwrap();
        arrived.recv(&mut [0; 8]).is_ok()
    };
    wait_for("the bridge forwards", || (reaches(1, 2) && reaches(2, 1)).then_some(()));
    network.cut(&[1], &[2]);
    assert!(!reaches(1, 2));
    wait_for("the other way is open", || reaches(2, 1).then_some(()));
    network.heal();
    wait_for("the cut is healed", || reaches(1, 2).then_some(()));
    drop(network);
    for name in names {
        assert!(!Path::new("/run/netns").join(&name).exists(), "{name}");
    }
}

/// What `make` makes in a namespace: a socket stays in the namespace that it was made in.
fn network_thread<T: Send + 'static>(space: &str, make: impl FnOnce() -> T + Send + 'static) -> T {
    let file = fs::File::open(Path::new("/run/netns").join(space)).unwrap();
    let there = std::thread::spawn(move || {
        // SAFETY: as in `enter`.
        assert_eq!(unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) }, 0);
        make()
    });
    there.join().unwrap()
}
