//! A cluster whose keys are rolled: its operators, the parent zone, and the stock tools that judge the zone at every stage.

use crate::people::{Ceremony, ORIGIN};
use crate::tools::{self, all_output, run, stdout, wait_for};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// Everything is forgotten by caches after a second, so that what waits for them takes seconds.
const ZONE: &str = "$TTL 1\n@ SOA ns1 hostmaster 1 3600 600 604800 1\n@ NS ns1\nns1 A 127.0.0.1\nwww A 192.0.2.1\n*.w TXT wild\n";
/// Seconds for which the parent has its DS records cached.
const DS_TTL: &str = "1";
/// Whose operators vote: a quorum of four.
const VOTERS: [u16; 3] = [1, 2, 3];

pub struct Rolling {
    pub ceremony: Ceremony,
    plan: Vec<String>,
    /// The DS records at the parent, in the form of a zone file.
    parent: String,
    /// Replicas that run.
    pub members: Vec<u16>,
    /// Updates so far.
    updates: u16,
    /// Tags of keys that were dealt since.
    tags: Vec<String>,
}

impl Rolling {
    /// Four replicas serve the zone, and the parent has its DS records.
    pub fn start() -> Self {
        let mut ceremony = Ceremony::prepare_for(ZONE);
        let words = ceremony.words("ceremony.toml");
        ceremony.deal(&words);
        (1..=4).for_each(|index| ceremony.import(index, "deal", &words, None));
        (1..=4).for_each(|index| ceremony.start(index));
        let parent = ceremony.done(&["conclave-dealer", "ds", "deal"]);
        let secret = ceremony.done(&["age", "-d", "-i", "client.txt", "deal/client/tsig.key.age"]);
        fs::write(ceremony.path("ops.key"), secret).unwrap();
        let plan = ["--plan", "deal/plan.toml", "--cluster", "deal/cluster.toml", "--words", &words];
        let plan = plan.map(str::to_owned).to_vec();
        let rolling =
            Self { ceremony, plan, parent, members: vec![1, 2, 3, 4], updates: 0, tags: Vec::new() };
        rolling.members.iter().for_each(|index| rolling.wait_served(*index));
        rolling
    }

    fn wait_served(&self, index: u16) {
        let port = self.ceremony.port(index).to_string();
        let ask = ["@127.0.0.1", "-p", &port, "+dnssec", "+tries=1", "+time=1", "www.example.test"];
        wait_for(&format!("replica {index} serves; {}", self.ceremony.log(index)), || {
            let answer = stdout(&run("dig", &ask));
            (answer.contains("192.0.2.1") && answer.contains("RRSIG")).then_some(())
        });
    }

    pub fn kill(&mut self, index: u16) {
        self.ceremony.kill(index);
        self.members.retain(|member| *member != index);
    }

    pub fn revive(&mut self, index: u16) {
        self.ceremony.start(index);
        self.members.push(index);
        self.members.sort_unstable();
        self.wait_served(index);
    }

    /// The dealer makes a new key: the file of its bundle, and its DNSKEY record.
    pub fn deal(&mut self, role: &str, algorithm: &str) -> (String, String) {
        let out = format!("new-{role}-{}", self.tags.len());
        let mut words = vec!["conclave-dealer", "keys", "--zone", ORIGIN, "--role", role, "--bits", "1024"];
        words.extend(["--algorithm", algorithm, "--out", &out]);
        self.tags.iter().for_each(|tag| words.extend(["--avoid", tag]));
        words.extend(self.plan.iter().map(String::as_str));
        let said = self.ceremony.done(&words);
        let tag =
            said.split(" tag ").nth(1).and_then(|rest| rest.split(',').next()).expect("a tag").to_owned();
        self.tags.push(tag);
        let bundle = self.ceremony.bundle(&out);
        let dnskey = self.ceremony.done(&["conclave-dealer", "dnskey", &bundle]);
        (bundle, dnskey)
    }

    /// An operator brings a bundle to his replica.
    pub fn import(&self, index: u16, bundle: &str) {
        self.ceremony.done(&["conclave", "ctl", "import", bundle, "--socket", &self.ceremony.socket(index)]);
    }

    /// All bring it; its name, once all receipts are there.
    pub fn import_everywhere(&self, bundle: &str) -> String {
        self.members.iter().for_each(|index| self.import(*index, bundle));
        self.complete(4)
    }

    /// The name of the last bundle, once it has so many receipts.
    pub fn complete(&self, receipts: u64) -> String {
        let tag = self.tags.last().and_then(|tag| tag.parse::<u64>().ok());
        wait_for("receipts", || {
            let zone = self.keys();
            let bundle = zone["bundles"].as_array()?.iter().find(|bundle| bundle["tag"].as_u64() == tag)?;
            (bundle["receipts"] == receipts).then(|| bundle["name"].as_str().map(str::to_owned))?
        })
    }

    /// The zone's keys as replica 1 tells them.
    pub fn keys(&self) -> Value {
        let said =
            self.ceremony.done(&["conclave", "ctl", "keys", "--json", "--socket", &self.ceremony.socket(1)]);
        serde_json::from_str::<Value>(&said).unwrap()["keys"][0].clone()
    }

    /// The same for people.
    pub fn shown(&self) -> String {
        self.ceremony.done(&["conclave", "ctl", "keys", "--socket", &self.ceremony.socket(1)])
    }

    /// A quorum of operators votes; what became of it.
    pub fn vote(&self, command: &str) -> String {
        let words: Vec<&str> = command.split(' ').collect();
        let said = VOTERS.map(|index| {
            let socket = self.ceremony.socket(index);
            let vote =
                [&["conclave", "ctl", "vote", "keys", ORIGIN], &words[..], &["--socket", &socket]].concat();
            self.ceremony.done(&vote)
        });
        said[2].clone()
    }

    #[track_caller]
    pub fn done(&self, command: &str) {
        let said = self.vote(command);
        assert!(said.ends_with(": done\n"), "{said}{}", self.shown());
    }

    /// Waits until the next step is safe, as `ctl keys` says, and votes for it; then everybody judges.
    #[track_caller]
    pub fn step(&mut self, step: &str) {
        let command = wait_for(&format!("`{step}` is safe; {}", self.shown()), || {
            let roll = self.keys()["rollover"].clone();
            let next = roll["next"].as_str()?.replace("TTL", DS_TTL);
            let (_, command) = next.split_once(ORIGIN)?;
            assert!(command.trim().starts_with(step), "next is `{next}`, not `{step}`");
            (roll["safe_from"].as_u64()? <= now()).then(|| command.trim().to_owned())
        });
        wait_for(&format!("`{command}` is done"), || {
            let said = self.vote(&command);
            // Agreed time may be a little behind this machine's.
            assert!(said.ends_with(": done\n") || said.contains("not safe before"), "{said}{}", self.shown());
            said.ends_with(": done\n").then_some(())
        });
        self.judge();
    }

    /// The parent looks at CDS and CDNSKEY, as RFC 7344 and 8078 say, and takes its DS records from them.
    #[track_caller]
    pub fn parent_follows(&mut self, wanted: &[&str]) {
        let port = self.ceremony.port(1).to_string();
        let ask = |rtype| {
            let dig = ["@127.0.0.1", "-p", &port, "+dnssec", "+noall", "+answer", ORIGIN, rtype];
            stdout(&run("dig", &dig))
        };
        let (dnskey, cds, cdnskey) = (ask("DNSKEY"), ask("CDS"), ask("CDNSKEY"));
        let mut published: Vec<&str> =
            cdnskey.lines().filter_map(|line| line.split("CDNSKEY\t").nth(1)).collect();
        published.retain(|line| line.starts_with("257 3 "));
        let mut wanted: Vec<String> = wanted.iter().map(|record| key_material(record)).collect();
        let mut published: Vec<String> = published.iter().map(|line| key_material(line)).collect();
        wanted.sort();
        published.sort();
        assert_eq!(published, wanted, "{cdnskey}");
        let (child, dsset) = (self.ceremony.path("child"), self.ceremony.path("dsset"));
        fs::write(&child, dnskey + &cds + &cdnskey).unwrap();
        fs::write(&dsset, &self.parent).unwrap();
        let (child, dsset) = (child.display().to_string(), dsset.display().to_string());
        let said = run("dnssec-cds", &["-f", &child, "-d", &dsset, "-s", "-86400", ORIGIN]);
        assert!(said.status.success(), "{}{}", all_output(&said), fs::read_to_string(&child).unwrap());
        self.parent = stdout(&said);
        assert_eq!(self.parent.lines().count(), wanted.len(), "{}", self.parent);
        self.judge();
    }

    /// An update goes on, all replicas agree on the zone, and every judge finds it right.
    #[track_caller]
    pub fn judge(&mut self) {
        self.updates += 1;
        let name = format!("n{}.{ORIGIN}", self.updates);
        let via = self.members[usize::from(self.updates) % self.members.len()];
        let said = self.update(via, &format!("update add {name} 1 A 192.0.2.7"));
        assert!(said.is_empty(), "update at replica {via}: {said}{}", self.ceremony.log(via));
        let zone = wait_for("all export the same zone with the update", || {
            let zones: Vec<String> = self.members.iter().map(|index| self.export(*index)).collect();
            let is_there = zones[0].contains(&format!("{name}\t"));
            (is_there && zones.iter().all(|zone| *zone == zones[0])).then(|| zones[0].clone())
        });
        let file = self.ceremony.path("exported.zone");
        fs::write(&file, &zone).unwrap();
        let file = file.display().to_string();
        for verifier in [&["dnssec-verify", "-o", ORIGIN, &file][..], &["ldns-verify-zone", &file]] {
            let judged = run(verifier[0], &verifier[1..]);
            assert!(judged.status.success(), "{verifier:?}: {}\n{zone}", all_output(&judged));
        }
        self.validates(via, &name);
    }

    /// A validator that has nothing but the parent's DS records.
    #[track_caller]
    fn validates(&self, index: u16, name: &str) {
        let anchors = self.ceremony.path("anchors.conf");
        let mut text = String::from("trust-anchors {\n");
        for record in self.parent.lines() {
            let words: Vec<&str> = record.split("DS").nth(1).unwrap_or_default().split_whitespace().collect();
            let [tag, algorithm, kind, digest @ ..] = words.as_slice() else { panic!("{record}") };
            text += &format!("{ORIGIN} static-ds {tag} {algorithm} {kind} \"{}\";\n", digest.concat());
        }
        fs::write(&anchors, text + "};\n").unwrap();
        let (anchors, port) = (anchors.display().to_string(), self.ceremony.port(index).to_string());
        for (name, rtype) in
            [(name, "A"), (ORIGIN, "DNSKEY"), ("no.example.test.", "A"), ("a.w.example.test.", "TXT")]
        {
            let root = format!("+root={ORIGIN}");
            let judged = run("delv", &["@127.0.0.1", "-p", &port, "-a", &anchors, &root, name, rtype]);
            let said = all_output(&judged);
            assert!(
                said.contains("fully validated"),
                "{name} {rtype}: {said}\n{}\n{}",
                self.parent,
                self.shown()
            );
        }
    }

    /// The stock nsupdate; what it says.
    pub fn update(&self, index: u16, changes: &str) -> String {
        let mut child = Command::new("nsupdate")
            .args(["-v", "-t", "120", "-k"])
            .arg(self.ceremony.path("ops.key"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let port = self.ceremony.port(index);
        let text = format!("server 127.0.0.1 {port}\nzone {ORIGIN}\n{changes}\nsend\n");
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        tools::all_output(&child.wait_with_output().unwrap())
    }

    fn export(&self, index: u16) -> String {
        let socket = self.ceremony.socket(index);
        self.ceremony.done(&["conclave", "ctl", "export", ORIGIN, "--socket", &socket])
    }
}

/// Algorithm and key of a DNSKEY or CDNSKEY record.
fn key_material(record: &str) -> String {
    let words: Vec<&str> = record.split_whitespace().collect();
    let at = words.windows(2).position(|pair| pair == ["257", "3"]).expect("a KSK");
    format!("{} {}", words[at + 2], words[at + 3..].concat())
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
