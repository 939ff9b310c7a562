//! The paper's claims, the edges of every range, foreign verifiers, and the attack on the wrong variant.

use super::*;
use crate::codec::Epoch;
use crate::quorum::ReplicaId;
use crate::threshold::modulus::Modulus;
use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;
use num_traits::One;
use sha2::{Digest as _, Sha256, Sha512};

mod attack;
mod foreign;
mod properties;
mod vectors;

const EPOCH: Epoch = Epoch(3);

fn id(index: u8) -> ReplicaId {
    ReplicaId::new(index).unwrap()
}

fn representative(public: &PublicKey, message: &[u8]) -> Representative {
    public.encode(&Sha256::digest(message)).unwrap()
}

/// All shares of x, by slot.
fn shares(dealt: &Dealt, x: &Representative) -> Vec<(ReplicaId, SignatureShare)> {
    dealt.shares.iter().map(|s| (s.index(), s.sign(&dealt.public, x))).collect()
}

/// The octets of a number, as long as N.
fn octets(public: &PublicKey, number: &BigUint) -> Vec<u8> {
    let digits = number.to_bytes_be();
    let mut out = vec![0; public.modulus().len() - digits.len()];
    out.extend(digits);
    out
}

fn subsets(n: usize, k: usize) -> Vec<Vec<usize>> {
    (0u32..1 << n)
        .filter(|mask| mask.count_ones() as usize == k)
        .map(|mask| (0..n).filter(|slot| mask >> slot & 1 == 1).collect())
        .collect()
}

#[test]
fn any_k_shares_give_the_same_signature_and_fewer_give_none() {
    for (n, k) in [(1, 1), (4, 2), (4, 3), (5, 2), (7, 3), (7, 5), (10, 4), (13, 5)] {
        let dealt = test_keys::dealt(1024, 0, n, k);
        let x = representative(&dealt.public, b"any k");
        let all = shares(&dealt, &x);
        let signature = dealt.public.combine(&x, &all).unwrap();
        assert!(dealt.public.verify(&x, signature.as_bytes()));
        let sets = subsets(n, k);
        // All sets, or a spread of them where there are over a thousand.
        for set in sets.iter().step_by(1 + sets.len() / 128) {
            let some: Vec<_> = set.iter().rev().map(|slot| all[*slot].clone()).collect();
            assert_eq!(dealt.public.combine(&x, &some).as_ref(), Ok(&signature), "{k} of {n}: {set:?}");
        }
        assert_eq!(dealt.public.combine(&x, &all[..k - 1]), Err(CombineError::TooFew), "{k} of {n}");
    }
}

#[test]
fn fewer_shares_do_not_combine_under_a_smaller_threshold_either() {
    let dealt = test_keys::dealt(1024, 0, 4, 3);
    let lying = PublicKey::new(
        dealt.public.modulus().to_vec(),
        4,
        2,
        dealt.public.0.modulus.encode(&dealt.public.0.v),
        dealt.public.0.verification.iter().map(|v_i| dealt.public.0.modulus.encode(v_i)).collect(),
    )
    .unwrap();
    let all = shares(&dealt, &representative(&dealt.public, b"k - 1"));
    let x = representative(&lying, b"k - 1");
    assert_eq!(lying.combine(&x, &all), Err(CombineError::Wrong(vec![id(1), id(2)])));
}

#[test]
fn the_largest_committee_signs() {
    let dealt = test_keys::dealt(1024, 1, 32, 11);
    let x = representative(&dealt.public, b"thirty-two");
    let all = shares(&dealt, &x);
    let late = dealt.public.combine(&x, &all[21..]).unwrap();
    assert_eq!(dealt.public.combine(&x, &all), Ok(late));
    let proof = dealt.shares[31].prove(&dealt.public, EPOCH, &x, &all[31].1, [7; 32]);
    assert_eq!(dealt.public.verify_share(id(32), EPOCH, &x, &all[31].1, &proof), Ok(()));
}

#[test]
fn shares_made_two_at_a_time_are_the_same_as_one_by_one() {
    for bits in [1024, 2048] {
        let dealt = test_keys::dealt(bits, 0, 4, 2);
        let xs: Vec<_> = (0..5u8).map(|i| representative(&dealt.public, &[i])).collect();
        let together = dealt.shares[2].sign_all(&dealt.public, &xs);
        let single: Vec<_> = xs.iter().map(|x| dealt.shares[2].sign(&dealt.public, x)).collect();
        assert_eq!(together, single, "{bits} bits");
    }
}

#[test]
fn a_share_is_x_to_the_2_delta_s_by_an_independent_computation() {
    let dealt = test_keys::dealt(2048, 1, 4, 2);
    let x = representative(&dealt.public, b"oracle");
    let n = BigUint::from_bytes_be(dealt.public.modulus());
    for secret in &dealt.shares {
        let exponent = BigUint::from_bytes_be(&secret.s) * 48u32;
        let expected = BigUint::from_bytes_be(&x.octets).modpow(&exponent, &n);
        assert_eq!(secret.sign(&dealt.public, &x).0, octets(&dealt.public, &expected));
    }
}

#[test]
fn edge_values_are_refused_by_name_and_never_panic() {
    let dealt = test_keys::dealt(1024, 0, 4, 2);
    let public = &dealt.public;
    let x = representative(public, b"edges");
    let good = shares(&dealt, &x);
    let proof = dealt.shares[0].prove(public, EPOCH, &x, &good[0].1, [1; 32]);
    let n = BigUint::from_bytes_be(public.modulus());
    let p = BigUint::parse_bytes(test_keys::PRIMES_512[0][0].as_bytes(), 16).unwrap();
    let length = public.modulus().len();
    let edges = [
        (vec![0; length], ShareError::Range),
        (octets(public, &BigUint::one()), ShareError::Range),
        (octets(public, &(&n - 1u32)), ShareError::Range),
        (octets(public, &n), ShareError::Range),
        (octets(public, &(&n + 1u32)), ShareError::Range),
        (vec![0xff; length], ShareError::Range),
        (vec![], ShareError::Range),
        (good[0].1.0[1..].to_vec(), ShareError::Range),
        ([&[0], &good[0].1.0[..]].concat(), ShareError::Range),
        (octets(public, &p), ShareError::NotAUnit),
        (octets(public, &(&p * 6u32)), ShareError::NotAUnit),
    ];
    for (value, error) in edges {
        let bad = SignatureShare(value);
        assert_eq!(public.verify_share(id(1), EPOCH, &x, &bad, &proof), Err(error), "{bad:?}");
        for order in [[(id(1), bad.clone()), good[1].clone()], [good[1].clone(), (id(1), bad.clone())]] {
            assert_eq!(public.combine(&x, &order), Err(CombineError::Bad(id(1), error)), "{bad:?}");
        }
        assert!(!public.verify(&x, &bad.0));
    }
    assert_eq!(public.combine(&x, &[good[0].clone(), good[0].clone()]), Err(CombineError::Twice(id(1))));
    let outsider = (id(5), good[0].1.clone());
    assert_eq!(public.combine(&x, &[outsider]), Err(CombineError::TooFew));
    let outsiders = [(id(5), good[0].1.clone()), good[1].clone()];
    assert_eq!(public.combine(&x, &outsiders), Err(CombineError::Bad(id(5), ShareError::Index)));
    assert_eq!(public.verify_share(id(5), EPOCH, &x, &good[0].1, &proof), Err(ShareError::Index));
}

#[test]
fn a_proof_holds_for_its_own_statement_only() {
    let dealt = test_keys::dealt(1024, 0, 4, 2);
    let public = &dealt.public;
    let (x, other_x) = (representative(public, b"this"), representative(public, b"that"));
    let share = dealt.shares[1].sign(public, &x);
    let proof = dealt.shares[1].prove(public, EPOCH, &x, &share, [9; 32]);
    let check = |index: u8, epoch, x: &Representative, share: &SignatureShare, proof: &Proof| {
        public.verify_share(id(index), epoch, x, share, proof)
    };
    assert_eq!(check(2, EPOCH, &x, &share, &proof), Ok(()));
    let refused = Err(ShareError::Proof);
    assert_eq!(check(1, EPOCH, &x, &share, &proof), refused, "another index");
    assert_eq!(check(2, Epoch(4), &x, &share, &proof), refused, "another epoch");
    assert_eq!(check(2, EPOCH, &other_x, &share, &proof), refused, "another base");
    let other_share = dealt.shares[0].sign(public, &x);
    assert_eq!(check(2, EPOCH, &x, &other_share, &proof), refused, "another share");
    let wrong_base = dealt.shares[1].sign(public, &other_x);
    let wrong_proof = dealt.shares[1].prove(public, EPOCH, &x, &wrong_base, [9; 32]);
    assert_eq!(
        check(2, EPOCH, &x, &wrong_base, &wrong_proof),
        refused,
        "a share of another base, proved for this"
    );
    let mut bad = proof.clone();
    bad.c[31] ^= 1;
    assert_eq!(check(2, EPOCH, &x, &share, &bad), refused, "another challenge");
    for z in [vec![], vec![0; proof.z.len()], vec![0xff; proof.z.len()], proof.z[1..].to_vec()] {
        assert_eq!(check(2, EPOCH, &x, &share, &Proof { c: proof.c, z }), refused, "z out of range or wrong");
    }
    let longer = [&[0], &proof.z[..]].concat();
    assert_eq!(check(2, EPOCH, &x, &share, &Proof { c: proof.c, z: longer }), refused, "a longer z");

    let other = test_keys::dealt(1024, 1, 4, 2);
    let x_there = representative(&other.public, b"this");
    assert_eq!(other.public.verify_share(id(2), EPOCH, &x_there, &share, &proof), refused, "another key");
}

#[test]
fn the_nonce_depends_on_the_statement_even_if_entropy_repeats() {
    let dealt = test_keys::dealt(1024, 0, 4, 2);
    let proofs: Vec<_> = [b"a", b"b"]
        .iter()
        .map(|message| {
            let x = representative(&dealt.public, *message);
            let share = dealt.shares[0].sign(&dealt.public, &x);
            dealt.shares[0].prove(&dealt.public, EPOCH, &x, &share, [0; 32])
        })
        .collect();
    // With one nonce, (z_1 - z_2) would be s (c_1 - c_2).
    let difference =
        |a: &[u8], b: &[u8]| BigInt::from_bytes_be(Sign::Plus, a) - BigInt::from_bytes_be(Sign::Plus, b);
    let z = difference(&proofs[0].z, &proofs[1].z);
    let c = difference(&proofs[0].c, &proofs[1].c);
    assert_ne!(z, c * BigInt::from_bytes_be(Sign::Plus, &dealt.shares[0].s));
}

#[test]
fn wrong_shares_do_not_combine_and_the_error_names_the_suspects() {
    let dealt = test_keys::dealt(1024, 0, 4, 2);
    let x = representative(&dealt.public, b"right");
    let good = shares(&dealt, &x);
    let other = shares(&dealt, &representative(&dealt.public, b"wrong"));
    let wrong = |set: &[(ReplicaId, SignatureShare)]| dealt.public.combine(&x, set).unwrap_err();
    let both = CombineError::Wrong(vec![id(1), id(2)]);
    assert_eq!(wrong(&[good[0].clone(), other[1].clone()]), both, "another message");
    assert_eq!(wrong(&[good[0].clone(), (id(2), good[2].1.clone())]), both, "another index");
}

#[test]
fn keys_and_shares_survive_their_encoding_and_refuse_any_other() {
    let dealt = test_keys::dealt(1024, 0, 4, 2);
    let bytes = dealt.public.to_bytes();
    let back = PublicKey::from_bytes(&bytes).unwrap();
    assert_eq!(back.key_id(), dealt.public.key_id());
    assert_eq!(back.to_bytes(), bytes);
    assert!(PublicKey::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    assert!(PublicKey::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    // Version, the modulus's length, its highest and lowest bits, e, n, k.
    for (place, value) in
        [(0, 2), (1, 127), (5, 0x7f), (132, 0), (133, 3), (137, 0), (137, 5), (138, 0), (138, 5)]
    {
        let mut bytes = bytes.clone();
        bytes[place] = value;
        assert!(PublicKey::from_bytes(&bytes).is_err(), "octet {place} = {value}");
    }
    for share in &dealt.shares {
        let back = SecretShare::from_bytes(&share.to_bytes()).unwrap();
        assert_eq!(back.index(), share.index());
        assert_eq!(back.check(&dealt.public), Ok(()));
        let mut damaged = share.to_bytes();
        damaged[100] ^= 1;
        assert!(SecretShare::from_bytes(&damaged).unwrap().check(&dealt.public).is_err());
        let foreign = test_keys::dealt(1024, 1, 4, 2).public;
        assert!(share.check(&foreign).is_err());
    }
    assert!(SecretShare::from_bytes(&[]).is_err());
    assert!(SecretShare::from_bytes(&[1; 40]).is_err());
}

#[test]
fn only_sha256_and_sha512_hashes_are_encoded() {
    let public = test_keys::dealt(1024, 0, 1, 1).public;
    for length in [0, 1, 20, 31, 33, 48, 63, 65] {
        assert!(public.encode(&vec![0; length]).is_none(), "{length} octets");
    }
    assert!(public.encode(&[0; 32]).is_some() && public.encode(&[0; 64]).is_some());
}

#[test]
fn the_dealer_refuses_what_it_cannot_deal() {
    let mut entropy = test_keys::counting();
    let [p, q] = test_keys::PRIMES_512[0].map(|hex| data_encoding::HEXUPPER.decode(hex.as_bytes()).unwrap());
    let mut deal = |p: &[u8], q: &[u8], n, k| dealer::deal_from_primes(p, q, n, k, &mut entropy).is_ok();
    assert!(deal(&p, &q, 4, 2));
    assert!(!deal(&p, &p, 4, 2), "equal primes");
    assert!(!deal(&p, &q[1..], 4, 2), "unequal lengths");
    assert!(!deal(&[0xff; 64], &q, 4, 2), "no prime");
    for (n, k) in [(0, 0), (4, 0), (4, 5), (33, 2)] {
        assert!(!deal(&p, &q, n, k), "{k} of {n}");
    }
    let refused = dealer::deal(1000, 4, 2, &mut test_keys::counting(), &mut |_| ());
    assert!(refused.is_err());
}

#[test]
fn a_key_with_fresh_primes_signs_and_progress_is_told() {
    let mut last = None;
    let dealt = dealer::deal(1024, 4, 2, &mut test_keys::counting(), &mut |p| last = Some(p)).unwrap();
    assert_eq!(last, Some(dealer::DealProgress::Primes(2)));
    for share in &dealt.shares {
        assert_eq!(share.check(&dealt.public), Ok(()));
    }
    let x = representative(&dealt.public, b"fresh");
    assert!(dealt.public.combine(&x, &shares(&dealt, &x)).is_ok());
}

#[test]
fn modular_arithmetic_agrees_with_an_independent_library() {
    let modulus = test_keys::dealt(1024, 0, 1, 1).public.modulus().to_vec();
    let ring = Modulus::new(&modulus).unwrap();
    let n = BigUint::from_bytes_be(&modulus);
    let mut random = test_keys::counting();
    for _ in 0..50 {
        let mut draw = || {
            let mut octets = vec![0; 128];
            random(&mut octets);
            BigUint::from_bytes_be(&octets) % &n
        };
        let (a, b) = (draw(), draw());
        let element = |v: &BigUint| {
            let digits = v.to_bytes_be();
            ring.residue(&[vec![0; 128 - digits.len()], digits].concat()).unwrap()
        };
        let number = |r: &modulus::Residue| BigUint::from_bytes_be(&ring.encode(r));
        assert_eq!(number(&ring.mul(&element(&a), &element(&b))), &a * &b % &n);
        let power = a.modpow(&b, &n);
        assert_eq!(number(&ring.pow(&element(&a), &b.to_bytes_be())), power);
        assert_eq!(number(&ring.pow_secret(&element(&a), &b.to_bytes_be())), power);
        let inverse = number(&ring.invert(&element(&a)).unwrap());
        assert!((inverse * &a % &n).is_one());
    }
    assert!(ring.invert(&ring.residue(&[0; 128]).unwrap()).is_none());
    assert!(Modulus::new(&[]).is_none() && Modulus::new(&[2]).is_none() && Modulus::new(&[0, 3]).is_none());
}

#[test]
fn the_published_test_primes_are_distinct_and_make_distinct_keys() {
    let ids: std::collections::BTreeSet<_> = [(1024, 0), (1024, 1), (2048, 0), (2048, 1)]
        .map(|(bits, which)| test_keys::dealt(bits, which, 4, 2).public.key_id())
        .into();
    assert_eq!(ids.len(), 4);
    let [a, b] =
        [0, 1].map(|which| BigUint::from_bytes_be(test_keys::dealt(1024, which, 1, 1).public.modulus()));
    assert!(a.gcd(&b).is_one());
}
