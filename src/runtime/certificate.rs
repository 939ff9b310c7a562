//! The server's side of TLS towards clients, and TLS 1.3 only: certificate and key from PEM files, and the protocol spoken under it
//! ([`super::tcp`], [`super::doh`], [`super::doq`]). No early data: what it carries can be replayed.
#![forbid(unsafe_code)]

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::TLS13;
use rustls::{Error, ServerConfig};
use std::sync::Arc;

/// What is spoken under TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speaks {
    /// DNS over TLS (RFC 7858).
    Dot,
    /// DNS over HTTPS (RFC 8484), by HTTP/2.
    Doh,
    /// DNS over QUIC (RFC 9250).
    Doq,
}

impl Speaks {
    /// The protocol's name (IANA's registry of ALPN protocol IDs).
    const fn alpn(self) -> &'static [u8] {
        match self {
            Self::Dot => b"dot",
            Self::Doh => b"h2",
            Self::Doq => b"doq",
        }
    }
}

/// Which file is wrong, and why.
#[derive(Debug)]
pub enum Wrong {
    /// The certificate's.
    Certificate(String),
    /// The key's.
    Key(String),
}

/// The configuration for a chain of certificates and the key of the first, in PEM.
pub fn server(chain: &[u8], key: &[u8], speaks: Speaks) -> Result<ServerConfig, Wrong> {
    let certificates = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|e| Wrong::Certificate(format!("is not PEM: {e}")))?;
    if certificates.is_empty() {
        return Err(Wrong::Certificate(
            "has no certificate: it must be PEM, the server's certificate first".into(),
        ));
    }
    let key =
        PrivateKeyDer::from_pem_slice(key).map_err(|e| Wrong::Key(format!("has no key in PEM: {e}")))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13]);
    let builder = builder.map_err(|e| Wrong::Key(e.to_string()))?.with_no_client_auth();
    let mut server = builder.with_single_cert(certificates, key).map_err(|e| match e {
        Error::InconsistentKeys(_) => Wrong::Key("is not the key of the certificate".into()),
        Error::InvalidCertificate(e) => {
            Wrong::Certificate(format!("is not a certificate that can be used: {e:?}"))
        }
        e => Wrong::Key(format!("cannot be used: {e}")),
    })?;
    server.alpn_protocols = vec![speaks.alpn().to_vec()];
    Ok(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (String, String) {
        let pair = rcgen::generate_simple_self_signed(vec!["ns.example.test".into()]).unwrap();
        (pair.cert.pem(), pair.signing_key.serialize_pem())
    }

    /// RFC 7858 §3.2: a chain and its key serve; the protocol's name is offered, and TLS below 1.3 is not.
    #[test]
    fn a_certificate_and_its_key_serve_and_no_others() {
        let ((chain, key), (other, _)) = (pair(), pair());
        let server = server(chain.as_bytes(), key.as_bytes(), Speaks::Dot).unwrap();
        assert_eq!(server.alpn_protocols, [b"dot".to_vec()]);
        assert_eq!(server.max_early_data_size, 0);
        let both = [chain.as_str(), &other].concat();
        assert!(super::server(both.as_bytes(), key.as_bytes(), Speaks::Dot).is_ok(), "a chain");
        let wrong =
            |chain: &str, key: &str| super::server(chain.as_bytes(), key.as_bytes(), Speaks::Dot).err();
        assert!(matches!(wrong(&other, &key), Some(Wrong::Key(reason)) if reason.contains("not the key")));
        assert!(matches!(wrong(&key, &key), Some(Wrong::Certificate(_))));
        assert!(matches!(wrong(&chain, &chain), Some(Wrong::Key(_))));
        assert!(matches!(wrong("", &key), Some(Wrong::Certificate(_))));
        assert!(matches!(wrong(&chain, "garbage"), Some(Wrong::Key(_))));
        let cut = chain.replacen("MII", "MIA", 1);
        assert!(wrong(&cut, &key).is_some());
    }
}
