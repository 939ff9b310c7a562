//! What is done with fuzzed bytes: one module a target, each with `run`, which panics if a promise is broken, and
//! `seeds`, real things from which the corpus began.
//!
//! `cargo fuzz` runs a target on bytes that it invents (`tests/run fuzz`); `tests/corpus.rs` includes this file by path
//! and replays `corpus/TARGET/*`, on any toolchain. To add a target: a module here with `run` and `seeds`, its line in
//! [`ALL`], `fuzz_targets/NAME.rs` of three lines and its `[[bin]]` in Cargo.toml; then
//! `cargo test --release --test corpus -- --ignored` writes its seeds.
//!
//! What a structured target reads from its bytes, it reads by [`bytes::Bytes`]: every input means something, and what a
//! cut one lacks is zero.
#![allow(dead_code, reason = "the fuzz program of one target needs no other")]

mod bytes;
mod dealt;
mod keys;
#[path = "../../support/signed.rs"]
mod signed;

pub mod admin_line;
pub mod answer;
pub mod catch_up;
pub mod client_keys;
pub mod cluster_file;
pub mod link;
pub mod log;
pub mod master;
pub mod message;
pub mod name;
pub mod peer_message;
pub mod query;
pub mod rdata;
pub mod replica;
pub mod replica_file;
pub mod restore;
pub mod script;
pub mod sealed;
pub mod share_file;
pub mod signature;
pub mod snapshot_file;
pub mod state_file;
pub mod transfer;
pub mod update;

/// A target: its name, its body, and what its corpus began with.
pub struct Target {
    /// As `cargo fuzz` knows it, and its directory in `corpus/`.
    pub name: &'static str,
    /// Panics if the bytes break a promise.
    pub run: fn(&[u8]),
    /// Real things.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const ALL: &[Target] = &[
    Target { name: "admin_line", run: admin_line::run, seeds: admin_line::seeds },
    Target { name: "answer", run: answer::run, seeds: answer::seeds },
    Target { name: "catch_up", run: catch_up::run, seeds: catch_up::seeds },
    Target { name: "client_keys", run: client_keys::run, seeds: client_keys::seeds },
    Target { name: "cluster_file", run: cluster_file::run, seeds: cluster_file::seeds },
    Target { name: "link", run: link::run, seeds: link::seeds },
    Target { name: "log", run: log::run, seeds: log::seeds },
    Target { name: "master", run: master::run, seeds: master::seeds },
    Target { name: "message", run: message::run, seeds: message::seeds },
    Target { name: "name", run: name::run, seeds: name::seeds },
    Target { name: "peer_message", run: peer_message::run, seeds: peer_message::seeds },
    Target { name: "query", run: query::run, seeds: query::seeds },
    Target { name: "rdata", run: rdata::run, seeds: rdata::seeds },
    Target { name: "replica", run: replica::run, seeds: replica::seeds },
    Target { name: "replica_file", run: replica_file::run, seeds: replica_file::seeds },
    Target { name: "restore", run: restore::run, seeds: restore::seeds },
    Target { name: "script", run: script::run, seeds: script::seeds },
    Target { name: "sealed", run: sealed::run, seeds: sealed::seeds },
    Target { name: "share_file", run: share_file::run, seeds: share_file::seeds },
    Target { name: "signature", run: signature::run, seeds: signature::seeds },
    Target { name: "snapshot_file", run: snapshot_file::run, seeds: snapshot_file::seeds },
    Target { name: "state_file", run: state_file::run, seeds: state_file::seeds },
    Target { name: "transfer", run: transfer::run, seeds: transfer::seeds },
    Target { name: "update", run: update::run, seeds: update::seeds },
];
