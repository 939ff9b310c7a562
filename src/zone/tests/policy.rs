//! The update policy: BIND's vocabulary.

use super::*;
use crate::dns::Rcode;
use crate::zone::UpdatePolicy;

fn allows(rules: &[&str], key: &str, owner: &str, rtype: RrType) -> bool {
    UpdatePolicy::parse(rules).unwrap().allows(&name(key), &name(owner), rtype)
}

/// RFC 3007 §3 and RFC 2136 §3.3.1.
#[test]
fn nothing_is_allowed_by_default() {
    assert!(!allows(&[], "updater.", "www.example.", RrType::A));
    let mut bench = Bench::with_policy("example.", ZONE, &[]);
    assert_eq!(bench.update("add x.example. 60 A 192.0.2.1"), Rcode::REFUSED);
    assert_eq!(bench.update("del www.example."), Rcode::REFUSED);
    assert_eq!(bench.update("del nothing.example."), Rcode::REFUSED);
}

/// RFC 3007 §3.1: by key, by name, by type.
#[test]
fn rule_types_match_as_in_bind() {
    let matrix: [(&str, &[&str], &[&str]); 7] = [
        ("grant k.example. name a.example. A", &["a.example.", "A.EXAMPLE."], &["b.a.example.", "example."]),
        (
            "grant k.example. subdomain a.example. A",
            &["a.example.", "c.b.a.example."],
            &["example.", "xa.example."],
        ),
        ("grant k.example. wildcard *.a.example. A", &["b.a.example.", "c.b.a.example."], &["a.example."]),
        ("grant k.example. zonesub A", &["example.", "x.y.example."], &[]),
        ("grant k.example. self . A", &["k.example."], &["a.k.example.", "example."]),
        ("grant k.example. selfsub * A", &["k.example.", "a.k.example."], &["example."]),
        ("grant k.example. selfwild A", &["a.k.example."], &["k.example."]),
    ];
    for (rule, yes, no) in matrix {
        for owner in yes {
            assert!(allows(&[rule], "k.example.", owner, RrType::A), "{rule}: {owner}");
            assert!(!allows(&[rule], "other.example.", owner, RrType::A), "{rule}: another key");
            assert!(!allows(&[rule], "k.example.", owner, RrType::TXT), "{rule}: another type");
        }
        for owner in no {
            assert!(!allows(&[rule], "k.example.", owner, RrType::A), "{rule}: {owner}");
        }
    }
    assert!(allows(&["grant * self A"], "host.example.", "host.example.", RrType::A));
    assert!(!allows(&["grant *.example. self A"], "host.test.", "host.test.", RrType::A));
}

#[test]
fn the_first_match_decides() {
    let rules = ["deny k. name www.example. A", "grant k. zonesub A AAAA"];
    assert!(!allows(&rules, "k.", "www.example.", RrType::A));
    assert!(allows(&rules, "k.", "www.example.", RrType::AAAA));
    assert!(allows(&rules, "k.", "x.example.", RrType::A));
}

/// RFC 3007 §3.1.1.
#[test]
fn without_types_a_rule_leaves_out_what_moves_the_zone() {
    let rules = ["grant k. zonesub"];
    for rtype in
        [RrType::NS, RrType::SOA, RrType::RRSIG, RrType::NSEC, RrType::NSEC3, RrType::CDS, RrType::CDNSKEY]
    {
        assert!(!allows(&rules, "k.", "example.", rtype), "{rtype}");
        assert!(allows(&["grant k. zonesub ANY"], "k.", "example.", rtype), "{rtype}");
    }
    assert!(allows(&rules, "k.", "example.", RrType::DS) && allows(&rules, "k.", "example.", RrType::TXT));
}

#[test]
fn deleting_a_name_asks_for_every_type_that_is_there() {
    let rules = ["grant updater. zonesub A TXT"];
    let mut bench = Bench::with_policy("example.", ZONE, &rules);
    assert_eq!(bench.update("del alias.example."), Rcode::REFUSED);
    assert_eq!(bench.update("add sub.example. 60 A 192.0.2.1"), Rcode::NOERROR);
    assert_eq!(bench.update("del sub.example."), Rcode::REFUSED, "NS is there too");
    assert_eq!(bench.update("del example."), Rcode::NOERROR, "what the apex keeps does not count");
    assert_eq!(bench.update("del www.example."), Rcode::NOERROR);
    assert_eq!(bench.update("del nothing.example."), Rcode::NOERROR);
}

#[test]
fn wrong_rules_say_what_is_wrong() {
    for (rule, why) in [
        ("allow k. zonesub", "begins with"),
        ("grant k.", "rule type is missing"),
        ("grant k. krb5-self x.", "no rule type"),
        ("grant k. name", "name is missing"),
        ("grant k. wildcard a.example.", "begins with `*.`"),
        ("grant k. zonesub FOO", "no record type"),
        ("grant k. self other.", "the key"),
    ] {
        let error = UpdatePolicy::parse(&[rule]).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

/// A state has a policy as text: whoever restores it must judge like those who did not.
#[test]
fn a_policy_is_the_same_read_again_whatever_ends_its_statements() {
    for text in [
        "grant k. name foo.; ;",
        "grant k. name foo. ;;\t;",
        "grant k. zonesub;",
        "guard k. keep name foo. ; ; ",
    ] {
        let policy = UpdatePolicy::parse(&[text]).unwrap();
        assert_eq!(UpdatePolicy::parse(&policy.statements()), Ok(policy.clone()), "{text}");
        assert!(!policy.statements()[0].contains(';'), "{text}");
    }
    for text in ["grant k. name a;b.", "grant k. name foo.;; A", "grant k; zonesub", "deny k. name a\\\\;b."]
    {
        assert!(UpdatePolicy::parse(&[text]).is_err(), "{text}");
    }
    let escaped = UpdatePolicy::parse(&["grant k. name a\\;b. A;"]).unwrap();
    assert_eq!(UpdatePolicy::parse(&escaped.statements()), Ok(escaped));
}
