mod late;

use super::leaving::{MARK, TSIG};
use super::*;
use crate::ceremony::cluster::Zone;
use crate::ceremony::cluster_file;
use crate::ceremony::deal::tests::dealt;
use crate::ceremony::keygen::{IDENTITY, SEAL};
use crate::runtime::vault::SHARES;
use std::fs;
use std::path::Path;

fn files(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().flatten().map(|entry| entry.file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

#[test]
fn a_removal_that_a_crash_cut_off_is_made_good_and_leaves_no_secret() {
    let dir = dealt();
    let home = dir.path().join("replica-1");
    let file = ReplicaFile::read(&home.join("replica.toml")).unwrap();
    fs::create_dir_all(home.join(SHARES)).unwrap();
    fs::create_dir_all(&file.data).unwrap();
    assert_eq!(mark(&file).unwrap(), None);
    for name in ["shares/a.secret", "shares/b.new", "seal.key", "data/1.log", "data/epoch-over"] {
        fs::write(home.join(name), "left\n").unwrap();
    }
    assert_eq!(mark(&file).unwrap(), Some(Mark::Left));
    remove(&file, Mark::Moved);
    assert!(files(&home).iter().all(|name| !name.ends_with(".share")), "{:?}", files(&home));
    assert!(files(&home.join(SHARES)).is_empty());
    assert_eq!(files(&file.data), [MARK]);
    assert!(home.join(IDENTITY).exists() && home.join(SEAL).exists() && home.join(TSIG).exists());
    remove(&file, Mark::Left);
    remove(&file, Mark::Left);
    assert!(!home.join(IDENTITY).exists() && !home.join(SEAL).exists() && !home.join(TSIG).exists());
    assert!(home.join("replica.toml").exists());
}

#[test]
fn a_mark_that_cannot_be_read_is_not_taken_for_none() {
    let dir = dealt();
    let file = ReplicaFile::read(&dir.path().join("replica-1/replica.toml")).unwrap();
    fs::create_dir_all(file.data.join(MARK)).unwrap();
    assert!(mark(&file).is_err());
    fs::remove_dir(file.data.join(MARK)).unwrap();
    fs::write(file.data.join(MARK), "gone\n").unwrap();
    assert!(mark(&file).is_err());
}

/// What a next cluster file must keep of the state's zones, whatever the present file says, and what it may change.
#[test]
fn the_next_file_has_the_states_zones_and_what_it_changes_is_told() {
    use crate::zone::{Charter, KeyInfo, Reads};
    let dir = dealt();
    let cluster = cluster_file::read(&dir.path().join("cluster.toml")).unwrap();
    let charter = |zone: &Zone| {
        let info = |key: &crate::ceremony::cluster::Key| KeyInfo {
            id: key.public.key_id(),
            dnskey: key.dnskey.clone(),
        };
        Charter {
            origin: zone.origin.clone(),
            policy: zone.policy.clone(),
            reads: zone.reads,
            serial: zone.serial,
            validity: zone.validity,
            dnskey_ttl: zone.dnskey_ttl,
            denial: zone.denial,
            ksk: info(&zone.ksk),
            zsk: info(&zone.zsk),
            born: 0,
            frozen: false,
        }
    };
    let same: Vec<Charter> = cluster.zones.iter().map(charter).collect();
    assert_eq!((following::differs(&same, &cluster), following::changes(&same, &cluster).len()), (None, 0));
    let changed = |change: fn(&mut Charter)| {
        let mut zones = same.clone();
        zones.iter_mut().for_each(change);
        (following::differs(&zones, &cluster), following::changes(&zones, &cluster))
    };
    let (differs, told) = changed(|zone| (zone.policy, zone.reads) = (Vec::new(), Reads::Ordered));
    assert!(differs.is_none() && told.len() == 2, "{told:?}");
    assert!(changed(|zone| zone.validity.lifetime += 1).0.unwrap().contains("other dates"));
    let other = changed(|zone| zone.origin = crate::dns::Name::parse("added.test").unwrap()).0;
    assert!(other.unwrap().contains("lacks the zone added.test."));
    assert!(following::differs(&[], &cluster).unwrap().contains("which is not there"));
}
