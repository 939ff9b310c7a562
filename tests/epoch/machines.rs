//! Machines, each with the home of its replica; deals and updates.

use crate::tools::{DEADLINE, all_output, run, stdout, wait_for};
use conclave::ceremony::backup::{self, Kept};
use conclave::ceremony::cluster::Cluster;
use conclave::ceremony::deal::{self, Source};
use conclave::ceremony::import;
use conclave::ceremony::keygen::{self, PublicKeys};
use conclave::ceremony::operators::Operators;
use conclave::ceremony::plan::{Place, Plan, ZonePlan};
use conclave::ceremony::receipt;
use conclave::ceremony::seal::SealingKey;
use conclave::ceremony::written::{BackupPlan, Custodian, WrittenPlan};
use conclave::codec::Epoch;
use conclave::dns::master::read_str;
use conclave::dns::name::Name;
use conclave::quorum::{Committee, ReplicaId};
use conclave::signing::Protocol;
use conclave::time::UnixMillis;
use conclave::zone::{Denial, Reads};
use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

const ZONE: &str =
    "$TTL 60\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\nwww A 192.0.2.1\n";
/// A client's key that the first epoch does not have.
const LATER: &str = "relay.";
/// Machines there can be.
const MOST: u16 = 9;

pub struct Machines {
    dir: tempfile::TempDir,
    base: u16,
    running: BTreeMap<u8, Child>,
    first: Option<(Cluster, WrittenPlan)>,
    custodian: SealingKey,
    keys: BTreeMap<u8, PublicKeys>,
}

impl Machines {
    /// A cluster of these machines.
    pub fn deal(members: &[u8]) -> Self {
        let dir = tempfile::Builder::new().prefix("cnclv-").tempdir().unwrap();
        let custodian = SealingKey::generate();
        let mut machines = Self {
            dir,
            base: free_ports(),
            running: BTreeMap::new(),
            first: None,
            custodian,
            keys: BTreeMap::new(),
        };
        let plan = machines.plan(members, 0);
        let deal = machines.dir.path().join("deal");
        let cluster = deal::deal(&plan, &Source::Search, now(), &deal, &|_| {}).unwrap();
        for machine in members {
            let home = machines.home(*machine);
            import::import(&home, &deal, &plan.digest(), &home).map(drop).unwrap();
        }
        machines.first = Some((cluster, plan));
        machines
    }

    /// Deals the keys again to these members, who import their shares; the old ones get what they need to vote.
    pub fn deal_again(&mut self, old: &[u8], new: &[u8]) {
        let mut plan = self.plan(new, 1);
        let (cluster, _) = self.first.as_ref().unwrap();
        (plan.epoch, plan.replaces) = (Epoch(1), Some(cluster.id()));
        plan.zones.iter_mut().for_each(|zone| zone.records = None);
        let backup = self.dir.path().join("deal/backup");
        let mut kept = Kept::default();
        let key = SealingKey::from_bytes(self.custodian.as_bytes());
        backup::open(&backup.join("backup.age"), &[&backup.join("custodian-one.age")], &[key], &mut kept)
            .unwrap();
        let deal = self.dir.path().join("redeal");
        deal::deal(&plan, &Source::Backup(cluster, &kept), now(), &deal, &|_| {}).unwrap();
        assert!(deal.join("client/tsig-relay.key").exists(), "a name that is new gets a key");
        for (machine, index) in new.iter().zip(1..) {
            let home = self.home(*machine);
            let into = if old.contains(machine) { home.join("next") } else { home.clone() };
            let imported =
                import::import(&home, &deal, &plan.digest(), &into).unwrap_or_else(|e| panic!("{e:?}"));
            let id = ReplicaId::new(index).unwrap();
            receipt::write(&deal.join(receipt::DIRECTORY).join(receipt::name(id)), &imported.receipts)
                .unwrap();
        }
        for machine in old {
            let next = self.home(*machine).join("next");
            fs::create_dir_all(next.join("receipts")).unwrap();
            fs::copy(deal.join("cluster.toml"), next.join("cluster.toml")).unwrap();
            for receipt in fs::read_dir(deal.join("receipts")).unwrap().flatten() {
                fs::copy(receipt.path(), next.join("receipts").join(receipt.file_name())).unwrap();
            }
        }
    }

    fn plan(&mut self, members: &[u8], epoch: u16) -> WrittenPlan {
        let address = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        for (machine, index) in members.iter().zip(1..) {
            if !self.keys.contains_key(machine) {
                let keys = keygen::make(&self.home(*machine), ReplicaId::new(index).unwrap()).unwrap();
                self.keys.insert(*machine, keys);
            }
        }
        let places = members.iter().map(|machine| Place {
            dns: vec![address(self.port(*machine))],
            peer: address(self.base + MOST * (1 + epoch) + u16::from(*machine)),
            admin: None,
        });
        let origin = Name::parse("example.test.").unwrap();
        let zone = ZonePlan {
            records: read_str(ZONE, &origin).unwrap(),
            origin,
            policy: vec!["grant ops zonesub ANY".into()],
            reads: Reads::Local,
            denial: Denial::Nsec,
        };
        let plan = Plan {
            committee: Committee::new(members.len() as u8).unwrap(),
            bits: 1024,
            signing: Protocol::default(),
            zones: vec![zone],
            tsig: ["ops.", LATER][..=usize::from(epoch)]
                .iter()
                .map(|name| Name::parse(name).unwrap().into())
                .collect(),
            sig0: Vec::new(),
            operators: Operators::default(),
            places: places.collect(),
            genesis_time: now(),
        };
        let keys: Vec<_> =
            members.iter().map(|machine| (self.keys[machine].identity, self.keys[machine].sealing)).collect();
        let custodian = Custodian { name: "one".into(), recipient: self.custodian.recipient() };
        let backup = Some(BackupPlan { threshold: 1, custodians: vec![custodian] });
        WrittenPlan { backup, ..WrittenPlan::of(&plan, &keys) }
    }

    fn home(&self, machine: u8) -> PathBuf {
        self.dir.path().join(format!("m{machine}"))
    }

    fn port(&self, machine: u8) -> u16 {
        self.base + u16::from(machine)
    }

    pub fn start(&mut self, machine: u8) {
        let home = self.home(machine);
        let path = home.join("replica.toml");
        let text = fs::read_to_string(&path).unwrap();
        // However slow this computer is.
        fs::write(&path, text.replace("update-patience-ms = 1400", "update-patience-ms = 120000")).unwrap();
        let log = fs::OpenOptions::new().append(true).create(true).open(home.join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_conclave"))
            .args(["replica", "--config"])
            .arg(home.join("replica.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.running.insert(machine, child);
    }

    /// kill -9.
    pub fn kill(&mut self, machine: u8) {
        let mut child = self.running.remove(&machine).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// The exit code of a replica that ends by itself.
    pub fn wait_end(&mut self, machine: u8) -> Option<i32> {
        let (why, child) = (self.logs(), self.running.get_mut(&machine).unwrap());
        wait_for(&format!("machine {machine} ends; {why}"), || child.try_wait().unwrap()).code()
    }

    pub fn vote(&self, machine: u8) {
        let socket = self.home(machine).join("admin.sock").display().to_string();
        let voted =
            run(env!("CARGO_BIN_EXE_conclave"), &["ctl", "--socket", &socket, "epoch", "vote", "--no-wait"]);
        assert!(voted.status.success(), "machine {machine}: {}", all_output(&voted));
    }

    /// Whether a replica's log holds these words.
    pub fn said(&self, machine: u8, words: &str) -> bool {
        fs::read_to_string(self.home(machine).join("log")).unwrap_or_default().contains(words)
    }

    /// Share files in a replica's home.
    pub fn shares(&self, machine: u8) -> usize {
        let files = fs::read_dir(self.home(machine)).unwrap().flatten();
        files.filter(|file| file.path().extension().is_some_and(|end| end == "share")).count()
    }

    /// What else is secret in a replica's home.
    pub fn secrets(&self, machine: u8) -> usize {
        let names = ["identity.key", "seal.key", "tsig.keys"];
        names.iter().filter(|name| self.home(machine).join(name).exists()).count()
    }

    pub fn wait_served(&self, machine: u8) {
        let port = self.port(machine).to_string();
        wait_for(&format!("machine {machine} serves; {}", self.logs()), || {
            let asked = ["@127.0.0.1", "-p", &port, "+dnssec", "+tries=1", "+time=1", "www.example.test"];
            let answer = stdout(&run("dig", &asked));
            (answer.contains("192.0.2.1") && answer.contains("RRSIG")).then_some(())
        });
    }

    /// The zone, once all of these export the same.
    pub fn agreed_export(&self, machines: &[u8]) -> String {
        let export = |machine: &u8| {
            let socket = self.home(*machine).join("admin.sock").display().to_string();
            let exported =
                run(env!("CARGO_BIN_EXE_conclave"), &["ctl", "--socket", &socket, "export", "example.test"]);
            exported.status.success().then(|| stdout(&exported))
        };
        wait_for(&format!("machines {machines:?} export the same; {}", self.logs()), || {
            let first = export(&machines[0])?;
            machines.iter().all(|machine| export(machine).as_ref() == Some(&first)).then_some(first)
        })
    }

    /// The end of every log, for failures.
    pub fn logs(&self) -> String {
        let mut text = String::new();
        for machine in 1..=MOST {
            let log = fs::read_to_string(self.dir.path().join(format!("m{machine}/log"))).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(8).collect();
            text += &format!(
                "--- machine {machine}\n{}\n",
                tail.into_iter().rev().collect::<Vec<_>>().join("\n")
            );
        }
        text
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        for child in self.running.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Updates, one after the other, at the gateways in turn; each is tried until one answers.
pub struct Updates {
    state: Arc<State>,
    thread: std::thread::JoinHandle<()>,
}

struct State {
    key: PathBuf,
    base: u16,
    gateways: Mutex<Vec<u8>>,
    answered: Mutex<Vec<String>>,
    over: AtomicBool,
}

impl Updates {
    pub fn begin(machines: &Machines, gateways: &[u8]) -> Self {
        let state = Arc::new(State {
            key: machines.dir.path().join("deal/client/tsig.key"),
            base: machines.base,
            gateways: Mutex::new(gateways.to_vec()),
            answered: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let thread = std::thread::spawn({
            let state = state.clone();
            move || state.work()
        });
        Self { state, thread }
    }

    pub fn wait_answered(&self, count: usize) {
        wait_for("updates are answered", || {
            (self.state.answered.lock().unwrap().len() >= count).then_some(())
        });
    }

    pub fn lead_to(&self, gateways: &[u8]) {
        *self.state.gateways.lock().unwrap() = gateways.to_vec();
    }

    /// The names of the updates that were answered.
    pub fn end(self) -> Vec<String> {
        self.state.over.store(true, Ordering::SeqCst);
        self.thread.join().unwrap();
        std::mem::take(&mut self.state.answered.lock().unwrap())
    }
}

impl State {
    fn work(&self) {
        for number in 0.. {
            let name = format!("u{number}.example.test.");
            let begun = Instant::now();
            let mut tries = number;
            while !self.put(&name, tries) {
                tries += 1;
                assert!(begun.elapsed() < DEADLINE, "nobody answers");
                if self.over.load(Ordering::SeqCst) {
                    return;
                }
            }
            self.answered.lock().unwrap().push(name);
            if self.over.load(Ordering::SeqCst) {
                return;
            }
        }
    }

    /// Whether the gateway whose turn it is takes the update.
    fn put(&self, name: &str, tries: usize) -> bool {
        let gateway = {
            let gateways = self.gateways.lock().unwrap();
            gateways[tries % gateways.len()]
        };
        let script = format!(
            "server 127.0.0.1 {}\nzone example.test\nupdate add {name} 60 A 192.0.2.9\nsend\n",
            self.base + u16::from(gateway)
        );
        let mut child = Command::new("nsupdate")
            .args(["-v", "-t", "12", "-k"])
            .arg(&self.key)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), script.as_bytes()).unwrap();
        child.wait().unwrap().success()
    }
}

fn now() -> UnixMillis {
    UnixMillis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64)
}

/// A base b with b+1 … b+27 free.
fn free_ports() -> u16 {
    static NEXT: Mutex<u16> = Mutex::new(0);
    let mut next = NEXT.lock().unwrap();
    loop {
        *next = if *next == 0 { 46_000 + (std::process::id() % 60) as u16 * 120 } else { *next + 40 };
        let is_free = (1..=3 * MOST).all(|offset| {
            UdpSocket::bind(("127.0.0.1", *next + offset)).is_ok()
                && TcpListener::bind(("127.0.0.1", *next + offset)).is_ok()
        });
        if is_free {
            return *next;
        }
    }
}
