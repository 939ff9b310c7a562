//! Zones that are added, changed and removed while four replicas run, with the real programs: by operators' signatures and by
//! replicas' votes, under updates, with a replica that is killed meanwhile; and stock secondaries that follow by the catalog.

use crate::people::ORIGIN;
use crate::secondaries::Secondary;
use crate::tools::{all_output, has, wait_for};
use crate::zoning::{ALL, CATALOG, Client, NEW, Zoning};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

const ZONE: &str = "$TTL 60\n@ SOA ns1 hostmaster 1 1 1 604800 60\n@ NS ns1\nns1 A 127.0.0.1\nwww A 192.0.2.1\n*.w TXT wild\n";
const POLICY: &str = "# TXT alone\ngrant ops zonesub TXT\n";

/// Updates of the zone that is always there, until it is told to stop.
fn load(client: &Client, enough: &AtomicBool) -> u32 {
    let mut count = 0;
    while !enough.load(Ordering::Relaxed) {
        let said = client.update(ORIGIN, &format!("update add l{count}.{ORIGIN} 60 TXT \"{count}\""));
        assert!(said.is_empty(), "update {count}: {said}");
        count += 1;
    }
    count
}

/// Says that it is enough when dropped, also by a failure: the scope waits for who updates.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn zones_come_change_and_go_while_the_cluster_runs() {
    if !["nsupdate", "delv", "dig", "named", "knotd", "age"].into_iter().all(has) {
        return;
    }
    let mut zoning = Zoning::start();
    fs::write(zoning.ceremony.path("new.zone"), ZONE).unwrap();
    fs::write(zoning.ceremony.path("new.policy"), POLICY).unwrap();
    who_may(&zoning);
    zoning.signed_done(&["catalog", CATALOG]);
    let secondaries = [("named", 2), ("knotd", 3)]
        .map(|(vendor, index)| Secondary::start(vendor, CATALOG, zoning.port(index), &zoning.clause()));
    secondaries.iter().for_each(|secondary| serves(&zoning, secondary, ORIGIN, true));

    let first = zoning.deal("new-zone");
    under_updates(&mut zoning, |zoning| {
        // One replica is down while the zone is added, and finds it when it is back.
        zoning.ceremony.kill(4);
        zoning.signed_done(&zoning.add(&first));
        zoning.ceremony.start(4);
        ALL.iter().for_each(|index| zoning.wait_status(*index, NEW, "NOERROR"));
    });
    zoning.agreed(NEW);
    for (name, rtype) in
        [("www.new.test.", "A"), (NEW, "SOA"), ("a.w.new.test.", "TXT"), ("no.new.test.", "A")]
    {
        zoning.validates(&first[1], name, rtype);
    }
    secondaries.iter().for_each(|secondary| serves(&zoning, secondary, NEW, true));
    let label = listed(&zoning);
    by_its_policy(&zoning);
    frozen(&zoning);
    removed(&zoning, &secondaries);

    // It comes again, with other keys, by the votes of replicas.
    let second = zoning.deal("new-zone-2");
    voted(&zoning, &zoning.add(&second));
    ALL.iter().for_each(|index| zoning.wait_status(*index, NEW, "NOERROR"));
    zoning.validates(&second[1], "www.new.test.", "A");
    secondaries.iter().for_each(|secondary| serves(&zoning, secondary, NEW, true));
    assert_ne!(listed(&zoning), label, "RFC 9432 §5.4");
    in_the_next_epoch(&zoning, &second[1]);
    zoning.agreed(NEW);
    zoning.agreed(ORIGIN);
}

/// One operator alone does nothing, and who is none cannot sign; the catalog is not for everybody.
fn who_may(zoning: &Zoning) {
    zoning.ceremony.operator("eve");
    let freeze = ["zone", "freeze", ORIGIN, "--no-wait", "--operator"];
    let said = zoning.ctl(1, &[&freeze[..], &["eve.key"]].concat());
    assert!(all_output(&said).contains("eve is no operator of this cluster"), "{}", all_output(&said));
    zoning.ctl_done(1, &[&freeze[..], &["olga.key"]].concat());
    wait_for("the vote of one operator is open", || {
        zoning.ctl_done(2, &["votes"]).contains("1 of 2 operators: olga").then_some(())
    });
    assert_eq!(zoning.zone(2, ORIGIN).unwrap()["frozen"], false);
    assert_eq!(zoning.catalog_serial(1, true), None, "there is no catalog yet");
}

/// Runs `what` while the other zone is updated.
fn under_updates(zoning: &mut Zoning, what: impl FnOnce(&mut Zoning)) {
    let enough = AtomicBool::new(false);
    let client = zoning.client(1);
    let updates = std::thread::scope(|scope| {
        let updates = scope.spawn(|| load(&client, &enough));
        let stop = Stop(&enough);
        what(zoning);
        drop(stop);
        updates.join().unwrap()
    });
    assert!(updates > 0);
}

/// Waits until a secondary serves a zone, or does so no more.
fn serves(zoning: &Zoning, secondary: &Secondary, zone: &str, wanted: bool) {
    let Secondary { vendor, port, .. } = secondary;
    wait_for(&format!("{vendor} serves {zone}: {wanted}; {}", secondary.log()), || {
        let said = zoning.dig(*port, &["+norec", zone, "SOA"]);
        let serves = said.contains("status: NOERROR") && said.contains("flags: qr aa");
        (serves == wanted).then_some(())
    });
}

/// RFC 9432 §4, §4.1, §4.2, §4.3.1: what a catalog says of both zones; the owner of the new one's PTR.
fn listed(zoning: &Zoning) -> String {
    let key = zoning.ceremony.path("ops.key").display().to_string();
    let said = zoning.dig(zoning.port(4), &["AXFR", CATALOG, "-k", &key, "+nocmd", "+nostats", "+onesoa"]);
    let lines = said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let lines: Vec<Vec<&str>> = lines.filter(|words| words.len() > 4 && words[2] == "IN").collect();
    let of = |rtype: &str| lines.iter().filter(|words| words[3] == rtype).collect::<Vec<_>>();
    assert_eq!((of("SOA").len(), of("NS").len()), (1, 1), "{said}");
    assert_eq!(of("TXT")[..], [&vec!["version.catalog.invalid.", "0", "IN", "TXT", "\"2\""]], "{said}");
    let members = of("PTR");
    let owner = |zone: &str| members.iter().find(|words| words[4] == zone).expect("a member")[0].to_owned();
    assert!(members.len() == 2 && owner(ORIGIN) != owner(NEW), "{said}");
    assert!(owner(NEW).ends_with(".zones.catalog.invalid."), "{said}");
    owner(NEW)
}

fn by_its_policy(zoning: &Zoning) {
    let said = zoning.update(3, NEW, "update add t.new.test. 60 TXT \"by policy\"");
    assert!(said.is_empty(), "{said}");
    let said = zoning.update(3, NEW, "update add a.new.test. 60 A 192.0.2.9");
    assert!(said.contains("REFUSED"), "{said}");
}

fn frozen(zoning: &Zoning) {
    zoning.signed_done(&["zone", "freeze", NEW]);
    let add = "update add f.new.test. 60 TXT \"frozen\"";
    let said = zoning.update(2, NEW, add);
    assert!(said.contains("REFUSED"), "{said}");
    wait_for("it is explained", || zoning.ctl_done(2, &["explain"]).contains("frozen").then_some(()));

    // An edited export takes its place, but only of what it was made from.
    let export = zoning.agreed(NEW);
    let serial = zoning.zone(1, NEW).unwrap()["serial"].to_string();
    let edited = export.replace("192.0.2.1\n", "192.0.2.111\n") + "edit.new.test. 60 TXT \"edited\"\n";
    assert_ne!(edited, export);
    fs::write(zoning.ceremony.path("edited.zone"), edited).unwrap();
    let replace = ["zone", "replace", NEW, "--file", "edited.zone"];
    let said = all_output(&zoning.ctl(1, &[&replace[..], &["--operator", "olga.key"]].concat()));
    assert!(said.contains("1 RRsets added, 1 changed, 0 removed") && said.contains("say --yes"), "{said}");
    zoning.signed_refused(&[&replace[..], &["--yes", "--if-serial", "4000000000"]].concat(), "serial is");
    zoning.signed_done(&[&replace[..], &["--yes", "--if-serial", &serial]].concat());
    let after = wait_for("the edited zone is served everywhere", || {
        let after = zoning.agreed(NEW);
        after.contains("edit.new.test.").then_some(after)
    });
    // What stayed the same is not signed anew.
    let signature = |zone: &str| {
        zone.lines()
            .find(|line| line.starts_with("ns1.new.test.") && line.contains("RRSIG\tA "))
            .map(str::to_owned)
    };
    assert!(signature(&export).is_some() && signature(&export) == signature(&after), "{export}\n{after}");

    zoning.signed_done(&["zone", "thaw", NEW]);
    let said = zoning.update(2, NEW, add);
    assert!(said.is_empty(), "{said}");
    fs::write(zoning.ceremony.path("wider.policy"), "grant ops zonesub ANY\n").unwrap();
    zoning.signed_done(&["zone", "policy", NEW, "--policy", "wider.policy"]);
    let said = zoning.update(3, NEW, "update add a.new.test. 60 A 192.0.2.9");
    assert!(said.is_empty(), "{said}");
}

fn removed(zoning: &Zoning, secondaries: &[Secondary]) {
    let before = zoning.catalog_serial(1, true).expect("the catalog's serial");
    assert_eq!(zoning.catalog_serial(1, false), None, "the catalog is not for everybody");
    assert!(ALL.iter().all(|index| zoning.bundle_files(*index).len() == 2));
    zoning.signed_done(&["zone", "remove", NEW, "--yes"]);
    for index in ALL {
        zoning.wait_status(index, NEW, "REFUSED");
        wait_for("the catalog moves", || (zoning.catalog_serial(index, true)? > before).then_some(()));
        // What they signed must be known to be signed first, which later batches show.
        wait_for("the shares are gone", || {
            let said = zoning.update(1, ORIGIN, &format!("update add gone{index}.{ORIGIN} 60 TXT x"));
            assert!(said.is_empty(), "{said}");
            zoning.bundle_files(index).is_empty().then_some(())
        });
    }
    secondaries.iter().for_each(|secondary| serves(zoning, secondary, NEW, false));
}

/// The next epoch's deal takes the zone that was added, with the keys out of the backup of their deal.
fn in_the_next_epoch(zoning: &Zoning, ksk: &str) {
    let added = format!("\n[[zone]]\norigin = \"{NEW}\"\nfile = \"new.zone\"\nserial = \"increment\"\n");
    let words = zoning.ceremony.next_plan("replica-", &added);
    let mut redeal =
        vec!["conclave-dealer", "redeal", "--plan", "second.toml", "--cluster", "deal/cluster.toml"];
    redeal.extend(["--out", "redeal", "--words", &words, "--identity", "alice.txt", "--identity", "bob.txt"]);
    let files = |name: &str| ["deal", "new-zone-2"].map(|deal| format!("{deal}/backup/{name}.age"));
    let (backups, alice, bob) = (files("backup"), files("custodian-alice"), files("custodian-bob"));
    backups.iter().for_each(|file| redeal.extend(["--backup", file]));
    alice.iter().chain(&bob).for_each(|file| redeal.extend(["--part", file]));
    zoning.ceremony.done(&redeal);
    let key = zoning.ceremony.done(&["conclave-dealer", "dnskey", ksk]);
    let keys = zoning.ceremony.done(&["conclave-dealer", "dnskey", "redeal", "--zone", NEW]);
    assert!(keys.contains(key.trim()), "{key}{keys}");
}

/// A quorum of replicas votes, and it is done.
fn voted(zoning: &Zoning, words: &[&str]) {
    for index in [1, 2] {
        zoning.ctl_done(index, &[words, &["--no-wait"]].concat());
    }
    let said = zoning.ctl_done(3, words);
    assert!(said.ends_with(": done\n"), "{said}");
}
