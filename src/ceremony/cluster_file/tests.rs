use super::*;
use crate::ceremony::deal::tests::dealt;
use crate::ceremony::seal::SealingKey;

fn text() -> String {
    std::fs::read_to_string(dealt().path().join("cluster.toml")).unwrap()
}

fn parsed(text: &str) -> Result<Cluster, Vec<Problem>> {
    parse(text, Path::new("cluster.toml"))
}

fn refused(text: &str) -> String {
    let Err(problems) = parsed(text) else { panic!("taken: {text}") };
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

/// The text with the first line that begins with `key` replaced.
fn with_line(text: &str, key: &str, line: &str) -> String {
    let old = text.lines().find(|old| old.starts_with(key)).unwrap();
    text.replacen(old, line, 1)
}

#[test]
fn what_is_written_is_what_is_read() {
    let text = text();
    let cluster = parsed(&text).unwrap();
    assert_eq!(write(&cluster), text);
    assert!(text.contains(&cluster.id().0.to_hex()));
}

#[test]
fn comments_spacing_and_order_do_not_change_the_cluster() {
    let text = text();
    let id = parsed(&text).unwrap().id();
    let bare: String =
        text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n\n")).collect();
    assert_eq!(parsed(&bare).unwrap().id(), id);
    // The first two members in the other order.
    let mut parts: Vec<&str> = text.split("\n[[member]]\n").collect();
    parts.swap(1, 2);
    assert_eq!(parsed(&parts.join("\n[[member]]\n")).unwrap().id(), id);
    assert_eq!(parsed(&text.replace("grant ops zonesub ANY", " grant  ops zonesub ANY;")).unwrap().id(), id);
}

#[test]
fn every_value_is_part_of_the_cluster() {
    let text = text();
    let id = parsed(&text).unwrap().id();
    for (key, line) in [
        ("epoch", "epoch = 1"),
        ("genesis-time-ms", "genesis-time-ms = 1700000000001"),
        ("plan", &format!("plan = \"{}\"", "00".repeat(32))),
        ("sealing", &format!("sealing = \"{}\"", SealingKey::from_bytes(&[1; 32]).recipient())),
        ("signing", "signing = \"optproof\""),
        ("signing", "signing = \"basic\""),
        ("reads", "reads = \"ordered\""),
        ("denial", "denial = \"nsec3\""),
        ("serial", "serial = \"unixtime\""),
        ("dnskey-ttl-s", "dnskey-ttl-s = 3601"),
        ("policy", "policy = []"),
        ("records-sha256", &format!("records-sha256 = \"{}\"", "00".repeat(32))),
        ("commitment", &format!("commitment = \"{}\"", "00".repeat(32))),
        ("algorithm", "algorithm = \"hmac-sha512\""),
    ] {
        assert_ne!(parsed(&with_line(&text, key, line)).unwrap().id(), id, "{key}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let text = text();
    let line_of = |key: &str| 1 + text.lines().position(|line| line.starts_with(key)).unwrap();
    for (key, line, reason) in [
        ("epoch", "epok = 1", "epok"),
        ("identity", "identity = \"AAAA\"", "has 3 octets, not 32"),
        ("sealing", "sealing = \"age1q\"", "not an age recipient"),
        ("coin", "coin = \"?\"", "is not Base64"),
        ("signing", "signing = \"optimal\"", "not one of basic, optproof and optte"),
        ("records-sha256", "records-sha256 = \"12\"", "64 hexadecimal digits"),
        ("reads", "reads = \"sometimes\"", "sometimes"),
        ("denial", "denial = \"nsec5\"", "nsec5"),
        ("policy", "policy = [\"grant\"]", "the key is missing"),
        ("origin", "origin = \"a..b\"", "a..b"),
        ("mode", "mode = \"both\"", "both"),
    ] {
        let said = refused(&with_line(&text, key, line));
        assert!(said.starts_with(&format!("cluster.toml:{}: ", line_of(key))), "{said}");
        assert!(said.contains(reason), "{said}");
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let text = text();
    let second = text.split("\n[[member]]\n").nth(2).unwrap();
    let zone = &text[text.find("\n[[zone]]").unwrap()..text.find("\n[[tsig]]").unwrap()];
    for (edited, reason) in [
        (with_line(&text, "version", "version = 1"), "version 1"),
        (with_line(&text, "replicas", "replicas = 5"), "not 5"),
        (with_line(&text, "replicas", "replicas = 0"), "out of range"),
        (with_line(&text, "faults", "faults = 2"), "4 replicas tolerate 1 faults"),
        (with_line(&text, "index", "index = 3"), "stands here twice"),
        (text.replacen(second, &second.replace("index = 2", "index = 9"), 1), "member 9 of 4"),
        (with_line(&text, "threshold", "threshold = 3"), "not 3 of 4"),
        (
            with_line(
                &text,
                "signatures",
                "signatures = { lifetime-s = 10, refresh-s = 9, jitter-s = 1, backdate-s = 0 }",
            ),
            "less than lifetime-s",
        ),
        (text.replacen("256 3 8 ", "257 3 8 ", 1), "not that of the verification key"),
        (text.replacen("256 3 8 ", "256 3 13 ", 1), "algorithm 13"),
        (format!("{text}\n{zone}"), "stands here twice"),
    ] {
        let said = refused(&edited);
        assert!(said.contains(reason), "wanted `{reason}`: {said}");
    }
}

#[test]
fn a_dnskey_that_is_not_the_verification_keys_is_refused() {
    let text = text();
    let key = text.lines().find(|line| line.starts_with("dnskey = \"256")).unwrap();
    let mut octets = key.to_owned();
    let last = octets.trim_end_matches(['"', '=']).len() - 2;
    let other = if octets.as_bytes()[last] == b'A' { "B" } else { "A" };
    octets.replace_range(last..=last, other);
    assert!(refused(&text.replacen(key, &octets, 1)).contains("not that of the verification key"));
}

#[test]
fn keys_of_two_zones_may_have_one_tag() {
    let text = text();
    let begin = text.find("[[zone]]").unwrap();
    let end = text[begin + 1..].find("\n[[").map_or(text.len(), |end| begin + 1 + end);
    let second = text[begin..end].replacen("example.test", "second.test", 1);
    let both = format!("{}\n{second}\n{}", &text[..end], &text[end..]);
    assert_eq!(parsed(&both).unwrap_or_else(|problems| panic!("{problems:?}")).zones.len(), 2);
}
