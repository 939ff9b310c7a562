//! Dealings that are wrong in one way each: every check is the only one to see its own.

use super::*;
use crate::threshold::refresh::proof;
use crate::threshold::secret::octets;

/// What is made wrong, and how.
type Wrong<T> = (&'static str, &'static dyn Fn(&mut T));

/// n = 4, k = 2: h is a multiple of X.
struct Forge {
    sharing: Sharing,
    keys: Vec<ReceiverKey>,
}

impl Forge {
    fn new() -> Self {
        Self { sharing: Sharing::dealt(4, 2), keys: receivers(4) }
    }

    fn round(&self) -> Round<'_> {
        round(&self.sharing.public, &self.keys)
    }

    fn honest(&self) -> Dealing {
        self.round().deal(&self.sharing.shares[0], [1; 32])
    }

    /// A dealing proved by the rules, with a commitment and values of the dealer's choice.
    fn of(&self, commitment: Vec<u8>, values: [BigUint; 4]) -> Dealing {
        let round = self.round();
        let values = values.map(|value| secret(&value.to_bytes_be()));
        proof::prove(&round, id(1), vec![commitment], &values, &mut Hedged::new("test", &[b"forge"]))
    }

    /// v^exponent, times -1 if said.
    fn power(&self, exponent: &BigUint, minus: bool) -> Vec<u8> {
        let public = &self.sharing.public;
        let n = BigUint::from_bytes_be(public.modulus());
        let v = BigUint::from_bytes_be(&public.0.modulus.encode(&public.0.v));
        let power = v.modpow(exponent, &n);
        let value = if minus { n - power } else { power };
        octets(&secret(&value.to_bytes_be()), public.modulus().len()).to_vec()
    }

    fn refused(&self, dealing: &Dealing, error: DealingError, why: &str) {
        assert_eq!(self.round().verify(id(1), dealing), Err(error), "{why}");
    }
}

fn h() -> BigUint {
    (BigUint::from(1u8) << 1000u32) + 12_345u32
}

#[test]
fn a_dealing_made_by_hand_as_the_rules_say_is_accepted() {
    let forge = Forge::new();
    let dealing = forge.of(forge.power(&h(), false), [1u8, 2, 3, 4].map(|i| h() * i));
    assert_eq!(forge.round().verify(id(1), &dealing), Ok(()));
}

#[test]
fn a_row_off_the_polynomial_is_refused() {
    let forge = Forge::new();
    for wrong in 0..4 {
        let mut values = [1u8, 2, 3, 4].map(|i| h() * i);
        values[wrong] += 1u32;
        let dealing = forge.of(forge.power(&h(), false), values);
        forge.refused(&dealing, DealingError::Proof, &format!("row {wrong}"));
    }
}

#[test]
fn a_constant_term_is_refused() {
    let forge = Forge::new();
    // h(i) + 1 fits no multiple of X.
    let dealing = forge.of(forge.power(&h(), false), [1u8, 2, 3, 4].map(|i| h() * i + 1u32));
    forge.refused(&dealing, DealingError::Proof, "a constant term");
}

#[test]
fn a_commitment_with_the_wrong_sign_changes_nothing() {
    let forge = Forge::new();
    let values = || [1u8, 2, 3, 4].map(|i| h() * i);
    let (plus, minus) =
        (forge.of(forge.power(&h(), false), values()), forge.of(forge.power(&h(), true), values()));
    assert_eq!(forge.round().verify(id(1), &minus), Ok(()), "nobody can see the sign");
    let after = |dealing: &Dealing| outcome(&forge.round(), &[dealing], &[]).unwrap().public;
    assert_eq!(after(&plus).key_id(), after(&minus).key_id(), "and so it must not matter");
}

#[test]
fn numbers_of_another_shape_are_refused() {
    let forge = Forge::new();
    let change = |change: &dyn Fn(&mut Dealing)| {
        let mut dealing = forge.honest();
        change(&mut dealing);
        dealing
    };
    let shapes: [Wrong<Dealing>; 6] = [
        ("no commitment", &|d| d.commitments.clear()),
        ("two commitments", &|d| d.commitments.push(d.commitments[0].clone())),
        ("three rows", &|d| d.rows.truncate(3)),
        ("five rows", &|d| d.rows.push(d.rows[0].clone())),
        ("a longer response", &|d| d.rows[2].response.insert(0, 0)),
        ("no response", &|d| d.rows[2].response.clear()),
    ];
    for (why, shape) in shapes {
        forge.refused(&change(shape), DealingError::Shape, why);
    }
    let units: [Wrong<Row>; 6] = [
        ("ciphertext 0", &|row| row.ciphertext.fill(0)),
        ("a shorter ciphertext", &|row| row.ciphertext.truncate(9)),
        ("a ciphertext above M²", &|row| row.ciphertext.fill(0xff)),
        ("randomizer 0", &|row| row.randomizer.fill(0)),
        ("a longer randomizer", &|row| row.randomizer.push(1)),
        ("a randomizer above M", &|row| row.randomizer.fill(0xff)),
    ];
    for (why, unit) in units {
        forge.refused(&change(&|d| unit(&mut d.rows[1])), DealingError::NotAUnit(id(2)), why);
    }
    let one = |d: &mut Dealing| {
        d.commitments[0].fill(0);
        *d.commitments[0].last_mut().unwrap() = 1;
    };
    forge.refused(&change(&one), DealingError::Commitment, "the commitment 1");
    forge.refused(&change(&|d| d.commitments[0].fill(0)), DealingError::Commitment, "the commitment 0");
}

#[test]
fn a_response_out_of_range_is_refused_though_its_equations_hold() {
    let forge = Forge::new();
    let most = BigUint::from(1u8) << (8 * Sizes::of(&forge.sharing.public).nonce + 1);
    let dealing = |r: BigUint| forge.proved(&BigInt::from(h()), &r, None);
    assert_eq!(forge.round().verify(id(1), &dealing(&most - (h() << 140))), Ok(()));
    forge.refused(&dealing(most), DealingError::Range(id(1)), "one bit too long");
}

#[test]
fn a_randomizer_of_zero_would_free_the_ciphertext() {
    // With ω = 0 both sides of the first equation are 0, whatever E holds.
    let forge = Forge::new();
    let r = BigUint::from(1u8) << 1400;
    assert_eq!(forge.round().verify(id(1), &forge.proved(&BigInt::from(h()), &r, None)), Ok(()));
    forge.refused(
        &forge.proved(&BigInt::from(h()), &r, Some(2)),
        DealingError::NotAUnit(id(3)),
        "no inverse",
    );
}

#[test]
fn a_dealing_is_bound_to_its_dealer_cluster_epoch_key_and_receivers() {
    let forge = Forge::new();
    let dealing = forge.honest();
    let (public, keys) = (&forge.sharing.public, &forge.keys);
    let cluster = ClusterId(Digest([7; 32]));
    let refused = |round: Result<Round<'_>, KeyError>, dealer: u8| {
        assert!(round.unwrap().verify(id(dealer), &dealing).is_err());
    };
    assert_eq!(forge.round().verify(id(1), &dealing), Ok(()));
    refused(Round::new(cluster, EPOCH, public, keys), 2);
    refused(Round::new(ClusterId(Digest([8; 32])), EPOCH, public, keys), 1);
    refused(Round::new(cluster, Epoch(3), public, keys), 1);
    let next = forge.sharing.next(2, 2).public;
    refused(Round::new(cluster, EPOCH, &next, keys), 1);
    let mut swapped = receivers(4);
    swapped.swap(0, 1);
    refused(Round::new(cluster, EPOCH, public, &swapped), 1);
    assert!(Round::new(cluster, EPOCH, public, &keys[..3]).is_err());
}

#[test]
fn every_octet_of_a_dealing_counts() {
    let forge = Forge::new();
    let bytes = crate::codec::encode(&forge.honest());
    assert!(bytes.len() <= Sizes::of(&forge.sharing.public).dealing, "the size that was promised");
    for place in (0..bytes.len()).step_by(97) {
        let mut bytes = bytes.clone();
        bytes[place] ^= 1;
        if let Ok(dealing) = crate::codec::decode::<Dealing>(&bytes, MAX_DEALING_BYTES) {
            assert!(forge.round().verify(id(1), &dealing).is_err(), "octet {place}");
        }
    }
}

#[test]
fn rows_below_zero_by_a_cheating_dealer_leave_every_replica_a_share_that_signs() {
    // z = r - c h i stays in range if r is large enough.
    let forge = Forge::new();
    let public = &forge.sharing.public;
    let nonce = 8 * Sizes::of(public).nonce;
    let dealing =
        forge.proved(&-(BigInt::from(1) << (nonce - 8 * 17)), &(BigUint::from(1u8) << (nonce - 1)), None);
    assert_eq!(forge.round().verify(id(1), &dealing), Ok(()));
    let honest = forge.round().deal(&forge.sharing.shares[1], [4; 32]);
    let made = outcome(&forge.round(), &[&dealing, &honest], &[]).unwrap();
    let new = forge.sharing.take(&made);
    assert!(new.shares.iter().all(|share| share.negative));
    let last = new.next(2, 3);
    for sharing in [&new, &last] {
        let x = sharing.x(b"negative");
        let all = sharing.sign(b"negative");
        assert!(sharing.public.combine(&x, &all[1..3]).is_ok());
        let proof = sharing.shares[2].prove(&sharing.public, EPOCH, &x, &all[2].1, [1; 32]);
        assert_eq!(sharing.public.verify_share(id(3), EPOCH, &x, &all[2].1, &proof), Ok(()));
        let back = SecretShare::from_bytes(&sharing.shares[0].to_bytes()).unwrap();
        assert_eq!(back.check(&sharing.public), Ok(()));
    }
}

#[test]
fn a_row_that_is_not_ones_own_or_of_another_key_gives_no_share() {
    let forge = Forge::new();
    let old = &forge.sharing;
    let made = outcome(&forge.round(), &[&forge.honest()], &[]).unwrap();
    let take = |old_key: &PublicKey, new_key: &PublicKey, row: &[u8], receiver| {
        old.shares[0].refreshed(old_key, new_key, row, receiver).is_ok()
    };
    let (new, rows) = (&made.public, &made.rows);
    assert!(take(&old.public, new, &rows[0], receiver(0)));
    assert!(!take(&old.public, new, &rows[1], receiver(0)), "another's row");
    assert!(!take(&old.public, new, &rows[1], receiver(1)), "another's number");
    assert!(!take(&old.public, new, &rows[0], receiver(1)), "another's receiver");
    assert!(!take(&old.public, new, &[], receiver(0)), "no row");
    assert!(!take(&old.public, &old.public, &rows[0], receiver(0)), "no refresh");
    assert!(!take(new, new, &rows[0], receiver(0)), "a share of another key");
    let other = test_keys::dealt(1024, 1, 4, 2).public;
    assert!(!take(&other, new, &rows[0], receiver(0)), "another key");
    let more = outcome(&forge.round(), &[&forge.honest(), &forge.honest()], &[]).unwrap();
    assert!(!take(&old.public, &more.public, &rows[0], receiver(0)), "another outcome");
}

impl Forge {
    /// A dealing of h = xX with the nonce r in every row, proved by the rules; the row of slot `free` holds 0 and has ω = 0.
    fn proved(&self, x: &BigInt, r: &BigUint, free: Option<usize>) -> Dealing {
        let round = self.round();
        let mut stream = Hedged::new("test", &[b"proved"]);
        let mut dealing =
            Dealing { commitments: vec![self.signed_power(x)], challenge: [0; 16], rows: Vec::new() };
        let (mut sent, mut kept) = (Vec::new(), Vec::new());
        for (slot, key) in self.keys.iter().enumerate() {
            let (rho, sigma) = (key.randomizer(&mut stream), key.randomizer(&mut stream));
            let m = BigInt::from(BigUint::from_bytes_be(key.as_bytes()));
            let plain = if free == Some(slot) { BigInt::from(0) } else { (x * (slot + 1) + &m) % &m };
            let sealed = key.square.encode(&key.encrypt(&secret(&plain.to_bytes_be().1), &rho));
            let first = match free == Some(slot) {
                true => vec![0; sealed.len()],
                false => key.square.encode(&key.encrypt(&secret(&r.to_bytes_be()), &sigma)),
            };
            sent.push([first, self.power(&(r * 2u8), false)]);
            dealing.rows.push(Row { ciphertext: sealed, response: Vec::new(), randomizer: Vec::new() });
            kept.push((rho, sigma));
        }
        let c = proof::challenge(&round, id(1), &dealing, &sent);
        for (slot, ((row, key), (rho, sigma))) in
            dealing.rows.iter_mut().zip(&self.keys).zip(&kept).enumerate()
        {
            let z = BigInt::from(r.clone()) + BigInt::from(BigUint::from_bytes_be(&c)) * x * (slot + 1);
            row.response = octets(&secret(&z.to_bytes_be().1), round.sizes.response).to_vec();
            row.randomizer = key.ring.encode(&key.ring.mul(sigma, &key.ring.pow(rho, &c)));
            if free == Some(slot) {
                row.randomizer.fill(0);
            }
        }
        dealing.challenge = c;
        dealing
    }

    fn signed_power(&self, x: &BigInt) -> Vec<u8> {
        let public = &self.sharing.public;
        let power = BigUint::from_bytes_be(&self.power(x.magnitude(), false));
        let n = BigUint::from_bytes_be(public.modulus());
        let power = if x.sign() == num_bigint::Sign::Minus { power.modinv(&n).unwrap() } else { power };
        octets(&secret(&power.to_bytes_be()), public.modulus().len()).to_vec()
    }
}
