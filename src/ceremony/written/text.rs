//! The text of a plan, read.

use super::{
    BackupPlan, Custodian, PlannedMember, PlannedSig0, PlannedTsig, PlannedZone, VERSION, WrittenPlan,
    plain_words,
};
use crate::ceremony::client_plan::{ModeText, QuotaText, TsigPlan, check_algorithm};
use crate::ceremony::cluster_file::{DenialText, SerialText};
use crate::ceremony::files::Problem;
use crate::ceremony::keygen::PublicKeys;
use crate::ceremony::operators::{Needed, OperatorText, Operators};
use crate::ceremony::plan::{DEFAULT_BITS, Place, read_zone};
use crate::ceremony::seal::Recipient;
use crate::codec::{ClusterId, Digest, Epoch};
use crate::dns::master::zone_digest;
use crate::dns::name::Name;
use crate::dns::rdata::{self, Rdata};
use crate::dns::rtype::RrType;
use crate::dns::tsig::TsigAlgorithm;
use crate::quorum::Committee;
use crate::signing::Protocol;
use crate::zone::{Reads, SerialRule};
use data_encoding::BASE64;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FileText {
    version: u16,
    #[serde(default)]
    epoch: u32,
    replicas: Spanned<u8>,
    #[serde(default = "default_bits")]
    bits: usize,
    signing: Option<Spanned<String>>,
    replaces: Option<Spanned<String>>,
    operators_needed: Option<Needed>,
    #[serde(default, rename = "member")]
    members: Vec<Spanned<MemberText>>,
    #[serde(default, rename = "zone")]
    zones: Vec<Spanned<ZoneText>>,
    #[serde(default)]
    tsig: Vec<Spanned<TsigText>>,
    #[serde(default)]
    sig0: Vec<Spanned<Sig0Text>>,
    #[serde(default, rename = "operator")]
    operators: Vec<Spanned<OperatorText>>,
    backup: Option<Spanned<BackupText>>,
}

fn default_bits() -> usize {
    DEFAULT_BITS
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberText {
    keys: Option<PathBuf>,
    identity: Option<String>,
    sealing: Option<String>,
    dns: Vec<SocketAddr>,
    peer: SocketAddr,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ZoneText {
    origin: String,
    file: Option<PathBuf>,
    records_sha256: Option<String>,
    #[serde(default)]
    policy: Vec<String>,
    #[serde(default)]
    reads: ReadsText,
    #[serde(default)]
    denial: DenialText,
    serial: Option<SerialText>,
    dnskey_ttl_s: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum ReadsText {
    #[default]
    Local,
    Ordered,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TsigText {
    name: String,
    recipient: Option<String>,
    algorithm: Option<String>,
    #[serde(default)]
    allow_weak: bool,
    #[serde(default)]
    mode: ModeText,
    limits: Option<QuotaText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sig0Text {
    name: String,
    key: Option<String>,
    limits: Option<QuotaText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BackupText {
    threshold: u8,
    custodians: Vec<CustodianText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CustodianText {
    name: String,
    recipient: String,
}

/// Parses a plan at `path`, to whose directory its paths are relative. All problems, not only the first.
pub(super) fn parse(text: &str, path: &Path) -> Result<WrittenPlan, Vec<Problem>> {
    let file: FileText = toml::from_str(text).map_err(|e| vec![Problem::toml(path, text, &e)])?;
    let mut reader = Reader { path, text, problems: Vec::new() };
    if file.version != VERSION {
        let reason = format!("has version {}; this program reads version {VERSION}", file.version);
        return Err(vec![Problem::new(path, reason)]);
    }
    let committee = Committee::new(*file.replicas.get_ref());
    if committee.is_none() {
        reader.wrong(file.replicas.span().start, "the number of replicas is out of range");
    }
    let signing = file
        .signing
        .map_or(Some(Protocol::default()), |name| reader.keep(name.span().start, name.get_ref().parse()));
    let replaces = file.replaces.map(|id| {
        let parsed = Digest::from_hex(id.get_ref());
        reader
            .keep(id.span().start, parsed.map(ClusterId).ok_or("replaces is not the id of a cluster".into()))
    });
    let members = file.members.into_iter().map(|member| reader.item(member, Reader::member)).collect();
    let zones = file.zones.into_iter().map(|zone| reader.item(zone, Reader::zone)).collect();
    let tsig = file.tsig.into_iter().map(|key| reader.item(key, Reader::tsig)).collect();
    let sig0 = file.sig0.into_iter().map(|key| reader.item(key, Reader::sig0)).collect();
    let operators = Operators::read(file.operators.iter().map(Spanned::get_ref), file.operators_needed);
    let operators = reader.keep(file.operators.first().map_or(0, |first| first.span().start), operators);
    let backup = file.backup.map(|backup| reader.item(backup, Reader::backup));
    let read = || {
        let (replaces, backup) =
            (replaces.map_or(Some(None), |id| id.map(Some))?, backup.map_or(Some(None), |b| b.map(Some))?);
        let (members, zones): (Option<Vec<_>>, Option<Vec<_>>) = (members, zones);
        let (tsig, sig0): (Option<Vec<_>>, Option<Vec<_>>) = (tsig, sig0);
        Some(WrittenPlan {
            epoch: Epoch(file.epoch),
            committee: committee?,
            bits: file.bits,
            signing: signing?,
            replaces,
            members: members?,
            zones: zones?,
            tsig: tsig?,
            sig0: sig0?,
            operators: operators?,
            backup,
        })
    };
    match read() {
        Some(mut plan) => {
            plan.sort();
            Ok(plan)
        }
        None => Err(reader.problems),
    }
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn wrong(&mut self, at: usize, reason: impl Into<String>) {
        self.problems.push(Problem::at(self.path, self.text, at, reason));
    }

    fn keep<T>(&mut self, at: usize, result: Result<T, String>) -> Option<T> {
        result.map_err(|reason| self.wrong(at, reason)).ok()
    }

    fn item<T, U>(&mut self, item: Spanned<T>, read: fn(&Self, T) -> Result<U, String>) -> Option<U> {
        let at = item.span().start;
        let result = read(self, item.into_inner());
        self.keep(at, result)
    }

    fn file(&self, path: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }

    fn member(&self, text: MemberText) -> Result<PlannedMember, String> {
        let place = Place { dns: text.dns, peer: text.peer, admin: None };
        if place.dns.is_empty() {
            return Err("the member has no DNS address".into());
        }
        match (text.keys, text.identity, text.sealing) {
            (Some(keys), None, None) => {
                let keys = PublicKeys::read(&self.file(&keys)).map_err(|problem| problem.to_string())?;
                Ok(PlannedMember { identity: keys.identity, sealing: keys.sealing, place })
            }
            (None, Some(identity), Some(sealing)) => {
                let identity = BASE64.decode(identity.as_bytes()).ok().and_then(|key| key.try_into().ok());
                let identity = identity.ok_or("identity is not 32 octets in Base64")?;
                Ok(PlannedMember { identity, sealing: sealing.parse()?, place })
            }
            _ => Err("a member has either keys = \"FILE\", or identity and sealing".into()),
        }
    }

    fn zone(&self, text: ZoneText) -> Result<PlannedZone, String> {
        let origin = name(&text.origin)?;
        let said = text
            .records_sha256
            .map(|hex| Digest::from_hex(&hex).ok_or("records-sha256 is not 64 hexadecimal digits"));
        let said = said.transpose()?;
        let records = text.file.map(|file| read_zone(&self.file(&file), &origin)).transpose();
        let records = records.map_err(|problem| problem.to_string())?;
        let digest = said.or(records.as_ref().map(|records| zone_digest(&origin, records)));
        let digest = digest.ok_or("the zone has neither a file nor records-sha256")?;
        let policy = text.policy.iter().map(|statement| plain_words(statement)).collect();
        let reads = match text.reads {
            ReadsText::Local => Reads::Local,
            ReadsText::Ordered => Reads::Ordered,
        };
        let (denial, serial, dnskey_ttl) =
            (text.denial.into(), text.serial.map(SerialRule::from), text.dnskey_ttl_s);
        if dnskey_ttl.is_some_and(|ttl| ttl > 7 * 86_400) {
            return Err("dnskey-ttl-s is more than a week".into());
        }
        Ok(PlannedZone { origin, records, digest, policy, reads, denial, serial, dnskey_ttl })
    }

    fn tsig(&self, text: TsigText) -> Result<PlannedTsig, String> {
        let recipient = text.recipient.map(|recipient| recipient.parse()).transpose()?;
        let said = text.algorithm.map(|said| {
            TsigAlgorithm::parse(&said)
                .ok_or_else(|| format!("`{said}` is no algorithm of TSIG that is known here"))
        });
        let algorithm = said.transpose()?.unwrap_or(TsigAlgorithm::HmacSha256);
        check_algorithm(algorithm, text.allow_weak)?;
        let quota = text.limits.map(QuotaText::read).transpose()?;
        let key = TsigPlan { name: name(&text.name)?, algorithm, mode: text.mode.into(), quota };
        Ok(PlannedTsig { key, recipient })
    }

    fn sig0(&self, text: Sig0Text) -> Result<PlannedSig0, String> {
        let key = text.key.map(|key| rdata_of(&key)).transpose()?;
        let quota = text.limits.map(QuotaText::read).transpose()?;
        Ok(PlannedSig0 { name: name(&text.name)?, key, quota })
    }

    fn backup(&self, text: BackupText) -> Result<BackupPlan, String> {
        let custodians = text.custodians.into_iter().map(|custodian| {
            let recipient: Recipient = custodian.recipient.parse()?;
            Ok::<_, String>(Custodian { name: custodian.name, recipient })
        });
        Ok(BackupPlan { threshold: text.threshold, custodians: custodians.collect::<Result<_, _>>()? })
    }
}

fn name(text: &str) -> Result<Name, String> {
    let name = Name::parse(text).map_err(|e| format!("`{text}` is not a domain name: {e}"))?;
    Ok(name.to_lowercase())
}

fn rdata_of(text: &str) -> Result<Rdata, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    rdata::from_text(RrType::KEY, &words, &Name::root())
        .map_err(|e| format!("key is not the data of a KEY record: {e}"))
}
