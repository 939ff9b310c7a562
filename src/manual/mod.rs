//! The manual: how Conclave works, for those who read or change it.
//!
//! - [`trace`]: one update, annotated from socket to answer.
//! - [`formats`]: what is on the wire between peers and on disk, byte by byte.
//! - [`model`]: what a model checker has searched, how that maps to the code, and what it leaves out.
//! - [`liveness`]: how long a scheduler can delay a request: the bound, its proof and its assumptions.
//! - [`rollover`]: from one key to the next, command by command.
//! - [`denial`]: NSEC and NSEC3, and from one to the other.
//! - [`zones`]: zones that come, go and change while a cluster runs, and who may have it done.
//! - [`epochs`]: how a cluster goes on with other members, and why nothing is lost.
//! - [`glossary`]: the words.
//! - [`decisions`]: what was decided where the intent was silent or beaten, dated, with the reason.
//!
//! Each layer's own module documentation is its specification.

#[doc = include_str!("trace.md")]
pub mod trace {}

#[doc = include_str!("formats.md")]
pub mod formats {}

#[doc = include_str!("model.md")]
pub mod model {}

#[doc = include_str!("liveness.md")]
pub mod liveness {}

#[doc = include_str!("rollover.md")]
pub mod rollover {}

#[doc = include_str!("denial.md")]
pub mod denial {}

#[doc = include_str!("zones.md")]
pub mod zones {}

#[doc = include_str!("epochs.md")]
pub mod epochs {}

#[doc = include_str!("glossary.md")]
pub mod glossary {}

#[doc = include_str!("decisions.md")]
pub mod decisions {}
