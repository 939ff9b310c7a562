//! Threshold signing sessions.
