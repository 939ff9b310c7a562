//! Zones come, go and change while the cluster runs.

mod catalog;
mod history;
mod operators;
mod parcels;
mod replace;

use super::*;
use crate::codec::Digest;
use crate::dns::Rcode;
use crate::limits::{MAX_SIGNATURES_BY_COMMAND, PIPELINE_BATCHES};
use crate::time::{SECOND, UnixMillis};
use crate::zone::{
    Contents, Denial, Machine, NewZone, Parcel, Reads, Request, Role, SerialRule, Validity, ZoneNews,
};

const RECORDS: &str = "ORIGIN 300 SOA ns. admin. 7 1 1 1 100
    ORIGIN 300 NS ns.
    www.ORIGIN 60 A 192.0.2.1";

/// Records of a zone with this origin.
fn zone_text(origin: &str) -> String {
    RECORDS.replace("ORIGIN", origin)
}

/// The names of complete bundles of two of the four fixed keys, KSK and ZSK, for a zone with this origin.
fn bundles(bench: &mut Bench, origin: &str, pair: usize) -> [Digest; 2] {
    let home = std::mem::replace(&mut bench.origin, name(origin));
    let names = [(Role::Ksk, 2 * pair), (Role::Zsk, 2 * pair + 1)]
        .map(|(role, which)| Digest::from_hex(&bench.complete(role, 8, which)).unwrap());
    bench.origin = home;
    names
}

fn new_zone([ksk, zsk]: [Digest; 2], origin: &str, text: &str) -> NewZone {
    NewZone {
        policy: vec!["grant updater. zonesub ANY".into()],
        reads: Reads::Local,
        serial: SerialRule::Increment,
        validity: Validity::default(),
        dnskey_ttl: 60,
        denial: Denial::Nsec,
        ksk,
        zsk,
        records: Contents::sets(&name(origin), &records(text)).unwrap(),
    }
}

fn parcel(contents: &Contents) -> Parcel {
    Parcel::new(contents.to_bytes()).unwrap()
}

fn pieces(parcel: &Parcel) -> Vec<Request> {
    (0..parcel.count()).map(|index| parcel.piece(index).unwrap()).collect()
}

/// A quorum votes for a command that takes these contents, and they are carried; why it was refused, if it was.
fn with_contents(bench: &mut Bench, before: &str, contents: &Contents, after: &str) -> Option<String> {
    let parcel = parcel(contents);
    let text = format!("{before} {}{after}", parcel.name().to_hex());
    let mut requests = bench.votes_for(&text);
    requests.extend(pieces(&parcel));
    let _ = bench.execute(&requests);
    bench.decision(&text)
}

fn add(bench: &mut Bench, origin: &str, pair: usize) -> Option<String> {
    let keys = bundles(bench, origin, pair);
    let new = new_zone(keys, origin, &zone_text(origin));
    with_contents(bench, &format!("zone {origin} add"), &Contents::Zone(Box::new(new)), "")
}

fn update_of(bench: &mut Bench, origin: &str, text: &str) -> Rcode {
    let home = std::mem::replace(&mut bench.origin, name(origin));
    let rcode = bench.update(text);
    bench.origin = home;
    rcode
}

#[test]
fn a_zone_comes_is_signed_and_takes_updates_and_goes_with_its_keys() {
    let mut bench = bench();
    let _ = bench.sign_all();
    assert_eq!(add(&mut bench, "added.", 0), None);
    let added =
        bench.machine.charters().into_iter().find(|one| one.charter.origin == name("added.")).unwrap();
    assert_eq!((added.version, added.charter.born), (bench.machine.batches(), bench.machine.batches()));
    let signed = bench.sign_all();
    assert_eq!((signed.failures.len(), signed.published.len()), (0, 1));
    let view = bench.machine.view(&name("added.")).unwrap();
    assert!(is_signed(&view, "www.added.", RrType::A) && is_signed(&view, "added.", RrType::DNSKEY));
    assert_eq!(view.serial(), 7, "as it was given");
    assert_eq!(update_of(&mut bench, "added.", "add a.added. 60 A 192.0.2.9"), Rcode::NOERROR);
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
    let keys = bench.machine.signing_keys();
    assert_eq!(keys.len(), 4);

    assert_eq!(bench.command("zone added. remove"), None);
    assert!(bench.machine.view(&name("added.")).is_none());
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
    assert!(bench.machine.pending_jobs().is_empty(), "nothing waits for its signatures");
    assert_eq!(update_of(&mut bench, "added.", "add b.added. 60 A 192.0.2.9"), Rcode::NOTAUTH);
    for _ in 2..PIPELINE_BATCHES {
        assert_eq!(bench.machine.signing_keys(), keys, "others may lack signatures");
        let settle = Request::Settle { batches: bench.machine.batches() };
        assert!(bench.machine.due(UnixMillis(bench.now.0)).contains(&settle));
        let _ = bench.execute(&[]);
    }
    let _ = bench.execute(&[]);
    assert_eq!(bench.machine.signing_keys().len(), 2);
    let retired: Vec<_> = bench.machine.retired_keys().map(|one| one.key).collect();
    assert!(keys.difference(&bench.machine.signing_keys()).all(|key| retired.contains(key)));
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}

#[test]
fn a_zone_that_comes_again_never_goes_back_and_never_takes_an_old_key() {
    let mut bench = bench();
    assert_eq!(add(&mut bench, "added.", 0), None);
    let _ = bench.sign_all();
    for at in 0..3 {
        assert_eq!(
            update_of(&mut bench, "added.", &format!("add a{at}.added. 60 A 192.0.2.9")),
            Rcode::NOERROR
        );
    }
    let _ = bench.sign_all();
    let before = bench.machine.version(&name("added."));
    // Gone and back in one batch.
    let keys = bundles(&mut bench, "added.", 1);
    let new = Contents::Zone(Box::new(new_zone(keys, "added.", &zone_text("added."))));
    let parcel = parcel(&new);
    let remove = bench.votes_for("zone added. remove");
    let mut requests = remove;
    requests.extend(bench.votes_for(&format!("zone added. add {}", parcel.name().to_hex())));
    requests.extend(pieces(&parcel));
    let executed = bench.execute(&requests);
    assert_eq!(executed.zones, [ZoneNews::Removed(name("added.")), ZoneNews::Added(name("added."))]);
    assert_eq!(bench.sign_all().failures, []);
    assert!(bench.machine.version(&name("added.")) > before);
    assert_eq!(
        bench.machine.view(&name("added.")).unwrap().iter().count(),
        2,
        "nothing of the former is left"
    );
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());

    assert_eq!(bench.command("zone added. remove"), None);
    for wait in [0, PIPELINE_BATCHES] {
        (0..wait).for_each(|_| _ = bench.execute(&[]));
        for pair in [0, 1] {
            let why = add(&mut bench, "added.", pair).expect("the key was used");
            assert!(why.contains("in use") || why.contains("used before"), "{why}");
        }
    }
}

#[test]
fn what_is_no_zone_of_ours_is_not_added() {
    let mut bench = bench();
    let why = |bench: &mut Bench, origin: &str, change: &dyn Fn(&mut NewZone)| {
        let keys = bundles(bench, "new.", 0);
        let mut new = new_zone(keys, "new.", &zone_text("new."));
        change(&mut new);
        with_contents(bench, &format!("zone {origin} add"), &Contents::Zone(Box::new(new)), "")
            .expect("refused")
    };
    let is = |why: String, part: &str| assert!(why.contains(part), "{why}");
    is(why(&mut bench, "example.", &|_| ()), "there is a zone example.");
    is(why(&mut bench, "other.", &|_| ()), "another zone's");
    is(why(&mut bench, "new.", &|new| new.ksk = Digest::default()), "no bundle");
    is(why(&mut bench, "new.", &|new| (new.ksk, new.zsk) = (new.zsk, new.ksk)), "a KSK and a ZSK");
    is(why(&mut bench, "new.", &|new| new.zsk = new.ksk), "a KSK and a ZSK");
    is(why(&mut bench, "new.", &|new| new.policy = vec!["grant".into()]), "grant");
    is(
        why(&mut bench, "new.", &|new| new.policy = vec!["deny a. zonesub".into(); 2_000]),
        "a policy has at most",
    );
    is(why(&mut bench, "new.", &|new| new.validity.refresh = 0), "at the soonest");
    is(why(&mut bench, "new.", &|new| new.validity.refresh = new.validity.lifetime), "before they expire");
    is(why(&mut bench, "new.", &|new| new.validity.jitter = new.validity.lifetime), "before they expire");
    is(why(&mut bench, "new.", &|new| new.validity.lifetime = 400 * 86_400), "a year at most");
    is(why(&mut bench, "new.", &|new| new.validity.backdate = 400 * 86_400), "a year at most");
    is(why(&mut bench, "new.", &|new| new.dnskey_ttl = 8 * 86_400), "more than a week");
    let many = |new: &mut NewZone| {
        let (name, set) = new.records.pop().unwrap();
        new.records.extend(vec![(name, set); MAX_SIGNATURES_BY_COMMAND]);
    };
    is(why(&mut bench, "new.", &many), "would have to be made");
    is(why(&mut bench, "new.", &|new| new.records.clear()), "no SOA");
    is(why(&mut bench, "new.", &|new| new.records.truncate(1)), "no");
    let foreign = Contents::sets(&name("else."), &records(&zone_text("else."))).unwrap();
    is(why(&mut bench, "new.", &|new| new.records = foreign.clone()), "outside the zone");
    // Nothing of all that is left, and the zone can still come.
    assert_eq!(bench.machine.charters().len(), 1);
    assert_eq!(add(&mut bench, "new.", 0), None);
    is(bench.command("zone other. remove").unwrap(), "there is no zone other.");
    assert_eq!(bench.command("zone new. remove"), None);
    is(bench.command("zone example. remove").unwrap(), "the last zone");
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}

#[test]
fn a_zone_goes_with_what_waits_for_it() {
    let mut bench = bench();
    assert_eq!(add(&mut bench, "added.", 0), None);
    let policy = parcel(&Contents::Policy(vec![]));
    let waiting = format!("zone added. policy {}", policy.name().to_hex());
    let votes = bench.votes_for(&waiting);
    let _ = bench.execute(&votes);
    assert_eq!(bench.machine.awaited().len(), 1);
    let open = bench.votes_for("zone added. freeze");
    let _ = bench.execute(&open[..2]);
    assert_eq!(bench.command("zone added. remove"), None);
    let (open, decided) = bench.machine.votes();
    assert_eq!(open, [], "votes about a zone are about no other of that name");
    let given_up = decided.iter().find(|one| one.command.to_string() == waiting).unwrap();
    assert_eq!(given_up.refused.as_deref(), Some("the zone was removed"));
    assert_eq!(bench.machine.awaited(), []);
}

#[test]
fn a_frozen_zone_refuses_updates_and_goes_on_otherwise() {
    let mut bench = bench();
    assert_eq!(bench.command("zone example. thaw"), Some("the zone is not frozen".into()));
    assert_eq!(bench.command("zone example. freeze"), None);
    assert_eq!(bench.command("zone example. freeze"), Some("the zone is frozen already".into()));
    let request = bench.signed("add a.example. 60 A 192.0.2.9");
    let executed = bench.execute(&[request]);
    assert_eq!(executed.outcomes[0].rcode, Rcode::REFUSED);
    let refusal = executed.outcomes[0].account.as_ref().unwrap().refusal.clone().unwrap();
    assert_eq!(*refusal, crate::zone::Refusal::Frozen(name("example.")));
    let records = Contents::Records(Contents::sets(&bench.origin, &records(ZONE)).unwrap());
    assert_eq!(with_contents(&mut bench, "zone example. replace", &records, ""), None);
    let serial = bench.machine.head(&bench.origin).serial();
    bench.now.0 += 9 * 86_400 * SECOND;
    let due = bench.machine.due(UnixMillis(bench.now.0));
    assert!(matches!(due[..], [Request::Refresh { .. }]), "{due:?}");
    let _ = bench.execute(&due);
    assert_eq!(bench.machine.head(&bench.origin).serial(), serial + 1);
    assert_eq!(bench.command("zone example. thaw"), None);
    assert_eq!(bench.update("add a.example. 60 A 192.0.2.9"), Rcode::NOERROR);
}

#[test]
fn a_new_policy_judges_the_next_update_in_the_same_batch() {
    let mut bench = Bench::with_policy("example.", ZONE, &["grant updater. zonesub A", "guard * floor 100"]);
    let policy = parcel(&Contents::Policy(vec!["grant  updater. zonesub TXT;".into()]));
    let votes = bench.votes_for(&format!("zone example. policy {}", policy.name().to_hex()));
    let _ = bench.execute(&votes);
    let a = bench.signed("add a.example. 60 A 192.0.2.9");
    let txt = bench.signed("add a.example. 60 TXT x");
    let (late_a, late_txt) =
        (bench.signed("add b.example. 60 A 192.0.2.9"), bench.signed("add b.example. 60 TXT x"));
    let executed = bench.execute(&[a, txt, policy.piece(0).unwrap(), late_a, late_txt]);
    let rcodes: Vec<_> = executed.outcomes.iter().map(|one| one.rcode).collect();
    assert_eq!(rcodes, [Rcode::NOERROR, Rcode::REFUSED, Rcode::NOERROR, Rcode::REFUSED, Rcode::NOERROR]);
    assert_eq!(bench.machine.charters()[0].charter.policy, ["grant updater. zonesub TXT"]);
    let bad = Contents::Policy(vec!["guard * keep".into()]);
    assert!(with_contents(&mut bench, "zone example. policy", &bad, "").is_some());
    assert_eq!(bench.machine.charters()[0].charter.policy, ["grant updater. zonesub TXT"], "all or nothing");
}

/// With the one zone the other's shares would go.
#[test]
fn a_key_that_was_dealt_for_two_zones_is_used_in_one() {
    for gone in [false, true] {
        let mut bench = bench();
        // The same keys, under other names.
        let spare = bundles(&mut bench, "example.", 0)[1].to_hex();
        let begin = format!("keys example. begin {spare}");
        assert_eq!(add(&mut bench, "added.", 0), None);
        if gone {
            assert_eq!(bench.command("zone added. remove"), None);
            (0..=PIPELINE_BATCHES).for_each(|_| _ = bench.execute(&[]));
        }
        let why = bench.command(&begin).unwrap();
        assert!(why.contains("in another zone"), "gone: {gone}: {why}");
        let why = add(&mut bench, "third.", 0).unwrap();
        assert!(why.contains("in another zone"), "gone: {gone}: {why}");
    }
}

/// A client that was told of a refusal must not find it done when operators have changed their minds.
#[test]
fn a_refused_update_does_not_come_to_life_with_a_command() {
    for way in 0..3 {
        let policy = if way == 1 { "grant other. zonesub ANY" } else { "grant updater. zonesub ANY" };
        let mut bench = Bench::with_policy("example.", ZONE, &[policy]);
        let origin = if way == 2 { "added." } else { "example." };
        if way == 0 {
            assert_eq!(bench.command("zone example. freeze"), None);
        }
        let home = std::mem::replace(&mut bench.origin, name(origin));
        let update = bench.signed(&format!("add a.{origin} 60 A 192.0.2.9"));
        bench.origin = home;
        let told: Vec<_> =
            bench.execute(&[update.clone(), update.clone()]).outcomes.iter().map(|one| one.rcode).collect();
        let rcode = if way == 2 { Rcode::NOTAUTH } else { Rcode::REFUSED };
        assert_eq!(told, [rcode; 2], "way {way}");
        let done = match way {
            0 => bench.command("zone example. thaw"),
            1 => {
                let policy = Contents::Policy(vec!["grant updater. zonesub ANY".into()]);
                with_contents(&mut bench, "zone example. policy", &policy, "")
            }
            _ => add(&mut bench, "added.", 0),
        };
        assert_eq!(done, None);
        let serial = bench.machine.head(&name(origin)).serial();
        let again = bench.execute(&[update]);
        assert_eq!(
            (again.outcomes[0].rcode, bench.machine.head(&name(origin)).serial()),
            (rcode, serial),
            "way {way}"
        );
        assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
    }
}
