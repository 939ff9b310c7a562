use super::*;
use crate::codec::{ClusterId, Epoch};

fn entropy(seed: u64) -> impl FnMut(&mut [u8]) {
    let mut counter = 0u64;
    move |out: &mut [u8]| {
        for chunk in out.chunks_mut(32) {
            counter += 1;
            let block = digest("test", &[&seed.to_be_bytes(), &counter.to_be_bytes()]);
            chunk.copy_from_slice(&block.0[..chunk.len()]);
        }
    }
}

fn id(index: u8) -> ReplicaId {
    ReplicaId::new(index).unwrap()
}

fn domain() -> Domain {
    Domain { cluster: ClusterId::default(), epoch: Epoch(1) }
}

#[test]
fn any_k_shares_give_the_same_leaders_and_fewer_give_none() {
    for (n, k) in [(1, 1), (4, 2), (7, 3), (13, 5)] {
        let committee = Committee::new(n as u8).unwrap();
        let (public, secrets) = deal(n, k, &mut entropy(n as u64));
        for round in 1..20 {
            let toss = Toss::new(&domain(), round);
            let shares: BTreeMap<ReplicaId, CoinShare> =
                committee.members().map(|i| (i, toss.share(i, &secrets[i.slot()], &[7; 32]))).collect();
            assert!(shares.iter().all(|(i, share)| toss.verify(&public, *i, share)));
            let whole = toss.leaders(committee, &public, &shares).unwrap();
            let last: BTreeMap<_, _> = shares.iter().rev().take(k).map(|(i, share)| (*i, *share)).collect();
            assert_eq!(toss.leaders(committee, &public, &last), Some(whole.clone()));
            let few: BTreeMap<_, _> = shares.iter().take(k - 1).map(|(i, share)| (*i, *share)).collect();
            assert_eq!(toss.leaders(committee, &public, &few), None);
            let mut sorted = whole;
            sorted.sort();
            assert_eq!(sorted, committee.members().collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_share_is_bound_to_its_replica_round_cluster_and_epoch() {
    let (public, secrets) = deal(4, 2, &mut entropy(5));
    let toss = Toss::new(&domain(), 9);
    let share = toss.share(id(2), &secrets[1], &[1; 32]);
    assert!(toss.verify(&public, id(2), &share));
    assert!(!toss.verify(&public, id(3), &share));
    assert!(!toss.verify(&public, id(5), &share));
    assert!(!Toss::new(&domain(), 10).verify(&public, id(2), &share));
    assert!(!Toss::new(&Domain { epoch: Epoch(2), ..domain() }, 9).verify(&public, id(2), &share));
    let other = ClusterId(Digest([1; 32]));
    assert!(!Toss::new(&Domain { cluster: other, ..domain() }, 9).verify(&public, id(2), &share));
}

#[test]
fn every_octet_of_a_share_counts() {
    let (public, secrets) = deal(4, 2, &mut entropy(6));
    let toss = Toss::new(&domain(), 1);
    let share = toss.share(id(1), &secrets[0], &[1; 32]);
    let bytes = borsh::to_vec(&share).unwrap();
    for at in 0..bytes.len() {
        let mut forged = bytes.clone();
        forged[at] ^= 1;
        let forged: CoinShare = borsh::from_slice(&forged).unwrap();
        assert!(!toss.verify(&public, id(1), &forged), "octet {at}");
    }
    let greatest = CoinShare { s: [0xff; 32], c: [0xff; 32], z: [0xff; 32] };
    assert!(!toss.verify(&public, id(1), &greatest));
}

#[test]
fn nonces_differ_when_the_secret_the_coin_or_the_randomness_does() {
    let (_, secrets) = deal(2, 1, &mut entropy(7));
    let toss = Toss::new(&domain(), 1);
    let one = toss.share(id(1), &secrets[0], &[1; 32]);
    assert_eq!(one, toss.share(id(1), &secrets[0], &[1; 32]));
    let two = toss.share(id(1), &secrets[0], &[2; 32]);
    assert_eq!(one.s, two.s);
    assert_ne!((one.c, one.z), (two.c, two.z));
}

#[test]
fn every_order_of_three_is_about_equally_likely() {
    let committee = Committee::new(3).unwrap();
    let mut counts: BTreeMap<Vec<ReplicaId>, u32> = BTreeMap::new();
    for i in 0u32..6000 {
        *counts.entry(permutation(committee, &digest("seed", &[&i.to_be_bytes()]))).or_default() += 1;
    }
    assert_eq!(counts.len(), 6);
    assert!(counts.values().all(|count| (880..1120).contains(count)), "{counts:?}");
}

#[test]
fn keys_that_are_no_points_and_secrets_that_are_no_scalars_are_refused() {
    assert_eq!(CoinPublic::new(vec![[0xff; 32]], 1), Err(CoinKeyError::Key(0)));
    assert_eq!(CoinPublic::new(vec![[0; 32]], 1), Err(CoinKeyError::Key(0)));
    assert_eq!(CoinPublic::new(vec![], 1), Err(CoinKeyError::Threshold));
    assert!(CoinSecret::from_bytes(&[0xff; 32]).is_err());
    assert!(CoinSecret::from_bytes(&[1; 31]).is_err());
    let (public, secrets) = deal(3, 1, &mut entropy(8));
    let back = CoinSecret::from_bytes(&secrets[2].to_bytes()[..]).unwrap();
    assert_eq!(back.public(), public.keys()[2]);
    assert_eq!(CoinPublic::new(public.keys().to_vec(), 1), Ok(public));
}
