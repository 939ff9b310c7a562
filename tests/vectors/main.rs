//! What others say of the known answers in this directory: a program that shares no code with Conclave (`check.py`), OpenSSL, and,
//! of zones that these keys' shares sign, BIND's `dnssec-verify` and ldns's `ldns-verify-zone`. README.md describes the files.

#[path = "../support/signed.rs"]
mod signed;
#[path = "../support/tools.rs"]
mod tools;

use conclave::codec::{Digest, KeyId, digest};
use conclave::dns::dnssec;
use conclave::quorum::ReplicaId;
use conclave::threshold::{PublicKey, Representative, SecretShare, SignatureShare};
use conclave::time::AgreedTime;
use conclave::zone::{Denial, KeyInfo};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tools::{all_output, has, run, stdout};

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(directory()).unwrap().flatten().map(|entry| entry.path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    files.sort();
    assert_eq!(files.len(), 6, "two keys each for n = 4, 7, 13");
    files
}

/// A key of one file, with all its shares.
struct Key {
    vector: Value,
    public: PublicKey,
    shares: Vec<SecretShare>,
}

impl Key {
    fn read(path: &Path) -> Self {
        let vector: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let public = PublicKey::from_bytes(&octets(&vector["public_key"])).unwrap();
        let share = |entry: &Value| {
            let index = u8::try_from(entry["i"].as_u64().unwrap()).unwrap();
            // A share file: version, index, key id, s_i.
            let bytes = [&[1, index], &public.key_id().0.0[..], &octets(&entry["s_i"])].concat();
            let share = SecretShare::from_bytes(&bytes).unwrap();
            assert_eq!(share.check(&public), Ok(()), "{}: share {index}", path.display());
            share
        };
        let shares = vector["shares"].as_array().unwrap().iter().map(share).collect();
        Self { vector, public, shares }
    }

    /// The key for n replicas of which k sign.
    fn of(n: usize, k: usize) -> Self {
        let keys = files().into_iter().map(|path| Self::read(&path));
        keys.into_iter().find(|key| key.public.parties() == n && key.public.threshold() == k).unwrap()
    }

    fn share(&self, slot: usize, x: &Representative) -> (ReplicaId, SignatureShare) {
        (self.shares[slot].index(), self.shares[slot].sign(&self.public, x))
    }

    /// The signature of k replicas, other ones for each hash.
    fn sign(&self, hash: &[u8]) -> Vec<u8> {
        let x = self.public.encode(hash).unwrap();
        let first = usize::from(hash[0]);
        let slots = (0..self.public.threshold()).map(|place| (first + place) % self.public.parties());
        let some: Vec<_> = slots.map(|slot| self.share(slot, &x)).collect();
        self.public.combine(&x, &some).unwrap().into_bytes()
    }

    fn info(&self, flags: u16, algorithm: u8) -> KeyInfo {
        let dnskey = dnssec::rsa_dnskey_rdata(flags, algorithm, &[1, 0, 1], self.public.modulus());
        // The same numbers serve under two algorithms: as DNSKEYs they are two.
        KeyInfo { id: KeyId(digest("tests/key", &[&[algorithm], &self.public.key_id().0.0])), dnskey }
    }
}

fn octets(hex: &Value) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(hex.as_str().unwrap().as_bytes()).unwrap()
}

#[test]
fn a_program_that_shares_no_code_finds_every_value_right() {
    if !has("python3") {
        return;
    }
    let checker = directory().join("check.py");
    let mut arguments = vec![checker.to_str().unwrap().to_owned()];
    arguments.extend(files().iter().map(|path| path.to_str().unwrap().to_owned()));
    let output = run("python3", &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(output.status.success(), "{}", all_output(&output));
    assert_eq!(stdout(&output).matches(": right\n").count(), 6);
}

#[test]
fn that_program_notices_every_field_that_is_spoiled() {
    if !has("python3") {
        return;
    }
    let (checker, file) = (directory().join("check.py"), directory().join("3-of-4-rsasha512-1024.json"));
    let output = run("python3", &[checker.to_str().unwrap(), "--spoil", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", all_output(&output));
}

#[test]
fn all_shares_and_signatures_are_made_again_from_what_is_published() {
    for path in files() {
        let key = Key::read(&path);
        let x = key.public.encode(&octets(&key.vector["hash"])).unwrap();
        for (slot, entry) in key.vector["shares"].as_array().unwrap().iter().enumerate() {
            assert_eq!(key.share(slot, &x).1.0, octets(&entry["x_i"]), "{}: {slot}", path.display());
        }
        assert_eq!(key.sign(&octets(&key.vector["hash"])), octets(&key.vector["y"]), "{}", path.display());
        assert_eq!(key.public.key_id().0, Digest::from_hex(key.vector["key_id"].as_str().unwrap()).unwrap());
    }
}

/// DER: a tag, a length of one or three octets, contents.
fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).unwrap().to_be_bytes();
    let head =
        if contents.len() < 128 { vec![tag, length[1]] } else { vec![tag, 0x82, length[0], length[1]] };
    [head, contents.to_vec()].concat()
}

#[test]
fn openssl_verifies_the_signatures_and_no_others() {
    if !has("openssl") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    for file in files() {
        let key = Key::read(&file);
        // RSAPublicKey, RFC 8017 appendix A.1.1; lengths of 128 octets or more in the form of three octets, which BER allows.
        let numbers = [der(2, &[&[0], key.public.modulus()].concat()), der(2, &[1, 0, 1])].concat();
        fs::write(path("key.der"), der(0x30, &numbers)).unwrap();
        let pem = [
            "-RSAPublicKey_in",
            "-inform",
            "DER",
            "-in",
            &path("key.der"),
            "-pubout",
            "-out",
            &path("key.pem"),
        ];
        let output = run("openssl", &[&["rsa"], &pem[..]].concat());
        assert!(output.status.success(), "{}: {}", file.display(), all_output(&output));
        fs::write(path("message"), octets(&key.vector["message"])).unwrap();
        let hash = if key.vector["algorithm"] == 8 { "-sha256" } else { "-sha512" };
        let mut signature = octets(&key.vector["y"]);
        for right in [true, false] {
            fs::write(path("signature"), &signature).unwrap();
            let (pem, signature_file, message) = (path("key.pem"), path("signature"), path("message"));
            let output =
                run("openssl", &["dgst", hash, "-verify", &pem, "-signature", &signature_file, &message]);
            assert_eq!(output.status.success(), right, "{}: {}", file.display(), all_output(&output));
            signature[20] ^= 1;
        }
    }
}

#[test]
fn bind_and_ldns_verify_zones_that_shares_signed_and_no_others() {
    let verifiers = [has("dnssec-verify"), has("ldns-verify-zone")];
    let dir = tempfile::tempdir().unwrap();
    // What the verifiers take as now is the clock of this machine.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let time = AgreedTime(u64::try_from(now).unwrap());
    for (n, zsk, ksk) in [(4, 2, 3), (7, 3, 5), (13, 5, 9)] {
        let (zsk, ksk) = (Key::of(n, zsk), Key::of(n, ksk));
        for algorithm in [dnssec::RSASHA256, dnssec::RSASHA512] {
            let infos = [zsk.info(256, algorithm), ksk.info(257, algorithm)];
            let zsk_id = infos[0].id;
            let sign = |id: KeyId, hash: &[u8]| if id == zsk_id { &zsk } else { &ksk }.sign(hash);
            let zone = format!(
                "\n$TTL 300\n@ SOA ns hostmaster 1 7200 3600 1209600 300\n@ NS ns\nns A 192.0.2.{n}\n"
            );
            let view = signed::view_of("vectors.test.", &zone, Denial::Nsec, infos, time, &sign);
            let text = signed::export(&view);
            for right in [true, false] {
                let file =
                    dir.path().join(format!("{n}-{algorithm}-{right}.zone")).to_str().unwrap().to_owned();
                fs::write(&file, if right { text.clone() } else { spoiled(&text) }).unwrap();
                let why = |output| format!("n = {n}, algorithm {algorithm}, {right}: {}", all_output(output));
                if verifiers[0] {
                    let output = run("dnssec-verify", &["-o", "vectors.test.", &file]);
                    assert_eq!(output.status.success(), right, "{}", why(&output));
                }
                if verifiers[1] {
                    let output = run("ldns-verify-zone", &[&file]);
                    assert_eq!(output.status.success(), right, "{}", why(&output));
                }
            }
        }
    }
}

/// The zone with another address than was signed.
fn spoiled(zone: &str) -> String {
    let spoiled = zone.replace("192.0.2.", "192.0.3.");
    assert_ne!(spoiled, zone);
    spoiled
}
