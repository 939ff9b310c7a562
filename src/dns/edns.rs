//! EDNS(0) (RFC 6891) and extended errors (RFC 8914).

use super::rtype::{Class, RrType};

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
/// Option code of a cookie (RFC 7873).
pub const OPTION_COOKIE: u16 = 10;
/// Option code of the TCP keepalive (RFC 7828).
pub const OPTION_KEEPALIVE: u16 = 11;
/// Option code of padding (RFC 7830).
pub const OPTION_PADDING: u16 = 12;
/// Option code of an extended error (RFC 8914).
pub const OPTION_EDE: u16 = 15;

/// Option code, of those for local use (RFC 6891 §9), of the nonce that makes an update one that is done once: 8 octets of its client's
/// time, seconds since 1970, and 16 at random.
pub const OPTION_NONCE: u16 = 65_313;

/// Codes of extended errors (RFC 8914 §4).
pub mod ede {
    /// Something else.
    pub const OTHER: u16 = 0;
    /// Of a version that may not be the newest any more.
    pub const STALE: u16 = 3;
    /// The same of a name that does not exist.
    pub const STALE_NXDOMAIN: u16 = 19;
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
    /// Reads an OPT record's class, TTL and rdata (RFC 6891 §6.1.3); none if the options do not fill the rdata.
    pub(super) fn parse(class: Class, ttl: u32, rdata: &[u8]) -> Option<Self> {
        let [extended_rcode, version, flags, _] = ttl.to_be_bytes();
        let options = Options(rdata).map(|option| option.map(|(code, data)| (code, data.to_vec())));
        let options = options.collect::<Option<Vec<_>>>()?;
        Some(Self { udp_size: class.0, extended_rcode, version, do_bit: flags & 0x80 != 0, options })
    }

    /// Appends the OPT record. Options that do not fit into 65,535 octets together are left out.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(0);
        out.extend_from_slice(&RrType::OPT.0.to_be_bytes());
        out.extend_from_slice(&self.udp_size.to_be_bytes());
        out.extend_from_slice(&[self.extended_rcode, self.version, if self.do_bit { 0x80 } else { 0 }, 0]);
        let mut rdata = Vec::new();
        for (code, data) in &self.options {
            if rdata.len() + 4 + data.len() <= usize::from(u16::MAX) {
                rdata.extend_from_slice(&code.to_be_bytes());
                rdata.extend_from_slice(&(data.len() as u16).to_be_bytes());
                rdata.extend_from_slice(data);
            }
        }
        out.extend_from_slice(&(rdata.len() as u16).to_be_bytes());
        out.extend_from_slice(&rdata);
    }

    /// The data of the first option of this code.
    pub fn option(&self, code: u16) -> Option<&[u8]> {
        self.options.iter().find(|(held, _)| *held == code).map(|(_, data)| data.as_slice())
    }
}

/// What the OPT record of a reply has besides what the reply itself says: as its asker's own one and the way it came ask for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Manners {
    /// Options.
    pub options: Vec<(u16, Vec<u8>)>,
    /// Octets of which the whole reply is to be a multiple (RFC 8467), if it is to be padded.
    pub block: Option<usize>,
}

/// The data of an extended-error option.
pub fn ede_option(code: u16, text: &str) -> (u16, Vec<u8>) {
    (OPTION_EDE, [&code.to_be_bytes(), text.as_bytes()].concat())
}

/// The options of an OPT record's rdata; `None` once, where they are cut short.
pub(super) struct Options<'w>(pub(super) &'w [u8]);

impl<'w> Iterator for Options<'w> {
    type Item = Option<(u16, &'w [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut self.0);
        let split = || {
            let [c1, c2, l1, l2, rest @ ..] = rest else { return None };
            let (data, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([*l1, *l2])))?;
            Some((u16::from_be_bytes([*c1, *c2]), data, rest))
        };
        Some(split().map(|(code, data, rest)| {
            self.0 = rest;
            (code, data)
        }))
    }
}
