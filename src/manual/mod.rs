//! The manual: how Conclave works, for those who read or change it.
#![doc = ""]
/// What was decided against the intent, or where the intent was silent, and why.
#[doc = include_str!("decisions.md")]
pub mod decisions {}
