//! Sockets, files, clocks and threads.

pub mod config;
