//! What of `[dns]` is about manners: who this server says it is, cookies, connections, TLS, rates; and the files it names.
//!
//! ```toml
//! [dns]
//! listen = ["192.0.2.1:53"]
//! identity = "fra1"               # NSID, hostname.bind, id.server; without it they are not told
//! version = "Conclave"            # version.bind, version.server; without it they are refused
//! udp-octets = 1232               # of a UDP response at most
//! cookies = "on"                  # or "required": over UDP, who knows cookies must show ours; or "off"
//! cookie-secrets = "cookie.secrets"  # of all servers behind one address; without it this replica draws its own at each start
//! stale-after-s = 300             # without links to a quorum for so long, answers are marked as stale; 0: never
//! [dns.tcp]
//! connections = 1024              # TCP, TLS, HTTPS and QUIC together
//! connections-per-client = 128    # an IPv4 address, or 64 bits of an IPv6 address
//! idle-ms = 30000                 # a tenth of it while more than half of all connections are open
//! [dns.tls]                       # DNS over TLS; without it there is none
//! listen = ["192.0.2.1:853"]
//! certificate = "tls/chain.pem"   # PEM, the server's certificate first
//! key = "tls/key.pem"             # PEM, for this user alone
//! [dns.https]                     # DNS over HTTPS; without it there is none
//! listen = ["192.0.2.1:443"]
//! path = "/dns-query"             # the default
//! certificate = "tls/chain.pem"   # without both: those of [dns.tls]
//! key = "tls/key.pem"
//! [dns.quic]                      # DNS over QUIC, on UDP; without it there is none
//! listen = ["192.0.2.1:853"]
//! certificate = "tls/chain.pem"   # without both: those of [dns.tls]
//! key = "tls/key.pem"
//! [dns.rate-limit]                # without it nothing is limited; [`RateRules`]
//! responses-per-second = 50       # the default of the five that follow; 0: any number
//! answers-per-second = 50
//! referrals-per-second = 50
//! nodata-per-second = 50
//! nxdomains-per-second = 50
//! errors-per-second = 50
//! window-s = 15
//! slip = 2
//! ipv4-prefix = 24
//! ipv6-prefix = 56
//! exempt = ["192.0.2.0/24"]
//! accounts = 65536
//! ```
//!
//! A file of cookie secrets has one secret a line, 32 hexadecimal digits; `#` begins a comment. The first makes cookies, all
//! are accepted. The files are read again when they change and at SIGHUP; what then is wrong is logged, and the old is kept.

use super::encrypted::{HttpsRules, HttpsText, TlsRules, TlsText};
use super::{Problem, ReplicaFile};
use crate::ceremony::files::read_secret;
use crate::dns::cookie::{SECRET_OCTETS, Secrets};
use crate::limits::{
    MAX_COOKIE_SECRETS, MAX_IDENTITY_OCTETS, MAX_RATE_ACCOUNTS, MAX_TCP_CLIENTS_CHOSEN,
    MAX_UDP_ANSWER_OCTETS, STALE_AFTER_S,
};
use crate::runtime::certificate::Speaks;
use crate::runtime::network::Network;
use crate::runtime::places::TcpRules;
use crate::runtime::rate::RateRules;
use data_encoding::HEXLOWER_PERMISSIVE;
use rustls::ServerConfig;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

/// How this server behaves towards clients.
#[derive(Clone, Debug)]
pub struct FrontRules {
    /// Its name.
    pub identity: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Octets of a UDP response at most.
    pub udp_octets: u16,
    /// Whether cookies are taken, and demanded.
    pub cookies: CookieMode,
    /// The file of their secrets.
    pub cookie_secrets: Option<PathBuf>,
    /// How long without a quorum answers are not stale; none: for ever.
    pub stale_after: Option<Duration>,
    /// Bounds of connections.
    pub tcp: TcpRules,
    /// DNS over TLS.
    pub tls: Option<TlsRules>,
    /// DNS over HTTPS.
    pub https: Option<HttpsRules>,
    /// DNS over QUIC.
    pub quic: Option<TlsRules>,
    /// Response-rate limiting.
    pub rate: Option<RateRules>,
}

/// What is done with cookies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CookieMode {
    /// They are answered, and exempt from rate limits.
    #[default]
    On,
    /// Over UDP, who sends one must send ours.
    Required,
    /// They are ignored.
    Off,
}

/// What the files hold that the rules name.
#[derive(Clone)]
pub struct FrontFiles {
    /// The shared secrets of cookies.
    pub cookies: Option<Secrets>,
    /// The server's side of TLS.
    pub tls: Option<Arc<ServerConfig>>,
    /// The same where HTTP/2 is spoken.
    pub https: Option<Arc<ServerConfig>>,
    /// The server's side of QUIC.
    pub quic: Option<Arc<quinn::ServerConfig>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct DnsText {
    pub(super) listen: Spanned<Vec<SocketAddr>>,
    identity: Option<Spanned<String>>,
    version: Option<Spanned<String>>,
    udp_octets: Option<Spanned<u16>>,
    #[serde(default)]
    cookies: CookieMode,
    cookie_secrets: Option<PathBuf>,
    stale_after_s: Option<Spanned<u64>>,
    #[serde(default)]
    tcp: TcpText,
    tls: Option<TlsText>,
    https: Option<HttpsText>,
    quic: Option<TlsText>,
    rate_limit: Option<RateText>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TcpText {
    connections: Option<Spanned<usize>>,
    connections_per_client: Option<Spanned<usize>>,
    idle_ms: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RateText {
    responses_per_second: Option<Spanned<u32>>,
    answers_per_second: Option<Spanned<u32>>,
    referrals_per_second: Option<Spanned<u32>>,
    nodata_per_second: Option<Spanned<u32>>,
    nxdomains_per_second: Option<Spanned<u32>>,
    errors_per_second: Option<Spanned<u32>>,
    window_s: Option<Spanned<u32>>,
    slip: Option<Spanned<u32>>,
    ipv4_prefix: Option<Spanned<u8>>,
    ipv6_prefix: Option<Spanned<u8>>,
    #[serde(default)]
    exempt: Vec<Spanned<String>>,
    accounts: Option<Spanned<usize>>,
}

/// Gathers what is wrong, with its place in the text.
pub(super) type Wrong<'w> = &'w mut dyn FnMut(usize, String);

impl DnsText {
    /// Checks what stands there; paths are relative to `base`.
    pub(super) fn rules(self, base: &Path, wrong: Wrong<'_>) -> FrontRules {
        let tls = self.tls.map(|tls| tls.rules("TLS", base, None, wrong));
        let other = tls.as_ref();
        let https = self.https.map(|https| https.rules(base, other, wrong));
        let quic = self.quic.map(|quic| quic.rules("QUIC", base, other, wrong));
        let stale_after = within("stale-after-s", self.stale_after_s, 0..=604_800, STALE_AFTER_S, wrong);
        FrontRules {
            identity: text("identity", self.identity, wrong),
            version: text("version", self.version, wrong),
            udp_octets: within(
                "udp-octets",
                self.udp_octets,
                512..=4_096,
                MAX_UDP_ANSWER_OCTETS as u16,
                wrong,
            ),
            cookies: self.cookies,
            cookie_secrets: self.cookie_secrets.map(|path| base.join(path)),
            stale_after: (stale_after > 0).then_some(Duration::from_secs(stale_after)),
            tcp: self.tcp.rules(wrong),
            tls,
            https,
            quic,
            rate: self.rate_limit.map(|rate| rate.rules(wrong)),
        }
    }
}

impl TcpText {
    fn rules(self, wrong: Wrong<'_>) -> TcpRules {
        let usual = TcpRules::default();
        let range = 1..=MAX_TCP_CLIENTS_CHOSEN;
        let connections = within("connections", self.connections, range.clone(), usual.connections, wrong);
        let (name, each) = ("connections-per-client", self.connections_per_client);
        let per_client = within(name, each, range, usual.per_client, wrong);
        let idle_ms = within("idle-ms", self.idle_ms, 1_000..=600_000, usual.idle.as_millis() as u64, wrong);
        TcpRules { connections, per_client, idle: Duration::from_millis(idle_ms) }
    }
}

impl RateText {
    fn rules(self, wrong: Wrong<'_>) -> RateRules {
        let usual = RateRules::default();
        let mut rate = |name, value, usual| within(name, value, 0..=1_000_000, usual, wrong);
        let each = rate("responses-per-second", self.responses_per_second, usual.answers);
        let answers = rate("answers-per-second", self.answers_per_second, each);
        let referrals = rate("referrals-per-second", self.referrals_per_second, each);
        let nodata = rate("nodata-per-second", self.nodata_per_second, each);
        let nxdomains = rate("nxdomains-per-second", self.nxdomains_per_second, each);
        let errors = rate("errors-per-second", self.errors_per_second, each);
        let mut exempt = Vec::new();
        for text in self.exempt {
            match text.get_ref().parse::<Network>() {
                Ok(network) => exempt.push(network),
                Err(reason) => wrong(text.span().start, reason),
            }
        }
        RateRules {
            answers,
            referrals,
            nodata,
            nxdomains,
            errors,
            window_s: within("window-s", self.window_s, 1..=3_600, usual.window_s, wrong),
            slip: within("slip", self.slip, 0..=10, usual.slip, wrong),
            ipv4_bits: within("ipv4-prefix", self.ipv4_prefix, 8..=32, usual.ipv4_bits, wrong),
            ipv6_bits: within("ipv6-prefix", self.ipv6_prefix, 16..=128, usual.ipv6_bits, wrong),
            exempt,
            accounts: within("accounts", self.accounts, 1_024..=MAX_RATE_ACCOUNTS, usual.accounts, wrong),
        }
    }
}

/// The value, or `usual` where there is none; what is out of range is wrong.
fn within<T: PartialOrd + Copy + std::fmt::Display>(
    name: &str,
    value: Option<Spanned<T>>,
    range: std::ops::RangeInclusive<T>,
    usual: T,
    wrong: Wrong<'_>,
) -> T {
    let Some(value) = value else { return usual };
    if !range.contains(value.get_ref()) {
        wrong(value.span().start, format!("{name} must be {} to {}", range.start(), range.end()));
    }
    *value.get_ref()
}

fn text(name: &str, value: Option<Spanned<String>>, wrong: Wrong<'_>) -> Option<String> {
    let value = value?;
    if !(1..=MAX_IDENTITY_OCTETS).contains(&value.get_ref().len()) {
        wrong(value.span().start, format!("{name} must have 1 to {MAX_IDENTITY_OCTETS} octets"));
    }
    Some(value.into_inner())
}

impl FrontRules {
    /// Reads the files that the rules name. All problems, not only the first.
    pub fn files(&self) -> Result<FrontFiles, Vec<Problem>> {
        let cookies = self.cookie_secrets.as_deref().map(secrets).transpose();
        let tls = self.tls.as_ref().map(|tls| tls.read(Speaks::Dot)).transpose();
        let https = self.https.as_ref().map(|https| https.tls.read(Speaks::Doh)).transpose();
        let quic = self.quic.as_ref().map(|quic| quic.read_for_quic(self.tcp.idle)).transpose();
        match (cookies, tls, https, quic) {
            (Ok(cookies), Ok(tls), Ok(https), Ok(quic)) => Ok(FrontFiles {
                cookies,
                tls: tls.map(Arc::new),
                https: https.map(Arc::new),
                quic: quic.map(Arc::new),
            }),
            (cookies, tls, https, quic) => {
                let mut problems: Vec<Problem> =
                    [cookies.err(), tls.err(), https.err(), quic.err()].into_iter().flatten().collect();
                // One file may serve several.
                problems.dedup();
                Err(problems)
            }
        }
    }

    /// Their paths.
    pub fn paths(&self) -> Vec<&Path> {
        let https = self.https.iter().map(|https| &https.tls);
        let tls = self.tls.iter().chain(https).chain(&self.quic);
        let tls = tls.flat_map(|tls| [&tls.certificate, &tls.key]);
        self.cookie_secrets.iter().chain(tls).map(PathBuf::as_path).collect()
    }
}

impl ReplicaFile {
    /// The files of the rules; none, and what is wrong in `problems`, if they cannot be read.
    pub(super) fn front_files(&self, problems: &mut Vec<Problem>) -> Option<FrontFiles> {
        self.front.files().map_err(|found| problems.extend(found)).ok()
    }
}

fn secrets(path: &Path) -> Result<Secrets, Problem> {
    let octets = read_secret(path)?;
    let text = std::str::from_utf8(&octets).map_err(|_| Problem::new(path, "is not UTF-8 text"))?;
    let mut secrets = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let word = line.split('#').next().unwrap_or_default().trim();
        if word.is_empty() {
            continue;
        }
        let octets = HEXLOWER_PERMISSIVE.decode(word.as_bytes()).ok();
        let secret = octets.and_then(|octets| <[u8; SECRET_OCTETS]>::try_from(octets).ok());
        let reason = "is not a cookie secret: 32 hexadecimal digits, as `openssl rand -hex 16` prints";
        let line = Some(index + 1);
        let wrong = || Problem { file: path.to_owned(), line, reason: reason.into() };
        secrets.push(secret.ok_or_else(wrong)?);
    }
    if secrets.len() > MAX_COOKIE_SECRETS {
        return Err(Problem::new(
            path,
            format!("has more than {MAX_COOKIE_SECRETS} secrets: remove old ones"),
        ));
    }
    Secrets::new(secrets).ok_or_else(|| Problem::new(path, "has no cookie secret"))
}
