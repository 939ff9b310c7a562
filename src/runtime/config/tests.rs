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
        assert_eq!(loaded.genesis.keys.tsig.len(), 2);
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
        ("update-patience-ms = 1400", "update-patience-ms = 5", "100 to 120000"),
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

/// `replica.toml` of replica 1 with these lines at the end of `[dns]`, and the line on which they begin.
fn with_dns(dir: &Path, lines: &str) -> usize {
    let path = dir.join("replica-1/replica.toml");
    let text = fs::read_to_string(&path).unwrap();
    let (before, after) = text.split_once("\n[peer]\n").unwrap();
    fs::write(&path, format!("{before}{lines}\n[peer]\n{after}")).unwrap();
    before.lines().count() + 1
}

#[test]
fn manners_are_read_and_have_defaults() {
    let dir = dealt();
    let plain = load(dir.path(), 1).unwrap_or_else(|problems| panic!("{problems:?}")).file.front;
    assert_eq!((&plain.identity, &plain.version, plain.udp_octets), (&None, &None, 1_232));
    assert_eq!((plain.cookies, plain.tls.is_some(), plain.rate.is_some()), (CookieMode::On, false, false));
    with_dns(
        dir.path(),
        "identity = \"fra\"\nudp-octets = 4096\ncookies = \"required\"\n[dns.tcp]\nidle-ms = 5000\n\
         [dns.rate-limit]\nresponses-per-second = 7\nerrors-per-second = 0\nexempt = [\"192.0.2.0/24\", \"::1\"]\n",
    );
    let front = load(dir.path(), 1).unwrap_or_else(|problems| panic!("{problems:?}")).file.front;
    assert_eq!(
        (front.identity.as_deref(), front.udp_octets, front.cookies),
        (Some("fra"), 4_096, CookieMode::Required)
    );
    assert_eq!(front.tcp.idle, std::time::Duration::from_secs(5));
    assert_eq!(front.tcp.connections, crate::limits::MAX_TCP_CLIENTS);
    let rate = front.rate.unwrap();
    assert_eq!((rate.answers, rate.nxdomains, rate.errors, rate.exempt.len()), (7, 7, 0, 2));
}

#[test]
fn manners_out_of_range_are_refused_with_their_line() {
    for (lines, reason) in [
        ("identity = \"\"", "identity must have 1 to 64 octets"),
        ("udp-octets = 100", "udp-octets must be 512 to 4096"),
        ("cookies = \"maybe\"", "maybe"),
        ("speed = 7", "speed"),
        ("[dns.tcp]\nconnections = 0", "connections must be 1 to"),
        ("[dns.tcp]\nidle-ms = 5", "idle-ms must be 1000 to 600000"),
        ("[dns.tls]\nlisten = []\ncertificate = \"c\"\nkey = \"k\"", "no address"),
        ("[dns.https]\nlisten = [\"127.0.0.1:443\"]", "HTTPS needs `certificate` and `key`, or neither"),
        ("[dns.quic]\nlisten = []\ncertificate = \"c\"\nkey = \"k\"", "no address to serve DNS over QUIC on"),
        (
            "[dns.quic]\nlisten = [\"127.0.0.1:853\"]\ncertificate = \"c\"",
            "QUIC needs `certificate` and `key`, or neither",
        ),
        ("[dns.rate-limit]\nslip = 11", "slip must be 0 to 10"),
        ("[dns.rate-limit]\nexempt = [\"192.0.2.1/24\"]", "is 192.0.2.0/24 meant?"),
        ("[dns.rate-limit]\naccounts = 7", "accounts must be 1024 to"),
    ] {
        let dir = dealt();
        let at = with_dns(dir.path(), &format!("{lines}\n")) + usize::from(lines.contains('\n'));
        let said = refused(dir.path(), 1);
        assert!(said.contains(&format!("replica.toml:{at}: ")) && said.contains(reason), "{lines}: {said}");
    }
}

#[test]
fn files_that_face_clients_are_checked() {
    let dir = dealt();
    let home = dir.path().join("replica-1");
    with_dns(
        dir.path(),
        "cookie-secrets = \"cookies\"\n[dns.tls]\nlisten = [\"127.0.0.1:8853\"]\ncertificate = \"tls.pem\"\n\
         key = \"tls.key\"\n[dns.https]\nlisten = [\"127.0.0.1:8443\"]\n[dns.quic]\nlisten = [\"127.0.0.1:8853\"]\n",
    );
    let secret = |name: &str, text: &str| {
        let _ = fs::remove_file(home.join(name));
        crate::ceremony::files::write_secret(&home.join(name), text.as_bytes()).unwrap();
    };
    let said = refused(dir.path(), 1);
    assert!(said.contains("cookies: cannot be read") && said.contains("tls.pem: cannot be read"), "{said}");
    let pair = rcgen::generate_simple_self_signed(vec!["ns.example.test".into()]).unwrap();
    fs::write(home.join("tls.pem"), pair.cert.pem()).unwrap();
    secret("tls.key", &pair.signing_key.serialize_pem());
    for (text, reason) in [
        ("", "has no cookie secret"),
        ("# one\n0011\n", "cookies:2: is not a cookie secret"),
        (&"00112233445566778899aabbccddeeff\n".repeat(5), "more than 4 secrets"),
    ] {
        secret("cookies", text);
        let said = refused(dir.path(), 1);
        assert!(said.contains(reason), "{said}");
    }
    secret("cookies", "00112233445566778899AABBCCDDEEFF # now\n\nffeeddccbbaa99887766554433221100\n");
    let loaded = load(dir.path(), 1).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert!(loaded.front.cookies.is_some() && loaded.front.tls.is_some());
    assert!(loaded.front.https.is_some() && loaded.front.quic.is_some(), "by the same certificate");
    assert_eq!(loaded.file.front.https.unwrap().path, "/dns-query");
    let other = rcgen::generate_simple_self_signed(vec!["ns.example.test".into()]).unwrap();
    secret("tls.key", &other.signing_key.serialize_pem());
    let said = refused(dir.path(), 1);
    assert!(said.contains("tls.key: is not the key of the certificate"), "{said}");
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
    edit(&dir.path().join("replica-1/cluster.toml"), "serial = \"increment\"", "serial = \"unixtime\"");
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
