//! The key ceremony: what a dealer makes, the files it makes it into, and how they are read and checked again.
//!
//! [`deal`] plans a cluster, searches the keys and writes one directory a replica. [`cluster`] is what all replicas
//! must agree on before the first request, and [`cluster_file`] its text, the public `cluster.toml`; the digest of
//! the canonical form is the cluster's identity. [`share_file`] seals each secret to that identity and to one
//! replica, so that a file of another cluster, of another replica, cut short or edited is refused by name.
//! [`client_keys`] writes the keys of clients in the formats of BIND's tools, [`operators`] those of the people who manage zones, and [`anchors`] the trust anchors.
//! [`verify`] tries a whole dealt directory; [`inspect`] prints what is public about one file.
//!
//! Who deals knows every secret for a moment: the machine and the moment are to be chosen accordingly. Secrets are
//! wiped from memory as soon as they are written, and no output shows them.

pub mod anchors;
pub mod backup;
pub mod bundle;
pub mod client_keys;
pub mod client_plan;
pub mod cluster;
pub mod cluster_file;
pub mod deal;
pub mod files;
pub mod held;
pub mod identity;
pub mod import;
pub mod inspect;
pub mod keygen;
pub mod new_key;
pub mod operators;
pub mod package;
pub mod plan;
pub mod receipt;
pub mod rehearsal;
pub mod seal;
pub mod shamir;
pub mod share_file;
pub mod transcript;
pub mod verify;
pub mod words;
pub mod written;
