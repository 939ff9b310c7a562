//! The programs' arguments, exit codes and messages: 0 done, 1 failed with one line that says what and what to do,
//! 2 wrong usage. What a running cluster does is in `tests/cluster`.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use tempfile::TempDir;

const ZONE: &str = "$TTL 60\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\n";

fn conclave(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_conclave")).args(arguments).output().unwrap()
}

fn dealer(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_conclave-dealer")).args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}{}", out(output), err(output));
    out(output)
}

/// Ended with `code`, and the last line on stderr has all of `words`.
#[track_caller]
fn failed(output: &Output, code: i32, words: &[&str]) {
    let text = err(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for word in words {
        assert!(text.contains(word), "expected `{word}`: {text}");
    }
    assert!(!text.contains("panicked"), "{text}");
    if code == 1 {
        assert!(text.lines().last().is_some_and(|line| line.starts_with("error: ")), "{text}");
    }
}

/// A directory with a zone file and a cluster of four dealt from it, the same for all tests: they change copies.
fn dealt() -> TempDir {
    static DEALT: OnceLock<TempDir> = OnceLock::new();
    let original = DEALT.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let zone = dir.path().join("example.zone");
        fs::write(&zone, ZONE).unwrap();
        let zone = format!("example.test={}", zone.display());
        let cluster = dir.path().join("c").display().to_string();
        let said = done(&dealer(&[
            "init",
            "--zone",
            &zone,
            "--replicas",
            "4",
            "--out",
            &cluster,
            "--bits",
            "1024",
            "--tsig",
            "ops",
            "--sig0",
            "admin.example.test",
            "--policy",
            "grant ops zonesub ANY",
            "--policy",
            "example.test=grant admin.example.test self TXT",
        ]));
        assert!(said.starts_with("cluster "), "{said}");
        dir
    });
    let copy = tempfile::tempdir().unwrap();
    let status =
        Command::new("cp").arg("-a").arg(original.path().join("c")).arg(copy.path()).status().unwrap();
    assert!(status.success());
    copy
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn wrong_usage_is_exit_2_and_says_how() {
    failed(&conclave(&[]), 2, &["Usage"]);
    failed(&conclave(&["serve"]), 2, &["serve"]);
    failed(&conclave(&["replica"]), 2, &["--config"]);
    failed(&conclave(&["demo", "--replicas", "2"]), 2, &["tolerate no fault", "take 4, or 1"]);
    failed(&conclave(&["demo", "--replicas", "3"]), 2, &["tolerate no fault"]);
    failed(&conclave(&["demo", "--replicas", "99"]), 2, &["expected 1, or 4 to 32"]);
    failed(&conclave(&["demo", "--zone", "example.test"]), 2, &["ORIGIN=FILE"]);
    failed(&conclave(&["demo", "--dns-port", "65500"]), 2, &["65500"]);
    failed(&conclave(&["demo", "--signing", "best"]), 2, &["best", "basic, optproof, optte"]);
    failed(&dealer(&["init"]), 2, &["--zone", "--out"]);
    failed(&dealer(&["init", "--zone", "a..b=f", "--replicas", "4", "--out", "x"]), 2, &["a..b"]);
}

#[test]
fn one_simulated_run_is_told_and_drawn_and_a_planted_bug_is_exit_1() {
    let dir = tempfile::tempdir().unwrap();
    let svg = text(&dir.path().join("dag.svg"));
    let run = ["sim", "--seed", "7", "--n", "4", "--adversary", "none", "--operations", "2", "--svg", &svg];
    let said = done(&conclave(&run));
    assert!(said.starts_with("conclave sim --seed 7 --n 4 --scheduler "), "{said}");
    for what in
        ["  start", "  vertex   r1@1:", "  coin     round 1: r", "  slots    round 1: r", "all promises kept"]
    {
        assert!(said.contains(what), "no `{what}` in {said}");
    }
    assert!(fs::read_to_string(&svg).unwrap().starts_with("<svg "));
    assert_eq!(said, done(&conclave(&run)), "one seed is one run");
    let plant =
        ["sim", "--seeds", "1500..1510", "--n", "4", "--adversary", "none", "--crashes", "one-by-one"];
    let found = conclave(&[&plant[..], &["--plant", "forget-log"]].concat());
    failed(&found, 1, &["accusation", "see it again: conclave sim --seed 15", "--plant forget-log"]);
}

#[test]
fn many_simulated_runs_say_what_they_have_exercised() {
    let said = done(&conclave(&["sim", "--seeds", "0..4", "--n", "4", "--jobs", "2"]));
    for what in ["committed by certificates", "<- never", "4 runs in", "a second", "0 failed"] {
        assert!(said.contains(what), "no `{what}` in {said}");
    }
    failed(&conclave(&["sim"]), 2, &["--seed"]);
    failed(&conclave(&["sim", "--seed", "1", "--seeds", "1..2"]), 2, &["cannot be used with"]);
    failed(&conclave(&["sim", "--seeds", "5..5"]), 2, &["A..B"]);
    failed(&conclave(&["sim", "--seed", "1", "--adversary", "nobody"]), 2, &["equivocate"]);
    failed(&conclave(&["sim", "--seed", "1", "--n", "33"]), 2, &["33"]);
}

#[test]
fn help_and_version_and_completions_go_to_stdout() {
    assert!(done(&conclave(&["--help"])).contains("Exit codes: 0 done, 1 failed, 2 wrong usage."));
    assert!(done(&conclave(&["demo", "--help"])).contains("Example:"));
    assert!(done(&conclave(&["sim", "--help"])).contains("Examples:"));
    assert!(done(&conclave(&["--version"])).starts_with("conclave "));
    assert!(done(&dealer(&["init", "--help"])).contains("Examples:"));
    assert!(done(&dealer(&["keys", "--help"])).contains("Examples:"));
    for command in ["plan", "redeal", "reseal", "inspect"] {
        assert!(done(&dealer(&[command, "--help"])).contains("Example:"), "{command}");
    }
    for command in ["keygen", "import", "operator-key"] {
        assert!(done(&conclave(&[command, "--help"])).contains("Example:"), "{command}");
    }
    for command in ["add", "remove", "replace", "policy", "freeze", "thaw", "denial"] {
        let help = done(&conclave(&["ctl", "zone", command, "--help"]));
        assert!(help.contains("Example") && help.contains("--operator"), "{command}");
    }
    assert!(done(&conclave(&["ctl", "catalog", "--help"])).contains("Examples:"));
    assert!(done(&dealer(&["completions", "bash"])).contains("conclave-dealer"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(done(&conclave(&["completions", shell])).contains("conclave"), "{shell}");
    }
}

#[test]
fn an_operators_key_is_its_owners_alone_and_no_output_shows_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("alice.key").display().to_string();
    let make = ["operator-key", "--name", "alice", "--out", &file];
    let table = done(&conclave(&make));
    assert!(table.starts_with("[[operator]]\nname = \"alice\"\nkey = \""), "{table}");
    failed(&conclave(&make), 1, &["alice.key", "exists"]);
    failed(
        &conclave(&["operator-key", "--name", "a b", "--out", "/nonexistent"]),
        1,
        &["no name of an operator"],
    );
    let text = fs::read_to_string(&file).unwrap();
    let secret = text.lines().last().unwrap().split_whitespace().last().unwrap();
    let facts = done(&dealer(&["inspect", &file]));
    assert!(facts.contains(&table) && !facts.contains(secret) && !table.contains(secret), "{facts}");
    let freeze = ["ctl", "zone", "freeze", "example.test", "--operator"];
    failed(
        &conclave(&[&freeze[..], &["/nonexistent", "--socket", "/nonexistent"]].concat()),
        1,
        &["/nonexistent"],
    );
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    failed(&dealer(&["inspect", &file]), 1, &["alice.key", "open to others"]);
    failed(&conclave(&[&freeze[..], &[&file, "--socket", "/nonexistent"]].concat()), 1, &["open to others"]);
}

#[test]
fn a_deal_verifies_and_its_facts_are_shown_without_secrets() {
    let dir = dealt();
    let cluster = dir.path().join("c");
    let said = done(&dealer(&["verify", &text(&cluster)]));
    assert!(said.contains("KSK: any 3 of 4 sign"), "{said}");
    let ds = done(&dealer(&["ds", &text(&cluster)]));
    assert_eq!(ds.lines().count(), 2);
    assert!(ds.starts_with("example.test. IN DS "), "{ds}");
    assert_eq!(ds, fs::read_to_string(cluster.join("anchors/example.test.ds")).unwrap());
    failed(&dealer(&["ds", &text(&cluster), "--zone", "other.test"]), 1, &["does not serve this zone"]);
    let facts = done(&dealer(&["inspect", &text(&cluster.join("cluster.toml"))]));
    assert!(
        facts.contains("replicas 4, of which 1 may be corrupt")
            && facts.contains("signing  by optte")
            && facts.contains("grant ops zonesub ANY"),
        "{facts}"
    );
    let facts = done(&dealer(&["inspect", &text(&cluster.join("replica-2/identity.key"))]));
    assert!(facts.starts_with("identity key of replica 2"), "{facts}");
}

#[test]
fn the_signing_protocol_is_said_at_the_deal_and_is_part_of_the_cluster() {
    let dir = tempfile::tempdir().unwrap();
    let (zone, cluster) = (dir.path().join("example.zone"), dir.path().join("c"));
    fs::write(&zone, ZONE).unwrap();
    let zone = format!("example.test={}", zone.display());
    let out = text(&cluster);
    let init = ["init", "--zone", &zone, "--replicas", "1", "--bits", "1024", "--signing", "basic"];
    done(&dealer(&[&init[..], &["--out", &out]].concat()));
    assert!(done(&dealer(&["verify", &out])).contains("signing by basic"));
    let (file, config) = (cluster.join("replica-1/cluster.toml"), cluster.join("replica-1/replica.toml"));
    assert!(done(&dealer(&["inspect", &text(&file)])).contains("signing  by basic"));
    assert!(done(&conclave(&["check", "--config", &text(&config)])).contains("signing by basic"));
    // Another protocol is another cluster, and its shares are not these.
    let other = fs::read_to_string(&file).unwrap().replace("signing = \"basic\"", "signing = \"optte\"");
    fs::write(&file, other).unwrap();
    failed(&conclave(&["check", "--config", &text(&config)]), 1, &["cluster"]);
}

#[test]
fn a_deal_that_cannot_be_is_one_line() {
    let dir = dealt();
    let (cluster, zone) = (text(&dir.path().join("c")), dir.path().join("bad.zone"));
    fs::write(&zone, "$TTL 60\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nwww A 192.0.2.256\n")
        .unwrap();
    let bad = format!("example.test={}", zone.display());
    let new = text(&dir.path().join("new"));
    failed(&dealer(&["init", "--zone", &bad, "--replicas", "4", "--out", &new]), 1, &["bad.zone:4: "]);
    fs::write(&zone, ZONE).unwrap();
    let init = |more: &[&str]| {
        dealer(&[&["init", "--zone", &bad, "--replicas", "4", "--bits", "1024"], more].concat())
    };
    failed(&init(&["--out", &cluster]), 1, &["exists already and is not overwritten"]);
    failed(&init(&["--out", "/proc/nowhere/c"]), 1, &["/proc/nowhere", "cannot be made"]);
    failed(&init(&["--out", &new, "--policy", "grant ops sometimes"]), 1, &["sometimes"]);
    failed(&init(&["--out", &new, "--dns", "127.0.0.1:53"]), 1, &["--dns is said 1 times for 4 replicas"]);
    let missing = "example.test=/nonexistent/file";
    failed(
        &dealer(&["init", "--zone", missing, "--replicas", "4", "--out", &new]),
        1,
        &["/nonexistent/file"],
    );
    assert!(!Path::new(&new).exists());
}

#[test]
fn check_tells_all_that_is_wrong_with_the_line() {
    let dir = dealt();
    let replica = dir.path().join("c/replica-1");
    let config = replica.join("replica.toml");
    assert!(
        done(&conclave(&["check", "--config", &text(&config)]))
            .contains("in order: replica 1 of 4, signing by optte")
    );
    let good = fs::read_to_string(&config).unwrap();
    fs::write(&config, good.replace("version = 1", "version = 1\nspeed = 9")).unwrap();
    failed(&conclave(&["check", "--config", &text(&config)]), 1, &["replica.toml:4: ", "speed"]);
    fs::write(&config, good).unwrap();
    fs::remove_file(replica.join("coin.share")).unwrap();
    fs::write(replica.join("identity.key"), "CONCLAVE").unwrap();
    let output = conclave(&["check", "--config", &text(&config)]);
    failed(&output, 1, &["coin.share: cannot be read", "identity.key: is cut short"]);
    // A replica says the same and does not start.
    failed(&conclave(&["replica", "--config", &text(&config)]), 1, &["identity.key: is cut short"]);
    failed(
        &conclave(&["replica", "--config", "/nonexistent.toml"]),
        1,
        &["/nonexistent.toml: cannot be read"],
    );
}

#[test]
fn ctl_says_where_it_looked() {
    let dir = dealt();
    failed(
        &conclave(&["ctl", "status", "--dir", "/nonexistent"]),
        1,
        &["/nonexistent: holds no replica", "--dir"],
    );
    let cluster = text(&dir.path().join("c"));
    failed(&conclave(&["ctl", "status", "--dir", &cluster, "--replica", "7"]), 1, &["holds no replica 7"]);
    failed(
        &conclave(&["ctl", "status", "--dir", &cluster]),
        1,
        &["replica-1/admin.sock: no replica answers here"],
    );
    failed(&conclave(&["ctl", "export", "example.test", "--socket", "/nonexistent"]), 1, &["/nonexistent"]);
    failed(&conclave(&["ctl", "export", "a..b", "--dir", &cluster]), 1, &["not a domain name"]);
}

#[test]
fn a_demo_that_cannot_start_is_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().port();
    let base = (taken - 1).to_string();
    let demo = |more: &[&str]| conclave(&[&["demo", "--bits", "1024", "--replicas", "1"], more].concat());
    let new = text(&dir.path().join("d"));
    failed(
        &demo(&["--dir", &new, "--dns-port", &base]),
        1,
        &[&taken.to_string(), "in use", "choose another --dns-port"],
    );
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    failed(&demo(&["--dir", &text(&file), "--dns-port", "36000"]), 1, &["exists already"]);
    failed(&demo(&["--dir", "/proc/nowhere", "--dns-port", "36000"]), 1, &["/proc"]);
    failed(&demo(&["--zone", "example.test=/nonexistent", "--dir", &new]), 1, &["/nonexistent"]);
    assert!(!Path::new(&new).exists());
}

#[test]
fn a_demo_on_a_directory_of_another_kind_is_refused_with_the_difference() {
    let dir = dealt();
    let cluster = text(&dir.path().join("c"));
    failed(&conclave(&["demo", "--dir", &cluster, "--replicas", "7"]), 1, &["the demo here has 4 replicas"]);
    failed(
        &conclave(&["demo", "--dir", &cluster, "--zone", "other.test=/x"]),
        1,
        &["the demo here serves example.test."],
    );
    failed(
        &conclave(&["demo", "--dir", &cluster, "--dns-port", "6300"]),
        1,
        &["answers on another port than 6301"],
    );
    let deep: PathBuf = dir.path().join("x".repeat(150));
    fs::rename(dir.path().join("c"), &deep).unwrap();
    failed(&conclave(&["demo", "--dir", &text(&deep)]), 1, &["admin socket's path has 108 bytes or more"]);
}

/// RFC 1035 §5.2: `check-zone` says serial and OK of a zone as named-checkzone does, and of what is none file, line, column.
#[test]
fn check_zone_says_ok_or_what_is_wrong_and_where() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let good = file("example.test.zone", ZONE);
    assert_eq!(done(&conclave(&["check-zone", &good])), "zone example.test/IN: loaded serial 1\nOK\n");
    let stated = file("x", &ZONE.replace("@ SOA", "other.test. SOA"));
    assert!(done(&conclave(&["check-zone", &stated])).starts_with("zone other.test/IN"));
    assert!(done(&conclave(&["check-zone", "--origin", "a.test", &good])).starts_with("zone a.test/IN"));
    failed(&conclave(&["check-zone", &file("y", ZONE)]), 1, &["say --origin"]);
    failed(
        &conclave(&["check-zone", &dir.path().join("none").display().to_string()]),
        1,
        &["cannot be read"],
    );
    let wrong = file("b.zone", &format!("{ZONE}www MX 10 a..b\n"));
    failed(&conclave(&["check-zone", &wrong]), 1, &["b.zone:5:11: MX: an empty label"]);
    let alias = file("c.zone", &format!("{ZONE}ns1 CNAME x\n"));
    failed(
        &conclave(&["check-zone", &alias]),
        1,
        &["ns1.c. CNAME: stands beside other records", "errors: 1"],
    );
    let warned = file("d.zone", &format!("{ZONE}@ MX 10 nowhere\n"));
    let output = conclave(&["check-zone", &warned]);
    assert!(
        done(&output).ends_with("OK\n") && err(&output).contains("warning: d. MX: nowhere.d. has no address")
    );
    failed(&conclave(&["check-zone", "--strict", &warned]), 1, &["has no address"]);
    failed(&conclave(&["check-zone"]), 2, &["FILE"]);
}
