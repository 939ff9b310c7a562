use super::*;
use std::os::unix::fs::PermissionsExt;

fn label() -> Label {
    Label {
        kind: Kind::Rsa(KeyId(Digest([7; 32]))),
        cluster: ClusterId(Digest([1; 32])),
        epoch: Epoch(0),
        replica: ReplicaId::new(2).unwrap(),
    }
}

fn in_file(bytes: &[u8], test: impl FnOnce(&Path)) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("some.share");
    write_secret(&path, bytes).unwrap();
    test(&path);
}

#[test]
fn what_was_sealed_is_read_back() {
    in_file(&seal(&label(), b"secret"), |path| assert_eq!(&read(path, &label()).unwrap()[..], b"secret"));
}

#[test]
fn every_edited_byte_and_every_cut_is_refused() {
    let sealed = seal(&label(), b"a secret of some length");
    for at in 0..sealed.len() {
        let mut edited = sealed.to_vec();
        edited[at] ^= 1;
        assert!(open(&edited).is_err(), "byte {at}");
        assert!(open(&sealed[..at]).is_err(), "cut at {at}");
    }
    let longer = [&sealed[..], b"x"].concat();
    assert!(open(&longer).unwrap_err().contains("after its end"));
}

#[test]
fn a_cut_file_is_refused_by_name_and_reason() {
    let sealed = seal(&label(), b"secret");
    in_file(&sealed[..60], |path| {
        let problem = read(path, &label()).unwrap_err().to_string();
        assert!(problem.contains("some.share") && problem.contains("cut short"), "{problem}");
    });
}

#[test]
fn another_clusters_replicas_epochs_or_keys_file_is_refused_with_the_reason() {
    let wrong: [(Label, &str); 5] = [
        (Label { cluster: ClusterId(Digest([2; 32])), ..label() }, "belongs to cluster"),
        (Label { replica: ReplicaId::new(3).unwrap(), ..label() }, "belongs to replica 3, not to 2"),
        (Label { epoch: Epoch(1), ..label() }, "belongs to epoch 1"),
        (Label { kind: Kind::Coin, ..label() }, "holds a coin share, not the RSA key share"),
        (Label { kind: Kind::Rsa(KeyId(Digest([8; 32]))), ..label() }, "is a share of key"),
    ];
    for (other, reason) in wrong {
        in_file(&seal(&other, b"secret"), |path| {
            let problem = read(path, &label()).unwrap_err().to_string();
            assert!(problem.contains(reason), "{problem}");
        });
    }
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    in_file(&seal(&label(), b"secret"), |path| {
        for mode in [0o640, 0o604, 0o620] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
            let problem = read(path, &label()).unwrap_err().to_string();
            assert!(problem.contains("chmod 600"), "{problem}");
        }
    });
}

#[test]
fn arbitrary_bytes_are_refused_and_never_panic() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..2_000 {
        let mut bytes = MAGIC.to_vec();
        for _ in 0..(seed % 200) {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            bytes.push((seed >> 56) as u8);
        }
        assert!(open(&bytes).is_err());
        seed = seed.wrapping_add(1);
    }
}
