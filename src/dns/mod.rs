//! DNS wire and text forms: names, rdata, RRsets, messages, TSIG, SIG(0), DNSSEC encodings, master files.
//!
//! Rdata is held as *uncompressed wire octets with the sender's case*: one representation that is hashed, ordered,
//! signed, stored and sent. One table of field kinds a type ([`rdata`]) drives validation, decompression, the canonical
//! form and the text form; a type that is not in the table is opaque (RFC 3597).
//!
//! Everything here is a pure function of its arguments, bounded, and gives errors, never panics, for any octets.
#![forbid(unsafe_code)]

pub mod cookie;
pub mod dnssec;
pub mod edns;
pub mod master;
pub mod message;
pub mod name;
pub mod nsec3;
pub mod query;
pub mod rdata;
pub mod rrset;
pub mod rtype;
pub mod script;
pub mod sig0;
mod tail;
mod text_time;
pub mod tsig;
mod writer;

pub use name::{Name, NameError};
pub use rdata::Rdata;
pub use rrset::{Record, Rrset, Soa};
pub use rtype::{Class, Opcode, Rcode, RrType};
pub use text_time::show_date;
