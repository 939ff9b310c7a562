//! Mutual TLS 1.3 between replicas: the TLS key is the identity key.
//!
//! Each side shows a certificate for its Ed25519 identity key and proves that it holds the key. The certificate's
//! SubjectPublicKeyInfo is compared with the identities of the cluster file; who signed it, its names and its dates
//! mean nothing (a replica with a wrong clock stays in the cluster). No session is resumed: each connection proves
//! the key.
#![forbid(unsafe_code)]

use super::config::Tls;
use crate::quorum::ReplicaId;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible,
    ServerConfig, SignatureScheme,
};
use std::sync::Arc;

/// The octets of a SubjectPublicKeyInfo that come before an Ed25519 key (RFC 8410 §4).
const ED25519_SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The name in the handshake, which means nothing.
const NAME: &str = "conclave.invalid";

/// The TLS configurations of one replica.
#[derive(Clone)]
pub(super) struct Configs {
    /// For connections that peers open.
    pub server: Arc<ServerConfig>,
    provider: Arc<CryptoProvider>,
    identities: Arc<[[u8; 32]]>,
    certificate: CertificateDer<'static>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl Configs {
    pub fn new(tls: &Tls, me: ReplicaId) -> Result<Self, Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let certificate = CertificateDer::from(tls.certificate.clone());
        if identity_of(&certificate) != tls.identities.get(me.slot()).copied() {
            return Err(Error::General("the certificate is not of this replica's identity key".into()));
        }
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(tls.key.to_vec()));
        let identities: Arc<[[u8; 32]]> = tls.identities.clone().into();
        let verifier = Pinned { allowed: identities.clone(), provider: provider.clone() };
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_single_cert(vec![certificate.clone()], key.clone_key())?;
        server.send_tls13_tickets = 0;
        Ok(Self { server: Arc::new(server), provider, identities, certificate, key: Arc::new(key) })
    }

    /// For a connection to `peer`, and the name to ask for.
    pub fn client(&self, peer: ReplicaId) -> Result<(Arc<ClientConfig>, ServerName<'static>), Error> {
        let allowed = self.identities.get(peer.slot()).into_iter().copied().collect();
        let verifier = Pinned { allowed, provider: self.provider.clone() };
        let mut client = ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_auth_cert(vec![self.certificate.clone()], self.key.clone_key())?;
        client.resumption = rustls::client::Resumption::disabled();
        let name = ServerName::try_from(NAME).map_err(|e| Error::General(e.to_string()))?;
        Ok((Arc::new(client), name))
    }

    /// Whose certificate this is.
    pub fn member(&self, certificates: Option<&[CertificateDer<'_>]>) -> Option<ReplicaId> {
        let identity = identity_of(certificates?.first()?)?;
        let slot = self.identities.iter().position(|known| *known == identity)?;
        ReplicaId::new(u8::try_from(slot + 1).ok()?)
    }
}

/// The Ed25519 key of a certificate.
fn identity_of(certificate: &CertificateDer<'_>) -> Option<[u8; 32]> {
    let spki = ParsedCertificate::try_from(certificate).ok()?.subject_public_key_info();
    spki.as_ref().strip_prefix(&ED25519_SPKI_PREFIX)?.try_into().ok()
}

/// Accepts the certificates of some identity keys, and nothing else.
#[derive(Debug)]
struct Pinned {
    allowed: Arc<[[u8; 32]]>,
    provider: Arc<CryptoProvider>,
}

impl Pinned {
    fn verify(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        match identity_of(certificate) {
            Some(identity) if self.allowed.contains(&identity) => Ok(()),
            _ => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verify(end_entity).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls13RequiredForQuic.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.verify(end_entity).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls13RequiredForQuic.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}
