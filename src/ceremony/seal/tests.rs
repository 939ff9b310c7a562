use super::*;
use crate::ceremony::files::write_secret;
use std::process::Command;

fn key(octet: u8) -> SealingKey {
    SealingKey::from_bytes(&[octet; 32])
}

#[test]
fn what_is_sealed_opens_for_its_reader_alone_and_only_unchanged() {
    for length in [0, 1, 16, 65_535, 65_536, 65_537, 200_000] {
        let plain: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let sealed = seal(&key(1).recipient(), &plain);
        assert_eq!(open(&key(1), &sealed).unwrap()[..], plain, "{length}");
        assert_eq!(open(&key(2), &sealed).err(), Some("is sealed for another key"));
        for at in [3, 30, 70, 110, 150, sealed.len() - 1] {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert!(open(&key(1), &bad).is_err(), "octet {at} of {length}");
        }
        for cut in 0..sealed.len().min(300) {
            assert!(open(&key(1), &sealed[..cut]).is_err(), "cut to {cut} of {length}");
        }
        assert!(open(&key(1), &[&sealed[..], &[0]].concat()).is_err());
    }
    assert_ne!(seal(&key(1).recipient(), b"a"), seal(&key(1).recipient(), b"a"));
}

#[test]
fn chunks_cannot_be_left_out_exchanged_or_ended_early() {
    let sealed = seal(&key(1).recipient(), &vec![7; 3 * 65_536]);
    let chunk = 65_536 + 16;
    let head = sealed.len() - 3 * chunk;
    assert!(open(&key(1), &sealed[..head + 2 * chunk]).is_err());
    assert!(open(&key(1), &[&sealed[..head], &sealed[head + chunk..]].concat()).is_err());
    let exchanged = [
        &sealed[..head],
        &sealed[head + chunk..head + 2 * chunk],
        &sealed[head..head + chunk],
        &sealed[head + 2 * chunk..],
    ];
    assert!(open(&key(1), &exchanged.concat()).is_err());
}

#[test]
fn keys_are_written_as_age_writes_them() {
    // Of the format's specification, age-encryption.org/v1: the key whose 32 octets are 42.
    let text = key(42).to_text();
    assert!(text.contains("\nAGE-SECRET-KEY-1"), "{}", text.lines().next().unwrap());
    let recipient = key(42).recipient();
    assert_eq!(recipient.to_string().parse(), Ok(recipient));
    assert!(recipient.to_string().starts_with("age1"));
    let mut wrong = recipient.to_string();
    wrong.replace_range(10..11, if &wrong[10..11] == "q" { "p" } else { "q" });
    assert!(wrong.parse::<Recipient>().is_err());
    assert!(recipient.to_string().to_uppercase().parse::<Recipient>().is_err());
    assert!(bech32::encode("age", &[0; 32]).parse::<Recipient>().unwrap_err().contains("seals nothing"));
}

#[test]
fn a_key_file_is_read_back_and_anything_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("seal.key");
    write_secret(&path, key(9).to_text().as_bytes()).unwrap();
    assert_eq!(SealingKey::read(&path).unwrap().recipient(), key(9).recipient());
    let other = dir.path().join("other.key");
    write_secret(&other, b"AGE-SECRET-KEY-1QQQQ\n").unwrap();
    let said = SealingKey::read(&other).err().unwrap().to_string();
    assert!(said.contains("not a file of one age key") && !said.contains("QQQQ"), "{said}");
}

/// Stock age opens ours, and we open stock age's.
#[test]
fn stock_age_understands_us_and_we_understand_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let run = |arguments: &[&str]| {
        let mut age = Command::new(arguments[0]);
        let done = age.args(&arguments[1..]).current_dir(dir.path()).output();
        let done = done.expect("the package `age` is installed (tests/run packages)");
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    run(&["age-keygen", "-o", "key.txt"]);
    let theirs = SealingKey::read(&path("key.txt")).unwrap();
    for length in [1, 100, 65_536, 150_000] {
        let plain: Vec<u8> = (0..length).map(|at| (at % 253) as u8).collect();
        std::fs::write(path("ours.age"), seal(&theirs.recipient(), &plain)).unwrap();
        run(&["age", "-d", "-i", "key.txt", "-o", "opened", "ours.age"]);
        assert_eq!(std::fs::read(path("opened")).unwrap(), plain);
        // For two recipients, ours the second.
        let (us, other) = (key(5).recipient().to_string(), key(6).recipient().to_string());
        run(&["age", "-r", &other, "-r", &us, "-o", "theirs.age", "opened"]);
        assert_eq!(open(&key(5), &std::fs::read(path("theirs.age")).unwrap()).unwrap()[..], plain);
    }
}
