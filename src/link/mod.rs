//! Frames made reliable, ordered and bounded.
