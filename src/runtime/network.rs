//! Networks of addresses, as an operator writes them: `192.0.2.0/24`, `2001:db8::/32`, or one address.
#![forbid(unsafe_code)]

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The addresses that begin with the same bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

impl Network {
    /// The network of so many bits around an address; more bits than an address has are all of them.
    pub fn around(address: IpAddr, ipv4_bits: u8, ipv6_bits: u8) -> Self {
        match address {
            IpAddr::V4(address) => {
                let bits = ipv4_bits.min(32);
                let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                Self { first: Ipv4Addr::from_bits(address.to_bits() & mask).into(), bits }
            }
            IpAddr::V6(address) => {
                let bits = ipv6_bits.min(128);
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                Self { first: Ipv6Addr::from_bits(address.to_bits() & mask).into(), bits }
            }
        }
    }

    /// Whether `address` is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.first.is_ipv4() && Self::around(address, self.bits, self.bits) == *self
    }

    /// The first address.
    pub fn first(&self) -> IpAddr {
        self.first
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shown = text.escape_debug();
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let first: IpAddr = address.parse().map_err(|_| format!("`{shown}` is not a network"))?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |bits| bits.parse().ok().filter(|bits| *bits <= most));
        let bits =
            bits.ok_or_else(|| format!("`{shown}` has no length of 0 to {most} bits behind its slash"))?;
        let network = Self::around(first, bits, bits);
        if network.first == first {
            Ok(network)
        } else {
            Err(format!("`{shown}` has bits behind its length; is {network} meant?"))
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_written_and_contain_what_begins_as_they_do() {
        for (text, shown, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.7", "192.0.2.7/32", "192.0.2.7", "192.0.2.6"),
            ("0.0.0.0/0", "0.0.0.0/0", "255.255.255.255", "::"),
            ("2001:db8::/32", "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "::1/128", "::1", "127.0.0.1"),
            ("::/0", "::/0", "ffff::", "0.0.0.0"),
        ] {
            let network: Network = text.parse().unwrap();
            assert_eq!(network.to_string(), shown);
            assert!(network.contains(inside.parse().unwrap()), "{text} and {inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{text} and {outside}");
        }
        for text in ["", "x", "192.0.2.0/33", "192.0.2.0/", "192.0.2.1/24", "::1/64", "::/129", "192.0.2/24"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        let around = |address: &str| Network::around(address.parse().unwrap(), 24, 56).to_string();
        assert_eq!(around("198.51.100.100"), "198.51.100.0/24");
        assert_eq!(around("2001:db8:1:2ff::9"), "2001:db8:1:200::/56");
    }
}
