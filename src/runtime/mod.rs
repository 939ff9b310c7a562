//! Sockets, files, clocks and threads.
