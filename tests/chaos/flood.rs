//! A member that floods: the memory of the others stays within what their quotas add up to, and updates go on.

use crate::client::Client;
use crate::ledger::Ledger;
use crate::network::Network;
use crate::site::{Replicas, Site};
use crate::tools::wait_for;
use conclave::limits::MAX_HELD_BYTES_PER_PEER;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is not charged to the peer: buffers of allocators and sockets, and what the updates of this test leave.
const OWN_BYTES: usize = 32 * 1024 * 1024;
/// Updates that must go on.
const ANSWERED: u64 = 20;
/// Messages of garbage, a megabyte each with as much of other things between, that each of the others must have refused.
const GARBAGE: u64 = 40;

/// An example program of the tests, built if it is not there.
fn example(name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_conclave")).with_file_name("examples").join(name);
    if !program.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--release", "--locked", "--example", name])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.unwrap().success());
    }
    program
}

/// The greatest resident size that the process ever had, in bytes (proc_pid_status(5)).
fn peak(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.split_whitespace().next().and_then(|kib| kib.parse::<usize>().ok()).expect("a number") * 1024
}

#[test]
fn a_flooding_member_stays_within_its_quotas_and_updates_go_on() {
    let site = Site::deal(4, Network::loopback(4));
    // The flooder's rounds are its own from the first.
    let others = [1, 2, 3];
    let mut replicas = Replicas::start_some(&site, &others);
    let before: Vec<usize> = others.iter().map(|i| peak(replicas.pid(*i))).collect();
    replicas.launch(4, &example("flooding_replica"), &[]);
    let seen = |i: u8, what: &str| {
        site.status(i).and_then(|status| status["faults"]["4"][what].as_u64()).unwrap_or(0)
    };
    let ledger = Ledger::default();
    std::thread::scope(|scope| {
        scope.spawn(|| Client::new(&site, &ledger, 0, 1).run());
        ledger.wait("updates go on", |state| state.answered >= ANSWERED);
        ledger.end();
    });
    ledger.read(|state| assert!(state.problems.is_empty(), "{}", state.problems.join("\n")));
    wait_for(&format!("the flood is seen; {}", site.logs()), || {
        // Once it is proven corrupt, what only it needs is not kept: then it fills no quota any more.
        let whole = |i: u8| seen(i, "Malformed") >= GARBAGE && seen(i, "Equivocation") > 0;
        others.iter().all(|i| whole(*i)).then_some(())
    });
    assert_eq!(replicas.ended(), None);
    for (i, before) in others.iter().zip(before) {
        let (peak, faults) =
            (peak(replicas.pid(*i)), site.status(*i).unwrap_or_default()["faults"].to_string());
        let bound = before + MAX_HELD_BYTES_PER_PEER + OWN_BYTES;
        eprintln!("replica {i}: {before} bytes before, {peak} at most, bound {bound}; faults {faults}");
        assert!(peak <= bound, "replica {i} held {peak} bytes, bound {bound}");
    }
}
