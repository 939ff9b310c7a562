use super::*;

#[test]
fn synced_bytes_survive_every_crash() {
    for seed in 0..500 {
        let mut disk = MemDisk::new();
        disk.create("a").unwrap();
        disk.append("a", &[1; 1000]).unwrap();
        disk.sync("a").unwrap();
        disk.sync_directory().unwrap();
        disk.append("a", &[2; 3000]).unwrap();
        disk.crash(seed);
        let mut bytes = vec![0; 4000];
        let count = disk.read_at("a", 0, &mut bytes).unwrap();
        assert!(count >= 1000 && bytes[..1000] == [1; 1000], "seed {seed}");
    }
}

#[test]
fn unsynced_bytes_may_be_lost_torn_or_kept() {
    let (mut lost, mut torn, mut kept) = (false, false, false);
    for seed in 0..200 {
        let mut disk = MemDisk::new();
        disk.create("a").unwrap();
        disk.sync_directory().unwrap();
        disk.append("a", &[2; 1500]).unwrap();
        disk.crash(seed);
        let mut bytes = vec![0; 1500];
        let count = disk.read_at("a", 0, &mut bytes).unwrap();
        lost |= count < 1500;
        torn |= bytes[..count].iter().any(|byte| *byte != 2);
        kept |= bytes[..count].len() > 600 && bytes[..600].iter().all(|byte| *byte == 2);
    }
    assert!(lost && torn && kept);
}

#[test]
fn names_survive_only_when_the_directory_is_synced() {
    let mut gone = false;
    for seed in 0..50 {
        let mut disk = MemDisk::new();
        disk.create("a").unwrap();
        disk.sync_directory().unwrap();
        disk.create("b").unwrap();
        disk.sync("b").unwrap();
        disk.crash(seed);
        let names = disk.list().unwrap();
        assert!(names.contains(&"a".to_owned()));
        gone |= names.len() == 1;
    }
    assert!(gone);
}
