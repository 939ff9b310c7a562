//! Conclave: an authoritative DNS service that no single machine, operator or break-in can corrupt,
//! forge or stop.
//!
//! n replicas (n ≥ 3t+1) order RFC 2136 updates by asynchronous Byzantine atomic broadcast, apply them
//! as one deterministic state machine, and jointly make threshold RSA signatures, so that a zone's
//! DNSSEC keys are online and yet exist nowhere. Start reading at the [manual].
//!
//! The layers, lowest first; each may import only what `tests/tidy.rs` lists for it:
//! [`quorum`], [`time`], [`limits`], [`protocol`], [`codec`], [`dns`], [`threshold`], [`storage`], [`link`],
//! [`consensus`], [`zone`], [`answer`], [`signing`], [`replica`], [`ceremony`], [`sim`], [`runtime`], [`cli`].
//! Beside them, in tests only, `plant`: bugs that the tests must find.
#![warn(missing_docs)]

// What tests/support holds is included by path on both sides of the library's border, and says `conclave::` on both.
#[cfg(test)]
extern crate self as conclave;

#[macro_use]
mod plant;

pub mod answer;
pub mod ceremony;
pub mod cli;
pub mod codec;
pub mod consensus;
pub mod dns;
pub mod limits;
pub mod link;
pub mod manual;
pub mod protocol;
pub mod quorum;
pub mod replica;
pub mod runtime;
pub mod signing;
pub mod sim;
pub mod storage;
pub mod threshold;
pub mod time;
pub mod zone;
