//! Clusters under the nemesis, and what must hold in the end.

use crate::client::Client;
use crate::ledger::Ledger;
use crate::nemesis::{Nemesis, Plan};
use crate::network::Network;
use crate::observer::{observe, soa_serial};
use crate::site::{ORIGIN, Replicas, Site};
use crate::stock::Stock;
use crate::tools::{all_output, has, run, wait_for};
use crate::wire::{self, Seen};
use conclave::sim::Chance;
use std::collections::BTreeMap;
use std::fs;

/// Clients in this process, and stock ones.
const FAST: usize = 3;
const STOCK: usize = 1;

/// The seed of a run, printed so that a failure shows it; `CONCLAVE_SEED` repeats it as far as chance decides.
fn seed() -> u64 {
    let given = std::env::var("CONCLAVE_SEED").ok().and_then(|seed| seed.parse().ok());
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let seed = given.unwrap_or_else(|| Chance::new(clock.as_nanos() as u64).bits());
    eprintln!("CONCLAVE_SEED={seed}");
    seed
}

fn torment(n: u8, network: Network, plan: Plan) {
    let mut chance = Chance::new(seed());
    let site = Site::deal(n, network);
    let ledger = Ledger::default();
    let mut replicas = Replicas::start(&site);
    // Each in a thread of its own that lives where the clients do; all end when the ledger says so.
    std::thread::scope(|scope| {
        let guard = EndOnDrop(&ledger);
        let (site, ledger) = (&site, &ledger);
        for index in 0..FAST {
            let client = Client::new(site, ledger, index, chance.bits());
            scope.spawn(move || {
                site.network.enter();
                client.run();
            });
        }
        for index in 0..if has("nsupdate") { STOCK } else { 0 } {
            let client = Stock::new(site, ledger, index, chance.bits());
            scope.spawn(move || {
                site.network.enter();
                client.run();
            });
        }
        let watch = chance.bits();
        scope.spawn(move || {
            site.network.enter();
            observe(site, ledger, watch);
        });
        Nemesis::new(site, &mut replicas, ledger, chance.bits()).work(plan);
        drop(guard);
    });
    unbroken(&ledger);
    let (answered, failed, observed) = ledger.read(|state| (state.answered, state.failed, state.observed));
    eprintln!("{answered} answered, {failed} tries failed, {observed} observations");
    assert!(observed >= answered, "the observer and the clients looked");
    check_end(&site, &ledger);
}

/// Clients end also when the nemesis panics: else the scope would wait for them.
struct EndOnDrop<'a>(&'a Ledger);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn unbroken(ledger: &Ledger) {
    ledger.read(|state| assert!(state.problems.is_empty(), "{}", state.problems.join("\n")));
}

/// Every replica ends byte-equal, with all that was answered and nothing else, signed so that others validate it.
fn check_end(site: &Site, ledger: &Ledger) {
    let export = site.agreed_export();
    let mut held = BTreeMap::new();
    for line in export.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words[3] == "TXT" && words[4].trim_matches('"').parse::<usize>().is_ok() {
            held.insert(words[0].trim_end_matches('.').to_owned(), words[4].trim_matches('"').parse().ok());
        }
    }
    let settled = ledger.settled();
    let expected: BTreeMap<String, Option<usize>> = settled
        .iter()
        .filter(|(_, number)| number.is_some())
        .map(|(name, number)| (name.clone(), *number))
        .collect();
    assert_eq!(held, expected, "what the zone holds in the end, and what the answers say");
    site.network.inside(|| {
        for i in site.all() {
            for (name, number) in &settled {
                let wanted = number.map_or(Seen::Nothing, Seen::Number);
                wait_for(&format!("replica {i} says {wanted:?} of {name}"), || {
                    (wire::look(site.network.dns(i), name)? == Ok(wanted)).then_some(())
                });
            }
            let serial = soa_serial(&export).expect("the export has a serial");
            // Packets are lost: asked until one answer comes.
            wait_for(&format!("replica {i} says {serial}"), || {
                (wire::serial(site.network.dns(i))? == serial).then_some(())
            });
        }
        validates_for_delv(site);
    });
    verifies(site, &export);
}

fn validates_for_delv(site: &Site) {
    if !has("delv") {
        return;
    }
    let anchor = site.dir().join(format!("anchors/{ORIGIN}.conf")).display().to_string();
    for i in site.all() {
        let (server, root) = (site.network.dns(i), format!("+root={ORIGIN}"));
        let (at, port) = (format!("@{}", server.ip()), server.port().to_string());
        let ask = |name: &str, wanted: &str| {
            wait_for(&format!("delv at replica {i} says {wanted:?} of {name}"), || {
                let output = run("delv", &[&at, "-p", &port, "-a", &anchor, &root, name, "TXT"]);
                all_output(&output).contains(wanted).then_some(())
            });
        };
        ask(ORIGIN, "; fully validated");
        ask(&format!("not-there.{ORIGIN}"), "; negative response, fully validated");
    }
}

/// The whole zone satisfies those who did not make it.
fn verifies(site: &Site, export: &str) {
    let file = site.dir().join("end.zone");
    fs::write(&file, export).unwrap();
    let file = file.display().to_string();
    if has("dnssec-verify") {
        let output = run("dnssec-verify", &["-o", ORIGIN, &file]);
        assert!(output.status.success(), "{}", all_output(&output));
    }
    if has("ldns-verify-zone") {
        let output = run("ldns-verify-zone", &[&file]);
        assert!(output.status.success(), "{}", all_output(&output));
    }
}

#[test]
fn four_replicas_lose_no_answered_update_while_they_are_killed_stopped_and_restarted() {
    torment(4, Network::loopback(4), Plan { faults: 12, answered: 200, wipes: false });
}

#[test]
fn seven_replicas_lose_no_answered_update_while_two_at_a_time_are_killed_and_stopped() {
    torment(7, Network::loopback(7), Plan { faults: 6, answered: 100, wipes: false });
}

#[test]
fn partitions_of_every_kind_and_lost_packets_lose_no_answered_update() {
    let Some(network) = Network::spaces(4) else { return };
    network.lose(1);
    torment(4, network, Plan { faults: 8, answered: 100, wipes: false });
}

#[test]
fn late_reordered_and_lost_packets_lose_no_answered_update() {
    let Some(network) = Network::wide(4) else { return };
    torment(4, network, Plan { faults: 4, answered: 60, wipes: false });
}

#[test]
fn wiped_directories_one_after_another_lose_no_answered_update() {
    torment(4, Network::loopback(4), Plan { faults: 12, answered: 150, wipes: true });
}
