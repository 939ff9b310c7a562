//! The charter of a zone: its rules as part of the state, so that a zone is known from the state alone. The cluster file gives
//! those of the zones that there are in the beginning; commands bring others, and change them ([`super::roster`]).
//!
//! It travels in the first chunk of a snapshot beside the zone's keys, in one piece, so its policy has a bound.

use super::ledger::Ledger;
use super::load;
use super::roster;
use super::rules::{KeyInfo, Reads, SerialRule, Validity, ZoneRules};
use super::view::Denial;
use crate::dns::Name;
use borsh::{BorshDeserialize, BorshSerialize};

/// The rules of a zone, and what else the state has of it as a whole.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Charter {
    /// The name of the apex.
    pub origin: Name,
    /// The statements of its policy ([`super::UpdatePolicy`]), words parted by one space.
    pub policy: Vec<String>,
    /// From where queries are answered.
    pub reads: Reads,
    /// How the serial moves.
    pub serial: SerialRule,
    /// The times of signatures.
    pub validity: Validity,
    /// The TTL of the DNSKEY RRset, in seconds.
    pub dnskey_ttl: u32,
    /// How it began to deny existence.
    pub denial: Denial,
    /// The KSK with which it began.
    pub ksk: KeyInfo,
    /// The ZSK with which it began.
    pub zsk: KeyInfo,
    /// The number of the batch that added it; 0 if it was there in the beginning.
    pub born: u64,
    /// Whether updates are refused.
    pub frozen: bool,
}

impl Charter {
    pub(super) fn of(ledger: &Ledger) -> Self {
        let ZoneRules { origin, policy, reads, serial, validity, dnskey_ttl, denial, ksk, zsk } =
            ledger.rules.clone();
        let (policy, born, frozen) = (policy.statements(), ledger.born, ledger.frozen);
        Self { origin, policy, reads, serial, validity, dnskey_ttl, denial, ksk, zsk, born, frozen }
    }

    /// The rules; or what is wrong with them.
    pub(super) fn rules(&self) -> Result<ZoneRules, String> {
        let Self { origin, reads, serial, validity, dnskey_ttl, denial, ksk, zsk, .. } = self.clone();
        let policy = roster::policy_of(&self.policy)?;
        let rules = ZoneRules { origin, policy, reads, serial, validity, dnskey_ttl, denial, ksk, zsk };
        load::check_rules(&rules)?;
        Ok(rules)
    }
}
