//! What comes sealed to a ceremony's people: whatever the octets, an error of one line or a value that is written as it was read.
//!
//! The first octet chooses: an age file, opened with a fixed key; an age file made of the octets, which opens to them; a
//! bundle; receipts; a package; a recipient's text.

use conclave::ceremony::bundle::BundleFile;
use conclave::ceremony::package::Package;
use conclave::ceremony::receipt;
use conclave::ceremony::seal::{Recipient, SealingKey, open, seal};
use conclave::codec::{ClusterId, Digest, Epoch};
use conclave::dns::name::Name;
use conclave::quorum::ReplicaId;
use conclave::threshold::test_keys;
use conclave::zone::{Bundle, Holders, Role};

pub fn run(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    match choice % 6 {
        0 => drop(open(&key(), data)),
        1 => assert_eq!(
            open(&key(), &seal(&key().recipient(), data)).as_ref().map(|plain| &plain[..]),
            Ok(data)
        ),
        2 => match BundleFile::parse(data) {
            Ok(file) => {
                assert_eq!(file.to_bytes(), data, "one file for one bundle");
                let _ = file.open(first(), &key());
            }
            Err(why) => one_line(&why),
        },
        3 => match receipt::parse(data) {
            Ok(receipts) => assert!(receipts.iter().all(|one| bundle().public.verify(one).is_err())),
            Err(why) => one_line(&why),
        },
        4 => match Package::parse(data) {
            Ok(package) => assert_eq!(&package.to_bytes()[..], data, "one package for its files"),
            Err(why) => one_line(why),
        },
        _ => {
            let Ok(text) = std::str::from_utf8(data) else { return };
            if let Ok(recipient) = text.parse::<Recipient>() {
                assert_eq!(recipient.to_string(), text, "one text for one key");
            }
        }
    }
}

fn one_line(why: &str) {
    assert!(!why.is_empty() && !why.contains('\n'), "{why}");
}

fn key() -> SealingKey {
    SealingKey::from_bytes(&[7; 32])
}

fn first() -> ReplicaId {
    ReplicaId::new(1).expect("an index")
}

fn bundle() -> BundleFile {
    let dealt = test_keys::dealt(1024, 0, 4, 2);
    let (plan, cluster) = (Digest([1; 32]), ClusterId(Digest([2; 32])));
    let holders = Holders { plan, cluster, epoch: Epoch(0), members: vec![[3; 32]; 4] };
    let zone = Name::parse("example.test").expect("a name");
    let bundle = Bundle::new(holders, &zone, Role::Zsk, 8, &dealt.public).check().expect("a bundle");
    BundleFile::seal(bundle, &dealt.shares, &[key().recipient(); 4])
}

pub fn seeds() -> Vec<Vec<u8>> {
    let bundle = bundle().to_bytes();
    let package = Package {
        plan: Digest([1; 32]),
        cluster: ClusterId(Digest([2; 32])),
        epoch: Epoch(0),
        replica: first(),
        files: vec![("coin.share".into(), vec![1; 32].into())],
    };
    let mut receipts = b"CONCLAVE-RECEIPT\n".to_vec();
    receipts.extend_from_slice(&[0; 4]);
    let recipient = key().recipient().to_string();
    let sealed = seal(&key().recipient(), b"a short text");
    let parts: [&[u8]; 6] =
        [&sealed, b"any text", &bundle, &receipts, &package.to_bytes(), recipient.as_bytes()];
    (0u8..).zip(parts).map(|(choice, part)| [&[choice], part].concat()).collect()
}
