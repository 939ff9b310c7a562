//! Whole replicas of the layer in a seeded simulator.

mod adversaries;
mod alerts;
mod checkpoints;
mod checks;
mod delivery;
mod exclusion;
mod faults;
mod finale;
mod observers;
mod order;
mod silence;
pub(super) mod sim;
mod starvation;
