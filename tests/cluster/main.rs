//! Real clusters: `conclave demo` as a user runs it, real processes, sockets and disks, driven by Debian's own
//! nsupdate, dig, delv and verifiers. Every wait is for an event, with a generous deadline.

mod answers;
mod bad_files;
mod bad_input;
mod disks;
mod encrypted;
mod faults;
mod fronts;
mod harness;
mod manners;
mod quorum;
mod refresh;
mod root_zone;
mod sizes;
mod transfers;
mod updates;
