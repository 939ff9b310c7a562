use super::*;
use crate::ceremony::{identity, receipt};
use crate::codec::{ClusterId, Epoch};
use crate::dns::Name;
use crate::threshold::test_keys;
use crate::zone::{Holders, Role};

fn sealing(slot: usize) -> SealingKey {
    SealingKey::from_bytes(&[slot as u8 + 1; 32])
}

fn seed(slot: usize) -> [u8; 32] {
    [slot as u8 + 101; 32]
}

/// A bundle of a fixed key for four replicas.
pub(crate) fn file() -> BundleFile {
    let dealt = test_keys::dealt(1024, 0, 4, 2);
    let holders = Holders {
        plan: Digest([1; 32]),
        cluster: ClusterId(Digest([2; 32])),
        epoch: Epoch(3),
        members: (0..4).map(|slot| identity::public_key(&seed(slot)).unwrap()).collect(),
    };
    let zone = Name::parse("Example.Test").unwrap();
    let bundle = Bundle::new(holders, &zone, Role::Zsk, 8, &dealt.public).check().unwrap();
    let readers: Vec<_> = (0..4).map(|slot| sealing(slot).recipient()).collect();
    BundleFile::seal(bundle, &dealt.shares, &readers)
}

fn receipts(file: &BundleFile) -> Vec<crate::zone::Receipt> {
    let members = (1..=4).filter_map(ReplicaId::new);
    let make = |id: ReplicaId| {
        let share = file.open(id, &sealing(id.slot())).unwrap();
        receipt::make(&file.public, &share, &seed(id.slot())).unwrap()
    };
    members.map(make).collect()
}

#[test]
fn each_replica_opens_its_own_share_and_no_other() {
    let file = BundleFile::parse(&file().to_bytes()).unwrap();
    for id in (1..=4).filter_map(ReplicaId::new) {
        assert_eq!(file.open(id, &sealing(id.slot())).unwrap().index(), id);
        let said = file.open(id, &sealing((id.slot() + 1) % 4)).err().unwrap();
        assert!(said.contains("sealed for another key"), "{said}");
    }
    assert!(file.open(ReplicaId::new(5).unwrap(), &sealing(4)).is_err());
}

#[test]
fn a_changed_file_is_refused_and_never_panics() {
    let bytes = file().to_bytes();
    for at in (0..bytes.len()).step_by(7) {
        let mut bad = bytes.clone();
        bad[at] ^= 0x20;
        assert!(BundleFile::parse(&bad).is_err(), "octet {at}");
    }
    for cut in (0..bytes.len()).step_by(5) {
        assert!(BundleFile::parse(&bytes[..cut]).is_err(), "cut to {cut}");
    }
}

#[test]
fn receipts_are_publicly_checkable_and_combine() {
    let file = file();
    let receipts = receipts(&file);
    for receipt in &receipts {
        assert_eq!(file.public.verify(receipt), Ok(()));
    }
    let made: Vec<_> = receipts.iter().map(|r| (r.replica, r.share.clone())).collect();
    assert_eq!(receipt::combine(&file.public, &made), Ok(4 + 6));
    assert!(receipt::combine(&file.public, &made[..1]).is_err());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r.receipt");
    receipt::write(&path, &receipts).unwrap();
    assert_eq!(receipt::read(&path).unwrap(), receipts);
}

#[test]
fn nobody_writes_anothers_receipt() {
    let file = file();
    let receipts = receipts(&file);
    let mut stolen = receipts[0].clone();
    stolen.replica = ReplicaId::new(2).unwrap();
    assert!(file.public.verify(&stolen).unwrap_err().contains("did not sign"));
    // The dealer knows all shares, but no identity key.
    let share = file.open(ReplicaId::new(2).unwrap(), &sealing(1)).unwrap();
    assert!(receipt::make(&file.public, &share, &seed(0)).unwrap_err().contains("did not sign"));
    // A replica without its share signs whatever it likes, but has no proof.
    let mut hollow = receipts[1].clone();
    hollow.share = receipts[0].share.clone();
    let signed = crate::zone::Receipt::signed(hollow.bundle, hollow.replica, &hollow.share, &hollow.proof);
    hollow.signature = identity::sign(&seed(1), &signed).unwrap();
    assert!(file.public.verify(&hollow).unwrap_err().contains("proof"));
    let mut other = receipts[0].clone();
    other.bundle = Digest([9; 32]);
    assert!(file.public.verify(&other).is_err());
}
