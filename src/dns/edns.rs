//! EDNS(0) (RFC 6891) and extended errors (RFC 8914).

/// The contents of an OPT record.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Edns {
    /// Octets of UDP payload its sender takes.
    pub udp_size: u16,
    /// The upper 8 bits of the rcode.
    pub extended_rcode: u8,
    /// The version.
    pub version: u8,
    /// DO: DNSSEC records are wanted (RFC 3225).
    pub do_bit: bool,
    /// Options: code and data.
    pub options: Vec<(u16, Vec<u8>)>,
}

/// Option code of NSID (RFC 5001).
pub const OPTION_NSID: u16 = 3;
/// Option code of an extended error (RFC 8914).
pub const OPTION_EDE: u16 = 15;

/// Codes of extended errors (RFC 8914 §4).
pub mod ede {
    /// Something else.
    pub const OTHER: u16 = 0;
    /// The server cannot do it yet.
    pub const NOT_READY: u16 = 14;
    /// Refused by policy.
    pub const PROHIBITED: u16 = 18;
    /// Not authoritative for the name.
    pub const NOT_AUTHORITATIVE: u16 = 20;
    /// The operation is not supported.
    pub const NOT_SUPPORTED: u16 = 21;
    /// No authority could be reached.
    pub const NO_REACHABLE_AUTHORITY: u16 = 22;
    /// A network error.
    pub const NETWORK_ERROR: u16 = 23;
}

impl Edns {
    /// The data of the first option of this code.
    pub fn option(&self, code: u16) -> Option<&[u8]> {
        self.options.iter().find(|(held, _)| *held == code).map(|(_, data)| data.as_slice())
    }
}

/// The data of an extended-error option.
pub fn ede_option(code: u16, text: &str) -> (u16, Vec<u8>) {
    (OPTION_EDE, [&code.to_be_bytes(), text.as_bytes()].concat())
}
