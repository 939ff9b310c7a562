//! Whole replicas under each of the three signing protocols.

use super::*;

fn each(stated: std::ops::Range<u64>, scenario: impl Fn(u64) -> Scenario) -> Vec<Report> {
    let runs = Protocol::ALL
        .into_iter()
        .flat_map(|signing| seeds(stated.clone()).into_iter().map(move |seed| (signing, seed)));
    runs.map(|(signing, seed)| holds(Scenario { signing, ..scenario(seed) })).collect()
}

#[test]
fn under_each_protocol_a_forger_is_reported_and_stops_nothing() {
    let forge = |scheduler| {
        move |seed| Scenario { adversary: Some(AdversaryKind::Forge), scheduler, ..Scenario::new(4, seed) }
    };
    for (scheduler, stated) in [(SchedulerKind::Random, 3100..3102), (SchedulerKind::Lagging, 3102..3103)] {
        let reports = each(stated, forge(scheduler));
        did(&reports, &["forged shares"]);
        for reports in reports.chunks(reports.len() / 3) {
            reported(reports, Misbehaviour::BadSignatureShare);
        }
    }
}

#[test]
fn under_each_protocol_mute_replaying_and_foreign_signers_stop_nothing() {
    let kinds = [AdversaryKind::Mute, AdversaryKind::Replay, AdversaryKind::OldEpoch];
    for (adversary, seed) in kinds.into_iter().zip(3110..) {
        let scenario = |seed| Scenario { adversary: Some(adversary), ..Scenario::new(4, seed) };
        let reports = each(seed..seed + 1, scenario);
        if adversary == AdversaryKind::OldEpoch {
            did(&reports, &["signature shares for jobs of another epoch"]);
        }
    }
}

#[test]
fn under_each_protocol_replicas_crash_and_come_back() {
    each(3120..3122, |seed| Scenario { crashes: Crashes::OneByOne, ..Scenario::new(4, seed) });
    each(3122..3123, |seed| Scenario { crashes: Crashes::AllAtOnce, ..Scenario::new(4, seed) });
    each(3123..3124, |seed| Scenario { losses: Losses::Away, ..Scenario::new(4, seed) });
}

#[test]
fn under_each_protocol_two_of_seven_forge() {
    let adversary = Some(AdversaryKind::Forge);
    each(3130..3131, |seed| Scenario { adversary, operations: 3, ..Scenario::new(7, seed) });
}
