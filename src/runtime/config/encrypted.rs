//! What of `[dns]` is about encrypted transports: where they are served, by which certificate, under which path. The text of the
//! file is in [`super::front`].

use super::Problem;
use super::front::Wrong;
use crate::ceremony::files::{read_public, read_secret};
use crate::runtime::certificate::{self, Speaks};
use crate::runtime::doq;
use rustls::ServerConfig;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::Spanned;

/// Where DNS over HTTPS is, if the operator does not say (RFC 8484 §4.1.1 has it in its example).
const PATH: &str = "/dns-query";

/// Where an encrypted transport is served, and by which certificate.
#[derive(Clone, Debug)]
pub struct TlsRules {
    /// Addresses.
    pub listen: Vec<SocketAddr>,
    /// The certificate chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Where DNS over HTTPS is served.
#[derive(Clone, Debug)]
pub struct HttpsRules {
    /// Addresses and certificate.
    pub tls: TlsRules,
    /// The path of the URI.
    pub path: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsText {
    listen: Spanned<Vec<SocketAddr>>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpsText {
    listen: Spanned<Vec<SocketAddr>>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    path: Option<Spanned<String>>,
}

impl TlsText {
    /// Checks what stands there; `other`: whose certificate is meant where none is named.
    pub(super) fn rules(
        self,
        what: &str,
        base: &Path,
        other: Option<&TlsRules>,
        wrong: Wrong<'_>,
    ) -> TlsRules {
        let at = self.listen.span().start;
        if self.listen.get_ref().is_empty() {
            wrong(at, format!("no address to serve DNS over {what} on"));
        }
        let (certificate, key) = match (self.certificate, self.key, other) {
            (Some(certificate), Some(key), _) => (base.join(certificate), base.join(key)),
            (None, None, Some(other)) => (other.certificate.clone(), other.key.clone()),
            _ => {
                let reason = format!("DNS over {what} needs `certificate` and `key`");
                wrong(at, reason + if what == "TLS" { "" } else { ", or neither and those of [dns.tls]" });
                Default::default()
            }
        };
        TlsRules { listen: self.listen.into_inner(), certificate, key }
    }
}

impl HttpsText {
    pub(super) fn rules(self, base: &Path, other: Option<&TlsRules>, wrong: Wrong<'_>) -> HttpsRules {
        let path = self.path.map(|path| {
            // RFC 3986 §3.3, without what would have to be encoded.
            let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
            if !path.get_ref().starts_with('/') || !path.get_ref().chars().all(plain) {
                let reason = "path must begin with a slash and have letters, digits and /-._~ only";
                wrong(path.span().start, reason.into());
            }
            path.into_inner()
        });
        let tls = TlsText { listen: self.listen, certificate: self.certificate, key: self.key };
        HttpsRules { tls: tls.rules("HTTPS", base, other, wrong), path: path.unwrap_or_else(|| PATH.into()) }
    }
}

impl TlsRules {
    /// Reads certificate and key.
    pub(super) fn read(&self, speaks: Speaks) -> Result<ServerConfig, Problem> {
        let (chain, key) = (read_public(&self.certificate)?, read_secret(&self.key)?);
        certificate::server(&chain, &key, speaks).map_err(|wrong| match wrong {
            certificate::Wrong::Certificate(reason) => Problem::new(&self.certificate, reason),
            certificate::Wrong::Key(reason) => Problem::new(&self.key, reason),
        })
    }

    /// The same for QUIC.
    pub(super) fn read_for_quic(&self, idle: Duration) -> Result<quinn::ServerConfig, Problem> {
        let tls = self.read(Speaks::Doq)?;
        doq::config(tls, idle).map_err(|reason| Problem::new(&self.certificate, reason))
    }
}
