//! What t corrupt replicas do, each kind shown to do it, and harmless.

use super::*;

#[test]
fn an_equivocator_with_two_copies_and_one_key() {
    all_schedulers(Some(AdversaryKind::Equivocate), 200..202);
}

#[test]
fn a_forger_of_signature_shares() {
    all_schedulers(Some(AdversaryKind::Forge), 300..301);
}

#[test]
fn a_mute_replica() {
    all_schedulers(Some(AdversaryKind::Mute), 400..401);
}

#[test]
fn a_replica_that_replays_what_it_said() {
    all_schedulers(Some(AdversaryKind::Replay), 500..501);
}

#[test]
fn a_replica_that_tells_some_and_not_others() {
    let reports = against(AdversaryKind::Selective, 2000..2006);
    did(&reports, &["withheld", "said late", "left unanswered"]);
}

#[test]
fn vertices_that_break_the_rules_or_link_what_does_not_exist() {
    let reports = against(AdversaryKind::BadParents, 2100..2106);
    reported(&reports, Misbehaviour::InvalidVertex);
    did(
        &reports,
        &[
            "too few parents",
            "two parents of one author",
            "parents out of order",
            "a stranger as a parent",
            "a previous vertex of its own round",
            "a previous vertex that is no parent",
            "a weak link beyond the window",
            "a weak link to a parent",
            "parents that do not exist",
            "a weak link to nothing",
            "a previous vertex that does not exist",
        ],
    );
}

#[test]
fn coin_shares_that_are_wrong_in_vertices_that_are_signed() {
    let reports = against(AdversaryKind::BadCoin, 2200..2206);
    reported(&reports, Misbehaviour::BadCoinShare);
    did(&reports, &["coin share of another round", "coin share with a wrong bit"]);
}

#[test]
fn vertices_of_far_rounds_with_ancestors_made_up() {
    let reports = against(AdversaryKind::FarFuture, 2300..2306);
    did(&reports, &["asked for a far range", "asked for far vertices", "made a vertex of a far round"]);
    reported(&reports, Misbehaviour::Malformed);
    reported(&reports, Misbehaviour::InvalidVertex);
    assert!(reports.iter().all(|report| report.peaks.waiting_vertices > 0));
}

#[test]
fn a_clock_that_is_wrong_by_years() {
    did(&against(AdversaryKind::TimeLiar, 2400..2406), &["lied about the time"]);
}

#[test]
fn a_flood_of_all_that_costs_others_something() {
    let reports = against(AdversaryKind::Flood, 2500..2503);
    did(&reports, &["proposed junk", "asked for everything", "made a large vertex that must wait"]);
    reported(&reports, Misbehaviour::Flood);
}

#[test]
fn what_is_signed_for_another_epoch_or_cluster() {
    let reports = against(AdversaryKind::OldEpoch, 2600..2606);
    reported(&reports, Misbehaviour::InvalidVertex);
    reported(&reports, Misbehaviour::BadSignature);
    reported(&reports, Misbehaviour::BadCoinShare);
    did(&reports, &["signature shares for jobs of another epoch"]);
    assert!(reports.iter().any(|report| report.peaks.early_shares > 0));
}

#[test]
fn vertices_in_the_names_of_others_are_refused() {
    let reports = against(AdversaryKind::OtherNames, 2650..2656);
    reported(&reports, Misbehaviour::BadSignature);
    did(&reports, &["a vertex in another's name", "a vertex that another signed in another cluster"]);
}

#[test]
fn a_vertex_of_its_own_for_each_peer_in_every_round() {
    let reports = against(AdversaryKind::Variants, 2700..2706);
    did(&reports, &["showed a variant"]);
    reported(&reports, Misbehaviour::Equivocation);
}

#[test]
fn requests_altered_invented_and_repeated_in_valid_vertices_take_no_effect() {
    let reports = against(AdversaryKind::Impostor, 2800..2806);
    did(
        &reports,
        &[
            "altered a request",
            "gave a request another identifier",
            "cut a request",
            "invented a request",
            "repeated a request",
            "asked for a refresh",
        ],
    );
    assert!(reports.iter().any(|report| report.repeats > 0), "nothing was executed twice");
}

#[test]
fn two_liars_of_seven() {
    for (adversary, seed) in [(AdversaryKind::TimeLiar, 3000), (AdversaryKind::Impostor, 3001)] {
        holds(Scenario { adversary: Some(adversary), operations: 3, ..Scenario::new(7, seed) });
    }
}

#[test]
fn a_replica_that_votes_alone_and_in_the_others_names() {
    let reports = against(AdversaryKind::FalseVoter, 3100..3106);
    did(
        &reports,
        &[
            "voted again and again",
            "voted in another's name",
            "voted for what was not signed",
            "voted for no command",
        ],
    );
}
