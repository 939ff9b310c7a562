//! Proofs of absence by NSEC3: RFC 5155 §7.2, case by case.

use super::*;
use crate::dns::nsec3::NameHash;
use crate::zone::Denial;

fn view() -> Arc<View> {
    static VIEW: OnceLock<Arc<View>> = OnceLock::new();
    VIEW.get_or_init(|| signed::view_with("example.test.", signed::EXAMPLE, Denial::Nsec3)).clone()
}

fn catalog() -> Catalog {
    Catalog::new().with(view(), false)
}

/// The answer with `#NAME` for the owner of an NSEC3 that is the hash of NAME.
fn ask(question: &str) -> String {
    let mut text = render(&ask_in(&catalog(), question));
    for node in view().iter() {
        let mut name = Some(node.name().clone());
        while let Some(here) = name.filter(|name| name.is_subdomain_of(view().origin())) {
            let shown = here.to_string().replace(".example.test.", "").replace("example.test.", "@");
            text = text.replace(&NameHash::of(&here).label(), &format!("#{shown}"));
            name = here.parent();
        }
    }
    text
}

fn check(table: &[Row<'_>]) {
    for (clause, question, sees) in table {
        assert_eq!(&ask(question), sees, "{clause}: {question}");
    }
}

/// Whose NSEC3s there are in the authority section.
fn shown(question: &str) -> Vec<String> {
    let text = ask(question);
    let authority = text.split(" | ").nth(2).unwrap().split(", ");
    let owners = authority.filter_map(|record| record.strip_suffix(" NSEC3"));
    owners.filter(|owner| !owner.contains(' ')).map(str::to_string).collect()
}

/// The name whose NSEC3 covers `name`.
fn covering(name: &str) -> String {
    let name = Name::parse_relative(name, view().origin()).unwrap();
    let view = view();
    let (owner, _) = view.nsec3_covering(&name).expect("no such name");
    let owner = owner.to_string();
    let label = owner.split('.').next().unwrap();
    let names = view
        .iter()
        .flat_map(|node| (2..=node.name().label_count()).map(|labels| node.name().ancestor(labels)));
    let found = names.into_iter().find(|name| NameHash::of(name).label() == label).expect("a hash of a name");
    format!("#{}", found.to_string().replace(".example.test.", "").replace("example.test.", "@"))
}

/// RFC 5155 §7.2.1, §7.2.2: a name error has the closest encloser's NSEC3, one that covers the next closer name, and one that
/// covers the asterisk.
#[test]
fn name_errors() {
    for (question, encloser, next_closer, asterisk) in [
        ("nothing A do", "@", "nothing", "*"),
        ("a.b.nothing A do", "@", "nothing", "*"),
        ("x.deep.under.ent A do", "deep.under.ent", "x.deep.under.ent", "*.deep.under.ent"),
        ("x.ent A do", "ent", "x.ent", "*.ent"),
        ("x.here.wild A do", "here.wild", "x.here.wild", "*.here.wild"),
        ("dangling A do", "@", "nothing", "*"),
    ] {
        let mut expected = vec![format!("#{encloser}")];
        for covered in [covering(next_closer), covering(asterisk)] {
            if !expected.contains(&covered) {
                expected.push(covered);
            }
        }
        assert_eq!(shown(question), expected, "{question}");
        assert!(ask(question).starts_with("NXDOMAIN aa"), "{question}");
    }
}

/// RFC 5155 §7.2.3: no data has the NSEC3 that matches the name, an empty non-terminal's too; §7.2.4: a DS that is not there.
#[test]
fn no_data() {
    check(&[
        (
            "RFC 5155 §7.2.3: the type is not there",
            "web TXT do",
            "NOERROR aa |  | @ SOA, @ RRSIG SOA, #web NSEC3, #web RRSIG NSEC3 |",
        ),
        (
            "RFC 5155 §7.2.3: an empty non-terminal",
            "under.ent A do",
            "NOERROR aa |  | @ SOA, @ RRSIG SOA, #under.ent NSEC3, #under.ent RRSIG NSEC3 |",
        ),
        ("RFC 2308 §2.2: without DO", "under.ent A", "NOERROR aa |  | @ SOA |"),
        (
            "RFC 5155 §7.2.3: an asterisk asked for itself",
            "*.wild MX do",
            "NOERROR aa |  | @ SOA, @ RRSIG SOA, #*.wild NSEC3, #*.wild RRSIG NSEC3 |",
        ),
        (
            "RFC 5155 §7.2.4: no DS at an unsigned delegation",
            "lame DS do",
            "NOERROR aa |  | @ SOA, @ RRSIG SOA, #lame NSEC3, #lame RRSIG NSEC3 |",
        ),
        (
            "RFC 5155 §4: NSEC3PARAM at the apex",
            "@ NSEC3PARAM do",
            "NOERROR aa | @ NSEC3PARAM 1 0 0 -, @ RRSIG NSEC3PARAM |  |",
        ),
        (
            "RFC 5155 §7.2.3: an alias is not denied, so it is followed, also for what it could stand beside",
            "www NSEC do",
            "NOERROR aa | www CNAME web, www RRSIG CNAME | @ SOA, @ RRSIG SOA, #web NSEC3, #web RRSIG NSEC3 |",
        ),
        (
            "RFC 5155 §7.1: there is no NSEC",
            "web NSEC do",
            "NOERROR aa |  | @ SOA, @ RRSIG SOA, #web NSEC3, #web RRSIG NSEC3 |",
        ),
    ]);
}

/// RFC 5155 §7.2.5: an asterisk without the type has the closest encloser's, one that covers the next closer name, its own.
#[test]
fn wildcards_without_the_type() {
    for (question, encloser, next_closer, asterisk) in
        [("x.wild MX do", "wild", "x.wild", "*.wild"), ("x.odd A do", "odd", "x.odd", "*.odd")]
    {
        let mut expected = vec![format!("#{encloser}"), covering(next_closer), format!("#{asterisk}")];
        expected.dedup();
        assert_eq!(shown(question), expected, "{question}");
        assert!(ask(question).starts_with("NOERROR aa |  |"), "{question}");
    }
}

/// RFC 5155 §7.2.6: what an asterisk answers has one that covers the next closer name.
#[test]
fn wildcard_answers() {
    for (question, next_closer) in [
        ("x.wild A do", "x.wild"),
        ("x.y.wild A do", "y.wild"),
        ("x.wildalias A do", "x.wildalias"),
        ("towild A do", "x.wild"),
        ("x.old TXT do", "x.new"),
    ] {
        assert_eq!(shown(question), [covering(next_closer)], "{question}");
        assert!(ask(question).starts_with("NOERROR aa | "), "{question}");
    }
    assert_eq!(shown("*.wild A do"), [""; 0], "asked for itself it is a name like others");
}

/// RFC 5155 §7.2.7: a referral without DS has the NSEC3 that matches the delegation; with DS none.
#[test]
fn referrals() {
    check(&[
        (
            "RFC 5155 §7.2.7",
            "host.lame A do",
            "NOERROR |  | lame NS ns.elsewhere.test., #lame NSEC3, #lame RRSIG NSEC3 |",
        ),
        (
            "RFC 4035 §3.1.4: with DS",
            "host.secure A do",
            "NOERROR |  | secure NS ns.secure, \
                   secure DS 4711, secure RRSIG DS | \
                   ns.secure A 192.0.2.12",
        ),
    ]);
}

/// RFC 5155 §7.2.8: the owner of an NSEC3 does not exist by it, whatever type is asked.
#[test]
fn owners_of_nsec3_do_not_exist() {
    let hash = NameHash::of(&Name::parse("web.example.test.").unwrap()).label();
    for rtype in ["NSEC3", "A", "RRSIG", "ANY"] {
        let out = ask_in(&catalog(), &format!("{hash} {rtype} do"));
        assert!(render(&out).starts_with("NXDOMAIN aa |  | @ SOA"), "{rtype}: {}", render(&out));
    }
}

/// RFC 5155 §7.2.9: a name that has the hash of one that exists cannot be denied. (One that exists stands for it.)
#[test]
fn what_matches_is_not_covered() {
    let (view, name) = (view(), Name::parse("web.example.test.").unwrap());
    let proofs = deny::by_nsec3(&view, &name, &view.walk(&name), &deny::Absent::Closer);
    assert!(proofs.iter().any(Option::is_none));
}

/// RFC 9077 §3.3: an NSEC3 lives no longer than the denial.
#[test]
fn nsec3s_live_as_long_as_denials() {
    let out = ask_in(&catalog(), "nothing A do");
    assert!(Message::parse(&out).unwrap().authorities.iter().all(|record| record.ttl == 300));
}
