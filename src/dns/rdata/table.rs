//! The descriptor table: of which fields the rdata of each known type consists.

use super::rare::Kind;
use crate::dns::rtype::RrType;

/// A kind of field: how it lies on the wire and how it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field {
    /// An unsigned number of 8, 16 or 32 bits, in decimal.
    U8,
    U16,
    U32,
    /// Seconds, also with units.
    Ttl,
    /// Seconds since 1970 modulo 2³², as YYYYMMDDHHmmSS (RFC 4034 §3.2).
    Time,
    /// A type's mnemonic.
    Type,
    /// A DNSSEC algorithm: number, or mnemonic when read.
    Algorithm,
    /// The type of a certificate (RFC 4398 §2.1).
    CertType,
    /// A name in a type of RFC 1035: may be compressed, is canonically lower case.
    OldName,
    /// A name that may come compressed (RFC 3597 §4), is never sent so, and is canonically lower case (RFC 4034 §6.2).
    LowerName,
    /// A name that is never compressed, whose case counts.
    PlainName,
    /// Such names up to the end.
    PlainNames,
    Ipv4,
    Ipv6,
    /// So many octets as `01-23-…`.
    Eui(usize),
    /// 64 bits as `0123:4567:89ab:cdef`.
    Groups,
    /// One character-string.
    Text,
    /// Character-strings up to the end, at least one.
    Texts,
    /// A CAA tag (RFC 8659 §4.1): letters and digits, with its length.
    Tag,
    /// Octets up to the end, as one string that may be longer than 255.
    LongText,
    /// Octets up to the end, in hexadecimal (at least one) or base64.
    Hex,
    Base64,
    /// The digest of a DS, as long as its type says.
    Digest,
    /// Octets with their length before, in hexadecimal (`-` for none).
    Salt,
    /// Octets with their length before, in base32hex.
    Hash,
    /// Types up to the end (RFC 4034 §4.1.2).
    Bitmap,
    /// The gateway of an IPSECKEY, whose kind is its second octet.
    Gateway,
    /// HIP's lengths, algorithm, tag and key (RFC 8005 §5).
    Hip,
    /// All of LOC (RFC 1876).
    Loc,
    /// The parameters of SVCB (RFC 9460 §2.2).
    Params,
    /// The digest of a ZONEMD, as long as its algorithm says (RFC 8976 §2.2.4).
    ZoneDigest,
    /// One or two character-strings.
    OneOrTwoTexts,
    /// What only one type has.
    Rare(Kind),
}

/// The fields of a type; none: its rdata is opaque (RFC 3597).
pub(super) fn fields(rtype: RrType) -> Option<&'static [Field]> {
    use Field::*;
    Some(match rtype {
        RrType::A => &[Ipv4],
        RrType::NS | RrType::MD | RrType::MF | RrType::CNAME => &[OldName],
        RrType::MB | RrType::MG | RrType::MR | RrType::PTR => &[OldName],
        RrType::SOA => &[OldName, OldName, U32, Ttl, Ttl, Ttl, Ttl],
        RrType::HINFO => &[Text, Text],
        RrType::MINFO => &[OldName, OldName],
        RrType::MX => &[U16, OldName],
        RrType::TXT | RrType::SPF | RrType::NINFO | RrType::AVC | RrType::RESINFO | RrType::WALLET => {
            &[Texts]
        }
        RrType::RP => &[LowerName, LowerName],
        RrType::AFSDB | RrType::RT | RrType::KX => &[U16, LowerName],
        RrType::X25 => &[Rare(Kind::Psdn)],
        RrType::SIG | RrType::RRSIG => &[Type, Algorithm, U8, Ttl, Time, Time, U16, LowerName, Base64],
        RrType::KEY | RrType::DNSKEY | RrType::CDNSKEY | RrType::RKEY => &[U16, U8, Algorithm, Base64],
        RrType::PX => &[U16, LowerName, LowerName],
        RrType::AAAA => &[Ipv6],
        RrType::LOC => &[Loc],
        RrType::SRV => &[U16, U16, U16, LowerName],
        RrType::NAPTR => &[U16, U16, Text, Text, Text, LowerName],
        RrType::CERT => &[CertType, U16, Algorithm, Base64],
        RrType::DNAME => &[LowerName],
        RrType::DS | RrType::CDS | RrType::TA | RrType::DLV => &[U16, Algorithm, U8, Digest],
        RrType::SSHFP => &[U8, U8, Hex],
        RrType::IPSECKEY => &[U8, U8, U8, Gateway, Base64],
        RrType::NSEC => &[PlainName, Bitmap],
        RrType::DHCID | RrType::OPENPGPKEY => &[Base64],
        RrType::NSEC3 => &[U8, U8, U16, Salt, Hash, Bitmap],
        RrType::NSEC3PARAM => &[U8, U8, U16, Salt],
        RrType::TLSA | RrType::SMIMEA => &[U8, U8, U8, Hex],
        RrType::HIP => &[Hip, PlainNames],
        RrType::CSYNC => &[U32, U16, Bitmap],
        RrType::ZONEMD => &[U32, U8, U8, ZoneDigest],
        RrType::SVCB | RrType::HTTPS => &[U16, PlainName, Params],
        RrType::NID | RrType::L64 => &[U16, Groups],
        RrType::L32 => &[U16, Ipv4],
        RrType::LP => &[U16, PlainName],
        RrType::EUI48 => &[Eui(6)],
        RrType::EUI64 => &[Eui(8)],
        RrType::URI => &[U16, U16, LongText],
        RrType::WKS => &[Ipv4, Rare(Kind::Services)],
        RrType::ISDN => &[OneOrTwoTexts],
        RrType::NSAP => &[Rare(Kind::Nsap)],
        RrType::NSAP_PTR => &[PlainName],
        RrType::GPOS => &[Text, Text, Text],
        RrType::NXT => &[LowerName, Rare(Kind::OldBitmap)],
        RrType::EID | RrType::NIMLOC => &[Hex],
        RrType::ATMA => &[Rare(Kind::Atma)],
        RrType::A6 => &[Rare(Kind::A6Suffix), Rare(Kind::A6Name)],
        RrType::SINK => &[U8, U8, U8, Base64],
        RrType::APL => &[Rare(Kind::Prefixes)],
        RrType::TALINK => &[PlainName, PlainName],
        RrType::DOA => &[U32, U32, U8, Text, Rare(Kind::DashedBase64)],
        RrType::AMTRELAY => &[U8, Rare(Kind::Relay)],
        RrType::CAA => &[U8, Tag, LongText],
        _ => return None,
    })
}

/// The mnemonics of DNSSEC algorithms (RFC 4034 appendix A.1 and successors), which may be read for numbers.
pub(super) const ALGORITHMS: &[(u16, &str)] = &[
    (1, "RSAMD5"),
    (2, "DH"),
    (3, "DSA"),
    (5, "RSASHA1"),
    (6, "NSEC3DSA"),
    (7, "NSEC3RSASHA1"),
    (8, "RSASHA256"),
    (10, "RSASHA512"),
    (12, "ECCGOST"),
    (13, "ECDSAP256SHA256"),
    (14, "ECDSAP384SHA384"),
    (15, "ED25519"),
    (16, "ED448"),
    (252, "INDIRECT"),
    (253, "PRIVATEDNS"),
    (254, "PRIVATEOID"),
];

/// The mnemonics of certificate types (RFC 4398 §2.1).
pub(super) const CERT_TYPES: &[(u16, &str)] = &[
    (1, "PKIX"),
    (2, "SPKI"),
    (3, "PGP"),
    (4, "IPKIX"),
    (5, "ISPKI"),
    (6, "IPGP"),
    (7, "ACPKIX"),
    (8, "IACPKIX"),
    (253, "URI"),
    (254, "OID"),
];
