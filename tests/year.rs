//! A simulated year of updates: four replicas, a bounded set of names, signatures refreshed every week. Memory and disks in
//! month 12 are at most 1.2 times those in month 2.
//!
//! Memory is what this process has allocated, less what the simulated disks take of it: replicas, links, clients and
//! checkers, which keep windows. `CONCLAVE_YEAR_UPDATES=N` makes N operations of it, `CONCLAVE_SEED=N` another year.

use conclave::sim::{Glance, Scenario, run_seen};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the octets that are allocated.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is left to the system's allocator; counting touches no memory but its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CLIENTS: usize = 2;
/// Operations of the year, if the environment says nothing.
const UPDATES: usize = 4_000;
/// Octets that each update carries beside its own: so that a state is stored in each month.
const PADDING: usize = 8_192;
const YEAR_MS: u64 = 365 * 24 * 3_600 * 1_000;

fn from_environment(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn memory_and_disk_in_month_12_are_at_most_a_fifth_above_month_2() {
    let operations = from_environment("CONCLAVE_YEAR_UPDATES", UPDATES as u64) / CLIENTS as u64;
    let seed = from_environment("CONCLAVE_SEED", 5_000);
    let scenario = Scenario {
        clients: CLIENTS,
        operations: operations as usize,
        pace_ms: YEAR_MS / (operations - 1) + 1,
        padding: PADDING,
        ..Scenario::new(4, seed)
    };
    let mut months = [(0u64, 0u64); 12];
    let mut look = |glance: &Glance| {
        let month = (glance.at_ms * 12 / YEAR_MS).min(11) as usize;
        let memory = (LIVE.load(Ordering::Relaxed) as u64).saturating_sub(glance.disk_memory);
        months[month].0 = months[month].0.max(memory);
        months[month].1 = months[month].1.max(glance.disk_bytes);
    };
    let report =
        run_seen(&scenario, &mut look).unwrap_or_else(|violation| panic!("{violation}\nin {scenario:?}"));
    println!("{report:?}");
    for (month, (memory, disk)) in (1..).zip(&months) {
        println!("month {month}: {memory} octets of memory, {disk} octets on the fullest disk");
    }
    assert!(report.virtual_ms >= YEAR_MS, "seed {seed}: no year");
    assert!(report.peaks.disk_bytes > 4 * 1024 * 1024, "seed {seed}: no state was stored");
    let (second, last) = (months[1], months[11]);
    assert!(last.0 * 5 <= second.0 * 6, "seed {seed}: memory grows: {months:?}");
    assert!(last.1 * 5 <= second.1 * 6, "seed {seed}: disks grow: {months:?}");
}
