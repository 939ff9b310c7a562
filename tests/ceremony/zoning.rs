//! A cluster whose zones come and go: its operators, and the stock tools that look at it.

use crate::people::{Ceremony, OPERATORS, ORIGIN};
use crate::tools::{self, all_output, run, stdout, wait_for};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub const CATALOG: &str = "catalog.invalid.";
pub const NEW: &str = "new.test.";
pub const ALL: [u16; 4] = [1, 2, 3, 4];

pub struct Zoning {
    pub ceremony: Ceremony,
    plan: Vec<String>,
    /// Tags of keys that were dealt since.
    tags: Vec<String>,
}

/// Who updates zones at one replica.
pub struct Client {
    port: u16,
    key: PathBuf,
}

impl Client {
    /// The stock nsupdate; what it says.
    pub fn update(&self, zone: &str, changes: &str) -> String {
        let mut child = Command::new("nsupdate")
            .args(["-v", "-t", "120", "-k"])
            .arg(&self.key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let text = format!("server 127.0.0.1 {}\nzone {zone}\n{changes}\nsend\n", self.port);
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        tools::all_output(&child.wait_with_output().unwrap())
    }
}

impl Zoning {
    /// Four replicas serve a zone, and who signs with the client's key may have the catalog and the new zone.
    pub fn start() -> Self {
        let mut ceremony = Ceremony::prepare();
        let words = ceremony.words("ceremony.toml");
        ceremony.deal(&words);
        for index in ALL {
            ceremony.import(index, "deal", &words, None);
            let file = ceremony.path(&format!("replica-{index}/replica.toml"));
            let mut text = fs::read_to_string(&file).unwrap();
            text += "\n[[transfer]]\nzone = \"*\"\nkeys = [\"ops\"]\n";
            fs::write(&file, text).unwrap();
            ceremony.start(index);
        }
        let secret = ceremony.done(&["age", "-d", "-i", "client.txt", "deal/client/tsig.key.age"]);
        fs::write(ceremony.path("ops.key"), secret).unwrap();
        let plan = ["--plan", "deal/plan.toml", "--cluster", "deal/cluster.toml", "--words", &words];
        let plan = plan.map(str::to_owned).to_vec();
        let zoning = Self { ceremony, plan, tags: Vec::new() };
        ALL.iter().for_each(|index| zoning.wait_status(*index, ORIGIN, "NOERROR"));
        zoning
    }

    /// The client's key, as BIND writes it.
    pub fn clause(&self) -> String {
        fs::read_to_string(self.ceremony.path("ops.key")).unwrap()
    }

    /// `conclave ctl …` at this replica.
    pub fn ctl(&self, index: u16, words: &[&str]) -> std::process::Output {
        let socket = self.ceremony.socket(index);
        self.ceremony.run(&[&["conclave", "ctl"], words, &["--socket", &socket]].concat())
    }

    #[track_caller]
    pub fn ctl_done(&self, index: u16, words: &[&str]) -> String {
        let output = self.ctl(index, words);
        assert!(output.status.success(), "{words:?}: {}\n{}", all_output(&output), self.ceremony.log(index));
        stdout(&output)
    }

    /// One operator signs at replica 1, another at replica 2, who waits until it is decided; what he is told.
    #[track_caller]
    pub fn signed(&self, words: &[&str]) -> std::process::Output {
        let [olga, _, otto] = OPERATORS.map(|name| format!("{name}.key"));
        self.ctl_done(1, &[words, &["--operator", &olga, "--no-wait"]].concat());
        self.ctl(2, &[words, &["--operator", &otto]].concat())
    }

    #[track_caller]
    pub fn signed_done(&self, words: &[&str]) {
        let output = self.signed(words);
        assert!(output.status.success(), "{words:?}: {}\n{}", all_output(&output), self.ceremony.log(2));
        assert!(stdout(&output).ends_with(": done\n"), "{}", all_output(&output));
    }

    #[track_caller]
    pub fn signed_refused(&self, words: &[&str], reason: &str) {
        let said = all_output(&self.signed(words));
        assert!(said.contains(reason), "expected `{reason}`: {said}");
    }

    /// Deals both keys of the new zone, and all replicas take their shares: the bundles of ZSK and KSK.
    pub fn deal(&mut self, out: &str) -> [String; 2] {
        let mut words = vec!["conclave-dealer", "keys", "--zone", NEW, "--bits", "1024", "--out", out];
        self.tags.iter().for_each(|tag| words.extend(["--avoid", tag]));
        words.extend(self.plan.iter().map(String::as_str));
        let said = self.ceremony.done(&words);
        let tags = said.lines().filter_map(|line| line.split(" tag ").nth(1)?.split(',').next());
        self.tags.extend(tags.map(str::to_owned));
        let [ksk, zsk] = self.ceremony.bundles(out).try_into().expect("two bundles");
        for index in ALL {
            self.ctl_done(index, &["import", &zsk, &ksk]);
        }
        self.wait_complete();
        let said = self.ctl_done(1, &["keys"]);
        assert!(said.contains("new.test. is not there yet"), "{said}");
        [zsk, ksk]
    }

    /// The words that add the new zone.
    pub fn add<'a>(&self, [zsk, ksk]: &'a [String; 2]) -> Vec<&'a str> {
        vec!["zone", "add", NEW, "--file", "new.zone", "--policy", "new.policy", "--zsk", zsk, "--ksk", ksk]
    }

    /// Waits until the receipts of all replicas for the new zone's keys are there: then it may be added.
    pub fn wait_complete(&self) {
        wait_for("all receipts", || {
            let keys: Value = serde_json::from_str(&self.ctl_done(1, &["keys", "--json"])).unwrap();
            let zone = keys["keys"].as_array()?.iter().find(|zone| zone["zone"] == NEW)?.clone();
            let bundles = zone["bundles"].as_array()?;
            (bundles.len() == 2 && bundles.iter().all(|one| one["receipts"] == 4)).then_some(())
        });
    }

    /// The zones as this replica tells them.
    pub fn zones(&self, index: u16) -> Value {
        serde_json::from_str(&self.ctl_done(index, &["zone", "list", "--json"])).unwrap()
    }

    pub fn zone(&self, index: u16, origin: &str) -> Option<Value> {
        self.zones(index)["zones"].as_array().unwrap().iter().find(|zone| zone["zone"] == origin).cloned()
    }

    pub fn dig(&self, port: u16, words: &[&str]) -> String {
        let port = port.to_string();
        stdout(&run("dig", &[&["@127.0.0.1", "-p", &port, "+tries=1", "+time=5"], words].concat()))
    }

    pub fn port(&self, index: u16) -> u16 {
        self.ceremony.port(index)
    }

    /// Waits until a question for the SOA of `zone` has this status at a replica.
    pub fn wait_status(&self, index: u16, zone: &str, status: &str) {
        wait_for(&format!("{zone} is {status} at {index}; {}", self.ceremony.log(index)), || {
            self.dig(self.port(index), &[zone, "SOA"]).contains(&format!("status: {status}")).then_some(())
        });
    }

    /// The catalog's serial for who may see it; none for others.
    pub fn catalog_serial(&self, index: u16, with_key: bool) -> Option<u32> {
        let key = self.ceremony.path("ops.key").display().to_string();
        let mut words = vec!["+short", CATALOG, "SOA"];
        if with_key {
            words.extend(["-k", &key]);
        }
        let said = self.dig(self.port(index), &words);
        said.lines().find_map(|line| line.split_whitespace().nth(2)?.parse().ok())
    }

    /// A client of this replica.
    pub fn client(&self, index: u16) -> Client {
        Client { port: self.port(index), key: self.ceremony.path("ops.key") }
    }

    /// The stock nsupdate at a replica; what it says.
    pub fn update(&self, index: u16, zone: &str, changes: &str) -> String {
        self.client(index).update(zone, changes)
    }

    /// The zone that all replicas export in the same bytes.
    pub fn agreed(&self, zone: &str) -> String {
        wait_for(&format!("all export the same {zone}"), || {
            let zones = ALL.map(|index| stdout(&self.ctl(index, &["export", zone])));
            (!zones[0].is_empty() && zones.iter().all(|one| *one == zones[0])).then(|| zones[0].clone())
        })
    }

    /// Validators find the new zone right at all replicas, by its KSK.
    pub fn validates(&self, ksk: &str, name: &str, rtype: &str) {
        let record = self.ceremony.done(&["conclave-dealer", "dnskey", ksk]);
        let words: Vec<&str> = record.split("DNSKEY").nth(1).expect("a key").split_whitespace().collect();
        let [flags, protocol, algorithm, key @ ..] = words.as_slice() else { panic!("{record}") };
        let anchors = self.ceremony.path("new.conf");
        let key = key.concat();
        let text =
            format!("trust-anchors {{ {NEW} static-key {flags} {protocol} {algorithm} \"{key}\"; }};\n");
        fs::write(&anchors, text).unwrap();
        let (anchors, root) = (anchors.display().to_string(), format!("+root={NEW}"));
        for index in ALL {
            let port = self.port(index).to_string();
            let judged = run("delv", &["@127.0.0.1", "-p", &port, "-a", &anchors, &root, name, rtype]);
            let said = all_output(&judged);
            assert!(said.contains("fully validated"), "{name} {rtype} at {index}: {said}");
        }
    }

    /// The files of a replica that hold shares which came as bundles.
    pub fn bundle_files(&self, index: u16) -> Vec<PathBuf> {
        let dir = self.ceremony.path(&format!("replica-{index}/bundles"));
        fs::read_dir(dir).into_iter().flatten().map(|file| file.unwrap().path()).collect()
    }
}
