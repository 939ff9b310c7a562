use super::*;
use crate::ceremony::files::write_secret;

fn parsed(text: &str) -> Result<Vec<KeyClause>, Problem> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tsig.keys");
    write_secret(&path, text.as_bytes()).unwrap();
    read_tsig(&path)
}

#[test]
fn key_clauses_are_read_back_as_written() {
    let name = Name::parse("ops.example.test").unwrap();
    let key = KeyClause::new(name, "hmac-sha256", vec![1, 2, 3]);
    let keys = parsed(&tsig_text([&key])).unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0].name, key.name);
    assert_eq!(keys[0].algorithm, "hmac-sha256");
    assert_eq!(*keys[0].secret, vec![1, 2, 3]);
}

#[test]
fn names_with_quotes_and_dots_in_their_labels_are_read_back_as_written() {
    for name in ["a\\\"b.test", "a\\\\\\.", "\\034", "a\\\\"] {
        let name = Name::parse(name).unwrap();
        let key = KeyClause::new(name, "hmac-sha256", vec![1]);
        assert_eq!(parsed(&tsig_text([&key])).unwrap()[0].name, key.name);
    }
}

#[test]
fn the_forms_of_named_conf_are_read() {
    let keys = parsed(
        "// by hand\nkey ops { secret \"AQID\"; /* first */ algorithm HMAC-SHA512; };\n# more\n\
         key \"b.\" {\n\talgorithm hmac-sha384;\n\tsecret AQID;\n};",
    )
    .unwrap();
    let names: Vec<String> = keys.iter().map(|key| key.name.to_string()).collect();
    assert_eq!(names, ["ops.", "b."]);
    assert_eq!(keys[0].algorithm, "hmac-sha512");
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_without_the_secret() {
    for (text, line, reason) in [
        ("\n\nkez ops {};", 3, "a key clause should begin here"),
        ("key ops {\n algorithm hmac-md4;\n secret \"AQID\";\n};", 4, "hmac-md4"),
        ("key ops { algorithm hmac-md5; secret \"AQID\"; replica 1; };", 1, "go together"),
        ("key ops {\n algorithm hmac-sha256;\n secret \"hush!\";\n};", 3, "not Base64"),
        ("key ops {\n algorithm hmac-sha256;\n};", 3, "no secret"),
        ("key ops { algorithm hmac-sha256", 1, "expected ;"),
    ] {
        let Err(problem) = parsed(text) else { panic!("taken: {text}") };
        assert_eq!(problem.line, Some(line), "{problem}");
        assert!(problem.reason.contains(reason), "{problem}");
        assert!(!problem.reason.contains("hush"), "{problem}");
    }
}

#[test]
fn each_replicas_secret_of_a_quorum_key_is_another_and_the_clients_file_has_all() {
    let source = KeyClause::new(Name::parse("ops").unwrap(), "hmac-sha256", vec![7; 32]);
    let of = |mode, identity: u8| source.of_replica(mode, &[identity; 32]);
    assert_eq!(of(Mode::Gateway, 1).secret, source.secret);
    let mut one = of(Mode::Quorum, 1);
    assert_eq!(one.secret, of(Mode::Quorum, 1).secret);
    assert!(one.secret != of(Mode::Quorum, 2).secret && one.secret != source.secret);
    one.replica = Some((1, "[2001:db8::1]:53".into()));
    let read = parsed(&tsig_text([&one, &of(Mode::Quorum, 2)])).unwrap();
    assert_eq!((&read[0].replica, &read[1].replica), (&one.replica, &None));
}

#[test]
fn a_sig0_key_has_the_rdata_and_file_name_that_bind_gives_it() {
    // dnssec-keygen -a ED25519 -T KEY -n USER, BIND 9.18; with flags 512.
    let name = Name::parse("Admin.Example.Test").unwrap();
    let rdata = sig0_rdata(&[1; 32]);
    assert_eq!(&rdata.wire()[..4], &[2, 0, 3, 15]);
    assert_eq!(rdata.wire().len(), 36);
    let stem = sig0_stem(&name, &rdata);
    assert!(stem.starts_with("Kadmin.example.test.+015+"), "{stem}");
    assert!(sig0_public(&name, &rdata).starts_with("admin.example.test. IN KEY 512 3 15 AQEBAQ"));
    assert!(
        sig0_private(&[1; 32])
            .starts_with("Private-key-format: v1.3\nAlgorithm: 15 (ED25519)\nPrivateKey: AQEB")
    );
}
