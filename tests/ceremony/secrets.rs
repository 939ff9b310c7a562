//! The secrets of a deal, and the forms in which they would be found: octets either way round, hexadecimal, Base64 at each
//! of its three offsets, decimal.
//!
//! They are taken from where they belong: the shares from the replicas' directories after the import, the primes and TSIG secrets from the
//! backup, opened by its custodians with stock age.

use crate::people::Ceremony;
use conclave::ceremony::backup::{self, Kept};
use conclave::ceremony::keygen;
use conclave::ceremony::seal::SealingKey;
use conclave::ceremony::share_file;
use data_encoding::{BASE64_NOPAD, HEXLOWER, HEXUPPER};
use num_bigint::BigUint;
use std::path::{Path, PathBuf};

/// Octets of a piece that is searched for: none is met by chance.
const PIECE: usize = 16;

pub struct Secrets {
    /// Name and octets.
    secrets: Vec<(String, Vec<u8>)>,
    /// Name and form.
    needles: Vec<(String, Vec<u8>)>,
}

impl Secrets {
    /// Those of a deal, whose packages were imported into `replica-I/SUB`.
    pub fn of(ceremony: &Ceremony, deal: &str, sub: &str) -> Self {
        let mut secrets = Vec::new();
        for index in 1..=4 {
            let home = match (index, sub) {
                (1, "epoch-1") => ceremony.path("replica-new-1").join(sub),
                _ => ceremony.path(&format!("replica-{index}")).join(sub),
            };
            for name in ["coin.share", "example.test.zsk.share", "example.test.ksk.share"] {
                let (_, secret) = share_file::read_any(&home.join(name)).unwrap();
                // Version, index and key id come before s_i.
                let secret = if secret.len() > 64 { &secret[34..] } else { &secret[..] };
                secrets.push((format!("{name} of replica {index}"), secret.to_vec()));
            }
        }
        for index in 1..=4 {
            let home = ceremony.path(&format!("replica-{index}"));
            let (seed, key) =
                (keygen::identity_seed(&home).unwrap(), SealingKey::read(&home.join("seal.key")).unwrap());
            secrets.push((format!("identity of replica {index}"), seed.to_vec()));
            secrets.push((format!("sealing key of replica {index}"), key.as_bytes().to_vec()));
        }
        for (key, primes) in kept(ceremony, deal).keys.iter().map(|(_, role, _, primes)| (role, primes)) {
            let (p, q) = (BigUint::from_bytes_be(&primes.p), BigUint::from_bytes_be(&primes.q));
            let m = (&p >> 1u32) * (&q >> 1u32);
            let d = BigUint::from(65_537u32).modinv(&m).unwrap();
            // m = (N - p - q + 1) / 4: its upper half is public with N.
            let low = &m % (BigUint::from(1u32) << 504u32);
            let numbers = [("p", p), ("q", q), ("m", low), ("d", d)];
            secrets
                .extend(numbers.map(|(name, number)| (format!("{name} of the {key}"), number.to_bytes_be())));
        }
        for clause in &kept(ceremony, deal).tsig {
            secrets.push((format!("TSIG key {}", clause.name), clause.secret.to_vec()));
        }
        assert_eq!(secrets.len(), 12 + 8 + 8 + 1);
        let needles = secrets.iter().flat_map(|(name, secret)| forms(name, secret)).collect();
        Self { secrets, needles }
    }

    /// What of them stands in `bytes`, and how.
    pub fn found_in(&self, bytes: &[u8]) -> Option<String> {
        let mut index = std::collections::HashMap::<[u8; 8], Vec<usize>>::new();
        for (at, (_, needle)) in self.needles.iter().enumerate() {
            index.entry(needle[..8].try_into().unwrap()).or_default().push(at);
        }
        bytes.windows(8).enumerate().find_map(|(at, head)| {
            let needles = index.get(head)?;
            let found = needles.iter().find(|needle| bytes[at..].starts_with(&self.needles[**needle].1))?;
            Some(self.needles[*found].0.clone())
        })
    }

    /// Two deals of the same keys have no share in common.
    pub fn share_nothing_with(&self, other: &Self) {
        for (name, secret) in self.secrets.iter().filter(|(name, _)| name.contains("share")) {
            assert!(other.secrets.iter().all(|(_, theirs)| theirs != secret), "{name}");
        }
        let keys = |all: &Self| -> Vec<Vec<u8>> {
            all.secrets.iter().filter(|(name, _)| name.starts_with("d of")).map(|(_, d)| d.clone()).collect()
        };
        assert_eq!(keys(self), keys(other), "d is the same");
    }
}

fn kept(ceremony: &Ceremony, deal: &str) -> Kept {
    let dir = ceremony.path(deal).join("backup");
    let parts: Vec<PathBuf> = ["alice", "bob"].map(|name| dir.join(format!("custodian-{name}.age"))).to_vec();
    let parts: Vec<&Path> = parts.iter().map(PathBuf::as_path).collect();
    let keys = ["alice.txt", "bob.txt"].map(|name| SealingKey::read(&ceremony.path(name)).unwrap());
    let mut kept = Kept::default();
    backup::open(&dir.join("backup.age"), &parts, &keys, &mut kept).unwrap();
    kept
}

fn forms(name: &str, secret: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut forms = Vec::new();
    let mut form = |how: &str, bytes: Vec<u8>| forms.push((format!("{name} ({how})"), bytes));
    // Each 16 octets at their place: a part of a secret is one, too.
    for piece in secret.chunks_exact(PIECE) {
        form("octets", piece.to_vec());
        form("octets, reversed", piece.iter().rev().copied().collect());
        form("hexadecimal", HEXLOWER.encode(piece).into_bytes());
        form("HEXADECIMAL", HEXUPPER.encode(piece).into_bytes());
        for offset in 0..3 {
            let text = BASE64_NOPAD.encode(&[&vec![0; offset][..], piece].concat());
            // Characters that the neighbours have a say in are left out.
            let (from, to) = ([0, 2, 3][offset], text.len() - 2);
            form("Base64", text.as_bytes()[from..to].to_vec());
        }
    }
    let decimal = BigUint::from_bytes_be(secret).to_string();
    form("decimal", decimal.into_bytes()[..24].to_vec());
    forms
}

#[test]
fn what_is_searched_for_is_found_in_every_form() {
    let secret: Vec<u8> = (100..132).collect();
    let needles = forms("it", &secret);
    let secrets = Secrets { secrets: vec![("it".into(), secret.clone())], needles };
    let hidden = |bytes: &[u8]| [b"before", bytes, b"after"].concat();
    for offset in 0..3 {
        let text = BASE64_NOPAD.encode(&[&vec![7; offset][..], &secret, &[9, 9]].concat());
        assert!(secrets.found_in(&hidden(text.as_bytes())).is_some(), "offset {offset}");
    }
    let reversed: Vec<u8> = secret.iter().rev().copied().collect();
    for form in [secret.clone(), reversed, HEXUPPER.encode(&secret[16..]).into_bytes()] {
        assert!(secrets.found_in(&hidden(&form)).is_some());
    }
    assert!(secrets.found_in(&hidden(BigUint::from_bytes_be(&secret).to_string().as_bytes())).is_some());
    assert!(secrets.found_in(&hidden(b"nothing of it is here")).is_none());
}
