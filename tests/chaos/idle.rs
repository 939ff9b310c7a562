//! A cluster at rest is silent.

use crate::network::Network;
use crate::site::{Replicas, Site};
use crate::tools::wait_for;
use std::fs;
use std::time::Duration;

/// How long the cluster is watched.
const WATCHED: Duration = Duration::from_secs(10);
/// CPU that a replica may use in that time, in nanoseconds.
const MAX_CPU_NS: u64 = 10_000_000;

/// What the threads of a process have run, in nanoseconds (the first number of each schedstat): finer than the ticks of
/// `/proc/PID/stat`.
fn cpu_ns(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
    let used = |path: std::path::PathBuf| -> Option<u64> {
        fs::read_to_string(path.join("schedstat")).ok()?.split_whitespace().next()?.parse().ok()
    };
    tasks.flatten().filter_map(|task| used(task.path())).sum()
}

#[test]
fn an_idle_replica_makes_no_vertex_and_uses_at_most_ten_milliseconds_of_cpu_in_ten_seconds() {
    let site = Site::deal(4, Network::loopback(4));
    let replicas = Replicas::start(&site);
    let rounds = || -> Vec<u64> {
        let round = |i| site.status(i).and_then(|status| status["round"].as_u64()).expect("a round");
        site.all().into_iter().map(round).collect()
    };
    // The zone is signed, and what led there has died down.
    let mut last = Vec::new();
    wait_for("the rounds stand still", || {
        let now = rounds();
        let still = now == last;
        last = now;
        std::thread::sleep(Duration::from_secs(1));
        still.then_some(())
    });
    let before: Vec<u64> = site.all().into_iter().map(|i| cpu_ns(replicas.pid(i))).collect();
    // The one sleep that is meant: the property is about a stretch of time.
    std::thread::sleep(WATCHED);
    let used: Vec<u64> =
        site.all().into_iter().zip(before).map(|(i, before)| cpu_ns(replicas.pid(i)) - before).collect();
    eprintln!("CPU in {WATCHED:?}, ns: {used:?}");
    assert!(used.iter().all(|ns| *ns <= MAX_CPU_NS), "CPU in {WATCHED:?}, ns: {used:?}");
    assert_eq!(rounds(), last, "an idle cluster made vertices");
}
