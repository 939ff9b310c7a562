//! A data directory in use, a log that was changed, a disk that takes no more: one line and exit 1, nothing lost.

use crate::harness::{Demo, Key, all_output, has, run, wait_for};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn replica(demo: &Demo) -> Output {
    let config = demo.dir().join("replica-1/replica.toml");
    run(env!("CARGO_BIN_EXE_conclave"), &["replica", "--config", &config.to_string_lossy()])
}

fn segment(demo: &Demo) -> PathBuf {
    demo.dir().join("replica-1/data/00000000000000000000.log")
}

fn refused(output: &Output, words: &[&str]) {
    let text = all_output(output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(words.iter().all(|word| text.contains(word)), "expected {words:?}: {text}");
}

#[test]
fn a_data_directory_belongs_to_one_process() {
    let demo = Demo::start(1);
    refused(&replica(&demo), &["replica-1/data", "another process"]);
    assert!(demo.ctl(1, &["status"]).status.success(), "the first process goes on");
}

#[test]
fn a_changed_log_is_refused_by_file_and_offset() {
    let mut demo = Demo::start(1);
    demo.stop();
    let good = fs::read(segment(&demo)).unwrap();
    for at in [20, good.len() / 3, good.len() / 2, good.len() - 1] {
        let mut changed = good.clone();
        changed[at] ^= 0x10;
        fs::write(segment(&demo), &changed).unwrap();
        refused(&replica(&demo), &["00000000000000000000.log", "damaged at byte"]);
    }
    fs::write(segment(&demo), &good[..good.len() / 2]).unwrap();
    refused(&replica(&demo), &["00000000000000000000.log", "damaged at byte"]);
    fs::remove_file(segment(&demo)).unwrap();
    refused(&replica(&demo), &["00000000000000000000.mark", "segments are gone"]);
    fs::write(segment(&demo), &good).unwrap();
    demo.restart();
}

/// The shell's file size limit stands for a full disk: writes beyond it fail, at any place in a record.
#[test]
fn a_disk_that_takes_no_more_ends_the_replica_and_loses_no_answered_update() {
    if !has("nsupdate") {
        return;
    }
    let mut demo = Demo::start(1);
    demo.stop();
    let kibibytes = fs::metadata(segment(&demo)).unwrap().len() / 1024 + 20;
    let log = demo.dir().join("full.log");
    let mut child = Command::new("bash")
        .args(["-c", "trap '' XFSZ; ulimit -f $1; exec \"$2\" replica --config \"$3\"", "bash"])
        .arg(kibibytes.to_string())
        .arg(env!("CARGO_BIN_EXE_conclave"))
        .arg(demo.dir().join("replica-1/replica.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut answered = Vec::new();
    for k in 0..1000 {
        let update = format!("zone example.test\nupdate add full{k}.example.test 60 A 192.0.2.1\nsend\n");
        if demo.nsupdate_with(1, Key::Tsig, &["-v", "-t", "5"], &update).status.success() {
            answered.push(k);
        } else if child.try_wait().unwrap().is_some() {
            break;
        }
    }
    let status = wait_for("the replica ends", || child.try_wait().unwrap());
    let said = fs::read_to_string(&log).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(
        last.contains("00000000000000000000.log") && last.contains("nothing that was answered is lost"),
        "{said}"
    );
    assert!(!answered.is_empty(), "{said}");
    demo.restart();
    let export = demo.agreed_export(&[1], "example.test");
    for k in answered {
        assert!(export.contains(&format!("full{k}.example.test.")), "full{k} is lost");
    }
}
