//! The zone as a deterministic state machine.
