//! The shape of `cluster.toml`, and how each value in it is written.

use crate::ceremony::client_plan::{ModeText, QuotaText};
use crate::ceremony::operators::{Needed, OperatorText};
use crate::ceremony::seal::Recipient;
use crate::codec::Digest;
use crate::dns::name::Name;
use crate::dns::rdata::{self, Rdata};
use crate::dns::rtype::RrType;
use crate::dns::tsig::TsigAlgorithm;
use crate::signing::Protocol;
use crate::threshold::PublicKey;
use crate::zone::{Denial, SerialRule, UpdatePolicy};
use data_encoding::BASE64;
use serde::Deserialize;
use std::sync::Arc;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct FileText {
    pub version: u16,
    pub replicas: Spanned<u8>,
    pub faults: Spanned<u8>,
    pub epoch: u32,
    pub genesis_time_ms: u64,
    pub signing: Value<Protocol>,
    pub plan: Value<Digest>,
    pub replaces: Option<Value<Digest>>,
    pub operators_needed: Option<Needed>,
    #[serde(default, rename = "member")]
    pub members: Vec<MemberText>,
    #[serde(default, rename = "zone")]
    pub zones: Vec<ZoneText>,
    #[serde(default)]
    pub tsig: Vec<TsigText>,
    #[serde(default)]
    pub sig0: Vec<Sig0Text>,
    #[serde(default, rename = "operator")]
    pub operators: Vec<Spanned<OperatorText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberText {
    pub index: Spanned<u8>,
    pub identity: Value<[u8; 32]>,
    pub sealing: Value<Recipient>,
    pub coin: Value<[u8; 32]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ZoneText {
    pub origin: Spanned<Value<Name>>,
    pub records_sha256: Value<Digest>,
    pub reads: ReadsText,
    pub serial: SerialText,
    #[serde(default)]
    pub denial: DenialText,
    pub dnskey_ttl_s: u32,
    pub policy: Vec<Value<Statement>>,
    pub signatures: Spanned<DatesText>,
    pub zsk: Spanned<KeyText>,
    pub ksk: Spanned<KeyText>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ReadsText {
    Local,
    Ordered,
}

/// How a zone begins to deny existence; of the plan too.
#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub(in crate::ceremony) enum DenialText {
    #[default]
    Nsec,
    Nsec3,
}

impl From<DenialText> for Denial {
    fn from(text: DenialText) -> Self {
        match text {
            DenialText::Nsec => Self::Nsec,
            DenialText::Nsec3 => Self::Nsec3,
        }
    }
}

/// How a change moves the serial; of the plan too.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::ceremony) enum SerialText {
    Increment,
    UnixTime,
    Date,
}

impl From<SerialText> for SerialRule {
    fn from(text: SerialText) -> Self {
        match text {
            SerialText::Increment => Self::Increment,
            SerialText::UnixTime => Self::UnixTime,
            SerialText::Date => Self::Date,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct DatesText {
    pub lifetime_s: u32,
    pub refresh_s: u32,
    pub jitter_s: u32,
    pub backdate_s: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyText {
    pub threshold: u8,
    pub dnskey: Value<DnsKey>,
    pub verification: Value<Arc<PublicKey>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TsigText {
    pub name: Spanned<Value<Name>>,
    pub algorithm: Value<TsigAlgorithm>,
    #[serde(default)]
    pub allow_weak: bool,
    pub mode: ModeText,
    pub limits: Option<QuotaText>,
    pub salt: Value<[u8; 32]>,
    pub commitment: Option<Value<Digest>>,
    #[serde(default)]
    pub commitments: Vec<Value<Digest>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sig0Text {
    pub name: Spanned<Value<Name>>,
    pub key: Value<KeyRecord>,
    pub limits: Option<QuotaText>,
}

/// A value written as a string.
#[derive(Deserialize)]
#[serde(try_from = "String", bound = "T: FromText")]
pub(super) struct Value<T: FromText>(pub T);

pub(super) trait FromText: Sized {
    fn from_text(text: &str) -> Result<Self, String>;
}

impl<T: FromText> TryFrom<String> for Value<T> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        T::from_text(&text).map(Self)
    }
}

impl FromText for Name {
    fn from_text(text: &str) -> Result<Self, String> {
        let name = Name::parse(text).map_err(|e| format!("`{text}` is not a domain name: {e}"))?;
        Ok(name.to_lowercase())
    }
}

impl FromText for TsigAlgorithm {
    fn from_text(text: &str) -> Result<Self, String> {
        let known = Self::parse(text).filter(|algorithm| algorithm.mnemonic() == text);
        known.ok_or_else(|| format!("`{text}` is no algorithm of TSIG that is known here"))
    }
}

impl FromText for Protocol {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl FromText for [u8; 32] {
    fn from_text(text: &str) -> Result<Self, String> {
        let bytes = BASE64.decode(text.as_bytes()).map_err(|e| format!("is not Base64: {e}"))?;
        bytes.try_into().map_err(|bytes: Vec<u8>| format!("has {} octets, not 32", bytes.len()))
    }
}

impl FromText for Recipient {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl FromText for Digest {
    fn from_text(text: &str) -> Result<Self, String> {
        Digest::from_hex(text).ok_or_else(|| "is not 64 hexadecimal digits".into())
    }
}

impl FromText for Arc<PublicKey> {
    fn from_text(text: &str) -> Result<Self, String> {
        let bytes = BASE64.decode(text.as_bytes()).map_err(|e| format!("is not Base64: {e}"))?;
        PublicKey::from_bytes(&bytes).map(Arc::new).map_err(|e| format!("is not a verification key: {}", e.0))
    }
}

pub(super) struct Statement(pub String);

impl FromText for Statement {
    fn from_text(text: &str) -> Result<Self, String> {
        UpdatePolicy::parse(&[text]).map_err(|e| format!("`{text}`: {e}"))?;
        Ok(Self(text.trim_end_matches(';').split_whitespace().collect::<Vec<_>>().join(" ")))
    }
}

pub(super) struct DnsKey(pub Rdata);

impl FromText for DnsKey {
    fn from_text(text: &str) -> Result<Self, String> {
        parse_rdata(RrType::DNSKEY, text).map(Self)
    }
}

pub(super) struct KeyRecord(pub Rdata);

impl FromText for KeyRecord {
    fn from_text(text: &str) -> Result<Self, String> {
        parse_rdata(RrType::KEY, text).map(Self)
    }
}

fn parse_rdata(rtype: RrType, text: &str) -> Result<Rdata, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    rdata::from_text(rtype, &words, &Name::root())
        .map_err(|e| format!("is not the data of a {rtype} record: {e}"))
}
