//! Stock programs: whether they are there, running them, waiting for what they bring about.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long any single event may take on a slow, shared machine.
pub const DEADLINE: Duration = Duration::from_secs(240);

/// Says past the test harness, which keeps what a passing test prints, why something is not tried.
pub fn skipped(why: &str) {
    let _ = std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!("SKIPPED: {}\n", why.replace('\n', " ")),
    );
}

/// The search path, with where Debian keeps servers and administrators' tools.
pub fn search_path() -> String {
    std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin"
}

/// Whether a stock tool is there; says so if it is not (`tests/run` installs them all).
pub fn has(tool: &str) -> bool {
    let found = search_path().split(':').any(|d| Path::new(d).join(tool).is_file());
    if !found {
        skipped(&format!("{tool} is not installed; run tests/run packages"));
    }
    found
}

/// Runs `program` to its end and gives its output.
pub fn run(program: &str, args: &[&str]) -> Output {
    Command::new(program)
        .args(args)
        .env("PATH", search_path())
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("{program}: {e}"))
}

/// Standard output as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Both outputs as text.
pub fn all_output(output: &Output) -> String {
    stdout(output) + &String::from_utf8_lossy(&output.stderr)
}

/// Waits until `what` gives a value.
pub fn wait_for<T>(why: &str, mut what: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = what() {
            return value;
        }
        assert!(start.elapsed() < DEADLINE, "no event within {DEADLINE:?}: {why}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
