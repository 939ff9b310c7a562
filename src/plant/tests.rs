//! Each planted bug is found by a checker, within a stated number of seeds, by whole replicas in the simulator.
//!
//! `CONCLAVE_SEEDS=N cargo test --release --lib plant:: -- --nocapture` tries N seeds for each plant instead and says with how many
//! it is found: the figures of the table in `tests/README.md`.

use super::Plant::{self, *};
use super::{Whose, sown};
use crate::signing::Protocol;
use crate::sim::adversaries::AdversaryKind::{self, *};
use crate::sim::adversaries::Deeds;
use crate::sim::schedulers::SchedulerKind;
use crate::sim::{Crashes, Scenario, run};

/// The first seed of every plant.
const FIRST_SEED: u64 = 7_000;

/// What breaks when these plants are sown in a scenario; if nothing does, what the adversary did.
fn harm(plants: &[Plant], whose: Whose, scenario: &Scenario) -> Result<Deeds, String> {
    match sown(plants, whose, || run(scenario)) {
        Ok(Ok(report)) => Ok(report.deeds),
        Ok(Err(violation)) => Err(violation.to_string()),
        Err(panic) => {
            let literal = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = literal.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(format!("panic: {}", text.unwrap_or_default()))
        }
    }
}

/// Demands that one of the first `budget` seeds finds the plants, and that the same run without them breaks nothing. What it
/// finds says `by`; empty, if one check or another may be first.
fn found(plants: &[Plant], whose: Whose, budget: u64, by: &str, scenario: impl Fn(u64) -> Scenario) {
    if let Ok(seeds) = std::env::var("CONCLAVE_SEEDS") {
        let seeds: u64 = seeds.parse().expect("CONCLAVE_SEEDS is a number");
        let harms = (FIRST_SEED..FIRST_SEED + seeds).map(|seed| harm(plants, whose, &scenario(seed)));
        let harms: Vec<_> = harms.collect();
        let first = harms.iter().position(Result::is_err).map(|nth| nth + 1);
        println!(
            "{plants:?}: {} of {seeds}, first {first:?}",
            harms.iter().filter(|harm| harm.is_err()).count()
        );
        for harm in &harms {
            match harm {
                Err(harm) => println!("    {harm}"),
                Ok(deeds) => println!("    nothing; {deeds:?}"),
            }
        }
        return;
    }
    for seed in FIRST_SEED..FIRST_SEED + budget {
        if let Err(harm) = harm(plants, whose, &scenario(seed)) {
            println!("seed {seed}: {plants:?} found: {harm}");
            assert!(harm.contains(by), "seed {seed}: {plants:?} found by another check: {harm}");
            assert_eq!(run(&scenario(seed)).err(), None, "seed {seed} breaks something without {plants:?}");
            return;
        }
    }
    panic!("{plants:?} was not found with {budget} seeds from {FIRST_SEED} on");
}

fn plain(seed: u64) -> Scenario {
    Scenario { operations: 3, ..Scenario::new(4, seed) }
}

fn long(seed: u64) -> Scenario {
    Scenario { operations: 25, ..plain(seed) }
}

fn crowded(seed: u64) -> Scenario {
    Scenario { clients: 8, operations: 5, ..plain(seed) }
}

fn restarts(seed: u64) -> Scenario {
    Scenario { crashes: Crashes::OneByOne, operations: 5, ..plain(seed) }
}

/// The first replica comes back when what it lacks is collected.
fn absence(seed: u64) -> Scenario {
    Scenario { crashes: Crashes::LongAbsence, operations: 60, ..plain(seed) }
}

fn against(adversary: AdversaryKind, operations: usize) -> impl Fn(u64) -> Scenario {
    move |seed| Scenario { adversary: Some(adversary), operations, ..plain(seed) }
}

fn forged(signing: Protocol) -> impl Fn(u64) -> Scenario {
    move |seed| Scenario { signing, ..against(Forge, 3)(seed) }
}

/// An equivocator that does it once, when the scheduler has made its moment.
fn aimed(seed: u64) -> Scenario {
    Scenario { scheduler: SchedulerKind::Isolating, ..against(Opportunist, 20)(seed) }
}

macro_rules! plants {
    ($($name:ident: $plants:expr, $whose:ident, $budget:expr, $by:expr, $scenario:expr;)*) => {
        $(#[test]
        fn $name() {
            found(&$plants, Whose::$whose, $budget, $by, $scenario);
        })*
    };
}

plants! {
    // What has gone wrong elsewhere: the ten of the specification.
    planted_no_coin_is_found: [NoCoin], All, 1, "coin", plain;
    planted_guessable_coin_is_found: [GuessableCoin], All, 1, "coin", long;
    planted_early_coin_is_found: [EarlyCoin], All, 1, "coin", plain;
    planted_votes_not_durable_are_found: [SendBeforeSync], All, 3, "accusation", restarts;
    planted_unbounded_buffer_is_found: [UnboundedWaiting], All, 3, "bounds", against(Flood, 20);
    planted_panic_at_a_peers_message_is_found: [PanicOnLongQuestion], All, 3, "panic", against(FarFuture, 3);
    planted_unchecked_combination_is_found: [UncheckedCombination], All, 3, "alarm", against(Forge, 3);
    planted_unchecked_signature_in_public_is_found:
        [UncheckedCombination, UncheckedPublication], All, 3, "publication", against(Forge, 3);
    planted_laggard_that_cannot_return_is_found: [NoStateToGive], All, 1, "liveness", absence;
    planted_mark_without_what_is_delivered_is_found: [NothingDelivered], All, 1, "order", absence;
    planted_fake_digests_are_found: [FakeDigests], All, 12, "order", against(Equivocate, 5);
    planted_fake_signatures_are_found: [FakeSignatures], All, 3, "accusation", against(OtherNames, 3);
    planted_unbound_digests_are_found: [UnboundDigests], All, 3, "accusation", against(OtherNames, 3);
    planted_map_order_is_found: [MapOrder], First, 3, "order", plain;

    // Others.
    planted_newest_vertex_forgotten_is_found: [NewestForgotten], All, 3, "accusation", restarts;
    planted_links_unheard_are_found: [LinkedUnheard], All, 12, "liveness", restarts;
    planted_nothing_fetched_is_found: [NothingFetched], All, 3, "liveness", against(Selective, 3);
    planted_greatest_time_is_found: [GreatestTime], All, 12, "time", against(TimeLiar, 3);
    planted_own_clock_is_found: [LocalTime], All, 1, "execution", plain;
    planted_repeats_forgotten_are_found: [RepeatsForgotten], All, 9, "", against(Impostor, 12);
    planted_repeats_not_restored_are_found:
        [RepeatsNotRestored], All, 3, "execution", |seed| Scenario { doubled: true, ..absence(seed) };
    planted_repeats_by_message_are_found: [RepeatsByMessage], All, 12, "", against(Impostor, 12);
    planted_policy_ignored_is_found: [PolicyIgnored], All, 3, "", long;
    planted_serial_a_message_is_found: [SerialPerMessage], All, 3, "publication: serial", crowded;
    planted_chain_not_mended_is_found: [ChainNotMended], All, 3, "publication: the NSEC", plain;
    planted_unsigned_version_is_found: [PublishUnsigned], All, 1, "publication", plain;
    planted_reply_before_publication_is_found: [ReplyBeforePublication], All, 3, "replies", plain;
    planted_two_replies_are_found: [TwoReplies], All, 1, "second reply", plain;
    planted_shares_mixed_up_are_found: [SharesMixedUp], All, 3, "liveness", plain;
    planted_blame_of_all_is_found: [AllBlamed], All, 3, "accusation", against(Forge, 3);
    planted_lack_of_the_fall_back_is_found: [NoFallBack], All, 3, "liveness", forged(Protocol::OptProof);
    planted_unchecked_proofs_are_found: [ProofUnchecked], All, 3, "liveness", forged(Protocol::Basic);
    planted_few_certificates_are_found: [FewCertificates], All, 24, "slots", aimed;
    planted_few_blames_are_found: [FewBlames], All, 24, "slots", aimed;
    planted_few_parents_are_found: [FewParents], All, 3, "links", against(BadParents, 3);
    planted_unchecked_coin_is_found: [UncheckedCoin], All, 3, "links", against(BadCoin, 3);
    planted_shallow_delivery_is_found: [ShallowDelivery], First, 12, "order", against(Belated, 40);
}
