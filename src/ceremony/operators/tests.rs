use super::*;
use crate::ceremony::cluster_file;
use crate::ceremony::deal::tests::dealt;
use crate::codec::digest;
use std::os::unix::fs::MetadataExt;

fn operators(names: &[&str]) -> Operators {
    let key = |name: &&str| OperatorKey::generate(name).unwrap().public;
    Operators::of(names.iter().map(key).collect(), Needed::OneCorrect)
}

#[test]
fn a_key_is_its_owners_alone_signs_and_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alice.key");
    let key = OperatorKey::generate("alice").unwrap();
    key.write(&path).unwrap();
    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
    assert!(key.write(&path).is_err(), "a file is not overwritten");
    let read = OperatorKey::read(&path).unwrap();
    assert_eq!(read.public, key.public);
    let what = digest("test", &[b"what"]);
    assert_eq!(read.sign_in(b"domain", &what), key.sign_in(b"domain", &what));
    for text in [
        "",
        "# operator: alice\n",
        "CONCLAVE-OPERATOR-KEY-1 AAAA\n",
        "# operator: a/b\nCONCLAVE-OPERATOR-KEY-1 AAAA\n",
    ] {
        std::fs::write(&path, text).unwrap();
        assert!(OperatorKey::read(&path).is_err(), "{text}");
    }
    for name in ["", "two words", "a/b", "ümlaut", &"x".repeat(MAX_NAME + 1)] {
        assert!(OperatorKey::generate(name).is_err(), "{name}");
    }
}

/// A cluster that was dealt before there were operators keeps its name; each value of one is part of the name.
#[test]
fn operators_are_part_of_the_cluster_and_none_are_nothing() {
    let dir = dealt();
    let path = dir.path().join("cluster.toml");
    let mut cluster = cluster_file::read(&path).unwrap();
    let id = cluster.id();
    cluster.operators.needed = Needed::One;
    assert_eq!(cluster.id(), id);
    cluster.operators = operators(&["bob", "alice"]);
    let two = cluster.id();
    assert_ne!(two, id);
    let again = cluster_file::parse(&cluster_file::write(&cluster), &path).unwrap();
    assert_eq!((again.operators.clone(), again.id()), (cluster.operators.clone(), two));
    let changes: [fn(&mut Operators); 3] = [
        |all| all.needed = Needed::One,
        |all| all.list[0].name = "carol".into(),
        |all| all.list[0].key[0] ^= 1,
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut other = cluster.clone();
        change(&mut other.operators);
        assert_ne!(other.id(), two, "change {at}");
    }
}

#[test]
fn what_cannot_be_is_told() {
    let committee = Committee::new(4).unwrap();
    let wrong = |all: Operators| all.check(committee).unwrap_err();
    assert_eq!(operators(&["a", "b"]).check(committee), Ok(()));
    assert_eq!(Operators::default().check(committee), Ok(()));
    assert!(wrong(operators(&["a"])).contains("2 of them must sign"));
    assert!(wrong(operators(&["a", "a"])).contains("same name or key"));
    let mut twins = operators(&["a", "b"]);
    twins.list[1].key = twins.list[0].key;
    assert!(wrong(twins).contains("same name or key"));
    let one = Operators { needed: Needed::One, ..operators(&["a"]) };
    assert_eq!(one.check(committee), Ok(()));
    let dir = dealt();
    let path = dir.path().join("cluster.toml");
    let text = cluster_file::write(&cluster_file::read(&path).unwrap());
    let refused = |text: String, reason: &str| {
        let Err(problems) = cluster_file::parse(&text, &path) else { panic!("taken: {text}") };
        assert!(problems.iter().any(|problem| problem.reason.contains(reason)), "{reason}: {problems:?}");
    };
    refused(
        text.replace("version = 2", "version = 2\noperators-needed = \"one\""),
        "there is no [[operator]]",
    );
    refused(text.replace("version = 2", "version = 2\noperators-needed = \"two\""), "two");
    refused(format!("{text}\n[[operator]]\nname = \"a\"\nkey = \"AAAA\"\n"), "not 32 octets in Base64");
}
