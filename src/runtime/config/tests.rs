use super::*;
use crate::ceremony::deal::tests::dealt;
use crate::time::UnixMillis;
use std::fs;

fn load(dir: &Path, index: u8) -> Result<Loaded, Vec<Problem>> {
    ReplicaFile::read(&dir.join(format!("replica-{index}")).join("replica.toml"))?.load()
}

fn refused(dir: &Path, index: u8) -> String {
    let Err(problems) = load(dir, index) else { panic!("loaded") };
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn what_the_dealer_wrote_loads_on_every_replica() {
    let dir = dealt();
    for index in 1..=4 {
        let loaded = load(dir.path(), index).unwrap_or_else(|problems| panic!("{problems:?}"));
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        assert_eq!(loaded.file.me.get(), index);
        assert_eq!(loaded.file.peers.len(), 3);
        assert_eq!(loaded.public_keys.len(), 2);
        assert_eq!(loaded.genesis.zones.len(), 1);
        assert_eq!(loaded.genesis.keys.tsig.len(), 1);
        assert_eq!(loaded.genesis.keys.sig0.len(), 1);
    }
}

#[test]
fn a_replicas_file_is_refused_with_the_line_of_what_is_wrong() {
    let dir = dealt();
    let path = dir.path().join("replica-1/replica.toml");
    let good = fs::read_to_string(&path).unwrap();
    let line_of = |text: &str| 1 + good.lines().position(|line| line.contains(text)).unwrap();
    for (from, to, reason) in [
        ("version = 1", "version = 7", "version 7"),
        ("index = 1", "index = 0", "index must be"),
        ("data = \"data\"", "dates = \"data\"", "dates"),
        ("[\"127.0.0.1:5301\"]", "[]", "no address"),
        ("[\"127.0.0.1:5301\"]", "[\"localhost\"]", "socket address"),
        ("update-patience-ms = 10000", "update-patience-ms = 5", "100 to 120000"),
        ("2 = \"127.0.0.1:5402\"", "2 = \"nowhere\"", "host:port"),
        ("2 = \"127.0.0.1:5402\"", "x = \"127.0.0.1:5402\"", "not the index"),
    ] {
        fs::write(&path, good.replacen(from, to, 1)).unwrap();
        let said = refused(dir.path(), 1);
        assert!(said.contains(&format!("replica.toml:{}: ", line_of(from))), "{said}");
        assert!(said.contains(reason), "{said}");
    }
    let long = format!("admin = \"{}\"", "x".repeat(120));
    fs::write(&path, good.replacen("admin = \"admin.sock\"", &long, 1)).unwrap();
    assert!(refused(dir.path(), 1).contains("108 bytes"));
}

#[test]
fn all_problems_are_told_at_once() {
    let dir = dealt();
    let replica = dir.path().join("replica-2");
    fs::copy(dir.path().join("replica-1/coin.share"), replica.join("coin.share")).unwrap();
    fs::copy(dir.path().join("replica-1/tls.crt"), replica.join("tls.crt")).unwrap();
    fs::remove_file(replica.join("example.test.ksk.share")).unwrap();
    edit(&replica.join("replica.toml"), "3 = \"127.0.0.1:5403\"\n", "");
    let said = refused(dir.path(), 2);
    for reason in [
        "coin.share: belongs to replica 1, not to 2",
        "tls.crt: is the certificate of another key",
        "example.test.ksk.share: cannot be read: no such file",
        "replica.toml: says no address of replica 3",
    ] {
        assert!(said.contains(reason), "wanted `{reason}`: {said}");
    }
    assert_eq!(said.lines().count(), 4, "{said}");
}

#[test]
fn an_edited_cluster_file_no_longer_fits_the_shares() {
    let dir = dealt();
    edit(&dir.path().join("replica-1/cluster.toml"), "dnskey-ttl-s = 3600", "dnskey-ttl-s = 60");
    let said = refused(dir.path(), 1);
    assert!(said.contains("identity.key: belongs to cluster"), "{said}");
}

#[test]
fn a_tsig_secret_that_differs_from_the_commitment_is_refused() {
    let dir = dealt();
    edit(&dir.path().join("replica-1/tsig.keys"), "secret \"", "secret \"AAAA");
    assert!(refused(dir.path(), 1).contains("not the one the cluster file commits to"));
    fs::write(dir.path().join("replica-1/tsig.keys"), "").unwrap();
    assert!(refused(dir.path(), 1).contains("lacks the key ops."));
}

#[test]
fn an_edited_zone_file_is_an_error_before_the_first_start_and_ignored_after_it() {
    let dir = dealt();
    let zone = dir.path().join("replica-1/zones/example.test.zone");
    let dealt_text = fs::read_to_string(&zone).unwrap();
    edit(&zone, "192.0.2.1", "192.0.2.2");
    assert!(refused(dir.path(), 1).contains("is not the zone that was dealt"));
    fs::write(&zone, &dealt_text).unwrap();

    load(dir.path(), 1).unwrap_or_else(|_| panic!("does not load")).begin().unwrap();
    edit(&zone, "192.0.2.1", "192.0.2.2");
    let loaded = load(dir.path(), 1).unwrap_or_else(|_| panic!("does not load"));
    assert!(loaded.warnings[0].contains("was edited after the deal; ignored"), "{:?}", loaded.warnings);
    fs::remove_file(&zone).unwrap();
    let loaded = load(dir.path(), 1).unwrap_or_else(|_| panic!("does not load"));
    assert!(loaded.warnings.is_empty());

    edit(&dir.path().join("replica-1/data/genesis/example.test.zone"), "192.0.2.1", "192.0.2.2");
    assert!(refused(dir.path(), 1).contains("not the zone as dealt"));
}

#[test]
fn the_dealers_clock_has_no_part_in_the_time_of_a_later_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("r");
    let committee = crate::quorum::Committee::new(4).unwrap();
    let sizes = crate::ceremony::rehearsal::Sizes { committee, bits: 1024, custodians: (1, 1) };
    let far = UnixMillis(9_000_000_000_000);
    crate::ceremony::rehearsal::rehearse(sizes, far, &home, &|_| {}).unwrap();
    for (own, time) in [("replica-2", far), ("replica-2/epoch-1", UnixMillis(0))] {
        let file = ReplicaFile::read(&home.join("operators").join(own).join("replica.toml")).unwrap();
        let loaded = file.load().unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(loaded.consensus.genesis_time, time);
    }
}
