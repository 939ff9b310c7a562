//! Fields of types that are rarely met: each its octets to the end of the rdata (the suffix of A6 aside), and a form of
//! text that only it has.

use super::RdataError;
use super::text::{self, Words};
use crate::dns::name::{self, Name};
use crate::dns::rtype::RrType;
use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A kind of field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// WKS: a protocol and the bitmap of its ports (RFC 1035 §3.4.2).
    Services,
    /// NSAP: `0x` and hexadecimal digits, dots ignored (RFC 1706 §5).
    Nsap,
    /// NXT: the bitmap of types below 128 (RFC 2535 §5.2).
    OldBitmap,
    /// ATMA: `+` and digits (E.164), or hexadecimal with dots.
    Atma,
    /// A6: length of the prefix, suffix (RFC 2874 §3.1).
    A6Suffix,
    /// A6: the name of the prefix, if that is not empty.
    A6Name,
    /// AMTRELAY: discovery, type and relay (RFC 8777 §4.2).
    Relay,
    /// APL: address prefixes (RFC 3123 §4).
    Prefixes,
    /// X25: one character-string of four digits or more (RFC 1183 §3.1).
    Psdn,
    /// DOA: base64, or `-` for nothing.
    DashedBase64,
}

/// Octets of a bitmap of 65,536 ports.
const MAX_PORT_OCTETS: usize = 8_192;

/// Protocols and services that WKS knows by name; BIND asks the machine, whose list is longer.
const PROTOCOLS: &[(u16, &str)] = &[(1, "icmp"), (6, "tcp"), (17, "udp")];
const SERVICES: &[(u16, &str)] = &[
    (7, "echo"),
    (9, "discard"),
    (13, "daytime"),
    (20, "ftp-data"),
    (21, "ftp"),
    (22, "ssh"),
    (23, "telnet"),
    (25, "smtp"),
    (37, "time"),
    (43, "whois"),
    (53, "domain"),
    (67, "bootps"),
    (68, "bootpc"),
    (69, "tftp"),
    (70, "gopher"),
    (79, "finger"),
    (80, "http"),
    (88, "kerberos"),
    (110, "pop3"),
    (111, "sunrpc"),
    (113, "auth"),
    (119, "nntp"),
    (123, "ntp"),
    (143, "imap2"),
    (161, "snmp"),
    (179, "bgp"),
    (389, "ldap"),
    (443, "https"),
    (993, "imaps"),
    (995, "pop3s"),
];

fn wrong<T>(what: &'static str) -> Result<T, RdataError> {
    Err(RdataError::Field(what))
}

/// How many octets at the start of `rest` are this field; `before`: the rdata up to here.
pub(super) fn length(kind: Kind, rest: &[u8], before: &[u8]) -> Result<usize, RdataError> {
    match kind {
        Kind::A6Suffix => match rest.first() {
            Some(prefix @ 0..=128) => Ok(1 + suffix_octets(*prefix)),
            Some(_) => wrong("a prefix longer than 128 bits"),
            None => Err(RdataError::Truncated),
        },
        Kind::Psdn => rest.first().map(|length| 1 + usize::from(*length)).ok_or(RdataError::Truncated),
        Kind::A6Name if before.first() == Some(&0) => Ok(0),
        Kind::A6Name => Ok(name::skip_uncompressed(rest)?),
        _ => Ok(rest.len()),
    }
}

fn suffix_octets(prefix: u8) -> usize {
    16 - usize::from(prefix / 8)
}

/// Whether a field of the right length is well formed.
pub(super) fn check(kind: Kind, octets: &[u8]) -> Result<(), RdataError> {
    match (kind, octets) {
        (Kind::Services, []) | (Kind::Relay, []) | (Kind::Atma | Kind::Nsap, []) | (Kind::Atma, [_]) => {
            Err(RdataError::Truncated)
        }
        (Kind::Services, [_, bits @ ..]) if bits.len() > MAX_PORT_OCTETS || bits.last() == Some(&0) => {
            wrong("a malformed bitmap of ports")
        }
        (Kind::OldBitmap, [first, ..])
            if first & 0x80 != 0 || octets.len() > 16 || octets.last() == Some(&0) =>
        {
            wrong("a malformed type bitmap")
        }
        (Kind::Atma, [1, digits @ ..]) if !digits.iter().all(u8::is_ascii_digit) => {
            wrong("not the digits of a telephone")
        }
        (Kind::A6Suffix, [prefix, first, ..]) if first & !suffix_mask(*prefix) != 0 => {
            wrong("bits of the suffix inside the prefix")
        }
        (Kind::Relay, [kind, relay @ ..]) => match (kind & 0x7f, relay.len()) {
            (0, 0) | (1, 4) | (2, 16) | (4.., _) => Ok(()),
            (3, _) if name::skip_uncompressed(relay)? == relay.len() => Ok(()),
            _ => wrong("a relay of the wrong length"),
        },
        (Kind::Psdn, [_, digits @ ..]) if digits.len() < 4 || !digits.iter().all(u8::is_ascii_digit) => {
            wrong("not four digits or more")
        }
        (Kind::Prefixes, _) => prefixes(octets).map(drop),
        _ => Ok(()),
    }
}

/// The bits of the first octet of a suffix that are not the prefix's.
fn suffix_mask(prefix: u8) -> u8 {
    0xff >> (prefix % 8)
}

/// One item of APL.
struct Prefix<'a> {
    family: u16,
    bits: u8,
    negated: bool,
    address: &'a [u8],
}

fn prefixes(mut octets: &[u8]) -> Result<Vec<Prefix<'_>>, RdataError> {
    let mut items = Vec::new();
    while !octets.is_empty() {
        let [f1, f2, bits, length, rest @ ..] = octets else { return Err(RdataError::Truncated) };
        let (address, rest) =
            rest.split_at_checked(usize::from(length & 0x7f)).ok_or(RdataError::Truncated)?;
        let item = Prefix {
            family: u16::from_be_bytes([*f1, *f2]),
            bits: *bits,
            negated: length & 0x80 != 0,
            address,
        };
        let most = match item.family {
            1 => 4,
            2 => 16,
            _ => 127,
        };
        // RFC 3123 §4: trailing zero octets are left out.
        let fits = address.len() <= most && (most == 127 || usize::from(*bits) <= 8 * most);
        if !fits || address.last() == Some(&0) {
            return wrong("a malformed address prefix");
        }
        items.push(item);
        octets = rest;
    }
    Ok(items)
}

fn padded<const N: usize>(octets: &[u8]) -> [u8; N] {
    let mut all = [0; N];
    let length = octets.len().min(N);
    all[..length].copy_from_slice(&octets[..length]);
    all
}

/// The words of a field that is well formed.
pub(super) fn show(kind: Kind, octets: &[u8]) -> Result<Vec<String>, RdataError> {
    let unwritten = || wrong("without a text form of its own");
    Ok(match (kind, octets) {
        (Kind::Services, [protocol, bits @ ..]) => {
            let ports = (0..bits.len() * 8).filter(|port| bits[port / 8] & (0x80 >> (port % 8)) != 0);
            [usize::from(*protocol)].into_iter().chain(ports).map(|number| number.to_string()).collect()
        }
        (Kind::OldBitmap, bits) => {
            let types = (0..bits.len() * 8).filter(|code| bits[code / 8] & (0x80 >> (code % 8)) != 0);
            types.map(|code| RrType(code as u16).to_string()).collect()
        }
        (Kind::Psdn, [_, digits @ ..]) => vec![text::quote(digits)],
        (Kind::Nsap, octets) => vec![format!("0x{}", HEXLOWER.encode(octets))],
        (Kind::Atma, [0, octets @ ..]) => vec![HEXLOWER.encode(octets)],
        (Kind::Atma, [1, digits @ ..]) => vec![format!("+{}", String::from_utf8_lossy(digits))],
        (Kind::A6Suffix, [128]) => vec!["128".to_owned()],
        (Kind::A6Suffix, [prefix, suffix @ ..]) => {
            let mut address = [0; 16];
            address[16 - suffix.len().min(16)..].copy_from_slice(suffix);
            vec![prefix.to_string(), Ipv6Addr::from(address).to_string()]
        }
        (Kind::A6Name, []) => Vec::new(),
        (Kind::A6Name, wire) => vec![Name::from_wire(wire)?.to_string()],
        (Kind::Relay, [kind, relay @ ..]) => {
            let relay = match kind & 0x7f {
                0 => ".".to_owned(),
                1 => Ipv4Addr::from(padded(relay)).to_string(),
                2 => Ipv6Addr::from(padded(relay)).to_string(),
                3 => Name::from_wire(relay)?.to_string(),
                _ => return unwritten(),
            };
            vec![(kind >> 7).to_string(), (kind & 0x7f).to_string(), relay]
        }
        (Kind::Prefixes, octets) => prefixes(octets)?.iter().map(show_prefix).collect::<Result<_, _>>()?,
        (Kind::DashedBase64, []) => vec!["-".to_owned()],
        (Kind::DashedBase64, octets) => vec![BASE64.encode(octets)],
        _ => return unwritten(),
    })
}

fn show_prefix(item: &Prefix<'_>) -> Result<String, RdataError> {
    let address = match item.family {
        1 => Ipv4Addr::from(padded(item.address)).to_string(),
        2 => Ipv6Addr::from(padded(item.address)).to_string(),
        _ => return wrong("an unknown family of addresses"),
    };
    let sign = if item.negated { "!" } else { "" };
    Ok(format!("{sign}{}:{address}/{}", item.family, item.bits))
}

/// Reads the field and appends its octets to `out`, which holds the fields before it.
pub(super) fn read(kind: Kind, words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    match kind {
        Kind::Services => {
            out.push(words.take("a protocol", |word| numbered(word, PROTOCOLS))?);
            let ports =
                words.all(|words| words.take("a port or a service", |word| numbered(word, SERVICES)))?;
            out.extend(bitmap(&ports));
        }
        Kind::OldBitmap => {
            let low = |word: &str| {
                RrType::parse(word).filter(|rtype| (1..128).contains(&rtype.0)).map(|rtype| rtype.0)
            };
            out.extend(bitmap(&words.all(|words| words.take("a type below 128", low))?));
        }
        Kind::Psdn => text::push_sized(out, &text::string(words.next()?)?)?,
        Kind::Nsap => {
            let digits = |word: &str| word.strip_prefix("0x").or(word.strip_prefix("0X")).and_then(dotted);
            out.extend(words.take("0x and hexadecimal digits", digits)?);
        }
        Kind::Atma => out.extend(words.take("+ and digits, or hexadecimal digits", telephone)?),
        Kind::A6Suffix => {
            let prefix =
                words.take("a prefix length up to 128", |w| w.parse().ok().filter(|p: &u8| *p <= 128))?;
            out.push(prefix);
            if prefix < 128 {
                let address = words.take("an IPv6 address", |word| word.parse::<Ipv6Addr>().ok())?.octets();
                let from = out.len();
                out.extend_from_slice(&address[16 - suffix_octets(prefix)..]);
                out[from] &= suffix_mask(prefix);
            }
        }
        Kind::A6Name if out.first() == Some(&0) => {}
        Kind::A6Name => out.extend_from_slice(words.name()?.wire()),
        Kind::Relay => relay(words, out)?,
        Kind::Prefixes => {
            for item in words.all(|words| words.take("address prefixes, as 1:192.0.2.0/24", prefix))? {
                out.extend(item);
            }
        }
        Kind::DashedBase64 => {
            match words.peek() {
                Some("-") => drop(words.next()?),
                _ => out.extend(words.blob("base64, or -", |text| {
                    BASE64.decode(text).ok().filter(|octets| !octets.is_empty())
                })?),
            }
        }
    }
    Ok(())
}

fn numbered<T: TryFrom<u16>>(word: &str, table: &[(u16, &str)]) -> Option<T> {
    let known = table.iter().find(|(_, name)| name.eq_ignore_ascii_case(word)).map(|(code, _)| *code);
    let digits = || word.bytes().all(|c| c.is_ascii_digit()).then(|| word.parse().ok())?;
    T::try_from(known.or_else(digits)?).ok()
}

fn bitmap(bits: &[u16]) -> Vec<u8> {
    let bits: BTreeSet<usize> = bits.iter().copied().map(usize::from).collect();
    let mut out = vec![0u8; bits.last().map_or(0, |last| last / 8 + 1)];
    for bit in bits {
        out[bit / 8] |= 0x80 >> (bit % 8);
    }
    out
}

/// Hexadecimal digits with dots anywhere.
fn dotted(word: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = word.bytes().filter(|c| *c != b'.').collect();
    HEXLOWER_PERMISSIVE.decode(&digits).ok().filter(|octets| !octets.is_empty())
}

fn telephone(word: &str) -> Option<Vec<u8>> {
    let Some(digits) = word.strip_prefix('+') else { return Some([vec![0], dotted(word)?].concat()) };
    let digits: Vec<u8> = digits.bytes().filter(|c| *c != b'.').collect();
    let good = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    good.then(|| [vec![1], digits].concat())
}

fn relay(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let discovery = words.take("0 or 1", |word| ["0", "1"].iter().position(|bit| *bit == word))?;
    let kind = words.take("a relay type up to 3", |word| word.parse().ok().filter(|kind: &u8| *kind <= 3))?;
    out.push((discovery as u8) << 7 | kind);
    match kind {
        0 => words.take("a single dot", |word| (word == ".").then_some(()))?,
        1 => out.extend(words.take("an IPv4 address", |word| word.parse::<Ipv4Addr>().ok())?.octets()),
        2 => out.extend(words.take("an IPv6 address", |word| word.parse::<Ipv6Addr>().ok())?.octets()),
        _ => out.extend_from_slice(words.name()?.wire()),
    }
    Ok(())
}

fn prefix(word: &str) -> Option<Vec<u8>> {
    let (negated, word) = word.strip_prefix('!').map_or((0, word), |rest| (0x80, rest));
    let (family, rest) = word.split_once(':')?;
    let (address, bits) = rest.rsplit_once('/')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    if !digits(family) || !digits(bits) {
        return None;
    }
    let (family, bits): (u16, u8) = (family.parse().ok()?, bits.parse().ok()?);
    let mut octets = match family {
        1 => address.parse::<Ipv4Addr>().ok()?.octets().to_vec(),
        2 => address.parse::<Ipv6Addr>().ok()?.octets().to_vec(),
        _ => return None,
    };
    if usize::from(bits) > 8 * octets.len() {
        return None;
    }
    octets.truncate(octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1));
    let [f1, f2] = family.to_be_bytes();
    Some([&[f1, f2, bits, negated | octets.len() as u8], octets.as_slice()].concat())
}
