//! A client that is the stock nsupdate: several updates with each process, by TSIG or SIG(0), at any replica.
//!
//! nsupdate tells by its exit code that all of them were answered well. If not, the same script goes to another replica: it
//! says what shall be, so that doing it twice is doing it once. But the first try may still be on its way when the second
//! has succeeded; so names of a script that was tried twice are not touched again.

use crate::ledger::Ledger;
use crate::site::{ORIGIN, Site};
use crate::tools::{DEADLINE, all_output};
use crate::wire;
use conclave::sim::Chance;
use std::io::Write;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

/// Updates of one process.
const SCRIPT: usize = 4;
/// Names that are touched again and again.
const NAMES: usize = 6;

/// One client.
pub struct Stock<'a> {
    site: &'a Site,
    ledger: &'a Ledger,
    index: usize,
    chance: Chance,
    made: usize,
    /// Names whose updates were all answered at the first try.
    names: Vec<String>,
}

impl<'a> Stock<'a> {
    /// The client of this index and seed.
    pub fn new(site: &'a Site, ledger: &'a Ledger, index: usize, seed: u64) -> Self {
        Self { site, ledger, index, chance: Chance::new(seed), made: 0, names: Vec::new() }
    }

    /// Runs one script after the other until it is told to end.
    pub fn run(mut self) {
        while !self.ledger.is_over() {
            if let Err(why) = self.script() {
                self.ledger.problem(format!("stock client {}: {why}", self.index));
            }
        }
    }

    fn script(&mut self) -> Result<(), String> {
        let mut script = String::new();
        let mut operations = Vec::new();
        for _ in 0..SCRIPT {
            let name = self.name();
            let leaves = !self.chance.one_in(4);
            let number = self.ledger.issue(&name, |_| leaves);
            script += &format!("prereq yxrrset {ORIGIN} SOA\nupdate delete {name} TXT\n");
            if leaves {
                script += &format!("update add {name} 60 TXT \"{number}\"\n");
            }
            script += "send\n";
            operations.push((name, number));
        }
        let began = Instant::now();
        for tries in 1.. {
            let i = self.chance.range(1, u64::from(self.site.n)) as u8;
            let output = self.nsupdate(i, &script);
            if self.ledger.read(|state| !state.problems.is_empty()) {
                return Ok(());
            }
            if output.status.success() {
                self.answered(i, tries, operations)?;
                return Ok(());
            }
            self.ledger.failed();
            let said = all_output(&output);
            let refused =
                ["REFUSED", "NOTAUTH", "FORMERR", "NXRRSET", "YXDOMAIN", "BADSIG", "BADTIME", "BADKEY"];
            if let Some(word) = refused.iter().find(|word| said.contains(*word)) {
                return Err(format!("{word} from replica {i}: {said}\n{script}"));
            }
            if began.elapsed() > DEADLINE {
                return Err(format!("is never answered: {said}"));
            }
        }
        Ok(())
    }

    /// One that is not in the script yet.
    fn name(&mut self) -> String {
        if self.names.len() >= NAMES {
            return self.names.remove(0);
        }
        self.made += 1;
        format!("s{}-{}.{ORIGIN}", self.index, self.made)
    }

    fn answered(&mut self, i: u8, tries: usize, operations: Vec<(String, usize)>) -> Result<(), String> {
        for (name, number) in operations {
            self.ledger.answered(i, &name, number);
            let mark = self.ledger.mark(i, &name);
            match wire::look(self.site.network.dns(i), &name) {
                Some(Ok(seen)) => self.ledger.saw(i, &name, mark, seen),
                Some(Err(why)) => return Err(format!("{name} at replica {i}: {why}")),
                None => {}
            }
            if tries == 1 {
                self.names.push(name);
            }
        }
        Ok(())
    }

    fn nsupdate(&mut self, i: u8, script: &str) -> Output {
        let key = if self.chance.one_in(2) { self.site.sig0_file() } else { self.site.tsig_file() };
        let server = self.site.network.dns(i);
        // This thread lives where the clients do, and so does what it starts.
        let mut command = std::process::Command::new("nsupdate");
        if self.chance.one_in(2) {
            command.args(["-v", "-t", "5"]);
        } else {
            command.args(["-t", "5", "-u", "2", "-r", "1"]);
        }
        let mut child = command
            .arg("-k")
            .arg(key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("nsupdate starts");
        let text = format!("server {} {}\nzone {ORIGIN}\n{script}", server.ip(), server.port());
        // One that has given up reads no more.
        let _ = child.stdin.take().expect("a pipe").write_all(text.as_bytes());
        let output = child.wait_with_output().expect("nsupdate ends");
        if !output.status.success() {
            std::thread::sleep(Duration::from_millis(50));
        }
        output
    }
}
