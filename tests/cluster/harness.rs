//! Starts demo clusters on free loopback ports and drives them with stock tools.

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

#[path = "../support/tools.rs"]
mod tools;

#[allow(unused_imports, reason = "a benchmark includes this file and needs less")]
pub use tools::{DEADLINE, all_output, has, run, stdout, wait_for};

/// Milliseconds that a replica lets its clients wait: no test is to fail because a machine is slow.
const PATIENCE_MS: u64 = 120_000;

/// Whether `tests/run quick` asked for the two-minute part only.
pub fn quick() -> bool {
    std::env::var("CONCLAVE_TESTS").is_ok_and(|v| v == "quick")
}

/// How a client proves who it is.
#[derive(Clone, Copy, Debug)]
pub enum Key {
    /// The demo's TSIG key.
    Tsig,
    /// The demo's SIG(0) key.
    Sig0,
    /// None at all.
    None,
}

/// A running demo; ended with all its replicas when dropped.
pub struct Demo {
    child: Option<Child>,
    /// Replicas started again by [`Demo::revive`].
    revived: Vec<(u8, Child)>,
    dir: tempfile::TempDir,
    /// Replica i answers DNS on 127.0.0.1:base+i.
    pub base: u16,
    /// Number of replicas.
    pub n: u8,
    options: Vec<String>,
}

impl Demo {
    /// Starts `n` replicas with 1024-bit keys and the default zone.
    pub fn start(n: u8) -> Self {
        Self::start_with(n, 1024, &[])
    }

    /// Starts `n` replicas with keys of `bits`, and these zones (origin, file) if any.
    pub fn start_with(n: u8, bits: u32, zones: &[(&str, &Path)]) -> Self {
        let mut options = vec!["--bits".to_owned(), bits.to_string()];
        for (origin, file) in zones {
            options.extend(["--zone".to_owned(), format!("{origin}={}", file.display())]);
        }
        Self::start_options(n, options)
    }

    /// Starts `n` replicas with 1024-bit keys, the default zone and ordered reads.
    pub fn start_ordered(n: u8) -> Self {
        Self::start_options(n, ["--bits", "1024", "--ordered-reads"].map(str::to_owned).to_vec())
    }

    /// Starts `n` replicas with 1024-bit keys and the default zone, which sign by this protocol.
    pub fn start_signing(n: u8, protocol: &str) -> Self {
        Self::start_options(n, ["--bits", "1024", "--signing", protocol].map(str::to_owned).to_vec())
    }

    /// Starts `n` replicas with 1024-bit keys, the default zone, and these TSIG keys more.
    pub fn start_keys(n: u8, keys: &[&str]) -> Self {
        let keys = keys.iter().flat_map(|key| ["--tsig".to_owned(), (*key).to_owned()]);
        Self::start_options(n, ["--bits", "1024"].map(str::to_owned).into_iter().chain(keys).collect())
    }

    fn start_options(n: u8, options: Vec<String>) -> Self {
        let dir = tempfile::Builder::new().prefix("conclave-test-").tempdir().unwrap();
        let mut demo = Self { child: None, revived: Vec::new(), dir, base: free_ports(n), n, options };
        demo.restart();
        demo
    }

    /// Starts (again) on the same directory and waits until every zone is served.
    pub fn restart(&mut self) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_conclave"))
            .args(["demo", "--replicas", &self.n.to_string(), "--dns-port", &self.base.to_string(), "--dir"])
            .arg(self.dir.path().join("d"))
            .args(["--patience", &PATIENCE_MS.to_string()])
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let words = std::sync::Arc::new(Mutex::new(String::new()));
        drain(child.stdout.take().unwrap(), words.clone());
        drain(child.stderr.take().unwrap(), words.clone());
        let pid = child.id();
        self.child = Some(child);
        wait_for("the demo is ready", || {
            let child = self.child.as_mut().unwrap();
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the demo ended with {status}: {}\n{}", words.lock().unwrap(), self.logs());
            }
            // A file left by the run before names other processes: only this run's counts.
            let json = self.try_json()?;
            let ours = json["replicas"]
                .as_array()?
                .iter()
                .all(|r| parent_of(r["pid"].as_u64().unwrap_or(0)) == Some(pid.into()));
            (json["ready"] == true && ours).then_some(())
        });
    }

    /// The demo's directory.
    pub fn dir(&self) -> PathBuf {
        self.dir.path().join("d")
    }

    fn try_json(&self) -> Option<Value> {
        serde_json::from_str(&fs::read_to_string(self.dir().join("demo.json")).ok()?).ok()
    }

    /// `demo.json`.
    pub fn json(&self) -> Value {
        self.try_json().expect("demo.json reads")
    }

    fn replica(&self, i: u8) -> Value {
        let json = self.json();
        let found = json["replicas"].as_array().unwrap().iter().find(|r| r["index"] == i).cloned();
        found.unwrap_or_else(|| panic!("no replica {i} in demo.json"))
    }

    /// The process of replica `i` as the demo started it.
    pub fn pid(&self, i: u8) -> u32 {
        self.replica(i)["pid"].as_u64().unwrap() as u32
    }

    /// The end of every replica's log, for failures.
    pub fn logs(&self) -> String {
        let mut text = String::new();
        for i in 1..=self.n {
            let path = self.dir().join(format!("replica-{i}/log"));
            let log = fs::read_to_string(&path).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(12).collect();
            text += &format!("--- replica {i}\n{}\n", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
        text
    }

    /// kill -9 of replica `i`, and waits until it is gone.
    pub fn kill(&mut self, i: u8) {
        if let Some(at) = self.revived.iter().position(|(r, _)| *r == i) {
            let (_, mut child) = self.revived.remove(at);
            child.kill().unwrap();
            child.wait().unwrap();
            return;
        }
        let pid = self.pid(i);
        assert!(run("kill", &["-9", &pid.to_string()]).status.success(), "replica {i} (pid {pid}) runs");
        wait_for("the killed replica is gone", || (!alive(pid)).then_some(()));
    }

    /// Starts replica `i` again, as the documentation says: `conclave replica --config …`.
    pub fn revive(&mut self, i: u8) {
        let log = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.dir().join(format!("replica-{i}/log")))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_conclave"))
            .args(["replica", "--config"])
            .arg(self.dir().join(format!("replica-{i}/replica.toml")))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.revived.push((i, child));
    }

    /// Replica `i` starts again, to give its clients SERVFAIL as soon as replicas do that nobody has told to be patient.
    pub fn hurry(&mut self, i: u8) {
        let path = self.dir().join(format!("replica-{i}/replica.toml"));
        let text = fs::read_to_string(&path).unwrap();
        let hasty = text.replace(&format!("update-patience-ms = {PATIENCE_MS}\n"), "");
        assert_ne!(hasty, text, "{}", path.display());
        fs::write(&path, hasty).unwrap();
        self.kill(i);
        self.revive(i);
        let answers = |demo: &Self| demo.dig(i, &["example.test", "SOA"]).contains("status: NOERROR");
        wait_for("the hasty replica answers", || answers(self).then_some(()));
    }

    /// kill -9 of the demo and of all replicas at once.
    pub fn kill_all(&mut self) {
        let revived: Vec<u8> = self.revived.iter().map(|(i, _)| *i).collect();
        let pids: Vec<u32> = (1..=self.n).filter(|i| !revived.contains(i)).map(|i| self.pid(i)).collect();
        let mut child = self.child.take().unwrap();
        for pid in &pids {
            run("kill", &["-9", &pid.to_string()]);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for (_, mut child) in self.revived.drain(..) {
            let _ = child.kill();
            let _ = child.wait();
        }
        for pid in pids {
            wait_for("the killed replica is gone", || (!alive(pid)).then_some(()));
        }
    }

    /// Ends the demo as Ctrl-C does, and gives its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let mut child = self.child.take()?;
        run("kill", &["-INT", &child.id().to_string()]);
        let status = wait_for("the demo stops", || child.try_wait().unwrap());
        for (_, mut child) in self.revived.drain(..) {
            run("kill", &["-TERM", &child.id().to_string()]);
            wait_for("a revived replica stops", || child.try_wait().unwrap());
        }
        status.code()
    }

    /// The DNS port of replica `i`.
    pub fn port(&self, i: u8) -> String {
        (self.base + u16::from(i)).to_string()
    }

    /// Runs the stock nsupdate against replica `i`; `script` ends with `send`.
    pub fn nsupdate(&self, i: u8, key: Key, script: &str) -> Output {
        self.nsupdate_with(i, key, &["-v", "-t", "120"], script)
    }

    /// The same with the caller's options.
    pub fn nsupdate_with(&self, i: u8, key: Key, options: &[&str], script: &str) -> Output {
        let mut command = Command::new("nsupdate");
        command.args(options);
        let client = self.dir().join("client");
        match key {
            Key::Tsig => {
                command.arg("-k").arg(client.join("tsig.key"));
            }
            Key::Sig0 => {
                command.arg("-k").arg(sig0_file(&client));
            }
            Key::None => {}
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("nsupdate starts");
        let text = format!("server 127.0.0.1 {}\n{script}", self.port(i));
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// The stock nsupdate with a key file of `client/`, not waited for.
    pub fn nsupdate_by(&self, i: u8, file: &str, script: &str) -> Child {
        let mut child = Command::new("nsupdate")
            .args(["-v", "-t", "240", "-k"])
            .arg(self.dir().join("client").join(file))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("nsupdate starts");
        let text = format!("server 127.0.0.1 {}\nzone example.test\n{script}\nsend\n", self.port(i));
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        child
    }

    /// An update that must succeed.
    pub fn update(&self, i: u8, key: Key, changes: &str) {
        let output = self.nsupdate(i, key, &format!("zone example.test\n{changes}\nsend\n"));
        assert!(
            output.status.success(),
            "update at replica {i} failed: {}\n{changes}\n{}",
            all_output(&output),
            self.logs()
        );
    }

    /// The stock dig against replica `i`.
    pub fn dig(&self, i: u8, args: &[&str]) -> String {
        let port = self.port(i);
        let mut all = vec!["@127.0.0.1", "-p", &port, "+tries=3", "+time=10"];
        all.extend(args);
        stdout(&run("dig", &all))
    }

    /// Waits until `dig +short name type` at replica `i` prints exactly `want`.
    pub fn wait_answer(&self, i: u8, name: &str, rtype: &str, want: &str) {
        wait_for(&format!("{name} {rtype} at replica {i} is {want:?}; {}", self.logs()), || {
            (self.dig(i, &["+short", name, rtype]).trim() == want).then_some(())
        });
    }

    /// `conclave ctl …` on this demo.
    pub fn ctl(&self, i: u8, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_conclave"))
            .arg("ctl")
            .args(args)
            .args(["--replica", &i.to_string(), "--dir"])
            .arg(self.dir())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The signed zone as replica `i` exports it.
    pub fn export(&self, i: u8, origin: &str) -> String {
        let output = self.ctl(i, &["export", origin]);
        assert!(output.status.success(), "{}", all_output(&output));
        stdout(&output)
    }

    /// Waits until all replicas in `members` export the same bytes, and gives them.
    pub fn agreed_export(&self, members: &[u8], origin: &str) -> String {
        wait_for(&format!("replicas {members:?} export the same {origin}"), || {
            let first = self.export(members[0], origin);
            members[1..].iter().all(|i| self.export(*i, origin) == first).then_some(first)
        })
    }

    /// `delv` with the demo's anchor: its whole output.
    pub fn delv(&self, i: u8, origin: &str, name: &str, rtype: &str) -> String {
        let anchor = self.dir().join(format!("anchors/{}.conf", if origin == "." { "root" } else { origin }));
        let port = self.port(i);
        all_output(&run(
            "delv",
            &[
                "@127.0.0.1",
                "-p",
                &port,
                "-a",
                &anchor.to_string_lossy(),
                &format!("+root={origin}"),
                name,
                rtype,
            ],
        ))
    }
}

/// A process beside the demo's, ended when dropped.
pub struct Daemon(pub Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.logs());
        }
        if let Some(child) = &mut self.child {
            run("kill", &["-TERM", &child.id().to_string()]);
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(20) && child.try_wait().ok().flatten().is_none() {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        for (_, child) in &mut self.revived {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn drain(stream: impl std::io::Read + Send + 'static, into: std::sync::Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            into.lock().unwrap().push_str(&(line + "\n"));
        }
    });
}

fn parent_of(pid: u64) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
}

/// Whether the process still holds its ports and files: a killed one does until its last thread has ended, though its
/// first may be a zombie already.
fn alive(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let zombie = stat.rsplit(')').next().and_then(|s| s.split_whitespace().next()) == Some("Z");
    let threads = fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    !zombie || threads > 1
}

fn sig0_file(client: &Path) -> PathBuf {
    let mut names: Vec<PathBuf> = fs::read_dir(client).unwrap().flatten().map(|e| e.path()).collect();
    names.retain(|p| p.extension().is_some_and(|e| e == "private"));
    names.sort();
    names.into_iter().next().expect("the demo made a SIG(0) key")
}

/// A base port with base+1..n (DNS) and base+101..100+n (peers) free, not handed out twice in this run.
fn free_ports(n: u8) -> u16 {
    static NEXT: Mutex<u16> = Mutex::new(0);
    let mut next = NEXT.lock().unwrap();
    if *next == 0 {
        *next = 20_000 + (std::process::id() % 60) as u16 * 200;
    }
    loop {
        let base = *next;
        *next = if base > 31_000 { 20_000 } else { base + 200 };
        let free = (1..=u16::from(n)).all(|i| {
            UdpSocket::bind(("127.0.0.1", base + i)).is_ok()
                && TcpListener::bind(("127.0.0.1", base + i)).is_ok()
                && TcpListener::bind(("127.0.0.1", base + 100 + i)).is_ok()
        });
        if free {
            return base;
        }
    }
}
