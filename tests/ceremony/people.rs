//! The people of a ceremony and their machines: a directory each; what they run, and what it says.

use crate::secrets::Secrets;
use crate::tools;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use tempfile::TempDir;

pub const ORIGIN: &str = "example.test.";
const ZONE: &str =
    "$TTL 60\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\nwww A 192.0.2.1\n";

/// Who may have zones changed, two of them together.
pub const OPERATORS: [&str; 3] = ["olga", "oscar", "otto"];

pub struct Ceremony {
    dir: TempDir,
    base: u16,
    replicas: Vec<(u16, Child)>,
    /// All that any program has said so far.
    said: Mutex<Vec<u8>>,
}

impl Ceremony {
    /// Everybody's keys, and the plan with a backup of two of three custodians.
    pub fn prepare() -> Self {
        Self::prepare_for(ZONE)
    }

    /// The same for a zone of these records.
    pub fn prepare_for(zone: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("conclave-ceremony-").tempdir().unwrap();
        fs::create_dir(dir.path().join("tmp")).unwrap();
        let ceremony = Self { dir, base: free_ports(), replicas: Vec::new(), said: Mutex::default() };
        fs::write(ceremony.path("example.zone"), zone).unwrap();
        for index in 1..=4 {
            let index = index.to_string();
            ceremony.done(&["conclave", "keygen", "--dir", &format!("replica-{index}"), "--index", &index]);
        }
        for name in ["alice", "bob", "carol", "client"] {
            ceremony.done(&["age-keygen", "-o", &format!("{name}.txt")]);
        }
        let operators: String = OPERATORS.iter().map(|name| ceremony.operator(name)).collect();
        let members = |n: &str| -> String { (1..=4).map(|index| ceremony.member(index, n)).collect() };
        let plan = format!(
            "version = 1\nreplicas = 4\nbits = 1024\n{}{operators}\n[[zone]]\norigin = \"{ORIGIN}\"\nfile = \"example.zone\"\n\
             policy = [\"grant ops zonesub ANY\"]\n\n[[tsig]]\nname = \"ops\"\nrecipient = \"{}\"\n{}",
            members("replica-"),
            ceremony.recipient("client"),
            ceremony.custodians()
        );
        fs::write(ceremony.path("ceremony.toml"), plan).unwrap();
        ceremony
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn port(&self, index: u16) -> u16 {
        self.base + index
    }

    fn member(&self, index: u16, prefix: &str) -> String {
        let (dns, peer) = (self.port(index), self.port(index) + 100);
        format!(
            "\n[[member]]\nkeys = \"{prefix}{index}/replica.pub.toml\"\ndns = [\"127.0.0.1:{dns}\"]\npeer = \"127.0.0.1:{peer}\"\n"
        )
    }

    /// Makes the key of an operator; its table.
    pub fn operator(&self, name: &str) -> String {
        let made = ["conclave", "operator-key", "--name", name, "--out", &format!("{name}.key")];
        format!("\n{}", self.done(&made))
    }

    fn recipient(&self, name: &str) -> String {
        let text = fs::read_to_string(self.path(&format!("{name}.txt"))).unwrap();
        text.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap().to_owned()
    }

    fn custodians(&self) -> String {
        let custodian = |name| format!("{{ name = \"{name}\", recipient = \"{}\" }}", self.recipient(name));
        let all = ["alice", "bob", "carol"].map(custodian).join(", ");
        format!("\n[backup]\nthreshold = 2\ncustodians = [{all}]\n")
    }

    fn command(&self, words: &[&str]) -> Command {
        let program = match words[0] {
            "conclave" => env!("CARGO_BIN_EXE_conclave"),
            "conclave-dealer" => env!("CARGO_BIN_EXE_conclave-dealer"),
            other => other,
        };
        let mut command = Command::new(program);
        command.args(&words[1..]).current_dir(self.dir.path()).env("TMPDIR", self.path("tmp"));
        command.env("PATH", tools::search_path()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, words: &[&str]) -> Output {
        let output = self.command(words).output().unwrap_or_else(|e| panic!("{words:?}: {e}"));
        self.said.lock().unwrap().extend([&output.stdout[..], &output.stderr[..]].concat());
        output
    }

    pub fn run_with_answers(&self, words: &[&str], answers: &[String]) -> Output {
        let path = self.path("answers");
        fs::write(&path, answers.join("\n") + "\n").unwrap();
        let mut command = self.command(words);
        command.stdin(fs::File::open(path).unwrap()).output().unwrap()
    }

    #[track_caller]
    pub fn done(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", tools::all_output(&output));
        tools::stdout(&output)
    }

    #[track_caller]
    pub fn refused(&self, words: &[&str], reason: &str) {
        let output = self.run(words);
        let said = tools::all_output(&output);
        assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
        assert!(said.contains(reason), "expected `{reason}`: {said}");
    }

    /// The words of a plan, as its people read them out.
    pub fn words(&self, plan: &str) -> String {
        let said = self.done(&["conclave-dealer", "plan", plan]);
        let lines: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("  ")).collect();
        assert_eq!(lines.len(), 6, "{said}");
        lines.join(" ")
    }

    pub fn refuses_other_words(&self) {
        let init = ["conclave-dealer", "init", "--from", "ceremony.toml", "--out", "deal"];
        self.refused(&init, "say the words of the plan");
        self.refused(&[&init[..], &["--words", "acid acid"]].concat(), "not the words of this plan");
        assert!(!self.path("deal").exists());
    }

    pub fn deal(&self, words: &str) {
        self.done(&["conclave-dealer", "init", "--from", "ceremony.toml", "--words", words, "--out", "deal"]);
        let closed = self.words("deal/plan.toml");
        assert_eq!(closed, words, "the closed plan has the same words");
        let facts = self.done(&["conclave-dealer", "inspect", "deal/cluster.toml"]);
        assert!(words.split(' ').take(4).all(|word| facts.contains(word)), "{facts}");
    }

    /// Imports, and brings the receipt to the deal.
    pub fn import(&self, index: u16, deal: &str, words: &str, new: Option<&str>) {
        let home = match new {
            Some("new-1") => "replica-new-1".to_owned(),
            _ => format!("replica-{index}"),
        };
        let into = new.map_or(home.clone(), |_| format!("{home}/epoch-1"));
        let import = ["conclave", "import", "--dir", &home, "--deal", deal, "--into", &into];
        self.refused(&import, "say the words of the plan");
        self.done(&[&import[..], &["--words", words]].concat());
        let receipt = format!("replica-{index}.receipt");
        fs::copy(self.path(&into).join(&receipt), self.path(deal).join("receipts").join(&receipt)).unwrap();
    }

    pub fn start(&mut self, index: u16) {
        let log = self.path(&format!("replica-{index}.log"));
        let log = fs::OpenOptions::new().append(true).create(true).open(log).unwrap();
        let config = format!("replica-{index}/replica.toml");
        let mut command = self.command(&["conclave", "replica", "--config", &config, "-vv"]);
        let errors = log.try_clone().unwrap();
        self.replicas.push((index, command.stdout(log).stderr(errors).spawn().unwrap()));
    }

    /// kill -9.
    pub fn kill(&mut self, index: u16) {
        let mut replica = self.taken(index);
        replica.kill().unwrap();
        replica.wait().unwrap();
    }

    /// Ends a replica as its service manager would.
    pub fn stop(&mut self, index: u16) {
        end(self.taken(index));
    }

    fn taken(&mut self, index: u16) -> Child {
        let at = self.replicas.iter().position(|(other, _)| *other == index).expect("it runs");
        self.replicas.remove(at).1
    }

    /// What a replica has said, for failures.
    pub fn log(&self, index: u16) -> String {
        let log = fs::read_to_string(self.path(&format!("replica-{index}.log"))).unwrap_or_default();
        log.lines().rev().take(30).collect::<Vec<_>>().join("\n")
    }

    pub fn socket(&self, index: u16) -> String {
        self.path(&format!("replica-{index}/admin.sock")).display().to_string()
    }

    /// The one bundle in a directory.
    pub fn bundle(&self, dir: &str) -> String {
        let [bundle] = self.bundles(dir).try_into().expect("one bundle");
        bundle
    }

    /// All bundles in a directory, in the order of their names.
    pub fn bundles(&self, dir: &str) -> Vec<String> {
        let files = fs::read_dir(self.path(dir)).into_iter().flatten().map(|file| file.unwrap().path());
        let bundles = files.filter(|path| path.extension().is_some_and(|e| e == "bundle"));
        let mut bundles: Vec<String> = bundles.map(|path| path.display().to_string()).collect();
        bundles.sort();
        bundles
    }

    pub fn stop_all(&mut self) {
        std::mem::take(&mut self.replicas).into_iter().for_each(|(_, replica)| end(replica));
    }

    /// Replica 1 lost its machine; its operator makes new keys. The words of the second plan.
    pub fn second_plan(&self) -> String {
        self.done(&["conclave", "keygen", "--dir", "replica-new-1", "--index", "1"]);
        self.next_plan("replica-new-", "")
    }

    /// The words of a plan for the next epoch, `second.toml`: replica 1 has its keys there, and there are more zones.
    pub fn next_plan(&self, first: &str, zones: &str) -> String {
        let facts = self.done(&["conclave-dealer", "inspect", "deal/cluster.toml"]);
        let id = facts.lines().find_map(|line| line.strip_prefix("cluster  ")).unwrap();
        let zone = facts.lines().find_map(|line| line.split(", records ").nth(1)).unwrap();
        let others: String = (2..=4).map(|index| self.member(index, "replica-")).collect();
        let plan = format!(
            "version = 1\nepoch = 1\nreplaces = \"{id}\"\nreplicas = 4\nbits = 1024\n{}{others}\n[[zone]]\norigin = \"{ORIGIN}\"\n\
             records-sha256 = \"{zone}\"\npolicy = [\"grant ops zonesub ANY\"]\n{zones}\n[[tsig]]\nname = \"ops\"\nrecipient = \"{}\"\n{}",
            self.member(1, first),
            self.recipient("client"),
            self.custodians()
        );
        fs::write(self.path("second.toml"), plan).unwrap();
        self.words("second.toml")
    }

    pub fn redeal(&self, words: &str) {
        // One custodian has come to the dealer's machine; the other sealed his part anew for a key that is there.
        self.done(&["age-keygen", "-o", "dealer.txt"]);
        let (part, to) = ("deal/backup/custodian-carol.age", self.recipient("dealer"));
        let reseal = ["conclave-dealer", "reseal", part, "--identity", "carol.txt", "--recipient", &to];
        self.done(&[&reseal[..], &["--out", "carol-part.age"]].concat());
        let redeal = [
            "conclave-dealer",
            "redeal",
            "--plan",
            "second.toml",
            "--cluster",
            "deal/cluster.toml",
            "--backup",
            "deal/backup/backup.age",
            "--out",
            "redeal",
            "--words",
            words,
        ];
        let alice = ["--part", "deal/backup/custodian-alice.age", "--identity", "alice.txt"];
        let carol = ["--part", "carol-part.age", "--identity", "dealer.txt"];
        self.refused(&[&redeal[..], &alice[..]].concat(), "1 parts of the 2 that open it");
        self.done(&[&redeal[..], &alice[..], &carol[..]].concat());
    }

    pub fn fresh_shares(&self, plan: &[&str]) {
        let redeal = ["conclave-dealer", "redeal", "--backup", "deal/backup/backup.age", "--out", "fresh"];
        let parts = [
            "--part",
            "deal/backup/custodian-alice.age",
            "--identity",
            "alice.txt",
            "--part",
            "deal/backup/custodian-bob.age",
            "--identity",
            "bob.txt",
        ];
        self.done(&[&redeal[..], plan, &parts[..]].concat());
        let bundles: Vec<PathBuf> =
            fs::read_dir(self.path("fresh")).unwrap().map(|f| f.unwrap().path()).collect();
        assert_eq!(bundles.len(), 2, "{bundles:?}");
        for bundle in bundles {
            let told = self.done(&["conclave-dealer", "dnskey", bundle.to_str().unwrap()]);
            let keys = self.done(&["conclave-dealer", "dnskey", "deal"]);
            assert!(keys.contains(&told), "the key is the same: {told}{keys}");
        }
    }

    /// No secret stands anywhere but in the files that are for it, nor was any said.
    pub fn search(&self, secrets: &Secrets) {
        let found = secrets.found_in(&self.said.lock().unwrap());
        assert!(found.is_none(), "a program said {}", found.unwrap_or_default());
        let mut searched = 0;
        self.search_dir(self.dir.path(), secrets, &mut searched);
        assert!(searched > 60, "only {searched} files were searched");
        let left = fs::read_dir(self.path("tmp")).unwrap().count();
        assert_eq!(left, 0, "temporary files are left");
    }

    fn search_dir(&self, dir: &Path, secrets: &Secrets, searched: &mut usize) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.search_dir(&path, secrets, searched);
                continue;
            }
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            // A replica's own secrets, in its own directory.
            let is_replica = path.strip_prefix(self.dir.path()).unwrap().starts_with("deal");
            let own = [".share", "tsig.keys", "identity.key", "seal.key"]
                .iter()
                .any(|ending| name.ends_with(ending));
            if own && !is_replica {
                continue;
            }
            *searched += 1;
            let found = secrets.found_in(&fs::read(&path).unwrap());
            assert!(found.is_none(), "{}: holds {}", path.display(), found.unwrap_or_default());
        }
    }
}

impl Drop for Ceremony {
    fn drop(&mut self) {
        for (_, replica) in &mut self.replicas {
            let _ = replica.kill();
            let _ = replica.wait();
        }
    }
}

fn end(mut replica: Child) {
    tools::run("kill", &["-TERM", &replica.id().to_string()]);
    replica.wait().unwrap();
}

/// A base b with b+1 … b+4 and b+101 … b+104 free.
fn free_ports() -> u16 {
    static NEXT: Mutex<u16> = Mutex::new(0);
    let mut next = NEXT.lock().unwrap();
    loop {
        *next = if *next == 0 { 33_000 + (std::process::id() % 60) as u16 * 200 } else { *next + 200 };
        let is_free = (1..=4).all(|index| {
            let (dns, peer) = (*next + index, *next + 100 + index);
            UdpSocket::bind(("127.0.0.1", dns)).is_ok()
                && TcpListener::bind(("127.0.0.1", dns)).is_ok()
                && TcpListener::bind(("127.0.0.1", peer)).is_ok()
        });
        if is_free {
            return *next;
        }
    }
}
