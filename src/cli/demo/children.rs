//! The replicas of a demo, one process each.

use super::{Demo, Failure};
use crate::ceremony::files::{Problem, plain};
use crate::cli::{LogArguments, LogForm};
use crate::quorum::ReplicaId;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often processes are looked after.
pub const PACE: Duration = Duration::from_millis(50);
/// How long they have to end by themselves.
const GRACE: Duration = Duration::from_secs(10);

/// The processes that run.
pub struct Children(BTreeMap<ReplicaId, Child>);

impl Children {
    /// Starts all replicas.
    pub fn start(demo: &Demo, log: LogArguments) -> Result<Self, Failure> {
        let mut children = Self(BTreeMap::new());
        for file in &demo.replicas {
            match start(demo, file, log) {
                Ok(child) => children.0.insert(file.me, child),
                Err(failure) => {
                    children.stop();
                    return Err(failure);
                }
            };
        }
        Ok(children)
    }

    /// The process of a replica, while it runs.
    pub fn pid(&self, id: ReplicaId) -> Option<u32> {
        self.0.get(&id).map(Child::id)
    }

    /// Those that ended since the last time, and how.
    pub fn ended(&mut self) -> Vec<(ReplicaId, String)> {
        let mut ended = Vec::new();
        self.0.retain(|id, child| match child.try_wait() {
            Ok(None) => true,
            Ok(Some(status)) => {
                ended.push((*id, how(status)));
                false
            }
            Err(e) => {
                ended.push((*id, plain(&e)));
                false
            }
        });
        ended
    }

    /// Ends all: SIGTERM, and SIGKILL for those that do not listen.
    pub fn stop(&mut self) {
        for child in self.0.values() {
            if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::TERM);
            }
        }
        let begun = Instant::now();
        while !self.0.is_empty() && begun.elapsed() < GRACE {
            self.ended();
            sleep(PACE);
        }
        for (id, child) in &mut self.0 {
            eprintln!("Replica {id} does not end; killed.");
            let _ = child.kill();
            let _ = child.wait();
        }
        self.0.clear();
    }
}

fn start(
    demo: &Demo,
    file: &crate::runtime::config::ReplicaFile,
    log: LogArguments,
) -> Result<Child, Failure> {
    let program =
        std::env::current_exe().map_err(|e| Failure::new(format!("this program's path: {}", plain(&e))))?;
    let path = demo.dir.join(format!("replica-{}", file.me)).join("log");
    let output = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
    let output = output.map_err(|e| Problem::io(&path, "written", &e))?;
    let mut command = Command::new(&program);
    command.arg("replica").arg("--config").arg(&file.path).arg("--end-with-parent");
    match log.log {
        Some(LogForm::Json) => command.args(["--log", "json"]),
        Some(LogForm::Human) => command.args(["--log", "human"]),
        None => &mut command,
    };
    command.args(std::iter::repeat_n("-v", log.verbose.into()));
    // A group of its own: Ctrl-C reaches the demo, which ends the replicas in order.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
    command
        .spawn()
        .map_err(|e| Failure::new(format!("{}: cannot be started: {}", program.display(), plain(&e))))
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown".into(),
    }
}
