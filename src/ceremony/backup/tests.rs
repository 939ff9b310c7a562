use super::*;
use crate::ceremony::deal::keys::{self, Wanted};
use crate::ceremony::written::Custodian;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn keys_of(count: u8) -> Vec<SealingKey> {
    (1..=count).map(|octet| SealingKey::from_bytes(&[octet; 32])).collect()
}

fn backed_up(dir: &Path) -> (DealtKey, PathBuf, Vec<PathBuf>) {
    let zone = Name::parse("example.test").unwrap();
    let wanted = Wanted { zone, role: Role::Ksk, algorithm: 8, bits: 1024, n: 4, k: 3 };
    let key = keys::search(&[wanted], BTreeSet::new(), &|_| {}).unwrap().swap_remove(0);
    let custodians = keys_of(3)
        .into_iter()
        .enumerate()
        .map(|(at, key)| Custodian { name: format!("c{at}"), recipient: key.recipient() });
    let plan = BackupPlan { threshold: 2, custodians: custodians.collect() };
    let keys = [key];
    write(&plan, Digest([7; 32]), &keys, &[], dir).unwrap();
    let [key] = keys;
    let parts = (0..3).map(|at| dir.join(format!("custodian-c{at}.age"))).collect();
    (key, dir.join("backup.age"), parts)
}

#[test]
fn any_k_custodians_open_it_and_the_key_is_dealt_again_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (key, backup, parts) = backed_up(dir.path());
    for chosen in [[0, 1], [2, 0], [1, 2]] {
        let parts: Vec<&Path> = chosen.iter().map(|at| parts[*at].as_path()).collect();
        let mut kept = Kept::default();
        open(&backup, &parts, &keys_of(3), &mut kept).unwrap();
        let wanted = Wanted { n: 7, k: 5, ..key.wanted.clone() };
        let again = keys::again(&[wanted], &kept.keys).unwrap();
        assert_eq!(again[0].dnskey(), key.dnskey());
        assert_ne!(again[0].dealt.public.key_id(), key.dealt.public.key_id());
        assert_eq!(again[0].dealt.shares.len(), 7);
    }
}

#[test]
fn fewer_or_foreign_parts_open_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (_, backup, parts) = backed_up(dir.path());
    let refused = |parts: &[&Path], keys: &[SealingKey]| {
        open(&backup, parts, keys, &mut Kept::default()).unwrap_err().to_string()
    };
    let (a, b) = (parts[0].as_path(), parts[1].as_path());
    assert!(refused(&[a], &keys_of(3)).contains("1 parts of the 2"));
    assert!(refused(&[a, a], &keys_of(3)).contains("1 parts of the 2"), "a part counts once");
    assert!(refused(&[a, b], &keys_of(1)).contains("sealed for another key"));
    let other = tempfile::tempdir().unwrap();
    let (_, _, foreign) = backed_up(other.path());
    assert!(refused(&[a, &foreign[1]], &keys_of(3)).contains("1 parts of the 2"), "of another backup");
    assert!(refused(&[&backup], &keys_of(3)).contains("another key"));
}

#[test]
fn a_part_is_handed_on_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let (_, backup, parts) = backed_up(dir.path());
    let machine = SealingKey::from_bytes(&[99; 32]);
    let mut handed = Vec::new();
    for (at, key) in keys_of(2).into_iter().enumerate() {
        let path = dir.path().join(format!("handed-{at}"));
        std::fs::write(&path, reseal(&parts[at], key, &machine.recipient()).unwrap()).unwrap();
        handed.push(path);
    }
    let parts: Vec<&Path> = handed.iter().map(PathBuf::as_path).collect();
    open(&backup, &parts, &[machine], &mut Kept::default()).unwrap();
}
