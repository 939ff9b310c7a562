//! Whole replicas of the layer in a seeded simulator.

mod adversaries;
mod faults;
mod order;
mod silence;
mod sim;
