//! Signatures verified by implementations that are not ours.

use super::*;
use std::process::Command;

fn signed(bits: usize, hash: &[u8]) -> (PublicKey, Vec<u8>) {
    let dealt = test_keys::dealt(bits, 0, 4, 3);
    let x = dealt.public.encode(hash).unwrap();
    let signature = dealt.public.combine(&x, &shares(&dealt, &x)[1..]).unwrap();
    (dealt.public, signature.into_bytes())
}

const MESSAGE: &[u8] = b"a canonical RRset";

#[test]
fn the_rsa_crate_verifies() {
    use rsa::Pkcs1v15Sign;
    for bits in [1024, 2048] {
        for (hash, padding) in [
            (Sha256::digest(MESSAGE).to_vec(), Pkcs1v15Sign::new::<rsa::sha2::Sha256>()),
            (Sha512::digest(MESSAGE).to_vec(), Pkcs1v15Sign::new::<rsa::sha2::Sha512>()),
        ] {
            let (public, signature) = signed(bits, &hash);
            let n = rsa::BigUint::from_bytes_be(public.modulus());
            let key = rsa::RsaPublicKey::new(n, rsa::BigUint::from(public.exponent())).unwrap();
            key.verify(padding, &hash, &signature).unwrap();
        }
    }
}

#[test]
fn aws_lc_verifies_through_its_own_rsa() {
    use aws_lc_rs::signature::{
        RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        RsaPublicKeyComponents,
    };
    for bits in [1024, 2048] {
        for (hash, algorithm) in [
            (Sha256::digest(MESSAGE).to_vec(), &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
            (Sha512::digest(MESSAGE).to_vec(), &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
        ] {
            let (public, signature) = signed(bits, &hash);
            let e = public.exponent().to_be_bytes();
            let key = RsaPublicKeyComponents { n: public.modulus(), e: &e[1..] };
            key.verify(algorithm, MESSAGE, &signature).unwrap();
        }
    }
}

#[test]
fn the_openssl_command_verifies() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("skipped: no openssl command");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    for (name, hash) in
        [("-sha256", Sha256::digest(MESSAGE).to_vec()), ("-sha512", Sha512::digest(MESSAGE).to_vec())]
    {
        let (public, signature) = signed(2048, &hash);
        std::fs::write(path("key.der"), rsa_public_key_der(&public)).unwrap();
        std::fs::write(path("signature"), signature).unwrap();
        std::fs::write(path("message"), MESSAGE).unwrap();
        let pem = Command::new("openssl")
            .args(["rsa", "-RSAPublicKey_in", "-inform", "DER", "-in"])
            .arg(path("key.der"))
            .args(["-pubout", "-out"])
            .arg(path("key.pem"))
            .output()
            .unwrap();
        assert!(pem.status.success(), "{}", String::from_utf8_lossy(&pem.stderr));
        let verified = Command::new("openssl")
            .args(["dgst", name, "-verify"])
            .arg(path("key.pem"))
            .arg("-signature")
            .arg(path("signature"))
            .arg(path("message"))
            .output()
            .unwrap();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    }
}

/// RSAPublicKey (RFC 8017 §A.1.1) of a 2048-bit key.
fn rsa_public_key_der(public: &PublicKey) -> Vec<u8> {
    let modulus = public.modulus();
    assert_eq!(modulus.len(), 256);
    let mut body = vec![0x02, 0x82, 0x01, 0x01, 0x00];
    body.extend_from_slice(modulus);
    body.extend_from_slice(&[0x02, 0x03, 0x01, 0x00, 0x01]);
    let mut der = vec![0x30, 0x82];
    der.extend_from_slice(&u16::try_from(body.len()).unwrap().to_be_bytes());
    der.extend(body);
    der
}
