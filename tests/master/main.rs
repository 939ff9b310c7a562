//! Master files against BIND's named-compilezone and named-checkzone: what one takes the other takes, and as the same
//! records; what one refuses the other refuses.
//!
//! A table of awkward files, each row with its clause, and random files (`CONCLAVE_SEED`). Accepted differences stand in
//! `differences.md` by the numbers that rows name.

mod bind;
mod files;
#[path = "../support/random.rs"]
mod random;
mod rows;
mod semantics;
mod syntax;
#[path = "../support/tools.rs"]
mod tools;
