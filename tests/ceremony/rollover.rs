//! Rollovers with the real programs: a new ZSK, a new KSK, and another algorithm, on four replicas under updates, one of which is
//! killed on the way and one of which gets a bundle late. At every stage stock verifiers find the zone right, and a validator that
//! knows the parent's DS records alone validates it.

use crate::rolling::Rolling;
use crate::tools::{has, wait_for};

#[test]
fn keys_and_algorithm_are_rolled_and_at_every_stage_the_zone_is_valid() {
    if !["nsupdate", "delv", "dnssec-verify", "ldns-verify-zone", "dnssec-cds", "age"].into_iter().all(has) {
        return;
    }
    let mut rolling = Rolling::start();
    rolling.judge();
    a_zsk(&mut rolling);
    a_ksk(&mut rolling);
    another_algorithm(&mut rolling);
    // What is retired is gone, and no start misses it.
    for index in 1..=4 {
        rolling.ceremony.stop(index);
        rolling.members.retain(|member| *member != index);
        rolling.revive(index);
    }
    rolling.judge();
    let shown = rolling.shown();
    assert!(shown.contains("algorithm 10: published, signs") && !shown.contains("algorithm 8"), "{shown}");
}

fn a_zsk(rolling: &mut Rolling) {
    let (bundle, _) = rolling.deal("zsk", "8");
    [1, 2, 3].into_iter().for_each(|index| rolling.import(index, &bundle));
    let name = rolling.complete(3);
    let said = rolling.vote(&format!("begin {name}"));
    assert!(said.contains("has the receipts of 3 of 4 replicas"), "{said}");
    rolling.import(4, &bundle);
    assert_eq!(rolling.complete(4), name);
    rolling.done(&format!("begin {name}"));
    rolling.judge();

    // As long as secondaries may be a day late, so is the next step.
    let (tag, from) = wait_for("a date from which the next step is safe", || {
        let shown = rolling.shown();
        let tag = shown.split(" activate ").nth(1)?.lines().next()?.to_owned();
        Some((tag, shown.split("safe from ").nth(1)?.split(" on").next()?.to_owned()))
    });
    let said = rolling.vote(&format!("activate {tag}"));
    assert!(said.contains(&format!("refused: not safe before {from}")), "{said}{}", rolling.shown());
    let said = rolling.vote("activate 1");
    assert!(said.contains("is not key 1's"), "{said}");
    rolling.done("allowance 0");
    rolling.step("activate");
    rolling.step("remove");

    let share = rolling.ceremony.path("replica-2/example.test.zsk.share");
    wait_for("the old share is wiped", || (!share.exists()).then_some(()));
    rolling.kill(2);
    rolling.revive(2);
    rolling.judge();
}

fn a_ksk(rolling: &mut Rolling) {
    let old = rolling.ceremony.done(&["conclave-dealer", "dnskey", "deal"]);
    let old = old.lines().find(|line| line.contains(" 257 3 ")).expect("a KSK").to_owned();
    let (bundle, new) = rolling.deal("ksk", "8");
    let name = rolling.import_everywhere(&bundle);
    rolling.done(&format!("begin {name}"));
    rolling.judge();
    for rtype in ["CDS", "CDNSKEY"] {
        let said = rolling.update(1, &format!("update delete example.test. {rtype}"));
        assert!(said.contains("REFUSED"), "{said}");
    }
    rolling.parent_follows(&[&old, &new]);
    rolling.kill(4);
    rolling.step("ds-seen");
    rolling.step("swap");
    rolling.revive(4);
    rolling.step("withdraw");
    rolling.parent_follows(&[&new]);
    rolling.step("ds-gone");
}

fn another_algorithm(rolling: &mut Rolling) {
    let (zsk, _) = rolling.deal("zsk", "10");
    let zsk = rolling.import_everywhere(&zsk);
    let (ksk, new) = rolling.deal("ksk", "10");
    let ksk = rolling.import_everywhere(&ksk);
    // The last rollover's keys leave first.
    wait_for("the rollover begins", || {
        let said = rolling.vote(&format!("begin {zsk} {ksk}"));
        assert!(said.ends_with(": done\n") || said.contains("some batches more"), "{said}");
        said.ends_with(": done\n").then_some(())
    });
    rolling.judge();
    rolling.step("publish");
    rolling.step("announce");
    let cdnskey =
        rolling.ceremony.done(&["conclave-dealer", "dnskey", &rolling.ceremony.bundle("new-ksk-1")]);
    rolling.parent_follows(&[&cdnskey, &new]);
    rolling.step("ds-seen");
    rolling.step("withdraw");
    rolling.parent_follows(&[&new]);
    rolling.step("ds-gone");
    for step in ["unpublish", "unsign", "finish"] {
        rolling.step(step);
    }
}
