use super::*;
use crate::ceremony::files::read_public;
use crate::ceremony::verify::{verify, verify_own};
use crate::codec::Digest;

fn rehearsed(n: u8, custodians: (u8, u8)) -> (tempfile::TempDir, PathBuf, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("r");
    let sizes = Sizes { committee: Committee::new(n).unwrap(), bits: 1024, custodians };
    let said = rehearse(sizes, UnixMillis(1_700_000_000_000), &home, &|_| {}).unwrap();
    (dir, home, said)
}

#[test]
fn the_whole_ceremony_goes_through_with_a_lost_replica_and_a_second_deal() {
    let (_dir, home, said) = rehearsed(4, (2, 3));
    let said = said.join("\n");
    for step in [
        "4 replicas made their keys",
        "replica 3 imported its shares; receipts lacking: 1",
        "2 custodians opened the backup: 2 keys",
        "the deal is complete",
        "rehearsed",
    ] {
        assert!(said.contains(step), "no `{step}` in {said}");
    }
    for deal in ["deal", "redeal"] {
        let found = verify(&home.join(deal));
        assert!(found.problems.is_empty(), "{deal}: {:?}", found.problems);
        assert!(found.good.join("\n").contains("receipts of all 4 replicas"), "{:?}", found.good);
    }
    // The old shares of those who stay are where they were: valid until the second deal is complete.
    for own in ["operators/replica-2", "operators/replica-2/epoch-1", "operators/replica-1-new/epoch-1"] {
        let found = verify_own(&home.join(own));
        assert!(found.problems.is_empty(), "{own}: {:?}", found.problems);
    }
    assert!(read_public(&home.join("deal/transcript.txt")).unwrap().len() > 1_000);
}

#[test]
fn another_plan_another_member_or_another_cluster_is_refused_by_an_import() {
    let (_dir, home, _) = rehearsed(4, (1, 1));
    let (deal, redeal) = (home.join("deal"), home.join("redeal"));
    let plan = crate::ceremony::cluster_file::read(&deal.join("cluster.toml")).unwrap().plan;
    let second = crate::ceremony::cluster_file::read(&redeal.join("cluster.toml")).unwrap().plan;
    let refused = |home: &Path, deal: &Path, plan: &Digest, reason: &str| {
        let said = import::import(home, deal, plan, home).err().unwrap();
        let said: String = said.iter().map(|problem| format!("{problem}\n")).collect();
        assert!(said.contains(reason), "expected `{reason}`: {said}");
    };
    let two = home.join("operators/replica-2");
    refused(&two, &deal, &second, "not the plan whose words were said");
    refused(&two, &redeal, &second, "another cluster's, whose shares stay valid");
    refused(&home.join("operators/replica-1"), &redeal, &second, "not the identity of a member");
    // Another cluster's file in the place of the one that is replaced.
    let replaced = redeal.join("predecessor.toml");
    std::fs::remove_file(&replaced).unwrap();
    std::fs::copy(redeal.join("cluster.toml"), &replaced).unwrap();
    let said = import::import(&two, &redeal, &second, &two.join("again")).err().unwrap();
    assert!(said[0].to_string().contains("not the cluster that is replaced"), "{said:?}");
    assert!(!two.join("again").exists(), "nothing is written of what is refused");
    // Replica 3's package in the place of replica 2's.
    std::fs::copy(deal.join("sealed/replica-3.age"), deal.join("sealed/replica-2.age")).unwrap();
    refused(&two, &deal, &plan, "sealed for another key");
}

#[test]
fn a_missing_or_wrong_receipt_keeps_a_deal_from_being_complete() {
    let (_dir, home, _) = rehearsed(4, (1, 1));
    let deal = home.join("deal");
    let cluster = crate::ceremony::cluster_file::read(&deal.join("cluster.toml")).unwrap();
    let file = |index: u8| deal.join(format!("receipts/replica-{index}.receipt"));
    std::fs::remove_file(file(2)).unwrap();
    let lacking = |cluster: &Cluster| receipts::check(cluster, &deal).lacking;
    assert_eq!(lacking(&cluster).iter().map(|id| id.get()).collect::<Vec<_>>(), [2]);
    std::fs::copy(file(1), file(2)).unwrap();
    let found = receipts::check(&cluster, &deal);
    assert!(found.problems[0].to_string().contains("is replica 1's"), "{:?}", found.problems);
    // The second deal's receipts are for other bundles.
    std::fs::copy(home.join("redeal/receipts/replica-2.receipt"), file(2)).unwrap();
    let found = receipts::check(&cluster, &deal);
    assert!(found.problems[0].to_string().contains("another bundle"), "{:?}", found.problems);
    assert_eq!(found.lacking.len(), 1);
}
