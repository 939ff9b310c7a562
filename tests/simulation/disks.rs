//! Crashes, and disks that fail.

use super::*;

#[test]
fn a_crash_at_every_persist_point_loses_nothing_that_was_answered() {
    let short = Scenario { clients: 1, operations: 2, ..Scenario::new(4, 3100) };
    let operations = holds(short).disk_operations;
    println!("{operations} operations");
    let mut failures = 0;
    for operation in 0..operations {
        failures += holds(Scenario { disk: DiskFault::FailAt(operation), ..short }).disk_failures;
    }
    assert!(failures as u64 > operations / 2);
}

#[test]
fn a_flipped_bit_is_refused_with_file_and_offset_and_with_an_empty_disk_the_replica_rejoins() {
    for seed in seeds(3200..3206) {
        let report = holds(Scenario { disk: DiskFault::BitFlip, operations: 8, ..Scenario::new(4, seed) });
        assert_eq!(report.refused_starts, 1, "seed {seed}");
    }
}

#[test]
fn a_full_disk_ends_the_replica_and_room_brings_it_back() {
    for seed in seeds(3300..3303) {
        let report = holds(Scenario { disk: DiskFault::Full, operations: 20, ..Scenario::new(4, seed) });
        assert!(report.disk_failures > 0, "seed {seed}");
    }
}

#[test]
fn crashes_one_by_one_lose_nothing_that_was_answered() {
    for scheduler in [SchedulerKind::Random, SchedulerKind::Lagging, SchedulerKind::Partition] {
        for seed in seeds(600..603) {
            let crashes = Crashes::OneByOne;
            let report = holds(Scenario { scheduler, crashes, ..Scenario::new(4, seed) });
            assert!(report.crashes > 0);
        }
    }
}

#[test]
fn crashes_of_all_at_once_lose_nothing_that_was_answered() {
    for seed in seeds(700..705) {
        let crashes = Crashes::AllAtOnce;
        let report = holds(Scenario { crashes, operations: 8, ..Scenario::new(4, seed) });
        assert!(report.crashes >= 4);
    }
}

#[test]
fn no_checkpoint_is_stored_below_the_collection_line_of_a_later_one() {
    // A flooder makes storing due as soon as a replica is back, which knows only the older certificate.
    let flooded = |scheduler, crashes, seed| Scenario {
        scheduler,
        crashes,
        adversary: Some(AdversaryKind::Flood),
        clients: 2,
        ..Scenario::new(4, seed)
    };
    let one_by_one = flooded(SchedulerKind::DelayBounded, Crashes::OneByOne, 200_171);
    holds(Scenario { doubled: true, ..one_by_one });
    holds(Scenario {
        operations: 6,
        signing: Protocol::OptProof,
        ..flooded(SchedulerKind::Pct, Crashes::AllAtOnce, 200_324)
    });
}

#[test]
fn crashes_beside_an_equivocator() {
    for seed in seeds(800..803) {
        let adversary = Some(AdversaryKind::Equivocate);
        holds(Scenario { adversary, crashes: Crashes::OneByOne, ..Scenario::new(4, seed) });
    }
}

#[test]
fn crashes_beside_every_adversary() {
    let kinds = [
        AdversaryKind::BadCoin,
        AdversaryKind::BadParents,
        AdversaryKind::FarFuture,
        AdversaryKind::Forge,
        AdversaryKind::Impostor,
        AdversaryKind::OldEpoch,
        AdversaryKind::Replay,
        AdversaryKind::Selective,
        AdversaryKind::TimeLiar,
        AdversaryKind::Variants,
    ];
    for (adversary, stated) in kinds.into_iter().zip(3400..) {
        for seed in seeds(stated..stated + 1) {
            let adversary = Some(adversary);
            holds(Scenario { adversary, crashes: Crashes::OneByOne, ..Scenario::new(4, seed) });
        }
    }
}

#[test]
fn crashes_tear_the_log_and_it_is_opened_again() {
    exercised(SchedulerKind::Random, 2600..2608, &[("machines", "start with a torn tail")]);
}
