//! NSEC3: the hashed chain through every kind of change (the pitfalls' numbers are those of the chain's other tests), and the
//! change from one kind of chain to the other.

use super::*;
use crate::dns::Rcode;
use crate::dns::nsec3::{self, NameHash};
use crate::zone::hashed::Hashes;
use crate::zone::view::Key;
use crate::zone::{Command, Denial, Restore, Trust};
use std::collections::BTreeMap;

fn hashed_bench() -> Bench {
    let mut bench = Bench::of("example.", ZONE, &["grant updater. zonesub ANY"], |rules| {
        rules.denial = Denial::Nsec3;
    })
    .unwrap();
    let _ = bench.execute(&[crate::zone::Request::Genesis { zone: name("example.") }]);
    assert_eq!(bench.sign_all().failures, []);
    bench
}

/// The types that the NSEC3 of `owner` shows, if there is one; its TTL is 300, and it is signed.
fn shown(view: &View, owner: &str) -> Option<BTreeSet<RrType>> {
    let (_, set) = view.nsec3_matching(&name(owner))?;
    assert_eq!((set.rrset.ttl, set.rrsigs().len()), (300, 1), "{owner}");
    Some(nsec3::parse_nsec3(&set.rrset.rdatas[0]).unwrap().1)
}

fn of(listed: &[RrType]) -> Option<BTreeSet<RrType>> {
    Some(listed.iter().copied().collect())
}

/// That the hashed chain has these names and no others, each leading to the next, and that there is no NSEC.
fn check_chain(view: &View, names: &[&str]) {
    let expected: BTreeMap<NameHash, &str> =
        names.iter().map(|text| (NameHash::of(&name(text)), *text)).collect();
    let links: Vec<(NameHash, NameHash)> = view
        .iter()
        .inspect(|node| assert!(node.get(RrType::NSEC).is_none(), "{}", node.name()))
        .filter_map(|node| {
            let set = node.get(RrType::NSEC3)?;
            let (next, _) = nsec3::parse_nsec3(&set.rrset.rdatas[0]).unwrap();
            let hash = expected.keys().find(|hash| hash.owner(view.origin()).unwrap() == *node.name());
            Some((*hash.unwrap_or_else(|| panic!("{} is the hash of none", node.name())), next))
        })
        .collect();
    let owners: Vec<NameHash> = expected.keys().copied().collect();
    let nexts = owners.iter().cycle().skip(1).copied();
    assert_eq!(links, owners.iter().copied().zip(nexts).collect::<Vec<_>>());
}

const NAMES: [&str; 9] = [
    "example.",
    "ns1.example.",
    "ns2.example.",
    "www.example.",
    "alias.example.",
    "a.deep.below.example.",
    "deep.below.example.",
    "below.example.",
    "sub.example.",
];

/// RFC 9276 §3.1: without salt and iterations. RFC 5155 §7.1: one for each name with authoritative data or a delegation, and one for each empty non-terminal.
#[test]
fn every_name_that_exists_has_an_nsec3_and_no_other() {
    let view = hashed_bench().view();
    check_chain(&view, &NAMES);
    assert_eq!(view.denial(), Denial::Nsec3);
    assert_eq!(data(&view, "example.", RrType::NSEC3PARAM), ["1 0 0 -"]);
}

/// RFC 5155 §7.1: the bit map shows the types at the original name, NSEC3 not among them; RRSIG where something is signed.
#[test]
fn bit_maps_show_what_is_at_the_original_name() {
    use RrType as T;
    let mut bench = hashed_bench();
    let view = bench.view();
    assert_eq!(shown(&view, "example."), of(&[T::SOA, T::NS, T::DNSKEY, T::NSEC3PARAM, T::RRSIG]));
    assert_eq!(shown(&view, "www.example."), of(&[T::A, T::RRSIG]));
    assert_eq!(shown(&view, "deep.below.example."), of(&[]), "an empty non-terminal");
    assert_eq!(shown(&view, "sub.example."), of(&[T::NS]), "nothing is signed at an unsigned delegation");
    assert_eq!(shown(&view, "ns.sub.example."), None, "glue");
    let view = bench.publish(&format!("add sub.example. 60 DS 1 8 2 {}", "ab".repeat(32)));
    assert_eq!(shown(&view, "sub.example."), of(&[T::NS, T::DS, T::RRSIG]), "pitfall 10: a DS flips it");
    let view = bench.publish("del sub.example. DS\nadd sub.example. 60 TXT hidden");
    assert_eq!(shown(&view, "sub.example."), of(&[T::NS]));
    let view = bench.publish(&format!("add example. 60 CDS 1 8 2 {}", "ab".repeat(32)));
    assert!(shown(&view, "example.").unwrap().contains(&T::CDS), "pitfall 11");
}

/// RFC 5155 §7.1 and RFC 5155 §7.5: empty non-terminals have one, so they come and go with the names below them (pitfall 9).
#[test]
fn empty_non_terminals_come_and_go() {
    let mut bench = hashed_bench();
    let with = |more: &[&'static str]| [&NAMES[..], more].concat();
    let view = bench.publish("add x.y.z.example. 60 TXT x");
    check_chain(&view, &with(&["x.y.z.example.", "y.z.example.", "z.example."]));
    let view = bench.publish("add y.z.example. 60 TXT y");
    assert_eq!(shown(&view, "y.z.example."), of(&[RrType::TXT, RrType::RRSIG]));
    let view = bench.publish("del x.y.z.example.");
    check_chain(&view, &with(&["y.z.example.", "z.example."]));
    let view = bench.publish("add z.example. 60 TXT z\ndel y.z.example.");
    check_chain(&view, &with(&["z.example."]));
    let view = bench.publish("del z.example.");
    check_chain(&view, &NAMES);
    assert_eq!(view.closest_encloser(&name("y.z.example.")), name("example."));
}

/// RFC 5155 §7.1 and, at the apex, RFC 5155 §10.2: a new delegation hides what is below it, empty non-terminals too, and frees it when it goes (pitfall 10).
#[test]
fn a_cut_or_dname_hides_hashed_names_and_its_removal_frees_them() {
    for (cut, types) in
        [("NS ns1.example.", of(&[RrType::NS])), ("DNAME x.test.", of(&[RrType::DNAME, RrType::RRSIG]))]
    {
        let mut bench = hashed_bench();
        let view = bench.publish(&format!("add below.example. 60 {cut}"));
        check_chain(
            &view,
            &NAMES.iter().copied().filter(|name| !name.ends_with("deep.below.example.")).collect::<Vec<_>>(),
        );
        assert_eq!(shown(&view, "below.example."), types);
        assert_eq!(data(&view, "a.deep.below.example.", RrType::TXT).len(), 1, "the data stay");
        let view = bench.publish("add b.deep.below.example. 60 A 192.0.2.1");
        assert_eq!(shown(&view, "b.deep.below.example."), None);
        let view = bench.publish("del below.example.\ndel b.deep.below.example.");
        check_chain(&view, &NAMES);
    }
    let mut bench = hashed_bench();
    let view = bench.publish("add example. 60 DNAME other.test.");
    check_chain(&view, &["example."]);
    let view = bench.publish("del example. DNAME");
    check_chain(&view, &NAMES);
}

/// RFC 9077 §3.3: the TTL is the lesser of the SOA's and its MINIMUM; a change makes the chain anew (pitfall 12).
#[test]
fn the_nsec3_ttl_follows_the_soa() {
    let mut bench = hashed_bench();
    let view = bench.publish("add example. 120 SOA ns1.example. admin.example. 9 3600 600 86400 300");
    for owner in NAMES {
        let (_, set) = view.nsec3_matching(&name(owner)).unwrap();
        assert_eq!((set.rrset.ttl, set.rrsigs().len()), (120, 1), "{owner}");
    }
}

/// RFC 5155 §7.1: owners in any case and of any octets have one hash, of the canonical name (pitfall 11).
#[test]
fn hashes_are_of_the_canonical_name() {
    let mut bench = hashed_bench();
    let longest = format!("{0}.{0}.{0}.{1}.example.", "a".repeat(63), "b".repeat(53));
    let odd = ["\\000.example.", "\\255.example.", "a\\.b.example.", &longest];
    let added: String = odd.iter().map(|name| format!("add {name} 60 A 192.0.2.1\n")).collect();
    let view = bench.publish(&format!("{added}add WwW.Example. 60 TXT t\nadd NeW.example. 60 TXT t"));
    for name in odd {
        assert_eq!(shown(&view, name), of(&[RrType::A, RrType::RRSIG]), "{name}");
    }
    assert_eq!(shown(&view, "www.example."), of(&[RrType::A, RrType::TXT, RrType::RRSIG]));
    assert_eq!(shown(&view, "new.example."), of(&[RrType::TXT, RrType::RRSIG]));
}

/// RFC 5155 §7.2.8: an NSEC3's owner does not exist by it, and a name of a client's there has an NSEC3 of its own.
#[test]
fn a_client_may_have_a_name_that_is_a_hash() {
    let mut bench = hashed_bench();
    let hash = NameHash::of(&name("www.example.")).owner(&name("example.")).unwrap().to_string();
    assert_eq!(bench.update(&format!("nxdomain {hash}")), Rcode::NOERROR, "to prerequisites it is not there");
    let view = bench.publish(&format!("add {hash} 60 A 192.0.2.1\nadd x.{hash} 60 A 192.0.2.1"));
    check_chain(&view, &[&NAMES[..], &[&hash, &format!("x.{hash}")]].concat());
    assert_eq!(shown(&view, &hash), of(&[RrType::A, RrType::RRSIG]), "without NSEC3");
    assert_eq!(shown(&view, "www.example."), of(&[RrType::A, RrType::RRSIG]));
    let view = bench.publish(&format!("del {hash}"));
    check_chain(&view, &[&NAMES[..], &[&hash, &format!("x.{hash}")]].concat());
    assert_eq!(shown(&view, &hash), of(&[]), "an empty non-terminal now");
    let view = bench.publish(&format!("del x.{hash}"));
    check_chain(&view, &NAMES);
}

/// RFC 3007 §4.4 and RFC 5155 §7.1: NSEC3 and NSEC3PARAM are the cluster's; deleting all of the apex leaves them (pitfall 6).
#[test]
fn clients_cannot_touch_nsec3_and_nsec3param() {
    let mut bench = hashed_bench();
    let hash = NameHash::of(&name("www.example.")).owner(&name("example.")).unwrap();
    for text in [
        "add example. 60 NSEC3PARAM 1 0 10 -",
        "del example. NSEC3PARAM",
        "del example. NSEC3PARAM 1 0 0 -",
        &format!("del {hash} NSEC3"),
        &format!("add {hash} 60 NSEC3 1 0 0 - 00000000000000000000000000000000 A"),
    ] {
        assert_eq!(bench.update(text), Rcode::REFUSED, "{text}");
    }
    let view = bench.publish("del example.");
    assert_eq!(data(&view, "example.", RrType::NSEC3PARAM).len(), 1);
    let view = bench.publish(&format!("del {hash}"));
    check_chain(&view, &NAMES);
}

/// A new name costs four signatures, as with NSEC: its RRset, its NSEC3, the one before, the SOA.
#[test]
fn only_what_changed_is_signed_with_nsec3_too() {
    let mut bench = hashed_bench();
    let mut cost = |text: &str| {
        assert_eq!(bench.update(text), Rcode::NOERROR);
        let jobs = bench.machine.pending_jobs().len();
        assert_eq!(bench.sign_all().failures, []);
        jobs
    };
    assert_eq!(cost("add www.example. 600 A 192.0.2.82"), 2);
    assert_eq!(cost("add new.example. 600 A 192.0.2.1"), 4);
    assert_eq!(cost("del new.example."), 2);
    assert_eq!(cost("add www.example. 600 AAAA 2001:db8::1"), 3);
    assert_eq!(cost("add ns.sub.example. 600 A 192.0.2.54"), 1);
}

fn denial(by: &str) -> Command {
    format!("denial example. {by}").parse().unwrap()
}

/// Three votes, the quorum of four; what became of the command.
fn vote(bench: &mut Bench, count: u64, command: &Command) -> Option<String> {
    let votes: Vec<_> = (1..=3).map(|index| bench.vote(index, count, command)).collect();
    let _ = bench.execute(&votes);
    bench.machine.votes().1.pop().unwrap().refused
}

/// RFC 5155 §10.4, §10.5: from one chain to the other, here without steps: until the new one is signed the old version
/// stands, and then the new one does, whole (pitfalls 13 and 14).
#[test]
fn a_vote_turns_the_whole_chain_in_one_version() {
    let mut bench = bench();
    for (count, by, then) in
        [(1, "nsec3", Denial::Nsec3), (2, "nsec", Denial::Nsec), (3, "nsec3", Denial::Nsec3)]
    {
        let before = bench.view();
        assert_eq!(vote(&mut bench, count, &denial(by)), None);
        assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
        let jobs = bench.machine.pending_jobs();
        for job in &jobs {
            assert_eq!(bench.view().denial(), before.denial(), "not before the last signature");
            assert_eq!(bench.view().serial(), before.serial());
            let signature = bench.signature(job);
            assert_eq!(bench.machine.signed(job.id, &signature).failures, []);
        }
        let view = bench.view();
        assert_eq!((view.denial(), view.serial()), (then, before.serial() + 1));
        match then {
            Denial::Nsec3 => check_chain(&view, &NAMES),
            Denial::Nsec => {
                assert!(view.iter().all(|node| node.get(RrType::NSEC3).is_none()));
                assert_eq!(nsec(&view, "www.example.").unwrap().0, "example.");
                assert_eq!(data(&view, "example.", RrType::NSEC3PARAM), [""; 0]);
            }
        }
        // The chain's records, NSEC3PARAM where there is one, the SOA: what did not change is not signed again.
        let chain = if then == Denial::Nsec3 { NAMES.len() + 1 } else { NAMES.len() - 2 };
        assert_eq!(jobs.len(), chain + 1);
    }
}

/// What is asked for twice, or of no zone, is refused, and changes nothing.
#[test]
fn a_vote_for_what_is_so_already_is_refused() {
    let mut bench = bench();
    let serial = bench.view().serial();
    assert_eq!(vote(&mut bench, 1, &denial("nsec")).unwrap(), "the zone has NSEC already");
    assert!(vote(&mut bench, 2, &"denial other. nsec3".parse().unwrap()).unwrap().contains("no zone"));
    assert!(bench.machine.pending_jobs().is_empty());
    assert_eq!(bench.machine.head(&bench.origin).serial(), serial);
}

/// Updates of the batch in which the chain turns are in the version that has the new one.
#[test]
fn updates_beside_the_vote_are_in_its_version() {
    let mut bench = bench();
    let mut requests = vec![bench.signed("add x.y.example. 60 TXT x")];
    requests.extend((1..=3).map(|index| bench.vote(index, 1, &denial("nsec3"))));
    requests.push(bench.signed("del www.example."));
    let _ = bench.execute(&requests);
    assert_eq!(bench.sign_all().failures, []);
    let view = bench.view();
    let without: Vec<&str> = NAMES.into_iter().filter(|name| *name != "www.example.").collect();
    check_chain(&view, &[&without[..], &["x.y.example.", "y.example."]].concat());
    assert_eq!(view.serial(), 6);
}

/// RFC 5155 §7.1 and §C.2.1: two names of one hash cannot be in one chain; without salt to change, the second is refused.
#[test]
fn a_second_name_of_one_hash_is_refused() {
    let view = hashed_bench().view();
    let weak = |key: &Key| match key.name().to_string().as_str() {
        "one.example." | "two.example." | "c.deep.example." => NameHash([7; 20]),
        "three.example." => NameHash::of(&name("www.example.")),
        _ => NameHash::of(&key.name()),
    };
    let key = |text: &str| Key::of(&name(text));
    let mut hashes = Hashes::default();
    let mut add = |names: &[&str]| {
        hashes.add(&view, names.iter().map(|text| key(text)).collect::<Vec<_>>().iter(), &weak)
    };
    assert_eq!(add(&["one.example."]), Ok(()));
    assert_eq!(add(&["ONE.example.", "x.one.example."]), Ok(()), "the same name again");
    assert!(add(&["new.example.", "two.example."]).unwrap_err().contains("one.example."));
    assert!(add(&["x.two.example."]).is_err(), "as an empty non-terminal too");
    assert!(add(&["c.deep.example."]).is_err());
    assert!(add(&["three.example."]).unwrap_err().contains("www.example."), "with the chain's");
    assert_eq!(add(&["new.example.", "www.example."]), Ok(()));
}

/// RFC 5155 §10.1: where hashes find no room under the apex there is no NSEC3.
#[test]
fn an_apex_that_leaves_no_room_for_hashes_is_refused() {
    let apex = format!("{0}.{0}.{0}.{1}.", "x".repeat(63), "y".repeat(30));
    let zone = format!("{apex} 60 SOA a. b. 1 1 1 1 1\n{apex} 60 NS a.");
    let made = Bench::of(&apex, &zone, &[], |rules| rules.denial = Denial::Nsec3);
    assert!(made.err().unwrap().reason.contains("too long"));
    let mut bench = Bench::new(&apex, &zone);
    let command: Command = format!("denial {apex} nsec3").parse().unwrap();
    assert!(vote(&mut bench, 1, &command).unwrap().contains("too long"));
}

/// A state with NSEC3 is taken over as it is, and goes on as the one it was taken from.
#[test]
fn a_restored_zone_has_the_same_hashed_chain() {
    let mut bench = hashed_bench();
    let _ = bench.publish("add x.y.z.example. 60 TXT x");
    let snapshot = bench.machine.snapshot();
    let mut restore = Restore::new(bench.genesis.clone(), snapshot.manifest(), Trust::Nobody).unwrap();
    while let Some((chunk, from)) = restore.needs() {
        let (pieces, last) = snapshot.pieces(chunk, from, 4_000);
        restore.take(pieces, last).unwrap();
    }
    let (machine, ..) = restore.finish().unwrap();
    assert_eq!(
        machine.view(&bench.origin).unwrap().denial(),
        Denial::Nsec3,
        "published, so checked as a whole"
    );
    let mut other = hashed_bench();
    (other.machine, other.now) = (machine, bench.now);
    for text in ["del x.y.z.example.", "add y.z.example. 60 A 192.0.2.1"] {
        let requests = [bench.signed(text)];
        let _ = (bench.execute(&requests), other.execute(&requests));
        assert_eq!(bench.machine.digest(), other.machine.digest(), "{text}");
    }
}
