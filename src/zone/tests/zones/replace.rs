//! A zone is replaced by what a file says.

use super::*;
use crate::dns::Record;
use crate::dns::rrset::serial_gt;
use crate::zone::Command;
use crate::zone::differential::{Random, random_updates, seeds};
use crate::zone::oracle::Oracle;
use crate::zone::update::CLUSTER_TYPES;
use std::collections::BTreeMap;

fn random_file(random: &mut Random) -> Vec<Record> {
    let mut lines = vec![
        format!(
            "example. {} SOA ns. admin. {} 1 1 1 {}",
            300 + random.below(2),
            random.below(20),
            random.below(3)
        ),
        "example. 3600 NS ns1.example.".to_owned(),
    ];
    let types = ["A 192.0.2", "TXT t", "MX 1 m", "NS ns"];
    for _ in 0..random.below(30) {
        let owner = ["", "a.", "b.a.", "c.b.a.", "*.", "www.", "sub."][random.below(7) as usize];
        let ttl = 60 * (1 + random.below(2));
        let line = match types[random.below(4) as usize] {
            "A 192.0.2" => format!("{owner}example. {ttl} A 192.0.2.{}", random.below(4)),
            "NS ns" if !owner.is_empty() => {
                format!("{owner}example. {ttl} NS ns{}.example.", random.below(2))
            }
            text => format!(
                "{owner}example. {ttl} {}{}{}",
                text.replace("NS ns", "TXT u"),
                random.below(3),
                if text.starts_with("MX") { "." } else { "" }
            ),
        };
        lines.push(line);
    }
    lines.iter().map(|line| record(line)).collect()
}

/// The data of a zone, but for the cluster's types, and with one serial.
fn plain(view: &View) -> BTreeMap<(String, u16), String> {
    let mut plain = BTreeMap::new();
    for node in view.iter() {
        for (rtype, set) in node.data().filter(|(rtype, _)| !CLUSTER_TYPES.contains(rtype)) {
            let mut text = format!("{} {:?}", set.rrset.ttl, set.rrset.rdatas);
            if rtype == RrType::SOA {
                let soa = crate::dns::Soa { serial: 0, ..view.soa_fields() };
                text = format!("{} {:?}", set.rrset.ttl, soa.to_rdata());
            }
            plain.insert((node.name().to_lowercase().to_string(), rtype.0), text);
        }
    }
    plain
}

#[test]
fn the_zone_is_what_the_file_says_and_what_stays_the_same_keeps_its_signatures() {
    for seed in seeds(0..40) {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let at = format!("CONCLAVE_SEED={seed}");
        let mut bench = bench();
        if random.below(2) == 0 {
            assert_eq!(bench.command("denial example. nsec3"), None, "{at}");
        }
        let _ = bench.sign_all();
        for _ in 0..2 {
            let oracle = Oracle::new(bench.origin.clone(), records(ZONE));
            let updates = random_updates(&mut random, &oracle);
            let request = bench.signed_records(&[], &updates);
            let _ = bench.execute(&[request]);
            let _ = bench.sign_all();
            let before = bench.view();
            let file = random_file(&mut random);
            let Ok(sets) = Contents::sets(&bench.origin, &file) else { continue };
            let wanted = crate::zone::load::unsigned(&bench.origin, &file).unwrap();
            assert_eq!(
                with_contents(&mut bench, "zone example. replace", &Contents::Records(sets), ""),
                None,
                "{at}"
            );
            let jobs = bench.machine.pending_jobs().len();
            assert_eq!(bench.sign_all().failures, [], "{at}");
            let after = bench.view();
            assert_eq!(plain(&after), plain(&wanted), "{at}");
            let is_changed = plain(&before) != plain(&wanted);
            let told = wanted.serial();
            let serial = match serial_gt(told, before.serial()) {
                true => told,
                false if is_changed => before.serial() + 1,
                false => before.serial(),
            };
            assert_eq!(after.serial(), serial, "{at}");
            check_signatures(&before, &after, jobs, &at);
            assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest(), "{at}");
        }
    }
}

/// Each RRset that is as it was has the signatures that it had; the others are the jobs.
fn check_signatures(before: &View, after: &View, jobs: usize, at: &str) {
    let mut made = 0;
    for node in after.iter() {
        for (rtype, set) in node.iter().filter(|(_, set)| !set.rrsigs().is_empty()) {
            let old = before.node(node.name()).and_then(|node| node.get(rtype));
            match old.filter(|old| old.rrset == set.rrset && !old.rrsigs().is_empty()) {
                Some(old) => assert_eq!(old.rrsigs(), set.rrsigs(), "{at}: {} {rtype}", node.name()),
                None => made += 1,
            }
        }
    }
    // What is there again as it was before in the same second is not signed twice.
    assert!(jobs <= made, "{at}: {jobs} jobs for {made} RRsets");
}

#[test]
fn the_cluster_s_own_records_stay_and_a_zone_that_has_moved_on_is_left_alone() {
    let mut bench = bench();
    let zsk = bench.complete(Role::Ksk, 8, 0);
    assert_eq!(bench.command(&format!("keys example. begin {zsk}")), None);
    let _ = bench.sign_all();
    let told = data(&bench.view(), "example.", RrType::CDS);
    assert_eq!(told.len(), 2);
    let mut file = records(ZONE);
    file.push(record("new.example. 60 A 192.0.2.7"));
    let contents = Contents::Records(Contents::sets(&bench.origin, &file).unwrap());
    let serial = bench.view().serial();
    let stale = format!(" if-serial {}", serial - 1);
    let why = with_contents(&mut bench, "zone example. replace", &contents, &stale).unwrap();
    assert!(why.contains("serial is"), "{why}");
    let now = format!(" if-serial {serial}");
    assert_eq!(with_contents(&mut bench, "zone example. replace", &contents, &now), None);
    assert_eq!(bench.sign_all().failures, []);
    assert_eq!(data(&bench.view(), "example.", RrType::CDS), told);
    assert!(is_signed(&bench.view(), "new.example.", RrType::A));

    // It moves on between the votes and the last piece.
    let text =
        format!("zone example. replace {} if-serial {}", parcel(&contents).name().to_hex(), serial + 1);
    let votes = bench.votes_for(&text);
    let _ = bench.execute(&votes);
    assert_eq!(bench.update("add more.example. 60 A 192.0.2.8"), Rcode::NOERROR);
    let _ = bench.execute(&pieces(&parcel(&contents)));
    assert!(bench.decision(&text).unwrap().contains("serial is"));
    assert!(bench.machine.head(&bench.origin).node(&name("more.example.")).is_some());
}

#[test]
fn guards_are_for_updates_and_a_file_beside_an_update_makes_one_version() {
    let mut bench =
        Bench::with_policy("example.", ZONE, &["grant updater. zonesub ANY", "guard * protect zonesub ANY"]);
    let mut file = records(ZONE);
    file.retain(|record| record.rtype != RrType::CNAME);
    let contents = parcel(&Contents::Records(Contents::sets(&bench.origin, &file).unwrap()));
    let text = format!("zone example. replace {}", contents.name().to_hex());
    let before = bench.view().serial();
    let mut requests = bench.votes_for(&text);
    requests.extend(pieces(&contents));
    requests.push(bench.signed("add a.example. 60 A 192.0.2.9"));
    let executed = bench.execute(&requests);
    assert_eq!(executed.outcomes.last().unwrap().rcode, Rcode::REFUSED, "the guard");
    assert_eq!(bench.sign_all().published.len(), 1);
    assert_eq!(bench.view().serial(), before + 1);
    assert!(bench.view().node(&name("alias.example.")).is_none());
    assert_eq!(text.parse::<Command>().unwrap().to_string(), text);
}

/// RFC 1982: two steps, each forward, can be one backward.
#[test]
fn two_replacements_in_a_batch_move_the_serial_forward_for_whom_saw_neither() {
    let mut bench = bench();
    let base = bench.machine.head(&bench.origin).serial();
    let half = (1u32 << 31) - 1;
    let mut requests = Vec::new();
    for serial in [base.wrapping_add(half), base.wrapping_add(half).wrapping_add(half)] {
        let text = format!("example. 300 SOA ns. admin. {serial} 1 1 1 100\nexample. 300 NS ns{serial}.");
        let contents = Contents::Records(Contents::sets(&bench.origin, &records(&text)).unwrap());
        let parcel = parcel(&contents);
        requests.extend(bench.votes_for(&format!("zone example. replace {}", parcel.name().to_hex())));
        requests.extend(pieces(&parcel));
    }
    let _ = bench.execute(&requests);
    assert!(bench.machine.votes().1.iter().all(|one| one.refused.is_none()));
    assert!(serial_gt(bench.machine.head(&bench.origin).serial(), base));
}
