//! The catalog zone, as RFC 9432 has a producer make it.

use super::*;

fn catalog(bench: &Bench) -> std::sync::Arc<View> {
    bench.machine.catalog().unwrap().view.clone()
}

/// Owner and target of each member's PTR.
fn members(view: &View) -> Vec<(String, String)> {
    let of = |node: &crate::zone::Node| {
        let owner = node.name().to_string();
        let target = data(view, &owner, RrType::PTR).pop()?;
        Some((target, owner))
    };
    let mut members: Vec<_> = view.iter().filter_map(of).collect();
    members.sort();
    members
}

/// RFC 9432 §4, §4.1, §4.2, §4.3.1: a SOA, and one NS, `invalid.`; a PTR under `zones` for each zone, alone at a label of its
/// own; the version is 2; TTLs say nothing.
#[test]
fn the_catalog_lists_the_zones_and_is_there_at_once() {
    let mut bench = bench();
    assert!(bench.machine.catalog().is_none());
    let votes = bench.votes_for("catalog zones.invalid.");
    let executed = bench.execute(&votes);
    assert_eq!(executed.published.len(), 1);
    let view = catalog(&bench);
    assert!(view.is_catalog() && !bench.view().is_catalog());
    assert_eq!(data(&view, "zones.invalid.", RrType::NS), ["invalid."]);
    assert_eq!(data(&view, "zones.invalid.", RrType::SOA).len(), 1);
    assert_eq!(data(&view, "version.zones.invalid.", RrType::TXT), ["\"2\""]);
    let listed = members(&view);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].0, "example.");
    assert!(listed[0].1.ends_with(".zones.zones.invalid."));
    assert!(
        view.iter().all(|node| node.iter().all(|(_, set)| set.rrset.ttl == 0 && set.rrsigs().is_empty()))
    );
    assert!(bench.machine.pending_jobs().is_empty());
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}

/// RFC 9432 §4.1, §5.4: the serial increases with each change; a zone that comes again has another label.
#[test]
fn a_change_of_the_zones_moves_the_serial_once_and_a_zone_that_comes_again_is_another_member() {
    let mut bench = bench();
    assert_eq!(bench.command("catalog zones.invalid."), None);
    let first = catalog(&bench).serial();
    let _ = bench.execute(&[]);
    assert_eq!(catalog(&bench).serial(), first, "it stays while nothing changes");
    assert_eq!(add(&mut bench, "added.", 0), None);
    let with = catalog(&bench);
    assert!(crate::dns::rrset::serial_gt(with.serial(), first));
    assert_eq!(members(&with).len(), 2);
    let _ = bench.sign_all();
    // Gone and back in one batch: one step.
    let keys = bundles(&mut bench, "added.", 1);
    let parcel = parcel(&Contents::Zone(Box::new(new_zone(keys, "added.", &zone_text("added.")))));
    let mut requests = bench.votes_for("zone added. remove");
    requests.extend(bench.votes_for(&format!("zone added. add {}", parcel.name().to_hex())));
    requests.extend(pieces(&parcel));
    assert_eq!(bench.execute(&requests).published.len(), 1);
    let again = catalog(&bench);
    assert!(crate::dns::rrset::serial_gt(again.serial(), with.serial()));
    let label = |view: &View| members(view).into_iter().find(|(zone, _)| zone == "added.").unwrap().1;
    assert_ne!(label(&again), label(&with));
    assert_eq!(members(&again)[1], members(&with)[1], "the other one keeps its label");
}

#[test]
fn a_catalog_is_no_zone_and_no_zone_is_the_catalog() {
    let mut bench = bench();
    assert!(bench.command("catalog example.").unwrap().contains("one of the cluster's zones"));
    let long = format!("catalog {0}.{0}.{0}.{1}.", "a".repeat(63), "b".repeat(50));
    assert!(bench.command(&long).unwrap().contains("too long"));
    assert_eq!(bench.command("catalog none"), Some("it is so already".into()));
    assert_eq!(bench.command("catalog added."), None);
    assert_eq!(bench.command("catalog added."), Some("it is so already".into()));
    assert!(add(&mut bench, "added.", 0).unwrap().contains("is the catalog zone"));
    let serial = catalog(&bench).serial();
    let gone = bench.votes_for("catalog none");
    let mut requests = gone;
    requests.extend(bench.votes_for("catalog other."));
    let executed = bench.execute(&requests);
    assert_eq!(executed.zones, [ZoneNews::Removed(name("added."))]);
    assert!(crate::dns::rrset::serial_gt(catalog(&bench).serial(), serial), "also under another name");
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}
