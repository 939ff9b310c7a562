//! A replica's identity: one Ed25519 key that signs its vertices and is the key of its TLS certificate.
#![forbid(unsafe_code)]

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use zeroize::Zeroizing;

/// The public key of an Ed25519 seed.
pub fn public_key(seed: &[u8; 32]) -> Result<[u8; 32], String> {
    let pair = key_pair(seed)?;
    pair.public_key().as_ref().try_into().map_err(|_| "the key has no 32 octets".into())
}

/// The signature of an Ed25519 seed's key over `message`, which begins with a domain of its own.
pub fn sign(seed: &[u8; 32], message: &[u8]) -> Result<[u8; 64], String> {
    let signature = key_pair(seed)?.sign(message);
    signature.as_ref().try_into().map_err(|_| "the signature has no 64 octets".into())
}

/// The PKCS#8 form (version 1, DER) of an Ed25519 seed.
pub fn pkcs8(seed: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, String> {
    let document = key_pair(seed)?.to_pkcs8v1().map_err(|_| "the key has no PKCS#8 form")?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}

/// The self-signed certificate of the identity, PEM and DER. Peers compare its key and look at nothing else.
pub fn certificate(seed: &[u8; 32], common_name: &str) -> Result<(String, Vec<u8>), String> {
    let der = pkcs8(seed)?;
    let key = PrivatePkcs8KeyDer::from(der.as_slice());
    let pair = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&key, &rcgen::PKCS_ED25519)
        .map_err(|e| e.to_string())?;
    let mut params =
        rcgen::CertificateParams::new(vec![common_name.to_owned()]).map_err(|e| e.to_string())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, common_name);
    let certificate = params.self_signed(&pair).map_err(|e| e.to_string())?;
    Ok((certificate.pem(), certificate.der().to_vec()))
}

/// The DER of the one certificate in a PEM file.
pub fn certificate_der(pem: &str) -> Result<Vec<u8>, String> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut all = CertificateDer::pem_slice_iter(pem.as_bytes());
    match (all.next(), all.next()) {
        (Some(Ok(certificate)), None) => Ok(certificate.to_vec()),
        _ => Err("is not one PEM certificate".into()),
    }
}

/// The 32 octets of the Ed25519 key in a certificate's or a key's SubjectPublicKeyInfo, wherever it stands in `der`.
pub fn holds_key(der: &[u8], public: &[u8; 32]) -> bool {
    // RFC 8410 §4: SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 32 octets }.
    const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let wanted = [&PREFIX[..], &public[..]].concat();
    der.windows(wanted.len()).any(|window| window == wanted)
}

fn key_pair(seed: &[u8; 32]) -> Result<Ed25519KeyPair, String> {
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| "is not an Ed25519 seed".into())
}
