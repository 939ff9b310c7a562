//! Whole replicas in a simulated world.
