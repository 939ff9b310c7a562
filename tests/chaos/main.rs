//! Real processes and everything that can be done to them: kill -9, SIGSTOP, restarts, cut, lossy and slow networks,
//! floods and silence, while random clients update and an independent observer looks.
//!
//! What is random follows from one seed, printed when a test fails; `CONCLAVE_SEED` repeats its decisions (not the
//! machine's timing). `CONCLAVE_CHAOS_MINUTES` makes each run of the nemesis so long.

#[path = "../support/tools.rs"]
mod tools;

mod client;
mod flood;
mod idle;
mod ledger;
mod nemesis;
mod network;
mod observer;
mod runs;
mod site;
mod stock;
mod wire;
