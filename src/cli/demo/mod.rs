//! `conclave demo`: a whole cluster on this machine.
//!
//! The first run deals keys into DIR; each run starts one process a replica, waits until every replica serves every
//! zone signed, prints what to try, and ends with all of them. A replica that dies stays dead, so that faults can be
//! tried. A later run on the same DIR starts the same cluster with its data: zones, replicas and ports are those of the
//! deal, and an option that says otherwise is refused.
//!
//! `DIR/demo.json`, replaced atomically: `{"ready": bool, "replicas": [{"index", "pid", "dns", "peer", "admin", "dir"}]}`.
//! `ready` is true from when all zones are served until the demo ends. `pid` is that of the process that this demo
//! started, or null.

mod children;
mod instructions;
mod ready;
mod setup;

use super::{Failure, LogArguments, signing_protocol};
use crate::ceremony::cluster::Protocol;
use crate::ceremony::files::{Problem, plain, replace_public};
use crate::ceremony::plan::{DEFAULT_BITS, TsigPlan, ZoneArgument};
use crate::runtime::config::ReplicaFile;
use children::Children;
use clap::Args;
use rustix::fs::{FlockOperation, flock};
use serde_json::json;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Arguments of `conclave demo`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  conclave demo --replicas 7 --zone example.test=my.zone --dir /tmp/seven \
                        --dns-port 6300"
)]
pub struct Arguments {
    /// Number of replicas: 1, or 4 and more [default: 4]
    #[arg(long, value_name = "N", value_parser = replicas)]
    pub replicas: Option<u8>,
    /// A zone to serve and its unsigned master file; may be said more than once [default: a small example.test]
    #[arg(long, value_name = "ORIGIN=FILE")]
    pub zone: Vec<ZoneArgument>,
    /// Directory of the cluster
    #[arg(long, value_name = "DIR", default_value = "./demo")]
    pub dir: PathBuf,
    /// Replica I answers DNS on 127.0.0.1:P+I and its peers on P+100+I [default: 5300]
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u16).range(1..=65_400))]
    pub dns_port: Option<u16>,
    /// How the replicas sign together [default: optte]
    #[arg(long, value_name = "PROTOCOL", value_parser = signing_protocol())]
    pub signing: Option<Protocol>,
    /// Bits of the keys' moduli
    #[arg(long, value_name = "BITS", hide = true, default_value_t = DEFAULT_BITS)]
    pub bits: usize,
    /// One more TSIG key, which may change everything; may be said more than once
    #[arg(long, value_name = "NAME[,quorum][,ALGORITHM][,allow-weak]")]
    pub tsig: Vec<TsigPlan>,
    /// Send all queries through the order
    #[arg(long, hide = true)]
    pub ordered_reads: bool,
    /// Milliseconds that replicas dealt now let a client's update wait: for tests on slow machines
    #[arg(long, hide = true, value_name = "MS")]
    pub patience: Option<u64>,
}

/// The number of replicas of a demo.
fn replicas(text: &str) -> Result<u8, String> {
    let most = crate::limits::MAX_REPLICAS;
    match text.parse() {
        // t = 0: such a cluster would tolerate nothing and look as if it did.
        Ok(2 | 3) => Err("2 and 3 replicas tolerate no fault; take 4, or 1 for a single server".into()),
        Ok(n) if (1..=most).contains(&n) => Ok(n),
        _ => Err(format!("expected 1, or 4 to {most}")),
    }
}

/// The demo's cluster, ready to be started.
struct Demo {
    /// Absolute.
    dir: PathBuf,
    /// As it was said, for what is printed.
    shown: PathBuf,
    replicas: Vec<ReplicaFile>,
    cluster: crate::ceremony::cluster::Cluster,
}

/// Runs the demo until SIGINT or SIGTERM.
pub fn run(arguments: &Arguments, log: LogArguments) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        let result = signal_hook::flag::register(signal, stop.clone());
        result.map_err(|e| Failure::new(format!("signals cannot be caught: {}", plain(&e))))?;
    }
    let demo = setup::prepare(arguments)?;
    let _lock = demo.lock()?;
    setup::check_ports(&demo.replicas)?;
    for file in &demo.replicas {
        // What is wrong is said here, at once, instead of in four logs.
        let loaded = file.clone().load()?;
        loaded.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    }
    let mut children = Children::start(&demo, log)?;
    let result = serve(&demo, &mut children, &stop);
    eprintln!("Stopping {}.", ready::count(demo.replicas.len()));
    children.stop();
    let recorded = demo.record(false, &children);
    result.and(recorded)
}

fn serve(demo: &Demo, children: &mut Children, stop: &AtomicBool) -> Result<(), Failure> {
    demo.record(false, children)?;
    if !ready::wait(demo, children, stop)? {
        return Ok(());
    }
    demo.record(true, children)?;
    super::print(&instructions::text(demo));
    while !stop.load(Ordering::Relaxed) {
        for (index, how) in children.ended() {
            let config = demo.shown.join(format!("replica-{index}")).join("replica.toml");
            eprintln!(
                "Replica {index} ended ({how}). It is not revived here; bring it back in another terminal with\n  \
                 {} replica --config {}",
                instructions::program(),
                config.display()
            );
            demo.record(true, children)?;
        }
        std::thread::sleep(children::PACE);
    }
    Ok(())
}

impl Demo {
    /// Held while a demo runs on the directory.
    fn lock(&self) -> Result<File, Failure> {
        let path = self.dir.join("demo.lock");
        let open = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = open.map_err(|e| Problem::io(&path, "opened", &e))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            Problem::new(&self.shown, "another demo runs on this directory; stop it, or choose another --dir")
        })?;
        Ok(file)
    }

    /// Writes demo.json.
    fn record(&self, ready: bool, children: &Children) -> Result<(), Failure> {
        let replicas: Vec<_> = self
            .replicas
            .iter()
            .map(|file| {
                json!({
                    "index": file.me.get(),
                    "pid": children.pid(file.me),
                    "dns": file.dns.first(),
                    "peer": file.peer,
                    "admin": file.admin,
                    "dir": file.directory(),
                })
            })
            .collect();
        let text = format!("{:#}\n", json!({ "ready": ready, "replicas": replicas }));
        Ok(replace_public(&self.dir.join("demo.json"), text.as_bytes())?)
    }

    /// A path below the directory, as it is to be printed.
    fn path(&self, rest: impl AsRef<Path>) -> String {
        self.shown.join(rest).display().to_string()
    }
}
