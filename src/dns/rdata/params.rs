//! The parameters of SVCB and HTTPS (RFC 9460 §2.1, §2.2, §7).
//!
//! On the wire: key, length, value, keys strictly ascending. The values of the registered keys are checked.

use super::RdataError;
use super::text::{self, quote};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6HINT: u16 = 6;
const DOHPATH: u16 = 7;
const OHTTP: u16 = 8;

const KEYS: &[(u16, &str)] = &[
    (MANDATORY, "mandatory"),
    (ALPN, "alpn"),
    (NO_DEFAULT_ALPN, "no-default-alpn"),
    (PORT, "port"),
    (IPV4HINT, "ipv4hint"),
    (ECH, "ech"),
    (IPV6HINT, "ipv6hint"),
    (DOHPATH, "dohpath"),
    (OHTTP, "ohttp"),
];

const MALFORMED: RdataError = RdataError::Field("malformed service parameters");

fn split(mut octets: &[u8]) -> Result<BTreeMap<u16, &[u8]>, RdataError> {
    let mut params = BTreeMap::new();
    while !octets.is_empty() {
        let [k1, k2, l1, l2, rest @ ..] = octets else { return Err(RdataError::Truncated) };
        let key = u16::from_be_bytes([*k1, *k2]);
        let length = usize::from(u16::from_be_bytes([*l1, *l2]));
        let (value, rest) = rest.split_at_checked(length).ok_or(RdataError::Truncated)?;
        if params.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err(RdataError::Field("service parameters out of order"));
        }
        params.insert(key, value);
        octets = rest;
    }
    Ok(params)
}

/// Whether the octets are well-formed parameters.
pub(super) fn check(octets: &[u8]) -> Result<(), RdataError> {
    let params = split(octets)?;
    for (key, value) in &params {
        let good = match *key {
            MANDATORY => {
                let keys = numbers(value);
                !keys.is_empty()
                    && value.len() % 2 == 0
                    && keys.is_sorted_by(|a, b| a < b)
                    && keys.iter().all(|key| *key != MANDATORY && params.contains_key(key))
            }
            ALPN => strings(value).is_some_and(|list| !list.is_empty() && list.iter().all(|s| !s.is_empty())),
            NO_DEFAULT_ALPN => value.is_empty() && params.contains_key(&ALPN),
            OHTTP => value.is_empty(),
            PORT => value.len() == 2,
            IPV4HINT => !value.is_empty() && value.len() % 4 == 0,
            IPV6HINT => !value.is_empty() && value.len() % 16 == 0,
            _ => true,
        };
        if !good {
            return Err(MALFORMED);
        }
    }
    Ok(())
}

fn numbers(value: &[u8]) -> Vec<u16> {
    value.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

/// Length-prefixed strings.
fn strings(mut value: &[u8]) -> Option<Vec<&[u8]>> {
    let mut list = Vec::new();
    while let Some((length, rest)) = value.split_first() {
        let (string, rest) = rest.split_at_checked(usize::from(*length))?;
        list.push(string);
        value = rest;
    }
    Some(list)
}

fn key_text(key: u16) -> String {
    let known = KEYS.iter().find(|(code, _)| *code == key);
    known.map_or_else(|| format!("key{key}"), |(_, name)| (*name).to_owned())
}

fn parse_key(text: &str) -> Option<u16> {
    if let Some((code, _)) = KEYS.iter().find(|(_, name)| *name == text) {
        return Some(*code);
    }
    let digits = text.strip_prefix("key")?;
    let canonical = digits == "0" || !digits.starts_with('0');
    (canonical && digits.bytes().all(|c| c.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// The words of well-formed parameters.
pub(super) fn to_words(octets: &[u8]) -> Result<Vec<String>, RdataError> {
    split(octets)?.into_iter().map(|(key, value)| to_word(key, value)).collect()
}

fn to_word(key: u16, value: &[u8]) -> Result<String, RdataError> {
    let name = key_text(key);
    let list = |items: Vec<String>| format!("{name}={}", items.join(","));
    Ok(match key {
        MANDATORY => list(numbers(value).into_iter().map(key_text).collect()),
        ALPN => format!("{name}={}", quote(&join(&strings(value).ok_or(MALFORMED)?))),
        PORT => list(numbers(value).into_iter().map(|port| port.to_string()).collect()),
        IPV4HINT => list(text::chunks::<4>(value).map(|a| Ipv4Addr::from(a).to_string()).collect()),
        IPV6HINT => list(text::chunks::<16>(value).map(|a| Ipv6Addr::from(a).to_string()).collect()),
        ECH => format!("{name}={}", data_encoding::BASE64.encode(value)),
        _ if value.is_empty() => name,
        _ => format!("{name}={}", quote(value)),
    })
}

/// A comma-separated list, commas and backslashes in it escaped (RFC 9460 appendix A.1).
fn join(strings: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, string) in strings.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        for &octet in *string {
            if matches!(octet, b',' | b'\\') {
                out.push(b'\\');
            }
            out.push(octet);
        }
    }
    out
}

fn split_list(value: &[u8]) -> Vec<Vec<u8>> {
    let mut list = vec![Vec::new()];
    let mut octets = value.iter();
    while let Some(&octet) = octets.next() {
        match octet {
            b',' => list.push(Vec::new()),
            b'\\' => list.last_mut().map_or((), |item| item.extend(octets.next())),
            other => list.last_mut().map_or((), |item| item.push(other)),
        }
    }
    list
}

/// Reads all words as parameters, in any order.
pub(super) fn from_words<'w>(words: impl Iterator<Item = &'w str>) -> Result<Vec<u8>, RdataError> {
    let mut params = BTreeMap::new();
    for word in words {
        let wrong = || RdataError::Word { expected: "a service parameter", found: word.to_owned() };
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let key = parse_key(name).ok_or_else(wrong)?;
        let octets = text::string(value.unwrap_or_default())?;
        // RFC 9460 §2.1: behind `keyNNNNN` stand the octets of the wire.
        let generic = KEYS.iter().all(|(_, known)| *known != name);
        let value = if generic { Some(octets) } else { from_value(key, &octets) };
        let value = value.ok_or_else(wrong)?;
        if params.insert(key, value).is_some() {
            return Err(RdataError::Field("a service parameter twice"));
        }
    }
    let mut out = Vec::new();
    for (key, value) in params {
        let length = u16::try_from(value.len()).map_err(|_| RdataError::Field("a parameter too long"))?;
        out.extend_from_slice(&key.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&value);
    }
    check(&out)?;
    Ok(out)
}

fn from_value(key: u16, octets: &[u8]) -> Option<Vec<u8>> {
    let text = || std::str::from_utf8(octets).ok();
    match key {
        MANDATORY => {
            let keys: Option<Vec<u16>> = text()?.split(',').map(parse_key).collect();
            let mut keys = keys?;
            keys.sort_unstable();
            Some(keys.iter().flat_map(|key| key.to_be_bytes()).collect())
        }
        ALPN => {
            let mut out = Vec::new();
            for item in split_list(octets) {
                out.push(u8::try_from(item.len()).ok()?);
                out.extend_from_slice(&item);
            }
            Some(out)
        }
        PORT => Some(text()?.parse::<u16>().ok()?.to_be_bytes().to_vec()),
        IPV4HINT => {
            let addresses: Option<Vec<Ipv4Addr>> = text()?.split(',').map(|a| a.parse().ok()).collect();
            Some(addresses?.iter().flat_map(Ipv4Addr::octets).collect())
        }
        IPV6HINT => {
            let addresses: Option<Vec<Ipv6Addr>> = text()?.split(',').map(|a| a.parse().ok()).collect();
            Some(addresses?.iter().flat_map(Ipv6Addr::octets).collect())
        }
        ECH => data_encoding::BASE64.decode(octets).ok(),
        _ => Some(octets.to_vec()),
    }
}
