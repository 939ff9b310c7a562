//! Files that are missing, truncated, edited or somebody else's, ports in use, directories that cannot be written:
//! one line that says what and what to do, exit 1, nothing lost.

use crate::harness::{Demo, all_output, run};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

fn replica(config: &Path) -> Output {
    run(env!("CARGO_BIN_EXE_conclave"), &["replica", "--config", &config.to_string_lossy()])
}

fn refused(output: &Output, names: &str) {
    let text = all_output(output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains(names), "expected a word on {names}: {text}");
    assert!(!text.contains("panicked"), "{text}");
}

#[test]
fn wrong_files_are_refused_by_name() {
    let mut demo = Demo::start(4);
    let other = Demo::start(4);
    demo.stop();
    let home = demo.dir().join("replica-1");
    let config = home.join("replica.toml");
    let names: Vec<String> = fs::read_dir(&home)
        .unwrap()
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    let secrets: Vec<&String> =
        names.iter().filter(|n| n.ends_with(".share") || n.ends_with("identity.key")).collect();
    assert!(secrets.len() >= 4, "{names:?}");
    for name in secrets {
        let path = home.join(name);
        let good = fs::read(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{name}");

        fs::write(&path, &good[..good.len() / 2]).unwrap();
        refused(&replica(&config), name);

        let mut edited = good.clone();
        let middle = edited.len() / 2;
        edited[middle] ^= if edited[middle] == b'a' { 3 } else { 1 };
        fs::write(&path, &edited).unwrap();
        refused(&replica(&config), name);

        fs::write(&path, fs::read(other.dir().join("replica-1").join(name)).unwrap()).unwrap();
        refused(&replica(&config), name);

        fs::remove_file(&path).unwrap();
        refused(&replica(&config), name);

        fs::write(&path, &good).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        refused(&replica(&config), name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    demo.restart();
    demo.agreed_export(&[1, 2, 3, 4], "example.test");
}

#[test]
fn a_port_in_use_is_one_line_and_exit_1() {
    let demo = Demo::start(1);
    let dir = tempfile::tempdir().unwrap();
    let output = run(
        env!("CARGO_BIN_EXE_conclave"),
        &[
            "demo",
            "--replicas",
            "1",
            "--bits",
            "1024",
            "--dns-port",
            &demo.base.to_string(),
            "--dir",
            &dir.path().join("d").to_string_lossy(),
        ],
    );
    refused(&output, &demo.port(1));
}

#[test]
fn two_or_three_replicas_are_refused_because_they_tolerate_nobody() {
    for n in ["2", "3"] {
        let output =
            run(env!("CARGO_BIN_EXE_conclave"), &["demo", "--replicas", n, "--dir", "/nonexistent/x"]);
        assert_eq!(output.status.code(), Some(2), "{}", all_output(&output));
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let output = run(
        env!("CARGO_BIN_EXE_conclave"),
        &["demo", "--replicas", "1", "--bits", "1024", "--dir", "/proc/conclave"],
    );
    refused(&output, "/proc/conclave");
}
