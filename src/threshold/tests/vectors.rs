//! The known answers in `tests/vectors`: made here, and made again by every run of the tests, from fixed primes and a
//! counter under a hash. `tests/vectors/README.md` says what each field is; `tests/vectors/check.py` checks them by the
//! paper's formulas alone.
//!
//! `cargo test --release --lib threshold::tests::vectors -- --ignored` writes the files.

use super::*;
use crate::threshold::lagrange;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// bits, which of the fixed keys, n, k, octets of the hash (32: algorithm 8; 64: algorithm 10).
type Parameters = (usize, usize, usize, usize, usize);

/// k = t+1 and k = n-t for each n.
const CASES: [Parameters; 6] = [
    (2048, 0, 4, 2, 32),
    (1024, 1, 4, 3, 64),
    (1024, 0, 7, 3, 32),
    (1024, 1, 7, 5, 64),
    (1024, 0, 13, 5, 32),
    (1024, 1, 13, 9, 64),
];

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Vector {
    about: String,
    bits: usize,
    algorithm: u8,
    n: usize,
    k: usize,
    epoch: u32,
    e: String,
    p: String,
    q: String,
    p_prime: String,
    q_prime: String,
    m: String,
    modulus: String,
    d: String,
    f: Vec<String>,
    delta: String,
    a: String,
    b: String,
    u: String,
    v: String,
    public_key: String,
    key_id: String,
    message: String,
    hash: String,
    x: String,
    x_tilde: String,
    shares: Vec<ShareVector>,
    proofs: Vec<ProofVector>,
    refused: Vec<RefusedVector>,
    combinations: Vec<CombinationVector>,
    y: String,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct ShareVector {
    i: u8,
    s_i: String,
    v_i: String,
    x_s: String,
    x_i: String,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct ProofVector {
    i: u8,
    entropy: String,
    r: String,
    square: String,
    v_r: String,
    x_r: String,
    c: String,
    z: String,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct RefusedVector {
    why: String,
    i: u8,
    epoch: u32,
    x_i: String,
    c: String,
    z: String,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct CombinationVector {
    set: Vec<u8>,
    lambda: Vec<String>,
    w: String,
    y: String,
}

fn hex(octets: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(octets)
}

fn unhex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}

/// What the dealer keeps to itself, drawn again as it draws: k-1 coefficients, then u with v = u².
struct Secrets {
    primes: [BigUint; 2],
    m: BigUint,
    f: Vec<BigUint>,
    u: Vec<u8>,
}

fn secrets(bits: usize, which: usize, k: usize) -> Secrets {
    let texts = if bits == 1024 { test_keys::PRIMES_512 } else { test_keys::PRIMES_1024 }[which];
    let primes = texts.map(|hex| BigUint::parse_bytes(hex.as_bytes(), 16).unwrap());
    let m = (&primes[0] >> 1u32) * (&primes[1] >> 1u32);
    let mut draw = test_keys::counting();
    let mut octets = |length| {
        let mut octets = vec![0; length];
        draw(&mut octets);
        octets
    };
    let mut f = vec![BigUint::from(PUBLIC_EXPONENT).modinv(&m).unwrap()];
    f.resize_with(k, || BigUint::from_bytes_be(&octets(bits / 8 + 16)) % &m);
    let modulus = &primes[0] * &primes[1];
    let mut u = octets(bits / 8);
    while BigUint::from_bytes_be(&u) >= modulus {
        u = octets(bits / 8);
    }
    Secrets { primes, m, f, u }
}

/// One case while it is computed.
struct Case {
    dealt: Dealt,
    modulus: BigUint,
    x: Representative,
    x_tilde: BigUint,
    epoch: Epoch,
    all: Vec<(ReplicaId, SignatureShare)>,
}

impl Case {
    fn new((bits, which, n, k, _): Parameters, hash: &[u8]) -> Self {
        let dealt = test_keys::dealt(bits, which, n, k);
        let modulus = BigUint::from_bytes_be(dealt.public.modulus());
        let x = dealt.public.encode(hash).unwrap();
        let four_delta = BigUint::try_from(&dealt.public.0.delta * 4).unwrap();
        let x_tilde = BigUint::from_bytes_be(&x.octets).modpow(&four_delta, &modulus);
        let all = shares(&dealt, &x);
        Self { dealt, modulus, x, x_tilde, epoch: Epoch(u32::try_from(n).unwrap()), all }
    }

    fn text(&self, number: &BigUint) -> String {
        hex(&octets(&self.dealt.public, number))
    }

    fn share(&self, slot: usize) -> ShareVector {
        let (public, secret) = (&self.dealt.public, &self.dealt.shares[slot]);
        let x = BigUint::from_bytes_be(&self.x.octets);
        ShareVector {
            i: secret.index().get(),
            s_i: hex(&secret.s),
            v_i: hex(&public.0.modulus.encode(&public.0.verification[slot])),
            x_s: self.text(&x.modpow(&BigUint::from_bytes_be(&secret.s), &self.modulus)),
            x_i: hex(&self.all[slot].1.0),
        }
    }

    fn prove(&self, slot: usize, share: &SignatureShare) -> Proof {
        self.dealt.shares[slot].prove(&self.dealt.public, self.epoch, &self.x, share, entropy(slot))
    }

    fn proof(&self, slot: usize) -> ProofVector {
        let public = &self.dealt.public;
        let number = BigUint::from_bytes_be;
        let x_i = number(&self.all[slot].1.0);
        let proof = self.prove(slot, &self.all[slot].1);
        // z = s c + r.
        let r = number(&proof.z) - number(&self.dealt.shares[slot].s) * number(&proof.c);
        let v = number(&public.0.modulus.encode(&public.0.v));
        let digits = r.to_bytes_be();
        let r_octets = [vec![0; public.modulus().len() + 64 - digits.len()], digits].concat();
        ProofVector {
            i: id(u8::try_from(slot + 1).unwrap()).get(),
            entropy: hex(&entropy(slot)),
            r: hex(&r_octets),
            square: self.text(&(&x_i * &x_i % &self.modulus)),
            v_r: self.text(&v.modpow(&r, &self.modulus)),
            x_r: self.text(&self.x_tilde.modpow(&r, &self.modulus)),
            c: hex(&proof.c),
            z: hex(&proof.z),
        }
    }

    /// What must not be taken for a proof, and why.
    fn refused(&self, p: &BigUint) -> Vec<RefusedVector> {
        let good = self.prove(0, &self.all[0].1);
        let entry = |why: &str, i, epoch: Epoch, share: &SignatureShare, proof: &Proof| RefusedVector {
            why: why.to_owned(),
            i,
            epoch: epoch.0,
            x_i: hex(&share.0),
            c: hex(&proof.c),
            z: hex(&proof.z),
        };
        let changed = |change: &dyn Fn(&mut Proof)| {
            let mut proof = good.clone();
            change(&mut proof);
            proof
        };
        let share = &self.all[0].1;
        let other = self.dealt.public.encode(&[0; 32]).unwrap();
        let wrong = self.dealt.shares[0].sign(&self.dealt.public, &other);
        let number = |number: BigUint| SignatureShare(octets(&self.dealt.public, &number));
        vec![
            entry("c has one bit changed", 1, self.epoch, share, &changed(&|p| p.c[31] ^= 1)),
            entry(
                "z has one bit changed",
                1,
                self.epoch,
                share,
                &changed(&|p| *p.z.last_mut().unwrap() ^= 1),
            ),
            entry("z is 2^(|N|+513) or more", 1, self.epoch, share, &changed(&|p| p.z[0] |= 2)),
            entry("z has one octet too many", 1, self.epoch, share, &changed(&|p| p.z.insert(0, 0))),
            entry("another epoch", 1, Epoch(self.epoch.0 + 1), share, &good),
            entry("another index", 2, self.epoch, share, &good),
            entry("no such index", u8::try_from(self.all.len() + 1).unwrap(), self.epoch, share, &good),
            entry("the share of another replica", 1, self.epoch, &self.all[1].1, &good),
            entry("a share of another message", 1, self.epoch, &wrong, &self.prove(0, &wrong)),
            entry("x_i = 0", 1, self.epoch, &number(BigUint::ZERO), &good),
            entry("x_i = 1", 1, self.epoch, &number(BigUint::one()), &good),
            entry("x_i = N-1", 1, self.epoch, &number(&self.modulus - 1u32), &good),
            entry("x_i = N", 1, self.epoch, &number(self.modulus.clone()), &good),
            entry("x_i = p, which has a factor in common with N", 1, self.epoch, &number(p.clone()), &good),
        ]
    }

    fn combination(&self, set: Vec<u8>) -> CombinationVector {
        let public = &self.dealt.public;
        let lambda = lagrange::coefficients(&public.0.delta, &set);
        let some: Vec<_> = set.iter().map(|j| self.all[usize::from(*j) - 1].clone()).collect();
        let mut w = BigUint::one();
        for (lambda, (_, x_j)) in lambda.iter().zip(&some) {
            let power = BigUint::from_bytes_be(&x_j.0)
                .modpow(&BigUint::from_bytes_be(&lagrange::magnitude(&(lambda * 2))), &self.modulus);
            let factor =
                if lambda.sign() == Sign::Minus { power.modinv(&self.modulus).unwrap() } else { power };
            w = w * factor % &self.modulus;
        }
        let y = public.combine(&self.x, &some).unwrap();
        let lambda = lambda.iter().map(signed).collect();
        CombinationVector { set, lambda, w: self.text(&w), y: hex(y.as_bytes()) }
    }
}

fn entropy(slot: usize) -> [u8; 32] {
    [0xa0 + u8::try_from(slot).unwrap(); 32]
}

fn message(n: usize, k: usize) -> String {
    format!("conclave known answer: {k} of {n}")
}

/// Hexadecimal with a sign, without leading zeros.
fn signed(number: &BigInt) -> String {
    number.to_str_radix(16)
}

fn vector(case: Parameters) -> Vector {
    let (bits, which, n, k, hash_octets) = case;
    let message = message(n, k);
    let hash =
        if hash_octets == 32 { Sha256::digest(&message).to_vec() } else { Sha512::digest(&message).to_vec() };
    let at = Case::new(case, &hash);
    let secrets = secrets(bits, which, k);
    let public = &at.dealt.public;
    let (p, q) = (&secrets.primes[0], &secrets.primes[1]);
    let plain = |number: &BigUint| number.to_str_radix(16);
    let all: Vec<u8> = (1..=u8::try_from(n).unwrap()).collect();
    let spread = all.iter().rev().step_by(2).chain(all.iter().rev().skip(1).step_by(2)).copied().take(k);
    let sets = [all[..k].to_vec(), all[n - k..].to_vec(), spread.collect()];
    Vector {
        about: "Keys for tests only: everybody has their primes. See README.md.".to_owned(),
        bits,
        algorithm: if hash_octets == 32 { 8 } else { 10 },
        n,
        k,
        epoch: at.epoch.0,
        e: plain(&BigUint::from(PUBLIC_EXPONENT)),
        p: plain(p),
        q: plain(q),
        p_prime: plain(&(p >> 1u32)),
        q_prime: plain(&(q >> 1u32)),
        m: plain(&secrets.m),
        modulus: hex(public.modulus()),
        d: plain(&secrets.f[0]),
        f: secrets.f.iter().map(plain).collect(),
        delta: signed(&public.0.delta),
        a: signed(&public.0.bezout.0),
        b: signed(&public.0.bezout.1),
        u: hex(&secrets.u),
        v: hex(&public.0.modulus.encode(&public.0.v)),
        public_key: hex(&public.to_bytes()),
        key_id: public.key_id().0.to_hex(),
        message: hex(message.as_bytes()),
        hash: hex(&hash),
        x: hex(&at.x.octets),
        x_tilde: at.text(&at.x_tilde),
        shares: (0..n).map(|slot| at.share(slot)).collect(),
        proofs: [0, 1, n - 1].map(|slot| at.proof(slot)).into(),
        refused: at.refused(p),
        combinations: sets.map(|set| at.combination(set)).into(),
        y: hex(public.combine(&at.x, &at.all).unwrap().as_bytes()),
    }
}

fn path((bits, _, n, k, hash): Parameters) -> PathBuf {
    let name = format!("{k}-of-{n}-rsasha{}-{bits}.json", hash * 8);
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)
}

fn read(case: Parameters) -> Vector {
    let path = path(case);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn the_known_answers_are_what_this_code_computes() {
    for case in CASES {
        let (ours, theirs) = (vector(case), read(case));
        assert!(ours == theirs, "{}: made anew, it is another", path(case).display());
    }
}

#[test]
fn the_known_answers_are_taken_and_the_refused_refused() {
    for case in CASES {
        let (vector, name) = (read(case), path(case));
        let public = PublicKey::from_bytes(&unhex(&vector.public_key)).unwrap();
        let x = public.encode(&unhex(&vector.hash)).unwrap();
        assert_eq!(hex(&x.octets), vector.x);
        let share = |i: u8| SignatureShare(unhex(&vector.shares[usize::from(i) - 1].x_i));
        let check = |i, epoch, share: &SignatureShare, c: &str, z: &str| {
            let proof = Proof { c: unhex(c).try_into().unwrap(), z: unhex(z) };
            public.verify_share(id(i), Epoch(epoch), &x, share, &proof)
        };
        for proof in &vector.proofs {
            let found = check(proof.i, vector.epoch, &share(proof.i), &proof.c, &proof.z);
            assert_eq!(found, Ok(()), "{}: {}", name.display(), proof.i);
        }
        for bad in &vector.refused {
            let found = check(bad.i, bad.epoch, &SignatureShare(unhex(&bad.x_i)), &bad.c, &bad.z);
            assert!(found.is_err(), "{}: {}", name.display(), bad.why);
        }
        for set in vector.combinations.iter().map(|combination| &combination.set) {
            let some: Vec<_> = set.iter().map(|i| (id(*i), share(*i))).collect();
            let y = public.combine(&x, &some).unwrap();
            assert_eq!(hex(y.as_bytes()), vector.y, "{}: {set:?}", name.display());
        }
        assert!(public.verify(&x, &unhex(&vector.y)));
    }
}

#[test]
#[ignore = "writes the files in tests/vectors"]
fn write_the_known_answers() {
    for case in CASES {
        let text = serde_json::to_string_pretty(&vector(case)).unwrap() + "\n";
        std::fs::write(path(case), text).unwrap();
    }
}
