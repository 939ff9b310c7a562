//! What refuses an update is told alike everywhere; guards; the audit's accounts.

use super::*;
use crate::dns::{Name, Rcode};
use crate::zone::{Account, Refusal, Ticket};

/// What the audit is told of one update, a batch of its own.
fn account(bench: &mut Bench, text: &str) -> Account {
    let request = bench.signed(text);
    Account::clone(bench.execute(&[request]).outcomes[0].account.as_ref().unwrap())
}

/// Why it is refused.
fn why(bench: &mut Bench, text: &str) -> String {
    let Account { refusal, .. } = account(bench, text);
    refusal.map_or_else(|| "done".into(), |refusal| refusal.to_string())
}

/// RFC 8914 §2: a refusal is explained, and its text says which rule, prerequisite or limit it was.
#[test]
fn each_refusal_names_what_refused_it_and_what_to_do() {
    let rules = [
        "grant updater. zonesub A TXT",
        "deny updater. name www.example. TXT",
        "grant updater. zonesub CDS SOA",
    ];
    let cases: [(&str, Rcode, &str); 11] = [
        ("yxrrset a.example. A", Rcode::NXRRSET, "prerequisite 1 does not hold: a.example. A must be there"),
        (
            "yxdomain example.\nnxdomain www.example.",
            Rcode::YXDOMAIN,
            "prerequisite 2 does not hold: there must be no records",
        ),
        ("yxdomain a.example.", Rcode::NXDOMAIN, "there must be records at a.example."),
        ("nxrrset www.example. A", Rcode::YXRRSET, "www.example. A must not be there"),
        ("yxrrset www.example. A 192.0.2.1", Rcode::NXRRSET, "exactly the 1 records"),
        ("add a.test. 60 A 192.0.2.1", Rcode::NOTZONE, "a.test. is not in the zone"),
        ("add a.example. 60 NSEC b. A", Rcode::REFUSED, "the cluster makes"),
        (
            "add a.example. 60 MX 1 b.",
            Rcode::REFUSED,
            "no rule of the policy lets the key updater. change a.example. MX",
        ),
        ("del alias.example.", Rcode::REFUSED, "alias.example. CNAME"),
        ("del a.deep.below.example.", Rcode::NOERROR, "done"),
        ("add www.example. 60 TXT x", Rcode::NOERROR, "done"),
    ];
    for (text, rcode, reason) in cases {
        let mut bench = Bench::with_policy("example.", ZONE, &rules);
        let told = account(&mut bench, text);
        let got = told.refusal.as_ref().map_or(Rcode::NOERROR, |refusal| refusal.rcode());
        assert_eq!(got, rcode, "{text}");
        let shown = told.refusal.as_ref().map_or("done".into(), |refusal| refusal.to_string());
        assert!(shown.contains(reason), "{text}: {shown}");
        assert!(
            told.refusal.is_none_or(|refusal| !refusal.remedy().is_empty() && refusal.brief().len() < 80),
            "{text}"
        );
    }
    let mut bench = Bench::with_policy(
        "example.",
        ZONE,
        &["deny updater. name www.example. TXT", "grant updater. zonesub TXT"],
    );
    assert!(why(&mut bench, "add www.example. 60 TXT x").contains("rule 1 denies"));
    let mut bench = Bench::with_policy("example.", ZONE, &["grant other. zonesub"]);
    assert!(
        why(&mut bench, "add www.example. 60 TXT x")
            .contains("no rule in the policy of example. is about the key updater.")
    );
}

/// RFC 8945 §5.2.3: what the clocks differ by is told.
#[test]
fn a_signature_that_does_not_hold_is_told_with_key_algorithm_and_clock() {
    use crate::dns::tsig::{self, TsigAlgorithm, TsigKey};
    let mut bench = bench();
    let plain = message(1, &bench.origin, &[], &[record("x.example. 60 A 192.0.2.1")]);
    let signed = |key: &TsigKey, secs: u64| {
        let mut wire = plain.clone();
        tsig::sign_request(&mut wire, key, secs);
        crate::zone::Request::Update { wire }
    };
    let key = |owner: &str, algorithm| TsigKey::new(name(owner), algorithm, vec![7; 32]);
    let now = bench.now.secs();
    let requests = [
        signed(&key("updater.", TsigAlgorithm::HmacSha512), now),
        signed(&key("stranger.", TsigAlgorithm::HmacSha256), now),
        signed(&key("updater.", TsigAlgorithm::HmacSha256), now - 1_000),
        signed(&key("updater.", TsigAlgorithm::HmacSha256), now + 1_000),
    ];
    let outcomes = bench.execute(&requests).outcomes;
    let told: Vec<String> = outcomes
        .iter()
        .map(|one| one.account.as_ref().unwrap().refusal.as_ref().unwrap().to_string())
        .collect();
    assert_eq!(told[0], "BADKEY: the key updater. is for hmac-sha256, and the client used hmac-sha512");
    assert_eq!(told[1], "BADKEY: the cluster has no key stranger.");
    assert_eq!(told[2], "BADTIME: the signature by updater. ended 701 seconds ago");
    assert_eq!(told[3], "BADTIME: the signature by updater. begins in 699 seconds");
    assert!(outcomes.iter().all(|one| one.account.as_ref().unwrap().signer.is_none()));
}

/// RFC 2136 §3.7: a repeat is known as one, and has its first's ticket.
#[test]
fn tickets_are_of_what_is_signed_and_accounts_say_what_was_done() {
    let mut bench = bench();
    let request = bench.signed(
        "add a.example. 60 A 192.0.2.1\nadd a.example. 60 A 192.0.2.2\ndel www.example. A 192.0.2.80",
    );
    let executed = bench.execute(&[request.clone(), request.clone()]);
    let again = bench.execute(std::slice::from_ref(&request));
    let of =
        |outcomes: &[crate::zone::Outcome], at: usize| Account::clone(outcomes[at].account.as_ref().unwrap());
    let (first, second, third) =
        (of(&executed.outcomes, 0), of(&executed.outcomes, 1), of(&again.outcomes, 0));
    assert_eq!((first.added, first.deleted, first.asked, first.serial), (2, 1, 3, Some(6)));
    assert_eq!(
        first.told,
        ["+a.example. 60 A 192.0.2.1", "+a.example. 60 A 192.0.2.2", "-www.example. A 192.0.2.80"]
    );
    assert_eq!((first.ticket, first.ticket), (second.ticket, third.ticket));
    for repeat in [second, third] {
        assert_eq!(repeat.refusal.map(|refusal| *refusal), Some(Refusal::Repeat(Rcode::NOERROR)));
    }
    let long: String = (0..20).map(|i| format!("add b{i}.example. 60 TXT {}\n", "x".repeat(200))).collect();
    let told = account(&mut bench, &long);
    assert!(
        told.told.len() == 8 && told.asked == 20 && told.told.iter().all(|line| line.chars().count() <= 161)
    );
    assert_eq!(Ticket::parse(&told.ticket.to_string()), Some(told.ticket));
}

#[test]
fn a_trial_says_what_execution_would_and_leaves_nothing_behind() {
    let bench = Bench::with_policy("example.", ZONE, &["grant updater. zonesub A", "guard * ceiling 1 3600"]);
    let before = bench.machine.digest();
    for text in [
        "add a.example. 60 A 192.0.2.1",
        "add a.example. 60 TXT x",
        "yxdomain b.example.",
        "del www.example. A",
        "del www.example. A 192.0.2.80",
    ] {
        let (prerequisites, updates) = script(text);
        let wire = message(1, &bench.origin, &prerequisites, &updates);
        let tried = bench.machine.trial(&wire, &name("updater."));
        assert_eq!(bench.machine.digest(), before, "{text}");
        let mut other =
            Bench::with_policy("example.", ZONE, &["grant updater. zonesub A", "guard * ceiling 1 3600"]);
        let done = account(&mut other, text);
        assert_eq!(
            (tried.added, tried.deleted, tried.refusal),
            (done.added, done.deleted, done.refusal),
            "{text}"
        );
    }
    let nothing = bench.machine.trial(&[1, 2, 3], &Name::root());
    assert!(matches!(nothing.refusal.as_deref(), Some(Refusal::Malformed(_))));
}

fn guarded(guard: &str) -> Bench {
    Bench::with_policy("example.", ZONE, &["grant updater. zonesub ANY", guard])
}

#[test]
fn a_kept_rrset_may_change_but_not_go() {
    let mut bench = guarded("guard * keep name www.example. A");
    assert_eq!(bench.update("del www.example. A 192.0.2.80"), Rcode::NOERROR);
    let told = why(&mut bench, "del www.example. A 192.0.2.81");
    assert_eq!(
        told,
        "statement 2 of the policy, guard * keep name www.example. A: www.example. A would be empty"
    );
    for text in ["del www.example.", "del www.example. A", "del www.example. A\nadd www.example. 60 CNAME x."]
    {
        assert_eq!(bench.update(text), Rcode::REFUSED, "{text}");
    }
    assert_eq!(bench.update("del www.example. A\nadd www.example. 60 A 192.0.2.99"), Rcode::NOERROR);
    assert_eq!(bench.update("add www.example. 60 TXT x\ndel www.example. TXT"), Rcode::NOERROR);
    // Another key's guard is in nobody else's way.
    assert_eq!(guarded("guard other. keep zonesub").update("del www.example."), Rcode::NOERROR);
}

#[test]
fn what_is_protected_does_not_change_at_all() {
    let mut bench = guarded("guard * protect subdomain sub.example.");
    for text in
        ["del sub.example.", "add x.sub.example. 60 A 192.0.2.1", "add sub.example. 77 NS ns.sub.example."]
    {
        assert!(why(&mut bench, text).contains("would change"), "{text}");
    }
    for text in [
        "add sub.example. 600 NS ns.sub.example.",
        "del nothing.sub.example.",
        "add www.example. 60 A 192.0.2.9",
    ] {
        assert_eq!(bench.update(text), Rcode::NOERROR, "{text}");
    }
}

#[test]
fn a_floor_holds_and_counts_what_came_before() {
    // Ten records count: not the SOA, nor what the cluster makes.
    let mut bench = guarded("guard * floor 10");
    assert_eq!(bench.update("del alias.example. CNAME\nadd new.example. 60 A 192.0.2.1"), Rcode::NOERROR);
    assert!(why(&mut bench, "del new.example.").contains("would be left with 9 records"));
    assert_eq!(bench.update("add more.example. 60 A 192.0.2.1\nadd more.example. 60 TXT x"), Rcode::NOERROR);
    assert_eq!(bench.update("del a.deep.below.example."), Rcode::NOERROR);
    assert!(why(&mut bench, "del more.example.\ndel www.example.").contains("with 7 records"));
    assert_eq!(bench.update("del more.example. TXT"), Rcode::NOERROR);
}

#[test]
fn a_ceiling_bounds_deletions_in_a_window_of_agreed_time_and_is_part_of_the_state() {
    let mut bench = guarded("guard * ceiling 3 1600");
    let mut other = guarded("guard * ceiling 3 1600");
    let lines: String = (0..9).map(|i| format!("add n{i}.example. 60 A 192.0.2.1\n")).collect();
    assert_eq!((bench.update(&lines), other.update(&lines)), (Rcode::NOERROR, Rcode::NOERROR));
    let before = bench.machine.digest();
    assert_eq!(
        bench.update("del n0.example.\ndel n1.example.\ndel n2.example.\ndel n3.example."),
        Rcode::REFUSED
    );
    assert_eq!(bench.update("del n0.example.\ndel n1.example."), Rcode::NOERROR);
    assert_ne!(bench.machine.digest(), before);
    assert!(why(&mut bench, "del n2.example.\ndel n3.example.").contains("2 more records would go, after 2"));
    assert_eq!(bench.update("del n2.example."), Rcode::NOERROR);
    // A slice is 100 seconds; after 17 of them all is forgotten, before 16 nothing.
    bench.now.0 += 1_590 * crate::time::SECOND;
    assert_eq!(bench.update("del n3.example."), Rcode::REFUSED);
    bench.now.0 += 110 * crate::time::SECOND;
    assert_eq!(bench.update("del n3.example.\ndel n4.example.\ndel n5.example."), Rcode::NOERROR);
}

#[test]
fn wrong_guards_say_what_is_wrong() {
    for (guard, reason) in [
        ("guard", "key is missing"),
        ("guard *", "goes on with"),
        ("guard * keep", "rule type is missing"),
        ("guard * keep name", "name is missing"),
        ("guard * floor many", "not a number"),
        ("guard * floor 99999999999999999999", "not a number"),
        ("guard * ceiling 5", "goes on with"),
        ("guard * ceiling 5 0", "1 to"),
        ("guard a..b floor 1", "a..b"),
    ] {
        let error = crate::zone::UpdatePolicy::parse(&[guard]).unwrap_err().to_string();
        assert!(error.contains(reason), "{guard}: {error}");
    }
}

/// BIND's ARM, `update-policy`: a number after a type is how many records there may be; what is more is silently left out.
#[test]
fn a_type_with_a_number_bounds_its_records() {
    let mut bench = Bench::with_policy("example.", ZONE, &["grant updater. zonesub TXT(1) ANY(2)"]);
    let view = bench.publish("add a.example. 60 TXT one\nadd a.example. 60 TXT two\nadd a.example. 60 A 192.0.2.1\nadd a.example. 60 A 192.0.2.2\nadd a.example. 60 A 192.0.2.3");
    assert_eq!(data(&view, "a.example.", RrType::TXT), ["\"one\""]);
    assert_eq!(data(&view, "a.example.", RrType::A), ["192.0.2.1", "192.0.2.2"]);
    let view = bench.publish("del a.example. TXT\nadd a.example. 60 TXT two\nadd a.example. 77 TXT two");
    assert_eq!(data(&view, "a.example.", RrType::TXT), ["\"two\""]);
    assert_eq!(view.node(&name("a.example.")).unwrap().get(RrType::TXT).unwrap().rrset.ttl, 77);
    assert!(crate::zone::UpdatePolicy::parse(&["grant k. zonesub TXT(x)"]).is_err());
}
