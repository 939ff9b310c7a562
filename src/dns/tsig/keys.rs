//! The keys that clients sign with: their algorithms, who holds their secrets, and how much each may ask.
//!
//! A TSIG key is symmetric: whoever can check with it can also forge with it. So it has a mode. The secret of a `gateway` key is the
//! same at all replicas: one replica's word counts. Of a `quorum` key each replica has a secret of its own, with which it
//! alone checks and answers; what replicas must judge alike ([`super::authenticate_alike`]) knows no such key.
//!
//! HMAC-MD5 (RFC 8945 §6 no longer asks for it) and HMAC-SHA-1 are for clients that know nothing else: a cluster has such a key only
//! where its plan says so twice.

use crate::dns::name::Name;
use crate::dns::sig0::Sig0Key;
use crate::limits::{MAX_REPLAY_ENTRIES, REPLAY_WINDOW_MS};
use crate::time::{AgreedTime, MINUTE};
use aws_lc_rs::hmac as lc;
use hmac::{KeyInit, Mac, SimpleHmac};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// The MAC algorithms taken (RFC 8945 §6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TsigAlgorithm {
    /// hmac-md5, which only old clients need.
    HmacMd5,
    /// hmac-sha1, which only old clients need.
    HmacSha1,
    /// hmac-sha256, the default everywhere.
    HmacSha256,
    /// hmac-sha384.
    HmacSha384,
    /// hmac-sha512.
    HmacSha512,
}

impl TsigAlgorithm {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::HmacMd5, Self::HmacSha1, Self::HmacSha256, Self::HmacSha384, Self::HmacSha512];

    /// The mnemonic, as configuration files write it.
    pub fn mnemonic(self) -> &'static str {
        match self {
            Self::HmacMd5 => "hmac-md5",
            Self::HmacSha1 => "hmac-sha1",
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha384 => "hmac-sha384",
            Self::HmacSha512 => "hmac-sha512",
        }
    }

    /// From the mnemonic, of either case; a final dot may stand.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_end_matches('.');
        let is = |a: &Self| {
            a.mnemonic().eq_ignore_ascii_case(text)
                || a.name().to_string().trim_end_matches('.').eq_ignore_ascii_case(text)
        };
        Self::ALL.into_iter().find(is)
    }

    /// The algorithm's domain name: that of HMAC-MD5 is longer than its mnemonic (RFC 8945 §6).
    pub fn name(self) -> Name {
        let labels: &[&str] = match self {
            Self::HmacMd5 => &["int", "reg", "sig-alg", "hmac-md5"],
            other => &[other.mnemonic()],
        };
        let below = |name: Name, label: &&str| name.child(label.as_bytes()).expect("a mnemonic is a label");
        labels.iter().fold(Name::root(), below)
    }

    pub(super) fn from_name(name: &Name) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.name() == *name)
    }

    /// Whether it is here for clients that know nothing else.
    pub fn is_weak(self) -> bool {
        matches!(self, Self::HmacMd5 | Self::HmacSha1)
    }

    /// Octets of a MAC.
    pub fn mac_octets(self) -> usize {
        self.hmac().map_or(16, |hmac| hmac.digest_algorithm().output_len())
    }

    /// Of aws-lc, which has all but MD5.
    fn hmac(self) -> Option<lc::Algorithm> {
        match self {
            Self::HmacMd5 => None,
            Self::HmacSha1 => Some(lc::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            Self::HmacSha256 => Some(lc::HMAC_SHA256),
            Self::HmacSha384 => Some(lc::HMAC_SHA384),
            Self::HmacSha512 => Some(lc::HMAC_SHA512),
        }
    }
}

impl fmt::Display for TsigAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mnemonic())
    }
}

/// Who holds a key's secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Mode {
    /// All replicas the same: an update counts by the word of one.
    #[default]
    Gateway,
    /// Each replica another: an update counts by the word of t+1.
    Quorum,
}

impl Mode {
    /// As files write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Quorum => "quorum",
        }
    }
}

/// A symmetric key, wiped on drop.
pub struct TsigKey {
    /// The name both sides know it by.
    pub name: Name,
    /// The MAC it is for.
    pub algorithm: TsigAlgorithm,
    /// Who else holds the secret.
    pub mode: Mode,
    secret: Zeroizing<Vec<u8>>,
}

impl TsigKey {
    /// A `gateway` key of this secret.
    pub fn new(name: Name, algorithm: TsigAlgorithm, secret: Vec<u8>) -> Self {
        Self { name, algorithm, mode: Mode::Gateway, secret: Zeroizing::new(secret) }
    }

    /// The same in this mode.
    pub fn in_mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// The secret.
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    pub(super) fn mac(&self, covered: &[u8]) -> Vec<u8> {
        match self.algorithm.hmac() {
            Some(hmac) => lc::sign(&lc::Key::new(hmac, &self.secret), covered).as_ref().to_vec(),
            None => {
                let mac = SimpleHmac::<md5::Md5>::new_from_slice(&self.secret);
                let mut mac = mac.expect("HMAC takes keys of any length");
                mac.update(covered);
                mac.finalize().into_bytes().to_vec()
            }
        }
    }

    /// Whether `mac` is the MAC, or the beginning of it, in constant time.
    pub(super) fn verifies(&self, covered: &[u8], mac: &[u8]) -> bool {
        let whole = self.mac(covered);
        let part = whole.get(..mac.len()).unwrap_or_default();
        aws_lc_rs::constant_time::verify_slices_are_equal(part, mac).is_ok() && !mac.is_empty()
    }
}

/// What the updates of one key may come to.
///
/// An update that is judged takes a place in the replay table for as long as its signature could come back. So `burst` and
/// `per_minute` bound a key's share of that table, and where all shares fit into it, nobody can take another's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quota {
    /// Octets of one message.
    pub octets: u32,
    /// Updates that may come at once, after a pause.
    pub burst: u32,
    /// Updates in a minute of agreed time, in the long run; at least 1.
    pub per_minute: u32,
}

impl Quota {
    /// Where nothing is said: of `keys` keys each may fill an equal share, and a few no more than a quarter each.
    pub fn of_one_among(keys: usize) -> Self {
        let share = u32::try_from(MAX_REPLAY_ENTRIES / keys.max(4)).unwrap_or(u32::MAX).max(1);
        let burst = share.div_ceil(8);
        let minutes = u32::try_from(REPLAY_WINDOW_MS / MINUTE).unwrap_or(u32::MAX);
        Self { octets: u32::from(u16::MAX), burst, per_minute: ((share - burst) / minutes).max(1) }
    }

    /// Places in the replay table that the key can fill.
    pub fn share(&self) -> u64 {
        u64::from(self.burst) + u64::from(self.per_minute) * (REPLAY_WINDOW_MS / MINUTE)
    }

    /// Takes one update more at `now`, after those that are told by `full`: the time, in microseconds since 1970, at which the burst
    /// is whole again. Gives the same anew; none if it is too much. Where `full` is later than it can be, the clock was set back or the
    /// quota was another: then nothing was asked.
    pub fn take(&self, full: u64, now: AgreedTime) -> Option<u64> {
        let one = (MINUTE * 1_000).div_ceil(u64::from(self.per_minute.max(1)));
        let now = now.0.saturating_mul(1_000);
        let most = now.saturating_add(one.saturating_mul(u64::from(self.burst)));
        let before = if full > most { now } else { full.max(now) };
        let full = before.saturating_add(one);
        (full <= most).then_some(full)
    }
}

/// The keys that clients may sign with.
#[derive(Default)]
pub struct Keyring {
    /// TSIG keys by name.
    pub tsig: BTreeMap<Name, TsigKey>,
    /// SIG(0) keys by the name that owns the KEY records.
    pub sig0: BTreeMap<Name, Vec<Sig0Key>>,
    /// What is said of keys, by name.
    pub quotas: BTreeMap<Name, Quota>,
}

impl Keyring {
    /// What the updates of this key may come to.
    pub fn quota(&self, key: &Name) -> Quota {
        let said = self.quotas.get(key).copied();
        said.unwrap_or_else(|| Quota::of_one_among(self.tsig.len() + self.sig0.len()))
    }

    /// The TSIG key of this name, if its mode is `quorum`.
    pub fn of_quorum(&self, key: &Name) -> Option<&TsigKey> {
        self.tsig.get(key).filter(|key| key.mode == Mode::Quorum)
    }
}
