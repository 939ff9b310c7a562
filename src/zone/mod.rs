//! The zone state machine: ordered requests in, versions of zones out. stub docs
#![forbid(unsafe_code)]

mod machine;
mod policy;
mod request;
mod rules;
mod signature;
mod view;

pub use machine::{Machine, MachineError};
pub use policy::{PolicyError, UpdatePolicy};
pub use request::{
    Batch, Executed, Job, Kind, Outcome, PublishFailure, Published, Request, RequestId, Signed,
};
pub use rules::{Genesis, KeyInfo, Reads, SerialRule, Validity, ZoneRules};
pub use view::{Denial, Node, SignedRrset, View};
