//! The independent observer: changes nothing, asks every replica, and holds what it hears against the ledger.

use crate::ledger::Ledger;
use crate::site::Site;
use crate::wire;
use conclave::sim::Chance;
use std::time::Duration;

/// The pause between two questions: the observer must not be the load.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks until it is told to end.
pub fn observe(site: &Site, ledger: &Ledger, seed: u64) {
    let mut chance = Chance::new(seed);
    while !ledger.is_over() {
        let i = chance.range(1, u64::from(site.n)) as u8;
        match chance.range(0, 19) {
            0 => export(site, ledger, i),
            1..=5 => serial(site, ledger, i),
            _ => {
                let names = ledger.names();
                if !names.is_empty() {
                    let at = chance.range(0, names.len() as u64 - 1) as usize;
                    look(site, ledger, i, &names[at]);
                }
            }
        }
        std::thread::sleep(PAUSE);
    }
}

fn serial(site: &Site, ledger: &Ledger, i: u8) {
    let mark = ledger.mark(i, "");
    if let Some(serial) = wire::serial(site.network.dns(i)) {
        ledger.saw_serial(i, mark, serial);
    }
}

/// What replica `i` says of a name, if it says something.
fn look(site: &Site, ledger: &Ledger, i: u8, name: &str) {
    let mark = ledger.mark(i, name);
    match wire::look(site.network.dns(i), name) {
        Some(Ok(seen)) => ledger.saw(i, name, mark, seen),
        Some(Err(why)) => ledger.problem(format!("{name} at replica {i}: {why}")),
        None => {}
    }
}

/// `conclave ctl export`: equal serials are equal octets.
fn export(site: &Site, ledger: &Ledger, i: u8) {
    let Some(text) = site.export(i) else { return };
    match soa_serial(&text) {
        Some(serial) => ledger.saw_export(i, serial, &text),
        None => ledger.problem(format!("replica {i} exports a zone without a SOA:\n{text}")),
    }
}

/// The serial of an exported zone.
pub fn soa_serial(export: &str) -> Option<u32> {
    let soa = export.lines().find(|line| line.split_whitespace().nth(3) == Some("SOA"))?;
    soa.split_whitespace().nth(6)?.parse().ok()
}
