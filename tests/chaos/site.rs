//! A dealt cluster and its processes: started, killed, stopped and continued one by one, and ended with the value that
//! holds them.

use crate::network::Network;
use crate::tools::{all_output, run, search_path, stdout, wait_for};
use crate::wire;
use conclave::ceremony::client_keys::read_tsig;
use conclave::dns::Name;
use conclave::dns::tsig::{TsigAlgorithm, TsigKey};
use conclave::sim::Signer;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// The zone that is served.
pub const ORIGIN: &str = "example.test";
/// Milliseconds after which replicas tell clients that they cannot order: short, for many a fault lasts longer.
const PATIENCE_MS: u32 = 3_000;

/// Files and addresses of a cluster.
pub struct Site {
    dir: tempfile::TempDir,
    /// Replicas.
    pub n: u8,
    /// Where they live.
    pub network: Network,
}

impl Site {
    /// Deals keys of 1024 bits to `n` replicas.
    pub fn deal(n: u8, network: Network) -> Self {
        let dir = tempfile::Builder::new().prefix("conclave-chaos-").tempdir().unwrap();
        let out = dir.path().join("c").display().to_string();
        let zone = format!("{ORIGIN}={}", concat!(env!("CARGO_MANIFEST_DIR"), "/zones/example.test.zone"));
        let mut args: Vec<String> = ["init", "--bits", "1024", "--tsig", "ops", "--sig0", "admin"]
            .into_iter()
            .chain(["--policy", "grant ops zonesub ANY", "--policy", "grant admin zonesub ANY"])
            .chain(["--zone", &zone, "--out", &out, "--replicas"])
            .map(str::to_owned)
            .collect();
        args.push(n.to_string());
        for i in 1..=n {
            args.extend(["--dns".into(), network.dns(i).to_string()]);
            args.extend(["--peer".into(), network.peer(i).to_string()]);
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = run(env!("CARGO_BIN_EXE_conclave-dealer"), &args);
        assert!(output.status.success(), "{}", all_output(&output));
        let site = Self { dir, n, network };
        for i in 1..=n {
            let path = site.replica(i).join("replica.toml");
            let text = fs::read_to_string(&path).unwrap();
            let patient = "update-patience-ms = 1400";
            assert!(text.contains(patient), "{text}");
            fs::write(&path, text.replace(patient, &format!("update-patience-ms = {PATIENCE_MS}"))).unwrap();
        }
        site
    }

    /// The dealt directory.
    pub fn dir(&self) -> PathBuf {
        self.dir.path().join("c")
    }

    /// The directory of replica `i`.
    pub fn replica(&self, i: u8) -> PathBuf {
        self.dir().join(format!("replica-{i}"))
    }

    /// All indices.
    pub fn all(&self) -> Vec<u8> {
        (1..=self.n).collect()
    }

    /// t.
    pub fn faults(&self) -> usize {
        usize::from(self.n - 1) / 3
    }

    /// The clients' TSIG key file, as `nsupdate -k` reads it.
    pub fn tsig_file(&self) -> PathBuf {
        self.dir().join("client/tsig.key")
    }

    /// The clients' TSIG key.
    pub fn tsig(&self) -> TsigKey {
        let clauses = read_tsig(&self.tsig_file()).unwrap();
        let clause = clauses.first().expect("the deal made a key");
        let algorithm = TsigAlgorithm::parse(&clause.algorithm).unwrap();
        TsigKey::new(clause.name.clone(), algorithm, clause.secret.to_vec())
    }

    /// The clients' SIG(0) key file, as `nsupdate -k` reads it.
    pub fn sig0_file(&self) -> PathBuf {
        let entries = fs::read_dir(self.dir().join("client")).unwrap();
        let private = |path: &PathBuf| path.extension().is_some_and(|e| e == "private");
        entries.flatten().map(|e| e.path()).find(private).expect("the deal made a SIG(0) key")
    }

    /// The clients' SIG(0) key.
    pub fn sig0(&self) -> Signer {
        let text = fs::read_to_string(self.sig0_file()).unwrap();
        let secret = text.lines().find_map(|line| line.strip_prefix("PrivateKey: ")).expect("a private key");
        let seed = data_encoding::BASE64.decode(secret.as_bytes()).unwrap();
        Signer::new(Name::parse("admin.").unwrap(), seed.try_into().unwrap())
    }

    /// The end of every replica's log.
    pub fn logs(&self) -> String {
        let tail = |i: u8| {
            let log = fs::read_to_string(self.replica(i).join("log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().rev().take(15).collect();
            format!("--- replica {i}\n{}\n", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
        };
        (1..=self.n).map(tail).collect()
    }

    /// `conclave ctl status`, as JSON.
    pub fn status(&self, i: u8) -> Option<Value> {
        let socket = self.replica(i).join("admin.sock").display().to_string();
        let output = run(env!("CARGO_BIN_EXE_conclave"), &["ctl", "status", "--json", "--socket", &socket]);
        let first = stdout(&output).lines().next()?.to_owned();
        serde_json::from_str(&first).ok()
    }

    /// The signed zone as replica `i` exports it, if it does.
    pub fn export(&self, i: u8) -> Option<String> {
        let socket = self.replica(i).join("admin.sock").display().to_string();
        let output = run(env!("CARGO_BIN_EXE_conclave"), &["ctl", "export", ORIGIN, "--socket", &socket]);
        output.status.success().then(|| stdout(&output))
    }

    /// Waits until all replicas export the same, and gives it.
    pub fn agreed_export(&self) -> String {
        wait_for(&format!("all replicas export the same; {}", self.logs()), || {
            let first = self.export(1)?;
            (2..=self.n).all(|i| self.export(i).as_ref() == Some(&first)).then_some(first)
        })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.logs());
        }
    }
}

/// The processes of a cluster's replicas.
pub struct Replicas<'a> {
    site: &'a Site,
    running: BTreeMap<u8, Child>,
}

impl<'a> Replicas<'a> {
    /// Starts all and waits until each serves its zone.
    pub fn start(site: &'a Site) -> Self {
        Self::start_some(site, &site.all())
    }

    /// Starts these, at least a quorum, and waits until each serves its zone.
    pub fn start_some(site: &'a Site, some: &[u8]) -> Self {
        let mut replicas = Self { site, running: BTreeMap::new() };
        some.iter().for_each(|i| replicas.revive(*i));
        some.iter().for_each(|i| replicas.wait_ready(*i));
        replicas
    }

    /// Waits until replica `i` serves its zone.
    pub fn wait_ready(&self, i: u8) {
        let site = self.site;
        site.network.inside(|| {
            wait_for(&format!("replica {i} serves; {}", site.logs()), || wire::serial(site.network.dns(i)));
        });
    }

    /// Waits until replica `i`, whose log was lost, takes part in the order again.
    pub fn wait_standing(&self, i: u8) {
        self.wait_ready(i);
        wait_for(&format!("replica {i} takes part again; {}", self.site.logs()), || {
            (self.site.status(i)?["observes"] == false).then_some(())
        });
    }

    /// The process of replica `i`.
    pub fn pid(&self, i: u8) -> u32 {
        self.running[&i].id()
    }

    /// Starts replica `i` if it does not run.
    pub fn revive(&mut self, i: u8) {
        self.launch(
            i,
            Path::new(env!("CARGO_BIN_EXE_conclave")),
            &["replica", "--end-with-parent", "--config"],
        );
    }

    /// Starts `program` in the place of replica `i`; the path of its `replica.toml` follows `args`.
    pub fn launch(&mut self, i: u8, program: &Path, args: &[&str]) {
        if self.running.contains_key(&i) {
            return;
        }
        let dir = self.site.replica(i);
        let log = fs::OpenOptions::new().append(true).create(true).open(dir.join("log")).unwrap();
        let child = self
            .site
            .network
            .command(Some(i), &program.display().to_string())
            .args(args)
            .arg(dir.join("replica.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .env("PATH", search_path())
            .spawn()
            .unwrap();
        self.running.insert(i, child);
    }

    /// kill -9, if it runs.
    pub fn kill(&mut self, i: u8) {
        if let Some(mut child) = self.running.remove(&i) {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGSTOP.
    pub fn pause(&self, i: u8) {
        self.signal(i, Signal::STOP);
    }

    /// SIGCONT.
    pub fn resume(&self, i: u8) {
        self.signal(i, Signal::CONT);
    }

    fn signal(&self, i: u8, signal: Signal) {
        if let Some(child) = self.running.get(&i) {
            kill_process(Pid::from_child(child), signal).unwrap();
        }
    }

    /// A replica that ended by itself.
    pub fn ended(&mut self) -> Option<String> {
        self.running.iter_mut().find_map(|(i, child)| {
            let status = child.try_wait().unwrap()?;
            Some(format!("replica {i} ended by itself: {status}"))
        })
    }
}

impl Drop for Replicas<'_> {
    fn drop(&mut self) {
        for child in self.running.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
