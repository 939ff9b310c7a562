//! Policies beside BIND's: random rules of the vocabulary that both know, random updates by random keys; each verdict and, in the end,
//! all records are the same. Where not, and why: `tests/differences.md`.
//!
//! `CONCLAVE_SEED` runs one seed again, as printed by a failure.

use super::*;
use crate::dns::tsig::{self, Keyring, TsigAlgorithm, TsigKey};
use crate::dns::{Rcode, rdata};
use crate::zone::differential::{Random, seeds};
use crate::zone::update::CLUSTER_TYPES;
use crate::zone::{Machine, Refusal, Request};
use data_encoding::BASE64;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

const ZONES: usize = 24;
const UPDATES: usize = 60;
/// Times that BIND is asked whether it has begun; each takes a second, or what it takes a machine to find nobody at the port.
const TRIES: u32 = 20_000;

/// One zone with its policy, and what is asked of it.
struct Case {
    origin: String,
    policy: Vec<String>,
    /// The key and the lines of nsupdate, for each message.
    updates: Vec<(String, Vec<String>)>,
}

const OWNERS: [&str; 9] = ["", "a.", "b.", "a.a.", "x.a.", "k1.", "y.k1.", "k2.a.", "*.b."];
const KEYS: [&str; 3] = ["k1.", "k2.a.", "far."];
const TYPES: [&str; 4] = ["A", "TXT", "MX", "NS"];

fn key_name(key: &str, origin: &str) -> String {
    if key == "far." { "far.test.".into() } else { format!("{key}{origin}") }
}

fn rule(random: &mut Random, origin: &str) -> String {
    let verb = *random.pick(&["grant", "grant", "grant", "deny"]);
    let key = match random.below(6) {
        0 => "*".to_owned(),
        1 => format!("*.{origin}"),
        _ => key_name(random.pick::<&str>(&KEYS), origin),
    };
    let own = &key;
    let name = |random: &mut Random| format!("{}{origin}", random.pick(&["", "a.", "b.", "x.a.", "k1."]));
    let scope = match random.below(7) {
        0 => format!("name {}", name(random)),
        1 => format!("subdomain {}", name(random)),
        2 => format!("wildcard *.{}", name(random)),
        3 => format!("self {own}"),
        4 => format!("selfsub {own}"),
        5 => format!("selfwild {own}"),
        _ => "zonesub".to_owned(),
    };
    let types = match random.below(4) {
        0 => String::new(),
        1 => " ANY".into(),
        _ => (0..=random.below(2)).fold(String::new(), |all, _| format!("{all} {}", random.pick(&TYPES))),
    };
    format!("{verb} {key} {scope}{types}")
}

fn line(random: &mut Random, origin: &str) -> String {
    let owner = format!("{}{origin}", random.pick(&OWNERS));
    // BIND silently adds no NS at a wildcard (RFC 4592 §4.2 leaves it open).
    let types = if owner.starts_with('*') { &TYPES[..3] } else { &TYPES[..] };
    let rtype = *random.pick(types);
    let data = match rtype {
        "A" => format!("192.0.2.{}", random.below(3)),
        "TXT" => random.pick(&["one", "two"]).to_string(),
        "MX" => format!("{} mail.test.", random.below(2)),
        _ => random.pick(&["ns1.test.", "ns2.test."]).to_string(),
    };
    match random.below(6) {
        // At the apex, where BIND asks about what stays too, it is not compared.
        0 => format!("del {}{origin}", random.pick(&OWNERS[1..])),
        1 => format!("del {owner} {rtype}"),
        2 => format!("del {owner} {rtype} {data}"),
        _ => format!("add {owner} 60 {rtype} {data}"),
    }
}

fn case(random: &mut Random, index: usize) -> Case {
    let origin = format!("p{index}.test.");
    let policy = (0..1 + random.below(5)).map(|_| rule(random, &origin)).collect();
    let updates = (0..UPDATES).map(|_| {
        let mut lines: Vec<String> = (0..1 + random.below(2)).map(|_| line(random, &origin)).collect();
        // Where BIND lets a key delete nothing and we do not, what stands beside it must not differ.
        if let Some(whole) = lines.iter().position(|line| line.split(' ').count() == 2) {
            lines = vec![lines.swap_remove(whole)];
        }
        (key_name(random.pick::<&str>(&KEYS), &origin), lines)
    });
    Case { policy, updates: updates.collect(), origin }
}

fn zone_text(origin: &str) -> String {
    format!(
        "{origin} 60 SOA ns1.test. admin.test. 1 3600 600 86400 60\n{origin} 60 NS ns1.test.\n\
         {origin} 60 NS ns0.test.\na.{origin} 60 A 192.0.2.9\na.{origin} 60 TXT one\nk1.{origin} 60 MX 1 mail.test.\n"
    )
}

fn secret() -> Vec<u8> {
    vec![5; 32]
}

/// Each update's rcode, whether only we look at who deletes nothing, and the records in the end.
fn ours(case: &Case) -> (Vec<(Rcode, bool)>, BTreeSet<String>) {
    let mut bench = Bench::unstarted(
        &case.origin,
        &zone_text(&case.origin),
        &case.policy.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let mut keys = Keyring::default();
    let key = |text: &str| TsigKey::new(name(text), TsigAlgorithm::HmacSha256, secret());
    for (held, _) in &case.updates {
        keys.tsig.insert(name(held), key(held));
    }
    bench.genesis.keys = Arc::new(keys);
    bench.machine = Machine::new(bench.genesis.clone()).unwrap();
    let _ = bench.execute(&[Request::Genesis { zone: name(&case.origin) }]);
    let verdicts = (0..).zip(&case.updates).map(|(id, (by, lines))| {
        let (prerequisites, updates) = script(&lines.join("\n"));
        let mut wire = message(id, &bench.origin, &prerequisites, &updates);
        tsig::sign_request(&mut wire, &key(by), bench.now.secs() + 1);
        let outcome = bench.execute(&[Request::Update { wire }]).outcomes.remove(0);
        let refusal = outcome.account.and_then(|account| account.refusal);
        let is_nothing = matches!(refusal.as_deref(), Some(Refusal::Policy { rtype: RrType::ANY, .. }))
            || matches!(refusal.as_deref(), Some(Refusal::UnknownToPolicy { .. }));
        (outcome.rcode, is_nothing)
    });
    let verdicts = verdicts.collect();
    let mut records = BTreeSet::new();
    for node in bench.machine.head(&bench.origin).iter() {
        let kept = node.data().filter(|(rtype, _)| *rtype != RrType::SOA && !CLUSTER_TYPES.contains(rtype));
        for (rtype, set) in kept {
            let text = |data| format!("{} {rtype} {}", node.name(), rdata::to_text(rtype, data));
            records.extend(set.rrset.iter().map(text));
        }
    }
    (verdicts, records)
}

struct Named(Child);

impl Drop for Named {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(dir: &Path, port: u16, cases: &[Case]) -> Named {
    let shown = dir.display();
    let mut config = format!(
        "options {{ directory \"{shown}\"; pid-file none; session-keyfile \"{shown}/session\"; listen-on port {port} {{ 127.0.0.1; }}; \
         listen-on-v6 {{ none; }}; recursion no; allow-transfer {{ any; }}; notify no; check-names primary ignore; }};\ncontrols {{ }};\n"
    );
    let names: BTreeSet<&String> =
        cases.iter().flat_map(|case| case.updates.iter().map(|(key, _)| key)).collect();
    // Keys that only a policy names must exist as well.
    for key in names {
        let _ = writeln!(
            config,
            "key \"{key}\" {{ algorithm hmac-sha256; secret \"{}\"; }};",
            BASE64.encode(&secret())
        );
    }
    for case in cases {
        std::fs::write(dir.join(&case.origin), zone_text(&case.origin)).unwrap();
        let policy = case.policy.join("; ");
        let _ = writeln!(
            config,
            "zone \"{0}\" {{ type primary; file \"{0}\"; update-policy {{ {policy}; }}; }};",
            case.origin
        );
    }
    let path = dir.join("named.conf");
    std::fs::write(&path, config).unwrap();
    let log = std::fs::File::create(dir.join("log")).unwrap();
    let mut command = Command::new("/usr/sbin/named");
    command.args(["-g", "-n", "1", "-c"]).arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    Named(command.spawn().unwrap())
}

fn output(program: &str, args: &[&str], input: &str) -> String {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned()
}

fn bind(case: &Case, port: &str) -> (Vec<String>, BTreeSet<String>) {
    let mut script = format!("server 127.0.0.1 {port}\nzone {}\n", case.origin);
    for (key, lines) in &case.updates {
        let _ = writeln!(script, "key hmac-sha256:{key} {}", BASE64.encode(&secret()));
        script.extend(lines.iter().map(|line| format!("update {line}\n")));
        script.push_str("send\nanswer\n");
    }
    let said = output("nsupdate", &["-t", "240"], &script);
    let verdicts = said.split("status: ").skip(1).map(|rest| rest.split(',').next().unwrap().to_owned());
    let records = output("dig", &["@127.0.0.1", "-p", port, &case.origin, "AXFR", "+noall", "+answer"], "");
    let record = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (words.len() > 4 && words[3] != "SOA")
            .then(|| format!("{} {} {}", words[0], words[3], words[4..].join(" ")))
    };
    (verdicts.collect(), records.lines().filter_map(record).collect())
}

/// RFC 2136 §3.3.1: what a policy lets a key do it lets it do in BIND.
#[test]
fn verdicts_and_records_are_those_of_bind_under_random_policies() {
    if !Path::new("/usr/sbin/named").exists() || !Path::new("/usr/bin/nsupdate").exists() {
        eprintln!("skipped: named or nsupdate is not installed; run tests/run packages");
        return;
    }
    for seed in seeds(1..3) {
        let mut random = Random(seed);
        let cases: Vec<Case> = (0..ZONES).map(|index| case(&mut random, index)).collect();
        let dir = tempfile::tempdir().unwrap();
        let port = 32_000 + (std::process::id() % 500) as u16;
        let _named = start(dir.path(), port, &cases);
        let port = port.to_string();
        let last = &cases[ZONES - 1].origin;
        let ask = ["@127.0.0.1", "-p", &port, "+short", "+time=1", "+tries=1", "+retry=0", last, "SOA"];
        let answers = |_: &u32| output("dig", &ask, "").starts_with("ns1.test.");
        let log = || std::fs::read_to_string(dir.path().join("log")).unwrap_or_default();
        assert!((0..TRIES).any(|tries| answers(&tries)), "seed {seed}: named does not answer: {}", log());
        let (mut refused, mut done) = (0, 0);
        for case in &cases {
            let ((mine, my_records), (theirs, their_records)) = (ours(case), bind(case, &port));
            assert_eq!(mine.len(), theirs.len(), "seed {seed} {}", case.origin);
            for (((rcode, is_nothing), their), update) in mine.iter().zip(&theirs).zip(&case.updates) {
                let explained = *is_nothing && their == "NOERROR";
                assert!(
                    rcode.to_string() == *their || explained,
                    "seed {seed}: {update:?} under {:#?}: {rcode}, in BIND {their}",
                    case.policy
                );
                *(if *rcode == Rcode::NOERROR { &mut done } else { &mut refused }) += 1;
            }
            assert_eq!(my_records, their_records, "seed {seed}: {} {:#?}", case.origin, case.policy);
        }
        assert!(refused > 100 && done > 100, "seed {seed}: {refused} refused, {done} done");
    }
}
