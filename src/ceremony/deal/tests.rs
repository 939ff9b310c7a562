use super::*;
use crate::ceremony::operators::Operators;
use crate::ceremony::plan::{Place, Plan, ZonePlan};
use crate::ceremony::verify::verify;
use crate::dns::master::read_str;
use crate::dns::name::Name;
use crate::quorum::Committee;
use crate::signing::Protocol;
use crate::time::UnixMillis;
use crate::zone::{Denial, Reads};
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::OnceLock;
use tempfile::TempDir;

const ZONE: &str =
    "$TTL 60\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 127.0.0.1\nwww A 192.0.2.1\n";

/// A plan of four replicas with keys of 1024 bits.
pub(crate) fn plan() -> Plan {
    let origin = Name::parse("example.test").unwrap();
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    Plan {
        committee: Committee::new(4).unwrap(),
        bits: 1024,
        signing: Protocol::default(),
        zones: vec![ZonePlan {
            records: read_str(ZONE, &origin).unwrap(),
            origin,
            policy: vec!["grant ops zonesub ANY".into(), "grant admin self   TXT;".into()],
            reads: Reads::Local,
            denial: Denial::Nsec,
        }],
        tsig: vec![Name::parse("ops").unwrap().into(), "relay,quorum,hmac-sha512".parse().unwrap()],
        sig0: vec![Name::parse("admin").unwrap()],
        operators: Operators::default(),
        places: (1..=4)
            .map(|i| Place { dns: vec![address(5300 + i)], peer: address(5400 + i), admin: None })
            .collect(),
        genesis_time: UnixMillis(1_700_000_000_000),
    }
}

/// A fresh copy of one dealt directory.
pub(crate) fn dealt() -> TempDir {
    static DEALT: OnceLock<TempDir> = OnceLock::new();
    let original = DEALT.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        deal_here(&plan(), &dir.path().join("c"), &|_| {}).unwrap();
        dir
    });
    let copy = tempfile::tempdir().unwrap();
    copy_dir(&original.path().join("c"), copy.path());
    copy
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy_dir(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

fn problems(dir: &Path) -> String {
    verify(dir).problems.iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn a_dealt_directory_is_whole_and_its_shares_sign() {
    let dir = dealt();
    let found = verify(dir.path());
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    let said = found.good.join("\n");
    assert!(said.contains("ZSK: any 2 of 4 sign") && said.contains("KSK: any 3 of 4 sign"), "{said}");
}

#[test]
fn of_a_quorum_key_each_replica_has_a_secret_and_its_client_all_of_them() {
    let dir = dealt();
    let read = |path: &str| crate::ceremony::client_keys::read_tsig(&dir.path().join(path)).unwrap();
    let all = read("client/tsig-relay.quorum");
    let places: Vec<_> = all.iter().map(|key| key.replica.clone().unwrap()).collect();
    assert_eq!(places[2], (3, "127.0.0.1:5303".into()));
    for (i, key) in (1..=4).zip(&all) {
        let held = read(&format!("replica-{i}/tsig.keys"));
        assert_eq!((&held[1].secret, &*held[1].algorithm), (&key.secret, "hmac-sha512"), "replica {i}");
        assert_eq!(read(&format!("client/tsig-relay-replica-{i}.key"))[0].secret, key.secret);
        assert_eq!(all.iter().filter(|other| other.secret == key.secret).count(), 1);
    }
    // Another replica's secret is none of its own.
    let theirs = fs::read(dir.path().join("replica-2/tsig.keys")).unwrap();
    fs::write(dir.path().join("replica-1/tsig.keys"), theirs).unwrap();
    assert!(problems(dir.path()).contains("the key relay. is not one the cluster file commits to"));
}

#[test]
fn directories_are_0700_and_secrets_0600() {
    let dir = dealt();
    let mode = |path: &str| dir.path().join(path).metadata().unwrap().mode() & 0o7777;
    for path in ["replica-1", "replica-4/zones", "client", "anchors"] {
        assert_eq!(mode(path), 0o700, "{path}");
    }
    for path in [
        "replica-1/identity.key",
        "replica-2/coin.share",
        "replica-3/example.test.zsk.share",
        "replica-4/example.test.ksk.share",
        "replica-1/tsig.keys",
        "client/tsig.key",
    ] {
        assert_eq!(mode(path), 0o600, "{path}");
    }
}

#[test]
fn a_deal_overwrites_nothing_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let taken = dir.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("precious"), "data").unwrap();
    let problem = deal_here(&plan(), &taken, &|_| {}).err().unwrap().to_string();
    assert!(problem.contains("exists already"), "{problem}");
    assert_eq!(fs::read(taken.join("precious")).unwrap(), b"data");
    let mut bad = plan();
    bad.zones[0].policy.push("grant nobody sometimes".into());
    let problem = deal_here(&bad, &dir.path().join("fresh"), &|_| {}).err().unwrap().to_string();
    assert!(problem.contains("sometimes"), "{problem}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn what_cannot_be_served_is_not_dealt() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |change: &dyn Fn(&mut Plan), reason: &str| {
        let mut plan = plan();
        change(&mut plan);
        let problem = deal_here(&plan, &dir.path().join("c"), &|_| {}).err().unwrap().to_string();
        assert!(problem.contains(reason), "{problem}");
    };
    refused(&|plan| plan.bits = 1000, "1000 bits");
    refused(&|plan| plan.zones.clear(), "no zone");
    refused(&|plan| plan.places.truncate(3), "3 addresses for 4 replicas");
    refused(&|plan| plan.tsig.push(Name::parse("admin").unwrap().into()), "same name");
    refused(&|plan| plan.zones[0].records.retain(|r| r.rtype != crate::dns::RrType::SOA), "SOA");
}

#[test]
fn verify_names_the_file_that_is_wrong() {
    let swap = |a: &str, b: &str| {
        let dir = dealt();
        let (a, b) = (dir.path().join(a), dir.path().join(b));
        let held = fs::read(&a).unwrap();
        fs::copy(&b, &a).unwrap();
        fs::write(&b, held).unwrap();
        problems(dir.path())
    };
    let said = swap("replica-1/example.test.zsk.share", "replica-2/example.test.zsk.share");
    assert!(said.contains("replica-1/example.test.zsk.share: belongs to replica 2, not to 1"), "{said}");
    let said = swap("replica-1/example.test.zsk.share", "replica-1/example.test.ksk.share");
    assert!(said.contains("files were exchanged"), "{said}");
    let said = swap("replica-3/identity.key", "replica-3/coin.share");
    assert!(said.contains("holds a coin share, not the identity key"), "{said}");
    let said = swap("replica-3/tls.crt", "replica-4/tls.crt");
    assert!(said.contains("replica-3/tls.crt: is the certificate of another key"), "{said}");

    let dir = dealt();
    fs::write(dir.path().join("replica-2/zones/example.test.zone"), ZONE.replace("192.0.2.1", "192.0.2.2"))
        .unwrap();
    fs::write(dir.path().join("anchors/example.test.ds"), "").unwrap();
    fs::remove_file(dir.path().join("replica-4/coin.share")).unwrap();
    fs::remove_dir_all(dir.path().join("replica-3")).unwrap();
    let said = problems(dir.path());
    for file in ["replica-2/zones/example.test.zone", "anchors/example.test.ds", "replica-4/coin.share"] {
        assert!(said.contains(file), "{said}");
    }
    assert_eq!(said.lines().count(), 3, "{said}");
}

#[test]
fn no_secret_is_inspected_into_the_open() {
    let dir = dealt();
    let tsig = fs::read_to_string(dir.path().join("client/tsig.key")).unwrap();
    let secret = tsig.split('"').nth(3).unwrap();
    for entry in [
        "cluster.toml",
        "client/tsig.key",
        "replica-1/coin.share",
        "replica-1/tsig.keys",
        "replica-1/tls.crt",
    ] {
        let text = crate::ceremony::inspect::inspect(&dir.path().join(entry)).unwrap();
        assert!(!text.contains(secret), "{entry}");
    }
    let text =
        crate::ceremony::inspect::inspect(&dir.path().join("replica-2/example.test.ksk.share")).unwrap();
    assert!(text.contains("RSA key share of replica 2"), "{text}");
}
