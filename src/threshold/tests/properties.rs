//! Properties over random messages, sets, and changes. Proptest prints the seed of a failure, and what it shrinks it to.

use super::*;
use proptest::prelude::*;
use std::sync::OnceLock;

/// t+1 and n-t of n = 4, 7, 13, dealt once.
fn keys() -> &'static [Dealt] {
    static KEYS: OnceLock<Vec<Dealt>> = OnceLock::new();
    let sizes = [(4, 2), (4, 3), (7, 3), (7, 5), (13, 5), (13, 9)];
    KEYS.get_or_init(|| sizes.map(|(n, k)| test_keys::dealt(1024, 0, n, k)).into())
}

/// Which of [`keys`], a message's hash (of either length), and an order of all replicas.
fn settings() -> impl Strategy<Value = (usize, Vec<u8>, Vec<usize>)> {
    let hash =
        prop_oneof![proptest::collection::vec(any::<u8>(), 32), proptest::collection::vec(any::<u8>(), 64)];
    (0..keys().len(), hash).prop_flat_map(|(which, hash)| {
        let order: Vec<_> = (0..keys()[which].public.parties()).collect();
        (Just(which), Just(hash), Just(order).prop_shuffle())
    })
}

fn of(dealt: &Dealt, x: &Representative, slots: &[usize]) -> Vec<(ReplicaId, SignatureShare)> {
    slots
        .iter()
        .map(|slot| (dealt.shares[*slot].index(), dealt.shares[*slot].sign(&dealt.public, x)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_two_sets_of_k_give_the_same_octets_and_k_minus_1_none((which, hash, order) in settings()) {
        let dealt = &keys()[which];
        let (public, k) = (&dealt.public, dealt.public.threshold());
        let x = public.encode(&hash).unwrap();
        let (first, last) = (of(dealt, &x, &order[..k]), of(dealt, &x, &order[order.len() - k..]));
        let signature = public.combine(&x, &first).unwrap();
        prop_assert_eq!(public.combine(&x, &last), Ok(signature.clone()));
        prop_assert!(public.verify(&x, signature.as_bytes()));
        prop_assert_eq!(public.combine(&x, &first[1..]), Err(CombineError::TooFew));
        // Nor with a share that anybody can make in the place of the missing one.
        let mut guessed = first.clone();
        guessed[0].1 = SignatureShare(x.octets.clone());
        prop_assert!(public.combine(&x, &guessed).is_err());
    }

    #[test]
    fn a_share_of_another_message_or_key_is_refused((which, hash, order) in settings(), other in any::<[u8; 32]>()) {
        prop_assume!(hash != other);
        let dealt = &keys()[which];
        let (public, k) = (&dealt.public, dealt.public.threshold());
        let (x, y) = (public.encode(&hash).unwrap(), public.encode(&other).unwrap());
        let mut shares = of(dealt, &x, &order[..k]);
        // Other primes.
        let anew = test_keys::dealt(1024, 1, public.parties(), k);
        let x_anew = anew.public.encode(&hash).unwrap();
        let who = order[0];
        for wrong in [dealt.shares[who].sign(public, &y), anew.shares[who].sign(&anew.public, &x_anew)] {
            shares[0].1 = wrong.clone();
            prop_assert!(public.combine(&x, &shares).is_err());
            if public.0.modulus.residue(&wrong.0).is_some() {
                let proof = dealt.shares[who].prove(public, EPOCH, &x, &wrong, [0; 32]);
                prop_assert!(public.verify_share(shares[0].0, EPOCH, &x, &wrong, &proof).is_err());
            }
        }
    }

    #[test]
    fn a_proof_holds_and_no_change_of_it_does(
        (which, hash, order) in settings(), entropy in any::<[u8; 32]>(), place in any::<prop::sample::Index>(), bit in 0..8u8
    ) {
        let dealt = &keys()[which];
        let (public, secret) = (&dealt.public, &dealt.shares[order[0]]);
        let x = public.encode(&hash).unwrap();
        let share = secret.sign(public, &x);
        let proof = secret.prove(public, EPOCH, &x, &share, entropy);
        let check = |epoch, share: &SignatureShare, proof: &Proof| {
            public.verify_share(secret.index(), epoch, &x, share, proof)
        };
        prop_assert_eq!(check(EPOCH, &share, &proof), Ok(()));
        prop_assert!(check(Epoch(EPOCH.0 ^ 1 << bit), &share, &proof).is_err());
        let mut octets = [&share.0[..], &proof.c, &proof.z].concat();
        octets[place.index(share.0.len() + 32 + proof.z.len())] ^= 1 << bit;
        let (share, rest) = octets.split_at(share.0.len());
        let changed = Proof { c: rest[..32].try_into().unwrap(), z: rest[32..].to_vec() };
        prop_assert!(check(EPOCH, &SignatureShare(share.to_vec()), &changed).is_err());
    }

    #[test]
    fn no_octets_panic_what_reads_them(octets in proptest::collection::vec(any::<u8>(), 0..600), index in any::<u8>()) {
        let dealt = &keys()[0];
        let public = &dealt.public;
        let x = representative(public, b"any octets");
        let share = SignatureShare(octets.clone());
        let who = ReplicaId::new(index % 32 + 1).unwrap();
        let proof = Proof { c: [index; 32], z: octets.clone() };
        prop_assert!(public.verify_share(who, EPOCH, &x, &share, &proof).is_err());
        prop_assert!(public.combine(&x, &[(who, share.clone()), (id(1), share)]).is_err());
        prop_assert!(!public.verify(&x, &octets));
        prop_assert!(PublicKey::from_bytes(&octets).is_err());
        let secret = SecretShare::from_bytes(&octets).and_then(|secret| secret.check(public));
        prop_assert!(secret.is_err());
    }
}

/// 0, 1, N-1, N, N+1, 2^|N|-1, p, and lengths around.
fn edges(public: &PublicKey) -> Vec<Vec<u8>> {
    let n = BigUint::from_bytes_be(public.modulus());
    let p = BigUint::parse_bytes(test_keys::PRIMES_512[0][0].as_bytes(), 16).unwrap();
    let numbers = [BigUint::ZERO, BigUint::one(), &n - 1u32, n.clone(), &n + 1u32, p.clone(), &n - p];
    let mut edges: Vec<_> = numbers.iter().map(|number| octets(public, number)).collect();
    let length = public.modulus().len();
    edges.extend([vec![], vec![0xff; length], vec![2; length - 1], vec![2; length + 1]]);
    edges
}

#[test]
fn a_key_with_an_edge_value_for_v_or_a_v_i_is_refused() {
    let public = &keys()[0].public;
    let ring = &public.0.modulus;
    let v = ring.encode(&public.0.v);
    let verification: Vec<_> = public.0.verification.iter().map(|v_i| ring.encode(v_i)).collect();
    let key = |v: &[u8], verification: &[Vec<u8>]| {
        PublicKey::new(public.modulus().to_vec(), 4, 2, v.to_vec(), verification.to_vec())
    };
    assert!(key(&v, &verification).is_ok());
    for edge in edges(public) {
        assert!(key(&edge, &verification).is_err(), "v = {edge:?}");
        let mut changed = verification.clone();
        changed[2] = edge;
        assert!(key(&v, &changed).is_err(), "v_3 = {:?}", changed[2]);
    }
    for count in [0, 3, 5] {
        let some: Vec<_> = verification.iter().cycle().take(count).cloned().collect();
        assert!(key(&v, &some).is_err(), "{count} verification keys");
    }
}

#[test]
fn a_signature_or_secret_with_an_edge_value_is_refused() {
    let dealt = &keys()[0];
    let x = representative(&dealt.public, b"edges");
    for edge in edges(&dealt.public) {
        assert!(!dealt.public.verify(&x, &edge), "{edge:?}");
        let file = [&[1, 1], &dealt.public.key_id().0.0[..], &edge].concat();
        let refused = SecretShare::from_bytes(&file).and_then(|share| share.check(&dealt.public));
        assert!(refused.is_err(), "{edge:?}");
    }
    // A secret of another key's width under this key's name.
    let file = [&[1, 1], &dealt.public.key_id().0.0[..], &[7; 256]].concat();
    assert!(SecretShare::from_bytes(&file).unwrap().check(&dealt.public).is_err());
}

#[test]
fn a_share_and_its_negative_are_one_to_proof_and_combination() {
    let dealt = &keys()[0];
    let (public, x) = (&dealt.public, representative(&keys()[0].public, b"sign"));
    let mut all = shares(dealt, &x);
    let proof = dealt.shares[0].prove(public, EPOCH, &x, &all[0].1, [3; 32]);
    let signature = public.combine(&x, &all).unwrap();
    let n = BigUint::from_bytes_be(public.modulus());
    all[0].1 = SignatureShare(octets(public, &(n - BigUint::from_bytes_be(&all[0].1.0))));
    assert_eq!(public.verify_share(id(1), EPOCH, &x, &all[0].1, &proof), Ok(()));
    assert_eq!(public.combine(&x, &all), Ok(signature));
}

#[test]
#[should_panic(expected = "as wide as those of its key")]
fn an_unchecked_share_of_another_width_does_not_work() {
    let public = &keys()[0].public;
    let file = [&[1, 1], &public.key_id().0.0[..], &[7; 256]].concat();
    let x = representative(public, b"width");
    SecretShare::from_bytes(&file).unwrap().sign(public, &x);
}
