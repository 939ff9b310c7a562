//! A zone is added, frozen and removed while clients update another, by operators of whom two sign with keys of their own.

use super::*;

fn managed(scenario: Scenario) -> Report {
    holds(Scenario { rolls: Rolls::Zone, clients: 2, operations: 20, pace_ms: 15_000, ..scenario })
}

#[test]
fn a_zone_comes_and_goes_under_load() {
    for seed in seeds(3300..3302) {
        managed(Scenario::new(4, seed));
    }
}

#[test]
fn a_zone_comes_and_goes_while_replicas_crash_and_one_is_away_for_long() {
    for (seed, crashes) in
        [(3310, Crashes::OneByOne), (3311, Crashes::AllAtOnce), (3312, Crashes::LongAbsence)]
    {
        managed(Scenario { crashes, ..Scenario::new(4, seed) });
    }
}

#[test]
fn who_was_cut_off_or_lost_its_disk_takes_over_the_zones_that_there_are() {
    for (seed, losses) in [(3320, Losses::Away), (3321, Losses::CutOff), (3322, Losses::Wiped)] {
        managed(Scenario { losses, ..Scenario::new(4, seed) });
    }
}

#[test]
fn who_floods_pieces_and_carries_operators_votes_again_changes_nothing() {
    let adversary = Some(AdversaryKind::FalseVoter);
    let reports: Vec<Report> = seeds(3330..3333)
        .into_iter()
        .map(|seed| managed(Scenario { adversary, ..Scenario::new(4, seed) }))
        .collect();
    did(
        &reports,
        &[
            "flooded with pieces that nobody awaits",
            "carried an operator's vote again",
            "changed what an operator signed",
            "spoilt a piece",
        ],
    );
}
