//! Pure answers: a query and a view give a response.
//!
//! One query is answered in passes, none of which blocks, locks, or looks at a clock:
//!
//! 1. `query`: what may be answered at all. Opcode, EDNS version (RFC 6891 §6.1.3), cookies (RFC 7873), one question
//!    (RFC 9619), class (CHAOS: RFC 4892), the deepest zone that encloses the name (RFC 1034 §4.3.2 step 2; DS belongs to the parent side, RFC 4035
//!    §3.1.4.1), zone transfers, TSIG; of a catalog zone (RFC 9432 §7), whether the client may have it.
//! 2. `solve`: RFC 1034 §4.3.2 steps 3 to 6 in that zone, and on along aliases into the server's other zones, with RFC 4592
//!    (wildcards), RFC 6672 (DNAME), RFC 4035 §3.1 and RFC 5155 §7.2 (proofs), RFC 8020 (empty non-terminals exist),
//!    RFC 2308 (negative answers), RFC 8482 (ANY): which RRsets go where.
//! 3. `compose`: the bytes, with compression, the size limit, RFC 9471 (in-domain glue or TC); `options`: the OPT record.
//!
//! The response is a function of the view, the settings and the request: every replica that serves the same version
//! sends the same bytes. (Only a TSIG and a cookie depend on the time, which is an argument, and a cookie on the address.) RRsets leave in
//! canonical order, names are compressed against the first occurrence of the same case.
//!
//! What the zone does not hold is left out for brevity: positive answers carry no authority section beyond proofs.
#![forbid(unsafe_code)]

mod additional;
mod catalog;
mod chaos;
mod compose;
mod deny;
mod options;
mod request;
mod respond;
mod solve;
#[cfg(test)]
pub(crate) mod tests;
pub mod transfer;

pub use catalog::Catalog;
pub use request::{Client, Cookies, Kind, Readers, Reply, Request, Settings, Subject, Transport};
pub use respond::{failure, failure_to, instead, manners, respond, respond_from};
