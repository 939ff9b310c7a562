//! SIG(0) (RFC 2931): stub.
use super::name::Name;
use super::rdata::{Rdata, RdataError};

/// A client's public key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sig0Key {
    /// The name.
    pub name: Name,
    /// 8 RSASHA256, 13 ECDSAP256SHA256, 15 ED25519.
    pub algorithm: u8,
    /// The public key as in KEY rdata.
    pub public: Vec<u8>,
    /// The key tag.
    pub tag: u16,
}

impl Sig0Key {
    /// From KEY rdata (RFC 2535 §3): protocol 3 or 255.
    pub fn new(name: Name, key: &Rdata) -> Result<Self, RdataError> {
        let _ = (name, key);
        todo!()
    }

    /// Whether `signature` is this key's over `data`.
    pub fn verify(&self, data: &[u8], signature: &[u8]) -> bool {
        let _ = (data, signature);
        todo!()
    }
}
