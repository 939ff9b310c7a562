//! What is said of a client's key before it is made: its algorithm, who holds its secret, how much it may ask.
//!
//! ```toml
//! name = "ops"
//! algorithm = "hmac-sha256"        # or hmac-sha384, hmac-sha512; optional
//! mode = "gateway"                 # or "quorum": another secret for each replica, and t+1 must vouch; optional
//! allow-weak = true                # hmac-md5 and hmac-sha1, for old clients, need it
//! limits = { octets = 65535, burst = 8192, per-minute = 5734 }   # of one message; updates at once; in the long run; optional
//! ```
//!
//! On a command line: `NAME[,quorum][,ALGORITHM][,allow-weak]`.
#![forbid(unsafe_code)]

use crate::dns::name::Name;
use crate::dns::tsig::{Mode, Quota, TsigAlgorithm};
use crate::limits::MAX_REPLAY_ENTRIES;
use crate::time::{DAY, MINUTE};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Octets of one message that a quota must allow: any update that does something.
const MIN_OCTETS: u32 = 512;

/// A TSIG key that is to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TsigPlan {
    /// Its name, in lower case.
    pub name: Name,
    /// Its algorithm.
    pub algorithm: TsigAlgorithm,
    /// Who holds its secret.
    pub mode: Mode,
    /// How much it may ask, if anything is said.
    pub quota: Option<Quota>,
}

impl From<Name> for TsigPlan {
    fn from(name: Name) -> Self {
        let (name, algorithm, mode) = (name.to_lowercase(), TsigAlgorithm::HmacSha256, Mode::Gateway);
        Self { name, algorithm, mode, quota: None }
    }
}

impl TsigPlan {
    /// Whether nothing but its name is said.
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::from(self.name.clone())
    }
}

impl std::str::FromStr for TsigPlan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split(',');
        let name = words.next().unwrap_or_default();
        let name = Name::parse(name).map_err(|e| format!("`{name}` is not a domain name: {e}"))?;
        let (mut plan, mut allow_weak) = (Self::from(name), false);
        for word in words {
            match word {
                "quorum" => plan.mode = Mode::Quorum,
                "gateway" => plan.mode = Mode::Gateway,
                "allow-weak" => allow_weak = true,
                other => {
                    plan.algorithm = TsigAlgorithm::parse(other).ok_or_else(|| {
                        format!("`{other}` is not gateway, quorum, allow-weak or an algorithm")
                    })?;
                }
            }
        }
        check_algorithm(plan.algorithm, allow_weak).map(|()| plan)
    }
}

/// Whether the algorithm is one that may be used, or was asked for twice.
pub(super) fn check_algorithm(algorithm: TsigAlgorithm, allow_weak: bool) -> Result<(), String> {
    match algorithm.is_weak() && !allow_weak {
        true => Err(format!(
            "{algorithm} is weak, and only for clients that know nothing else: say `allow-weak = true` beside it (on a command line `,allow-weak`) if it must be, or use hmac-sha256"
        )),
        false => Ok(()),
    }
}

/// `gateway` or `quorum`.
#[derive(Clone, Copy, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub(super) enum ModeText {
    #[default]
    Gateway,
    Quorum,
}

impl From<ModeText> for Mode {
    fn from(text: ModeText) -> Self {
        match text {
            ModeText::Gateway => Self::Gateway,
            ModeText::Quorum => Self::Quorum,
        }
    }
}

/// A quota as files write it.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct QuotaText {
    #[serde(default = "most_octets")]
    octets: u32,
    burst: u32,
    per_minute: u32,
}

fn most_octets() -> u32 {
    u32::from(u16::MAX)
}

impl QuotaText {
    pub(super) fn read(self) -> Result<Quota, String> {
        let Self { octets, burst, per_minute } = self;
        let quota = Quota { octets, burst, per_minute };
        if !(MIN_OCTETS..=most_octets()).contains(&octets) {
            return Err(format!("limits: octets are {MIN_OCTETS} to {}", most_octets()));
        }
        if burst == 0 || per_minute == 0 || u64::from(burst) > u64::from(per_minute) * (DAY / MINUTE) {
            return Err(
                "limits: burst and per-minute are at least 1, and a burst is no more than a day brings"
                    .into(),
            );
        }
        Ok(quota)
    }
}

/// The text of a quota, for a file.
pub(super) fn quota_text(quota: &Quota) -> String {
    let Quota { octets, burst, per_minute } = quota;
    format!("limits = {{ octets = {octets}, burst = {burst}, per-minute = {per_minute} }}\n")
}

/// Octets of a quota for a canonical form.
pub(super) fn quota_octets(quota: &Quota) -> Vec<u8> {
    [quota.octets, quota.burst, quota.per_minute].iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// Whether the keys, by name, leave one another their places in the replay table.
pub(super) fn check_shares(quotas: &BTreeMap<&Name, Option<Quota>>) -> Result<(), String> {
    let unsaid = Quota::of_one_among(quotas.len());
    let is_said = quotas.values().any(Option::is_some);
    let all = quotas.values().fold(0u64, |sum, quota| sum.saturating_add(quota.unwrap_or(unsaid).share()));
    if is_said && all > MAX_REPLAY_ENTRIES as u64 {
        return Err(format!(
            "the limits of the clients' keys let them have {all} updates remembered together (each its burst, and ten minutes'), and {MAX_REPLAY_ENTRIES} can be: give some of them less"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_in_a_line_and_a_weak_algorithm_must_be_wanted_twice() {
        let plan: TsigPlan = "Ops.Example,quorum,hmac-sha512".parse().unwrap();
        assert_eq!((plan.mode, plan.algorithm), (Mode::Quorum, TsigAlgorithm::HmacSha512));
        assert_eq!(plan.name.wire(), Name::parse("ops.example").unwrap().wire());
        assert!("ops".parse::<TsigPlan>().unwrap().is_usual() && !plan.is_usual());
        for weak in ["hmac-md5", "HMAC-MD5.SIG-ALG.REG.INT.", "hmac-sha1"] {
            let refused = format!("ops,{weak}").parse::<TsigPlan>().unwrap_err();
            assert!(refused.contains("allow-weak"), "{refused}");
            assert!(format!("ops,{weak},allow-weak").parse::<TsigPlan>().unwrap().algorithm.is_weak());
        }
        assert!("ops,hmac-sha3".parse::<TsigPlan>().is_err());
    }

    #[test]
    fn quotas_that_could_crowd_others_out_are_refused() {
        let names: Vec<Name> = (0..5).map(|n| Name::parse(&format!("k{n}")).unwrap()).collect();
        let great = Quota { octets: 65_535, burst: 1, per_minute: 20_000 };
        let with = |quota: Option<Quota>| {
            let quotas = names.iter().map(|name| (name, None));
            let mut quotas: BTreeMap<&Name, Option<Quota>> = quotas.collect();
            quotas.insert(&names[0], quota);
            check_shares(&quotas)
        };
        assert!(with(None).is_ok() && with(Some(great)).is_err());
        assert!(with(Some(Quota { per_minute: 600, ..great })).is_ok());
        let read = |octets, burst, per_minute| QuotaText { octets, burst, per_minute }.read();
        assert!(read(512, 1, 1).is_ok() && read(65_535, 1_440, 1).is_ok());
        for (octets, burst, per_minute) in
            [(511, 1, 1), (65_536, 1, 1), (600, 0, 1), (600, 1, 0), (600, 1_441, 1)]
        {
            assert!(read(octets, burst, per_minute).is_err(), "{octets} {burst} {per_minute}");
        }
    }
}
