//! Files as the dealer writes them, from which the corpus of the file targets began.

use super::keys::name;
use conclave::ceremony::deal::deal_here;
use conclave::ceremony::operators::Operators;
use conclave::ceremony::plan::{Place, Plan, ZonePlan};
use conclave::dns::master;
use conclave::quorum::Committee;
use conclave::time::UnixMillis;
use conclave::zone::{Denial, Reads};
use std::net::SocketAddr;
use std::path::Path;

/// The files of a fresh small cluster whose names end so.
pub fn files(ending: &str) -> Vec<Vec<u8>> {
    let origin = name("a.test.");
    let records =
        master::read_str("$TTL 1\n@ SOA n h 1 1 1 1 1\n@ NS n\nn A 192.0.2.1\n", &origin).expect("a zone");
    let policy = vec!["grant ops zonesub ANY".into(), "grant admin self TXT;".into()];
    let plan = Plan {
        committee: Committee::new(4).expect("a number of replicas"),
        bits: 1024,
        signing: conclave::signing::Protocol::default(),
        zones: vec![ZonePlan { origin, records, policy, reads: Reads::Local, denial: Denial::Nsec }],
        tsig: vec![name("ops.").into()],
        sig0: vec![name("admin.")],
        operators: Operators::default(),
        places: (1..=4).map(place).collect(),
        genesis_time: UnixMillis(1_700_000_000_000),
    };
    let directory = tempfile::tempdir().expect("a directory");
    let dealt = directory.path().join("dealt");
    deal_here(&plan, &dealt, &|_| {}).unwrap_or_else(|e| panic!("{e}"));
    let mut found = Vec::new();
    collect(&dealt, ending, &mut found);
    // A copy of the cluster file lies beside each replica's own.
    found.sort();
    found.dedup();
    found.truncate(3);
    found
}

fn place(index: u16) -> Place {
    let address = |port: u16| SocketAddr::from(([127, 0, 0, 1], port + index));
    Place { dns: vec![address(5300)], peer: address(5400), admin: None }
}

fn collect(directory: &Path, ending: &str, found: &mut Vec<Vec<u8>>) {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(std::fs::read(&path).expect("a file"));
        }
    }
}
