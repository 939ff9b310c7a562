mod late;

use super::leaving::{MARK, TSIG};
use super::*;
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
