//! Whole replicas of the layer in a seeded simulator.

mod adversaries;
mod delivery;
mod exclusion;
mod faults;
mod order;
mod silence;
pub(super) mod sim;
