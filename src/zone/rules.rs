//! What execution takes as given, from the cluster file, the same on all replicas; the rules of each zone are its beginning.

use super::policy::UpdatePolicy;
use super::view::Denial;
use crate::codec::{ClusterId, Epoch, KeyId};
use crate::dns::rrset::serial_gt;
use crate::dns::tsig::Keyring;
use crate::dns::{Name, Rdata, Record};
use crate::time::{AgreedTime, DAY, HOUR, SECOND};
use borsh::{BorshDeserialize, BorshSerialize};
use std::sync::Arc;

/// From where plain queries for a zone are answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub enum Reads {
    /// From the replica's last fully signed version.
    #[default]
    Local,
    /// At the query's place in the order.
    Ordered,
}

/// How a change moves the serial; never back (RFC 1982), and never to 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub enum SerialRule {
    /// One more.
    #[default]
    Increment,
    /// The agreed time in seconds, or one more where that is not greater.
    UnixTime,
    /// YYYYMMDD00 of the agreed time, or one more where that is not greater.
    Date,
}

impl SerialRule {
    /// The serial after `serial` at `time`.
    pub fn next(self, serial: u32, time: AgreedTime) -> u32 {
        let one_more = match serial.wrapping_add(1) {
            0 => 1,
            next => next,
        };
        let wanted = match self {
            Self::Increment => return one_more,
            // RFC 1982 arithmetic is modulo 2^32, as are these.
            Self::UnixTime => time.secs() as u32,
            Self::Date => date_serial(time),
        };
        if wanted != 0 && serial_gt(wanted, serial) { wanted } else { one_more }
    }
}

/// The day of `time`, UTC, as YYYYMMDD00.
fn date_serial(time: AgreedTime) -> u32 {
    // Days since 0000-03-01 in the proleptic Gregorian calendar; a year here begins in March.
    let days = time.0 / DAY + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let in_month = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + carry;
    (((year * 100 + month) * 100 + in_month) * 100) as u32
}

/// The times of an RRSIG, in seconds from the agreed time at which it is planned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Validity {
    /// From then until it expires, before jitter.
    pub lifetime: u32,
    /// From then until it is made anew, before jitter.
    pub refresh: u32,
    /// The most that is added to both, by owner name, so that a zone does not expire at once (RFC 6781 §4.4.2).
    pub jitter: u32,
    /// How far back it begins, for validators whose clocks are late.
    pub backdate: u32,
}

impl Default for Validity {
    fn default() -> Self {
        let days = |n| (n * DAY / SECOND) as u32;
        Self { lifetime: days(14), refresh: days(7), jitter: days(1), backdate: (HOUR / SECOND) as u32 }
    }
}

/// A threshold key of a zone.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct KeyInfo {
    /// Its name among the signing layer's keys.
    pub id: KeyId,
    /// Its DNSKEY rdata.
    pub dnskey: Rdata,
}

/// The rules of one zone.
#[derive(Clone, Debug)]
pub struct ZoneRules {
    /// The name of the apex.
    pub origin: Name,
    /// Who may change what.
    pub policy: UpdatePolicy,
    /// From where queries are answered.
    pub reads: Reads,
    /// How the serial moves.
    pub serial: SerialRule,
    /// The times of signatures.
    pub validity: Validity,
    /// The TTL of the DNSKEY RRset, in seconds.
    pub dnskey_ttl: u32,
    /// How it begins to deny existence; later that is part of its state.
    pub denial: Denial,
    /// The key that signs the DNSKEY, CDS and CDNSKEY RRsets.
    pub ksk: KeyInfo,
    /// The key that signs all else.
    pub zsk: KeyInfo,
}

/// Everything the machine starts from.
#[derive(Clone)]
pub struct Genesis {
    /// The cluster.
    pub cluster: ClusterId,
    /// The epoch.
    pub epoch: Epoch,
    /// The replicas' Ed25519 public keys, by slot: with them they say things in their own names.
    pub members: Vec<[u8; 32]>,
    /// The operators who sign commands themselves: a name and an Ed25519 public key each ([`super::operators`]).
    pub operators: Vec<(String, [u8; 32])>,
    /// How many of them are needed for a command; none can do anything if 0.
    pub operators_needed: usize,
    /// Each zone's rules and its unsigned records.
    pub zones: Vec<(ZoneRules, Vec<Record>)>,
    /// The keys with which clients authenticate.
    pub keys: Arc<Keyring>,
}
