//! The zone state machine: ordered requests in, fully signed versions of zones out.
//!
//! A zone is a value ([`View`]). A batch of requests is executed at one agreed time: each request is authorised and applied
//! whole or not at all (RFC 2136), then the batch is closed: the serial has moved once, the chain of denial is mended, and an
//! RRSIG is planned for each RRset that lacks one ([`Machine::execute`]). The jobs are signed elsewhere; the zone knows
//! nothing of replicas and key shares. When all signatures of a version are there and it passes the publish check, it
//! becomes visible, in order ([`Machine::signed`]). Execution may run ahead of signing.
//!
//! Only agreed time enters, and nothing depends on when signatures arrive: after the same batches all replicas have the
//! same [`Machine::digest`], and, RSASSA-PKCS1-v1_5 being deterministic, the same signatures.
//!
//! | file | is |
//! |---|---|
//! | `view` | a version: names in canonical order, persistent |
//! | `rules`, `load` | what is taken as given |
//! | `charter`, `policy` | the rules of a zone, as state |
//! | `roster`, `removed` | which zones there are; what is left of those that went |
//! | `contents`, `parcels` | what a command cannot hold, and its way into the state |
//! | `catalog` | the list of zones for secondaries |
//! | `draft`, `update` | RFC 2136 on a copy of the newest state |
//! | `guard` | what no update may do, whoever sends it |
//! | `judge`, `refusal`, `ticket`, `account` | an update's way through the machine, why it is refused, what the audit is told |
//! | `chain`, `hashed` | NSEC and NSEC3 |
//! | `signature`, `signatures` | one RRSIG, planned and complete; all of an RRset |
//! | `ledger` | one zone: the batch, its close, its schedule of refreshes |
//! | `versions` | what waits to be published, and the check |
//! | `replay` | requests remembered |
//! | `said`, `operators`, `votes`, `command` | what replicas say in their own names, what operators sign, and what they have the cluster do |
//! | `vouch` | updates that count by the word of t+1 replicas |
//! | `keys`, `rollover` | a zone's keys, what each does, and how one takes another's place |
//! | `progress` | how far replicas have executed, as they say |
//! | `deals` | new keys as they come in: bundles and receipts |
//! | `register` | what the state holds beside zones and answers |
//! | `element`, `digest`, `planned` | what the state consists of, and its running digests |
//! | `manifest`, `snapshot` | the state in brief, and as a whole, after a batch |
//! | `partial`, `restore` | a machine from that |
//! | `bundle` | a new key's public part, and the receipts for its shares |
//! | `succession` | the next epoch's machine from this one's last state |
//! | `machine` | all zones |
#![forbid(unsafe_code)]

mod account;
mod bundle;
mod catalog;
mod chain;
mod charter;
pub mod check;
mod command;
mod contents;
mod deals;
mod digest;
mod draft;
mod element;
mod guard;
mod hashed;
mod judge;
mod keys;
mod ledger;
mod listing;
mod load;
mod machine;
mod manifest;
mod operators;
mod parcels;
mod partial;
mod planned;
mod policy;
mod progress;
pub mod refresh;
mod refusal;
mod register;
mod removed;
mod replay;
mod request;
mod restore;
mod rollover;
mod roster;
mod rules;
mod said;
mod show;
mod signature;
mod signatures;
mod snapshot;
mod succession;
mod ticket;
mod update;
mod versions;
mod view;
mod votes;
mod vouch;
mod walk;
mod zonemd;

#[cfg(test)]
mod differential;
#[cfg(test)]
mod oracle;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use account::Account;
pub use bundle::{Bundle, CheckedBundle, Holders, Receipt, Role};
pub use charter::Charter;
pub use command::{Act, Command, ZoneAct};
pub use contents::{Contents, NewZone, Parcel, ParcelPiece};
pub use machine::{Machine, MachineError};
pub use manifest::Manifest;
pub use operators::{OPERATOR_DOMAIN, OperatorVote};
pub use parcels::{AWAIT_SECS, AwaitedParcel};
pub use policy::{PolicyError, UpdatePolicy};
pub use refusal::{Refusal, weak_remedy};
pub use request::{
    Batch, Executed, Job, Kind, Outcome, PublishFailure, Published, Request, RequestId, Signed, Stage,
    Vouched, ZoneNews,
};
pub use restore::{OpenJob, Restore, Trust};
pub use rollover::Step;
pub use roster::ZoneInfo;
pub use rules::{Genesis, KeyInfo, Reads, SerialRule, Validity, ZoneRules};
pub use said::{SAID_DOMAIN, Said, Saying};
pub use show::{ShownKey, ShownZone};
pub use snapshot::{Piece, Snapshot};
pub use succession::{Begun, Succession, keys_digest};
pub use ticket::Ticket;
pub use view::{Denial, Node, SignedRrset, View};
pub use votes::{Decided, OpenCommand, VOTE_LAPSE_SECS};
pub use vouch::{change_of, is_done_once};
pub use walk::Walk;
