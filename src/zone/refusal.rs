//! Why an update is not done: what refused it, in words, and what its sender can do.
//!
//! Execution gives the same refusal at every replica; what a replica turns away at its door it says in the same words. Every
//! update has a [`Ticket`](super::Ticket), which stands in the extended error of the reply, in the log and in the audit; with it an
//! operator asks for the rest. A reply says little: who is refused need not be told the policy.

use crate::dns::edns::ede;
use crate::dns::tsig::{AuthFailure, Claim, Keyring, Quota, TsigAlgorithm, claim};
use crate::dns::{Name, Rcode, RrType};
use crate::quorum::ReplicaId;
use std::fmt;

/// What refused an update.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It has no signature.
    Unsigned,
    /// Its signature does not hold.
    NotAuthentic {
        /// How.
        failure: AuthFailure,
        /// What it says of itself.
        claim: Option<Claim>,
        /// The algorithm of the key that is held under that name.
        held: Option<String>,
        /// The second in which it was looked at.
        now: u64,
    },
    /// It is no update message, or one that RFC 2136 calls malformed; what is wrong.
    Malformed(String),
    /// It is of a later version of EDNS.
    Version,
    /// The cluster has no zone of this name.
    NotOurs(Name),
    /// A name is outside of the zone.
    OutOfZone(Name),
    /// A prerequisite does not hold.
    Prerequisite {
        /// Which one, from 1, in the order of the message.
        number: usize,
        /// RFC 2136 §3.2.
        rcode: Rcode,
        /// The prerequisite in words.
        wanted: String,
    },
    /// Records that the cluster makes itself.
    Clusters(Name, RrType),
    /// A rollover tells the parent of the zone's keys at present.
    Rollover,
    /// No rule of the policy is about the key.
    UnknownToPolicy {
        /// The key.
        key: Name,
        /// The zone.
        zone: Name,
    },
    /// The policy does not let the key change this.
    Policy {
        /// The key.
        key: Name,
        /// The name to be changed.
        name: Name,
        /// The type; all types for the deletion of a name that has none.
        rtype: RrType,
        /// The rule that denies it, with its number from 1; none where no rule matches.
        rule: Option<(usize, String)>,
    },
    /// A guard of the zone.
    Guard {
        /// The guard's statement, with its number from 1 in the policy.
        guard: (usize, String),
        /// What it would have come to.
        harm: String,
    },
    /// An RRset or a name would pass its limit.
    TooMuch(Name, RrType),
    /// A name has the NSEC3 hash of another.
    Collision,
    /// The zone is not signed yet.
    NotBegun(Name),
    /// Operators have frozen the zone.
    Frozen(Name),
    /// No more requests can be remembered against replay at present.
    ReplayFull,
    /// Too many requests wait at this replica.
    Busy,
    /// The client's patience ended before the request was through.
    Late,
    /// The new version did not pass the publish check.
    HeldBack,
    /// The epoch of this cluster has ended.
    Over,
    /// The same update was executed before, and had this answer.
    Repeat(Rcode),
    /// The message is longer than the key's may be.
    TooLong {
        /// The key.
        key: Name,
        /// Of the message.
        octets: usize,
        /// What its quota allows.
        most: u32,
    },
    /// The key has asked for more in a time than it may.
    TooOften {
        /// The key.
        key: Name,
        /// Its quota.
        quota: Quota,
    },
    /// Agreed time has passed the end of its signature's or nonce's window, or is before it.
    Lapsed,
    /// Under a `quorum` key: nothing in it sees to it that it is done once.
    NotOnce,
    /// Fewer replicas than needed vouch for it.
    Unvouched {
        /// Those that do.
        have: Vec<ReplicaId>,
        /// t + 1.
        need: usize,
    },
}

impl Refusal {
    /// Of an update whose signature does not hold.
    pub fn of_failure(failure: AuthFailure, wire: &[u8], keys: &Keyring, now: u64) -> Self {
        if failure == AuthFailure::Unsigned {
            return Self::Unsigned;
        }
        let claim = claim(wire);
        let held = claim.as_ref().and_then(|claim| {
            let tsig = keys.tsig.get(&claim.key).map(|key| key.algorithm.to_string());
            let sig0 = || {
                keys.sig0.get(&claim.key)?.first().map(|key| format!("SIG(0) algorithm {}", key.algorithm))
            };
            tsig.or_else(sig0)
        });
        Self::NotAuthentic { failure, claim, held, now }
    }

    /// The rcode of the reply.
    pub fn rcode(&self) -> Rcode {
        match self {
            Self::Unsigned
            | Self::Clusters(..)
            | Self::Rollover
            | Self::UnknownToPolicy { .. }
            | Self::Policy { .. }
            | Self::Guard { .. }
            | Self::TooMuch(..)
            | Self::TooLong { .. }
            | Self::NotOnce
            | Self::Frozen(_)
            | Self::Collision => Rcode::REFUSED,
            Self::NotAuthentic { failure, .. } => failure.rcode(),
            Self::Malformed(_) => Rcode::FORMERR,
            Self::Version => Rcode::BADVERS,
            Self::NotOurs(_) => Rcode::NOTAUTH,
            Self::OutOfZone(_) => Rcode::NOTZONE,
            Self::Prerequisite { rcode, .. } | Self::Repeat(rcode) => *rcode,
            Self::NotBegun(_)
            | Self::ReplayFull
            | Self::Busy
            | Self::Late
            | Self::HeldBack
            | Self::Over
            | Self::TooOften { .. }
            | Self::Lapsed
            | Self::Unvouched { .. } => Rcode::SERVFAIL,
        }
    }

    /// The code of the extended error (RFC 8914 §4).
    pub fn ede(&self) -> u16 {
        match self {
            Self::NotOurs(_) => ede::NOT_AUTHORITATIVE,
            Self::NotBegun(_)
            | Self::ReplayFull
            | Self::Busy
            | Self::Late
            | Self::Over
            | Self::TooOften { .. }
            | Self::Unvouched { .. } => ede::NOT_READY,
            Self::Unsigned
            | Self::Clusters(..)
            | Self::Rollover
            | Self::UnknownToPolicy { .. }
            | Self::Policy { .. }
            | Self::TooLong { .. }
            | Self::NotOnce
            | Self::Frozen(_)
            | Self::Guard { .. } => ede::PROHIBITED,
            _ => ede::OTHER,
        }
    }

    /// What the extended error says before the ticket.
    pub fn brief(&self) -> &'static str {
        match self {
            Self::Unsigned => "updates must be signed",
            Self::NotAuthentic { failure: AuthFailure::BadTime, .. } => "the clocks differ too much",
            Self::NotAuthentic { .. } => "the signature does not hold",
            Self::Malformed(_) => "malformed",
            Self::Version => "version of EDNS",
            Self::NotOurs(_) => "not our zone",
            Self::OutOfZone(_) => "a name is not in the zone",
            Self::Prerequisite { .. } => "a prerequisite does not hold",
            Self::Clusters(..) | Self::Rollover => "the cluster makes these records",
            Self::UnknownToPolicy { .. } | Self::Policy { .. } => "by policy",
            Self::Guard { .. } => "by a guard of the zone",
            Self::TooMuch(..) => "an RRset or name is too large",
            Self::Collision => "a name has the NSEC3 hash of another",
            Self::NotBegun(_) => "the zone is not signed yet",
            Self::Frozen(_) => "the zone is frozen",
            Self::ReplayFull | Self::Busy => "too many requests wait here",
            Self::Late => "no quorum of replicas so far; the request may still take effect",
            Self::HeldBack => "the new version failed its check and is held back",
            Self::Over => "this epoch of the cluster has ended; try again with the next",
            Self::Repeat(_) => "the first answer again",
            Self::TooLong { .. } => "the message is longer than the key may send",
            Self::TooOften { .. } => "the key asks too often",
            Self::Lapsed => "the signature's window has passed",
            Self::NotOnce => "the key needs a nonce or the SOA as prerequisite",
            Self::Unvouched { .. } => "too few replicas vouch for it so far",
        }
    }

    /// What the sender, or the operator for him, can do.
    pub fn remedy(&self) -> String {
        match self {
            Self::Unsigned => "sign it: nsupdate -k FILE, with a key that the zone's policy names".into(),
            Self::NotAuthentic { failure, claim, held, .. } => {
                remedy_of(*failure, claim.as_ref(), held.as_deref())
            }
            Self::Malformed(_) => "correct the message; `conclave ctl explain FILE` reads nsupdate's scripts".into(),
            Self::Version => "use EDNS version 0".into(),
            Self::NotOurs(_) => {
                "name one of the cluster's zones (nsupdate: `zone ORIGIN`), as `conclave ctl status` lists them".into()
            }
            Self::OutOfZone(_) => "send one message for each zone; without a final dot names are relative in some clients".into(),
            Self::Prerequisite { .. } => {
                "look what is there (dig at this replica), and send the update again if it is still wanted".into()
            }
            Self::Clusters(..) => "leave them out: the cluster makes DNSKEY, RRSIG, NSEC and the like itself".into(),
            Self::Rollover => "leave CDS and CDNSKEY out until the rollover is over (`conclave ctl keys`)".into(),
            Self::UnknownToPolicy { key, .. } => {
                format!("have the zone's policy grant something to {key}, or sign with a key that it names")
            }
            Self::Policy { key, name, rtype, .. } => {
                format!("sign with another key, or have the policy say, before what denies it: grant {key} name {name} {rtype}")
            }
            Self::Guard { .. } => {
                "if the change is meant, make it in steps that the guard allows, or have the policy changed".into()
            }
            Self::TooMuch(..) => "spread the records over several names".into(),
            Self::Collision => "take another name, or have the zone go on with NSEC (`conclave ctl vote denial`)".into(),
            Self::NotBegun(_) => "try again once `conclave ctl status` shows a serial".into(),
            Self::Frozen(_) => {
                "wait until the zone's operators thaw it; what they change meanwhile they change by `zone ORIGIN replace`".into()
            }
            Self::ReplayFull | Self::Busy => "try again, more slowly".into(),
            Self::Late => {
                "send the same message again: it is attached to the one on its way, and executed once; `conclave ctl status` tells how many replicas are linked".into()
            }
            Self::HeldBack => "tell the operator: the log of every replica says what failed".into(),
            Self::Over => "send it again, to a replica of the next epoch".into(),
            Self::Repeat(_) => "nothing: an update is executed once, however often it is sent".into(),
            Self::TooLong { .. } => "send it in several messages, or have the key's `octets` in the cluster file made greater".into(),
            Self::TooOften { quota, .. } => format!(
                "put more changes into one message, sign it anew and try again (what was refused so is never done later, unless it is bound by a SOA that is still there): one update more may come every {} ms; or have the key's `per-minute` and `burst` in the cluster file made greater",
                60_000 / quota.per_minute.max(1)
            ),
            Self::Lapsed => "sign it anew, and set the client's clock (NTP): a signature or nonce counts 300 seconds to each side of agreed time".into(),
            Self::NotOnce => {
                "send it with `conclave update`, which adds a nonce; or with nsupdate and the zone's present SOA in the script: prereq yxrrset ZONE SOA … (`dig +short ZONE SOA`)".into()
            }
            Self::Unvouched { need, .. } => format!(
                "send the same message to {need} replicas in all, to each signed with its own secret: `conclave update` does it; nsupdate with the key file of each replica"
            ),
        }
    }
}

/// What to do about a client that signs with this algorithm, of those that are here for old clients.
pub fn weak_remedy(algorithm: TsigAlgorithm) -> String {
    let default = match algorithm {
        TsigAlgorithm::HmacMd5 => "certbot, cert-manager and Ansible do so where nothing is said",
        _ => "no client of today needs to",
    };
    format!(
        "{default}; deal a key of hmac-sha256 and say so there (certbot: dns_rfc2136_algorithm = HMAC-SHA256; cert-manager: tsigAlgorithm: HMACSHA256; Ansible's nsupdate: key_algorithm: hmac-sha256)"
    )
}

fn remedy_of(failure: AuthFailure, claim: Option<&Claim>, held: Option<&str>) -> String {
    match (failure, claim, held) {
        (AuthFailure::BadTime, ..) => {
            "set the client's clock (NTP); its signature counts 300 seconds to each side of agreed time at most".into()
        }
        (AuthFailure::BadKey, Some(claim), Some(held)) => format!(
            "the key {} is for {held}: say so at the client (nsupdate -y {held}:…; certbot dns_rfc2136_algorithm; cert-manager tsigAlgorithm; Ansible key_algorithm: these three use HMAC-MD5 if nothing is said)",
            claim.key
        ),
        (AuthFailure::BadKey, ..) => {
            "use a key of the cluster, by its exact name (a final dot or a domain after it makes another name)".into()
        }
        (AuthFailure::BadSig, ..) => {
            "give the client the secret anew: the name is right, the secret is not (or something on the way changes messages)".into()
        }
        (AuthFailure::BadTrunc, ..) => "have the client send whole MACs: no truncation".into(),
        _ => "the signature record itself is malformed: nsupdate -k writes good ones".into(),
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAuthentic { failure, claim, held, now } => {
                show_failure(f, *failure, claim.as_ref(), held.as_deref(), *now)
            }
            Self::Malformed(what) => write!(f, "malformed: {what}"),
            Self::NotOurs(zone) => write!(f, "{zone} is no zone of this cluster"),
            Self::OutOfZone(name) => write!(f, "{name} is not in the zone"),
            Self::Prerequisite { number, wanted, .. } => {
                write!(f, "prerequisite {number} does not hold: {wanted}")
            }
            Self::Clusters(name, rtype) => {
                write!(f, "{name} {rtype}: the cluster makes records of this type itself")
            }
            Self::Rollover => {
                f.write_str("a rollover tells the parent of the zone's keys at present, and nobody else may")
            }
            Self::UnknownToPolicy { key, zone } => {
                write!(f, "no rule in the policy of {zone} is about the key {key}")
            }
            Self::Policy { key, name, rtype, rule: Some((number, rule)) } => {
                write!(f, "rule {number} denies the key {key} to change {name} {rtype}: {rule}")
            }
            Self::Policy { key, name, rtype, rule: None } => {
                write!(f, "no rule of the policy lets the key {key} change {name} {rtype}")
            }
            Self::Guard { guard: (number, guard), harm } => {
                write!(f, "statement {number} of the policy, {guard}: {harm}")
            }
            Self::TooMuch(name, rtype) => {
                write!(f, "{name} {rtype}: more records, octets or types than a name may have")
            }
            Self::NotBegun(zone) => write!(f, "the zone {zone} is not signed yet"),
            Self::Frozen(zone) => write!(f, "operators have frozen the zone {zone}"),
            Self::ReplayFull => f.write_str("no more requests can be remembered against replay at present"),
            Self::Repeat(rcode) => write!(f, "it was executed before, and the answer was {rcode}"),
            Self::TooLong { key, octets, most } => {
                write!(f, "the message has {octets} octets, and one of the key {key} may have {most}")
            }
            Self::TooOften { key, quota: Quota { per_minute, burst, .. } } => {
                write!(
                    f,
                    "the key {key} may ask for {per_minute} updates a minute, and {burst} at once after a pause"
                )
            }
            Self::Unvouched { have, need } => {
                let have: Vec<String> = have.iter().map(ToString::to_string).collect();
                let have = if have.is_empty() { "none".to_owned() } else { have.join(", ") };
                write!(
                    f,
                    "the key needs the vouches of {need} replicas, and these have come to the order: {have}"
                )
            }
            plain => f.write_str(plain.brief()),
        }
    }
}

fn show_failure(
    f: &mut fmt::Formatter<'_>,
    failure: AuthFailure,
    claim: Option<&Claim>,
    held: Option<&str>,
    now: u64,
) -> fmt::Result {
    let Some(Claim { key, algorithm, window: (from, until) }) = claim else {
        return f.write_str("the signature record cannot be read");
    };
    match (failure, held) {
        (AuthFailure::BadTime, _) if *until < now => {
            write!(f, "BADTIME: the signature by {key} ended {} seconds ago", now - until)
        }
        (AuthFailure::BadTime, _) if *from > now => {
            write!(f, "BADTIME: the signature by {key} begins in {} seconds", from - now)
        }
        (AuthFailure::BadTime, _) => write!(
            f,
            "BADTIME: the signature by {key} counts from {from} to {until}, longer than is taken; it was looked at at {now}"
        ),
        (AuthFailure::BadKey, Some(held)) => {
            write!(f, "BADKEY: the key {key} is for {held}, and the client used {algorithm}")
        }
        (AuthFailure::BadKey, None) => write!(f, "BADKEY: the cluster has no key {key}"),
        (AuthFailure::BadTrunc, _) => write!(f, "BADTRUNC: the MAC by {key} is cut too short"),
        (AuthFailure::BadSig, _) => {
            write!(f, "BADSIG: the signature by {key} ({algorithm}) is not that of its key")
        }
        _ => write!(f, "the signature record of {key} is malformed"),
    }
}
