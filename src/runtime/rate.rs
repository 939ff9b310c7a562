//! Response-rate limiting, as BIND does it: a server must not be the lens of who forges addresses.
//!
//! Responses over UDP that say the same to one network share an account. It earns so many responses a second and holds at most
//! one second's; each response costs one, sent or not, down to a debt of `window` seconds. In debt nothing is sent, but every
//! `slip`-th response is replaced by a short one that makes a true client ask on ([`crate::answer::instead`]): with a cookie
//! or over TCP, which are never limited, as the networks that the operator exempts. What is "the same" the answer tells:
//! [`crate::answer::Subject`]; so names that do not exist, all of one delegation or all of one wildcard are one thing.
//!
//! Accounts stand in a table of fixed size, found by a keyed hash that no client can predict; where it is full, the one in its set
//! that was not used for longest goes. A new account begins with a full second, so what a flood displaces forgives, and
//! never refuses, others.
#![forbid(unsafe_code)]

use super::network::Network;
use crate::answer::{Kind, Subject};
use crate::dns::cookie::siphash24;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Accounts that may stand in the same place of the table.
const WAYS: usize = 8;
/// Tables, each under a lock of its own, so that the answering threads rarely meet.
const SHARDS: usize = 16;
/// One response on an account, so that a millisecond earns a whole number.
const RESPONSE: i64 = 1_000;
/// The least time between two log lines.
const LOG_PAUSE: Duration = Duration::from_secs(1);

/// What the operator chose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RateRules {
    /// Answers a second with one content to one network; 0: any number.
    pub answers: u32,
    /// Referrals a second of one delegation.
    pub referrals: u32,
    /// Responses a second that one name has no such type.
    pub nodata: u32,
    /// Responses a second that a name of one zone does not exist.
    pub nxdomains: u32,
    /// Errors a second.
    pub errors: u32,
    /// Seconds of debt at most: how long a flood is remembered.
    pub window_s: u32,
    /// Every so many-th response that is not sent is replaced by a short one; 0: none.
    pub slip: u32,
    /// Bits of the addresses of one network.
    pub ipv4_bits: u8,
    /// See [`RateRules::ipv4_bits`].
    pub ipv6_bits: u8,
    /// Who is not limited.
    pub exempt: Vec<Network>,
    /// Accounts in the table, 32 bytes each.
    pub accounts: usize,
}

impl Default for RateRules {
    fn default() -> Self {
        // Rates of a resolver for hundreds of thousands stay below; the rest is what BIND and Knot have.
        let (each, ipv4_bits, ipv6_bits) = (50, 24, 56);
        Self {
            answers: each,
            referrals: each,
            nodata: each,
            nxdomains: each,
            errors: each,
            window_s: 15,
            slip: 2,
            ipv4_bits,
            ipv6_bits,
            exempt: Vec::new(),
            accounts: 65_536,
        }
    }
}

impl RateRules {
    fn per_second(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Answer => self.answers,
            Kind::Referral => self.referrals,
            Kind::NoData => self.nodata,
            Kind::NxDomain => self.nxdomains,
            Kind::Error => self.errors,
        }
    }
}

/// What to do with a response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Judgement {
    /// Send it.
    Send,
    /// Send something short in its place.
    Slip,
    /// Send nothing.
    Drop,
}

/// The accounts of one replica, for its answering threads.
pub struct RateLimit {
    rules: RateRules,
    key: [u8; 16],
    begin: Instant,
    shards: Vec<Mutex<Table>>,
    /// When the log was last written, and how many accounts have come into debt since.
    told: Mutex<(Option<Instant>, u64)>,
}

impl RateLimit {
    /// No account yet; `key` is random.
    pub fn new(rules: RateRules, key: [u8; 16]) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::new(Table::new(rules.accounts / SHARDS))).collect();
        Self { rules, key, begin: Instant::now(), shards, told: Mutex::default() }
    }

    /// Judges a response to `wire` from `address`.
    pub fn judge(&self, address: IpAddr, wire: &[u8], subject: &Subject) -> Judgement {
        let rate = self.rules.per_second(subject.kind);
        if rate == 0 || subject.known || self.rules.exempt.iter().any(|network| network.contains(address)) {
            return Judgement::Send;
        }
        let network = Network::around(address, self.rules.ipv4_bits, self.rules.ipv6_bits);
        let account = account(&self.key, &network, subject.kind, wire.get(subject.about.clone()));
        let now_ms = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let terms = Terms { per_second: rate, window_s: self.rules.window_s, slip: self.rules.slip };
        let shard = &self.shards[(account >> 60) as usize % SHARDS];
        let (judgement, begins) =
            shard.lock().unwrap_or_else(|e| e.into_inner()).judge(account, terms, now_ms);
        if begins {
            self.tell(&network, subject.kind);
        }
        judgement
    }

    fn tell(&self, network: &Network, kind: Kind) {
        let mut told = self.told.lock().unwrap_or_else(|e| e.into_inner());
        told.1 += 1;
        if told.0.is_none_or(|last| last.elapsed() >= LOG_PAUSE) {
            tracing::info!(%network, ?kind, count = told.1, "responses are limited");
            *told = (Some(Instant::now()), 0);
        }
    }
}

/// The number of an account, never 0. Names are compared without regard to case.
fn account(key: &[u8; 16], network: &Network, kind: Kind, about: Option<&[u8]>) -> u64 {
    let mut octets = Vec::with_capacity(18 + 260);
    octets.push(kind as u8);
    match network.first() {
        IpAddr::V4(first) => octets.extend_from_slice(&first.octets()),
        IpAddr::V6(first) => octets.extend_from_slice(&first.octets()),
    }
    octets.extend(about.unwrap_or_default().iter().map(u8::to_ascii_lowercase));
    siphash24(key, &octets).max(1)
}

/// The terms of an account.
#[derive(Clone, Copy)]
struct Terms {
    per_second: u32,
    window_s: u32,
    slip: u32,
}

/// Accounts by number, in sets of [`WAYS`]. Time is an argument.
struct Table {
    sets: Vec<[Account; WAYS]>,
}

/// An account; number 0 is none.
#[derive(Clone, Copy, Default)]
struct Account {
    number: u64,
    used_ms: u64,
    /// In thousandths of a response; below zero it is in debt.
    credit: i64,
    /// Responses not sent since it came into debt.
    withheld: u32,
}

impl Table {
    fn new(accounts: usize) -> Self {
        Self { sets: vec![[Account::default(); WAYS]; accounts.div_ceil(WAYS).max(1)] }
    }

    /// Charges one response; also whether the account comes into debt by it.
    fn judge(&mut self, number: u64, terms: Terms, now_ms: u64) -> (Judgement, bool) {
        let full = i64::from(terms.per_second) * RESPONSE;
        let account = self.account(number, full, now_ms);
        // Neither factor is so great that the product, below 2^57, overflows.
        let away_ms = now_ms.saturating_sub(account.used_ms).min(1 << 25) as i64;
        let earned = account.credit.saturating_add(away_ms * i64::from(terms.per_second)).min(full);
        account.used_ms = account.used_ms.max(now_ms);
        account.credit = (earned - RESPONSE).max(-full * i64::from(terms.window_s));
        if account.credit >= 0 {
            account.withheld = 0;
            return (Judgement::Send, false);
        }
        account.withheld = account.withheld.saturating_add(1);
        let slips = terms.slip > 0 && account.withheld.is_multiple_of(terms.slip);
        (if slips { Judgement::Slip } else { Judgement::Drop }, account.withheld == 1)
    }

    /// The account of this number, a new one in the place of the one that was not used for longest if need be.
    fn account(&mut self, number: u64, full: i64, now_ms: u64) -> &mut Account {
        let place = number as usize % self.sets.len();
        let set = &mut self.sets[place];
        let held = set.iter().position(|account| account.number == number);
        let oldest = || (0..WAYS).min_by_key(|way| (set[*way].number != 0, set[*way].used_ms)).unwrap_or(0);
        let way = held.unwrap_or_else(oldest);
        if held.is_none() {
            set[way] = Account { number, used_ms: now_ms, credit: full, withheld: 0 };
        }
        &mut set[way]
    }
}

#[cfg(test)]
mod tests;
